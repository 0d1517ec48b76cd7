/* Random numbers: the published generator, pinned bits of what is made from it, and its moments. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/rng.h>

#include <math.h>

/* ---- the generator ---- */

typedef struct known_answer {
    uint32_t counter[4], key[2], block[4];
} known_answer;

/* From kat_vectors of the authors' library Random123, lines "philox4x32 10". */
static const known_answer known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(philox_gives_the_published_vectors)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        uint32_t block[4];
        gck_philox(known[i].counter, known[i].key, block);
        for (size_t word = 0; word < 4; word++)
            ck_assert_uint_eq(block[word], known[i].block[word]);
    }
}
END_TEST

/* Where each part of a draw stands in counter and key is part of what a seed means. */
START_TEST(bits_are_the_block_of_seed_purpose_stream_position_and_attempt)
{
    const uint32_t counter[4] = {0x89abcdef, 0x4567 | 0x0003u << 16, 21, GCK_RNG_SHUFFLE};
    const uint32_t key[2] = {0x9abcdef0, 0x12345678};
    uint32_t block[4];
    uint64_t bits[2];
    gck_philox(counter, key, block);
    gck_rng_bits(0x123456789abcdef0, GCK_RNG_SHUFFLE, 21, 0x456789abcdef, 3, bits);
    ck_assert_uint_eq(bits[0], (uint64_t)block[1] << 32 | block[0]);
    ck_assert_uint_eq(bits[1], (uint64_t)block[3] << 32 | block[2]);
}
END_TEST

START_TEST(unit_keeps_53_bits_and_stays_below_1)
{
    ck_assert(gck_rng_unit(0) == 0);
    ck_assert(gck_rng_unit(UINT64_MAX) == 1 - 0x1p-53);
    ck_assert(gck_rng_unit(UINT64_C(1) << 63) == 0.5);
    ck_assert(gck_rng_unit(UINT64_C(1) << 11) == 0x1p-53);
    ck_assert(gck_rng_unit((UINT64_C(1) << 11) - 1) == 0);
}
END_TEST

/* ---- draws ---- */

typedef struct pinned {
    uint64_t seed;
    gck_rng_purpose purpose;
    uint32_t stream;
    uint64_t position;
    double uniform, normal;
} pinned;

/* Computed once by another program, in Python: a seed must give these bits on every machine and in
 * every version. */
static const pinned pins[] = {
    {0, GCK_RNG_PARAMETERS, 0, 0, 0x1.348e23f2dce70p-4, -0x1.4b4f8e29ea7b9p-1},
    {0, GCK_RNG_PARAMETERS, 0, 1, 0x1.44311527a54d6p-2, -0x1.9f47b6cde9abdp+0},
    {7, GCK_RNG_PARAMETERS, 17, 5, 0x1.9171d940be065p-1, 0x1.a00e67950fedap-1},
    {0x123456789abcdef0, GCK_RNG_SHUFFLE, 2, (UINT64_C(1) << 47) + 12345, 0x1.84139a9a54944p-3,
     -0x1.1b76674648330p+0},
    {UINT64_MAX, GCK_RNG_SPLIT, UINT32_MAX, (UINT64_C(1) << 48) - 1, 0x1.1e8602e97dabfp-1,
     0x1.dc0172e51e620p-2},
    {1, GCK_RNG_DROPOUT, 3, 4, 0x1.2031dbddae729p-1, 0x1.dd2fa62556d4ep-4},
};

START_TEST(uniform_and_normal_keep_their_bits)
{
    for (size_t i = 0; i < COUNT(pins); i++) {
        const pinned *p = &pins[i];
        const double uniform = gck_rng_uniform(p->seed, p->purpose, p->stream, p->position);
        const double normal = gck_rng_normal(p->seed, p->purpose, p->stream, p->position);
        assert_same_bits(&uniform, &p->uniform, 1, "uniform");
        assert_same_bits(&normal, &p->normal, 1, "normal");
    }
}
END_TEST

START_TEST(below_and_shuffle_keep_their_numbers)
{
    /* The first two need a second and a first attempt: half of all draws are refused for this
     * bound. */
    const uint64_t half = (UINT64_C(1) << 63) + 1;
    ck_assert_uint_eq(gck_rng_below(5, GCK_RNG_SHUFFLE, 0, 9, half), UINT64_C(8862497337171690732));
    ck_assert_uint_eq(gck_rng_below(5, GCK_RNG_SHUFFLE, 0, 10, half), UINT64_C(240444552202750632));
    ck_assert_uint_eq(gck_rng_below(5, GCK_RNG_SHUFFLE, 0, 11, 1000), 27);
    size_t order[10];
    const size_t shuffled[10] = {5, 0, 4, 2, 3, 7, 9, 8, 1, 6};
    for (size_t i = 0; i < 10; i++)
        order[i] = i;
    gck_rng_shuffle(1, GCK_RNG_SHUFFLE, 0, order, 10);
    for (size_t i = 0; i < 10; i++)
        ck_assert_uint_eq(order[i], shuffled[i]);
}
END_TEST

