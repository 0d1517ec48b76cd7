/* What goes on in time: recurrent networks, a differential equation, a fixed point, a filter. */
#include "tests/core/functions.h"

#include <math.h>
#include <string.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* h = tanh(wx x + wh h + b), the same weights at every step. */
static double rnn(const double *const *theta, double *const *g, bool forgetful)
{
    enum { STEPS = 5, IN = 60, UNITS = 80 };
    double x[STEPS * IN], h[STEPS + 1][UNITS] = {{0}}, c[UNITS], z[UNITS], dh[UNITS], sum = 0;
    function_data(80, STEPS * IN, x);
    function_data(81, UNITS, c);
    for (size_t t = 0; t < STEPS; t++) {
        function_affine(1, IN, UNITS, x + t * IN, theta[0], theta[2], h[t + 1]);
        function_affine(1, UNITS, UNITS, h[t], theta[1], NULL, z);
        for (size_t i = 0; i < UNITS; i++)
            h[t + 1][i] = tanh(h[t + 1][i] + z[i]);
    }
    for (size_t i = 0; i < UNITS; i++)
        sum += c[i] * h[STEPS][i];
    if (g == NULL) return sum;
    memcpy(dh, c, sizeof c);
    for (size_t t = STEPS; t-- > 0;) {
        double before[UNITS] = {0};
        for (size_t i = 0; i < UNITS; i++)
            dh[i] *= 1 - h[t + 1][i] * h[t + 1][i];
        const bool counted = !forgetful || t + 1 == STEPS;
        function_affine_back(1, IN, UNITS, x + t * IN, theta[0], dh, NULL, g[0], g[2]);
        function_affine_back(1, UNITS, UNITS, h[t], theta[1], dh, before, counted ? g[1] : NULL,
                             NULL);
        memcpy(dh, before, sizeof dh);
    }
    return sum;
}

/* ---- gates ---- */

enum { STEPS = 4, IN = 5, UNITS = 6, BOTH = IN + UNITS };

/* x and h of one step, one after the other. */
static void join(uint32_t data, size_t step, const double *h, double *both)
{
    double x[STEPS * IN];
    function_data(data, STEPS * IN, x);
    memcpy(both, x + step * IN, IN * sizeof *x);
    memcpy(both + IN, h, UNITS * sizeof *h);
}

/* Gates: input, forget, candidate, output. */
typedef struct lstm_step {
    double both[BOTH], gate[4 * UNITS], before[UNITS], cell[UNITS], h[UNITS];
} lstm_step;

static void lstm_forward(const double *const *theta, size_t t, const lstm_step *last,
                         lstm_step *now)
{
    join(82, t, last->h, now->both);
    memcpy(now->before, last->cell, sizeof now->before);
    function_affine(1, BOTH, 4 * UNITS, now->both, theta[0], theta[1], now->gate);
    for (size_t i = 0; i < 4 * UNITS; i++)
        now->gate[i] = i / UNITS == 2 ? tanh(now->gate[i]) : sigmoid(now->gate[i]);
    for (size_t i = 0; i < UNITS; i++) {
        const double *gate = now->gate + i;
        now->cell[i] = gate[UNITS] * now->before[i] + gate[0] * gate[2 * UNITS];
        now->h[i] = gate[3 * UNITS] * tanh(now->cell[i]);
    }
}

/* dh, dc: of this step, then of the one before. */
static void lstm_back(const double *const *theta, double *const *g, const lstm_step *now,
                      double *dh, double *dc, bool forgetful)
{
    double dz[4 * UNITS], dboth[BOTH] = {0};
    for (size_t i = 0; i < UNITS; i++) {
        const double *gate = now->gate + i, squashed = tanh(now->cell[i]);
        const double d = dc[i] + dh[i] * gate[3 * UNITS] * (1 - squashed * squashed);
        dz[i] = d * gate[2 * UNITS] * gate[0] * (1 - gate[0]);
        dz[UNITS + i] = d * now->before[i] * gate[UNITS] * (1 - gate[UNITS]);
        dz[2 * UNITS + i] = d * gate[0] * (1 - gate[2 * UNITS] * gate[2 * UNITS]);
        dz[3 * UNITS + i] = dh[i] * squashed * gate[3 * UNITS] * (1 - gate[3 * UNITS]);
        dc[i] = forgetful ? 0 : d * gate[UNITS];
    }
    function_affine_back(1, BOTH, 4 * UNITS, now->both, theta[0], dz, dboth, g[0], g[1]);
    memcpy(dh, dboth + IN, UNITS * sizeof *dh);
}

