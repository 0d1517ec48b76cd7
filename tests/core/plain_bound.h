/* The plain formula of a random network in doubles, with a bound on its own rounding: what the
 * numeric engine is compared with.
 *
 * A running error analysis beside each forward pass: u = 2^-53, and e_v bounds the error of v.
 *
 *   dense    e_z = |W|^T (e_x + g |x|) + g |b|,  g = (inputs + 4) u
 *   f(z)     e_a = s d + 8 u |a|,  d = e_z + 2 u |z|
 *   softmax  e_j = a_j (d_j + sum of a_i d_i + (units + 8) u),  d = e_z + 4 u |z|
 *   dropout  e_a = mask e_x + u |a|
 *   loss     e_L = sum of s_j (e_j + 2 u |v_j|) + (units + 16) u size
 *
 * g is that of sums of inputs + 1 products, and of θ ± ε, which is rounded; s of f(z) the larger of
 * |f'| at z ± d; v of a loss is a, or z in a cross-entropy, s_j the size of dL/dv_j, and size the
 * sum of |terms|, plus 1 for a cross-entropy.
 *
 * The quotient of J at upper and lower, h = upper - lower apart, errs by at most
 *
 *   |F| / h sum of w_k (e_k there + e_k here + (m + 3) u |change_k|) + 8 u / h |penalties|
 *     + 2 u (|upper| + |lower|) / h |quotient|,
 *
 * the last because upper and lower are not quite θ ± ε. All slopes are those at the stencil's own
 * points, so that the bound holds where they cross kinks, too. */
#ifndef TESTS_CORE_PLAIN_BOUND_H
#define TESTS_CORE_PLAIN_BOUND_H

#include "tests/core/random_networks.h"

#include "core/pass.h"

#define U 0x1p-53

typedef struct plain_point {
    double *loss, *error; /* (samples) */
} plain_point;

typedef struct plain {
    const random_network *drawn;
    gck_pass *pass;
    double *theta, *size; /* the parameters at work, and their absolute values */
    double *error_z[GCK_LAYERS_MAX], *error_a[GCK_LAYERS_MAX]; /* (outputs, samples) */
    double *room, *slope;                                      /* (widest, samples) */
    plain_point base, upper, lower;
} plain;

void plain_open(plain *p, const random_network *drawn, gck_rows rows);
void plain_close(plain *p);
/* A pass at p->theta and p->pass->x, with all bounds. */
void plain_run(const plain *p, const plain_point *at);
/* The same with *place, one of the parameters or of x, at another value. */
void plain_run_at(const plain *p, double *place, double value, const plain_point *at);

typedef struct plain_estimate {
    double value, bound;
    double penalty; /* the penalties' part of the bound */
} plain_estimate;

typedef struct plain_estimates {
    plain_estimate central, forward;
} plain_estimates;

/* Of the whole gradient. */
void plain_gradient(const random_network *drawn, double epsilon, plain_estimates *ret);

/* Whether J is: a gaussian whose z is 0 has an infinite binary cross-entropy. */
bool random_cost_is_finite(const random_network *drawn);

#endif
