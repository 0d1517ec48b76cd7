/* A network without kinks, whose central differences are good to 1e-7. */
#ifndef TESTS_CORE_SMOOTH_H
#define TESTS_CORE_SMOOTH_H

#include "tests/core/fixtures.h"

/* Truncation errs by epsilon^2/6 times J'''/J', third derivatives of smooth functions of order 1
 * against first ones, which leaves the distance below SMOOTH unless all first derivatives of a
 * tensor are small. */
#define SMOOTH 1e-7

enum { SQUARE = 4, LAYERS = 3, ROWS = 9 };

/* LAYERS of SQUARE x SQUARE, 60 parameters; ROWS weighted samples, mse. */
network smooth_network(void);
/* Its central check with SMOOTH for the tolerance. */
gck_check_spec smooth_spec(const network *net);

#endif
