#include "core/bar_claim.h"
#include "core/activation.h"
#include "core/backward.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/rounding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units of rounding that are granted to a function's value, or a term of it, and to a product with
 * its two factors. */
#define FUNCTION 3.0
#define PRODUCT 2.0
/* Errors are likely ones: what is granted above is several times what a rounding does on average,
 * and so many times their root of squares is a bound. */
#define SURE 4.0
/* Beyond, e^d is as good as infinite. */
#define FAR 700.0

/* ---- the precision ---- */

typedef struct precision {
    double unit;
    double sum;   /* what each addition errs by, of the sum so far */
    double alike; /* of a sum of n terms, times n */
    double least;
} precision;

/* Our own side's rounding is in it. Products of half precision are added up in float32. In float64
 * it costs nothing to take all errors of a sum to be alike. Subnormal numbers of float16 are never
 * flushed to 0; others may be. */
static precision precision_of(gck_dtype dtype)
{
    const double own = gck_dtype_roundoff(GCK_FLOAT64), unit = gck_dtype_roundoff(dtype) + own;
    precision p = {.unit = unit, .least = gck_dtype_smallest(dtype)};
    p.sum = fmin(unit, gck_dtype_roundoff(GCK_FLOAT32));
    if (dtype == GCK_FLOAT64) p.alike = unit / 4;
    if (dtype == GCK_FLOAT16) p.least *= 2 * unit;
    return p;
}

static double square(double x)
{
    return x * x;
}

/* Of each of n products that are added up, with sums on the way of twice the root of the products'
 * squares. */
static double growth(const precision *p, size_t n)
{
    return PRODUCT * p->unit + 2 * p->sum * sqrt((double)n) + p->alike * (double)n;
}

/* ---- the room ---- */

/* (outputs, samples) each; of errors, their squares. */
typedef struct layer_errors {
    double *a;    /* of what the layer gives */
    double *z;    /* of its pre-activation; NULL without one */
    double *most; /* the largest |f'| within reach; NULL for softmax and without activation */
    double *slope_error; /* of f' as computed; likewise */
    double *jump;        /* of f', where a kink is within reach; likewise */
} layer_errors;

struct gck_bar_claim_room {
    const gck_model *model;
    double *slab;
    double *parameters, *squares;   /* absolute values; squares */
    double *unused, *error_squares; /* a gradient that nobody needs; the parameters' errors */
    double *delta, *next_delta;     /* dJ/da or dJ/dz */
    double *error, *next_error;     /* theirs, squared */
    double *jump, *next_jump;       /* theirs, by kinks */
    double *x, *size, *reach, *shifted, *slopes, *terms; /* (widest, samples) */
    layer_errors layer[];
};

enum { WIDE_ARRAYS = 12, PARAMETER_ARRAYS = 4 };

static size_t widest(const gck_model *model)
{
    return gck_backward_sample_values(model) / 2;
}

static const gck_activation_row *row_of(const gck_layer *layer)
{
    return gck_activation_row_of(&layer->spec.activation);
}

static bool is_activated(const gck_layer *layer)
{
    return gck_layer_row_of(layer)->activated;
}

static bool is_coupled(const gck_layer *layer)
{
    return row_of(layer)->exact->slopes == NULL;
}

