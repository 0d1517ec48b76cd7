#include "values.h"
#include "client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One step of a pointer; `name` is not terminated. */
static json_t *value_step(const json_t *parent, const char *name, size_t length)
{
    if (json_is_object(parent)) return json_object_getn(parent, name, length);
    if (!json_is_array(parent) || length == 0) return NULL;
    char *end = NULL;
    size_t index = strtoul(name, &end, 10);
    return end == name + length ? json_array_get(parent, index) : NULL;
}

json_t *value_find(const json_t *root, const char *pointer)
{
    json_t *value = (json_t *)root;
    while (value != NULL && *pointer == '/') {
        size_t length = strcspn(pointer + 1, "/");
        value = value_step(value, pointer + 1, length);
        pointer += 1 + length;
    }
    return value;
}

/* For messages: at most the first 500 bytes. */
static const char *text_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) return "(nothing)";
    if (strlen(text) > 500) text[500] = '\0';
    return keep(text);
}

json_t *value_at(const json_t *root, const char *pointer)
{
    json_t *value = value_find(root, pointer);
    ck_assert_msg(value != NULL, "nothing at %s in %s", pointer, text_of(root));
    return value;
}

double number_at(const json_t *root, const char *pointer)
{
    json_t *value = value_at(root, pointer);
    ck_assert_msg(json_is_number(value), "%s is no number: %s", pointer, text_of(value));
    return json_number_value(value);
}

json_int_t integer_at(const json_t *root, const char *pointer)
{
    json_t *value = value_at(root, pointer);
    ck_assert_msg(json_is_integer(value), "%s is no integer: %s", pointer, text_of(value));
    return json_integer_value(value);
}

const char *text_at(const json_t *root, const char *pointer)
{
    json_t *value = value_at(root, pointer);
    ck_assert_msg(json_is_string(value), "%s is no string: %s", pointer, text_of(value));
    return json_string_value(value);
}

bool bool_at(const json_t *root, const char *pointer)
{
    json_t *value = value_at(root, pointer);
    ck_assert_msg(json_is_boolean(value), "%s is no boolean: %s", pointer, text_of(value));
    return json_is_true(value);
}

size_t length_at(const json_t *root, const char *pointer)
{
    json_t *value = value_at(root, pointer);
    ck_assert_msg(json_is_array(value), "%s is no array: %s", pointer, text_of(value));
    return json_array_size(value);
}

bool nothing_at(const json_t *root, const char *pointer)
{
    json_t *value = value_find(root, pointer);
    return value == NULL || json_is_null(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* The container that a pointer's last step names a place in; *ret_name is that step. */
static json_t *value_parent(json_t *root, const char *pointer, const char **ret_name)
{
    const char *last = strrchr(pointer, '/');
    ck_assert_msg(last != NULL, "no pointer: %s", pointer);
    *ret_name = last + 1;
    return value_at(root, format("%.*s", (int)(last - pointer), pointer));
}

void value_set(json_t *root, const char *pointer, json_t *value)
{
    const char *name = NULL;
    json_t *parent = value_parent(root, pointer, &name);
    size_t index = json_is_array(parent) ? strtoul(name, NULL, 10) : 0;
    int failed = !json_is_array(parent)             ? json_object_set_new(parent, name, value)
                 : index == json_array_size(parent) ? json_array_append_new(parent, value)
                                                    : json_array_set_new(parent, index, value);
    ck_assert_msg(failed == 0, "cannot set %s", pointer);
}

void value_remove(json_t *root, const char *pointer)
{
    const char *name = NULL;
    json_t *parent = value_parent(root, pointer, &name);
    int failed = json_is_array(parent) ? json_array_remove(parent, strtoul(name, NULL, 10))
                                       : json_object_del(parent, name);
    ck_assert_msg(failed == 0, "cannot remove %s", pointer);
}

json_t *value_parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    ck_assert_msg(value != NULL, "%s: %s", error.text, text);
    return keep(value);
}

static bool name_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *word = list; word != NULL && *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        if (size == length && strncmp(word, name, size) == 0) return true;
        word += size;
    }
    return false;
}

void names_expect(const json_t *object, const char *names, const char *optional)
{
    ck_assert_msg(json_is_object(object), "no object: %s", text_of(object));
    for (const char *word = names; *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        ck_assert_msg(json_object_getn(object, word, size) != NULL, "no %.*s in %s", (int)size,
                      word, text_of(object));
        word += size;
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
        ck_assert_msg(name_listed(names, name) || name_listed(optional, name),
                      "%s is not one of: %s", name, names);
}

static size_t numbers_count(const json_t *value)
{
    size_t count = 0;
    if (!json_is_array(value)) return 1;
    for (size_t i = 0; i < json_array_size(value); i++)
        count += numbers_count(json_array_get(value, i));
    return count;
}

/* A null stands for a number that is not finite. */
static void numbers_fill(const json_t *value, struct numbers *numbers)
{
    if (!json_is_array(value)) {
        ck_assert_msg(json_is_number(value) || json_is_null(value), "no number: %s",
                      text_of(value));
        numbers->values[numbers->count++] = json_is_null(value) ? NAN : json_number_value(value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        numbers_fill(json_array_get(value, i), numbers);
}

struct numbers numbers_of(const json_t *array)
{
    struct numbers numbers = {.count = 0};
    ck_assert_msg(json_is_array(array), "no array: %s", text_of(array));
    numbers.values = keep(malloc((numbers_count(array) + 1) * sizeof(double)));
    numbers_fill(array, &numbers);
    return numbers;
}

struct numbers numbers_at(const json_t *root, const char *pointer)
{
    return numbers_of(value_at(root, pointer));
}

double norm(struct numbers a)
{
    double sum = 0;
    for (size_t i = 0; i < a.count; i++)
        sum += a.values[i] * a.values[i];
    return sqrt(sum);
}

double norm_difference(struct numbers a, struct numbers b)
{
    double sum = 0;
    ck_assert_uint_eq(a.count, b.count);
    for (size_t i = 0; i < a.count; i++)
        sum += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
    return sqrt(sum);
}

double largest(struct numbers a)
{
    double most = 0;
    for (size_t i = 0; i < a.count; i++)
        most = fmax(most, fabs(a.values[i]));
    return most;
}

double largest_difference(struct numbers a, struct numbers b)
{
    double most = 0;
    ck_assert_uint_eq(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        double difference = fabs(a.values[i] - b.values[i]);
        most = fmax(most, isfinite(difference) ? difference : INFINITY);
    }
    return most;
}

bool close_to(double a, double b, double limit)
{
    return fabs(a - b) <= limit * fabs(b);
}

void matrix_expect(const json_t *array, size_t rows, size_t columns)
{
    ck_assert_msg(json_is_array(array) && json_array_size(array) == rows, "not %zu long: %s", rows,
                  text_of(array));
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_array_get(array, i);
        ck_assert_msg(columns == 0 ? json_is_number(row) : json_array_size(row) == columns,
                      "not %zu x %zu: %s", rows, columns, text_of(array));
    }
}
