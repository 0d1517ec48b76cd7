/* Gradient checks as a user sees them: every combination runs, right gradients pass, wrong ones
 * show where they are. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
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
    ck_assert_msg(isfinite(t->distance) && t->distance >= 0 && t->distance <= 1, "%s", what);
    ck_assert_msg(isfinite(t->norms.numeric) && isfinite(t->norms.analytic) &&
                      isfinite(t->norms.difference),
                  "%s", what);
    ck_assert_msg(isfinite(t->max_absolute_error) && isfinite(t->max_relative_error), "%s", what);
    for (size_t i = 0; i < t->count; i++)
        ck_assert_msg(isfinite(t->analytic[i]) && isfinite(t->numeric[i]), "%s", what);
    for (size_t i = 0; i < t->worst_count; i++)
        ck_assert_msg(isfinite(t->worst[i].absolute_error) && isfinite(t->worst[i].relative_error),
                      "%s", what);
}

static void assert_report_finite(const gck_report *report, const char *what)
{
    ck_assert_msg(isfinite(report->cost) && isfinite(report->distance), "%s", what);
    for (size_t i = 0; i < report->layer_count; i++) {
        ck_assert_msg(isfinite(report->layer[i].distance), "%s", what);
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            assert_tensor_finite(&report->layer[i].tensor[t], what);
    }
    if (report->has_inputs) assert_tensor_finite(&report->inputs, what);
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
    if (status == GCK_OK) assert_report_finite(report, what);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}

enum { ACTIVATIONS = 15 };

START_TEST(every_combination_runs_and_is_finite)
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

/* ---- a smooth network ----
 *
 * Its truncation error is epsilon^2/6 times J'''/J', third derivatives of smooth functions of order
 * 1 against first ones, which leaves the distance below SMOOTH unless all first derivatives of a
 * tensor are small. */
#define SMOOTH 1e-7

enum { SQUARE = 4, LAYERS = 3, ROWS = 9 };

static network smooth_network(void)
{
    const gck_layer_spec layers[] = {dense(SQUARE, "tanh"), dense(SQUARE, "softplus"),
                                     dense(SQUARE, "sigmoid")};
    network net = network_weighted(SQUARE, layers, LAYERS, cost_named("mse"), ROWS);
    network_draw_biases(&net);
    return net;
}

static gck_check_spec smooth_spec(const network *net)
{
    gck_check_spec spec = check_spec_of(net);
    spec.tolerance = SMOOTH;
    return spec;
}

/* A layer's norms are those of its tensors' elements taken together: a few roundings, of squares
 * and a root. */
static void assert_layer_joined(const gck_layer_report *layer)
{
    long double difference = 0, numeric = 0, analytic = 0;
    for (size_t t = 0; t < layer->tensor_count; t++)
        for (size_t i = 0; i < layer->tensor[t].count; i++) {
            const long double n = layer->tensor[t].numeric[i], a = layer->tensor[t].analytic[i];
            difference += (n - a) * (n - a);
            numeric += n * n;
            analytic += a * a;
        }
    const long double want = sqrtl(difference) / (sqrtl(numeric) + sqrtl(analytic));
    assert_within(layer->distance, want, 40 * ROUNDOFF * want, "layer %zu", layer->index);
}

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

/* ---- gradients made wrong on purpose ---- */

typedef enum mistake_kind { SIGN, FACTOR_2, TRANSPOSED, ONE_ELEMENT, MISTAKES } mistake_kind;

static void make_wrong(mistake_kind mistake, double *g, size_t count)
{
    double right[ROWS * SQUARE]; /* the inputs are the largest */
    ck_assert_uint_le(count, COUNT(right));
    memcpy(right, g, count * sizeof *g);
    switch (mistake) {
    case SIGN:
        for (size_t i = 0; i < count; i++)
            g[i] = -g[i];
        return;
    case FACTOR_2:
        for (size_t i = 0; i < count; i++)
            g[i] *= 2;
        return;
    case TRANSPOSED:
        for (size_t i = 0; i < count; i++)
            g[i] = right[i % SQUARE * SQUARE + i / SQUARE];
        return;
    default:
        g[count / 2] += gck_vector_norm(right, count);
    }
}

/* The check with that mistake in one tensor: the analytic partials hold the loss, then the
 * gradient. */
static gck_report *wrong_report(const network *net, gck_check **check, mistake_kind mistake,
                                const gck_tensor *tensor)
{
    gck_error error;
    gck_report *report;
    gck_partial partial;
    const gck_check_spec spec = smooth_spec(net);
    assert_ok(gck_check_new(&spec, check, &error), &error);
    const gck_check_cut *cut = gck_check_cut_of(*check);
    ck_assert_uint_eq(cut->block_count, 1);
    assert_ok(gck_check_grain(*check, 0, (gck_stop){0}, &partial, &error), &error);
    make_wrong(mistake, partial.values + 1 + tensor->offset, tensor->count);
    assert_ok(gck_check_fold(*check, 0, &partial, &error), &error);
    gck_partial_done(&partial);
    for (size_t i = 1; i < cut->grain_count; i++)
        check_step(*check, i);
    assert_ok(gck_check_report(*check, &report, &error), &error);
    return report;
}

