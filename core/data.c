#include <gradcheck/data.h>
#include <gradcheck/tensor.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool product_fits(size_t rows, size_t columns)
{
    size_t count;
    return gck_shape_count(&(gck_shape){2, {rows, columns}}, &count);
}

gck_status gck_data_new(size_t samples, size_t inputs, size_t outputs, bool weighted,
                        gck_data **ret_data, gck_error *error)
{
    if (samples > UINT32_MAX || !product_fits(samples, inputs) || !product_fits(samples, outputs))
        return gck_error_set(error, GCK_INVALID, "", "%zu samples of %zu inputs are too many",
                             samples, inputs);
    gck_data *data = calloc(1, sizeof *data);
    if (data == NULL) return gck_error_memory(error);
    data->samples = samples;
    data->inputs = inputs;
    data->outputs = outputs;
    data->x = gck_vector_new(samples * inputs);
    data->y = gck_vector_new(samples * outputs);
    if (weighted) data->weights = gck_vector_new(samples);
    if (data->x == NULL || data->y == NULL || (weighted && data->weights == NULL)) {
        gck_data_free(data);
        return gck_error_memory(error);
    }
    *ret_data = data;
    return GCK_OK;
}

void gck_data_free(gck_data *data)
{
    if (data == NULL) return;
    gck_vector_free(data->x);
    gck_vector_free(data->y);
    gck_vector_free(data->weights);
    free(data);
}

void gck_one_hot(size_t label, size_t classes, double *row)
{
    memset(row, 0, classes * sizeof *row);
    row[label] = 1;
}

size_t gck_argmax(const double *values, size_t count, size_t stride)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i * stride] > values[best * stride]) best = i;
    return best;
}
