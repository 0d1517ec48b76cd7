#include <gradcheck/probe.h>
#include <gradcheck/tensor.h>

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDOFF (DBL_EPSILON / 2)

typedef struct room {
    const gck_probe_spec *spec;
    double *x;         /* a copy, to be moved */
    double *complex_x; /* or pairs of real and imaginary part; C lays out double _Complex so */
    double *v;         /* a direction */
    double f;          /* f(x) */
} room;

static void room_done(room *r)
{
    gck_vector_free(r->x);
    gck_vector_free(r->complex_x);
    gck_vector_free(r->v);
}

static gck_status room_init(room *r, const gck_probe_spec *spec, bool complex_step,
                            size_t direction_count, gck_error *error)
{
    *r = (room){.spec = spec};
    const size_t complex_count = complex_step ? 2 * spec->count : 0;
    r->x = gck_vector_copy(spec->x, complex_step ? 0 : spec->count);
    r->complex_x = gck_vector_new(complex_count);
    r->v = gck_vector_new(direction_count);
    if (r->x == NULL || r->complex_x == NULL || r->v == NULL) {
        room_done(r);
        return gck_error_memory(error);
    }
    for (size_t i = 0; i < complex_count; i += 2)
        r->complex_x[i] = spec->x[i / 2];
    if (!complex_step) r->f = spec->value(spec->context, r->x);
    return GCK_OK;
}

/* ---- along a line ---- */

/* x + t v, where v is element `first` alone if direction is NULL. */
typedef struct path {
    size_t first, count;
    const double *direction;
    double scale; /* root mean square of these elements of x */
} path;

static double moved(const path *p, size_t i, double t)
{
    return p->direction == NULL ? t : t * p->direction[i];
}

/* A bound of what f(x + tv) - f(x) is wrong by. Beside its own last digits f has those of what it
 * is computed from, which are like other last digits of x. */
static double noise_of(const room *r, const path *p, double f, double t)
{
    const double slope = t != 0 ? fabs((f - r->f) / t) : 0, digits = 2 * ROUNDOFF;
    return digits * fabs(f) + digits * fabs(r->f) + digits * p->scale * slope + 2 * r->spec->noise;
}

static gck_change real_change(room *r, const path *p, double t)
{
    const gck_probe_spec *spec = r->spec;
    const double *x = spec->x + p->first;
    double *copy = r->x + p->first;
    for (size_t i = 0; i < p->count; i++)
        copy[i] = x[i] + moved(p, i, t);
    const double step = p->direction == NULL ? copy[0] - x[0] : t;
    const double f = spec->value(spec->context, r->x);
    memcpy(copy, x, p->count * sizeof *copy);
    return (gck_change){step, f - r->f, noise_of(r, p, f, step)};
}

static gck_change complex_change(room *r, const path *p, double t)
{
    const gck_probe_spec *spec = r->spec;
    double *copy = r->complex_x + 2 * p->first;
    for (size_t i = 0; i < p->count; i++)
        copy[2 * i + 1] = moved(p, i, t);
    const double complex f =
        spec->complex_value(spec->context, (const double complex *)r->complex_x);
    for (size_t i = 0; i < p->count; i++) {
        copy[2 * i] = spec->x[p->first + i];
        copy[2 * i + 1] = 0;
    }
    return (gck_change){.step = t, .change = isfinite(creal(f)) ? cimag(f) : NAN};
}

static void line_run(room *r, const path *p, gck_line *line)
{
    while (line->asked > 0) {
        gck_change change[GCK_LINE_STEPS];
        for (size_t i = 0; i < line->asked; i++)
            change[i] = line->spec.method == GCK_COMPLEX_STEP ? complex_change(r, p, line->step[i])
                                                              : real_change(r, p, line->step[i]);
        gck_line_take(line, change);
    }
}

static gck_status probe(room *r, const path *p, const gck_line_spec *spec, double *ret_derivative,
                        double *ret_error, gck_error *error)
{
    const gck_probe_spec *owner = r->spec;
    if (owner->stop != NULL && owner->stop(owner->stop_context))
        return gck_error_set(error, GCK_STOPPED, "", "stopped");
    gck_line line;
    gck_line_begin(&line, spec);
    line_run(r, p, &line);
    *ret_derivative = line.derivative;
    if (ret_error != NULL) *ret_error = line.error;
    return GCK_OK;
}

/* ---- elements ---- */

static gck_status spec_check(const gck_probe_spec *spec, bool complex_step, gck_error *error)
{
    if (spec->count == 0 || spec->count > GCK_ELEMENTS_MAX)
        return gck_error_set(error, GCK_INVALID, "count", "not between 1 and 2^40");
    if (complex_step && spec->complex_value == NULL)
        return gck_error_set(error, GCK_INVALID, "complex_value",
                             "complex step needs the function on complex numbers");
    if (!complex_step && spec->value == NULL)
        return gck_error_set(error, GCK_INVALID, "value", "there is no function");
    if (!(spec->noise >= 0 && isfinite(spec->noise)))
        return gck_error_set(error, GCK_INVALID, "noise", "not a finite number from 0 up");
    return GCK_OK;
}

