/* Random networks with data and a check, all from one seed: ordinary ones, and nasty ones, in which
 * several curses meet (kinks exactly hit, dead units, saturation, sums that cancel, …). */
#ifndef TESTS_CORE_RANDOM_NETWORKS_H
#define TESTS_CORE_RANDOM_NETWORKS_H

#include "tests/core/fixtures.h"

/* The largest drawn; smaller ones are drawn more often. */
typedef struct random_limits {
    size_t layers; /* dense ones; activation and dropout layers come between them */
    size_t units, samples;
    bool nasty;
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

/* A sequence of random numbers of its own for what a test draws beside the network. */
typedef struct dice {
    uint64_t seed, rolls;
    uint32_t stream;
} dice;

dice dice_new(uint64_t seed);
double dice_uniform(dice *d);             /* [0, 1) */
double dice_normal(dice *d);              /* standard normal */
size_t dice_below(dice *d, size_t bound); /* 0 … bound - 1 */
bool dice_chance(dice *d, double probability);

#endif
