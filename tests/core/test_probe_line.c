/* One line, driven by hand: which steps it asks for, what it makes of the changes, and how far its
 * error estimate can be trusted at kinks, jumps and under noise. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <gradcheck/probe.h>
#include <gradcheck/rng.h>

#include <float.h>
#include <math.h>
#include <string.h>

typedef double change_at(double t, double option);

/* Runs a line; returns the rounds it took. Each change is wrong by `noise` at most. */
static size_t line_run(gck_line *line, const gck_line_spec *spec, change_at *g, double option,
                       double noise)
{
    size_t rounds = 0;
    gck_line_begin(line, spec);
    while (line->asked > 0) {
        gck_change change[GCK_LINE_STEPS];
        for (size_t i = 0; i < line->asked; i++)
            change[i] = (gck_change){line->step[i], g(line->step[i], option), noise};
        gck_line_take(line, change);
        rounds++;
    }
    return rounds;
}

static const gck_line_spec ridders = {.method = GCK_RIDDERS, .scale = 1};
static const gck_line_spec central = {.method = GCK_CENTRAL, .epsilon = 0x1p-10, .estimate = true};
static const gck_line_spec forward = {.method = GCK_FORWARD, .epsilon = 0x1p-10, .estimate = true};

/* The derivative is `want`, the estimate covers its error, and is `limit` at most. */
static void assert_estimated(const gck_line *line, double want, double limit, const char *what)
{
    assert_within(line->derivative, want, line->error, "%s", what);
    ck_assert_msg(line->error <= limit, "%s: error %g, limit %g", what, line->error, limit);
}

/* ---- rounds ---- */

START_TEST(each_method_asks_for_its_steps)
{
    gck_line line;
    gck_line_spec spec = {.method = GCK_CENTRAL, .epsilon = 0.25};
    gck_line_begin(&line, &spec);
    ck_assert_uint_eq(line.asked, 2);
    ck_assert(line.step[0] == 0.25 && line.step[1] == -0.25);
    spec.estimate = true;
    gck_line_begin(&line, &spec);
    ck_assert_uint_eq(line.asked, 4);
    ck_assert(line.step[2] == 0.125 && line.step[3] == -0.125);
    spec.method = GCK_FORWARD;
    gck_line_begin(&line, &spec);
    ck_assert_uint_eq(line.asked, 3);
    ck_assert(line.step[0] == 0.25 && line.step[1] == -0.25 && line.step[2] == 0.125);
    spec.estimate = false;
    gck_line_begin(&line, &spec);
    ck_assert_uint_eq(line.asked, 1);
    spec.method = GCK_RIDDERS;
    gck_line_begin(&line, &spec);
    ck_assert_uint_eq(line.asked, 2);
    ck_assert(line.step[0] == 0x1p-7 && line.step[1] == -0x1p-7);
}
END_TEST

typedef struct scaled_step {
    double scale, ridders, imaginary;
} scaled_step;

static const scaled_step scaled_steps[] = {
    {0, 0x1p-7, 0x1p-300},        {0.75, 0x1p-7, 0x1p-300},       {1e-8, 0x1p-7, 0x1p-300},
    {3, 0x1p-6, 0x1p-299},        {1e8, 0x1p19, 0x1p-274},        {1e300, 0x1p989, 0x1p696},
    {0x1p-250, 0x1p-7, 0x1p-310}, {0x1p-1074, 0x1p-7, 0x1p-1022}, {INFINITY, 0x1p-7, 0x1p-300},
    {NAN, 0x1p-7, 0x1p-300},
};

START_TEST(steps_are_powers_of_two_by_the_scale)
{
    const scaled_step *s = &scaled_steps[_i];
    gck_line line;
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_RIDDERS, .scale = s->scale});
    ck_assert_msg(line.step[0] == s->ridders, "%g: %a", s->scale, line.step[0]);
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_COMPLEX_STEP, .scale = s->scale});
    ck_assert_uint_eq(line.asked, 1);
    ck_assert_msg(line.step[0] == s->imaginary, "%g: %a", s->scale, line.step[0]);
}
END_TEST

