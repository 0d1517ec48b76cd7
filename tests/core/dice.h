/* Dice: a sequence of random numbers of its own, for what a test draws. The same seed gives the
 * same numbers on every machine. */
#ifndef TESTS_CORE_DICE_H
#define TESTS_CORE_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dice {
    uint64_t seed, rolls;
    uint32_t stream;
} dice;

dice dice_new(uint64_t seed);
/* Those that random networks are drawn with: others than a test's of the same seed. */
dice dice_of_network(uint64_t seed);

double dice_uniform(dice *d);             /* [0, 1) */
double dice_normal(dice *d);              /* standard normal */
size_t dice_below(dice *d, size_t bound); /* 0 … bound - 1 */
size_t dice_size(dice *d, size_t most);   /* 1 … most, small ones more often: mean 0.4 most */
bool dice_chance(dice *d, double probability);

/* One of the numbers that are listed. */
double dice_value(dice *d, const double *values, size_t count);
#define DICE_ONE_OF(D, ...)                      \
    dice_value(D, (const double[]){__VA_ARGS__}, \
               sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#endif
