/* Two sets of gradients without a model: verdicts, and what a wrong one looks like. */
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/compare.h>

#include <math.h>
#include <string.h>

enum { ROWS = 6, COLUMNS = 5, ELEMENTS = ROWS * COLUMNS };

struct pair {
    gck_compared tensor;
    double claimed[ELEMENTS], reference[ELEMENTS], parameters[ELEMENTS];
};

static struct pair pair_of(size_t rows, size_t columns)
{
    struct pair pair = {.tensor = {.name = "W", .shape = {2, {rows, columns}}}};
    pair.tensor.count = rows * columns;
    for (size_t i = 0; i < pair.tensor.count; i++) {
        pair.reference[i] = sin(1.7 * (double)i + 1) + 0.01;
        pair.parameters[i] = cos(2.3 * (double)i);
        pair.claimed[i] = pair.reference[i];
    }
    return pair;
}

static gck_comparison *compared(struct pair *pair, gck_dtype dtype, bool parameters)
{
    gck_comparison *comparison;
    gck_error error;
    pair->tensor.claimed = pair->claimed;
    pair->tensor.reference = pair->reference;
    pair->tensor.parameters = parameters ? pair->parameters : NULL;
    const gck_compare_spec spec = {1, &pair->tensor, dtype, NAN, 5};
    ck_assert_int_eq(gck_comparison_new(&spec, &comparison, &error), GCK_OK);
    return comparison;
}

static void passes(struct pair *pair, gck_dtype dtype)
{
    gck_comparison *comparison = compared(pair, dtype, false);
    ck_assert_int_eq(comparison->verdict, GCK_PASS);
    ck_assert_uint_eq(comparison->findings.count, 0);
    gck_comparison_free(comparison);
}

/* Fails with one finding, whose first number this is. */
static void found(struct pair *pair, bool parameters, gck_finding_code code, double number)
{
    gck_comparison *comparison = compared(pair, GCK_FLOAT64, parameters);
    ck_assert_int_eq(comparison->verdict, GCK_FAIL);
    ck_assert_uint_eq(comparison->findings.count, 1);
    const gck_finding *finding = &comparison->findings.finding[0];
    ck_assert_msg(finding->mistake.code == code, "%s", finding->message);
    ck_assert_uint_eq(finding->mistake.layer, GCK_FINDING_NO_LAYER);
    ck_assert_str_eq(finding->mistake.tensor, "W");
    ck_assert_double_eq_tol(finding->evidence[0].number, number, 1e-9 * fabs(number));
    ck_assert(strncmp(finding->message, "W ", 2) == 0);
    gck_comparison_free(comparison);
}

static double distance_of(const struct pair *pair)
{
    const size_t count = pair->tensor.count;
    return gck_vector_distance(pair->claimed, pair->reference, count) /
           (gck_vector_norm(pair->claimed, count) + gck_vector_norm(pair->reference, count));
}

START_TEST(the_same_numbers_pass)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    passes(&pair, GCK_FLOAT64);
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] *= 1 + 1e-8;
    passes(&pair, GCK_FLOAT64);
    pair.claimed[3] *= 1 + 1e-6;
    passes(&pair, GCK_FLOAT32);
    found(&pair, false, GCK_FINDING_ELEMENTS, 1);
}
END_TEST

START_TEST(the_tolerance_is_the_dtypes)
{
    static const double tolerances[] = {1e-8, 1e-6, 4e-3, 3e-2};
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (int dtype = GCK_FLOAT64; dtype <= GCK_BFLOAT16; dtype++) {
        gck_comparison *comparison = compared(&pair, (gck_dtype)dtype, false);
        ck_assert_double_eq(comparison->tolerance, tolerances[dtype]);
        gck_comparison_free(comparison);
    }
}
END_TEST

