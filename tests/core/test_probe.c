/* Gradients of functions with known derivatives, by every method, and what a caller is promised
 * beside the numbers. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <gradcheck/probe.h>

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static gck_probe_spec spec_of(double (*value)(void *, const double *), const double *x,
                              size_t count)
{
    return (gck_probe_spec){
        .value = value, .count = count, .x = x, .method = GCK_RIDDERS, .epsilon = 0x1p-13};
}

typedef struct result {
    double derivative, error;
} result;

/* For functions of one number. */
static result probe_one(gck_probe_spec spec)
{
    result r;
    gck_error error;
    assert_ok(gck_probe_gradient(&spec, &r.derivative, &r.error, &error), &error);
    return r;
}

/* ---- functions of one number ---- */

static double exponential(void *context, const double *x)
{
    (void)context;
    return exp(x[0]);
}

static double complex complex_exponential(void *context, const double complex *x)
{
    (void)context;
    return cexp(x[0]);
}

static long double exponential_slope(long double x)
{
    return expl(x);
}

static double sine(void *context, const double *x)
{
    (void)context;
    return sin(x[0]);
}

static double complex complex_sine(void *context, const double complex *x)
{
    (void)context;
    return csin(x[0]);
}

static long double sine_slope(long double x)
{
    return cosl(x);
}

static double reciprocal(void *context, const double *x)
{
    (void)context;
    return 1 / x[0];
}

static double complex complex_reciprocal(void *context, const double complex *x)
{
    (void)context;
    return 1 / x[0];
}

static long double reciprocal_slope(long double x)
{
    return -1 / (x * x);
}

static double polynomial(void *context, const double *x)
{
    (void)context;
    return 2 + x[0] * (-3 + x[0] * (5 + x[0] * 7));
}

static double complex complex_polynomial(void *context, const double complex *x)
{
    (void)context;
    return 2 + x[0] * (-3 + x[0] * (5 + x[0] * 7));
}

static long double polynomial_slope(long double x)
{
    return -3 + x * (10 + x * 21);
}

static double root(void *context, const double *x)
{
    (void)context;
    return sqrt(x[0]);
}

static double complex complex_root(void *context, const double complex *x)
{
    (void)context;
    return csqrt(x[0]);
}

static long double root_slope(long double x)
{
    return 1 / (2 * sqrtl(x));
}

typedef struct one {
    const char *name;
    double (*value)(void *, const double *);
    double complex (*complex_value)(void *, const double complex *);
    long double (*slope)(long double);
    double x;
    /* Of ridders' error estimate, relative to |f'| + |f| / max(1, |x|). The first quotient's noise
     * is up to 2^10 u of that (2u of each value, over 2^-8 max(1, |x|)), 4 times that at the third
     * step, half again by extrapolation, and the estimate up to 5 times that: 4e-12 = 2^15 u is for
     * smooth f. More where f bends within those steps. */
    double limit;
} one;

static const one ones[] = {
    {"exp", exponential, complex_exponential, exponential_slope, 0, 4e-12},
    {"exp", exponential, complex_exponential, exponential_slope, 1, 4e-12},
    {"exp", exponential, complex_exponential, exponential_slope, -30, 4e-12},
    {"exp", exponential, complex_exponential, exponential_slope, 300, 1e-10},
    {"exp", exponential, complex_exponential, exponential_slope, 1e-8, 4e-12},
    {"sin", sine, complex_sine, sine_slope, 0, 4e-12},
    {"sin", sine, complex_sine, sine_slope, 1e-8, 4e-12},
    {"sin", sine, complex_sine, sine_slope, 1.5707963267948966, 4e-12},
    {"sin", sine, complex_sine, sine_slope, -40.5, 4e-12},
    {"sin", sine, complex_sine, sine_slope, 1e8, 1e-6},
    {"1/x", reciprocal, complex_reciprocal, reciprocal_slope, 1, 4e-12},
    {"1/x", reciprocal, complex_reciprocal, reciprocal_slope, -0.01, 1e-9},
    {"1/x", reciprocal, complex_reciprocal, reciprocal_slope, 1e8, 4e-12},
    {"1/x", reciprocal, complex_reciprocal, reciprocal_slope, 1e-8, 1e-4},
    {"polynomial", polynomial, complex_polynomial, polynomial_slope, 0, 4e-12},
    {"polynomial", polynomial, complex_polynomial, polynomial_slope, 1e-8, 4e-12},
    {"polynomial", polynomial, complex_polynomial, polynomial_slope, -1.75, 4e-12},
    {"polynomial", polynomial, complex_polynomial, polynomial_slope, 1e8, 4e-12},
    {"sqrt", root, complex_root, root_slope, 2, 4e-12},
    {"sqrt", root, complex_root, root_slope, 1e-3, 1e-9},
    {"sqrt", root, complex_root, root_slope, 1e-8, 1e-4},
    {"sqrt", root, complex_root, root_slope, 1e8, 4e-12},
};

