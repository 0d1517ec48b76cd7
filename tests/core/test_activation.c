/* Activations and their slopes against plain formulas in long double, and what they do where
 * doubles end. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>

#include "core/activation.h"
#include "core/derivatives.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double value_at(const gck_choice *choice, double z)
{
    double a;
    gck_activation_forward(choice, 1, 1, &z, &a);
    return a;
}

static double slope_at(const gck_choice *choice, double z)
{
    const double a = value_at(choice, z);
    double delta = 1;
    gck_activation_row_of(choice)->derivatives->chain(choice->option, 1, 1, &z, &a, &delta);
    return delta;
}

/* ---- accuracy ----
 *
 * Bounds in units of u, to first order; u is one rounding. glibc's manual gives exp, expm1, log1p,
 * atan and hypot at most 1 ulp = 2u, tanh 2 ulp. A sigmoid of t = c z costs 2 (exp) + 2 (the sum,
 * with what it inherits) + 1 (the quotient), and |t| for the rounding of t, whose condition is |t|
 * (1 - s) <= |t|. */

typedef long double bound(long double z, const double *option, long double want);

static long double exact(long double z, const double *option, long double want)
{
    return 0 * (z + option[0] + want);
}
static long double one(long double z, const double *option, long double want)
{
    return fabsl(want) + 0 * (z + option[0]);
}
static long double few(long double z, const double *option, long double want)
{
    return 6 * fabsl(want) + 0 * (z + option[0]);
}
static long double sigmoid_value(long double z, const double *option, long double want)
{
    return (fabsl(option[0] * z) + 5) * fabsl(want);
}
/* Two sigmoids and two products. */
static long double sigmoid_slope(long double z, const double *option, long double want)
{
    return (2 * fabsl(option[0] * z) + 12) * fabsl(want);
}
/* exp 2, 1 + e 2, its square 5, two products 1 each */
static long double tanh_slope(long double z, const double *option, long double want)
{
    return 9 * fabsl(want) + 0 * (z + option[0]);
}
/* s(z) (1 + z s(-z)) cancels near its zero: each s errs by 5, products and the sum by 1 each, of
 * absolute values. */
static long double slu_slope(long double z, const double *option, long double want)
{
    const long double s = 1 / (1 + expl(-z)), other = 1 / (1 + expl(z));
    return 13 * s * (1 + fabsl(z) * other) + 0 * (option[0] + want);
}
/* The rounding of z^2 has the condition z^2; exp 2, products 1 each. */
static long double gaussian_both(long double z, const double *option, long double want)
{
    return (z * z + 4) * fabsl(want) + 0 * option[0];
}

typedef struct accuracy {
    const char *name;
    const char *option; /* one to vary, or NULL */
    double varied;
    bound *value, *slope;
} accuracy;

static const accuracy accuracies[] = {
    {"linear", "k", -1.3, one, exact},
    {"sigmoid", "c", 0.7, sigmoid_value, sigmoid_slope},
    {"relu", NULL, 0, exact, exact},
    {"leaky_relu", "alpha", 0.3, one, exact},
    {"tanh", NULL, 0, few, tanh_slope}, /* 4 */
    {"elu", "alpha", 1.7, few, few},    /* 3 both: exp or expm1, product */
    {"selu", "alpha", 1.1, few, few},   /* 4 */
    {"selu", "scale", 0.9, few, few},   /* 4 */
    {"slu", NULL, 0, few, slu_slope},   /* 6: a sigmoid of an exact t, and the product */
    {"softplus", NULL, 0, few, few}, /* 2 exp, 2 log1p, 1 sum, all of positive terms; the slope 5 */
    {"softsign", NULL, 0, few, few}, /* 2; the slope 5 */
    {"bent_identity", NULL, 0, few,
     few}, /* 2 hypot, then 1 each: sum, quotient, product, sum; below z/2 <= want */
    {"gaussian", NULL, 0, gaussian_both, gaussian_both},
    {"arctan", NULL, 0, few, few}, /* 2; the slope 3 */
    {"piecewise_linear", "alpha", 0.6, one, one},
};

