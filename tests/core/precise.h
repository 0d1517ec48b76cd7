/* A random network in long doubles, by the formulas of a textbook (formulas.h): what the numeric
 * engine, and the bounds of the plain formula, are compared with. */
#ifndef TESTS_CORE_PRECISE_H
#define TESTS_CORE_PRECISE_H

#include "tests/core/random_networks.h"

typedef struct precise {
    const random_network *drawn;
    long double *theta, *x; /* x row-major */
} precise;

void precise_open(precise *p, const random_network *drawn);
void precise_close(precise *p);
/* (J at θ + up - J at θ - down) / (up + down) for an element of the gradient, θ ± exact. */
long double precise_quotient(const precise *p, size_t element, double up, double down);

#endif
