/* Layers that normalise. */
#include "tests/core/functions.h"

#include <math.h>

enum { SAMPLES = 7, IN = 5, UNITS = 6, CELLS = SAMPLES * UNITS };
static const double tiny = 1e-5;

/* What is normalised together: one sample's units, or one unit's samples. */
typedef struct group {
    size_t count, of, stride, between;
} group;

static const group by_sample = {UNITS, SAMPLES, 1, UNITS}, by_unit = {SAMPLES, UNITS, UNITS, 1};

/* n = (z - mean) / s of a group, with s^2 the variance, or without the mean; returns s. */
static double normalise(const group *of, bool centred, const double *z, double *n)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < of->count && centred; i++)
        mean += z[i * of->stride] / (double)of->count;
    for (size_t i = 0; i < of->count; i++) {
        n[i * of->stride] = z[i * of->stride] - mean;
        square += n[i * of->stride] * n[i * of->stride] / (double)of->count;
    }
    const double s = sqrt(square + tiny);
    for (size_t i = 0; i < of->count; i++)
        n[i * of->stride] /= s;
    return s;
}

/* dz from dn; without a term: of the mean, or of the variance. */
static void normalise_back(const group *of, bool by_mean, bool by_variance, double s,
                           const double *n, const double *dn, double *dz)
{
    double mean = 0, along = 0;
    for (size_t i = 0; i < of->count; i++) {
        const size_t at = i * of->stride;
        mean += by_mean ? dn[at] / (double)of->count : 0;
        along += by_variance ? dn[at] * n[at] / (double)of->count : 0;
    }
    for (size_t i = 0; i < of->count; i++) {
        const size_t at = i * of->stride;
        dz[at] = (dn[at] - mean - n[at] * along) / s;
    }
}

static double normalised(const group *of, bool centred, bool by_mean, bool by_variance,
                         const double *const *theta, double *const *g)
{
    double x[SAMPLES * IN], c[CELLS], z[CELLS], n[CELLS], dn[CELLS], dz[CELLS], s[CELLS], sum = 0;
    function_data(20, SAMPLES * IN, x);
    function_data(21, CELLS, c);
    function_affine(SAMPLES, IN, UNITS, x, theta[0], theta[1], z);
    for (size_t k = 0; k < of->of; k++)
        s[k] = normalise(of, centred, z + k * of->between, n + k * of->between);
    for (size_t i = 0; i < CELLS; i++) {
        const double gain = theta[2][i % UNITS], y = tanh(gain * n[i] + theta[3][i % UNITS]);
        const double dy = c[i] * (1 - y * y);
        sum += c[i] * y;
        dn[i] = gain * dy;
        if (g == NULL) continue;
        g[2][i % UNITS] += n[i] * dy;
        g[3][i % UNITS] += dy;
    }
    if (g == NULL) return sum;
    for (size_t k = 0; k < of->of; k++)
        normalise_back(of, by_mean, by_variance, s[k], n + k * of->between, dn + k * of->between,
                       dz + k * of->between);
    function_affine_back(SAMPLES, IN, UNITS, x, theta[0], dz, NULL, g[0], g[1]);
    return sum;
}

static double layer_norm(const double *const *theta, double *const *g, bool forgetful)
{
    return normalised(&by_sample, true, true, !forgetful, theta, g);
}

static double rms_norm(const double *const *theta, double *const *g, bool forgetful)
{
    return normalised(&by_sample, false, false, !forgetful, theta, g);
}

static double batch_norm(const double *const *theta, double *const *g, bool forgetful)
{
    return normalised(&by_unit, true, !forgetful, !forgetful, theta, g);
}

#define TENSORS                                                                               \
    {                                                                                         \
        {"w", {2, {6, 5}}, 0, 1, 0}, {"b", {1, {6}}, 0, 1, 0}, {"gain", {1, {6}}, 1, 0.5, 0}, \
        {                                                                                     \
            "shift", {1, {6}}, 0, 0.5, 0                                                      \
        }                                                                                     \
    }

static const function rows[] = {
    {"layer norm", "that the variance depends on each unit", GCK_FLOAT64, layer_norm, false,
     TENSORS},
    {"RMS norm", "that the mean square depends on each unit", GCK_FLOAT64, rms_norm, false,
     TENSORS},
    {"batch norm", "that mean and variance couple the samples", GCK_FLOAT64, batch_norm, false,
     TENSORS},
};
FUNCTION_TABLE(functions_norms, rows);
