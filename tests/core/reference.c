#include "tests/core/reference.h"
#include "tests/core/compare.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 16, PATH_SIZE = 512 };

/* ---- files ---- */

static const char *folder(char path[PATH_SIZE])
{
    const char *data = getenv("TEST_DATA");
    snprintf(path, PATH_SIZE, "%s/reference", data == NULL ? "tests/data" : data);
    return path;
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

/* Lists the folder; copies the name of file `index` where there is one. */
static size_t scan(size_t index, char *ret_name, size_t size)
{
    char path[PATH_SIZE];
    struct dirent **entries;
    const int count = scandir(folder(path), &entries, is_json, alphasort);
    if (count < 0) return 0;
    for (size_t i = 0; i < (size_t)count; i++) {
        if (i == index) snprintf(ret_name, size, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

size_t reference_count(void)
{
    char unused[1];
    return scan(SIZE_MAX, unused, sizeof unused);
}

/* ---- JSON ---- */

/* The member `key`, which must be there. */
static json_t *member(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    ck_assert_msg(value != NULL, "no member %s", key);
    return value;
}

/* A number, or all numbers of nested arrays in order; returns how many, of at most `limit`. */
static size_t numbers(json_t *value, double *out, size_t limit)
{
    if (json_is_number(value)) {
        ck_assert_uint_ge(limit, 1);
        *out = json_number_value(value);
        return 1;
    }
    ck_assert(json_is_array(value));
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(value); i++)
        used += numbers(json_array_get(value, i), out + used, limit - used);
    return used;
}

/* A name, or an object with a type and options. */
static gck_choice choice_of(const gck_table *table, json_t *value)
{
    if (json_is_string(value)) return gck_choice_named(table, json_string_value(value));
    gck_choice choice = gck_choice_named(table, json_string_value(member(value, "type")));
    const char *key;
    json_t *option;
    json_object_foreach(value, key, option)
    {
        if (strcmp(key, "type") != 0) choice = with_option(choice, key, json_number_value(option));
    }
    return choice;
}

static gck_layer_spec layer_of(json_t *value)
{
    ck_assert_str_eq(json_string_value(member(value, "type")), "dense");
    ck_assert_uint_eq(json_object_size(value), 3);
    return dense_of((size_t)json_integer_value(member(value, "units")),
                    choice_of(&gck_activations, member(value, "activation")));
}

/* [{"W", "b"}, …], one entry a layer. */
static void tensors_read(const gck_model *model, json_t *list, double *out)
{
    ck_assert_uint_eq(json_array_size(list), model->layer_count);
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t t = 0; t < model->layer[i].tensor_count; t++) {
            const gck_tensor *tensor = &model->layer[i].tensor[t];
            json_t *values = member(json_array_get(list, i), tensor->name);
            ck_assert_uint_eq(numbers(values, out + tensor->offset, tensor->count), tensor->count);
        }
}

static gck_model *model_read(json_t *value)
{
    gck_layer_spec layers[LAYERS_MAX];
    json_t *list = member(value, "layers");
    const size_t count = json_array_size(list);
    ck_assert_uint_le(count, LAYERS_MAX);
    for (size_t i = 0; i < count; i++)
        layers[i] = layer_of(json_array_get(list, i));
    const gck_choice cost = choice_of(&gck_costs, member(value, "cost"));
    double inputs;
    ck_assert_uint_eq(numbers(member(value, "input_shape"), &inputs, 1), 1);
    return model_new((size_t)inputs, layers, count, &cost, 0);
}

static gck_data *data_read(const gck_model *model, json_t *value)
{
    gck_data *data;
    gck_error error;
    const size_t samples = json_array_size(member(value, "x"));
    assert_ok(gck_data_new(samples, model->inputs, model->outputs, false, &data, &error), &error);
    ck_assert_uint_eq(numbers(member(value, "x"), data->x, samples * model->inputs),
                      samples * model->inputs);
    ck_assert_uint_eq(numbers(member(value, "y"), data->y, samples * model->outputs),
                      samples * model->outputs);
    return data;
}

void reference_open(size_t index, reference *ret)
{
    char path[PATH_SIZE], file[2 * PATH_SIZE], name[256] = "";
    scan(index, name, sizeof name);
    snprintf(ret->name, sizeof ret->name, "%.63s", name);
    snprintf(file, sizeof file, "%s/%s", folder(path), name);
    json_error_t error;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(root != NULL, "%s: %s", file, error.text);
    json_t *request = member(root, "request"), *expected = member(root, "expected");
    gck_model *model = model_read(member(request, "model"));
    ret->net = (network){.model = model,
                         .parameters = gck_vector_new(model->parameter_count),
                         .data = data_read(model, member(request, "data"))};
    ret->gradient = gck_vector_new(model->parameter_count);
    tensors_read(model, member(member(request, "model"), "parameters"), ret->net.parameters);
    tensors_read(model, member(expected, "gradients"), ret->gradient);
    ret->cost = json_number_value(member(expected, "cost"));
    json_decref(root);
}

void reference_close(reference *closed)
{
    network_done(&closed->net);
    gck_vector_free(closed->gradient);
}
