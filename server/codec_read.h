/* Readers of JSON values that know where they are, so that each fault comes with its JSON pointer.
 *
 * All return false after setting the problem of their place. */
#ifndef GRADCHECKD_CODEC_READ_H
#define GRADCHECKD_CODEC_READ_H

#include "server/codec_json.h"

#include <gradcheck/item.h>
#include <gradcheck/tensor.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The largest integer up to which doubles hold every one. */
#define EXACT_MAX UINT64_C(9007199254740991)

/* A place in a body: a chain of keys and indexes that ends at the root. */
struct place {
    struct problem *problem;
    const struct place *up; /* NULL at the root */
    const char *key;        /* NULL: an index */
    size_t index;
};

struct place place_key(const struct place *up, const char *key);
struct place place_index(const struct place *up, size_t index);

/* 422 at the place. */
bool place_fail(const struct place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Memory is out while this is read. */
bool place_fail_memory(const struct place *place);

/* A fault that the core found in what stands at the place. */
bool place_fail_error(const struct place *place, const gck_error *error);

/* An object with none but the `count` members of `names`. */
bool read_object(const struct value *value, const struct place *place, const char *const *names,
                 size_t count);
/* An optional member, or NULL: one that is null is as good as none. */
const struct value *value_given(const struct value *object, const char *name);
/* A member that must be there. */
bool read_required(const struct value *object, const struct place *place, const char *name,
                   const struct value **ret_member);
bool read_number(const struct value *value, const struct place *place, double minimum,
                 double maximum, double *ret_number);
bool read_count(const struct value *value, const struct place *place, uint64_t minimum,
                uint64_t maximum, uint64_t *ret_count);
bool read_boolean(const struct value *value, const struct place *place, bool *ret_truth);
bool read_text(const struct value *value, const struct place *place, const char **ret_text);
bool read_array(const struct value *value, const struct place *place);

/* Whether value is made of nested arrays of that shape, so that memory for it can be taken: then
 * the body holds as many values. `what` describes it in the message: "W of layer 0 (dense)". */
bool read_extent(const struct value *value, const struct place *place, const gck_shape *shape,
                 const char *what);
/* The same, and its numbers, row-major; with `any`, what JSON has no number for is taken, too. */
bool read_tensor(const struct value *value, const struct place *place, const gck_shape *shape,
                 const char *what, bool any, double *values);
/* The shape of nested arrays, judged by their first items; numbers have rank 0. */
gck_shape value_shape(const struct value *value);
/* Whether all of them have that shape, and end in numbers. */
bool value_is_even(const struct value *value);

#endif
