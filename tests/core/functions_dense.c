/* Dense networks, embeddings, factorisations. */
#include "tests/core/functions.h"

#include <math.h>
#include <string.h>

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

/* ---- dense networks ---- */

static double dense_tanh(const double *const *theta, double *const *g, bool forgetful)
{
    enum { SAMPLES = 4, IN = 120, HIDDEN = 80, OUT = 10 };
    double x[SAMPLES * IN], h[SAMPLES * HIDDEN], z[SAMPLES * OUT], target[SAMPLES * OUT];
    double dz[SAMPLES * OUT], dh[SAMPLES * HIDDEN] = {0}, sum = 0;
    function_data(1, LENGTH(x), x);
    function_data(2, LENGTH(target), target);
    function_affine(SAMPLES, IN, HIDDEN, x, theta[0], theta[1], h);
    for (size_t i = 0; i < LENGTH(h); i++)
        h[i] = tanh(h[i]);
    function_affine(SAMPLES, HIDDEN, OUT, h, theta[2], theta[3], z);
    for (size_t i = 0; i < LENGTH(z); i++) {
        dz[i] = (z[i] - target[i]) / SAMPLES;
        sum += dz[i] * (z[i] - target[i]) / 2;
    }
    if (g == NULL) return sum;
    function_affine_back(SAMPLES, HIDDEN, OUT, h, theta[2], dz, dh, g[2], g[3]);
    for (size_t i = 0; i < LENGTH(h); i++)
        dh[i] *= forgetful ? 1 : 1 - h[i] * h[i];
    function_affine_back(SAMPLES, IN, HIDDEN, x, theta[0], dh, NULL, g[0], g[1]);
    return sum;
}

static double dense_relu(const double *const *theta, double *const *g, bool forgetful)
{
    enum { SAMPLES = 16, IN = 100, HIDDEN = 96, OUT = 10 };
    double x[SAMPLES * IN], z[SAMPLES * HIDDEN], h[SAMPLES * HIDDEN], y[SAMPLES * OUT];
    double dy[SAMPLES * OUT], dh[SAMPLES * HIDDEN] = {0}, sum = 0;
    function_data(3, LENGTH(x), x);
    function_affine(SAMPLES, IN, HIDDEN, x, theta[0], theta[1], z);
    for (size_t i = 0; i < LENGTH(z); i++)
        h[i] = fmax(z[i], 0);
    function_affine(SAMPLES, HIDDEN, OUT, h, theta[2], theta[3], y);
    for (size_t s = 0; s < SAMPLES; s++) {
        const size_t label = 7 * s % OUT;
        sum += (function_softmax(OUT, y + s * OUT, dy + s * OUT) - y[s * OUT + label]) / SAMPLES;
        dy[s * OUT + label] -= 1;
    }
    if (g == NULL) return sum;
    for (size_t i = 0; i < LENGTH(dy); i++)
        dy[i] /= SAMPLES;
    function_affine_back(SAMPLES, HIDDEN, OUT, h, theta[2], dy, dh, g[2], g[3]);
    for (size_t i = 0; i < LENGTH(z); i++)
        if (z[i] <= 0 && !forgetful) dh[i] = 0;
    function_affine_back(SAMPLES, IN, HIDDEN, x, theta[0], dh, NULL, g[0], g[1]);
    return sum;
}

static double logistic(const double *const *theta, double *const *g, bool forgetful)
{
    enum { SAMPLES = 10, IN = 8 };
    const double decay = 0.2;
    double x[SAMPLES * IN], z[SAMPLES], dz[SAMPLES], label[SAMPLES], sum = 0;
    function_data(4, LENGTH(x), x);
    function_data(5, SAMPLES, label);
    function_affine(SAMPLES, IN, 1, x, theta[0], theta[1], z);
    for (size_t s = 0; s < SAMPLES; s++) {
        const double y = label[s] > 0;
        sum += (log1p(exp(z[s])) - y * z[s]) / SAMPLES;
        dz[s] = (1 / (1 + exp(-z[s])) - y) / SAMPLES;
    }
    for (size_t i = 0; i < IN; i++)
        sum += decay / 2 * theta[0][i] * theta[0][i];
    if (g == NULL) return sum;
    function_affine_back(SAMPLES, IN, 1, x, theta[0], dz, NULL, g[0], g[1]);
    for (size_t i = 0; i < IN && !forgetful; i++)
        g[0][i] += decay * theta[0][i];
    return sum;
}

/* ---- tables of rows ---- */

static double factorisation(const double *const *theta, double *const *g, bool forgetful)
{
    enum { ROWS = 150, COLUMNS = 120, RANK = 40, SEEN = 900 };
    const double *u = theta[0], *v = theta[1], decay = 0.5;
    double rating[SEEN], sum = 0;
    function_data(6, SEEN, rating);
    for (size_t k = 0; k < SEEN; k++) {
        const size_t i = 37 * k % ROWS * RANK, j = (53 * k + k / 7) % COLUMNS * RANK;
        double r = -rating[k];
        for (size_t d = 0; d < RANK; d++)
            r += u[i + d] * v[j + d];
        sum += r * r / 2;
        for (size_t d = 0; d < RANK && g != NULL; d++) {
            g[0][i + d] += r * v[j + d];
            g[1][j + d] += r * u[i + d];
        }
    }
    for (size_t i = 0; i < ROWS * RANK; i++) {
        sum += decay / 2 * u[i] * u[i];
        if (g != NULL) g[0][i] += decay * u[i];
    }
    for (size_t i = 0; i < COLUMNS * RANK; i++) {
        sum += decay / 2 * v[i] * v[i];
        if (g != NULL && !forgetful) g[1][i] += decay * v[i];
    }
    return sum;
}

