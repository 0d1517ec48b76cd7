/* The kernels of every instruction set that this machine has, against stable formulas in long
 * double, and against themselves at other places. */
#include "core/kernels.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const char *const tables[] = {"generic", "avx2", "avx512"};
enum { TABLES = COUNT(tables) };

/* The table, or NULL where the processor cannot run it. */
static const gck_kernels *kernels_at(int index)
{
    gck_error error;
    if (gck_kernels_start(tables[index], &error) != GCK_OK) return NULL;
    ck_assert_str_eq(gck_kernels_active()->name, tables[index]);
    return gck_kernels_active();
}

/* ---- changes, one row each ----
 *
 * `run` prepares the kernel's operands, each rounded once, and calls it. `change` is f(z + d) -
 * f(z) in a form that loses no digits for any z and d; it is compared with the plain difference of
 * core/formulas.h below. */

enum { RUN_MAX = 1024 };

typedef struct subject {
    const char *name, *activation;
    const char *option; /* one to vary, or NULL */
    double varied;
    void (*run)(const gck_kernels *kernels, const double *option, size_t count, const double *z,
                double *change);
    long double (*change)(const double *option, long double z, long double d);
    /* Units of rounding for a small change, relative to it or to `scale`. */
    double bound;
    long double (*scale)(long double z, long double d);
    /* What the kernel takes for small; NULL: d. */
    long double (*reach)(const double *option, long double z, long double d);
} subject;

static long double sigmoid(long double t)
{
    return 1 / (1 + expl(-t));
}

/* p = sigmoid(c z) and q = sigmoid(-c z) */
static void sigmoids(double c, size_t count, const double *z, double *p, double *q)
{
    for (size_t i = 0; i < count; i++) {
        p[i] = (double)sigmoid((long double)c * z[i]);
        q[i] = (double)sigmoid(-(long double)c * z[i]);
    }
}

static long double scaled(const double *option, long double z, long double d)
{
    return option[0] * d + 0 * z;
}

/* sigmoid = (1 + tanh(t / 2)) / 2, and tanh x - tanh y = sinh(x - y) / (cosh x cosh y) */
static long double sigmoid_change(const double *option, long double z, long double d)
{
    const long double c = option[0];
    return sinhl(c * d / 2) / coshl(c * z / 2) / coshl(c * (z + d) / 2) / 2;
}
static void sigmoid_run(const gck_kernels *kernels, const double *option, size_t count,
                        const double *z, double *change)
{
    double p[RUN_MAX], q[RUN_MAX];
    sigmoids(option[0], count, z, p, q);
    kernels->change_sigmoid(count, option[0], 1, z, p, q, change);
}

static long double tanh_change(const double *option, long double z, long double d)
{
    return sinhl(d) / coshl(z) / coshl(z + d) + 0 * option[0];
}
static void tanh_run(const gck_kernels *kernels, const double *option, size_t count,
                     const double *z, double *change)
{
    double p[RUN_MAX], q[RUN_MAX];
    (void)option;
    sigmoids(2, count, z, p, q);
    kernels->change_sigmoid(count, 2, 2, z, p, q, change);
}
static long double twice(const double *option, long double z, long double d)
{
    return 2 * d + 0 * z + 0 * option[0];
}

/* ln(1 + sigmoid(z) (e^d - 1)), from the side where sigmoid <= 1/2 */
static long double softplus_change(const double *option, long double z, long double d)
{
    if (z <= 0) return log1pl(sigmoid(z) * expm1l(d));
    if (d > 0) return d + log1pl(sigmoid(-z) * expm1l(-d));
    return -softplus_change(option, z + d, -d);
}
static void softplus_run(const gck_kernels *kernels, const double *option, size_t count,
                         const double *z, double *change)
{
    double p[RUN_MAX], q[RUN_MAX];
    (void)option;
    sigmoids(1, count, z, p, q);
    kernels->change_softplus(count, 1, z, p, q, change);
}

