/* Changes and tangents from every unit to the loss, against whole networks in long double. */
#include "tests/core/tail.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Three lanes are copies of the last sample. */
enum { SAMPLES = 5, LANES = 8, ACTIVATIONS = 15 };

/* ---- every hidden activation, every body and end, every place to begin from ---- */

typedef void check_place(tail_room *r, disturbance from, const char *what);

static void check_all(size_t hidden, check_place *check)
{
    const char *name = gck_activations.rows[hidden]->name;
    ck_assert_uint_eq(gck_activations.count, ACTIVATIONS);
    for (size_t i = 0; i < TAIL_BODIES * TAIL_ENDS; i++) {
        const tail_end *e = &tail_ends[i / TAIL_BODIES];
        char what[100];
        snprintf(what, sizeof what, "%s in body %zu, then %s and %s", name, i % TAIL_BODIES,
                 e->activation == NULL ? "dropout" : e->activation, e->cost);
        tail_room r = tail_room_new(tail_network(i % TAIL_BODIES, name, e, SAMPLES));
        ck_assert_uint_eq(r.samples->lanes, LANES);
        for (disturbance from = before_all; disturbance_next(&r, &from);)
            check(&r, from, what);
        tail_room_done(&r);
    }
}

#define PLACE_FORMAT "%s: lane %zu, unit %zu of layer %td"
#define PLACE_OF(WHAT, LANE, FROM) WHAT, LANE, (FROM).unit, (ptrdiff_t)(FROM).layer

/* ---- changes ---- */

static void assert_changes(tail_room *r, disturbance from, double step, const char *what)
{
    const double *loss = tail_changes(r, from, step);
    for (size_t k = 0; k < LANES; k++) {
        const wide_loss before = tail_wide(r, tail_sample(r, k), from, 0);
        const wide_loss after = tail_wide(r, tail_sample(r, k), from, tail_step(step, k));
        /* a kink that is passed adds what values on both sides err by */
        const long double passed = before.above == after.above ? 0 : 1;
        /* of losses in long double, and of terms around 1 that they are made of */
        const long double noise = 0x1p-59L * (1 + fabsl(before.loss) + fabsl(after.loss));
        assert_within(loss[k], after.loss - before.loss,
                      tail_roundings(r) * ROUNDOFF * (after.size + passed) + noise,
                      PLACE_FORMAT " by %g", PLACE_OF(what, k, from), tail_step(step, k));
    }
}

static void changes_by_all_steps(tail_room *r, disturbance from, const char *what)
{
    const double steps[] = {0x1p-12, 1e-3, 0.1, -0.8, 3};
    for (size_t s = 0; s < COUNT(steps); s++)
        assert_changes(r, from, steps[s], what);
}

START_TEST(changes_are_those_of_the_loss)
{
    check_all((size_t)_i, changes_by_all_steps);
}
END_TEST

/* ---- tangents ---- */

/* Central differences of steps 2^-10, 2^-11, 2^-12, extrapolated twice. The second time does not
 * change more than it mends, and losses' own roundings over 2^-12 are 2^-50 of them. Returns
 * whether no kink is passed. */