START_TEST(one_factor)
{
    static const double factors[] = {2, 0.5, 100, 0.01, -2, 1.001};
    for (size_t i = 0; i < COUNT(factors); i++) {
        struct pair pair = pair_of(ROWS, COLUMNS);
        for (size_t k = 0; k < ELEMENTS; k++)
            pair.claimed[k] *= factors[i];
        found(&pair, false, GCK_FINDING_SCALED, factors[i]);
    }
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (size_t k = 0; k < ELEMENTS; k++)
        pair.claimed[k] *= -1;
    found(&pair, false, GCK_FINDING_SIGN_FLIPPED, -1);
}
END_TEST

/* What is said of a factor is no more than it may be. */
START_TEST(factors_are_hinted_at)
{
    static const struct {
        double factor;
        const char *said;
    } cases[] = {
        {2,
         "W is 2 times the reference, as if it were added up twice, or the 1/2 of a squared "
         "error were missing"},
        {0.5,
         "W is 0.5 times the reference, as if the factor 2 of a square's derivative were "
         "missing"},
        {100,
         "W is 100 times the reference: if that is the batch size, or the number of outputs, "
         "a mean is missing"},
        {0.01,
         "W is 0.01 times the reference: if that is 1 over the batch size, or over the "
         "number of outputs, a mean is taken twice"},
        {1.3, "W is 1.3 times the reference"},
        {12345678.5, "W is 12345678 times the reference"},
        {-3, "W is -3 times the reference, of the opposite sign"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair pair = pair_of(ROWS, COLUMNS);
        for (size_t k = 0; k < ELEMENTS; k++)
            pair.claimed[k] *= cases[i].factor;
        gck_comparison *comparison = compared(&pair, GCK_FLOAT64, false);
        ck_assert_str_eq(comparison->findings.finding[0].message, cases[i].said);
        gck_comparison_free(comparison);
    }
}
END_TEST

/* Of one number any other one is a multiple. */
START_TEST(one_element_shows_usual_factors_alone)
{
    struct pair pair = pair_of(1, 1);
    pair.claimed[0] *= 2;
    found(&pair, false, GCK_FINDING_SCALED, 2);
    pair.claimed[0] *= -0.5;
    found(&pair, false, GCK_FINDING_SIGN_FLIPPED, -1);
    pair.claimed[0] *= 1.37;
    found(&pair, false, GCK_FINDING_UNEXPLAINED, distance_of(&pair));
}
END_TEST

START_TEST(nothing_and_no_number)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    memset(pair.claimed, 0, sizeof pair.claimed);
    found(&pair, false, GCK_FINDING_ZERO, gck_vector_norm(pair.reference, ELEMENTS));
    pair.claimed[4] = NAN;
    pair.claimed[9] = INFINITY;
    found(&pair, false, GCK_FINDING_NON_FINITE, 2);
}
END_TEST

/* _i: square, or reshaped. */
START_TEST(turned_round)
{
    struct pair pair = pair_of(_i == 0 ? COLUMNS : ROWS, COLUMNS);
    const size_t rows = pair.tensor.shape.dim[0];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            pair.claimed[j * rows + i] = pair.reference[i * COLUMNS + j];
    found(&pair, false, GCK_FINDING_TRANSPOSED, (double)rows);
}
END_TEST

/* Numbers so small that they are as good as 0 are no multiple of anything, and not 0 either. */
START_TEST(next_to_nothing)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] = 5e-324;
    found(&pair, false, GCK_FINDING_UNEXPLAINED, distance_of(&pair));
}
END_TEST

START_TEST(weight_decay)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] += 0.02 * pair.parameters[i];
    found(&pair, true, GCK_FINDING_REGULARISATION, 1);
    found(&pair, false, GCK_FINDING_UNEXPLAINED, distance_of(&pair));
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] = 7 * pair.reference[i] + 0.02 * pair.parameters[i];
    found(&pair, true, GCK_FINDING_REGULARISATION, 7);
}
END_TEST

START_TEST(few_digits)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] = (double)(float)pair.claimed[i];
    found(&pair, false, GCK_FINDING_ROUNDED, 0x1p-24);
    passes(&pair, GCK_FLOAT32);
    for (size_t i = 0; i < ELEMENTS; i++) /* eight binary digits */
        pair.claimed[i] =
            ldexp(nearbyint(ldexp(pair.reference[i], 8 - ilogb(pair.reference[i]) - 1)),
                  ilogb(pair.reference[i]) + 1 - 8);
    found(&pair, false, GCK_FINDING_ROUNDED, 0x1p-8);
    passes(&pair, GCK_BFLOAT16);
}
END_TEST

