/* One activation is a function, its slope, and a row that names both; softmax alone couples units.
 *
 * Slopes exactly on a kink are conventions: relu 0, leaky_relu alpha, elu 1, selu scale,
 * piecewise_linear 0. */
#include "core/activation.h"
#include "core/change.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <math.h>
#include <string.h>

/* A factor or an exponent's scale: wide enough for every use, far from overflow. */
#define ANY_FACTOR .minimum = -1e6, .maximum = 1e6
#define POSITIVE_WIDTH .minimum = 1e-6, .maximum = 1e6

/* Defines loops over all elements for value(option, z) and slope(option, z), and the row NAME_row.
 */
#define ELEMENTWISE(NAME, ENTROPY, ...)                                                           \
    static void NAME##_forward(const double *option, size_t units, size_t samples,                \
                               const double *z, double *a)                                        \
    {                                                                                             \
        for (size_t i = 0; i < units * samples; i++)                                              \
            a[i] = NAME##_value(option, z[i]);                                                    \
    }                                                                                             \
    static void NAME##_chain(const double *option, size_t units, size_t samples, const double *z, \
                             const double *a, double *delta)                                      \
    {                                                                                             \
        (void)a;                                                                                  \
        for (size_t i = 0; i < units * samples; i++)                                              \
            delta[i] *= NAME##_slope(option, z[i]);                                               \
    }                                                                                             \
    static const struct gck_activation_derivatives NAME##_derivatives = {NAME##_chain};           \
    static const gck_activation_row NAME##_row = {                                                \
        .item = {__VA_ARGS__},                                                                    \
        .forward = NAME##_forward,                                                                \
        .derivatives = &NAME##_derivatives,                                                       \
        .change = &gck_change_##NAME,                                                             \
        .exact = &gck_exact_##NAME,                                                               \
        .rounding = &gck_rounding_##NAME,                                                         \
        .entropy = ENTROPY,                                                                       \
    };

static double linear_value(const double *option, double z)
{
    return option[0] * z;
}
static double linear_slope(const double *option, double z)
{
    (void)z;
    return option[0];
}
ELEMENTWISE(linear, NULL, .name = "linear", .formula = "k * z",
            .option = {{.name = "k", .fallback = 1, ANY_FACTOR}})

static double sigmoid_value(const double *option, double z)
{
    return gck_sigmoid(option[0] * z);
}
static double sigmoid_slope(const double *option, double z)
{
    return option[0] * gck_sigmoid(option[0] * z) * gck_sigmoid(-option[0] * z);
}
ELEMENTWISE(sigmoid, &gck_entropy_sigmoid, .name = "sigmoid", .formula = "1 / (1 + exp(-c * z))",
            .option = {{.name = "c", .fallback = 1, ANY_FACTOR}})

static double relu_value(const double *option, double z)
{
    (void)option;
    return z <= 0 ? 0 : z; /* so that NaN stays NaN */
}
static double relu_slope(const double *option, double z)
{
    (void)option;
    return z > 0 ? 1 : 0;
}
ELEMENTWISE(relu, NULL, .name = "relu", .formula = "max(0, z)")

static double leaky_relu_value(const double *option, double z)
{
    return z > 0 ? z : option[0] * z;
}
static double leaky_relu_slope(const double *option, double z)
{
    return z > 0 ? 1 : option[0];
}
ELEMENTWISE(leaky_relu, NULL, .name = "leaky_relu", .formula = "z if z > 0, else alpha * z",
            .option = {{.name = "alpha", .fallback = 0.01, ANY_FACTOR}})

static double tanh_value(const double *option, double z)
{
    (void)option;
    return tanh(z);
}
/* 1 - tanh^2 = 1 / cosh^2 without the cancellation: 4 e / (1 + e)^2 with e = exp(-2|z|). */
static double tanh_slope(const double *option, double z)
{
    (void)option;
    const double e = exp(-2 * fabs(z));
    return 4 * e / ((1 + e) * (1 + e));
}
ELEMENTWISE(tanh, NULL, .name = "tanh", .formula = "tanh(z)")