static bool slope_of(const tail_room *r, size_t sample, disturbance from, long double *ret_slope,
                     long double *ret_error)
{
    long double d[3];
    for (size_t i = 0; i < COUNT(d); i++) {
        const long double h = 0x1p-10L / (long double)(1 << i);
        const wide_loss up = tail_wide(r, sample, from, h), down = tail_wide(r, sample, from, -h);
        if (up.above != down.above || up.nearest == 0 || down.nearest == 0) return false;
        d[i] = (up.loss - down.loss) / (2 * h);
        *ret_error = 0x1p-50L * (1 + fabsl(up.loss));
    }
    const long double once[] = {(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3};
    *ret_slope = (16 * once[1] - once[0]) / 15;
    *ret_error += fabsl(*ret_slope - once[1]);
    return true;
}

static void assert_tangents(tail_room *r, disturbance from, const char *what)
{
    const double *loss = tail_tangents(r, from);
    for (size_t k = 0; k < LANES; k++) {
        long double slope, error;
        if (!slope_of(r, tail_sample(r, k), from, &slope, &error)) continue;
        /* what changes are made of, for a step of 1 */
        const long double size = tail_wide(r, tail_sample(r, k), from, 0x1p-10L).size * 0x1p10L;
        assert_within(loss[k], slope, tail_roundings(r) * ROUNDOFF * size + error, PLACE_FORMAT,
                      PLACE_OF(what, k, from));
    }
}

START_TEST(tangents_are_those_of_the_loss)
{
    check_all((size_t)_i, assert_tangents);
}
END_TEST

/* Carried as such, a change is the tangent's but for the curvature, however small it is: nothing
 * cancels. A step of 2^-100 leaves 2^-60 of curvatures up to 2^40. */
static void assert_tiny(tail_room *r, disturbance from, const char *what)
{
    const double tiny = 0x1p-100;
    double change[LANES];
    memcpy(change, tail_changes(r, from, tiny), sizeof change);
    const double *loss = tail_tangents(r, from);
    for (size_t k = 0; k < LANES; k++) {
        const wide_loss at = tail_wide(r, tail_sample(r, k), from, tail_step(tiny, k));
        if (at.nearest < 0x1p-60L) continue;
        assert_within(change[k] / tail_step(tiny, k), loss[k],
                      2 * tail_roundings(r) * ROUNDOFF * at.size / tiny + 0x1p-60L, PLACE_FORMAT,
                      PLACE_OF(what, k, from));
    }
}

START_TEST(tiny_changes_are_tangents)
{
    check_all((size_t)_i, assert_tiny);
}
END_TEST

/* ---- without rounding ---- */

static const char *const plain_costs[] = {"mse", "mae", "dot"};

/* Where no double is rounded, every change is the difference of losses and nothing else; with
 * steps far over kinks and steps between them. */
START_TEST(short_numbers_are_exact)
{
    const double steps[] = {0.125, -0.5, 2, 8};
    tail_room r = tail_room_new(tail_network_short(plain_costs[_i], SAMPLES));
    size_t changed = 0, all = 0;
    for (disturbance from = before_all; disturbance_next(&r, &from);)
        for (size_t s = 0; s < COUNT(steps); s++) {
            const double *loss = tail_changes(&r, from, steps[s]);
            for (size_t k = 0; k < LANES; k++) {
                const size_t sample = tail_sample(&r, k);
                const long double want = tail_wide(&r, sample, from, tail_step(steps[s], k)).loss -
                                         tail_wide(&r, sample, from, 0).loss;
                assert_within(loss[k], want, 0, PLACE_FORMAT, PLACE_OF("short", k, from));
                changed += want != 0;
                all++;
            }
        }
    ck_assert_uint_gt(changed, all / 4);
    tail_room_done(&r);
}
END_TEST

/* The same of tangents: within 2^-6 a loss of these is a parabola, whose central difference is its
 * slope, but where a kink lies as near. */
START_TEST(tangents_of_short_numbers_are_exact)
{
    const long double h = 0x1p-20L;
    tail_room r = tail_room_new(tail_network_short(plain_costs[_i], SAMPLES));
    for (disturbance from = before_all; disturbance_next(&r, &from);) {
        const double *loss = tail_tangents(&r, from);
        for (size_t k = 0; k < LANES; k++) {
            const wide_loss up = tail_wide(&r, tail_sample(&r, k), from, h);
            const wide_loss down = tail_wide(&r, tail_sample(&r, k), from, -h);
            if (up.above != down.above || up.nearest == 0 || down.nearest == 0) continue;
            assert_within(loss[k], (up.loss - down.loss) / (2 * h), 0, PLACE_FORMAT,
                          PLACE_OF("short", k, from));
        }
    }
    tail_room_done(&r);
}
END_TEST

SUITE_MAIN("tail", {changes_are_those_of_the_loss, ACTIVATIONS},
           {tangents_are_those_of_the_loss, ACTIVATIONS}, {tiny_changes_are_tangents, ACTIVATIONS},
           {short_numbers_are_exact, COUNT(plain_costs)},
           {tangents_of_short_numbers_are_exact, COUNT(plain_costs)})
