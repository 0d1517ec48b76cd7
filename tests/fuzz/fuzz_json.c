/* Any text as JSON: decoded as bodies are, and by the JSON library alone. Both must refuse it in
 * the same words, or see the same values, to the bit. */
#include "tests/fuzz/fuzz.h"

#include <gradcheck/tensor.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void json_compare(const struct value *value, const json_t *node);

static void json_compare_number(double a, double b)
{
    MUST(memcmp(&a, &b, sizeof a) == 0);
}

static void json_compare_members(const struct value *value, const json_t *node)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    MUST(value_count(value) == json_object_size(node));
    while ((name = value_next(value, &iterator, &member)) != NULL) {
        MUST(member == value_member(value, name));
        MUST(json_object_get(node, name) != NULL);
        json_compare(member, json_object_get(node, name));
    }
    MUST(value_member(value, "no such member") == NULL ||
         json_object_get(node, "no such member") != NULL);
}

/* The numbers of a nest are its items, in order. */
static void json_compare_row(const double **next, const json_t *node)
{
    if (!json_is_array(node)) {
        json_compare_number(*(*next)++, json_real_value(node));
        return;
    }
    for (size_t i = 0; i < json_array_size(node); i++)
        json_compare_row(next, json_array_get(node, i));
}

static void json_compare_items(const struct value *value, const json_t *node)
{
    size_t rank = 0, dim[8];
    MUST(value_count(value) == json_array_size(node));
    for (size_t i = 0; i < json_array_size(node); i++)
        json_compare(value_item(value, i), json_array_get(node, i));
    MUST(value_item(value, json_array_size(node)) == NULL);
    for (const json_t *n = node; json_is_array(n) && rank < 8; n = json_array_get(n, 0))
        dim[rank++] = json_array_size(n);
    const double *numbers = value_numbers(value, rank, dim, false);
    if (numbers != NULL) json_compare_row(&numbers, node);
    dim[0]++;
    MUST(value_numbers(value, rank, dim, false) == NULL);
}

/* Below a key "claimed" these strings are numbers, where they stand among numbers. */
static bool json_is_special(const struct value *value, const json_t *node)
{
    double number;
    if (!json_is_string(node) || value_is_text(value)) return false;
    MUST(value_any_number(value, &number) && !isfinite(number));
    MUST(strcmp(json_string_value(node), isnan(number) ? "NaN"
                                         : number > 0  ? "Infinity"
                                                       : "-Infinity") == 0);
    return true;
}

static void json_compare(const struct value *value, const json_t *node)
{
    if (json_is_special(value, node)) return;
    MUST(value_is_object(value) == json_is_object(node));
    MUST(value_is_array(value) == json_is_array(node));
    MUST(value_is_text(value) == json_is_string(node));
    MUST(value_is_number(value) == json_is_real(node));
    MUST(value_is_boolean(value) == json_is_boolean(node));
    MUST(value_is_null(value) == json_is_null(node));
    if (json_is_object(node)) json_compare_members(value, node);
    if (json_is_array(node)) json_compare_items(value, node);
    if (json_is_string(node)) MUST(strcmp(value_text(value), json_string_value(node)) == 0);
    if (json_is_real(node)) json_compare_number(value_number(value), json_real_value(node));
    if (json_is_boolean(node)) MUST(value_boolean(value) == json_is_true(node));
}

static void json_compare_refusal(const struct problem *problem, const json_error_t *error)
{
    char text[PROBLEM_TEXT_SIZE];
    fuzz_problem(problem);
    snprintf(text, sizeof text, "%s at line %d, column %d", error->text, error->line,
             error->column);
    MUST(problem->type == PROBLEM_BAD_JSON && strcmp(problem->detail, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct blob *body = fuzz_body(data, size);
    json_error_t error;
    json_t *root =
        json_loadb(body->data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    struct document *document = document_decode(body->data, size, &limits, &problem);
    if (document != NULL) {
        MUST(root != NULL);
        json_compare(document_root(document), root);
    }
    document_free(document);
    /* Too deep for us is not too deep for the library, and is found before anything else. */
    if (document == NULL && strstr(problem.detail, "nested deeper") == NULL) {
        MUST(root == NULL);
        json_compare_refusal(&problem, &error);
    }
    json_decref(root);
    blob_unref(body);
    return 0;
}
