/* Verdicts and lists of worst elements, from plain numbers. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- methods ---- */

START_TEST(tolerances_are_the_methods_own)
{
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-4) == 1e-4 * 1e-4);
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-2) == 1e-2 * 1e-2);
    ck_assert(gck_tolerance_default(GCK_CENTRAL, 1e-6) == 1e-11);
    ck_assert(gck_tolerance_default(GCK_FORWARD, 1e-4) == 1e-4);
    ck_assert(gck_tolerance_default(GCK_FORWARD, 1e-12) == 1e-11);
    for (int method = GCK_COMPLEX_STEP; method <= GCK_DIRECTIONAL; method++) {
        ck_assert(gck_tolerance_default((gck_method)method, 1e-2) == 1e-11);
        ck_assert(gck_tolerance_default((gck_method)method, NAN) == 1e-11);
    }
}
END_TEST

START_TEST(methods_and_verdicts_have_names)
{
    const char *const names[] = {"central", "forward", "complex_step", "ridders", "directional"};
    for (size_t i = 0; i < COUNT(names); i++)
        ck_assert_str_eq(gck_method_name((gck_method)i), names[i]);
    ck_assert_str_eq(gck_verdict_name(GCK_PASS), "pass");
    ck_assert_str_eq(gck_verdict_name(GCK_INCONCLUSIVE), "inconclusive");
    ck_assert_str_eq(gck_verdict_name(GCK_FAIL), "fail");
    ck_assert(GCK_PASS < GCK_INCONCLUSIVE && GCK_INCONCLUSIVE < GCK_FAIL);
}
END_TEST

/* ---- an element ---- */

static bool is_wrong(double exact, double analytic, double bar, double tolerance)
{
    return gck_element_verdict(exact, analytic, bar, tolerance) == GCK_FAIL;
}

static bool is_open(double exact, double analytic, double bar, double tolerance)
{
    return gck_element_verdict(exact, analytic, bar, tolerance) == GCK_INCONCLUSIVE;
}

/* |n - a| <= tolerance (|n| + |a|) + bar, in powers of two, so that the limit is met exactly. */
START_TEST(an_element_is_wrong_beyond_its_limit)
{
    const double scales[] = {1, 0x1p-900, 0x1p+1000, 0x1p-500};
    for (size_t i = 0; i < COUNT(scales); i++) {
        const double s = scales[i];
        ck_assert(!is_wrong(3 * s, s, 0, 0.5));
        ck_assert(is_wrong(3 * s, s, 0, nextafter(0.5, 0)));
        ck_assert(!is_wrong(3 * s, s, s, 0.25));
        ck_assert(is_wrong(3 * s, s, s * (1 - 0x1p-52), 0.25));
        ck_assert(is_wrong(-3 * s, 3 * s, 5 * s, 0));
        ck_assert(!is_wrong(-3 * s, 3 * s, 6 * s, 0));
        ck_assert(!is_wrong(s, s, 0, 0));
    }
    ck_assert(!is_wrong(0, -0.0, 0, 0));
    /* the smallest normal number is granted to all */
    ck_assert(!is_wrong(0, 0x1p-1022, 0, 0));
    ck_assert(is_wrong(0, 0x1.8p-1022, 0, 0));
}
END_TEST

START_TEST(not_a_number_is_wrong)
{
    const double tolerances[] = {0, 1e-8, 1};
    for (size_t i = 0; i < COUNT(tolerances); i++) {
        ck_assert(is_wrong(1, NAN, 1, tolerances[i]));
        ck_assert(is_wrong(NAN, NAN, 1, tolerances[i]));
        ck_assert(is_wrong(INFINITY, INFINITY, 0, tolerances[i]));
    }
    ck_assert(is_wrong(1, 1, 0, NAN));
}
END_TEST

/* Where the exact derivative or its bar overflows there is no judge. */
START_TEST(without_an_exact_derivative_nothing_is_concluded)
{
    ck_assert(is_open(NAN, 1, 1, 1e-8));
    ck_assert(is_open(INFINITY, 1, 0, 1e-8));
    ck_assert(is_open(1, 1, NAN, 1e-8));
    ck_assert(is_open(1, 2, INFINITY, 1e-8));
}
END_TEST

/* No tolerance makes up for an infinite error. */
START_TEST(an_infinite_gradient_is_wrong)
{
    const double tolerances[] = {0, 1e-11, 1e-8, 0.5};
    for (size_t i = 0; i < COUNT(tolerances); i++) {
        ck_assert(is_wrong(1, INFINITY, 0, tolerances[i]));
        ck_assert(is_wrong(1, -INFINITY, 1e-10, tolerances[i]));
        ck_assert(is_wrong(INFINITY, -INFINITY, 0, tolerances[i]));
        ck_assert(is_wrong(DBL_MAX, -DBL_MAX, 0, tolerances[i]));
    }
}
END_TEST

