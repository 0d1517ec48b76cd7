/* One job at work: taken in grains or slices, handed in, cancelled, late, broken, and finished by
 * exactly one caller. */
#include "server/clock.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- from queued to succeeded ---- */

START_TEST(a_check_runs_grain_by_grain)
{
    struct job *job = check_job("");
    ck_assert(job_is_divisible(job));
    ck_assert_int_eq(state_of(job), JOB_QUEUED);
    for (size_t i = 0; i < GRAINS; i++) {
        size_t grain;
        ck_assert(job_take(job, &grain));
        ck_assert_uint_eq(grain, i);
        ck_assert_int_eq(state_of(job), JOB_RUNNING);
        ck_assert_int_eq(hand_in(job, grain), i == GRAINS - 1);
    }
    ck_assert(!can_take(job));
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    job_unref(job);
}
END_TEST

START_TEST(a_record_tells_how_far_it_is)
{
    struct job *job = check_job("");
    struct job_record queued = {0}, running = {0}, done = {0};
    ck_assert(job_snapshot(job, &queued));
    hand_in(job, must_take(job));
    hand_in(job, must_take(job));
    ck_assert(job_snapshot(job, &running));
    work_off(job);
    ck_assert(job_snapshot(job, &done));
    ck_assert_int_eq(running.state, JOB_RUNNING);
    ck_assert_uint_eq(queued.done, 0);
    ck_assert_uint_eq(queued.total, 8);
    ck_assert_uint_eq(done.done, 8);
    ck_assert_uint_gt(running.version, queued.version);
    ck_assert_uint_gt(done.version, running.version);
    ck_assert_int_eq(queued.started_ms, 0);
    ck_assert_int_gt(running.started_ms, 0);
    ck_assert_uint_eq(running.attempts, 1);
    ck_assert(done.seconds >= running.seconds && running.seconds >= 0);
    ck_assert_str_ne(queued.signature, "");
    job_record_done(&queued);
    job_record_done(&running);
    job_record_done(&done);
    job_unref(job);
}
END_TEST

START_TEST(a_training_is_one_chain_of_slices)
{
    struct job *job = training_job("");
    int slices = 0;
    ck_assert(!job_is_divisible(job));
    do {
        ck_assert_uint_eq(must_take(job), 0);
        ck_assert(!can_take(job)); /* one has it */
        slices++;
    } while (!hand_back(job, 1));
    ck_assert_int_gt(slices, EPOCHS);
    ck_assert(!can_take(job));
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    job_unref(job);
}
END_TEST

/* ---- the same bits in whatever order grains come in ---- */

static char *result_in_order(const size_t *order)
{
    struct job *job = check_job(", 'check': {'include': ['gradients']}");
    gck_partial partial[GRAINS];
    for (size_t i = 0; i < GRAINS; i++)
        ck_assert_uint_eq(must_take(job), i);
    for (size_t i = 0; i < GRAINS; i++)
        partial[i] = grain_of(job, i);
    for (size_t i = 0; i < GRAINS; i++)
        ck_assert_int_eq(job_hand_in(job, order[i], GCK_OK, &partial[order[i]], NULL),
                         i == GRAINS - 1);
    char *text = strdup(result_of(job));
    job_unref(job);
    return text;
}

START_TEST(the_order_of_grains_does_not_show)
{
    size_t order[GRAINS];
    for (size_t i = 0; i < GRAINS; i++)
        order[i] = i;
    char *want = result_in_order(order);
    for (size_t step = 3; step < GRAINS; step += 2) {
        if (GRAINS % step == 0) continue;
        for (size_t i = 0; i < GRAINS; i++)
            order[i] = GRAINS - 1 - i * step % GRAINS;
        char *got = result_in_order(order);
        ck_assert_str_eq(got, want);
        free(got);
    }
    free(want);
}
END_TEST

/* ---- cancelled ---- */

