/* Functions and gradients computed with few digits throughout. */
#include "tests/core/functions.h"

#include <math.h>

/* ---- float32 ---- */

enum { SAMPLES = 8, IN = 110, HIDDEN = 90, OUT = 10 };

static void float_affine(size_t samples, size_t in, size_t out, const float *x, const double *w,
                         const double *b, float *z)
{
    for (size_t s = 0; s < samples; s++)
        for (size_t o = 0; o < out; o++) {
            float sum = (float)b[o];
            for (size_t i = 0; i < in; i++)
                sum += (float)w[o * in + i] * x[s * in + i];
            z[s * out + o] = sum;
        }
}

/* Sums over the samples, and then one addition to the gradient. */
static void float_affine_back(size_t samples, size_t in, size_t out, const float *x,
                              const float *dz, double *dw, double *db)
{
    for (size_t o = 0; o < out; o++) {
        float bias = 0;
        for (size_t s = 0; s < samples; s++)
            bias += dz[s * out + o];
        db[o] = (double)bias;
        for (size_t i = 0; i < in; i++) {
            float sum = 0;
            for (size_t s = 0; s < samples; s++)
                sum += dz[s * out + o] * x[s * in + i];
            dw[o * in + i] = (double)sum;
        }
    }
}

static float cross_entropy(const float *z, size_t label, float *dz)
{
    float most = z[0], sum = 0;
    for (size_t i = 1; i < OUT; i++)
        most = fmaxf(most, z[i]);
    for (size_t i = 0; i < OUT; i++)
        sum += dz[i] = expf(z[i] - most);
    for (size_t i = 0; i < OUT; i++)
        dz[i] = (dz[i] / sum - (i == label ? 1.0f : 0.0f)) / SAMPLES;
    return (most + logf(sum) - z[label]) / SAMPLES;
}

static float activate(bool relu, float z)
{
    return relu ? fmaxf(z, 0) : tanhf(z);
}

static float slope(bool relu, float h)
{
    return relu ? (h > 0 ? 1.0f : 0.0f) : 1 - h * h;
}

static double network(bool relu, const double *const *theta, double *const *g, bool forgetful)
{
    double data[SAMPLES * IN];
    float x[SAMPLES * IN], h[SAMPLES * HIDDEN], y[SAMPLES * OUT], dy[SAMPLES * OUT];
    float dh[SAMPLES * HIDDEN] = {0}, sum = 0;
    function_data(160, SAMPLES * IN, data);
    for (size_t i = 0; i < SAMPLES * IN; i++)
        x[i] = (float)data[i];
    float_affine(SAMPLES, IN, HIDDEN, x, theta[0], theta[1], h);
    for (size_t i = 0; i < SAMPLES * HIDDEN; i++)
        h[i] = activate(relu, h[i]);
    float_affine(SAMPLES, HIDDEN, OUT, h, theta[2], theta[3], y);
    for (size_t s = 0; s < SAMPLES; s++)
        sum += cross_entropy(y + s * OUT, 3 * s % OUT, dy + s * OUT);
    if (g == NULL) return (double)sum;
    for (size_t i = 0; i < SAMPLES * HIDDEN; i++) {
        for (size_t o = 0; o < OUT; o++)
            dh[i] += (float)theta[2][o * HIDDEN + i % HIDDEN] * dy[i / HIDDEN * OUT + o];
        dh[i] *= forgetful ? 1.0f : slope(relu, h[i]);
    }
    float_affine_back(SAMPLES, HIDDEN, OUT, h, dy, g[2], g[3]);
    float_affine_back(SAMPLES, IN, HIDDEN, x, dh, g[0], g[1]);
    return (double)sum;
}

static double float_tanh(const double *const *theta, double *const *g, bool forgetful)
{
    return network(false, theta, g, forgetful);
}

static double float_relu(const double *const *theta, double *const *g, bool forgetful)
{
    return network(true, theta, g, forgetful);
}

/* ---- half and bfloat16: products are summed with more digits, and then rounded ---- */

enum { HALF_IN = 6, HALF_OUT = 4, HALF_SAMPLES = 16 };

/* The sum itself is rounded, or kept in float. */
static double half_network(gck_dtype dtype, bool rounded, const double *const *theta,
                           double *const *g, bool forgetful)
{
    double x[HALF_SAMPLES * HALF_IN], c[HALF_OUT], sum = 0;
    function_data(161, HALF_SAMPLES * HALF_IN, x);
    function_data(162, HALF_OUT, c);
    for (size_t i = 0; i < HALF_SAMPLES * HALF_OUT; i++) {
        const size_t o = i % HALF_OUT, s = i / HALF_OUT;
        const double weight = function_round(dtype, 1 + c[o]);
        double z = theta[1][o];
        for (size_t k = 0; k < HALF_IN; k++)
            z += theta[0][o * HALF_IN + k] * function_round(dtype, x[s * HALF_IN + k]);
        const double y = function_round(dtype, tanh(function_round(dtype, z)));
        sum = function_round(
            rounded ? dtype : GCK_FLOAT32,
            sum + (rounded ? function_round(dtype, weight * y * y) : weight * y * y));
        const double slope_of = forgetful ? 1 : function_round(dtype, 1 - y * y);
        const double dz = function_round(dtype, function_round(dtype, 2 * weight * y) * slope_of);
        for (size_t k = 0; k < HALF_IN && g != NULL; k++)
            g[0][o * HALF_IN + k] = function_round(
                dtype, g[0][o * HALF_IN + k] + dz * function_round(dtype, x[s * HALF_IN + k]));
        if (g != NULL) g[1][o] = function_round(dtype, g[1][o] + dz);
    }
    return sum;
}

static double half(const double *const *theta, double *const *g, bool forgetful)
{
    return half_network(GCK_FLOAT16, false, theta, g, forgetful);
}

static double half_sum(const double *const *theta, double *const *g, bool forgetful)
{
    return half_network(GCK_FLOAT16, true, theta, g, forgetful);
}

static double brain(const double *const *theta, double *const *g, bool forgetful)
{
    return half_network(GCK_BFLOAT16, false, theta, g, forgetful);
}

static double brain_sum(const double *const *theta, double *const *g, bool forgetful)
{
    return half_network(GCK_BFLOAT16, true, theta, g, forgetful);
}

#define NETWORK                                                          \
    {                                                                    \
        {"w1", {2, {90, 110}}, 0, 0.2, 0}, {"b1", {1, {90}}, 0, 0.2, 0}, \
            {"w2", {2, {10, 90}}, 0, 0.2, 0},                            \
        {                                                                \
            "b2", {1, {10}}, 0, 0.2, 0                                   \
        }                                                                \
    }
#define HALVES                         \
    {                                  \
        {"w", {2, {4, 6}}, 0, 0.7, 0}, \
        {                              \
            "b", {1, {4}}, 0, 0.7, 0   \
        }                              \
    }

static const function rows[] = {
    {"dense tanh in float32", "the slope of tanh", GCK_FLOAT32, float_tanh, false, NETWORK},
    {"dense relu in float32", "relu's mask", GCK_FLOAT32, float_relu, false, NETWORK},
    {"dense tanh in float16", "the slope of tanh", GCK_FLOAT16, half, false, HALVES},
    {"dense tanh in bfloat16", "the slope of tanh", GCK_BFLOAT16, brain, true, HALVES},
    {"the same, summed in float16", "the slope of tanh", GCK_FLOAT16, half_sum, true, HALVES},
    {"the same, summed in bfloat16", "the slope of tanh", GCK_BFLOAT16, brain_sum, true, HALVES},
};
FUNCTION_TABLE(functions_floats, rows);
