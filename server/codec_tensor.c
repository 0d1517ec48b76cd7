#include "server/codec_tensor.h"

struct value *write_tensor(struct writer *writer, const gck_shape *shape, const double *values)
{
    return write_numbers(writer, values, shape->rank, shape->dim);
}

struct value *write_shape(struct writer *writer, const gck_shape *shape)
{
    struct value *array = write_array(writer);
    for (size_t axis = 0; axis < shape->rank; axis++)
        write_item(writer, array, write_count(writer, shape->dim[axis]));
    return array;
}
