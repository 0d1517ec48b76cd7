/* What a report says of kinks: where they are, how many cross them, what is a convention there. */
#include "tests/core/suite.h"
#include "tests/core/warned.h"

#include <string.h>

#define STEP 0.125

static gck_check_spec step_spec(const network *net)
{
    gck_check_spec spec = check_spec_of(net);
    spec.epsilon = STEP;
    return spec;
}

/* A bias crosses in samples 0 and 2 of three. dJ/db is (1/4 + 1) / 3; the stencil sees slopes of
 * 3/4 and 5/8: (3/16 + 5/8) / 3, at a distance of 7/33. */
static network bias_network(void)
{
    const double x[] = {0.0625, -1, 0.03125}, y[] = {0.25, 0.5, 1};
    const gck_layer_spec layers[] = {dense(1, "relu")};
    network net = chain_network(layers, 1, x, 3);
    memcpy(net.data->y, y, sizeof y);
    return net;
}

#define BIAS_KINKS \
    "1 parameter of layer 0 crosses a kink of relu within ±0.125, unit 0, samples 0 and 2"

START_TEST(a_kink_is_named_with_its_samples)
{
    network net = bias_network();
    const gck_check_spec spec = step_spec(&net);
    assert_warnings(net, &spec, BIAS_KINKS,
                    "layer 0 b: the distance 0.21 is over the tolerance 0.016, but the gradient is "
                    "the exact one: stencils cross kinks",
                    NULL);
}
END_TEST

/* With as many digits as tell them apart. */
START_TEST(a_distance_just_over_is_told_apart)
{
    network net = bias_network();
    gck_check_spec spec = step_spec(&net);
    spec.tolerance = 0.21212;
    assert_warnings(net, &spec, BIAS_KINKS,
                    "layer 0 b: the distance 0.212121212 is over the tolerance 0.21212, but the "
                    "gradient is the exact one: stencils cross kinks",
                    NULL);
    net = bias_network();
    spec = step_spec(&net);
    spec.tolerance = 0.21213;
    assert_warnings(net, &spec, BIAS_KINKS, NULL);
}
END_TEST

/* The kinks lie in the layer after that of the parameters. */
START_TEST(a_kink_is_named_with_its_layer)
{
    const double x[] = {0.0625, 1};
    const gck_layer_spec layers[] = {dense(1, "linear"), dense(2, "relu")};
    network net = chain_network(layers, 2, x, 2);
    const bool first[] = {true, false};
    gck_check_spec spec = step_spec(&net);
    spec.layer_checked = first;
    spec.tolerance = 1;
    assert_warnings(net, &spec,
                    "1 parameter of layer 0 crosses a kink of relu within ±0.125, units 0 and 1 of "
                    "layer 1, sample 0",
                    NULL);
}
END_TEST

/* The five most concerned, in order, and how many more. All cross as often here. */
START_TEST(long_lists_are_cut)
{
    double x[12];
    for (size_t k = 0; k < COUNT(x); k++)
        x[k] = 0.0625 + 0x1p-20 * (double)k;
    const gck_layer_spec layers[] = {dense(8, "leaky_relu")};
    network net = chain_network(layers, 1, x, COUNT(x));
    gck_check_spec spec = step_spec(&net);
    spec.tolerance = 1;
    assert_warnings(net, &spec,
                    "8 parameters of layer 0 cross a kink of leaky_relu within ±0.125, units 0, 1, "
                    "2, 3, 4 and 3 more, samples 0, 1, 2, 3, 4 and 7 more",
                    NULL);
}
END_TEST

/* Sample 6 crosses by w and b, the others by b alone: it is among the five. */
START_TEST(the_most_concerned_are_named)
{
    const double x[] = {0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.5, 0.0625};
    const gck_layer_spec layers[] = {dense(1, "selu")};
    network net = chain_network(layers, 1, x, COUNT(x));
    net.parameters[0] = 0.0625; /* z is x/16, which w moves by x/8 */
    net.data->x[0] = net.data->x[1] = 0;
    gck_check_spec spec = step_spec(&net);
    spec.tolerance = 1;
    assert_warnings(net, &spec,
                    "2 parameters of layer 0 cross a kink of selu within ±0.125, unit 0, samples "
                    "2, 3, 4, 5, 6 and 3 more",
                    "selu of layer 0: unit 0 lies exactly on a kink in some sample; the slope "
                    "there is a convention",
                    NULL);
}
END_TEST

