#include "tests/core/plain_bound.h"
#include "tests/core/compare.h"

#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/forward.h"

#include <math.h>
#include <string.h>

static plain_point point_new(size_t samples)
{
    return (plain_point){gck_vector_new(samples), gck_vector_new(samples)};
}

static void point_done(plain_point *p)
{
    gck_vector_free(p->loss);
    gck_vector_free(p->error);
}

void plain_open(plain *p, const random_network *drawn, gck_rows rows)
{
    gck_error error;
    const gck_model *model = drawn->net.model;
    *p = (plain){.drawn = drawn};
    assert_ok(gck_pass_new(model, rows.count, true, &p->pass, &error), &error);
    gck_pass_load(p->pass, drawn->net.data, rows);
    gck_pass_draw_masks(p->pass, (gck_mask_key){model->seed, 0}, rows);
    p->theta = gck_vector_copy(drawn->net.parameters, model->parameter_count);
    p->size = gck_vector_new(model->parameter_count);
    for (size_t e = 0; e < model->parameter_count; e++)
        p->size[e] = fabs(p->theta[e]);
    for (size_t i = 0; i < model->layer_count; i++) {
        p->error_z[i] = gck_vector_new(model->layer[i].outputs * rows.count);
        p->error_a[i] = gck_vector_new(model->layer[i].outputs * rows.count);
    }
    p->room = gck_vector_new(random_widest(model) * rows.count);
    p->slope = gck_vector_new(random_widest(model) * rows.count);
    p->base = point_new(rows.count);
    p->upper = point_new(rows.count);
    p->lower = point_new(rows.count);
}

void plain_close(plain *p)
{
    gck_pass_free(p->pass);
    gck_vector_free(p->theta);
    gck_vector_free(p->size);
    for (size_t i = 0; i < p->drawn->net.model->layer_count; i++) {
        gck_vector_free(p->error_z[i]);
        gck_vector_free(p->error_a[i]);
    }
    gck_vector_free(p->room);
    gck_vector_free(p->slope);
    point_done(&p->base);
    point_done(&p->upper);
    point_done(&p->lower);
}

/* sum += factor * values */
static void accumulate(size_t count, double factor, const double *values, double *sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += factor * values[i];
}

static void dense_errors(const plain *p, size_t index)
{
    const gck_layer *layer = &p->pass->model->layer[index];
    const size_t samples = p->pass->samples, inputs = layer->inputs, units = layer->outputs;
    const double *w = p->size + layer->tensor[0].offset, *x = p->pass->layer[index].x;
    const double g = (double)(inputs + 4) * U;
    for (size_t i = 0; i < units * samples; i++)
        p->error_z[index][i] =
            layer->tensor_count > 1 ? g * p->size[layer->tensor[1].offset + i / samples] : 0;
    for (size_t i = 0; i < inputs; i++) {
        for (size_t k = 0; k < samples; k++)
            p->room[k] = g * fabs(x[i * samples + k]) +
                         (index == 0 ? 0 : p->error_a[index - 1][i * samples + k]);
        for (size_t j = 0; j < units; j++)
            accumulate(samples, w[i * units + j], p->room, p->error_z[index] + j * samples);
    }
}

/* The larger of |f'| at z ± reach, times reach. */
static void slope_errors(const plain *p, size_t index, double sign)
{
    const gck_layer *layer = &p->pass->model->layer[index];
    const gck_layer_pass *place = &p->pass->layer[index];
    const gck_choice *f = &layer->spec.activation;
    const size_t count = layer->outputs * p->pass->samples;
    for (size_t i = 0; i < count; i++) {
        const double reach = p->error_z[index][i] + 2 * U * fabs(place->z[i]);
        p->room[i] = place->z[i] + sign * reach;
        p->slope[i] = reach;
    }
    gck_activation_row_of(f)->derivatives->chain(f->option, layer->outputs, p->pass->samples,
                                                 p->room, place->a, p->slope);
    for (size_t i = 0; i < count; i++)
        p->error_a[index][i] =
            fmax(p->error_a[index][i], fabs(p->slope[i]) + 8 * U * fabs(place->a[i]));
}

