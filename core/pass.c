#include "core/pass.h"

#include <assert.h>
#include <stdlib.h>

static const size_t block_bytes_max = (size_t)32 << 20;

/* Doubles a sample takes in a layer: a, z where there is one apart from it, and a mask. */
static size_t layer_values(const gck_layer *layer, bool masked)
{
    const gck_layer_row *row = gck_layer_row_of(layer);
    return layer->outputs * (1 + (size_t)row->activated + (size_t)(masked && row->masked));
}

size_t gck_pass_sample_values(const gck_model *model, bool masked)
{
    size_t values = model->inputs + model->outputs + 2;
    for (size_t i = 0; i < model->layer_count; i++)
        values += layer_values(&model->layer[i], masked);
    return values;
}

size_t gck_pass_block_rows(const gck_model *model, size_t samples, double passes)
{
    const double by_time = GCK_GRAIN_OPERATIONS / (passes * gck_model_operations(model));
    const size_t by_memory =
        block_bytes_max / (gck_pass_sample_values(model, true) * sizeof(double));
    size_t rows = by_memory;
    if (by_time < (double)rows) rows = (size_t)by_time;
    if (rows > samples) rows = samples;
    return rows > 0 ? rows : 1;
}

static double *take(double **next, size_t count)
{
    double *taken = *next;
    *next += count;
    return taken;
}

static void layer_place(gck_pass *pass, size_t index, double **next)
{
    const gck_layer *layer = &pass->model->layer[index];
    const gck_layer_row *row = gck_layer_row_of(layer);
    const size_t count = layer->outputs * pass->capacity;
    gck_layer_pass *place = &pass->layer[index];
    place->x = index == 0 ? pass->x : pass->layer[index - 1].a;
    place->a = take(next, count);
    place->z = row->activated ? take(next, count) : NULL;
    place->mask = pass->masked && row->masked ? take(next, count) : NULL;
}

gck_status gck_pass_new(const gck_model *model, size_t capacity, bool masked, gck_pass **ret_pass,
                        gck_error *error)
{
    size_t values;
    if (__builtin_mul_overflow(capacity, gck_pass_sample_values(model, masked), &values))
        return gck_error_memory(error);
    gck_pass *pass = calloc(1, sizeof *pass + model->layer_count * sizeof pass->layer[0]);
    double *slab = gck_vector_room(values);
    if (pass == NULL || slab == NULL) {
        free(pass);
        gck_vector_free(slab);
        return gck_error_memory(error);
    }
    pass->model = model;
    pass->capacity = capacity;
    pass->masked = masked;
    pass->slab = slab;
    double *next = slab;
    pass->x = take(&next, model->inputs * capacity);
    pass->y = take(&next, model->outputs * capacity);
    pass->weights = take(&next, capacity);
    pass->loss = take(&next, capacity);
    for (size_t i = 0; i < model->layer_count; i++)
        layer_place(pass, i, &next);
    assert((size_t)(next - slab) == values);
    *ret_pass = pass;
    return GCK_OK;
}

void gck_pass_free(gck_pass *pass)
{
    if (pass == NULL) return;
    gck_vector_free(pass->slab);
    free(pass);
}

static size_t row_at(gck_rows rows, size_t k)
{
    return rows.order == NULL ? rows.first + k : rows.order[rows.first + k];
}

/* column[unit * stride] = row[unit] */
static void scatter(const double *row, size_t units, double *column, size_t stride)
{
    for (size_t unit = 0; unit < units; unit++)
        column[unit * stride] = row[unit];
}

static void resize(gck_pass *pass, size_t samples)
{
    assert(samples <= pass->capacity);
    pass->samples = samples;
    for (size_t i = 0; i < pass->model->layer_count; i++)
        pass->layer[i].samples = samples;
}

void gck_pass_load(gck_pass *pass, const gck_data *data, gck_rows rows)
{
    resize(pass, rows.count);
    for (size_t k = 0; k < rows.count; k++) {
        const size_t row = row_at(rows, k);
        scatter(data->x + row * data->inputs, data->inputs, pass->x + k, rows.count);
        scatter(data->y + row * data->outputs, data->outputs, pass->y + k, rows.count);
        pass->weights[k] = data->weights == NULL ? 1 : data->weights[row];
    }
}

void gck_pass_load_x(gck_pass *pass, const double *x, size_t count)
{
    resize(pass, count);
    const size_t inputs = pass->model->inputs;
    for (size_t k = 0; k < count; k++)
        scatter(x + k * inputs, inputs, pass->x + k, count);
}

void gck_pass_draw_masks(gck_pass *pass, gck_mask_key key, gck_rows rows)
{
    for (size_t i = 0; i < pass->model->layer_count; i++) {
        if (pass->layer[i].mask == NULL) continue;
        for (size_t k = 0; k < rows.count; k++)
            gck_layer_mask(&pass->model->layer[i], key, row_at(rows, k), pass->layer[i].mask + k,
                           rows.count);
    }
}

gck_outputs gck_pass_outputs(const gck_pass *pass)
{
    const gck_layer *last = &pass->model->layer[pass->model->layer_count - 1];
    const gck_layer_pass *place = &pass->layer[pass->model->layer_count - 1];
    return (gck_outputs){.units = pass->model->outputs,
                         .samples = pass->samples,
                         .a = place->a,
                         .z = place->z,
                         .activation = place->z == NULL ? NULL : &last->spec.activation};
}
