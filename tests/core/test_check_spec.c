/* What a check is asked to do: its bounds, and which layers and inputs it covers. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

static network three_layers(void)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dropout(0.25), dense(4, "sigmoid"),
                                     dense(2, "softmax")};
    return network_new(2, layers, 4, cost_named("categorical_crossentropy"), 6);
}

static gck_status spec_try(const gck_check_spec *spec, gck_error *error)
{
    gck_check *check = NULL;
    const gck_status status = gck_check_new(spec, &check, error);
    ck_assert((status == GCK_OK) == (check != NULL));
    gck_check_free(check);
    return status;
}

/* ---- bounds ---- */

START_TEST(epsilon_tolerance_and_worst_have_bounds)
{
    network net = three_layers();
    gck_error error;
    const double bad_epsilon[] = {0, -1e-4, 1e-13, 1.5, NAN, INFINITY};
    const double bad_tolerance[] = {-1e-9, 1.5, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(bad_epsilon); i++) {
        gck_check_spec spec = check_spec_of(&net);
        spec.epsilon = bad_epsilon[i];
        assert_invalid(spec_try(&spec, &error), &error, "epsilon");
    }
    for (size_t i = 0; i < COUNT(bad_tolerance); i++) {
        gck_check_spec spec = check_spec_of(&net);
        spec.tolerance = bad_tolerance[i];
        assert_invalid(spec_try(&spec, &error), &error, "tolerance");
    }
    gck_check_spec spec = check_spec_of(&net);
    spec.worst = GCK_WORST_MAX + 1;
    assert_invalid(spec_try(&spec, &error), &error, "worst");
    spec.worst = GCK_WORST_MAX;
    spec.epsilon = 1e-12;
    spec.tolerance = 0;
    assert_ok(spec_try(&spec, &error), &error);
    spec.epsilon = spec.tolerance = 1;
    assert_ok(spec_try(&spec, &error), &error);
    network_done(&net);
}
END_TEST

