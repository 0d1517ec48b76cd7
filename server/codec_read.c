#include "server/codec_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place place_key(const struct place *up, const char *key)
{
    return (struct place){.problem = up->problem, .up = up, .key = key};
}

struct place place_index(const struct place *up, size_t index)
{
    return (struct place){.problem = up->problem, .up = up, .index = index};
}

/* RFC 6901: "~" and "/" in a key are escaped. */
static size_t token_write(const char *name, char *token, size_t size)
{
    size_t used = 0;
    for (; *name != '\0' && used + 2 < size; name++) {
        const bool escaped = *name == '~' || *name == '/';
        if (escaped) token[used++] = '~';
        token[used++] = !escaped ? *name : *name == '~' ? '0' : '1';
    }
    return *name == '\0' ? used : size;
}

/* A name that is too long is left out, with what is below: so the pointer is that of something. */
static bool pointer_write(const struct place *place, char *pointer, size_t *used)
{
    if (place->up == NULL) return true;
    if (!pointer_write(place->up, pointer, used)) return false;
    char digits[24], token[PROBLEM_POINTER_SIZE];
    snprintf(digits, sizeof digits, "%zu", place->index);
    const size_t length =
        token_write(place->key == NULL ? digits : place->key, token, sizeof token);
    if (*used + 1 + length >= PROBLEM_POINTER_SIZE) return false;
    pointer[(*used)++] = '/';
    memcpy(pointer + *used, token, length);
    *used += length;
    return true;
}

static void pointer_set(const struct place *place)
{
    size_t used = 0;
    pointer_write(place, place->problem->pointer, &used);
    place->problem->pointer[used] = '\0';
    place->problem->pointed = true;
}

bool place_fail(const struct place *place, const char *format, ...)
{
    struct problem *problem = place->problem;
    if (problem->type != PROBLEM_NONE) return false;
    problem->type = PROBLEM_INVALID;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
    va_end(arguments);
    pointer_set(place);
    return false;
}

bool place_fail_memory(const struct place *place)
{
    return problem_memory(place->problem);
}

bool place_fail_error(const struct place *place, const gck_error *error)
{
    pointer_set(place);
    char base[PROBLEM_POINTER_SIZE];
    memcpy(base, place->problem->pointer, sizeof base);
    place->problem->pointed = false;
    return problem_from_error(place->problem, base, error);
}

static bool wrong_kind(const struct value *value, const struct place *place, const char *wanted)
{
    return place_fail(place, "must be %s, got %s", wanted, value_kind(value));
}

