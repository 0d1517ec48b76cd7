/* Exact slopes against plain formulas in long double, and against the backward pass, whose
 * derivatives they judge. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/rng.h>

#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/exact.h"

#include <math.h>
#include <string.h>

enum { ACTIVATIONS = 15 };

/* What an imaginary part that underflows errs by, once divided by h: half of 2^-1074 in each of a
 * few operations. */
#define LOST (8 * 0x1p-775L)

static double uniform(uint32_t stream, uint64_t position)
{
    return gck_rng_uniform(1, GCK_RNG_SHUFFLE, stream, position);
}

static bool is_named(const gck_choice *choice, const char *name)
{
    return strcmp(choice->item->name, name) == 0;
}

/* ---- activations ---- */

static void slopes_at(const gck_choice *choice, size_t count, const double *z, double *slope)
{
    gck_activation_row_of(choice)->exact->slopes(choice->option, count, z, slope);
}

static void backward_at(const gck_choice *choice, size_t count, const double *z, double *slope)
{
    double a[1000];
    ck_assert_uint_le(count, COUNT(a));
    for (size_t i = 0; i < count; i++)
        slope[i] = 1;
    gck_activation_forward(choice, count, 1, z, a);
    gck_activation_row_of(choice)->derivatives->chain(choice->option, count, 1, z, a, slope);
}

/* The sum of the absolute values of the slope's terms; slu alone has two. */
static long double size_of(const gck_choice *choice, long double z)
{
    if (!is_named(choice, "slu")) return fabsl(formula_slope(choice, z));
    return (1 + fabsl(z) / (1 + expl(z))) / (1 + expl(-z));
}

/* In roundings u. The worst is slu, z times s = e / (1 + e): exp 2 (glibc: 1 ulp), 1 + e 2 with
 * what it inherits, its imaginary part 1; the quotient's ratio 1, product, difference and division
 * 1 each; with z a product and the sum, 1 each: 11. The others have less: atan2, log1p, sqrt and
 * hypot of libm 2 each, and a few operations. 12 u are 1.3e-15. */
#define FEW 12

/* A rounding of the argument (c z, z^2) has the condition of that size, in either pass. */
static long double argument_of(const gck_choice *choice, long double z)
{
    if (is_named(choice, "sigmoid")) return fabsl(choice->option[0] * z);
    return is_named(choice, "gaussian") ? z * z : 0;
}

static void compare_at(const gck_choice *choice, double z)
{
    double slope;
    slopes_at(choice, 1, &z, &slope);
    const long double bound = (FEW + argument_of(choice, z)) * ROUNDOFF * size_of(choice, z);
    /* Exponentials underflow below 1000; slu multiplies them by z. */
    assert_within(slope, formula_slope(choice, z), bound + LOST * (1 + fmin(fabs(z), 1000)),
                  "slope of %s(%a)", choice->item->name, z);
}

/* The i-th activation, or the same with an option of another value; false for softmax. */
static bool choice_of(size_t i, bool other, gck_choice *ret_choice)
{
    *ret_choice = gck_choice_default(gck_activations.rows[i]);
    if (other && ret_choice->item->option[0].name != NULL) ret_choice->option[0] = 0.6;
    return !is_named(ret_choice, "softmax");
}

START_TEST(the_table_is_tested_whole)
{
    ck_assert_uint_eq(gck_activations.count, ACTIVATIONS);
}
END_TEST

START_TEST(slopes_are_the_formulas)
{
    const double special[] = {0,      1e-300, 1e-100, 1e-8,  0.6,   1,     20,   36.8, 40,
                              300,    505,    520,    700,   708,   745,   750,  1e3,  1e7,
                              0.9e10, 1.1e10, 1e18,   1e100, 1e150, 1e160, 1e308};
    for (int other = 0; other < 2; other++) {
        gck_choice choice;
        if (!choice_of((size_t)_i, other, &choice)) continue;
        for (int sign = -1; sign <= 1; sign += 2) {
            for (size_t i = 0; i < COUNT(special); i++)
                compare_at(&choice, sign * special[i]);
            for (int i = 0; i < 1000; i++) /* |z| from 2^-60 to 2^10 */
                compare_at(&choice, sign * exp2(-60 + 70 * (i + 0.37) / 1000));
        }
    }
}
END_TEST

