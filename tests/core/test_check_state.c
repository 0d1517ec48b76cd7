/* Checks saved on the way, stopped, and loaded from damaged numbers. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* ---- saved ---- */

/* A check cut small with that many grains done, as its state has it, in a new check. */
static gck_check *saved_and_loaded(const gck_check_spec *spec, size_t saved, double *state)
{
    gck_error error;
    gck_check *before = check_open(spec), *after = check_open(spec);
    check_cut_small(before);
    check_cut_small(after);
    for (size_t i = 0; i < saved; i++)
        check_step(before, i);
    gck_check_state_save(before, state);
    const size_t done = gck_check_done(before);
    gck_check_free(before);
    assert_ok(gck_check_state_load(after, state, &error), &error);
    ck_assert_uint_eq(gck_check_folded(after), saved);
    ck_assert_uint_eq(gck_check_done(after), done);
    return after;
}

/* Kinks, survey and directions included. _i: the method. */
START_TEST(a_saved_check_ends_in_the_same_bits)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *straight = check_finished(&spec);
    double *state = gck_vector_new(gck_check_state_count(straight));
    for (size_t saved = 0; saved <= straight->cut.grain_count; saved++) {
        gck_check *check = saved_and_loaded(&spec, saved, state);
        for (size_t i = saved; i < check->cut.grain_count; i++)
            check_step(check, i);
        assert_same_check(check, straight);
        gck_check_free(check);
    }
    gck_vector_free(state);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

static void assert_same_report(const gck_report *got, const gck_report *want)
{
    assert_same_bits(&got->distance, &want->distance, 1, "distance");
    assert_same_bits(&got->refined_distance, &want->refined_distance, 1, "refined distance");
    assert_same_bits(&got->detection, &want->detection, 1, "detection");
    ck_assert_int_eq(got->verdict, want->verdict);
    ck_assert_uint_eq(got->kink_parameters, want->kink_parameters);
    ck_assert_uint_eq(got->kink_crossings, want->kink_crossings);
    ck_assert_uint_eq(got->warning_count, want->warning_count);
    for (size_t i = 0; i < want->warning_count; i++)
        ck_assert_str_eq(got->warning[i], want->warning[i]);
}

/* What is told of kinks, dead units and the like does not get lost on the way. _i: the method. */
START_TEST(a_saved_check_gives_the_same_report)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_error error;
    gck_report *want, *got;
    gck_check *straight = check_finished(&spec);
    double *state = gck_vector_new(gck_check_state_count(straight));
    gck_check *check = saved_and_loaded(&spec, straight->cut.grain_count, state);
    assert_ok(gck_check_report(straight, &want, &error), &error);
    assert_ok(gck_check_report(check, &got, &error), &error);
    assert_same_report(got, want);
    ck_assert((want->kink_parameters > 0) == (_i == GCK_CENTRAL || _i == GCK_FORWARD));
    gck_report_free(want);
    gck_report_free(got);
    gck_vector_free(state);
    gck_check_free(check);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

START_TEST(a_damaged_state_is_refused)
{
    network net = cut_network();
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check = check_open(&spec);
    gck_error error;
    const double grains = (double)gck_check_cut_of(check)->grain_count;
    const double bad[][2] = {{-1, 0},  {NAN, 0},      {grains + 1, 0},
                             {1, NAN}, {1, INFINITY}, {0, (double)gck_check_total(check) + 1}};
    double *state = gck_vector_new(gck_check_state_count(check));
    for (size_t i = 0; i < COUNT(bad); i++) {
        memcpy(state, bad[i], sizeof bad[i]);
        ck_assert_int_eq(gck_check_state_load(check, state, &error), GCK_CORRUPT);
    }
    const gck_partial wrong = {.count = 1, .values = state};
    ck_assert_int_eq(gck_check_fold(check, 0, &wrong, &error), GCK_CORRUPT);
    ck_assert_uint_eq(gck_check_folded(check), 0);
    gck_vector_free(state);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- stopped ---- */

static bool count_down(void *context)
{
    size_t *left = context;
    if (*left == 0) return true;
    (*left)--;
    return false;
}

/* A grain that is told to stop at its call-th question: it hands nothing out. False: it had no such
 * question, and the partial is whole. */
static bool stops_at(const gck_check *check, size_t grain, gck_check_room *room, size_t call,
                     gck_partial *ret_partial)
{
    gck_error error = {.code = GCK_OK};
    size_t left = call;
    gck_partial partial = {.count = 77};
    const gck_status status =
        gck_check_grain(check, grain, room, (gck_stop){count_down, &left}, &partial, &error);
    if (status == GCK_OK) {
        *ret_partial = partial;
        return false;
    }
    ck_assert_int_eq(status, GCK_STOPPED);
    ck_assert_int_eq(error.code, GCK_STOPPED);
    ck_assert(partial.count == 77 && partial.values == NULL);
    return true;
}

/* Stopped at each of its questions in turn, a grain either says so or is whole: never a part of
 * one. The room is as good as before. _i: the method. */
START_TEST(a_stopped_grain_is_none_or_whole)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, _i);
    gck_check *check = check_open(&spec);
    gck_check_room *room;
    gck_error error;
    assert_ok(gck_check_room_new(check, &room, &error), &error);
    size_t stops = 0;
    for (size_t grain = 0; grain < check->cut.grain_count; grain++) {
        gck_partial whole, partial;
        size_t call = 0;
        assert_ok(gck_check_grain(check, grain, NULL, (gck_stop){0}, &whole, &error), &error);
        for (bool stopped = true; stopped; call++) {
            ck_assert_uint_lt(call, 10000);
            stopped = stops_at(check, grain, room, call, &partial);
        }
        assert_same_bits(partial.values, whole.values, whole.count, "a grain that went on");
        stops += call - 1;
        gck_partial_done(&partial);
        gck_partial_done(&whole);
    }
    /* Complex steps and directions are too short to ask, but x asks after each of its columns. */
    ck_assert_uint_ge(stops, 4);
    gck_check_room_free(room);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* What was stopped may be computed again. */
START_TEST(a_stopped_check_goes_on)
{
    network net = kinked_network();
    const gck_check_spec spec = kinked_spec(&net, GCK_CENTRAL);
    gck_check *check = check_open(&spec), *straight = check_finished(&spec);
    check_cut_small(check);
    for (size_t i = 0; i < check->cut.grain_count; i++) {
        gck_partial partial;
        if (!stops_at(check, i, NULL, 0, &partial)) gck_partial_done(&partial);
        check_step(check, i);
    }
    assert_same_check(check, straight);
    gck_check_free(straight);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_state", {a_saved_check_ends_in_the_same_bits, METHODS},
           {a_saved_check_gives_the_same_report, METHODS}, {a_damaged_state_is_refused, 0},
           {a_stopped_grain_is_none_or_whole, METHODS}, {a_stopped_check_goes_on, 0})
