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
 * much slower, that of subtracting the values of whichever of f's tails is smaller. A NaN stays
 * one; of infinite operands the change is that of the values, or NaN. d = 0 gives 0 for finite z.
 *
 * The most that tests/core/test_kernels.c allows and the most that a search of 10^7 points found,
 * in units u of one rounding (2^-53), for |d| <= 1/4 and prepared operands right to u: ACCURACY */
#ifndef GRADCHECK_CORE_KERNELS_H
#define GRADCHECK_CORE_KERNELS_H

#include <gradcheck/kernels.h>

#include <stddef.h>

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
    void (*expm1)(size_t count, const double *x, double *result);
    void (*log1p)(size_t count, const double *x, double *result);

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
