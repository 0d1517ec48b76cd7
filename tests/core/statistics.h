/* What the statistics of random networks share: how many, and which kernels.
 *
 * `make check` runs a few networks of each kind; `make statistics` ($RANDOM_NETWORKS=long) many
 * large ones, and prints the counts that docs/numerics.md gives. What fails is printed with its
 * seed and whole spec, and counted; a test fails at its end. */
#ifndef TESTS_CORE_STATISTICS_H
#define TESTS_CORE_STATISTICS_H

#include "tests/core/random_networks.h"

typedef struct batch {
    size_t networks; /* of seeds 0, 1, 2, … */
    random_limits limits;
} batch;

bool statistics_are_long(void);

/* All kernels; false where the processor does not run them. */
enum { KERNELS = 3 };
extern const char *const kernels_names[KERNELS];
bool kernels_use(size_t kernels);

#endif
