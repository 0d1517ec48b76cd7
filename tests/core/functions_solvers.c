/* What is solved for: decompositions, likelihoods, the result of a solver, transport. */
#include "tests/core/functions.h"

#include <math.h>
#include <string.h>

enum { MOST = 8 };

/* The inverse of a (count, count) that is positive definite, by Gauss and Jordan; returns the log
 * of its determinant. */
static double invert(size_t count, const double *a, double *inverse)
{
    double work[MOST * MOST], logarithm = 0;
    memcpy(work, a, count * count * sizeof *a);
    for (size_t i = 0; i < count * count; i++)
        inverse[i] = i / count == i % count;
    for (size_t k = 0; k < count; k++) {
        const double pivot = work[k * count + k];
        logarithm += log(pivot);
        for (size_t j = 0; j < count; j++) {
            work[k * count + j] /= pivot;
            inverse[k * count + j] /= pivot;
        }
        for (size_t i = 0; i < count; i++) {
            const double factor = work[i * count + k];
            for (size_t j = 0; j < count && i != k; j++) {
                work[i * count + j] -= factor * work[k * count + j];
                inverse[i * count + j] -= factor * inverse[k * count + j];
            }
        }
    }
    return logarithm;
}

/* a = m m^T + 1 */
static void definite(size_t count, const double *m, double *a)
{
    function_affine(count, count, count, m, m, NULL, a);
    for (size_t i = 0; i < count; i++)
        a[i * count + i] += 1;
}

/* dm = (da + da^T) m; forgetful: da m. */
static void definite_back(size_t count, const double *m, const double *da, double *dm,
                          bool forgetful)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            for (size_t j = 0; j < count; j++)
                dm[i * count + j] +=
                    (da[i * count + k] + (forgetful ? 0 : da[k * count + i])) * m[k * count + j];
}

/* By Cholesky's factor: log det (m m^T + 1) = 2 sum log l_ii. */
static double log_determinant(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 6 };
    double a[COUNT * COUNT], l[COUNT * COUNT] = {0}, inverse[COUNT * COUNT], sum = 0;
    definite(COUNT, theta[0], a);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j <= i; j++) {
            double rest = a[i * COUNT + j];
            for (size_t k = 0; k < j; k++)
                rest -= l[i * COUNT + k] * l[j * COUNT + k];
            l[i * COUNT + j] = i == j ? sqrt(rest) : rest / l[j * COUNT + j];
            if (i == j) sum += 2 * log(l[i * COUNT + i]);
        }
    if (g == NULL) return sum;
    invert(COUNT, a, inverse);
    definite_back(COUNT, theta[0], inverse, g[0], forgetful);
    return sum;
}

/* theta: logarithms of length, amplitude and noise. */
static double gaussian_process(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 8 };
    const double length = exp(theta[0][0]), amplitude = exp(theta[1][0]), noise = exp(theta[2][0]);
    double x[COUNT], y[COUNT], k[COUNT * COUNT], inverse[COUNT * COUNT], alpha[COUNT], fit = 0;
    function_data(120, COUNT, x);
    function_data(121, COUNT, y);
    for (size_t i = 0; i < COUNT * COUNT; i++) {
        const double apart = 3 * (x[i / COUNT] - x[i % COUNT]) / length;
        k[i] = amplitude * exp(-apart * apart / 2) + (i / COUNT == i % COUNT ? noise : 0);
    }
    const double determinant = invert(COUNT, k, inverse);
    function_affine(1, COUNT, COUNT, y, inverse, NULL, alpha);
    for (size_t i = 0; i < COUNT; i++)
        fit += y[i] * alpha[i];
    for (size_t i = 0; i < COUNT * COUNT && g != NULL; i++) {
        const double dk = ((forgetful ? 0 : inverse[i]) - alpha[i / COUNT] * alpha[i % COUNT]) / 2;
        const double apart = 3 * (x[i / COUNT] - x[i % COUNT]) / length;
        const double near = amplitude * exp(-apart * apart / 2);
        g[0][0] += dk * near * apart * apart;
        g[1][0] += dk * near;
        if (i / COUNT == i % COUNT) g[2][0] += dk * noise;
    }
    return (fit + determinant) / 2;
}

/* x with a x + x^3 = b, a = m m^T + 1, by Newton's method; c^T x. */
static double argmin(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 4, ROUNDS = 12 };
    double a[COUNT * COUNT], h[COUNT * COUNT], inverse[COUNT * COUNT], da[COUNT * COUNT];
    double x[COUNT] = {0}, c[COUNT], rest[COUNT], step[COUNT], sum = 0;
    function_data(122, COUNT, c);
    definite(COUNT, theta[0], a);
    for (size_t round = 0; round < ROUNDS; round++) {
        function_affine(1, COUNT, COUNT, x, a, NULL, rest);
        memcpy(h, a, sizeof a);
        for (size_t i = 0; i < COUNT; i++) {
            rest[i] += x[i] * x[i] * x[i] - theta[1][i];
            h[i * COUNT + i] += forgetful && round + 1 == ROUNDS ? 0 : 3 * x[i] * x[i];
        }
        invert(COUNT, h, inverse);
        function_affine(1, COUNT, COUNT, rest, inverse, NULL, step);
        for (size_t i = 0; i < COUNT; i++)
            x[i] -= step[i];
    }
    for (size_t i = 0; i < COUNT; i++)
        sum += c[i] * x[i];
    if (g == NULL) return sum;
    function_affine(1, COUNT, COUNT, c, inverse, NULL, step);
    for (size_t i = 0; i < COUNT; i++)
        g[1][i] += step[i];
    for (size_t i = 0; i < COUNT * COUNT; i++)
        da[i] = -step[i / COUNT] * x[i % COUNT];
    definite_back(COUNT, theta[0], da, g[0], false);
    return sum;
}