START_TEST(ridders_covers_its_error)
{
    const one *o = &ones[_i];
    const result r = probe_one(spec_of(o->value, &o->x, 1));
    const double mean = fabs(o->value(NULL, &o->x)) / fmax(1, fabs(o->x));
    assert_within(r.derivative, o->slope(o->x), r.error, "%s at %g", o->name, o->x);
    const double relative = r.error / ((double)fabsl(o->slope(o->x)) + mean);
    ck_assert_msg(relative <= o->limit, "%s at %g: error %g", o->name, o->x, relative);
}
END_TEST

/* libm's complex functions err by a few u in each part, of which up to 2 factors meet here. */
START_TEST(complex_step_is_exact_to_a_few_roundings)
{
    const one *o = &ones[_i];
    gck_probe_spec spec = spec_of(o->value, &o->x, 1);
    spec.method = GCK_COMPLEX_STEP;
    spec.complex_value = o->complex_value;
    const result r = probe_one(spec);
    const long double want = o->slope(o->x);
    assert_within(r.derivative, want, 8 * ROUNDOFF * fabsl(want), "%s at %g", o->name, o->x);
    assert_within(r.derivative, want, r.error, "%s at %g", o->name, o->x);
    ck_assert(r.error <= 1e-15 * fabs(r.derivative));
}
END_TEST

/* f''' / 6 is 7 and f'' / 2 is 5 + 21x, so that the truncation is known. Values err by 6 roundings
 * of the sum of absolute terms or less; two of them, and their difference, over h. */
START_TEST(differences_err_by_their_truncation)
{
    const double places[] = {0, 0.3, -1.75, 12}, h = 0x1p-13;
    for (size_t i = 0; i < LENGTH(places); i++) {
        const double x = places[i], size = fabs(x) + h;
        const double terms = 2 + size * (3 + size * (5 + size * 7));
        const long double digits = 14 * ROUNDOFF * terms / h, want = polynomial_slope(x);
        gck_probe_spec spec = spec_of(polynomial, &x, 1);
        spec.method = GCK_CENTRAL;
        result r = probe_one(spec);
        assert_within(r.derivative, want + 7 * h * h, digits, "central");
        assert_within(r.derivative, want, r.error, "central");
        spec.method = GCK_FORWARD;
        r = probe_one(spec);
        assert_within(r.derivative, want + (5 + 21 * x) * h + 7 * h * h, digits, "forward");
        assert_within(r.derivative, want, r.error, "forward");
    }
}
END_TEST

/* ---- functions of many ---- */

enum { WIDE = 12 };

static double rosenbrock(void *context, const double *x)
{
    (void)context;
    double sum = 0;
    for (size_t i = 0; i + 1 < WIDE; i++) {
        const double bend = x[i + 1] - x[i] * x[i], rest = 1 - x[i];
        sum += 100 * bend * bend + rest * rest;
    }
    return sum;
}