START_TEST(kinks_of_a_cost_have_outputs)
{
    const double x[] = {1, -1}, y[] = {0.9375, -1, -3, -1};
    const gck_layer_spec layers[] = {dense(2, "linear")};
    network net = network_new(1, layers, 1, cost_named("mae"), 2);
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    net.parameters[0] = net.parameters[1] = 1;
    gck_check_spec spec = step_spec(&net);
    spec.tolerance = 1;
    assert_warnings(net, &spec,
                    "4 parameters of layer 0 cross a kink of mae within ±0.125, outputs 0 and 1, "
                    "samples 0 and 1",
                    "mae: output 1 lies exactly on a kink in some sample; the slope there is a "
                    "convention",
                    NULL);
}
END_TEST

START_TEST(kinks_of_inputs_are_told)
{
    const double x[] = {0.0625, 2, 0.0625};
    const bool none[] = {false};
    const gck_layer_spec layers[] = {dense(1, "relu")};
    network net = chain_network(layers, 1, x, 3);
    gck_check_spec spec = step_spec(&net);
    spec.layer_checked = none;
    spec.inputs = true;
    spec.tolerance = 1;
    assert_warnings(net, &spec,
                    "2 elements of x cross a kink of relu within ±0.125, unit 0 of layer 0, "
                    "samples 0 and 2",
                    NULL);
}
END_TEST

/* 1/16 crosses, 0 crosses and lies on it, 1 does not. */
START_TEST(kinks_of_l1_are_told)
{
    const double w[] = {0.0625, 0, 1};
    const gck_layer_spec layers[] = {dense_with(1, "tanh", "l1", 0.5)};
    network net = network_new(3, layers, 1, cost_named("mse"), 4);
    memcpy(net.parameters, w, sizeof w);
    gck_check_spec spec = step_spec(&net);
    spec.tolerance = 1;
    assert_warnings(net, &spec, "2 weights of layer 0 cross the kink of l1 within ±0.125",
                    "1 weight of layer 0 is 0, on the kink of l1, whose slope there is a "
                    "convention: 0",
                    NULL);
}
END_TEST

/* A forward stencil reaches to one side: 1/16 stays above 0. */
START_TEST(a_forward_stencil_reaches_to_one_side)
{
    const double w[] = {0.0625, -0.0625, 1};
    const gck_layer_spec layers[] = {dense_with(1, "tanh", "l1", 0.5)};
    network net = network_new(3, layers, 1, cost_named("mse"), 4);
    memcpy(net.parameters, w, sizeof w);
    gck_check_spec spec = step_spec(&net);
    spec.method = GCK_FORWARD;
    spec.tolerance = 1;
    assert_warnings(net, &spec, "1 weight of layer 0 crosses the kink of l1 within ±0.125", NULL);
}
END_TEST

/* The slopes of softsign, and of an elu with alpha 1, are the same on either side. */
START_TEST(smooth_bends_are_no_conventions)
{
    static const char *const names[] = {"softsign", "elu"};
    const double x[] = {0, 3};
    for (size_t i = 0; i < COUNT(names); i++) {
        const gck_layer_spec layers[] = {dense(1, names[i])};
        network net = chain_network(layers, 1, x, 2);
        gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        for (size_t w = 0; w < report->warning_count; w++)
            ck_assert_msg(strstr(report->warning[w], "convention") == NULL, "%s",
                          report->warning[w]);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

SUITE_MAIN("kink_warnings", {a_kink_is_named_with_its_samples, 0},
           {a_distance_just_over_is_told_apart, 0}, {a_kink_is_named_with_its_layer, 0},
           {long_lists_are_cut, 0}, {the_most_concerned_are_named, 0},
           {kinks_of_a_cost_have_outputs, 0}, {kinks_of_inputs_are_told, 0},
           {kinks_of_l1_are_told, 0}, {a_forward_stencil_reaches_to_one_side, 0},
           {smooth_bends_are_no_conventions, 0})
