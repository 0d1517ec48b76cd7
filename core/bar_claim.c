#include "core/bar_claim_parts.h"
#include "core/backward.h"
#include "core/derivatives.h"
#include "core/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the precision ---- */

/* Our own side's rounding is in it. Products of half precision are added up in float32, but small
 * ones of bfloat16 may be loops in it. In float64 it costs nothing to take all errors of a sum to
 * be alike. Subnormal numbers of float16 are never flushed to 0; others may be. */
static bar_precision precision_of(gck_dtype dtype)
{
    const double own = gck_dtype_roundoff(GCK_FLOAT64), unit = gck_dtype_roundoff(dtype) + own;
    bar_precision p = {.unit = unit, .least = gck_dtype_smallest(dtype)};
    p.sum = fmin(unit, gck_dtype_roundoff(GCK_FLOAT32));
    if (dtype == GCK_FLOAT64) p.alike = unit / 4;
    if (dtype == GCK_FLOAT16) p.least *= 2 * unit;
    if (dtype == GCK_BFLOAT16) p.looped = BAR_LOOPED;
    return p;
}

double bar_growth(const bar_precision *p, size_t n)
{
    return BAR_PRODUCT * p->unit + 2 * p->sum * sqrt((double)n) + p->alike * (double)n;
}

bool bar_is_looped(const bar_work *w, const gck_layer *layer)
{
    return layer->tensor_count > 0 &&
           w->spec->samples <= w->p.looped / layer->inputs / layer->outputs;
}

/* ---- the room ---- */

const gck_activation_row *bar_row_of(const gck_layer *layer)
{
    return gck_activation_row_of(&layer->spec.activation);
}

bool bar_is_activated(const gck_layer *layer)
{
    return gck_layer_row_of(layer)->activated;
}

bool bar_is_coupled(const gck_layer *layer)
{
    return bar_row_of(layer)->exact->slopes == NULL;
}

enum { WIDE_ARRAYS = 12, PARAMETER_ARRAYS = 4 };

static size_t widest(const gck_model *model)
{
    return gck_backward_sample_values(model) / 2;
}

static size_t arrays_of(const gck_layer *layer)
{
    if (!bar_is_activated(layer)) return 1;
    return bar_is_coupled(layer) ? 2 : 5;
}

size_t gck_bar_claim_sample_values(const gck_model *model)
{
    size_t values = WIDE_ARRAYS * widest(model);
    for (size_t i = 0; i < model->layer_count; i++)
        values += arrays_of(&model->layer[i]) * model->layer[i].outputs;
    return values;
}

size_t gck_bar_claim_values(const gck_model *model)
{
    return PARAMETER_ARRAYS * model->parameter_count;
}

static double *take(double **next, size_t count)
{
    double *taken = *next;
    *next += count;
    return taken;
}

static void layer_place(const gck_layer *layer, size_t rows, double **next, bar_layer *ret)
{
    const size_t count = layer->outputs * rows, arrays = arrays_of(layer);
    *ret = (bar_layer){.a = take(next, count)};
    if (arrays > 1) ret->z = take(next, count);
    if (arrays <= 2) return;
    ret->most = take(next, count);
    ret->slope_error = take(next, count);
    ret->jump = take(next, count);
}

static void room_place(gck_bar_claim_room *room, size_t rows)
{
    const gck_model *model = room->model;
    double *next = room->slab;
    double **const wide[WIDE_ARRAYS] = {&room->delta,      &room->next_delta, &room->error,
                                        &room->next_error, &room->jump,       &room->next_jump,
                                        &room->x,          &room->size,       &room->reach,
                                        &room->shifted,    &room->slopes,     &room->terms};
    room->parameters = take(&next, model->parameter_count);
    room->squares = take(&next, model->parameter_count);
    room->unused = take(&next, model->parameter_count);
    room->error_squares = take(&next, model->parameter_count);
    for (size_t i = 0; i < WIDE_ARRAYS; i++)
        *wide[i] = take(&next, widest(model) * rows);
    for (size_t i = 0; i < model->layer_count; i++)
        layer_place(&model->layer[i], rows, &next, &room->layer[i]);
}

gck_status gck_bar_claim_room_new(const gck_model *model, size_t rows,
                                  gck_bar_claim_room **ret_room, gck_error *error)
{
    gck_bar_claim_room *room = calloc(1, sizeof *room + model->layer_count * sizeof room->layer[0]);
    if (room == NULL) return gck_error_memory(error);
    room->model = model;
    room->slab =
        gck_vector_room(gck_bar_claim_values(model) + gck_bar_claim_sample_values(model) * rows);
    if (room->slab == NULL) {
        free(room);
        return gck_error_memory(error);
    }
    room_place(room, rows);
    *ret_room = room;
    return GCK_OK;
}