static double complex complex_rosenbrock(void *context, const double complex *x)
{
    (void)context;
    double complex sum = 0;
    for (size_t i = 0; i + 1 < WIDE; i++) {
        const double complex bend = x[i + 1] - x[i] * x[i], rest = 1 - x[i];
        sum += 100 * bend * bend + rest * rest;
    }
    return sum;
}

static long double rosenbrock_slope(const double *x, size_t i)
{
    long double slope = 0;
    if (i + 1 < WIDE)
        slope += -400 * x[i] * (x[i + 1] - (long double)x[i] * x[i]) - 2 * (1.0L - x[i]);
    if (i > 0) slope += 200 * (x[i] - (long double)x[i - 1] * x[i - 1]);
    return slope;
}

/* With the largest taken out, which is no branch: its real part decides. */
static double log_sum_exp(void *context, const double *x)
{
    (void)context;
    double largest = x[0], sum = 0;
    for (size_t i = 1; i < WIDE; i++)
        largest = fmax(largest, x[i]);
    for (size_t i = 0; i < WIDE; i++)
        sum += exp(x[i] - largest);
    return largest + log(sum);
}

static double complex complex_log_sum_exp(void *context, const double complex *x)
{
    (void)context;
    double largest = creal(x[0]);
    double complex sum = 0;
    for (size_t i = 1; i < WIDE; i++)
        largest = fmax(largest, creal(x[i]));
    for (size_t i = 0; i < WIDE; i++)
        sum += cexp(x[i] - largest);
    return largest + clog(sum);
}

static long double log_sum_exp_slope(const double *x, size_t i)
{
    long double sum = 0;
    for (size_t j = 0; j < WIDE; j++)
        sum += expl((long double)x[j] - x[i]);
    return 1 / sum;
}

typedef struct many {
    const char *name;
    double (*value)(void *, const double *);
    double complex (*complex_value)(void *, const double complex *);
    long double (*slope)(const double *x, size_t i);
    /* Bounds of errors at the points below, with h = 2^-13. Rosenbrock: f is 214 and errs by 10u of
     * that, over 2^-9 or more for ridders; slopes are sums of terms up to 550; f'' is 1400 at most,
     * f''' 4080. Log-sum-exp: f is 4, f'' 1/4 at most, f''' 0.1. */
    double ridders, complex_step, central, forward;
} many;

static const many manies[] = {
    {"rosenbrock", rosenbrock, complex_rosenbrock, rosenbrock_slope, 1e-9, 1e-12, 2e-5, 0.1},
    {"log-sum-exp", log_sum_exp, complex_log_sum_exp, log_sum_exp_slope, 1e-11, 1e-15, 1e-9, 5e-5},
};

static void point_fill(double *x)
{
    for (size_t i = 0; i < WIDE; i++)
        x[i] = 1.7 * sin(3.1 * (double)i + 0.4);
}

static void assert_gradient(const many *m, gck_method method, double limit)
{
    double x[WIDE], derivative[WIDE], estimate[WIDE];
    point_fill(x);
    gck_probe_spec spec = spec_of(m->value, x, WIDE);
    spec.complex_value = m->complex_value;
    spec.method = method;
    gck_error error;
    assert_ok(gck_probe_gradient(&spec, derivative, estimate, &error), &error);
    for (size_t i = 0; i < WIDE; i++) {
        const long double want = m->slope(x, i);
        assert_within(derivative[i], want, limit, "%s, method %d, element %zu", m->name,
                      (int)method, i);
        /* Complex step's estimate leaves cancellation out. */
        if (method == GCK_COMPLEX_STEP) continue;
        assert_within(derivative[i], want, estimate[i], "%s, method %d, element %zu", m->name,
                      (int)method, i);
        ck_assert_msg(estimate[i] <= 3 * limit, "%s: estimate %g", m->name, estimate[i]);
    }
}

