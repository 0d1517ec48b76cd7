#include "tests/core/tail.h"
#include "core/activation.h"
#include "core/forward.h"
#include "tests/core/compare.h"
#include "tests/core/formulas.h"

#include <check.h>
#include <math.h>
#include <string.h>

typedef long double number;

enum { LANES = 64 };

/* ---- networks ---- */

const tail_end tail_ends[TAIL_ENDS] = {{"linear", "mse"},
                                       {"relu", "mse"},
                                       {"tanh", "mae"},
                                       {"arctan", "dot"},
                                       {"softmax", "mse"},
                                       {"softmax", "dot"},
                                       {NULL, "mse"},
                                       {NULL, "mae"},
                                       {"sigmoid", "categorical_crossentropy"},
                                       {"sigmoid", "binary_crossentropy"},
                                       {"gaussian", "categorical_crossentropy"},
                                       {"gaussian", "binary_crossentropy"},
                                       {"softmax", "categorical_crossentropy"},
                                       {"softmax", "binary_crossentropy"}};

network tail_network(size_t body, const char *hidden, const tail_end *e, size_t samples)
{
    const gck_layer_spec bodies[TAIL_BODIES][5] = {
        {dense(5, hidden), dense(4, "tanh")},
        {activation(hidden), dense(6, "linear"), activation(hidden), dropout(0.3),
         dense_with(5, "bent_identity", "use_bias", 0)},
        {dropout(0.5), dense(6, hidden), dropout(0.25), activation("softmax"), activation(hidden)},
    };
    size_t count = body == 0 ? 2 : 5;
    gck_layer_spec layers[7];
    memcpy(layers, bodies[body], count * sizeof *layers);
    layers[count++] = dense(TAIL_OUTPUTS, e->activation == NULL ? "linear" : e->activation);
    if (e->activation == NULL) layers[count++] = dropout(0.5);
    network net = network_new(TAIL_INPUTS, layers, count, cost_named(e->cost), samples);
    network_draw_biases(&net);
    return net;
}

/* A multiple of 1 / divisor between -range / divisor and range / divisor. */
static double short_number(size_t i, long range, double divisor)
{
    return (double)((long)(i * 37) % (2 * range + 1) - range) / divisor;
}

network tail_network_short(const char *cost, size_t samples)
{
    const gck_layer_spec layers[] = {
        dense(6, "relu"), dropout(0.5),
        dense_of(5, with_option(activation_named("leaky_relu"), "alpha", 0.25)),
        activation("piecewise_linear"),
        dense_of(TAIL_OUTPUTS, with_option(activation_named("linear"), "k", -0.5))};
    network net = network_new(TAIL_INPUTS, layers, COUNT(layers), cost_named(cost), samples);
    for (size_t i = 0; i < net.model->parameter_count; i++)
        net.parameters[i] = short_number(i, 8, 8);
    for (size_t i = 0; i < samples * TAIL_INPUTS; i++)
        net.data->x[i] = short_number(i, 11, 4);
    for (size_t i = 0; i < samples * TAIL_OUTPUTS; i++)
        net.data->y[i] = short_number(i, 5, 16);
    return net;
}

/* ---- the engine's side ---- */

tail_room tail_room_new(network net)
{
    gck_error error;
    tail_room r = {.net = net};
    const gck_rows rows = {0, net.data->samples, NULL};
    assert_ok(gck_pass_new(net.model, rows.count, true, &r.pass, &error), &error);
    gck_pass_load(r.pass, net.data, rows);
    gck_pass_draw_masks(r.pass, (gck_mask_key){net.model->seed, 0}, rows);
    gck_forward_losses(r.pass, net.parameters);
    assert_ok(
        gck_base_new(net.model, GCK_BASE_SAMPLES, gck_base_lanes(rows.count), &r.samples, &error),
        &error);
    assert_ok(gck_base_new(net.model, GCK_BASE_COPIES, LANES, &r.copies, &error), &error);
    assert_ok(gck_tail_init(&r.tail, net.model, LANES, &error), &error);
    gck_base_load(r.samples, r.pass, net.parameters);
    return r;
}

void tail_room_done(tail_room *r)
{
    gck_tail_done(&r->tail);
    gck_base_free(r->copies);
    gck_base_free(r->samples);
    gck_pass_free(r->pass);
    network_done(&r->net);
}

