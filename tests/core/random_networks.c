#include "tests/core/random_networks.h"
#include "tests/core/compare.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>
#include <gradcheck/rng.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- dice ---- */

enum { STREAM_NETWORK = 200000, STREAM_TEST };

static dice dice_of(uint64_t seed, uint32_t stream)
{
    return (dice){.seed = seed, .stream = stream};
}

dice dice_new(uint64_t seed)
{
    return dice_of(seed, STREAM_TEST);
}

double dice_uniform(dice *d)
{
    return gck_rng_uniform(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++);
}

double dice_normal(dice *d)
{
    return gck_rng_normal(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++);
}

size_t dice_below(dice *d, size_t bound)
{
    return (size_t)gck_rng_below(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++, bound);
}

bool dice_chance(dice *d, double probability)
{
    return dice_uniform(d) < probability;
}

/* 1 … most, small ones more often: the mean is 0.4 of it. */
static size_t size_below(dice *d, size_t most)
{
    const double u = dice_uniform(d);
    return 1 + (size_t)(u * sqrt(u) * (double)most);
}

static double one_of(dice *d, const double *values, size_t count)
{
    return values[dice_below(d, count)];
}
#define ONE_OF(D, ...) \
    one_of(D, (const double[]){__VA_ARGS__}, COUNT(((const double[]){__VA_ARGS__})))

/* ---- items ---- */

static const struct {
    const char *activation, *option;
    double value[4];
} variants[] = {
    {"linear", "k", {1, -0.5, 2, 1}},          {"sigmoid", "c", {1, 2, 0.5, -1}},
    {"leaky_relu", "alpha", {0.01, 0.3, -0.2, 0}}, {"elu", "alpha", {1, 0.5, 2, -1}},
    {"selu", "alpha", {1.6732632423543772, 1, 0.5, 2}},
    {"piecewise_linear", "alpha", {1, 0.5, 2, 0.25}},
};

static const char *activation_name(dice *d)
{
    return gck_activations.rows[dice_below(d, gck_activations.count)]->name;
}

static gck_choice activation_of(dice *d, const char *name)
{
    gck_choice choice = activation_named(name);
    for (size_t i = 0; i < COUNT(variants); i++)
        if (strcmp(choice.item->name, variants[i].activation) == 0)
            choice = with_option(choice, variants[i].option, variants[i].value[dice_below(d, 4)]);
    return choice;
}

static gck_choice cost_of(dice *d)
{
    gck_choice cost = gck_choice_default(gck_costs.rows[dice_below(d, gck_costs.count)]);
    cost = with_option(cost, "reduction", (double)dice_below(d, 3));
    return with_option(cost, "scale", ONE_OF(d, 1, 1, 0.5, -2, 1e-3, 100));
}

/* One that may stand before the cost. */
static gck_choice last_activation_of(dice *d, const gck_choice *cost, size_t units)
{
    static const char *const names[] = {"sigmoid", "gaussian", "softmax"};
    if (!gck_cost_is_entropy(cost)) return activation_of(d, activation_name(d));
    /* A softmax of one unit is always 1: what binary cross-entropy makes of it is infinite. */
    return activation_of(d, names[dice_below(d, units > 1 ? 3 : 2)]);
}

/* ---- layers ---- */

enum { LAYERS_MAX = 24 };

typedef struct stack {
    const char *favourite; /* activation */
    size_t count;
    gck_layer_spec layer[LAYERS_MAX];
} stack;

static gck_choice hidden_of(const stack *s, dice *d)
{
    return activation_of(d, dice_chance(d, 0.4) ? s->favourite : activation_name(d));
}

static gck_layer_spec dense_drawn(dice *d, size_t units, gck_choice f, bool nasty)
{
    static const char *const initializers[] = {"glorot_uniform", "glorot_normal", "he_normal",
                                               "he_uniform",     "normal",        "uniform",
                                               "ones",           "zeros"};
    gck_layer_spec layer = dense_of(units, f);
    layer.initializer = initializer_named(initializers[dice_below(d, nasty ? 8 : 6)]);
    if (dice_chance(d, 0.2)) layer.type = with_option(layer.type, "use_bias", 0);
    if (dice_chance(d, 0.15)) layer.type = with_option(layer.type, "l1", ONE_OF(d, 1e-3, 0.1, 2));
    if (dice_chance(d, 0.15)) layer.type = with_option(layer.type, "l2", ONE_OF(d, 1e-3, 0.1, 2));
    return layer;
}

static gck_layer_spec activation_layer(gck_choice f)
{
    return (gck_layer_spec){.type = gck_choice_named(&gck_layers, "activation"), .activation = f};
}

static void stack_extras(stack *s, dice *d)
{
    if (dice_chance(d, 0.15)) s->layer[s->count++] = dropout(ONE_OF(d, 0.1, 0.3, 0.6));
    if (dice_chance(d, 0.15)) s->layer[s->count++] = activation_layer(hidden_of(s, d));
}

static void stack_draw(stack *s, dice *d, const random_limits *limits, const gck_choice *cost)
{
    const size_t count = 1 + dice_below(d, limits->layers);
    const bool entropy = gck_cost_is_entropy(cost);
    *s = (stack){.favourite = activation_name(d)};
    if (dice_chance(d, 0.1)) stack_extras(s, d);
    for (size_t i = 0; i + 1 < count; i++) {
        s->layer[s->count++] =
            dense_drawn(d, size_below(d, limits->units), hidden_of(s, d), limits->nasty);
        stack_extras(s, d);
    }
    const size_t units = size_below(d, limits->units);
    const gck_choice last = last_activation_of(d, cost, units);
    const bool apart = dice_chance(d, 0.15);
    s->layer[s->count++] =
        dense_drawn(d, units, apart ? hidden_of(s, d) : last, limits->nasty);
    if (apart) s->layer[s->count++] = activation_layer(last);
    if (!entropy && dice_chance(d, 0.1)) s->layer[s->count++] = dropout(0.4);
}

