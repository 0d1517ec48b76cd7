/* Distances, verdicts and lists of worst elements, from plain numbers. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- distance and verdict ---- */

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

/* Opposite gradients near the end of the range: their difference is no double, and what cannot be
 * judged does not pass. */
START_TEST(a_difference_beyond_the_range_does_not_pass)
{
    const double huge[] = {1e308, DBL_MAX};
    for (size_t i = 0; i < COUNT(huge); i++) {
        const double analytic[] = {huge[i]}, numeric[] = {-huge[i]};
        gck_tensor_report t = {.count = 1, .analytic = analytic, .numeric = numeric};
        gck_error error;
        assert_ok(gck_tensor_judge(&t, 1e-8, 0, &error), &error);
        free(t.worst);
        ck_assert_int_eq(t.verdict, GCK_INCONCLUSIVE);
    }
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

START_TEST(not_a_number_never_passes)
{
    ck_assert_int_eq(gck_verdict_of(0, 0), GCK_PASS);
    ck_assert_int_eq(gck_verdict_of(1e-8, 1e-8), GCK_PASS);
    ck_assert_int_eq(gck_verdict_of(nextafter(1e-8, 1), 1e-8), GCK_INCONCLUSIVE);
    ck_assert_int_ne(gck_verdict_of(NAN, 1e-8), GCK_PASS);
    ck_assert_int_ne(gck_verdict_of(0, NAN), GCK_PASS);
    ck_assert_int_ne(gck_verdict_of(INFINITY, 1), GCK_PASS);
}
END_TEST

START_TEST(joined_norms_are_those_of_both_vectors)
{
    const gck_norms a = {3, 5, 8}, b = {4, 12, 15}, joined = gck_norms_join(&a, &b);
    ck_assert(joined.difference == 5 && joined.numeric == 13 && joined.analytic == 17);
}
END_TEST

START_TEST(tolerance_is_epsilon_squared_but_not_too_small)
{
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-4) == 1e-4 * 1e-4);
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-2) == 1e-2 * 1e-2);
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-6) == 1e-11);
    ck_assert_str_eq(gck_method_name(GCK_CENTRAL), "central");
    ck_assert_str_eq(gck_verdict_name(GCK_PASS), "pass");
    ck_assert_str_eq(gck_verdict_name(GCK_INCONCLUSIVE), "inconclusive");
    ck_assert_str_eq(gck_verdict_name(GCK_FAIL), "fail");
}
END_TEST

/* ---- a tensor ---- */

enum { LENGTH = 8 };

static gck_tensor_report judged(const double *analytic, const double *numeric, size_t count,
                                double tolerance, size_t worst)
{
    gck_error error;
    gck_tensor_report t = {.name = "W",
                           .shape = {1, {count}},
                           .count = count,
                           .analytic = analytic,
                           .numeric = numeric};
    assert_ok(gck_tensor_judge(&t, tolerance, worst, &error), &error);
    return t;
}

START_TEST(the_worst_come_first)
{
    const double analytic[LENGTH] = {1, 1, 1, 1, 1, 1, 1, 1};
    const double numeric[LENGTH] = {1, 1.5, 0.5, 3, 1, 1.25, 1.5, -1};
    const size_t order[LENGTH] = {3, 7, 1, 2, 6, 5, 0, 4}; /* of equals the earlier first */
    for (size_t limit = 0; limit <= LENGTH + 1; limit++) {
        gck_tensor_report t = judged(analytic, numeric, LENGTH, 1e-8, limit);
        ck_assert_uint_eq(t.worst_count, limit < LENGTH ? limit : LENGTH);
        for (size_t i = 0; i < t.worst_count; i++) {
            const gck_element *e = &t.worst[i];
            ck_assert_uint_eq(e->index, order[i]);
            ck_assert(e->analytic == analytic[e->index] && e->numeric == numeric[e->index]);
            ck_assert(e->absolute_error == fabs(e->numeric - e->analytic));
            ck_assert(e->relative_error == e->absolute_error / fmax(1, fabs(e->numeric)));
            ck_assert_int_eq(e->verdict, e->absolute_error > 0 ? GCK_INCONCLUSIVE : GCK_PASS);
        }
        ck_assert(t.max_absolute_error == 2 && t.max_relative_error == 2);
        free(t.worst);
    }
}
END_TEST