static double chaotic(double t, double option)
{
    double place;
    memcpy(&place, &t, sizeof place);
    return option * gck_rng_unit(gck_rng_below(1, GCK_RNG_SPLIT, 0, (uint64_t)(fabs(t) * 0x1p40),
                                               UINT64_MAX));
}

/* Nothing can be made of noise; but it ends. */
START_TEST(no_line_takes_more_than_two_tableaus)
{
    gck_line line;
    ck_assert_uint_eq(line_run(&line, &ridders, chaotic, 1, 0), 2 * GCK_RIDDERS_LEVELS);
    ck_assert(line.error == INFINITY);
}
END_TEST

static double exponential(double t, double option)
{
    return option * expm1(t);
}

static double cubic(double t, double option)
{
    return t * (2 + t * (3 + t * option));
}

/* Changes known to their last digits: nothing is lost by subtraction, and what remains are the
 * roundings of the tableau. A quotient of the last row is wrong by 3u or less, extrapolation weighs
 * quotients by up to (4/3)(16/15)(64/63)… < 1.46 with as much again of the other sign, and every
 * column adds a rounding or two: 16u holds for 5 columns. */
START_TEST(ridders_is_exact_where_changes_are)
{
    gck_line line;
    const size_t rounds = line_run(&line, &ridders, exponential, 7, 0);
    assert_within(line.derivative, 7, 7 * 16 * ROUNDOFF, "7 e^t");
    ck_assert_uint_le(rounds, 6);
    assert_estimated(&line, 7, 7 * 64 * DBL_EPSILON, "7 e^t");
    ck_assert_uint_eq(line_run(&line, &ridders, cubic, 5, 0), 3);
    assert_estimated(&line, 2, 2 * 64 * DBL_EPSILON, "cubic");
}
END_TEST

static double constant(double t, double option)
{
    (void)t;
    return option;
}

/* Most elements of a network with dead units. */
START_TEST(a_function_that_does_not_change_takes_two_rounds)
{
    gck_line line;
    ck_assert_uint_eq(line_run(&line, &ridders, constant, 0, 0), 2);
    ck_assert(line.derivative == 0 && line.error == 0);
    line_run(&line, &central, constant, 0, 0);
    ck_assert(line.derivative == 0 && line.error == 0);
    line_run(&line, &forward, constant, 0, 0);
    ck_assert(line.derivative == 0 && line.error == 0);
}
END_TEST

/* Central differences of a cubic a t^3 err by a h^2 and estimate 2 (3/4) a h^2; forward ones err by
 * 3 h + a h^2. The last digits: changes of size 2h are rounded 3 times, then divided by h. */
START_TEST(central_and_forward_estimate_what_they_err_by)
{
    const double h = 0x1p-10, digits = 16 * (double)ROUNDOFF;
    gck_line line;
    line_run(&line, &central, cubic, 5, 0);
    assert_within(line.derivative, 2 + 5 * h * h, digits, "central");
    assert_within(line.error, 1.5 * 5 * h * h, 1e-3 * h * h, "central's error");
    line_run(&line, &forward, cubic, 5, 0);
    assert_within(line.derivative, 2 + 3 * h + 5 * h * h, digits, "forward");
    assert_estimated(&line, 2, 3.1 * 3 * h, "forward");
}
END_TEST

START_TEST(without_an_estimate_the_error_is_unknown)
{
    gck_line line;
    gck_line_spec spec = {.method = GCK_CENTRAL, .epsilon = 0x1p-10};
    line_run(&line, &spec, cubic, 5, 0);
    ck_assert(isfinite(line.derivative) && line.error == INFINITY);
    spec.method = GCK_FORWARD;
    line_run(&line, &spec, cubic, 5, 0);
    ck_assert(isfinite(line.derivative) && line.error == INFINITY);
}
END_TEST

/* x = 1, h = 0.1: neither x + h nor x - h is a double. */
START_TEST(steps_as_taken_divide)
{
    const volatile double upper = 1 + 0.1, lower = 1 - 0.1;
    gck_line line;
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_CENTRAL, .epsilon = 0.1});
    const gck_change change[] = {{upper - 1, upper - 1, 0}, {lower - 1, lower - 1, 0}};
    gck_line_take(&line, change);
    ck_assert(line.derivative == 1);
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_FORWARD, .epsilon = 0.1});
    gck_line_take(&line, change);
    ck_assert(line.derivative == 1);
}
END_TEST

