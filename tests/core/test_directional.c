/* Directional checks: the derivatives they take, what their reports say, and which mistakes they
 * find. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/smooth.h"
#include "tests/core/suite.h"

#include "core/numeric.h"

#include <math.h>
#include <string.h>

static gck_check_spec directional_spec(const network *net, size_t directions)
{
    gck_check_spec spec = check_spec_of(net);
    spec.method = GCK_DIRECTIONAL;
    spec.directions = directions;
    return spec;
}

/* ---- derivatives ---- */

/* Along a direction v the derivative is <g, v>. Either side errs by what the bar allows each
 * element, and the sum of a tensor's elements by a rounding each. */
static void compare_tensor(const gck_check *got, const gck_check *exact, size_t range, size_t t)
{
    const size_t layer = got->range[range].layer, directions = got->spec.directions;
    const gck_tensor *tensor = &got->spec.model->layer[layer].tensor[t];
    const double *g = exact->parameter.exact + tensor->offset;
    const double *bar = exact->parameter.bar + tensor->offset;
    double *v = gck_vector_new(tensor->count);
    for (size_t d = 0; d < directions; d++) {
        gck_direction_draw(got->spec.model->seed, gck_numeric_stream(layer, t), d, tensor->count,
                           v);
        assert_within(got->direction[(range * GCK_TENSORS_MAX + t) * directions + d],
                      gck_direction_dot(g, v, tensor->count),
                      2 * gck_direction_bar(bar, v, tensor->count), "layer %zu %s direction %zu",
                      layer, tensor->name, d);
    }
    gck_vector_free(v);
}

/* Takes the network. Cut small: directions of many blocks add up. */
static void assert_directions(network net)
{
    gck_check_spec spec = directional_spec(&net, 5), whole = spec;
    whole.method = GCK_COMPLEX_STEP;
    gck_check *got = check_finished(&spec), *exact = check_finished(&whole);
    for (size_t range = 0; range < got->range_count; range++) {
        const gck_layer *layer = &net.model->layer[got->range[range].layer];
        for (size_t t = 0; t < layer->tensor_count; t++)
            compare_tensor(got, exact, range, t);
    }
    ck_assert_uint_eq(gck_check_done(got), gck_check_total(got));
    gck_check_free(got);
    gck_check_free(exact);
    network_done(&net);
}

START_TEST(directions_are_those_of_the_exact_gradient)
{
    assert_directions(smooth_network());
    assert_directions(kinked_network());
    assert_directions(cut_network());
}
END_TEST

START_TEST(directions_see_penalties_masks_and_coupled_units)
{
    gck_layer_spec layers[] = {dense_with(4, "softmax", "l1", 0.3), dropout(0.4),
                               activation("tanh"), dense_with(3, "selu", "use_bias", 0),
                               dense_with(2, "sigmoid", "l2", 0.2)};
    network net = network_weighted(3, layers, 5, cost_named("binary_crossentropy"), 7);
    network_draw_biases(&net);
    assert_directions(net);
}
END_TEST

/* ---- the report ---- */

