/* Results of checks and trainings, encoded once. */
#include "server/codec_report.h"
#include "server/codec_convention.h"
#include "server/codec_finding.h"
#include "server/codec_tensor.h"

#include <math.h>
#include <stdlib.h>

static void put_number(struct writer *w, struct value *object, const char *name, double number)
{
    write_member(w, object, name, write_number(w, number));
}

static void put_count(struct writer *w, struct value *object, const char *name, size_t count)
{
    write_member(w, object, name, write_count(w, count));
}

static void put_text(struct writer *w, struct value *object, const char *name, const char *text)
{
    write_member(w, object, name, write_text(w, text));
}

static void put_null(struct writer *w, struct value *object, const char *name)
{
    write_member(w, object, name, write_null());
}

/* ---- checks ---- */

static struct value *element_value(struct writer *w, const struct form *form,
                                   const gck_element *element)
{
    struct value *object = write_object(w), *index = write_array(w);
    size_t axes[GCK_RANK_MAX];
    form_unravel(form, element->index, axes);
    for (size_t axis = 0; axis < form->shape.rank; axis++)
        write_item(w, index, write_count(w, axes[axis]));
    write_member(w, object, "index", index);
    put_number(w, object, "analytic", element->analytic);
    put_number(w, object, "numeric", element->numeric);
    put_number(w, object, "exact", element->exact);
    put_number(w, object, "absolute_error", element->absolute_error);
    put_number(w, object, "relative_error", element->relative_error);
    put_text(w, object, "verdict", gck_verdict_name(element->verdict));
    return object;
}

/* Directional checks alone: which error would have been seen how surely. */
static void put_detection(struct writer *w, struct value *object, double error)
{
    struct value *detection = write_object(w);
    put_number(w, detection, "error", error);
    put_number(w, detection, "probability", GCK_DETECTION);
    write_member(w, object, "detection", detection);
}

static struct value *tensor_value(struct writer *w, const struct form *form,
                                  const gck_tensor_report *tensor)
{
    struct value *object = write_object(w), *worst = write_array(w);
    put_text(w, object, "name", tensor->name);
    write_member(w, object, "shape", write_shape(w, &form->shape));
    put_text(w, object, "verdict", gck_verdict_name(tensor->verdict));
    put_number(w, object, "distance", tensor->distance);
    put_number(w, object, "refined_distance", tensor->refined_distance);
    put_number(w, object, "error_bar", tensor->error_bar);
    put_number(w, object, "analytic_norm", tensor->norms.analytic);
    put_number(w, object, "numeric_norm", tensor->norms.numeric);
    put_number(w, object, "max_absolute_error", tensor->max_absolute_error);
    put_number(w, object, "max_relative_error", tensor->max_relative_error);
    put_count(w, object, "kinks", tensor->kinks);
    put_count(w, object, "wrong_elements", tensor->wrong_elements);
    if (!isnan(tensor->detection)) put_detection(w, object, tensor->detection);
    for (size_t i = 0; i < tensor->worst_count; i++)
        write_item(w, worst, element_value(w, form, &tensor->worst[i]));
    write_member(w, object, "worst", worst);
    return object;
}

static struct value *layer_value(struct writer *w, const struct convention *convention,
                                 const gck_layer_report *layer)
{
    struct value *object = write_object(w), *tensors = write_array(w);
    put_count(w, object, "index", layer->index);
    put_text(w, object, "type", layer->type);
    put_text(w, object, "verdict", gck_verdict_name(layer->verdict));
    put_number(w, object, "distance", layer->distance);
    put_number(w, object, "refined_distance", layer->refined_distance);
    for (size_t i = 0; i < layer->tensor_count; i++) {
        const struct form form = form_of_parameter(convention, &layer->tensor[i].shape);
        write_item(w, tensors, tensor_value(w, &form, &layer->tensor[i]));
    }
    write_member(w, object, "tensors", tensors);
    return object;
}

/* One side of include: ["gradients"], layer by layer as the report has it. */
static struct value *gradients_side(struct writer *w, const struct spec *spec,
                                    const gck_report *report, bool numeric)
{
    struct value *array = write_array(w);
    size_t next = 0;
    for (size_t i = 0; i < spec->model->layer_count; i++) {
        if (next == report->layer_count || report->layer[next].index != i) {
            write_item(w, array, write_null());
            continue;
        }
        const gck_layer_report *layer = &report->layer[next++];
        struct value *entry = write_object(w);
        for (size_t t = 0; t < layer->tensor_count; t++) {
            const gck_tensor_report *tensor = &layer->tensor[t];
            const double *values = numeric ? tensor->numeric : tensor->analytic;
            const struct form form = form_of_parameter(&spec->convention, &tensor->shape);
            write_member(w, entry, tensor->name,
                         values == NULL ? write_null() : write_form(w, &form, values));
        }
        write_item(w, array, entry);
    }
    return array;
}