/* A size of any magnitude up to 2^300, mostly below 1000, and places where formulas change. */
static double draw(uint64_t i)
{
    static const double places[] = {0, 0.6, 1, 1e10, 1e-8};
    const double sign = i & 1 ? -1 : 1, unit = uniform(1, 2 * i), other = uniform(1, 2 * i + 1);
    switch (i / 2 % 6) {
    case 0:
        return sign * (i % 36 < 12 ? places[i % COUNT(places)] : unit);
    case 1:
        return sign * 40 * unit;
    case 2:
        return sign * 750 * unit;
    case 3:
        return sign * exp2(-300 * unit) * (1 + other);
    case 4:
        return sign * exp2(300 * unit) * (1 + other);
    default:
        return sign * exp2(20 * unit - 10) * (1 + other);
    }
}

/* Both have FEW, half of it as measured, of which exponentials are the same; the bar of a check is
 * 16 u. An argument's rounding is common to both. */
START_TEST(slopes_agree_with_the_backward_pass)
{
    enum { BATCH = 1000, BATCHES = 50 };
    double z[BATCH], slope[BATCH], want[BATCH];
    for (uint64_t n = 0; n < 2 * BATCHES; n++) {
        gck_choice choice;
        if (!choice_of((size_t)_i, n % 2, &choice)) return;
        for (uint64_t i = 0; i < BATCH; i++)
            z[i] = draw(n * BATCH + i);
        slopes_at(&choice, BATCH, z, slope);
        backward_at(&choice, BATCH, z, want);
        for (size_t i = 0; i < BATCH; i++)
            assert_within(slope[i], want[i],
                          FEW * ROUNDOFF * size_of(&choice, z[i]) +
                              LOST * (1 + fmin(fabs(z[i]), 1000)),
                          "slope of %s(%a)", choice.item->name, z[i]);
    }
}
END_TEST

typedef struct kink {
    const char *name, *option;
    double value, z, slope;
} kink;

/* The conventions that the protocol states. */
static const kink kinks[] = {
    {"relu", NULL, 0, 0, 0},
    {"leaky_relu", "alpha", 0.2, 0, 0.2},
    {"elu", "alpha", 1.7, 0, 1},
    {"selu", "scale", 0.9, 0, 0.9},
    {"piecewise_linear", "alpha", 0.6, 0.6, 0},
    {"piecewise_linear", "alpha", 0.6, -0.6, 0},
    {"piecewise_linear", "alpha", 3e-5, 3e-5, 0},
    {"softsign", NULL, 0, 0, 1},
};

START_TEST(slopes_on_kinks_are_the_conventions)
{
    const kink *k = &kinks[_i];
    gck_choice choice = activation_named(k->name);
    if (k->option != NULL) choice = with_option(choice, k->option, k->value);
    const double z[] = {k->z, nextafter(k->z, -1), nextafter(k->z, 1), -k->z};
    double slope[COUNT(z)], want[COUNT(z)];
    slopes_at(&choice, COUNT(z), z, slope);
    backward_at(&choice, COUNT(z), z, want);
    ck_assert(slope[0] == k->slope);
    for (size_t i = 0; i < COUNT(z); i++)
        ck_assert_msg(slope[i] == want[i], "%s(%a): %a, not %a", k->name, z[i], slope[i], want[i]);
}
END_TEST

/* ---- the tangent of softmax ---- */

enum { UNITS_MAX = 40, LANES = 130 }; /* more than two strips */

/* Up to +-700, then nearly or all equal, then one unit far above the others. */
static double logit(size_t kind, uint64_t i)
{
    const double unit = 2 * uniform(2, i) - 1;
    const double sizes[] = {3, 40, 700, 0x1p-40, 0, 0.1};
    const double high = i % 7 == 0 ? 36 : 0;
    return (kind == 5 ? high : kind == 4 ? 1.5 : 0) + sizes[kind] * unit;
}

enum { LOGIT_KINDS = 6 };

typedef struct lanes {
    size_t units;
    double z[UNITS_MAX * LANES], a[UNITS_MAX * LANES];
    double before[UNITS_MAX * LANES], after[UNITS_MAX * LANES];
} lanes;

