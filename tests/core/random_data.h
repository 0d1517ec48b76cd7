/* The numbers of a random network: its data and biases, and curses, each of which makes them nasty
 * in a way of its own. */
#ifndef TESTS_CORE_RANDOM_DATA_H
#define TESTS_CORE_RANDOM_DATA_H

#include "tests/core/dice.h"
#include "tests/core/fixtures.h"

/* x normal; y normal, or in [0, 1] for a cross-entropy, half of its rows one-hot; weights, if there
 * are any, in [0, 2), a quarter of them 0. */
void random_data_draw(dice *d, const gck_model *model, gck_data *data);
/* Uniform in [-1, 1). */
void random_biases_draw(dice *d, const network *net);

/* Each with a chance of a quarter, in the table's order; returns which, a bit each. */
unsigned curses_cast(dice *d, network *net);
/* " NAME," for each, to standard output. */
void curses_print(unsigned cast);

#endif
