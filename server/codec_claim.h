/* Gradients that a client claims, from JSON: what is claimed first, since that decides how much
 * work and memory the check takes; then the numbers, turned into the form inside. */
#ifndef GRADCHECKD_CODEC_CLAIM_H
#define GRADCHECKD_CODEC_CLAIM_H

#include "server/codec_model.h"
#include "server/spec.h"

/* "float64", "float32", "float16", "bfloat16" */
bool read_dtype(const struct value *value, const struct place *place, gck_dtype *ret_dtype);

/* Which tensors are claimed, and whether x is: makes spec->claim, and points spec->check at it. */
bool read_claim(const struct value *value, const struct place *place,
                const struct written_model *written, struct spec *spec);

/* Bytes that the numbers will take, and what is found in them. */
double claim_bytes(const struct spec *spec, const gck_check_cost *cost);

/* The numbers of the same value, once the memory for them is granted and spec has its parameters.
 */
bool read_claim_numbers(const struct value *value, const struct place *place,
                        const struct written_model *written, struct spec *spec);

#endif