static size_t arrays_of(const gck_layer *layer)
{
    if (!is_activated(layer)) return 1;
    return is_coupled(layer) ? 2 : 5;
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

static void layer_place(const gck_layer *layer, size_t rows, double **next, layer_errors *ret)
{
    const size_t count = layer->outputs * rows, arrays = arrays_of(layer);
    *ret = (layer_errors){.a = take(next, count)};
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

static void absolute(size_t count, const double *from, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = fabs(from[i]);
}

static int by_size(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void squared(size_t count, const double *from, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = square(from[i]);
}

/* How many values at most are the same, of `count` that are `stride` apart; sorts them into room.
 * Errors of equal units, or samples, are all alike. */
static double most_alike(size_t count, size_t stride, const double *values, double *room)
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

static void swap(double **a, double **b)
{
    double *kept = *a;
    *a = *b;
    *b = kept;
}

/* ---- forward ---- */

typedef struct work {
    const gck_pass *pass;
    const gck_base *base;
    gck_bar_claim_room *room;
    const gck_bar_claim_spec *spec;
    precision p;
} work;

static const double *input_error(const work *w, size_t layer)
{
    return layer == 0 ? NULL : w->room->layer[layer - 1].a;
}

/* How many products of the first unit's sum in the first sample are alike. */
static double inputs_alike(const work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const gck_layer_pass *place = &w->pass->layer[index];
    if (layer->tensor_count == 0) return 1;
    const double *weight = w->base->parameters + layer->tensor[0].offset;
    for (size_t i = 0; i < layer->inputs; i++)
        w->room->slopes[i] = weight[i * layer->outputs] * place->x[i * place->samples];
    size_t count = 0;
    for (size_t i = 0; i < layer->inputs; i++)
        if (w->room->slopes[i] != 0) w->room->slopes[count++] = w->room->slopes[i];
    return most_alike(count, 1, w->room->slopes, w->room->shifted);
}

/* e_z, or e_a of a layer without an activation: its own forward pass on squares. */
static void linear_errors(const work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const gck_layer_pass *place = &w->pass->layer[index];
    const layer_errors *at = &w->room->layer[index];
    const size_t terms = layer->tensor_count > 0 ? layer->inputs + 1 : 1;
    const size_t samples = place->samples;
    const double g = square(growth(&w->p, terms)), *error = input_error(w, index);
    const double alike = inputs_alike(w, index), sum = square(w->p.sum) * (double)terms;
    gck_layer_pass sizes = *place;
    for (size_t i = 0; i < layer->inputs * samples; i++)
        w->room->x[i] = square(place->x[i]) + (error == NULL ? 0 : error[i] / g);
    if (place->mask != NULL) {
        squared(layer->outputs * samples, place->mask, w->room->terms);
        sizes.mask = w->room->terms;
    }
    sizes.x = w->room->x;
    sizes.parameters = w->room->squares;
    sizes.z = at->z;
    sizes.a = at->a;
    gck_layer_row_of(layer)->forward(layer, &sizes);
    double *result = at->z != NULL ? at->z : at->a;
    const double *value = at->z != NULL ? place->z : place->a;
    for (size_t i = 0; i < layer->outputs * samples; i++)
        result[i] =
            alike * g * result[i] + sum * square(value[i]) + square((double)terms * w->p.least);
}

/* Slopes at `shifted`, into the largest one and the largest difference from those here. */
static void widen_slopes(const work *w, size_t index, size_t count, const double *shifted,
                         const double *slope, size_t first)
{
    const gck_choice *f = &w->pass->model->layer[index].spec.activation;
    double *most = w->room->layer[index].most + first;
    double *spread = w->room->layer[index].slope_error + first;
    gck_activation_row_of(f)->exact->slopes(f->option, count, shifted, w->room->slopes);
    for (size_t k = 0; k < count; k++) {
        most[k] = fmax(most[k], fabs(w->room->slopes[k]));
        spread[k] = fmax(spread[k], fabs(w->room->slopes[k] - slope[k]));
    }
}

/* The place nearest to `turn` within reach; returns whether that lies inside for any. */
static bool shift_to_turn(size_t count, double turn, const double *z, const double *reach,
                          double *shifted)
{
    bool inside = false;
    for (size_t k = 0; k < count; k++) {
        shifted[k] = fmin(fmax(turn, z[k] - reach[k]), z[k] + reach[k]);
        inside |= shifted[k] == turn;
    }
    return inside;
}

/* The slopes of one unit within reach of its z. */
static void unit_slopes(const work *w, size_t index, size_t unit)
{
    const gck_layer_pass *place = &w->pass->layer[index];
    const struct gck_activation_rounding *rounding =
        row_of(&w->pass->model->layer[index])->rounding;
    const size_t samples = place->samples, first = unit * samples;
    const double *z = place->z + first, *reach = w->room->reach;
    const double *slope = w->base->layer[index].slope + unit * w->base->lanes;
    double *shifted = w->room->shifted;
    absolute(samples, slope, w->room->layer[index].most + first);
    memset(w->room->layer[index].slope_error + first, 0, samples * sizeof(double));
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t k = 0; k < samples; k++)
            shifted[k] = z[k] + sign * reach[k];
        widen_slopes(w, index, samples, shifted, slope, first);
    }
    for (size_t t = 0; t < rounding->turn_count; t++)
        if (shift_to_turn(samples, rounding->turn[t], z, reach, shifted))
            widen_slopes(w, index, samples, shifted, slope, first);
}

/* Whether a kink is within reach. */
static bool near_kink(const gck_choice *f, double z, double reach)
{
    const gck_activation_row *row = gck_activation_row_of(f);
    double place[GCK_KINKS_MAX];
    const size_t places = row->change->kinks == NULL ? 0 : row->change->kinks(f->option, place);
    bool near = false;
    for (size_t i = 0; i < places; i++)
        near |= fabs(z - place[i]) <= reach;
    return near;
}

/* e_a, and the error of f'. */
static void unit_errors(const work *w, size_t index, size_t unit)
{
    const gck_choice *f = &w->pass->model->layer[index].spec.activation;
    const size_t samples = w->pass->samples, first = unit * samples;
    const layer_errors *at = &w->room->layer[index];
    const double *z = w->pass->layer[index].z + first;
    double *value = w->room->shifted, *slope = w->room->terms;
    for (size_t k = 0; k < samples; k++)
        w->room->reach[k] = SURE * sqrt(at->z[first + k]) + w->p.least;
    unit_slopes(w, index, unit);
    gck_activation_row_of(f)->rounding->sizes(f->option, samples, z, value, slope);
    for (size_t k = 0; k < samples; k++) {
        const size_t i = first + k;
        /* A value that is lost in underflow may be a factor of the slope, as e^(-z^2) is. */
        const double lost = 4 * w->p.least * (1 + fabs(z[k])), spread = at->slope_error[i];
        const bool jumps = near_kink(f, z[k], w->room->reach[k]);
        at->jump[i] = jumps ? spread : 0;
        at->slope_error[i] =
            square(jumps ? 0 : spread / SURE) + square(FUNCTION * w->p.unit * slope[k] + lost);
        at->a[i] = square(at->most[i]) * at->z[i] + square(FUNCTION * w->p.unit * value[k] + lost);
    }
}

/* How far a_j = e^(z_j) / sum e^(z_i) moves while each z_i stays within reach d_i: furthest up with
 * z_j up and all others down. With P = sum a_i (e^(d_i) - 1), N = sum a_i (e^(-d_i) - 1). */
static void softmax_sample_errors(const work *w, size_t index, size_t k)
{
    const size_t units = w->pass->model->layer[index].outputs, samples = w->pass->samples;
    const double *z = w->pass->layer[index].z + k, *a = w->pass->layer[index].a + k;
    double *d = w->room->reach, *error = w->room->layer[index].a + k;
    const double *squares = w->room->layer[index].z + k;
    double top = -INFINITY, ups = 0, downs = 0;
    for (size_t i = 0; i < units * samples; i += samples)
        top = fmax(top, z[i]);
    for (size_t i = 0; i < units * samples; i += samples) {
        d[i] = fmin(SURE * (sqrt(squares[i]) + 2 * w->p.unit * (top - z[i])), FAR);
        ups += a[i] * expm1(d[i]);
        downs += a[i] * expm1(-d[i]);
    }
    for (size_t i = 0; i < units * samples; i += samples) {
        const double up = expm1(d[i]), down = expm1(-d[i]);
        const double rise = (1 - a[i]) * up - (downs - a[i] * down);
        const double fall = -(1 - a[i]) * down + (ups - a[i] * up);
        error[i] = a[i] * fmax(rise / (1 + downs + a[i] * (up - down)),
                               fall / (1 + ups + a[i] * (down - up)));
        error[i] = square(fmin(error[i], 1) / SURE + growth(&w->p, units) * a[i] + w->p.least);
    }
}

static void activation_errors(const work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const size_t samples = w->pass->samples;
    const double *z = w->pass->layer[index].z;
    double *error = w->room->layer[index].z;
    for (size_t i = 0; i < layer->outputs * samples; i++)
        error[i] += square(2 * w->p.unit * z[i]);
    if (is_coupled(layer))
        for (size_t k = 0; k < samples; k++)
            softmax_sample_errors(w, index, k);
    else
        for (size_t unit = 0; unit < layer->outputs; unit++)
            unit_errors(w, index, unit);
}

/* ---- the cost ---- */

/* How far the cost's slopes move while its values do, by slopes at the ends: losses are convex, so
 * that slopes rise, but across the pole of a gaussian. */
static void shifted_spread(const work *w, const double *reach, int sign, double *spread)
{
    gck_outputs outputs = gck_pass_outputs(w->pass);
    const bool entropy = gck_cost_is_entropy(&w->pass->model->cost);
    const double *values = entropy ? outputs.z : outputs.a;
    const size_t samples = outputs.samples;
    for (size_t i = 0; i < outputs.units * samples; i++)
        w->room->shifted[i] = values[i] + sign * reach[i];
    *(entropy ? &outputs.z : &outputs.a) = w->room->shifted;
    gck_cost_exact_of(&w->pass->model->cost, outputs.activation)
        ->slopes(&outputs, w->pass->y, w->room->slopes);
    for (size_t unit = 0; unit < outputs.units; unit++)
        for (size_t k = 0; k < samples; k++) {
            const size_t i = unit * samples + k;
            const double here = w->base->cost_slope[unit * w->base->lanes + k];
            spread[i] = fmax(spread[i], fabs(w->room->slopes[i] - here));
            const double rise = sign * (w->room->slopes[i] - here);
            if (!(rise >= -1e-9 * fabs(here))) spread[i] = INFINITY;
        }
}

/* a_j sum y_i - y_j: only a_j moves. */
static void categorical_spread(const work *w, double *spread)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const double *error = w->room->layer[w->pass->model->layer_count - 1].a, *y = w->pass->y;
    for (size_t k = 0; k < outputs.samples; k++) {
        double total = 0;
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            total += fabs(y[i]);
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            spread[i] = total * SURE * sqrt(error[i]);
    }
}