static double elu_value(const double *option, double z)
{
    return z >= 0 ? z : option[0] * expm1(z);
}
static double elu_slope(const double *option, double z)
{
    return z >= 0 ? 1 : option[0] * exp(z);
}
ELEMENTWISE(elu, NULL, .name = "elu", .formula = "z if z >= 0, else alpha * (exp(z) - 1)",
            .option = {{.name = "alpha", .fallback = 1, ANY_FACTOR}})

static double selu_value(const double *option, double z)
{
    return option[1] * elu_value(option, z);
}
static double selu_slope(const double *option, double z)
{
    return option[1] * elu_slope(option, z);
}
ELEMENTWISE(selu, NULL, .name = "selu",
            .formula = "scale * (z if z >= 0, else alpha * (exp(z) - 1))",
            .option = {{.name = "alpha", .fallback = 1.6732632423543772, ANY_FACTOR},
                       {.name = "scale", .fallback = 1.0507009873554805, ANY_FACTOR}})

static double slu_value(const double *option, double z)
{
    (void)option;
    return z * gck_sigmoid(z);
}
static double slu_slope(const double *option, double z)
{
    (void)option;
    return gck_sigmoid(z) * (1 + z * gck_sigmoid(-z));
}
ELEMENTWISE(slu, NULL, .name = "slu", .alias = {"silu", "swish"}, .formula = "z / (1 + exp(-z))")

static double softplus_value(const double *option, double z)
{
    (void)option;
    return gck_softplus(z);
}
static double softplus_slope(const double *option, double z)
{
    (void)option;
    return gck_sigmoid(z);
}
ELEMENTWISE(softplus, NULL, .name = "softplus", .formula = "ln(1 + exp(z))")

static double softsign_value(const double *option, double z)
{
    (void)option;
    return z / (1 + fabs(z));
}
static double softsign_slope(const double *option, double z)
{
    (void)option;
    const double inverse = 1 / (1 + fabs(z));
    return inverse * inverse;
}
ELEMENTWISE(softsign, NULL, .name = "softsign", .formula = "z / (1 + |z|)")

/* sqrt(z^2 + 1) - 1 = z^2 / (sqrt(z^2 + 1) + 1) = |z| q with q = |z| / (sqrt(z^2 + 1) + 1): no
 * cancellation near 0; hypot does not overflow far from it. */
static double bent_identity_value(const double *option, double z)
{
    (void)option;
    const double size = fabs(z);
    return size * (size / (hypot(z, 1) + 1)) / 2 + z;
}
static double bent_identity_slope(const double *option, double z)
{
    (void)option;
    return z / hypot(z, 1) / 2 + 1;
}
ELEMENTWISE(bent_identity, NULL, .name = "bent_identity", .formula = "(sqrt(z^2 + 1) - 1) / 2 + z")

static double gaussian_value(const double *option, double z)
{
    (void)option;
    return exp(-z * z);
}
static double gaussian_slope(const double *option, double z)
{
    return -2 * (z * gaussian_value(option, z));
}
ELEMENTWISE(gaussian, &gck_entropy_gaussian, .name = "gaussian", .formula = "exp(-z^2)")

static double arctan_value(const double *option, double z)
{
    (void)option;
    return atan(z);
}
static double arctan_slope(const double *option, double z)
{
    (void)option;
    return 1 / (1 + z * z);
}
ELEMENTWISE(arctan, NULL, .name = "arctan", .formula = "arctan(z)")