START_TEST(not_a_number_is_worst_of_all)
{
    const double analytic[LENGTH] = {1, 1, NAN, 1, 1, 1, 1, 1};
    const double numeric[LENGTH] = {1, 2, 1, 1, INFINITY, NAN, 1, 1};
    gck_tensor_report t = judged(analytic, numeric, LENGTH, 1e-8, 4);
    const size_t order[] = {2, 5, 4, 1};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(t.worst[i].index, order[i]);
        ck_assert_int_ne(t.worst[i].verdict, GCK_PASS);
    }
    ck_assert(isnan(t.distance) && isnan(t.max_absolute_error) && isnan(t.max_relative_error));
    ck_assert_int_ne(t.verdict, GCK_PASS);
    free(t.worst);
}
END_TEST

START_TEST(two_zero_gradients_agree)
{
    const double zeros[LENGTH] = {0};
    gck_tensor_report t = judged(zeros, zeros, LENGTH, 0, 1);
    ck_assert(t.distance == 0 && t.max_relative_error == 0);
    ck_assert_int_eq(t.verdict, GCK_PASS);
    ck_assert_int_eq(t.worst[0].verdict, GCK_PASS);
    free(t.worst);
}
END_TEST

/* One element is off by a tenth; its verdict must not hang on the size of the numbers. */
START_TEST(elements_are_judged_over_the_whole_range)
{
    const double scales[] = {1, 1e-200, 1e200, 1e-290, 1.5e308};
    for (size_t i = 0; i < COUNT(scales); i++) {
        const double analytic[] = {scales[i], -scales[i]},
                     numeric[] = {scales[i], -0.9 * scales[i]};
        gck_tensor_report t = judged(analytic, numeric, 2, 1e-8, 2);
        ck_assert_uint_eq(t.worst[0].index, 1);
        ck_assert_msg(t.worst[0].verdict == GCK_INCONCLUSIVE, "an error of %g passes",
                      t.worst[0].absolute_error);
        ck_assert_int_eq(t.worst[1].verdict, GCK_PASS);
        assert_within(t.worst[0].relative_error, 0.1L, 4 * ROUNDOFF, "relative error");
        ck_assert_int_eq(t.verdict, GCK_INCONCLUSIVE);
        free(t.worst);
    }
}
END_TEST

/* The distance of 1 and 1.1 in two elements, by hand: 0.1 sqrt 2 / (sqrt 2 + 1.1 sqrt 2) = 1/21. */
START_TEST(a_tensors_distance_is_that_of_its_norms)
{
    const double analytic[] = {1, -1}, numeric[] = {1.1, -1.1};
    gck_tensor_report t = judged(analytic, numeric, 2, 1e-8, 0);
    /* 1.1 - 1 carries the rounding of 1.1, u relative to 1.1, against 0.1 */
    assert_within(t.distance, 1 / 21.0L, (11 + 8) * ROUNDOFF / 21, "distance");
    ck_assert_uint_eq(t.worst_count, 0);
    free(t.worst);
    gck_report_free(NULL);
}
END_TEST

SUITE_MAIN("verdict", {norms_neither_overflow_nor_underflow, 0}, {norms_are_the_formula, 0},
           {norms_keep_what_is_not_finite, 0}, {distances_hold_over_the_whole_range, 0},
           {a_difference_beyond_the_range_does_not_pass, 0},
           {distances_that_are_no_number_stay_so, 0}, {not_a_number_never_passes, 0},
           {joined_norms_are_those_of_both_vectors, 0},
           {tolerance_is_epsilon_squared_but_not_too_small, 0}, {the_worst_come_first, 0},
           {not_a_number_is_worst_of_all, 0}, {two_zero_gradients_agree, 0},
           {elements_are_judged_over_the_whole_range, 0},
           {a_tensors_distance_is_that_of_its_norms, 0})
