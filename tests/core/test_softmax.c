/* Softmax, which alone couples units: values and chain rule against plain formulas in long double.
 */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>

#include "core/activation.h"
#include "core/derivatives.h"

#include <math.h>

enum { UNITS = 5, SAMPLES = 130 }; /* more samples than two strips of it */

/* A logit's shift errs by u |z_j - max|, which is the relative error of its exponential; exp 2, the
 * sum UNITS - 1 and what its terms bring, the quotient 1. */
static long double softmax_error(long double spread)
{
    return (2 * spread + UNITS + 6) * ROUNDOFF;
}

static void sample_of(const double *z, size_t k, long double *sample, long double *spread)
{
    long double low = z[k], high = z[k];
    for (size_t j = 0; j < UNITS; j++) {
        sample[j] = z[j * SAMPLES + k];
        low = fminl(low, sample[j]);
        high = fmaxl(high, sample[j]);
    }
    *spread = high - low;
}

/* A different size of logits in each sample, up to +-1000. */
static void logits_fill(double *z)
{
    for (size_t k = 0; k < SAMPLES; k++)
        for (size_t j = 0; j < UNITS; j++)
            z[j * SAMPLES + k] =
                1000 * sin(1.0 + (double)(7 * j + 3 * k)) * (double)(k + 1) / SAMPLES;
}

START_TEST(softmax_is_the_formula)
{
    double z[UNITS * SAMPLES], a[UNITS * SAMPLES];
    const gck_choice choice = activation_named("softmax");
    logits_fill(z);
    gck_activation_forward(&choice, UNITS, SAMPLES, z, a);
    for (size_t k = 0; k < SAMPLES; k++) {
        long double sample[UNITS], want[UNITS], spread;
        sample_of(z, k, sample, &spread);
        formula_activate(&choice, UNITS, sample, want);
        for (size_t j = 0; j < UNITS; j++)
            assert_within(a[j * SAMPLES + k], want[j],
                          softmax_error(spread) * want[j] + 2 * SMALLEST, "sample %zu unit %zu", k,
                          j);
    }
}
END_TEST

/* dJ/dz_j = a_j (d_j - sum_i a_i d_i): a_j and a_i err as above, products and sums by UNITS + 3
 * more. */
START_TEST(softmax_chain_is_the_formula)
{
    double z[UNITS * SAMPLES], a[UNITS * SAMPLES], delta[UNITS * SAMPLES], d[UNITS * SAMPLES];
    const gck_choice choice = activation_named("softmax");
    logits_fill(z);
    for (size_t i = 0; i < UNITS * SAMPLES; i++)
        d[i] = delta[i] = cos((double)i);
    gck_activation_forward(&choice, UNITS, SAMPLES, z, a);
    gck_activation_row_of(&choice)->derivatives->chain(choice.option, UNITS, SAMPLES, z, a, delta);
    for (size_t k = 0; k < SAMPLES; k++) {
        long double sample[UNITS], want[UNITS], spread, mean = 0, size = 0;
        sample_of(z, k, sample, &spread);
        formula_activate(&choice, UNITS, sample, want);
        for (size_t i = 0; i < UNITS; i++) {
            mean += want[i] * d[i * SAMPLES + k];
            size += want[i] * fabs(d[i * SAMPLES + k]);
        }
        for (size_t j = 0; j < UNITS; j++) {
            const double dj = d[j * SAMPLES + k];
            assert_within(delta[j * SAMPLES + k], want[j] * (dj - mean),
                          (2 * softmax_error(spread) + (UNITS + 3) * ROUNDOFF) * want[j] *
                                  (fabs(dj) + size) +
                              8 * SMALLEST,
                          "sample %zu unit %zu", k, j);
        }
    }
}
END_TEST

START_TEST(softmax_stands_huge_logits)
{
    const gck_choice choice = activation_named("softmax");
    const double z[] = {1e308, -1e308, 0, 1000}, one_hot[] = {1, 0, 0, 0};
    double a[4];
    gck_activation_forward(&choice, 4, 1, z, a);
    assert_same_bits(a, one_hot, 4, "softmax");
    gck_activation_forward(&choice, 1, 4, z, a); /* one unit */
    for (size_t k = 0; k < 4; k++)
        ck_assert(a[k] == 1);
}
END_TEST

SUITE_MAIN("softmax", {softmax_is_the_formula, 0}, {softmax_chain_is_the_formula, 0},
           {softmax_stands_huge_logits, 0})