static void lanes_fill(lanes *l, size_t units)
{
    const gck_choice choice = activation_named("softmax");
    l->units = units;
    for (size_t i = 0; i < units * LANES; i++) {
        l->z[i] = logit(i % LANES % LOGIT_KINDS, units * 10000 + i);
        l->before[i] = l->after[i] = 2 * uniform(3, i) - 1;
    }
    gck_activation_forward(&choice, units, LANES, l->z, l->a);
    gck_activation_row_of(&choice)->exact->tangent(units, LANES, l->a, l->after);
}

typedef struct lane {
    long double a[UNITS_MAX], mean, size, spread;
    size_t top;
} lane;

/* Sums of differences to the top unit's tangent. */
static lane lane_at(const lanes *l, size_t k)
{
    const gck_choice choice = activation_named("softmax");
    long double z[UNITS_MAX], low = INFINITY;
    lane s = {.top = 0};
    for (size_t j = 0; j < l->units; j++) {
        z[j] = l->z[j * LANES + k];
        low = fminl(low, z[j]);
        if (z[j] > z[s.top]) s.top = j;
    }
    s.spread = z[s.top] - low;
    formula_activate(&choice, l->units, z, s.a);
    for (size_t j = 0; j < l->units; j++) {
        const long double t = (long double)l->before[j * LANES + k] - l->before[s.top * LANES + k];
        s.mean += s.a[j] * t;
        s.size += s.a[j] * fabsl(t);
    }
    return s;
}

/* Outputs err as in test_softmax.c, twice: a_j and the sum's a_i; a difference, a product, a sum of
 * UNITS terms, a difference and a product. In no place is t itself, but only t - t_top. */
START_TEST(softmax_tangents_are_the_formula)
{
    const size_t units = (size_t[]){1, 2, 7, UNITS_MAX}[_i];
    static lanes l;
    lanes_fill(&l, units);
    for (size_t k = 0; k < LANES; k++) {
        const lane s = lane_at(&l, k);
        const long double output = 2 * s.spread + (long double)units + 6;
        for (size_t j = 0; j < units; j++) {
            const long double t =
                (long double)l.before[j * LANES + k] - l.before[s.top * LANES + k];
            assert_within(l.after[j * LANES + k], s.a[j] * (t - s.mean),
                          (2 * output + (long double)units + 5) * ROUNDOFF * s.a[j] *
                                  (fabsl(t) + s.size) +
                              8 * SMALLEST,
                          "%zu units, lane %zu, unit %zu", units, k, j);
        }
    }
}
END_TEST

/* da_j/dz_i is symmetric, so the chain rule of the backward pass is the same map; its differences
 * are of t itself. The outputs are the same; UNITS + 3 operations each. */
START_TEST(softmax_tangents_agree_with_the_backward_pass)
{
    const size_t units = (size_t[]){1, 2, 7, UNITS_MAX}[_i];
    const gck_choice choice = activation_named("softmax");
    static lanes l;
    lanes_fill(&l, units);
    double want[UNITS_MAX * LANES];
    memcpy(want, l.before, sizeof want);
    gck_activation_row_of(&choice)->derivatives->chain(choice.option, units, LANES, l.z, l.a, want);
    for (size_t i = 0; i < units * LANES; i++) /* |t| <= 1 */
        assert_within(l.after[i], want[i],
                      4 * ((long double)units + 3) * ROUNDOFF * l.a[i] + 8 * SMALLEST,
                      "%zu units, element %zu", units, i);
}
END_TEST

/* ---- costs ---- */

enum { SAMPLES = 6, TARGET_KINDS = 8 };

typedef struct batch {
    size_t units;
    double z[UNITS_MAX * SAMPLES], a[UNITS_MAX * SAMPLES], y[UNITS_MAX * SAMPLES];
    gck_choice activation;
} batch;

static gck_outputs outputs_of(const batch *b)
{
    return (gck_outputs){b->units, SAMPLES, b->a, b->z, &b->activation};
}

static size_t top_of(const batch *b, size_t k)
{
    size_t top = 0;
    for (size_t j = 1; j < b->units; j++)
        if (b->z[j * SAMPLES + k] > b->z[top * SAMPLES + k]) top = j;
    return top;
}

/* A sample's targets: none, all, some, any numbers, a distribution, one-hot where the output is
 * largest or elsewhere, and all but one-hot. */
