/* Points of all kinds and numbers in segments, and networks at random. */
#include "core/segments.h"
#include "tests/core/compare.h"
#include "tests/core/dice.h"
#include "tests/core/segments.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* Points that are not worth a segment. */
enum { FEW = 16 };

START_TEST(few_points_are_evaluated_one_by_one)
{
    phi p = phi_new(phi_of_three("mse"), 0, 0, 0);
    for (size_t count = 0; count <= 4 * FEW + 3; count++) {
        assert_phi_spread(&p, -1, 1, count, "few");
        assert_phi_spread(&p, 0.1, 1, count, "few above 0");
    }
    phi_done(&p);
}
END_TEST

/* All in one place, on one side of a kink or the other, and beside two others. */
START_TEST(points_may_be_equal)
{
    const double places[] = {0.1, 0.45, -0.7, 1e-3, -2};
    double step[STEPS_MAX];
    phi p = phi_new(phi_of_three("mse"), 0, 0, 0);
    for (size_t k = 0; k < COUNT(places); k++) {
        for (size_t i = 0; i < STEPS_MAX; i++)
            step[i] = places[k];
        assert_phi(&p, step, STEPS_MAX, "equal");
        assert_phi(&p, step, FEW + 1, "equal");
        step[100] = 0.9;
        step[101] = -0.9;
        assert_phi(&p, step, STEPS_MAX, "all but two");
    }
    phi_done(&p);
}
END_TEST

START_TEST(points_at_0_do_not_move)
{
    double step[STEPS_MAX] = {0};
    phi p = phi_new(phi_of_three("mse"), 0, 0, 0);
    assert_phi(&p, step, STEPS_MAX, "at 0");
    steps_spread(-1, 1, step, STEPS_MAX);
    for (size_t i = 0; i < STEPS_MAX; i += 3)
        step[i] = i % 2 == 0 ? 0.0 : -0.0;
    assert_phi(&p, step, STEPS_MAX, "some at 0");
    phi_done(&p);
}
END_TEST

/* Steps of many magnitudes, as inputs of many magnitudes make them. */
START_TEST(steps_may_be_of_all_sizes)
{
    double step[STEPS_MAX];
    phi p = phi_new(phi_of_three("mse"), 0, 0, 0);
    for (size_t i = 0; i < STEPS_MAX; i++)
        step[i] = (i % 2 == 0 ? 1 : -1) * exp2(1 - (double)i / 8);
    assert_phi(&p, step, STEPS_MAX, "many sizes");
    phi_done(&p);
}
END_TEST

/* ---- networks at random ---- */

/* Of up to four layers and all kinds of activations and parameters; any unit, and steps of any
 * number, reach and spread. */
START_TEST(random_networks_agree)
{
    static const char *const names[] = {
        "relu", "leaky_relu", "elu",      "selu",    "softsign", "piecewise_linear", "tanh",
        "slu",  "softplus",   "gaussian", "sigmoid", "arctan",   "bent_identity",    "linear"};
    static const char *const costs[] = {"mse", "mae", "dot"};
    dice d = dice_new((uint64_t)_i);
    gck_layer_spec layers[4];
    const size_t depth = 1 + dice_below(&d, COUNT(layers));
    for (size_t l = 0; l < depth; l++)
        layers[l] = dense(1 + dice_below(&d, 12), names[dice_below(&d, COUNT(names))]);
    network net = phi_network(layers, depth, costs[dice_below(&d, COUNT(costs))]);
    for (size_t e = 0; e < net.model->parameter_count; e++)
        net.parameters[e] = 3 * dice_uniform(&d) - 1.5;
    const size_t layer = dice_below(&d, depth),
                 unit = dice_below(&d, net.model->layer[layer].outputs);
    const size_t count = dice_below(&d, STEPS_MAX + 1), spread_bits = dice_chance(&d, 0.5) ? 20 : 0;
    const double reach = exp2(2 - 20 * dice_uniform(&d) * dice_uniform(&d));
    double step[STEPS_MAX];
    for (size_t i = 0; i < count; i++)
        step[i] =
            reach * (2 * dice_uniform(&d) - 1) * exp2(-(double)spread_bits * dice_uniform(&d));
    phi p = phi_new(net, layer, unit, dice_below(&d, 3));
    assert_phi(&p, step, count, "at random");
    phi_done(&p);
}
END_TEST

/* Unit numbers may be left out. */
START_TEST(crossings_need_not_be_counted)
{
    phi p = phi_new(phi_of_three("mse"), 0, 0, 0);
    double step[STEPS_MAX], change[STEPS_MAX];
    unsigned char crossed[STEPS_MAX];
    size_t order[STEPS_MAX];
    steps_mirrored(1, step, STEPS_MAX);
    phi_points want = phi_evaluate(&p, step, STEPS_MAX);
    const segments_points points = {STEPS_MAX, step, change, crossed, order};
    gck_crossings none = {0};
    segments_evaluate(p.numeric, 0, 0, &points, &none);
    assert_same_bits(change, want.change, STEPS_MAX, "uncounted");
    ck_assert(memcmp(crossed, want.crossed, STEPS_MAX) == 0);
    phi_points_done(&want);
    phi_done(&p);
}
END_TEST

SUITE_MAIN("segments_points", {few_points_are_evaluated_one_by_one, 0}, {points_may_be_equal, 0},
           {points_at_0_do_not_move, 0}, {steps_may_be_of_all_sizes, 0},
           {crossings_need_not_be_counted, 0}, {random_networks_agree, 200})
