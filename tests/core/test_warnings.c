/* What a report warns of beside kinks: points and data at which a check shows little. */
#include "tests/core/suite.h"
#include "tests/core/warned.h"

#include <string.h>

/* A tolerance that truncation does not exceed. */
static gck_check_spec fine_spec(const network *net)
{
    gck_check_spec spec = check_spec_of(net);
    spec.tolerance = 1e-5;
    return spec;
}

START_TEST(nothing_to_warn_of)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dense(2, "softmax")};
    network net = network_new(2, layers, 2, cost_named("categorical_crossentropy"), 6);
    for (int method = GCK_CENTRAL; method <= GCK_DIRECTIONAL; method++) {
        gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report;
        spec.method = (gck_method)method;
        spec.inputs = true;
        spec.tolerance = method == GCK_FORWARD ? 1e-3 : 1e-6;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_msg(report->warning_count == 0, "%s: %s", gck_method_name(spec.method),
                      report->warning[0]);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* Weights of 0 let nothing through to what is before them. */
START_TEST(zero_gradients_show_nothing)
{
    gck_layer_spec layers[] = {dense(2, "tanh"), dense(1, "tanh")};
    layers[1].initializer = initializer_named("zeros");
    network net = network_new(2, layers, 2, cost_named("mse"), 3);
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    assert_warnings(net, &spec, "layer 0 W: the gradient is zero, so the check shows nothing",
                    "layer 0 b: the gradient is zero, so the check shows nothing",
                    "inputs x: the gradient is zero, so the check shows nothing", NULL);
}
END_TEST

/* At h = 1/8 the central difference of e^-z^2 is off by much more than 1e-6. */
START_TEST(truncation_is_no_mistake)
{
    const double x[] = {1, 1.5};
    const gck_layer_spec layers[] = {dense_with(1, "gaussian", "use_bias", 0)};
    network net = chain_network(layers, 1, x, 2);
    const double y[] = {1, 0.5};
    memcpy(net.data->y, y, sizeof y);
    gck_check *check;
    gck_report *report;
    gck_check_spec spec = check_spec_of(&net);
    spec.epsilon = 0.125;
    spec.tolerance = 1e-6;
    net.parameters[0] = 2;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_uint_eq(report->warning_count, 1);
    ck_assert_ptr_nonnull(strstr(report->warning[0], "is over the tolerance 1e-06, but"));
    ck_assert_ptr_nonnull(strstr(report->warning[0], "own truncation or rounding shows"));
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* z = w x is 1, and dJ/dw = 2 x beyond the largest number. What is no number does not pass. */
START_TEST(overflow_is_told)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    network net = network_new(1, layers, 1, cost_named("mse"), 1);
    net.data->x[0] = 0x1.8p+1023;
    net.data->y[0] = 0;
    net.parameters[0] = 1 / 0x1.8p+1023;
    gck_check *check;
    gck_report *report;
    const gck_check_spec spec = fine_spec(&net);
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    ck_assert_int_eq(report->layer[0].tensor[1].verdict, GCK_PASS);
    ck_assert_str_eq(report->warning[0],
                     "layer 0 W: terms of the gradient or of its exact derivative overflow, though "
                     "the cost does not: what is not finite cannot be judged");
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* Slopes that the complex step loses, and results below the smallest normal number, are within the
 * bar: sigmoid(-z) is e^-z there. */
START_TEST(the_smallest_gradients_are_right)
{
    for (double z = 470; z < 760; z += 10) {
        const gck_layer_spec layers[] = {dense(1, "sigmoid")};
        network net = network_new(1, layers, 1, cost_named("binary_crossentropy"), 1);
        net.data->x[0] = z;
        net.data->y[0] = net.parameters[0] = 1;
        gck_check *check;
        gck_report *report;
        const gck_check_spec spec = fine_spec(&net);
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_msg(report->verdict == GCK_PASS, "z = %g", z);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

/* Two of three units lie below 0 in both samples, and the gradients of one of them with them. */
START_TEST(dead_units_are_counted)
{
    const double parameters[] = {1, 1, 1, 0.5, -9, -9, 1, 1, 1, 0.25}, x[] = {1, 2};
    const gck_layer_spec layers[] = {dense(3, "relu"), dense(1, "linear")};
    network net = network_new(1, layers, 2, cost_named("mse"), 2);
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    const gck_check_spec spec = check_spec_of(&net);
    assert_warnings(net, &spec,
                    "layer 0: 2 of 3 units are dead: the slope of relu is 0 in every sample, so "
                    "that nothing before them is checked through them",
                    NULL);
}
END_TEST

/* Alive in a sample of weight 0 is dead all the same. */
START_TEST(samples_of_weight_0_keep_no_unit_alive)
{
    const double x[] = {1, 2, -8};
    const gck_layer_spec layers[] = {dense(2, "relu"), dense(1, "linear")};
    network net = network_weighted(1, layers, 2, cost_named("mse"), 3);
    const double parameters[] = {1, -1, 0.5, 0, 1, 1, 0.25};
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    const gck_check_spec spec = check_spec_of(&net);
    assert_warnings(net, &spec,
                    "layer 0: 1 of 2 units are dead: the slope of relu is 0 in every sample, so "
                    "that nothing before them is checked through them",
                    NULL);
}
END_TEST

/* One of three samples is a third, and so are three of ten. */
START_TEST(saturated_outputs_are_counted)
{
    const double x[] = {1, 40, -0.5};
    const gck_layer_spec layers[] = {dense(1, "sigmoid")};
    network net = chain_network(layers, 1, x, 3);
    const gck_check_spec spec = check_spec_of(&net);
    assert_warnings(net, &spec,
                    "the outputs of 1 of 3 samples are saturated (slopes below 1e-07), which "
                    "leaves them next to no say in the gradient",
                    NULL);
}
END_TEST

/* Below a tenth nothing is said; and one unsaturated output of two is enough. */
START_TEST(few_saturated_outputs_are_not_told)
{
    double x[11];
    for (size_t k = 0; k < COUNT(x); k++)
        x[k] = k == 0 ? 40 : 0.25 * (double)k;
    const gck_layer_spec one[] = {dense(1, "sigmoid")}, two[] = {dense(2, "sigmoid")};
    network net = chain_network(one, 1, x, COUNT(x));
    gck_check_spec spec = fine_spec(&net);
    assert_warnings(net, &spec, NULL);
    net = chain_network(two, 1, x, 3);
    net.parameters[0] = 1e-2;
    spec = fine_spec(&net);
    assert_warnings(net, &spec, NULL);
}
END_TEST

START_TEST(saturated_softmax_is_told)
{
    const double x[] = {100, 200}, y[] = {0, 1, 0.5, 0.5};
    const gck_layer_spec layers[] = {dense(2, "softmax")};
    network net = network_new(1, layers, 1, cost_named("categorical_crossentropy"), 2);
    const double parameters[] = {1, -1, 0, 0};
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    const gck_check_spec spec = fine_spec(&net);
    assert_warnings(net, &spec,
                    "the outputs of 2 of 2 samples are saturated (slopes below 1e-07), which "
                    "leaves them next to no say in the gradient",
                    NULL);
}
END_TEST

START_TEST(identical_samples_are_told)
{
    const gck_layer_spec layers[] = {dense(2, "tanh")};
    network net = network_new(2, layers, 1, cost_named("mse"), 4);
    for (size_t i = 0; i < 8; i++)
        net.data->x[i] = i % 2 == 0 ? 0.5 : -1;
    const gck_check_spec spec = fine_spec(&net);
    assert_warnings(net, &spec,
                    "all 4 samples are the same: mistakes that depend on the sample cannot show",
                    NULL);
}
END_TEST

START_TEST(a_uniform_upstream_gradient_is_told)
{
    const gck_layer_spec layers[] = {dense(2, "tanh")};
    network net = network_new(2, layers, 1, cost_named("dot"), 3);
    for (size_t i = 0; i < 6; i++)
        net.data->y[i] = 1;
    const gck_check_spec spec = fine_spec(&net);
    assert_warnings(net, &spec,
                    "the upstream gradient is 1 everywhere: mistakes that cancel in a sum cannot "
                    "show; random values show more",
                    NULL);
}
END_TEST

/* One number is no uniform gradient, one sample no set of identical ones; nor are targets of
 * another cost. */
START_TEST(one_sample_is_not_uniform)
{
    const gck_layer_spec layers[] = {dense(1, "tanh")};
    network net = network_new(2, layers, 1, cost_named("dot"), 1);
    gck_check_spec spec = fine_spec(&net);
    assert_warnings(net, &spec, NULL);
    net = network_new(2, layers, 1, cost_named("mse"), 3);
    net.data->y[0] = net.data->y[1] = net.data->y[2] = 0.5;
    spec = fine_spec(&net);
    assert_warnings(net, &spec, NULL);
}
END_TEST

SUITE_MAIN("warnings", {nothing_to_warn_of, 0}, {zero_gradients_show_nothing, 0},
           {truncation_is_no_mistake, 0}, {overflow_is_told, 0},
           {the_smallest_gradients_are_right, 0}, {dead_units_are_counted, 0},
           {samples_of_weight_0_keep_no_unit_alive, 0}, {saturated_outputs_are_counted, 0},
           {few_saturated_outputs_are_not_told, 0}, {saturated_softmax_is_told, 0},
           {identical_samples_are_told, 0}, {a_uniform_upstream_gradient_is_told, 0},
           {one_sample_is_not_uniform, 0})
