/* Normal numbers of the kernels of every instruction set that this machine has: against Box and
 * Muller's formula in long double on the generator's own bits, and against their distribution. */
#include "core/kernels.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/rng.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const tables[] = {"generic", "avx2", "avx512"};
enum { TABLES = COUNT(tables) };

/* The table, or NULL where the processor cannot run it. */
static const gck_kernels *kernels_at(int index)
{
    gck_error error;
    if (gck_kernels_start(tables[index], &error) != GCK_OK) return NULL;
    return gck_kernels_active();
}

/* ---- the formula ----
 *
 * Rounding, in units of u and relative to what each line makes, without fused operations:
 *   log1p_near(m - 1)   1.8, of at most 0.35 in size; one more when the rest of e ln 2 is added
 *   ln u                1, and what is above, as |ln u| >= 0.35 (u near sqrt(1/2)): 3.8
 *   r                   half of that, and 1 for the root: 2.9
 *   cos, sin            1 + t q(t) with |t q| <= 0.3 of 0.7: 2.6; x q(t): 2.4, and 0.45 by the
 *                       coefficients: 2.9
 *   the product         1
 * Together 6.8. */
#define UNITS 7

/* cos and sin of 2 pi t for t = n 2^-53, from the nearest quarter turn: at a zero of either, pi
 * with 64 digits would leave none right. */
static void turn(uint64_t n, long double *ret_cosine, long double *ret_sine)
{
    const long double quarters = (long double)n * 0x1p-51L, nearest = roundl(quarters);
    const long double angle = (quarters - nearest) * acosl(-1) / 2;
    const long double c = cosl(angle), s = sinl(angle);
    const long double cosines[] = {c, -s, -c, s}, sines[] = {s, c, -s, -c};
    *ret_cosine = cosines[(int)nearest % 4];
    *ret_sine = sines[(int)nearest % 4];
}

static void box_muller(const uint32_t block[4], long double ret[2])
{
    const uint64_t first = (uint64_t)block[1] << 32 | block[0];
    const uint64_t second = (uint64_t)block[3] << 32 | block[2];
    const long double u = ((long double)(first >> 11) + 1) * 0x1p-53L, r = sqrtl(-2 * logl(u));
    long double cosine, sine;
    turn(second >> 11, &cosine, &sine);
    ret[0] = r * cosine;
    ret[1] = r * sine;
}

static long double number(uint64_t seed, const uint32_t stream[2], uint64_t place)
{
    const uint64_t pair = place / 2;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)pair, (uint32_t)(pair >> 32), stream[0], stream[1]};
    uint32_t block[4];
    long double both[2];
    gck_philox(counter, key, block);
    box_muller(block, both);
    return both[place % 2];
}

static void assert_number(double got, long double want, uint64_t place)
{
    assert_within(got, want, UNITS * ROUNDOFF * fabsl(want), "number %llu",
                  (unsigned long long)place);
}

typedef struct start {
    uint64_t seed;
    uint32_t stream[2];
    uint64_t first;
    double value; /* of the first, by mpmath with 60 digits and a generator of its own */
} start;

static const start starts[] = {
    {0, {0, 5}, 0, -0x1.6c8ff4560d6e3p-2},
    {0, {0, 5}, 1, 0x1.34119d85b9455p-2},
    {7, {17, 5}, 1000003, -0x1.7c9559a724c6bp-6},
    {0x123456789abcdef0, {2, 5}, (UINT64_C(1) << 47) + 12345, -0x1.95d03d1c64557p-3},
    {9, {5, 5}, UINT64_C(255) << 40, 0x1.25e0c7909a1aap-1},
    {UINT64_MAX, {UINT32_MAX, UINT32_MAX}, UINT64_MAX, 0x1.6ca465b3cd8e1p-2},
    /* where the lower word of the counter overflows */
    {1, {2, 3}, (UINT64_C(1) << 33) - 9, 0x1.42b2ba033d396p-2},
};

START_TEST(numbers_are_the_known_ones)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    for (size_t i = 0; i < COUNT(starts); i++) {
        double v;
        kernels->normals(starts[i].seed, starts[i].stream, starts[i].first, 1, &v);
        assert_within(v, starts[i].value, (UNITS + 1) * ROUNDOFF * fabs(starts[i].value),
                      "start %zu", i);
    }
}
END_TEST

