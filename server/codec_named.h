/* Sets of tensors by name, without a model: what comparisons and probes read alike. Readers as in
 * server/codec_read.h; any thread. */
#ifndef GRADCHECKD_CODEC_NAMED_H
#define GRADCHECKD_CODEC_NAMED_H

#include "server/codec_read.h"

/* A set has no name that `known` does not have; owner: whose names these are, "the reference". */
bool read_known_names(const struct value *set, const struct place *place, const struct value *known,
                      const char *owner);
/* The shape that the owner's tensor has. What has no shape of its own passes: it is read row by
 * row, so that the fault is told where it is. */
bool read_same_shape(const struct value *value, const struct place *place, const gck_shape *shape,
                     const char *owner);
/* A tensor of rank 0; with `any`, what JSON has no number for is taken, too. */
bool read_scalar(const struct value *value, const struct place *place, bool any,
                 double *ret_number);

#endif