/* Numbers that happen to have few digits say nothing of rounding, and what the dtype holds exactly
 * it leaves alone. */
START_TEST(few_digits_on_both_sides)
{
    struct pair pair = pair_of(1, 4);
    for (size_t i = 0; i < 4; i++)
        pair.claimed[i] = pair.reference[i] = (double)i + 1;
    pair.claimed[3] = 4.5;
    found(&pair, false, GCK_FINDING_ELEMENTS, 1);
    /* Beside numbers that were rounded. */
    pair.reference[0] = 1.1;
    pair.claimed[0] = 1.1015625;
    found(&pair, false, GCK_FINDING_UNEXPLAINED, distance_of(&pair));
    pair.claimed[3] = 4;
    found(&pair, false, GCK_FINDING_ROUNDED, 0x1p-8);
    /* Near by, but not the nearest number. */
    pair.claimed[0] = 1.125;
    found(&pair, false, GCK_FINDING_ELEMENTS, 1);
}
END_TEST

/* Computed in float throughout: a few units of rounding off, the nearest number only here and
 * there. */
START_TEST(few_digits_throughout)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    for (size_t i = 0; i < ELEMENTS; i++)
        pair.claimed[i] =
            (double)(float)(pair.reference[i] * (1 + (double)(i % 7) * 0x1p-24 - 0x3p-24));
    found(&pair, false, GCK_FINDING_ROUNDED, 0x1p-24);
    passes(&pair, GCK_FLOAT32);
}
END_TEST

START_TEST(single_elements)
{
    struct pair pair = pair_of(ROWS, COLUMNS);
    pair.claimed[7] += 1;
    pair.claimed[29] = 0;
    found(&pair, false, GCK_FINDING_ELEMENTS, 2);
    gck_comparison *comparison = compared(&pair, GCK_FLOAT64, false);
    ck_assert_ptr_nonnull(strstr(comparison->findings.finding[0].message, "at [1][2], [5][4]"));
    gck_comparison_free(comparison);
}
END_TEST

/* The verdict is each tensor's own: a small one is not lost beside a large one. */
START_TEST(each_tensor_by_itself)
{
    struct pair large = pair_of(ROWS, COLUMNS), small = pair_of(2, 2);
    for (size_t i = 0; i < 4; i++) {
        small.reference[i] *= 1e-9;
        small.claimed[i] = 2 * small.reference[i];
    }
    gck_compared tensors[] = {large.tensor, small.tensor};
    tensors[0].claimed = large.claimed, tensors[0].reference = large.reference;
    tensors[1].claimed = small.claimed, tensors[1].reference = small.reference;
    const gck_compare_spec spec = {2, tensors, GCK_FLOAT64, NAN, 5};
    gck_comparison *comparison;
    gck_error error;
    ck_assert_int_eq(gck_comparison_new(&spec, &comparison, &error), GCK_OK);
    ck_assert_int_eq(comparison->tensor[0].verdict, GCK_PASS);
    ck_assert_int_eq(comparison->tensor[1].verdict, GCK_FAIL);
    ck_assert_int_eq(comparison->verdict, GCK_FAIL);
    ck_assert_double_lt(comparison->distance, 1e-8);
    gck_comparison_free(comparison);
}
END_TEST

SUITE_MAIN("comparison", {the_same_numbers_pass, 0}, {the_tolerance_is_the_dtypes, 0},
           {one_factor, 0}, {factors_are_hinted_at, 0}, {one_element_shows_usual_factors_alone, 0},
           {nothing_and_no_number, 0}, {turned_round, 2}, {next_to_nothing, 0}, {weight_decay, 0},
           {few_digits, 0}, {few_digits_on_both_sides, 0}, {few_digits_throughout, 0},
           {single_elements, 0}, {each_tensor_by_itself, 0})
