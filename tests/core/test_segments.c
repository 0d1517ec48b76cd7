/* Segments between kinks, against φ point by point in long double, and by hand. */
#include "tests/core/segments.h"
#include "core/segments.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* Points of a segment's own, and those that are not worth one. */
enum { MANY = 600, FEW = 16 };

/* ---- networks ---- */

/* Of dense layers, all parameters 0; x is 0.5, 1.5, 2.5, … for the samples and y is 0. */
static network network_plain(const gck_layer_spec *layers, size_t count, const char *cost)
{
    network net = network_new(1, layers, count, cost_named(cost), 3);
    memset(net.parameters, 0, net.model->parameter_count * sizeof *net.parameters);
    memset(net.data->y, 0, 3 * net.model->outputs * sizeof *net.data->y);
    for (size_t k = 0; k < 3; k++)
        net.data->x[k] = 0.5 + (double)k;
    return net;
}

static double *weights(network *net, size_t layer)
{
    return net->parameters + net->model->layer[layer].tensor[0].offset;
}

static double *biases(network *net, size_t layer)
{
    return net->parameters + net->model->layer[layer].tensor[1].offset;
}

/* One unit of an activation at z = x + bias, then 1.5 a - 0.25. */
static network network_of_one(const char *activation, double bias, const char *cost)
{
    const gck_layer_spec layers[] = {dense(1, activation), dense(1, "linear")};
    network net = network_plain(layers, 2, cost);
    weights(&net, 0)[0] = 1;
    biases(&net, 0)[0] = bias;
    weights(&net, 1)[0] = 1.5;
    biases(&net, 1)[0] = -0.25;
    return net;
}

/* t = tanh(x - 0.5 + s), 0 for the first sample; relu units of t - 0.3, 0.2 - t and t + 0.1; their
 * sum. */
static network network_of_three(const char *cost)
{
    const gck_layer_spec layers[] = {dense(1, "tanh"), dense(3, "relu"), dense(1, "linear")};
    network net = network_plain(layers, 3, cost);
    const double w[] = {1, -1, 1}, b[] = {-0.3, 0.2, 0.1}, v[] = {1, 1.25, -0.5};
    weights(&net, 0)[0] = 1;
    biases(&net, 0)[0] = -0.5;
    memcpy(weights(&net, 1), w, sizeof w);
    memcpy(biases(&net, 1), b, sizeof b);
    memcpy(weights(&net, 2), v, sizeof v);
    return net;
}

/* s itself, and `units` relu units with kinks evenly from low to high. */
static network network_of_many(size_t units, double low, double high)
{
    const gck_layer_spec layers[] = {dense(1, "linear"), dense(units, "relu"), dense(1, "linear")};
    network net = network_plain(layers, 3, "mse");
    for (size_t j = 0; j < units; j++) {
        const double share = ((double)j + 0.5) / (double)units;
        weights(&net, 1)[j] = 1;
        biases(&net, 1)[j] = -(low + (high - low) * share);
        weights(&net, 2)[j] = (j % 2 == 0 ? 1.0 : -0.75) / (double)units;
    }
    weights(&net, 0)[0] = 0;
    biases(&net, 2)[0] = 0.3;
    return net;
}

/* ---- steps ---- */

/* Unevenly within (low, high), as the golden ratio throws them. */
static void spread(double low, double high, double *step, size_t count)
{
    for (size_t i = 0; i < count; i++)
        step[i] = low + (high - low) * fmod((double)(i + 1) * 0.61803398874989485, 1);
}

/* As a central difference has them: each with its opposite. */
static void mirrored(double reach, double *step, size_t count)
{
    spread(0, reach, step, count / 2);
    for (size_t i = 0; i < count / 2; i++)
        step[count / 2 + i] = -step[i];
}

static void assert_spread(const phi *p, double low, double high, size_t count, const char *what)
{
    double step[MANY];
    spread(low, high, step, count);
    assert_phi(p, step, count, what);
}