START_TEST(cancel_before_it_starts)
{
    struct job *job = _i == 0 ? check_job("") : training_job("");
    ck_assert(job_cancel(job));
    ck_assert(!can_take(job));
    ck_assert(!job_cancel(job));
    ck_assert_int_eq(outcome_of(job), JOB_CANCELLED);
    struct job_record record = {0};
    ck_assert(job_snapshot(job, &record));
    ck_assert(record.cancel_requested);
    ck_assert_double_eq(record.seconds, 0);
    job_record_done(&record);
    job_unref(job);
}
END_TEST

START_TEST(cancel_while_grains_are_out)
{
    struct job *job = check_job("");
    const size_t first = must_take(job), second = must_take(job), third = must_take(job);
    const gck_stop stop = job_stop(job);
    ck_assert(!stop.asked(stop.context));
    ck_assert(!job_cancel(job));
    ck_assert(stop.asked(stop.context));
    ck_assert(!can_take(job));
    ck_assert(!hand_in_stopped(job, second));
    ck_assert(!hand_in_stopped(job, first));
    ck_assert(hand_in_stopped(job, third)); /* the last one out */
    ck_assert_int_eq(outcome_of(job), JOB_CANCELLED);
    job_unref(job);
}
END_TEST

START_TEST(cancel_between_grains)
{
    struct job *job = check_job("");
    hand_in(job, must_take(job));
    ck_assert(job_cancel(job));
    ck_assert_int_eq(outcome_of(job), JOB_CANCELLED);
    job_unref(job);
}
END_TEST

START_TEST(cancel_a_training_in_a_slice_and_between)
{
    struct job *job = training_job("");
    must_take(job);
    ck_assert(!job_cancel(job));
    ck_assert(hand_back(job, 1));
    ck_assert_int_eq(outcome_of(job), JOB_CANCELLED);
    job_unref(job);
    job = training_job("");
    must_take(job);
    ck_assert(!hand_back(job, 1));
    ck_assert(job_cancel(job));
    ck_assert(!can_take(job));
    ck_assert_int_eq(outcome_of(job), JOB_CANCELLED);
    job_unref(job);
}
END_TEST

/* What was complete when it was asked to stop has succeeded. */
START_TEST(cancel_comes_too_late)
{
    struct job *job = check_job("");
    ck_assert_int_eq(work_off(job), 1);
    ck_assert(!job_cancel(job));
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    job_unref(job);
    job = training_job("");
    must_take(job);
    ck_assert(!job_cancel(job));
    ck_assert(hand_back(job, SIZE_MAX));
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    job_unref(job);
}
END_TEST

/* ---- broken, late, abandoned ---- */

static bool hand_in_fault(struct job *job, size_t grain, gck_status status, const char *text)
{
    gck_partial none = {0};
    gck_error error;
    gck_error_set(&error, status, "", "%s", text);
    return job_hand_in(job, grain, status, &none, &error);
}

/* What is wrong with a claim is found out after the last grain, and may take its time. _i: it is
 * late, or cancelled, or the server stops. */
START_TEST(findings_can_be_stopped)
{
    struct job *job = check_job(", 'check': {'sensitivity': true}");
    ck_assert_int_eq(work_off(job), 1);
    const gck_stop stop = job_stop(job);
    ck_assert(job_is_complete(job) && !stop.asked(stop.context));
    if (_i == 0) atomic_store(&job->deadline_ns, 0);
    if (_i == 1) ck_assert(!job_cancel(job));
    if (_i == 2) atomic_store(&job->abandoned, true);
    ck_assert(stop.asked(stop.context));
    ck_assert_int_eq(job_break_off(job), _i != 2);
    if (_i < 2) ck_assert_int_eq(outcome_of(job), _i == 0 ? JOB_FAILED : JOB_CANCELLED);
    job_unref(job);
}
END_TEST

static double seconds_of(struct job *job)
{
    struct job_record record = {0};
    ck_assert(job_snapshot(job, &record));
    const double seconds = record.seconds;
    job_record_done(&record);
    return seconds;
}

