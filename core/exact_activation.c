/* Slopes of activations by complex step: each function once more, in complex numbers.
 *
 * All numbers here are thin: their imaginary part is some multiple of h = 2^-300, the same function
 * seen through a change of z too small to alter a digit of the real part. An imaginary part is as
 * accurate as a real one as long as it is not the difference of larger ones, so the forms are
 * chosen for that; digits that only a value loses (1 - 1/(1 + z) near 0) do not matter. Branches
 * are those of core/activation.c, on the real part, so that kinks have the same conventions.
 *
 * A slope below 2^-700 loses digits, and one below 2^-774 is 0, because slope * h then underflows.
 *
 * Any thread may call these. An element costs what complex division or a complex function of libm
 * costs, 10 to 100 ns; where no such is needed, 1 ns. */
#include "core/exact.h"
#include "core/entropy.h"

#include <complex.h>
#include <math.h>

/* e^(x + iy) = e^x (cos y + i sin y), where cos y = 1 and sin y = y to the last place for |y| below
 * 2^-100. Callers have a larger one only where e^x is 0. */
double complex gck_thin_exp(double complex z)
{
    return exp(creal(z)) * (1 + cimag(z) * I);
}

/* a / b without the scaling that complex division does for numbers of any shape: the square
 * of an imaginary part is 0 beside that of a real one. */
static double complex thin_quotient(double complex a, double complex b)
{
    const double quotient = creal(a) / creal(b);
    return quotient + (cimag(a) - quotient * cimag(b)) / creal(b) * I;
}

/* ln(1 + e^z) = z + ln(1 + e^-z), so that nothing overflows; the slope is 1 less at most 1/2. */
double complex gck_thin_softplus(double complex z)
{
    const bool positive = creal(z) > 0;
    return (positive ? z : 0) + clog(1 + gck_thin_exp(positive ? -z : z));
}

