/* Networks of every form against long doubles: where layers stand, what they leave out, which
 * samples count. */
#include "tests/core/agree.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <string.h>

/* ---- layers ---- */

static void layers_agree(const gck_layer_spec *layers, size_t count, const char *cost,
                         const char *what)
{
    network net = network_new(4, layers, count, cost_named(cost), 7);
    network_draw_biases(&net);
    assert_all_agree(&net, 1e-3, what);
    network_done(&net);
}

START_TEST(one_layer)
{
    const gck_layer_spec layers[] = {dense(1, "relu")};
    layers_agree(layers, 1, "mse", "one unit");
}
END_TEST

/* _i: where it stands among two dense layers. */
START_TEST(dropout_anywhere)
{
    gck_layer_spec layers[3] = {dense(5, "relu"), dense(3, "softplus")};
    memmove(&layers[_i + 1], &layers[_i], (size_t)(2 - _i) * sizeof layers[0]);
    layers[_i] = dropout(0.4);
    layers_agree(layers, 3, "mae", "dropout");
}
END_TEST

START_TEST(dropout_after_dropout)
{
    const gck_layer_spec layers[] = {dropout(0.2), dense(6, "leaky_relu"), dropout(0.3),
                                     dropout(0.3), dense(2, "sigmoid")};
    layers_agree(layers, 5, "binary_crossentropy", "much dropout");
}
END_TEST

/* _i: where it stands among two dense layers: on x itself, on a pre-activation, on outputs. */
START_TEST(activations_anywhere)
{
    static const char *const names[] = {"relu", "softmax", "tanh", "piecewise_linear", "elu"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gck_layer_spec layers[3] = {dense(5, "linear"), dense(3, "slu")};
        memmove(&layers[_i + 1], &layers[_i], (size_t)(2 - _i) * sizeof layers[0]);
        layers[_i] = activation(names[i]);
        layers_agree(layers, 3, "mse", names[i]);
    }
}
END_TEST

/* The cross-entropies are computed with the activation before them, whatever layer has it. */
START_TEST(activation_layers_under_an_entropy)
{
    const gck_layer_spec softmax[] = {dense(5, "relu"), dense(3, "linear"), activation("softmax")};
    const gck_layer_spec sigmoid[] = {dense(5, "relu"), dense(3, "linear"), activation("sigmoid")};
    layers_agree(softmax, 3, "categorical_crossentropy", "softmax");
    layers_agree(sigmoid, 3, "binary_crossentropy", "sigmoid");
}
END_TEST

START_TEST(softmax_inside)
{
    const gck_layer_spec layers[] = {dense(4, "softmax"), dense(5, "relu"), dense(4, "softmax"),
                                     dense(3, "softmax")};
    layers_agree(layers, 4, "categorical_crossentropy", "three times");
    layers_agree(layers, 4, "mae", "three times, under mae");
    layers_agree(layers, 3, "dot", "twice, under dot");
}
END_TEST

START_TEST(a_softmax_of_one_unit)
{
    const gck_layer_spec layers[] = {dense(1, "softmax"), dense(2, "tanh")};
    layers_agree(layers, 2, "mse", "constant");
}
END_TEST

START_TEST(without_biases)
{
    const gck_layer_spec layers[] = {dense_with(5, "relu", "use_bias", 0),
                                     dense_with(4, "selu", "use_bias", 0),
                                     dense_with(2, "linear", "use_bias", 0)};
    layers_agree(layers, 3, "mae", "none");
    layers_agree(layers, 2, "mse", "none in two layers");
}
END_TEST

START_TEST(deep_and_narrow)
{
    gck_layer_spec layers[12];
    for (size_t i = 0; i < COUNT(layers); i++)
        layers[i] = dense(2, i % 3 == 0 ? "leaky_relu" : i % 3 == 1 ? "arctan" : "bent_identity");
    layers_agree(layers, COUNT(layers), "mse", "12 layers");
}
END_TEST

START_TEST(wide_layers)
{
    const gck_layer_spec layers[] = {dense(40, "relu"), dense(3, "softmax")};
    layers_agree(layers, 2, "categorical_crossentropy", "40 units");
}
END_TEST

START_TEST(penalties_of_both_kinds)
{
    gck_layer_spec layers[] = {dense_with(4, "relu", "l1", 0.3), dense_with(3, "tanh", "l2", 0.2),
                               dense_with(2, "linear", "l1", 0.1)};
    layers[2].type = with_option(layers[2].type, "l2", 0.4);
    layers_agree(layers, 3, "mae", "l1 and l2");
}
END_TEST

/* ---- samples ---- */

