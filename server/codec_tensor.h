/* Tensors as nested arrays. */
#ifndef GRADCHECKD_CODEC_TENSOR_H
#define GRADCHECKD_CODEC_TENSOR_H

#include "server/codec_json.h"

#include <gradcheck/model.h>

struct value *write_tensor(struct writer *writer, const gck_shape *shape, const double *values);
struct value *write_shape(struct writer *writer, const gck_shape *shape);
/* One entry a layer: its tensors by name, or null; layers with no flag in `chosen` (NULL: all) are
 * null, too. */
struct value *write_parameters(struct writer *writer, const gck_model *model,
                               const double *parameters);

#endif
