/* Random directions: the vectors, derivatives along them, and what can be concluded. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <gradcheck/kernels.h>
#include <gradcheck/probe.h>
#include <gradcheck/rng.h>

#include <complex.h>
#include <math.h>
#include <string.h>

enum { LENGTH = 40 };

/* ---- vectors ---- */

static const char *const tables[] = {"generic", "avx2", "avx512"};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* False where the processor cannot run them. */
static bool kernels_start(int index)
{
    gck_error error;
    return gck_kernels_start(tables[index], &error) == GCK_OK;
}

/* Box and Muller's numbers (tests/core/test_normal.c) of that place's block, in long double; good
 * enough where neither cosine nor sine is near 0. */
static long double element(uint64_t seed, uint32_t tensor, uint64_t direction, uint64_t index)
{
    uint64_t bits[2];
    gck_rng_bits(seed, GCK_RNG_DIRECTION, tensor, (direction << 39) + index / 2, 0, bits);
    const long double u = (long double)gck_rng_unit(bits[0]) + 0x1p-53L;
    const long double angle = 2 * acosl(-1) * gck_rng_unit(bits[1]);
    return sqrtl(-2 * logl(u)) * (index % 2 == 0 ? cosl(angle) : sinl(angle));
}

START_TEST(directions_are_normal_draws)
{
    double v[LENGTH], shorter[LENGTH / 2];
    if (!kernels_start(_i)) return;
    gck_direction_draw(9, 5, 255, LENGTH, v);
    for (size_t i = 0; i < LENGTH; i++)
        assert_within(v[i], element(9, 5, 255, i), 8 * ROUNDOFF * fabs(v[i]), "element %zu", i);
    gck_direction_draw(9, 5, 255, LENGTH / 2, shorter);
    ck_assert_mem_eq(v, shorter, sizeof shorter);
}
END_TEST

START_TEST(a_dot_product_loses_nothing_to_cancellation)
{
    const double a[] = {1e16, 3, -1e16, 0x1p-30}, v[] = {1, 0.1, 1, 0x1p-30};
    if (!kernels_start(_i)) return;
    /* What is left is 3 * 0.1 in full, and not rounded to double before it is added. */
    assert_within(gck_direction_dot(a, v, 4), 3 * (long double)0.1 + 0x1p-60L, 1e-16L, "dot");
    const double squares[] = {1 + 0x1p-30, 1 + 0x1p-29};
    const double minus[] = {1 + 0x1p-30, -1};
    ck_assert(gck_direction_dot(squares, minus, 2) == 0x1p-60);
    ck_assert(gck_direction_dot(a, v, 0) == 0);
}
END_TEST

/* The same where half of an operand's digits cannot be split off. */
START_TEST(a_dot_product_of_large_numbers_loses_nothing)
{
    const double a[] = {0x1p1020 * (1 + 0x1p-30), 0x1p1020 * (1 + 0x1p-29)};
    const double v[] = {0x1p-20 * (1 + 0x1p-30), -0x1p-20};
    if (!kernels_start(_i)) return;
    ck_assert(gck_direction_dot(a, v, 2) == 0x1p940);
    ck_assert(gck_direction_dot(v, a, 2) == 0x1p940);
}
END_TEST

enum { LONGEST = 5000 };

/* 53 bits and a sign. */
static int64_t integer(uint32_t stream, uint64_t position)
{
    uint64_t bits[2];
    gck_rng_bits(5, GCK_RNG_SPLIT, stream, position, 0, bits);
    const int64_t size = (int64_t)(bits[0] >> 11);
    return bits[1] % 2 == 0 ? size : -size;
}

/* Integers of 53 bits, whose products and sums 128 bits hold. The second half of them takes the
 * first away again, in another order, up to the last digits: some 2^53 of what was added is left,
 * about as much as a plain sum loses. */
static void cancelling(size_t count, double *a, double *v, __int128 *ret_sum, long double *ret_size)
{
    *ret_sum = 0;
    *ret_size = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t mirrored = i < count / 2 ? i : count - 1 - i;
        const int64_t x = integer(1, mirrored), y = integer(2, mirrored);
        const int64_t sign = i < count / 2 ? 1 : -1;
        a[i] = (double)(sign * x);
        v[i] = (double)(i < count / 2 ? y : y ^ 1);
        *ret_sum += (__int128)a[i] * (__int128)v[i];
        *ret_size += fabsl((long double)a[i] * v[i]);
    }
}

