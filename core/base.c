#include "core/base.h"
#include "core/activation.h"
#include "core/cost.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

size_t gck_base_lanes(size_t samples)
{
    return (samples + GCK_LANE_GROUP - 1) / GCK_LANE_GROUP * GCK_LANE_GROUP;
}

/* Takes arrays from a slab; without one it only counts. */
typedef struct placer {
    double *slab;
    size_t used, lanes;
} placer;

static double *place(placer *p, size_t units)
{
    double *taken = p->slab == NULL ? NULL : p->slab + p->used;
    p->used += units * p->lanes;
    return taken;
}

static void layer_place(placer *p, const gck_layer *layer, gck_base_kind kind, gck_base_layer *ret)
{
    const gck_layer_row *row = gck_layer_row_of(layer);
    *ret = (gck_base_layer){0};
    if (row->masked) ret->mask = place(p, layer->outputs);
    if (kind == GCK_BASE_SAMPLES) ret->a = place(p, layer->outputs);
    if (!row->activated) return;
    const struct gck_activation_change *change =
        gck_activation_row_of(&layer->spec.activation)->change;
    ret->z = place(p, layer->outputs);
    for (size_t i = 0; i < change->aux_count; i++)
        ret->aux[i] = place(p, layer->outputs);
    if (kind == GCK_BASE_SAMPLES) ret->slope = place(p, layer->outputs);
}

static const gck_choice *last_activation(const gck_model *model)
{
    return &model->layer[model->layer_count - 1].spec.activation;
}

static const struct gck_cost_change *cost_change(const gck_model *model)
{
    return gck_cost_change_of(&model->cost, last_activation(model));
}

static void base_place(placer *p, gck_base_kind kind, gck_base *base)
{
    const gck_model *model = base->model;
    if (kind == GCK_BASE_SAMPLES) {
        base->x = place(p, model->inputs);
        base->cost_slope = place(p, model->outputs);
    }
    base->value = place(p, model->outputs);
    base->y = place(p, model->outputs);
    base->weights = place(p, 1);
    for (size_t i = 0; i < cost_change(model)->aux_count; i++)
        base->aux[i] = place(p, model->outputs);
    for (size_t i = 0; i < model->layer_count; i++)
        layer_place(p, &model->layer[i], kind, &base->layer[i]);
}

size_t gck_base_lane_values(const gck_model *model, gck_base_kind kind)
{
    const struct gck_cost_change *change = cost_change(model);
    size_t values = (2 + change->aux_count) * model->outputs + 1;
    if (kind == GCK_BASE_SAMPLES) values += model->inputs + model->outputs;
    placer p = {NULL, 0, 1};
    for (size_t i = 0; i < model->layer_count; i++) {
        gck_base_layer unused;
        layer_place(&p, &model->layer[i], kind, &unused);
    }
    return values + p.used;
}

gck_status gck_base_new(const gck_model *model, gck_base_kind kind, size_t capacity,
                        gck_base **ret_base, gck_error *error)
{
    assert(capacity % GCK_LANE_GROUP == 0);
    size_t values;
    if (__builtin_mul_overflow(capacity, gck_base_lane_values(model, kind), &values))
        return gck_error_memory(error);
    gck_base *base = calloc(1, sizeof *base + model->layer_count * sizeof base->layer[0]);
    double *slab = gck_vector_room(values);
    if (base == NULL || slab == NULL) {
        free(base);
        gck_vector_free(slab);
        return gck_error_memory(error);
    }
    base->model = model;
    base->capacity = capacity;
    base->slab = slab;
    placer p = {slab, 0, capacity};
    base_place(&p, kind, base);
    assert(p.used == values);
    *ret_base = base;
    return GCK_OK;
}

void gck_base_free(gck_base *base)
{
    if (base == NULL) return;
    gck_vector_free(base->slab);
    free(base);
}

/* (units, samples) to (units, lanes), the last sample repeated. */
static void widen(size_t units, size_t samples, const double *from, size_t lanes, double *to)
{
    for (size_t unit = 0; unit < units; unit++) {
        memcpy(to + unit * lanes, from + unit * samples, samples * sizeof *to);
        for (size_t k = samples; k < lanes; k++)
            to[unit * lanes + k] = from[unit * samples + samples - 1];
    }
}

