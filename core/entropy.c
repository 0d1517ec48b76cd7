#include "core/entropy.h"
#include "core/change.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <math.h>
#include <string.h>

double gck_sigmoid(double t)
{
    const double e = exp(-fabs(t));
    return (t >= 0 ? 1 : e) / (1 + e);
}

double gck_softplus(double t)
{
    return fmax(t, 0) + log1p(exp(-fabs(t)));
}

/* target * term, where a target of 0 silences even an infinite term, but never one that is no
 * number */
static double part(double target, double term)
{
    return target == 0 && !isnan(term) ? 0 : target * term;
}

/* ---- activations that work unit by unit: loops over a term of one unit ---- */

typedef double entropy_term(const double *option, double z, double y);

static void loss_loop(entropy_term *term, const double *option, const gck_outputs *outputs,
                      const double *y, double *loss)
{
    const size_t samples = outputs->samples;
    memset(loss, 0, samples * sizeof *loss);
    for (size_t unit = 0; unit < outputs->units; unit++)
        for (size_t k = 0; k < samples; k++)
            loss[k] += term(option, outputs->z[unit * samples + k], y[unit * samples + k]);
}

static void delta_loop(entropy_term *slope, const double *option, const gck_outputs *outputs,
                       const double *y, double *delta)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        delta[i] = slope(option, outputs->z[i], y[i]);
}