/* Products of two quotients of exponentials each. */
static void softmax_binary_spread(const work *w, const double *size, double *spread)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const double *error = w->room->layer[w->pass->model->layer_count - 1].z;
    for (size_t k = 0; k < outputs.samples; k++) {
        double most = 0;
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            most = fmax(most, SURE * sqrt(error[i]));
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            spread[i] = size[i] * expm1(fmin(4 * most, FAR));
    }
}

static void cost_spread(const work *w, const double *size, double *spread)
{
    const gck_model *model = w->pass->model;
    const size_t last = model->layer_count - 1, count = model->outputs * w->pass->samples;
    const bool entropy = gck_cost_is_entropy(&model->cost);
    if (entropy && is_coupled(&model->layer[last])) {
        if (gck_cost_takes_labels(&model->cost))
            categorical_spread(w, spread);
        else
            softmax_binary_spread(w, size, spread);
        return;
    }
    const double *error = entropy ? w->room->layer[last].z : w->room->layer[last].a;
    double *reach = w->room->reach;
    for (size_t i = 0; i < count; i++)
        reach[i] = SURE * sqrt(error[i]) + (entropy ? 0 : 2 * w->p.unit * fabs(w->pass->y[i]));
    memset(spread, 0, count * sizeof *spread);
    shifted_spread(w, reach, 1, spread);
    shifted_spread(w, reach, -1, spread);
}