static struct value *gradients_value(struct writer *w, const struct spec *spec,
                                     const gck_report *report)
{
    struct value *object = write_object(w);
    write_member(w, object, "analytic", gradients_side(w, spec, report, false));
    write_member(w, object, "numeric", gradients_side(w, spec, report, true));
    if (!report->has_inputs) {
        put_null(w, object, "inputs");
        return object;
    }
    struct value *inputs = write_object(w);
    const struct form form = form_of_samples(&spec->convention, &report->inputs.shape);
    write_member(w, inputs, "analytic", write_form(w, &form, report->inputs.analytic));
    write_member(w, inputs, "numeric", write_form(w, &form, report->inputs.numeric));
    write_member(w, object, "inputs", inputs);
    return object;
}

static void put_lists(struct writer *w, struct value *object, const struct spec *spec,
                      const gck_report *report, const struct check_findings *findings)
{
    const struct convention *convention = &spec->convention;
    struct value *layers = write_array(w), *warnings = write_array(w), *kinks = write_object(w);
    put_count(w, kinks, "parameters", report->kink_parameters);
    put_count(w, kinks, "crossings", report->kink_crossings);
    write_member(w, object, "kinks", kinks);
    for (size_t i = 0; i < report->layer_count; i++)
        write_item(w, layers, layer_value(w, convention, &report->layer[i]));
    write_member(w, object, "layers", layers);
    if (report->has_inputs) {
        const struct form form = form_of_samples(convention, &report->inputs.shape);
        write_member(w, object, "inputs", tensor_value(w, &form, &report->inputs));
    }
    write_member(w, object, "findings",
                 findings == NULL ? write_array(w)
                                  : write_check_findings(w, spec, &findings->findings));
    for (size_t i = 0; i < report->warning_count; i++)
        write_item(w, warnings, write_text(w, report->warning[i]));
    write_member(w, object, "warnings", warnings);
}

void check_findings_done(struct check_findings *findings)
{
    gck_findings_done(&findings->findings);
    free(findings->sensitivity);
    *findings = (struct check_findings){0};
}

struct blob *codec_check_result(const struct spec *spec, const gck_report *report,
                                const struct check_findings *findings)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    put_text(&w, object, "verdict", gck_verdict_name(report->verdict));
    put_number(&w, object, "distance", report->distance);
    put_number(&w, object, "refined_distance", report->refined_distance);
    if (!isnan(report->detection)) put_detection(&w, object, report->detection);
    put_number(&w, object, "tolerance", report->tolerance);
    put_number(&w, object, "epsilon", report->epsilon);
    put_text(&w, object, "method", gck_method_name(report->method));
    put_number(&w, object, "cost", report->cost);
    put_count(&w, object, "parameters_checked", report->parameters_checked);
    put_count(&w, object, "evaluations", (size_t)report->evaluations);
    put_lists(&w, object, spec, report, findings);
    if (findings != NULL && findings->sensitivity != NULL)
        write_member(&w, object, "sensitivity",
                     write_sensitivity(&w, findings->sensitivity_count, findings->sensitivity));
    if (spec->include_gradients)
        write_member(&w, object, "gradients", gradients_value(&w, spec, report));
    return write_blob(&w, object);
}

struct blob *codec_check_summary(const gck_report *report)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    put_text(&w, object, "verdict", gck_verdict_name(report->verdict));
    put_number(&w, object, "distance", report->distance);
    put_number(&w, object, "refined_distance", report->refined_distance);
    put_count(&w, object, "parameters_checked", report->parameters_checked);
    return write_blob(&w, object);
}

/* ---- trainings ---- */

static void put_column(struct writer *w, struct value *object, const char *name,
                       const double *column, size_t count)
{
    const gck_shape shape = {1, {count}};
    write_member(w, object, name, write_tensor(w, &shape, column));
}

static struct value *history_value(struct writer *w, const gck_train_result *result)
{
    struct value *object = write_object(w);
    put_column(w, object, "cost", result->cost, result->epochs);
    if (result->has_accuracy) put_column(w, object, "accuracy", result->accuracy, result->epochs);
    if (!result->has_validation) return object;
    put_column(w, object, "validation_cost", result->validation_cost, result->epochs);
    if (result->has_accuracy)
        put_column(w, object, "validation_accuracy", result->validation_accuracy, result->epochs);
    return object;
}