static void targets_fill(batch *b, size_t k, size_t kind)
{
    double sum = 0;
    for (size_t j = 0; j < b->units; j++) {
        const double unit = uniform(4, (kind * UNITS_MAX + j) * SAMPLES + k);
        const double values[TARGET_KINDS] = {0, 1, unit < 0.5, unit, unit, 0, 0, 1e-11 * unit};
        b->y[j * SAMPLES + k] = values[kind];
        sum += values[kind];
    }
    if (kind == 4)
        for (size_t j = 0; j < b->units; j++)
            b->y[j * SAMPLES + k] /= sum;
    if (kind == 5) b->y[top_of(b, k) * SAMPLES + k] = 1;
    if (kind == 6) b->y[(top_of(b, k) + 1) % b->units * SAMPLES + k] = 1;
    if (kind == 7) b->y[top_of(b, k) * SAMPLES + k] = 1 - sum;
}

static void batch_fill(batch *b, gck_choice choice, size_t units, size_t targets)
{
    *b = (batch){.units = units, .activation = choice};
    for (size_t i = 0; i < units * SAMPLES; i++)
        b->z[i] = logit(i % SAMPLES, targets * 10000 + units * 1000 + i);
    for (size_t k = 0; k < SAMPLES; k++)
        targets_fill(b, k, targets);
    gck_activation_forward(&b->activation, units, SAMPLES, b->z, b->a);
}

/* A slope in z_j and the sum of the absolute values of its terms; what its numbers err by. */
typedef struct wanted {
    long double value, size;
    long double argument; /* an exponent, by whose size its rounding counts */
    long double lost;     /* by underflow */
} wanted;

static wanted sigmoid_wanted(const batch *b, long double z, long double y, long double rest)
{
    const long double c = b->activation.option[0], t = c * z;
    const long double up = rest / (1 + expl(-t)), down = y / (1 + expl(t));
    return (wanted){c * (up - down), fabsl(c) * (up + down), fabsl(t), fabsl(c) * LOST};
}

static wanted gaussian_wanted(long double z, long double y, long double rest)
{
    const long double square = z * z, own = 2 * y * z, other = 2 * rest * z / expm1l(square);
    if (rest == 0) return (wanted){own, fabsl(own), 0, LOST};
    return (wanted){own - other, fabsl(own) + fabsl(other), square, LOST * (1 + fabsl(z))};
}

static long double sum_without(size_t units, const long double *x, size_t left_out)
{
    long double sum = 0;
    for (size_t i = 0; i < units; i++)
        sum += i == left_out ? 0 : x[i];
    return sum;
}

/* a_j sum_{i != j} y_i - y_j (1 - a_j), and for binary with rest_i = 1 - y_i:
 * a_j rest_j - sum_{i != j} rest_i a_j a_i / (1 - a_i), where 1 - a_i is the others' sum */
static wanted softmax_wanted(size_t units, const long double *z, const long double *y,
                             const long double *rest, size_t j)
{
    const gck_choice choice = activation_named("softmax");
    long double a[UNITS_MAX], low = z[0], high = z[0], odds = 0;
    formula_activate(&choice, units, z, a);
    for (size_t i = 0; i < units; i++) {
        low = fminl(low, z[i]);
        high = fmaxl(high, z[i]);
        if (i != j) odds += rest[i] * a[i] / sum_without(units, a, i);
    }
    const long double up = a[j] * sum_without(units, y, j) + a[j] * rest[j];
    const long double down = y[j] * sum_without(units, a, j) + a[j] * odds;
    return (wanted){up - down, up + down, 2 * (high - low), 64 * (long double)units * SMALLEST};
}

static wanted wanted_of(const gck_choice *cost, const batch *b, size_t k, size_t j)
{
    long double z[UNITS_MAX], y[UNITS_MAX], rest[UNITS_MAX];
    const bool binary = is_named(cost, "binary_crossentropy");
    for (size_t i = 0; i < b->units; i++) {
        z[i] = b->z[i * SAMPLES + k];
        y[i] = b->y[i * SAMPLES + k];
        rest[i] = binary ? 1 - y[i] : 0;
    }
    if (is_named(&b->activation, "sigmoid")) return sigmoid_wanted(b, z[j], y[j], rest[j]);
    if (is_named(&b->activation, "gaussian")) return gaussian_wanted(z[j], y[j], rest[j]);
    return softmax_wanted(b->units, z, y, rest, j);
}

