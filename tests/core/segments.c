#include "tests/core/segments.h"
#include "core/activation.h"
#include "core/forward.h"
#include "core/segments.h"
#include "tests/core/compare.h"
#include "tests/core/formulas.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long double number;

enum { WIDTH_MAX = 256 };

/* ---- networks ---- */

network phi_network(const gck_layer_spec *layers, size_t count, const char *cost)
{
    network net = network_new(1, layers, count, cost_named(cost), 3);
    memset(net.parameters, 0, net.model->parameter_count * sizeof *net.parameters);
    memset(net.data->y, 0, 3 * net.model->outputs * sizeof *net.data->y);
    for (size_t k = 0; k < 3; k++)
        net.data->x[k] = 0.5 + (double)k;
    return net;
}

double *phi_weights(network *net, size_t layer)
{
    return net->parameters + net->model->layer[layer].tensor[0].offset;
}

double *phi_biases(network *net, size_t layer)
{
    return net->parameters + net->model->layer[layer].tensor[1].offset;
}

network phi_of_one(const char *activation, double bias, const char *cost)
{
    const gck_layer_spec layers[] = {dense(1, activation), dense(1, "linear")};
    network net = phi_network(layers, 2, cost);
    phi_weights(&net, 0)[0] = 1;
    phi_biases(&net, 0)[0] = bias;
    phi_weights(&net, 1)[0] = 1.5;
    phi_biases(&net, 1)[0] = -0.25;
    return net;
}

network phi_of_three(const char *cost)
{
    const gck_layer_spec layers[] = {dense(1, "tanh"), dense(3, "relu"), dense(1, "linear")};
    network net = phi_network(layers, 3, cost);
    const double w[] = {1, -1, 1}, b[] = {-0.3, 0.2, 0.1}, v[] = {1, 1.25, -0.5};
    phi_weights(&net, 0)[0] = 1;
    phi_biases(&net, 0)[0] = -0.5;
    memcpy(phi_weights(&net, 1), w, sizeof w);
    memcpy(phi_biases(&net, 1), b, sizeof b);
    memcpy(phi_weights(&net, 2), v, sizeof v);
    return net;
}

network phi_of_many(size_t units, double low, double high)
{
    const gck_layer_spec layers[] = {dense(1, "linear"), dense(units, "relu"), dense(1, "linear")};
    network net = phi_network(layers, 3, "mse");
    for (size_t j = 0; j < units; j++) {
        const double share = ((double)j + 0.5) / (double)units;
        phi_weights(&net, 1)[j] = 1;
        phi_biases(&net, 1)[j] = -(low + (high - low) * share);
        phi_weights(&net, 2)[j] = (j % 2 == 0 ? 1.0 : -0.75) / (double)units;
    }
    phi_weights(&net, 0)[0] = 0;
    phi_biases(&net, 2)[0] = 0.3;
    return net;
}

/* ---- the engine's side ---- */

phi phi_new(network net, size_t layer, size_t unit, size_t sample)
{
    gck_error error;
    phi p = {.net = net, .layer = layer, .unit = unit, .sample = sample};
    const size_t rows = net.data->samples;
    assert_ok(gck_pass_new(net.model, rows, true, &p.pass, &error), &error);
    gck_pass_load(p.pass, net.data, (gck_rows){0, rows, NULL});
    gck_forward(p.pass, net.parameters);
    const gck_numeric_spec spec = {.model = net.model,
                                   .parameters = net.parameters,
                                   .method = GCK_CENTRAL,
                                   .epsilon = 1e-4,
                                   .factor = 1,
                                   .rows = rows,
                                   .units = 1};
    assert_ok(gck_numeric_new(&spec, &p.numeric, &error), &error);
    gck_numeric_load(p.numeric, p.pass);
    numeric_layer(p.numeric, layer);
    return p;
}

void phi_done(phi *p)
{
    gck_numeric_free(p->numeric);
    gck_pass_free(p->pass);
    network_done(&p->net);
}

