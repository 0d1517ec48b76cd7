/* Steps of optimizers by the kernels of every instruction set, against their formulas in long
 * double. */
#include "tests/core/update.h"
#include "core/kernels.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/kernels.h>
#include <gradcheck/optimizer.h>

#include <math.h>
#include <string.h>

static const char *const tables[] = {"generic", "avx2", "avx512"};
enum { TABLES = COUNT(tables), ADAM = 3 };

/* The table, or NULL where the processor cannot run it. */
static const gck_kernels *kernels_at(int index)
{
    gck_error error;
    if (gck_kernels_start(tables[index], &error) != GCK_OK) return NULL;
    ck_assert_str_eq(gck_kernels_active()->name, tables[index]);
    return gck_kernels_active();
}

#define EACH_STEPPER_OF_EACH_TABLE(S, KERNELS)              \
    const stepper *S = &steppers[_i % STEPPERS];            \
    const gck_kernels *KERNELS = kernels_at(_i / STEPPERS); \
    if (KERNELS == NULL) return

/* ---- steps ---- */

/* By the kernel itself, some elements. */
static void kernel_step(const stepper *s, const gck_kernels *kernels, const settings *o, vectors *x,
                        size_t first, size_t count)
{
    void (*const kernel[STEPPERS])(const gck_update *) = {
        kernels->update_sgd, kernels->update_momentum, kernels->update_rmsprop,
        kernels->update_adam, kernels->update_adagrad};
    kernel[s - steppers](
        &(gck_update){.rate = o->rate,
                      .decay = {o->decay[0], o->decay[1]},
                      .epsilon = o->epsilon,
                      .correction = {o->correction[0], o->correction[1]},
                      .count = count,
                      .gradient = x->g + first,
                      .slot = {s->means ? x->v + first : x->s + first, x->s + first},
                      .parameters = x->w + first});
}

static void assert_value(stepped_value want, double got, const char *what, const stepper *s,
                         const place *from)
{
    assert_within(got, want.is, want.error * ROUNDOFF, "%s: %s from g %g, v %g, s %g, w %g",
                  s->name, what, from->g, from->v, from->s, from->w);
}

static void assert_stepped(const stepper *s, const stepped *want, const place *from,
                           const place *to)
{
    assert_value(want->w, to->w, "w", s, from);
    if (s->means) assert_value(want->v, to->v, "v", s, from);
    if (s->squares) assert_value(want->s, to->s, "s", s, from);
}

/* All elements, and once more from where the first step has left them. */
static void assert_steps(const stepper *s, const gck_kernels *kernels, const settings *o,
                         vectors *x)
{
    for (size_t step = 0; step < 2; step++) {
        const vectors before = *x;
        kernel_step(s, kernels, o, x, 0, STEPPED_MAX);
        for (size_t i = 0; i < STEPPED_MAX; i++) {
            const place from = vectors_place(&before, i), to = vectors_place(x, i);
            const stepped want = s->step(o, &from);
            assert_stepped(s, &want, &from, &to);
        }
        assert_same_bits(x->g, before.g, STEPPED_MAX + 1, "gradients");
    }
}

/* ---- formulas ---- */

static const settings usual = {0.001, {0.9, 0.999}, 1e-8, {0.271, 0.002997}};

START_TEST(steps_are_the_formulas)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    static const settings others[] = {
        {0.5, {0, 0}, 1, {1, 1}},
        {1e6, {0.5, 0x1.fffffffffffffp-1}, 1e-300, {0.75, 0x1p-53}},
        {0, {0.9, 0.999}, 1e-8, {0.1, 0.001}},
        {3e-9, {0x1.fffffffffffffp-1, 0.1}, 1e-3, {0x1p-53, 0.3}},
    };
    vectors x = vectors_mixture();
    assert_steps(s, kernels, &usual, &x);
    for (size_t i = 0; i < COUNT(others); i++) {
        x = vectors_mixture();
        assert_steps(s, kernels, &others[i], &x);
    }
}
END_TEST

static const double gradients[] = {0,      0x1p-1074, 1e-320, 1e-300, 1e-170, 1e-162, 1e-154,
                                   1e-150, 1e-30,     1e-8,   1,      1e8,    1e30,   1e150};