/* The polar method from the same bits, with the C library's logarithm in long double.
 * Rounding, in units of u: the library's logarithm errs by 5 (t = (m - 1) / (m + 1) by 2, its
 * square by 5, of which the series passes on t^2/3 <= 1 %, then one for each of the last sums),
 * which the root halves; the quotient adds 1, halved, the root 1 and the last product 1. Together
 * 5; 6 leaves room for second-order terms. */
START_TEST(normal_is_the_polar_method)
{
    for (uint64_t position = 0; position < 4000; position++) {
        double u, v, square;
        uint32_t attempt = 0;
        do {
            uint64_t bits[2];
            gck_rng_bits(3, GCK_RNG_PARAMETERS, 1, position, attempt++, bits);
            u = 2 * gck_rng_unit(bits[0]) - 1;
            v = 2 * gck_rng_unit(bits[1]) - 1;
            square = u * u + v * v;
        } while (!(square > 0 && square < 1));
        const long double want = u * sqrtl(-2 * logl(square) / square);
        assert_within(gck_rng_normal(3, GCK_RNG_PARAMETERS, 1, position), want,
                      6 * ROUNDOFF * fabsl(want), "normal %llu", (unsigned long long)position);
    }
}
END_TEST

/* ---- moments ---- */

enum { DRAWS = 200000 };

typedef double draw(uint64_t seed, gck_rng_purpose purpose, uint32_t stream, uint64_t position);

/* The mean of drawn^power over positions of one stream. */
static double moment(draw *drawn, int power)
{
    double sum = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double product = 1;
        const double value = drawn(11, GCK_RNG_PARAMETERS, 4, i);
        for (int p = 0; p < power; p++)
            product *= value;
        sum += product;
    }
    return sum / DRAWS;
}

/* The mean of n independent draws of f has the deviation sqrt(var f / n); six of them are passed
 * once in 5e8 runs. */
static double six_sigma(double variance)
{
    return 6 * sqrt(variance / DRAWS);
}

START_TEST(uniform_has_its_moments)
{
    /* E x^p = 1/(p+1), so var x^p = 1/(2p+1) - 1/(p+1)^2 */
    for (int p = 1; p <= 4; p++) {
        const double mean = 1.0 / (p + 1);
        assert_within(moment(gck_rng_uniform, p), mean, six_sigma(1.0 / (2 * p + 1) - mean * mean),
                      "moment %d", p);
    }
}
END_TEST

START_TEST(normal_has_its_moments)
{
    /* E x^2p = 1 * 3 * … * (2p - 1): 1, 3, 15, 105; odd moments vanish. */
    const double mean[] = {0, 1, 0, 3}, variance[] = {1, 3 - 1, 15, 105 - 9};
    for (int p = 1; p <= 4; p++)
        assert_within(moment(gck_rng_normal, p), mean[p - 1], six_sigma(variance[p - 1]),
                      "moment %d", p);
}
END_TEST

/* Neighbouring positions, streams, seeds and purposes: the product of independent standard normals
 * has variance 1. */
START_TEST(neighbours_are_uncorrelated)
{
    double position = 0, stream = 0, seed = 0, purpose = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const double x = gck_rng_normal(2, GCK_RNG_PARAMETERS, 1, i);
        position += x * gck_rng_normal(2, GCK_RNG_PARAMETERS, 1, i + 1);
        stream += x * gck_rng_normal(2, GCK_RNG_PARAMETERS, 2, i);
        seed += x * gck_rng_normal(3, GCK_RNG_PARAMETERS, 1, i);
        purpose += x * gck_rng_normal(2, GCK_RNG_SHUFFLE, 1, i);
    }
    assert_within(position / DRAWS, 0, six_sigma(1), "positions");
    assert_within(stream / DRAWS, 0, six_sigma(1), "streams");
    assert_within(seed / DRAWS, 0, six_sigma(1), "seeds");
    assert_within(purpose / DRAWS, 0, six_sigma(1), "purposes");
}
END_TEST

