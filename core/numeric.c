#include "core/numeric.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Lanes side by side: enough for matrix products to run at speed, few enough for what they pass
 * through to stay in the cache, where the model allows. */
enum { LANES_MIN = 128, LANES_MAX = 512 };
static const size_t lanes_bytes_max = (size_t)16 << 20;

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t copies_capacity(const gck_model *model)
{
    const size_t values =
        gck_base_lane_values(model, GCK_BASE_COPIES) + gck_tail_lane_values(model);
    const size_t lanes = lanes_bytes_max / (values * sizeof(double)) / GCK_LANE_GROUP;
    return minimum(lanes < LANES_MIN / GCK_LANE_GROUP ? LANES_MIN / GCK_LANE_GROUP : lanes,
                   LANES_MAX / GCK_LANE_GROUP) *
           GCK_LANE_GROUP;
}

/* Inputs of a layer with parameters, and one for the bias, at most. */
static size_t inputs_max(const gck_model *model)
{
    size_t inputs = 0;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layer[i].tensor_count > 0 && model->layer[i].inputs > inputs)
            inputs = model->layer[i].inputs;
    return inputs + 1;
}

/* Powers of a stencil's step that a fit has, at most: odd ones, and for `forward` even ones. */
static size_t terms_max(gck_method method)
{
    return method == GCK_FORWARD ? 2 * GCK_NODES_MAX : GCK_NODES_MAX;
}

static size_t room_values(const gck_model *model, gck_method method, size_t samples, size_t units)
{
    const size_t terms = terms_max(method);
    return samples * (inputs_max(model) * (1 + terms) + 1 + units * (1 + terms)) +
           4 * inputs_max(model);
}

static size_t lanes_most(const gck_model *model, size_t samples)
{
    const size_t copies = copies_capacity(model);
    return copies > samples ? copies : samples;
}

double gck_numeric_bytes(const gck_model *model, size_t rows, size_t units)
{
    const size_t samples = gck_base_lanes(rows), copies = copies_capacity(model);
    const size_t lanes = lanes_most(model, samples);
    const double values = (double)samples * (double)gck_base_lane_values(model, GCK_BASE_SAMPLES) +
                          (double)copies * (double)gck_base_lane_values(model, GCK_BASE_COPIES) +
                          (double)lanes * (double)(gck_tail_lane_values(model) + 3) +
                          (double)room_values(model, GCK_FORWARD, samples, units) +
                          3 * (double)inputs_max(model) * (double)units;
    return values * sizeof(double) + (double)samples * (double)units +
           2 * (double)inputs_max(model) * (sizeof(size_t) + 1);
}

static double *take(double **next, size_t count)
{
    double *taken = *next;
    *next += count;
    return taken;
}

static gck_status room_take(gck_numeric *numeric, size_t samples, gck_error *error)
{
    const gck_model *model = numeric->spec.model;
    const size_t units = numeric->spec.units, terms = terms_max(numeric->spec.method);
    const size_t lanes = lanes_most(model, samples);
    double *next = gck_vector_room(room_values(model, numeric->spec.method, samples, units));
    numeric->x = next;
    numeric->mark = gck_vector_room(lanes);
    numeric->row = gck_vector_new(lanes);
    numeric->flagged = calloc(units, samples);
    numeric->point_order = calloc(2 * inputs_max(model), sizeof *numeric->point_order);
    numeric->point_crossed = calloc(2 * inputs_max(model), 1);
    if (numeric->x == NULL || numeric->mark == NULL || numeric->row == NULL ||
        numeric->flagged == NULL || numeric->point_order == NULL || numeric->point_crossed == NULL)
        return gck_error_memory(error);
    take(&next, inputs_max(model) * samples);
    numeric->range = take(&next, samples);
    numeric->powers = take(&next, inputs_max(model) * terms * samples);
    numeric->coefficients = take(&next, units * terms * samples);
    numeric->tangents = take(&next, units * samples);
    numeric->point_step = take(&next, 2 * inputs_max(model));
    numeric->point_change = take(&next, 2 * inputs_max(model));
    return gck_tail_init(&numeric->tail, model, lanes, error);
}

gck_status gck_numeric_new(const gck_numeric_spec *spec, gck_numeric **ret_numeric,
                           gck_error *error)
{
    const size_t samples = gck_base_lanes(spec->rows);
    gck_numeric *numeric = calloc(1, sizeof *numeric);
    if (numeric == NULL) return gck_error_memory(error);
    numeric->spec = *spec;
    gck_status status =
        gck_base_new(spec->model, GCK_BASE_SAMPLES, samples, &numeric->samples, error);
    if (status == GCK_OK)
        status = gck_base_new(spec->model, GCK_BASE_COPIES, copies_capacity(spec->model),
                              &numeric->copies, error);
    if (status == GCK_OK) status = room_take(numeric, samples, error);
    if (status != GCK_OK) {
        gck_numeric_free(numeric);
        return status;
    }
    *ret_numeric = numeric;
    return GCK_OK;
}

void gck_numeric_free(gck_numeric *numeric)
{
    if (numeric == NULL) return;
    gck_base_free(numeric->samples);
    gck_base_free(numeric->copies);
    gck_tail_done(&numeric->tail);
    gck_vector_free(numeric->x);
    gck_vector_free(numeric->mark);
    gck_vector_free(numeric->row);
    free(numeric->flagged);
    free(numeric->point_order);
    free(numeric->point_crossed);
    free(numeric);
}