static double piecewise_linear_value(const double *option, double z)
{
    const double t = z / option[0];
    return t > 1 ? 1 : t < -1 ? -1 : t;
}
static double piecewise_linear_slope(const double *option, double z)
{
    return fabs(z) < option[0] ? 1 / option[0] : 0;
}
ELEMENTWISE(piecewise_linear, NULL, .name = "piecewise_linear",
            .formula = "z / alpha, clamped to [-1, 1]",
            .option = {{.name = "alpha", .fallback = 1, POSITIVE_WIDTH}})

/* Softmax runs over strips of samples, so that its two sums stay in the cache and the loops run
 * along memory. */
enum { STRIP = 64 };

static void softmax_strip(size_t units, size_t stride, size_t width, const double *z, double *a)
{
    double largest[STRIP], sum[STRIP] = {0};
    memcpy(largest, z, width * sizeof *largest);
    for (size_t unit = 1; unit < units; unit++)
        for (size_t k = 0; k < width; k++)
            largest[k] = fmax(largest[k], z[unit * stride + k]);
    for (size_t unit = 0; unit < units; unit++)
        for (size_t k = 0; k < width; k++) {
            a[unit * stride + k] = exp(z[unit * stride + k] - largest[k]);
            sum[k] += a[unit * stride + k];
        }
    for (size_t unit = 0; unit < units; unit++)
        for (size_t k = 0; k < width; k++)
            a[unit * stride + k] /= sum[k];
}

static void softmax_forward(const double *option, size_t units, size_t samples, const double *z,
                            double *a)
{
    (void)option;
    for (size_t first = 0; first < samples; first += STRIP) {
        const size_t width = samples - first < STRIP ? samples - first : STRIP;
        softmax_strip(units, samples, width, z + first, a + first);
    }
}

/* dJ/dz_j = a_j (dJ/da_j - sum_i a_i dJ/da_i) */
static void softmax_chain(const double *option, size_t units, size_t samples, const double *z,
                          const double *a, double *delta)
{
    (void)option, (void)z;
    for (size_t first = 0; first < samples; first += STRIP) {
        const size_t width = samples - first < STRIP ? samples - first : STRIP;
        double mean[STRIP] = {0};
        for (size_t unit = 0; unit < units; unit++)
            for (size_t k = 0; k < width; k++)
                mean[k] += a[unit * samples + first + k] * delta[unit * samples + first + k];
        for (size_t unit = 0; unit < units; unit++)
            for (size_t k = 0; k < width; k++) {
                const size_t i = unit * samples + first + k;
                delta[i] = a[i] * (delta[i] - mean[k]);
            }
    }
}

static const struct gck_activation_derivatives softmax_derivatives = {softmax_chain};
static const gck_activation_row softmax_row = {
    .item = {.name = "softmax", .formula = "exp(z_j) / sum_i exp(z_i)"},
    .forward = softmax_forward,
    .derivatives = &softmax_derivatives,
    .change = &gck_change_softmax,
    .exact = &gck_exact_softmax,
    .rounding = &gck_rounding_softmax,
    .entropy = &gck_entropy_softmax,
};

static const gck_item *const rows[] = {
    &linear_row.item,   &sigmoid_row.item,    &softmax_row.item,
    &relu_row.item,     &leaky_relu_row.item, &tanh_row.item,
    &elu_row.item,      &selu_row.item,       &slu_row.item,
    &softplus_row.item, &softsign_row.item,   &bent_identity_row.item,
    &gaussian_row.item, &arctan_row.item,     &piecewise_linear_row.item,
};

const gck_table gck_activations = {"activation", rows, sizeof rows / sizeof rows[0]};

const gck_activation_row *gck_activation_row_of(const gck_choice *activation)
{
    return (const gck_activation_row *)activation->item;
}

void gck_activation_forward(const gck_choice *activation, size_t units, size_t samples,
                            const double *z, double *a)
{
    gck_activation_row_of(activation)->forward(activation->option, units, samples, z, a);
}

bool gck_activation_is_probability(const gck_choice *activation)
{
    return gck_activation_row_of(activation)->entropy != NULL;
}
