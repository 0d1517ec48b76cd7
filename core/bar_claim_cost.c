#include "core/bar_claim_parts.h"
#include "core/change.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <math.h>
#include <string.h>

/* How far the cost's slopes move while its values do, by slopes at the ends: losses are convex, so
 * that slopes rise, but across the pole of a gaussian. */
static void shifted_spread(const bar_work *w, const double *reach, int sign, double *spread)
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
static void categorical_spread(const bar_work *w, double *spread)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const double *error = w->room->layer[w->pass->model->layer_count - 1].a, *y = w->pass->y;
    for (size_t k = 0; k < outputs.samples; k++) {
        double total = 0;
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            total += fabs(y[i]);
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            spread[i] = total * BAR_SURE * sqrt(error[i]);
    }
}

/* Products of two quotients of exponentials each. */
static void softmax_binary_spread(const bar_work *w, const double *size, double *spread)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const double *error = w->room->layer[w->pass->model->layer_count - 1].z;
    for (size_t k = 0; k < outputs.samples; k++) {
        double most = 0;
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            most = fmax(most, BAR_SURE * sqrt(error[i]));
        for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples)
            spread[i] = size[i] * expm1(fmin(4 * most, BAR_FAR));
    }
}

static void cost_spread(const bar_work *w, const double *size, double *spread)
{
    const gck_model *model = w->pass->model;
    const size_t last = model->layer_count - 1, count = model->outputs * w->pass->samples;
    const bool entropy = gck_cost_is_entropy(&model->cost);
    if (entropy && bar_is_coupled(&model->layer[last])) {
        if (gck_cost_takes_labels(&model->cost))
            categorical_spread(w, spread);
        else
            softmax_binary_spread(w, size, spread);
        return;
    }
    const double *error = entropy ? w->room->layer[last].z : w->room->layer[last].a;
    double *reach = w->room->reach;
    for (size_t i = 0; i < count; i++)
        reach[i] = BAR_SURE * sqrt(error[i]) + (entropy ? 0 : 2 * w->p.unit * fabs(w->pass->y[i]));
    memset(spread, 0, count * sizeof *spread);
    shifted_spread(w, reach, 1, spread);
    shifted_spread(w, reach, -1, spread);
}

/* ---- the cost itself ---- */

/* How far ln a moves while a does, which rounding may bring to 0. */
static double logarithm_error(double a, double reach)
{
    return reach < a ? -log1p(-reach / a) : INFINITY;
}

/* Of a cross-entropy that is computed from a. */
static double logarithms_error(const bar_work *w, double a, double error, double y)
{
    const double reach = BAR_SURE * sqrt(error) + BAR_FUNCTION * w->p.unit * a;
    double sum = y == 0 ? 0 : fabs(y) * logarithm_error(a, reach);
    if (!gck_cost_takes_labels(&w->pass->model->cost) && y != 1)
        sum += fabs(1 - y) * logarithm_error(1 - a, reach);
    return sum;
}

/* What an error of the cost is made of. */
typedef struct cost_parts {
    const double *slope, *spread; /* dL/dvalue, and how far it moves */
    const double *size;           /* of its terms */
} cost_parts;

/* Of L_k: by its slopes while the outputs move, by rounding of its terms, whose sizes are added to
 * *ret_terms, and, of a cross-entropy, by either way of computing it. */
static double loss_error(const bar_work *w, const cost_parts *c, size_t k, double *ret_terms)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const gck_choice *cost = &w->pass->model->cost;
    const bool entropy = gck_cost_is_entropy(cost);
    const bool difference = !entropy && !gck_cost_rounding_of(cost, outputs.activation)->product;
    const bar_layer *last = &w->room->layer[w->pass->model->layer_count - 1];
    const double *value = entropy ? outputs.z : outputs.a, *square = entropy ? last->z : last->a;
    double error = 0, terms = fabs(w->pass->loss[k]);
    for (size_t i = k; i < outputs.units * outputs.samples; i += outputs.samples) {
        const double y = w->pass->y[i], given = difference ? fabs(y) : 0;
        const double reach = BAR_SURE * sqrt(square[i]) + 2 * w->p.unit * given;
        error += (fabs(c->slope[i]) + c->spread[i]) * reach;
        terms +=
            entropy ? c->size[i] * fabs(value[i]) : fabs(c->slope[i]) * (fabs(value[i]) + given);
        if (entropy) error += logarithms_error(w, outputs.a[i], last->a[i], y);
    }
    *ret_terms += terms;
    return error + BAR_FUNCTION * w->p.unit * terms;
}

/* Sums may be plain loops in the dtype: each addition errs by u of the sum so far. */
static double cost_error(const bar_work *w, const cost_parts *c)
{
    const gck_model *model = w->pass->model;
    const double additions = (double)w->spec->samples * (double)model->outputs;
    double sum = 0;
    for (size_t k = 0; k < w->pass->samples; k++) {
        double terms = 0;
        if (w->pass->weights[k] == 0) continue;
        const double error = loss_error(w, c, k, &terms);
        sum += w->pass->weights[k] * (error + additions * w->p.unit * terms);
    }
    sum *= fabs(w->spec->factor);
    if (!w->spec->penalties) return sum;
    return sum + ((double)model->parameter_count + BAR_FUNCTION) * w->p.unit *
                     gck_model_penalty(model, w->base->parameters);
}

void bar_cost_errors(const bar_work *w)
{
    const gck_outputs outputs = gck_pass_outputs(w->pass);
    const gck_choice *cost = &w->pass->model->cost;
    const bool jumps = gck_cost_change_of(cost, outputs.activation)->kinked;
    double *delta = w->room->delta, *error = w->room->error, *size = w->room->size;
    gck_cost_row_of(cost)->derivatives->delta(&outputs, w->pass->y, delta);
    gck_cost_rounding_of(cost, outputs.activation)->sizes(&outputs, w->pass->y, size);
    cost_spread(w, size, error);
    w->room->cost = cost_error(w, &(cost_parts){delta, error, size});
    for (size_t i = 0; i < outputs.units * outputs.samples; i++) {
        const double weight = w->pass->weights[i % outputs.samples];
        const double share = w->spec->factor * weight;
        const double least = w->p.least * (1 + fabs(delta[i]));
        w->room->jump[i] = jumps ? error[i] * fabs(share) : 0;
        error[i] = bar_square((jumps ? 0 : error[i] / BAR_SURE) * share) +
                   bar_square(BAR_FUNCTION * w->p.unit * size[i] * share) + bar_square(least);
        delta[i] *= share;
        if (weight == 0) delta[i] = error[i] = w->room->jump[i] = 0;
    }
}
