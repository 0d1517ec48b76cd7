#include "tests/core/random_numeric.h"
#include "tests/core/compare.h"

#include "core/forward.h"
#include "core/pass.h"

#include <math.h>

#define FIT_AGREEMENT 1e-11

/* (units, lanes): w_k |dL/dz_jk| + the largest of them / 64; 0 where the weight is. */
static void slopes_fill(gck_numeric *numeric, size_t layer, double *slopes)
{
    const size_t lanes = numeric->samples->lanes, units = numeric->spec.model->layer[layer].outputs;
    const double *weights = numeric->samples->weights;
    double largest = 0;
    for (size_t u = 0; u < units; u++) {
        double *row = gck_tail_begin(&numeric->tail, numeric->samples, u);
        for (size_t k = 0; k < lanes; k++)
            row[k] = 1;
        gck_tail_tangent(&numeric->tail, layer);
        for (size_t k = 0; k < lanes; k++) {
            slopes[u * lanes + k] = weights[k] == 0 ? 0 : weights[k] * fabs(numeric->tail.loss[k]);
            largest = fmax(largest, slopes[u * lanes + k]);
        }
    }
    for (size_t i = 0; i < units * lanes; i++)
        slopes[i] += weights[i % lanes] == 0 ? 0 : largest / 64;
}

static void layer_fit_bounds(gck_numeric *numeric, size_t index, double *slopes, double *bound)
{
    const gck_layer *layer = &numeric->spec.model->layer[index];
    const size_t lanes = numeric->samples->lanes;
    numeric_layer(numeric, index);
    slopes_fill(numeric, index, slopes);
    for (size_t i = 0; i < numeric->inputs; i++)
        for (size_t u = 0; u < layer->outputs; u++) {
            double sum = 0;
            for (size_t k = 0; k < lanes; k++)
                sum += fabs(numeric->x[i * lanes + k]) * slopes[u * lanes + k];
            bound[numeric_element(numeric, i, u)] =
                FIT_AGREEMENT * fabs(numeric->spec.factor) * sum;
        }
}

gck_numeric *random_numeric_open(const random_network *drawn, gck_pass **ret_pass)
{
    gck_error error;
    gck_numeric *numeric;
    const gck_model *model = drawn->net.model;
    const gck_rows all = {0, drawn->net.data->samples, NULL};
    const gck_numeric_spec spec = {.model = model,
                                   .parameters = drawn->net.parameters,
                                   .method = drawn->spec.method,
                                   .epsilon = drawn->spec.epsilon,
                                   .factor = random_factor(drawn),
                                   .rows = all.count,
                                   .units = random_widest(model)};
    assert_ok(gck_pass_new(model, all.count, true, ret_pass, &error), &error);
    gck_pass_load(*ret_pass, drawn->net.data, all);
    gck_pass_draw_masks(*ret_pass, (gck_mask_key){model->seed, 0}, all);
    gck_forward_losses(*ret_pass, drawn->net.parameters);
    assert_ok(gck_numeric_new(&spec, &numeric, &error), &error);
    gck_numeric_load(numeric, *ret_pass);
    return numeric;
}

double *random_fit_bounds(const random_network *drawn)
{
    gck_pass *pass;
    gck_numeric *numeric = random_numeric_open(drawn, &pass);
    double *bound = gck_vector_new(random_gradient_count(drawn));
    double *slopes = gck_vector_new(random_widest(drawn->net.model) * numeric->samples->lanes);
    for (size_t i = 0; i < drawn->net.model->layer_count; i++)
        if (drawn->net.model->layer[i].tensor_count > 0)
            layer_fit_bounds(numeric, i, slopes, bound);
    gck_vector_free(slopes);
    gck_numeric_free(numeric);
    gck_pass_free(pass);
    return bound;
}
