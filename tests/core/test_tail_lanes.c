/* Lanes of a tail: those that fill a base up, copies, what is no number, and who watches. */
#include "core/kernels.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"
#include "tests/core/tail.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 11, LANES = 16 };

/* _i even: numbers that nothing rounds; odd: any. Sample k has the weight k + 1. */
static tail_room room_of(int i)
{
    network net = i % 2 == 0 ? tail_network_short("mse", SAMPLES)
                             : tail_network(1, "tanh", &tail_ends[TAIL_ENDS - 1], SAMPLES);
    net.data->weights = gck_vector_new(SAMPLES);
    for (size_t k = 0; k < SAMPLES; k++)
        net.data->weights[k] = (double)k + 1;
    return tail_room_new(net);
}

/* The same change in all lanes, of a base of samples or of copies. */
static const double *even_changes(tail_room *r, const gck_base *base, disturbance from)
{
    double *row = gck_tail_begin(&r->tail, base, from.unit);
    for (size_t k = 0; k < base->lanes; k++)
        row[k] = 0.375;
    gck_tail_change(&r->tail, from.layer, (gck_watch){0});
    return r->tail.loss;
}

START_TEST(the_last_sample_fills_a_base_up)
{
    tail_room r = room_of(_i);
    ck_assert_uint_eq(r.samples->lanes, LANES);
    for (size_t k = 0; k < LANES; k++)
        ck_assert(r.samples->weights[k] == (k < SAMPLES ? (double)k + 1 : 0));
    for (disturbance from = before_all; disturbance_next(&r, &from);) {
        const double *loss = even_changes(&r, r.samples, from);
        for (size_t k = SAMPLES; k < LANES; k++)
            assert_same_bits(&loss[k], &loss[SAMPLES - 1], 1, "filled up");
    }
    tail_room_done(&r);
}
END_TEST

START_TEST(bases_have_whole_groups_of_lanes)
{
    const size_t want[] = {0, 8, 8, 8, 8, 8, 8, 8, 8, 16};
    for (size_t k = 0; k < COUNT(want); k++)
        ck_assert_uint_eq(gck_base_lanes(k), want[k]);
}
END_TEST

/* ---- copies ---- */

typedef struct repetition {
    size_t first, tile, copies;
} repetition;

static const repetition repetitions[] = {{0, 8, 1},   {8, 8, 1},  {0, 8, 4}, {8, 8, 3},
                                         {0, 16, 1},  {0, 16, 4}, {0, 1, 8}, {6, 1, 16},
                                         {10, 1, 64}, {15, 1, 8}};

/* A lane of copies has what its sample's lane has by the same step, and its weight. Sums are exact,
 * or the kernels' own, whose bits do not depend on what stands beside. */
static void assert_repeated(tail_room *r, const repetition *p, disturbance from)
{
    double want[LANES];
    memcpy(want, even_changes(r, r->samples, from), sizeof want);
    gck_base_repeat(r->copies, r->samples, from.layer == GCK_FROM_INPUT ? 0 : from.layer, p->first,
                    p->tile, p->copies);
    ck_assert_uint_eq(r->copies->lanes, p->tile * p->copies);
    const double *loss = even_changes(r, r->copies, from);
    for (size_t k = 0; k < r->copies->lanes; k++) {
        const size_t lane = p->first + k % p->tile;
        assert_same_bits(&loss[k], &want[lane], 1, "a copy");
        ck_assert(r->copies->weights[k] == r->samples->weights[lane]);
    }
}

START_TEST(copies_are_the_samples)
{
    if (_i % 2 == 1 && gck_kernels_active()->product_rows < TAIL_WIDTH_MAX) return;
    tail_room r = room_of(_i);
    for (disturbance from = before_all; disturbance_next(&r, &from);)
        assert_repeated(&r, &repetitions[_i / 2], from);
    tail_room_done(&r);
}
END_TEST

/* One base after the other in the same room. */
START_TEST(bases_are_used_again)
{
    tail_room r = room_of(0);
    const disturbance from = {0, 1};
    for (size_t i = 0; i < 3 * COUNT(repetitions); i++)
        assert_repeated(&r, &repetitions[i * 7 % COUNT(repetitions)], from);
    tail_room_done(&r);
}
END_TEST

/* ---- what is no number ---- */

