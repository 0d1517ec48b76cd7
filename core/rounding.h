/* What rounding does to a function that somebody else computed: sums of absolute values of the
 * terms in the forms in common use, textbook ones among them.
 *
 * Each term errs by some units of rounding of itself, so these are what such errors are measured
 * by: 1 - tanh^2 errs by those of 1 + tanh^2, however small it is. Ours need not be so bad
 * (core/exact.h has sizes of our own forms). Arrays are feature-major (units, samples); any thread;
 * an element costs what the function does. */
#ifndef GRADCHECK_CORE_ROUNDING_H
#define GRADCHECK_CORE_ROUNDING_H

#include <gradcheck/cost.h>

#include "core/activation_names.h"

enum { GCK_TURNS_MAX = 2 };

struct gck_activation_rounding {
    /* Of the terms of f(z), and of those of f'(z), from z or from f(z); what a relative error of z
     * does is not in it. NULL for softmax. */
    void (*sizes)(const double *option, size_t count, const double *z, double *value,
                  double *slope);
    /* Where f' turns: on any interval it is largest and smallest at the ends, or at one of these.
     */
    size_t turn_count;
    double turn[GCK_TURNS_MAX];
};

struct gck_cost_rounding {
    /* Of the terms of dL/da, or of dL/dz where the cost is fused with the last activation. */
    void (*sizes)(const gck_outputs *outputs, const double *y, double *size);
    bool product; /* L is made of y * a, not of y - a: an error of y is one of L */
};

struct gck_entropy_rounding {
    struct gck_cost_rounding categorical, binary;
};

#define X(NAME) extern const struct gck_activation_rounding gck_rounding_##NAME;
GCK_ACTIVATION_NAMES(X)
#undef X
extern const struct gck_entropy_rounding gck_entropy_rounding_sigmoid, gck_entropy_rounding_softmax,
    gck_entropy_rounding_gaussian;
extern const struct gck_cost_rounding gck_cost_rounding_mse, gck_cost_rounding_mae,
    gck_cost_rounding_dot;

#endif