START_TEST(findings_count_in_the_seconds)
{
    enum { SEARCH_NS = 1000000 };
    struct job *job = check_job(", 'check': {'sensitivity': true}");
    ck_assert_int_eq(work_off(job), 1);
    const double before = seconds_of(job);
    const int64_t since_ns = clock_monotonic_ns();
    while (clock_monotonic_ns() < since_ns + SEARCH_NS) {
    }
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    /* The difference of two sums below a minute is a double's to less than a nanosecond. */
    ck_assert_double_ge(seconds_of(job) - before, (SEARCH_NS - 1) * 1e-9);
    job_unref(job);
}
END_TEST

START_TEST(the_first_fault_fails_the_job)
{
    struct job *job = check_job("");
    const size_t first = must_take(job), second = must_take(job), third = must_take(job);
    struct problem problem = {0};
    ck_assert(!hand_in_fault(job, second, GCK_NON_FINITE, "first"));
    ck_assert(!can_take(job));
    ck_assert(!hand_in_fault(job, third, GCK_MEMORY, "second"));
    ck_assert(hand_in(job, first));
    ck_assert_int_eq(job_outcome(job, &problem), JOB_FAILED);
    ck_assert_int_eq(problem.type, PROBLEM_NON_FINITE_COST);
    ck_assert_str_eq(problem.detail, "first");
    job_unref(job);
}
END_TEST

START_TEST(late_is_failed_unless_complete)
{
    struct job *job = check_job(", 'check': {'time_limit_seconds': 0.5}");
    struct problem problem = {0};
    const size_t grain = must_take(job);
    const int64_t deadline = atomic_load(&job->deadline_ns);
    ck_assert_int_le(deadline, clock_monotonic_ns() + 500000000);
    atomic_store(&job->deadline_ns, 1); /* long ago */
    ck_assert(job_stop(job).asked(job_stop(job).context));
    ck_assert(hand_in_stopped(job, grain));
    ck_assert_int_eq(job_outcome(job, &problem), JOB_FAILED);
    ck_assert_int_eq(problem.type, PROBLEM_TIME_LIMIT);
    job_unref(job);
    job = training_job("");
    must_take(job);
    atomic_store(&job->deadline_ns, 1);
    ck_assert(hand_back(job, SIZE_MAX));
    ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
    job_unref(job);
}
END_TEST

/* Late before all its grains are out: one at a time is still handed out, and ends it. */
START_TEST(a_late_job_is_ended_by_one_worker)
{
    struct job *job = check_job("");
    hand_in(job, must_take(job));
    atomic_store(&job->deadline_ns, 1);
    const size_t grain = must_take(job);
    ck_assert(!can_take(job));
    ck_assert(hand_in_stopped(job, grain));
    ck_assert(!can_take(job));
    ck_assert_int_eq(outcome_of(job), JOB_FAILED);
    job_unref(job);
}
END_TEST

START_TEST(a_job_has_no_more_time_than_the_server_gives)
{
    struct problem problem = {0};
    struct job_record record = {.id = "x"};
    struct spec *spec =
        spec_of(JOB_CHECK, body_of(CHECK_BODY(", 'check': {'time_limit_seconds': 1e6}")));
    struct job *job = job_new(spec, &record, 2, &problem);
    ck_assert_ptr_nonnull(job);
    must_take(job);
    ck_assert_int_le(atomic_load(&job->deadline_ns), clock_monotonic_ns() + 2000000000);
    job_unref(job);
}
END_TEST

/* A server that stops leaves the job as it is, for the next one. */
START_TEST(an_abandoned_job_does_not_end)
{
    struct job *job = check_job("");
    const size_t first = must_take(job), second = must_take(job);
    atomic_store(&job->abandoned, true);
    ck_assert(!can_take(job));
    ck_assert(!hand_in_stopped(job, first));
    ck_assert(!hand_in_stopped(job, second));
    ck_assert_int_eq(state_of(job), JOB_RUNNING);
    job_unref(job);
}
END_TEST

