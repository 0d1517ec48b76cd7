/* The loops of core/kernels.h, once for each instruction set: a file of that set's flags defines
 * KERNELS_NAME and KERNELS_TABLE and includes this. Everything else here is static.
 *
 * Each formula is plain arithmetic without branches, which the compiler turns into vectors; what it
 * cannot do (a change beyond NEAR, say) a second pass over the same chunk corrects, element by
 * element and with libm, if any element needs it. What is fused is written down (MULADD), so an
 * element's bits do not depend on its place in the array. */
#include "core/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__FMA__) || defined(__FP_FAST_FMA)
#define MULADD(a, b, c) __builtin_fma(a, b, c)
#else
#define MULADD(a, b, c) ((a) * (b) + (c))
#endif

/* Sanitizers keep loops from becoming vectors, which clang would warn of. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/* The vectors' formulas hold up to here. */
#define NEAR 0.25
#define LOG1P_NEAR 0.29

enum { CHUNK = 256 };

/* result[i] = VALUE for all i. */
#define EACH(RESULT, VALUE)                                                          \
    do {                                                                             \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)(RESULT)[i] = (VALUE); \
    } while (0)

/* With d = from[i]: to[i] = NEARBY, or FAR where REACH > LIMIT; from may be to. A REACH that is NaN
 * is near: the formulas carry it through. */
#define EACH_BY_REACH(FROM, TO, REACH, LIMIT, NEARBY, FAR)                        \
    for (size_t first = 0; first < count; first += CHUNK) {                       \
        const size_t width = count - first < CHUNK ? count - first : CHUNK;       \
        double saved[CHUNK];                                                      \
        int64_t far = 0;                                                          \
        _Pragma("omp simd reduction(| : far)") for (size_t k = 0; k < width; k++) \
        {                                                                         \
            const size_t i = first + k;                                           \
            const double d = (FROM)[i];                                           \
            saved[k] = d;                                                         \
            far |= (REACH) > (LIMIT);                                             \
            (TO)[i] = (NEARBY);                                                   \
        }                                                                         \
        for (size_t k = 0; k < width && far != 0; k++) {                          \
            const size_t i = first + k;                                           \
            const double d = saved[k];                                            \
            if ((REACH) > (LIMIT)) (TO)[i] = (FAR);                               \
        }                                                                         \
    }

/* ---- plain loops ---- */

static void multiply(size_t count, const double *factor, double *x)
{
    EACH(x, x[i] * factor[i]);
}

static void accumulate(size_t count, const double *a, const double *b, double *sum)
{
    EACH(sum, MULADD(a[i], b[i], sum[i]));
}

static void scale(size_t count, double factor, const double *x, double *result)
{
    EACH(result, factor * x[i]);
}

static void shift(size_t count, const double *by, double *x, double *size)
{
    _Pragma("omp simd") for (size_t i = 0; i < count; i++)
    {
        x[i] -= by[i];
        size[i] = fabs(x[i]) > size[i] ? fabs(x[i]) : size[i];
    }
}

static void add_square_change(size_t count, const double *x, const double *change, double *sum)
{
    EACH(sum, MULADD(change[i], MULADD(2, x[i], change[i]), sum[i]));
}

/* +-d on one side of 0, across it +-(2 x + d): one rounding, 2 x being exact. */
static inline double size_change(double x, double d)
{
    const double sign = x < 0 ? -1 : 1, u = sign * (x + d);
    return sign * (u >= 0 ? d : -MULADD(2, x, d));
}

static void add_size_change(size_t count, const double *x, const double *change, double *sum)
{
    EACH(sum, sum[i] + size_change(x[i], change[i]));
}