/* The methods without epsilon take no notice of it, and have none in their reports. */
START_TEST(epsilon_is_for_central_and_forward_alone)
{
    network net = three_layers();
    gck_error error;
    for (int method = GCK_CENTRAL; method <= GCK_DIRECTIONAL; method++) {
        const bool stepped = method == GCK_CENTRAL || method == GCK_FORWARD;
        gck_check_spec spec = check_spec_of(&net);
        spec.method = (gck_method)method;
        spec.epsilon = NAN;
        if (stepped) {
            assert_invalid(spec_try(&spec, &error), &error, "epsilon");
            continue;
        }
        gck_check *check;
        gck_report *report;
        spec.epsilon = 1e-4;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert(isnan(report->epsilon));
        ck_assert(report->tolerance == 1e-11);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

START_TEST(directions_have_bounds)
{
    network net = three_layers();
    gck_error error;
    const size_t bad[] = {0, GCK_DIRECTIONS_MAX + 1, SIZE_MAX};
    gck_check_spec spec = check_spec_of(&net);
    spec.method = GCK_DIRECTIONAL;
    for (size_t i = 0; i < COUNT(bad); i++) {
        spec.directions = bad[i];
        assert_invalid(spec_try(&spec, &error), &error, "directions");
    }
    spec.directions = GCK_DIRECTIONS_MAX;
    assert_ok(spec_try(&spec, &error), &error);
    spec.directions = 0;
    spec.method = GCK_CENTRAL;
    assert_ok(spec_try(&spec, &error), &error);
    network_done(&net);
}
END_TEST

START_TEST(something_must_be_checked)
{
    network net = three_layers();
    gck_error error;
    const bool none[] = {false, false, false, false}, only_dropout[] = {false, true, false, false};
    gck_check_spec spec = check_spec_of(&net);
    spec.layer_checked = none;
    assert_invalid(spec_try(&spec, &error), &error, "layers");
    spec.layer_checked = only_dropout;
    assert_invalid(spec_try(&spec, &error), &error, "layers");
    spec.inputs = true;
    assert_ok(spec_try(&spec, &error), &error);
    network_done(&net);
}
END_TEST

START_TEST(worst_is_as_long_as_asked)
{
    network net = three_layers();
    gck_check_spec spec = check_spec_of(&net);
    for (spec.worst = 0; spec.worst <= 4; spec.worst += 2) {
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_uint_eq(report->layer[0].tensor[0].worst_count, spec.worst);
        ck_assert_uint_eq(report->layer[2].tensor[1].worst_count, spec.worst < 2 ? spec.worst : 2);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* ---- layers and inputs ---- */

static void assert_same_tensor(const gck_tensor_report *got, const gck_tensor_report *want)
{
    ck_assert_uint_eq(got->count, want->count);
    assert_same_bits(got->analytic, want->analytic, want->count, "analytic");
    assert_same_bits(got->numeric, want->numeric, want->count, "numeric");
    assert_same_bits(got->exact, want->exact, want->count, "exact");
    assert_same_bits(&got->distance, &want->distance, 1, "distance");
}

START_TEST(layers_are_checked_as_chosen)
{
    network net = three_layers();
    const bool chosen[] = {true, true, false, true};
    gck_check_spec whole_spec = check_spec_of(&net), spec = whole_spec;
    spec.layer_checked = chosen;
    gck_check *whole_check, *check;
    gck_report *whole, *report;
    ck_assert(check_run(&whole_spec, &whole_check, &whole) == GCK_OK);
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(whole->layer_count, 3);
    ck_assert_uint_eq(report->layer_count, 2);
    ck_assert_uint_eq(report->layer[0].index, 0);
    ck_assert_uint_eq(report->layer[1].index, 3);
    ck_assert_uint_eq(report->parameters_checked, 9 + 10);
    ck_assert(report->evaluations == 2 * (9 + 10));
    for (size_t t = 0; t < 2; t++) {
        assert_same_tensor(&report->layer[0].tensor[t], &whole->layer[0].tensor[t]);
        assert_same_tensor(&report->layer[1].tensor[t], &whole->layer[2].tensor[t]);
    }
    ck_assert(report->cost == whole->cost);
    ck_assert(!report->has_inputs);
    gck_report_free(report);
    gck_report_free(whole);
    gck_check_free(check);
    gck_check_free(whole_check);
    network_done(&net);
}
END_TEST

START_TEST(inputs_can_be_checked_alone)
{
    network net = three_layers();
    const bool none[] = {false, false, false, false};
    gck_check_spec spec = check_spec_of(&net);
    spec.layer_checked = none;
    spec.inputs = true;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(report->layer_count, 0);
    ck_assert_uint_eq(report->parameters_checked, 0);
    ck_assert(report->evaluations == 2 * 12);
    ck_assert(report->has_inputs);
    ck_assert(report->distance == report->inputs.distance);
    /* Truncation of smooth functions; nothing here has a kink. */
    ck_assert_double_lt(report->inputs.distance, 1e-7);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* A gradient that is zero on both sides agrees, but shows nothing, and the report says so. */
START_TEST(a_zero_gradient_is_warned_of)
{
    gck_layer_spec layers[] = {dense(2, "tanh"), dense(1, "tanh")};
    layers[1].initializer = initializer_named("zeros");
    network net = network_new(2, layers, 2, cost_named("mse"), 3);
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert(report->layer[0].distance == 0);
    ck_assert_int_eq(report->layer[0].verdict, GCK_PASS);
    ck_assert_uint_eq(report->warning_count, 2);
    ck_assert_ptr_nonnull(strstr(report->warning[0], "layer 0 W"));
    ck_assert_ptr_nonnull(strstr(report->warning[1], "layer 0 b"));
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

START_TEST(an_infinite_cost_has_no_report)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    network net = network_new(1, layers, 1, cost_named("mse"), 2);
    const double bad[] = {1e200, INFINITY, NAN}; /* the square of the first overflows */
    for (size_t i = 0; i < COUNT(bad); i++) {
        const gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report = NULL;
        net.parameters[0] = bad[i];
        ck_assert_int_eq(check_run(&spec, &check, &report), GCK_NON_FINITE);
        ck_assert_ptr_null(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* J is quadratic in each parameter, so the central difference is exact but for rounding, and the
 * default tolerance will do. */
START_TEST(penalties_are_part_of_what_is_checked)
{
    gck_layer_spec layers[] = {dense_with(3, "linear", "l2", 0.3),
                               dense_with(2, "linear", "l1", 0.2)};
    network net = network_new(2, layers, 2, cost_named("mse"), 5);
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check;
    gck_report *report;
    gck_evaluation evaluation;
    gck_error error;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert(report->tolerance == 1e-4 * 1e-4);
    assert_ok(gck_evaluate(net.model, net.parameters, net.data, (gck_stop){0}, &evaluation, &error),
              &error);
    ck_assert(report->cost == evaluation.cost);
    ck_assert_double_gt(report->cost, gck_model_penalty(net.model, net.parameters));
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* The same network with its activations inside of the dense layers and behind them: the same
 * numbers, fused or not. */
START_TEST(an_activation_layer_is_the_same_as_a_dense_layers_own)
{
    const gck_layer_spec inside[] = {dense(3, "tanh"), dense(2, "softmax")};
    const gck_layer_spec behind[] = {dense(3, "linear"), activation("tanh"), dense(2, "linear"),
                                     activation("softmax")};
    const char *const costs[] = {"categorical_crossentropy", "mse"};
    for (size_t i = 0; i < COUNT(costs); i++) {
        network one = network_new(2, inside, 2, cost_named(costs[i]), 5);
        network two = network_new(2, behind, 4, cost_named(costs[i]), 5);
        memcpy(two.parameters, one.parameters, one.model->parameter_count * sizeof(double));
        gck_check_spec one_spec = check_spec_of(&one), two_spec = check_spec_of(&two);
        one_spec.inputs = two_spec.inputs = true;
        gck_check *one_check, *two_check;
        gck_report *one_report, *two_report;
        ck_assert(check_run(&one_spec, &one_check, &one_report) == GCK_OK);
        ck_assert(check_run(&two_spec, &two_check, &two_report) == GCK_OK);
        for (size_t l = 0; l < 2; l++)
            for (size_t t = 0; t < 2; t++)
                assert_same_tensor(&two_report->layer[l].tensor[t],
                                   &one_report->layer[l].tensor[t]);
        assert_same_tensor(&two_report->inputs, &one_report->inputs);
        gck_report_free(one_report);
        gck_report_free(two_report);
        gck_check_free(one_check);
        gck_check_free(two_check);
        network_done(&one);
        network_done(&two);
    }
}
END_TEST

/* Weight 0 masks a sample in the numeric derivative as well, even one whose loss is infinite. */
START_TEST(a_masked_infinite_loss_is_not_seen)
{
    const gck_layer_spec layers[] = {dense(1, "gaussian")};
    network net = network_weighted(1, layers, 1, cost_named("binary_crossentropy"), 3);
    ck_assert(net.data->weights[2] == 0);
    net.data->x[2] = 0; /* z = 0: an output of 1 */
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_double_lt(report->distance, 1e-7);
    ck_assert(report->inputs.analytic[2] == 0 && report->inputs.numeric[2] == 0);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_spec", {epsilon_tolerance_and_worst_have_bounds, 0},
           {epsilon_is_for_central_and_forward_alone, 0}, {directions_have_bounds, 0},
           {something_must_be_checked, 0}, {worst_is_as_long_as_asked, 0},
           {layers_are_checked_as_chosen, 0}, {inputs_can_be_checked_alone, 0},
           {a_zero_gradient_is_warned_of, 0}, {an_infinite_cost_has_no_report, 0},
           {penalties_are_part_of_what_is_checked, 0}, {a_masked_infinite_loss_is_not_seen, 0},
           {an_activation_layer_is_the_same_as_a_dense_layers_own, 0})