static void assert_mirrored(const phi *p, double reach, const char *what)
{
    double step[MANY];
    mirrored(reach, step, MANY);
    assert_phi(p, step, MANY, what);
}

/* ---- by hand ---- */

/* relu at z = 0.5: φ(s) = (1.5 max(0.5 + s, 0) - 0.25)^2, 0.25 for s = 0, with a kink at -0.5. All
 * values are those of two parabolas, which a segment has to the roundings of its eight nodes and
 * coefficients: some 40 of the largest. */
START_TEST(a_relu_is_two_parabolas)
{
    phi p = phi_new(network_of_one("relu", 0, "mse"), 0, 0, 0);
    double step[MANY];
    size_t crossings = 0;
    mirrored(1, step, MANY);
    phi_points got = phi_evaluate(&p, step, MANY);
    for (size_t i = 0; i < MANY; i++) {
        const long double a = fmaxl(0.5L + step[i], 0), out = 1.5L * a - 0.25L;
        assert_within(got.change[i], out * out - 0.25L, 40 * ROUNDOFF * 3.75L, "at %g", step[i]);
        ck_assert_int_eq(got.crossed[i], step[i] <= -0.5);
        crossings += step[i] <= -0.5;
    }
    ck_assert(got.unit[0] == (double)crossings && got.unit[1] == 0 && got.unit[2] == 0);
    phi_points_done(&got);
    phi_done(&p);
}
END_TEST

/* Beside a kink, within a thousandth of the range, values are φ's own, and so are those of few
 * points: relative to the change, 1.5 of the sum of its terms' roundings, 3 of a carried change and
 * 3 of the loss. */
START_TEST(points_beside_a_kink_are_evaluated_one_by_one)
{
    phi p = phi_new(network_of_one("relu", 0, "mse"), 0, 0, 0);
    double step[MANY];
    for (size_t i = 0; i < MANY; i++)
        step[i] = i < MANY / 2 ? -(double)(i + 1) / (MANY / 2)
                               : -0.5 + ((double)i - 0.75 * MANY) * exp2(-(double)(i % 40) - 18);
    phi_points got = phi_evaluate(&p, step, MANY);
    for (size_t i = MANY / 2; i < MANY; i++) {
        const long double d = fmaxl(0.5L + step[i], 0) * 1.5L - 0.75L, want = d * (1 + d);
        assert_within(got.change[i], want, 8 * ROUNDOFF * fabsl(d) * (1 + fabsl(d)), "at %a",
                      step[i]);
        ck_assert_int_eq(got.crossed[i], step[i] <= -0.5);
    }
    phi_points_done(&got);
    phi_done(&p);
}
END_TEST

/* ---- one kink, wherever it lies ---- */

static const char *const kinked[] = {"relu", "leaky_relu", "elu",
                                     "selu", "softsign",   "piecewise_linear"};

/* z from -1.1 to 1.1 in steps of 0.1, with 0, where either side's first step crosses or none does.
 */
START_TEST(a_kink_may_lie_anywhere)
{
    for (int i = -11; i <= 11; i++) {
        network net = network_of_one(kinked[_i], i / 10.0 - 0.5, "mse");
        phi p = phi_new(net, 0, 0, 0);
        assert_mirrored(&p, 1, kinked[_i]);
        assert_mirrored(&p, 1e-4, kinked[_i]);
        phi_done(&p);
    }
}
END_TEST

/* Smooth throughout, until a - y changes its sign. */
START_TEST(costs_have_kinks_too)
{
    network net = network_of_one("tanh", -0.5, "mae"); /* a = 1.5 tanh(s) - 0.25 */
    net.data->y[0] = 0.37;
    phi p = phi_new(net, 0, 0, 0);
    assert_mirrored(&p, 1, "mae");
    assert_mirrored(&p, 0.01, "mae, not reached");
    phi_done(&p);
}
END_TEST