static void cost_errors(const work *w)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const gck_choice *cost = &w->pass->model->cost;
    const bool jumps = gck_cost_change_of(cost, outputs.activation)->kinked;
    double *delta = w->room->delta, *error = w->room->error, *size = w->room->size;
    gck_cost_row_of(cost)->derivatives->delta(&outputs, w->pass->y, delta);
    gck_cost_rounding_of(cost, outputs.activation)->sizes(&outputs, w->pass->y, size);
    cost_spread(w, size, error);
    for (size_t i = 0; i < outputs.units * outputs.samples; i++) {
        const double weight = w->pass->weights[i % outputs.samples];
        const double share = w->spec->factor * weight;
        const double least = w->p.least * (1 + fabs(delta[i]));
        w->room->jump[i] = jumps ? error[i] * fabs(share) : 0;
        error[i] = square((jumps ? 0 : error[i] / SURE) * share) +
                   square(FUNCTION * w->p.unit * size[i] * share) + square(least);
        delta[i] *= share;
        if (weight == 0) delta[i] = error[i] = w->room->jump[i] = 0;
    }
}

/* ---- backward ---- */

/* The largest that δ can be. */
static double delta_most(const work *w, size_t i)
{
    return fabs(w->room->delta[i]) + w->room->jump[i] + SURE * sqrt(w->room->error[i]);
}

