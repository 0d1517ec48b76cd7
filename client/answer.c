#include "client/answer.h"
#include "client/say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void answer_done(struct answer *answer)
{
    blob_unref(answer->body);
    *answer = (struct answer){0};
}

/* ---- the text of a member ---- */

static size_t skip_text(const char *text, size_t at, size_t size)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at + 1;
}

static size_t skip_blanks(const char *text, size_t at, size_t size)
{
    while (at < size && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    return at;
}

/* The end of the value at `at`: of well-formed JSON, so brackets need only be counted. */
static size_t skip_value(const char *text, size_t at, size_t size)
{
    size_t depth = 0;
    while (at < size) {
        const char c = text[at];
        if (depth == 0 && strchr(",]} \t\r\n", c) != NULL) return at;
        if (c == '[' || c == '{') depth++;
        if (c == ']' || c == '}') depth--;
        at = c == '"' ? skip_text(text, at, size) : at + 1;
        if (depth == 0 && strchr("\"]}", c) != NULL) return at;
    }
    return size;
}

struct blob *answer_member(const struct blob *body, const char *name)
{
    const char *text = body->data;
    const size_t size = body->size, length = strlen(name);
    size_t at = skip_blanks(text, 0, size);
    if (at == size || text[at] != '{') return NULL;
    for (at = skip_blanks(text, at + 1, size); at < size && text[at] == '"';
         at = skip_blanks(text, at + 1, size)) {
        const size_t key = at + 1, key_end = skip_text(text, at, size) - 1;
        const size_t colon = skip_blanks(text, key_end + 1, size);
        const size_t begin = skip_blanks(text, colon + 1, size);
        const size_t end = skip_value(text, begin, size);
        if (key_end >= size || begin >= size || end > size) return NULL;
        if (key_end - key == length && memcmp(text + key, name, length) == 0)
            return blob_copy(text + begin, end - begin);
        at = skip_blanks(text, end, size); /* a comma, or the last brace */
    }
    return NULL;
}

/* ---- members ---- */

static const struct value *member(const struct value *object, const char *name)
{
    return object == NULL || !value_is_object(object) ? NULL : value_member(object, name);
}

double field_number(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);
    return value != NULL && value_is_number(value) ? value_number(value) : NAN;
}

size_t field_count(const struct value *object, const char *name)
{
    const double number = field_number(object, name);
    return number > 0 && number < 1e18 ? (size_t)number : 0;
}

const char *field_text(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);
    return value != NULL && value_is_text(value) ? value_text(value) : "";
}

bool field_truth(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);
    return value != NULL && value_boolean(value);
}

const struct value *field_node(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);
    return value != NULL && (value_is_object(value) || value_is_array(value)) ? value : NULL;
}

size_t field_length(const struct value *array)
{
    return array != NULL && value_is_array(array) ? value_count(array) : 0;
}

/* ---- whole answers ---- */

struct document *answer_decode(const struct settings *settings, const struct blob *body)
{
    struct problem problem = {0};
    struct document *document =
        document_decode(body->data, body->size, &settings->limits, &problem);
    if (document == NULL) say_note("an answer that cannot be read: %s", problem.detail);
    return document;
}

void answer_print(const struct blob *body)
{
    fwrite(body->data, 1, body->size, stdout);
    putchar('\n');
}

/* Whose fault it is: the arguments' or the spec's; a job's that took too long; else the server's.
 */
int answer_status_of(const struct value *problem)
{
    if (strcmp(field_text(problem, "type"), "urn:gradcheckd:problem:time-limit") == 0)
        return STATUS_TIMEOUT;
    switch (field_count(problem, "status")) {
    case 400:
    case 404:
    case 409:
    case 413:
    case 415:
    case 422:
        return STATUS_USAGE;
    default:
        return STATUS_SERVER;
    }
}

static int tell_problem(const struct value *problem, const char *source)
{
    const struct value *errors = field_node(problem, "errors");
    const char *detail = field_text(problem, "detail");
    for (size_t i = 0; i < field_length(errors); i++) {
        const struct value *error = value_item(errors, i);
        const char *pointer = field_text(error, "pointer");
        say_note("%s: %s%s%s", source, pointer, pointer[0] == '\0' ? "" : ": ",
                 field_text(error, "detail"));
    }
    if (field_length(errors) == 0)
        say_note("%s: %s", source, detail[0] == '\0' ? field_text(problem, "title") : detail);
    return answer_status_of(problem);
}

int answer_problem(const struct settings *settings, const struct answer *answer, const char *source)
{
    struct problem problem = {0};
    struct document *document =
        document_decode(answer->body->data, answer->body->size, &settings->limits, &problem);
    const struct value *root = document == NULL ? NULL : document_root(document);
    const int status =
        field_text(root, "title")[0] != '\0'
            ? tell_problem(root, source)
            : say(STATUS_SERVER, "the server answered with status %d, and not as gradcheckd does",
                  answer->status);
    document_free(document);
    return status;
}
