#include "tests/core/random_data.h"

#include "core/cost.h"

#include <gradcheck/evaluate.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static void one_hot(dice *d, double *row, size_t units)
{
    gck_one_hot(dice_below(d, units), units, row);
}

/* In [0, 1] for the cross-entropies. */
static void targets_draw(dice *d, const gck_model *model, double *row)
{
    const bool entropy = gck_cost_is_entropy(&model->cost);
    if (entropy && dice_chance(d, 0.5)) {
        one_hot(d, row, model->outputs);
        return;
    }
    for (size_t j = 0; j < model->outputs; j++)
        row[j] = entropy ? dice_uniform(d) : dice_normal(d);
}

void random_data_draw(dice *d, const gck_model *model, gck_data *data)
{
    for (size_t i = 0; i < data->samples * data->inputs; i++)
        data->x[i] = dice_normal(d);
    for (size_t k = 0; k < data->samples; k++)
        targets_draw(d, model, data->y + k * data->outputs);
    for (size_t k = 0; data->weights != NULL && k < data->samples; k++)
        data->weights[k] = dice_chance(d, 0.25) ? 0 : 2 * dice_uniform(d);
}

void random_biases_draw(dice *d, const network *net)
{
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[i];
        if (layer->tensor_count < 2) continue;
        for (size_t e = 0; e < layer->tensor[1].count; e++)
            net->parameters[layer->tensor[1].offset + e] = 2 * dice_uniform(d) - 1;
    }
}

/* ---- curses ---- */

static double power_of_ten(dice *d, double least, double most)
{
    return pow(10, least + (most - least) * dice_uniform(d));
}

/* Each of the values is 0 with a probability of its own. */
static void some_zero(dice *d, double *values, size_t count)
{
    const double probability = dice_uniform(d);
    for (size_t i = 0; i < count; i++)
        if (dice_chance(d, probability)) values[i] = 0;
}

static void inputs_zero(dice *d, network *net)
{
    some_zero(d, net->data->x, net->data->samples * net->data->inputs);
}

static void parameters_zero(dice *d, network *net)
{
    some_zero(d, net->parameters, net->model->parameter_count);
}

static void parameters_large(dice *d, network *net)
{
    const double factor = power_of_ten(d, 1, 3);
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[i];
        if (layer->tensor_count == 0 || dice_chance(d, 0.5)) continue;
        for (size_t e = 0; e < layer->tensor[0].count; e++)
            net->parameters[layer->tensor[0].offset + e] *= factor;
    }
}

/* Far below 0, where relu is dead and others are saturated. */
static void units_dead(dice *d, network *net)
{
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[i];
        if (layer->tensor_count < 2) continue;
        for (size_t e = 0; e < layer->tensor[1].count; e++)
            if (dice_chance(d, 0.3))
                net->parameters[layer->tensor[1].offset + e] = -power_of_ten(d, 0, 3);
    }
}

static void inputs_scaled(dice *d, network *net)
{
    gck_data *data = net->data;
    const bool columns = dice_chance(d, 0.5);
    double factor = power_of_ten(d, -8, 4);
    for (size_t i = 0; i < data->inputs; i++) {
        if (columns) factor = power_of_ten(d, -8, 4);
        for (size_t k = 0; k < data->samples; k++)
            data->x[k * data->inputs + i] *= factor;
    }
}

static void samples_same(dice *d, network *net)
{
    gck_data *data = net->data;
    const bool targets = dice_chance(d, 0.5);
    for (size_t k = 1; k < data->samples; k++) {
        memcpy(data->x + k * data->inputs, data->x, data->inputs * sizeof *data->x);
        if (targets) memcpy(data->y + k * data->outputs, data->y, data->outputs * sizeof *data->y);
    }
}

/* To multiples of 1/4, of which sums are exact, so that many are 0, or on another kink. */
static void all_coarse(dice *d, network *net)
{
    const double unit = DICE_ONE_OF(d, 4, 2, 1);
    for (size_t i = 0; i < net->model->parameter_count; i++)
        net->parameters[i] = round(unit * net->parameters[i]) / unit;
    for (size_t i = 0; i < net->data->samples * net->data->inputs; i++)
        net->data->x[i] = round(unit * net->data->x[i]) / unit;
}

/* All units of a layer next to the place where the slope of slu is 0. */
static void units_flat(dice *d, network *net)
{
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[i];
        if (layer->tensor_count < 2) continue;
        for (size_t e = 0; e < layer->tensor[0].count; e++)
            net->parameters[layer->tensor[0].offset + e] *= 1e-4;
        for (size_t e = 0; e < layer->tensor[1].count; e++)
            net->parameters[layer->tensor[1].offset + e] =
                -1.2784645427610738 + (dice_chance(d, 0.5) ? 0 : 1e-9 * dice_normal(d));
    }
}

