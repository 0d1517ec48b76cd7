/* Losses, each of the outputs of a small linear model. */
#include "tests/core/functions.h"

#include <math.h>

enum { SAMPLES = 6, IN = 5, OUT = 4, CELLS = SAMPLES * OUT };

/* The loss of p (SAMPLES, OUT), and dp, in which a forgetful one forgets something. */
typedef double loss(const double *p, double *dp, bool forgetful);

static double model(loss *of, const double *const *theta, double *const *g, bool forgetful)
{
    double x[SAMPLES * IN], p[CELLS], dp[CELLS] = {0};
    function_data(40, SAMPLES * IN, x);
    function_affine(SAMPLES, IN, OUT, x, theta[0], theta[1], p);
    const double value = of(p, dp, forgetful);
    if (g != NULL) function_affine_back(SAMPLES, IN, OUT, x, theta[0], dp, NULL, g[0], g[1]);
    return value;
}

static size_t label_of(size_t sample)
{
    return 5 * sample % OUT;
}

static double masked(const double *p, double *dp, bool forgetful)
{
    double target[CELLS], mask[CELLS], used = 0, sum = 0;
    function_data(41, CELLS, target);
    function_data(42, CELLS, mask);
    for (size_t i = 0; i < CELLS; i++)
        used += mask[i] > 0;
    for (size_t i = 0; i < CELLS; i++) {
        const double r = p[i] - target[i], on = mask[i] > 0;
        sum += on * r * r / used;
        dp[i] = (forgetful ? 1 : on) * 2 * r / used;
    }
    return sum;
}

static double huber(const double *p, double *dp, bool forgetful)
{
    const double limit = 0.5;
    double target[CELLS], sum = 0;
    function_data(43, CELLS, target);
    for (size_t i = 0; i < CELLS; i++) {
        const double r = p[i] - target[i];
        const bool near = fabs(r) <= limit;
        sum += near ? r * r / 2 : limit * (fabs(r) - limit / 2);
        dp[i] = near || forgetful ? r : copysign(limit, r);
    }
    return sum;
}

static double smooth_l1(const double *p, double *dp, bool forgetful)
{
    const double beta = 0.4;
    double target[CELLS], sum = 0;
    function_data(44, CELLS, target);
    for (size_t i = 0; i < CELLS; i++) {
        const double r = p[i] - target[i];
        const bool near = fabs(r) < beta;
        sum += (near ? r * r / (2 * beta) : fabs(r) - beta / 2) / CELLS;
        dp[i] = (near ? r / (forgetful ? 1 : beta) : copysign(1, r)) / CELLS;
    }
    return sum;
}

static double hinge(const double *p, double *dp, bool forgetful)
{
    double sum = 0;
    for (size_t i = 0; i < CELLS; i++) {
        const size_t right = i / OUT * OUT + label_of(i / OUT);
        const double margin = 1 + p[i] - p[right];
        if (i == right || margin <= 0) continue;
        sum += margin / SAMPLES;
        dp[i] += 1.0 / SAMPLES;
        if (!forgetful) dp[right] -= 1.0 / SAMPLES;
    }
    return sum;
}

static double log_sum_exp(const double *p, double *dp, bool forgetful)
{
    double target[CELLS], sum = 0;
    function_data(45, CELLS, target);
    for (size_t s = 0; s < SAMPLES; s++) {
        const double total = function_softmax(OUT, p + s * OUT, dp + s * OUT);
        sum += total;
        for (size_t i = s * OUT; i < (s + 1) * OUT; i++) {
            sum -= target[i] * p[i];
            dp[i] = (forgetful ? exp(p[i]) : dp[i]) - target[i];
        }
    }
    return sum;
}

static double label_smoothing(const double *p, double *dp, bool forgetful)
{
    const double share = 0.1;
    double sum = 0;
    for (size_t s = 0; s < SAMPLES; s++) {
        const double total = function_softmax(OUT, p + s * OUT, dp + s * OUT);
        for (size_t i = 0; i < OUT; i++) {
            const double hit = i == label_of(s), soft = (1 - share) * hit + share / OUT;
            sum += soft * (total - p[s * OUT + i]) / SAMPLES;
            dp[s * OUT + i] = (dp[s * OUT + i] - (forgetful ? hit : soft)) / SAMPLES;
        }
    }
    return sum;
}