/* ---- data ---- */

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

static void data_draw(dice *d, const gck_model *model, gck_data *data)
{
    for (size_t i = 0; i < data->samples * data->inputs; i++)
        data->x[i] = dice_normal(d);
    for (size_t k = 0; k < data->samples; k++)
        targets_draw(d, model, data->y + k * data->outputs);
    for (size_t k = 0; data->weights != NULL && k < data->samples; k++)
        data->weights[k] = dice_chance(d, 0.25) ? 0 : 2 * dice_uniform(d);
}

static void biases_draw(dice *d, const network *net)
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
    const double unit = ONE_OF(d, 4, 2, 1);
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
    {"zero inputs", inputs_zero},     {"zero parameters", parameters_zero},
    {"large weights", parameters_large}, {"dead units", units_dead},
    {"scaled inputs", inputs_scaled}, {"same samples", samples_same},
    {"flat slu", units_flat},         {"cancelling sums", sums_cancel},
    {"uneven weights", weights_uneven}, {"sure targets", targets_sure},
    {"coarse numbers", all_coarse},   {"odd targets", targets_odd},
};

static unsigned curses_cast(dice *d, network *net)
{
    unsigned cast = 0;
    for (size_t i = 0; i < COUNT(curses); i++) {
        if (!dice_chance(d, 0.25)) continue;
        curses[i].cast(d, net);
        cast |= 1u << i;
    }
    return cast;
}

/* ---- the whole ---- */

static gck_check_spec spec_draw(dice *d, const network *net, bool nasty)
{
    static const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD,      GCK_CENTRAL,
                                         GCK_FORWARD, GCK_COMPLEX_STEP, GCK_DIRECTIONAL};
    gck_check_spec spec = check_spec_of(net);
    spec.method = methods[dice_below(d, nasty ? COUNT(methods) : 2)];
    spec.epsilon = ONE_OF(d, 1e-2, 1e-4, 1e-6);
    if (nasty) spec.epsilon = ONE_OF(d, 0.5, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-12);
    spec.inputs = dice_chance(d, 0.5);
    spec.worst = 1;
    return spec;
}

void random_network_open(uint64_t seed, random_limits limits, random_network *ret)
{
    gck_error error;
    stack s;
    dice d = dice_of(seed, STREAM_NETWORK);
    const gck_choice cost = cost_of(&d);
    stack_draw(&s, &d, &limits, &cost);
    gck_model *model = model_new(size_below(&d, limits.units), s.layer, s.count, &cost, seed);
    const size_t samples = size_below(&d, limits.samples);
    *ret = (random_network){.seed = seed, .limits = limits};
    ret->net = (network){.model = model, .parameters = gck_vector_new(model->parameter_count)};
    assert_ok(gck_data_new(samples, model->inputs, model->outputs, dice_chance(&d, 0.3),
                           &ret->net.data, &error),
              &error);
    gck_model_draw(model, ret->net.parameters);
    if (dice_chance(&d, 0.7)) biases_draw(&d, &ret->net);
    data_draw(&d, model, ret->net.data);
    if (limits.nasty) ret->curses = curses_cast(&d, &ret->net);
    ret->spec = spec_draw(&d, &ret->net, limits.nasty);
}

void random_network_close(random_network *drawn)
{
    network_done(&drawn->net);
}

/* ---- print ---- */

static void choice_print(const gck_choice *choice)
{
    printf("%s", choice->item->name);
    const char *before = "(";
    for (size_t i = 0; i < gck_item_option_count(choice->item); i++) {
        const gck_option *option = &choice->item->option[i];
        if (option->kind == GCK_OPTION_ACTIVATION || option->kind == GCK_OPTION_INITIALIZER)
            continue;
        if (!option->required && choice->option[i] == option->fallback) continue;
        if (option->kind == GCK_OPTION_WORD)
            printf("%s%s=%s", before, option->name, option->words[(size_t)choice->option[i]]);
        else
            printf("%s%s=%.17g", before, option->name, choice->option[i]);
        before = ", ";
    }
    if (*before == ',') printf(")");
}

static void layer_print(const gck_layer_spec *layer)
{
    printf("\n    ");
    choice_print(&layer->type);
    if (layer->activation.item != NULL) {
        printf(" ");
        choice_print(&layer->activation);
    }
    if (layer->initializer.item != NULL) printf(", %s", layer->initializer.item->name);
}

void random_network_print(const random_network *drawn)
{
    const gck_model *model = drawn->net.model;
    const gck_data *data = drawn->net.data;
    printf("  seed %llu, limits {%zu, %zu, %zu, %s}:", (unsigned long long)drawn->seed,
           drawn->limits.layers, drawn->limits.units, drawn->limits.samples,
           drawn->limits.nasty ? "nasty" : "ordinary");
    for (size_t i = 0; i < COUNT(curses); i++)
        if (drawn->curses >> i & 1) printf(" %s,", curses[i].name);
    printf(" %zu inputs, %zu%s samples, %zu parameters", data->inputs, data->samples,
           data->weights == NULL ? "" : " weighted", model->parameter_count);
    for (size_t i = 0; i < model->layer_count; i++)
        layer_print(&model->layer[i].spec);
    printf("\n    ");
    choice_print(&model->cost);
    printf("; %s, epsilon %g%s\n", gck_method_name(drawn->spec.method), drawn->spec.epsilon,
           drawn->spec.inputs ? ", inputs" : "");
}