START_TEST(a_job_that_cannot_be_made_is_a_problem)
{
    struct problem problem = {0};
    struct job_record record = {.id = "x"};
    struct spec *spec = spec_of(JOB_CHECK, body_of(CHECK_BODY("")));
    spec->check.epsilon = 2; /* the codec would have refused it */
    ck_assert_ptr_null(job_new(spec, &record, 1, &problem));
    ck_assert(problem_is(&problem, PROBLEM_INVALID, "/check/epsilon"));
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 200 };

struct hammer {
    struct job *job;
    pthread_barrier_t start;
    atomic_int finishes;
    bool cancel; /* the last thread does */
    atomic_int arrived;
};

static void *hammer_run(void *argument)
{
    struct hammer *hammer = argument;
    const int place = atomic_fetch_add(&hammer->arrived, 1);
    pthread_barrier_wait(&hammer->start);
    if (hammer->cancel && place == THREADS - 1)
        atomic_fetch_add(&hammer->finishes, job_cancel(hammer->job));
    else
        atomic_fetch_add(&hammer->finishes, work_off(hammer->job));
    return NULL;
}

static void hammer_on(struct job *job, bool cancel)
{
    pthread_t thread[THREADS];
    struct hammer hammer = {.job = job, .cancel = cancel};
    pthread_barrier_init(&hammer.start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, hammer_run, &hammer), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&hammer.start);
    ck_assert_int_eq(atomic_load(&hammer.finishes), 1);
}

START_TEST(exactly_one_of_many_finishes)
{
    char *want = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        struct job *job = check_job(", 'check': {'include': ['gradients']}");
        hammer_on(job, false);
        ck_assert_int_eq(outcome_of(job), JOB_SUCCEEDED);
        if (want == NULL) want = strdup(result_of(job));
        ck_assert_str_eq(result_of(job), want);
        job_unref(job);
    }
    free(want);
}
END_TEST

START_TEST(exactly_one_finishes_though_it_is_cancelled)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct job *job = check_job("");
        hammer_on(job, true);
        const enum job_state outcome = outcome_of(job);
        ck_assert(outcome == JOB_SUCCEEDED || outcome == JOB_CANCELLED);
        ck_assert(!job_cancel(job));
        job_unref(job);
    }
}
END_TEST

/* Whoever takes a round ends the probe, not whoever cancels it meanwhile. */
START_TEST(cancel_while_a_round_is_taken)
{
    struct job *job = probe_job();
    ck_assert(job_begin_round(job));
    ck_assert(!job_cancel(job));
    ck_assert(job_end_round(job, GCK_OK, false, NULL));
    ck_assert(!job_begin_round(job));
    job_unref(job);
    job = probe_job();
    ck_assert(job_begin_round(job));
    ck_assert(!job_end_round(job, GCK_OK, false, NULL));
    ck_assert(job_cancel(job));
    job_unref(job);
}
END_TEST

SUITE_MAIN("job", {a_check_runs_grain_by_grain, 0}, {a_record_tells_how_far_it_is, 0},
           {a_training_is_one_chain_of_slices, 0}, {the_order_of_grains_does_not_show, 0},
           {cancel_before_it_starts, 2}, {cancel_while_grains_are_out, 0},
           {cancel_between_grains, 0}, {cancel_a_training_in_a_slice_and_between, 0},
           {cancel_comes_too_late, 0}, {cancel_while_a_round_is_taken, 0},
           {findings_can_be_stopped, 3}, {findings_count_in_the_seconds, 0},
           {the_first_fault_fails_the_job, 0}, {late_is_failed_unless_complete, 0},
           {a_late_job_is_ended_by_one_worker, 0},
           {a_job_has_no_more_time_than_the_server_gives, 0}, {an_abandoned_job_does_not_end, 0},
           {a_job_that_cannot_be_made_is_a_problem, 0}, {exactly_one_of_many_finishes, 0},
           {exactly_one_finishes_though_it_is_cancelled, 0})