START_TEST(numbers_are_right)
{
    enum { LENGTH = 20000 };
    static double v[LENGTH];
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    for (size_t s = 0; s < COUNT(starts); s++) {
        const start *at = &starts[s];
        kernels->normals(at->seed, at->stream, at->first, LENGTH, v);
        for (size_t i = 0; i < LENGTH && at->first + i >= at->first; i++)
            assert_number(v[i], number(at->seed, at->stream, at->first + i), at->first + i);
    }
}
END_TEST

/* ---- corners: blocks of any bits ----
 *
 * A round of Philox multiplies by odd numbers and so can be undone: the counter of any block. */

#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

/* 1 / odd modulo 2^32; each step doubles the digits that are right, of which odd has 3. */
static uint32_t inverse(uint32_t odd)
{
    uint32_t x = odd;
    for (int step = 0; step < 4; step++)
        x *= 2 - odd * x;
    return x;
}

static void counter_of(const uint32_t block[4], const uint32_t key[2], uint32_t ret_counter[4])
{
    uint32_t c[4];
    memcpy(c, block, sizeof c);
    for (uint32_t round = 10; round-- > 0;) {
        const uint32_t c0 = c[3] * inverse(PHILOX_M0), c2 = c[1] * inverse(PHILOX_M1);
        const uint32_t high0 = (uint32_t)((uint64_t)PHILOX_M0 * c0 >> 32);
        const uint32_t high1 = (uint32_t)((uint64_t)PHILOX_M1 * c2 >> 32);
        const uint32_t before[4] = {c0, c[0] ^ high1 ^ (key[0] + round * PHILOX_W0), c2,
                                    c[2] ^ high0 ^ (key[1] + round * PHILOX_W1)};
        memcpy(c, before, sizeof c);
    }
    memcpy(ret_counter, c, sizeof c);
}

/* Both numbers of that block: under the first key whose counter has an even place below 2^64. */
static void pair_of(const gck_kernels *kernels, const uint32_t block[4], double ret[2])
{
    for (uint32_t seed = 0;; seed++) {
        const uint32_t key[2] = {seed, 0};
        uint32_t counter[4], back[4];
        counter_of(block, key, counter);
        if (counter[1] >> 31 != 0) continue;
        gck_philox(counter, key, back);
        ck_assert_mem_eq(back, block, sizeof back);
        const uint64_t pair = (uint64_t)counter[1] << 32 | counter[0];
        kernels->normals(seed, &counter[2], 2 * pair, 2, ret);
        return;
    }
}

/* Upper 53 bits at which something changes: ends of u, its powers of 2, sqrt(1/2) of them; eighths
 * of a turn, and their neighbours. */
static size_t corners(uint64_t *ret)
{
    const uint64_t root = UINT64_C(0x16a09e667f3bcd), last = (UINT64_C(1) << 53) - 1;
    size_t count = 0;
    for (uint64_t near = 0; near < 5; near++) {
        ret[count++] = near;
        ret[count++] = last - near;
        for (int e = 0; e < 53; e += 13) {
            ret[count++] = (root >> e) - 2 + near;
            ret[count++] = (last >> e) - 2 + near;
        }
        for (uint64_t eighth = 1; eighth < 8; eighth++)
            ret[count++] = (eighth << 50) - 2 + near;
    }
    for (size_t i = 0; i < count; i++)
        ret[i] &= last; /* what is beyond the end is at the other */
    return count;
}

START_TEST(numbers_are_right_at_every_corner)
{
    enum { CORNERS_MAX = 128 };
    uint64_t corner[CORNERS_MAX];
    const size_t count = corners(corner);
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    ck_assert_uint_le(count, CORNERS_MAX);
    for (size_t i = 0; i < count * count; i++) {
        const uint64_t u = corner[i / count] << 11 | (i % 3) * 1023, t = corner[i % count] << 11;
        const uint32_t block[4] = {(uint32_t)u, (uint32_t)(u >> 32), (uint32_t)t,
                                   (uint32_t)(t >> 32)};
        long double want[2];
        double got[2];
        box_muller(block, want);
        pair_of(kernels, block, got);
        assert_number(got[0], want[0], 0);
        assert_number(got[1], want[1], 1);
    }
}
END_TEST