static void *zeros(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

phi_points phi_evaluate(const phi *p, const double *step, size_t count)
{
    phi_points r = {.count = count, .units = gck_kink_units(p->net.model)};
    r.step = zeros(count, sizeof *r.step);
    r.change = zeros(count, sizeof *r.change);
    r.crossed = zeros(count, 1);
    r.unit = zeros(r.units, sizeof *r.unit);
    memcpy(r.step, step, count * sizeof *step);
    for (size_t i = 0; i <= count; i++) /* what is not written shows, and one beyond */
        r.change[i] = r.crossed[i] = 77;
    size_t *order = zeros(count, sizeof *order);
    const segments_points points = {count, r.step, r.change, r.crossed, order};
    gck_crossings crossings = {.unit = r.unit};
    segments_evaluate(p->numeric, p->sample, p->unit, &points, &crossings);
    ck_assert(r.change[count] == 77 && r.crossed[count] == 77);
    ck_assert(memcmp(r.step, step, count * sizeof *step) == 0);
    free(order);
    return r;
}

void phi_points_done(phi_points *points)
{
    free(points->step);
    free(points->change);
    free(points->crossed);
    free(points->unit);
}

/* ---- in long double ---- */

static void note(phi_value *v, size_t unit, number z, number place)
{
    if (v->kinks == PHI_KINKS_MAX) ck_abort_msg("more than %d kinks", PHI_KINKS_MAX);
    v->unit[v->kinks] = unit;
    v->above[v->kinks++] = z > place;
    v->nearest = fminl(v->nearest, fabsl(z - place) / (1 + fabsl(z)));
}

static void note_layer(phi_value *v, const gck_layer *layer, size_t first, const number *z)
{
    const gck_choice *activation = &layer->spec.activation;
    const struct gck_activation_change *change = gck_activation_row_of(activation)->change;
    double place[GCK_KINKS_MAX];
    const size_t places = change->kinks == NULL ? 0 : change->kinks(activation->option, place);
    for (size_t unit = 0; unit < layer->outputs; unit++)
        for (size_t k = 0; k < places; k++)
            note(v, first + unit, z[unit], place[k]);
}

static void dense_pass(const network *net, const gck_layer *layer, const number *x, number *z)
{
    const double *w = net->parameters + layer->tensor[0].offset;
    const double *b = net->parameters + layer->tensor[1].offset;
    if (layer->outputs > WIDTH_MAX) ck_abort_msg("%zu units", layer->outputs);
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        z[unit] = b[unit];
        for (size_t i = 0; i < layer->inputs; i++)
            z[unit] += x[i] * w[i * layer->outputs + unit];
    }
}

/* Kinks of layers before the one disturbed do not move, and are left out. */
void phi_at(const phi *p, long double step, phi_value *ret_value)
{
    const gck_model *model = p->net.model;
    const double *y = p->net.data->y + p->sample * model->outputs;
    number values[WIDTH_MAX], z[WIDTH_MAX];
    size_t first = 0;
    ret_value->kinks = 0;
    ret_value->nearest = INFINITY;
    for (size_t i = 0; i < model->inputs; i++)
        values[i] = p->net.data->x[p->sample * model->inputs + i];
    for (size_t l = 0; l < model->layer_count; l++) {
        const gck_layer *layer = &model->layer[l];
        dense_pass(&p->net, layer, values, z);
        if (l == p->layer) z[p->unit] += step;
        if (l >= p->layer) note_layer(ret_value, layer, first, z);
        formula_activate(&layer->spec.activation, layer->outputs, z, values);
        first += layer->outputs;
    }
    for (size_t j = 0; strcmp(model->cost.item->name, "mae") == 0 && j < model->outputs; j++)
        note(ret_value, first + j, values[j] - y[j], 0);
    ret_value->loss = formula_loss(
        &model->cost, &model->layer[model->layer_count - 1].spec.activation, model->outputs, z, y);
}

/* ---- one against the other ---- */