/* ---- a tensor ---- */

enum { LENGTH = 8 };

/* The numeric derivatives are the analytic ones, the bars 0. */
static gck_tensor_report judged(const double *analytic, const double *exact, size_t count,
                                double tolerance, size_t worst)
{
    static const double no_bar[LENGTH];
    gck_error error;
    ck_assert_uint_le(count, LENGTH);
    gck_tensor_report t = {.name = "W",
                           .shape = {1, {count}},
                           .count = count,
                           .analytic = analytic,
                           .numeric = analytic,
                           .exact = exact,
                           .bar = no_bar};
    assert_ok(gck_tensor_judge(&t, tolerance, worst, &error), &error);
    return t;
}

START_TEST(the_worst_come_first)
{
    const double analytic[LENGTH] = {1, 1, 1, 1, 1, 1, 1, 1};
    const double exact[LENGTH] = {1, 1.5, 0.5, 3, 1, 1.25, 1.5, -1};
    const size_t order[LENGTH] = {3, 7, 1, 2, 6, 5, 0, 4}; /* of equals the earlier first */
    for (size_t limit = 0; limit <= LENGTH + 1; limit++) {
        gck_tensor_report t = judged(analytic, exact, LENGTH, 1e-8, limit);
        ck_assert_uint_eq(t.worst_count, limit < LENGTH ? limit : LENGTH);
        for (size_t i = 0; i < t.worst_count; i++) {
            const gck_element *e = &t.worst[i];
            ck_assert_uint_eq(e->index, order[i]);
            ck_assert(e->analytic == analytic[e->index] && e->exact == exact[e->index]);
            ck_assert(e->numeric == analytic[e->index]);
            ck_assert(e->absolute_error == fabs(e->exact - e->analytic));
            ck_assert(e->relative_error == e->absolute_error / fmax(1, fabs(e->exact)));
            ck_assert_int_eq(e->verdict, e->absolute_error > 0 ? GCK_FAIL : GCK_PASS);
        }
        ck_assert(t.max_absolute_error == 2 && t.max_relative_error == 2);
        ck_assert_uint_eq(t.wrong_elements, 6);
        ck_assert_int_eq(t.verdict, GCK_FAIL);
        free(t.worst);
    }
}
END_TEST

/* A large error within its bar is no mistake; a small one beyond it is, and goes first. */
START_TEST(wrong_elements_come_before_larger_errors)
{
    const double analytic[] = {1000, 1, 500, 1, 2}, exact[] = {1001, 1.0625, 500, 1.03125, 4};
    const double bar[] = {2, 0, 0, 0, 4};
    const size_t order[] = {1, 3, 4, 0, 2};
    gck_error error;
    gck_tensor_report t = {
        .count = COUNT(order), .analytic = analytic, .numeric = exact, .exact = exact, .bar = bar};
    assert_ok(gck_tensor_judge(&t, 1e-8, COUNT(order), &error), &error);
    for (size_t i = 0; i < COUNT(order); i++) {
        ck_assert_uint_eq(t.worst[i].index, order[i]);
        ck_assert_int_eq(t.worst[i].verdict, i < 2 ? GCK_FAIL : GCK_PASS);
    }
    ck_assert_uint_eq(t.wrong_elements, 2);
    ck_assert_int_eq(t.verdict, GCK_FAIL);
    ck_assert(t.max_absolute_error == 2 && t.max_relative_error == 0.5);
    free(t.worst);
}
END_TEST

/* The whole of it from one pair of elements, by hand: |n - a|, |n| and |a| are Pythagorean. */
START_TEST(distances_are_those_of_three_vectors)
{
    const double analytic[] = {3, 4}, numeric[] = {3, 8}, exact[] = {6, 8}, bar[] = {0.75, 1};
    const unsigned char crossed[] = {0, 1};
    gck_error error;
    gck_tensor_report t = {.count = 2,
                           .analytic = analytic,
                           .numeric = numeric,
                           .exact = exact,
                           .bar = bar,
                           .crossed = crossed};
    assert_ok(gck_tensor_judge(&t, 1e-8, 0, &error), &error);
    ck_assert(t.norms.analytic == 5 && t.norms.exact == 10 && t.norms.refined == 5);
    ck_assert(t.norms.difference == 4 && t.norms.bar == 1.25);
    ck_assert(t.distance == 4 / (sqrt(73) + 5));
    ck_assert(t.refined_distance == 5 / 15.0);
    ck_assert(t.error_bar == 1.25 / 15.0);
    ck_assert_uint_eq(t.kinks, 1);
    ck_assert(isnan(t.detection));
    free(t.worst);
}
END_TEST