static void softmax_errors(const plain *p, size_t index)
{
    const size_t units = p->pass->model->layer[index].outputs, samples = p->pass->samples;
    const gck_layer_pass *place = &p->pass->layer[index];
    for (size_t k = 0; k < samples; k++) {
        double sum = 0;
        for (size_t i = k; i < units * samples; i += samples)
            sum += place->a[i] * (p->error_z[index][i] + 4 * U * fabs(place->z[i]));
        for (size_t i = k; i < units * samples; i += samples)
            p->error_a[index][i] = place->a[i] * (p->error_z[index][i] + 4 * U * fabs(place->z[i]) +
                                                  sum + (double)(units + 8) * U);
    }
}

static void layer_errors(const plain *p, size_t index)
{
    const gck_layer *layer = &p->pass->model->layer[index];
    const gck_layer_pass *place = &p->pass->layer[index];
    const size_t count = layer->outputs * p->pass->samples;
    if (layer->tensor_count > 0) dense_errors(p, index);
    for (size_t i = 0; i < count && layer->tensor_count == 0; i++)
        p->error_z[index][i] = index == 0 ? 2 * U * fabs(place->x[i]) : p->error_a[index - 1][i];
    for (size_t i = 0; i < count && place->mask != NULL; i++)
        p->error_a[index][i] = place->mask[i] * p->error_z[index][i] + U * fabs(place->a[i]);
    if (place->z == NULL) return;
    if (gck_activation_row_of(&layer->spec.activation)->exact->slopes == NULL) {
        softmax_errors(p, index);
        return;
    }
    memset(p->error_a[index], 0, count * sizeof(double));
    slope_errors(p, index, 1);
    slope_errors(p, index, -1);
}

static double term_size(const char *cost, double a, double y)
{
    if (strcmp(cost, "mse") == 0) return (a - y) * (a - y);
    return strcmp(cost, "mae") == 0 ? fabs(a - y) : fabs(y * a);
}

static void loss_errors(const plain *p, double *error)
{
    const gck_model *model = p->pass->model;
    const size_t last = model->layer_count - 1, samples = p->pass->samples;
    const gck_outputs outputs = gck_pass_outputs(p->pass);
    const struct gck_cost_exact *exact = gck_cost_exact_of(&model->cost, outputs.activation);
    const bool entropy = gck_cost_is_entropy(&model->cost);
    const bool kinked = strcmp(model->cost.item->name, "mae") == 0;
    const double *value = entropy ? outputs.z : outputs.a;
    const double *reach = entropy ? p->error_z[last] : p->error_a[last];
    (exact->sizes != NULL ? exact->sizes : exact->slopes)(&outputs, p->pass->y, p->slope);
    for (size_t k = 0; k < samples; k++) {
        double size = entropy ? p->pass->loss[k] + 1 : 0;
        error[k] = 0;
        for (size_t i = k; i < model->outputs * samples; i += samples) {
            if (!entropy) size += term_size(model->cost.item->name, value[i], p->pass->y[i]);
            const double slope = fabs(p->slope[i]) + (entropy ? 0 : kinked ? 1 : reach[i]);
            error[k] += slope * (reach[i] + 2 * U * fabs(value[i]));
        }
        error[k] += (double)(model->outputs + 16) * U * size;
    }
}

void plain_run(const plain *p, const plain_point *at)
{
    gck_forward_losses(p->pass, p->theta);
    memcpy(at->loss, p->pass->loss, p->pass->samples * sizeof *at->loss);
    for (size_t i = 0; i < p->pass->model->layer_count; i++)
        layer_errors(p, i);
    loss_errors(p, at->error);
}

