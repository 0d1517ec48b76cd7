/* Random networks with data and a check, all from one seed, and what the plain formula makes of
 * them: in doubles, with a bound on its own rounding, and in long doubles. */
#ifndef TESTS_CORE_RANDOM_NETWORKS_H
#define TESTS_CORE_RANDOM_NETWORKS_H

#include "tests/core/fixtures.h"

#include "core/pass.h"

/* ---- dice: a sequence of random numbers of its own, for what a test draws ---- */

typedef struct dice {
    uint64_t seed, rolls;
    uint32_t stream;
} dice;

dice dice_new(uint64_t seed);
double dice_uniform(dice *d);             /* [0, 1) */
double dice_normal(dice *d);              /* standard normal */
size_t dice_below(dice *d, size_t bound); /* 0 … bound - 1 */
bool dice_chance(dice *d, double probability);

/* ---- networks ---- */

/* The largest drawn; smaller ones are drawn more often. */
typedef struct random_limits {
    size_t layers; /* dense ones; activation and dropout layers come between them */
    size_t units, samples;
    bool nasty; /* under curses: kinks exactly hit, dead units, saturation, sums that cancel, … */
} random_limits;

typedef struct random_network {
    uint64_t seed;
    random_limits limits;
    unsigned curses; /* bits */
    network net;
    gck_check_spec spec; /* drawn: method, epsilon, inputs */
} random_network;

void random_network_open(uint64_t seed, random_limits limits, random_network *ret_drawn);
void random_network_close(random_network *drawn);

/* Everything that was drawn but the numbers, which the seed gives again, to standard output. */
void random_network_print(const random_network *drawn);

/* Elements of its gradient: the parameters, then x row-major. */
size_t random_gradient_count(const random_network *drawn);
/* F of J = F sum_k w_k L_k + penalties. */
double random_factor(const random_network *drawn);
/* Units of the widest layer, or inputs. */
size_t random_widest(const gck_model *model);

/* ---- the plain formula in doubles, with a bound on its own rounding ----
 *
 * A running error analysis beside each forward pass: u = 2^-53, and e_v bounds the error of v.
 *
 *   dense       e_z = |W|^T (e_x + g |x|) + g |b|,  g = (inputs + 4) u: sums of inputs + 1
 * products, and θ ± ε, which is rounded f(z)        e_a = s d + 8 u |a|,  d = e_z + 2 u |z|,  s the
 * larger of |f'| at z ± d softmax     e_j = a_j (d_j + sum of a_i d_i + (units + 8) u),  d = e_z +
 * 4 u |z| dropout     e_a = mask e_x + u |a| loss        e_L = sum of s_j (e_j + 2 u |v_j|) +
 * (units + 16) u size, where v is a, or z in a cross-entropy, s the size of dL/dv, size the sum of
 * |terms|, plus 1 for a cross-entropy
 *
 * The quotient of J at upper and lower, h = upper - lower apart, errs by at most
 *
 *   |F| / h sum of w_k (e_k there + e_k here + (m + 3) u |change_k|) + 8 u / h |penalties|
 *     + 2 u (|upper| + |lower|) / h |quotient|,
 *
 * the last because upper and lower are not quite θ ± ε. All slopes are those at the stencil's own
 * points, so that the bound holds where they cross kinks, too. */

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

/* ---- the same in long doubles, by the formulas of a textbook ---- */

typedef struct precise {
    const random_network *drawn;
    long double *theta, *x; /* x row-major */
} precise;

void precise_open(precise *p, const random_network *drawn);
void precise_close(precise *p);
/* (J at θ + up - J at θ - down) / (up + down) for an element of the gradient, θ ± exact. */
long double precise_quotient(const precise *p, size_t element, double up, double down);

#endif
