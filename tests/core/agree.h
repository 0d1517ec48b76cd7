/* A central or forward check compared, element by element, with the same network in long doubles.
 */
#ifndef TESTS_CORE_AGREE_H
#define TESTS_CORE_AGREE_H

#include "tests/core/wide.h"

/* Runs the check and compares cost, numeric and exact derivatives, which elements cross a kink, and
 * how many pairs; asserts that it passes. */
void assert_agrees(const network *net, const gck_check_spec *spec, const char *what);
/* The same for the central check of all elements, x included, and all choices of engine and
 * method. */
void assert_all_agree(const network *net, double epsilon, const char *what);

#endif