static double lstm(const double *const *theta, double *const *g, bool forgetful)
{
    lstm_step step[STEPS + 1] = {{.cell = {0}}};
    double dh[UNITS], dc[UNITS] = {0}, sum = 0;
    function_data(83, UNITS, dh);
    for (size_t t = 0; t < STEPS; t++)
        lstm_forward(theta, t, &step[t], &step[t + 1]);
    for (size_t i = 0; i < UNITS; i++)
        sum += dh[i] * step[STEPS].h[i];
    for (size_t t = STEPS; t > 0 && g != NULL; t--)
        lstm_back(theta, g, &step[t], dh, dc, forgetful);
    return sum;
}

/* r, u: gates; n = tanh(wn [x, r h] + bn); h = (1 - u) n + u h. */
typedef struct gru_step {
    double both[BOTH], reset_both[BOTH], gate[2 * UNITS], n[UNITS], h[UNITS];
} gru_step;

static void gru_forward(const double *const *theta, size_t t, const gru_step *last, gru_step *now)
{
    join(84, t, last->h, now->both);
    function_affine(1, BOTH, 2 * UNITS, now->both, theta[0], theta[1], now->gate);
    for (size_t i = 0; i < 2 * UNITS; i++)
        now->gate[i] = sigmoid(now->gate[i]);
    memcpy(now->reset_both, now->both, sizeof now->both);
    for (size_t i = 0; i < UNITS; i++)
        now->reset_both[IN + i] *= now->gate[i];
    function_affine(1, BOTH, UNITS, now->reset_both, theta[2], theta[3], now->n);
    for (size_t i = 0; i < UNITS; i++) {
        now->n[i] = tanh(now->n[i]);
        const double u = now->gate[UNITS + i];
        now->h[i] = (1 - u) * now->n[i] + u * last->h[i];
    }
}

static void gru_back(const double *const *theta, double *const *g, const gru_step *now, double *dh,
                     bool forgetful)
{
    double dn[UNITS], dgate[2 * UNITS], dboth[BOTH] = {0}, dreset[BOTH] = {0};
    const double *r = now->gate, *u = now->gate + UNITS, *h = now->both + IN;
    for (size_t i = 0; i < UNITS; i++)
        dn[i] = dh[i] * (1 - u[i]) * (1 - now->n[i] * now->n[i]);
    function_affine_back(1, BOTH, UNITS, now->reset_both, theta[2], dn, dreset, g[2], g[3]);
    for (size_t i = 0; i < UNITS; i++) {
        dgate[i] = forgetful ? 0 : dreset[IN + i] * h[i] * r[i] * (1 - r[i]);
        dgate[UNITS + i] = dh[i] * (h[i] - now->n[i]) * u[i] * (1 - u[i]);
        dh[i] = dh[i] * u[i] + dreset[IN + i] * r[i];
    }
    function_affine_back(1, BOTH, 2 * UNITS, now->both, theta[0], dgate, dboth, g[0], g[1]);
    for (size_t i = 0; i < UNITS; i++)
        dh[i] += dboth[IN + i];
}

static double gru(const double *const *theta, double *const *g, bool forgetful)
{
    gru_step step[STEPS + 1] = {{.h = {0}}};
    double dh[UNITS], sum = 0;
    function_data(85, UNITS, dh);
    for (size_t t = 0; t < STEPS; t++)
        gru_forward(theta, t, &step[t], &step[t + 1]);
    for (size_t i = 0; i < UNITS; i++)
        sum += dh[i] * step[STEPS].h[i];
    for (size_t t = STEPS; t > 0 && g != NULL; t--)
        gru_back(theta, g, &step[t], dh, forgetful);
    return sum;
}

