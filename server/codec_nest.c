#include "server/codec_nest.h"
#include "server/codec_budget.h"
#include "server/codec_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mark costs about as much as so many numbers. */
enum { NUMBERS_MIN = 4 };

/* "\u0000" with quotes, and an index. */
enum { MARK_SIZE = 32 };

/* ---- reading a nest; the text ends in a brace, where all loops over it end ---- */

struct reader {
    struct nests *nests;
    struct nest nest;
    size_t open[NEST_RANK_MAX]; /* items so far of the array that is open, one an axis */
    const char *at;
    bool claimed; /* what JSON has no number for is taken, too */
    bool memory_out;
};

static void skip_space(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\t')
        reader->at++;
}

static bool skip(struct reader *reader, char c)
{
    skip_space(reader);
    if (*reader->at != c) return false;
    reader->at++;
    return true;
}

static bool grow(struct reader *reader)
{
    struct nests *nests = reader->nests;
    const size_t capacity = nests->number_capacity > 0 ? 2 * nests->number_capacity : 256;
    double *number = budget_realloc(nests->number, capacity * sizeof *number);
    if (number == NULL) {
        reader->memory_out = true;
        return false;
    }
    nests->number = number;
    nests->number_capacity = capacity;
    return true;
}

/* A value that JSON has no number for: null, or one of three strings. */
static bool read_special(struct reader *reader)
{
    static const struct {
        const char *text;
        double number;
    } special[] = {
        {"null", NAN}, {"\"NaN\"", NAN}, {"\"Infinity\"", INFINITY}, {"\"-Infinity\"", -INFINITY}};
    struct nests *nests = reader->nests;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        const size_t length = strlen(special[i].text);
        if (strncmp(reader->at, special[i].text, length) != 0) continue;
        nests->number[nests->number_count++] = special[i].number;
        reader->at += length;
        reader->nest.finite = false;
        return true;
    }
    return false;
}

static bool read_value(struct reader *reader)
{
    struct nests *nests = reader->nests;
    const char *end = number_read(reader->at, &nests->number[nests->number_count]);
    if (end == NULL) return reader->claimed && read_special(reader);
    reader->at = end;
    nests->number_count++;
    return true;
}

/* The numbers of an innermost array, up to its bracket. */
static bool read_numbers(struct reader *reader, size_t *ret_count)
{
    struct nests *nests = reader->nests;
    const size_t before = nests->number_count;
    do {
        if (nests->number_count == nests->number_capacity && !grow(reader)) return false;
        skip_space(reader);
        if (!read_value(reader)) return false;
    } while (skip(reader, ','));
    *ret_count = nests->number_count - before;
    return true;
}

/* An array is complete: all of its axis have as many items as the first one. */
static bool close_array(struct nest *nest, size_t axis, size_t items)
{
    if (nest->dim[axis] == 0) nest->dim[axis] = items;
    return nest->dim[axis] == items;
}

/* Closes arrays up to one that goes on, and opens those of its next item. *ret_whole: the outermost
 * one was closed. */
static bool go_on(struct reader *reader, bool *ret_whole)
{
    size_t axis = reader->nest.rank - 1;
    *ret_whole = false;
    while (skip(reader, ']')) {
        if (!close_array(&reader->nest, axis, reader->open[axis])) return false;
        reader->open[axis] = 0;
        *ret_whole = axis == 0;
        if (*ret_whole) return true;
        reader->open[--axis]++;
    }
    if (axis + 1 == reader->nest.rank || !skip(reader, ',')) return false;
    while (++axis < reader->nest.rank)
        if (!skip(reader, '[')) return false;
    return true;
}

/* At the first bracket. False where it begins no nest; reader->at is then where that shows. */
static bool read_nest(struct reader *reader)
{
    reader->nest = (struct nest){.first = reader->nests->number_count, .finite = true};
    memset(reader->open, 0, sizeof reader->open);
    while (skip(reader, '['))
        if (++reader->nest.rank > NEST_RANK_MAX) return false;
    bool whole;
    do {
        if (!read_numbers(reader, &reader->open[reader->nest.rank - 1]) || !go_on(reader, &whole))
            return false;
    } while (!whole);
    reader->nest.count = reader->nests->number_count - reader->nest.first;
    return reader->nest.count >= NUMBERS_MIN;
}

static bool keep(struct reader *reader)
{
    struct nests *nests = reader->nests;
    if (nests->count == nests->capacity) {
        const size_t capacity = nests->capacity > 0 ? 2 * nests->capacity : 4;
        struct nest *nest = budget_realloc(nests->nest, capacity * sizeof *nest);
        if (nest == NULL) return false;
        nests->nest = nest;
        nests->capacity = capacity;
    }
    nests->nest[nests->count++] = reader->nest;
    return true;
}

/* ---- the text ---- */

