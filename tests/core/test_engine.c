/* The numeric derivatives of whole networks, by either engine, against long doubles. */
#include "tests/core/agree.h"
#include "tests/core/compare.h"
#include "tests/core/plain.h"
#include "tests/core/suite.h"

#include "core/check.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- activations and costs ---- */

enum { ACTIVATIONS = 15 };

static bool fit_each_other(const gck_choice *activation, const gck_choice *cost)
{
    return !gck_cost_is_entropy(cost) || gck_activation_is_probability(activation);
}

/* _i: the activation, inside and as output, with every cost. */
START_TEST(every_activation_and_cost_agrees)
{
    const gck_choice choice = gck_choice_default(gck_activations.rows[_i]);
    const gck_layer_spec layers[] = {dense_of(5, choice), dense_of(3, choice)};
    for (size_t c = 0; c < gck_costs.count; c++) {
        const gck_choice cost = gck_choice_default(gck_costs.rows[c]);
        char what[80];
        if (!fit_each_other(&choice, &cost)) continue;
        snprintf(what, sizeof what, "%s, %s", choice.item->name, cost.item->name);
        network net = network_weighted(4, layers, 2, cost, 7);
        network_draw_biases(&net);
        assert_all_agree(&net, 1e-4, what);
        network_done(&net);
    }
}
END_TEST

START_TEST(options_of_activations_count)
{
    const gck_choice choices[] = {
        with_option(activation_named("linear"), "k", -3),
        with_option(activation_named("sigmoid"), "c", 12),
        with_option(activation_named("leaky_relu"), "alpha", -0.7),
        with_option(activation_named("elu"), "alpha", 3),
        with_option(activation_named("elu"), "alpha", -0.5),
        with_option(activation_named("selu"), "alpha", 0.25),
        with_option(activation_named("selu"), "scale", -2),
        with_option(activation_named("piecewise_linear"), "alpha", 0.125),
    };
    for (size_t i = 0; i < COUNT(choices); i++) {
        const gck_layer_spec layers[] = {dense_of(6, choices[i]), dense_of(2, choices[i])};
        network net = network_new(3, layers, 2, cost_named("mse"), 9);
        network_draw_biases(&net);
        assert_all_agree(&net, 1e-2, choices[i].item->name);
        network_done(&net);
    }
}
END_TEST

/* _i: the reduction. */
START_TEST(options_of_costs_count)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dense(2, "sigmoid")};
    for (size_t c = 0; c < gck_costs.count; c++) {
        gck_choice cost = gck_choice_default(gck_costs.rows[c]);
        cost = with_option(with_option(cost, "reduction", _i), "scale", 0.5);
        network net = network_weighted(2, layers, 2, cost, 6);
        network_draw_biases(&net);
        assert_all_agree(&net, 1e-4, cost.item->name);
        network_done(&net);
    }
}
END_TEST

/* ---- steps ---- */

/* From steps at which a plain loop's rounding would be 1e-8 of the gradient to such as reach beyond
 * a function's bend. _i: the step. */
static const double epsilons[] = {1e-7, 1e-6, 1e-5, 1e-3, 1e-2, 0.1, 0.5, 1};

START_TEST(any_step_agrees)
{
    const gck_layer_spec layers[] = {dense(4, "softplus"), dense(3, "slu"), dense(3, "softmax")};
    network net = network_new(3, layers, 3, cost_named("categorical_crossentropy"), 8);
    network_draw_biases(&net);
    assert_all_agree(&net, epsilons[_i], "smooth");
    network_done(&net);
    const gck_layer_spec kinked[] = {dense(4, "relu"), dense(3, "selu"), dense(2, "softsign")};
    net = network_weighted(3, kinked, 3, cost_named("mae"), 8);
    network_draw_biases(&net);
    assert_all_agree(&net, epsilons[_i], "kinked");
    network_done(&net);
}
END_TEST

/* A gaussian at its top: J is even in every weight before it, so that its forward difference is all
 * that the even part of a fit says. */