static long double slu_change(const double *option, long double z, long double d)
{
    const double one = 1;
    return d * sigmoid(z + d) + z * sigmoid_change(&one, z, d) + 0 * option[0];
}
/* Both terms; they cancel near the minimum of slu. */
static long double slu_scale(long double z, long double d)
{
    return (fabsl(d) * sigmoid(z + d) + fabsl(z * d) * sigmoid(z) * sigmoid(-z)) * 1.3L;
}
static void slu_run(const gck_kernels *kernels, const double *option, size_t count, const double *z,
                    double *change)
{
    double p[RUN_MAX], q[RUN_MAX];
    (void)option;
    sigmoids(1, count, z, p, q);
    kernels->change_slu(count, z, p, q, change);
}

/* What of the way from z to z + d lies above 0, and below. */
static long double above(long double z, long double d)
{
    if (z >= 0 && z + d >= 0) return d;
    return fmaxl(z + d, 0) - fmaxl(z, 0);
}
static long double below(long double z, long double d)
{
    if (z <= 0 && z + d <= 0) return d;
    return fminl(z + d, 0) - fminl(z, 0);
}

static long double relu_change(const double *option, long double z, long double d)
{
    return above(z, d) + 0 * option[0];
}
static void relu_run(const gck_kernels *kernels, const double *option, size_t count,
                     const double *z, double *change)
{
    (void)option;
    kernels->change_leaky(count, 0, z, change);
}

static long double leaky_change(const double *option, long double z, long double d)
{
    return above(z, d) + option[0] * below(z, d);
}
static void leaky_run(const gck_kernels *kernels, const double *option, size_t count,
                      const double *z, double *change)
{
    kernels->change_leaky(count, option[0], z, change);
}

static long double elu_change(const double *option, long double z, long double d)
{
    return above(z, d) + option[0] * expl(fminl(z, 0)) * expm1l(below(z, d));
}
static long double selu_change(const double *option, long double z, long double d)
{
    return option[1] * elu_change(option, z, d);
}
static void exponentials(size_t count, const double *z, double *e)
{
    for (size_t i = 0; i < count; i++)
        e[i] = z[i] > 0 ? 1 : (double)expl(z[i]);
}
static void elu_run(const gck_kernels *kernels, const double *option, size_t count, const double *z,
                    double *change)
{
    double e[RUN_MAX];
    exponentials(count, z, e);
    kernels->change_elu(count, option[0], 1, z, e, change);
}
static void selu_run(const gck_kernels *kernels, const double *option, size_t count,
                     const double *z, double *change)
{
    double e[RUN_MAX];
    exponentials(count, z, e);
    kernels->change_elu(count, option[0], option[1], z, e, change);
}

static long double softsign_change(const double *option, long double z, long double d)
{
    const long double u = z + d, divisor = (1 + fabsl(z)) * (1 + fabsl(u));
    return (z * u < 0 ? d + 2 * u * fabsl(z) : d) / divisor + 0 * option[0];
}
static void softsign_run(const gck_kernels *kernels, const double *option, size_t count,
                         const double *z, double *change)
{
    (void)option;
    kernels->change_softsign(count, z, change);
}

static long double bent_identity_change(const double *option, long double z, long double d)
{
    const long double u = z + d;
    return d + d * ((u + z) / (hypotl(u, 1) + hypotl(z, 1))) / 2 + 0 * option[0];
}
static void bent_identity_run(const gck_kernels *kernels, const double *option, size_t count,
                              const double *z, double *change)
{
    double r[RUN_MAX];
    (void)option;
    for (size_t i = 0; i < count; i++)
        r[i] = (double)hypotl(z[i], 1);
    kernels->change_bent_identity(count, z, r, change);
}

