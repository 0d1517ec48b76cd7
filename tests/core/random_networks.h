/* Random networks with data and a check, all from one seed, which gives the same ones on every
 * machine: what they are made of stands here, their numbers in random_data.h. What judges their
 * gradients stands in plain_bound.h and precise.h. */
#ifndef TESTS_CORE_RANDOM_NETWORKS_H
#define TESTS_CORE_RANDOM_NETWORKS_H

#include "tests/core/fixtures.h"

/* The largest drawn; smaller ones are drawn more often. */
typedef struct random_limits {
    size_t layers; /* dense ones; activation and dropout layers come between them */
    size_t units, samples;
    bool nasty; /* under curses: kinks exactly hit, dead units, saturation, sums that cancel, … */
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

/* Elements of its gradient: the parameters, then x row-major. */
size_t random_gradient_count(const random_network *drawn);
/* F of J = F sum_k w_k L_k + penalties. */
double random_factor(const random_network *drawn);
/* Units of the widest layer, or inputs. */
size_t random_widest(const gck_model *model);

#endif
