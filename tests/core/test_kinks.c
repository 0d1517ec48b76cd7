/* Stencils that cross kinks, counted by hand: one does where z > place differs between its middle
 * and either of its points. All numbers are binary fractions, so that points meet kinks exactly. */
#include "tests/core/agree.h"
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

#define STEP 0.125

/* ---- one unit ---- */

/* A unit with w = 1, b = 0 and one input, so that z = x. */
static network unit_network(gck_choice activation, const char *cost, const double *x,
                            size_t samples)
{
    const gck_layer_spec layers[] = {dense_of(1, activation)};
    network net = network_new(1, layers, 1, cost_named(cost), samples);
    memcpy(net.data->x, x, samples * sizeof *x);
    net.parameters[0] = 1;
    net.parameters[1] = 0;
    return net;
}

typedef struct counts {
    size_t w, b, crossings;
} counts;

/* By either engine, in one block and in blocks of one row. */
static void assert_counts(const network *net, gck_method method, counts want, const char *what)
{
    for (int i = 0; i < 4; i++) {
        gck_check_spec spec = check_spec_of(net);
        gck_report *report;
        gck_error error;
        spec.method = method;
        spec.epsilon = STEP;
        spec.engine = i % 2 == 0 ? GCK_ENGINE_UNITS : GCK_ENGINE_DIRECT;
        gck_check *check = check_open(&spec);
        if (i / 2 > 0) check_recut(check, 1, 1);
        check_finish(check);
        assert_ok(gck_check_report(check, &report, &error), &error);
        const gck_tensor_report *tensor = report->layer[0].tensor;
        ck_assert_msg(tensor[0].kinks == want.w && tensor[1].kinks == want.b, "%s: W %zu, b %zu",
                      what, tensor[0].kinks, tensor[1].kinks);
        ck_assert_uint_eq(report->kink_parameters, want.w + want.b);
        ck_assert_msg(report->kink_crossings == want.crossings, "%s: %zu crossings", what,
                      report->kink_crossings);
        ck_assert_int_eq(report->verdict, GCK_PASS);
        gck_report_free(report);
        gck_check_free(check);
    }
}

/* z = 1/8 falls to 0, and 0 rises; -1/8 rises to 0, which is still not above it. w moves z by an
 * eighth of itself, which never reaches 0. */
START_TEST(kinks_at_0)
{
    static const char *const names[] = {"relu", "leaky_relu", "elu", "selu", "softsign"};
    const double x[] = {0.125, -0.125, 0.25, 0, -1};
    for (size_t i = 0; i < COUNT(names); i++) {
        network net = unit_network(activation_named(names[i]), "dot", x, COUNT(x));
        assert_counts(&net, GCK_CENTRAL, (counts){0, 1, 2}, names[i]);
        assert_counts(&net, GCK_FORWARD, (counts){0, 1, 1}, names[i]);
        network_done(&net);
    }
}
END_TEST

/* At ±1. b takes 1 and -1 up and over, 9/8 down to 1 and -7/8 down to -1; 7/8 gets to 1, which is
 * not above it. w moves z by an eighth of itself: 1 up, 9/8 below 1, and -1 above itself. */
START_TEST(kinks_on_both_sides)
{
    const double x[] = {1, 1.125, 0.875, -1, -0.875, 0};
    network net = unit_network(activation_named("piecewise_linear"), "dot", x, COUNT(x));
    assert_counts(&net, GCK_CENTRAL, (counts){1, 1, 3 + 4}, "piecewise_linear");
    assert_counts(&net, GCK_FORWARD, (counts){1, 1, 1 + 2}, "piecewise_linear, forward");
    network_done(&net);
    const gck_choice narrow = with_option(activation_named("piecewise_linear"), "alpha", 0.5);
    net = unit_network(narrow, "dot", x, COUNT(x));
    assert_counts(&net, GCK_CENTRAL, (counts){0, 0, 0}, "alpha 0.5");
    network_done(&net);
}
END_TEST

/* a - y = 1/8, 1/4, -1/8, 0 at x = 1, 2, -1, 0: b takes the first to 0 and the last up; w moves by
 * x/8, which takes the first and the second to 0. */
START_TEST(kinks_of_mae)
{
    const double x[] = {1, 2, -1, 0}, y[] = {0.875, 1.75, -0.875, 0};
    network net = unit_network(activation_named("linear"), "mae", x, COUNT(x));
    memcpy(net.data->y, y, sizeof y);
    assert_counts(&net, GCK_CENTRAL, (counts){1, 1, 4}, "mae");
    assert_counts(&net, GCK_FORWARD, (counts){0, 1, 1}, "mae, forward");
    network_done(&net);
}
END_TEST

