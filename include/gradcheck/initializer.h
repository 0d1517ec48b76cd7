/* Initializers of weights. Biases start at 0, but with `ones` at 1. */
#ifndef GRADCHECK_INITIALIZER_H
#define GRADCHECK_INITIALIZER_H

#include <gradcheck/item.h>

#include <stdint.h>

extern const gck_table gck_initializers;

/* Fills count weights of a layer with fan_in inputs and fan_out outputs; stream tells tensors of
 * one model apart. */
void gck_initializer_draw(const gck_choice *initializer, uint64_t seed, uint32_t stream,
                          size_t fan_in, size_t fan_out, double *weights, size_t count);

/* What its biases start at. */
double gck_initializer_bias(const gck_choice *initializer);

#endif
