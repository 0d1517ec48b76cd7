#include "core/check.h"
#include "core/numeric.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ---- tensors ---- */

/* The claim, or else our own. */
static const double *judged_gradient(const gck_check *check)
{
    const gck_claim *claim = check->spec.claim;
    return claim != NULL ? claim->gradient : check->parameter.analytic;
}

static void tensor_begin(const gck_check *check, const gck_tensor *tensor, gck_tensor_report *ret)
{
    const check_side *side = &check->parameter;
    *ret = (gck_tensor_report){.name = tensor->name,
                               .shape = tensor->shape,
                               .count = tensor->count,
                               .analytic = judged_gradient(check) + tensor->offset,
                               .numeric = side->numeric + tensor->offset,
                               .exact = side->exact + tensor->offset,
                               .bar = side->bar + tensor->offset,
                               .crossed = side->crossed + tensor->offset};
}

/* ---- directional ---- */

static void directions_fill(const gck_check *check, size_t range, size_t t, double *v,
                            gck_direction *direction)
{
    const size_t layer = check->range[range].layer, count = check->spec.directions;
    const gck_tensor *tensor = &check->spec.model->layer[layer].tensor[t];
    for (size_t d = 0; d < count; d++) {
        gck_direction_draw(check->spec.model->seed, gck_numeric_stream(layer, t), d, tensor->count,
                           v);
        direction[d] = (gck_direction){
            .exact = check->direction[(range * GCK_TENSORS_MAX + t) * count + d],
            .claimed = gck_direction_dot(judged_gradient(check) + tensor->offset, v, tensor->count),
            .bar = gck_direction_bar(check->parameter.bar + tensor->offset, v, tensor->count)};
    }
}

static void directional_set(gck_tensor_report *tensor, const gck_directional *judged)
{
    tensor->norms = (gck_norms){.analytic = gck_vector_norm(tensor->analytic, tensor->count),
                                .numeric = judged->exact,
                                .difference = judged->difference,
                                .exact = judged->exact,
                                .refined = judged->difference,
                                .bar = gck_vector_norm(tensor->bar, tensor->count)};
    tensor->distance = tensor->refined_distance = gck_distance(&tensor->norms);
    tensor->error_bar = gck_error_bar(&tensor->norms);
    tensor->max_absolute_error = tensor->max_relative_error = NAN;
    tensor->wrong_elements = judged->wrong;
    tensor->detection = judged->detection;
    tensor->verdict = judged->wrong > 0 ? GCK_FAIL : GCK_PASS;
    tensor->numeric = tensor->exact = NULL;
}

static gck_status directional_judge(const gck_check *check, size_t range, size_t t,
                                    gck_tensor_report *tensor, gck_error *error)
{
    const size_t count = check->spec.directions;
    double *v = gck_vector_new(tensor->count);
    gck_direction *direction = calloc(count, sizeof *direction);
    tensor->worst = calloc(1, sizeof *tensor->worst);
    gck_status status = GCK_OK;
    if (v == NULL || direction == NULL || tensor->worst == NULL) {
        status = gck_error_memory(error);
        goto out;
    }
    directions_fill(check, range, t, v, direction);
    const gck_directional judged = gck_directions_judge(direction, count, check->spec.tolerance);
    directional_set(tensor, &judged);
out:
    gck_vector_free(v);
    free(direction);
    return status;
}

/* ---- layers, x, the whole ---- */

static void report_join(gck_report *report, const gck_norms *norms, gck_verdict verdict)
{
    report->norms = gck_norms_join(&report->norms, norms);
    if (verdict > report->verdict) report->verdict = verdict;
}

static gck_status tensor_fill(const gck_check *check, size_t range, size_t t, gck_report *report,
                              gck_tensor_report *ret, gck_error *error)
{
    const gck_tensor *tensor = &check->spec.model->layer[check->range[range].layer].tensor[t];
    tensor_begin(check, tensor, ret);
    if (check->spec.method == GCK_DIRECTIONAL)
        return directional_judge(check, range, t, ret, error);
    const gck_status status = gck_tensor_judge(ret, report->tolerance, check->spec.worst, error);
    report->kink_parameters += ret->kinks;
    return status;
}

static double larger_detection(double a, double b)
{
    return isnan(a) || b > a ? b : a;
}

