#include "core/bar.h"
#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"

#include <math.h>

/* Units of rounding that are granted to each term, and once more for every so many terms of the
 * sums that a gradient is made of. Equal terms, as those of a network that starts at zeros, are
 * rounded to the same side one after the other, and where their sum cancels that of the others, as
 * a bias's does when the samples are sorted by class, this is all that is left. */
#define BAR 0x8p-52
#define BAR_TERMS 64.0

/* Slopes below are lost in the complex step's underflow, or in the backward pass's. */
#define SLOPE_FLOOR 0x1p-700

static size_t widest(const gck_model *model)
{
    return gck_backward_sample_values(model) / 2;
}

size_t gck_bar_sample_values(const gck_model *model)
{
    return 3 * widest(model);
}

gck_status gck_bar_room_init(gck_bar_room *room, const gck_model *model, size_t samples,
                             gck_error *error)
{
    *room = (gck_bar_room){0};
    const gck_status status = gck_backward_room_init(&room->backward, model, samples, error);
    room->parameters = gck_vector_room(model->parameter_count);
    room->x = gck_vector_room(widest(model) * samples);
    if (status == GCK_OK && room->parameters != NULL && room->x != NULL) return GCK_OK;
    gck_bar_room_done(room);
    return gck_error_memory(error);
}

void gck_bar_room_done(gck_bar_room *room)
{
    gck_backward_room_done(&room->backward);
    gck_vector_free(room->parameters);
    gck_vector_free(room->x);
    *room = (gck_bar_room){0};
}

static void absolute(size_t count, const double *from, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = fabs(from[i]);
}

/* Terms of the sums over samples and, layer by layer, over units. */
static double terms_of(const gck_model *model, size_t samples)
{
    double terms = (double)samples;
    for (size_t i = 0; i < model->layer_count; i++)
        terms += (double)model->layer[i].outputs;
    return terms;
}

/* BAR * (1 + terms / BAR_TERMS) * |factor| w_k * size of dL/dvalue */
static void cost_sizes(const gck_pass *pass, const gck_base *base, double factor, double *delta)
{
    const gck_model *model = pass->model;
    const gck_outputs outputs = gck_pass_outputs(pass);
    const struct gck_cost_exact *exact = gck_cost_exact_of(&model->cost, outputs.activation);
    const size_t samples = pass->samples;
    const double share = BAR * (1 + terms_of(model, samples) / BAR_TERMS) * fabs(factor);
    if (exact->sizes != NULL) exact->sizes(&outputs, pass->y, delta);
    for (size_t unit = 0; unit < outputs.units; unit++)
        for (size_t k = 0; k < samples; k++) {
            double *d = &delta[unit * samples + k];
            if (exact->sizes == NULL) *d = fabs(base->cost_slope[unit * base->lanes + k]);
            *d = pass->weights[k] == 0 ? 0 : (*d + SLOPE_FLOOR) * (share * pass->weights[k]);
        }
}

/* |da_j/dz_i| = a_j (1 + a_i) at most */
static void coupled_sizes(size_t units, size_t samples, const double *a, double *delta)
{
    for (size_t k = 0; k < samples; k++) {
        double sum = 0;
        for (size_t unit = 0; unit < units; unit++)
            sum += a[unit * samples + k] * delta[unit * samples + k];
        for (size_t unit = 0; unit < units; unit++)
            delta[unit * samples + k] =
                (a[unit * samples + k] + SLOPE_FLOOR) * (delta[unit * samples + k] + sum);
    }
}

static void activation_sizes(const gck_layer *layer, const gck_layer_pass *place,
                             const gck_base_layer *at, size_t lanes, double *size, double *delta)
{
    const size_t samples = place->samples;
    const struct gck_activation_exact *exact =
        gck_activation_row_of(&layer->spec.activation)->exact;
    if (exact->slopes == NULL) {
        coupled_sizes(layer->outputs, samples, place->a, delta);
        return;
    }
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        const double *slope = at->slope + unit * lanes;
        if (exact->sizes != NULL) {
            exact->sizes(layer->spec.activation.option, samples, place->z + unit * samples, size);
            slope = size;
        }
        for (size_t k = 0; k < samples; k++)
            delta[unit * samples + k] *= fabs(slope[k]) + SLOPE_FLOOR;
    }
}

/* The layer's own backward pass, on absolute values. */
static void layer_sizes(const gck_layer *layer, const gck_layer_pass *place, gck_bar_room *room,
                        double *bar, bool needed)
{
    gck_layer_pass sizes = *place;
    absolute(layer->inputs * place->samples, place->x, room->x);
    sizes.x = room->x;
    sizes.parameters = room->parameters;
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, room->backward.delta, bar,
                                                   needed ? room->backward.next : NULL);
    double *kept = room->backward.delta;
    room->backward.delta = room->backward.next;
    room->backward.next = kept;
}

static void penalty_sizes(const gck_model *model, const gck_bar_room *room, double *bar)
{
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        const struct gck_layer_derivatives *derivatives = gck_layer_row_of(layer)->derivatives;
        for (size_t t = 0; gck_layer_is_penalised(layer) && t < layer->tensor_count; t++)
            for (size_t e = layer->tensor[t].offset;
                 e < layer->tensor[t].offset + layer->tensor[t].count; e++)
                bar[e] +=
                    BAR * (derivatives->penalty_slope(layer, t, room->parameters[e]) + SLOPE_FLOOR);
    }
}

const double *gck_bar(const gck_pass *pass, const gck_base *base, gck_bar_room *room, double factor,
                      bool penalties, bool with_inputs, double *bar)
{
    const gck_model *model = pass->model;
    bool fused = gck_cost_is_entropy(&model->cost);
    absolute(model->parameter_count, base->parameters, room->parameters);
    cost_sizes(pass, base, factor, room->backward.delta);
    for (size_t i = model->layer_count; i-- > 0;) {
        const gck_layer *layer = &model->layer[i];
        const gck_layer_pass *place = &pass->layer[i];
        if (place->z != NULL && !fused)
            activation_sizes(layer, place, &base->layer[i], base->lanes, room->x,
                             room->backward.delta);
        fused = false;
        layer_sizes(layer, place, room, bar, i > 0 || with_inputs);
    }
    if (penalties) penalty_sizes(model, room, bar);
    return with_inputs ? room->backward.delta : NULL;
}