/* Defines the loop over all elements for NAME_complex(option, z). */
#define SLOPES(NAME)                                                                              \
    static void NAME##_slopes(const double *option, size_t count, const double *z, double *slope) \
    {                                                                                             \
        for (size_t i = 0; i < count; i++)                                                        \
            slope[i] = cimag(NAME##_complex(option, z[i] + GCK_EXACT_STEP * I)) / GCK_EXACT_STEP; \
    }
/* The same, and the row. */
#define ELEMENTWISE(NAME) \
    SLOPES(NAME)          \
    const struct gck_activation_exact gck_exact_##NAME = {.slopes = NAME##_slopes};

static double complex linear_complex(const double *option, double complex z)
{
    return option[0] * z;
}
ELEMENTWISE(linear)

static double complex sigmoid(double complex t)
{
    const bool positive = creal(t) >= 0;
    const double complex e = gck_thin_exp(positive ? -t : t);
    return thin_quotient(positive ? 1 : e, 1 + e);
}
static double complex sigmoid_complex(const double *option, double complex z)
{
    return sigmoid(option[0] * z);
}
ELEMENTWISE(sigmoid)

static double complex relu_complex(const double *option, double complex z)
{
    (void)option;
    return creal(z) <= 0 ? 0 : z;
}
ELEMENTWISE(relu)

static double complex leaky_relu_complex(const double *option, double complex z)
{
    return creal(z) > 0 ? z : option[0] * z;
}
ELEMENTWISE(leaky_relu)

/* Odd; (1 - w) / (1 + w) with w = e^(-2z) on the right. */
static double complex tanh_complex(const double *option, double complex z)
{
    (void)option;
    const bool negative = creal(z) < 0;
    const double complex w = gck_thin_exp(-2 * (negative ? -z : z));
    const double complex right = thin_quotient(1 - w, 1 + w);
    return negative ? -right : right;
}
ELEMENTWISE(tanh)

static double complex elu_complex(const double *option, double complex z)
{
    return creal(z) >= 0 ? z : option[0] * (gck_thin_exp(z) - 1);
}
ELEMENTWISE(elu)

static double complex selu_complex(const double *option, double complex z)
{
    return option[1] * elu_complex(option, z);
}
ELEMENTWISE(selu)

static double complex slu_complex(const double *option, double complex z)
{
    (void)option;
    return z * sigmoid(z);
}
SLOPES(slu)
/* The slope is sigmoid(z) (1 + z sigmoid(-z)), which passes through 0 near -1.278. */
static void slu_sizes(const double *option, size_t count, const double *z, double *size)
{
    (void)option;
    for (size_t i = 0; i < count; i++)
        size[i] = gck_sigmoid(z[i]) * (1 + fabs(z[i]) * gck_sigmoid(-z[i]));
}
const struct gck_activation_exact gck_exact_slu = {.slopes = slu_slopes, .sizes = slu_sizes};

static double complex softplus_complex(const double *option, double complex z)
{
    (void)option;
    return gck_thin_softplus(z);
}
ELEMENTWISE(softplus)

/* s / (1 + s) = 1 - 1 / (1 + s): the quotient of two that both change cancels for large s. */
static double complex softsign_complex(const double *option, double complex z)
{
    (void)option;
    const bool negative = creal(z) < 0;
    const double complex right = 1 - thin_quotient(1, 1 + (negative ? -z : z));
    return negative ? -right : right;
}
ELEMENTWISE(softsign)

/* Beyond 1e10 z^2 + 1 is z^2 to the last place; z^2 itself would overflow from 1e154 on. */
static double complex bent_identity_complex(const double *option, double complex z)
{
    (void)option;
    const double complex root = creal(z) > 1e10 ? z : creal(z) < -1e10 ? -z : csqrt(z * z + 1);
    return (root - 1) / 2 + z;
}
ELEMENTWISE(bent_identity)

static double complex gaussian_complex(const double *option, double complex z)
{
    (void)option;
    return gck_thin_exp(-z * z);
}
ELEMENTWISE(gaussian)

static double complex arctan_complex(const double *option, double complex z)
{
    (void)option;
    return catan(z);
}
ELEMENTWISE(arctan)

static double complex piecewise_linear_complex(const double *option, double complex z)
{
    return fabs(creal(z)) < option[0] ? z / option[0] : creal(z) > 0 ? 1 : -1;
}
ELEMENTWISE(piecewise_linear)

/* ---- softmax ---- */

enum { STRIP = 64 };

/* Dual numbers, value and tangent: a_j = n_j / sum n_i with n_i = (a_i, a_i t_i), as a common
 * factor of all n_i is free and the a_i sum to 1. So is a common change of all z, and without the
 * tangent of the largest output, t_i - t_top, nothing is subtracted from 1 where that output is
 * all but 1. Where it is at most 1/2, 1 - a loses nothing, but t_i - t_top would: then 0 stands for
 * t_top. */
static void tangent_strip(size_t units, size_t stride, size_t width, const double *a,
                          double *tangent)
{
    double largest[STRIP], top[STRIP], sum[STRIP] = {0};
    for (size_t k = 0; k < width; k++) {
        largest[k] = a[k];
        top[k] = tangent[k];
    }
    for (size_t unit = 1; unit < units; unit++)
        for (size_t k = 0; k < width; k++) {
            const bool larger = a[unit * stride + k] > largest[k];
            top[k] = larger ? tangent[unit * stride + k] : top[k];
            largest[k] = larger ? a[unit * stride + k] : largest[k];
        }
    for (size_t k = 0; k < width; k++)
        top[k] = largest[k] > 0.5 ? top[k] : 0;
    for (size_t unit = 0; unit < units; unit++)
        for (size_t k = 0; k < width; k++)
            sum[k] += a[unit * stride + k] * (tangent[unit * stride + k] - top[k]);
    for (size_t unit = 0; unit < units; unit++)
        for (size_t k = 0; k < width; k++) {
            const size_t i = unit * stride + k;
            tangent[i] = a[i] * ((tangent[i] - top[k]) - sum[k]);
        }
}

static void softmax_tangent(size_t units, size_t lanes, const double *a, double *tangent)
{
    for (size_t first = 0; first < lanes; first += STRIP) {
        const size_t width = lanes - first < STRIP ? lanes - first : STRIP;
        tangent_strip(units, lanes, width, a + first, tangent + first);
    }
}

const struct gck_activation_exact gck_exact_softmax = {.tangent = softmax_tangent};
