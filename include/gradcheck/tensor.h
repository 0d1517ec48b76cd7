/* Shapes, and vectors of doubles to hold what has them.
 *
 * Shapes come from outside, so every product is checked for overflow before it is used. */
#ifndef GRADCHECK_TENSOR_H
#define GRADCHECK_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

enum { GCK_RANK_MAX = 4, GCK_SHAPE_TEXT = 96 };

/* No tensor has more elements: 2^40 doubles are 8 TiB, and every product below stays far from
 * overflow. */
#define GCK_ELEMENTS_MAX ((size_t)1 << 40)

typedef struct gck_shape {
    size_t rank;
    size_t dim[GCK_RANK_MAX];
} gck_shape;

/* The product of the dimensions (1 for rank 0); false when it is 0 or over GCK_ELEMENTS_MAX. */
bool gck_shape_count(const gck_shape *shape, size_t *ret_count);

bool gck_shape_equal(const gck_shape *a, const gck_shape *b);

/* "(3, 16)"; "(3)" for one axis. Returns text. */
const char *gck_shape_format(const gck_shape *shape, char text[GCK_SHAPE_TEXT]);

/* "[2][5]", the place of a flat index. Returns text. */
const char *gck_index_format(const gck_shape *shape, size_t flat, char text[GCK_SHAPE_TEXT]);

/* Row-major position of a flat index: index[a] for each axis a < rank. */
void gck_shape_unravel(const gck_shape *shape, size_t flat, size_t index[GCK_RANK_MAX]);

/* count doubles, all 0, on a 64-byte boundary; NULL when memory is out. Free with gck_vector_free.
 */
double *gck_vector_new(size_t count);
/* The same without the zeros, for room that is written before it is read. */
double *gck_vector_room(size_t count);
double *gck_vector_copy(const double *values, size_t count);
void gck_vector_free(double *values);

/* Euclidean norm, without overflow or underflow on the way; NaN when an element is. */
double gck_vector_norm(const double *values, size_t count);

/* The norm of a - b. */
double gck_vector_distance(const double *a, const double *b, size_t count);

/* The norm of two vectors one after the other, from their own norms. */
double gck_norm_join(double a, double b);

#endif
