/* Attention: one head or several, with and without a causal mask; softmax with a temperature. */
#include "tests/core/functions.h"

#include <math.h>

enum { TOKENS = 6, WIDTH = 64, HEADS = 4 };

typedef struct attention {
    size_t width, heads;
    bool causal;
    uint32_t data;
} attention;

/* What one head of one token keeps. */
typedef struct memory {
    double x[TOKENS * WIDTH], q[TOKENS * WIDTH], k[TOKENS * WIDTH], v[TOKENS * WIDTH];
    double o[TOKENS * WIDTH], weight[HEADS][TOKENS][TOKENS];
} memory;

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static size_t seen_by(const attention *of, size_t token)
{
    return of->causal ? token + 1 : TOKENS;
}

static void heads_forward(const attention *of, memory *m)
{
    const size_t part = of->width / of->heads;
    for (size_t i = 0; i < of->heads * TOKENS; i++) {
        const size_t head = i / TOKENS, t = i % TOKENS, seen = seen_by(of, t);
        double score[TOKENS];
        for (size_t u = 0; u < seen; u++)
            score[u] =
                dot(m->q + t * of->width + head * part, m->k + u * of->width + head * part, part) /
                sqrt((double)part);
        function_softmax(seen, score, m->weight[head][t]);
        for (size_t d = head * part; d < (head + 1) * part; d++) {
            double sum = 0;
            for (size_t u = 0; u < seen; u++)
                sum += m->weight[head][t][u] * m->v[u * of->width + d];
            m->o[t * of->width + d] = sum;
        }
    }
}

/* From d->o to d->q, d->k, d->v. */
static void heads_back(const attention *of, const memory *m, memory *d, bool without_sum,
                       double scale)
{
    const size_t part = of->width / of->heads, width = of->width;
    for (size_t i = 0; i < of->heads * TOKENS; i++) {
        const size_t head = i / TOKENS, t = i % TOKENS, seen = seen_by(of, t), at = head * part;
        const double *weight = m->weight[head][t], *do_ = d->o + t * width + at;
        double dw[TOKENS], mean = 0;
        for (size_t u = 0; u < seen; u++) {
            dw[u] = dot(do_, m->v + u * width + at, part);
            mean += without_sum ? 0 : weight[u] * dw[u];
        }
        for (size_t u = 0; u < seen; u++) {
            const double ds = weight[u] * (dw[u] - mean) * scale;
            for (size_t e = at; e < at + part; e++) {
                d->v[u * width + e] += weight[u] * d->o[t * width + e];
                d->q[t * width + e] += ds * m->k[u * width + e];
                d->k[u * width + e] += ds * m->q[t * width + e];
            }
        }
    }
}

/* theta: Wq, Wk, Wv, and if projected Wo. */
static double attend(const attention *of, const double *const *theta, double *const *g,
                     bool projected, bool without_sum, double scale)
{
    static const memory empty;
    const size_t width = of->width, cells = TOKENS * width;
    double c[TOKENS * WIDTH], y[TOKENS * WIDTH], dy[TOKENS * WIDTH], sum = 0;
    memory m = empty, d = empty;
    function_data(of->data, cells, m.x);
    function_data(of->data + 1, cells, c);
    function_affine(TOKENS, width, width, m.x, theta[0], NULL, m.q);
    function_affine(TOKENS, width, width, m.x, theta[1], NULL, m.k);
    function_affine(TOKENS, width, width, m.x, theta[2], NULL, m.v);
    heads_forward(of, &m);
    if (projected) function_affine(TOKENS, width, width, m.o, theta[3], NULL, y);
    for (size_t i = 0; i < cells; i++) {
        const double out = projected ? y[i] : m.o[i];
        sum += (c[i] * out + out * out / 2) / TOKENS;
        dy[i] = (c[i] + out) / TOKENS;
        if (!projected) d.o[i] = dy[i];
    }
    if (g == NULL) return sum;
    if (projected) function_affine_back(TOKENS, width, width, m.o, theta[3], dy, d.o, g[3], NULL);
    heads_back(of, &m, &d, without_sum, scale);
    function_affine_back(TOKENS, width, width, m.x, theta[0], d.q, NULL, g[0], NULL);
    function_affine_back(TOKENS, width, width, m.x, theta[1], d.k, NULL, g[1], NULL);
    function_affine_back(TOKENS, width, width, m.x, theta[2], d.v, NULL, g[2], NULL);
    return sum;
}

static double single(const double *const *theta, double *const *g, bool forgetful)
{
    static const attention of = {.width = 64, .heads = 1, .data = 60};
    return attend(&of, theta, g, false, false, forgetful ? 1 : 1 / sqrt(64));
}

static double several(const double *const *theta, double *const *g, bool forgetful)
{
    static const attention of = {.width = 56, .heads = 4, .data = 62};
    return attend(&of, theta, g, true, false, 1 / sqrt(forgetful ? 56 : 14));
}

static double causal(const double *const *theta, double *const *g, bool forgetful)
{
    static const attention of = {.width = 8, .heads = 2, .causal = true, .data = 64};
    return attend(&of, theta, g, true, forgetful, 1 / sqrt(4));
}

/* softmax(z / T), with T a parameter. */
static double temperature(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 12 };
    const double *z = theta[0], t = exp(theta[1][0]);
    double c[COUNT], cooled[COUNT], p[COUNT], mean = 0;
    function_data(66, COUNT, c);
    for (size_t i = 0; i < COUNT; i++)
        cooled[i] = z[i] / t;
    function_softmax(COUNT, cooled, p);
    for (size_t i = 0; i < COUNT; i++)
        mean += p[i] * c[i];
    if (g == NULL) return mean;
    for (size_t i = 0; i < COUNT; i++) {
        const double d = p[i] * (c[i] - mean) / t;
        g[0][i] += forgetful ? d * t : d;
        g[1][0] -= d * z[i];
    }
    return mean;
}

static const function rows[] = {
    {"attention",
     "the root of the width",
     GCK_FLOAT64,
     single,
     false,
     {{"wq", {2, {64, 64}}, 0, 0.2, 0},
      {"wk", {2, {64, 64}}, 0, 0.2, 0},
      {"wv", {2, {64, 64}}, 0, 0.2, 0}}},
    {"multi-head attention",
     "that a head is narrower",
     GCK_FLOAT64,
     several,
     false,
     {{"wq", {2, {56, 56}}, 0, 0.2, 0},
      {"wk", {2, {56, 56}}, 0, 0.2, 0},
      {"wv", {2, {56, 56}}, 0, 0.2, 0},
      {"wo", {2, {56, 56}}, 0, 0.2, 0}}},
    {"causal attention",
     "that weights sum to 1",
     GCK_FLOAT64,
     causal,
     false,
     {{"wq", {2, {8, 8}}, 0, 0.7, 0},
      {"wk", {2, {8, 8}}, 0, 0.7, 0},
      {"wv", {2, {8, 8}}, 0, 0.7, 0},
      {"wo", {2, {8, 8}}, 0, 0.7, 0}}},
    {"softmax with a temperature",
     "the temperature",
     GCK_FLOAT64,
     temperature,
     false,
     {{"z", {1, {12}}, 0, 2, 0}, {"log_t", {1, {1}}, 0.5, 0.3, 0}}},
};
FUNCTION_TABLE(functions_attention, rows);
