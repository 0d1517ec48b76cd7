#include "server/codec_comparison.h"
#include "server/codec_claim.h"
#include "server/codec_finding.h"
#include "server/codec_named.h"
#include "server/codec_tensor.h"

#include <gradcheck/compare.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TENSORS_MAX = 4096, WORST = 5, SKIPPED_NAMED = 5 };

enum side { CLAIMED, REFERENCE, PARAMETERS, SIDES };
static const char *const side_names[SIDES] = {"claimed", "reference", "parameters"};

/* Whose names and shapes the others must have. */
#define OWNER "the reference"

/* Tensors by name. Their numbers lie in the document, where it keeps them as they are needed. */
struct comparison {
    size_t count;
    gck_compared *tensor;
    double *(*own)[SIDES]; /* memory of those that do not lie there */
    gck_dtype dtype;
    double tolerance;
    size_t skipped; /* tensors of the reference that are not claimed */
    const char *skipped_name[SKIPPED_NAMED];
};

static void comparison_done(struct comparison *comparison)
{
    for (size_t i = 0; comparison->own != NULL && i < comparison->count; i++)
        for (int side = 0; side < SIDES; side++)
            gck_vector_free(comparison->own[i][side]);
    free(comparison->own);
    free(comparison->tensor);
}

/* ---- reading ---- */

/* A scalar has rank 0; nested arrays are judged by their first items. */
static bool read_shape(const struct value *value, const struct place *place, gck_shape *ret_shape,
                       size_t *ret_count)
{
    double number;
    *ret_shape = value_shape(value);
    if (ret_shape->rank == 0 && !read_scalar(value, place, false, &number)) return false;
    return gck_shape_count(ret_shape, ret_count) || place_fail(place, "has no elements");
}

static bool read_numbers(const struct value *value, const struct place *place,
                         const gck_shape *shape, size_t count, bool any, double **own,
                         const double **ret_numbers)
{
    *ret_numbers = shape->rank == 0 ? NULL : value_numbers(value, shape->rank, shape->dim, any);
    if (*ret_numbers != NULL) return true;
    if (shape->rank > 0 && !read_extent(value, place, shape, "this")) return false;
    *ret_numbers = *own = gck_vector_room(count);
    if (*own == NULL) return place_fail_memory(place);
    return shape->rank == 0 ? read_scalar(value, place, any, *own)
                            : read_tensor(value, place, shape, "this", any, *own);
}

/* One that is not claimed: its name alone is kept, but it must be a tensor all the same. */
static bool skip_one(const char *name, const struct value *const value[SIDES],
                     const struct place at[SIDES], const gck_shape *shape, size_t count,
                     struct comparison *comparison)
{
    for (int side = REFERENCE; side < SIDES; side++) {
        double *own = NULL;
        const double *numbers;
        const bool sound = value[side] == NULL || read_numbers(value[side], &at[side], shape, count,
                                                               false, &own, &numbers);
        gck_vector_free(own);
        if (!sound) return false;
    }
    if (comparison->skipped < SKIPPED_NAMED) comparison->skipped_name[comparison->skipped] = name;
    comparison->skipped++;
    return true;
}

/* One tensor that the reference has; it is left out where it is not claimed. */
static bool read_one(const char *name, const struct value *const value[SIDES],
                     const struct place at[SIDES], struct comparison *comparison)
{
    gck_compared *tensor = &comparison->tensor[comparison->count];
    double **own = comparison->own[comparison->count];
    const double **numbers[SIDES] = {&tensor->claimed, &tensor->reference, &tensor->parameters};
    gck_shape shape;
    size_t count;
    if (!read_shape(value[REFERENCE], &at[REFERENCE], &shape, &count)) return false;
    for (int side = 0; side < SIDES; side++)
        if (value[side] != NULL && !read_same_shape(value[side], &at[side], &shape, OWNER))
            return false;
    if (value[CLAIMED] == NULL) return skip_one(name, value, at, &shape, count, comparison);
    comparison->count++;
    *tensor = (gck_compared){.name = name, .shape = shape, .count = count};
    for (int side = 0; side < SIDES; side++)
        if (value[side] != NULL && !read_numbers(value[side], &at[side], &shape, count,
                                                 side == CLAIMED, &own[side], numbers[side]))
            return false;
    return true;
}

