#include "tests/core/update.h"
#include "tests/core/compare.h"

#include <float.h>
#include <math.h>

typedef long double number;
typedef stepped_value value;

/* What an operation errs by where it underflows, in units of one rounding. */
#define UNDERFLOW (SMALLEST / ROUNDOFF)

place vectors_place(const vectors *x, size_t i)
{
    return (place){x->g[i], x->v[i], x->s[i], x->w[i]};
}

vectors vectors_mixture(void)
{
    vectors x;
    for (size_t i = 0; i <= STEPPED_MAX; i++) {
        const double t = (double)i + 0.5;
        x.g[i] = sin(3 * t) * exp2(10 * sin(t));
        x.v[i] = cos(2 * t) * exp2(10 * cos(t));
        x.s[i] = exp2(10 * sin(5 * t));
        x.w[i] = cos(t) * exp2(10 * cos(7 * t));
    }
    return x;
}

/* d v + (1 - d) g: a product on the left, 1 - d and a product on the right, the sum. */
static value mean_of(double d, double v, double g)
{
    const number left = (number)d * v, right = (1 - (number)d) * g;
    return (value){left + right,
                   fabsl(left) + 2 * fabsl(right) + fabsl(left + right) + 2 * UNDERFLOW};
}

/* d s + (1 - d) g g: one more product; all of it is positive. */
static value mean_square_of(double d, double s, double g)
{
    const number left = (number)d * s, right = (1 - (number)d) * g * g;
    return (value){left + right, left + 3 * right + left + right + 3 * UNDERFLOW};
}

/* Of the root of s: half the relative error of s, and a rounding. Where s underflows, the root of
 * what is lost, as |sqrt(s + e) - sqrt(s)| <= sqrt(|e|). */
static number root_error(value s)
{
    const number root = sqrtl(s.is);
    if (s.is < DBL_MIN) return sqrtl(s.error * ROUNDOFF) / ROUNDOFF + root;
    return s.error / (2 * root) + root;
}

/* w - change: its own rounding, and what the change errs by. */
static value moved(double w, number change, number error)
{
    return (value){w - change, error + fabsl(w - change)};
}

/* w - numerator / denominator */
static value moved_by(double w, value numerator, value denominator)
{
    const number change = numerator.is / denominator.is;
    return moved(w, change,
                 (numerator.error + fabsl(change) * denominator.error) / denominator.is +
                     fabsl(change) + UNDERFLOW);
}

static stepped sgd(const settings *o, const place *p)
{
    const number change = (number)o->rate * p->g;
    return (stepped){.w = moved(p->w, change, fabsl(change) + UNDERFLOW)};
}

static stepped momentum(const settings *o, const place *p)
{
    const value v = mean_of(o->decay[0], p->v, p->g);
    const number change = o->rate * v.is;
    return (stepped){.v = v,
                     .w = moved(p->w, change, o->rate * v.error + fabsl(change) + UNDERFLOW)};
}

/* w - rate g / (sqrt(s) + epsilon): a product; the root and a sum. */
static value divided(const settings *o, const place *p, value s)
{
    const number top = (number)o->rate * p->g, bottom = sqrtl(s.is) + o->epsilon;
    return moved_by(p->w, (value){top, fabsl(top) + UNDERFLOW},
                    (value){bottom, root_error(s) + bottom});
}

static stepped rmsprop(const settings *o, const place *p)
{
    const value s = mean_square_of(o->decay[0], p->s, p->g);
    return (stepped){.s = s, .w = divided(o, p, s)};
}

static stepped adagrad(const settings *o, const place *p)
{
    const number square = (number)p->g * p->g;
    const value s = {p->s + square, square + p->s + square + UNDERFLOW};
    return (stepped){.s = s, .w = divided(o, p, s)};
}

/* w - rate v / c0 / (sqrt(s / c1) + epsilon), the quotient's top and bottom times the root of c1.
 * Above: v's own error, rate / c0, the root, and two products; below: the root of s, epsilon's
 * product with the root, and the sum. */
static stepped adam(const settings *o, const place *p)
{
    const value v = mean_of(o->decay[0], p->v, p->g);
    const value s = mean_square_of(o->decay[1], p->s, p->g);
    const number root = sqrtl(o->correction[1]), rate = o->rate / (number)o->correction[0] * root;
    const number little = o->epsilon * root, bottom = sqrtl(s.is) + little;
    const value top = {rate * v.is, rate * v.error + 4 * fabsl(rate * v.is) + UNDERFLOW};
    return (stepped){
        .v = v,
        .s = s,
        .w = moved_by(p->w, top, (value){bottom, root_error(s) + 2 * little + bottom + UNDERFLOW})};
}

const stepper steppers[STEPPERS] = {{"sgd", sgd, false, false},
                                    {"momentum", momentum, true, false},
                                    {"rmsprop", rmsprop, false, true},
                                    {"adam", adam, true, true},
                                    {"adagrad", adagrad, false, true}};
