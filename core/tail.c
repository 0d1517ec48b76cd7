#include "core/tail.h"
#include "core/activation.h"
#include "core/cost.h"
#include "core/kernels.h"

#include <string.h>

static size_t widest(const gck_model *model)
{
    size_t units = 1;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layer[i].outputs > units) units = model->layer[i].outputs;
    return units;
}

size_t gck_tail_lane_values(const gck_model *model)
{
    return 2 * widest(model) + 1;
}

gck_status gck_tail_init(gck_tail *tail, const gck_model *model, size_t lanes, gck_error *error)
{
    *tail = (gck_tail){0};
    tail->slab = gck_vector_room(gck_tail_lane_values(model) * lanes);
    if (tail->slab == NULL) return gck_error_memory(error);
    tail->carried.values = tail->slab;
    tail->carried.room = tail->slab + widest(model) * lanes;
    tail->loss = tail->slab + 2 * widest(model) * lanes;
    return GCK_OK;
}

void gck_tail_done(gck_tail *tail)
{
    gck_vector_free(tail->slab);
    *tail = (gck_tail){0};
}

double *gck_tail_begin(gck_tail *tail, const gck_base *base, size_t unit)
{
    tail->base = base;
    tail->carried.unit = unit;
    tail->carried.lanes = base->lanes;
    return tail->carried.values;
}

/* From one unit to all, the others not changed. */
static void expand(gck_carried *carried, size_t units)
{
    if (carried->unit == GCK_ALL_UNITS) return;
    double *kept = carried->values;
    memset(carried->room, 0, units * carried->lanes * sizeof *carried->room);
    memcpy(carried->room + carried->unit * carried->lanes, kept, carried->lanes * sizeof *kept);
    carried->values = carried->room;
    carried->room = kept;
    carried->unit = GCK_ALL_UNITS;
}

/* The rows that change. */
typedef struct rows {
    size_t first, count;
} rows;

static rows rows_of(const gck_carried *carried, size_t units)
{
    if (carried->unit == GCK_ALL_UNITS) return (rows){0, units};
    return (rows){carried->unit, 1};
}

static void watch_rows(const gck_tail *tail, gck_watch watch, size_t layer, rows r, const double *z,
                       const double *place, size_t places)
{
    const size_t lanes = tail->carried.lanes;
    for (size_t i = 0; i < r.count; i++)
        for (size_t p = 0; p < places; p++)
            watch.see(watch.context, layer, r.first + i, place[p], z + (r.first + i) * lanes,
                      tail->carried.values + i * lanes);
}

static void activation_change(gck_tail *tail, size_t index, gck_watch watch)
{
    const gck_layer *layer = &tail->base->model->layer[index];
    const gck_base_layer *at = &tail->base->layer[index];
    const gck_choice *activation = &layer->spec.activation;
    const struct gck_activation_change *change = gck_activation_row_of(activation)->change;
    if (change->coupled) expand(&tail->carried, layer->outputs);
    const rows r = rows_of(&tail->carried, layer->outputs);
    const size_t lanes = tail->carried.lanes, skip = r.first * lanes;
    if (watch.see != NULL && change->kinks != NULL) {
        double place[GCK_KINKS_MAX];
        const size_t places = change->kinks(activation->option, place);
        watch_rows(tail, watch, index, r, at->z, place, places);
    }
    const double *aux[GCK_CHANGE_AUX];
    for (size_t i = 0; i < GCK_CHANGE_AUX; i++)
        aux[i] = at->aux[i] == NULL ? NULL : at->aux[i] + skip;
    change->apply(activation->option, r.count, lanes, at->z + skip, aux, tail->carried.values);
}