static struct value *final_value(struct writer *w, const gck_train_result *result)
{
    struct value *object = write_object(w);
    put_number(w, object, "cost", result->diverged_at > 0 ? NAN : result->final.cost);
    if (result->has_accuracy) put_number(w, object, "accuracy", result->final.accuracy);
    if (result->has_validation) {
        put_number(w, object, "validation_cost", result->final_validation.cost);
        if (result->has_accuracy)
            put_number(w, object, "validation_accuracy", result->final_validation.accuracy);
    }
    if (result->diverged_at > 0) put_count(w, object, "diverged_at", result->diverged_at);
    return object;
}

struct blob *codec_training_result(const gck_train_result *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w), *checks = write_array(&w);
    write_member(&w, object, "history", history_value(&w, result));
    write_member(&w, object, "final", final_value(&w, result));
    for (size_t i = 0; i < result->check_count; i++) {
        struct value *check = write_object(&w);
        put_count(&w, check, "epoch", result->check[i].epoch);
        put_text(&w, check, "verdict", gck_verdict_name(result->check[i].verdict));
        put_number(&w, check, "distance", result->check[i].distance);
        put_number(&w, check, "refined_distance", result->check[i].refined_distance);
        write_item(&w, checks, check);
    }
    write_member(&w, object, "checks", checks);
    return write_blob(&w, object);
}

struct blob *codec_training_summary(const gck_train_result *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    put_count(&w, object, "epochs", result->epochs);
    put_number(&w, object, "cost", result->diverged_at > 0 ? NAN : result->final.cost);
    put_number(&w, object, "accuracy", result->has_accuracy ? result->final.accuracy : NAN);
    return write_blob(&w, object);
}

/* ---- parameters and predictions ---- */

static struct value *masks_value(struct writer *w, const gck_model *model,
                                 const struct convention *convention, size_t samples)
{
    struct value *array = write_array(w);
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        double *mask = NULL;
        if (gck_layer_has_mask(layer)) {
            mask = gck_vector_new(layer->outputs * samples);
            if (mask == NULL) w->failed = true;
        }
        if (mask == NULL) {
            write_item(w, array, write_null());
            continue;
        }
        for (size_t k = 0; k < samples; k++)
            gck_layer_mask(layer, (gck_mask_key){model->seed, 0}, k, mask + k * layer->outputs, 1);
        const gck_shape shape = {2, {samples, layer->outputs}};
        const struct form form = form_of_samples(convention, &shape);
        write_item(w, array, write_form(w, &form, mask));
        gck_vector_free(mask);
    }
    return array;
}

static struct value *parameters_value(struct writer *w, const gck_model *model,
                                      const struct convention *convention, const double *parameters)
{
    struct value *array = write_array(w);
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        if (layer->tensor_count == 0) {
            write_item(w, array, write_null());
            continue;
        }
        struct value *entry = write_object(w);
        for (size_t t = 0; t < layer->tensor_count; t++) {
            const gck_tensor *tensor = &layer->tensor[t];
            const struct form form = form_of_parameter(convention, &tensor->shape);
            write_member(w, entry, tensor->name, write_form(w, &form, parameters + tensor->offset));
        }
        write_item(w, array, entry);
    }
    return array;
}

struct blob *codec_parameters(const gck_model *model, const struct convention *convention,
                              const double *parameters, size_t mask_samples)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "parameters", parameters_value(&w, model, convention, parameters));
    if (mask_samples > 0)
        write_member(&w, object, "masks", masks_value(&w, model, convention, mask_samples));
    return write_blob(&w, object);
}

static void put_classes(struct writer *w, struct value *object, const gck_model *model,
                        size_t samples, const double *y)
{
    size_t *class = calloc(samples, sizeof *class);
    if (class == NULL) w->failed = true;
    if (class != NULL && gck_classes(model, y, samples, class)) {
        struct value *array = write_array(w);
        for (size_t k = 0; k < samples; k++)
            write_item(w, array, write_count(w, class[k]));
        write_member(w, object, "classes", array);
    }
    free(class);
}

struct blob *codec_predictions(const struct written_model *written, const gck_data *data,
                               const double *y, const gck_evaluation *evaluation)
{
    const gck_model *model = written->model;
    struct writer w = {0};
    struct value *object = write_object(&w);
    const gck_shape shape = {2, {data->samples, model->outputs}};
    const struct form form = form_of_samples(&written->convention, &shape);
    write_member(&w, object, "y", write_form(&w, &form, y));
    put_classes(&w, object, model, data->samples, y);
    if (evaluation != NULL) {
        put_number(&w, object, "cost", evaluation->cost);
        if (!isnan(evaluation->accuracy)) put_number(&w, object, "accuracy", evaluation->accuracy);
    }
    return write_blob(&w, object);
}