/* As the header says; 2^-64 is what the wanted sum is rounded by. */
START_TEST(a_dot_product_is_rounded_once)
{
    static double a[LONGEST], v[LONGEST];
    if (!kernels_start(_i)) return;
    for (size_t count = 0; count <= LONGEST; count += count < 140 ? 1 : 405) {
        __int128 sum;
        long double size;
        cancelling(count, a, v, &sum, &size);
        const long double want = (long double)sum, terms = (long double)count + 1;
        const long double bound =
            (ROUNDOFF + 0x1p-64L) * fabsl(want) + terms * ROUNDOFF * terms * ROUNDOFF * size;
        assert_within(gck_direction_dot(a, v, count), want, bound, "%zu terms", count);
        assert_within(gck_direction_dot(v, a, count), want, bound, "%zu terms", count);
    }
}
END_TEST

START_TEST(a_dot_product_that_is_not_finite_is_nan_or_infinite)
{
    const double v[] = {1, 2}, invalid[] = {NAN, 1}, infinite[] = {1, INFINITY}, zero[] = {0, 0};
    const double large[] = {1e300, 1};
    if (!kernels_start(_i)) return;
    ck_assert(isnan(gck_direction_dot(invalid, v, 2)));
    ck_assert(!isfinite(gck_direction_dot(infinite, v, 2)));
    ck_assert(!isfinite(gck_direction_dot(large, large, 2)));
    ck_assert(isnan(gck_direction_dot(infinite, zero, 2)));
    ck_assert(isnan(gck_direction_bar(invalid, v, 2)));
}
END_TEST

/* Wherever it stands. */
START_TEST(one_nan_makes_a_sum_nan)
{
    enum { TERMS = 70 };
    double a[TERMS], v[TERMS];
    if (!kernels_start(_i)) return;
    for (size_t i = 0; i < TERMS; i++)
        a[i] = v[i] = 1;
    for (size_t i = 0; i < TERMS; i++) {
        a[i] = NAN;
        ck_assert(isnan(gck_direction_dot(a, v, TERMS)) && isnan(gck_direction_dot(v, a, TERMS)));
        ck_assert(isnan(gck_direction_bar(a, v, TERMS)) && isnan(gck_direction_bar(v, a, TERMS)));
        a[i] = 1;
    }
}
END_TEST

START_TEST(a_bar_adds_sizes)
{
    const double bar[] = {1, 2, 4}, v[] = {-1, 0.5, -0.25};
    if (!kernels_start(_i)) return;
    ck_assert(gck_direction_bar(bar, v, 3) == 3);
    ck_assert(gck_direction_bar(bar, v, 0) == 0);
}
END_TEST

/* Integers below 2^53 in all, so that no sum is rounded: each term counts once. */
START_TEST(a_bar_leaves_nothing_out)
{
    static double bar[LONGEST], v[LONGEST];
    double want = 0;
    if (!kernels_start(_i)) return;
    for (size_t i = 0; i < LONGEST; i++) {
        ck_assert(gck_direction_bar(bar, v, i) == want);
        bar[i] = (double)i + 1;
        v[i] = i % 3 == 0 ? -(double)i : (double)i;
        want += bar[i] * (double)i;
    }
}
END_TEST

/* ---- derivatives along them ---- */

/* sum_i a_i sin(x_i) + exp(mean of x), which couples all. */
static double value(void *context, const double *x)
{
    const double *a = context;
    double sum = 0, mean = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        sum += a[i] * sin(x[i]);
        mean += x[i] / LENGTH;
    }
    return sum + exp(mean);
}

static double complex complex_value(void *context, const double complex *x)
{
    const double *a = context;
    double complex sum = 0, mean = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        sum += a[i] * csin(x[i]);
        mean += x[i] / LENGTH;
    }
    return sum + cexp(mean);
}

typedef struct point {
    double a[LENGTH], x[LENGTH];
    gck_probe_spec spec;
} point;

static void point_init(point *p)
{
    for (size_t i = 0; i < LENGTH; i++) {
        p->a[i] = gck_rng_normal(4, GCK_RNG_SPLIT, 0, i);
        p->x[i] = gck_rng_normal(4, GCK_RNG_SPLIT, 1, i);
    }
    p->spec = (gck_probe_spec){
        .value = value, .context = p->a, .count = LENGTH, .x = p->x, .method = GCK_DIRECTIONAL};
}

/* The derivative along v, which stands in the elements of a segment. */
static long double slope_along(const point *p, gck_segment s, const double *v)
{
    long double sum = 0, mean = 0;
    for (size_t i = 0; i < LENGTH; i++)
        mean += p->x[i] / (long double)LENGTH;
    for (size_t i = 0; i < s.count; i++)
        sum += v[i] * (p->a[s.first + i] * cosl(p->x[s.first + i]) + expl(mean) / LENGTH);
    return sum;
}

