#include "core/bar_claim_parts.h"
#include "core/derivatives.h"

#include <math.h>
#include <string.h>

/* The largest that δ can be. */
static double delta_most(const bar_work *w, size_t i)
{
    return fabs(w->room->delta[i]) + w->room->jump[i] + BAR_SURE * sqrt(w->room->error[i]);
}

/* δ_j <- a_j (δ_j - sum a_i δ_i) */
static void softmax_back_errors(const bar_work *w, size_t index, size_t k)
{
    const size_t units = w->pass->model->layer[index].outputs, samples = w->pass->samples;
    const double *a = w->pass->layer[index].a + k, *error_a = w->room->layer[index].a + k;
    const double *delta = w->room->delta + k;
    double *error = w->room->error + k, *jump = w->room->jump + k;
    double mean = 0, size = 0, mean_error = 0, mean_jump = 0;
    for (size_t i = 0; i < units * samples; i += samples) {
        const double share = a[i] + BAR_SURE * sqrt(error_a[i]);
        mean += a[i] * delta[i];
        size += a[i] * fabs(delta[i]);
        mean_error += share * sqrt(error[i]) + sqrt(error_a[i]) * fabs(delta[i]);
        mean_jump += share * jump[i];
    }
    for (size_t i = 0; i < units * samples; i += samples) {
        const double share = a[i] + BAR_SURE * sqrt(error_a[i]);
        jump[i] = share * (jump[i] + mean_jump);
        error[i] = bar_square(
            sqrt(error_a[i]) * fabs(delta[i] - mean) + share * (sqrt(error[i]) + mean_error) +
            bar_growth(&w->p, units) * a[i] * (fabs(delta[i]) + size) + w->p.least);
    }
}

void bar_activation_back(const bar_work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const gck_layer_pass *place = &w->pass->layer[index];
    const bar_layer *at = &w->room->layer[index];
    const size_t samples = place->samples;
    double *error = w->room->error, *jump = w->room->jump, *delta = w->room->delta;
    if (bar_is_coupled(layer))
        for (size_t k = 0; k < samples; k++)
            softmax_back_errors(w, index, k);
    for (size_t i = 0; i < layer->outputs * samples && !bar_is_coupled(layer); i++) {
        const double most = delta_most(w, i);
        jump[i] = at->most[i] * jump[i] + at->jump[i] * most;
        error[i] = bar_square(at->most[i]) * error[i] + at->slope_error[i] * bar_square(most) +
                   bar_square(w->p.least);
    }
    bar_row_of(layer)->derivatives->chain(layer->spec.activation.option, layer->outputs, samples,
                                          place->z, place->a, delta);
}

/* dJ/dx and the jumps in it and in the parameters' gradient. */
void bar_jumps_back(const bar_work *w, size_t index, double *bar, bool needed)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const struct gck_layer_derivatives *derivatives = gck_layer_row_of(layer)->derivatives;
    const double *error = bar_input_error(w, index);
    gck_layer_pass sizes = w->pass->layer[index];
    if (needed) derivatives->backward(layer, &sizes, room->delta, room->unused, room->next_delta);
    for (size_t i = 0; i < layer->inputs * sizes.samples; i++)
        room->x[i] = fabs(sizes.x[i]) + (error == NULL ? 0 : BAR_SURE * sqrt(error[i]));
    sizes.x = room->x;
    sizes.parameters = room->parameters;
    derivatives->backward(layer, &sizes, room->jump, bar, needed ? room->next_jump : NULL);
}

/* dJ/dx as a loop over the units. */
static void input_loops(const bar_work *w, size_t index)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const double *weight = w->base->parameters + layer->tensor[0].offset;
    const size_t samples = w->pass->samples;
    for (size_t i = 0; i < layer->inputs; i++)
        for (size_t k = 0; k < samples; k++) {
            bar_loop loop = {0, 0};
            for (size_t j = 0; j < layer->outputs; j++)
                bar_loop_add(
                    &w->p, weight[i * layer->outputs + j] * w->room->delta[j * samples + k], &loop);
            w->room->next_error[i * samples + k] += bar_square(loop.error / BAR_SURE);
        }
}

