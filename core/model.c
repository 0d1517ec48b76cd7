#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/model.h>

#include "core/layer.h"

#include <assert.h>
#include <stdlib.h>

/* What an element of an activation's output costs, beside 1 for a multiplication or an addition:
 * measured for tanh of libm. */
#define ACTIVATION_OPERATIONS 80

static gck_status tensors_place(gck_model *model, gck_layer *layer, gck_error *error)
{
    for (size_t i = 0; i < layer->tensor_count; i++) {
        gck_tensor *tensor = &layer->tensor[i];
        tensor->offset = model->parameter_count;
        if (!gck_shape_count(&tensor->shape, &tensor->count) ||
            tensor->count > GCK_PARAMETERS_MAX - model->parameter_count) {
            char text[GCK_SHAPE_TEXT];
            return gck_error_set(error, GCK_INVALID, "",
                                 "%s of shape %s makes more than %zu parameters", tensor->name,
                                 gck_shape_format(&tensor->shape, text), GCK_PARAMETERS_MAX);
        }
        model->parameter_count += tensor->count;
    }
    return GCK_OK;
}

static gck_status layer_place(gck_model *model, size_t index, const gck_layer_spec *spec,
                              gck_error *error)
{
    gck_layer *layer = &model->layer[index];
    *layer = (gck_layer){.spec = *spec, .index = index};
    layer->input = index == 0 ? model->input : model->layer[index - 1].output;
    gck_status status = gck_layer_row_of(layer)->setup(layer, error);
    if (status == GCK_OK) status = tensors_place(model, layer, error);
    if (status != GCK_OK) {
        gck_error_below(error, "layers[%zu]", index);
        return status;
    }
    const bool counted = gck_shape_count(&layer->input, &layer->inputs) &&
                         gck_shape_count(&layer->output, &layer->outputs);
    assert(counted);
    (void)counted;
    return GCK_OK;
}

static gck_status input_check(const gck_shape *input, size_t *ret_count, gck_error *error)
{
    if (gck_shape_count(input, ret_count) && *ret_count <= GCK_SAMPLE_MAX) return GCK_OK;
    char text[GCK_SHAPE_TEXT];
    return gck_error_set(error, GCK_INVALID, "input_shape",
                         "%s must have between 1 and %zu elements", gck_shape_format(input, text),
                         GCK_SAMPLE_MAX);
}

static gck_status cost_check(const gck_model *model, gck_error *error)
{
    if (!gck_cost_is_entropy(&model->cost)) return GCK_OK;
    const gck_layer *last = &model->layer[model->layer_count - 1];
    if (gck_layer_row_of(last)->activated && gck_activation_is_probability(&last->spec.activation))
        return GCK_OK;
    return gck_error_set(error, GCK_INVALID, "cost",
                         "%s needs outputs in [0, 1] (sigmoid, softmax or gaussian), "
                         "but layer %zu (%s) ends in %s",
                         model->cost.item->name, last->index, gck_layer_name(last),
                         gck_layer_row_of(last)->activated ? last->spec.activation.item->name
                                                           : "no activation");
}

gck_status gck_model_new(const gck_shape *input, const gck_layer_spec *layers, size_t layer_count,
                         const gck_choice *cost, uint64_t seed, gck_model **ret_model,
                         gck_error *error)
{
    if (layer_count < 1 || layer_count > GCK_LAYERS_MAX)
        return gck_error_set(error, GCK_INVALID, "layers",
                             "must have between 1 and %d layers, got %zu", GCK_LAYERS_MAX,
                             layer_count);
    size_t inputs;
    gck_status status = input_check(input, &inputs, error);
    if (status != GCK_OK) return status;

    gck_model *model = calloc(1, sizeof *model + layer_count * sizeof model->layer[0]);
    if (model == NULL) return gck_error_memory(error);
    model->input = *input;
    model->inputs = inputs;
    model->cost = *cost;
    model->seed = seed;
    model->layer_count = layer_count;
    for (size_t i = 0; i < layer_count; i++) {
        status = layer_place(model, i, &layers[i], error);
        if (status != GCK_OK) goto out;
    }
    model->outputs = model->layer[layer_count - 1].outputs;
    status = cost_check(model, error);
    if (status != GCK_OK) goto out;
    *ret_model = model;
    model = NULL;
out:
    gck_model_free(model);
    return status;
}

void gck_model_free(gck_model *model)
{
    free(model);
}

void gck_model_draw(const gck_model *model, double *parameters)
{
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer_row *row = gck_layer_row_of(&model->layer[i]);
        if (row->draw != NULL) row->draw(&model->layer[i], model->seed, parameters);
    }
}

double gck_model_operations(const gck_model *model)
{
    double operations = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        const gck_layer_row *row = gck_layer_row_of(layer);
        operations += row->operations(layer);
        if (row->activated) operations += ACTIVATION_OPERATIONS * (double)layer->outputs;
    }
    return operations;
}

/* Where an element of the parameters lies. */
typedef struct place {
    const gck_layer *layer;
    size_t tensor;
} place;

static place place_of(const gck_model *model, size_t element)
{
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t t = 0; t < model->layer[i].tensor_count; t++)
            if (element - model->layer[i].tensor[t].offset < model->layer[i].tensor[t].count)
                return (place){&model->layer[i], t};
    assert(false && "element of no tensor");
    return (place){0};
}

double gck_model_penalty_at(const gck_model *model, size_t element, double w)
{
    const place at = place_of(model, element);
    const gck_layer_row *row = gck_layer_row_of(at.layer);
    return row->penalty_at == NULL ? 0 : row->penalty_at(at.layer, at.tensor, w);
}

double gck_model_penalty_exact(const gck_model *model, size_t element, double w)
{
    const place at = place_of(model, element);
    const gck_layer_row *row = gck_layer_row_of(at.layer);
    return row->penalty_at == NULL ? 0 : row->penalty_exact(at.layer, at.tensor, w);
}

bool gck_layer_is_penalised(const gck_layer *layer)
{
    const gck_layer_row *row = gck_layer_row_of(layer);
    return row->penalty_at != NULL && row->penalised(layer);
}

bool gck_model_penalty_kinked(const gck_model *model, size_t element)
{
    const place at = place_of(model, element);
    const gck_layer_row *row = gck_layer_row_of(at.layer);
    return row->penalty_at != NULL && row->penalty_kinked(at.layer, at.tensor);
}

double gck_model_penalty(const gck_model *model, const double *parameters)
{
    double penalty = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        const gck_layer_row *row = gck_layer_row_of(layer);
        for (size_t t = 0; gck_layer_is_penalised(layer) && t < layer->tensor_count; t++)
            for (size_t e = 0; e < layer->tensor[t].count; e++)
                penalty += row->penalty_at(layer, t, parameters[layer->tensor[t].offset + e]);
    }
    return penalty;
}