static bool is_known(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

bool read_object(const struct value *value, const struct place *place, const char *const *names,
                 size_t count)
{
    if (!value_is_object(value)) return wrong_kind(value, place, "an object");
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    while ((name = value_next(value, &iterator, &member)) != NULL) {
        if (is_known(name, names, count)) continue;
        const struct place at = place_key(place, name);
        return place_fail(&at, "is not a known field");
    }
    return true;
}

const struct value *value_given(const struct value *object, const char *name)
{
    const struct value *member = value_member(object, name);
    return member == NULL || value_is_null(member) ? NULL : member;
}

bool read_required(const struct value *object, const struct place *place, const char *name,
                   const struct value **ret_member)
{
    const struct value *member = value_member(object, name);
    if (member == NULL) return place_fail(place, "needs the field \"%s\"", name);
    *ret_member = member;
    return true;
}

bool read_number(const struct value *value, const struct place *place, double minimum,
                 double maximum, double *ret_number)
{
    if (!value_is_number(value)) return wrong_kind(value, place, "a number");
    const double number = value_number(value);
    if (!(number >= minimum && number <= maximum))
        return place_fail(place, "must be between %.16g and %.16g, got %.16g", minimum, maximum,
                          number);
    *ret_number = number;
    return true;
}

bool read_count(const struct value *value, const struct place *place, uint64_t minimum,
                uint64_t maximum, uint64_t *ret_count)
{
    if (!value_is_number(value)) return wrong_kind(value, place, "an integer");
    const double number = value_number(value);
    if (number != floor(number)) return place_fail(place, "must be an integer, got %.16g", number);
    if (!(number >= (double)minimum && number <= (double)maximum))
        return place_fail(place, "must be between %llu and %llu, got %.16g",
                          (unsigned long long)minimum, (unsigned long long)maximum, number);
    *ret_count = (uint64_t)number;
    return true;
}

bool read_boolean(const struct value *value, const struct place *place, bool *ret_truth)
{
    if (!value_is_boolean(value)) return wrong_kind(value, place, "a boolean");
    *ret_truth = value_boolean(value);
    return true;
}

bool read_text(const struct value *value, const struct place *place, const char **ret_text)
{
    if (!value_is_text(value)) return wrong_kind(value, place, "a string");
    *ret_text = value_text(value);
    return true;
}

bool read_array(const struct value *value, const struct place *place)
{
    return value_is_array(value) || wrong_kind(value, place, "an array");
}

gck_shape value_shape(const struct value *value)
{
    gck_shape shape = {0};
    while (shape.rank < GCK_RANK_MAX && value_is_array(value)) {
        shape.dim[shape.rank++] = value_count(value);
        if (value_count(value) == 0) break;
        value = value_item(value, 0);
    }
    return shape;
}

bool value_is_even(const struct value *value)
{
    const gck_shape shape = value_shape(value);
    return value_numbers(value, shape.rank, shape.dim, true) != NULL;
}

/* One tensor being read: rows are filled in order, so `next` is where the next number goes. */
struct tensor_reader {
    const gck_shape *shape;
    const struct value *whole;
    const char *what;
    bool any;     /* what JSON has no number for is taken, too */
    double *next; /* NULL: only lengths matter */
};

/* "row 2", "row 2, 0": where below the whole. */
static size_t row_format(const struct place *place, size_t axis, char *text, size_t size)
{
    size_t used = axis > 1 ? row_format(place->up, axis - 1, text, size) : 0;
    used +=
        (size_t)snprintf(text + used, size - used, "%s%zu", axis > 1 ? ", " : "row ", place->index);
    return used;
}

/* What has no shape is told by the first row that is too long or too short. */
static bool wrong_length(const struct tensor_reader *reader, const struct value *value, size_t axis,
                         const struct place *place)
{
    char wanted[GCK_SHAPE_TEXT], got[GCK_SHAPE_TEXT], row[GCK_RANK_MAX * 24];
    const size_t count = value_count(value), due = reader->shape->dim[axis];
    gck_shape_format(reader->shape, wanted);
    if (axis == 0 || value_is_even(reader->whole)) {
        const gck_shape shape = value_shape(reader->whole);
        return place_fail(place, "has %zu item%s where there must be %zu: %s has shape %s, not %s",
                          count, count == 1 ? "" : "s", due, reader->what,
                          gck_shape_format(&shape, got), wanted);
    }
    row_format(place, axis, row, sizeof row);
    return place_fail(place, "%s has %zu item%s where there must be %zu: %s must be %s", row, count,
                      count == 1 ? "" : "s", due, reader->what, wanted);
}

static bool read_numbers(struct tensor_reader *reader, const struct value *row, size_t count,
                         const struct place *place)
{
    for (size_t i = 0; reader->next != NULL && i < count; i++) {
        const struct value *item = value_item(row, i);
        if (!(reader->any || value_is_number(item)) || !value_any_number(item, reader->next)) {
            const struct place at = place_index(place, i);
            return wrong_kind(item, &at,
                              reader->any ? "a number, null, \"NaN\", \"Infinity\" or \"-Infinity\""
                                          : "a number");
        }
        reader->next++;
    }
    return true;
}

static bool read_axis(struct tensor_reader *reader, const struct value *value, size_t axis,
                      const struct place *place)
{
    if (!value_is_array(value)) return wrong_kind(value, place, "an array");
    const size_t count = reader->shape->dim[axis];
    if (value_count(value) != count) return wrong_length(reader, value, axis, place);
    if (axis + 1 == reader->shape->rank) return read_numbers(reader, value, count, place);
    for (size_t i = 0; i < count; i++) {
        const struct place at = place_index(place, i);
        if (!read_axis(reader, value_item(value, i), axis + 1, &at)) return false;
    }
    return true;
}

bool read_tensor(const struct value *value, const struct place *place, const gck_shape *shape,
                 const char *what, bool any, double *values)
{
    struct tensor_reader reader = {shape, value, what, any, values};
    const double *numbers = value_numbers(value, shape->rank, shape->dim, any || values == NULL);
    size_t count;
    if (numbers == NULL || !gck_shape_count(shape, &count))
        return read_axis(&reader, value, 0, place);
    if (values != NULL) memcpy(values, numbers, count * sizeof *values);
    return true;
}

bool read_extent(const struct value *value, const struct place *place, const gck_shape *shape,
                 const char *what)
{
    return read_tensor(value, place, shape, what, true, NULL);
}
