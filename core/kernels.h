/* Loops over vectors of doubles, in the widest registers that the processor has.
 *
 * One source (kernels_loops.h) is compiled for each instruction set; gck_kernels_start picks the
 * table for the processor, once, before any other thread computes. Nothing here knows of networks.
 * Any thread; nothing is allocated. Arrays do not overlap unless they are the same one; `count` is
 * any number, and loops are fastest on 64-byte boundaries and multiples of 8. An element's bits
 * depend on its own operands and on the table alone, not on its place.
 *
 * Changes: on entry change[i] = d, on return f(z[i] + d) - f(z[i]) for the function named, without
 * the cancellation that subtracting two values has: relative to the change, an error of a few units
 * of rounding for |c d| up to 1/4, where c is the function's factor; beyond, element by element and
 * much slower, that of subtracting values, from whichever tail of f loses less. A NaN stays one; of
 * infinite operands the change is that of the values, or NaN. d = 0 gives 0 for finite z.
 *
 * Errors for |c d| up to 1/4 in units of one rounding (2^-53), operands such as p right to one:
 * what tests/core/test_kernels.c derives and allows, and the most found at 4 10^5 points in any
 * table. Relative to the change, that of slu to |d sigmoid(z + d)| + |z change of sigmoid|.
 *
 *   expm1, log1p  1.5  1.3 | slu    11.8  3.7 | softsign       8   4.2
 *   sigmoid      12.4  5.7 | leaky   3    2.2 | bent_identity 10   4.1
 *   tanh         12.4  4.7 | elu     7.7  3.3 | gaussian       6.9  3.9
 *   softplus      6.8  3.6 | selu    8.7  4.0 | arctan         5.1  3.5
 *                          | clamp   3    1.0                               */
#ifndef GRADCHECK_CORE_KERNELS_H
#define GRADCHECK_CORE_KERNELS_H

#include <gradcheck/kernels.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* c (rows, columns; row-major and dense) = or, with `add`, += a (rows, inner) times b (inner,
 * columns), whose elements lie that many doubles apart. */
typedef struct gck_product {
    size_t rows, columns, inner;
    const double *a;
    size_t a_row, a_inner;
    const double *b;
    size_t b_inner, b_column;
    bool add;
    double *c;
} gck_product;

/* One step of an optimizer; see core/optimizer.c for the formulas. */
typedef struct gck_update {
    double rate, decay[2], epsilon;
    double correction[2]; /* of both means; Adam alone */
    size_t count;
    const double *gradient;
    double *slot[2];
    double *parameters;
} gck_update;

typedef struct gck_kernels {
    const char *name; /* "generic", "avx2", "avx512" */

    /* ---- plain loops ---- */
    void (*multiply)(size_t count, const double *factor, double *x); /* x *= factor */
    void (*accumulate)(size_t count, const double *a, const double *b,
                       double *sum);                                             /* sum += a b */
    void (*scale)(size_t count, double factor, const double *x, double *result); /* factor * x */
    /* x -= by; size = the larger of size and |x| */
    void (*shift)(size_t count, const double *by, double *x, double *size);
    /* sum += (x + change)^2 - x^2, |x + change| - |x| */
    void (*add_square_change)(size_t count, const double *x, const double *change, double *sum);
    void (*add_size_change)(size_t count, const double *x, const double *change, double *sum);
    /* mark[i] = 1 where x[i] > place and x[i] + stretch * change[i] > place differ, else untouched
     */
    void (*cross)(size_t count, double place, double stretch, const double *x, const double *change,
                  double *mark);
    /* mark[i] = 1 where x, moved up or down, may pass the place and return on the way: the parabola
     * through the three turns within twice the range, and the place is nearer than its bend */
    void (*swing)(size_t count, double place, const double *x, const double *up, const double *down,
                  double *mark);
    void (*expm1)(size_t count, const double *x, double *result);
    void (*log1p)(size_t count, const double *x, double *result);

    /* ---- random directions ---- */
    /* v[i] = number first + i of a sequence of independent standard normal numbers, which seed and
     * stream name. Numbers 2p and 2p + 1 are r cos(2 pi t) and r sin(2 pi t) from the block of
     * Philox4x32-10 (gradcheck/rng.h) with the key seed and the counter (p, stream), lower words
     * first: r = sqrt(-2 ln u), u = (1 + the upper 53 of its first 64 bits) 2^-53, t = the upper 53
     * of the others times 2^-53. So |v| <= sqrt(106 ln 2) = 8.57, which one in 10^17 would exceed.
     * Relative to the number, tests/core/test_normal.c allows an error of 7 units of one rounding;
     * the most found is 4.0. */
    void (*normals)(uint64_t seed, const uint32_t stream[2], uint64_t first, size_t count,
                    double *v);
    /* Sums are made in an order that is the table's own and that count alone decides. */
    /* Sum of a b, computed as with twice the digits and then rounded; NaN or infinite where a
     * product or a sum on the way is. */
    double (*dot_doubled)(size_t count, const double *a, const double *b);
    double (*dot_sizes)(size_t count, const double *a, const double *b); /* sum of a |b| */

    /* For products with up to product_rows rows; a matrix library is faster beyond. */
    size_t product_rows;
    void (*product)(const gck_product *product);

    void (*update_sgd)(const gck_update *update);
    void (*update_momentum)(const gck_update *update);
    void (*update_rmsprop)(const gck_update *update);
    void (*update_adam)(const gck_update *update);
    void (*update_adagrad)(const gck_update *update);

    /* ---- changes ---- */
    /* 1 / (1 + e^(-c z)); p is its value at z, q = 1 - p = its value at -z. tanh z is 2 sigmoid - 1
     * with c = 2. The result is multiplied by factor. */
    void (*change_sigmoid)(size_t count, double c, double factor, const double *z, const double *p,
                           const double *q, double *change);
    /* ln(1 + e^(c z)); p = sigmoid(c z), q = sigmoid(-c z) */
    void (*change_softplus)(size_t count, double c, const double *z, const double *p,
                            const double *q, double *change);
    /* z sigmoid(z); p, q as above */
    void (*change_slu)(size_t count, const double *z, const double *p, const double *q,
                       double *change);
    /* z where z > 0, else alpha z */
    void (*change_leaky)(size_t count, double alpha, const double *z, double *change);
    /* scale (z where z >= 0, else alpha (e^z - 1)); e = e^(min(z, 0)) */
    void (*change_elu)(size_t count, double alpha, double scale, const double *z, const double *e,
                       double *change);
    void (*change_softsign)(size_t count, const double *z, double *change);
    /* (sqrt(z^2 + 1) - 1) / 2 + z; r = sqrt(z^2 + 1) */
    void (*change_bent_identity)(size_t count, const double *z, const double *r, double *change);
    /* e^(-z^2); g = its value */
    void (*change_gaussian)(size_t count, const double *z, const double *g, double *change);
    void (*change_arctan)(size_t count, const double *z, double *change);
    /* clamp(z / alpha, -1, 1) */
    void (*change_clamp)(size_t count, double alpha, const double *z, double *change);
} gck_kernels;

/* One for each file core/kernels_*.c; the last two exist on x86-64 alone, and run where the
 * processor has their instructions. */
extern const gck_kernels gck_kernels_generic, gck_kernels_avx2, gck_kernels_avx512;

/* The kernels in use. */
const gck_kernels *gck_kernels_active(void);

#endif
