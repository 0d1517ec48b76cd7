/* Cross-entropies of outputs in [0, 1], each computed from z together with its activation.
 *
 * From a rounded to 0 or 1 no logarithm is exact, or even finite; from z it is. A term whose target
 * is 0 adds nothing, however large its logarithm. */
#ifndef GRADCHECK_CORE_ENTROPY_H
#define GRADCHECK_CORE_ENTROPY_H

#include <gradcheck/cost.h>

typedef void gck_entropy_loss(const double *option, const gck_outputs *outputs, const double *y,
                              double *loss);

typedef struct gck_entropy {
    gck_entropy_loss *categorical; /* L = -sum_j y_j ln a_j */
    gck_entropy_loss *binary;      /* L = -sum_j (y_j ln a_j + (1 - y_j) ln(1 - a_j)) */
    const struct gck_entropy_derivatives *derivatives; /* core/derivatives.h */
    const struct gck_entropy_change *change;           /* core/change.h */
    const struct gck_entropy_exact *exact;             /* core/exact.h */
    const struct gck_entropy_rounding *rounding;       /* core/rounding.h */
} gck_entropy;

extern const gck_entropy gck_entropy_sigmoid, gck_entropy_softmax, gck_entropy_gaussian;

/* Numerically stable pieces that activations share. */
double gck_sigmoid(double t);  /* 1 / (1 + e^-t) */
double gck_softplus(double t); /* ln(1 + e^t) */

#endif
