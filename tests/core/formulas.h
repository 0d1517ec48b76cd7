/* Activations and costs as a textbook writes them, in long double: what the library is compared
 * with.
 *
 * Long doubles have 11 bits more than doubles and an exponent up to 2^16384, so that the plain
 * formulas stand where doubles need care; sums of positive terms replace differences such as 1 - a.
 */
#ifndef TESTS_CORE_FORMULAS_H
#define TESTS_CORE_FORMULAS_H

#include <gradcheck/item.h>

_Static_assert(sizeof(long double) > sizeof(double), "the formulas need more bits than a double");

/* f(z) and f'(z); not for softmax, which couples units. */
long double formula_value(const gck_choice *activation, long double z);
long double formula_slope(const gck_choice *activation, long double z);

/* a[j] of z[j] for one sample; softmax too. */
void formula_activate(const gck_choice *activation, size_t units, const long double *z,
                      long double *a);

/* A sample's loss without reduction. z and the activation belong to the outputs. */
long double formula_loss(const gck_choice *cost, const gck_choice *activation, size_t units,
                         const long double *z, const double *y);

#endif
