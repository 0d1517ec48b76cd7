/* Costs: losses and their derivatives against plain formulas in long double, and at logits where
 * those need care. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>

#include "core/cost.h"
#include "core/derivatives.h"

#include <math.h>
#include <string.h>

enum { UNITS = 4, SAMPLES = 70 };

/* The outputs of a last layer, feature-major, with targets whose rows do not sum to 1. */
typedef struct batch {
    size_t units, samples;
    double z[UNITS * SAMPLES], a[UNITS * SAMPLES], y[UNITS * SAMPLES];
    gck_choice activation;
} batch;

static gck_outputs outputs_of(const batch *b)
{
    return (gck_outputs){b->units, b->samples, b->a, b->z, &b->activation};
}

/* Logits up to `size`, some of them equal; targets in [0, 1] with both ends among them. */
static void batch_fill(batch *b, gck_choice choice, size_t units, double size)
{
    *b = (batch){.units = units, .samples = SAMPLES, .activation = choice};
    for (size_t i = 0; i < units * SAMPLES; i++) {
        const double target = 0.5 + 0.8 * sin(2.0 + 5.0 * (double)i);
        b->z[i] = i % 13 == 0 ? size / 3 : size * sin(1.0 + 7.0 * (double)i);
        b->y[i] = fmax(0, fmin(1, target));
    }
    gck_activation_forward(&b->activation, units, SAMPLES, b->z, b->a);
}

typedef struct sample {
    size_t units;
    long double z[UNITS], a[UNITS];
    double y[UNITS];
    long double spread; /* the largest |z_i - z_j|, or |z_i|, scaled as the activation does */
} sample;

static sample sample_at(const batch *b, size_t k)
{
    sample s = {.units = b->units};
    const bool is_sigmoid = strcmp(b->activation.item->name, "sigmoid") == 0;
    const long double scale = is_sigmoid ? fabs(b->activation.option[0]) : 1;
    for (size_t j = 0; j < s.units; j++) {
        s.z[j] = b->z[j * b->samples + k];
        s.y[j] = b->y[j * b->samples + k];
        s.spread = fmaxl(s.spread, 2 * scale * fabsl(s.z[j]));
    }
    formula_activate(&b->activation, s.units, s.z, s.a);
    return s;
}

/* ---- values ---- */

/* For one sample. A surprise -ln a is a difference of logits, whose rounding is u * spread at most
 * twice, and logarithms of sums of exponentials: 2 each for exp and log (glibc: 1 ulp), UNITS for
 * the sum, and what the exponents bring, spread again. Products with y and the sum of UNITS terms
 * are relative. A gaussian's z^2 rounds by u relative. */
static long double loss_bound(const sample *s, long double loss)
{
    const long double units = (long double)s->units;
    return ROUNDOFF * ((units + 12) * fabsl(loss) + units * (4 * s->spread + units + 16));
}

static void compare_losses(const gck_choice *cost, const batch *b)
{
    double loss[SAMPLES];
    const gck_outputs outputs = outputs_of(b);
    gck_cost_losses(cost, &outputs, b->y, loss);
    for (size_t k = 0; k < b->samples; k++) {
        const sample s = sample_at(b, k);
        const long double want = formula_loss(cost, &b->activation, s.units, s.z, s.y);
        assert_within(loss[k], want, loss_bound(&s, want), "%s on %s, sample %zu", cost->item->name,
                      b->activation.item->name, k);
    }
}

/* ---- derivatives in z of the cross-entropies, in a of the others ---- */

/* dL/da; 1 - a is a sum of the others' shares, so that it keeps its digits */
static long double slope_in_a(const gck_choice *cost, const sample *s, size_t j,
                              long double complement)
{
    const bool binary = strcmp(cost->item->name, "binary_crossentropy") == 0;
    const long double y = s->y[j];
    return -(y == 0 ? 0 : y / s->a[j]) + (binary && y < 1 ? (1 - y) / complement : 0);
}

static long double complement_of(const batch *b, const sample *s, size_t j)
{
    const char *name = b->activation.item->name;
    if (strcmp(name, "sigmoid") == 0) return 1 / (1 + expl(b->activation.option[0] * s->z[j]));
    if (strcmp(name, "gaussian") == 0) return -expm1l(-s->z[j] * s->z[j]);
    long double sum = 0;
    for (size_t i = 0; i < s->units; i++)
        sum += i == j ? 0 : s->a[i];
    return sum;
}