/* u = 2^-53 and its cosine 1; u = 1. */
START_TEST(numbers_end_where_they_should)
{
    const uint32_t least[4] = {0, 0, 0, 0}, most[4] = {UINT32_MAX, UINT32_MAX, 0, 1U << 31};
    double v[2];
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    pair_of(kernels, least, v);
    assert_number(v[0], sqrtl(106 * logl(2)), 0);
    ck_assert(v[0] > 8.57 && v[1] == 0);
    pair_of(kernels, most, v);
    ck_assert(v[0] == 0 && v[1] == 0);
}
END_TEST

/* ---- places ---- */

enum { LINE = 700 };

/* Any stretch of a line holds the line's numbers, and nothing beside it is touched. */
START_TEST(starts_and_counts_do_not_show)
{
    const uint32_t stream[2] = {3, 5};
    const uint64_t first = (UINT64_C(1) << 33) - 300;
    double line[LINE], part[LINE + 2];
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    kernels->normals(8, stream, first, LINE, line);
    for (size_t from = 0; from < 20; from++) {
        for (size_t count = 0; count < LINE - from; count += count < 40 ? 1 : 37) {
            part[0] = part[count + 1] = 100;
            kernels->normals(8, stream, first + from, count, part + 1);
            assert_same_bits(part + 1, line + from, count, "part");
            ck_assert(part[0] == 100 && part[count + 1] == 100);
        }
    }
}
END_TEST

START_TEST(all_kernels_draw_the_same_numbers)
{
    enum { LENGTH = 100000 };
    static double want[LENGTH], got[LENGTH];
    const uint32_t stream[2] = {12, 5};
    kernels_at(0)->normals(4, stream, 0, LENGTH, want);
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    kernels->normals(4, stream, 0, LENGTH, got);
    for (size_t i = 0; i < LENGTH; i++)
        assert_within(got[i], want[i], 2 * UNITS * ROUNDOFF * fabs(want[i]), "number %zu", i);
}
END_TEST

/* ---- the distribution, of fixed numbers ---- */

enum { DRAWS = 1 << 18 };

static double drawn[DRAWS], other[DRAWS];
static const uint32_t some[2] = {4, 5};

static bool draw_some(int table)
{
    const gck_kernels *kernels = kernels_at(table);
    if (kernels != NULL) kernels->normals(11, some, 0, DRAWS, drawn);
    return kernels != NULL;
}

/* The mean of n independent values with that variance is six deviations off once in 5e8. */
static double six_sigma(double variance, size_t n)
{
    return 6 * sqrt(variance / (double)n);
}

/* E z^p = 1 * 3 * … * (p - 1) for even p; the variance of z^p is E z^2p - (E z^p)^2. */
static double moment(int p)
{
    double product = p % 2 == 0;
    for (int k = p - 1; k > 1 && p % 2 == 0; k -= 2)
        product *= k;
    return product;
}

