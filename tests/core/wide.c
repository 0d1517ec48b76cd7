#include "tests/core/wide.h"
#include "tests/core/formulas.h"

#include <gradcheck/cost.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long double number;

enum { WIDTH_MAX = 64, KINKS_MAX = 512 };

/* Assertions of the framework write to a pipe each time; in loops as long as these, only failures
 * speak. */

/* One sample on its way: its values, the last pre-activation, and on which side of each kink. */
typedef struct sample {
    const network *net;
    size_t index;
    const gck_choice *activation; /* the last layer's; NULL without one */
    size_t kinks;
    number values[WIDTH_MAX], z[WIDTH_MAX];
    bool above[KINKS_MAX];
} sample;

/* The element that is moved, and where to. */
typedef struct move {
    size_t element;
    number value;
} move;

static bool is_named(const gck_choice *choice, const char *name)
{
    return choice->item != NULL && strcmp(choice->item->name, name) == 0;
}

static double option_of(const gck_choice *choice, const char *name)
{
    return choice->option[gck_item_option_find(choice->item, name)];
}

/* ---- forward ---- */

static number parameter(const network *net, const move *m, size_t element)
{
    return element == m->element ? m->value : (number)net->parameters[element];
}

static void note(sample *s, number z, number place)
{
    if (s->kinks == KINKS_MAX) ck_abort_msg("more than %d kinks", KINKS_MAX);
    s->above[s->kinks++] = z > place;
}

static void note_activation(sample *s, const gck_choice *activation, number z)
{
    static const char *const at_zero[] = {"relu", "leaky_relu", "elu", "selu", "softsign"};
    for (size_t i = 0; i < COUNT(at_zero); i++)
        if (is_named(activation, at_zero[i])) note(s, z, 0);
    if (!is_named(activation, "piecewise_linear")) return;
    note(s, z, -(number)activation->option[0]);
    note(s, z, activation->option[0]);
}

static void activate(sample *s, const gck_layer *layer)
{
    s->activation = &layer->spec.activation;
    memcpy(s->z, s->values, sizeof s->z);
    for (size_t unit = 0; unit < layer->outputs; unit++)
        note_activation(s, s->activation, s->z[unit]);
    formula_activate(s->activation, layer->outputs, s->z, s->values);
}

static void pass_dense(sample *s, const gck_layer *layer, const move *m)
{
    number z[WIDTH_MAX] = {0};
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        if (layer->tensor_count > 1) z[unit] = parameter(s->net, m, layer->tensor[1].offset + unit);
        for (size_t i = 0; i < layer->inputs; i++)
            z[unit] += s->values[i] *
                       parameter(s->net, m, layer->tensor[0].offset + i * layer->outputs + unit);
    }
    memcpy(s->values, z, sizeof z);
    activate(s, layer);
}

static void pass_dropout(sample *s, const gck_layer *layer)
{
    double mask[WIDTH_MAX];
    gck_layer_mask(layer, (gck_mask_key){s->net->model->seed, 0}, s->index, mask, 1);
    for (size_t unit = 0; unit < layer->outputs; unit++)
        s->values[unit] *= mask[unit];
    s->activation = NULL;
}

static void pass_layer(sample *s, const gck_layer *layer, const move *m)
{
    if (layer->outputs > WIDTH_MAX) ck_abort_msg("%zu outputs", layer->outputs);
    if (is_named(&layer->spec.type, "dense"))
        pass_dense(s, layer, m);
    else if (is_named(&layer->spec.type, "dropout"))
        pass_dropout(s, layer);
    else
        activate(s, layer);
}

static number sample_loss(sample *s)
{
    const gck_model *model = s->net->model;
    const gck_choice linear = activation_named("linear");
    const double *y = s->net->data->y + s->index * model->outputs;
    for (size_t unit = 0; is_named(&model->cost, "mae") && unit < model->outputs; unit++)
        note(s, s->values[unit] - y[unit], 0);
    if (s->activation == NULL)
        return formula_loss(&model->cost, &linear, model->outputs, s->values, y);
    return formula_loss(&model->cost, s->activation, model->outputs, s->z, y);
}

static number pass_sample(sample *s, const network *net, size_t index, const move *m)
{
    const size_t inputs = net->model->inputs, x = net->model->parameter_count + index * inputs;
    if (inputs > WIDTH_MAX) ck_abort_msg("%zu inputs", inputs);
    *s = (sample){.net = net, .index = index};
    for (size_t i = 0; i < inputs; i++)
        s->values[i] = x + i == m->element ? m->value : (number)net->data->x[index * inputs + i];
    for (size_t l = 0; l < net->model->layer_count; l++)
        pass_layer(s, &net->model->layer[l], m);
    return sample_loss(s);
}