START_TEST(a_step_that_vanished_gives_0_and_knows_nothing)
{
    gck_line line;
    const gck_change still[GCK_LINE_STEPS] = {{0, 0, 0}};
    gck_line_begin(&line, &central);
    gck_line_take(&line, still);
    ck_assert(line.derivative == 0 && line.error == INFINITY);
    gck_line_begin(&line, &forward);
    gck_line_take(&line, still);
    ck_assert(line.derivative == 0 && line.error == INFINITY);
}
END_TEST

START_TEST(complex_step_divides_by_its_step)
{
    gck_line line;
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_COMPLEX_STEP});
    const gck_change change = {line.step[0], 3 * line.step[0], 0};
    gck_line_take(&line, &change);
    ck_assert_uint_eq(line.asked, 0);
    ck_assert(line.derivative == 3);
    assert_estimated(&line, 3, 3 * 8 * (double)ROUNDOFF, "3t");
}
END_TEST

/* ---- kinks ---- */

static double positive(double t)
{
    return t > 0 ? t : 0;
}

/* relu(t - option) + 3 t^2 + t, counted from t = 0 */
static double kinked(double t, double option)
{
    return positive(t - option) - positive(-option) + t * (1 + 3 * t);
}

/* Slopes 1 and 2 meet at x: neither is wrong, so both must lie within the error of what is
 * returned; and no further error is left: the rest is roundings. */
START_TEST(a_kink_at_x_makes_the_error_half_its_jump)
{
    gck_line line;
    line_run(&line, &ridders, kinked, 0, 0);
    assert_within(line.derivative, 1.5, 1e-12, "between the slopes");
    assert_within(line.error, 0.5, 1e-12, "half the jump");
}
END_TEST

static double absolute(double t, double option)
{
    return option * fabs(t);
}

/* All central differences are exactly 0 here, and agree. */
START_TEST(a_symmetric_kink_at_x_is_seen)
{
    gck_line line;
    line_run(&line, &ridders, absolute, 2, 0);
    ck_assert(line.derivative == 0 && line.error >= 2 && line.error < 2.001);
    line_run(&line, &central, absolute, 2, 0);
    ck_assert(line.derivative == 0 && line.error >= 2);
    line_run(&line, &forward, absolute, 2, 0);
    ck_assert(line.derivative == 2 && line.error >= 4);
}
END_TEST

static double weakly_kinked(double t, double option)
{
    return expm1(t) + option * positive(t);
}

/* A jump of the slope by one part in 2^10 … 2^39. */
START_TEST(a_weak_kink_at_x_is_seen)
{
    gck_line line;
    const double jump = ldexp(1, -10 - _i);
    line_run(&line, &ridders, weakly_kinked, jump, 0);
    assert_within(line.derivative, 1, line.error, "left slope");
    assert_within(line.derivative, 1 + (long double)jump, line.error, "right slope");
    ck_assert_msg(line.error <= jump / 2 + 1e-13, "error %g for jump %g", line.error, jump);
}
END_TEST

/* Distances of 2^(i/4 - 40) on either side, from farther than all steps to nearer. From 2^-35.5 on
 * there is a step that avoids the kink. The changes are exact to 2u of their largest terms, of
 * which t (1 + 3t) has 2: u 2 (2 + 2) / 2 a step after extrapolation, doubled by the estimate. */
START_TEST(a_kink_beside_x_is_avoided_or_owned_up_to)
{
    for (int side = -1; side <= 1; side += 2) {
        gck_line line;
        const double distance = pow(2, _i / 4.0 - 40);
        line_run(&line, &ridders, kinked, side * distance, 0);
        const double want = side < 0 ? 2 : 1;
        assert_within(line.derivative, want, line.error, "kink at %g", side * distance);
        if (distance > 0x1p-35)
            ck_assert_msg(line.error <= 1e-12, "error %g at %g", line.error, distance);
    }
}
END_TEST

