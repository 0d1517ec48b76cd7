/* What the tests' own backward pass asks of a model. */
#ifndef TESTS_CORE_MISTAKEN_PARTS_H
#define TESTS_CORE_MISTAKEN_PARTS_H

#include "tests/core/mistaken.h"

bool mistaken_is_named(const gck_choice *choice, const char *name);
bool mistaken_is_dense(const gck_layer *layer);
bool mistaken_is_dropout(const gck_layer *layer);
bool mistaken_is_softmax(const gck_layer *layer);
bool mistaken_is_identity(const gck_layer *layer);
bool mistaken_is_entropy(const gck_model *model);
double mistaken_option_of(const gck_layer *layer, const char *name);
bool mistaken_is_penalised(const gck_layer *layer);
bool mistaken_has_bias(const gck_layer *layer);
const gck_layer *mistaken_below(const network *net, size_t layer);
/* Another dense layer of the same shape. */
bool mistaken_other_weights(const network *net, size_t layer, size_t *ret);
/* A dense layer below whose tensor t, 0 W and 1 b, has the same shape. */
bool mistaken_twin_below(const network *net, size_t layer, size_t t, size_t *ret);
/* Its activation's derivative is known from its output alone. */
bool mistaken_is_told_by_output(const gck_layer *layer);

#endif
