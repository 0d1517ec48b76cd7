/* Convolutions and pools. */
#include "tests/core/functions.h"

#include <math.h>

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static double conv1d(const double *const *theta, double *const *g, bool forgetful)
{
    enum { IN = 2, OUT = 3, TAPS = 4, WIDTH = 12, PLACES = WIDTH - TAPS + 1 };
    double x[IN * WIDTH], c[OUT * PLACES], sum = 0;
    function_data(100, LENGTH(x), x);
    function_data(101, LENGTH(c), c);
    for (size_t i = 0; i < OUT * PLACES; i++) {
        const size_t o = i / PLACES, at = i % PLACES;
        double z = theta[1][o];
        for (size_t k = 0; k < IN * TAPS; k++)
            z += theta[0][o * IN * TAPS + k] * x[k / TAPS * WIDTH + at + k % TAPS];
        const double y = tanh(z), dz = c[i] * (1 - y * y);
        sum += c[i] * y;
        if (g == NULL) continue;
        g[1][o] = (forgetful ? 0 : g[1][o]) + dz;
        for (size_t k = 0; k < IN * TAPS; k++)
            g[0][o * IN * TAPS + k] += dz * x[k / TAPS * WIDTH + at + k % TAPS];
    }
    return sum;
}

static double conv2d(const double *const *theta, double *const *g, bool forgetful)
{
    enum { IN = 28, OUT = 40, SIDE = 5, TAPS = 3, PLACES = SIDE - TAPS + 1, KERNEL = TAPS * TAPS };
    double x[IN * SIDE * SIDE], c[OUT * PLACES * PLACES], sum = 0;
    function_data(102, LENGTH(x), x);
    function_data(103, LENGTH(c), c);
    for (size_t i = 0; i < LENGTH(c); i++) {
        const size_t o = i / (PLACES * PLACES);
        const size_t corner = i / PLACES % PLACES * SIDE + i % PLACES;
        const double *w = theta[0] + o * IN * KERNEL;
        double z = theta[1][o];
        for (size_t k = 0; k < IN * KERNEL; k++)
            z += w[k] * x[k / KERNEL * SIDE * SIDE + corner + k / TAPS % TAPS * SIDE + k % TAPS];
        const double y = tanh(z), dz = c[i] * (1 - y * y);
        sum += c[i] * y;
        if (g == NULL) continue;
        g[1][o] += dz;
        for (size_t k = 0; k < IN * KERNEL; k++) {
            /* Turned around, as a convolution in place of a correlation. */
            const size_t tap = k % KERNEL, to = k - tap + (forgetful ? KERNEL - 1 - tap : tap);
            g[0][o * IN * KERNEL + to] +=
                dz * x[k / KERNEL * SIDE * SIDE + corner + tap / TAPS * SIDE + tap % TAPS];
        }
    }
    return sum;
}

/* ---- pools of tanh(W x + b), neighbours together ---- */

enum { SAMPLES = 5, IN = 4, UNITS = 9, POOL = 3, CELLS = SAMPLES * UNITS };

static void pool_input(const double *const *theta, double *x, double *h, double *c)
{
    function_data(104, SAMPLES * IN, x);
    function_data(105, CELLS / POOL, c);
    function_affine(SAMPLES, IN, UNITS, x, theta[0], theta[1], h);
    for (size_t i = 0; i < CELLS; i++)
        h[i] = tanh(h[i]);
}

static void pool_back(const double *const *theta, double *const *g, const double *x,
                      const double *h, double *dh)
{
    for (size_t i = 0; i < CELLS; i++)
        dh[i] *= 1 - h[i] * h[i];
    function_affine_back(SAMPLES, IN, UNITS, x, theta[0], dh, NULL, g[0], g[1]);
}

static double max_pool(const double *const *theta, double *const *g, bool forgetful)
{
    double x[SAMPLES * IN], h[CELLS], c[CELLS / POOL], dh[CELLS] = {0}, sum = 0;
    pool_input(theta, x, h, c);
    for (size_t p = 0; p < CELLS / POOL; p++) {
        size_t top = p * POOL;
        for (size_t i = top + 1; i < (p + 1) * POOL; i++)
            if (h[i] > h[top]) top = i;
        sum += c[p] * h[top];
        for (size_t i = p * POOL; i < (p + 1) * POOL; i++)
            if (i == top || forgetful) dh[i] = c[p];
    }
    if (g != NULL) pool_back(theta, g, x, h, dh);
    return sum;
}

static double average_pool(const double *const *theta, double *const *g, bool forgetful)
{
    double x[SAMPLES * IN], h[CELLS], c[CELLS / POOL], dh[CELLS], sum = 0;
    pool_input(theta, x, h, c);
    for (size_t i = 0; i < CELLS; i++) {
        sum += c[i / POOL] * h[i] / POOL;
        dh[i] = c[i / POOL] / (forgetful ? 1 : POOL);
    }
    if (g != NULL) pool_back(theta, g, x, h, dh);
    return sum;
}

static const function rows[] = {
    {"convolution, 1-D",
     "all places but the last, for the bias",
     GCK_FLOAT64,
     conv1d,
     false,
     {{"kernel", {3, {3, 2, 4}}, 0, 0.7, 0}, {"b", {1, {3}}, 0, 0.5, 0}}},
    {"convolution, 2-D",
     "which way a kernel is turned",
     GCK_FLOAT64,
     conv2d,
     false,
     {{"kernel", {4, {40, 28, 3, 3}}, 0, 0.1, 0}, {"b", {1, {40}}, 0, 0.5, 0}}},
    {"max-pool",
     "that only the largest counts",
     GCK_FLOAT64,
     max_pool,
     false,
     {{"w", {2, {9, 4}}, 0, 1, 0}, {"b", {1, {9}}, 0, 1, 0}}},
    {"average-pool",
     "the mean",
     GCK_FLOAT64,
     average_pool,
     false,
     {{"w", {2, {9, 4}}, 0, 1, 0}, {"b", {1, {9}}, 0, 1, 0}}},
};
FUNCTION_TABLE(functions_convolution, rows);