static size_t disturbance_units(const tail_room *r, size_t layer)
{
    return layer == GCK_FROM_INPUT ? r->net.model->inputs : r->net.model->layer[layer].outputs;
}

const disturbance before_all = {GCK_FROM_INPUT, SIZE_MAX};

bool disturbance_next(const tail_room *r, disturbance *from)
{
    from->unit++;
    if (from->unit < disturbance_units(r, from->layer)) return true;
    from->unit = 0;
    from->layer = from->layer == GCK_FROM_INPUT ? 0 : from->layer + 1;
    return from->layer < r->net.model->layer_count;
}

double tail_step(double step, size_t lane)
{
    return (lane % 2 == 0 ? step : -step) * (1 + (double)lane / 8);
}

size_t tail_sample(const tail_room *r, size_t lane)
{
    return lane < r->pass->samples ? lane : r->pass->samples - 1;
}

const double *tail_changes(tail_room *r, disturbance from, double step)
{
    double *row = gck_tail_begin(&r->tail, r->samples, from.unit);
    for (size_t k = 0; k < r->samples->lanes; k++)
        row[k] = tail_step(step, k);
    gck_tail_change(&r->tail, from.layer, (gck_watch){0});
    return r->tail.loss;
}

const double *tail_tangents(tail_room *r, disturbance from)
{
    double *row = gck_tail_begin(&r->tail, r->samples, from.unit);
    for (size_t k = 0; k < r->samples->lanes; k++)
        row[k] = 1;
    gck_tail_tangent(&r->tail, from.layer);
    return r->tail.loss;
}

/* ---- in long double ---- */

/* A sample's values on their way, with what they may have changed by: `size`, along all paths with
 * slopes of at most SLOPE. Where a function's values are subtracted, they count too. */
typedef struct walk {
    const tail_room *r;
    size_t sample;
    size_t units;
    number values[TAIL_WIDTH_MAX], size[TAIL_WIDTH_MAX];
    number z[TAIL_WIDTH_MAX], z_size[TAIL_WIDTH_MAX]; /* of the last activation */
    wide_loss result;
} walk;

/* The steepest of all activations is selu, 1.76. */
#define SLOPE 2

/* Kernels subtract values where a change is larger. */
#define NEAR 0.25L

static bool is_named(const gck_choice *choice, const char *name)
{
    return choice->item != NULL && strcmp(choice->item->name, name) == 0;
}

static void disturb(walk *w, disturbance from, size_t layer, number step)
{
    if (from.layer != layer) return;
    w->values[from.unit] += step;
    w->size[from.unit] += fabsl(step);
}

static void pass_dense(walk *w, const gck_layer *layer)
{
    const double *matrix = w->r->net.parameters + layer->tensor[0].offset;
    const double *b = w->r->net.parameters + layer->tensor[1].offset;
    number z[TAIL_WIDTH_MAX] = {0}, size[TAIL_WIDTH_MAX] = {0};
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        if (layer->tensor_count > 1) z[unit] = b[unit];
        for (size_t i = 0; i < layer->inputs; i++) {
            z[unit] += matrix[i * layer->outputs + unit] * w->values[i];
            size[unit] += fabsl(matrix[i * layer->outputs + unit]) * w->size[i];
        }
    }
    memcpy(w->values, z, sizeof z);
    memcpy(w->size, size, sizeof size);
}

static void note(walk *w, number value, number place)
{
    w->result.nearest = fminl(w->result.nearest, fabsl(value - place));
    w->result.above += value > place;
}

static void note_kinks(walk *w, const gck_choice *activation)
{
    double place[GCK_KINKS_MAX];
    const struct gck_activation_change *change = gck_activation_row_of(activation)->change;
    const size_t places = change->kinks == NULL ? 0 : change->kinks(activation->option, place);
    for (size_t unit = 0; unit < w->units; unit++)
        for (size_t k = 0; k < places; k++)
            note(w, w->values[unit], place[k]);
}