START_TEST(without_kinks_a_segment_is_enough)
{
    const char *const smooth[] = {"tanh", "softplus", "gaussian", "arctan", "sigmoid"};
    for (size_t i = 0; i < COUNT(smooth); i++) {
        phi p = phi_new(network_of_one(smooth[i], 0.2, "mse"), 0, 0, 0);
        assert_mirrored(&p, 2, smooth[i]);
        assert_mirrored(&p, 1e-5, smooth[i]);
        phi_done(&p);
    }
}
END_TEST

/* ---- several ---- */

/* The kinks lie where tanh(s) is 0.3, 0.2 and -0.1, on a curve; all samples, both costs. */
START_TEST(kinks_on_a_curve_are_found)
{
    const char *const costs[] = {"mse", "mae", "dot"};
    for (size_t sample = 0; sample < 3; sample++)
        for (size_t c = 0; c < COUNT(costs); c++) {
            phi p = phi_new(network_of_three(costs[c]), 0, 0, sample);
            assert_mirrored(&p, 1, costs[c]);
            assert_mirrored(&p, 3, costs[c]);
            assert_spread(&p, 0.1, 0.4, MANY, costs[c]);
            assert_spread(&p, -3, -1, MANY, costs[c]);
            phi_done(&p);
        }
}
END_TEST

/* A unit of a middle layer, beside others that do not move. */
START_TEST(units_of_later_layers_are_disturbed_alone)
{
    for (size_t unit = 0; unit < 3; unit++) {
        phi p = phi_new(network_of_three("mse"), 1, unit, 1);
        assert_mirrored(&p, 1.5, "middle layer");
        phi_done(&p);
    }
}
END_TEST

/* Kinks as near to each other as the surroundings of one, or all in one place. */
START_TEST(kinks_may_lie_close_together)
{
    const double width[] = {0, 1e-9, 1e-4, 1e-3, 1e-2};
    for (size_t i = 0; i < COUNT(width); i++) {
        phi p = phi_new(network_of_many(20, 0.4, 0.4 + width[i]), 0, 0, 0);
        assert_mirrored(&p, 1, "close together");
        phi_done(&p);
    }
}
END_TEST

/* More kinks than there are segments; from 65 on more than are told apart at a time. */
START_TEST(many_kinks_are_counted)
{
    const size_t units[] = {2, 10, 64, 65, 100, 250};
    for (size_t i = 0; i < COUNT(units); i++) {
        phi p = phi_new(network_of_many(units[i], -0.9, 0.9), 0, 0, 0);
        assert_mirrored(&p, 1, "on either side");
        phi_done(&p);
        p = phi_new(network_of_many(units[i], 0.5, 0.9), 0, 0, 0);
        assert_mirrored(&p, 1, "on one side");
        phi_done(&p);
    }
}
END_TEST

/* ---- points ---- */

START_TEST(few_points_are_evaluated_one_by_one)
{
    phi p = phi_new(network_of_three("mse"), 0, 0, 0);
    for (size_t count = 0; count <= 4 * FEW + 3; count++) {
        assert_spread(&p, -1, 1, count, "few");
        assert_spread(&p, 0.1, 1, count, "few above 0");
    }
    phi_done(&p);
}
END_TEST

/* All in one place, on one side of a kink or the other, and beside two others. */
START_TEST(points_may_be_equal)
{
    const double places[] = {0.1, 0.45, -0.7, 1e-3, -2};
    double step[MANY];
    phi p = phi_new(network_of_three("mse"), 0, 0, 0);
    for (size_t k = 0; k < COUNT(places); k++) {
        for (size_t i = 0; i < MANY; i++)
            step[i] = places[k];
        assert_phi(&p, step, MANY, "equal");
        assert_phi(&p, step, FEW + 1, "equal");
        step[100] = 0.9;
        step[101] = -0.9;
        assert_phi(&p, step, MANY, "all but two");
    }
    phi_done(&p);
}
END_TEST