START_TEST(gradients_of_many_elements)
{
    const many *m = &manies[_i];
    assert_gradient(m, GCK_RIDDERS, m->ridders);
    assert_gradient(m, GCK_COMPLEX_STEP, m->complex_step);
    assert_gradient(m, GCK_CENTRAL, m->central);
    assert_gradient(m, GCK_FORWARD, m->forward);
}
END_TEST

/* As a plain loop writes it: the library must give its bits. f(x + h) and f(x) are within a factor
 * of 2, so that their difference is exact. */
START_TEST(central_is_the_plain_formula)
{
    double x[WIDE], derivative[WIDE], estimated[WIDE], estimate[WIDE];
    point_fill(x);
    gck_probe_spec spec = spec_of(rosenbrock, x, WIDE);
    spec.method = GCK_CENTRAL;
    spec.epsilon = 1e-4;
    gck_error error;
    assert_ok(gck_probe_gradient(&spec, derivative, NULL, &error), &error);
    assert_ok(gck_probe_gradient(&spec, estimated, estimate, &error), &error);
    for (size_t i = 0; i < WIDE; i++) {
        const double kept = x[i], upper = kept + 1e-4, lower = kept - 1e-4;
        x[i] = upper;
        const double above = rosenbrock(NULL, x);
        x[i] = lower;
        const double quotient = (above - rosenbrock(NULL, x)) / (upper - lower);
        x[i] = kept;
        assert_same_bits(&derivative[i], &quotient, 1, "central");
        assert_same_bits(&estimated[i], &quotient, 1, "central with an estimate");
    }
}
END_TEST

/* ---- where f is not finite ---- */

static double logarithm(void *context, const double *x)
{
    (void)context;
    return log(x[0]);
}

START_TEST(nan_beside_x_is_walked_around)
{
    for (int exponent = 0; exponent <= 28; exponent++) {
        const double x = ldexp(1, -exponent);
        const result r = probe_one(spec_of(logarithm, &x, 1));
        assert_within(r.derivative, 1 / (long double)x, r.error, "log at %g", x);
        ck_assert_msg(r.error <= 1e-6 / x, "error %g at %g", r.error, x);
    }
}
END_TEST

START_TEST(nan_at_x_is_nan)
{
    const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD, GCK_RIDDERS};
    const double places[] = {-1, 0, NAN, INFINITY, -INFINITY};
    for (size_t m = 0; m < LENGTH(methods); m++) {
        for (size_t i = 0; i < LENGTH(places); i++) {
            gck_probe_spec spec = spec_of(logarithm, &places[i], 1);
            spec.method = methods[m];
            const result r = probe_one(spec);
            ck_assert_msg(isnan(r.derivative) && r.error == INFINITY, "%g at %g", r.derivative,
                          places[i]);
        }
    }
}
END_TEST

static double complex complex_endless(void *context, const double complex *x)
{
    (void)context;
    const double parts[] = {INFINITY, cimag(x[0])};
    double complex f;
    memcpy(&f, parts, sizeof f);
    return f;
}

START_TEST(complex_step_of_infinity_is_nan)
{
    const double x = 1;
    gck_probe_spec spec = spec_of(exponential, &x, 1);
    spec.method = GCK_COMPLEX_STEP;
    spec.complex_value = complex_endless;
    const result r = probe_one(spec);
    ck_assert(isnan(r.derivative) && r.error == INFINITY);
}
END_TEST

static double half_defined(void *context, const double *x)
{
    (void)context;
    return (x[0] > 0.5 ? NAN : x[0]) + x[1];
}

START_TEST(nan_harms_no_other_element)
{
    double x[] = {0.5, 3}, derivative[2], estimate[2];
    gck_probe_spec spec = spec_of(half_defined, x, 2);
    gck_error error;
    const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD, GCK_RIDDERS};
    for (size_t m = 0; m < LENGTH(methods); m++) {
        spec.method = methods[m];
        assert_ok(gck_probe_gradient(&spec, derivative, estimate, &error), &error);
        ck_assert(isnan(derivative[0]) && estimate[0] == INFINITY);
        assert_within(derivative[1], 1, estimate[1], "the other");
        ck_assert(estimate[1] < 1e-9);
    }
}
END_TEST