/* Stencils of central and forward differences with a kink anywhere in them. */
START_TEST(fixed_steps_own_up_to_kinks_too)
{
    const double h = 0x1p-10;
    for (int i = -40; i <= 40; i++) {
        gck_line line;
        const double place = i == 0 ? h / 1000 : i / 32.0 * h;
        line_run(&line, &central, kinked, place, 0);
        assert_within(line.derivative, place < 0 ? 2 : 1, line.error, "central, kink at %g", place);
        line_run(&line, &forward, kinked, place, 0);
        assert_within(line.derivative, place < 0 ? 2 : 1, line.error, "forward, kink at %g", place);
    }
}
END_TEST

/* ---- where there is no derivative, or none at the first steps ---- */

static double jump(double t, double option)
{
    return t + (t > option) - (0 > option);
}

START_TEST(a_jump_at_x_has_no_derivative)
{
    gck_line line;
    line_run(&line, &ridders, jump, 0, 0);
    ck_assert(line.error == INFINITY);
}
END_TEST

START_TEST(a_jump_beside_x_is_avoided)
{
    gck_line line;
    const double distance = pow(2, _i / 4.0 - 34);
    line_run(&line, &ridders, jump, distance, 0);
    assert_estimated(&line, 1, 1e-12, "right");
    line_run(&line, &ridders, jump, -distance, 0);
    assert_estimated(&line, 1, 1e-12, "left");
}
END_TEST

static double odd_root(double t, double option)
{
    return copysign(pow(fabs(t), option), t);
}

START_TEST(a_vertical_tangent_is_infinitely_uncertain)
{
    gck_line line;
    line_run(&line, &ridders, odd_root, 1.0 / 3, 0);
    ck_assert(line.error == INFINITY);
    line_run(&line, &ridders, odd_root, 0.5, 0);
    ck_assert(line.error == INFINITY);
}
END_TEST

static double square_root(double t, double option)
{
    return sqrt(option + t) - sqrt(option);
}

/* sqrt is NaN within the first steps, and its derivatives grow like powers of 1 / option. */
START_TEST(steps_where_f_is_nan_are_left_out)
{
    gck_line line;
    const double option = pow(2, -_i);
    line_run(&line, &ridders, square_root, option, (double)ROUNDOFF * sqrt(option));
    assert_estimated(&line, 1 / (2 * sqrt(option)), 1e-5 / sqrt(option), "sqrt");
}
END_TEST

START_TEST(nan_everywhere_is_nan)
{
    gck_line line;
    const gck_line_spec *specs[] = {&ridders, &central, &forward};
    for (size_t i = 0; i < 3; i++) {
        line_run(&line, specs[i], square_root, -1, 0);
        ck_assert(isnan(line.derivative) && line.error == INFINITY);
        line_run(&line, specs[i], constant, INFINITY, 0);
        ck_assert(isnan(line.derivative) && line.error == INFINITY);
    }
    gck_line_begin(&line, &(gck_line_spec){.method = GCK_COMPLEX_STEP});
    gck_line_take(&line, &(gck_change){line.step[0], NAN, 0});
    ck_assert(isnan(line.derivative) && line.error == INFINITY);
}
END_TEST

static double wave(double t, double option)
{
    return sin(0.3 + option * t) - sin(0.3);
}

/* The period is nearly 2^-10, and divides the first four steps: they agree on the slope of another
 * wave, of frequency 40 and more, so well that the line settles there. */
START_TEST(a_period_that_divides_the_steps_does_not_deceive)
{
    gck_line line;
    const double frequency = 1024 * 2 * 3.14159265358979323846 + 40 + 2 * _i;
    line_run(&line, &ridders, wave, frequency, 4 * (double)ROUNDOFF);
    assert_estimated(&line, frequency * cos(0.3), 1e-5, "wave");
}
END_TEST

static double doubled(double t, double option)
{
    return fabs(t) < option ? 2 * t : t;
}

START_TEST(two_steps_that_agree_are_not_believed)
{
    gck_line line;
    line_run(&line, &ridders, doubled, 0x1p-8, 0);
    assert_estimated(&line, 2, 1e-12, "doubled");
}
END_TEST

