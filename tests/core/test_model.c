/* Models: shapes, places of parameters, limits with the place they name, and what initializers
 * draw. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- shapes and places ---- */

START_TEST(tensors_follow_each_other)
{
    gck_layer_spec layers[] = {dense(16, "relu"), dropout(0.2),
                               dense_with(8, "tanh", "use_bias", 0), activation("softsign"),
                               dense(2, "softmax")};
    const gck_choice cost = cost_named("categorical_crossentropy");
    gck_model *model = model_new(3, layers, COUNT(layers), &cost, 42);
    const struct {
        size_t layer, tensor;
        const char *name;
        gck_shape shape;
        size_t offset;
    } places[] = {
        {0, 0, "W", {2, {3, 16}}, 0},  {0, 1, "b", {1, {16}}, 48}, {2, 0, "W", {2, {16, 8}}, 64},
        {4, 0, "W", {2, {8, 2}}, 192}, {4, 1, "b", {1, {2}}, 208},
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        const gck_tensor *tensor = &model->layer[places[i].layer].tensor[places[i].tensor];
        size_t count;
        ck_assert(gck_shape_count(&places[i].shape, &count));
        ck_assert_str_eq(tensor->name, places[i].name);
        ck_assert(gck_shape_equal(&tensor->shape, &places[i].shape));
        ck_assert_uint_eq(tensor->count, count);
        ck_assert_uint_eq(tensor->offset, places[i].offset);
    }
    const size_t tensors[] = {2, 0, 1, 0, 2}, inputs[] = {3, 16, 16, 8, 8};
    const size_t outputs[] = {16, 16, 8, 8, 2};
    for (size_t i = 0; i < COUNT(layers); i++) {
        ck_assert_uint_eq(model->layer[i].index, i);
        ck_assert_uint_eq(model->layer[i].tensor_count, tensors[i]);
        ck_assert_uint_eq(model->layer[i].inputs, inputs[i]);
        ck_assert_uint_eq(model->layer[i].outputs, outputs[i]);
    }
    ck_assert_uint_eq(model->parameter_count, 210);
    ck_assert_uint_eq(model->inputs, 3);
    ck_assert_uint_eq(model->outputs, 2);
    ck_assert_uint_eq(model->seed, 42);
    ck_assert_str_eq(gck_layer_name(&model->layer[1]), "dropout");
    ck_assert(gck_layer_has_mask(&model->layer[1]) && !gck_layer_has_mask(&model->layer[0]));
    gck_model_free(model);
    gck_model_free(NULL);
}
END_TEST

START_TEST(layers_without_parameters_take_any_shape)
{
    gck_error error;
    gck_model *model;
    const gck_shape shape = {3, {2, 3, 4}};
    const gck_layer_spec layers[] = {activation("tanh"), dropout(0.5)};
    const gck_choice cost = cost_named("mse");
    assert_ok(gck_model_new(&shape, layers, 2, &cost, 0, &model, &error), &error);
    ck_assert_uint_eq(model->outputs, 24);
    ck_assert_uint_eq(model->parameter_count, 0);
    ck_assert(gck_shape_equal(&model->layer[1].output, &shape));
    gck_model_free(model);
}
END_TEST

