/* Grains computed in any order, in any room, by any thread: never another bit. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- order ---- */

static void fold_all(gck_check *check, gck_partial *partials)
{
    gck_error error;
    for (size_t i = 0; i < check->cut.grain_count; i++) {
        ck_assert_uint_eq(gck_check_folded(check), i);
        assert_ok(gck_check_fold(check, i, &partials[i], &error), &error);
        gck_partial_done(&partials[i]);
    }
}

/* _i: the method. */
START_TEST(order_of_work_changes_no_bit)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *straight = check_finished(&spec), *check = check_open(&spec);
    check_cut_small(check);
    gck_partial *partials = calloc(check->cut.grain_count, sizeof *partials);
    for (size_t i = check->cut.grain_count; i-- > 0;) {
        gck_error error;
        assert_ok(gck_check_grain(check, i, NULL, (gck_stop){0}, &partials[i], &error), &error);
    }
    fold_all(check, partials);
    assert_same_check(check, straight);
    free(partials);
    gck_check_free(check);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

/* ---- rooms ---- */

/* Grain by grain in one room: forward, backward, and by steps that jump between blocks and layers.
 * _i: the method. */
START_TEST(a_room_does_for_grains_in_any_order)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *straight = check_finished(&spec);
    const size_t grains = straight->cut.grain_count;
    const size_t steps[] = {1, grains - 1, 37, grains - 41};
    gck_partial *partials = calloc(grains, sizeof *partials);
    for (size_t s = 0; s < COUNT(steps); s++) {
        gck_error error;
        gck_check_room *room;
        gck_check *check = check_open(&spec);
        check_cut_small(check);
        assert_ok(gck_check_room_new(check, &room, &error), &error);
        size_t computed = 0;
        for (size_t i = 0, at = 0; i < grains; i++, at = (at + steps[s]) % grains) {
            if (partials[at].values != NULL) break;
            assert_ok(gck_check_grain(check, at, room, (gck_stop){0}, &partials[at], &error),
                      &error);
            computed++;
        }
        ck_assert_msg(computed == grains, "%zu grains in steps of %zu: %zu", grains, steps[s],
                      computed);
        fold_all(check, partials);
        assert_same_check(check, straight);
        gck_check_room_free(room);
        gck_check_free(check);
    }
    free(partials);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

/* A grain that was computed twice in one room, with another between, has the same bits. */
START_TEST(a_room_keeps_nothing_of_a_grain)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *check = check_open(&spec);
    gck_error error;
    gck_check_room *room;
    check_cut_small(check);
    assert_ok(gck_check_room_new(check, &room, &error), &error);
    for (size_t i = 0; i < check->cut.grain_count; i++) {
        gck_partial first, other, again;
        const size_t between = (i + 11) % check->cut.grain_count;
        assert_ok(gck_check_grain(check, i, room, (gck_stop){0}, &first, &error), &error);
        assert_ok(gck_check_grain(check, between, room, (gck_stop){0}, &other, &error), &error);
        assert_ok(gck_check_grain(check, i, room, (gck_stop){0}, &again, &error), &error);
        ck_assert_uint_eq(first.count, again.count);
        assert_same_bits(again.values, first.values, first.count, "a grain once more");
        gck_partial_done(&first);
        gck_partial_done(&other);
        gck_partial_done(&again);
    }
    gck_check_room_free(room);
    gck_check_room_free(NULL);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- threads ---- */

/* Every second grain, from grain `first`, in a room of the worker's own. */
typedef struct worker {
    const gck_check *check;
    gck_partial *partials;
    size_t first;
    gck_status status;
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    gck_error error;
    gck_check_room *room = NULL;
    w->status = gck_check_room_new(w->check, &room, &error);
    for (size_t i = w->first; w->status == GCK_OK && i < w->check->cut.grain_count; i += 2)
        w->status = gck_check_grain(w->check, i, room, (gck_stop){0}, &w->partials[i], &error);
    gck_check_room_free(room);
    return NULL;
}

START_TEST(two_threads_change_no_bit)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *straight = check_finished(&spec), *check = check_open(&spec);
    check_cut_small(check);
    gck_partial *partials = calloc(check->cut.grain_count, sizeof *partials);
    worker workers[2] = {{check, partials, 0, GCK_OK}, {check, partials, 1, GCK_OK}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert(workers[0].status == GCK_OK && workers[1].status == GCK_OK);
    fold_all(check, partials);
    assert_same_check(check, straight);
    free(partials);
    gck_check_free(check);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

SUITE_MAIN("rooms", {order_of_work_changes_no_bit, METHODS},
           {a_room_does_for_grains_in_any_order, METHODS},
           {a_room_keeps_nothing_of_a_grain, METHODS}, {two_threads_change_no_bit, METHODS})
