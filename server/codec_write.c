/* The text of answers. A value is its text from the beginning; an object or array lacks its closing
 * bracket until it becomes part of another value, which takes its text over. Short texts are
 * copied; the buffers of long ones change hands, so that a number's digits are written once, and
 * copied once at the end. */
#include "server/codec_json.h"
#include "server/codec_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From here on a buffer is handed over instead of its text being copied. */
enum { LONG_BYTES = 4096 };

/* A buffer that nothing more is written into. */
struct piece {
    struct piece *next;
    struct buf text;
};

struct value {
    const char *whole; /* all of its text; NULL for objects and arrays, which have: */
    size_t size;
    char closing;                /* the bracket at the end */
    struct piece *first, **last; /* the text that is complete */
    struct buf text;             /* and how it goes on */
};

static struct value null_value = {.whole = "null", .size = 4}; /* constant, and never freed */

/* ---- making ---- */

static struct value *whole_new(struct writer *writer, const char *text, size_t size)
{
    struct value *value = malloc(sizeof *value + size);
    if (value == NULL) {
        writer->failed = true;
        return NULL;
    }
    *value = (struct value){.whole = memcpy(value + 1, text, size), .size = size};
    return value;
}

static struct value *open_new(struct writer *writer, const char *opening, char closing)
{
    struct value *value = malloc(sizeof *value);
    if (value == NULL) {
        writer->failed = true;
        return NULL;
    }
    *value = (struct value){.closing = closing, .last = &value->first, .text.limit = SIZE_MAX};
    if (!buf_append_text(&value->text, opening)) writer->failed = true;
    return value;
}

struct value *write_object(struct writer *writer)
{
    return open_new(writer, "{", '}');
}

struct value *write_array(struct writer *writer)
{
    return open_new(writer, "[", ']');
}

struct value *write_number(struct writer *writer, double number)
{
    char text[NUMBER_SIZE];
    if (!isfinite(number)) return write_null();
    const size_t size = number_write(number, text);
    return whole_new(writer, text, size);
}

struct value *write_count(struct writer *writer, uint64_t count)
{
    char text[NUMBER_SIZE];
    const size_t size = number_write_count(count, text);
    return whole_new(writer, text, size);
}

struct value *write_boolean(struct writer *writer, bool truth)
{
    return truth ? whole_new(writer, "true", 4) : whole_new(writer, "false", 5);
}

struct value *write_null(void)
{
    return &null_value;
}

/* Most texts stand in JSON as they are. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\') return false;
    return true;
}

static bool append_text(struct buf *buf, const char *text, bool mend)
{
    const size_t length = strlen(text);
    if (!is_plain(text, length)) return json_text_append(buf, text, mend);
    return buf_append(buf, "\"", 1) && buf_append(buf, text, length) && buf_append(buf, "\"", 1);
}

struct value *write_text(struct writer *writer, const char *text)
{
    struct value *value = NULL;
    struct buf buf = {.limit = SIZE_MAX};
    if (append_text(&buf, text, true))
        value = whole_new(writer, buf.data, buf.size);
    else
        writer->failed = true;
    buf_done(&buf);
    return value;
}

/* ---- joining ---- */

static void value_free(struct value *value)
{
    if (value == NULL || value == &null_value) return;
    for (struct piece *piece = value->first, *next; piece != NULL; piece = next) {
        next = piece->next;
        buf_done(&piece->text);
        free(piece);
    }
    buf_done(&value->text);
    free(value);
}

/* The part's buffers go on where the value's end. */
static bool take_over(struct value *value, struct value *part)
{
    struct piece *piece = malloc(sizeof *piece);
    if (piece == NULL) return false;
    *piece = (struct piece){.text = value->text};
    *value->last = piece;
    value->last = &piece->next;
    if (part->first != NULL) {
        *value->last = part->first;
        value->last = part->last;
        part->first = NULL;
    }
    value->text = part->text;
    part->text = (struct buf){0};
    return true;
}

