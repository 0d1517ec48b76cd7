#include "core/kernels.h"

#include <gradcheck/probe.h>
#include <gradcheck/rng.h>
#include <gradcheck/tensor.h>

#include <assert.h>
#include <math.h>

_Static_assert((size_t)GCK_DIRECTIONS_MAX *GCK_ELEMENTS_MAX / 2 <= (size_t)1 << 48,
               "positions of gck_rng");

/* sqrt(2/pi): twice the density of the standard normal distribution at 0. */
#define NORMAL_PEAK 0x1.9884533d43651p-1

void gck_direction_draw(uint64_t seed, uint32_t tensor, size_t direction, size_t count, double *v)
{
    assert(direction < GCK_DIRECTIONS_MAX && count <= GCK_ELEMENTS_MAX);
    const uint32_t stream[2] = {tensor, GCK_RNG_DIRECTION};
    gck_kernels_active()->normals(seed, stream, (uint64_t)direction * GCK_ELEMENTS_MAX, count, v);
}

double gck_direction_dot(const double *a, const double *v, size_t count)
{
    return gck_kernels_active()->dot_doubled(count, a, v);
}

double gck_direction_bar(const double *bar, const double *v, size_t count)
{
    return gck_kernels_active()->dot_sizes(count, bar, v);
}

/* ---- judging ---- */

static double threshold(const gck_direction *d, double tolerance)
{
    return tolerance * (fabs(d->exact) + fabs(d->claimed)) + d->bar;
}

typedef double part(const gck_direction *d);

static double difference_part(const gck_direction *d)
{
    return d->exact - d->claimed;
}

static double exact_part(const gck_direction *d)
{
    return d->exact;
}

static double claimed_part(const gck_direction *d)
{
    return d->claimed;
}

/* sqrt(mean part^2), without overflow on the way. */
static double norm_estimate(const gck_direction *direction, size_t count, part *value)
{
    double norm = 0;
    for (size_t i = 0; i < count; i++)
        norm = gck_norm_join(norm, value(&direction[i]));
    return norm / sqrt((double)count);
}

/* The e at which the thresholds below sqrt(pi/2) * above, taken alone, are missed together with
 * probability 1 - GCK_DETECTION. */
static double error_seen(const gck_direction *direction, size_t count, double tolerance,
                         double above)
{
    double logarithms = 0;
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        const double factor = NORMAL_PEAK * threshold(&direction[i], tolerance);
        if (!(factor < above)) continue;
        logarithms += log(factor);
        taken++;
    }
    if (taken == 0) return INFINITY;
    return exp((logarithms - log(1 - GCK_DETECTION)) / (double)taken);
}

/* Solves prod min(1, sqrt(2/pi) T_i / e) = 1 - GCK_DETECTION. Each round leaves out the thresholds
 * whose factor would be over 1, which makes e smaller, so that no more rounds are needed than there
 * are directions. */
static double detectable(const gck_direction *direction, size_t count, double tolerance)
{
    double e = INFINITY;
    for (size_t round = 0; round <= count; round++) {
        const double next = error_seen(direction, count, tolerance, e);
        if (!(next < e)) break;
        e = next;
    }
    return e;
}

gck_directional gck_directions_judge(const gck_direction *direction, size_t count, double tolerance)
{
    assert(count > 0);
    gck_directional result = {
        .difference = norm_estimate(direction, count, difference_part),
        .exact = norm_estimate(direction, count, exact_part),
        .claimed = norm_estimate(direction, count, claimed_part),
    };
    for (size_t i = 0; i < count; i++)
        if (!(fabs(difference_part(&direction[i])) <= threshold(&direction[i], tolerance)))
            result.wrong++;
    const double e = detectable(direction, count, tolerance), norms = result.exact + result.claimed;
    result.detection = isfinite(norms) ? e / norms : INFINITY;
    if (!(e > 0)) result.detection = 0;
    return result;
}