START_TEST(long_steps_to_one_side_agree)
{
    gck_layer_spec layers[] = {dense(2, "gaussian"), dense(2, "arctan")};
    layers[0].initializer = initializer_named("zeros");
    network net = network_new(2, layers, 2, cost_named("mse"), 4);
    assert_all_agree(&net, 0.7, "even");
    network_done(&net);
}
END_TEST

/* ---- the loop that a user would write ---- */

static double plain_of(const network *net, double epsilon, size_t element)
{
    const gck_plain plain = {.model = net->model,
                             .parameters = net->parameters,
                             .data = net->data,
                             .epsilon = epsilon,
                             .block = {.first = 0, .count = net->data->samples}};
    gck_error error;
    double numeric;
    assert_ok(gck_plain_parameters(&plain, &element, 1, (gck_stop){0}, &numeric, &error), &error);
    return numeric;
}

/* Its noise is what two values of J are off by. Here a sum has at most 5 terms of size 2 or less,
 * and each of three layers adds less than 16 roundings to outputs and losses of size 1: 16 * 3 * 2
 * u, at either point, of the mean. */
static void compare_plain(const network *net, const gck_check *check)
{
    const size_t count = net->model->parameter_count;
    const double norm = gck_vector_norm(check->parameter.numeric, count);
    const double epsilon = check->spec.epsilon;
    const long double noise = 2 * 96 * ROUNDOFF / (2 * epsilon) * (double)net->model->outputs;
    for (size_t e = 0; e < count; e++)
        assert_within(check->parameter.numeric[e], plain_of(net, epsilon, e), 1e-9L * norm + noise,
                      "parameter %zu at %g", e, epsilon);
}