static double enormous(void *context, const double *x)
{
    (void)context;
    return 1e308 * x[0];
}

/* exp(709.8) is infinite, and so are all of ridders' first steps; 1e308 * 1.797693 is the largest
 * double or so. */
START_TEST(overflow_is_walked_around)
{
    double x = 709.7;
    result r = probe_one(spec_of(exponential, &x, 1));
    assert_within(r.derivative, expl(x), r.error, "exp");
    ck_assert(r.error <= 1e-8 * exp(x));
    x = 1.797;
    r = probe_one(spec_of(enormous, &x, 1));
    assert_within(r.derivative, 1e308, r.error, "1e308 x");
    ck_assert(r.error <= 1e308 * 1e-9);
    x = 1e300;
    r = probe_one(spec_of(enormous, &x, 1));
    ck_assert(isnan(r.derivative) && r.error == INFINITY);
}
END_TEST

/* A pole much nearer than all steps: no derivative is found, and none is claimed. */
START_TEST(what_no_step_resolves_is_owned_up_to)
{
    const double x = 1e-14;
    const result r = probe_one(spec_of(reciprocal, &x, 1));
    ck_assert(r.error == INFINITY);
}
END_TEST

START_TEST(a_step_that_vanishes_beside_x_is_owned_up_to)
{
    const double x = 1e16;
    gck_probe_spec spec = spec_of(polynomial, &x, 1);
    spec.method = GCK_CENTRAL;
    spec.epsilon = 1e-4;
    const result r = probe_one(spec);
    ck_assert(r.derivative == 0 && r.error == INFINITY);
}
END_TEST

/* ---- promises ---- */

typedef struct witness {
    const double *x; /* what the copy has to hold, but for `width` elements in a row */
    size_t count, width, calls;
    bool disturbed; /* more than that differs */
} witness;

static void witness_look(witness *w, const double *x, size_t stride)
{
    size_t first = w->count, last = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (memcmp(&x[i * stride], &w->x[i], sizeof *x) == 0 &&
            (stride == 1 || x[i * stride + 1] == 0))
            continue;
        if (first == w->count) first = i;
        last = i;
    }
    w->calls++;
    if (first < w->count && last - first >= w->width) w->disturbed = true;
}

static double watched(void *context, const double *x)
{
    witness_look(context, x, 1);
    return x[0] + exp(x[1]) * x[2] + x[3];
}

static double complex complex_watched(void *context, const double complex *x)
{
    witness_look(context, (const double *)x, 2);
    return x[0] + cexp(x[1]) * x[2] + x[3];
}

/* Numbers that arithmetic would change: 0.1 + h - h, -0 + h - h, the smallest double, NaN's
 * payload.
 */
START_TEST(x_is_restored_to_the_bit)
{
    const uint64_t payload = 0x7ff80000deadbeef;
    double x[] = {0.1, -0.0, 0x1p-1074, 0}, kept[4], derivative[8], estimate[8];
    memcpy(&x[3], &payload, sizeof payload);
    memcpy(kept, x, sizeof x);
    witness w = {.x = kept, .count = 4, .width = 1};
    gck_probe_spec spec = spec_of(watched, x, 4);
    spec.context = &w;
    gck_error error;
    for (int method = GCK_CENTRAL; method <= GCK_RIDDERS; method++) {
        spec.method = (gck_method)method;
        spec.complex_value = complex_watched;
        assert_ok(gck_probe_gradient(&spec, derivative, estimate, &error), &error);
        ck_assert_msg(!w.disturbed, "method %d", method);
    }
    w.width = 2;
    spec.method = GCK_DIRECTIONAL;
    const gck_segment halves[] = {{0, 2}, {2, 2}};
    const gck_direction_spec directions = {1, 3, halves, 2};
    double along[6];
    assert_ok(gck_probe_directions(&spec, &directions, along, NULL, &error), &error);
    spec.complex_value = NULL;
    assert_ok(gck_probe_directions(&spec, &directions, along, NULL, &error), &error);
    ck_assert(!w.disturbed);
    ck_assert_mem_eq(x, kept, sizeof x);
}
END_TEST

