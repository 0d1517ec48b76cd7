/* Exact derivatives along random directions of a whole tensor. */
#include "core/gemm.h"
#include "core/numeric.h"

uint32_t gck_numeric_stream(size_t layer, size_t tensor)
{
    return (uint32_t)(layer * GCK_TENSORS_MAX + tensor);
}

/* The tangent of z, (units, lanes): V^T x for W, v for b. */
static void tangent_fill(const gck_numeric *numeric, size_t tensor, const double *v, double *z)
{
    const gck_layer *layer = &numeric->spec.model->layer[numeric->layer];
    const size_t lanes = numeric->samples->lanes;
    if (tensor == 0) {
        gck_gemm(layer->outputs, lanes, layer->inputs, (gck_gemm_operand){v, true},
                 (gck_gemm_operand){numeric->x, false}, false, z);
        return;
    }
    for (size_t unit = 0; unit < layer->outputs; unit++)
        for (size_t k = 0; k < lanes; k++)
            z[unit * lanes + k] = v[unit];
}

static double penalty_along(const gck_numeric *numeric, const gck_tensor *tensor, const double *v)
{
    double sum = 0;
    if (!gck_layer_is_penalised(&numeric->spec.model->layer[numeric->layer])) return 0;
    for (size_t e = 0; e < tensor->count; e++) {
        const size_t element = tensor->offset + e;
        sum += v[e] * gck_model_penalty_exact(numeric->spec.model, element,
                                              numeric->spec.parameters[element]);
    }
    return sum;
}

double gck_numeric_direction(gck_numeric *numeric, size_t layer, size_t tensor, size_t direction,
                             bool penalties, double *v)
{
    const gck_model *model = numeric->spec.model;
    const gck_tensor *at = &model->layer[layer].tensor[tensor];
    const gck_base *samples = numeric->samples;
    numeric_layer(numeric, layer);
    gck_direction_draw(model->seed, gck_numeric_stream(layer, tensor), direction, at->count, v);
    tangent_fill(numeric, tensor, v, gck_tail_begin(&numeric->tail, samples, GCK_ALL_UNITS));
    gck_tail_tangent(&numeric->tail, layer);
    double sum = 0;
    for (size_t k = 0; k < samples->lanes; k++)
        if (samples->weights[k] != 0)
            sum += numeric->spec.factor * samples->weights[k] * numeric->tail.loss[k];
    return penalties ? sum + penalty_along(numeric, at, v) : sum;
}