/* Squares underflow below 1e-154; above 1e154 they overflow, which is below. */
START_TEST(gradients_of_all_sizes_are_taken)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    vectors x = {.g = {0}};
    for (size_t i = 0; i < 2 * COUNT(gradients); i++) {
        x.g[i] = (i % 2 == 0 ? 1 : -1) * gradients[i / 2];
        x.w[i] = i % 4 < 2 ? 0 : 1;
    }
    _Static_assert(2 * COUNT(gradients) <= STEPPED_MAX, "all fit");
    assert_steps(s, kernels, &usual, &x);
}
END_TEST

/* A square that overflows makes the step 0, not NaN, and does not reach its neighbours. */
START_TEST(squares_that_overflow_stop_the_parameter)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    if (!s->squares) return;
    vectors x = vectors_mixture(), calm = x;
    x.g[5] = 1e200;
    x.g[17] = -1e300;
    const double w[] = {x.w[5], x.w[17]};
    kernel_step(s, kernels, &usual, &x, 0, STEPPED_MAX);
    kernel_step(s, kernels, &usual, &calm, 0, STEPPED_MAX);
    ck_assert(isinf(x.s[5]) && isinf(x.s[17]));
    ck_assert(x.w[5] == w[0] && x.w[17] == w[1]);
    assert_same_bits(x.w + 6, calm.w + 6, 11, s->name);
}
END_TEST

/* Slots that are not the optimizer's are not read: here they are NaN. */
START_TEST(zero_gradients_move_nothing)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    vectors x = {.g = {0}};
    for (size_t i = 0; i < STEPPED_MAX; i++) {
        x.g[i] = i % 2 == 0 ? 0.0 : -0.0;
        x.w[i] = (double)i - 7;
        if (!s->means) x.v[i] = NAN;
        if (!s->means && !s->squares) x.s[i] = NAN;
    }
    const vectors before = x;
    kernel_step(s, kernels, &usual, &x, 0, STEPPED_MAX);
    assert_same_bits(x.w, before.w, STEPPED_MAX, s->name);
}
END_TEST

START_TEST(what_is_no_number_stays_where_it_is)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    vectors x = vectors_mixture(), clean = x;
    x.g[3] = x.g[20] = NAN;
    kernel_step(s, kernels, &usual, &x, 0, STEPPED_MAX);
    kernel_step(s, kernels, &usual, &clean, 0, STEPPED_MAX);
    for (size_t i = 0; i < STEPPED_MAX; i++)
        if (i == 3 || i == 20)
            ck_assert(isnan(x.w[i]));
        else
            assert_same_bits(&x.w[i], &clean.w[i], 1, s->name);
}
END_TEST

/* An element's bits are its own, and nothing before the first or beyond the last is touched. */
START_TEST(counts_and_places_do_not_show)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    const vectors before = vectors_mixture();
    vectors alone = before;
    for (size_t i = 0; i <= STEPPED_MAX; i++)
        kernel_step(s, kernels, &usual, &alone, i, 1);
    for (size_t first = 0; first < 3; first++)
        for (size_t count = 0; first + count <= STEPPED_MAX; count++) {
            vectors x = before, want = before;
            kernel_step(s, kernels, &usual, &x, first, count);
            memcpy(want.v + first, alone.v + first, count * sizeof *x.v);
            memcpy(want.s + first, alone.s + first, count * sizeof *x.s);
            memcpy(want.w + first, alone.w + first, count * sizeof *x.w);
            assert_same_bits(x.v, want.v, STEPPED_MAX + 1, "v");
            assert_same_bits(x.s, want.s, STEPPED_MAX + 1, "s");
            assert_same_bits(x.w, want.w, STEPPED_MAX + 1, "w");
        }
}
END_TEST

/* ---- gck_optimizer_step: options, corrections, and slots one after the other ---- */

static void optimizer_step(const stepper *s, const gck_choice *choice, uint64_t step, vectors *x)
{
    double state[2 * STEPPED_MAX];
    const size_t slot_bytes = STEPPED_MAX * sizeof *state;
    double *const squares = s->means ? state + STEPPED_MAX : state;
    ck_assert_uint_eq(gck_optimizer_slots(choice), (size_t)s->means + (size_t)s->squares);
    if (s->means) memcpy(state, x->v, slot_bytes);
    if (s->squares) memcpy(squares, x->s, slot_bytes);
    gck_optimizer_step(choice, step, STEPPED_MAX, x->g, state, x->w);
    if (s->means) memcpy(x->v, state, slot_bytes);
    if (s->squares) memcpy(x->s, squares, slot_bytes);
}