static gck_choice varied(const accuracy *row)
{
    const gck_choice choice = activation_named(row->name);
    return row->option == NULL ? choice : with_option(choice, row->option, row->varied);
}

/* Where a result underflows, each operation of it errs by half the smallest double; a factor of at
 * most |z| + 1 follows. */
static void compare_at(const accuracy *row, const gck_choice *choice, double z)
{
    const long double underflow = 4 * (fabsl((long double)z) + 1) * SMALLEST;
    const long double value = formula_value(choice, z), slope = formula_slope(choice, z);
    assert_within(value_at(choice, z), value,
                  row->value(z, choice->option, value) * ROUNDOFF + underflow, "%s(%a)", row->name,
                  z);
    assert_within(slope_at(choice, z), slope,
                  row->slope(z, choice->option, slope) * ROUNDOFF + underflow, "slope of %s(%a)",
                  row->name, z);
}

/* |z| from 2^-60 to 2^10, two hundred points in each sign, neither on a grid nor on a kink. */
START_TEST(values_and_slopes_are_the_formulas)
{
    const accuracy *row = &accuracies[_i];
    const gck_choice plain = activation_named(row->name), other = varied(row);
    for (int i = 0; i < 200; i++) {
        const double size = exp2(-60 + 70 * (i + 0.37) / 200);
        for (int sign = -1; sign <= 1; sign += 2) {
            compare_at(row, &plain, sign * size);
            compare_at(row, &other, sign * size);
        }
    }
}
END_TEST

START_TEST(the_table_is_tested_whole)
{
    for (size_t i = 0; i < gck_activations.count; i++) {
        const char *name = gck_activations.rows[i]->name;
        bool found = strcmp(name, "softmax") == 0;
        for (size_t row = 0; row < COUNT(accuracies); row++)
            found = found || strcmp(name, accuracies[row].name) == 0;
        ck_assert_msg(found, "%s has no test", name);
    }
    ck_assert_ptr_eq(gck_table_find(&gck_activations, "silu"), activation_named("slu").item);
    ck_assert_ptr_eq(gck_table_find(&gck_activations, "swish"), activation_named("slu").item);
}
END_TEST

/* ---- where doubles end ---- */

typedef struct limit {
    const char *name;
    double at_minus, at_plus;       /* f(-1e308), f(1e308) */
    double slope_minus, slope_plus; /* f' there */
    double at_zero;
} limit;

/* To within one rounding of the numbers given. */
static const limit limits[] = {
    {"linear", -1e308, 1e308, 1, 1, 0},
    {"sigmoid", 0, 1, 0, 0, 0.5},
    {"relu", 0, 1e308, 0, 1, 0},
    {"leaky_relu", -1e306, 1e308, 0.01, 1, 0},
    {"tanh", -1, 1, 0, 0, 0},
    {"elu", -1, 1e308, 0, 1, 0},
    {"selu", -1.0507009873554805 * 1.6732632423543772, 1.0507009873554805e308, 0,
     1.0507009873554805, 0},
    {"slu", 0, 1e308, 0, 1, 0},
    {"softplus", 0, 1e308, 0, 1, 0.69314718055994530942},
    {"softsign", -1, 1, 0, 0, 0},
    {"bent_identity", -0.5e308, 1.5e308, 0.5, 1.5, 0},
    {"gaussian", 0, 0, 0, 0, 1},
    {"arctan", -1.57079632679489661923, 1.57079632679489661923, 0, 0, 0},
    {"piecewise_linear", -1, 1, 0, 0, 0},
};