static void activation_tangent(gck_tail *tail, size_t index)
{
    const gck_layer *layer = &tail->base->model->layer[index];
    const gck_base_layer *at = &tail->base->layer[index];
    const struct gck_activation_exact *exact =
        gck_activation_row_of(&layer->spec.activation)->exact;
    if (exact->slopes == NULL) {
        expand(&tail->carried, layer->outputs);
        exact->tangent(layer->outputs, tail->carried.lanes, at->a, tail->carried.values);
        return;
    }
    const rows r = rows_of(&tail->carried, layer->outputs);
    gck_kernels_active()->multiply(r.count * tail->carried.lanes,
                                   at->slope + r.first * tail->carried.lanes, tail->carried.values);
}

static void carry(gck_tail *tail, size_t index)
{
    const gck_layer *layer = &tail->base->model->layer[index];
    gck_layer_row_of(layer)->carry(layer, tail->base->parameters, tail->base->layer[index].mask,
                                   &tail->carried);
}

/* The last activation is part of a cross-entropy. */
static bool is_fused(const gck_model *model, size_t layer)
{
    return layer + 1 == model->layer_count && gck_cost_is_entropy(&model->cost);
}

static void cost_change(gck_tail *tail, gck_watch watch)
{
    const gck_base *base = tail->base;
    const gck_model *model = base->model;
    const gck_choice *activation = &model->layer[model->layer_count - 1].spec.activation;
    const struct gck_cost_change *change = gck_cost_change_of(&model->cost, activation);
    expand(&tail->carried, model->outputs);
    if (watch.see != NULL && change->kinked) {
        const double place = 0;
        watch_rows(tail, watch, model->layer_count, (rows){0, model->outputs}, base->aux[0], &place,
                   1);
    }
    const gck_cost_base at = {.units = model->outputs,
                              .lanes = base->lanes,
                              .option = activation->option,
                              .value = base->value,
                              .y = base->y,
                              .aux = {base->aux[0], base->aux[1], base->aux[2]}};
    change->apply(&at, tail->carried.values, tail->loss);
}

void gck_tail_change(gck_tail *tail, size_t layer, gck_watch watch)
{
    const gck_model *model = tail->base->model;
    const size_t first = layer == GCK_FROM_INPUT ? 0 : layer;
    for (size_t i = first; i < model->layer_count; i++) {
        if (i != layer) carry(tail, i);
        if (tail->base->layer[i].z != NULL && !is_fused(model, i))
            activation_change(tail, i, watch);
    }
    cost_change(tail, watch);
}

static void cost_tangent(gck_tail *tail)
{
    const gck_base *base = tail->base;
    const size_t lanes = base->lanes;
    const rows r = rows_of(&tail->carried, base->model->outputs);
    memset(tail->loss, 0, lanes * sizeof *tail->loss);
    for (size_t i = 0; i < r.count; i++)
        gck_kernels_active()->accumulate(lanes, base->cost_slope + (r.first + i) * lanes,
                                         tail->carried.values + i * lanes, tail->loss);
}

void gck_tail_tangent(gck_tail *tail, size_t layer)
{
    const gck_model *model = tail->base->model;
    const size_t first = layer == GCK_FROM_INPUT ? 0 : layer;
    for (size_t i = first; i < model->layer_count; i++) {
        if (i != layer) carry(tail, i);
        if (tail->base->layer[i].z != NULL && !is_fused(model, i)) activation_tangent(tail, i);
    }
    cost_tangent(tail);
}

/* What a change of an activation or a cost takes beside matrix products. */
#define CHANGE_OPERATIONS 30.0

double gck_tail_operations(const gck_model *model, size_t layer)
{
    double operations = CHANGE_OPERATIONS * (double)model->outputs;
    bool single = true;
    const size_t first = layer == GCK_FROM_INPUT ? 0 : layer;
    for (size_t i = first; i < model->layer_count; i++) {
        const gck_layer *at = &model->layer[i];
        if (i != layer && at->tensor_count > 0) {
            operations += single ? (double)at->outputs : (double)at->inputs * (double)at->outputs;
            single = false;
        }
        if (gck_layer_row_of(at)->activated)
            operations += CHANGE_OPERATIONS * (single ? 1 : (double)at->outputs);
    }
    return operations;
}
