/* Sets of arrays by name, read from files. One thread; 8 bytes a number. */
#ifndef GRADCHECK_TENSORS_H
#define GRADCHECK_TENSORS_H

#include "client/settings.h"
#include "server/codec_json.h"

#include <gradcheck/tensor.h>

struct tensor {
    char *name; /* owned */
    gck_shape shape;
    double *values; /* owned; row-major */
};

struct tensors {
    size_t count;
    struct tensor *tensor; /* owned */
};

/* A file {"name": nested numbers, …}, or .npz, or .npy, whose one array is called "array". False
 * after a message. */
bool tensors_read(const struct settings *settings, const char *path, struct tensors *ret);
void tensors_done(struct tensors *tensors);

/* NULL: there is none. */
struct tensor *tensors_find(const struct tensors *tensors, const char *name);
/* Of a matrix; false when it is none, or memory is out. */
bool tensor_transpose(struct tensor *tensor);

/* {"name": nested numbers, …}; what is not finite becomes null. */
struct value *tensors_write(struct writer *writer, const struct tensors *tensors);

#endif