/* δ_j <- a_j (δ_j - sum a_i δ_i) */
static void softmax_back_errors(const work *w, size_t index, size_t k)
{
    const size_t units = w->pass->model->layer[index].outputs, samples = w->pass->samples;
    const double *a = w->pass->layer[index].a + k, *error_a = w->room->layer[index].a + k;
    const double *delta = w->room->delta + k;
    double *error = w->room->error + k, *jump = w->room->jump + k;
    double mean = 0, size = 0, mean_error = 0, mean_jump = 0;
    for (size_t i = 0; i < units * samples; i += samples) {
        const double share = a[i] + SURE * sqrt(error_a[i]);
        mean += a[i] * delta[i];
        size += a[i] * fabs(delta[i]);
        mean_error += share * sqrt(error[i]) + sqrt(error_a[i]) * fabs(delta[i]);
        mean_jump += share * jump[i];
    }
    for (size_t i = 0; i < units * samples; i += samples) {
        const double share = a[i] + SURE * sqrt(error_a[i]);
        jump[i] = share * (jump[i] + mean_jump);
        error[i] = square(sqrt(error_a[i]) * fabs(delta[i] - mean) +
                          share * (sqrt(error[i]) + mean_error) +
                          growth(&w->p, units) * a[i] * (fabs(delta[i]) + size) + w->p.least);
    }
}

static void activation_back(const work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const gck_layer_pass *place = &w->pass->layer[index];
    const layer_errors *at = &w->room->layer[index];
    const size_t samples = place->samples;
    double *error = w->room->error, *jump = w->room->jump, *delta = w->room->delta;
    if (is_coupled(layer))
        for (size_t k = 0; k < samples; k++)
            softmax_back_errors(w, index, k);
    for (size_t i = 0; i < layer->outputs * samples && !is_coupled(layer); i++) {
        const double most = delta_most(w, i);
        jump[i] = at->most[i] * jump[i] + at->jump[i] * most;
        error[i] =
            square(at->most[i]) * error[i] + at->slope_error[i] * square(most) + square(w->p.least);
    }
    row_of(layer)->derivatives->chain(layer->spec.activation.option, layer->outputs, samples,
                                      place->z, place->a, delta);
}

/* dJ/dx and the jumps in it and in the parameters' gradient. */
static void jumps_back(const work *w, size_t index, double *bar, bool needed)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const struct gck_layer_derivatives *derivatives = gck_layer_row_of(layer)->derivatives;
    const double *error = input_error(w, index);
    gck_layer_pass sizes = w->pass->layer[index];
    if (needed) derivatives->backward(layer, &sizes, room->delta, room->unused, room->next_delta);
    for (size_t i = 0; i < layer->inputs * sizes.samples; i++)
        room->x[i] = fabs(sizes.x[i]) + (error == NULL ? 0 : SURE * sqrt(error[i]));
    sizes.x = room->x;
    sizes.parameters = room->parameters;
    derivatives->backward(layer, &sizes, room->jump, bar, needed ? room->next_jump : NULL);
}

/* e_δa = |W| (e_δz + g |δz|), and as much of the parameters' errors as has no e_a in it. */
static void layer_back(const work *w, size_t index, bool needed)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const size_t samples = w->pass->samples, count = layer->outputs * samples;
    const size_t terms = layer->tensor_count > 0 ? layer->outputs : 1;
    const double g = square(growth(&w->p, terms)), sum = square(w->p.sum) * (double)terms;
    const double *values =
        w->pass->layer[index].z != NULL ? w->pass->layer[index].z : w->pass->layer[index].a;
    const double alike =
        layer->tensor_count > 0 ? most_alike(terms, samples, values, room->shifted) : 1;
    gck_layer_pass sizes = w->pass->layer[index];
    squared(layer->inputs * samples, sizes.x, room->x);
    sizes.x = room->x;
    sizes.parameters = room->squares;
    if (sizes.mask != NULL) {
        squared(count, sizes.mask, room->terms);
        sizes.mask = room->terms;
    }
    for (size_t i = 0; i < count; i++)
        room->size[i] = room->error[i] + g * square(room->delta[i]);
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, room->size, room->error_squares,
                                                   needed ? room->next_error : NULL);
    for (size_t i = 0; i < layer->inputs * samples && needed; i++)
        room->next_error[i] = alike * room->next_error[i] + sum * square(room->next_delta[i]) +
                              square((double)terms * w->p.least);
}

