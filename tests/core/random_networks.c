#include "tests/core/random_networks.h"
#include "tests/core/compare.h"
#include "tests/core/formulas.h"

#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/forward.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>
#include <gradcheck/rng.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
    *s = (stack){.favourite = favourite_name(d)};
    if (dice_chance(d, 0.1)) stack_extras(s, d);
    for (size_t i = 0; i + 1 < count; i++) {
        s->layer[s->count++] =
            dense_drawn(d, size_below(d, limits->units), hidden_of(s, d), limits->nasty);
        stack_extras(s, d);
    }
    const size_t units = size_below(d, limits->units);
    const gck_choice last = last_activation_of(d, cost, units);
    const bool apart = dice_chance(d, 0.15);
    s->layer[s->count++] = dense_drawn(d, units, apart ? hidden_of(s, d) : last, limits->nasty);
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

/* Methods and steps that take long are for small networks. */
static gck_check_spec spec_draw(dice *d, const network *net, bool nasty)
{
    static const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD,      GCK_CENTRAL,
                                         GCK_FORWARD, GCK_COMPLEX_STEP, GCK_DIRECTIONAL,
                                         GCK_RIDDERS};
    const bool small = net->model->parameter_count <= 500 && net->data->samples <= 100;
    gck_check_spec spec = check_spec_of(net);
    spec.method = methods[dice_below(d, !nasty ? 2 : small ? 7 : 6)];
    spec.epsilon = ONE_OF(d, 1e-2, 1e-4, 1e-6);
    if (nasty) spec.epsilon = ONE_OF(d, 0.5, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, small ? 1e-12 : 1e-4);
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

/* ---- in doubles ---- */

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

/* ---- in long doubles ---- */

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