void gck_numeric_load(gck_numeric *numeric, const gck_pass *pass)
{
    gck_base_load(numeric->samples, pass, numeric->spec.parameters);
    numeric->rows = pass->samples;
    numeric->tile = 0;
    numeric->layer = SIZE_MAX;
}

bool numeric_stops(gck_stop stop)
{
    return stop.asked != NULL && stop.asked(stop.context);
}

size_t numeric_element(const gck_numeric *numeric, size_t input, size_t unit)
{
    const gck_layer *layer = &numeric->spec.model->layer[numeric->layer];
    if (input < layer->inputs) return layer->tensor[0].offset + input * layer->outputs + unit;
    return layer->tensor[1].offset + unit;
}

bool numeric_is_quotient(const gck_numeric *numeric)
{
    return numeric->spec.method == GCK_CENTRAL || numeric->spec.method == GCK_FORWARD;
}

numeric_step numeric_step_at(const gck_numeric *numeric, double theta)
{
    const double epsilon = numeric->spec.epsilon;
    const bool forward = numeric->spec.method == GCK_FORWARD;
    numeric_step s = {.upper = theta + epsilon, .lower = forward ? theta : theta - epsilon};
    s.length = s.upper - s.lower;
    if (s.length == 0) s.length = forward ? epsilon : 2 * epsilon;
    return s;
}

/* ---- copies ---- */

size_t numeric_tile(const gck_numeric *numeric, size_t copies)
{
    const size_t lanes = numeric->copies->capacity / copies / GCK_LANE_GROUP * GCK_LANE_GROUP;
    assert(lanes > 0);
    return minimum(lanes, numeric->samples->lanes);
}

void numeric_copies(gck_numeric *numeric, size_t layer, size_t first, size_t tile, size_t count)
{
    if (numeric->first == first && numeric->tile == tile && numeric->copy_count == count &&
        numeric->copies_layer == layer)
        return;
    gck_base_repeat(numeric->copies, numeric->samples, layer == GCK_FROM_INPUT ? 0 : layer, first,
                    tile, count);
    numeric->first = first;
    numeric->tile = tile;
    numeric->copy_count = count;
    numeric->copies_layer = layer;
}

/* ---- the layer at work ---- */

/* By how far the stencils reach: with n nodes the first term left out is of order range^(2n) of
 * the derivative. */
static size_t nodes_for(double range)
{
    static const double reach[] = {1e-3, 1e-2, 6e-2};
    size_t nodes = 2;
    for (size_t i = 0; i < sizeof reach / sizeof reach[0] && !(range <= reach[i]); i++)
        nodes++;
    return nodes;
}

static void range_set(gck_numeric *numeric)
{
    const size_t lanes = numeric->samples->lanes;
    double largest = 0;
    memset(numeric->range, 0, lanes * sizeof *numeric->range);
    for (size_t i = 0; i < numeric->inputs; i++)
        for (size_t k = 0; k < lanes; k++) {
            const double size = fabs(numeric->x[i * lanes + k]);
            numeric->range[k] = size > numeric->range[k] ? size : numeric->range[k];
        }
    for (size_t k = 0; k < lanes; k++) {
        /* its reciprocal must not overflow */
        if (!(numeric->range[k] >= DBL_MIN)) numeric->range[k] = 1;
        numeric->range[k] *= numeric->spec.epsilon;
        if (numeric->range[k] > largest) largest = numeric->range[k];
    }
    gck_fit_init(&numeric->fit, nodes_for(largest));
}

size_t numeric_terms(const gck_numeric *numeric)
{
    return numeric->spec.method == GCK_FORWARD ? 2 * numeric->fit.nodes : numeric->fit.nodes;
}

/* Central differences need odd powers alone. */
static void powers_set(gck_numeric *numeric)
{
    const size_t lanes = numeric->samples->lanes, terms = numeric_terms(numeric);
    const bool odd = numeric->spec.method != GCK_FORWARD;
    for (size_t i = 0; i < numeric->inputs; i++) {
        double *row = numeric->powers + i * terms * lanes;
        for (size_t k = 0; k < lanes; k++)
            row[k] = numeric->x[i * lanes + k] * (numeric->spec.epsilon / numeric->range[k]);
        for (size_t p = 1; p < terms; p++)
            for (size_t k = 0; k < lanes; k++)
                row[p * lanes + k] = row[(p - 1) * lanes + k] * (odd ? row[k] * row[k] : row[k]);
    }
}

void numeric_layer(gck_numeric *numeric, size_t index)
{
    if (numeric->layer == index) return;
    const gck_layer *layer = &numeric->spec.model->layer[index];
    const size_t lanes = numeric->samples->lanes;
    numeric->layer = index;
    numeric->inputs = layer->inputs + (layer->tensor_count > 1 ? 1 : 0);
    memcpy(numeric->x, gck_base_input(numeric->samples, index),
           layer->inputs * lanes * sizeof *numeric->x);
    for (size_t k = 0; k < (numeric->inputs - layer->inputs) * lanes; k++)
        numeric->x[layer->inputs * lanes + k] = 1;
    if (!numeric_is_quotient(numeric)) return;
    range_set(numeric);
    powers_set(numeric);
}
