/* Gradients as a plain program in float has them: textbook formulas, loops, sample by sample. */
#ifndef TESTS_CORE_FLOATS_H
#define TESTS_CORE_FLOATS_H

#include "tests/core/fixtures.h"

enum { FLOATS_UNITS = 128 };

/* The gradients of J with respect to parameters (the model's vector) and x (samples, inputs). All
 * numbers of the network are rounded to float first; it has at most FLOATS_UNITS units in a layer,
 * and as many inputs. */
void floats_gradient(const network *net, double *gradient, double *x);

/* Outputs (samples, outputs), NaN for samples of weight 0, and J, whose cross-entropies are taken
 * from a. */
double floats_forward(const network *net, double *outputs);

#endif
