#include "tests/core/precise.h"
#include "tests/core/formulas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long double number;

enum { PRECISE_UNITS = 64 };

static void precise_dense(const gck_layer *layer, const number *theta, const number *x, number *z)
{
    for (size_t j = 0; j < layer->outputs; j++) {
        z[j] = layer->tensor_count > 1 ? theta[layer->tensor[1].offset + j] : 0;
        for (size_t i = 0; i < layer->inputs; i++)
            z[j] += theta[layer->tensor[0].offset + i * layer->outputs + j] * x[i];
    }
}

/* L of sample k, whose x is given. */
static number precise_loss(const random_network *drawn, const number *theta, const number *x,
                           size_t k)
{
    const gck_model *model = drawn->net.model;
    number a[PRECISE_UNITS], z[PRECISE_UNITS];
    gck_choice last = activation_named("linear");
    memcpy(a, x, model->inputs * sizeof *a);
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        double mask[PRECISE_UNITS];
        memcpy(z, a, layer->outputs * sizeof *a);
        if (layer->tensor_count > 0) precise_dense(layer, theta, a, z);
        if (gck_layer_has_mask(layer)) {
            gck_layer_mask(layer, (gck_mask_key){model->seed, 0}, k, mask, 1);
            for (size_t j = 0; j < layer->outputs; j++)
                z[j] = a[j] *= mask[j];
            last = activation_named("linear");
            continue;
        }
        last = layer->spec.activation;
        formula_activate(&last, layer->outputs, z, a);
    }
    return formula_loss(&model->cost, &last, model->outputs, z,
                        drawn->net.data->y + k * model->outputs);
}

static double weight_of(const random_network *drawn, size_t k)
{
    return drawn->net.data->weights == NULL ? 1 : drawn->net.data->weights[k];
}

static number *widen(const double *values, size_t count)
{
    number *wide = calloc(count + 1, sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = values[i];
    return wide;
}

void precise_open(precise *p, const random_network *drawn)
{
    const gck_data *data = drawn->net.data;
    *p = (precise){drawn, widen(drawn->net.parameters, drawn->net.model->parameter_count),
                   widen(data->x, data->samples * data->inputs)};
}

void precise_close(precise *p)
{
    free(p->theta);
    free(p->x);
}

static number precise_penalty(const gck_model *model, size_t element, number w)
{
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        if (layer->tensor_count == 0 || element - layer->tensor[0].offset >= layer->tensor[0].count)
            continue;
        const gck_choice *type = &layer->spec.type;
        return type->option[gck_item_option_find(type->item, "l1")] * fabsl(w) +
               type->option[gck_item_option_find(type->item, "l2")] * w * w;
    }
    return 0;
}

long double precise_quotient(const precise *p, size_t element, double up, double down)
{
    const gck_model *model = p->drawn->net.model;
    const gck_data *data = p->drawn->net.data;
    const bool parameter = element < model->parameter_count;
    const size_t at = element - model->parameter_count;
    number *place = parameter ? &p->theta[element] : &p->x[at], kept = *place, sum = 0;
    const size_t first = parameter ? 0 : at / data->inputs;
    const size_t end = parameter ? data->samples : first + 1;
    for (size_t k = first; k < end; k++) {
        const number *x = p->x + k * data->inputs;
        if (weight_of(p->drawn, k) == 0) continue;
        *place = kept + up;
        const number above = precise_loss(p->drawn, p->theta, x, k);
        *place = kept - down;
        sum += weight_of(p->drawn, k) * (above - precise_loss(p->drawn, p->theta, x, k));
    }
    *place = kept;
    sum *= random_factor(p->drawn);
    if (parameter)
        sum += precise_penalty(model, element, kept + up) -
               precise_penalty(model, element, kept - down);
    return sum / ((number)up + down);
}
