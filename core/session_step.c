/* Points that the dtype of f can write down exactly: a step that is rounded on its way to f is
 * another step. */
#include "core/session.h"

#include <gradcheck/rng.h>

#include <math.h>

/* Central differences of a function that errs by u are best at steps of u^(1/3); extrapolation
 * likes to begin with longer ones. */
static const session_steps steps[] = {
    [GCK_FLOAT64] = {-7, -37, 53, -1074, 1024},
    [GCK_FLOAT32] = {-4, -14, 24, -149, 128},
    [GCK_FLOAT16] = {-2, -6, 11, -24, 16},
    [GCK_BFLOAT16] = {-1, -4, 8, -133, 128},
};

const session_steps *session_steps_of(gck_dtype dtype)
{
    return &steps[dtype];
}

/* Between numbers of the dtype that are below 2^exponent. */
static double spacing(const session_steps *s, int exponent)
{
    const int place = exponent - s->digits;
    return ldexp(1, place > s->least ? place : s->least);
}

/* The exponent of the power of two that is above |x|. */
static int above(double x)
{
    int exponent;
    frexp(x, &exponent);
    return exponent;
}

bool gck_session_has(gck_dtype dtype, double number)
{
    const session_steps *s = &steps[dtype];
    if (!isfinite(number) || above(number) > s->most) return false;
    if (number == 0) return true;
    const double unit = spacing(s, above(number));
    return fmod(number, unit) == 0;
}

double session_scale(const gck_session_tensor *tensor)
{
    size_t count = 1;
    gck_shape_count(&tensor->shape, &count);
    const double norm = gck_vector_norm(tensor->theta, count) / sqrt((double)count);
    return norm > DBL_MIN ? ldexp(1, ilogb(norm)) : 1;
}

/* The multiple of q nearest to v, such that x - longest v and x + longest v are numbers of the
 * dtype, and so is all that lies on the way in steps of `shortest`. */
static double fit(const session_steps *s, double x, double v, double longest, double shortest)
{
    const int exponent = above(fabs(x) + fabs(v) * longest);
    if (exponent > s->most) return 0;
    const double q = spacing(s, exponent) / shortest;
    const double fitted = q * nearbyint(v / q);
    /* Rounded up to the next power of two it would need a digit more. */
    return above(fabs(x) + fabs(fitted) * longest) > exponent ? q * trunc(v / q) : fitted;
}

static void fit_all(const session_steps *s, const double *theta, size_t count, double *v)
{
    const double longest = ldexp(1, s->first), shortest = ldexp(1, s->last);
    for (size_t i = 0; i < count; i++)
        v[i] = fit(s, theta[i], v[i], longest, shortest);
}

/* An element's step is as long as itself or its tensor, whichever is larger. */
static double element_scale(double theta, double scale)
{
    return theta != 0 ? fmax(scale, ldexp(1, ilogb(theta))) : scale;
}

void session_direction(gck_session *session, session_line *line)
{
    const double *theta = session->spec.tensor[line->tensor].theta + line->first;
    const double scale = session->part[line->tensor].scale;
    line->length = ldexp(line->count == 1 ? element_scale(theta[0], scale) : scale, line->octaves);
    if (line->count > 1)
        gck_direction_draw(session->spec.seed, (uint32_t)line->tensor, line->direction,
                           line->first + line->count, session->room);
    for (size_t i = 0; i < line->count; i++)
        session->v[i] = line->length * (line->count > 1 ? session->room[line->first + i] : 1);
    fit_all(session->steps, theta, line->count, session->v);
}

/* Some steps in the last digits, of random sign and length. */
void session_ladder(gck_session *session, size_t tensor)
{
    const gck_session_tensor *of = &session->spec.tensor[tensor];
    const session_part *part = &session->part[tensor];
    size_t count = 1;
    gck_shape_count(&of->shape, &count);
    gck_direction_draw(session->spec.seed, (uint32_t)tensor, GCK_DIRECTIONS_MAX - 1, count,
                       session->v);
    for (size_t i = 0; i < count; i++) {
        const double size = fmax(fabs(of->theta[i]), part->scale / 64);
        const int exponent = above(size) + 1;
        const double unit = exponent > session->steps->most ? 0 : spacing(session->steps, exponent);
        session->v[i] = unit * nearbyint(2 * session->v[i]);
    }
}
