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

struct value *write_parameters(struct writer *writer, const gck_model *model,
                               const double *parameters)
{
    struct value *array = write_array(writer);
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        if (layer->tensor_count == 0) {
            write_item(writer, array, write_null());
            continue;
        }
        struct value *entry = write_object(writer);
        for (size_t t = 0; t < layer->tensor_count; t++)
            write_member(writer, entry, layer->tensor[t].name,
                         write_tensor(writer, &layer->tensor[t].shape,
                                      parameters + layer->tensor[t].offset));
        write_item(writer, array, entry);
    }
    return array;
}