#define LOSS(NAME)                                                                      \
    static void NAME(const double *option, const gck_outputs *outputs, const double *y, \
                     double *loss)                                                      \
    {                                                                                   \
        loss_loop(NAME##_term, option, outputs, y, loss);                               \
    }
#define DELTA(NAME)                                                                     \
    static void NAME(const double *option, const gck_outputs *outputs, const double *y, \
                     double *delta)                                                     \
    {                                                                                   \
        delta_loop(NAME##_term, option, outputs, y, delta);                             \
    }

/* Sigmoid with factor c: ln a = -softplus(-c z), ln(1 - a) = -softplus(c z). */

static double sigmoid_categorical_term(const double *option, double z, double y)
{
    return part(y, gck_softplus(-option[0] * z));
}

static double sigmoid_binary_term(const double *option, double z, double y)
{
    return part(y, gck_softplus(-option[0] * z)) + part(1 - y, gck_softplus(option[0] * z));
}

static double sigmoid_categorical_delta_term(const double *option, double z, double y)
{
    return -y * option[0] * gck_sigmoid(-option[0] * z);
}

static double sigmoid_binary_delta_term(const double *option, double z, double y)
{
    return option[0] * ((1 - y) * gck_sigmoid(option[0] * z) - y * gck_sigmoid(-option[0] * z));
}

LOSS(sigmoid_categorical)
LOSS(sigmoid_binary)
DELTA(sigmoid_categorical_delta)
DELTA(sigmoid_binary_delta)

static const struct gck_entropy_derivatives sigmoid_derivatives = {sigmoid_categorical_delta,
                                                                   sigmoid_binary_delta};
const gck_entropy gck_entropy_sigmoid = {sigmoid_categorical,        sigmoid_binary,
                                         &sigmoid_derivatives,       &gck_entropy_change_sigmoid,
                                         &gck_entropy_exact_sigmoid, &gck_entropy_rounding_sigmoid};

/* Gaussian: ln a = -z^2, ln(1 - a) = ln(1 - e^(-z^2)); infinite at z = 0 unless y = 1. Below NEAR,
 * where z^2 may underflow, ln(1 - a) = 2 ln|z| and its slope 2 / z are right to the last place,
 * their next terms being z^2 / 2 and z. */
#define NEAR 1e-8

/* ln(1 - e^(-t)) for t > 0, without cancellation at either end (Maechler, "Accurately computing
 * log(1 - exp(-|a|))", 2012) */
static double log_one_minus_exp(double t)
{
    return t > 0.6931471805599453 ? log1p(-exp(-t)) : log(-expm1(-t));
}

static double gaussian_log_complement(double z)
{
    return fabs(z) < NEAR ? 2 * log(fabs(z)) : log_one_minus_exp(z * z);
}

static double gaussian_categorical_term(const double *option, double z, double y)
{
    (void)option;
    return part(y, z * z);
}

static double gaussian_binary_term(const double *option, double z, double y)
{
    (void)option;
    return part(y, z * z) - part(1 - y, gaussian_log_complement(z));
}

static double gaussian_categorical_delta_term(const double *option, double z, double y)
{
    (void)option;
    return y * 2 * z;
}

static double gaussian_binary_delta_term(const double *option, double z, double y)
{
    (void)option;
    return 2 * y * z - part(1 - y, fabs(z) < NEAR ? 2 / z : 2 * z / expm1(z * z));
}

LOSS(gaussian_categorical)
LOSS(gaussian_binary)
DELTA(gaussian_categorical_delta)
DELTA(gaussian_binary_delta)

static const struct gck_entropy_derivatives gaussian_derivatives = {gaussian_categorical_delta,
                                                                    gaussian_binary_delta};
const gck_entropy gck_entropy_gaussian = {
    gaussian_categorical,        gaussian_binary,
    &gaussian_derivatives,       &gck_entropy_change_gaussian,
    &gck_entropy_exact_gaussian, &gck_entropy_rounding_gaussian};

/* ---- softmax: one sample at a time ---- */

/* A sample's outputs, `stride` doubles apart. With u the unit of the largest z:
 * ln sum_i e^(z_i) = z_u + ln(1 + rest), rest = sum over the others of e^(z_i - z_u);
 * ln(1 - a_u) = ln sum of the others - ln sum of all, where the others get a shift of their own. */
typedef struct softmax_sample {
    const double *z, *a;
    size_t units, stride;
    size_t top;          /* u */
    double second, rest; /* the largest of the others, sum_{i != u} e^(z_i - second) */
    double others;       /* sum_{i != u} e^(z_i - z_u) */
    double log_sum_top;  /* ln sum_i e^(z_i) - z_u = ln(1 + rest) */
} softmax_sample;

static softmax_sample softmax_sample_at(const gck_outputs *outputs, size_t k)
{
    softmax_sample s = {.z = outputs->z + k,
                        .a = outputs->a + k,
                        .units = outputs->units,
                        .stride = outputs->samples};
    for (size_t i = 1; i < s.units; i++)
        if (s.z[i * s.stride] > s.z[s.top * s.stride]) s.top = i;
    s.second = -INFINITY;
    for (size_t i = 0; i < s.units; i++)
        if (i != s.top) s.second = fmax(s.second, s.z[i * s.stride]);
    for (size_t i = 0; i < s.units; i++)
        if (i != s.top) {
            s.rest += exp(s.z[i * s.stride] - s.second);
            s.others += exp(s.z[i * s.stride] - s.z[s.top * s.stride]);
        }
    s.log_sum_top = log1p(s.others);
    return s;
}

/* -ln a_j */
static double softmax_surprise(const softmax_sample *s, size_t j)
{
    return (s->z[s->top * s->stride] - s->z[j * s->stride]) + s->log_sum_top;
}

/* -ln(1 - a_j); a_j <= 1/2 but at the top */
static double softmax_surprise_not(const softmax_sample *s, size_t j)
{
    if (j != s->top) return -log1p(-s->a[j * s->stride]);
    return ((s->z[j * s->stride] - s->second) - log(s->rest)) + s->log_sum_top;
}

static void softmax_categorical(const double *option, const gck_outputs *outputs, const double *y,
                                double *loss)
{
    (void)option;
    for (size_t k = 0; k < outputs->samples; k++) {
        const softmax_sample s = softmax_sample_at(outputs, k);
        loss[k] = 0;
        for (size_t j = 0; j < s.units; j++)
            loss[k] += part(y[j * s.stride + k], softmax_surprise(&s, j));
    }
}

static void softmax_binary(const double *option, const gck_outputs *outputs, const double *y,
                           double *loss)
{
    (void)option;
    for (size_t k = 0; k < outputs->samples; k++) {
        const softmax_sample s = softmax_sample_at(outputs, k);
        loss[k] = 0;
        for (size_t j = 0; j < s.units; j++) {
            const double target = y[j * s.stride + k];
            loss[k] += part(target, softmax_surprise(&s, j)) +
                       part(1 - target, softmax_surprise_not(&s, j));
        }
    }
}

/* 1 - a_j without cancellation */
static double softmax_complement(const softmax_sample *s, size_t j)
{
    return j == s->top ? s->others / (1 + s->others) : 1 - s->a[j * s->stride];
}

/* dL/dz_j = a_j sum_i y_i - y_j = a_j sum_{i != j} y_i - y_j (1 - a_j) */
static void softmax_categorical_delta(const double *option, const gck_outputs *outputs,
                                      const double *y, double *delta)
{
    (void)option;
    for (size_t k = 0; k < outputs->samples; k++) {
        const softmax_sample s = softmax_sample_at(outputs, k);
        double total = 0;
        for (size_t j = 0; j < s.units; j++)
            total += y[j * s.stride + k];
        for (size_t j = 0; j < s.units; j++) {
            const double target = y[j * s.stride + k];
            double others = total - target;
            if (target > total / 2) {
                others = 0;
                for (size_t i = 0; i < s.units; i++)
                    if (i != j) others += y[i * s.stride + k];
            }
            delta[j * s.stride + k] =
                s.a[j * s.stride] * others - target * softmax_complement(&s, j);
        }
    }
}

/* With t_i = a_i dL/da_i = -y_i + (1 - y_i) a_i / (1 - a_i):  dL/dz_j = (1 - a_j) t_j - a_j sum_{i
 * != j} t_i. Only the top unit u can have a_u near 1, so that t_u is large; a_j t_u then is written
 * with a_j / (1 - a_u) = e^(z_j) / sum_{i != u} e^(z_i), which never exceeds 1. */
static void softmax_binary_delta(const double *option, const gck_outputs *outputs, const double *y,
                                 double *delta)
{
    (void)option;
    for (size_t k = 0; k < outputs->samples; k++) {
        const softmax_sample s = softmax_sample_at(outputs, k);
        const double top_a = s.a[s.top * s.stride], top_y = y[s.top * s.stride + k];
        double others = 0; /* sum of t_i over i != u */
        for (size_t i = 0; i < s.units; i++) {
            if (i == s.top) continue;
            const double a = s.a[i * s.stride], target = y[i * s.stride + k];
            others += -target + (1 - target) * a / (1 - a);
        }
        for (size_t j = 0; j < s.units; j++) {
            const double a = s.a[j * s.stride], target = y[j * s.stride + k];
            const double own = -target * softmax_complement(&s, j) + (1 - target) * a;
            if (j == s.top) {
                delta[j * s.stride + k] = own - a * others;
                continue;
            }
            const double t = -target + (1 - target) * a / (1 - a);
            const double share = exp(s.z[j * s.stride] - s.second) / s.rest; /* a_j / (1 - a_u) */
            delta[j * s.stride + k] =
                own - a * (others - t) - (-a * top_y + (1 - top_y) * top_a * share);
        }
    }
}

static const struct gck_entropy_derivatives softmax_derivatives = {softmax_categorical_delta,
                                                                   softmax_binary_delta};
const gck_entropy gck_entropy_softmax = {softmax_categorical,        softmax_binary,
                                         &softmax_derivatives,       &gck_entropy_change_softmax,
                                         &gck_entropy_exact_softmax, &gck_entropy_rounding_softmax};
