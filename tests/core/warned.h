/* Checks and what they warn of, word by word. */
#ifndef TESTS_CORE_WARNED_H
#define TESTS_CORE_WARNED_H

#include "tests/core/fixtures.h"

/* Takes the network: its check passes with these warnings, in this order; the list ends with NULL.
 */
#define assert_warnings(NETWORK, SPEC, ...) \
    assert_warned(NETWORK, SPEC, (const char *const[]){__VA_ARGS__})
void assert_warned(network net, const gck_check_spec *spec, const char *const *want);

/* One input, weights of 1 and biases of 0, so that z is x in a first layer; dot, with targets that
 * differ. */
network chain_network(const gck_layer_spec *layers, size_t count, const double *x, size_t samples);

#endif