/* e^(-z^2) (e^(-A) - 1), A = d (2 z + d); the larger of both values goes in front */
static long double square_change(const double *option, long double z, long double d)
{
    return d * (2 * z + d) + 0 * option[0];
}
static long double gaussian_change(const double *option, long double z, long double d)
{
    const long double a = square_change(option, z, d), u = z + d;
    return a > 0 ? expl(-z * z) * expm1l(-a) : -expl(-u * u) * expm1l(a);
}
static void gaussian_run(const gck_kernels *kernels, const double *option, size_t count,
                         const double *z, double *change)
{
    double g[RUN_MAX];
    (void)option;
    for (size_t i = 0; i < count; i++)
        g[i] = (double)expl(-(long double)z[i] * z[i]);
    kernels->change_gaussian(count, z, g, change);
}

/* The argument of (1 + i u) (1 - i z) */
static long double arctan_change(const double *option, long double z, long double d)
{
    return atan2l(d, 1 + (z + d) * z) + 0 * option[0];
}
static void arctan_run(const gck_kernels *kernels, const double *option, size_t count,
                       const double *z, double *change)
{
    (void)option;
    kernels->change_arctan(count, z, change);
}

/* What of the way lies between the limits: d less what lies outside. */
static long double clamp_change(const double *option, long double z, long double d)
{
    const long double limit = option[0], u = z + d;
    const long double from = fmaxl(-limit, fminl(z, limit)), to = fmaxl(-limit, fminl(u, limit));
    const bool inside = d <= limit - z && d >= -limit - z; /* u is rounded */
    return (inside ? d + (z - from) : to - from) / limit;
}
static void clamp_run(const gck_kernels *kernels, const double *option, size_t count,
                      const double *z, double *change)
{
    kernels->change_clamp(count, option[0], z, change);
}

/* ---- how far off each may be, in units of one rounding u ----
 *
 * Counted to first order without fused operations, with |c d| <= 1/4, where e^s - 1 has a condition
 * of at most 1.13 and ln(1 + x) one of at most 1.14. The polynomials themselves err by 0.1 at most:
 *   expm1, log1p: the last addition 1; the terms before it are at most 0.15 of the whole and err by
 *     3: 1.5 both.
 *   sigmoid: s 1.13, expm1 1.5, p and q 1 each, three products 3, the factor 1; 1 + p E errs by
 *     1 and by 0.36 (p 1, E 2.63, product 1): 2.7; quotient 1: 12.4.
 *   softplus: p E has 4.63, times 1.14, and log1p 1.5: 6.8.
 *   slu: (z q + d) E + d: 2 for z q, 1 for its sum, 2.5 for E and the product, 1 for the last sum,
 *     then as above p 1, 1 + p E 2.3, quotient and product 2: 11.8 of the sum of both terms.
 *   leaky: alpha z 1, or across 0: z + d 1, the sum 1.
 *   elu: z + d 1.13, expm1 1.5, e 1, products 3, the sum 1: 7.7, selu 8.7.
 *   softsign: above: z + d 1, product 1, sum 1; below: sums 1 and 2, product 1; quotient 1: 8.
 *   bent_identity: (u + z) / (...) of at most 1: u 1, sums 1 and 1, the root 2 and the sum 1 of the
 *     other, quotient 1: 7; half of that, on a sum of at least 1/2, itself 1, products 2: 10.
 *   gaussian: A 3, times 1.13, expm1 1.5, g and the product 2: 6.9.
 *   arctan: u z 2 and the sum 1, the quotient 1, the polynomial 1.1: 5.1.
 *   clamp: a sum 1, the quotient 1, and where both happen to cancel once more 1. */

