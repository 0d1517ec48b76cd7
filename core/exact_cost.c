/* Slopes of costs: each loss once more, in complex or in dual numbers.
 *
 * The losses are those of core/cost.c and core/entropy.c, in forms whose imaginary or dual part is
 * never the difference of larger ones (core/exact_activation.c says more). A term whose target is 0
 * adds nothing. The size of a slope is the sum of its terms' absolute values; NULL for a single
 * term.
 *
 * Any thread may call these; nothing is allocated. A softmax sample costs O(units). */
#include "core/exact.h"

#include <complex.h>
#include <math.h>

static double complex step_from(double x)
{
    return x + GCK_EXACT_STEP * I;
}

static double slope_of(double complex f)
{
    return cimag(f) / GCK_EXACT_STEP;
}

/* ---- costs of a ---- */

#define ELEMENTWISE(NAME)                                                                 \
    static void NAME##_slopes(const gck_outputs *outputs, const double *y, double *slope) \
    {                                                                                     \
        for (size_t i = 0; i < outputs->units * outputs->samples; i++)                    \
            slope[i] = slope_of(NAME##_complex(y[i], step_from(outputs->a[i])));          \
    }                                                                                     \
    const struct gck_cost_exact gck_cost_exact_##NAME = {.slopes = NAME##_slopes};

static double complex mse_complex(double y, double complex a)
{
    return (a - y) * (a - y);
}
ELEMENTWISE(mse)

static double complex mae_complex(double y, double complex a)
{
    const double complex r = a - y;
    return creal(r) > 0 ? r : creal(r) < 0 ? -r : 0;
}
ELEMENTWISE(mae)

static double complex dot_complex(double y, double complex a)
{
    return y * a;
}
ELEMENTWISE(dot)

/* ---- cross-entropies of activations that work unit by unit ---- */

/* target * the slope of a term; silent at 0, even where the term is infinite. */
static double part(double target, double slope)
{
    return target == 0 ? 0 : target * slope;
}

/* The slopes of y's term and of (1 - y)'s. */
typedef struct terms {
    double own, other;
} terms;

typedef terms entropy_terms(const double *option, double z, double y);

static void slope_loop(entropy_terms *terms_at, const gck_outputs *outputs, const double *y,
                       double *slope)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        const terms t = terms_at(outputs->activation->option, outputs->z[i], y[i]);
        slope[i] = t.own + t.other;
    }
}

static void size_loop(entropy_terms *terms_at, const gck_outputs *outputs, const double *y,
                      double *size)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        const terms t = terms_at(outputs->activation->option, outputs->z[i], y[i]);
        size[i] = fabs(t.own) + fabs(t.other);
    }
}

/* Loops over NAME_terms, as LOOP is slope or size. */
#define EACH(NAME, LOOP)                                                                      \
    static void NAME##_##LOOP##s(const gck_outputs *outputs, const double *y, double *result) \
    {                                                                                         \
        LOOP##_loop(NAME##_terms, outputs, y, result);                                        \
    }

/* Sigmoid with factor c: ln a = -softplus(-c z), ln(1 - a) = -softplus(c z). */

static terms sigmoid_categorical_terms(const double *option, double z, double y)
{
    return (terms){.own = part(y, slope_of(gck_thin_softplus(-option[0] * step_from(z))))};
}

static terms sigmoid_binary_terms(const double *option, double z, double y)
{
    terms t = sigmoid_categorical_terms(option, z, y);
    t.other = part(1 - y, slope_of(gck_thin_softplus(option[0] * step_from(z))));
    return t;
}

EACH(sigmoid_categorical, slope)
EACH(sigmoid_binary, slope)
EACH(sigmoid_binary, size)

const struct gck_entropy_exact gck_entropy_exact_sigmoid = {
    .categorical = {.slopes = sigmoid_categorical_slopes},
    .binary = {.slopes = sigmoid_binary_slopes, .sizes = sigmoid_binary_sizes}};

/* Gaussian: ln a = -z^2, ln(1 - a) = ln(1 - e^(-z^2)), below NEAR 2 ln|z|. */
#define NEAR 1e-8

/* e^z - 1 of a thin number */
static double complex thin_expm1(double complex z)
{
    return expm1(creal(z)) + cimag(gck_thin_exp(z)) * I;
}

/* ln(1 - e^(-t)) for Re t > 0 */
static double complex log_one_minus_exp(double complex t)
{
    return creal(t) > 0.6931471805599453 ? clog(1 - gck_thin_exp(-t)) : clog(-thin_expm1(-t));
}

