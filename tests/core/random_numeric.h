/* The numeric side of a random network, and how near its units engine comes to the plain formula.
 */
#ifndef TESTS_CORE_RANDOM_NUMERIC_H
#define TESTS_CORE_RANDOM_NUMERIC_H

#include "tests/core/random_networks.h"

#include "core/numeric.h"

/* Loaded with all samples and the dropout masks of a check; the caller frees both. */
gck_numeric *random_numeric_open(const random_network *drawn, gck_pass **ret_pass);

/* For each element of the gradient what probes may err by beside the rounding bar: FIT_AGREEMENT of
 * core/units.c, sum over samples of |F x_ik| 1e-11 (w_k |dL/dz_jk| + the layer's largest / 64). 0
 * for x. The caller frees it. */
double *random_fit_bounds(const random_network *drawn);

#endif