/* Behind the quote that ends a string, or NULL when it holds what a mark has, or does not end. */
static const char *skip_string(const char *at, const char *end)
{
    static const char zero[] = "u0000";
    for (; at < end && *at != '"'; at++) {
        if (*at != '\\') continue;
        at++;
        if ((size_t)(end - at) >= strlen(zero) && memcmp(at, zero, strlen(zero)) == 0) return NULL;
    }
    return at < end ? at + 1 : NULL;
}

struct walk {
    struct reader reader;
    const char *text, *at, *end;
    const char *tried; /* before here nothing else begins a nest: each byte is tried once */
    size_t depth, depth_max;
    size_t claimed; /* how deep the object of a key "claimed" is that is open; 0: none is */
};

/* At an opening bracket: takes the nest that begins there, if one does. False: the text must be
 * read without. */
static bool try_nest(struct walk *walk)
{
    struct reader *reader = &walk->reader;
    const size_t numbers = reader->nests->number_count;
    if (walk->at < walk->tried || walk->depth == 0) return true;
    reader->at = walk->at;
    reader->claimed = walk->claimed > 0;
    const bool found = read_nest(reader);
    if (reader->memory_out) return false;
    walk->tried = reader->at;
    if (!found) {
        reader->nests->number_count = numbers;
        return true;
    }
    reader->nest.begin = (size_t)(walk->at - walk->text);
    reader->nest.end = (size_t)(reader->at - walk->text);
    return walk->depth + reader->nest.rank <= walk->depth_max && keep(reader);
}

/* Whether c comes next, but for space; the text ends in a brace. */
static bool comes_next(const char **at, char c)
{
    *at += strspn(*at, " \n\r\t");
    return *(*at)++ == c;
}

/* Behind the string that begins here, which may be the key of a claim. */
static bool step_string(struct walk *walk)
{
    static const char key[] = "\"claimed\"";
    const char *begin = walk->at, *next;
    walk->at = next = skip_string(begin + 1, walk->end);
    if (walk->at == NULL) return false;
    if (walk->claimed == 0 && (size_t)(walk->at - begin) == strlen(key) &&
        memcmp(begin, key, strlen(key)) == 0 && comes_next(&next, ':') && comes_next(&next, '{'))
        walk->claimed = walk->depth + 1;
    return true;
}

static bool step(struct walk *walk)
{
    const char c = *walk->at;
    if (c == '"') return step_string(walk);
    if (c == '[') {
        const size_t count = walk->reader.nests->count;
        if (!try_nest(walk)) return false;
        if (walk->reader.nests->count > count) {
            walk->at = walk->reader.at;
            return true;
        }
    }
    walk->at++;
    if (c == '[' || c == '{') return ++walk->depth <= walk->depth_max;
    if ((c == ']' || c == '}') && walk->depth > 0) walk->depth--;
    if (walk->depth < walk->claimed) walk->claimed = 0;
    return true;
}

bool nests_find(struct nests *nests, const char *text, size_t size, size_t depth_max)
{
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL && text[size - 1] != '\0')
        size--;
    if (size == 0 || text[size - 1] != '}') return false;
    struct walk walk = {.reader.nests = nests,
                        .text = text,
                        .at = text,
                        .end = text + size,
                        .tried = text,
                        .depth_max = depth_max};
    while (walk.at < walk.end)
        if (!step(&walk)) return false;
    return true;
}

void nests_done(struct nests *nests)
{
    budget_free(nests->nest);
    budget_free(nests->number);
    *nests = (struct nests){0};
}

/* ---- marks ---- */

static const char mark_before[] = "\"\\u0000", mark_after[] = "\"";

char *nests_mark(const struct nests *nests, const char *text, size_t size, size_t *ret_size)
{
    size_t left = size + nests->count * MARK_SIZE;
    for (size_t i = 0; i < nests->count; i++)
        left -= nests->nest[i].end - nests->nest[i].begin;
    char *marked = budget_malloc(left), *to = marked;
    if (marked == NULL) return NULL;
    size_t from = 0;
    for (size_t i = 0; i < nests->count; from = nests->nest[i++].end) {
        const size_t between = nests->nest[i].begin - from;
        memcpy(to, text + from, between);
        to += between;
        to += snprintf(to, MARK_SIZE, "%s%zu%s", mark_before, i, mark_after);
    }
    memcpy(to, text + from, size - from);
    *ret_size = (size_t)(to - marked) + size - from;
    return marked;
}

bool nests_find_mark(const struct nests *nests, const char *string, size_t length,
                     size_t *ret_index)
{
    if (length < 2 || string[0] != '\0') return false;
    *ret_index = (size_t)strtoull(string + 1, NULL, 10);
    return *ret_index < nests->count;
}

const struct nest *nests_holding(const struct nests *nests, const double *number)
{
    const size_t index = (size_t)(number - nests->number);
    size_t low = 0, high = nests->count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(nests->nest[middle].first <= index ? &low : &high) = middle;
    }
    return &nests->nest[low];
}