/* ---- the whole cost ---- */

static number tensor_penalty(const network *net, const gck_layer *layer, const move *m)
{
    const gck_choice *type = &layer->spec.type;
    number sum = 0;
    if (!is_named(type, "dense")) return 0;
    const double l1 = option_of(type, "l1"), l2 = option_of(type, "l2");
    for (size_t e = 0; e < layer->tensor[0].count; e++) {
        const number w = parameter(net, m, layer->tensor[0].offset + e);
        sum += l1 * fabsl(w) + l2 * w * w;
    }
    return sum;
}

static number penalty(const network *net, const move *m)
{
    number sum = 0;
    for (size_t l = 0; l < net->model->layer_count; l++)
        sum += tensor_penalty(net, &net->model->layer[l], m);
    return sum;
}

static double weight_of(const network *net, size_t k)
{
    return net->data->weights == NULL ? 1 : net->data->weights[k];
}

static number cost_at(const network *net, const move *m)
{
    const gck_model *model = net->model;
    number sum = 0;
    for (size_t k = 0; k < net->data->samples; k++) {
        sample s;
        if (weight_of(net, k) == 0) continue;
        sum += weight_of(net, k) * pass_sample(&s, net, k, m);
    }
    return gck_cost_factor(&model->cost, net->data->samples, model->outputs) * sum +
           penalty(net, m);
}

long double wide_cost(const network *net)
{
    return cost_at(net, &(move){SIZE_MAX, 0});
}

/* ---- kinks ---- */

static bool sample_crosses(const network *net, size_t k, const move *m)
{
    sample base, moved;
    pass_sample(&base, net, k, &(move){SIZE_MAX, 0});
    pass_sample(&moved, net, k, m);
    return memcmp(base.above, moved.above, base.kinks * sizeof base.above[0]) != 0;
}

static double value_of(const network *net, size_t element)
{
    const size_t parameters = net->model->parameter_count;
    return element < parameters ? net->parameters[element] : net->data->x[element - parameters];
}

/* Whether it is a weight of a layer with l1 that changes its sign. */
static bool penalty_crosses(const network *net, const move *m)
{
    for (size_t l = 0; l < net->model->layer_count; l++) {
        const gck_layer *layer = &net->model->layer[l];
        if (!is_named(&layer->spec.type, "dense")) continue;
        if (!(option_of(&layer->spec.type, "l1") > 0)) continue;
        if (m->element - layer->tensor[0].offset >= layer->tensor[0].count) continue;
        return (m->value > 0) != (value_of(net, m->element) > 0);
    }
    return false;
}

static size_t crossings_of(const network *net, const move *upper, const move *lower)
{
    size_t crossings = penalty_crosses(net, upper) || penalty_crosses(net, lower);
    for (size_t k = 0; k < net->data->samples; k++)
        crossings += weight_of(net, k) != 0 &&
                     (sample_crosses(net, k, upper) || sample_crosses(net, k, lower));
    return crossings;
}

/* ---- derivatives ---- */

wide_result wide_quotient(const network *net, gck_method method, double epsilon, size_t element)
{
    const bool forward = method == GCK_FORWARD;
    const double theta = value_of(net, element);
    const double up = theta + epsilon, low = forward ? theta : theta - epsilon;
    const move upper = {element, up}, lower = {element, low};
    const double length = up - low, meant = forward ? epsilon : 2 * epsilon;
    return (wide_result){.value = (cost_at(net, &upper) - cost_at(net, &lower)) /
                                  (length != 0 ? length : meant),
                         .crossings = crossings_of(net, &upper, &lower)};
}

static number central(const network *net, size_t element, number h)
{
    const number theta = value_of(net, element);
    const move upper = {element, theta + h}, lower = {element, theta - h};
    return (cost_at(net, &upper) - cost_at(net, &lower)) / (2 * h);
}

static size_t crossings_within(const network *net, size_t element, number h)
{
    const number theta = value_of(net, element);
    return crossings_of(net, &(move){element, theta + h}, &(move){element, theta - h});
}

wide_result wide_derivative(const network *net, size_t element)
{
    const number rounding = 0x1p-60L * fabsl(wide_cost(net));
    number h = 0x1p-10L, last = central(net, element, h), value = last;
    wide_result best = {.error = INFINITY};
    for (int level = 0; level < 10; level++) {
        h /= 4;
        const number closer = central(net, element, h), before = value;
        value = closer + (closer - last) / 15;
        last = closer;
        const number error = fabsl(value - before) + rounding / h;
        if (error > best.error) continue;
        best = (wide_result){value, error, crossings_within(net, element, 16 * h)};
    }
    return best;
}