START_TEST(shapes_count_print_and_unravel)
{
    const gck_shape shape = {3, {2, 3, 4}}, one = {1, {7}};
    char text[GCK_SHAPE_TEXT];
    size_t count, index[GCK_RANK_MAX];
    ck_assert(gck_shape_count(&shape, &count) && count == 24);
    ck_assert_str_eq(gck_shape_format(&shape, text), "(2, 3, 4)");
    ck_assert_str_eq(gck_shape_format(&one, text), "(7)");
    gck_shape_unravel(&shape, 23, index);
    ck_assert(index[0] == 1 && index[1] == 2 && index[2] == 3);
    gck_shape_unravel(&shape, 17, index);
    ck_assert(index[0] == 1 && index[1] == 1 && index[2] == 1);
    const gck_shape longest = {4, {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    ck_assert_uint_eq(strlen(gck_shape_format(&longest, text)), 4 * 20 + 3 * 2 + 2);
}
END_TEST

START_TEST(shapes_never_overflow)
{
    const gck_shape bad[] = {
        {1, {0}},
        {2, {3, 0}},
        {2, {(size_t)1 << 32, (size_t)1 << 32}}, /* 2^64: 0 when it wraps */
        {2, {SIZE_MAX, SIZE_MAX}},
        {2, {((size_t)1 << 63) + 1, 2}}, /* 2 when it wraps */
        {1, {GCK_ELEMENTS_MAX + 1}},
        {4, {65536, 65536, 65536, 65536}},
    };
    size_t count = 99;
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gck_shape_count(&bad[i], &count), "shape %zu", i);
    ck_assert_uint_eq(count, 99);
    const gck_shape largest = {2, {(size_t)1 << 20, (size_t)1 << 20}};
    ck_assert(gck_shape_count(&largest, &count) && count == GCK_ELEMENTS_MAX);
}
END_TEST

/* ---- what is refused, and where ---- */

static gck_status model_try(gck_shape shape, const gck_layer_spec *layers, size_t count,
                            const char *cost, gck_error *error)
{
    const gck_choice choice = cost_named(cost);
    gck_model *model = NULL;
    const gck_status status = gck_model_new(&shape, layers, count, &choice, 0, &model, error);
    ck_assert(status == GCK_OK || model == NULL);
    gck_model_free(model);
    return status;
}

START_TEST(bad_models_name_the_place)
{
    gck_error error;
    static gck_layer_spec many[GCK_LAYERS_MAX + 1];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = dense(1, "tanh");
    const gck_shape three = {1, {3}}, image = {2, {3, 4}};
    assert_invalid(model_try(three, many, 0, "mse", &error), &error, "layers");
    assert_invalid(model_try(three, many, COUNT(many), "mse", &error), &error, "layers");
    assert_ok(model_try(three, many, GCK_LAYERS_MAX, "mse", &error), &error);
    assert_invalid(model_try((gck_shape){1, {0}}, many, 1, "mse", &error), &error, "input_shape");
    assert_invalid(model_try((gck_shape){2, {SIZE_MAX, 2}}, many, 1, "mse", &error), &error,
                   "input_shape");
    assert_invalid(model_try((gck_shape){1, {GCK_SAMPLE_MAX + 1}}, many, 1, "mse", &error), &error,
                   "input_shape");
    assert_invalid(model_try(image, many, 1, "mse", &error), &error, "layers[0]");
    ck_assert_ptr_nonnull(strstr(error.text, "(3, 4)"));
    const gck_layer_spec second[] = {activation("tanh"), dense(1, "tanh")};
    assert_invalid(model_try(image, second, 2, "mse", &error), &error, "layers[1]");
}
END_TEST

START_TEST(parameters_are_limited)
{
    gck_error error;
    /* 2^24 * 8 weights are 2^27, the limit; one bias more is too many. */
    gck_layer_spec layers[] = {dense_with(8, "tanh", "use_bias", 0), dense(1, "tanh")};
    const gck_shape widest = {1, {GCK_SAMPLE_MAX}};
    assert_ok(model_try(widest, layers, 1, "mse", &error), &error);
    assert_invalid(model_try(widest, layers, 2, "mse", &error), &error, "layers[1]");
    layers[0] = dense(8, "tanh");
    assert_invalid(model_try(widest, layers, 1, "mse", &error), &error, "layers[0]");
    layers[0] = dense(GCK_UNITS_MAX, "tanh"); /* 2^44 weights */
    assert_invalid(model_try(widest, layers, 1, "mse", &error), &error, "layers[0]");
}
END_TEST

START_TEST(cross_entropies_need_outputs_between_0_and_1)
{
    const char *const costs[] = {"binary_crossentropy", "categorical_crossentropy"};
    const gck_shape three = {1, {3}};
    gck_error error;
    for (size_t c = 0; c < COUNT(costs); c++) {
        for (size_t a = 0; a < gck_activations.count; a++) {
            const char *name = gck_activations.rows[a]->name;
            const gck_layer_spec one[] = {dense(2, name)},
                                 two[] = {dense(2, "linear"), activation(name)};
            const bool fits = strcmp(name, "sigmoid") == 0 || strcmp(name, "softmax") == 0 ||
                              strcmp(name, "gaussian") == 0;
            if (fits) {
                assert_ok(model_try(three, one, 1, costs[c], &error), &error);
                assert_ok(model_try(three, two, 2, costs[c], &error), &error);
            } else {
                assert_invalid(model_try(three, one, 1, costs[c], &error), &error, "cost");
                assert_invalid(model_try(three, two, 2, costs[c], &error), &error, "cost");
            }
        }
        const gck_layer_spec last_dropout[] = {dense(2, "sigmoid"), dropout(0.5)};
        assert_invalid(model_try(three, last_dropout, 2, costs[c], &error), &error, "cost");
    }
}
END_TEST

typedef struct bad_option {
    const gck_table *table;
    const char *item, *option;
    double value;
} bad_option;

static const bad_option bad_options[] = {
    {&gck_layers, "dense", "units", 0},
    {&gck_layers, "dense", "units", -3},
    {&gck_layers, "dense", "units", 1.5},
    {&gck_layers, "dense", "units", 1e300},
    {&gck_layers, "dense", "units", GCK_UNITS_MAX + 1},
    {&gck_layers, "dense", "units", NAN},
    {&gck_layers, "dense", "units", INFINITY},
    {&gck_layers, "dense", "l1", -0.1},
    {&gck_layers, "dense", "l2", NAN},
    {&gck_layers, "dense", "l2", INFINITY},
    {&gck_layers, "dropout", "rate", 1},
    {&gck_layers, "dropout", "rate", -0x1p-1074},
    {&gck_layers, "dropout", "rate", NAN},
    {&gck_activations, "piecewise_linear", "alpha", 0},
    {&gck_activations, "piecewise_linear", "alpha", -1},
    {&gck_activations, "sigmoid", "c", INFINITY},
    {&gck_activations, "leaky_relu", "alpha", NAN},
    {&gck_costs, "mse", "scale", NAN},
};

START_TEST(options_are_kept_within_bounds)
{
    const bad_option *bad = &bad_options[_i];
    gck_error error;
    gck_choice choice = gck_choice_named(bad->table, bad->item);
    const gck_choice before = choice;
    const int option = gck_item_option_find(choice.item, bad->option);
    ck_assert_int_ge(option, 0);
    assert_invalid(gck_choice_set(&choice, (size_t)option, bad->value, &error), &error,
                   bad->option);
    assert_same_bits(choice.option, before.option, GCK_OPTIONS_MAX, bad->option);
}
END_TEST

START_TEST(tables_are_searched_by_name)
{
    ck_assert_ptr_null(gck_table_find(&gck_layers, "Dense"));
    ck_assert_ptr_null(gck_table_find(&gck_costs, ""));
    ck_assert_int_eq(gck_item_option_find(cost_named("mse").item, "alpha"), -1);
    ck_assert_uint_eq(gck_item_option_count(gck_choice_named(&gck_layers, "dense").item), 6);
    ck_assert_uint_eq(gck_item_option_count(activation_named("relu").item), 0);
}
END_TEST

/* ---- initializers ---- */

enum { FAN_IN = 60, FAN_OUT = 40, WEIGHTS = 100000 };

typedef struct expectation {
    const char *name;
    double variance, limit; /* |w| <= limit; INFINITY for a normal distribution */
    double fourth;          /* E w^4 / variance^2 */
} expectation;

/* Glorot: variance 2/(in + out); He: 2/in; a uniform variable in [-r, r) has variance r^2/3. */
static const expectation expectations[] = {
    {"normal", 1, INFINITY, 3},
    {"uniform", 1.0 / 3, 1, 1.8},
    {"glorot_normal", 2.0 / (FAN_IN + FAN_OUT), INFINITY, 3},
    {"glorot_uniform", 2.0 / (FAN_IN + FAN_OUT), 0.24494897427831782, 1.8}, /* sqrt(6/100) */
    {"he_normal", 2.0 / FAN_IN, INFINITY, 3},
    {"he_uniform", 2.0 / FAN_IN, 0.31622776601683794, 1.8}, /* sqrt(6/60) */
};

/* The mean of n numbers of variance v has deviation sqrt(v/n), that of their squares v sqrt((fourth
 * - 1)/n); six of them are passed once in 5e8 runs. */
START_TEST(initializers_have_their_variance)
{
    static double weights[WEIGHTS];
    const expectation *e = &expectations[_i];
    const gck_choice choice = initializer_named(e->name);
    double sum = 0, squares = 0, largest = 0;
    gck_initializer_draw(&choice, 3, 16, FAN_IN, FAN_OUT, weights, WEIGHTS);
    for (size_t i = 0; i < WEIGHTS; i++) {
        sum += weights[i];
        squares += weights[i] * weights[i];
        largest = fmax(largest, fabs(weights[i]));
    }
    assert_within(sum / WEIGHTS, 0, 6 * sqrt(e->variance / WEIGHTS), "mean of %s", e->name);
    assert_within(squares / WEIGHTS, e->variance, 6 * e->variance * sqrt((e->fourth - 1) / WEIGHTS),
                  "variance of %s", e->name);
    ck_assert_double_le(largest, e->limit);
    /* 1e5 uniform numbers all stay below 0.999 of the limit with probability e^-100. */
    if (isfinite(e->limit)) ck_assert_double_gt(largest, 0.999 * e->limit);
    ck_assert(gck_initializer_bias(&choice) == 0);
}
END_TEST

START_TEST(zeros_and_ones_are_constant)
{
    double weights[5];
    const gck_choice zeros = initializer_named("zeros"), ones = initializer_named("ones");
    gck_initializer_draw(&zeros, 1, 2, 3, 4, weights, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(weights[i] == 0);
    gck_initializer_draw(&ones, 1, 2, 3, 4, weights, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(weights[i] == 1);
    ck_assert(gck_initializer_bias(&zeros) == 0 && gck_initializer_bias(&ones) == 1);
}
END_TEST

static void draw_model(uint64_t seed, const char *initializer, double parameters[34])
{
    gck_layer_spec layers[] = {dense(4, "tanh"), dropout(0.1), dense(2, "tanh")};
    layers[2].initializer = initializer_named(initializer);
    const gck_choice cost = cost_named("mse");
    gck_model *model = model_new(5, layers, COUNT(layers), &cost, seed);
    ck_assert_uint_eq(model->parameter_count, 34);
    gck_model_draw(model, parameters);
    gck_model_free(model);
}

START_TEST(a_seed_decides_every_bit)
{
    double first[34], again[34], other[34];
    draw_model(5, "normal", first);
    draw_model(5, "normal", again);
    draw_model(UINT64_C(5) << 32, "normal", other);
    assert_same_bits(again, first, 34, "the same seed");
    for (size_t i = 0; i < 20; i++)
        ck_assert(first[i] != other[i]);
    for (size_t i = 20; i < 24; i++)
        ck_assert(first[i] == 0); /* biases */
    for (size_t i = 24; i < 32; i++)
        ck_assert(first[i] != first[i - 24]); /* layers draw apart */
}
END_TEST

START_TEST(biases_start_at_0_but_with_ones)
{
    double parameters[34];
    draw_model(5, "ones", parameters);
    for (size_t i = 24; i < 34; i++)
        ck_assert(parameters[i] == 1);
    draw_model(5, "zeros", parameters);
    for (size_t i = 24; i < 34; i++)
        ck_assert(parameters[i] == 0);
}
END_TEST

SUITE_MAIN("model", {tensors_follow_each_other, 0}, {layers_without_parameters_take_any_shape, 0},
           {shapes_count_print_and_unravel, 0}, {shapes_never_overflow, 0},
           {bad_models_name_the_place, 0}, {parameters_are_limited, 0},
           {cross_entropies_need_outputs_between_0_and_1, 0},
           {options_are_kept_within_bounds, COUNT(bad_options)}, {tables_are_searched_by_name, 0},
           {initializers_have_their_variance, COUNT(expectations)},
           {zeros_and_ones_are_constant, 0}, {a_seed_decides_every_bit, 0},
           {biases_start_at_0_but_with_ones, 0})