static gck_status layer_fill(const gck_check *check, size_t range, gck_report *report,
                             gck_error *error)
{
    const gck_layer *layer = &check->spec.model->layer[check->range[range].layer];
    gck_layer_report *entry = &report->layer[report->layer_count++];
    entry->index = layer->index;
    entry->type = gck_layer_name(layer);
    entry->tensor = calloc(layer->tensor_count, sizeof *entry->tensor);
    if (entry->tensor == NULL) return gck_error_memory(error);
    for (size_t t = 0; t < layer->tensor_count; t++) {
        if (!check_is_claimed(&check->spec, layer->index, t)) continue;
        gck_tensor_report *tensor = &entry->tensor[entry->tensor_count++];
        const gck_status status = tensor_fill(check, range, t, report, tensor, error);
        if (status != GCK_OK) return status;
        entry->norms = gck_norms_join(&entry->norms, &tensor->norms);
        if (tensor->verdict > entry->verdict) entry->verdict = tensor->verdict;
        report->detection = larger_detection(report->detection, tensor->detection);
    }
    entry->distance = gck_distance(&entry->norms);
    entry->refined_distance = gck_refined_distance(&entry->norms);
    report_join(report, &entry->norms, entry->verdict);
    return GCK_OK;
}

/* (samples, …input_shape), as x came; a shape with no room for the samples' axis keeps x flat. */
static gck_shape x_shape(const gck_check *check)
{
    const gck_model *model = check->spec.model;
    gck_shape shape = {2, {check->spec.data->samples, model->inputs}};
    if (model->input.rank >= GCK_RANK_MAX) return shape;
    shape.rank = 1 + model->input.rank;
    for (size_t axis = 0; axis < model->input.rank; axis++)
        shape.dim[1 + axis] = model->input.dim[axis];
    return shape;
}

static gck_status inputs_fill(const gck_check *check, gck_report *report, gck_error *error)
{
    if (!check->spec.inputs) return GCK_OK;
    const gck_claim *claim = check->spec.claim;
    report->has_inputs = true;
    report->inputs =
        (gck_tensor_report){.name = "x",
                            .shape = x_shape(check),
                            .count = check_x_count(check),
                            .analytic = claim != NULL ? claim->inputs : check->x.analytic,
                            .numeric = check->x.numeric,
                            .exact = check->x.exact,
                            .bar = check->x.bar,
                            .crossed = check->x.crossed};
    const gck_status status =
        gck_tensor_judge(&report->inputs, report->tolerance, check->spec.worst, error);
    if (status != GCK_OK) return status;
    report_join(report, &report->inputs.norms, report->inputs.verdict);
    return GCK_OK;
}

static gck_status cost_fill(const gck_check *check, gck_report *report, gck_error *error)
{
    const gck_check_spec *spec = &check->spec;
    const double factor =
        gck_cost_factor(&spec->model->cost, spec->data->samples, spec->model->outputs);
    report->cost = factor * check->loss + gck_model_penalty(spec->model, spec->parameters);
    if (isfinite(report->cost)) return GCK_OK;
    return gck_error_set(error, GCK_NON_FINITE, "",
                         "the cost is %g: its gradient cannot be checked", report->cost);
}

static void head_fill(const gck_check *check, gck_report *report)
{
    gck_check_cost cost;
    gck_check_estimate(&check->spec, check->spec.data->samples, &cost);
    report->method = check->spec.method;
    report->epsilon = check->spec.epsilon;
    report->tolerance = check->spec.tolerance;
    report->detection = NAN;
    report->parameters_checked = cost.parameters;
    report->evaluations = cost.evaluations;
    /* Within bounds even where it was loaded from a damaged state. */
    const double pairs = (double)check->parameters * (double)check->spec.data->samples;
    report->kink_crossings =
        check->penalty_crossings + (size_t)fmin(fmax(*check->judged_crossings, 0), pairs);
    report->outputs = check->outputs.value;
    report->outputs_bar = check->outputs.bar;
    report->cost_bar = check->outputs.cost_bar == NULL ? NAN : *check->outputs.cost_bar;
}

gck_status gck_check_report(const gck_check *check, gck_report **ret_report, gck_error *error)
{
    assert(check->folded == check->cut.grain_count);
    gck_report *report = calloc(1, sizeof *report);
    if (report == NULL) return gck_error_memory(error);
    head_fill(check, report);
    report->layer = calloc(check->range_count + 1, sizeof *report->layer);
    gck_status status = report->layer == NULL ? gck_error_memory(error) : GCK_OK;
    if (status == GCK_OK) status = cost_fill(check, report, error);
    for (size_t i = 0; status == GCK_OK && i < check->range_count; i++)
        status = layer_fill(check, i, report, error);
    if (status == GCK_OK) status = inputs_fill(check, report, error);
    if (status != GCK_OK) goto out;
    report->distance = gck_distance(&report->norms);
    report->refined_distance = gck_refined_distance(&report->norms);
    status = check_warn(check, report, error);
    if (status != GCK_OK) goto out;
    *ret_report = report;
    report = NULL;
out:
    gck_report_free(report);
    return status;
}
