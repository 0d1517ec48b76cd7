/* JSON in and out, behind types of our own: codec_json.c is the one file with the JSON library, and
 * codec_write.c makes the text of answers.
 *
 * Decoding is bounded: depth is checked before a tree is built, and all trees together stay within
 * a memory budget. A document is used and freed by the thread that decoded it, which has one at a
 * time. Arrays of numbers are no trees (codec_nest.h): they cost 20 to 40 ns a number, and 8 bytes,
 * at most 16. */
#ifndef GRADCHECKD_CODEC_JSON_H
#define GRADCHECKD_CODEC_JSON_H

#include "server/blob.h"
#include "server/config.h"
#include "server/problem.h"

/* Call once, before the first thread. */
void codec_json_start(void);

/* ---- reading ---- */

struct document;
struct value;

/* NULL after a problem: 400 with line and column, 413 when this body alone would exceed the budget,
 * 503 when others hold it. */
struct document *document_decode(const char *bytes, size_t size, const struct limits *limits,
                                 struct problem *problem);
void document_free(struct document *document);
const struct value *document_root(const struct document *document);

bool value_is_null(const struct value *value);
bool value_is_number(const struct value *value);
bool value_is_boolean(const struct value *value);
bool value_is_text(const struct value *value);
bool value_is_array(const struct value *value);
bool value_is_object(const struct value *value);
const char *value_kind(const struct value *value); /* "a string", for messages */

double value_number(const struct value *value);
/* A number, or what stands for one that JSON has no number for: null and "NaN", "Infinity",
 * "-Infinity". */
bool value_any_number(const struct value *value, double *ret_number);
bool value_boolean(const struct value *value);
const char *value_text(const struct value *value);
/* Items of an array, members of an object. */
size_t value_count(const struct value *value);
const struct value *value_item(const struct value *array, size_t index);
/* The numbers, row-major, of an array of just these dimensions, when they are kept so; otherwise
 * NULL, and the items must be asked. All finite, unless `any` are wanted. */
const double *value_numbers(const struct value *value, size_t rank, const size_t *dim, bool any);
const struct value *value_member(const struct value *object, const char *name); /* or NULL */
/* Walks the members: *iterator is NULL at first; returns the next one's name, or NULL after the
 * last. */
const char *value_next(const struct value *object, void **iterator, const struct value **member);

/* ---- writing ---- */

/* Values are made, and moved into what they become part of, each name once in an object. They are
 * text from the beginning, so a number takes no more than its digits; large ones are not copied
 * when they are moved. Whatever fails for want of memory marks the writer, and all goes on. */
struct writer {
    bool failed;
};

struct value *write_object(struct writer *writer);
struct value *write_array(struct writer *writer);
struct value *write_number(struct writer *writer, double number); /* null unless finite */
/* Nested arrays of these dimensions, of at least one axis. */
struct value *write_numbers(struct writer *writer, const double *numbers, size_t rank,
                            const size_t *dim);
struct value *write_count(struct writer *writer, uint64_t count);
struct value *write_boolean(struct writer *writer, bool truth);
struct value *write_text(struct writer *writer, const char *text);
struct value *write_null(void);
void write_member(struct writer *writer, struct value *object, const char *name,
                  struct value *member);
void write_item(struct writer *writer, struct value *array, struct value *item);

/* The value as text, which is freed with it; NULL when something failed. */
struct blob *write_blob(struct writer *writer, struct value *value);

/* `object` as text with members appended that are text already (a NULL blob is null): how a stored
 * result is spliced in. */
struct member_text {
    const char *name;
    const struct blob *text;
};
struct blob *write_spliced(struct writer *writer, struct value *object,
                           const struct member_text *members, size_t count);

/* Any text as a JSON string, quoted and escaped. What is no UTF-8 becomes "?" if that is to be
 * mended, and otherwise fails. */
bool json_text_append(struct buf *buf, const char *text, bool mend);

#endif