/* A bias's sum is a plain loop in the dtype itself, mostly: each addition errs by u of the sum so
 * far. Blocks before this one are taken to be alike. */
static void bias_sums(const work *w, const gck_layer *layer, double *bar)
{
    const size_t samples = w->pass->samples;
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        const double *delta = w->room->delta + unit * samples;
        double sum = 0, error = 0;
        for (size_t k = 0; k < samples; k++) {
            sum += delta[k];
            error += w->p.unit * (fabs(sum) + error);
        }
        bar[unit] += error + w->p.unit * fabs(sum) * (double)w->spec->first;
    }
}

/* e_a (|δ| + e_δ), with what the sum over samples adds: (|a| + e_a / g) g (|δ| + e_δ), where the
 * bias has its part of the sum alone; then all that is random, into the bar. */
static void sample_sums(const work *w, size_t index, double *bar)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const size_t samples = w->pass->samples;
    const double g = square(growth(&w->p, w->spec->samples)), *error = input_error(w, index);
    const double *values = w->pass->layer[index].z;
    const double alike = most_alike(samples, 1, values, room->shifted);
    gck_layer_pass sizes = w->pass->layer[index];
    for (size_t i = 0; i < layer->inputs * samples; i++)
        room->x[i] = square(sizes.x[i]) + (error == NULL ? 0 : error[i] / g);
    sizes.x = room->x;
    for (size_t i = 0; i < layer->outputs * samples; i++)
        room->size[i] = g * square(delta_most(w, i));
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, room->size, room->error_squares,
                                                   NULL);
    if (layer->tensor_count > 1) bias_sums(w, layer, bar + layer->tensor[1].offset);
    for (size_t t = 0; t < layer->tensor_count; t++)
        for (size_t e = layer->tensor[t].offset;
             e < layer->tensor[t].offset + layer->tensor[t].count; e++)
            bar[e] += SURE * sqrt(alike * room->error_squares[e]) + (double)samples * w->p.least;
}

/* At w = 0 any slope from -l1 to l1 is a right one. */
static void penalty_errors(const work *w, double *bar)
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
                    (kink ? 1 : FUNCTION * w->p.unit) * fabs(slope) + w->p.least;
            }
    }
}

static void layers_back(const work *w, double *bar)
{
    const gck_model *model = w->pass->model;
    gck_bar_claim_room *room = w->room;
    memset(room->error_squares, 0, model->parameter_count * sizeof(double));
    for (size_t i = model->layer_count; i-- > 0;) {
        const bool fused = i + 1 == model->layer_count && gck_cost_is_entropy(&model->cost);
        const bool needed = i > 0 || w->spec->with_inputs;
        if (is_activated(&model->layer[i]) && !fused) activation_back(w, i);
        jumps_back(w, i, bar, needed);
        layer_back(w, i, needed);
        if (model->layer[i].tensor_count > 0) sample_sums(w, i, bar);
        if (!needed) return;
        swap(&room->delta, &room->next_delta);
        swap(&room->error, &room->next_error);
        swap(&room->jump, &room->next_jump);
    }
}

const double *gck_bar_claim(const gck_pass *pass, const gck_base *base, gck_bar_claim_room *room,
                            const gck_bar_claim_spec *spec, double *bar)
{
    const gck_model *model = pass->model;
    const work w = {pass, base, room, spec, precision_of(spec->dtype)};
    absolute(model->parameter_count, base->parameters, room->parameters);
    squared(model->parameter_count, base->parameters, room->squares);
    for (size_t i = 0; i < model->layer_count; i++) {
        linear_errors(&w, i);
        if (is_activated(&model->layer[i])) activation_errors(&w, i);
    }
    cost_errors(&w);
    layers_back(&w, bar);
    if (spec->penalties) penalty_errors(&w, bar);
    if (!spec->with_inputs) return NULL;
    for (size_t i = 0; i < model->inputs * pass->samples; i++)
        room->error[i] = room->jump[i] + SURE * sqrt(room->error[i]);
    return room->error;
}
