/* A whole network in long doubles, element by element: what checks are compared with.
 *
 * It knows the forward pass alone, from tests/core/formulas.c, and the rule for kinks: a stencil
 * crosses one where z > place differs between its middle and either of its points. A long double
 * has 11 more bits, so that with a step of 1e-4 a quotient errs by about 2^-64 |J| / 1e-4 = 5e-16
 * |J|. */
#ifndef TESTS_CORE_WIDE_H
#define TESTS_CORE_WIDE_H

#include "tests/core/fixtures.h"

typedef struct wide_result {
    long double value;
    long double error; /* of the derivative, estimated */
    size_t crossings;  /* samples with a weight whose stencil crosses a kink; l1's counts as one */
} wide_result;

/* The cost with its penalties. */
long double wide_cost(const network *net);

/* Elements are those of the parameters, then those of x, row-major. */

/* The central or forward difference of one element, from θ ± ε as doubles have them: divided by
 * what lies between, or by what was meant where ε vanishes beside θ. */
wide_result wide_quotient(const network *net, gck_method method, double epsilon, size_t element);

/* Its derivative: central differences with h = 2^-10, 2^-12, …, extrapolated once; that of the
 * least error, how far it is from the one before and what rounding may do to it. Crossings are
 * those of the steps it is made of. */
wide_result wide_derivative(const network *net, size_t element);

#endif