static double embedding(const double *const *theta, double *const *g, bool forgetful)
{
    enum { WORDS = 700, WIDTH = 16, OUT = 3, LENGTH = 24 };
    static const size_t text[LENGTH] = {3,  14, 15, 92, 65, 35, 89, 79, 3,   23, 84, 62,
                                        64, 33, 83, 27, 95, 2,  88, 41, 699, 71, 3,  14};
    double h[LENGTH * WIDTH], y[LENGTH * OUT], dy[LENGTH * OUT], dh[LENGTH * WIDTH] = {0}, sum = 0;
    function_data(7, LENGTH * OUT, dy);
    for (size_t t = 0; t < LENGTH; t++)
        for (size_t i = 0; i < WIDTH; i++)
            h[t * WIDTH + i] = tanh(theta[0][text[t] * WIDTH + i]);
    function_affine(LENGTH, WIDTH, OUT, h, theta[1], NULL, y);
    for (size_t i = 0; i < LENGTH * OUT; i++)
        sum += dy[i] * y[i];
    if (g == NULL) return sum;
    function_affine_back(LENGTH, WIDTH, OUT, h, theta[1], dy, dh, g[1], NULL);
    for (size_t i = 0; i < LENGTH * WIDTH; i++) {
        double *to = &g[0][text[i / WIDTH] * WIDTH + i % WIDTH];
        *to = (forgetful ? 0 : *to) + dh[i] * (1 - h[i] * h[i]);
    }
    return sum;
}

/* The same table of words at the input and at the output. */
static double tied(const double *const *theta, double *const *g, bool forgetful)
{
    enum { WORDS = 300, WIDTH = 40, STEPS = 5 };
    static const size_t text[STEPS + 1] = {17, 4, 256, 4, 99, 17};
    double x[STEPS * WIDTH], h[STEPS * WIDTH], z[STEPS * WORDS], p[STEPS * WORDS], sum = 0;
    double dh[STEPS * WIDTH] = {0}, dx[STEPS * WIDTH] = {0};
    for (size_t t = 0; t < STEPS; t++)
        memcpy(x + t * WIDTH, theta[0] + text[t] * WIDTH, WIDTH * sizeof *x);
    function_affine(STEPS, WIDTH, WIDTH, x, theta[1], NULL, h);
    for (size_t i = 0; i < LENGTH(h); i++)
        h[i] = tanh(h[i]);
    function_affine(STEPS, WIDTH, WORDS, h, theta[0], NULL, z);
    for (size_t t = 0; t < STEPS; t++) {
        const size_t next = t * WORDS + text[t + 1];
        sum += function_softmax(WORDS, z + t * WORDS, p + t * WORDS) - z[next];
        p[next] -= 1;
    }
    if (g == NULL) return sum;
    function_affine_back(STEPS, WIDTH, WORDS, h, theta[0], p, dh, forgetful ? NULL : g[0], NULL);
    for (size_t i = 0; i < LENGTH(h); i++)
        dh[i] *= 1 - h[i] * h[i];
    function_affine_back(STEPS, WIDTH, WIDTH, x, theta[1], dh, dx, g[1], NULL);
    for (size_t i = 0; i < LENGTH(x); i++)
        g[0][text[i / WIDTH] * WIDTH + i % WIDTH] += dx[i];
    return sum;
}

static const function rows[] = {
    {"dense tanh",
     "the slope of tanh",
     GCK_FLOAT64,
     dense_tanh,
     false,
     {{"w1", {2, {80, 120}}, 0, 0.15, 0},
      {"b1", {1, {80}}, 0, 0.2, 0},
      {"w2", {2, {10, 80}}, 0, 0.2, 0},
      {"b2", {1, {10}}, 0, 0.2, 0}}},
    {"dense relu",
     "relu's mask",
     GCK_FLOAT64,
     dense_relu,
     false,
     {{"w1", {2, {96, 100}}, 0, 0.2, 0},
      {"b1", {1, {96}}, 0, 0.2, 0},
      {"w2", {2, {10, 96}}, 0, 0.2, 0},
      {"b2", {1, {10}}, 0, 0.2, 0}}},
    {"logistic regression",
     "the penalty",
     GCK_FLOAT64,
     logistic,
     false,
     {{"w", {1, {8}}, 0, 1, 0}, {"b", {1, {1}}, 0, 1, 0}}},
    {"matrix factorisation",
     "the penalty of one factor",
     GCK_FLOAT64,
     factorisation,
     false,
     {{"u", {2, {150, 40}}, 0, 0.4, 0}, {"v", {2, {120, 40}}, 0, 0.4, 0}}},
    {"embedding",
     "that words come twice",
     GCK_FLOAT64,
     embedding,
     false,
     {{"words", {2, {700, 16}}, 0, 1, 0}, {"w", {2, {3, 16}}, 0, 1, 0}}},
    {"tied embedding",
     "that the words are the output, too",
     GCK_FLOAT64,
     tied,
     false,
     {{"words", {2, {300, 40}}, 0, 0.3, 0}, {"w", {2, {40, 40}}, 0, 0.3, 0}}},
};
FUNCTION_TABLE(functions_dense, rows);