static const subject subjects[] = {
    {"sigmoid", "sigmoid", NULL, 0, sigmoid_run, sigmoid_change, 12.4, NULL, scaled},
    {"sigmoid", "sigmoid", "c", -0.7, sigmoid_run, sigmoid_change, 12.4, NULL, scaled},
    {"tanh", "tanh", NULL, 0, tanh_run, tanh_change, 12.4, NULL, twice},
    {"softplus", "softplus", NULL, 0, softplus_run, softplus_change, 6.8, NULL, NULL},
    {"slu", "slu", NULL, 0, slu_run, slu_change, 11.8, slu_scale, NULL},
    {"relu", "relu", NULL, 0, relu_run, relu_change, 1, NULL, NULL},
    {"leaky", "leaky_relu", "alpha", 0.3, leaky_run, leaky_change, 3, NULL, NULL},
    {"elu", "elu", "alpha", 1.7, elu_run, elu_change, 7.7, NULL, NULL},
    {"selu", "selu", NULL, 0, selu_run, selu_change, 8.7, NULL, NULL},
    {"softsign", "softsign", NULL, 0, softsign_run, softsign_change, 8, NULL, NULL},
    {"bent_identity", "bent_identity", NULL, 0, bent_identity_run, bent_identity_change, 10, NULL,
     NULL},
    {"gaussian", "gaussian", NULL, 0, gaussian_run, gaussian_change, 6.9, NULL, square_change},
    {"arctan", "arctan", NULL, 0, arctan_run, arctan_change, 5.1, NULL, NULL},
    {"clamp", "piecewise_linear", "alpha", 0.6, clamp_run, clamp_change, 3, NULL, NULL},
};
enum { SUBJECTS = COUNT(subjects) };

static gck_choice choice_of(const subject *s)
{
    const gck_choice choice = activation_named(s->activation);
    return s->option == NULL ? choice : with_option(choice, s->option, s->varied);
}

static bool is_small(const subject *s, const double *option, double z, double d)
{
    return fabsl(s->reach == NULL ? d : s->reach(option, z, d)) <= 0.25L;
}

/* ln(1 + e^z), written plainly, is infinite before long. */
static long double value_of(const gck_choice *choice, long double z)
{
    const long double value = formula_value(choice, z);
    return isinf(value) && isfinite(z) ? z : value;
}

/* Beyond, that of subtracting values: each errs by 8 at most, and by the rounding of z + d and of
 * what is made of it (c u, u^2), 2 |u f'(u)|. */
static long double far_bound(const gck_choice *choice, double z, double d)
{
    const long double u = (long double)z + d;
    return 8 * (fabsl(value_of(choice, z)) + fabsl(value_of(choice, u))) +
           2 * (fabsl(z * formula_slope(choice, z)) + fabsl(u * formula_slope(choice, u)));
}

/* Where results underflow, each operation errs by half the smallest double, and slu has a factor of
 * z. */
static void assert_change(const subject *s, const gck_choice *choice, double z, double d,
                          double got)
{
    const long double want = s->change(choice->option, z, d);
    long double bound = s->bound * (s->scale == NULL ? fabsl(want) : s->scale(z, d));
    if (!is_small(s, choice->option, z, d)) bound += far_bound(choice, z, d);
    assert_within(got, want, bound * ROUNDOFF + 8 * (fabsl((long double)z) + 2) * SMALLEST,
                  "%s from %a by %a", s->name, z, d);
}

static const double sizes[] = {0,  1e-300, 1e-8, 0.1, 0.3, 0.6, 1,   1.2784645427610738, 2.5, 5,
                               20, 28,     40,   200, 745, 800, 1e10};
static const double steps[] = {1e-300, 1e-18, 1e-8, 1e-3, 0.07, 0.2, 0.25, 0.3, 1, 3, 50, 1000};
enum { POINTS = COUNT(sizes) * COUNT(steps) * 4 };

/* All sizes of z with all steps, in all signs. */
static void grid(double *z, double *d)
{
    for (size_t i = 0; i < POINTS; i++) {
        z[i] = (i % 2 == 0 ? 1 : -1) * sizes[i / 4 % COUNT(sizes)];
        d[i] = (i % 4 < 2 ? 1 : -1) * steps[i / 4 / COUNT(sizes)];
    }
}

#define EACH_SUBJECT_OF_EACH_TABLE(S, KERNELS)              \
    const subject *S = &subjects[_i % SUBJECTS];            \
    const gck_kernels *KERNELS = kernels_at(_i / SUBJECTS); \
    if (KERNELS == NULL) return