static bool append_part(struct value *value, struct value *part)
{
    if (part->whole != NULL) return buf_append(&value->text, part->whole, part->size);
    if (!buf_append(&part->text, &part->closing, 1)) return false;
    return part->first == NULL && part->text.size < LONG_BYTES
               ? buf_append(&value->text, part->text.data, part->text.size)
               : take_over(value, part);
}

/* The comma that an item needs unless it is the first one. */
static bool append_comma(struct value *value)
{
    const bool empty = value->first == NULL && value->text.size == 1;
    return empty || buf_append(&value->text, ",", 1);
}

void write_member(struct writer *writer, struct value *object, const char *name,
                  struct value *member)
{
    if (object == NULL || member == NULL || !append_comma(object) ||
        !append_text(&object->text, name, false) || !buf_append(&object->text, ":", 1) ||
        !append_part(object, member))
        writer->failed = true;
    value_free(member);
}

void write_item(struct writer *writer, struct value *array, struct value *item)
{
    if (array == NULL || item == NULL || !append_comma(array) || !append_part(array, item))
        writer->failed = true;
    value_free(item);
}

/* ---- numbers ---- */

static bool append_number(struct buf *buf, double number)
{
    if (!isfinite(number)) return buf_append(buf, "null", 4);
    if (!buf_reserve(buf, NUMBER_SIZE)) return false;
    buf->size += number_write(number, buf->data + buf->size);
    return true;
}

/* What stands between the brackets. */
static bool append_items(struct buf *buf, const double **next, size_t rank, const size_t *dim)
{
    bool appended = true;
    for (size_t i = 0; appended && i < dim[0]; i++) {
        appended = i == 0 || buf_append(buf, ",", 1);
        if (rank == 1)
            appended = appended && append_number(buf, *(*next)++);
        else
            appended = appended && buf_append(buf, "[", 1) &&
                       append_items(buf, next, rank - 1, dim + 1) && buf_append(buf, "]", 1);
    }
    return appended;
}

struct value *write_numbers(struct writer *writer, const double *numbers, size_t rank,
                            const size_t *dim)
{
    struct value *array = write_array(writer);
    if (array != NULL && !append_items(&array->text, &numbers, rank, dim)) writer->failed = true;
    return array;
}

/* ---- the end ---- */

/* All of the text in one buffer; the others go as they are copied. */
static bool gather(struct value *value, struct buf *buf)
{
    size_t size = value->text.size;
    for (const struct piece *piece = value->first; piece != NULL; piece = piece->next)
        size += piece->text.size;
    if (!buf_reserve(buf, size)) return false;
    for (struct piece *piece = value->first; piece != NULL; piece = piece->next) {
        buf_append(buf, piece->text.data, piece->text.size);
        buf_done(&piece->text);
    }
    return buf_append(buf, value->text.data, value->text.size);
}

struct blob *write_blob(struct writer *writer, struct value *value)
{
    struct buf buf = {.limit = SIZE_MAX};
    if (writer->failed || value == NULL) {
        writer->failed = true;
    } else if (value->whole != NULL) {
        writer->failed = !buf_append(&buf, value->whole, value->size);
    } else if (!buf_append(&value->text, &value->closing, 1)) {
        writer->failed = true;
    } else if (value->first != NULL) {
        writer->failed = !gather(value, &buf);
    } else {
        buf = value->text;
        value->text = (struct buf){0};
    }
    value_free(value);
    if (!writer->failed) return blob_from_buf(&buf);
    buf_done(&buf);
    return NULL;
}

struct blob *write_spliced(struct writer *writer, struct value *object,
                           const struct member_text *members, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(members[i].name) + blob_size(members[i].text) + sizeof ",\"\":null}";
    bool appended = object != NULL && buf_reserve(&object->text, size);
    for (size_t i = 0; appended && i < count; i++) {
        const struct blob *text = members[i].text;
        appended = append_comma(object) && append_text(&object->text, members[i].name, false) &&
                   buf_append(&object->text, ":", 1) &&
                   buf_append(&object->text, text == NULL ? "null" : text->data,
                              text == NULL ? 4 : text->size);
    }
    if (!appended) writer->failed = true;
    return write_blob(writer, object);
}