START_TEST(not_a_number_is_worst_of_all)
{
    const double analytic[LENGTH] = {1, 1, NAN, 1, 1, 1, 1, 1};
    const double exact[LENGTH] = {1, 2, 1, 1, 1e300, NAN, 1, 1};
    gck_tensor_report t = judged(analytic, exact, LENGTH, 1e-8, 5);
    const size_t order[] = {2, 4, 1, 5};
    const gck_verdict verdicts[] = {GCK_FAIL, GCK_FAIL, GCK_FAIL, GCK_INCONCLUSIVE};
    for (size_t i = 0; i < COUNT(order); i++) {
        ck_assert_uint_eq(t.worst[i].index, order[i]);
        ck_assert_int_eq(t.worst[i].verdict, verdicts[i]);
    }
    ck_assert_int_eq(t.worst[4].verdict, GCK_PASS);
    ck_assert_uint_eq(t.wrong_elements, 3);
    ck_assert(isnan(t.refined_distance) && isnan(t.distance));
    ck_assert(isnan(t.max_absolute_error) && isnan(t.max_relative_error));
    ck_assert_int_eq(t.verdict, GCK_FAIL);
    free(t.worst);
}
END_TEST

START_TEST(two_zero_gradients_agree)
{
    const double zeros[LENGTH] = {0};
    gck_tensor_report t = judged(zeros, zeros, LENGTH, 0, 1);
    ck_assert(t.distance == 0 && t.refined_distance == 0 && t.error_bar == 0);
    ck_assert(t.max_relative_error == 0);
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
        const double analytic[] = {scales[i], -scales[i]}, exact[] = {scales[i], -0.9 * scales[i]};
        gck_tensor_report t = judged(analytic, exact, 2, 1e-8, 2);
        ck_assert_uint_eq(t.worst[0].index, 1);
        ck_assert_msg(t.worst[0].verdict == GCK_FAIL, "an error of %g passes",
                      t.worst[0].absolute_error);
        ck_assert_int_eq(t.worst[1].verdict, GCK_PASS);
        assert_within(t.worst[0].relative_error, 0.1L, 4 * ROUNDOFF, "relative error");
        ck_assert_int_eq(t.verdict, GCK_FAIL);
        free(t.worst);
    }
}
END_TEST

/* The distance of 1 and 1.1 in two elements, by hand: 0.1 sqrt 2 / (sqrt 2 + 1.1 sqrt 2) = 1/21. */
START_TEST(a_tensors_distance_is_that_of_its_norms)
{
    const double analytic[] = {1, -1}, exact[] = {1.1, -1.1};
    gck_tensor_report t = judged(analytic, exact, 2, 1e-8, 0);
    /* 1.1 - 1 carries the rounding of 1.1, u relative to 1.1, against 0.1 */
    assert_within(t.refined_distance, 1 / 21.0L, (11 + 8) * ROUNDOFF / 21, "distance");
    ck_assert(t.distance == 0);
    ck_assert_uint_eq(t.worst_count, 0);
    free(t.worst);
    gck_report_free(NULL);
}
END_TEST

/* ---- warnings ---- */

START_TEST(a_report_takes_many_warnings)
{
    char longer[2 * GCK_WARNING_SIZE];
    gck_error error;
    gck_report *report = calloc(1, sizeof *report);
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < 100; i++)
        assert_ok(gck_report_warn(report, &error, "warning %zu", i), &error);
    assert_ok(gck_report_warn(report, &error, "%s", longer), &error);
    ck_assert_uint_eq(report->warning_count, 101);
    ck_assert_str_eq(report->warning[0], "warning 0");
    ck_assert_str_eq(report->warning[99], "warning 99");
    ck_assert_uint_eq(strlen(report->warning[100]), GCK_WARNING_SIZE - 1);
    gck_report_free(report);
}
END_TEST

SUITE_MAIN("verdict", {tolerances_are_the_methods_own, 0}, {methods_and_verdicts_have_names, 0},
           {an_element_is_wrong_beyond_its_limit, 0}, {not_a_number_is_wrong, 0},
           {an_infinite_gradient_is_wrong, 0},
           {without_an_exact_derivative_nothing_is_concluded, 0}, {the_worst_come_first, 0},
           {wrong_elements_come_before_larger_errors, 0}, {distances_are_those_of_three_vectors, 0},
           {not_a_number_is_worst_of_all, 0}, {two_zero_gradients_agree, 0},
           {elements_are_judged_over_the_whole_range, 0},
           {a_tensors_distance_is_that_of_its_norms, 0}, {a_report_takes_many_warnings, 0})