/* Of all, of cosines, of sines. */
START_TEST(moments_are_normal)
{
    if (!draw_some(_i)) return;
    for (size_t stride = 1; stride <= 2; stride++) {
        for (size_t from = 0; from < stride; from++) {
            for (int p = 1; p <= 6; p++) {
                double sum = 0;
                for (size_t i = from; i < DRAWS; i += stride)
                    sum += pow(drawn[i], p);
                const size_t n = DRAWS / stride;
                assert_within(sum / (double)n, moment(p),
                              six_sigma(moment(2 * p) - moment(p) * moment(p), n),
                              "moment %d of each %zu", p, stride);
            }
        }
    }
}
END_TEST

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double below(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* Kolmogorov and Smirnov's distance of n numbers exceeds d with probability 2 e^(-2 n d^2) at most
 * (Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", Ann. Probab. 18(3),
 * 1990): 2e-9 for this d. */
static void assert_distribution(double *x, size_t n, const char *what)
{
    const double limit = sqrt(log(1e9) / (2 * (double)n));
    double distance = 0;
    qsort(x, n, sizeof *x, by_size);
    for (size_t i = 0; i < n; i++) {
        const double p = below(x[i]);
        distance = fmax(distance, fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    ck_assert_msg(distance <= limit, "%s: distance %g over %g", what, distance, limit);
}

START_TEST(the_distribution_is_normal)
{
    if (!draw_some(_i)) return;
    for (size_t i = 0; i < DRAWS; i++)
        other[i % 2 * (DRAWS / 2) + i / 2] = drawn[i];
    assert_distribution(other, DRAWS / 2, "cosines");
    assert_distribution(other + DRAWS / 2, DRAWS / 2, "sines");
    assert_distribution(drawn, DRAWS, "all");
}
END_TEST

/* A count of n with probability p has variance n p (1 - p); 6 more for counts that are so small
 * that they are Poisson's. */
static void assert_count(size_t count, size_t n, double p, const char *what)
{
    assert_within((double)count, (double)n * p, 6 * sqrt((double)n * p * (1 - p)) + 6, "%s", what);
}

START_TEST(tails_are_as_heavy_as_they_should)
{
    if (!draw_some(_i)) return;
    for (double limit = 0.5; limit <= 5; limit += 0.5) {
        size_t above = 0, under = 0;
        for (size_t i = 0; i < DRAWS; i++) {
            above += drawn[i] > limit;
            under += drawn[i] < -limit;
        }
        assert_count(above, DRAWS, below(-limit), "above");
        assert_count(under, DRAWS, below(-limit), "below");
    }
}
END_TEST

/* ---- independence ---- */

/* Correlations of numbers and of their squares, whose products have the variances 1 and 2^2. */
static void assert_uncorrelated(const double *x, const double *y, size_t n, const char *what)
{
    double plain = 0, squares = 0, mixed = 0;
    for (size_t i = 0; i < n; i++) {
        plain += x[i] * y[i];
        squares += (x[i] * x[i] - 1) * (y[i] * y[i] - 1);
        mixed += x[i] * (y[i] * y[i] - 1);
    }
    assert_within(plain / (double)n, 0, six_sigma(1, n), "%s", what);
    assert_within(squares / (double)n, 0, six_sigma(4, n), "%s, squares", what);
    assert_within(mixed / (double)n, 0, six_sigma(2, n), "%s, number and square", what);
}

START_TEST(neighbours_are_uncorrelated)
{
    if (!draw_some(_i)) return;
    /* 16 and 128: the same lane of the next register, the same place of the next stretch */
    const size_t distance[] = {1, 2, 3, 4, 8, 16, 128};
    for (size_t k = 0; k < COUNT(distance); k++)
        assert_uncorrelated(drawn, drawn + distance[k], DRAWS - distance[k], "neighbours");
}
END_TEST

START_TEST(seeds_and_streams_are_uncorrelated)
{
    if (!draw_some(_i)) return;
    const gck_kernels *kernels = kernels_at(_i);
    const struct {
        uint64_t seed;
        uint32_t stream[2];
        uint64_t first;
    } others[] = {
        {12, {4, 5}, 0}, {11 | UINT64_C(1) << 32, {4, 5}, 0}, {11, {5, 5}, 0},
        {11, {4, 6}, 0}, {11, {4, 5}, UINT64_C(1) << 40}, /* the next direction */
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        kernels->normals(others[i].seed, others[i].stream, others[i].first, DRAWS, other);
        assert_uncorrelated(drawn, other, DRAWS, "streams");
    }
}
END_TEST

/* Both numbers of a block, and a number and the next block's, fall into each of 16 * 16 cells of
 * the same probability alike. */
START_TEST(pairs_fill_the_plane_evenly)
{
    enum { SIDE = 16 };
    if (!draw_some(_i)) return;
    for (size_t from = 0; from < 2; from++) {
        size_t count[SIDE][SIDE] = {{0}}, pairs = 0;
        for (size_t i = from; i + 1 < DRAWS; i += 2, pairs++)
            count[(int)(SIDE * below(drawn[i]))][(int)(SIDE * below(drawn[i + 1]))]++;
        for (size_t cell = 0; cell < SIDE * SIDE; cell++)
            assert_count(count[cell / SIDE][cell % SIDE], pairs, 1.0 / (SIDE * SIDE), "cell");
    }
}
END_TEST

SUITE_MAIN("normal", {numbers_are_the_known_ones, TABLES}, {numbers_are_right, TABLES},
           {numbers_are_right_at_every_corner, TABLES}, {numbers_end_where_they_should, TABLES},
           {starts_and_counts_do_not_show, TABLES}, {all_kernels_draw_the_same_numbers, TABLES},
           {moments_are_normal, TABLES}, {the_distribution_is_normal, TABLES},
           {tails_are_as_heavy_as_they_should, TABLES}, {neighbours_are_uncorrelated, TABLES},
           {seeds_and_streams_are_uncorrelated, TABLES}, {pairs_fill_the_plane_evenly, TABLES})
