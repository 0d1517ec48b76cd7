/* Norms and the distances made of them. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <math.h>

/* ---- norms ---- */

START_TEST(norms_neither_overflow_nor_underflow)
{
    const double scales[] = {1, 0x1p-1000, 0x1p+1000, 0x1p-1060, 0x1p+1020, 0x1p-1072};
    for (size_t i = 0; i < COUNT(scales); i++) {
        const double s = scales[i], a[] = {3 * s, 0, -4 * s}, b[] = {0, 0, -4 * s};
        ck_assert(gck_vector_norm(a, 3) == 5 * s);
        ck_assert(gck_vector_distance(a, b, 3) == 3 * s);
        ck_assert(gck_norm_join(3 * s, 4 * s) == 5 * s);
    }
    ck_assert(gck_vector_norm(NULL, 0) == 0);
    const double zeros[] = {0, -0.0};
    ck_assert(gck_vector_norm(zeros, 2) == 0);
}
END_TEST

/* n squares and a root: relative error n/2 + 2 roundings. */
START_TEST(norms_are_the_formula)
{
    enum { LENGTH = 1000 };
    double values[LENGTH];
    long double sum = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        values[i] = sin((double)i) * exp((double)(i % 7));
        sum += (long double)values[i] * values[i];
    }
    assert_within(gck_vector_norm(values, LENGTH), sqrtl(sum),
                  (LENGTH / 2 + 2) * ROUNDOFF * sqrtl(sum), "norm");
}
END_TEST

START_TEST(norms_keep_what_is_not_finite)
{
    const double infinite[] = {1, -INFINITY, 2}, unknown[] = {INFINITY, 1, NAN};
    ck_assert(gck_vector_norm(infinite, 3) == INFINITY);
    ck_assert(isnan(gck_vector_norm(unknown, 3)));
    ck_assert(isnan(gck_vector_distance(infinite, infinite, 3)));
    ck_assert(isnan(gck_norm_join(INFINITY, NAN)));
    ck_assert(isnan(gck_norm_join(NAN, INFINITY)));
    ck_assert(gck_norm_join(INFINITY, 1) == INFINITY);
}
END_TEST

/* ---- distances ---- */

static double distance_of(double numeric, double analytic)
{
    const gck_norms norms = {.difference = gck_vector_distance(&numeric, &analytic, 1),
                             .numeric = fabs(numeric),
                             .analytic = fabs(analytic)};
    return gck_distance(&norms);
}

/* From the smallest to the largest powers of two, so that 3g is exact: |3g - g| / (3|g| + |g|) is a
 * half. */
START_TEST(distances_hold_over_the_whole_range)
{
    const double scales[] = {1, 0x1p-664, 0x1p+664, 0x1p-1000, 0x1p-1074, 0x1p-1070, 0x1p+1022};
    for (size_t i = 0; i < COUNT(scales); i++) {
        const double g = scales[i];
        ck_assert_msg(distance_of(g, 0) == 1, "%a against 0: %g", g, distance_of(g, 0));
        ck_assert_msg(distance_of(0, -g) == 1, "0 against %a: %g", -g, distance_of(0, -g));
        ck_assert_msg(distance_of(g, g) == 0, "%a against itself: %g", g, distance_of(g, g));
        ck_assert_msg(distance_of(3 * g, g) == 0.5, "3 x %a: %g", g, distance_of(3 * g, g));
    }
    ck_assert(distance_of(0, 0) == 0);
    ck_assert(distance_of(1, -1) == 1);
}
END_TEST

START_TEST(distances_that_are_no_number_stay_so)
{
    ck_assert(isnan(distance_of(NAN, 1)));
    ck_assert(isnan(distance_of(1, NAN)));
    ck_assert(isnan(distance_of(NAN, 0)));
    ck_assert(!(distance_of(INFINITY, 1) <= 1));
    ck_assert(!(distance_of(INFINITY, INFINITY) <= 1));
}
END_TEST

START_TEST(joined_norms_are_those_of_both_vectors)
{
    const gck_norms a = {3, 5, 8, 20, 7, 12}, b = {4, 12, 15, 21, 24, 35};
    const gck_norms joined = gck_norms_join(&a, &b);
    ck_assert(joined.analytic == 5 && joined.numeric == 13 && joined.difference == 17);
    ck_assert(joined.exact == 29 && joined.refined == 25 && joined.bar == 37);
}
END_TEST

/* Three ratios of one set of norms. */
START_TEST(distances_differ_in_what_they_compare)
{
    const gck_norms norms = {
        .analytic = 3, .numeric = 5, .difference = 2, .exact = 1, .refined = 2, .bar = 1};
    ck_assert(gck_distance(&norms) == 0.25);
    ck_assert(gck_refined_distance(&norms) == 0.5);
    ck_assert(gck_error_bar(&norms) == 0.25);
    const gck_norms zero = {0}, bar_alone = {.bar = 1e-20};
    ck_assert(gck_distance(&zero) == 0 && gck_refined_distance(&zero) == 0);
    ck_assert(gck_error_bar(&zero) == 0 && gck_error_bar(&bar_alone) == INFINITY);
}
END_TEST

SUITE_MAIN("norms", {norms_neither_overflow_nor_underflow, 0}, {norms_are_the_formula, 0},
           {norms_keep_what_is_not_finite, 0}, {distances_hold_over_the_whole_range, 0},
           {distances_that_are_no_number_stay_so, 0}, {joined_norms_are_those_of_both_vectors, 0},
           {distances_differ_in_what_they_compare, 0})