START_TEST(the_stable_formulas_are_the_plain_differences)
{
    const subject *s = &subjects[_i];
    const gck_choice choice = choice_of(s);
    double z[POINTS], d[POINTS];
    grid(z, d);
    for (size_t i = 0; i < POINTS; i++) {
        const long double u = (long double)z[i] + d[i];
        const long double plain = value_of(&choice, u) - value_of(&choice, z[i]);
        const long double stable = s->change(choice.option, z[i], d[i]);
        /* a long double has 11 bits more than a double; z + d and exponents are rounded */
        const long double bound =
            far_bound(&choice, z[i], d[i]) + (16 + 4 * (fabsl(u) + fabs(z[i]))) * fabsl(plain);
        ck_assert_msg(fabsl(stable - plain) <= bound * 0x1p-64L,
                      "%s from %a by %a: %Lg, plainly %Lg", s->name, z[i], d[i], stable, plain);
    }
}
END_TEST

START_TEST(changes_are_right)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[POINTS], d[POINTS], change[POINTS];
    grid(z, d);
    memcpy(change, d, sizeof d);
    s->run(kernels, choice.option, POINTS, z, change);
    for (size_t i = 0; i < POINTS; i++)
        assert_change(s, &choice, z[i], d[i], change[i]);
}
END_TEST

/* |d| from 2^-40 to 1/4, |z| from 2^-30 to 2^8, neither on a grid. */
START_TEST(small_changes_are_right_everywhere)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[RUN_MAX], d[RUN_MAX], change[RUN_MAX];
    for (int i = 0; i < RUN_MAX; i++) {
        z[i] = (i % 2 == 0 ? 1 : -1) * exp2(-30 + 38 * fmod(i * 0.6180339887, 1));
        d[i] = (i % 4 < 2 ? 1 : -1) * exp2(-2 - 38 * fmod(i * 0.4142135624, 1));
    }
    memcpy(change, d, sizeof d);
    s->run(kernels, choice.option, RUN_MAX, z, change);
    for (size_t i = 0; i < RUN_MAX; i++)
        assert_change(s, &choice, z[i], d[i], change[i]);
}
END_TEST

START_TEST(no_change_gives_none)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[2 * COUNT(sizes)], change[2 * COUNT(sizes)] = {0};
    for (size_t i = 0; i < COUNT(z); i++)
        z[i] = i % 2 == 0 ? sizes[i / 2] : -sizes[i / 2];
    s->run(kernels, choice.option, COUNT(z), z, change);
    for (size_t i = 0; i < COUNT(z); i++)
        ck_assert_msg(change[i] == 0, "%s at %a gives %a", s->name, z[i], change[i]);
}
END_TEST

/* Small changes, with a few large ones among them. */
static void mixture(size_t count, double *z, double *change)
{
    for (size_t i = 0; i < count; i++) {
        z[i] = 3 * sin((double)i + 0.5);
        change[i] = (i % 11 == 10 ? 2 : 1e-3) * cos(3 * (double)i);
    }
}

/* An element's bits are the same wherever it stands, and nothing beyond the end is touched. */
START_TEST(places_and_counts_do_not_show)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[600], d[600], one[600], all[600];
    mixture(600, z, d);
    memcpy(one, d, sizeof d);
    for (size_t i = 0; i < 600; i++)
        s->run(kernels, choice.option, 1, z + i, one + i);
    for (size_t count = 0; count < 600; count = count == 33 ? 255 : count == 258 ? 511 : count + 1)
        for (size_t first = 0; first < 3 && first + count < 600; first++) {
            memcpy(all, d, sizeof d);
            s->run(kernels, choice.option, count, z + first, all + first);
            /* each assertion takes its time */
            if (memcmp(all + first, one + first, count * sizeof *all) != 0)
                assert_same_bits(all + first, one + first, count, s->name);
            ck_assert_msg(all[first + count] == d[first + count], "%s beyond the end", s->name);
        }
}
END_TEST