static const gck_segment parts[] = {{0, 7}, {7, 1}, {10, LENGTH - 10}};
enum { PARTS = sizeof parts / sizeof parts[0], EACH = 5 };

/* Values are below 30, and err by less than 30u each: 60u / 2^-7 and as much again for each
 * extrapolation. Complex step: sums of up to 30 terms of size 3, each wrong by some u. */
static void assert_slopes(const point *p, double limit)
{
    const gck_direction_spec directions = {77, EACH, parts, PARTS};
    double derivative[PARTS * EACH], estimate[PARTS * EACH], v[LENGTH];
    gck_error error;
    assert_ok(gck_probe_directions(&p->spec, &directions, derivative, estimate, &error), &error);
    for (size_t i = 0; i < PARTS; i++) {
        for (size_t k = 0; k < EACH; k++) {
            gck_direction_draw(77, (uint32_t)i, k, parts[i].count, v);
            const long double want = slope_along(p, parts[i], v);
            assert_within(derivative[i * EACH + k], want, limit, "part %zu, direction %zu", i, k);
            ck_assert(estimate[i * EACH + k] <= 10 * limit);
            if (p->spec.complex_value != NULL) continue;
            assert_within(derivative[i * EACH + k], want, estimate[i * EACH + k], "estimate");
        }
    }
}

START_TEST(slopes_along_directions)
{
    point p;
    point_init(&p);
    assert_slopes(&p, 1e-11);
    p.spec.complex_value = complex_value;
    assert_slopes(&p, 1e-13);
    /* An x so small that h has to be smaller still, and one that is 0. */
    p.x[3] = 1e-200;
    p.x[4] = 0;
    assert_slopes(&p, 1e-13);
}
END_TEST

START_TEST(without_segments_all_of_x_is_one)
{
    point p;
    point_init(&p);
    const gck_segment all = {0, LENGTH};
    const gck_direction_spec one = {5, 3, &all, 1}, none = {5, 3, NULL, 0};
    double want[3], got[3];
    gck_error error;
    assert_ok(gck_probe_directions(&p.spec, &one, want, NULL, &error), &error);
    assert_ok(gck_probe_directions(&p.spec, &none, got, NULL, &error), &error);
    assert_same_bits(got, want, 3, "directions");
}
END_TEST

static double broken(void *context, const double *x)
{
    (void)context;
    return NAN * x[0];
}

START_TEST(a_function_that_is_nan_has_no_slopes)
{
    point p;
    point_init(&p);
    p.spec.value = broken;
    const gck_direction_spec directions = {5, 1, NULL, 0};
    double derivative, estimate;
    ck_assert_int_eq(gck_probe_directions(&p.spec, &directions, &derivative, &estimate, NULL),
                     GCK_OK);
    ck_assert(isnan(derivative) && estimate == INFINITY);
}
END_TEST

static void assert_refused(const gck_probe_spec *spec, const gck_direction_spec *directions,
                           const char *where)
{
    double derivative[4] = {77};
    gck_error error;
    assert_invalid(gck_probe_directions(spec, directions, derivative, NULL, &error), &error, where);
    ck_assert(derivative[0] == 77);
}

