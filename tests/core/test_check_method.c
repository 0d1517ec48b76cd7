/* Checks by every method: what their numeric derivatives are good to, and the same verdict. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/smooth.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

static gck_check_spec method_spec(const network *net, gck_method method)
{
    gck_check_spec spec = check_spec_of(net);
    spec.method = method;
    spec.inputs = true;
    return spec;
}

/* The distance of the whole; asserts that the check passes. */
static double distance_of(const gck_check_spec *spec)
{
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_int_eq(report->method, spec->method);
    ck_assert_uint_eq(report->parameters_checked, spec->model->parameter_count);
    ck_assert(report->has_inputs);
    /* The exact derivative is right to some roundings, whatever the method. */
    ck_assert_double_lt(report->refined_distance, 1e-13);
    const double distance = report->distance;
    gck_report_free(report);
    gck_check_free(check);
    return distance;
}

static double distance_by(const network *net, gck_method method)
{
    const gck_check_spec spec = method_spec(net, method);
    return distance_of(&spec);
}

/* Truncation of h^2, of h, and none. A forward difference errs by h f''/2, of functions of order 1
 * whose gradient is a tenth of that or more. */
START_TEST(distances_are_the_methods_own)
{
    network net = smooth_network();
    const double forward = distance_by(&net, GCK_FORWARD);
    ck_assert_double_lt(distance_by(&net, GCK_CENTRAL), SMOOTH);
    ck_assert_double_lt(forward, 1e-3);
    ck_assert_double_gt(forward, SMOOTH);
    ck_assert_double_lt(distance_by(&net, GCK_COMPLEX_STEP), 1e-13);
    ck_assert_double_lt(distance_by(&net, GCK_RIDDERS), 1e-10);
    ck_assert_double_lt(distance_by(&net, GCK_DIRECTIONAL), 1e-13);
    network_done(&net);
}
END_TEST

/* Whatever the quotients made of them. _i: the method. */
START_TEST(kinks_do_not_change_the_verdict)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    const double distance = distance_of(&spec);
    ck_assert((distance > 1e-3) == (_i == GCK_CENTRAL || _i == GCK_FORWARD));
    network_done(&net);
}
END_TEST

/* The step shrinks until no kink is left within it: 2^-27 of the first step is near enough. */
START_TEST(ridders_finds_its_way_between_kinks)
{
    network net = kinked_network();
    ck_assert_double_lt(distance_by(&net, GCK_RIDDERS), 1e-8);
    network_done(&net);
}
END_TEST

/* Every other method has its numbers from the one complex step. */
START_TEST(exact_derivatives_have_the_same_bits)
{
    network net = kinked_network();
    const gck_check_spec base = kinked_spec(&net, GCK_COMPLEX_STEP);
    gck_check *want = check_finished(&base);
    const size_t parameters = net.model->parameter_count, x = check_x_count(want);
    assert_same_bits(want->parameter.numeric, want->parameter.exact, parameters, "parameters");
    assert_same_bits(want->x.numeric, want->x.exact, x, "x");
    for (int method = GCK_CENTRAL; method <= GCK_RIDDERS; method++) {
        const gck_check_spec spec = kinked_spec(&net, method);
        gck_check *got = check_finished(&spec);
        assert_same_bits(got->parameter.exact, want->parameter.exact, parameters, "exact");
        assert_same_bits(got->x.exact, want->x.exact, x, "exact of x");
        assert_same_bits(got->parameter.bar, want->parameter.bar, parameters, "bar");
        assert_same_bits(got->x.bar, want->x.bar, x, "bar of x");
        gck_check_free(got);
    }
    gck_check_free(want);
    network_done(&net);
}
END_TEST

/* ---- what ridders has to do with penalties, blocks and large numbers ---- */

/* Its tolerance of 1e-11 is that of the verdict; its own numbers are good to 1e-9 of the largest
 * here, where J is of order 10. */
static void assert_ridders(const network *net, const char *what)
{
    const gck_check_spec spec = method_spec(net, GCK_RIDDERS);
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    const double norm = report->norms.exact;
    for (size_t e = 0; e < net->model->parameter_count; e++)
        assert_within(check->parameter.numeric[e], check->parameter.exact[e], 1e-9L * norm,
                      "%s: parameter %zu", what, e);
    for (size_t e = 0; e < check_x_count(check); e++)
        assert_within(check->x.numeric[e], check->x.exact[e], 1e-9L * norm, "%s: x %zu", what, e);
    gck_report_free(report);
    gck_check_free(check);
}