START_TEST(not_a_number_stays_one)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[24], change[24], clean[24];
    mixture(24, z, change);
    memcpy(clean, change, sizeof change);
    s->run(kernels, choice.option, 24, z, clean);
    z[3] = change[7] = z[20] = change[23] = NAN; /* 20 has a large change */
    s->run(kernels, choice.option, 24, z, change);
    for (size_t i = 0; i < 24; i++) {
        const bool spoilt = i == 3 || i == 7 || i == 20 || i == 23;
        ck_assert_msg(isnan(change[i]) == spoilt, "%s: element %zu is %g", s->name, i, change[i]);
        if (!spoilt) assert_same_bits(&change[i], &clean[i], 1, s->name);
    }
}
END_TEST

/* The change of the values, or NaN. */
START_TEST(infinities_give_what_values_give)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    double z[] = {1, -1, 1, -1, INFINITY, -INFINITY, INFINITY, -INFINITY};
    double change[] = {INFINITY, INFINITY, -INFINITY, -INFINITY, 1e-3, 1e-3, -2, -2};
    for (size_t i = 0; i < COUNT(z); i++) {
        const long double u = (long double)z[i] + change[i];
        const long double want = value_of(&choice, u) - value_of(&choice, z[i]);
        s->run(kernels, choice.option, 1, &z[i], &change[i]);
        if (isnan(want) || isnan(change[i]) || change[i] == want) continue;
        assert_within(change[i], want, 8 * ROUNDOFF * fabsl(want), "%s at %g", s->name, z[i]);
    }
}
END_TEST

/* relu's other piece is 0, not 0 times infinity. */
START_TEST(a_closed_unit_stays_closed)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    const double z[] = {-1, -INFINITY, 1, 0}, want[] = {0, 0, -1, INFINITY};
    double change[] = {-INFINITY, -1, -INFINITY, INFINITY};
    kernels->change_leaky(4, 0, z, change);
    for (size_t i = 0; i < 4; i++)
        ck_assert(change[i] == want[i]);
}
END_TEST

/* Largest doubles: a finite change of values is never NaN. */
START_TEST(nothing_overflows_underway)
{
    EACH_SUBJECT_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = choice_of(s);
    const double huge[] = {1e100, 1e154, 1e155, 1e200, 1e307};
    for (size_t i = 0; i < COUNT(huge) * COUNT(huge) * 4; i++) {
        const double z = (i % 2 == 0 ? 1 : -1) * huge[i / 4 % COUNT(huge)];
        const double d = (i % 4 < 2 ? 1 : -1) * huge[i / 4 / COUNT(huge)];
        double change = d;
        s->run(kernels, choice.option, 1, &z, &change);
        const long double want = value_of(&choice, (long double)z + d) - value_of(&choice, z);
        /* and 1e-99 for what underflows in between, beside values of 1 */
        assert_within(change, want, far_bound(&choice, z, d) * ROUNDOFF + 1e-99L,
                      "%s from %g by %g", s->name, z, d);
    }
}
END_TEST

/* ---- expm1, log1p ---- */

static const double arguments[] = {0,    1e-300, 0x1p-1074, 1e-18, 1e-8, 1e-3,  0.1,     0.2,
                                   0.25, 0.2501, 0.28,      0.29,  0.3,  0.5,   0.7,     0.999999,
                                   1,    2,      40,        700,   720,  1e100, DBL_MAX, INFINITY};

/* 2: 1.5 near 0 as above, and glibc's 1 ulp = 2 u. */
static void assert_function(const char *name, double got, double x, long double want)
{
    if (isinf((double)want) || isnan(want))
        ck_assert_msg(got == (double)want || (isnan(got) && isnan(want)), "%s(%a)", name, x);
    else
        assert_within(got, want, 2 * ROUNDOFF * fabsl(want) + SMALLEST, "%s(%a)", name, x);
}

