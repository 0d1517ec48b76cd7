#include <gradcheck/rng.h>

#include <assert.h>
#include <math.h>
#include <string.h>

/* Multipliers and Weyl increments of the published generator. */
#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

void gck_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_block[4])
{
    uint32_t c[4], k[2] = {key[0], key[1]};
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)PHILOX_M0 * c[0], p1 = (uint64_t)PHILOX_M1 * c[2];
        const uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k[0], (uint32_t)p1,
                                  (uint32_t)(p0 >> 32) ^ c[3] ^ k[1], (uint32_t)p0};
        memcpy(c, next, sizeof c);
        k[0] += PHILOX_W0;
        k[1] += PHILOX_W1;
    }
    memcpy(ret_block, c, sizeof c);
}

void gck_rng_bits(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position,
                  uint32_t attempt, uint64_t ret_bits[2])
{
    assert(position < UINT64_C(1) << 48 && attempt < UINT32_C(1) << 16);
    const uint32_t counter[4] = {(uint32_t)position, (uint32_t)(position >> 32) | attempt << 16,
                                 stream, (uint32_t)purpose};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t block[4];
    gck_philox(counter, key, block);
    ret_bits[0] = (uint64_t)block[1] << 32 | block[0];
    ret_bits[1] = (uint64_t)block[3] << 32 | block[2];
}

double gck_rng_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

double gck_rng_uniform(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position)
{
    uint64_t bits[2];
    gck_rng_bits(seed, purpose, stream, position, 0, bits);
    return gck_rng_unit(bits[0]);
}

/* ln(x) for normal x > 0 by additions, multiplications and divisions alone, so that it rounds alike
 * everywhere; within a few units in the last place. x = 2^e * m with m around 1, and ln m = 2
 * atanh((m - 1) / (m + 1)) by its series: |t| <= 0.172 makes the first term left out smaller than
 * 2^-56 of the sum. */
static double natural_logarithm(double x)
{
    const double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
    int exponent;
    double mantissa = frexp(x, &exponent);
    if (mantissa < 0x1.6a09e667f3bcdp-1) {
        mantissa *= 2;
        exponent--;
    }
    const double t = (mantissa - 1) / (mantissa + 1), square = t * t;
    double series = 0;
    for (int odd = 23; odd >= 3; odd -= 2)
        series = (series + 1.0 / odd) * square;
    return exponent * ln2_high + (2 * t + (2 * t * series + exponent * ln2_low));
}

double gck_rng_normal(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position)
{
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        gck_rng_bits(seed, purpose, stream, position, attempt, bits);
        const double u = 2 * gck_rng_unit(bits[0]) - 1, v = 2 * gck_rng_unit(bits[1]) - 1;
        const double square = u * u + v * v;
        if (square < 1 && square > 0) return u * sqrt(-2 * natural_logarithm(square) / square);
    }
}

uint64_t gck_rng_below(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position,
                       uint64_t bound)
{
    assert(bound > 0);
    /* Values from the incomplete last run of `bound` would favour small remainders: draw again. */
    const uint64_t incomplete = (UINT64_MAX - bound + 1) % bound;
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        gck_rng_bits(seed, purpose, stream, position, attempt, bits);
        if (bits[0] >= incomplete) return bits[0] % bound;
    }
}

void gck_rng_shuffle(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, size_t *order,
                     size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)gck_rng_below(seed, purpose, stream, i, i);
        const size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
