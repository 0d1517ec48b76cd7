/* Points that the dtype of f can write down: a number that is rounded on its way to f is another
 * point. So theta + t v is rounded here, and what that adds to t v is known. */
#include "core/session.h"

#include <gradcheck/rng.h>

#include <math.h>
#include <stdint.h>

/* Central differences of a function that errs by u are best at steps of u^(1/3); extrapolation
 * likes to begin with longer ones. */
static const session_steps steps[] = {
    [GCK_FLOAT64] = {-7, -37, 53, -1074, 1024, -6, 4},
    [GCK_FLOAT32] = {-4, -14, 24, -149, 128, -3, 3},
    [GCK_FLOAT16] = {-2, -6, 11, -24, 16, -1, 2},
    [GCK_BFLOAT16] = {-1, -4, 8, -133, 128, -1, 1},
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

double session_round(const gck_session *session, double x)
{
    const session_steps *s = session->steps;
    if (s->digits == DBL_MANT_DIG) return x;
    const double unit = spacing(s, above(x));
    return unit * nearbyint(x / unit);
}

/* An element moves by as much as its tensor does, unless it is of another order altogether: even
 * short steps of the tensor would then be long ones for it. */
static double element_scale(double theta, double scale)
{
    const double own = theta != 0 ? ldexp(1, ilogb(theta)) : scale;
    return own < 0x1p-15 * scale ? own : scale;
}

/* Stretched, v's shortest step is as long as ever, if three are left. */
static int last_step(const session_steps *s, double stretch)
{
    const int last = s->last - ilogb(stretch);
    return last < s->first - 2 ? last : s->first - 2;
}

/* The usual length of one element's line is its own, if that is more than its tensor's. */
static double length_of(const session_line *line, double theta, double scale)
{
    if (line->count > 1 || theta == 0) return scale * line->stretch;
    return fmax(element_scale(theta, scale), ldexp(1, ilogb(theta))) * line->stretch;
}

void session_direction(gck_session *session, session_line *line)
{
    const session_steps *s = session->steps;
    const double *theta = session->spec.tensor[line->tensor].theta + line->first;
    const double scale = session->part[line->tensor].scale;
    double *v = session->v;
    line->last = last_step(s, line->stretch);
    line->length = length_of(line, theta[0], scale);
    if (line->count > 1)
        gck_direction_draw(session->spec.seed, (uint32_t)line->tensor, line->direction,
                           line->first + line->count, session->room);
    for (size_t i = 0; i < line->count; i++) {
        v[i] = line->count == 1 ? line->length
                                : element_scale(theta[i], scale) * line->stretch *
                                      session->room[line->first + i];
        /* Where numbers end an element stays where it is. */
        if (above(fabs(theta[i]) + fabs(v[i]) * ldexp(1, s->first)) > s->most) v[i] = 0;
    }
}

double session_rounding(gck_session *session, const session_line *line, double step)
{
    const gck_session_tensor *of = &session->spec.tensor[line->tensor];
    const double *theta = of->theta + line->first;
    for (size_t i = 0; i < line->count; i++) {
        const double moved = session_round(session, theta[i] + step * session->v[i]) - theta[i];
        session->room[i] = moved - step * session->v[i];
    }
    return gck_direction_dot(of->claimed + line->first, session->room, line->count);
}

/* ---- the ladder ---- */

/* The exponent of x's last binary digit that is not 0. */
static int lowest(double x)
{
    int exponent;
    uint64_t digits = (uint64_t)ldexp(fabs(frexp(x, &exponent)), DBL_MANT_DIG);
    exponent -= DBL_MANT_DIG;
    for (; digits % 2 == 0; digits /= 2)
        exponent++;
    return exponent;
}

/* The multiple of a power of two nearest to v, such that x + t v is a number of the dtype for all
 * multiples t of `shortest` up to `longest`: there x must not need more digits than it has. */
static double fit(const session_steps *s, double x, double v, double longest, double shortest)
{
    const int reach = x == 0 ? s->most : lowest(x) + s->digits;
    const double limit = (ldexp(1, reach < s->most ? reach : s->most) - fabs(x)) / longest;
    const double nearer = copysign(fmin(fabs(v), limit), v);
    const double q = spacing(s, above(fabs(x) + fabs(nearer) * longest)) / shortest;
    return q * trunc(nearer / q);
}

/* Unlike those of a line its points have to be exact: what rounding adds would look like noise. */
void session_ladder(gck_session *session, size_t tensor)
{
    const session_steps *s = session->steps;
    const double *theta = session->spec.tensor[tensor].theta;
    session_line line = {.tensor = tensor,
                         .count = session_count(session, tensor),
                         .direction = GCK_DIRECTIONS_MAX - 1,
                         .stretch = 1};
    session_direction(session, &line);
    for (size_t i = 0; i < line.count; i++)
        session->v[i] = fit(s, theta[i], session->v[i], ldexp(1, s->first), ldexp(1, s->last));
}
