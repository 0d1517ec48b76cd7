/* Samples with their targets. Row-major: x is (samples, inputs), y is (samples, outputs). */
#ifndef GRADCHECK_DATA_H
#define GRADCHECK_DATA_H

#include <gradcheck/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct gck_data {
    size_t samples, inputs, outputs;
    double *x, *y;
    double *weights; /* (samples), or NULL: all 1 */
} gck_data;

/* x, y and, if asked for, weights, all 0. */
gck_status gck_data_new(size_t samples, size_t inputs, size_t outputs, bool weighted,
                        gck_data **ret_data, gck_error *error);
void gck_data_free(gck_data *data);

/* One-hot: row[label] = 1 and the other classes 0. */
void gck_one_hot(size_t label, size_t classes, double *row);
/* The index of the largest value, the first one among equals. */
size_t gck_argmax(const double *values, size_t count, size_t stride);

#endif