START_TEST(evaluations_are_as_promised)
{
    double x[WIDE], derivative[WIDE], estimate[WIDE];
    point_fill(x);
    witness w = {.x = x, .count = 4, .width = 4};
    gck_probe_spec spec = spec_of(watched, x, 4);
    spec.complex_value = complex_watched;
    spec.context = &w;
    const size_t plain[] = {
        [GCK_CENTRAL] = 2 * 4 + 1, [GCK_FORWARD] = 4 + 1, [GCK_COMPLEX_STEP] = 4};
    const size_t full[] = {
        [GCK_CENTRAL] = 4 * 4 + 1, [GCK_FORWARD] = 3 * 4 + 1, [GCK_COMPLEX_STEP] = 4};
    for (int method = GCK_CENTRAL; method <= GCK_COMPLEX_STEP; method++) {
        spec.method = (gck_method)method;
        w.calls = 0;
        ck_assert_int_eq(gck_probe_gradient(&spec, derivative, NULL, NULL), GCK_OK);
        ck_assert_uint_eq(w.calls, plain[method]);
        w.calls = 0;
        ck_assert_int_eq(gck_probe_gradient(&spec, derivative, estimate, NULL), GCK_OK);
        ck_assert_uint_eq(w.calls, full[method]);
    }
    spec.method = GCK_RIDDERS;
    w.calls = 0;
    ck_assert_int_eq(gck_probe_gradient(&spec, derivative, NULL, NULL), GCK_OK);
    ck_assert_uint_le(w.calls, 4 * 10 + 1);
}
END_TEST

/* What gck_probe_gradient adds to a value's noise, from its header. */
static double noise_of(double f, double at_x, double x, double step)
{
    const double digits = 2 * (double)ROUNDOFF, slope = fabs((f - at_x) / step);
    return digits * fabs(f) + digits * fabs(at_x) + digits * fabs(x) * slope;
}

/* Round by round over all elements, as an engine does that evaluates many at once. */
static void bulk_gradient(gck_method method, double *x, result *ret)
{
    gck_line line[WIDE];
    size_t left = WIDE;
    const double at_x = rosenbrock(NULL, x);
    for (size_t i = 0; i < WIDE; i++)
        gck_line_begin(&line[i], &(gck_line_spec){method, 0x1p-13, fabs(x[i]), true});
    while (left > 0) {
        left = 0;
        for (size_t i = 0; i < WIDE; i++) {
            gck_change change[GCK_LINE_STEPS];
            const double kept = x[i];
            for (size_t s = 0; s < line[i].asked; s++) {
                x[i] = kept + line[i].step[s];
                const double step = x[i] - kept, f = rosenbrock(NULL, x);
                change[s] = (gck_change){step, f - at_x, noise_of(f, at_x, kept, step)};
            }
            x[i] = kept;
            if (line[i].asked > 0) gck_line_take(&line[i], change);
            left += line[i].asked > 0;
        }
    }
    for (size_t i = 0; i < WIDE; i++)
        ret[i] = (result){line[i].derivative, line[i].error};
}

START_TEST(lines_in_bulk_give_the_same_bits)
{
    const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD, GCK_RIDDERS};
    double x[WIDE], derivative[WIDE], estimate[WIDE];
    result bulk[WIDE];
    point_fill(x);
    gck_probe_spec spec = spec_of(rosenbrock, x, WIDE);
    gck_error error;
    for (size_t m = 0; m < LENGTH(methods); m++) {
        spec.method = methods[m];
        assert_ok(gck_probe_gradient(&spec, derivative, estimate, &error), &error);
        bulk_gradient(methods[m], x, bulk);
        for (size_t i = 0; i < WIDE; i++) {
            assert_same_bits(&derivative[i], &bulk[i].derivative, 1, "derivative");
            assert_same_bits(&estimate[i], &bulk[i].error, 1, "error");
        }
    }
}
END_TEST

