#include "client/tensors.h"
#include "client/file.h"
#include "client/say.h"
#include "server/codec_npz.h"
#include "server/codec_read.h"
#include "server/codec_tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void tensors_done(struct tensors *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) {
        free(tensors->tensor[i].name);
        gck_vector_free(tensors->tensor[i].values);
    }
    free(tensors->tensor);
    *tensors = (struct tensors){0};
}

/* ---- reading ---- */

static bool read_one(const struct value *value, const struct place *place, struct tensor *tensor)
{
    size_t count;
    tensor->shape = value_shape(value);
    if (!gck_shape_count(&tensor->shape, &count)) return place_fail(place, "has no elements");
    if (tensor->shape.rank > 0 && !read_extent(value, place, &tensor->shape, "this")) return false;
    tensor->values = gck_vector_room(count);
    if (tensor->values == NULL) return place_fail_memory(place);
    if (tensor->shape.rank > 0)
        return read_tensor(value, place, &tensor->shape, "this", true, tensor->values);
    return value_any_number(value, tensor->values) ||
           place_fail(place, "must be a number or nested arrays, got %s", value_kind(value));
}

static bool read_all(const struct value *root, const struct place *place, struct tensors *ret)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    if (!value_is_object(root))
        return place_fail(place, "must be an object of tensors by name, got %s", value_kind(root));
    ret->tensor = calloc(value_count(root) + 1, sizeof *ret->tensor);
    if (ret->tensor == NULL) return place_fail_memory(place);
    while ((name = value_next(root, &iterator, &member)) != NULL) {
        struct tensor *tensor = &ret->tensor[ret->count++];
        const struct place at = place_key(place, name);
        tensor->name = strdup(name);
        if (tensor->name == NULL) return place_fail_memory(&at);
        if (!read_one(member, &at, tensor)) return false;
    }
    return true;
}

static bool read_json(const struct settings *settings, const char *path, const struct blob *file,
                      struct tensors *ret)
{
    struct problem problem = {0};
    const struct place place = {.problem = &problem};
    struct document *document =
        document_decode(file->data, file->size, &settings->limits, &problem);
    const bool read = document != NULL && read_all(document_root(document), &place, ret);
    document_free(document);
    return read || say(false, "%s: %s%s%s", path, problem.pointer,
                       problem.pointer[0] == '\0' ? "" : ": ", problem.detail);
}

/* ---- NumPy's files ---- */

/* An array that has no name of its own. */
static bool read_npy(const struct settings *settings, const char *path, const struct blob *file,
                     struct tensors *ret)
{
    char fault[NPY_FAULT_SIZE];
    struct npy array;
    if (!npy_decode(file->data, file->size, settings->limits.job_bytes, &array, fault))
        return say(false, "%s: %s", path, fault);
    ret->tensor = calloc(1, sizeof *ret->tensor);
    if (ret->tensor != NULL) {
        ret->tensor[0].values = array.values;
        ret->tensor[0].shape = array.shape;
        ret->tensor[0].name = strdup("array");
        ret->count = 1;
    } else {
        gck_vector_free(array.values);
    }
    return (ret->count == 1 && ret->tensor[0].name != NULL) ||
           say(false, "%s: memory is out", path);
}

static bool read_npz(const struct settings *settings, const char *path, const struct blob *file,
                     struct tensors *ret)
{
    char fault[NPY_FAULT_SIZE];
    struct npz npz;
    if (!npz_decode(file->data, file->size, settings->limits.job_bytes, &npz, fault))
        return say(false, "%s: %s", path, fault);
    ret->tensor = calloc(npz.count, sizeof *ret->tensor);
    for (size_t i = 0; ret->tensor != NULL && i < npz.count; i++) {
        ret->tensor[ret->count++] =
            (struct tensor){npz.item[i].name, npz.item[i].array.shape, npz.item[i].array.values};
        npz.item[i].name = NULL;
        npz.item[i].array.values = NULL;
    }
    npz_done(&npz);
    return ret->tensor != NULL || say(false, "%s: memory is out", path);
}

/* As any zip begins. */
static bool npz_is(const char *bytes, size_t size)
{
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

bool tensors_read(const struct settings *settings, const char *path, struct tensors *ret)
{
    *ret = (struct tensors){0};
    struct blob *file = file_read(path);
    if (file == NULL) return false;
    const bool read = npy_is(file->data, file->size)   ? read_npy(settings, path, file, ret)
                      : npz_is(file->data, file->size) ? read_npz(settings, path, file, ret)
                                                       : read_json(settings, path, file, ret);
    blob_unref(file);
    if (!read) tensors_done(ret);
    return read;
}

/* ---- using ---- */

struct tensor *tensors_find(const struct tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->tensor[i].name, name) == 0) return &tensors->tensor[i];
    return NULL;
}

bool tensor_transpose(struct tensor *tensor)
{
    if (tensor->shape.rank != 2) return false;
    const size_t rows = tensor->shape.dim[0], columns = tensor->shape.dim[1];
    double *turned = gck_vector_room(rows * columns);
    if (turned == NULL) return false;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            turned[j * rows + i] = tensor->values[i * columns + j];
    gck_vector_free(tensor->values);
    tensor->values = turned;
    tensor->shape.dim[0] = columns;
    tensor->shape.dim[1] = rows;
    return true;
}

/* A null in the place of a whole tensor would leave it out. */
static struct value *write_scalar(struct writer *writer, double number)
{
    if (isfinite(number)) return write_number(writer, number);
    return write_text(writer, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

struct value *tensors_write(struct writer *writer, const struct tensors *tensors)
{
    struct value *object = write_object(writer);
    for (size_t i = 0; i < tensors->count; i++) {
        const struct tensor *tensor = &tensors->tensor[i];
        write_member(writer, object, tensor->name,
                     tensor->shape.rank == 0
                         ? write_scalar(writer, tensor->values[0])
                         : write_tensor(writer, &tensor->shape, tensor->values));
    }
    return object;
}
