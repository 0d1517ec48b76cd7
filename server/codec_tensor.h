/* Tensors as nested arrays. */
#ifndef GRADCHECKD_CODEC_TENSOR_H
#define GRADCHECKD_CODEC_TENSOR_H

#include "server/codec_json.h"

#include <gradcheck/tensor.h>

struct value *write_tensor(struct writer *writer, const gck_shape *shape, const double *values);
struct value *write_shape(struct writer *writer, const gck_shape *shape);

#endif
