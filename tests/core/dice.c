#include "tests/core/dice.h"

#include <gradcheck/rng.h>

#include <math.h>

enum { STREAM_NETWORK = 200000, STREAM_TEST };

dice dice_new(uint64_t seed)
{
    return (dice){.seed = seed, .stream = STREAM_TEST};
}

dice dice_of_network(uint64_t seed)
{
    return (dice){.seed = seed, .stream = STREAM_NETWORK};
}

double dice_uniform(dice *d)
{
    return gck_rng_uniform(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++);
}

double dice_normal(dice *d)
{
    return gck_rng_normal(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++);
}

size_t dice_below(dice *d, size_t bound)
{
    return (size_t)gck_rng_below(d->seed, GCK_RNG_PARAMETERS, d->stream, d->rolls++, bound);
}

bool dice_chance(dice *d, double probability)
{
    return dice_uniform(d) < probability;
}

size_t dice_size(dice *d, size_t most)
{
    const double u = dice_uniform(d);
    return 1 + (size_t)(u * sqrt(u) * (double)most);
}

double dice_value(dice *d, const double *values, size_t count)
{
    return values[dice_below(d, count)];
}
