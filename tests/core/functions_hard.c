/* What makes a function hard to differentiate: scales, noise, kinks, edges, nothing at all. */
#include "tests/core/functions.h"

#include <math.h>

/* Numbers of 1e-6 and 1e6 side by side. */
static double scales(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 6, MASSES = 3 };
    double sum = 0;
    for (size_t i = 0; i < COUNT; i += 2) {
        const double a = theta[0][i] * 1e6, b = theta[0][i + 1] * 1e-6;
        sum += sin(a) * b + a * a / 2;
        if (g == NULL) continue;
        g[0][i] += (cos(a) * b + a) * 1e6;
        g[0][i + 1] += sin(a) * (forgetful ? 1 : 1e-6);
    }
    for (size_t i = 0; i < MASSES; i++) {
        const double v = theta[2][i] * 1e-6, kinetic = theta[1][i] * 1e6 * v * v / 2;
        sum += kinetic;
        if (g == NULL) continue;
        g[1][i] += kinetic / theta[1][i];
        g[2][i] += 2 * kinetic / theta[2][i];
    }
    return sum;
}

/* tanh of a linear form of 30 numbers, squared, and a scalar. */
static double plain(const double *const *theta, double *const *g)
{
    enum { COUNT = 30 };
    double c[COUNT], z = theta[1][0];
    function_data(140, COUNT, c);
    for (size_t i = 0; i < COUNT; i++)
        z += c[i] * theta[0][i];
    const double y = tanh(z), dz = (1 + 2 * y) * (1 - y * y);
    for (size_t i = 0; i < COUNT && g != NULL; i++)
        g[0][i] += c[i] * dz;
    if (g != NULL) g[1][0] += dz;
    return 1 + y + y * y;
}

static double forgotten_half(const double *const *theta, double *const *g, bool forgetful)
{
    const double value = plain(theta, g);
    for (size_t i = 15; i < 30 && g != NULL && forgetful; i++)
        g[0][i] = 0;
    return value;
}

/* Printed with ten digits after the point: errors of 1e-10, the same at the same point. */
static double printed(const double *const *theta, double *const *g, bool forgetful)
{
    return nearbyint(forgotten_half(theta, g, forgetful) * 1e10) / 1e10;
}

/* Errors of 1e-9, others each time. */
static double random_noise(const double *const *theta, double *const *g, bool forgetful)
{
    static uint64_t state = 1;
    double sum = 0;
    for (size_t i = 0; i < 4; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += ldexp((double)(state >> 11), -52) - 1;
    }
    return forgotten_half(theta, g, forgetful) + 1e-9 * sum;
}

/* relu exactly at 0: any slope between 0 and 1 is right. */
static double kinked(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 5 };
    double c[COUNT], sum = 0;
    function_data(141, COUNT, c);
    for (size_t i = 0; i < COUNT; i++) {
        sum += 0.02 * c[i] * fmax(theta[0][i], 0) + sin(theta[1][i] + c[i]) * (1 + theta[0][i]);
        if (g == NULL) continue;
        g[0][i] += (theta[0][i] > 0) * 0.02 * c[i] + (forgetful ? 0 : sin(theta[1][i] + c[i]));
        g[1][i] += cos(theta[1][i] + c[i]) * (1 + theta[0][i]);
    }
    return sum;
}

/* A penalty |w| on weights that begin at 0. */
static double sparse(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 40 };
    const double decay = 0.0005;
    double c[COUNT], z = theta[1][0], sum = 0;
    function_data(142, COUNT, c);
    for (size_t i = 0; i < COUNT; i++) {
        z += c[i] * theta[0][i];
        sum += decay * fabs(theta[0][i]);
    }
    for (size_t i = 0; i < COUNT && g != NULL; i++)
        g[0][i] +=
            c[i] * (forgetful ? 1 : cos(z)) + decay * ((theta[0][i] > 0) - (theta[0][i] < 0));
    if (g != NULL) g[1][0] += cos(z);
    return sum + sin(z);
}