/* ---- a differential equation ---- */

enum { STATE = 3 };

/* y' = a tanh(y) */
static void field(const double *a, const double *y, double *dy)
{
    double squashed[STATE];
    for (size_t i = 0; i < STATE; i++)
        squashed[i] = tanh(y[i]);
    function_affine(1, STATE, STATE, squashed, a, NULL, dy);
}

/* What k means for the y and the a that it was computed from. */
static void field_back(const double *a, const double *y, const double *dk, double *dy, double *da)
{
    double squashed[STATE], d[STATE] = {0};
    for (size_t i = 0; i < STATE; i++)
        squashed[i] = tanh(y[i]);
    function_affine_back(1, STATE, STATE, squashed, a, dk, d, da, NULL);
    for (size_t i = 0; i < STATE; i++)
        dy[i] += d[i] * (1 - squashed[i] * squashed[i]);
}

static const double reach[4] = {0, 0.5, 0.5, 1}, share[4] = {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0};

/* Stages: y of each of the four, and the next y in the fifth. */
static void rk4_step(const double *a, double h, double stage[5][STATE])
{
    double k[STATE] = {0};
    memcpy(stage[4], stage[0], sizeof stage[0]);
    for (size_t s = 0; s < 4; s++) {
        for (size_t i = 0; i < STATE; i++)
            stage[s][i] = stage[0][i] + (s == 0 ? 0 : h * reach[s] * k[i]);
        field(a, stage[s], k);
        for (size_t i = 0; i < STATE; i++)
            stage[4][i] += h * share[s] * k[i];
    }
}

/* dy: of the next y, then of this one. Forgetful: stages do not depend on one another. */
static void rk4_back(const double *a, double h, double stage[5][STATE], double *dy, double *da,
                     bool forgetful)
{
    double dk[5][STATE] = {{0}}, start[STATE];
    memcpy(start, dy, sizeof start);
    for (size_t s = 4; s-- > 0;) {
        double dstage[STATE] = {0};
        for (size_t i = 0; i < STATE; i++)
            dk[s][i] += h * share[s] * dy[i];
        field_back(a, stage[s], dk[s], dstage, da);
        for (size_t i = 0; i < STATE; i++) {
            start[i] += dstage[i];
            if (s > 0 && !forgetful) dk[s - 1][i] += h * reach[s] * dstage[i];
        }
    }
    memcpy(dy, start, sizeof start);
}

static double equation(const double *const *theta, double *const *g, bool forgetful)
{
    enum { POINTS = 10 };
    double stage[POINTS][5][STATE], dy[STATE], sum = 0;
    function_data(86, STATE, dy);
    memcpy(stage[0][0], theta[1], sizeof stage[0][0]);
    for (size_t t = 0; t < POINTS; t++) {
        if (t > 0) memcpy(stage[t][0], stage[t - 1][4], sizeof stage[t][0]);
        rk4_step(theta[0], 0.2, stage[t]);
    }
    for (size_t i = 0; i < STATE; i++)
        sum += dy[i] * stage[POINTS - 1][4][i];
    for (size_t t = POINTS; t-- > 0 && g != NULL;)
        rk4_back(theta[0], 0.2, stage[t], dy, g[0], forgetful);
    for (size_t i = 0; i < STATE && g != NULL; i++)
        g[1][i] += dy[i];
    return sum;
}

/* ---- z = tanh(w z + b) ---- */