START_TEST(ridders_takes_penalties_and_dropout)
{
    const gck_layer_spec layers[] = {dense_with(4, "tanh", "l2", 0.3), dropout(0.4),
                                     dense_with(2, "softmax", "l1", 0.2)};
    network net = network_weighted(3, layers, 3, cost_named("categorical_crossentropy"), 7);
    network_draw_biases(&net);
    assert_ridders(&net, "penalties");
    network_done(&net);
}
END_TEST

START_TEST(ridders_scales_its_steps)
{
    const double scales[] = {1e-6, 1e-3, 1e3, 1e6};
    const gck_layer_spec layers[] = {dense(3, "arctan"), dense(2, "softplus")};
    for (size_t i = 0; i < COUNT(scales); i++) {
        network net = network_new(2, layers, 2, cost_named("mse"), 5);
        network_draw_biases(&net);
        for (size_t e = 0; e < 10; e++)
            net.data->x[e] /= scales[i];
        for (size_t e = 0; e < 6; e++)
            net.parameters[e] *= scales[i];
        const gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report;
        gck_check_spec ridders = spec;
        ridders.method = GCK_RIDDERS;
        ck_assert(check_run(&ridders, &check, &report) == GCK_OK);
        ck_assert_int_eq(report->verdict, GCK_PASS);
        for (size_t t = 0; t < 2; t++)
            ck_assert_msg(report->layer[1].tensor[t].distance < 1e-9, "scale %g", scales[i]);
        ck_assert_msg(report->layer[0].tensor[0].distance < 1e-7, "scale %g: %g", scales[i],
                      report->layer[0].tensor[0].distance);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

/* More inputs and samples than one batch of stencils holds. */
START_TEST(ridders_works_in_batches)
{
    const gck_layer_spec layers[] = {dense(3, "softsign"), dense(2, "sigmoid")};
    network net = network_new(90, layers, 2, cost_named("mse"), 40);
    network_draw_biases(&net);
    assert_ridders(&net, "90 inputs");
    network_done(&net);
}
END_TEST

/* ---- engines ---- */

/* To rounding, by either quotient; the exact derivative has the same bits. */
START_TEST(engines_differ_by_rounding)
{
    network net = kinked_network();
    for (int method = GCK_CENTRAL; method <= GCK_FORWARD; method++) {
        gck_check_spec spec = kinked_spec(&net, method);
        gck_check *units = check_finished(&spec);
        spec.engine = GCK_ENGINE_DIRECT;
        gck_check *direct = check_finished(&spec);
        const size_t parameters = net.model->parameter_count, x = check_x_count(units);
        const double norm = gck_vector_norm(units->parameter.numeric, parameters);
        for (size_t e = 0; e < parameters; e++) {
            assert_within(units->parameter.numeric[e], direct->parameter.numeric[e], 1e-11L * norm,
                          "parameter %zu", e);
            ck_assert(units->parameter.crossed[e] == direct->parameter.crossed[e]);
        }
        assert_same_bits(units->parameter.exact, direct->parameter.exact, parameters, "exact");
        assert_same_bits(units->x.numeric, direct->x.numeric, x, "x");
        gck_check_free(units);
        gck_check_free(direct);
    }
    network_done(&net);
}
END_TEST

/* The other methods have but one engine. */
START_TEST(engines_are_for_quotients)
{
    network net = kinked_network();
    for (int method = GCK_COMPLEX_STEP; method <= GCK_DIRECTIONAL; method++) {
        gck_check_spec spec = kinked_spec(&net, method);
        gck_check *units = check_finished(&spec);
        spec.engine = GCK_ENGINE_DIRECT;
        gck_check *direct = check_finished(&spec);
        assert_same_check(direct, units);
        gck_check_free(units);
        gck_check_free(direct);
    }
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_method", {distances_are_the_methods_own, 0},
           {kinks_do_not_change_the_verdict, METHODS}, {ridders_finds_its_way_between_kinks, 0},
           {exact_derivatives_have_the_same_bits, 0}, {ridders_takes_penalties_and_dropout, 0},
           {ridders_scales_its_steps, 0}, {ridders_works_in_batches, 0},
           {engines_differ_by_rounding, 0}, {engines_are_for_quotients, 0})