/* -(1 - q)^2 ln q, where q is the probability of the label. */
static double focal(const double *p, double *dp, bool forgetful)
{
    double sum = 0;
    for (size_t s = 0; s < SAMPLES; s++) {
        double *d = dp + s * OUT;
        const size_t label = label_of(s);
        function_softmax(OUT, p + s * OUT, d);
        const double q = d[label], rest = 1 - q;
        const double slope = (forgetful ? 0 : 2 * rest * log(q)) - rest * rest / q;
        sum -= rest * rest * log(q);
        for (size_t i = 0; i < OUT; i++)
            d[i] = slope * q * ((i == label) - d[i]);
    }
    return sum;
}

/* KL(softmax(p) || q) */
static double divergence(const double *p, double *dp, bool forgetful)
{
    double other[CELLS], q[OUT], sum = 0;
    function_data(46, CELLS, other);
    for (size_t s = 0; s < SAMPLES; s++) {
        double *d = dp + s * OUT, apart[OUT], mean = 0;
        const double total = function_softmax(OUT, p + s * OUT, d);
        const double total_q = function_softmax(OUT, other + s * OUT, q);
        for (size_t i = 0; i < OUT; i++) {
            apart[i] = p[s * OUT + i] - total - other[s * OUT + i] + total_q;
            mean += d[i] * apart[i];
        }
        sum += mean;
        for (size_t i = 0; i < OUT; i++)
            d[i] *= apart[i] - (forgetful ? 0 : mean);
    }
    return sum;
}

/* Anchors, positives and negatives, in turn. */
static double triplet(const double *p, double *dp, bool forgetful)
{
    const double margin = 4;
    double sum = 0;
    for (size_t s = 0; s + 2 < SAMPLES; s += 3) {
        const double *a = p + s * OUT, *b = a + OUT, *c = b + OUT;
        double *da = dp + s * OUT, *db = da + OUT, *dc = db + OUT, reach = margin;
        for (size_t i = 0; i < OUT; i++)
            reach += (a[i] - b[i]) * (a[i] - b[i]) - (a[i] - c[i]) * (a[i] - c[i]);
        if (reach <= 0) continue;
        sum += reach;
        for (size_t i = 0; i < OUT; i++) {
            da[i] = 2 * (forgetful ? a[i] - b[i] : c[i] - b[i]);
            db[i] = -2 * (a[i] - b[i]);
            dc[i] = 2 * (a[i] - c[i]);
        }
    }
    return sum;
}

#define ROW(LOSS)                                                                            \
    static double LOSS##_value(const double *const *theta, double *const *g, bool forgetful) \
    {                                                                                        \
        return model(LOSS, theta, g, forgetful);                                             \
    }
ROW(masked)
ROW(huber)
ROW(smooth_l1)
ROW(hinge)
ROW(log_sum_exp)
ROW(label_smoothing)
ROW(focal)
ROW(divergence)
ROW(triplet)

#define TENSORS                      \
    {                                \
        {"w", {2, {4, 5}}, 0, 1, 0}, \
        {                            \
            "b", {1, {4}}, 0, 1, 0   \
        }                            \
    }

static const function rows[] = {
    {"masked loss", "the mask", GCK_FLOAT64, masked_value, false, TENSORS},
    {"Huber", "the limit", GCK_FLOAT64, huber_value, false, TENSORS},
    {"smooth L1", "beta", GCK_FLOAT64, smooth_l1_value, false, TENSORS},
    {"hinge", "the right class", GCK_FLOAT64, hinge_value, false, TENSORS},
    {"log-sum-exp", "the sum", GCK_FLOAT64, log_sum_exp_value, false, TENSORS},
    {"cross-entropy, smoothed labels", "the smoothing", GCK_FLOAT64, label_smoothing_value, false,
     TENSORS},
    {"focal loss", "that the weight depends on the outputs", GCK_FLOAT64, focal_value, false,
     TENSORS},
    {"Kullback-Leibler", "that probabilities sum to 1", GCK_FLOAT64, divergence_value, false,
     TENSORS},
    {"triplet loss", "the anchor's distance to the negative", GCK_FLOAT64, triplet_value, false,
     TENSORS},
};
FUNCTION_TABLE(functions_losses, rows);
