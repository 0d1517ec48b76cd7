#include "tests/core/fixtures.h"
#include "tests/core/compare.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>
#include <gradcheck/optimizer.h>
#include <gradcheck/rng.h>

#include <check.h>
#include <math.h>
#include <string.h>

/* ---- rows by name ---- */

gck_choice activation_named(const char *name)
{
    return gck_choice_named(&gck_activations, name);
}

gck_choice cost_named(const char *name)
{
    return gck_choice_named(&gck_costs, name);
}

gck_choice optimizer_named(const char *name)
{
    return gck_choice_named(&gck_optimizers, name);
}

gck_choice initializer_named(const char *name)
{
    return gck_choice_named(&gck_initializers, name);
}

gck_choice with_option(gck_choice choice, const char *option, double value)
{
    gck_error error;
    const int index = gck_item_option_find(choice.item, option);
    ck_assert_msg(index >= 0, "%s has no option %s", choice.item->name, option);
    assert_ok(gck_choice_set(&choice, (size_t)index, value, &error), &error);
    return choice;
}

/* ---- layers ---- */

gck_layer_spec dense_of(size_t units, gck_choice choice)
{
    return (gck_layer_spec){
        .type = with_option(gck_choice_named(&gck_layers, "dense"), "units", (double)units),
        .activation = choice,
        .initializer = initializer_named("glorot_uniform")};
}

gck_layer_spec dense(size_t units, const char *name)
{
    return dense_of(units, activation_named(name));
}

gck_layer_spec dense_with(size_t units, const char *name, const char *option, double value)
{
    gck_layer_spec layer = dense(units, name);
    layer.type = with_option(layer.type, option, value);
    return layer;
}

gck_layer_spec dropout(double rate)
{
    return (gck_layer_spec){
        .type = with_option(gck_choice_named(&gck_layers, "dropout"), "rate", rate)};
}

gck_layer_spec activation(const char *name)
{
    return (gck_layer_spec){.type = gck_choice_named(&gck_layers, "activation"),
                            .activation = activation_named(name)};
}

/* ---- networks ---- */

gck_model *model_new(size_t inputs, const gck_layer_spec *layers, size_t count,
                     const gck_choice *cost, uint64_t seed)
{
    gck_error error;
    gck_model *model;
    const gck_shape shape = {1, {inputs}};
    assert_ok(gck_model_new(&shape, layers, count, cost, seed, &model, &error), &error);
    return model;
}

/* Streams of their own, so that data and parameters of one seed differ. */
enum { STREAM_X = 100000, STREAM_Y, STREAM_WEIGHTS, STREAM_BIASES };
enum { SEED = 7 };

static void data_fill(gck_data *data)
{
    for (size_t i = 0; i < data->samples * data->inputs; i++)
        data->x[i] = gck_rng_normal(SEED, GCK_RNG_PARAMETERS, STREAM_X, i);
    for (size_t i = 0; i < data->samples * data->outputs; i++)
        data->y[i] = gck_rng_uniform(SEED, GCK_RNG_PARAMETERS, STREAM_Y, i);
    for (size_t k = 0; data->weights != NULL && k < data->samples; k++)
        data->weights[k] =
            k % 3 == 2 ? 0 : 2 * gck_rng_uniform(SEED, GCK_RNG_PARAMETERS, STREAM_WEIGHTS, k);
}

static network network_make(gck_model *model, size_t samples, bool weighted)
{
    gck_error error;
    network net = {.model = model, .parameters = gck_vector_new(model->parameter_count)};
    assert_ok(gck_data_new(samples, model->inputs, model->outputs, weighted, &net.data, &error),
              &error);
    gck_model_draw(model, net.parameters);
    data_fill(net.data);
    return net;
}

network network_new(size_t inputs, const gck_layer_spec *layers, size_t count, gck_choice cost,
                    size_t samples)
{
    return network_make(model_new(inputs, layers, count, &cost, SEED), samples, false);
}

network network_weighted(size_t inputs, const gck_layer_spec *layers, size_t count, gck_choice cost,
                         size_t samples)
{
    return network_make(model_new(inputs, layers, count, &cost, SEED), samples, true);
}

void network_done(network *net)
{
    gck_model_free(net->model);
    gck_vector_free(net->parameters);
    gck_data_free(net->data);
}

void network_draw_biases(network *net)
{
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[i];
        for (size_t t = 0; t < layer->tensor_count; t++) {
            if (strcmp(layer->tensor[t].name, "b") != 0) continue;
            for (size_t e = layer->tensor[t].offset;
                 e < layer->tensor[t].offset + layer->tensor[t].count; e++)
                net->parameters[e] =
                    2 * gck_rng_uniform(SEED, GCK_RNG_PARAMETERS, STREAM_BIASES, e) - 1;
        }
    }
}

/* ---- checks ---- */

gck_check_spec check_spec_of(const network *net)
{
    return (gck_check_spec){.model = net->model,
                            .parameters = net->parameters,
                            .data = net->data,
                            .method = GCK_CENTRAL,
                            .epsilon = 1e-4,
                            .directions = 8,
                            .tolerance = NAN,
                            .worst = 5};
}

void check_step(gck_check *check, size_t index)
{
    gck_error error;
    gck_partial partial;
    assert_ok(gck_check_grain(check, index, NULL, (gck_stop){0}, &partial, &error), &error);
    assert_ok(gck_check_fold(check, index, &partial, &error), &error);
    gck_partial_done(&partial);
}

gck_check *check_open(const gck_check_spec *spec)
{
    gck_error error;
    gck_check *check;
    assert_ok(gck_check_new(spec, &check, &error), &error);
    return check;
}

void check_finish(gck_check *check)
{
    gck_error error;
    gck_check_room *room;
    assert_ok(gck_check_room_new(check, &room, &error), &error);
    for (size_t i = gck_check_folded(check); i < gck_check_cut_of(check)->grain_count; i++) {
        gck_partial partial;
        assert_ok(gck_check_grain(check, i, room, (gck_stop){0}, &partial, &error), &error);
        assert_ok(gck_check_fold(check, i, &partial, &error), &error);
        gck_partial_done(&partial);
    }
    gck_check_room_free(room);
}

gck_status check_run(const gck_check_spec *spec, gck_check **ret_check, gck_report **ret_report)
{
    gck_error error;
    *ret_check = check_open(spec);
    check_finish(*ret_check);
    const gck_status status = gck_check_report(*ret_check, ret_report, &error);
    if (status != GCK_NON_FINITE) assert_ok(status, &error);
    return status;
}
