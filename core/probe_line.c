#include <gradcheck/probe.h>

#include <assert.h>
#include <float.h>
#include <math.h>

/* u: what rounding to a double errs by at most, relative to the result. */
#define ROUNDOFF (DBL_EPSILON / 2)
/* A derivative whose error is below this part of the slopes that it was made from is settled:
 * shorter steps have nothing to add but noise. Steps that do not resolve f agree as well as this
 * only by an accident of one in a million. */
#define SETTLED 0x1p-20
/* And so is one with no other error than noise: within their bounds n two quotients differ by up to
 * 1.5 n after an extrapolation, half the gap comes to 1.7 n, and the bound itself counts as well.
 */
#define NOISE_ALONE 5
/* Below this, waiting for a luckier pair of quotients is not worth a step. */
#define NOISE_MOSTLY 3
/* What a settled derivative is thrown away for: far more than noise does to one. */
#define CONTRADICTION 0x1p-10
/* Where nothing settles and slopes grow by more than this from step 2^-7 to 2^-16, f jumps or is
 * steeper than any line. */
#define GROWTH 8
/* Complex step: h^2 is nothing beside 1, and h f' far from the smallest double. */
enum { IMAGINARY_EXPONENT = -300, IMAGINARY_SMALL = -60 };

/* 2^exponent times the power of two at or below max(1, scale). */
static double power_step(double scale, int exponent)
{
    const double size = isfinite(scale) && scale > 1 ? scale : 1;
    return ldexp(1, ilogb(size) + exponent);
}

static double imaginary_step(double scale)
{
    const double step = power_step(scale, IMAGINARY_EXPONENT);
    if (!(isfinite(scale) && scale > 0)) return step;
    const double small = fmax(ldexp(1, ilogb(scale) + IMAGINARY_SMALL), DBL_MIN);
    return fmin(step, small);
}

static void finish(gck_line *line, double derivative, double error)
{
    const bool known = isfinite(derivative);
    line->asked = 0;
    line->derivative = known ? derivative : NAN;
    line->error = known && !isnan(error) ? error : INFINITY;
}

/* ---- what a pair of changes says ---- */

static double slope(const gck_change *c)
{
    return c->change / c->step;
}

/* The size of a change that rounding and noise can have made. */
static double unsure(const gck_change *c)
{
    return c->noise + 2 * ROUNDOFF * fabs(c->change);
}

/* c[0] is to the right of x, c[1] to its left. */
static gck_line_entry entry_of(const gck_change c[2])
{
    const double span = c[0].step - c[1].step;
    return (gck_line_entry){.quotient = (c[0].change - c[1].change) / span,
                            .gap = slope(&c[0]) - slope(&c[1]),
                            .noise = (unsure(&c[0]) + unsure(&c[1])) / span};
}

/* ---- central, forward, complex step ---- */

static void forward_take(gck_line *line, const gck_change *c)
{
    if (!(c[0].step > 0)) {
        /* The step vanished: the one that was meant is as good as any other. */
        finish(line, c[0].change / line->spec.epsilon, INFINITY);
        return;
    }
    const double right = slope(&c[0]);
    double error = INFINITY;
    if (line->spec.estimate) {
        const double noise = unsure(&c[0]) / c[0].step + unsure(&c[2]) / c[2].step;
        error = fabs(right - slope(&c[1])) + 2 * (fabs(right - slope(&c[2])) + noise);
    }
    finish(line, right, error);
}

static void central_take(gck_line *line, const gck_change *c)
{
    if (!(c[0].step > c[1].step)) {
        finish(line, (c[0].change - c[1].change) / (2 * line->spec.epsilon), INFINITY);
        return;
    }
    const gck_line_entry whole = entry_of(c);
    double error = INFINITY;
    if (line->spec.estimate) {
        const gck_line_entry half = entry_of(c + 2);
        const double apart = fabs(whole.quotient - half.quotient);
        error = 2 * (apart + whole.noise + half.noise) + fabs(2 * half.gap - whole.gap);
    }
    finish(line, whole.quotient, error);
}

static void complex_take(gck_line *line, const gck_change *c)
{
    const double derivative = slope(c);
    finish(line, derivative, 8 * ROUNDOFF * fabs(derivative) + c->noise / c->step);
}

/* ---- ridders ---- */

static const int start_exponent[] = {-7, -27};
enum { PASSES = sizeof start_exponent / sizeof start_exponent[0] };

static const gck_line_best nothing = {.error = INFINITY};

static void ridders_ask(gck_line *line)
{
    const int exponent = start_exponent[line->pass] - (int)line->level;
    line->asked = 2;
    line->step[0] = power_step(line->spec.scale, exponent);
    line->step[1] = -line->step[0];
}

/* Adds a row to the tableau that begins with `entry`; returns its least error. */
static double row_add(gck_line *line, gck_line_entry entry, double size)
{
    double least = INFINITY, factor = 4;
    for (size_t i = 0; i < line->columns; i++, factor *= 4) {
        const gck_line_entry above = line->row[i], left = entry;
        line->row[i] = left;
        entry.quotient += (left.quotient - above.quotient) / (factor - 1);
        entry.gap += (left.gap - above.gap) / (factor / 2 - 1);
        entry.noise += (left.noise + above.noise) / (factor - 1);
        const double error =
            fabs(entry.quotient - above.quotient) + fabs(entry.gap) / 2 + entry.noise;
        if (error < least) least = error;
        if (error < line->best.error) line->best = (gck_line_best){entry, error, size};
    }
    line->row[line->columns++] = entry;
    return least;
}

