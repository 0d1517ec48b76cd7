#include "tests/core/random_networks.h"
#include "tests/core/compare.h"
#include "tests/core/random_data.h"

#include "core/cost.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>

#include <stdio.h>
#include <string.h>

/* ---- items ---- */

static const struct {
    const char *activation, *option;
    double value[4];
} variants[] = {
    {"linear", "k", {1, -0.5, 2, 1}},
    {"sigmoid", "c", {1, 2, 0.5, -1}},
    {"leaky_relu", "alpha", {0.01, 0.3, -0.2, 0}},
    {"elu", "alpha", {1, 0.5, 2, -1}},
    {"selu", "alpha", {1.6732632423543772, 1, 0.5, 2}},
    {"piecewise_linear", "alpha", {1, 0.5, 2, 0.25}},
};

static const char *activation_name(dice *d)
{
    return gck_activations.rows[dice_below(d, gck_activations.count)]->name;
}

/* What much of a network is made of: most often what has kinks or a slope of 0. */
static const char *favourite_name(dice *d)
{
    static const char *const names[] = {"relu", "leaky_relu",       "elu",
                                        "slu",  "piecewise_linear", "softmax"};
    return dice_chance(d, 0.5) ? names[dice_below(d, COUNT(names))] : activation_name(d);
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
    return with_option(cost, "scale", DICE_ONE_OF(d, 1, 1, 0.5, -2, 1e-3, 100));
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
    if (dice_chance(d, 0.15))
        layer.type = with_option(layer.type, "l1", DICE_ONE_OF(d, 1e-3, 0.1, 2));
    if (dice_chance(d, 0.15))
        layer.type = with_option(layer.type, "l2", DICE_ONE_OF(d, 1e-3, 0.1, 2));
    return layer;
}

static gck_layer_spec activation_layer(gck_choice f)
{
    return (gck_layer_spec){.type = gck_choice_named(&gck_layers, "activation"), .activation = f};
}

static void stack_extras(stack *s, dice *d)
{
    if (dice_chance(d, 0.15)) s->layer[s->count++] = dropout(DICE_ONE_OF(d, 0.1, 0.3, 0.6));
    if (dice_chance(d, 0.15)) s->layer[s->count++] = activation_layer(hidden_of(s, d));
}

static void stack_draw(stack *s, dice *d, const random_limits *limits, const gck_choice *cost)
{
    const size_t count = 1 + dice_below(d, limits->layers);
    const bool entropy = gck_cost_is_entropy(cost);
    *s = (stack){.favourite = favourite_name(d)};
    if (dice_chance(d, 0.1)) stack_extras(s, d);
    for (size_t i = 0; i + 1 < count; i++) {
        s->layer[s->count++] =
            dense_drawn(d, dice_size(d, limits->units), hidden_of(s, d), limits->nasty);
        stack_extras(s, d);
    }
    const size_t units = dice_size(d, limits->units);
    const gck_choice last = last_activation_of(d, cost, units);
    const bool apart = dice_chance(d, 0.15);
    s->layer[s->count++] = dense_drawn(d, units, apart ? hidden_of(s, d) : last, limits->nasty);
    if (apart) s->layer[s->count++] = activation_layer(last);
    if (!entropy && dice_chance(d, 0.1)) s->layer[s->count++] = dropout(0.4);
}

/* ---- the whole ---- */

/* Methods and steps that take long are for small networks. */
static gck_check_spec spec_draw(dice *d, const network *net, bool nasty)
{
    static const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD,      GCK_CENTRAL,
                                         GCK_FORWARD, GCK_COMPLEX_STEP, GCK_DIRECTIONAL,
                                         GCK_RIDDERS};
    const bool small = net->model->parameter_count <= 500 && net->data->samples <= 100;
    gck_check_spec spec = check_spec_of(net);
    spec.method = methods[dice_below(d, !nasty ? 2 : small ? 7 : 6)];
    spec.epsilon = DICE_ONE_OF(d, 1e-2, 1e-4, 1e-6);
    if (nasty)
        spec.epsilon = DICE_ONE_OF(d, 0.5, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, small ? 1e-12 : 1e-4);
    spec.inputs = dice_chance(d, 0.5);
    spec.worst = 1;
    return spec;
}

void random_network_open(uint64_t seed, random_limits limits, random_network *ret)
{
    gck_error error;
    stack s;
    dice d = dice_of_network(seed);
    const gck_choice cost = cost_of(&d);
    stack_draw(&s, &d, &limits, &cost);
    gck_model *model = model_new(dice_size(&d, limits.units), s.layer, s.count, &cost, seed);
    const size_t samples = dice_size(&d, limits.samples);
    *ret = (random_network){.seed = seed, .limits = limits};
    ret->net = (network){.model = model, .parameters = gck_vector_new(model->parameter_count)};
    assert_ok(gck_data_new(samples, model->inputs, model->outputs, dice_chance(&d, 0.3),
                           &ret->net.data, &error),
              &error);
    gck_model_draw(model, ret->net.parameters);
    if (dice_chance(&d, 0.7)) random_biases_draw(&d, &ret->net);
    random_data_draw(&d, model, ret->net.data);
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
    curses_print(drawn->curses);
    printf(" %zu inputs, %zu%s samples, %zu parameters", data->inputs, data->samples,
           data->weights == NULL ? "" : " weighted", model->parameter_count);
    for (size_t i = 0; i < model->layer_count; i++)
        layer_print(&model->layer[i].spec);
    printf("\n    ");
    choice_print(&model->cost);
    printf("; %s, epsilon %g%s\n", gck_method_name(drawn->spec.method), drawn->spec.epsilon,
           drawn->spec.inputs ? ", inputs" : "");
}

/* ---- of a network ---- */

size_t random_gradient_count(const random_network *drawn)
{
    return drawn->net.model->parameter_count + drawn->net.data->samples * drawn->net.data->inputs;
}

double random_factor(const random_network *drawn)
{
    return gck_cost_factor(&drawn->net.model->cost, drawn->net.data->samples,
                           drawn->net.model->outputs);
}

size_t random_widest(const gck_model *model)
{
    size_t units = model->inputs;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layer[i].outputs > units) units = model->layer[i].outputs;
    return units;
}