void plain_run_at(const plain *p, double *place, double value, const plain_point *at)
{
    const double kept = *place;
    const bool parameter = place >= p->theta && place < p->theta + p->pass->model->parameter_count;
    double *size = parameter ? p->size + (place - p->theta) : NULL;
    *place = value;
    if (size != NULL) *size = fabs(value);
    plain_run(p, at);
    *place = kept;
    if (size != NULL) *size = fabs(kept);
}

typedef struct step {
    double upper, lower;
    double penalty, penalty_size; /* its change; sum of its sizes */
} step;

static step step_of(const plain *p, size_t element, double upper, double lower)
{
    const gck_model *model = p->pass->model;
    step s = {upper, lower, 0, 0};
    if (element >= model->parameter_count) return s;
    const double above = gck_model_penalty_at(model, element, upper);
    const double below = gck_model_penalty_at(model, element, lower);
    s.penalty = above - below;
    s.penalty_size = fabs(above) + fabs(below);
    return s;
}

static plain_estimate quotient(const plain *p, const plain_point *upper, const plain_point *lower,
                               step s)
{
    const double factor = random_factor(p->drawn), length = s.upper - s.lower;
    const size_t samples = p->pass->samples;
    double sum = 0, bound = 0;
    for (size_t k = 0; k < samples; k++) {
        const double weight = p->pass->weights[k], change = upper->loss[k] - lower->loss[k];
        if (weight == 0) continue;
        sum += weight * change;
        bound +=
            weight * (upper->error[k] + lower->error[k] + (double)(samples + 3) * U * fabs(change));
    }
    plain_estimate e = {.value = (factor * sum + s.penalty) / length,
                        .penalty = 8 * U * s.penalty_size / length};
    e.bound = fabs(factor) * bound / length + e.penalty;
    e.bound += 2 * U * (fabs(s.upper) + fabs(s.lower)) / length * fabs(e.value);
    return e;
}

static plain_estimates element_estimates(const plain *p, size_t element, double *place,
                                         double epsilon)
{
    const double theta = *place, upper = theta + epsilon, lower = theta - epsilon;
    plain_run_at(p, place, upper, &p->upper);
    plain_run_at(p, place, lower, &p->lower);
    return (plain_estimates){quotient(p, &p->upper, &p->lower, step_of(p, element, upper, lower)),
                             quotient(p, &p->upper, &p->base, step_of(p, element, upper, theta))};
}

static void plain_parameters(const random_network *drawn, double epsilon, plain_estimates *ret)
{
    plain p;
    plain_open(&p, drawn, (gck_rows){0, drawn->net.data->samples, NULL});
    plain_run(&p, &p.base);
    for (size_t e = 0; e < drawn->net.model->parameter_count; e++)
        ret[e] = element_estimates(&p, e, &p.theta[e], epsilon);
    plain_close(&p);
}

static void plain_inputs(const random_network *drawn, double epsilon, plain_estimates *ret)
{
    const size_t inputs = drawn->net.data->inputs, first = drawn->net.model->parameter_count;
    for (size_t k = 0; k < drawn->net.data->samples; k++) {
        plain p;
        plain_open(&p, drawn, (gck_rows){k, 1, NULL});
        plain_run(&p, &p.base);
        for (size_t i = 0; i < inputs; i++)
            ret[first + k * inputs + i] =
                element_estimates(&p, first + k * inputs + i, &p.pass->x[i], epsilon);
        plain_close(&p);
    }
}

void plain_gradient(const random_network *drawn, double epsilon, plain_estimates *ret)
{
    plain_parameters(drawn, epsilon, ret);
    plain_inputs(drawn, epsilon, ret);
}

bool random_cost_is_finite(const random_network *drawn)
{
    plain p;
    plain_open(&p, drawn, (gck_rows){0, drawn->net.data->samples, NULL});
    gck_forward_losses(p.pass, p.theta);
    const bool finite = isfinite(gck_pass_loss_sum(p.pass));
    plain_close(&p);
    return finite;
}
