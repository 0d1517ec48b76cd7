/* Checks saved on the way, stopped, and loaded from damaged numbers. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

START_TEST(a_saved_check_ends_in_the_same_bits)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *straight = check_finished(&spec);
    const size_t count = gck_check_state_count(straight);
    double *state = gck_vector_new(count);
    for (size_t saved = 0; saved <= straight->cut.grain_count; saved++) {
        gck_error error;
        gck_check *before = check_open(&spec), *after = check_open(&spec);
        check_recut(before, 3, 4, 7);
        check_recut(after, 3, 4, 7);
        for (size_t i = 0; i < saved; i++)
            check_step(before, i);
        gck_check_state_save(before, state);
        const size_t done = gck_check_done(before);
        gck_check_free(before);
        assert_ok(gck_check_state_load(after, state, &error), &error);
        ck_assert_uint_eq(gck_check_folded(after), saved);
        ck_assert_uint_eq(gck_check_done(after), done);
        for (size_t i = saved; i < after->cut.grain_count; i++)
            check_step(after, i);
        assert_same_check(after, straight);
        gck_check_free(after);
    }
    gck_vector_free(state);
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

static bool count_down(void *context)
{
    size_t *left = context;
    if (*left == 0) return true;
    (*left)--;
    return false;
}

/* A grain of 6 parameters asks after each; one that is told to stop hands nothing out, and may be
 * computed again. */
START_TEST(a_grain_stops_when_asked)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    ck_assert_uint_eq(check->cut.grain_count, 3);
    for (size_t grain = 1; grain < 3; grain++)
        for (size_t calls = 0; calls < 5; calls++) {
            gck_error error;
            size_t left = calls;
            gck_partial partial = {.count = 77};
            const gck_stop stop = {count_down, &left};
            ck_assert_int_eq(gck_check_grain(check, grain, stop, &partial, &error), GCK_STOPPED);
            ck_assert_int_eq(error.code, GCK_STOPPED);
            ck_assert(partial.count == 77 && partial.values == NULL);
        }
    gck_check *straight = check_open(&spec);
    for (size_t i = 0; i < 3; i++) {
        check_step(straight, i);
        check_step(check, i);
    }
    assert_same_check(check, straight);
    gck_check_free(straight);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_state", {a_saved_check_ends_in_the_same_bits, 0}, {a_damaged_state_is_refused, 0},
           {a_grain_stops_when_asked, 0})