static bool read_sets(const struct value *const set[SIDES], const struct place at[SIDES],
                      struct comparison *comparison)
{
    const size_t count = value_count(set[REFERENCE]);
    if (count > TENSORS_MAX)
        return place_fail(&at[REFERENCE], "must have at most %d tensors, got %zu", TENSORS_MAX,
                          count);
    comparison->tensor = calloc(count + 1, sizeof *comparison->tensor);
    comparison->own = calloc(count + 1, sizeof *comparison->own);
    if (comparison->tensor == NULL || comparison->own == NULL) return place_fail_memory(&at[0]);
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    while ((name = value_next(set[REFERENCE], &iterator, &member)) != NULL) {
        const struct value *value[SIDES];
        struct place at_value[SIDES];
        for (int side = 0; side < SIDES; side++) {
            value[side] = set[side] == NULL ? NULL : value_given(set[side], name);
            at_value[side] = place_key(&at[side], name);
        }
        value[REFERENCE] = member;
        if (!read_one(name, value, at_value, comparison)) return false;
    }
    return comparison->count > 0 || place_fail(&at[CLAIMED], "claims nothing of the reference");
}

static bool read_options(const struct value *root, const struct place *place,
                         struct comparison *comparison)
{
    const struct value *dtype = value_given(root, "dtype");
    const struct value *tolerance = value_given(root, "tolerance");
    const struct place at_dtype = place_key(place, "dtype");
    const struct place at_tolerance = place_key(place, "tolerance");
    comparison->tolerance = NAN;
    return (dtype == NULL || read_dtype(dtype, &at_dtype, &comparison->dtype)) &&
           (tolerance == NULL ||
            read_number(tolerance, &at_tolerance, 0, 1, &comparison->tolerance));
}

static bool read_comparison(const struct value *root, const struct place *place,
                            struct comparison *comparison)
{
    static const char *const names[] = {"claimed", "reference", "dtype", "tolerance", "parameters"};
    const struct value *set[SIDES] = {NULL};
    struct place at[SIDES];
    if (!read_object(root, place, names, COUNT(names)) ||
        !read_required(root, place, "claimed", &set[CLAIMED]) ||
        !read_required(root, place, "reference", &set[REFERENCE]))
        return false;
    set[PARAMETERS] = value_given(root, "parameters");
    for (int side = 0; side < SIDES; side++) {
        at[side] = place_key(place, side_names[side]);
        if (set[side] != NULL && !value_is_object(set[side]))
            return place_fail(&at[side], "must be an object, got %s", value_kind(set[side]));
    }
    for (int side = 0; side < SIDES; side++)
        if (set[side] != NULL && !read_known_names(set[side], &at[side], set[REFERENCE], OWNER))
            return false;
    return read_options(root, place, comparison) && read_sets(set, at, comparison);
}

/* ---- writing ---- */

static void put_number(struct writer *w, struct value *object, const char *name, double number)
{
    write_member(w, object, name, write_number(w, number));
}

static void put_verdict(struct writer *w, struct value *object, gck_verdict verdict)
{
    write_member(w, object, "verdict", write_text(w, gck_verdict_name(verdict)));
}

