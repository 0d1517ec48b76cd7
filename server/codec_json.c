#include "server/codec_json.h"
#include "server/codec_budget.h"
#include "server/codec_nest.h"

#include <jansson.h>
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void codec_json_start(void)
{
    json_set_alloc_funcs(budget_malloc, budget_free);
    json_object_seed(0);
}

/* ---- documents ---- */

struct document {
    json_t *root;
    struct nests nests; /* of numbers; the tree has a mark in the place of each */
};

/* The one that this thread has open: a value alone does not tell. */
static _Thread_local const struct document *opened;

/* Nesting is measured on the text, since the tree of a hostile one is what must not be built. */
static bool depth_check(const char *bytes, size_t size, size_t limit, struct problem *problem)
{
    size_t depth = 0, line = 1, line_start = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const char c = bytes[i];
        if (c == '\n') {
            line++;
            line_start = i + 1;
        }
        if (quoted) {
            if (c == '\\') i++;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > limit)
                return problem_set(problem, PROBLEM_BAD_JSON,
                                   "nested deeper than %zu levels at line %zu, column %zu", limit,
                                   line, i - line_start + 1);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static void tell_refusal(const struct limits *limits, const json_error_t *error,
                         struct problem *problem)
{
    const enum budget_refusal refusal = budget_refused();
    if (refusal == BUDGET_ALONE)
        problem_set(problem, PROBLEM_TOO_LARGE,
                    "decoding this body takes more than the %zu bytes there are for JSON",
                    limits->json_bytes);
    else if (refusal == BUDGET_OTHERS)
        problem_set(problem, PROBLEM_OVERLOADED,
                    "other requests hold the memory that there is for JSON; try again");
    else if (refusal == BUDGET_SYSTEM) /* which the library may take for a fault of the text */
        problem_memory(problem);
    else
        problem_set(problem, PROBLEM_BAD_JSON, "%s at line %d, column %d", error->text, error->line,
                    error->column);
}

enum { DECODE_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL };

/* The library loses a character where a string cannot grow, and goes on (up to 2.14, lex_save):
 * what it makes after a refusal is not what the text says. */
static json_t *load(const char *bytes, size_t size, size_t flags, json_error_t *error)
{
    json_t *root = json_loadb(bytes, size, flags, error);
    if (budget_refused() == BUDGET_NOT_REFUSED) return root;
    json_decref(root);
    return NULL;
}

/* The short way: the library reads the text without its nests of numbers. False whenever something
 * stands in its way, be it a fault of the text; nothing is told then. */
static bool decode_marked(struct document *document, const char *bytes, size_t size, size_t depth)
{
    json_error_t error;
    size_t marked_size;
    char *marked = NULL;
    if (nests_find(&document->nests, bytes, size, depth) && document->nests.count > 0)
        marked = nests_mark(&document->nests, bytes, size, &marked_size);
    if (marked != NULL)
        document->root = load(marked, marked_size, DECODE_FLAGS | JSON_ALLOW_NUL, &error);
    budget_free(marked);
    if (document->root == NULL) nests_done(&document->nests);
    return document->root != NULL;
}

/* The library reads all of the text, and what it has against it is what is told. */
static bool decode_whole(struct document *document, const char *bytes, size_t size,
                         const struct limits *limits, struct problem *problem)
{
    json_error_t error;
    if (!depth_check(bytes, size, limits->json_depth, problem)) return false;
    document->root = load(bytes, size, DECODE_FLAGS, &error);
    if (document->root == NULL) tell_refusal(limits, &error, problem);
    return document->root != NULL;
}

struct document *document_decode(const char *bytes, size_t size, const struct limits *limits,
                                 struct problem *problem)
{
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        problem_memory(problem);
        return NULL;
    }
    assert(opened == NULL);
    if (bytes == NULL) bytes = "";
    budget_open(limits->json_bytes);
    opened = document;
    if (decode_marked(document, bytes, size, limits->json_depth)) return document;
    budget_open(limits->json_bytes); /* what the short way was refused does not count */
    if (decode_whole(document, bytes, size, limits, problem)) return document;
    document_free(document);
    return NULL;
}

void document_free(struct document *document)
{
    if (document == NULL) return;
    json_decref(document->root);
    nests_done(&document->nests);
    budget_close();
    opened = NULL;
    free(document);
}

/* ---- values: nodes of the tree, or of a nest ----
 *
 * Nodes of a nest do not exist in memory. What stands for one is the address of its first number,
 * with what it is in the lower bits, which are 0 in the address of a node of the tree. */

enum { TAG_NODE, TAG_NUMBER, TAG_ARRAY, TAGS = 8 }; /* TAG_ARRAY + 1: two axes, and so on */

_Static_assert(TAG_ARRAY + NEST_RANK_MAX <= TAGS, "as many axes as there are tags for");
_Static_assert(_Alignof(double) >= TAGS && _Alignof(json_t) >= TAGS, "lower bits that are free");

static size_t tag_of(const struct value *value)
{
    return (uintptr_t)value % TAGS;
}

static const struct value *tagged(const double *first, size_t tag)
{
    return (const struct value *)((const char *)first + tag);
}

static const double *first_number(const struct value *value)
{
    return (const double *)(const void *)((const char *)value - tag_of(value));
}

/* NULL for values of nests. */
static const json_t *in(const struct value *value)
{
    return tag_of(value) == TAG_NODE ? (const json_t *)value : NULL;
}

/* A mark is the nest that it stands for. */
static const struct value *out(const json_t *node)
{
    size_t index;
    if (opened->nests.count > 0 && json_is_string(node) &&
        nests_find_mark(&opened->nests, json_string_value(node), json_string_length(node),
                        &index)) {
        const struct nest *nest = &opened->nests.nest[index];
        return tagged(opened->nests.number + nest->first, TAG_ARRAY + nest->rank - 1);
    }
    return (const struct value *)node;
}