/* ---- noise ---- */

static double noise_kept;

static double noisy(double t, double option)
{
    uint64_t bits[2], place;
    memcpy(&place, &t, sizeof place);
    gck_rng_bits((uint64_t)option, GCK_RNG_SPLIT, (uint32_t)place, place >> 32, 0, bits);
    return exponential(t, 1) + noise_kept * (2 * gck_rng_unit(bits[0]) - 1);
}

/* Noise of known size is covered in each of 500 functions. How small is the error at best? Of
 * changes that err by eta, the first quotient errs by eta / h = 128 eta; extrapolated over the
 * k-th step it is 1.46 * 2^k times that at most, where truncation has to be below it: from k = 1
 * for eta = 1e-6 to k = 2 for 1e-12. The estimate adds as much scatter again, twice that for the
 * gap, and the bound: a factor of 5. */
START_TEST(noise_that_is_told_is_covered)
{
    gck_line line;
    noise_kept = pow(10, -_i);
    for (int seed = 0; seed < 500; seed++) {
        const size_t rounds = line_run(&line, &ridders, noisy, seed, noise_kept);
        ck_assert_uint_le(rounds, 8);
        assert_estimated(&line, 1, 128 * 1.46 * 4 * 5 * noise_kept, "noisy");
        line_run(&line, &central, noisy, seed, noise_kept);
        assert_estimated(&line, 1, 1024 * 16 * noise_kept + 1e-6, "noisy, central");
        line_run(&line, &forward, noisy, seed, noise_kept);
        assert_estimated(&line, 1, 1024 * 16 * noise_kept + 5e-3, "noisy, forward");
    }
}
END_TEST

/* Noise that nobody told of shows as scatter. The estimate is then what Ridders' always was, a
 * difference of random numbers, the least of many: with these seeds it is less than the error in
 * 614 of 4000 functions, and less than a tenth of it in 9. The bounds leave room for another libm.
 */
START_TEST(noise_that_is_not_told_shows)
{
    gck_line line;
    size_t under = 0, far = 0;
    for (int size = 6; size <= 13; size++) {
        noise_kept = pow(10, -size);
        for (int seed = 0; seed < 500; seed++) {
            line_run(&line, &ridders, noisy, seed, 0);
            const double error = fabs(line.derivative - 1);
            under += !(error <= line.error);
            far += !(error <= 10 * line.error);
            /* A second tableau is tried, whose noise is 2^27 as much, and found no better. */
            ck_assert(line.error < 1e5 * noise_kept);
        }
    }
    ck_assert_msg(under <= 700 && far <= 20, "%zu and %zu of 4000", under, far);
}
END_TEST

SUITE_MAIN("probe_line", {each_method_asks_for_its_steps, 0},
           {steps_are_powers_of_two_by_the_scale, sizeof scaled_steps / sizeof scaled_steps[0]},
           {no_line_takes_more_than_two_tableaus, 0}, {ridders_is_exact_where_changes_are, 0},
           {a_function_that_does_not_change_takes_two_rounds, 0},
           {central_and_forward_estimate_what_they_err_by, 0},
           {without_an_estimate_the_error_is_unknown, 0}, {steps_as_taken_divide, 0},
           {a_step_that_vanished_gives_0_and_knows_nothing, 0},
           {complex_step_divides_by_its_step, 0}, {a_kink_at_x_makes_the_error_half_its_jump, 0},
           {a_symmetric_kink_at_x_is_seen, 0}, {a_weak_kink_at_x_is_seen, 30},
           {a_kink_beside_x_is_avoided_or_owned_up_to, 160}, {fixed_steps_own_up_to_kinks_too, 0},
           {a_jump_at_x_has_no_derivative, 0}, {a_jump_beside_x_is_avoided, 136},
           {a_vertical_tangent_is_infinitely_uncertain, 0}, {steps_where_f_is_nan_are_left_out, 30},
           {nan_everywhere_is_nan, 0}, {a_period_that_divides_the_steps_does_not_deceive, 20},
           {two_steps_that_agree_are_not_believed, 0}, {noise_that_is_told_is_covered, 14},
           {noise_that_is_not_told_shows, 0})
