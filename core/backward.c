#include "core/backward.h"
#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"

size_t gck_backward_sample_values(const gck_model *model)
{
    size_t widest = model->inputs;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layer[i].outputs > widest) widest = model->layer[i].outputs;
    return 2 * widest;
}

gck_status gck_backward_room_init(gck_backward_room *room, const gck_model *model, size_t samples,
                                  gck_error *error)
{
    const size_t count = gck_backward_sample_values(model) / 2 * samples;
    room->delta = gck_vector_room(count);
    room->next = gck_vector_room(count);
    if (room->delta != NULL && room->next != NULL) return GCK_OK;
    gck_backward_room_done(room);
    return gck_error_memory(error);
}

void gck_backward_room_done(gck_backward_room *room)
{
    gck_vector_free(room->delta);
    gck_vector_free(room->next);
    *room = (gck_backward_room){0};
}

/* delta = factor * w_k * dL_k/da, or dz where the cost is fused with the activation. */
static void cost_delta(const gck_pass *pass, double factor, double *delta)
{
    const gck_outputs outputs = gck_pass_outputs(pass);
    gck_cost_row_of(&pass->model->cost)->derivatives->delta(&outputs, pass->y, delta);
    for (size_t unit = 0; unit < outputs.units; unit++)
        for (size_t k = 0; k < outputs.samples; k++) {
            double *d = &delta[unit * outputs.samples + k];
            *d = pass->weights[k] == 0 ? 0 : *d * (factor * pass->weights[k]);
        }
}

static void activation_delta(const gck_layer *layer, const gck_layer_pass *place, double *delta)
{
    const gck_choice *activation = &layer->spec.activation;
    gck_activation_row_of(activation)
        ->derivatives->chain(activation->option, layer->outputs, place->samples, place->z, place->a,
                             delta);
}

const double *gck_backward(const gck_pass *pass, gck_backward_room *room, double factor,
                           double *gradient, bool with_inputs)
{
    const gck_model *model = pass->model;
    bool fused = gck_cost_is_entropy(&model->cost);
    cost_delta(pass, factor, room->delta);
    for (size_t i = model->layer_count; i-- > 0;) {
        const gck_layer *layer = &model->layer[i];
        const gck_layer_pass *place = &pass->layer[i];
        if (place->z != NULL && !fused) activation_delta(layer, place, room->delta);
        fused = false;
        const bool needed = i > 0 || with_inputs;
        gck_layer_row_of(layer)->derivatives->backward(layer, place, room->delta, gradient,
                                                       needed ? room->next : NULL);
        double *kept = room->delta;
        room->delta = room->next;
        room->next = kept;
    }
    return with_inputs ? room->delta : NULL;
}

void gck_backward_penalty(const gck_model *model, const double *parameters, double *gradient)
{
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        const struct gck_layer_derivatives *derivatives = gck_layer_row_of(layer)->derivatives;
        if (!gck_layer_is_penalised(layer)) continue;
        for (size_t t = 0; t < layer->tensor_count; t++) {
            const size_t offset = layer->tensor[t].offset;
            for (size_t e = 0; e < layer->tensor[t].count; e++)
                gradient[offset + e] +=
                    derivatives->penalty_slope(layer, t, parameters[offset + e]);
        }
    }
}