/* Softmax spreads a change to all units. */
static void activate(walk *w, const gck_layer *layer)
{
    const gck_choice *activation = &layer->spec.activation;
    number sum = 0;
    note_kinks(w, activation);
    memcpy(w->z, w->values, sizeof w->z);
    memcpy(w->z_size, w->size, sizeof w->z_size);
    formula_activate(activation, w->units, w->z, w->values);
    for (size_t unit = 0; unit < w->units; unit++)
        sum += w->z_size[unit];
    for (size_t unit = 0; unit < w->units; unit++) {
        w->size[unit] = SLOPE * (is_named(activation, "softmax") ? sum : w->z_size[unit]);
        if (w->z_size[unit] > NEAR) w->size[unit] += fabsl(w->values[unit]) + 1;
    }
}

static void pass_layer(walk *w, const gck_layer *layer, disturbance from, number step)
{
    const double *mask = w->r->pass->layer[layer->index].mask;
    const size_t samples = w->r->pass->samples;
    w->units = layer->outputs;
    if (w->units > TAIL_WIDTH_MAX) ck_abort_msg("%zu units", w->units);
    if (is_named(&layer->spec.type, "dense")) pass_dense(w, layer);
    for (size_t unit = 0; mask != NULL && unit < w->units; unit++) {
        w->values[unit] *= mask[unit * samples + w->sample];
        w->size[unit] *= mask[unit * samples + w->sample];
    }
    disturb(w, from, layer->index, step);
    if (mask == NULL) activate(w, layer);
}

/* ---- costs ---- */

/* |L' change| of one output at most, or for a cross-entropy of one unit before the activation. */
static number slope_size(const walk *w, size_t j, double y)
{
    const gck_model *model = w->r->net.model;
    const gck_layer *last = &model->layer[model->layer_count - 1];
    const number z = fabsl(w->z[j]), size = w->z_size[j], a = w->size[j];
    if (is_named(&model->cost, "mse")) return (2 * fabsl(w->values[j] - y) + a) * a;
    if (is_named(&model->cost, "mae")) return a;
    if (is_named(&model->cost, "dot")) return fabs(y) * a;
    /* -ln a = z^2, and -ln(1 - a) has the slope 2 z / (e^(z^2) - 1) < 2 / z */
    if (is_named(&last->spec.activation, "gaussian")) return (2 * z + size + 2 / z) * size;
    /* all of |y| and |1 - y|, by one unit's own change and by that of the largest */
    return 2 * (number)model->outputs * size;
}

static void take_loss(walk *w)
{
    const gck_model *model = w->r->net.model;
    const gck_layer *last = &model->layer[model->layer_count - 1];
    const gck_choice linear = activation_named("linear");
    const bool activated = w->r->pass->layer[last->index].z != NULL;
    const double *y = w->r->net.data->y + w->sample * model->outputs;
    for (size_t j = 0; j < model->outputs; j++) {
        w->result.size += slope_size(w, j, y[j]);
        if (is_named(&model->cost, "mae")) note(w, w->values[j] - y[j], 0);
        if (w->z_size[j] > NEAR) w->result.size += 1;
    }
    w->result.loss = formula_loss(&model->cost, activated ? &last->spec.activation : &linear,
                                  model->outputs, activated ? w->z : w->values, y);
    w->result.size += w->result.size > NEAR ? fabsl(w->result.loss) : 0;
}

wide_loss tail_wide(const tail_room *r, size_t sample, disturbance from, long double step)
{
    const gck_model *model = r->net.model;
    walk w = {.r = r, .sample = sample, .result = {.nearest = INFINITY}};
    for (size_t i = 0; i < model->inputs; i++)
        w.values[i] = r->net.data->x[sample * model->inputs + i];
    disturb(&w, from, GCK_FROM_INPUT, step);
    for (size_t l = 0; l < model->layer_count; l++)
        pass_layer(&w, &model->layer[l], from, step);
    take_loss(&w);
    return w.result;
}

/* In a layer: 20 for the function's change (tests/core/test_change.c), as many for what it is
 * prepared with, `inputs` for the sum; and by twice its own rounding z changes the slope, of
 * inputs + 2 operations on terms that are at most TAIL_WIDTH_MAX in all here. Costs have twice 20.
 */
long double tail_roundings(const tail_room *r)
{
    const gck_model *model = r->net.model;
    number roundings = 40;
    for (size_t l = 0; l < model->layer_count; l++) {
        const number inputs = (number)model->layer[l].inputs;
        roundings += 40 + inputs + 2 * (inputs + 2) * TAIL_WIDTH_MAX;
    }
    return roundings;
}