static double unused(const double *const *theta, double *const *g, bool forgetful)
{
    double *const used[2] = {g == NULL ? NULL : g[0], g == NULL ? NULL : g[1]};
    return forgotten_half(theta, g == NULL ? NULL : used, forgetful);
}

/* Logarithms and roots close to 0. */
static double edges(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 24, FEW = 4 };
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += log(theta[0][i]);
        if (g != NULL) g[0][i] += 1 / theta[0][i];
    }
    for (size_t i = 0; i < FEW; i++) {
        const double root = sqrt(theta[1][i]);
        sum += root;
        if (g != NULL) g[1][i] += (forgetful ? 1 : 0.5) / root;
    }
    return sum;
}

static double scalar(const double *const *theta, double *const *g, bool forgetful)
{
    const double x = theta[0][0];
    if (g != NULL) g[0][0] = (forgetful ? 0 : sin(x)) + x * cos(x);
    return x * sin(x);
}

/* Far more samples than parameters, each with a kink: distances. */
static double distances(const double *const *theta, double *const *g, bool forgetful)
{
    enum { SAMPLES = 600, COUNT = 20 };
    double x[SAMPLES * COUNT], z[SAMPLES], target[SAMPLES], dz[SAMPLES], sum = 0;
    function_data(143, SAMPLES * COUNT, x);
    function_data(144, SAMPLES, target);
    function_affine(SAMPLES, COUNT, 1, x, theta[0], theta[1], z);
    for (size_t s = 0; s < SAMPLES; s++) {
        const double r = z[s] - target[s];
        sum += fabs(r) / SAMPLES;
        dz[s] = (forgetful ? 1 : copysign(1, r)) / SAMPLES;
    }
    if (g != NULL) function_affine_back(SAMPLES, COUNT, 1, x, theta[0], dz, NULL, g[0], g[1]);
    return sum;
}

#define PLAIN                    \
    {"w", {1, {30}}, 0, 0.5, 0}, \
    {                            \
        "b", {0, {0}}, 0, 0.5, 0 \
    }

static const function rows[] = {
    {"scales of 1e-6 and 1e6",
     "one unit of measure",
     GCK_FLOAT64,
     scales,
     false,
     {{"mixed", {1, {6}}, 1e-6, 0.5e-6, 1e12},
      {"mass", {1, {3}}, 1e-6, 0.5e-6, 0},
      {"speed", {1, {3}}, 1e6, 0.5e6, 0}}},
    {"ten digits", "half of the weights", GCK_FLOAT64, printed, false, {PLAIN}},
    {"random errors of 1e-9", "half of the weights", GCK_FLOAT64, random_noise, false, {PLAIN}},
    {"relu at 0",
     "what is beside the relu",
     GCK_FLOAT64,
     kinked,
     false,
     {{"z", {1, {5}}, 0, 0, 0}, {"w", {1, {5}}, 0, 1, 0}}},
    {"weights at 0 with an l1 penalty",
     "a cosine",
     GCK_FLOAT64,
     sparse,
     false,
     {{"w", {1, {40}}, 0, 0, 0}, {"b", {0, {0}}, 1, 0.2, 0}}},
    {"a tensor without use",
     "half of the weights",
     GCK_FLOAT64,
     unused,
     false,
     {PLAIN, {"unused", {1, {20}}, 0, 1, 0}, {"little", {1, {2}}, 0, 1, 0}}},
    {"logarithms and roots near 0",
     "the factor 1/2",
     GCK_FLOAT64,
     edges,
     false,
     {{"x", {1, {24}}, 1, 0.5, 1e-3}, {"y", {1, {4}}, 1, 0.5, 1e-4}}},
    {"one number", "the product rule", GCK_FLOAT64, scalar, false, {{"x", {0, {0}}, 1, 1, 0}}},
    {"mean absolute error",
     "the sign",
     GCK_FLOAT64,
     distances,
     false,
     {{"w", {1, {20}}, 0, 0.5, 0}, {"b", {0, {0}}, 0, 0.5, 0}}},
};
FUNCTION_TABLE(functions_hard, rows);