/* Out of range, equal to what the network gives, or all the same; not of a cross-entropy. */
static void targets_odd(dice *d, network *net)
{
    gck_data *data = net->data;
    const size_t count = data->samples * data->outputs;
    if (gck_cost_is_entropy(&net->model->cost)) return;
    const size_t kind = dice_below(d, 3);
    for (size_t i = 0; i < count && kind == 0; i++)
        data->y[i] *= 1e4;
    if (kind == 1)
        (void)gck_predict(net->model, net->parameters, data->x, data->samples, (gck_stop){0},
                          data->y, NULL);
    for (size_t i = 0; i < count && kind == 2; i++)
        data->y[i] = 1;
}

/* Halves of the inputs and of the samples that cancel each other. */
static void sums_cancel(dice *d, network *net)
{
    gck_data *data = net->data;
    const size_t inputs = data->inputs, half = data->samples / 2;
    const gck_layer *first = &net->model->layer[0];
    for (size_t i = 0; first->tensor_count > 0 && i + 1 < inputs; i += 2) {
        double *w = net->parameters + first->tensor[0].offset + i * first->outputs;
        for (size_t j = 0; j < first->outputs; j++)
            w[first->outputs + j] = -w[j];
        for (size_t k = 0; k < data->samples; k++)
            data->x[k * inputs + i + 1] =
                data->x[k * inputs + i] * (1 + (dice_chance(d, 0.5) ? 1e-9 * dice_normal(d) : 0));
    }
    for (size_t k = 0; k < half; k++)
        for (size_t i = 0; i < inputs; i++)
            data->x[(half + k) * inputs + i] = data->x[k * inputs + i];
    if (gck_cost_is_entropy(&net->model->cost)) return;
    for (size_t i = 0; i < half * data->outputs; i++)
        data->y[half * data->outputs + i] = -data->y[i];
}

static const gck_layer *last_dense(const gck_model *model)
{
    size_t i = model->layer_count - 1;
    while (model->layer[i].tensor_count == 0)
        i--;
    return &model->layer[i];
}

/* A network that gives the same for all samples, and targets sorted so that what the first of them
 * add to a sum the others take away again. */
static void classes_sorted(dice *d, network *net)
{
    gck_data *data = net->data;
    const gck_layer *last = last_dense(net->model);
    (void)d;
    for (size_t t = 0; t < last->tensor_count; t++)
        memset(net->parameters + last->tensor[t].offset, 0,
               last->tensor[t].count * sizeof *net->parameters);
    for (size_t k = 0; k < data->samples; k++) {
        double *row = data->y + k * data->outputs;
        const double share = (double)k / (double)data->samples;
        if (gck_cost_is_entropy(&net->model->cost) && data->outputs > 1)
            gck_one_hot((size_t)(share * (double)data->outputs), data->outputs, row);
        else
            for (size_t j = 0; j < data->outputs; j++)
                row[j] = share < 0.3 ? 0.7 : gck_cost_is_entropy(&net->model->cost) ? 0.1 : -0.3;
    }
}

static void weights_uneven(dice *d, network *net)
{
    for (size_t k = 0; net->data->weights != NULL && k < net->data->samples; k++)
        net->data->weights[k] *= power_of_ten(d, -9, 6);
}

static void targets_sure(dice *d, network *net)
{
    for (size_t i = 0; i < net->data->samples * net->data->outputs; i++)
        net->data->y[i] = (double)dice_below(d, 2);
}

static const struct {
    const char *name;
    void (*cast)(dice *d, network *net);
} curses[] = {
    {"zero inputs", inputs_zero},
    {"zero parameters", parameters_zero},
    {"large weights", parameters_large},
    {"dead units", units_dead},
    {"scaled inputs", inputs_scaled},
    {"same samples", samples_same},
    {"flat slu", units_flat},
    {"cancelling sums", sums_cancel},
    {"uneven weights", weights_uneven},
    {"sure targets", targets_sure},
    {"coarse numbers", all_coarse},
    {"odd targets", targets_odd},
    {"sorted classes", classes_sorted},
};

unsigned curses_cast(dice *d, network *net)
{
    unsigned cast = 0;
    for (size_t i = 0; i < COUNT(curses); i++) {
        if (!dice_chance(d, 0.25)) continue;
        curses[i].cast(d, net);
        cast |= 1u << i;
    }
    return cast;
}

void curses_print(unsigned cast)
{
    for (size_t i = 0; i < COUNT(curses); i++)
        if (cast >> i & 1) printf(" %s,", curses[i].name);
}
