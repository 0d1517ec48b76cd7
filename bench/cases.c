#include "bench/cases.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTHS_MAX = 16, SIZES_TEXT = 64, WORD = 16 };

void require(gck_status status, const gck_error *error)
{
    if (status == GCK_OK) return;
    fail("%s %s: %s", gck_status_text(status), error->where, error->text);
}

/* "784-128-64-10" */
static size_t read_widths(char *text, size_t width[WIDTHS_MAX])
{
    size_t count = 0;
    for (char *end; count < WIDTHS_MAX; text = end + 1) {
        width[count] = strtoul(text, &end, 10);
        if (end == text || width[count++] == 0) break;
        if (*end == '\0' && count >= 2) return count;
        if (*end != '-') break;
    }
    fail("a network is written as 3-16-8-2, not %s", text);
}

static gck_layer_spec dense(size_t units, const char *activation)
{
    gck_error error = {0};
    gck_layer_spec layer = {.type = gck_choice_named(&gck_layers, "dense")};
    require(gck_choice_set(&layer.type, (size_t)gck_item_option_find(layer.type.item, "units"),
                           (double)units, &error),
            &error);
    layer.activation = gck_choice_named(&gck_activations, activation);
    layer.initializer = gck_choice_named(&gck_initializers, "glorot_uniform");
    return layer;
}

static gck_model *build(size_t width[], size_t count, const char *hidden, uint64_t seed)
{
    gck_error error = {0};
    gck_layer_spec layers[WIDTHS_MAX];
    for (size_t i = 1; i < count; i++)
        layers[i - 1] = dense(width[i], i + 1 < count ? hidden : "softmax");
    const gck_choice cost = gck_choice_named(&gck_costs, "categorical_crossentropy");
    const gck_shape input = {1, {width[0]}};
    gck_model *model;
    require(gck_model_new(&input, layers, count - 1, &cost, seed, &model, &error), &error);
    return model;
}

static void read_doubles(FILE *file, size_t count, double *values)
{
    if (fread(values, sizeof *values, count, file) != count) fail("the case file is too short");
}

static gck_data *read_data(FILE *file, const gck_model *model, size_t samples)
{
    gck_error error = {0};
    gck_data *data;
    require(gck_data_new(samples, model->inputs, model->outputs, false, &data, &error), &error);
    read_doubles(file, samples * model->inputs, data->x);
    for (size_t k = 0; k < samples; k++) {
        double label;
        read_doubles(file, 1, &label);
        if (!(label >= 0 && label < (double)model->outputs)) fail("label %g is no class", label);
        gck_one_hot((size_t)label, model->outputs, data->y + k * model->outputs);
    }
    return data;
}

bench_case case_read(const char *path)
{
    bench_case read = {0};
    char sizes[SIZES_TEXT], hidden[WORD];
    size_t samples, width[WIDTHS_MAX];
    unsigned long long seed;
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail("the case file cannot be opened");
    if (fscanf(file, "gradcheck-case %63s %63s %15s %zu %llu", read.name, sizes, hidden, &samples,
               &seed) != 5 ||
        fgetc(file) != '\n')
        fail("the case file does not begin with its line");
    if (gck_table_find(&gck_activations, hidden) == NULL) fail("no activation %s", hidden);
    const size_t count = read_widths(sizes, width);
    read.model = build(width, count, hidden, seed);
    read.data = read_data(file, read.model, samples);
    fclose(file);
    read.parameters = gck_vector_new(read.model->parameter_count);
    if (read.parameters == NULL) fail("out of memory");
    gck_model_draw(read.model, read.parameters);
    return read;
}

void case_done(bench_case *which)
{
    gck_model_free(which->model);
    gck_vector_free(which->parameters);
    gck_data_free(which->data);
    *which = (bench_case){0};
}