/* What the mistake leaves in the distance: |−g − g| / 2|g|, |2g − g| / 3|g|; one element off by |g|
 * keeps at least 1/3. */
static double least_distance(mistake_kind mistake)
{
    return mistake == SIGN ? 0.999 : mistake == TRANSPOSED ? 1e-3 : 0.333;
}

static void compare_wrong(const gck_report *report, const gck_report *clean, size_t layer,
                          size_t tensor, mistake_kind mistake)
{
    for (size_t i = 0; i < LAYERS; i++)
        for (size_t t = 0; t < 2; t++) {
            const gck_tensor_report *got = &report->layer[i].tensor[t];
            if (i == layer && t == tensor) {
                ck_assert_double_gt(got->distance, least_distance(mistake));
                ck_assert_int_ne(got->verdict, GCK_PASS);
            } else {
                assert_same_bits(&got->distance, &clean->layer[i].tensor[t].distance, 1,
                                 "another tensor");
                ck_assert_int_eq(got->verdict, GCK_PASS);
            }
        }
    assert_layer_joined(&report->layer[layer]);
    for (size_t i = 0; i < LAYERS; i++)
        ck_assert_int_eq(report->layer[i].verdict, i == layer ? GCK_INCONCLUSIVE : GCK_PASS);
    ck_assert_int_eq(report->verdict, GCK_INCONCLUSIVE);
    ck_assert_uint_eq(report->warning_count, 1);
    if (mistake == ONE_ELEMENT)
        ck_assert_uint_eq(report->layer[layer].tensor[tensor].worst[0].index,
                          tensor == 0 ? SQUARE * SQUARE / 2 : SQUARE / 2);
}

/* _i: the mistake, the layer, and whether W or b has it. */
START_TEST(a_wrong_gradient_shows_in_its_tensor)
{
    const mistake_kind mistake = (mistake_kind)(_i % MISTAKES);
    const size_t layer = (size_t)_i / MISTAKES % LAYERS, tensor = (size_t)_i / MISTAKES / LAYERS;
    if (mistake == TRANSPOSED && tensor == 1) return;
    network net = smooth_network();
    const gck_check_spec spec = smooth_spec(&net);
    gck_check *check, *wrong_check;
    gck_report *clean;
    ck_assert(check_run(&spec, &check, &clean) == GCK_OK);
    gck_report *report =
        wrong_report(&net, &wrong_check, mistake, &net.model->layer[layer].tensor[tensor]);
    compare_wrong(report, clean, layer, tensor, mistake);
    gck_report_free(report);
    gck_report_free(clean);
    gck_check_free(wrong_check);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- dropout, inputs, small losses ---- */

START_TEST(dropout_is_checked_under_its_mask)
{
    const gck_layer_spec layers[] = {dense(6, "tanh"), dropout(0.5), dense(1, "linear")};
    network net = network_new(2, layers, 3, cost_named("dot"), 1);
    const gck_check_spec spec = smooth_spec(&net);
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

START_TEST(wrong_inputs_count_in_the_whole)
{
    network net = smooth_network();
    gck_check_spec spec = smooth_spec(&net);
    spec.inputs = true;
    gck_check *check;
    gck_error error;
    gck_partial partial;
    gck_report *report;
    assert_ok(gck_check_new(&spec, &check, &error), &error);
    assert_ok(gck_check_grain(check, 0, (gck_stop){0}, &partial, &error), &error);
    make_wrong(FACTOR_2, partial.values + 1 + net.model->parameter_count, ROWS * SQUARE);
    assert_ok(gck_check_fold(check, 0, &partial, &error), &error);
    gck_partial_done(&partial);
    for (size_t i = 1; i < gck_check_cut_of(check)->grain_count; i++)
        check_step(check, i);
    assert_ok(gck_check_report(check, &report, &error), &error);
    ck_assert_double_gt(report->inputs.distance, 0.333);
    ck_assert_double_gt(report->distance, 1e-3);
    ck_assert_int_eq(report->verdict, GCK_INCONCLUSIVE);
    for (size_t i = 0; i < LAYERS; i++)
        ck_assert_int_eq(report->layer[i].verdict, GCK_PASS);
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
        gck_check_spec spec = check_spec_of(&net);
        /* The gaussian's loss is about e^(-z^2): its truncation error is (2z)^2 epsilon^2 / 6
         * = 1.7e-7. */
        spec.tolerance = 2e-7;
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert_msg(report->verdict == GCK_PASS, "%s: distance %g", names[i], report->distance);
        gck_report_free(report);
        gck_check_free(check);
        network_done(&net);
    }
}
END_TEST

SUITE_MAIN("check", {every_combination_runs_and_is_finite, ACTIVATIONS},
           {a_right_gradient_passes, 0},
           {a_wrong_gradient_shows_in_its_tensor, MISTAKES *LAYERS * 2},
           {dropout_is_checked_under_its_mask, 0}, {wrong_inputs_count_in_the_whole, 0},
           {nearly_reached_targets_pass, 0})
