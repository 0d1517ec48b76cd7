/* Counter-based random numbers: Philox4x32-10.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * A draw is a pure function of seed, purpose and position, so any thread can make any part of a
 * stream. No function of libm but sqrt is used and nothing is fused, so a seed gives the same bits
 * on every machine with IEEE doubles. Directions alone are drawn elsewhere (gck_direction_draw), in
 * bulk and faster, and differ in their last digits from one set of kernels to another. */
#ifndef GRADCHECK_RNG_H
#define GRADCHECK_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a draw is for: streams of different purposes never share a counter. */
typedef enum gck_rng_purpose {
    GCK_RNG_PARAMETERS = 1, /* stream: layer * 16 + tensor; position: element */
    GCK_RNG_DROPOUT = 2,    /* stream: layer; see core/layer_dropout.c */
    GCK_RNG_SHUFFLE = 3,    /* stream: epoch; position: place */
    GCK_RNG_SPLIT = 4,      /* stream: 0; position: place */
    GCK_RNG_DIRECTION = 5   /* stream: tensor; position: (direction * 2^40 + element) / 2 */
} gck_rng_purpose;

/* One block of Philox4x32-10. */
void gck_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_block[4]);

/* 128 random bits of (seed, purpose, stream, position, attempt); position < 2^48, attempt < 2^16.
 */
void gck_rng_bits(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position,
                  uint32_t attempt, uint64_t ret_bits[2]);

/* 53 of 64 random bits as a double in [0, 1). */
double gck_rng_unit(uint64_t bits);

/* Uniform in [0, 1); standard normal (Marsaglia's polar method). One value a position. */
double gck_rng_uniform(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position);
double gck_rng_normal(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position);

/* Uniform integer below bound > 0, without bias. */
uint64_t gck_rng_below(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position,
                       uint64_t bound);

/* Fisher-Yates: order[0..count) shuffled in place. */
void gck_rng_shuffle(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, size_t *order,
                     size_t count);

#endif
