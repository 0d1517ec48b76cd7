/* Odd and even fits: their nodes, what they reproduce, and by how much they miss the first power
 * left out. */
#include "core/fit.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <math.h>

/* _i + 1 nodes. */
#define EACH_FIT(FIT) \
    gck_fit FIT;      \
    gck_fit_init(&FIT, (size_t)_i + 1)

/* ---- what a fit should be ---- */

/* T_degree(t) */
static long double chebyshev(size_t degree, long double t)
{
    long double before = 1, now = t;
    if (degree == 0) return 1;
    for (size_t i = 1; i < degree; i++) {
        const long double next = 2 * t * now - before;
        before = now;
        now = next;
    }
    return now;
}

static long double power(long double t, size_t exponent)
{
    long double product = 1;
    while (exponent-- > 0)
        product *= t;
    return product;
}

/* An odd fit's powers are 1, 3, 5, …, an even one's 2, 4, 6, … */
typedef struct parity {
    size_t lowest;
    const double (*matrix)[GCK_NODES_MAX];
} parity;

static parity odd_of(const gck_fit *fit)
{
    return (parity){1, fit->odd};
}

static parity even_of(const gck_fit *fit)
{
    return (parity){2, fit->even};
}

/* A coefficient of the fit through t^exponent at the nodes. */
static long double coefficient(const gck_fit *fit, parity p, size_t term, size_t exponent)
{
    long double sum = 0;
    for (size_t node = 0; node < fit->nodes; node++)
        sum += p.matrix[term][node] * power(fit->node[node], exponent);
    return sum;
}

static long double fitted(const gck_fit *fit, parity p, size_t exponent, long double t)
{
    long double sum = 0;
    for (size_t term = 0; term < fit->nodes; term++)
        sum += coefficient(fit, p, term, exponent) * power(t, p.lowest + 2 * term);
    return sum;
}

/* Rounding errors of Gauss-Jordan elimination: with |matrix| |powers| for the sizes of what it
 * subtracts, an entry passes through at most 3 operations a pivot, and errors of earlier pivots
 * count as many again. fit.c promises 1e-12. */
static long double rounding(const gck_fit *fit, parity p, size_t term)
{
    long double size = 0;
    for (size_t node = 0; node < fit->nodes; node++)
        for (size_t q = 0; q < fit->nodes; q++)
            size += fabsl(p.matrix[term][node]) * power(fit->node[node], p.lowest + 2 * q);
    return fminl((long double)(6 * fit->nodes) * ROUNDOFF * size, 1e-12L);
}

/* ---- nodes ---- */

START_TEST(nodes_are_the_positive_zeros)
{
    EACH_FIT(fit);
    const size_t degree = 2 * fit.nodes + 1;
    ck_assert_uint_eq(fit.nodes, (size_t)_i + 1);
    for (size_t i = 0; i < fit.nodes; i++) {
        const long double t = fit.node[i], angle = acosl(t);
        /* The angle errs by 3 roundings (pi, a product, a quotient), its cosine by 2; the slope of
         * T there is degree / sin(angle). */
        const long double error = (3 * angle * sinl(angle) + 2 * t) * ROUNDOFF;
        assert_within((double)chebyshev(degree, t), 0, (long double)degree / sinl(angle) * error,
                      "T_%zu at node %zu", degree, i);
        ck_assert(t > 0 && t < 1);
        if (i > 0) ck_assert_double_lt(fit.node[i], fit.node[i - 1]);
    }
}
END_TEST

START_TEST(few_nodes_are_known)
{
    gck_fit fit;
    gck_fit_init(&fit, 1); /* 4 t^3 - 3 t */
    assert_within(fit.node[0], sqrtl(0.75L), 2 * ROUNDOFF, "of one");
    assert_within(fit.odd[0][0], 1 / sqrtl(0.75L), 4 * ROUNDOFF, "odd");
    assert_within(fit.even[0][0], 1 / 0.75L, 6 * ROUNDOFF, "even");
    gck_fit_init(&fit, 2); /* 16 t^5 - 20 t^3 + 5 t */
    assert_within(fit.node[0], sqrtl((5 + sqrtl(5)) / 8), 2 * ROUNDOFF, "the first of two");
    assert_within(fit.node[1], sqrtl((5 - sqrtl(5)) / 8), 4 * ROUNDOFF, "the second of two");
}
END_TEST

/* ---- polynomials ---- */