START_TEST(huge_inputs_give_the_limits)
{
    const limit *l = &limits[_i];
    const gck_choice choice = activation_named(l->name);
    /* 1/(1 + |z|)^2 and the like are not 0 but underflow. */
    assert_within(value_at(&choice, -1e308), l->at_minus, 2 * ROUNDOFF * fabs(l->at_minus) + 1e-307,
                  "%s(-1e308)", l->name);
    assert_within(value_at(&choice, 1e308), l->at_plus, 2 * ROUNDOFF * fabs(l->at_plus) + 1e-307,
                  "%s(1e308)", l->name);
    assert_within(slope_at(&choice, -1e308), l->slope_minus, 2 * ROUNDOFF, "slope of %s(-1e308)",
                  l->name);
    assert_within(slope_at(&choice, 1e308), l->slope_plus, 2 * ROUNDOFF, "slope of %s(1e308)",
                  l->name);
}
END_TEST

START_TEST(every_finite_input_gives_finite_results)
{
    const double inputs[] = {1000,      1e6,       1e100, 1e154, 1e200, 1e308, DBL_MIN,
                             0x1p-1074, 0x1p-1030, 709.8, 745.2, 36.8,  1,     0};
    for (size_t a = 0; a < gck_activations.count; a++) {
        const gck_choice choice = gck_choice_default(gck_activations.rows[a]);
        for (size_t i = 0; i < COUNT(inputs); i++)
            for (int sign = -1; sign <= 1; sign += 2) {
                const double z = sign * inputs[i];
                ck_assert_msg(isfinite(value_at(&choice, z)), "%s(%g)", choice.item->name, z);
                ck_assert_msg(isfinite(slope_at(&choice, z)), "slope of %s(%g)", choice.item->name,
                              z);
            }
    }
}
END_TEST

/* Near 0 each is f(0) + f'(0) z, up to f''/2 z^2, far below what z = 2^-1074 can show; tails and
 * all. */
START_TEST(tiny_inputs_are_linear)
{
    const limit *l = &limits[_i];
    const gck_choice choice = activation_named(l->name);
    const double tiny[] = {0.0, -0.0, 0x1p-1074, -0x1p-1074, 0x1.8p-1040, -0x1.8p-1040};
    for (size_t i = 0; i < COUNT(tiny); i++) {
        const long double want = l->at_zero + formula_slope(&choice, tiny[i]) * tiny[i];
        assert_within(value_at(&choice, tiny[i]), want, 2 * ROUNDOFF * fabsl(want) + SMALLEST,
                      "%s(%a)", l->name, tiny[i]);
    }
}
END_TEST

START_TEST(not_a_number_stays_so)
{
    for (size_t i = 0; i < gck_activations.count; i++) {
        const gck_choice choice = gck_choice_default(gck_activations.rows[i]);
        const double z[] = {NAN, 1, -1, NAN, 2, 3}; /* two units, three samples */
        double a[6];
        gck_activation_forward(&choice, 2, 3, z, a);
        ck_assert_msg(isnan(a[0]) && isnan(a[3]), "%s(NaN)", choice.item->name);
        ck_assert_msg(isfinite(a[1]) && isfinite(a[2]), "%s beside NaN", choice.item->name);
    }
}
END_TEST

/* ---- kinks ---- */

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
    {"softsign", NULL, 0, 0, 1},
};

START_TEST(slopes_on_kinks_are_the_conventions)
{
    const kink *k = &kinks[_i];
    gck_choice choice = activation_named(k->name);
    if (k->option != NULL) choice = with_option(choice, k->option, k->value);
    ck_assert(slope_at(&choice, k->z) == k->slope);
    if (k->z == 0) ck_assert(slope_at(&choice, -0.0) == k->slope);
}
END_TEST

SUITE_MAIN("activation", {values_and_slopes_are_the_formulas, COUNT(accuracies)},
           {the_table_is_tested_whole, 0}, {huge_inputs_give_the_limits, COUNT(limits)},
           {every_finite_input_gives_finite_results, 0}, {tiny_inputs_are_linear, COUNT(limits)},
           {not_a_number_stays_so, 0}, {slopes_on_kinks_are_the_conventions, COUNT(kinks)})