/* The logarithm has a singularity at 0, and the step must be small beside z: ln|z| = ln|m| + e ln 2
 * with z = m 2^e, where a step of h in m is one of h 2^e in z. */
static double log_slope(double z)
{
    if (z == 0) return copysign(INFINITY, z);
    int exponent;
    const double complex m = step_from(frexp(z, &exponent));
    return ldexp(slope_of(clog(creal(m) < 0 ? -m : m)), -exponent);
}

static double log_complement_slope(double z)
{
    if (fabs(z) < NEAR) return 2 * log_slope(z);
    return slope_of(log_one_minus_exp(step_from(z) * step_from(z)));
}

static terms gaussian_categorical_terms(const double *option, double z, double y)
{
    (void)option;
    return (terms){.own = part(y, slope_of(step_from(z) * step_from(z)))};
}

static terms gaussian_binary_terms(const double *option, double z, double y)
{
    terms t = gaussian_categorical_terms(option, z, y);
    t.other = -part(1 - y, log_complement_slope(z));
    return t;
}

EACH(gaussian_categorical, slope)
EACH(gaussian_binary, slope)
EACH(gaussian_binary, size)

const struct gck_entropy_exact gck_entropy_exact_gaussian = {
    .categorical = {.slopes = gaussian_categorical_slopes},
    .binary = {.slopes = gaussian_binary_slopes, .sizes = gaussian_binary_sizes}};

/* ---- softmax: one sample at a time, in dual numbers ----
 *
 * A dual number is a value and its derivative in one direction, here that of one z_k at a time.
 * Sums are shared: every sum of exponentials moves by the term that moves. Exponentials are shifted
 * by a z; whether the shift is a constant or moves with its z is free, as it cancels in L, and is
 * chosen so that no slope is the difference of larger ones. */

typedef struct dual {
    double value, slope;
} dual;

/* The slope of ln x; its value nobody needs. */
static double log_slope_of(dual x)
{
    return x.slope / x.value;
}

/* The arrays' elements are `stride` doubles apart. */
typedef struct softmax_sample {
    const double *z, *y;
    double *e; /* e^(z_j - z_top); room for the results, which replace them */
    size_t units, stride;
    size_t top;     /* the unit of the largest z */
    double sum;     /* of e_j, in the order of the forward pass */
    double targets; /* the sum of y_j */
    double minus; /* -1 for slopes, 1 for their sizes: the sign of the terms that are subtracted */
} softmax_sample;

static softmax_sample softmax_sample_at(const gck_outputs *outputs, const double *y, double *room,
                                        double minus, size_t k)
{
    softmax_sample s = {.z = outputs->z + k,
                        .y = y + k,
                        .e = room + k,
                        .units = outputs->units,
                        .stride = outputs->samples,
                        .minus = minus};
    for (size_t j = 1; j < s.units; j++)
        if (s.z[j * s.stride] > s.z[s.top * s.stride]) s.top = j;
    for (size_t j = 0; j < s.units; j++) {
        s.e[j * s.stride] = exp(s.z[j * s.stride] - s.z[s.top * s.stride]);
        s.sum += s.e[j * s.stride];
        s.targets += s.y[j * s.stride];
    }
    return s;
}

static size_t largest_target(const softmax_sample *s)
{
    size_t largest = 0;
    for (size_t j = 1; j < s->units; j++)
        if (s->y[j * s->stride] > s->y[largest * s->stride]) largest = j;
    return largest;
}

/* The sum of x_j over j != left_out */
static double sum_without(const softmax_sample *s, const double *x, size_t left_out)
{
    double sum = 0;
    for (size_t j = 0; j < s->units; j++)
        if (j != left_out) sum += x[j * s->stride];
    return sum;
}

/* L = Y ln sum_i e^(z_i - r) + sum_j y_j (r - z_j) with Y = sum_j y_j. Where one target is more
 * than half of Y, r moves with its z: then that unit's exponential rests, all others move by -1
 * times themselves, and its own y drops out. */
static void softmax_categorical_sample(const softmax_sample *s)
{
    const size_t ref = largest_target(s);
    const bool moves = s->y[ref * s->stride] > s->targets / 2;
    const dual without = {s->sum, -sum_without(s, s->e, ref)};
    for (size_t k = 0; k < s->units; k++) {
        const dual sum = {s->sum, s->e[k * s->stride]};
        s->e[k * s->stride] = s->targets * log_slope_of(sum) + s->minus * s->y[k * s->stride];
    }
    if (moves)
        s->e[ref * s->stride] =
            s->minus * (s->targets * -log_slope_of(without)) + sum_without(s, s->y, ref);
}