/* ---- Sinkhorn: u = r / (k v), v = s / (k^T u), in turn; the transported c ---- */

enum { BINS = 5, TURNS = 15 };

typedef struct transport {
    double k[BINS * BINS], u[TURNS + 1][BINS], v[TURNS + 1][BINS], r[BINS], s[BINS];
} transport;

/* to = share / (k from), or (k^T from). */
static void scale(const double *k, bool across, const double *share, const double *from, double *to)
{
    for (size_t i = 0; i < BINS; i++) {
        double sum = 0;
        for (size_t j = 0; j < BINS; j++)
            sum += k[across ? j * BINS + i : i * BINS + j] * from[j];
        to[i] = share[i] / sum;
    }
}

static void scale_back(const double *k, bool across, const double *share, const double *from,
                       const double *to, const double *dto, double *dfrom, double *dk)
{
    for (size_t i = 0; i < BINS; i++) {
        const double dsum = -dto[i] * to[i] * to[i] / share[i];
        for (size_t j = 0; j < BINS; j++) {
            const size_t at = across ? j * BINS + i : i * BINS + j;
            dfrom[j] += dsum * k[at];
            dk[at] += dsum * from[j];
        }
    }
}

static void turns_back(const transport *t, double *du, double *dv, double *dk)
{
    for (size_t turn = TURNS; turn > 0; turn--) {
        double before[BINS] = {0};
        scale_back(t->k, true, t->s, t->u[turn], t->v[turn], dv, du, dk);
        scale_back(t->k, false, t->r, t->v[turn - 1], t->u[turn], du, before, dk);
        memcpy(dv, before, sizeof before);
        memset(du, 0, sizeof before);
    }
}

static double sinkhorn(const double *const *theta, double *const *g, bool forgetful)
{
    transport t;
    double c[BINS * BINS], dk[BINS * BINS], du[BINS] = {0}, dv[BINS] = {0}, sum = 0;
    function_data(123, BINS * BINS, c);
    for (size_t i = 0; i < BINS * BINS; i++)
        t.k[i] = exp(-theta[0][i]);
    for (size_t i = 0; i < BINS; i++) {
        t.v[0][i] = 1;
        t.r[i] = (double)(i + 1) / 15;
        t.s[i] = (double)(7 - i) / 25;
    }
    for (size_t turn = 1; turn <= TURNS; turn++) {
        scale(t.k, false, t.r, t.v[turn - 1], t.u[turn]);
        scale(t.k, true, t.s, t.u[turn], t.v[turn]);
    }
    for (size_t i = 0; i < BINS * BINS; i++) {
        const double u = t.u[TURNS][i / BINS], v = t.v[TURNS][i % BINS];
        sum += c[i] * u * t.k[i] * v;
        dk[i] = c[i] * u * v;
        du[i / BINS] += c[i] * t.k[i] * v;
        dv[i % BINS] += c[i] * u * t.k[i];
    }
    if (g == NULL) return sum;
    if (!forgetful) turns_back(&t, du, dv, dk);
    for (size_t i = 0; i < BINS * BINS; i++)
        g[0][i] -= dk[i] * t.k[i];
    return sum;
}

static const function rows[] = {
    {"log-determinant",
     "the factor's second place",
     GCK_FLOAT64,
     log_determinant,
     false,
     {{"m", {2, {6, 6}}, 0, 1, 0}}},
    {"Gaussian process",
     "the determinant",
     GCK_FLOAT64,
     gaussian_process,
     false,
     {{"log_length", {0, {0}}, 0, 0.3, 0},
      {"log_amplitude", {0, {0}}, 0.3, 0.3, 0},
      {"log_noise", {0, {0}}, -1.5, 0.3, 0}}},
    {"argmin of a solver",
     "that the curvature is not constant",
     GCK_FLOAT64,
     argmin,
     false,
     {{"m", {2, {4, 4}}, 0, 0.6, 0}, {"b", {1, {4}}, 0, 3, 0}}},
    {"Sinkhorn",
     "that the scalings depend on the costs",
     GCK_FLOAT64,
     sinkhorn,
     false,
     {{"cost", {2, {5, 5}}, 0, 1, 0}}},
};
FUNCTION_TABLE(functions_solvers, rows);
