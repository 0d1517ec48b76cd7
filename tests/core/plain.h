/* The plain engine: two whole forward passes for every element, as a user's own loop would do it.
 *
 * Slow and simple: what any faster engine must agree with. It sees the forward pass alone. */
#ifndef TESTS_CORE_PLAIN_H
#define TESTS_CORE_PLAIN_H

#include <gradcheck/evaluate.h>

#include "core/pass.h"

typedef struct gck_plain {
    const gck_model *model;
    const double *parameters;
    const gck_data *data;
    double epsilon;
    gck_rows block; /* the samples whose part of the derivative is wanted */
} gck_plain;

/* numeric[i] = the block's part of (J(θ + ε) - J(θ - ε)) / 2ε for θ = parameter element[i]; the
 * block that begins with row 0 carries the penalties. GCK_STOPPED when `stop` says so between two
 * elements. */
gck_status gck_plain_parameters(const gck_plain *plain, const size_t *element, size_t count,
                                gck_stop stop, double *numeric, gck_error *error);

/* The same for elements first, first + 1, … of the block's x, row-major (block.count, inputs). */
gck_status gck_plain_inputs(const gck_plain *plain, size_t first, size_t count, gck_stop stop,
                            double *numeric, gck_error *error);

/* Bytes at work. */
double gck_plain_bytes(const gck_model *model, size_t rows);

#endif