static gck_status gradient_check(const gck_probe_spec *spec, gck_error *error)
{
    if ((unsigned)spec->method > GCK_RIDDERS)
        return gck_error_set(error, GCK_INVALID, "method", "gives no derivative of each element");
    const bool difference = spec->method == GCK_CENTRAL || spec->method == GCK_FORWARD;
    if (difference && !(spec->epsilon > 0 && isfinite(spec->epsilon)))
        return gck_error_set(error, GCK_INVALID, "epsilon", "not a finite number over 0");
    return spec_check(spec, spec->method == GCK_COMPLEX_STEP, error);
}

gck_status gck_probe_gradient(const gck_probe_spec *spec, double *ret_derivative, double *ret_error,
                              gck_error *error)
{
    room r;
    gck_status status = gradient_check(spec, error);
    if (status != GCK_OK) return status;
    status = room_init(&r, spec, spec->method == GCK_COMPLEX_STEP, 0, error);
    if (status != GCK_OK) return status;
    for (size_t j = 0; j < spec->count && status == GCK_OK; j++) {
        const path element = {j, 1, NULL, fabs(spec->x[j])};
        const gck_line_spec line = {.method = spec->method,
                                    .epsilon = spec->epsilon,
                                    .scale = fabs(spec->x[j]),
                                    .estimate = ret_error != NULL};
        status = probe(&r, &element, &line, &ret_derivative[j],
                       ret_error != NULL ? &ret_error[j] : NULL, error);
    }
    room_done(&r);
    return status;
}

/* ---- directions ---- */

static gck_status directions_check(const gck_probe_spec *spec, const gck_direction_spec *d,
                                   gck_error *error)
{
    if (spec->method != GCK_DIRECTIONAL)
        return gck_error_set(error, GCK_INVALID, "method", "not the one for directions");
    if (d->count == 0 || d->count > GCK_DIRECTIONS_MAX)
        return gck_error_set(error, GCK_INVALID, "directions.count", "not between 1 and %d",
                             GCK_DIRECTIONS_MAX);
    const gck_status status = spec_check(spec, spec->complex_value != NULL, error);
    if (status != GCK_OK) return status;
    for (size_t i = 0; i < d->segment_count; i++) {
        const gck_segment *s = &d->segment[i];
        if (s->count > 0 && s->first < spec->count && s->count <= spec->count - s->first) continue;
        gck_error_set(error, GCK_INVALID, "", "empty, or not within x");
        gck_error_below(error, "directions.segment[%zu]", i);
        return GCK_INVALID;
    }
    return GCK_OK;
}

static double root_mean_square(const double *x, size_t count)
{
    return gck_vector_norm(x, count) / sqrt((double)count);
}

/* Complex step has to stay small beside every element. */
static double least_size(const double *x, size_t count)
{
    double least = 0;
    for (size_t i = 0; i < count; i++) {
        const double size = fabs(x[i]);
        if (size > 0 && !(least > 0 && least <= size)) least = size;
    }
    return least;
}

static gck_status segment_probe(room *r, const gck_direction_spec *directions, size_t index,
                                gck_segment segment, double *ret_derivative, double *ret_error,
                                gck_error *error)
{
    const gck_probe_spec *spec = r->spec;
    const bool complex_step = spec->complex_value != NULL;
    const double *x = spec->x + segment.first;
    const path along = {segment.first, segment.count, r->v, root_mean_square(x, segment.count)};
    const gck_line_spec line = {.method = complex_step ? GCK_COMPLEX_STEP : GCK_RIDDERS,
                                .scale = complex_step ? least_size(x, segment.count) : along.scale};
    gck_status status = GCK_OK;
    for (size_t k = 0; k < directions->count && status == GCK_OK; k++) {
        const size_t place = index * directions->count + k;
        gck_direction_draw(directions->seed, (uint32_t)index, k, segment.count, r->v);
        status = probe(r, &along, &line, &ret_derivative[place],
                       ret_error != NULL ? &ret_error[place] : NULL, error);
    }
    return status;
}

gck_status gck_probe_directions(const gck_probe_spec *spec, const gck_direction_spec *directions,
                                double *ret_derivative, double *ret_error, gck_error *error)
{
    gck_status status = directions_check(spec, directions, error);
    if (status != GCK_OK) return status;
    const gck_segment all = {0, spec->count};
    const gck_segment *segment = directions->segment_count > 0 ? directions->segment : &all;
    const size_t segments = directions->segment_count > 0 ? directions->segment_count : 1;
    size_t longest = 0;
    for (size_t i = 0; i < segments; i++)
        if (segment[i].count > longest) longest = segment[i].count;
    room r;
    status = room_init(&r, spec, spec->complex_value != NULL, longest, error);
    if (status != GCK_OK) return status;
    for (size_t i = 0; i < segments && status == GCK_OK; i++)
        status = segment_probe(&r, directions, i, segment[i], ret_derivative, ret_error, error);
    room_done(&r);
    return status;
}