/* Terms may be grouped otherwise than wanted: none is less, as none is left out, and with a
 * reference unit or the largest taken apart, four times as much is the most. */
static void compare_sizes(const gck_choice *cost, const batch *b, size_t k, size_t j,
                          const wanted *w, double size)
{
    assert_within(size, 2.5L * w->size,
                  1.5L * w->size + (FEW + w->argument) * ROUNDOFF * 4 * w->size + w->lost,
                  "size of %s on %s, %zu units, sample %zu, unit %zu", cost->item->name,
                  b->activation.item->name, b->units, k, j);
}

/* The sum of UNITS exponentials, twice where there is another one of the others; besides it some
 * exponentials, quotients and products, 2 or 1 each. */
static void compare_slope(const gck_choice *cost, const batch *b, size_t k, size_t j,
                          const wanted *w, double exact, double backward)
{
    const size_t units = is_named(&b->activation, "softmax") ? b->units : 0;
    const long double few = (FEW + 2 * (long double)units) * ROUNDOFF * w->size + w->lost;
    assert_within(exact, w->value, few + w->argument * ROUNDOFF * w->size,
                  "%s on %s, %zu units, sample %zu, unit %zu", cost->item->name,
                  b->activation.item->name, b->units, k, j);
    assert_within(exact, backward, few, "%s on %s, %zu units, sample %zu, unit %zu: backward",
                  cost->item->name, b->activation.item->name, b->units, k, j);
}

static void compare_batch(const gck_choice *cost, const batch *b)
{
    double exact[UNITS_MAX * SAMPLES], backward[UNITS_MAX * SAMPLES], size[UNITS_MAX * SAMPLES];
    const gck_outputs outputs = outputs_of(b);
    const struct gck_cost_exact *row = gck_cost_exact_of(cost, &b->activation);
    row->slopes(&outputs, b->y, exact);
    if (row->sizes != NULL) row->sizes(&outputs, b->y, size);
    gck_cost_row_of(cost)->derivatives->delta(&outputs, b->y, backward);
    for (size_t k = 0; k < SAMPLES; k++)
        for (size_t j = 0; j < b->units; j++) {
            const size_t i = j * SAMPLES + k;
            const wanted w = wanted_of(cost, b, k, j);
            compare_slope(cost, b, k, j, &w, exact[i], backward[i]);
            compare_sizes(cost, b, k, j, &w, row->sizes != NULL ? size[i] : fabs(exact[i]));
        }
}

static const struct pair {
    const char *cost, *activation;
    double c; /* the sigmoid's factor */
} pairs[] = {
    {"categorical_crossentropy", "sigmoid", 1},    {"binary_crossentropy", "sigmoid", 1},
    {"categorical_crossentropy", "sigmoid", -2.7}, {"binary_crossentropy", "sigmoid", -2.7},
    {"categorical_crossentropy", "gaussian", 0},   {"binary_crossentropy", "gaussian", 0},
    {"categorical_crossentropy", "softmax", 0},    {"binary_crossentropy", "softmax", 0},
};

/* A single softmax output is 1: with another target the binary loss is infinite, and no slope. */
static bool is_infinite(const struct pair *pair, size_t units, size_t targets)
{
    return units == 1 && strcmp(pair->activation, "softmax") == 0 &&
           strcmp(pair->cost, "binary_crossentropy") == 0 && targets != 1;
}

START_TEST(entropy_slopes_are_the_formulas_and_the_backward_pass)
{
    const struct pair *pair = &pairs[_i];
    const gck_choice cost = cost_named(pair->cost);
    gck_choice choice = activation_named(pair->activation);
    if (pair->c != 0) choice = with_option(choice, "c", pair->c);
    for (size_t units = 1; units <= UNITS_MAX; units++)
        for (size_t targets = 0; targets < TARGET_KINDS; targets++) {
            batch b;
            batch_fill(&b, choice, units, targets);
            if (!is_infinite(pair, units, targets)) compare_batch(&cost, &b);
        }
}
END_TEST