static void layer_load(const gck_layer *layer, const gck_layer_pass *from, size_t lanes,
                       gck_base_layer *to)
{
    const size_t units = layer->outputs, samples = from->samples;
    widen(units, samples, from->a, lanes, to->a);
    if (to->mask != NULL) widen(units, samples, from->mask, lanes, to->mask);
    if (to->z == NULL) return;
    const gck_choice *activation = &layer->spec.activation;
    const gck_activation_row *row = gck_activation_row_of(activation);
    widen(units, samples, from->z, lanes, to->z);
    if (row->change->prepare != NULL)
        row->change->prepare(activation->option, units, lanes, to->z, to->a, to->aux);
    if (row->exact->slopes != NULL)
        row->exact->slopes(activation->option, units * lanes, to->z, to->slope);
}

static void cost_load(gck_base *base, const gck_pass *pass)
{
    const gck_model *model = base->model;
    const gck_base_layer *last = &base->layer[model->layer_count - 1];
    const gck_outputs outputs = {.units = model->outputs,
                                 .samples = base->lanes,
                                 .a = last->a,
                                 .z = last->z,
                                 .activation = last->z == NULL ? NULL : last_activation(model)};
    widen(model->outputs, pass->samples, pass->y, base->lanes, base->y);
    widen(1, pass->samples, pass->weights, base->lanes, base->weights);
    for (size_t k = pass->samples; k < base->lanes; k++)
        base->weights[k] = 0;
    memcpy(base->value, gck_cost_is_entropy(&model->cost) ? last->z : last->a,
           model->outputs * base->lanes * sizeof *base->value);
    if (cost_change(model)->prepare != NULL)
        cost_change(model)->prepare(&outputs, base->y, base->aux);
    gck_cost_exact_of(&model->cost, last_activation(model))
        ->slopes(&outputs, base->y, base->cost_slope);
}

void gck_base_load(gck_base *base, const gck_pass *pass, const double *parameters)
{
    base->parameters = parameters;
    base->lanes = gck_base_lanes(pass->samples);
    assert(base->lanes <= base->capacity);
    widen(base->model->inputs, pass->samples, pass->x, base->lanes, base->x);
    for (size_t i = 0; i < base->model->layer_count; i++)
        layer_load(&base->model->layer[i], &pass->layer[i], base->lanes, &base->layer[i]);
    cost_load(base, pass);
}

/* Lanes of samples, over and over. */
typedef struct repetition {
    size_t lanes; /* of the base of samples */
    size_t first, tile, copies;
} repetition;

static void repeat(const repetition *r, size_t units, const double *from, double *to)
{
    if (from == NULL) return;
    for (size_t unit = 0; unit < units; unit++) {
        const double *run = from + unit * r->lanes + r->first;
        for (size_t c = 0; c < r->copies; c++, to += r->tile)
            if (r->tile == 1)
                *to = *run;
            else
                memcpy(to, run, r->tile * sizeof *to);
    }
}

void gck_base_repeat(gck_base *base, const gck_base *samples, size_t layer, size_t first,
                     size_t tile, size_t copies)
{
    const gck_model *model = base->model;
    const repetition r = {samples->lanes, first, tile, copies};
    base->parameters = samples->parameters;
    base->lanes = tile * copies;
    assert(base->lanes <= base->capacity && base->lanes % GCK_LANE_GROUP == 0);
    repeat(&r, model->outputs, samples->value, base->value);
    repeat(&r, model->outputs, samples->y, base->y);
    repeat(&r, 1, samples->weights, base->weights);
    for (size_t i = 0; i < GCK_CHANGE_AUX; i++)
        repeat(&r, model->outputs, samples->aux[i], base->aux[i]);
    for (size_t l = layer; l < model->layer_count; l++) {
        const gck_base_layer *from = &samples->layer[l];
        gck_base_layer *to = &base->layer[l];
        repeat(&r, model->layer[l].outputs, from->mask, to->mask);
        repeat(&r, model->layer[l].outputs, from->z, to->z);
        for (size_t i = 0; i < GCK_CHANGE_AUX; i++)
            repeat(&r, model->layer[l].outputs, from->aux[i], to->aux[i]);
    }
}

const double *gck_base_input(const gck_base *base, size_t layer)
{
    return layer == 0 ? base->x : base->layer[layer - 1].a;
}