START_TEST(a_report_has_estimates)
{
    network net = smooth_network();
    const gck_check_spec spec = directional_spec(&net, GCK_DIRECTIONS_MAX);
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert(isnan(report->epsilon) && report->tolerance == 1e-11);
    ck_assert_uint_eq(report->parameters_checked, 60);
    ck_assert(report->evaluations == 6 * GCK_DIRECTIONS_MAX);
    double worst = 0;
    for (size_t i = 0; i < LAYERS; i++)
        for (size_t t = 0; t < 2; t++) {
            const gck_tensor_report *r = &report->layer[i].tensor[t];
            ck_assert_int_eq(r->verdict, GCK_PASS);
            ck_assert(r->distance == r->refined_distance && r->distance < 1e-13);
            ck_assert(isnan(r->max_absolute_error) && isnan(r->max_relative_error));
            ck_assert_uint_eq(r->wrong_elements, 0);
            ck_assert_uint_eq(r->worst_count, 0);
            ck_assert_ptr_null(r->numeric);
            ck_assert_ptr_null(r->exact);
            /* The mean of 256 squares of normal numbers: deviation sqrt(2/256) of the square. */
            ck_assert(r->norms.analytic == gck_vector_norm(r->analytic, r->count));
            assert_within(r->norms.exact, r->norms.analytic,
                          6 * sqrt(0.5 / 256) * r->norms.analytic, "layer %zu", i);
            ck_assert(r->detection > 0 && r->detection < 1e-9);
            worst = fmax(worst, r->detection);
        }
    ck_assert(report->detection == worst);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* All of x is checked, element by element, as by complex step. */
START_TEST(inputs_are_checked_one_by_one)
{
    network net = smooth_network();
    gck_check_spec spec = directional_spec(&net, 8), whole = spec;
    spec.inputs = whole.inputs = true;
    whole.method = GCK_COMPLEX_STEP;
    gck_check *check, *whole_check;
    gck_report *report, *whole_report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert(check_run(&whole, &whole_check, &whole_report) == GCK_OK);
    assert_same_bits(report->inputs.numeric, whole_report->inputs.numeric, ROWS * SQUARE, "x");
    assert_same_bits(report->inputs.exact, whole_report->inputs.exact, ROWS * SQUARE, "exact");
    ck_assert_uint_eq(report->inputs.worst_count, 5);
    ck_assert(isnan(report->inputs.detection));
    gck_report_free(report);
    gck_report_free(whole_report);
    gck_check_free(check);
    gck_check_free(whole_check);
    network_done(&net);
}
END_TEST

/* Other methods have no such number. */
START_TEST(detection_is_theirs_alone)
{
    network net = smooth_network();
    for (int method = GCK_CENTRAL; method < GCK_DIRECTIONAL; method++) {
        gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report;
        spec.method = (gck_method)method;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert(isnan(report->detection));
        ck_assert(isnan(report->layer[0].tensor[0].detection));
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

START_TEST(other_directions_have_the_same_verdict)
{
    const size_t counts[] = {1, 2, 3, 64};
    network net = kinked_network();
    for (size_t i = 0; i < COUNT(counts); i++) {
        const gck_check_spec spec = directional_spec(&net, counts[i]);
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_int_eq(report->verdict, GCK_PASS);
        ck_assert(report->evaluations == 6 * (double)counts[i]);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* ---- detection ---- */

/* An error of that size, relative to |n| + |a| and in a random direction, in the first tensor;
 * returns whether it is found. */
static bool is_found(uint64_t seed, double share)
{
    const gck_layer_spec layers[] = {dense(6, "tanh"), dense(2, "sigmoid")};
    const gck_choice cost = cost_named("mse");
    network net = network_new(5, layers, 2, cost, 4);
    gck_model_free(net.model);
    net.model = model_new(5, layers, 2, &cost, seed);
    const gck_check_spec spec = directional_spec(&net, 3);
    gck_check *check;
    gck_report *report;
    gck_error error;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    const gck_tensor_report *W = &report->layer[0].tensor[0];
    const double size = W->detection * (W->norms.exact + W->norms.analytic) * share;
    gck_report_free(report);
    double v[30];
    gck_direction_draw(seed + 1000, 0, 0, COUNT(v), v);
    const double norm = gck_vector_norm(v, COUNT(v));
    for (size_t i = 0; i < COUNT(v); i++)
        check->parameter.analytic[i] += size * v[i] / norm;
    assert_ok(gck_check_report(check, &report, &error), &error);
    const bool found = report->verdict == GCK_FAIL;
    ck_assert(found == (report->layer[0].tensor[0].wrong_elements > 0));
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
    return found;
}

/* One in a thousand may be missed at the size stated; in 400 draws more than three are not to be
 * expected (probability 1e-3). At a thousandth of it nothing is seen. */
START_TEST(detection_keeps_its_promise)
{
    size_t missed = 0, seen = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        missed += !is_found(seed, 1);
        seen += is_found(seed, 1e-3);
    }
    ck_assert_uint_le(missed, 3);
    ck_assert_uint_le(seen, 3);
}
END_TEST

SUITE_MAIN("directional", {directions_are_those_of_the_exact_gradient, 0},
           {directions_see_penalties_masks_and_coupled_units, 0}, {a_report_has_estimates, 0},
           {inputs_are_checked_one_by_one, 0}, {detection_is_theirs_alone, 0},
           {other_directions_have_the_same_verdict, 0}, {detection_keeps_its_promise, 0})
