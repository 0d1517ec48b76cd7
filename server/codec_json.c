#include "server/codec_json.h"

#include <jansson.h>
#include <malloc.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory: what decoding takes is counted, for this document and for all ---- */

struct account {
    bool open;          /* a document is being decoded by this thread */
    bool alone, others; /* why an allocation was refused */
    size_t bytes, limit;
};

static _Thread_local struct account account;
static _Atomic size_t bytes_of_all;

static void *counted_malloc(size_t size)
{
    if (!account.open) return malloc(size);
    if (size > account.limit - account.bytes) {
        account.alone = true;
        return NULL;
    }
    if (atomic_load(&bytes_of_all) + size > account.limit) {
        account.others = true;
        return NULL;
    }
    void *memory = malloc(size);
    if (memory == NULL) return NULL;
    const size_t taken = malloc_usable_size(memory);
    account.bytes += taken < account.limit - account.bytes ? taken : account.limit - account.bytes;
    atomic_fetch_add(&bytes_of_all, taken);
    return memory;
}

static void counted_free(void *memory)
{
    if (account.open && memory != NULL) {
        const size_t freed = malloc_usable_size(memory);
        account.bytes -= freed < account.bytes ? freed : account.bytes;
        atomic_fetch_sub(&bytes_of_all, freed);
    }
    free(memory);
}

void codec_json_start(void)
{
    json_set_alloc_funcs(counted_malloc, counted_free);
    json_object_seed(0);
}

/* ---- reading ---- */

struct document {
    json_t *root;
};

static const json_t *in(const struct value *value)
{
    return (const json_t *)value;
}

static struct value *out(json_t *value)
{
    return (struct value *)value;
}

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
    if (account.alone)
        problem_set(problem, PROBLEM_TOO_LARGE,
                    "decoding this body takes more than the %zu bytes there are for JSON",
                    limits->json_bytes);
    else if (account.others)
        problem_set(problem, PROBLEM_OVERLOADED,
                    "other requests hold the memory that there is for JSON; try again");
    else if (json_error_code(error) == json_error_out_of_memory)
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
    else
        problem_set(problem, PROBLEM_BAD_JSON, "%s at line %d, column %d", error->text, error->line,
                    error->column);
}

struct document *document_decode(const char *bytes, size_t size, const struct limits *limits,
                                 struct problem *problem)
{
    if (!depth_check(bytes, size, limits->json_depth, problem)) return NULL;
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
        return NULL;
    }
    account = (struct account){.open = true, .limit = limits->json_bytes};
    json_error_t error;
    document->root = json_loadb(bytes == NULL ? "" : bytes, size,
                                JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (document->root != NULL) return document;
    tell_refusal(limits, &error, problem);
    document_free(document);
    return NULL;
}

void document_free(struct document *document)
{
    if (document == NULL) return;
    json_decref(document->root);
    account.open = false;
    free(document);
}

const struct value *document_root(const struct document *document)
{
    return (const struct value *)document->root;
}

bool value_is_null(const struct value *value)
{
    return json_is_null(in(value));
}

bool value_is_number(const struct value *value)
{
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
    return json_is_array(in(value));
}

bool value_is_object(const struct value *value)
{
    return json_is_object(in(value));
}

const char *value_kind(const struct value *value)
{
    switch (json_typeof(in(value))) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

double value_number(const struct value *value)
{
    return json_number_value(in(value));
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
    return json_is_array(in(value)) ? json_array_size(in(value)) : json_object_size(in(value));
}

const struct value *value_item(const struct value *array, size_t index)
{
    return (const struct value *)json_array_get(in(array), index);
}

const struct value *value_member(const struct value *object, const char *name)
{
    return (const struct value *)json_object_get(in(object), name);
}

const char *value_next(const struct value *object, void **iterator, const struct value **member)
{
    json_t *o = (json_t *)in(object); /* iterating does not change it */
    *iterator = *iterator == NULL ? json_object_iter(o) : json_object_iter_next(o, *iterator);
    if (*iterator == NULL) return NULL;
    *member = (const struct value *)json_object_iter_value(*iterator);
    return json_object_iter_key(*iterator);
}

/* ---- writing ---- */

static struct value *made(struct writer *writer, json_t *value)
{
    if (value == NULL) writer->failed = true;
    return out(value);
}

struct value *write_object(struct writer *writer)
{
    return made(writer, json_object());
}

struct value *write_array(struct writer *writer)
{
    return made(writer, json_array());
}

struct value *write_number(struct writer *writer, double number)
{
    return isfinite(number) ? made(writer, json_real(number)) : write_null();
}

struct value *write_count(struct writer *writer, uint64_t count)
{
    return made(writer, json_integer((json_int_t)count));
}

struct value *write_boolean(struct writer *writer, bool truth)
{
    return made(writer, json_boolean(truth));
}

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

struct value *write_text(struct writer *writer, const char *text)
{
    json_t *string = json_string(text);
    return made(writer, string != NULL ? string : mended(text));
}

struct value *write_null(void)
{
    return out(json_null());
}

void write_member(struct writer *writer, struct value *object, const char *name,
                  struct value *member)
{
    if (json_object_set_new((json_t *)object, name, (json_t *)member) != 0) writer->failed = true;
}

void write_item(struct writer *writer, struct value *array, struct value *item)
{
    if (json_array_append_new((json_t *)array, (json_t *)item) != 0) writer->failed = true;
}

/* The text of a whole tree is as long as it is: no limit of its own. */
static int append(const char *bytes, size_t size, void *buf)
{
    return buf_append(buf, bytes, size) ? 0 : -1;
}

static bool dump(struct writer *writer, struct value *value, struct buf *buf)
{
    if (!writer->failed &&
        json_dump_callback((json_t *)value, append, buf, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        writer->failed = true;
    json_decref((json_t *)value);
    return !writer->failed;
}

static struct blob *finish(struct writer *writer, struct buf *buf)
{
    if (writer->failed) {
        buf_done(buf);
        return NULL;
    }
    return blob_from_buf(buf);
}

struct blob *write_blob(struct writer *writer, struct value *value)
{
    struct buf buf = {.limit = SIZE_MAX};
    dump(writer, value, &buf);
    return finish(writer, &buf);
}

struct blob *write_spliced(struct writer *writer, struct value *object,
                           const struct member_text *members, size_t count)
{
    struct buf buf = {.limit = SIZE_MAX};
    if (dump(writer, object, &buf)) buf.size--; /* the closing brace */
    for (size_t i = 0; i < count && !writer->failed; i++) {
        const struct blob *text = members[i].text;
        const bool first = buf.size == 1; /* after the opening brace */
        if (!buf_append_text(&buf, first ? "\"" : ",\"") ||
            !buf_append_text(&buf, members[i].name) || !buf_append_text(&buf, "\":") ||
            !(text == NULL ? buf_append_text(&buf, "null")
                           : buf_append(&buf, text->data, text->size)))
            writer->failed = true;
    }
    if (!writer->failed && !buf_append_text(&buf, "}")) writer->failed = true;
    return finish(writer, &buf);
}