START_TEST(high_bits_of_seed_and_position_count)
{
    const double plain = gck_rng_uniform(1, GCK_RNG_PARAMETERS, 0, 1);
    ck_assert(plain != gck_rng_uniform(1 | UINT64_C(1) << 32, GCK_RNG_PARAMETERS, 0, 1));
    ck_assert(plain != gck_rng_uniform(1, GCK_RNG_PARAMETERS, 0, 1 | UINT64_C(1) << 32));
}
END_TEST

/* ---- integers ---- */

/* Each of `bound` values is drawn with probability p = 1/bound, so its count has variance n p (1 -
 * p). */
START_TEST(below_draws_every_value_alike)
{
    enum { BOUND = 7 };
    size_t count[BOUND] = {0};
    for (uint64_t i = 0; i < DRAWS; i++)
        count[gck_rng_below(1, GCK_RNG_SHUFFLE, 0, i, BOUND)]++;
    for (size_t value = 0; value < BOUND; value++)
        assert_within((double)count[value], DRAWS / (double)BOUND,
                      6 * sqrt(DRAWS / (double)BOUND * (1 - 1.0 / BOUND)), "value %zu", value);
}
END_TEST

/* A plain remainder would draw the lower third of these values twice as often as the others, and
 * their mean, in units of the bound, would be 5/12. A uniform number has variance 1/12. */
START_TEST(below_is_unbiased_for_huge_bounds)
{
    const uint64_t bound = UINT64_C(3) << 62; /* 3/4 of all 64-bit numbers */
    double sum = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint64_t value = gck_rng_below(1, GCK_RNG_SHUFFLE, 1, i, bound);
        ck_assert_uint_lt(value, bound);
        sum += (double)value / (double)bound;
    }
    assert_within(sum / DRAWS, 0.5, six_sigma(1.0 / 12), "mean");
}
END_TEST

START_TEST(below_1_is_0)
{
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_uint_eq(gck_rng_below(i, GCK_RNG_SPLIT, 0, i, 1), 0);
}
END_TEST

START_TEST(shuffle_is_a_permutation)
{
    enum { LENGTH = 1000 };
    size_t order[LENGTH];
    bool seen[LENGTH] = {false};
    size_t moved = 0;
    for (size_t i = 0; i < LENGTH; i++)
        order[i] = i;
    gck_rng_shuffle(9, GCK_RNG_SPLIT, 0, order, LENGTH);
    for (size_t i = 0; i < LENGTH; i++) {
        ck_assert_uint_lt(order[i], LENGTH);
        ck_assert(!seen[order[i]]);
        seen[order[i]] = true;
        moved += order[i] != i;
    }
    /* A random permutation leaves one element in place on average (Poisson): 20 have probability
     * 1e-19. */
    ck_assert_uint_ge(moved, LENGTH - 20);
    gck_rng_shuffle(9, GCK_RNG_SPLIT, 0, order, 1);
    gck_rng_shuffle(9, GCK_RNG_SPLIT, 0, order, 0);
}
END_TEST

START_TEST(shuffle_draws_every_permutation_alike)
{
    enum { SHUFFLES = 30000, PERMUTATIONS = 6 };
    size_t count[27] = {0}, kinds = 0;
    for (uint32_t stream = 0; stream < SHUFFLES; stream++) {
        size_t order[3] = {0, 1, 2};
        gck_rng_shuffle(1, GCK_RNG_SHUFFLE, stream, order, 3);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    for (size_t i = 0; i < COUNT(count); i++) {
        if (count[i] == 0) continue;
        kinds++;
        assert_within((double)count[i], SHUFFLES / (double)PERMUTATIONS,
                      6 * sqrt(SHUFFLES / (double)PERMUTATIONS * (1 - 1.0 / PERMUTATIONS)),
                      "permutation %zu", i);
    }
    ck_assert_uint_eq(kinds, PERMUTATIONS);
}
END_TEST

SUITE_MAIN("rng", {philox_gives_the_published_vectors, 0},
           {bits_are_the_block_of_seed_purpose_stream_position_and_attempt, 0},
           {unit_keeps_53_bits_and_stays_below_1, 0}, {uniform_and_normal_keep_their_bits, 0},
           {below_and_shuffle_keep_their_numbers, 0}, {normal_is_the_polar_method, 0},
           {uniform_has_its_moments, 0}, {normal_has_its_moments, 0},
           {neighbours_are_uncorrelated, 0}, {high_bits_of_seed_and_position_count, 0},
           {below_draws_every_value_alike, 0}, {below_is_unbiased_for_huge_bounds, 0},
           {below_1_is_0, 0}, {shuffle_is_a_permutation, 0},
           {shuffle_draws_every_permutation_alike, 0})
