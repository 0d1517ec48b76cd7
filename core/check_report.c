#include "core/check.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void report_join(gck_report *report, const gck_norms *norms, gck_verdict verdict)
{
    report->norms = gck_norms_join(&report->norms, norms);
    if (verdict > report->verdict) report->verdict = verdict;
}

/* What a reader should know of a tensor beside its numbers. */
static void tensor_warn(gck_report *report, const char *place, const gck_tensor_report *tensor)
{
    char *warning = report->warning[report->warning_count];
    if (tensor->norms.analytic == 0 && tensor->norms.numeric == 0)
        snprintf(warning, GCK_WARNING_SIZE,
                 "%s%s: the gradient is zero, so the check shows nothing", place, tensor->name);
    else if (tensor->verdict == GCK_INCONCLUSIVE)
        snprintf(
            warning, GCK_WARNING_SIZE,
            "%s%s: the distance %.2g is over the tolerance %.2g: a kink within the step or the "
            "formula's own truncation can do that as well as a wrong gradient",
            place, tensor->name, tensor->distance, report->tolerance);
    else
        return;
    report->warning_count++;
}

static gck_status layer_fill(const gck_check *check, const check_range *range, gck_report *report,
                             gck_error *error)
{
    const gck_layer *layer = &check->spec.model->layer[range->layer];
    gck_layer_report *entry = &report->layer[report->layer_count++];
    entry->index = layer->index;
    entry->type = gck_layer_name(layer);
    entry->tensor = calloc(layer->tensor_count, sizeof *entry->tensor);
    if (entry->tensor == NULL) return gck_error_memory(error);
    char place[32];
    snprintf(place, sizeof place, "layer %zu ", layer->index);
    for (; entry->tensor_count < layer->tensor_count; entry->tensor_count++) {
        const gck_tensor *tensor = &layer->tensor[entry->tensor_count];
        gck_tensor_report *t = &entry->tensor[entry->tensor_count];
        *t = (gck_tensor_report){.name = tensor->name,
                                 .shape = tensor->shape,
                                 .count = tensor->count,
                                 .analytic = check->analytic + tensor->offset,
                                 .numeric = check->numeric + tensor->offset};
        const gck_status status = gck_tensor_judge(t, report->tolerance, check->spec.worst, error);
        if (status != GCK_OK) return status;
        entry->norms = gck_norms_join(&entry->norms, &t->norms);
        if (t->verdict > entry->verdict) entry->verdict = t->verdict;
        tensor_warn(report, place, t);
    }
    entry->distance = gck_distance(&entry->norms);
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
    report->has_inputs = true;
    report->inputs =
        (gck_tensor_report){.name = "x",
                            .shape = x_shape(check),
                            .count = check->spec.data->samples * check->spec.data->inputs,
                            .analytic = check->analytic_x,
                            .numeric = check->numeric_x};
    const gck_status status =
        gck_tensor_judge(&report->inputs, report->tolerance, check->spec.worst, error);
    if (status != GCK_OK) return status;
    report_join(report, &report->inputs.norms, report->inputs.verdict);
    tensor_warn(report, "inputs ", &report->inputs);
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

gck_status gck_check_report(const gck_check *check, gck_report **ret_report, gck_error *error)
{
    assert(check->folded == check->cut.grain_count);
    const size_t tensors = check->range_count * GCK_TENSORS_MAX + 1;
    gck_report *report = calloc(1, sizeof *report);
    if (report == NULL) return gck_error_memory(error);
    report->method = check->spec.method;
    report->epsilon = check->spec.epsilon;
    report->tolerance = check->spec.tolerance;
    report->parameters_checked = check->parameters;
    report->evaluations = 2.0 * (double)gck_check_total(check);
    report->layer = calloc(check->range_count + 1, sizeof *report->layer);
    report->warning = calloc(tensors, sizeof *report->warning);
    gck_status status =
        report->layer == NULL || report->warning == NULL ? gck_error_memory(error) : GCK_OK;
    if (status == GCK_OK) status = cost_fill(check, report, error);
    for (size_t i = 0; status == GCK_OK && i < check->range_count; i++)
        status = layer_fill(check, &check->range[i], report, error);
    if (status == GCK_OK) status = inputs_fill(check, report, error);
    if (status != GCK_OK) goto out;
    report->distance = gck_distance(&report->norms);
    *ret_report = report;
    report = NULL;
out:
    gck_report_free(report);
    return status;
}