static void assert_reproduces(const gck_fit *fit, parity p)
{
    for (size_t term = 0; term < fit->nodes; term++)
        for (size_t q = 0; q < fit->nodes; q++)
            assert_within((double)coefficient(fit, p, term, p.lowest + 2 * q), term == q,
                          rounding(fit, p, term), "%zu nodes: term %zu of t^%zu", fit->nodes, term,
                          p.lowest + 2 * q);
}

START_TEST(polynomials_of_the_right_parity_are_reproduced)
{
    EACH_FIT(fit);
    assert_reproduces(&fit, odd_of(&fit));
    assert_reproduces(&fit, even_of(&fit));
}
END_TEST

/* Coefficients of a polynomial of both parts, from its values at +-node as a probe has them. */
START_TEST(parts_are_told_apart)
{
    EACH_FIT(fit);
    const double c[2 * GCK_NODES_MAX] = {1, -2, 0.5, 4, -0.25, 3, -1, 0.125, 2, -5};
    const size_t n = fit.nodes;
    long double odd[GCK_NODES_MAX] = {0}, even[GCK_NODES_MAX] = {0};
    for (size_t node = 0; node < n; node++) {
        long double upper = 0, lower = 0;
        for (size_t q = 0; q < 2 * n; q++) {
            upper += c[q] * power(fit.node[node], q + 1);
            lower += c[q] * power(-(long double)fit.node[node], q + 1);
        }
        for (size_t term = 0; term < n; term++) {
            odd[term] += fit.odd[term][node] * (upper - lower) / 2;
            even[term] += fit.even[term][node] * (upper + lower) / 2;
        }
    }
    for (size_t term = 0; term < n; term++) {
        /* coefficients are 5 at most */
        assert_within((double)odd[term], c[2 * term], 5 * rounding(&fit, odd_of(&fit), term),
                      "t^%zu", 2 * term + 1);
        assert_within((double)even[term], c[2 * term + 1], 5 * rounding(&fit, even_of(&fit), term),
                      "t^%zu", 2 * term + 2);
    }
}
END_TEST

/* ---- the first power left out ---- */

enum { PLACES = 200 };

/* With n nodes t^(2n+1) less its fit has the zeros of T_(2n+1) and is T_(2n+1)(t) / 4^n, at most
 * 4^-n between -1 and 1; t^(2n+2) less its fit has them too, 0 twice, and is t T_(2n+1)(t) / 4^n.
 */
START_TEST(the_next_power_is_missed_evenly)
{
    EACH_FIT(fit);
    const size_t n = fit.nodes;
    const long double height = power(0.25L, n);
    const parity odd = odd_of(&fit), even = even_of(&fit);
    long double odd_rounding = 0, even_rounding = 0;
    for (size_t term = 0; term < n; term++) {
        odd_rounding += rounding(&fit, odd, term);
        even_rounding += rounding(&fit, even, term);
    }
    for (int i = -PLACES; i <= PLACES; i++) {
        const long double t = (long double)i / PLACES, wave = height * chebyshev(2 * n + 1, t);
        const long double odd_error = power(t, 2 * n + 1) - fitted(&fit, odd, 2 * n + 1, t);
        const long double even_error = power(t, 2 * n + 2) - fitted(&fit, even, 2 * n + 2, t);
        assert_within((double)odd_error, wave, odd_rounding + ROUNDOFF * height, "odd at %Lg", t);
        assert_within((double)even_error, t * wave, even_rounding + ROUNDOFF * height,
                      "even at %Lg", t);
        if (fabsl(odd_error) > height + odd_rounding) ck_abort_msg("more than 4^-n");
    }
}
END_TEST

/* So the slope at 0 of a fit through t + C t^(2n+1) errs by (2n + 1) C / 4^n, with the sign of
 * T_(2n+1)'s. */
START_TEST(slopes_at_0_err_by_the_next_power)
{
    EACH_FIT(fit);
    const size_t n = fit.nodes;
    const long double height = power(0.25L, n), sign = n % 2 == 0 ? 1 : -1;
    const long double slope = coefficient(&fit, odd_of(&fit), 0, 2 * n + 1);
    assert_within((double)slope, -sign * height * (long double)(2 * n + 1),
                  rounding(&fit, odd_of(&fit), 0), "%zu nodes", n);
}
END_TEST

SUITE_MAIN("fit", {nodes_are_the_positive_zeros, GCK_NODES_MAX}, {few_nodes_are_known, 0},
           {polynomials_of_the_right_parity_are_reproduced, GCK_NODES_MAX},
           {parts_are_told_apart, GCK_NODES_MAX}, {the_next_power_is_missed_evenly, GCK_NODES_MAX},
           {slopes_at_0_err_by_the_next_power, GCK_NODES_MAX})
