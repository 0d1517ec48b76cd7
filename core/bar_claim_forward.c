#include "core/bar_claim_parts.h"
#include "core/change.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <math.h>
#include <string.h>

/* How many products of the first unit's sum in the first sample are alike. */
static double inputs_alike(const bar_work *w, size_t index)
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
    return bar_most_alike(count, 1, w->room->slopes, w->room->shifted);
}

/* z as a loop over the inputs. */
static void unit_loops(const bar_work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const double *weight = w->base->parameters + layer->tensor[0].offset;
    const double *x = w->pass->layer[index].x;
    const size_t samples = w->pass->samples;
    for (size_t j = 0; j < layer->outputs; j++)
        for (size_t k = 0; k < samples; k++) {
            bar_loop loop = {0, 0};
            for (size_t i = 0; i < layer->inputs; i++)
                bar_loop_add(&w->p, weight[i * layer->outputs + j] * x[i * samples + k], &loop);
            w->room->layer[index].z[j * samples + k] += bar_square(loop.error / BAR_SURE);
        }
}

/* e_z, or e_a of a layer without an activation: its own forward pass on squares. */
void bar_linear_errors(const bar_work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const gck_layer_pass *place = &w->pass->layer[index];
    const bar_layer *at = &w->room->layer[index];
    const size_t terms = layer->tensor_count > 0 ? layer->inputs + 1 : 1;
    const size_t samples = place->samples;
    const double g = bar_square(bar_growth(&w->p, terms)), *error = bar_input_error(w, index);
    const double alike = inputs_alike(w, index), sum = bar_square(w->p.sum) * (double)terms;
    gck_layer_pass sizes = *place;
    for (size_t i = 0; i < layer->inputs * samples; i++)
        w->room->x[i] = bar_square(place->x[i]) + (error == NULL ? 0 : error[i] / g);
    if (place->mask != NULL) {
        bar_squared(layer->outputs * samples, place->mask, w->room->terms);
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
        result[i] = alike * g * result[i] + sum * bar_square(value[i]) +
                    bar_square((double)terms * w->p.least);
    if (bar_is_looped(w, layer)) unit_loops(w, index);
}

/* Slopes at `shifted`, into the largest one and the largest difference from those here. */
static void widen_slopes(const bar_work *w, size_t index, size_t count, const double *shifted,
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
static void unit_slopes(const bar_work *w, size_t index, size_t unit)
{
    const gck_layer_pass *place = &w->pass->layer[index];
    const struct gck_activation_rounding *rounding =
        bar_row_of(&w->pass->model->layer[index])->rounding;
    const size_t samples = place->samples, first = unit * samples;
    const double *z = place->z + first, *reach = w->room->reach;
    const double *slope = w->base->layer[index].slope + unit * w->base->lanes;
    double *shifted = w->room->shifted;
    bar_absolute(samples, slope, w->room->layer[index].most + first);
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
static void unit_errors(const bar_work *w, size_t index, size_t unit)
{
    const gck_choice *f = &w->pass->model->layer[index].spec.activation;
    const size_t samples = w->pass->samples, first = unit * samples;
    const bar_layer *at = &w->room->layer[index];
    const double *z = w->pass->layer[index].z + first;
    double *value = w->room->shifted, *slope = w->room->terms;
    for (size_t k = 0; k < samples; k++)
        w->room->reach[k] = BAR_SURE * sqrt(at->z[first + k]) + w->p.least;
    unit_slopes(w, index, unit);
    gck_activation_row_of(f)->rounding->sizes(f->option, samples, z, value, slope);
    for (size_t k = 0; k < samples; k++) {
        const size_t i = first + k;
        /* A value that is lost in underflow may be a factor of the slope, as e^(-z^2) is. */
        const double lost = 4 * w->p.least * (1 + fabs(z[k])), spread = at->slope_error[i];
        const bool jumps = near_kink(f, z[k], w->room->reach[k]);
        at->jump[i] = jumps ? spread : 0;
        at->slope_error[i] = bar_square(jumps ? 0 : spread / BAR_SURE) +
                             bar_square(BAR_FUNCTION * w->p.unit * slope[k] + lost);
        at->a[i] = bar_square(at->most[i]) * at->z[i] +
                   bar_square(BAR_FUNCTION * w->p.unit * value[k] + lost);
    }
}

/* How far a_j = e^(z_j) / sum e^(z_i) moves while each z_i stays within reach d_i: furthest up with
 * z_j up and all others down. With P = sum a_i (e^(d_i) - 1), N = sum a_i (e^(-d_i) - 1). */
static void softmax_sample_errors(const bar_work *w, size_t index, size_t k)
{
    const size_t units = w->pass->model->layer[index].outputs, samples = w->pass->samples;
    const double *z = w->pass->layer[index].z + k, *a = w->pass->layer[index].a + k;
    double *d = w->room->reach, *error = w->room->layer[index].a + k;
    const double *squares = w->room->layer[index].z + k;
    double top = -INFINITY, ups = 0, downs = 0;
    for (size_t i = 0; i < units * samples; i += samples)
        top = fmax(top, z[i]);
    for (size_t i = 0; i < units * samples; i += samples) {
        d[i] = fmin(BAR_SURE * (sqrt(squares[i]) + 2 * w->p.unit * (top - z[i])), BAR_FAR);
        ups += a[i] * expm1(d[i]);
        downs += a[i] * expm1(-d[i]);
    }
    for (size_t i = 0; i < units * samples; i += samples) {
        const double up = expm1(d[i]), down = expm1(-d[i]);
        const double rise = (1 - a[i]) * up - (downs - a[i] * down);
        const double fall = -(1 - a[i]) * down + (ups - a[i] * up);
        error[i] = a[i] * fmax(rise / (1 + downs + a[i] * (up - down)),
                               fall / (1 + ups + a[i] * (down - up)));
        error[i] =
            bar_square(fmin(error[i], 1) / BAR_SURE + bar_growth(&w->p, units) * a[i] + w->p.least);
    }
}

void bar_activation_errors(const bar_work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const size_t samples = w->pass->samples;
    const double *z = w->pass->layer[index].z;
    double *error = w->room->layer[index].z;
    for (size_t i = 0; i < layer->outputs * samples; i++)
        error[i] += bar_square(2 * w->p.unit * z[i]);
    if (bar_is_coupled(layer))
        for (size_t k = 0; k < samples; k++)
            softmax_sample_errors(w, index, k);
    else
        for (size_t unit = 0; unit < layer->outputs; unit++)
            unit_errors(w, index, unit);
}