START_TEST(exponentials_and_logarithms_are_right)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    double x[RUN_MAX], e[RUN_MAX], l[RUN_MAX];
    for (size_t i = 0; i < RUN_MAX; i++) {
        const double tried = i / 2 < COUNT(arguments) ? arguments[i / 2] : (double)i * 0x1p-11;
        x[i] = i % 2 == 0 ? tried : -tried;
    }
    kernels->expm1(RUN_MAX, x, e);
    kernels->log1p(RUN_MAX, x, l);
    for (size_t i = 0; i < RUN_MAX; i++) {
        assert_function("expm1", e[i], x[i], expm1l(x[i]));
        assert_function("log1p", l[i], x[i], log1pl(x[i]));
    }
    kernels->expm1(RUN_MAX, x, x); /* in place */
    assert_same_bits(x, e, RUN_MAX, "expm1");
}
END_TEST

START_TEST(functions_of_nothing_are_nothing)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    double x[] = {NAN, 0.1, NAN, 5, NAN}, result[5];
    kernels->expm1(5, x, result);
    ck_assert(isnan(result[0]) && isfinite(result[1]) && isnan(result[2]) && isfinite(result[3]));
    kernels->log1p(5, x, result);
    ck_assert(isnan(result[0]) && isfinite(result[1]) && isnan(result[2]) && isfinite(result[3]));
    kernels->expm1(0, x, result);
}
END_TEST

/* ---- plain loops ---- */

enum { PLAIN_MAX = 33 };

/* A product and a sum: 2 roundings, of the absolute values. */
START_TEST(plain_loops_are_right)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    for (size_t count = 0; count <= PLAIN_MAX; count++) {
        double a[PLAIN_MAX + 1], b[PLAIN_MAX + 1], product[PLAIN_MAX + 1], sum[PLAIN_MAX + 1];
        double triple[PLAIN_MAX + 1] = {0};
        mixture(PLAIN_MAX + 1, a, b);
        memcpy(product, b, sizeof b);
        memcpy(sum, b, sizeof b);
        kernels->multiply(count, a, product);
        kernels->accumulate(count, a, a, sum);
        kernels->scale(count, 3, a, triple);
        for (size_t i = 0; i <= count && i <= PLAIN_MAX; i++) {
            const bool in = i < count;
            ck_assert(product[i] == (in ? a[i] * b[i] : b[i]));
            ck_assert(triple[i] == (in ? 3 * a[i] : 0));
            const long double square = (long double)a[i] * a[i];
            assert_within(sum[i], in ? b[i] + square : b[i], 2 * ROUNDOFF * (square + fabs(b[i])),
                          "accumulate %zu", i);
        }
    }
}
END_TEST

START_TEST(shifts_keep_the_largest)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    double x[] = {1, 2, -5, NAN, 0}, size[] = {0.5, 0.5, 0.5, 0.5, 0.5};
    const double by[] = {1, -1, 1, 0, 0}, want[] = {0, 3, -6};
    kernels->shift(5, by, x, size);
    assert_same_bits(x, want, 3, "shift");
    ck_assert(size[0] == 0.5 && size[1] == 3 && size[2] == 6 && size[3] == 0.5 && size[4] == 0.5);
    ck_assert(isnan(x[3]));
}
END_TEST

/* (x + d)^2 - x^2 = d (2 x + d) has 3 roundings; |x + d| - |x| one. */
START_TEST(losses_change_without_cancellation)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    double z[POINTS], d[POINTS], square[POINTS] = {0}, size[POINTS] = {0};
    grid(z, d);
    kernels->add_square_change(POINTS, z, d, square);
    kernels->add_size_change(POINTS, z, d, size);
    for (size_t i = 0; i < POINTS; i++) {
        const long double want = d[i] * (2 * (long double)z[i] + d[i]);
        assert_within(square[i], want, 3 * ROUNDOFF * fabsl(want) + SMALLEST, "square %a %a", z[i],
                      d[i]);
        const bool crosses = (z[i] < 0 && z[i] + d[i] > 0) || (z[i] > 0 && z[i] + d[i] < 0);
        const long double sign = z[i] < 0 || (z[i] == 0 && d[i] < 0) ? -1 : 1;
        const long double moved = sign * (crosses ? -(2 * (long double)z[i] + d[i]) : d[i]);
        assert_within(size[i], moved, crosses ? ROUNDOFF * fabsl(moved) : 0, "size %a %a", z[i],
                      d[i]);
    }
}
END_TEST

