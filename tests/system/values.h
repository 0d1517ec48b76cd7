/*
 * Reads JSON by pointer (RFC 6901, without escapes), and compares numbers. A value that is missing
 * or of another type fails the test. All results are borrowed.
 */
#ifndef TESTS_SYSTEM_VALUES_H
#define TESTS_SYSTEM_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL when there is no such value. */
json_t *value_find(const json_t *root, const char *pointer);
json_t *value_at(const json_t *root, const char *pointer);
double number_at(const json_t *root, const char *pointer);
json_int_t integer_at(const json_t *root, const char *pointer);
const char *text_at(const json_t *root, const char *pointer);
bool bool_at(const json_t *root, const char *pointer);
size_t length_at(const json_t *root, const char *pointer);
/* Absent, null, or an empty array: three ways to say nothing. */
bool nothing_at(const json_t *root, const char *pointer);

/* Takes the value: sets a member, or an element (one past the last appends). */
void value_set(json_t *root, const char *pointer, json_t *value);
void value_remove(json_t *root, const char *pointer);
/* A value from its text; kept until the test ends. */
json_t *value_parse(const char *text);

/* Asserts an object's names: all of `names`, and of `optional` (may be NULL) any; separated by
 * spaces. */
void names_expect(const json_t *object, const char *names, const char *optional);

/* A nested array's numbers in order; kept until the test ends. */
struct numbers {
    double *values;
    size_t count;
};
struct numbers numbers_of(const json_t *array);
struct numbers numbers_at(const json_t *root, const char *pointer);
/* Euclidean norms, of one and of the difference of two. */
double norm(struct numbers a);
double norm_difference(struct numbers a, struct numbers b);
/* The largest |value|. */
double largest(struct numbers a);
/* The largest |a - b|; NaN counts as infinite. */
double largest_difference(struct numbers a, struct numbers b);
/* |a - b| <= limit * |b|, false for NaN. */
bool close_to(double a, double b, double limit);

/* Asserts that an array is a matrix of these sizes, or a vector (columns 0). */
void matrix_expect(const json_t *array, size_t rows, size_t columns);

#endif
