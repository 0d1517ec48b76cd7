/* Nests of numbers: arrays of equally long arrays that end in numbers, such as data.x. They are
 * most of a large body, and a tree of them is what decoding would take longest for, so they are
 * taken out of the text before the JSON library reads it, and kept as plain vectors.
 *
 * Only what is certainly right is taken: a nest that is ragged, or holds anything but numbers,
 * stays in the text, and what is wrong with the text is for the library to find. Below a key
 * "claimed" a null, "NaN", "Infinity" or "-Infinity" is taken as such a number. Memory is the
 * budget's (codec_budget.h). One thread at a time. */
#ifndef GRADCHECKD_CODEC_NEST_H
#define GRADCHECKD_CODEC_NEST_H

#include <stdbool.h>
#include <stddef.h>

enum { NEST_RANK_MAX = 6 };

struct nest {
    size_t rank, dim[NEST_RANK_MAX]; /* each at least 1 */
    size_t first, count;             /* its numbers among all, row-major */
    size_t begin, end;               /* its place in the text */
    bool finite;                     /* all of its numbers */
};

struct nests {
    struct nest *nest; /* in the order of the text */
    double *number;    /* of all, one nest after the other */
    size_t count, capacity, number_count, number_capacity;
};

/* Finds the nests of a text. False when it must be read without: it is no object, or too deep, or
 * cannot be marked, or memory is out. */
bool nests_find(struct nests *nests, const char *text, size_t size, size_t depth_max);
void nests_done(struct nests *nests);

/* The text with a mark in the place of each nest, to be freed by budget_free; NULL when memory is
 * out. A mark is a string that no text is found with: "\u0000" and the nest's index. */
char *nests_mark(const struct nests *nests, const char *text, size_t size, size_t *ret_size);
/* The index of the nest that a string, decoded, is the mark of. */
bool nests_find_mark(const struct nests *nests, const char *string, size_t length,
                     size_t *ret_index);

/* The nest that holds a number, which is one of nests->number. */
const struct nest *nests_holding(const struct nests *nests, const double *number);

#endif