typedef struct crossing {
    double x, change;
    bool half, twice; /* crosses 1 by that much of the change */
} crossing;

static const crossing crossings[] = {
    {2, -1, false, true},   {2, -2.5, true, true},  {0, 0.5, false, false},
    {0, 2.5, true, true},   {2, -1.5, false, true}, {1, 0, false, false},
    {1, 1e-15, true, true}, {1, -5, false, false},  {1.5, 9, false, false},
    {0, NAN, false, false}, {2, NAN, true, true},   {0, INFINITY, true, true},
};

START_TEST(crossings_are_marked)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    enum { COUNT_OF = COUNT(crossings) };
    double x[COUNT_OF], change[COUNT_OF], half[COUNT_OF], two[COUNT_OF];
    for (size_t i = 0; i < COUNT_OF; i++) {
        x[i] = crossings[i].x;
        change[i] = crossings[i].change;
        half[i] = two[i] = i % 2 == 0 ? 7 : 0; /* kept */
    }
    kernels->cross(COUNT_OF, 1, 0.5, x, change, half);
    kernels->cross(COUNT_OF, 1, 2, x, change, two);
    for (size_t i = 0; i < COUNT_OF; i++) {
        const double kept = i % 2 == 0 ? 7 : 0;
        ck_assert_msg(half[i] == (crossings[i].half ? 1 : kept), "crossing %zu", i);
        ck_assert_msg(two[i] == (crossings[i].twice ? 1 : kept), "crossing %zu twice", i);
    }
}
END_TEST

/* ---- choosing ---- */

START_TEST(kernels_are_chosen_by_name)
{
    gck_error error;
    assert_ok(gck_kernels_start("generic", &error), &error);
    ck_assert_str_eq(gck_kernels_active()->name, "generic");
    const char *const bad[] = {"", "AVX2", "avx", "avx5122", "auto "};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_invalid(gck_kernels_start(bad[i], &error), &error, "");
        ck_assert_str_eq(gck_kernels_active()->name, "generic");
    }
}
END_TEST

START_TEST(the_best_kernels_are_the_last_that_run)
{
    const char *best = NULL;
    for (int i = 0; i < TABLES; i++)
        if (kernels_at(i) != NULL) best = tables[i];
    gck_error error;
    assert_ok(gck_kernels_start("auto", &error), &error);
    ck_assert_str_eq(gck_kernels_active()->name, best);
    assert_ok(gck_kernels_start("generic", &error), &error);
    assert_ok(gck_kernels_start(NULL, &error), &error);
    ck_assert_str_eq(gck_kernels_active()->name, best);
}
END_TEST

SUITE_MAIN("kernels", {the_stable_formulas_are_the_plain_differences, SUBJECTS},
           {changes_are_right, SUBJECTS *TABLES},
           {small_changes_are_right_everywhere, SUBJECTS *TABLES},
           {no_change_gives_none, SUBJECTS *TABLES},
           {places_and_counts_do_not_show, SUBJECTS *TABLES},
           {not_a_number_stays_one, SUBJECTS *TABLES},
           {infinities_give_what_values_give, SUBJECTS *TABLES},
           {a_closed_unit_stays_closed, TABLES}, {nothing_overflows_underway, SUBJECTS *TABLES},
           {exponentials_and_logarithms_are_right, TABLES},
           {functions_of_nothing_are_nothing, TABLES}, {plain_loops_are_right, TABLES},
           {shifts_keep_the_largest, TABLES}, {losses_change_without_cancellation, TABLES},
           {crossings_are_marked, TABLES}, {kernels_are_chosen_by_name, 0},
           {the_best_kernels_are_the_last_that_run, 0})