static bool certain(const gck_line_best *best)
{
    return best->error <= SETTLED * best->size;
}

static bool settled(const gck_line_best *best)
{
    return certain(best) || best->error <= NOISE_ALONE * best->entry.noise;
}

/* Quotients and gaps of a smooth function come nearer to their limits with every step. Where f has
 * a period that divides all steps so far, they agree on the derivative of another function, and the
 * next step is far from it. */
static bool contradicted(const gck_line *line, const gck_line_entry *entry)
{
    const gck_line_best *best = &line->best;
    if (!settled(best) || line->columns == 0) return false;
    const gck_line_entry *above = &line->row[0];
    const double limit = best->entry.quotient;
    const double slack = CONTRADICTION * best->size + best->error + 2 * entry->noise;
    return fabs(entry->quotient - limit) > fabs(above->quotient - limit) + slack ||
           fabs(entry->gap) > fabs(above->gap) + slack;
}

static bool ridders_ends(const gck_line *line, double least)
{
    const gck_line_best *best = &line->best;
    if (line->columns < 2) return false;
    if (best->error <= NOISE_MOSTLY * best->entry.noise && (line->columns > 2 || best->size == 0))
        return true;
    /* No entry of this row or a later one has less noise than its first. */
    if (line->row[0].noise > best->error) return true;
    return settled(best) && least >= 2 * best->error;
}

/* Of two tableaus the one of less error, unless the shorter steps are certain of something else:
 * the longer ones then saw another function. */
static const gck_line_best *better(const gck_line_best *longer, const gck_line_best *shorter)
{
    const double apart = fabs(longer->entry.quotient - shorter->entry.quotient);
    if (certain(shorter) && apart > longer->error + shorter->error) return shorter;
    return longer->error < shorter->error ? longer : shorter;
}

static void ridders_finish(gck_line *line)
{
    gck_line_best *best = &line->best;
    *best = *better(&line->before, best);
    if (!settled(best) && line->size_last > GROWTH * line->size_first) best->error = INFINITY;
    finish(line, isinf(best->error) && best->size == 0 ? NAN : best->entry.quotient, best->error);
}

static void ridders_next(gck_line *line, double least)
{
    const bool full = ++line->level == GCK_RIDDERS_LEVELS;
    const bool again = full && line->pass + 1 < PASSES;
    if (ridders_ends(line, least) || (full && !again)) {
        ridders_finish(line);
        return;
    }
    if (again) {
        line->pass++;
        line->level = line->columns = 0;
        line->before = line->best;
        line->best = nothing;
    }
    ridders_ask(line);
}

static void ridders_take(gck_line *line, const gck_change *c)
{
    const gck_line_entry entry = entry_of(c);
    double least = INFINITY;
    if (isfinite(entry.quotient) && isfinite(entry.gap) && isfinite(entry.noise)) {
        const double size = (fabs(c[0].change) + fabs(c[1].change)) / (c[0].step - c[1].step);
        if (contradicted(line, &entry)) {
            line->best = nothing;
            line->columns = 0;
        }
        if (line->size_first < 0) line->size_first = size;
        if (line->pass == 0) line->size_last = size;
        least = row_add(line, entry, size);
    } else {
        /* Extrapolation cannot cross a step where f is not finite. */
        line->columns = 0;
    }
    ridders_next(line, least);
}

/* ---- any ---- */

void gck_line_begin(gck_line *line, const gck_line_spec *spec)
{
    const double h = spec->epsilon;
    *line = (gck_line){.spec = *spec, .best = nothing, .before = nothing, .size_first = -1};
    switch (spec->method) {
    case GCK_FORWARD:
        line->asked = spec->estimate ? 3 : 1;
        line->step[0] = h, line->step[1] = -h, line->step[2] = h / 2;
        break;
    case GCK_CENTRAL:
        line->asked = spec->estimate ? 4 : 2;
        line->step[0] = h, line->step[1] = -h, line->step[2] = h / 2, line->step[3] = -h / 2;
        break;
    case GCK_COMPLEX_STEP:
        line->asked = 1;
        line->step[0] = imaginary_step(spec->scale);
        break;
    case GCK_RIDDERS:
        ridders_ask(line);
        break;
    case GCK_DIRECTIONAL:
        assert(false); /* a direction is probed by ridders or complex step */
    }
}

void gck_line_take(gck_line *line, const gck_change *change)
{
    assert(line->asked > 0);
    switch (line->spec.method) {
    case GCK_FORWARD:
        forward_take(line, change);
        break;
    case GCK_CENTRAL:
        central_take(line, change);
        break;
    case GCK_COMPLEX_STEP:
        complex_take(line, change);
        break;
    case GCK_RIDDERS:
        ridders_take(line, change);
        break;
    case GCK_DIRECTIONAL:
        assert(false);
    }
}
