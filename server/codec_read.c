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

static void append(char *pointer, size_t *used, char c)
{
    if (*used < PROBLEM_POINTER_SIZE - 1) pointer[(*used)++] = c;
}

/* RFC 6901: "~" and "/" in a key are escaped. */
static void pointer_write(const struct place *place, char *pointer, size_t *used)
{
    if (place->up == NULL) return;
    pointer_write(place->up, pointer, used);
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", place->index);
    append(pointer, used, '/');
    for (const char *c = place->key == NULL ? digits : place->key; *c != '\0'; c++) {
        if (*c != '~' && *c != '/') {
            append(pointer, used, *c);
            continue;
        }
        append(pointer, used, '~');
        append(pointer, used, *c == '~' ? '0' : '1');
    }
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

/* One tensor being read: rows are filled in order, so `next` is where the next number goes. */
struct tensor_reader {
    const gck_shape *shape;
    const struct value *whole;
    const char *what;
    bool any;     /* what JSON has no number for is taken, too */
    double *next; /* NULL: only lengths matter */
};

static bool wrong_length(const struct tensor_reader *reader, const struct value *value, size_t axis,
                         const struct place *place)
{
    char got[GCK_SHAPE_TEXT], wanted[GCK_SHAPE_TEXT];
    const gck_shape shape = value_shape(reader->whole);
    return place_fail(place, "has %zu items where there must be %zu: %s has shape %s, not %s",
                      value_count(value), reader->shape->dim[axis], reader->what,
                      gck_shape_format(reader->shape, wanted), gck_shape_format(&shape, got));
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