void gck_bar_claim_room_free(gck_bar_claim_room *room)
{
    if (room == NULL) return;
    gck_vector_free(room->slab);
    free(room);
}

/* ---- small loops ---- */

static int by_size(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void bar_absolute(size_t count, const double *from, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = fabs(from[i]);
}

void bar_squared(size_t count, const double *from, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = bar_square(from[i]);
}

double bar_most_alike(size_t count, size_t stride, const double *values, double *room)
{
    size_t most = 1, run = 1;
    for (size_t i = 0; i < count; i++)
        room[i] = values[i * stride];
    qsort(room, count, sizeof *room, by_size);
    for (size_t i = 1; i < count; i++) {
        run = room[i] == room[i - 1] ? run + 1 : 1;
        if (run > most) most = run;
    }
    return (double)most;
}

void bar_swap(double **a, double **b)
{
    double *kept = *a;
    *a = *b;
    *b = kept;
}

const double *bar_input_error(const bar_work *w, size_t layer)
{
    return layer == 0 ? NULL : w->room->layer[layer - 1].a;
}

/* ---- the whole ---- */

/* At w = 0 any slope from -l1 to l1 is a right one. */
static void penalty_errors(const bar_work *w, double *bar)
{
    const gck_model *model = w->pass->model;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        const struct gck_layer_derivatives *derivatives = gck_layer_row_of(layer)->derivatives;
        for (size_t t = 0; gck_layer_is_penalised(layer) && t < layer->tensor_count; t++)
            for (size_t e = 0; e < layer->tensor[t].count; e++) {
                const double size = w->room->parameters[layer->tensor[t].offset + e];
                const bool kink = size <= w->p.least;
                const double slope = derivatives->penalty_slope(layer, t, kink ? w->p.least : size);
                bar[layer->tensor[t].offset + e] +=
                    (kink ? 1 : BAR_FUNCTION * w->p.unit) * fabs(slope) + w->p.least;
            }
    }
}

static void layers_back(const bar_work *w, double *bar)
{
    const gck_model *model = w->pass->model;
    gck_bar_claim_room *room = w->room;
    memset(room->error_squares, 0, model->parameter_count * sizeof(double));
    for (size_t i = model->layer_count; i-- > 0;) {
        const bool fused = i + 1 == model->layer_count && gck_cost_is_entropy(&model->cost);
        const bool needed = i > 0 || w->spec->with_inputs;
        if (bar_is_activated(&model->layer[i]) && !fused) bar_activation_back(w, i);
        bar_jumps_back(w, i, bar, needed);
        bar_layer_back(w, i, needed);
        if (model->layer[i].tensor_count > 0) bar_sample_sums(w, i, bar);
        if (!needed) return;
        bar_swap(&room->delta, &room->next_delta);
        bar_swap(&room->error, &room->next_error);
        bar_swap(&room->jump, &room->next_jump);
    }
}

const double *gck_bar_claim(const gck_pass *pass, const gck_base *base, gck_bar_claim_room *room,
                            const gck_bar_claim_spec *spec, double *bar)
{
    const gck_model *model = pass->model;
    const bar_work w = {pass, base, room, spec, precision_of(spec->dtype)};
    room->samples = pass->samples;
    bar_absolute(model->parameter_count, base->parameters, room->parameters);
    bar_squared(model->parameter_count, base->parameters, room->squares);
    for (size_t i = 0; i < model->layer_count; i++) {
        bar_linear_errors(&w, i);
        if (bar_is_activated(&model->layer[i])) bar_activation_errors(&w, i);
    }
    bar_cost_errors(&w);
    layers_back(&w, bar);
    if (spec->penalties) penalty_errors(&w, bar);
    if (!spec->with_inputs) return NULL;
    for (size_t i = 0; i < model->inputs * pass->samples; i++)
        room->error[i] = room->jump[i] + BAR_SURE * sqrt(room->error[i]);
    return room->error;
}

void gck_bar_claim_outputs(const gck_bar_claim_room *room, double *bar)
{
    const gck_model *model = room->model;
    const double *squares = room->layer[model->layer_count - 1].a;
    for (size_t i = 0; i < model->outputs * room->samples; i++)
        bar[i] = BAR_SURE * sqrt(squares[i]);
}

double gck_bar_claim_cost(const gck_bar_claim_room *room)
{
    return room->cost;
}