START_TEST(smooth_functions_have_none)
{
    static const char *const names[] = {"linear",   "sigmoid",       "tanh",     "slu",
                                        "softplus", "bent_identity", "gaussian", "arctan"};
    const double x[] = {0.125, -0.125, 0, 1, -1};
    for (size_t i = 0; i < COUNT(names); i++) {
        network net = unit_network(activation_named(names[i]), "mse", x, COUNT(x));
        assert_counts(&net, GCK_CENTRAL, (counts){0, 0, 0}, names[i]);
        network_done(&net);
    }
}
END_TEST

/* A sample of weight 0 has no stencil. */
START_TEST(weights_take_samples_out)
{
    const double x[] = {0.0625, 0.0625, 0.0625};
    const gck_layer_spec layers[] = {dense(1, "relu")};
    network net = network_weighted(1, layers, 1, cost_named("dot"), COUNT(x));
    memcpy(net.data->x, x, sizeof x);
    net.parameters[0] = 1;
    ck_assert(net.data->weights[2] == 0);
    assert_counts(&net, GCK_CENTRAL, (counts){0, 1, 2}, "two of three");
    network_done(&net);
}
END_TEST

/* ---- l1 ---- */

/* No sum over samples: a weight crosses once. 1/8 falls to 0 and 0 rises; -1/8 and 1 stay. */
START_TEST(kinks_of_l1)
{
    const double w[] = {0.125, -0.125, 0, 1};
    const gck_layer_spec layers[] = {dense_with(1, "tanh", "l1", 0.5)};
    network net = network_new(4, layers, 1, cost_named("mse"), 6);
    memcpy(net.parameters, w, sizeof w);
    assert_counts(&net, GCK_CENTRAL, (counts){2, 0, 2}, "l1");
    assert_counts(&net, GCK_FORWARD, (counts){1, 0, 1}, "l1, forward");
    network_done(&net);
}
END_TEST

/* A weight that crosses in three samples and its own penalty is one parameter and four pairs. */
START_TEST(l1_and_samples_add_up)
{
    const gck_layer_spec layers[] = {dense_with(1, "relu", "l1", 0.5)};
    const double x[] = {1, -1, 1, 0};
    network net = network_new(1, layers, 1, cost_named("mse"), COUNT(x));
    memcpy(net.data->x, x, sizeof x);
    net.parameters[0] = 0.0625;
    net.parameters[1] = -4; /* z < 0 throughout */
    assert_counts(&net, GCK_CENTRAL, (counts){1, 0, 1}, "the penalty alone");
    net.parameters[1] = 0;
    assert_counts(&net, GCK_CENTRAL, (counts){1, 1, 1 + 3 + 4}, "both");
    network_done(&net);
}
END_TEST

/* ---- more layers ---- */

/* z = 1/16 goes into two units with relu. b of the first layer crosses both kinks of its one
 * sample: one pair. So do both biases of the second, one each; no weight moves anything by more
 * than 1/128. */
static network pair_network(size_t samples)
{
    const gck_layer_spec layers[] = {dense(1, "linear"), dense(2, "relu")};
    network net = network_new(1, layers, 2, cost_named("dot"), samples);
    const double parameters[] = {1, 0, 1, 1, 0, 0};
    memcpy(net.parameters, parameters, sizeof parameters);
    for (size_t k = 0; k < samples; k++)
        net.data->x[k] = 0.0625;
    return net;
}

