/* Segments between kinks, against φ point by point in long double, and by hand. */
#include "tests/core/segments.h"
#include "core/segments.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* ---- by hand ---- */

/* relu at z = 0.5: φ(s) = (1.5 max(0.5 + s, 0) - 0.25)^2, 0.25 for s = 0, with a kink at -0.5. All
 * values are those of two parabolas, of 3.75 at most; a coefficient is a sum of eight values, and
 * the recurrence takes three operations for each of eight: 32, and 8 for the values. */
START_TEST(a_relu_is_two_parabolas)
{
    phi p = phi_new(phi_of_one("relu", 0, "mse"), 0, 0, 0);
    double step[STEPS_MAX];
    size_t crossings = 0;
    steps_mirrored(1, step, STEPS_MAX);
    phi_points got = phi_evaluate(&p, step, STEPS_MAX);
    for (size_t i = 0; i < STEPS_MAX; i++) {
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

/* Beside a kink, within a thousandth of the range, values are φ's own: relative to the change d of
 * the output, 2 for relu's, 1 for the product with 1.5, 3 for d (1 + d) with its sum, 2 to spare.
 */
START_TEST(points_beside_a_kink_are_evaluated_one_by_one)
{
    phi p = phi_new(phi_of_one("relu", 0, "mse"), 0, 0, 0);
    double step[STEPS_MAX];
    for (size_t i = 0; i < STEPS_MAX; i++)
        step[i] = i < STEPS_MAX / 2
                      ? -(double)(i + 1) / (STEPS_MAX / 2)
                      : -0.5 + ((double)i - 0.75 * STEPS_MAX) * exp2(-(double)(i % 40) - 18);
    phi_points got = phi_evaluate(&p, step, STEPS_MAX);
    for (size_t i = STEPS_MAX / 2; i < STEPS_MAX; i++) {
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
        network net = phi_of_one(kinked[_i], i / 10.0 - 0.5, "mse");
        phi p = phi_new(net, 0, 0, 0);
        assert_phi_mirrored(&p, 1, kinked[_i]);
        assert_phi_mirrored(&p, 1e-4, kinked[_i]);
        phi_done(&p);
    }
}
END_TEST

/* Smooth throughout, until a - y changes its sign. */
START_TEST(costs_have_kinks_too)
{
    network net = phi_of_one("tanh", -0.5, "mae"); /* a = 1.5 tanh(s) - 0.25 */
    net.data->y[0] = 0.37;
    phi p = phi_new(net, 0, 0, 0);
    assert_phi_mirrored(&p, 1, "mae");
    assert_phi_mirrored(&p, 0.01, "mae, not reached");
    phi_done(&p);
}
END_TEST

START_TEST(without_kinks_a_segment_is_enough)
{
    const char *const smooth[] = {"tanh", "softplus", "gaussian", "arctan", "sigmoid"};
    for (size_t i = 0; i < COUNT(smooth); i++) {
        phi p = phi_new(phi_of_one(smooth[i], 0.2, "mse"), 0, 0, 0);
        assert_phi_mirrored(&p, 2, smooth[i]);
        assert_phi_mirrored(&p, 1e-5, smooth[i]);
        phi_done(&p);
    }
}
END_TEST

/* ---- several ---- */

/* The kinks lie where tanh(s) is 0.3, 0.2 and -0.1, on a curve; all samples, all costs. */
START_TEST(kinks_on_a_curve_are_found)
{
    const char *const costs[] = {"mse", "mae", "dot"};
    for (size_t sample = 0; sample < 3; sample++)
        for (size_t c = 0; c < COUNT(costs); c++) {
            phi p = phi_new(phi_of_three(costs[c]), 0, 0, sample);
            assert_phi_mirrored(&p, 1, costs[c]);
            assert_phi_mirrored(&p, 3, costs[c]);
            assert_phi_spread(&p, 0.1, 0.4, STEPS_MAX, costs[c]);
            assert_phi_spread(&p, -3, -1, STEPS_MAX, costs[c]);
            phi_done(&p);
        }
}
END_TEST

/* A unit of a middle layer, beside others that do not move. */
START_TEST(units_of_later_layers_are_disturbed_alone)
{
    for (size_t unit = 0; unit < 3; unit++) {
        phi p = phi_new(phi_of_three("mse"), 1, unit, 1);
        assert_phi_mirrored(&p, 1.5, "middle layer");
        phi_done(&p);
    }
}
END_TEST

/* Kinks as near to each other as the surroundings of one, or all in one place. */
START_TEST(kinks_may_lie_close_together)
{
    const double width[] = {0, 1e-9, 1e-4, 1e-3, 1e-2};
    for (size_t i = 0; i < COUNT(width); i++) {
        phi p = phi_new(phi_of_many(20, 0.4, 0.4 + width[i]), 0, 0, 0);
        assert_phi_mirrored(&p, 1, "close together");
        phi_done(&p);
    }
}
END_TEST

/* More kinks than there are segments; from 65 on more than are told apart at a time. */
START_TEST(many_kinks_are_counted)
{
    const size_t units[] = {2, 10, 64, 65, 100, 250};
    for (size_t i = 0; i < COUNT(units); i++) {
        phi p = phi_new(phi_of_many(units[i], -0.9, 0.9), 0, 0, 0);
        assert_phi_mirrored(&p, 1, "on either side");
        phi_done(&p);
        p = phi_new(phi_of_many(units[i], 0.5, 0.9), 0, 0, 0);
        assert_phi_mirrored(&p, 1, "on one side");
        phi_done(&p);
    }
}
END_TEST

/* ---- bends ---- */

/* φ(s) of a gaussian unit far from its top, then a narrow hill, over what a few nodes see. */
START_TEST(smooth_segments_are_split_until_they_converge)
{
    network net = phi_of_one("gaussian", 0, "mse");
    phi p = phi_new(net, 0, 0, 0);
    assert_phi_mirrored(&p, 40, "a hill");
    assert_phi_spread(&p, -30, 35, STEPS_MAX, "a hill");
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
        network net = phi_network(layers, 3, "mse");
        phi_weights(&net, 0)[0] = phi_weights(&net, 1)[0] = 1;
        phi_biases(&net, 0)[0] = -0.5 - top;
        phi_biases(&net, 1)[0] = -exp(-half * half);
        phi_weights(&net, 2)[0] = 1 / half;
        phi p = phi_new(net, 0, 0, 0);
        assert_phi_mirrored(&p, 1, "there and back");
        phi_done(&p);
    }
}
END_TEST

SUITE_MAIN("segments", {a_relu_is_two_parabolas, 0},
           {points_beside_a_kink_are_evaluated_one_by_one, 0},
           {a_kink_may_lie_anywhere, COUNT(kinked)}, {costs_have_kinks_too, 0},
           {without_kinks_a_segment_is_enough, 0}, {kinks_on_a_curve_are_found, 0},
           {units_of_later_layers_are_disturbed_alone, 0}, {kinks_may_lie_close_together, 0},
           {many_kinks_are_counted, 0}, {smooth_segments_are_split_until_they_converge, 0},
           {a_kink_may_be_crossed_twice, 3})