START_TEST(a_plain_loop_agrees_within_its_rounding)
{
    static const char *const last[] = {"sigmoid", "piecewise_linear"};
    const double steps[] = {1e-2, 1e-4, 1e-6, 1e-8};
    for (size_t i = 0; i < COUNT(last) * COUNT(steps); i++) {
        const gck_layer_spec layers[] = {dense(4, "softsign"), dense(4, "tanh"),
                                         dense(2, last[i % COUNT(last)])};
        network net = network_new(4, layers, 3, cost_named("mse"), 9);
        gck_check_spec spec = check_spec_of(&net);
        spec.epsilon = steps[i / COUNT(last)];
        gck_check *check = check_open(&spec);
        check_finish(check);
        compare_plain(&net, check);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

/* ---- large and small numbers ---- */

/* Sums that lose no digits: with x of powers of two, z = θ x is exact for one input, and J is
 * linear in z, so that the quotient of values is the exact one where ε does not vanish. */
static network linear_network(double theta)
{
    const gck_layer_spec layers[] = {dense_with(1, "linear", "use_bias", 0)};
    network net = network_new(1, layers, 1, with_option(cost_named("dot"), "reduction", 2), 2);
    const double x[] = {2, -0.5}, y[] = {1, 0.5};
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    net.parameters[0] = theta;
    return net;
}

static double numeric_of(const network *net, gck_method method, double epsilon, gck_engine engine)
{
    gck_check_spec spec = check_spec_of(net);
    spec.method = method;
    spec.epsilon = epsilon;
    spec.engine = engine;
    gck_check *check = check_open(&spec);
    check_finish(check);
    const double numeric = check->parameter.numeric[0];
    gck_check_free(check);
    return numeric;
}

/* θ = 2^20, …, 2^60 at ε = 1e-4: taken as it is, coarse, and vanished beside θ. The step is the one
 * that doubles took, so that the quotient stays 2 * 1 - 0.5 * 0.5 = 1.75, and becomes 0. */
START_TEST(huge_parameters_have_the_plain_quotient)
{
    const struct {
        double theta, want;
    } cases[] = {{0x1p20, 1.75}, {-0x1p24, 1.75}, {0x1p30, 1.75}, {-0x1p36, 1.75},
                 {0x1p39, 1.75}, {0x1p42, 0},     {-0x1p60, 0},   {1e6 + 0.1, 1.75}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        network net = linear_network(cases[i].theta);
        for (int engine = GCK_ENGINE_UNITS; engine <= GCK_ENGINE_DIRECT; engine++) {
            const double numeric = numeric_of(&net, GCK_CENTRAL, 1e-4, (gck_engine)engine);
            assert_within(numeric, cases[i].want, 1e-9L, "θ = %a", cases[i].theta);
            assert_within(numeric_of(&net, GCK_FORWARD, 1e-4, (gck_engine)engine), cases[i].want,
                          1e-9L, "forward, θ = %a", cases[i].theta);
        }
        assert_within(plain_of(&net, 1e-4, 0), cases[i].want, 1e-9L, "plain, θ = %a",
                      cases[i].theta);
        network_done(&net);
    }
}
END_TEST

/* The curvature of z^2 is what a coarse step shows: (J(θ + s) - J(θ - t)) / (s + t) = 2θ + s - t.
 */
START_TEST(coarse_steps_are_taken_as_they_are)
{
    const double thetas[] = {1e6, 1e7 + 0.3, 123456789.7, 1e10 + 0.5};
    const gck_layer_spec layers[] = {dense_with(1, "linear", "use_bias", 0)};
    network net = network_new(1, layers, 1, with_option(cost_named("mse"), "reduction", 2), 1);
    net.data->x[0] = 1;
    for (size_t i = 0; i < COUNT(thetas); i++) {
        const double theta = thetas[i], up = theta + 1e-4, down = theta - 1e-4;
        const long double want = (long double)up + down - 2 * (long double)net.data->y[0];
        net.parameters[0] = theta;
        for (int engine = GCK_ENGINE_UNITS; engine <= GCK_ENGINE_DIRECT; engine++)
            assert_within(numeric_of(&net, GCK_CENTRAL, 1e-4, (gck_engine)engine), want,
                          4 * ROUNDOFF * want, "θ = %.17g", theta);
    }
    network_done(&net);
}
END_TEST

/* Beside large parameters, small ones and x keep their own steps. */
START_TEST(large_parameters_agree)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dense(2, "linear")};
    network net = network_new(2, layers, 2, cost_named("mse"), 5);
    const double large[] = {2e6, -3e7, 5e8};
    for (size_t i = 0; i < COUNT(large); i++)
        net.parameters[net.model->layer[1].tensor[0].offset + i] = large[i];
    assert_all_agree(&net, 1e-4, "large weights");
    net.parameters[0] = 4e6;
    net.data->x[0] = 0x1p-22;
    assert_all_agree(&net, 1e-4, "a large weight on a small input");
    network_done(&net);
}
END_TEST

START_TEST(large_and_small_inputs_agree)
{
    const double scales[] = {1e-8, 1e-3, 30, 1e4};
    const gck_layer_spec layers[] = {dense(3, "arctan"), dense(2, "bent_identity")};
    for (size_t i = 0; i < COUNT(scales); i++) {
        char what[40];
        snprintf(what, sizeof what, "x times %g", scales[i]);
        network net = network_new(3, layers, 2, cost_named("mse"), 6);
        network_draw_biases(&net);
        for (size_t e = 0; e < 18; e++)
            net.data->x[e] *= scales[i];
        gck_check_spec spec = check_spec_of(&net);
        spec.epsilon = 1e-6;
        assert_agrees(&net, &spec, what);
        network_done(&net);
    }
}
END_TEST

SUITE_MAIN("engine", {every_activation_and_cost_agrees, ACTIVATIONS},
           {options_of_activations_count, 0}, {options_of_costs_count, 3},
           {any_step_agrees, COUNT(epsilons)}, {long_steps_to_one_side_agree, 0},
           {a_plain_loop_agrees_within_its_rounding, 0},
           {huge_parameters_have_the_plain_quotient, 0}, {coarse_steps_are_taken_as_they_are, 0},
           {large_parameters_agree, 0}, {large_and_small_inputs_agree, 0})