static void cross(size_t count, double place, double stretch, const double *x, const double *change,
                  double *mark)
{
    EACH(mark, (x[i] > place) != (MULADD(stretch, change[i], x[i]) > place) ? 1 : mark[i]);
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline bool swings_back(double beyond, double up, double down)
{
    const double odd = fabs(0.5 * up - 0.5 * down), even = fabs(0.5 * up + 0.5 * down);
    const double nearest = smaller(fabs(beyond), smaller(fabs(beyond + up), fabs(beyond + down)));
    return (odd <= 4 * even) & (nearest < even);
}

static void swing(size_t count, double place, const double *x, const double *up, const double *down,
                  double *mark)
{
    EACH(mark, swings_back(x[i] - place, up[i], down[i]) ? 1 : mark[i]);
}

/* ---- e^x - 1 and ln(1 + x) near 0 ----
 *
 * Coefficients by Remez's algorithm with 60 digits, for the error relative to the function; that of
 * expm1 is 7e-19 for |x| <= 1/4, of log1p 1e-18 for |x| <= 0.29, of arctan 6e-18 for |x| <= 0.254.
 */

/* x + x^2 (1/2 + x q(x)); even and odd powers apart, which a processor computes side by side */
static inline double expm1_near(double x)
{
    const double t = x * x;
    double even = 0x1.2841cafe15a6ap-22, odd = 0x1.ae5603b82c03fp-26;
    even = MULADD(even, t, 0x1.a019ec814d1f5p-16);
    odd = MULADD(odd, t, 0x1.71de5392fa788p-19);
    even = MULADD(even, t, 0x1.6c16c16e0c78cp-10);
    odd = MULADD(odd, t, 0x1.a01a01998e221p-13);
    even = MULADD(even, t, 0x1.5555555555368p-5);
    odd = MULADD(odd, t, 0x1.1111111111a2ap-7);
    even = MULADD(even, t, 0.5);
    odd = MULADD(odd, t, 0x1.5555555555554p-3);
    return MULADD(t, MULADD(odd, x, even), x);
}

/* With s = x / (2 + x): ln(1 + x) = ln((1 + s) / (1 - s)) = 2 s + s r(s^2), written as x minus a
 * small correction (as in fdlibm's e_log.c, Sun Microsystems 1993). */
static inline double log1p_near(double x)
{
    const double s = x / (2 + x), t = s * s, half = 0.5 * x * x;
    double r = 0x1.2e4a005da3f98p-3;
    r = MULADD(r, t, 0x1.39b33c0d0c076p-3);
    r = MULADD(r, t, 0x1.74659c2c01b6fp-3);
    r = MULADD(r, t, 0x1.c71c54ec7cc4dp-3);
    r = MULADD(r, t, 0x1.2492493ea76ebp-2);
    r = MULADD(r, t, 0x1.9999999983443p-2);
    r = MULADD(r, t, 0x1.5555555555589p-1);
    r = MULADD(r, t, half);
    return x - MULADD(-s, r, half);
}

/* x + x^3 q(x^2) */
static inline double arctan_near(double x)
{
    const double t = x * x;
    double q = 0x1.76a25e44dbdf3p-5;
    q = MULADD(q, t, -0x1.0af6890cfaa65p-4);
    q = MULADD(q, t, 0x1.3ab1a02d292bdp-4);
    q = MULADD(q, t, -0x1.74597c097364ap-4);
    q = MULADD(q, t, 0x1.c71c5de543d43p-4);
    q = MULADD(q, t, -0x1.249249062bc47p-3);
    q = MULADD(q, t, 0x1.999999996c92fp-3);
    q = MULADD(q, t, -0x1.555555555549fp-2);
    return MULADD(x * t, q, x);
}

static void expm1_all(size_t count, const double *x, double *result)
{
    EACH_BY_REACH(x, result, fabs(d), NEAR, expm1_near(d), expm1(d))
}

static void log1p_all(size_t count, const double *x, double *result)
{
    EACH_BY_REACH(x, result, fabs(d), LOG1P_NEAR, log1p_near(d), log1p(d))
}

/* ---- sigmoid, softplus, slu: functions of e^s with s = c d ---- */

static double sigmoid_value(double t)
{
    const double e = exp(-fabs(t));
    return (t >= 0 ? 1 : e) / (1 + e);
}

static double softplus_value(double t)
{
    return (t > 0 ? t : 0) + log1p(exp(-fabs(t)));
}

/* With E = e^s - 1: p e^s / (q + p e^s) - p = p q E / (1 + p E). */
static inline double sigmoid_near(double s, double p, double q)
{
    const double e = expm1_near(s);
    return p * q * e / MULADD(p, e, 1);
}

/* Between values at u and t, or between those at -u and -t if they are smaller. */
static double sigmoid_far(double t, double u, double p, double q)
{
    return t + u > 0 ? q - sigmoid_value(-u) : sigmoid_value(u) - p;
}

static void change_sigmoid(size_t count, double c, double factor, const double *z, const double *p,
                           const double *q, double *change)
{
    EACH_BY_REACH(change, change, fabs(c * d), NEAR, factor * sigmoid_near(c * d, p[i], q[i]),
                  factor * sigmoid_far(c * z[i], c * (z[i] + d), p[i], q[i]))
}

/* ln((1 + e^(t + s)) / (1 + e^t)) = ln(q + p e^s) = ln(1 + p (e^s - 1)) = s + ln(1 + q (e^-s - 1)),
 * whichever does not cancel; values where e^s is too large for p. */
static double softplus_far(double t, double u, double s, double p, double q)
{
    if (p <= q && s < 1) return log1p(p * expm1(s));
    if (p > q && s > 0) return s + log1p(q * expm1(-s));
    if (p > q && s > -700) return log(q + p * exp(s));
    return softplus_value(u) - softplus_value(t);
}

static void change_softplus(size_t count, double c, const double *z, const double *p,
                            const double *q, double *change)
{
    EACH_BY_REACH(change, change, fabs(c * d), NEAR, log1p_near(p[i] * expm1_near(c * d)),
                  softplus_far(c * z[i], c * (z[i] + d), c * d, p[i], q[i]))
}

/* d sigmoid(z + d) + z (sigmoid(z + d) - sigmoid(z)) = p (d (1 + E) + z q E) / (1 + p E) */
static inline double slu_near(double z, double d, double p, double q)
{
    const double e = expm1_near(d);
    return p * MULADD(MULADD(z, q, d), e, d) / MULADD(p, e, 1);
}

static double slu_far(double z, double d, double p, double q)
{
    return d * sigmoid_value(z + d) + z * sigmoid_far(z, z + d, p, q);
}

static void change_slu(size_t count, const double *z, const double *p, const double *q,
                       double *change)
{
    EACH_BY_REACH(change, change, fabs(d), NEAR, slu_near(z[i], d, p[i], q[i]),
                  slu_far(z[i], d, p[i], q[i]))
}

/* ---- functions of two pieces ---- */

/* A change that stays on one side of 0 is d, not the difference of z + d and z, which is rounded.
 * With u = z + d: the parts of the change above 0 and below. */
static inline double part_above(double z, double u, double d)
{
    const double across = (u > 0 ? u : 0) - (z > 0 ? z : 0), same = z > 0 ? d : 0;
    return (z > 0) != (u > 0) ? across : same;
}
static inline double part_below(double z, double u, double d)
{
    const double across = (u > 0 ? 0 : u) - (z > 0 ? 0 : z), same = z > 0 ? 0 : d;
    return (z > 0) != (u > 0) ? across : same;
}
/* Comparisons lose a NaN. */
static inline double unless_nan(double u, double value)
{
    return u == u ? value : u;
}

static inline double leaky_near(double alpha, double z, double d)
{
    const double u = z + d, below = part_below(z, u, d);
    /* so that relu does not multiply an infinity by 0 */
    const double scaled = alpha == 0 ? 0 : alpha * below;
    return unless_nan(u, part_above(z, u, d) + scaled);
}

static void change_leaky(size_t count, double alpha, const double *z, double *change)
{
    EACH(change, leaky_near(alpha, z[i], change[i]));
}

static inline double elu_near(double alpha, double scale, double z, double d, double e)
{
    const double u = z + d, below = expm1_near(part_below(z, u, d));
    return unless_nan(u, scale * MULADD(alpha * e, below, part_above(z, u, d)));
}

static double elu_far(double alpha, double scale, double z, double d, double e)
{
    const double u = z + d, below = part_below(z, u, d);
    const double change = below < 1 ? e * expm1(below) : exp(u < 0 ? u : 0) - e;
    return scale * (part_above(z, u, d) + alpha * change);
}

static void change_elu(size_t count, double alpha, double scale, const double *z, const double *e,
                       double *change)
{
    EACH_BY_REACH(change, change, fabs(part_below(z[i], z[i] + d, d)), NEAR,
                  elu_near(alpha, scale, z[i], d, e[i]), elu_far(alpha, scale, z[i], d, e[i]))
}

static inline double clamped(double limit, double z)
{
    const double low = z > limit ? limit : z;
    return low < -limit ? -limit : low;
}

/* A way that ends inside: z + d is exact from |z| = 2 alpha on, z less its limit before. */
static inline double clamp_near(double alpha, double z, double d)
{
    const double u = z + d, from = clamped(alpha, z);
    const double inside = fabs(z) > 2 * alpha ? u - from : d + (z - from);
    return (d <= alpha - z && d >= -alpha - z ? inside : clamped(alpha, u) - from) / alpha;
}

static void change_clamp(size_t count, double alpha, const double *z, double *change)
{
    EACH(change, clamp_near(alpha, z[i], change[i]));
}

/* ---- fractions ---- */

/* u / (1 + |u|) - z / (1 + |z|), where u |z| - z |u| is 0 or, across 0, 2 u |z| */
static inline double softsign_near(double z, double d)
{
    const double u = z + d, across = z * u < 0 ? 2 * u * fabs(z) : 0;
    return (d + across) / ((1 + fabs(z)) * (1 + fabs(u)));
}

static double softsign_far(double z, double d)
{
    const double u = z + d;
    if ((z < 0) == (u < 0)) return d / (1 + fabs(z)) / (1 + fabs(u));
    return u / (1 + fabs(u)) - z / (1 + fabs(z));
}

static void change_softsign(size_t count, const double *z, double *change)
{
    EACH_BY_REACH(change, change, fabs(z[i]) + fabs(d), 1e150, softsign_near(z[i], d),
                  softsign_far(z[i], d))
}

/* sqrt(u^2 + 1) - r = (u^2 - z^2) / (sqrt(u^2 + 1) + r). From 2^27 on the root is |u|; halves keep
 * sums from overflowing. */
static inline double bent_identity_near(double z, double r, double d)
{
    const double u = z + d, size = fabs(u);
    const double root = size > 0x1p27 ? size : sqrt(MULADD(u, u, 1));
    const double slope = (0.5 * u + 0.5 * z) / (0.5 * root + 0.5 * r);
    return MULADD(0.5 * d, slope, d);
}

static void change_bent_identity(size_t count, const double *z, const double *r, double *change)
{
    EACH(change, bent_identity_near(z[i], r[i], change[i]));
}

/* ---- gaussian and arctan ---- */

/* z^2 - u^2; halves as above */
static inline double square_change(double z, double d)
{
    return -2 * (d * MULADD(0.5, d, z));
}

static double gaussian_far(double z, double d, double g)
{
    const double s = square_change(z, d), u = z + d;
    return s < 1 ? g * expm1(s) : exp(-u * u) - g;
}

static void change_gaussian(size_t count, const double *z, const double *g, double *change)
{
    EACH_BY_REACH(change, change, fabs(square_change(z[i], d)), NEAR,
                  g[i] * expm1_near(square_change(z[i], d)), gaussian_far(z[i], d, g[i]))
}

/* arctan u - arctan z = arctan(d / (1 + u z)), where 1 + u z >= 1 - d^2 / 4 */
static inline double arctan_change_near(double z, double d)
{
    return arctan_near(d / MULADD(z + d, z, 1));
}

/* Otherwise u and z have different signs, and nothing cancels. */
static double arctan_far(double z, double d)
{
    const double u = z + d;
    return u * z > -0.5 ? atan(d / (1 + u * z)) : atan(u) - atan(z);
}

static void change_arctan(size_t count, const double *z, double *change)
{
    EACH_BY_REACH(change, change, fabs(d), NEAR, arctan_change_near(z[i], d), arctan_far(z[i], d))
}

#include "core/kernels_update.h"

#include "core/kernels_normal.h"

#ifdef KERNELS_PRODUCT
#include "core/kernels_product.h"
#endif

const gck_kernels KERNELS_TABLE = {
    .name = KERNELS_NAME,
    .multiply = multiply,
    .accumulate = accumulate,
    .scale = scale,
    .shift = shift,
    .add_square_change = add_square_change,
    .add_size_change = add_size_change,
    .cross = cross,
    .swing = swing,
    .expm1 = expm1_all,
    .log1p = log1p_all,
    .normals = normals,
    .dot_doubled = dot_doubled,
    .dot_sizes = dot_sizes,
#ifdef KERNELS_PRODUCT
    .product_rows = KERNELS_PRODUCT,
    .product = product,
#endif
    .update_sgd = update_sgd,
    .update_momentum = update_momentum,
    .update_rmsprop = update_rmsprop,
    .update_adam = update_adam,
    .update_adagrad = update_adagrad,
    .change_sigmoid = change_sigmoid,
    .change_softplus = change_softplus,
    .change_slu = change_slu,
    .change_leaky = change_leaky,
    .change_elu = change_elu,
    .change_softsign = change_softsign,
    .change_bent_identity = change_bent_identity,
    .change_gaussian = change_gaussian,
    .change_arctan = change_arctan,
    .change_clamp = change_clamp,
};