/* dL/dz_j, and the sum of the absolute values of its terms. */
static long double delta_of(const gck_choice *cost, const batch *b, const sample *s, size_t j,
                            long double *ret_size)
{
    long double delta = 0, size = 0;
    const bool coupled = strcmp(b->activation.item->name, "softmax") == 0;
    for (size_t i = 0; i < s->units; i++) {
        const long double complement = complement_of(b, s, i);
        const long double in_a = slope_in_a(cost, s, i, complement);
        long double a_in_z = i == j && !coupled ? formula_slope(&b->activation, s->z[j]) : 0;
        if (coupled) a_in_z = i == j ? s->a[i] * complement : -s->a[i] * s->a[j];
        delta += in_a * a_in_z;
        size += (s->y[i] / s->a[i] + (in_a + s->y[i] / s->a[i])) * fabsl(a_in_z);
    }
    *ret_size = size;
    return delta;
}

/* Each term is a product of at most four quantities, each with the relative error of an exponential
 * of a rounded argument (spread + 4) or of a sum of UNITS of them; a gaussian's expm1(z^2) has the
 * condition z^2 + 1, and spread = 2|z|. */
static void compare_deltas(const gck_choice *cost, const batch *b)
{
    double delta[UNITS * SAMPLES];
    const gck_outputs outputs = outputs_of(b);
    gck_cost_row_of(cost)->derivatives->delta(&outputs, b->y, delta);
    for (size_t k = 0; k < b->samples; k++) {
        const sample s = sample_at(b, k);
        for (size_t j = 0; j < s.units; j++) {
            long double size;
            const long double want = delta_of(cost, b, &s, j, &size);
            const long double units = (long double)s.units, z2 = s.z[j] * s.z[j];
            assert_within(delta[j * b->samples + k], want,
                          ROUNDOFF * (4 * (s.spread + units + 6) + z2) * size + 16 * SMALLEST,
                          "delta of %s on %s, sample %zu unit %zu", cost->item->name,
                          b->activation.item->name, k, j);
        }
    }
}

typedef struct entropy_case {
    const char *activation;
    double c; /* of sigmoid */
    size_t units;
    double size; /* of the logits */
} entropy_case;

static const entropy_case entropy_cases[] = {
    {"sigmoid", 1, 1, 5},     {"sigmoid", 1, 4, 30}, {"sigmoid", 0.295, 3, 8},
    {"sigmoid", 3.5, 2, 8},   {"sigmoid", -2, 2, 5}, {"sigmoid", 1, 4, 1000},
    {"softmax", 0, 2, 5},     {"softmax", 0, 4, 5},  {"softmax", 0, 3, 40},
    {"softmax", 0, 4, 1000},  {"gaussian", 0, 1, 3}, {"gaussian", 0, 3, 2},
    {"gaussian", 0, 2, 0.01},
};

START_TEST(cross_entropies_are_the_formulas)
{
    const entropy_case *e = &entropy_cases[_i];
    const gck_choice costs[] = {cost_named("binary_crossentropy"),
                                cost_named("categorical_crossentropy")};
    gck_choice choice = activation_named(e->activation);
    if (e->c != 0) choice = with_option(choice, "c", e->c);
    batch b;
    batch_fill(&b, choice, e->units, e->size);
    for (size_t i = 0; i < COUNT(costs); i++) {
        compare_losses(&costs[i], &b);
        compare_deltas(&costs[i], &b);
    }
}
END_TEST

/* dL/da of mse, mae and dot takes one rounding of a - y at most; 2 is exact. */
START_TEST(plain_costs_are_the_formulas)
{
    const char *const names[] = {"mse", "mae", "dot"};
    batch b;
    batch_fill(&b, activation_named("linear"), UNITS, 3);
    for (size_t i = 0; i < COUNT(names); i++) {
        const gck_choice cost = cost_named(names[i]);
        compare_losses(&cost, &b);
        const gck_outputs outputs = outputs_of(&b);
        double delta[UNITS * SAMPLES];
        gck_cost_row_of(&cost)->derivatives->delta(&outputs, b.y, delta);
        for (size_t e = 0; e < UNITS * SAMPLES; e++) {
            const long double r = (long double)b.a[e] - b.y[e];
            const long double want[] = {2 * r, (r > 0) - (r < 0), b.y[e]};
            assert_within(delta[e], want[i], ROUNDOFF * fabsl(want[i]), "%s", names[i]);
        }
    }
}
END_TEST

START_TEST(mae_is_flat_on_its_kink)
{
    const double a[] = {0.25, -1};
    const gck_choice cost = cost_named("mae");
    const gck_outputs outputs = {.units = 2, .samples = 1, .a = a};
    double delta[2];
    gck_cost_row_of(&cost)->derivatives->delta(&outputs, a, delta);
    ck_assert(delta[0] == 0 && delta[1] == 0);
}
END_TEST

SUITE_MAIN("cost", {cross_entropies_are_the_formulas, COUNT(entropy_cases)},
           {plain_costs_are_the_formulas, 0}, {mae_is_flat_on_its_kink, 0})
