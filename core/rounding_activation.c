/* Terms of activations and of their slopes. */
#include "core/entropy.h"
#include "core/rounding.h"

#include <math.h>

typedef struct terms {
    double value, slope;
} terms;

/* Defines the loop over all elements for NAME_terms(option, z), and the row. */
#define ELEMENTWISE(NAME, ...)                                                                   \
    static void NAME##_sizes(const double *option, size_t count, const double *z, double *value, \
                             double *slope)                                                      \
    {                                                                                            \
        for (size_t i = 0; i < count; i++) {                                                     \
            const terms t = NAME##_terms(option, z[i]);                                          \
            value[i] = t.value;                                                                  \
            slope[i] = t.slope;                                                                  \
        }                                                                                        \
    }                                                                                            \
    const struct gck_activation_rounding gck_rounding_##NAME = {.sizes = NAME##_sizes, __VA_ARGS__};
#define TURN(...) \
    .turn_count = sizeof((double[]){__VA_ARGS__}) / sizeof(double), .turn = {__VA_ARGS__}

static terms linear_terms(const double *option, double z)
{
    return (terms){fabs(option[0] * z), fabs(option[0])};
}
ELEMENTWISE(linear)

/* c s (1 - s) */
static terms sigmoid_terms(const double *option, double z)
{
    const double s = gck_sigmoid(option[0] * z);
    return (terms){s, fabs(option[0]) * s};
}
ELEMENTWISE(sigmoid, TURN(0))

static terms relu_terms(const double *option, double z)
{
    (void)option;
    return z > 0 ? (terms){z, 1} : (terms){0, 0};
}
ELEMENTWISE(relu)

static terms leaky_relu_terms(const double *option, double z)
{
    return z > 0 ? (terms){z, 1} : (terms){fabs(option[0] * z), fabs(option[0])};
}
ELEMENTWISE(leaky_relu)

/* 1 - t^2 */
static terms tanh_terms(const double *option, double z)
{
    (void)option;
    const double t = fabs(tanh(z));
    return (terms){t, 1 + t * t};
}
ELEMENTWISE(tanh, TURN(0))

/* alpha (e^z - 1); alpha e^z, or a + alpha */
static terms elu_terms(const double *option, double z)
{
    if (z >= 0) return (terms){z, 1};
    const double alpha = fabs(option[0]), e = exp(z);
    return (terms){alpha * (e + 1), alpha * 2};
}
/* Just left of the kink, where the slope may be largest. */
ELEMENTWISE(elu, TURN(-0x1p-1000))

static terms selu_terms(const double *option, double z)
{
    const terms t = elu_terms(option, z);
    return (terms){fabs(option[1]) * t.value, fabs(option[1]) * t.slope};
}
ELEMENTWISE(selu, TURN(-0x1p-1000))

/* s + z s (1 - s), which turns where z tanh(z / 2) = 2 */
static terms slu_terms(const double *option, double z)
{
    (void)option;
    const double s = gck_sigmoid(z);
    return (terms){fabs(z) * s, s * (1 + fabs(z))};
}
ELEMENTWISE(slu, TURN(-2.3993572805154675, 2.3993572805154675))

/* ln(1 + e^z), where 1 may swallow most of e^z */
static terms softplus_terms(const double *option, double z)
{
    (void)option;
    return (terms){1 + gck_softplus(z), gck_sigmoid(z)};
}
ELEMENTWISE(softplus)

/* 1 / (1 + |z|) - |z| / (1 + |z|)^2 by the rule of quotients */
static terms softsign_terms(const double *option, double z)
{
    (void)option;
    const double inverse = 1 / (1 + fabs(z)), share = fabs(z) * inverse;
    return (terms){share, inverse * (1 + share)};
}
ELEMENTWISE(softsign, TURN(0))

static terms bent_identity_terms(const double *option, double z)
{
    (void)option;
    const double root = hypot(z, 1);
    return (terms){(root + 1) / 2 + fabs(z), 1 + fabs(z) / root / 2};
}
ELEMENTWISE(bent_identity)

static terms gaussian_terms(const double *option, double z)
{
    (void)option;
    const double a = exp(-z * z);
    return (terms){a, 2 * fabs(z * a)};
}
ELEMENTWISE(gaussian, TURN(-0.7071067811865476, 0.7071067811865476))

static terms arctan_terms(const double *option, double z)
{
    (void)option;
    return (terms){fabs(atan(z)), 1 / (1 + z * z)};
}
ELEMENTWISE(arctan, TURN(0))

/* Its middle, in case an interval reaches beyond both limits. */
static terms piecewise_linear_terms(const double *option, double z)
{
    const double t = fabs(z / option[0]);
    return t < 1 ? (terms){t, 1 / option[0]} : (terms){1, 0};
}
ELEMENTWISE(piecewise_linear, TURN(0))

const struct gck_activation_rounding gck_rounding_softmax = {.sizes = NULL};