/* e_δa = |W| (e_δz + g |δz|), and as much of the parameters' errors as has no e_a in it. */
void bar_layer_back(const bar_work *w, size_t index, bool needed)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const size_t samples = w->pass->samples, count = layer->outputs * samples;
    const size_t terms = layer->tensor_count > 0 ? layer->outputs : 1;
    const double g = bar_square(bar_growth(&w->p, terms)),
                 sum = bar_square(w->p.sum) * (double)terms;
    const double *values =
        w->pass->layer[index].z != NULL ? w->pass->layer[index].z : w->pass->layer[index].a;
    const double alike =
        layer->tensor_count > 0 ? bar_most_alike(terms, samples, values, room->shifted) : 1;
    gck_layer_pass sizes = w->pass->layer[index];
    bar_squared(layer->inputs * samples, sizes.x, room->x);
    sizes.x = room->x;
    sizes.parameters = room->squares;
    if (sizes.mask != NULL) {
        bar_squared(count, sizes.mask, room->terms);
        sizes.mask = room->terms;
    }
    for (size_t i = 0; i < count; i++)
        room->size[i] = room->error[i] + g * bar_square(room->delta[i]);
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, room->size, room->error_squares,
                                                   needed ? room->next_error : NULL);
    for (size_t i = 0; i < layer->inputs * samples && needed; i++)
        room->next_error[i] = alike * room->next_error[i] + sum * bar_square(room->next_delta[i]) +
                              bar_square((double)terms * w->p.least);
    if (needed && bar_is_looped(w, layer)) input_loops(w, index);
}

/* Blocks before this one are taken to be alike. */
static double loop_error(const bar_work *w, const bar_loop *loop)
{
    return loop->error + w->p.unit * fabs(loop->sum) * (double)w->spec->first;
}

/* A bias's sum is a plain loop in the dtype itself, mostly. */
static void bias_sums(const bar_work *w, const gck_layer *layer, double *bar)
{
    const size_t samples = w->pass->samples;
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        bar_loop loop = {0, 0};
        for (size_t k = 0; k < samples; k++)
            bar_loop_add(&w->p, w->room->delta[unit * samples + k], &loop);
        bar[unit] += loop_error(w, &loop);
    }
}

static double sorted_share(const bar_work *w)
{
    return BAR_SORTED * sqrt((double)w->spec->samples) * w->p.unit;
}

/* Where samples are sorted by class, sums on the way are much larger than the root of squares. */
static void sorted_sums(const bar_work *w, size_t index, double *bar)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const double share = sorted_share(w);
    gck_layer_pass sizes = w->pass->layer[index];
    bar_absolute(layer->inputs * sizes.samples, sizes.x, w->room->x);
    sizes.x = w->room->x;
    for (size_t i = 0; i < layer->outputs * sizes.samples; i++)
        w->room->size[i] = share * fabs(w->room->delta[i]);
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, w->room->size, bar, NULL);
}

/* What a loop over W's terms errs by more than sorted_sums has: terms of one sign make each sum on
 * the way larger than the last, and lose the more of the next term. */
static void weight_sums(const bar_work *w, size_t index, double *bar)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    const size_t samples = w->pass->samples;
    const double share = sorted_share(w), *x = w->pass->layer[index].x, *delta = w->room->delta;
    for (size_t i = 0; i < layer->inputs; i++)
        for (size_t unit = 0; unit < layer->outputs; unit++) {
            bar_loop loop = {0, 0};
            double sorted = 0;
            for (size_t k = 0; k < samples; k++) {
                const double term = x[i * samples + k] * delta[unit * samples + k];
                bar_loop_add(&w->p, term, &loop);
                sorted += share * fabs(term);
            }
            bar[i * layer->outputs + unit] += fmax(loop_error(w, &loop) - sorted, 0);
        }
}

/* e_a (|δ| + e_δ), with what the sum over samples adds: (|a| + e_a / g) g (|δ| + e_δ), where the
 * bias has its part of the sum alone; then all that is random, into the bar. */
void bar_sample_sums(const bar_work *w, size_t index, double *bar)
{
    const gck_layer *layer = &w->pass->model->layer[index];
    gck_bar_claim_room *room = w->room;
    const size_t samples = w->pass->samples;
    const double g = bar_square(bar_growth(&w->p, w->spec->samples)),
                 *error = bar_input_error(w, index);
    const double *values = w->pass->layer[index].z;
    const double alike = bar_most_alike(samples, 1, values, room->shifted);
    gck_layer_pass sizes = w->pass->layer[index];
    for (size_t i = 0; i < layer->inputs * samples; i++)
        room->x[i] = bar_square(sizes.x[i]) + (error == NULL ? 0 : error[i] / g);
    sizes.x = room->x;
    for (size_t i = 0; i < layer->outputs * samples; i++)
        room->size[i] = g * bar_square(delta_most(w, i));
    gck_layer_row_of(layer)->derivatives->backward(layer, &sizes, room->size, room->error_squares,
                                                   NULL);
    if (layer->tensor_count > 1) bias_sums(w, layer, bar + layer->tensor[1].offset);
    sorted_sums(w, index, bar);
    if (bar_is_looped(w, layer)) weight_sums(w, index, bar + layer->tensor[0].offset);
    for (size_t t = 0; t < layer->tensor_count; t++)
        for (size_t e = layer->tensor[t].offset;
             e < layer->tensor[t].offset + layer->tensor[t].count; e++)
            bar[e] +=
                BAR_SURE * sqrt(alike * room->error_squares[e]) + (double)samples * w->p.least;
}