/* -(1 - y_j) ln(1 - a_j) for j != top, where a_j <= 1/2 */
static double complement_slope(const softmax_sample *s, size_t j, dual a)
{
    return -(1 - s->y[j * s->stride]) * log_slope_of((dual){1 - a.value, -a.slope});
}

/* The same of all j != top together, from a_j = e_j / sum where ln sum moves by -1 and e_j rests.
 */
static double complements_slope(const softmax_sample *s)
{
    double slope = 0;
    for (size_t j = 0; j < s->units; j++) {
        const double a = s->e[j * s->stride] / s->sum;
        if (j != s->top) slope += complement_slope(s, j, (dual){a, a});
    }
    return slope;
}

/* The others' exponentials with a shift of their own, the second largest z. */
typedef struct softmax_rest {
    double shift, sum;
} softmax_rest;

static softmax_rest softmax_rest_of(const softmax_sample *s)
{
    softmax_rest rest = {-INFINITY, 0};
    for (size_t j = 0; j < s->units; j++)
        if (j != s->top) rest.shift = fmax(rest.shift, s->z[j * s->stride]);
    for (size_t j = 0; j < s->units; j++)
        if (j != s->top) rest.sum += exp(s->z[j * s->stride] - rest.shift);
    return rest;
}

/* softplus(v) with v = z_top - ln rest moving by 1, from e^-v = others: as gck_softplus has it. */
static double softplus_slope(double others)
{
    if (others <= 1) return 1 + log_slope_of((dual){1 + others, -others});
    return log_slope_of((dual){1 + 1 / others, 1 / others});
}

/* Four parts, by whether they are of the top unit and of y or of 1 - y:
 *   - ln a_j       = ln sum - z_j                     j != top, the shift is a constant
 *   - ln a_top     = ln(1 + others)                   the shift moves with z_top
 *   - ln(1 - a_j)  = -ln(1 - e_j / sum)               j != top
 *   - ln(1 - a_top) = softplus(z_top - ln rest)       rest = sum_{j != top} e^(z_j) */
static void softmax_binary_sample(const softmax_sample *s)
{
    const double top_y = s->y[s->top * s->stride];
    const double others = sum_without(s, s->e, s->top);
    const double other_targets = sum_without(s, s->y, s->top);
    const double complements = complements_slope(s), lift = (1 - top_y) * softplus_slope(others);
    const softmax_rest rest = softmax_rest_of(s);
    for (size_t k = 0; k < s->units; k++) {
        const double y = s->y[k * s->stride], log_sum = s->e[k * s->stride] / s->sum;
        if (k == s->top) {
            const double own = -log_slope_of((dual){s->sum, -others});
            s->e[k * s->stride] = (other_targets * log_sum + s->minus * (top_y * own)) +
                                  s->minus * (log_sum * complements) + lift;
            continue;
        }
        const double own = complement_slope(s, k, (dual){log_sum, log_sum});
        const double log_rest =
            log_slope_of((dual){rest.sum, exp(s->z[k * s->stride] - rest.shift)});
        s->e[k * s->stride] = (s->targets * log_sum + s->minus * y) +
                              (own + s->minus * (log_sum * complements)) +
                              s->minus * (lift * log_rest);
    }
}

typedef void softmax_results(const softmax_sample *s);

static void softmax_loop(softmax_results *results, const gck_outputs *outputs, const double *y,
                         double minus, double *room)
{
    for (size_t k = 0; k < outputs->samples; k++) {
        const softmax_sample s = softmax_sample_at(outputs, y, room, minus, k);
        results(&s);
    }
}

#define SOFTMAX(NAME)                                                                             \
    static void softmax_##NAME##_slopes(const gck_outputs *outputs, const double *y,              \
                                        double *slope)                                            \
    {                                                                                             \
        softmax_loop(softmax_##NAME##_sample, outputs, y, -1, slope);                             \
    }                                                                                             \
    static void softmax_##NAME##_sizes(const gck_outputs *outputs, const double *y, double *size) \
    {                                                                                             \
        softmax_loop(softmax_##NAME##_sample, outputs, y, 1, size);                               \
    }

SOFTMAX(categorical)
SOFTMAX(binary)

const struct gck_entropy_exact gck_entropy_exact_softmax = {
    .categorical = {.slopes = softmax_categorical_slopes, .sizes = softmax_categorical_sizes},
    .binary = {.slopes = softmax_binary_slopes, .sizes = softmax_binary_sizes}};