START_TEST(directions_that_cannot_be_are_refused)
{
    point p;
    point_init(&p);
    gck_direction_spec none = {5, 0, NULL, 0}, lots = {5, GCK_DIRECTIONS_MAX + 1, NULL, 0};
    assert_refused(&p.spec, &none, "directions.count");
    assert_refused(&p.spec, &lots, "directions.count");
    const gck_segment bad[] = {{0, 0}, {LENGTH, 1}, {1, LENGTH}, {2, SIZE_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const gck_segment two[] = {{0, 1}, bad[i]};
        const gck_direction_spec directions = {5, 1, two, 2};
        assert_refused(&p.spec, &directions, "directions.segment[1]");
    }
    const gck_direction_spec good = {5, 1, NULL, 0};
    p.spec.method = GCK_RIDDERS;
    assert_refused(&p.spec, &good, "method");
    p.spec.method = GCK_DIRECTIONAL;
    p.spec.value = NULL;
    assert_refused(&p.spec, &good, "value");
}
END_TEST

/* ---- judging ---- */

START_TEST(a_direction_is_wrong_beyond_its_threshold)
{
    /* T = 0.25 (|n| + |a|) + bar */
    const gck_direction d[] = {
        {3, 5, 0},     /* |-2| <= 2 */
        {3, 5.5, 0},   /* 2.5 > 2.125 */
        {3, 5.5, 0.5}, /* 2.5 <= 2.625 */
        {1, -1, 1},    /* 2 > 1.5 */
        {NAN, 1, 9},   {1, NAN, 9}, {1, 1, NAN}, {INFINITY, INFINITY, 0}, {0, 0, 0},
    };
    const size_t wrong[] = {0, 1, 1, 2, 3, 4, 5, 6, 6};
    for (size_t i = 0; i < sizeof d / sizeof d[0]; i++)
        ck_assert_uint_eq(gck_directions_judge(d, i + 1, 0.25).wrong, wrong[i]);
}
END_TEST

START_TEST(norms_are_root_mean_squares)
{
    const gck_direction d[] = {{3, 0, 0}, {4, 0.5, 0}, {-12, -12, 0}, {0, 0, 0}};
    const gck_directional got = gck_directions_judge(d, 4, 0.5);
    assert_within(got.exact, 6.5, 4 * 6.5L * ROUNDOFF, "exact");
    assert_within(got.claimed, sqrtl(144.25L) / 2, 32 * ROUNDOFF, "claimed");
    assert_within(got.difference, sqrtl(9 + 12.25L) / 2, 16 * ROUNDOFF, "difference");
    const gck_direction huge = {1e300, -1e300, 0};
    ck_assert(isfinite(gck_directions_judge(&huge, 1, 0.5).exact));
    const gck_direction broken_claim[] = {{1, NAN, 0}, {1, INFINITY, 0}};
    ck_assert(isnan(gck_directions_judge(broken_claim, 2, 0.5).difference));
}
END_TEST

/* e solves prod min(1, sqrt(2/pi) T_i / e) = 0.001; relative to |n| + |a|, here 2. 1 - 0.999 is
 * wrong by u / 2 of 1, so by 500 u of itself, of which three directions leave 170 u. */
START_TEST(detection_solves_its_equation)
{
    const long double peak = sqrtl(2 / acosl(-1)), some = 200 * ROUNDOFF;
    const gck_direction alike[] = {{1, 1, 0.5}, {1, 1, 0.5}, {1, 1, 0.5}};
    assert_within(gck_directions_judge(alike, 3, 0.25).detection, peak * 10 / 2, 10 * some,
                  "alike");
    const gck_direction unlike[] = {{1, 1, 1}, {-1, -1, 2}, {1, 1, 4}};
    assert_within(gck_directions_judge(unlike, 3, 0).detection, peak * 2 * 10 / 2, 20 * some,
                  "unlike");
    /* The second and third see nothing as small as what the first does. */
    const gck_direction blind[] = {{1, 1, 1e-9}, {1, 1, 1}, {1, 1, INFINITY}};
    assert_within(gck_directions_judge(blind, 3, 0).detection, peak * 1e-6L / 2, 2e-6L * some,
                  "blind");
}
END_TEST

START_TEST(detection_at_its_ends)
{
    const gck_direction sharp[] = {{1, 1, 0}, {1, 1, 0}}, blind = {1, 1, INFINITY},
                        nothing = {0, 0, 0}, hazy = {0, 0, 1}, broken_exact = {NAN, 1, 1},
                        endless[] = {{INFINITY, 1, 1}, {1, 1, 1}};
    ck_assert(gck_directions_judge(sharp, 2, 0).detection == 0);
    ck_assert(gck_directions_judge(&nothing, 1, 0.5).detection == 0);
    ck_assert(gck_directions_judge(&blind, 1, 0).detection == INFINITY);
    ck_assert(gck_directions_judge(&hazy, 1, 0).detection == INFINITY);
    ck_assert(gck_directions_judge(&broken_exact, 1, 0).detection == INFINITY);
    ck_assert(gck_directions_judge(endless, 2, 0).detection == INFINITY);
}
END_TEST

/* ---- what the numbers promise ---- */

enum { TRIALS = 20000, DIRECTIONS = 8, SMALL = 5 };

/* Two vectors at right angles. */
static const double gradient[SMALL] = {3, 0, -4, 0, 12}, mistake[SMALL] = {0.8, 0, 0.6, 0, 0};

/* A claim with |mistake| = e, judged in as many directions; a new seed is a new trial. */
static size_t wrong_of(uint64_t seed, double e, double tolerance, double bar,
                       gck_directional *ret_right)
{
    gck_direction right[DIRECTIONS], claim[DIRECTIONS];
    for (size_t k = 0; k < DIRECTIONS; k++) {
        double v[SMALL];
        gck_direction_draw(seed, 0, k, SMALL, v);
        const double n = gck_direction_dot(gradient, v, SMALL);
        right[k] = (gck_direction){n, n, bar};
        claim[k] = (gck_direction){n, n + e * gck_direction_dot(mistake, v, SMALL), bar};
    }
    *ret_right = gck_directions_judge(right, DIRECTIONS, tolerance);
    return gck_directions_judge(claim, DIRECTIONS, tolerance).wrong;
}

/* A count of n trials with probability p has variance n p (1 - p); six deviations are passed once
 * in 5e8 runs. */
static double six_sigma(double p)
{
    return 6 * sqrt(TRIALS * p * (1 - p));
}

/* With a fixed bar and no tolerance every T is the same, e is, and a miss is 8 times |z| <= T for
 * z normal with deviation e: exactly erf(T / (e sqrt 2))^8, which the linear bound puts at 0.001.
 */
START_TEST(misses_are_as_rare_as_stated)
{
    const double bar = 0.01;
    gck_directional right;
    wrong_of(0, 0, 0, bar, &right);
    const double e = right.detection * (right.exact + right.claimed);
    size_t missed = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++)
        missed += wrong_of(seed, e, 0, bar, &right) == 0;
    const double p = pow(erf(bar / (e * sqrt(2))), DIRECTIONS);
    ck_assert(p < 0.001 && p > 0.0005);
    assert_within((double)missed, TRIALS * p, six_sigma(p), "misses");
}
END_TEST

