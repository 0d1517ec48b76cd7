/* Terms of the slopes of costs. Cross-entropies are mostly p - y elsewhere. */
#include "core/entropy.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <math.h>

/* ---- costs of a ---- */

static void mse_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = 2 * (fabs(outputs->a[i]) + fabs(y[i]));
}
const struct gck_cost_rounding gck_cost_rounding_mse = {.sizes = mse_sizes};

static void mae_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    (void)y;
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = 1;
}
const struct gck_cost_rounding gck_cost_rounding_mae = {.sizes = mae_sizes};

static void dot_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = fabs(y[i]);
}
const struct gck_cost_rounding gck_cost_rounding_dot = {.sizes = dot_sizes, .product = true};

/* ---- cross-entropies of activations that work unit by unit ---- */

/* y c (1 - s) */
static void sigmoid_categorical_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    const double c = fabs(outputs->activation->option[0]);
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = c * fabs(y[i]);
}

/* c (s - y) */
static void sigmoid_binary_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    const double c = outputs->activation->option[0];
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = fabs(c) * (gck_sigmoid(c * outputs->z[i]) + fabs(y[i]));
}
const struct gck_entropy_rounding gck_entropy_rounding_sigmoid = {
    {.sizes = sigmoid_categorical_sizes}, {.sizes = sigmoid_binary_sizes}};

static void gaussian_categorical_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        size[i] = 2 * fabs(y[i] * outputs->z[i]);
}

/* 2 y z and (1 - y) 2 z a / (1 - a), where both a and 1 - a may err by units of 1 */
static void gaussian_binary_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        const double z = fabs(outputs->z[i]), complement = -expm1(-z * z);
        size[i] = 2 * fabs(y[i]) * z;
        if (y[i] != 1) size[i] += 2 * fabs(1 - y[i]) * (z / complement) / complement;
    }
}
const struct gck_entropy_rounding gck_entropy_rounding_gaussian = {
    {.sizes = gaussian_categorical_sizes}, {.sizes = gaussian_binary_sizes}};

/* ---- softmax ---- */

/* a_j sum_i y_i - y_j */
static void softmax_categorical_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    const size_t count = outputs->units * outputs->samples;
    for (size_t k = 0; k < outputs->samples; k++) {
        double total = 0;
        for (size_t i = k; i < count; i += outputs->samples)
            total += fabs(y[i]);
        for (size_t i = k; i < count; i += outputs->samples)
            size[i] = outputs->a[i] * total + fabs(y[i]);
    }
}

/* The parts of our own form, and a_j sum_i |t_i| with t_i = -y_i + (1 - y_i) a_i / (1 - a_i), where
 * 1 - a_i errs by units of 1; a claim has no digits there once 1 - a_i is lost. */
static void softmax_binary_sizes(const gck_outputs *outputs, const double *y, double *size)
{
    const size_t count = outputs->units * outputs->samples;
    gck_entropy_exact_softmax.binary.sizes(outputs, y, size);
    for (size_t k = 0; k < outputs->samples; k++) {
        double total = 0, lost = 0;
        for (size_t i = k; i < count; i += outputs->samples) {
            const double a = outputs->a[i], rest = 1 - a;
            total += fabs(y[i]);
            if (y[i] != 1) lost += fabs(1 - y[i]) * a / rest / rest;
        }
        for (size_t i = k; i < count; i += outputs->samples)
            size[i] += outputs->a[i] * (total + lost) + fabs(y[i]);
    }
}
const struct gck_entropy_rounding gck_entropy_rounding_softmax = {
    {.sizes = softmax_categorical_sizes}, {.sizes = softmax_binary_sizes}};