static number change_at(const phi *p, const phi_value *from, number step)
{
    phi_value at;
    phi_at(p, step, &at);
    return at.loss - from->loss;
}

/* The largest change on one side: at the steps, and evenly up to the outermost. */
static number largest_change(const phi *p, const phi_value *from, const double *step, size_t count,
                             double sign)
{
    enum { PLACES = 64 };
    double end = 0;
    number largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(sign * step[i] > 0)) continue;
        end = fmax(end, sign * step[i]);
        largest = fmaxl(largest, fabsl(change_at(p, from, step[i])));
    }
    for (size_t i = 1; i <= PLACES; i++)
        largest = fmaxl(largest, fabsl(change_at(p, from, sign * end * (number)i / PLACES)));
    return largest;
}

/* A segment's last two coefficients are at most 1e-12 of all, which are at most twice the largest
 * value each, ends half: 14 of it together. What a polynomial leaves out is less than twice those
 * two where coefficients fall by half or faster. Roundings are far below. */
#define SEGMENT_SHARE (2 * 14 * 1e-12L)

/* Of losses in long double, and of terms around 1 that they are made of. */
#define WIDE_NOISE 0x1p-59L

/* Nearer to a kink, rounding decides. */
#define NEAREST 1e-13L

/* Counts what a point crosses; returns whether it crosses anything. */
static bool count_crossings(const phi_value *from, const phi_value *at, double *unit)
{
    bool any = false;
    for (size_t k = 0; k < at->kinks; k++) {
        if (from->above[k] == at->above[k]) continue;
        unit[at->unit[k]]++;
        any = true;
    }
    return any;
}

void assert_phi(const phi *p, const double *step, size_t count, const char *what)
{
    phi_points got = phi_evaluate(p, step, count);
    double *unit = zeros(got.units, sizeof *unit);
    phi_value from, at;
    bool doubtful = false;
    phi_at(p, 0, &from);
    const number up = largest_change(p, &from, step, count, 1);
    const number down = largest_change(p, &from, step, count, -1);
    for (size_t i = 0; i < count; i++) {
        phi_at(p, step[i], &at);
        const bool crosses = count_crossings(&from, &at, unit);
        const number noise = WIDE_NOISE * (1 + fabsl(at.loss) + fabsl(from.loss));
        const number bound = step[i] == 0 ? 0 : SEGMENT_SHARE * (step[i] > 0 ? up : down) + noise;
        assert_within(got.change[i], at.loss - from.loss, bound, "%s: point %zu at %.17g", what, i,
                      step[i]);
        if (at.nearest <= NEAREST && step[i] != 0)
            doubtful = true;
        else if (got.crossed[i] != crosses)
            ck_abort_msg("%s: point %zu at %.17g: crossed is %d", what, i, step[i], got.crossed[i]);
    }
    for (size_t j = 0; j < got.units && !doubtful; j++)
        ck_assert_msg(got.unit[j] == unit[j], "%s: unit %zu: %g crossings, want %g", what, j,
                      got.unit[j], unit[j]);
    free(unit);
    phi_points_done(&got);
}

/* ---- steps ---- */

void steps_spread(double low, double high, double *step, size_t count)
{
    for (size_t i = 0; i < count; i++)
        step[i] = low + (high - low) * fmod((double)(i + 1) * 0.61803398874989485, 1);
}

void steps_mirrored(double reach, double *step, size_t count)
{
    steps_spread(0, reach, step, count / 2);
    for (size_t i = 0; i < count / 2; i++)
        step[count / 2 + i] = -step[i];
}

void assert_phi_spread(const phi *p, double low, double high, size_t count, const char *what)
{
    double step[STEPS_MAX];
    ck_assert_uint_le(count, STEPS_MAX);
    steps_spread(low, high, step, count);
    assert_phi(p, step, count, what);
}

void assert_phi_mirrored(const phi *p, double reach, const char *what)
{
    double step[STEPS_MAX];
    steps_mirrored(reach, step, STEPS_MAX);
    assert_phi(p, step, STEPS_MAX, what);
}
