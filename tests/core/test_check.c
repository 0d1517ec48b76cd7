/* Gradient checks as a user sees them: every combination runs, and right gradients pass. */
#include "tests/core/compare.h"
#include "tests/core/smooth.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- every activation, cost and initializer ---- */

static void assert_tensor_finite(const gck_tensor_report *t, const char *what)
{
    ck_assert_msg(t->distance >= 0 && t->distance <= 1, "%s", what);
    ck_assert_msg(t->refined_distance >= 0 && t->refined_distance <= 1, "%s", what);
    ck_assert_msg(isfinite(t->norms.numeric) && isfinite(t->norms.analytic) &&
                      isfinite(t->norms.difference) && isfinite(t->norms.exact),
                  "%s", what);
    ck_assert_msg(isfinite(t->max_absolute_error) && isfinite(t->max_relative_error), "%s", what);
    for (size_t i = 0; i < t->count; i++)
        ck_assert_msg(isfinite(t->analytic[i]) && isfinite(t->numeric[i]) &&
                          isfinite(t->exact[i]) && isfinite(t->bar[i]),
                      "%s", what);
    for (size_t i = 0; i < t->worst_count; i++)
        ck_assert_msg(isfinite(t->worst[i].absolute_error) && isfinite(t->worst[i].relative_error),
                      "%s", what);
}

static void assert_report_passes(const gck_report *report, const char *what)
{
    ck_assert_msg(isfinite(report->cost) && isfinite(report->distance), "%s", what);
    for (size_t i = 0; i < report->layer_count; i++) {
        ck_assert_msg(isfinite(report->layer[i].distance), "%s", what);
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            assert_tensor_finite(&report->layer[i].tensor[t], what);
    }
    if (report->has_inputs) assert_tensor_finite(&report->inputs, what);
    ck_assert_msg(report->verdict == GCK_PASS, "%s", what);
}

/* J is infinite where an output is exactly 1 and its target is less. */
static bool cost_is_infinite(const char *activation, const char *cost, const char *initializer,
                             size_t outputs)
{
    if (strcmp(cost, "binary_crossentropy") != 0) return false;
    if (strcmp(activation, "softmax") == 0) return outputs == 1; /* a = 1 always */
    return strcmp(activation, "gaussian") == 0 && strcmp(initializer, "zeros") == 0; /* z = 0 */
}

static void combination_run(const char *name, const char *cost, const char *initializer,
                            size_t outputs)
{
    char what[120];
    snprintf(what, sizeof what, "%s, %s, %s, %zu outputs", name, cost, initializer, outputs);
    gck_layer_spec layers[] = {dense(3, name), dense(outputs, name)};
    layers[0].initializer = layers[1].initializer = initializer_named(initializer);
    network net = network_new(2, layers, 2, cost_named(cost), 4);
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check;
    gck_report *report = NULL;
    const gck_status status = check_run(&spec, &check, &report);
    const bool infinite = cost_is_infinite(name, cost, initializer, outputs);
    ck_assert_msg(status == (infinite ? GCK_NON_FINITE : GCK_OK), "%s: status %d", what,
                  (int)status);
    if (status == GCK_OK) assert_report_passes(report, what);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}

enum { ACTIVATIONS = 15 };

START_TEST(every_combination_passes)
{
    ck_assert_uint_eq(gck_activations.count, ACTIVATIONS);
    const gck_choice choice = gck_choice_default(gck_activations.rows[_i]);
    for (size_t c = 0; c < gck_costs.count; c++) {
        const gck_choice cost = gck_choice_default(gck_costs.rows[c]);
        if (gck_cost_is_entropy(&cost) && !gck_activation_is_probability(&choice)) continue;
        for (size_t i = 0; i < gck_initializers.count; i++)
            for (size_t outputs = 1; outputs <= 2; outputs++)
                combination_run(choice.item->name, cost.item->name, gck_initializers.rows[i]->name,
                                outputs);
    }
}
END_TEST

/* ---- right gradients ---- */

START_TEST(a_right_gradient_passes)
{
    network net = smooth_network();
    gck_check_spec spec = smooth_spec(&net);
    spec.inputs = true;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_int_eq(report->inputs.verdict, GCK_PASS);
    ck_assert(report->epsilon == 1e-4);
    ck_assert_double_lt(report->distance, SMOOTH);
    ck_assert_double_lt(report->inputs.distance, SMOOTH);
    ck_assert_uint_eq(report->kink_parameters, 0);
    ck_assert_uint_eq(report->parameters_checked, 60);
    ck_assert(report->evaluations == 2 * (60 + ROWS * SQUARE));
    ck_assert_uint_eq(report->warning_count, 0);
    for (size_t i = 0; i < LAYERS; i++) {
        ck_assert_uint_eq(report->layer[i].index, i);
        ck_assert_str_eq(report->layer[i].type, "dense");
        ck_assert_int_eq(report->layer[i].verdict, GCK_PASS);
    }
    const gck_shape x = {2, {ROWS, SQUARE}};
    ck_assert_str_eq(report->inputs.name, "x");
    ck_assert(gck_shape_equal(&report->inputs.shape, &x));
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

START_TEST(dropout_is_checked_under_its_mask)
{
    const gck_layer_spec layers[] = {dense(6, "tanh"), dropout(0.5), dense(1, "linear")};
    network net = network_new(2, layers, 3, cost_named("dot"), 1);
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check;
    gck_report *report;
    double mask[6];
    size_t kept = 0;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_uint_eq(report->layer_count, 2);
    ck_assert_uint_eq(report->layer[1].index, 2);
    gck_layer_mask(&net.model->layer[1], (gck_mask_key){net.model->seed, 0}, 0, mask, 1);
    for (size_t unit = 0; unit < 6; unit++) {
        const gck_tensor_report *b = &report->layer[0].tensor[1];
        ck_assert(mask[unit] == 0 || mask[unit] == 2);
        kept += mask[unit] == 2;
        ck_assert((b->analytic[unit] == 0) == (mask[unit] == 0));
        ck_assert((b->numeric[unit] == 0) == (mask[unit] == 0));
    }
    ck_assert(kept > 0 && kept < 6);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* A gaussian that has learnt its targets: the losses are tiny, the gradient is right, so the check
 * must not blame it. */
START_TEST(nearly_reached_targets_pass)
{
    const char *const names[] = {"sigmoid", "softmax", "gaussian"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const gck_layer_spec layers[] = {dense(2, names[i])};
        network net = network_new(1, layers, 1, cost_named("binary_crossentropy"), 1);
        const double parameters[] = {5, -5, 0, 0};
        memcpy(net.parameters, parameters, sizeof parameters);
        net.data->x[0] = 1;
        net.data->y[0] = strcmp(names[i], "gaussian") == 0 ? 0 : 1;
        net.data->y[1] = 0;
        const gck_check_spec spec = check_spec_of(&net);
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_msg(report->verdict == GCK_PASS, "%s: distance %g", names[i], report->distance);
        /* The gaussian's loss is about e^(-z^2): its truncation error is (2z)^2 epsilon^2 / 6
         * = 1.7e-7. */
        ck_assert_double_lt(report->distance, 2e-7);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

SUITE_MAIN("check", {every_combination_passes, ACTIVATIONS}, {a_right_gradient_passes, 0},
           {dropout_is_checked_under_its_mask, 0}, {nearly_reached_targets_pass, 0})