static struct value *element_value(struct writer *w, const gck_tensor_report *tensor,
                                   const gck_element *element)
{
    struct value *object = write_object(w), *index = write_array(w);
    size_t axes[GCK_RANK_MAX];
    gck_shape_unravel(&tensor->shape, element->index, axes);
    for (size_t axis = 0; axis < tensor->shape.rank; axis++)
        write_item(w, index, write_count(w, axes[axis]));
    write_member(w, object, "index", index);
    put_number(w, object, "claimed", element->analytic);
    put_number(w, object, "reference", element->exact);
    put_number(w, object, "absolute_error", element->absolute_error);
    put_number(w, object, "relative_error", element->relative_error);
    put_verdict(w, object, element->verdict);
    return object;
}

static struct value *tensor_value(struct writer *w, const gck_tensor_report *tensor)
{
    struct value *object = write_object(w), *worst = write_array(w);
    write_member(w, object, "name", write_text(w, tensor->name));
    write_member(w, object, "shape", write_shape(w, &tensor->shape));
    put_verdict(w, object, tensor->verdict);
    put_number(w, object, "distance", tensor->distance);
    put_number(w, object, "error_bar", tensor->error_bar);
    put_number(w, object, "claimed_norm", tensor->norms.analytic);
    put_number(w, object, "reference_norm", tensor->norms.exact);
    put_number(w, object, "max_absolute_error", tensor->max_absolute_error);
    put_number(w, object, "max_relative_error", tensor->max_relative_error);
    write_member(w, object, "wrong_elements", write_count(w, tensor->wrong_elements));
    for (size_t i = 0; i < tensor->worst_count; i++)
        write_item(w, worst, element_value(w, tensor, &tensor->worst[i]));
    write_member(w, object, "worst", worst);
    return object;
}

/* What was left out must not pass unnoticed. */
static struct value *warnings_value(struct writer *w, const struct comparison *comparison)
{
    struct value *array = write_array(w);
    char text[400];
    for (size_t i = 0; i < comparison->skipped && i < SKIPPED_NAMED; i++) {
        const bool last = i + 1 == SKIPPED_NAMED && comparison->skipped > SKIPPED_NAMED;
        snprintf(text, sizeof text, "%.200s is not claimed, so it is not compared",
                 comparison->skipped_name[i]);
        if (last)
            snprintf(text, sizeof text, "%zu more tensors are not claimed, and not compared",
                     comparison->skipped - i);
        write_item(w, array, write_text(w, text));
    }
    return array;
}

static struct blob *encode(const struct comparison *comparison, const gck_comparison *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w), *tensors = write_array(&w);
    put_verdict(&w, object, result->verdict);
    put_number(&w, object, "distance", result->distance);
    put_number(&w, object, "tolerance", result->tolerance);
    write_member(&w, object, "dtype", write_text(&w, gck_dtype_name(comparison->dtype)));
    for (size_t i = 0; i < result->count; i++)
        write_item(&w, tensors, tensor_value(&w, &result->tensor[i]));
    write_member(&w, object, "tensors", tensors);
    write_member(&w, object, "findings", write_findings(&w, &result->findings));
    write_member(&w, object, "warnings", warnings_value(&w, comparison));
    return write_blob(&w, object);
}

/* ---- all of it ---- */

static struct blob *compare(const struct comparison *comparison, const struct place *place)
{
    const gck_compare_spec spec = {comparison->count, comparison->tensor, comparison->dtype,
                                   comparison->tolerance, WORST};
    gck_comparison *result;
    gck_error error;
    if (gck_comparison_new(&spec, &result, &error) != GCK_OK) {
        place_fail_error(place, &error);
        return NULL;
    }
    struct blob *answer = encode(comparison, result);
    gck_comparison_free(result);
    return answer;
}

struct blob *codec_comparison(const struct blob *body, const struct limits *limits,
                              struct problem *problem)
{
    const struct place place = {.problem = problem};
    struct comparison comparison = {0};
    struct blob *answer = NULL;
    struct document *document = document_decode(body->data, body->size, limits, problem);
    if (document == NULL) return NULL;
    if (read_comparison(document_root(document), &place, &comparison))
        answer = compare(&comparison, &place);
    comparison_done(&comparison);
    document_free(document);
    return answer;
}