/* The dimensions of an array of a nest, and how many they are. */
static const size_t *dimensions(const struct value *array, size_t *ret_rank)
{
    const struct nest *nest = nests_holding(&opened->nests, first_number(array));
    *ret_rank = tag_of(array) - TAG_ARRAY + 1;
    return nest->dim + nest->rank - *ret_rank;
}

static const struct value *nest_item(const struct value *array, size_t index)
{
    size_t rank, count = 1;
    const size_t *dim = dimensions(array, &rank);
    if (index >= dim[0]) return NULL;
    for (size_t axis = 1; axis < rank; axis++)
        count *= dim[axis];
    return tagged(first_number(array) + index * count, tag_of(array) - 1);
}

const struct value *document_root(const struct document *document)
{
    return (const struct value *)document->root;
}

/* A nest below "claimed" may hold what is no number elsewhere. */
bool value_is_null(const struct value *value)
{
    if (tag_of(value) == TAG_NUMBER) return isnan(*first_number(value));
    return json_is_null(in(value));
}

bool value_is_number(const struct value *value)
{
    if (tag_of(value) == TAG_NUMBER) return isfinite(*first_number(value));
    return json_is_number(in(value));
}

bool value_is_boolean(const struct value *value)
{
    return json_is_boolean(in(value));
}

bool value_is_text(const struct value *value)
{
    return json_is_string(in(value));
}

bool value_is_array(const struct value *value)
{
    return tag_of(value) >= TAG_ARRAY || json_is_array(in(value));
}

bool value_is_object(const struct value *value)
{
    return json_is_object(in(value));
}

const char *value_kind(const struct value *value)
{
    if (value_is_object(value)) return "an object";
    if (value_is_array(value)) return "an array";
    if (value_is_text(value)) return "a string";
    if (value_is_number(value)) return "a number";
    if (value_is_boolean(value)) return "a boolean";
    return value_is_null(value) ? "null" : "an infinite number";
}

double value_number(const struct value *value)
{
    return tag_of(value) == TAG_NUMBER ? *first_number(value) : json_number_value(in(value));
}

bool value_any_number(const struct value *value, double *ret_number)
{
    const char *text = value_text(value);
    if (tag_of(value) == TAG_NUMBER || value_is_number(value))
        *ret_number = value_number(value);
    else if (value_is_null(value) || (text != NULL && strcmp(text, "NaN") == 0))
        *ret_number = NAN;
    else if (text != NULL && strcmp(text, "Infinity") == 0)
        *ret_number = INFINITY;
    else if (text != NULL && strcmp(text, "-Infinity") == 0)
        *ret_number = -INFINITY;
    else
        return false;
    return true;
}

bool value_boolean(const struct value *value)
{
    return json_is_true(in(value));
}

const char *value_text(const struct value *value)
{
    return json_string_value(in(value));
}

size_t value_count(const struct value *value)
{
    size_t rank;
    if (tag_of(value) >= TAG_ARRAY) return dimensions(value, &rank)[0];
    return json_is_array(in(value)) ? json_array_size(in(value)) : json_object_size(in(value));
}

const struct value *value_item(const struct value *array, size_t index)
{
    return tag_of(array) >= TAG_ARRAY ? nest_item(array, index)
                                      : out(json_array_get(in(array), index));
}

const double *value_numbers(const struct value *value, size_t rank, const size_t *dim, bool any)
{
    size_t own_rank;
    if (tag_of(value) < TAG_ARRAY) return NULL;
    if (!any && !nests_holding(&opened->nests, first_number(value))->finite) return NULL;
    const size_t *own = dimensions(value, &own_rank);
    const bool same = own_rank == rank && memcmp(own, dim, rank * sizeof *dim) == 0;
    return same ? first_number(value) : NULL;
}

const struct value *value_member(const struct value *object, const char *name)
{
    return out(json_object_get(in(object), name));
}

const char *value_next(const struct value *object, void **iterator, const struct value **member)
{
    json_t *o = (json_t *)in(object); /* iterating does not change it */
    *iterator = *iterator == NULL ? json_object_iter(o) : json_object_iter_next(o, *iterator);
    if (*iterator == NULL) return NULL;
    *member = out(json_object_iter_value(*iterator));
    return json_object_iter_key(*iterator);
}

/* ---- strings of answers ---- */

static bool is_utf8(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

/* Bytes of the UTF-8 sequence that begins at text; 0 for one that is cut or no UTF-8. */
static size_t sequence_length(const char *text)
{
    const unsigned char first = (unsigned char)text[0];
    const size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 0;
    return is_utf8(text, length) ? length : 0;
}

/* What is no UTF-8, as a text of ours that was cut in a character, becomes "?". */
static json_t *mended(const char *text)
{
    struct buf buf = {.limit = SIZE_MAX};
    bool kept = true;
    while (kept && *text != '\0') {
        const size_t length = sequence_length(text);
        kept = length > 0 ? buf_append(&buf, text, length) : buf_append(&buf, "?", 1);
        text += length > 0 ? length : 1;
    }
    json_t *string = kept ? json_stringn(buf.data, buf.size) : NULL;
    buf_done(&buf);
    return string;
}

static int append(const char *bytes, size_t size, void *buf)
{
    return buf_append(buf, bytes, size) ? 0 : -1;
}

bool json_text_append(struct buf *buf, const char *text, bool mend)
{
    json_t *string = json_string(text);
    if (string == NULL && mend) string = mended(text);
    const bool appended =
        string != NULL && json_dump_callback(string, append, buf, JSON_ENCODE_ANY) == 0;
    json_decref(string);
    return appended;
}