static double fixed_point(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 8, ROUNDS = 120 };
    double z[COUNT] = {0}, next[COUNT], c[COUNT], d[COUNT] = {0}, sum = 0;
    function_data(87, COUNT, c);
    for (size_t round = 0; round < ROUNDS; round++) {
        function_affine(1, COUNT, COUNT, z, theta[0], theta[1], next);
        for (size_t i = 0; i < COUNT; i++)
            z[i] = tanh(next[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        sum += c[i] * z[i];
    if (g == NULL) return sum;
    /* d = (c + w^T d) (1 - z^2), a fixed point as well */
    for (size_t round = 0; round < (forgetful ? 1 : ROUNDS); round++) {
        memcpy(next, c, sizeof c);
        function_affine_back(1, COUNT, COUNT, z, theta[0], d, next, NULL, NULL);
        for (size_t i = 0; i < COUNT; i++)
            d[i] = next[i] * (1 - z[i] * z[i]);
    }
    function_affine_back(1, COUNT, COUNT, z, theta[0], d, NULL, g[0], g[1]);
    return sum;
}

/* ---- a Kalman filter of one number: x = a x + noise q, y = x + noise r ---- */

typedef struct filter_step {
    double m0, p0, m, p, s, v; /* before; predicted; innovation and its variance */
} filter_step;

static double kalman(const double *const *theta, double *const *g, bool forgetful)
{
    enum { COUNT = 12 };
    const double a = theta[0][0], q = exp(theta[1][0]), r = exp(theta[2][0]);
    double y[COUNT], m = 0, p = 1, sum = 0, dm = 0, dp = 0;
    filter_step step[COUNT];
    function_data(88, COUNT, y);
    for (size_t t = 0; t < COUNT; t++) {
        filter_step *now = &step[t];
        *now = (filter_step){.m0 = m, .p0 = p, .m = a * m, .p = a * a * p + q};
        now->s = now->p + r;
        now->v = y[t] - now->m;
        sum += (log(now->s) + now->v * now->v / now->s) / 2;
        m = now->m + now->p / now->s * now->v;
        p = now->p - now->p * now->p / now->s;
    }
    for (size_t t = COUNT; t-- > 0 && g != NULL;) {
        const filter_step *now = &step[t];
        const double k = now->p / now->s, dk = forgetful ? 0 : dm * now->v;
        const double dv = dm * k + now->v / now->s;
        const double ds =
            (1 / now->s - now->v * now->v / now->s / now->s) / 2 - dk * k / now->s + dp * k * k;
        const double dpredicted = ds + dk / now->s + dp * (1 - 2 * k);
        g[0][0] += (dm - dv) * now->m0 + dpredicted * 2 * a * now->p0;
        g[1][0] += dpredicted * q;
        g[2][0] += ds * r;
        dm = (dm - dv) * a;
        dp = dpredicted * a * a;
    }
    return sum;
}

static const function rows[] = {
    {"RNN",
     "all steps but the last",
     GCK_FLOAT64,
     rnn,
     false,
     {{"wx", {2, {80, 60}}, 0, 0.2, 0},
      {"wh", {2, {80, 80}}, 0, 0.2, 0},
      {"b", {1, {80}}, 0, 0.2, 0}}},
    {"LSTM",
     "the cell's own path",
     GCK_FLOAT64,
     lstm,
     false,
     {{"w", {2, {24, 11}}, 0, 1, 0}, {"b", {1, {24}}, 0, 1, 0}}},
    {"GRU",
     "the reset gate",
     GCK_FLOAT64,
     gru,
     false,
     {{"wg", {2, {12, 11}}, 0, 1, 0},
      {"bg", {1, {12}}, 0, 1, 0},
      {"wn", {2, {6, 11}}, 0, 1, 0},
      {"bn", {1, {6}}, 0, 1, 0}}},
    {"Runge-Kutta",
     "that a stage depends on the one before",
     GCK_FLOAT64,
     equation,
     false,
     {{"a", {2, {3, 3}}, 0, 1, 0}, {"y0", {1, {3}}, 0, 1, 0}}},
    {"fixed point",
     "the way through the equation",
     GCK_FLOAT64,
     fixed_point,
     false,
     {{"w", {2, {8, 8}}, 0, 0.25, 0}, {"b", {1, {8}}, 0, 0.7, 0}}},
    {"Kalman filter",
     "that the gain depends on the variances",
     GCK_FLOAT64,
     kalman,
     false,
     {{"a", {0, {0}}, 0.8, 0.1, 0},
      {"log_q", {0, {0}}, -1, 0.3, 0},
      {"log_r", {0, {0}}, -0.5, 0.3, 0}}},
};
FUNCTION_TABLE(functions_recurrent, rows);