START_TEST(optimizers_step_by_the_kernels)
{
    EACH_STEPPER_OF_EACH_TABLE(s, kernels);
    const gck_choice choice = optimizer_named(s->name);
    settings o = usual;
    o.correction[0] = 1 - pow(0.9, 7);
    o.correction[1] = 1 - pow(0.999, 7);
    vectors x = vectors_mixture(), want = x;
    optimizer_step(s, &choice, 7, &x);
    kernel_step(s, kernels, &o, &want, 0, STEPPED_MAX);
    assert_same_bits(x.v, want.v, STEPPED_MAX + 1, "v");
    assert_same_bits(x.s, want.s, STEPPED_MAX + 1, "s");
    assert_same_bits(x.w, want.w, STEPPED_MAX + 1, "w");
}
END_TEST

typedef struct timing {
    double beta[2];
    uint64_t step;
} timing;

#define ALMOST_1 0x1.fffffffffffffp-1

static const timing timings[] = {
    {{0, 0}, 1},
    {{0, 0}, 2},
    {{0, 0}, 1000},
    {{0.9, 0.999}, 1},
    {{0.9, 0.999}, 2},
    {{0.9, 0.999}, 1000},
    {{0.5, 0.25}, 1},
    {{0.5, 0.25}, 1000},
    {{1 - 0x1p-20, 1 - 0x1p-30}, 1},
    {{1 - 0x1p-20, 1 - 0x1p-30}, 2},
    {{1 - 0x1p-20, 1 - 0x1p-30}, 1000},
    {{ALMOST_1, ALMOST_1}, 1},
    {{0, ALMOST_1}, UINT64_C(1) << 60},
};

/* 1 - beta^t errs by 2 (1 ulp) of the power, which is exact for t = 1, and by a rounding of itself;
 * here it is rounded once more. */
static long double correction_error(double beta, uint64_t step)
{
    const long double power = powl(beta, (long double)step);
    return (step == 1 ? 0 : 2 * power / (1 - power)) + 2;
}

static double correction_at(double beta, uint64_t step)
{
    return (double)(1 - powl(beta, (long double)step));
}

START_TEST(adam_corrects_its_means)
{
    const timing *t = &timings[_i % (int)COUNT(timings)];
    if (kernels_at(_i / (int)COUNT(timings)) == NULL) return;
    const stepper *s = &steppers[ADAM];
    const gck_choice choice =
        with_option(with_option(optimizer_named("adam"), "beta1", t->beta[0]), "beta2", t->beta[1]);
    const settings o = {0.001,
                        {t->beta[0], t->beta[1]},
                        1e-8,
                        {correction_at(t->beta[0], t->step), correction_at(t->beta[1], t->step)}};
    const long double share = /* the root of the second one has half */
        correction_error(t->beta[0], t->step) + correction_error(t->beta[1], t->step) / 2;
    vectors x = vectors_mixture(), after = x;
    optimizer_step(s, &choice, t->step, &after);
    for (size_t i = 0; i < STEPPED_MAX; i++) {
        const place from = vectors_place(&x, i), to = vectors_place(&after, i);
        stepped want = s->step(&o, &from);
        want.w.error += share * fabsl(x.w[i] - want.w.is);
        assert_stepped(s, &want, &from, &to);
    }
}
END_TEST

SUITE_MAIN("update", {steps_are_the_formulas, STEPPERS *TABLES},
           {gradients_of_all_sizes_are_taken, STEPPERS *TABLES},
           {squares_that_overflow_stop_the_parameter, STEPPERS *TABLES},
           {zero_gradients_move_nothing, STEPPERS *TABLES},
           {what_is_no_number_stays_where_it_is, STEPPERS *TABLES},
           {counts_and_places_do_not_show, STEPPERS *TABLES},
           {optimizers_step_by_the_kernels, STEPPERS *TABLES},
           {adam_corrects_its_means, COUNT(timings) * TABLES})