START_TEST(noise_that_is_told_widens_the_error)
{
    const double x = 1;
    gck_probe_spec spec = spec_of(exponential, &x, 1);
    const double silent = probe_one(spec).error;
    spec.noise = 1e-6;
    const result r = probe_one(spec);
    /* 2e-6 of either value, by a step of 2^-7 or less */
    ck_assert(silent < 1e-11 && r.error >= 2e-6 / 0x1p-7 && r.error < 0.1);
}
END_TEST

static bool second_time(void *context)
{
    size_t *times = context;
    return ++*times == 2;
}

START_TEST(stop_is_asked_between_elements)
{
    double x[WIDE], derivative[WIDE];
    point_fill(x);
    witness w = {.x = x, .count = 4, .width = 4};
    size_t times = 0;
    gck_probe_spec spec = spec_of(watched, x, 4);
    spec.method = GCK_CENTRAL;
    spec.context = &w;
    spec.stop = second_time;
    spec.stop_context = &times;
    gck_error error;
    ck_assert_int_eq(gck_probe_gradient(&spec, derivative, NULL, &error), GCK_STOPPED);
    ck_assert_int_eq(error.code, GCK_STOPPED);
    ck_assert_uint_eq(w.calls, 3);
}
END_TEST

static void assert_refused(gck_probe_spec spec, const char *where)
{
    double derivative = 77;
    gck_error error;
    assert_invalid(gck_probe_gradient(&spec, &derivative, NULL, &error), &error, where);
    ck_assert(derivative == 77);
}

START_TEST(what_cannot_be_probed_is_refused)
{
    const double x = 1;
    const gck_probe_spec good = spec_of(exponential, &x, 1);
    gck_probe_spec spec = good;
    spec.method = GCK_DIRECTIONAL;
    assert_refused(spec, "method");
    spec.method = (gck_method)17;
    assert_refused(spec, "method");
    spec.method = GCK_COMPLEX_STEP;
    assert_refused(spec, "complex_value");
    spec = good;
    spec.value = NULL;
    assert_refused(spec, "value");
    spec = good;
    spec.count = 0;
    assert_refused(spec, "count");
    const double epsilons[] = {0, -1e-4, NAN, INFINITY};
    for (size_t i = 0; i < LENGTH(epsilons); i++) {
        spec = good;
        spec.epsilon = epsilons[i];
        spec.method = GCK_CENTRAL;
        assert_refused(spec, "epsilon");
        spec.method = GCK_FORWARD;
        assert_refused(spec, "epsilon");
        spec.method = GCK_RIDDERS;
        ck_assert(isfinite(probe_one(spec).error));
    }
    spec = good;
    spec.noise = -1;
    assert_refused(spec, "noise");
    spec.noise = NAN;
    assert_refused(spec, "noise");
}
END_TEST

SUITE_MAIN("probe", {ridders_covers_its_error, LENGTH(ones)},
           {complex_step_is_exact_to_a_few_roundings, LENGTH(ones)},
           {differences_err_by_their_truncation, 0}, {gradients_of_many_elements, LENGTH(manies)},
           {central_is_the_plain_formula, 0}, {nan_beside_x_is_walked_around, 0},
           {nan_at_x_is_nan, 0}, {complex_step_of_infinity_is_nan, 0},
           {nan_harms_no_other_element, 0}, {overflow_is_walked_around, 0},
           {what_no_step_resolves_is_owned_up_to, 0},
           {a_step_that_vanishes_beside_x_is_owned_up_to, 0}, {x_is_restored_to_the_bit, 0},
           {evaluations_are_as_promised, 0}, {lines_in_bulk_give_the_same_bits, 0},
           {noise_that_is_told_widens_the_error, 0}, {stop_is_asked_between_elements, 0},
           {what_cannot_be_probed_is_refused, 0})