START_TEST(a_pair_counts_once)
{
    network net = pair_network(1);
    gck_check_spec spec = check_spec_of(&net);
    spec.epsilon = STEP;
    spec.inputs = true;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(report->layer[0].tensor[0].kinks, 0);
    ck_assert_uint_eq(report->layer[0].tensor[1].kinks, 1);
    ck_assert_uint_eq(report->layer[1].tensor[0].kinks, 0);
    ck_assert_uint_eq(report->layer[1].tensor[1].kinks, 2);
    ck_assert_uint_eq(report->kink_parameters, 3);
    ck_assert_uint_eq(report->kink_crossings, 3);
    /* x counts by itself. */
    ck_assert_uint_eq(report->inputs.kinks, 1);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* _i: 0: W of both layers is claimed, 1: b of both. */
START_TEST(what_is_not_claimed_crosses_nothing)
{
    network net = pair_network(1);
    const double zeros[6] = {0};
    const bool claimed[2 * GCK_TENSORS_MAX] = {_i == 0, _i == 1, _i == 0, _i == 1};
    const gck_claim claim = {.gradient = zeros, .tensor_claimed = claimed};
    gck_check_spec spec = check_spec_of(&net);
    spec.epsilon = STEP;
    spec.claim = &claim;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(report->kink_parameters, _i == 0 ? 0 : 3);
    ck_assert_uint_eq(report->kink_crossings, _i == 0 ? 0 : 3);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* Only those of layers that are checked. */
START_TEST(layers_left_out_do_not_count)
{
    network net = pair_network(5);
    const bool chosen[] = {false, true};
    gck_check_spec spec = check_spec_of(&net);
    spec.epsilon = STEP;
    spec.layer_checked = chosen;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(report->kink_parameters, 2);
    ck_assert_uint_eq(report->kink_crossings, 10);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- other methods, other cuts ---- */

/* Nothing but the two quotients has stencils of one width. */
START_TEST(other_methods_count_none)
{
    network net = kinked_network();
    for (int method = GCK_COMPLEX_STEP; method <= GCK_DIRECTIONAL; method++) {
        const gck_check_spec spec = kinked_spec(&net, method);
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_uint_eq(report->kink_parameters, 0);
        ck_assert_uint_eq(report->kink_crossings, 0);
        ck_assert_uint_eq(report->inputs.kinks, 0);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* Sums over many blocks are added in another order, by a rounding a sample of the largest; nothing
 * else may differ. */
static void compare_cut(const gck_check *check, const gck_check *whole)
{
    const size_t count = whole->spec.model->parameter_count;
    const double norm = gck_vector_norm(whole->parameter.numeric, count);
    for (size_t e = 0; e < count; e++) {
        assert_within(check->parameter.numeric[e], whole->parameter.numeric[e], 1e-13L * norm,
                      "parameter %zu", e);
        assert_within(check->parameter.exact[e], whole->parameter.exact[e], 1e-13L * norm,
                      "exact %zu", e);
        ck_assert((check->parameter.crossed[e] != 0) == (whole->parameter.crossed[e] != 0));
    }
}

/* _i: rows of a block, less 1, and the method. */
START_TEST(a_cut_changes_no_count)
{
    network net = kinked_network();
    gck_check_spec spec = kinked_spec(&net, _i % 2 == 0 ? GCK_CENTRAL : GCK_FORWARD);
    gck_check *whole_check, *check = check_open(&spec);
    gck_report *whole, *report;
    gck_error error;
    ck_assert(check_run(&spec, &whole_check, &whole) == GCK_OK);
    check_recut(check, (size_t)_i / 2 + 1, 1);
    check_finish(check);
    assert_ok(gck_check_report(check, &report, &error), &error);
    compare_cut(check, whole_check);
    ck_assert_uint_gt(report->kink_parameters, 0);
    ck_assert_uint_eq(report->kink_parameters, whole->kink_parameters);
    ck_assert_uint_eq(report->kink_crossings, whole->kink_crossings);
    ck_assert_uint_eq(report->inputs.kinks, whole->inputs.kinks);
    ck_assert_uint_eq(report->warning_count, whole->warning_count);
    for (size_t i = 0; i < whole->warning_count; i++)
        if (strstr(whole->warning[i], "kink") != NULL)
            ck_assert_str_eq(report->warning[i], whole->warning[i]);
    gck_report_free(report);
    gck_report_free(whole);
    gck_check_free(check);
    gck_check_free(whole_check);
    network_done(&net);
}
END_TEST

/* The same by long doubles, of a network with kinks everywhere. */
START_TEST(many_kinks_agree)
{
    network net = kinked_network();
    assert_all_agree(&net, 0.05, "kinked");
    assert_all_agree(&net, 0.7, "kinked, far");
    network_done(&net);
}
END_TEST

SUITE_MAIN("kinks", {kinks_at_0, 0}, {kinks_on_both_sides, 0}, {kinks_of_mae, 0},
           {smooth_functions_have_none, 0}, {weights_take_samples_out, 0}, {kinks_of_l1, 0},
           {l1_and_samples_add_up, 0}, {a_pair_counts_once, 0},
           {what_is_not_claimed_crosses_nothing, 2}, {layers_left_out_do_not_count, 0},
           {other_methods_count_none, 0}, {a_cut_changes_no_count, 2 * 11}, {many_kinks_agree, 0})