/* Multiples of 2^-20 below 2^6, and the same with 2^20 added: differences are the same. */
START_TEST(softmax_slopes_know_only_differences)
{
    const char *const names[] = {"categorical_crossentropy", "binary_crossentropy"};
    const gck_choice cost = cost_named(names[_i]);
    double slope[2][UNITS_MAX * SAMPLES];
    for (size_t targets = 0; targets < TARGET_KINDS; targets++)
        for (int shifted = 0; shifted < 2; shifted++) {
            batch b;
            batch_fill(&b, activation_named("softmax"), 9, targets);
            const gck_outputs outputs = outputs_of(&b);
            for (size_t i = 0; i < 9 * SAMPLES; i++)
                b.z[i] = floor(uniform(5, i) * 0x1p26) * 0x1p-20 + (shifted ? 0x1p20 : 0);
            gck_cost_exact_of(&cost, &b.activation)->slopes(&outputs, b.y, slope[shifted]);
            if (shifted) assert_same_bits(slope[1], slope[0], 9 * SAMPLES, names[_i]);
        }
}
END_TEST

/* The derivative of -2 ln|z|; other terms are z^2 / 2 of it, at most 1e-18. Infinite at 0 alone,
 * and nothing where the target is 1. */
START_TEST(gaussian_slopes_near_0)
{
    const double sizes[] = {0x1p-1020, 1e-300, 1e-170, 1e-154, 1e-91, 1e-20, 1e-9, 9.9e-9};
    const gck_choice cost = cost_named("binary_crossentropy");
    for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
        const double z = i & 1 ? -sizes[i / 2] : sizes[i / 2];
        const gck_choice choice = activation_named("gaussian");
        const gck_outputs outputs = {1, 1, NULL, &z, &choice};
        double slope;
        gck_cost_exact_of(&cost, &choice)->slopes(&outputs, (double[]){0}, &slope);
        assert_within(slope, -2 / (long double)z, FEW * ROUNDOFF * fabsl(2 / (long double)z),
                      "at %a", z);
        gck_cost_exact_of(&cost, &choice)->slopes(&outputs, (double[]){1}, &slope);
        assert_within(slope, 2 * (long double)z, FEW * ROUNDOFF * fabs(z) + LOST, "1 at %a", z);
    }
}
END_TEST

START_TEST(infinite_terms_are_silent_without_a_target)
{
    const gck_choice cost = cost_named("binary_crossentropy");
    const double z[] = {0, 0, -0.0}, y[] = {1, 0, 0};
    const gck_choice choice = activation_named("gaussian");
    const gck_outputs outputs = {3, 1, NULL, z, &choice};
    double slope[3];
    gck_cost_exact_of(&cost, &choice)->slopes(&outputs, y, slope);
    ck_assert(slope[0] == 0);
    ck_assert(slope[1] == -INFINITY && slope[2] == INFINITY);
}
END_TEST

/* The same operations on both sides, and a power of two. */
START_TEST(slopes_in_a_are_the_backward_pass)
{
    const gck_choice cost = cost_named((const char *const[]){"mse", "mae", "dot"}[_i]);
    const gck_choice choice = activation_named("linear");
    for (uint64_t i = 0; i < 10000; i++) {
        const double a = draw(i), y = i % 5 == 0 ? a : i % 5 == 1 ? 0 : uniform(6, i);
        const gck_outputs outputs = {1, 1, &a, NULL, NULL};
        double slope, want;
        gck_cost_exact_of(&cost, &choice)->slopes(&outputs, &y, &slope);
        gck_cost_row_of(&cost)->derivatives->delta(&outputs, &y, &want);
        ck_assert_msg(slope == want, "%s at y = %a, a = %a: %a, not %a", cost.item->name, y, a,
                      slope, want);
    }
}
END_TEST

SUITE_MAIN("exact", {the_table_is_tested_whole, 0}, {slopes_are_the_formulas, ACTIVATIONS},
           {slopes_agree_with_the_backward_pass, ACTIVATIONS},
           {slopes_on_kinks_are_the_conventions, COUNT(kinks)},
           {softmax_tangents_are_the_formula, 4},
           {softmax_tangents_agree_with_the_backward_pass, 4},
           {entropy_slopes_are_the_formulas_and_the_backward_pass, COUNT(pairs)},
           {softmax_slopes_know_only_differences, 2}, {gaussian_slopes_near_0, 0},
           {infinite_terms_are_silent_without_a_target, 0}, {slopes_in_a_are_the_backward_pass, 3})