START_TEST(points_at_0_do_not_move)
{
    double step[MANY] = {0};
    phi p = phi_new(network_of_three("mse"), 0, 0, 0);
    assert_phi(&p, step, MANY, "at 0");
    spread(-1, 1, step, MANY);
    for (size_t i = 0; i < MANY; i += 3)
        step[i] = i % 2 == 0 ? 0.0 : -0.0;
    assert_phi(&p, step, MANY, "some at 0");
    phi_done(&p);
}
END_TEST

/* Steps of many magnitudes, as inputs of many magnitudes make them. */
START_TEST(steps_may_be_of_all_sizes)
{
    double step[MANY];
    phi p = phi_new(network_of_three("mse"), 0, 0, 0);
    for (size_t i = 0; i < MANY; i++)
        step[i] = (i % 2 == 0 ? 1 : -1) * exp2(1 - (double)i / 8);
    assert_phi(&p, step, MANY, "many sizes");
    phi_done(&p);
}
END_TEST

/* φ(s) of a gaussian unit far from its top, then a narrow hill, over what a few nodes see. */
START_TEST(smooth_segments_are_split_until_they_converge)
{
    network net = network_of_one("gaussian", 0, "mse");
    phi p = phi_new(net, 0, 0, 0);
    assert_mirrored(&p, 40, "a hill");
    assert_spread(&p, -30, 35, MANY, "a hill");
    phi_done(&p);
}
END_TEST

/* A relu of a gaussian's top, e^(-z^2) - e^(-half^2) > 0 for |z| < half, with its top at some s:
 * out and back, wherever nodes lie. */
START_TEST(a_kink_may_be_crossed_twice)
{
    static const double halves[] = {0.3, 0.02, 0.01};
    const double half = halves[_i];
    const gck_layer_spec layers[] = {dense(1, "gaussian"), dense(1, "relu"), dense(1, "linear")};
    for (double top = -0.993; top < 1; top += 0.01) {
        network net = network_plain(layers, 3, "mse");
        weights(&net, 0)[0] = weights(&net, 1)[0] = 1;
        biases(&net, 0)[0] = -0.5 - top;
        biases(&net, 1)[0] = -exp(-half * half);
        weights(&net, 2)[0] = 1 / half;
        phi p = phi_new(net, 0, 0, 0);
        assert_mirrored(&p, 1, "there and back");
        phi_done(&p);
    }
}
END_TEST

/* Unit numbers may be left out. */
START_TEST(crossings_need_not_be_counted)
{
    phi p = phi_new(network_of_three("mse"), 0, 0, 0);
    double step[MANY], change[MANY];
    unsigned char crossed[MANY];
    size_t order[MANY];
    mirrored(1, step, MANY);
    phi_points want = phi_evaluate(&p, step, MANY);
    const segments_points points = {MANY, step, change, crossed, order};
    gck_crossings none = {0};
    segments_evaluate(p.numeric, 0, 0, &points, &none);
    assert_same_bits(change, want.change, MANY, "uncounted");
    ck_assert(memcmp(crossed, want.crossed, MANY) == 0);
    phi_points_done(&want);
    phi_done(&p);
}
END_TEST

SUITE_MAIN("segments", {a_relu_is_two_parabolas, 0},
           {points_beside_a_kink_are_evaluated_one_by_one, 0},
           {a_kink_may_lie_anywhere, COUNT(kinked)}, {costs_have_kinks_too, 0},
           {without_kinks_a_segment_is_enough, 0}, {kinks_on_a_curve_are_found, 0},
           {units_of_later_layers_are_disturbed_alone, 0}, {kinks_may_lie_close_together, 0},
           {many_kinks_are_counted, 0}, {few_points_are_evaluated_one_by_one, 0},
           {points_may_be_equal, 0}, {points_at_0_do_not_move, 0}, {steps_may_be_of_all_sizes, 0},
           {smooth_segments_are_split_until_they_converge, 0}, {a_kink_may_be_crossed_twice, 3},
           {crossings_need_not_be_counted, 0})