START_TEST(what_is_no_number_stays_in_its_lane)
{
    tail_room r = tail_room_new(
        tail_network((size_t)_i % TAIL_BODIES, "tanh", &tail_ends[_i / TAIL_BODIES], SAMPLES));
    const disturbance from = {0, 1};
    double clean[LANES];
    memcpy(clean, tail_changes(&r, from, 0.1), sizeof clean);
    double *row = gck_tail_begin(&r.tail, r.samples, from.unit);
    for (size_t k = 0; k < LANES; k++)
        row[k] = k == 2 ? NAN : tail_step(0.1, k);
    gck_tail_change(&r.tail, from.layer, (gck_watch){0});
    for (size_t k = 0; k < LANES; k++)
        ck_assert_msg(k == 2 ? isnan(r.tail.loss[k]) : r.tail.loss[k] == clean[k], "lane %zu is %g",
                      k, r.tail.loss[k]);
    tail_room_done(&r);
}
END_TEST

/* ---- watching ---- */

typedef struct seen {
    size_t below[LANES]; /* kinks below each lane's values */
    size_t calls, layer, unit;
} seen;

static void see(void *context, size_t layer, size_t unit, double place, const double *z,
                const double *change)
{
    seen *s = context;
    const bool later = layer > s->layer || (layer == s->layer && unit >= s->unit);
    ck_assert_msg(s->calls == 0 || later, "unit %zu of layer %zu is seen late", unit, layer);
    s->calls++;
    s->layer = layer;
    s->unit = unit;
    for (size_t k = 0; k < LANES; k++)
        s->below[k] += z[k] + change[k] > place;
}

static seen seen_from(tail_room *r, disturbance from, double step)
{
    seen s = {.calls = 0};
    double *row = gck_tail_begin(&r->tail, r->samples, from.unit);
    for (size_t k = 0; k < LANES; k++)
        row[k] = tail_step(step, k);
    gck_tail_change(&r->tail, from.layer, (gck_watch){see, &s});
    return s;
}

/* As many of them as in the whole network, where those that do not move are left out. */
static void assert_seen(tail_room *r, disturbance from, size_t calls)
{
    const seen before = seen_from(r, from, 0), after = seen_from(r, from, 0.7);
    ck_assert_uint_eq(before.calls, calls);
    ck_assert_uint_eq(after.calls, calls);
    for (size_t k = 0; k < LANES; k++) {
        const size_t sample = tail_sample(r, k);
        const size_t at = tail_wide(r, sample, from, 0).above;
        const size_t moved = tail_wide(r, sample, from, tail_step(0.7, k)).above;
        ck_assert_int_eq((int)after.below[k] - (int)before.below[k], (int)moved - (int)at);
    }
}

/* A unit's own kink, or both of them; those of all units behind; mae's, one an output. */
START_TEST(every_kink_ahead_is_seen)
{
    const gck_layer_spec layers[] = {dense(6, "relu"), dense(5, "piecewise_linear"), dropout(0.3),
                                     dense(TAIL_OUTPUTS, "tanh")};
    const size_t own[] = {1, 2, 0, 0}, behind[] = {10, 0, 0, 0};
    network net = network_new(TAIL_INPUTS, layers, COUNT(layers), cost_named("mae"), SAMPLES);
    network_draw_biases(&net);
    tail_room r = tail_room_new(net);
    for (disturbance from = before_all; disturbance_next(&r, &from);)
        assert_seen(&r, from,
                    TAIL_OUTPUTS + (from.layer == GCK_FROM_INPUT
                                        ? 6 + 10
                                        : own[from.layer] + behind[from.layer]));
    tail_room_done(&r);
}
END_TEST

/* Neither smooth functions nor costs have any. */
START_TEST(without_kinks_nobody_is_called)
{
    tail_room r = tail_room_new(tail_network(0, "tanh", &tail_ends[0], SAMPLES));
    for (disturbance from = before_all; disturbance_next(&r, &from);)
        ck_assert_uint_eq(seen_from(&r, from, 0.7).calls, 0);
    tail_room_done(&r);
}
END_TEST

SUITE_MAIN("tail_lanes", {the_last_sample_fills_a_base_up, 2},
           {bases_have_whole_groups_of_lanes, 0}, {copies_are_the_samples, 2 * COUNT(repetitions)},
           {bases_are_used_again, 0}, {what_is_no_number_stays_in_its_lane, TAIL_BODIES *TAIL_ENDS},
           {every_kink_ahead_is_seen, 0}, {without_kinks_nobody_is_called, 0})
