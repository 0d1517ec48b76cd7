/* Exact derivatives of forward functions by complex step: f'(z) = Im f(z + ih) / h.
 *
 * With h = 2^-300 nothing is subtracted and nothing truncated, no formula of a derivative is
 * involved, and no kink is crossed: branches look at the real part. Source: Squire, Trapp, "Using
 * complex variables to estimate derivatives of real functions", SIAM Review 40(1), 1998. What
 * couples units (softmax) has dual numbers instead: values with their derivative in one direction.
 *
 * Arrays are feature-major (units, samples) or (units, lanes). A slope by complex step below 2^-700
 * loses digits, below 2^-774 it is 0. */
#ifndef GRADCHECK_CORE_EXACT_H
#define GRADCHECK_CORE_EXACT_H

#include <gradcheck/cost.h>

#include "core/activation_names.h"

/* h: a power of two, so that dividing by it is exact. */
#define GCK_EXACT_STEP 0x1p-300

struct gck_activation_exact {
    /* slope[i] = f'(z[i]); NULL for softmax. */
    void (*slopes)(const double *option, size_t count, const double *z, double *slope);
    /* The sum of absolute values of the terms that f' is made of; NULL where they do not cancel. */
    void (*sizes)(const double *option, size_t count, const double *z, double *size);
    /* For softmax: from the tangent of z to that of a, in place, by dual numbers. */
    void (*tangent)(size_t units, size_t lanes, const double *a, double *tangent);
};

struct gck_cost_exact {
    /* slope = dL/da, or dL/dz where the cost is fused with the last activation. */
    void (*slopes)(const gck_outputs *outputs, const double *y, double *slope);
    /* The sum of absolute values of the terms that slope is made of, at least |slope|: what
     * rounding errors in it are measured by. NULL: |slope|. */
    void (*sizes)(const gck_outputs *outputs, const double *y, double *size);
};

struct gck_entropy_exact {
    struct gck_cost_exact categorical, binary;
};

#define X(NAME) extern const struct gck_activation_exact gck_exact_##NAME;
GCK_ACTIVATION_NAMES(X)
#undef X
extern const struct gck_entropy_exact gck_entropy_exact_sigmoid, gck_entropy_exact_softmax,
    gck_entropy_exact_gaussian;
extern const struct gck_cost_exact gck_cost_exact_mse, gck_cost_exact_mae, gck_cost_exact_dot;

/* Of thin numbers, |Im z| < 2^-100; what both files of exact forms share. */
double _Complex gck_thin_exp(double _Complex z);      /* e^z */
double _Complex gck_thin_softplus(double _Complex z); /* ln(1 + e^z) */

#endif