/* Thresholds of a tolerance differ from trial to trial, and so does the error that they find; it
 * is at right angles to the gradient, and so independent of the thresholds but for the claim's
 * share in them, a part of 1e-3. */
START_TEST(misses_are_as_rare_with_a_tolerance)
{
    const double tolerance = 1e-3;
    size_t missed = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        gck_directional right;
        wrong_of(seed, 0, tolerance, 0, &right);
        const double e = right.detection * (right.exact + right.claimed);
        missed += wrong_of(seed, e, tolerance, 0, &right) == 0;
    }
    ck_assert_msg((double)missed <= TRIALS * 0.001 + six_sigma(0.001), "%zu misses", missed);
}
END_TEST

/* At half the error, up to 2^8 times as many: the stated number is no idle one. */
START_TEST(smaller_errors_are_missed_more_often)
{
    const double bar = 0.01;
    gck_directional right;
    wrong_of(0, 0, 0, bar, &right);
    const double e = right.detection * (right.exact + right.claimed) / 2;
    size_t missed = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++)
        missed += wrong_of(seed, e, 0, bar, &right) == 0;
    const double p = pow(erf(bar / (e * sqrt(2))), DIRECTIONS);
    ck_assert(p > 0.05);
    assert_within((double)missed, TRIALS * p, six_sigma(p), "misses");
}
END_TEST

/* <g, v> is normal with variance |g|^2 = 169: its square has mean 169 and variance 2 * 169^2, of
 * which 8 * 20000 independent ones are averaged. */
START_TEST(norms_are_estimated_without_bias)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        gck_directional right;
        wrong_of(seed, 0, 0, 0, &right);
        sum += right.exact * right.exact / TRIALS;
    }
    assert_within(sum, 169, 6 * 169 * sqrtl(2.0L / (DIRECTIONS * TRIALS)), "mean square");
}
END_TEST

SUITE_MAIN("probe_direction", {directions_are_normal_draws, TABLES},
           {a_dot_product_loses_nothing_to_cancellation, TABLES},
           {a_dot_product_of_large_numbers_loses_nothing, TABLES},
           {a_dot_product_is_rounded_once, TABLES},
           {a_dot_product_that_is_not_finite_is_nan_or_infinite, TABLES},
           {one_nan_makes_a_sum_nan, TABLES}, {a_bar_adds_sizes, TABLES},
           {a_bar_leaves_nothing_out, TABLES}, {slopes_along_directions, 0},
           {without_segments_all_of_x_is_one, 0}, {a_function_that_is_nan_has_no_slopes, 0},
           {directions_that_cannot_be_are_refused, 0},
           {a_direction_is_wrong_beyond_its_threshold, 0}, {norms_are_root_mean_squares, 0},
           {detection_solves_its_equation, 0}, {detection_at_its_ends, 0},
           {misses_are_as_rare_as_stated, 0}, {misses_are_as_rare_with_a_tolerance, 0},
           {smaller_errors_are_missed_more_often, 0}, {norms_are_estimated_without_bias, 0})