/* _i + 1 samples: below, at and above a multiple of 8, which is how many lie side by side. */
START_TEST(any_number_of_samples)
{
    const gck_layer_spec layers[] = {dense(3, "relu"), dense(2, "sigmoid")};
    network net = network_weighted(2, layers, 2, cost_named("mae"), (size_t)_i + 1);
    network_draw_biases(&net);
    assert_all_agree(&net, 1e-2, "samples");
    network_done(&net);
}
END_TEST

/* Weight 0 takes a sample out: nothing of it shows, not even its kinks. */
START_TEST(samples_of_weight_0_do_not_count)
{
    const gck_layer_spec layers[] = {dense(6, "relu"), dense(2, "piecewise_linear")};
    network net = network_weighted(3, layers, 2, cost_named("mae"), 9);
    network_draw_biases(&net);
    for (size_t k = 0; k < 9; k++)
        net.data->weights[k] = k == 4 ? 2.5 : 0;
    assert_all_agree(&net, 0.3, "one sample");
    net.data->weights[4] = 0;
    assert_all_agree(&net, 0.3, "no sample");
    network_done(&net);
}
END_TEST

/* The loss of a gaussian has a pole at z = 0, over which these steps reach. z = x. */
static network pole_network(double last)
{
    const double x[] = {0.25, -0.375, last};
    const gck_layer_spec layers[] = {dense(1, "gaussian")};
    network net = network_weighted(1, layers, 1, cost_named("binary_crossentropy"), 3);
    memcpy(net.data->x, x, sizeof x);
    net.parameters[0] = 1;
    return net;
}

/* On the pole, but of weight 0. */
START_TEST(a_masked_pole_is_not_seen)
{
    network net = pole_network(0);
    ck_assert(net.data->weights[2] == 0);
    assert_all_agree(&net, 0.3, "masked");
    network_done(&net);
}
END_TEST

/* Next to it: its slope is beyond all others, its quotients are not, and those of other samples are
 * as good as ever. */
START_TEST(a_pole_hides_nothing)
{
    const double near[] = {1e-3, 1e-6, 1e-9, 1e-12, 1e-100};
    for (size_t i = 0; i < COUNT(near); i++) {
        network net = pole_network(near[i]);
        net.data->weights[2] = 1;
        gck_check_spec spec = check_spec_of(&net);
        spec.epsilon = 0.3;
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_int_eq(report->verdict, GCK_PASS);
        for (size_t e = 0; e < 2; e++)
            assert_within(report->layer[0].tensor[e].numeric[0],
                          wide_quotient(&net, GCK_CENTRAL, 0.3, e).value,
                          1e-9L * report->layer[0].norms.numeric, "parameter %zu, pole at %g", e,
                          near[i]);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

/* ---- values ---- */

/* Units and weights on their kinks, identical units, zeros that meet zeros. */
START_TEST(initial_values_of_all_kinds)
{
    static const char *const initializers[] = {"zeros", "ones", "he_normal", "uniform"};
    static const char *const activations[] = {"relu", "selu", "softmax", "softsign", "sigmoid"};
    for (size_t i = 0; i < COUNT(initializers) * COUNT(activations); i++) {
        const char *name = activations[i % COUNT(activations)];
        gck_layer_spec layers[] = {dense(3, name), dense_with(2, "linear", "l1", 0.2)};
        layers[0].initializer = layers[1].initializer =
            initializer_named(initializers[i / COUNT(activations)]);
        network net = network_new(2, layers, 2, cost_named("mse"), 5);
        assert_all_agree(&net, 1e-4, name);
        network_done(&net);
    }
}
END_TEST

START_TEST(inputs_of_0)
{
    const gck_layer_spec layers[] = {dense(4, "relu"), dense(2, "tanh")};
    network net = network_new(3, layers, 2, cost_named("mse"), 6);
    network_draw_biases(&net);
    memset(net.data->x, 0, 9 * sizeof *net.data->x); /* three whole samples */
    net.data->x[12] = net.data->x[16] = 0;
    assert_all_agree(&net, 1e-2, "zeros");
    network_done(&net);
}
END_TEST

SUITE_MAIN("forms", {one_layer, 0}, {dropout_anywhere, 3}, {dropout_after_dropout, 0},
           {activations_anywhere, 3}, {activation_layers_under_an_entropy, 0}, {softmax_inside, 0},
           {a_softmax_of_one_unit, 0}, {without_biases, 0}, {deep_and_narrow, 0}, {wide_layers, 0},
           {penalties_of_both_kinds, 0}, {any_number_of_samples, 18},
           {samples_of_weight_0_do_not_count, 0}, {a_masked_pole_is_not_seen, 0},
           {a_pole_hides_nothing, 0}, {initial_values_of_all_kinds, 0}, {inputs_of_0, 0})
