/* Jobs that a process before has begun: what was kept of their work, and who is to blame. */
#include "server/codec_report.h"
#include "server/queue.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/work.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* An undisturbed run: its result, and the state behind each grain. */
struct run {
    double *state[GRAINS];
    size_t bytes;
    const char *result;
};

static void note_state(void *context, struct job *job)
{
    struct run *run = context;
    const size_t count = gck_check_state_count(job->check), folded = gck_check_folded(job->check);
    run->bytes = count * sizeof(double);
    run->state[folded] = malloc(run->bytes);
    gck_check_state_save(job->check, run->state[folded]);
}

static struct run run_new(void)
{
    struct run run = {0};
    struct job *job = check_job("");
    job->folded = note_state;
    job->folded_context = &run;
    ck_assert_int_eq(work_off(job), 1);
    run.result = strdup(result_of(job));
    job_unref(job);
    return run;
}

static void run_done(struct run *run)
{
    for (size_t i = 0; i < GRAINS; i++)
        free(run->state[i]);
    free((char *)run->result);
}

/* The state behind the first `folded` grains. */
static struct store_grain kept_state(const struct run *run, size_t folded)
{
    return (struct store_grain){GRAINS, 0, run->state[folded], run->bytes};
}

static struct store_grain begun_grain(size_t index, uint32_t attempts)
{
    return (struct store_grain){index, attempts, NULL, 0};
}

/* How many grains are computed until the job ends, which must be with that result. */
static size_t grains_left(struct job *job, const char *result)
{
    size_t grain, computed = 0;
    bool ended = false;
    while (job_take(job, &grain)) {
        ended = hand_in(job, grain);
        computed++;
    }
    ck_assert(ended);
    ck_assert_str_eq(result_of(job), result);
    return computed;
}

/* _i: how many grains were folded. */
START_TEST(what_was_folded_is_not_computed_again)
{
    struct run run = run_new();
    const struct store_grain grain = kept_state(&run, (size_t)_i);
    struct job *job = check_job("");
    ck_assert(job_restore(job, &grain, _i > 0));
    ck_assert_uint_eq(job->record.done, gck_check_done(job->check));
    ck_assert_uint_eq(grains_left(job, run.result), GRAINS - (size_t)_i);
    job_unref(job);
    run_done(&run);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    struct run run = run_new();
    struct store_grain grain = kept_state(&run, 3);
    struct job *job = check_job("");
    if (_i == 0) grain.index = GRAINS + 1;
    if (_i == 1) grain.size -= 1;
    if (_i == 2) grain.size -= sizeof(double);
    if (_i == 3) run.state[3][0] = GRAINS; /* nothing would be left to end it */
    if (_i == 4) run.state[3][0] = NAN;
    ck_assert(!job_restore(job, &grain, 1));
    job_unref(job);
    run_done(&run);
}
END_TEST

/* Begun twice and not done: it comes first, and the job is suspect until it is done. */
START_TEST(a_suspect_grain_comes_first)
{
    struct run run = run_new();
    const struct store_grain grain[] = {begun_grain(1, ATTEMPTS_SUSPECT - 1),
                                        begun_grain(7, ATTEMPTS_SUSPECT)};
    struct job *job = check_job("");
    ck_assert(job_restore(job, grain, COUNT(grain)));
    ck_assert(job_is_suspect(job));
    ck_assert_uint_eq(job_attempts(job, 7), ATTEMPTS_SUSPECT);
    ck_assert_uint_eq(job_attempts(job, 1), ATTEMPTS_SUSPECT - 1);
    ck_assert_uint_eq(job_attempts(job, 0), 0);
    ck_assert_uint_eq(job_attempts_most(job), ATTEMPTS_SUSPECT);
    ck_assert_uint_eq(must_take(job), 7);
    ck_assert(!hand_in(job, 7));
    ck_assert(!job_is_suspect(job));
    ck_assert_uint_eq(must_take(job), 0);
    ck_assert(!hand_in(job, 0));
    ck_assert_uint_eq(grains_left(job, run.result), GRAINS - 2);
    job_unref(job);
    run_done(&run);
}
END_TEST

static struct job *suspect_job(void)
{
    const struct store_grain grain = begun_grain(3, ATTEMPTS_SUSPECT);
    struct job *job = check_job("");
    ck_assert(job_restore(job, &grain, 1));
    return job;
}

static struct lease take(struct queue *queue, const struct job *job)
{
    struct lease lease;
    ck_assert(queue_take(queue, &lease));
    ck_assert_ptr_eq(lease.job, job);
    return lease;
}

static void give_back(struct queue *queue, struct lease *lease)
{
    hand_in(lease->job, lease->grain);
    queue_return(queue, lease);
    job_unref(lease->job);
}

START_TEST(a_suspect_job_comes_before_all_others_and_alone)
{
    struct queue *queue = queue_open();
    struct job *high = check_job(", 'priority': 'high'"), *suspect = suspect_job();
    queue_push(queue, high);
    queue_push(queue, suspect);
    struct lease lease = take(queue, suspect);
    ck_assert(lease.exclusive);
    ck_assert_uint_eq(lease.grain, 3);
    ck_assert(queue_is_contended(queue, &lease)); /* it ends with its grain */
    give_back(queue, &lease);
    lease = take(queue, high); /* it is a job like others now */
    ck_assert(!lease.exclusive);
    give_back(queue, &lease);
    queue_close(queue);
    job_unref(high);
    job_unref(suspect);
}
END_TEST

/* Whoever has it computes nothing else meanwhile: others, however low, are kept out for one grain
 * alone. */
START_TEST(the_lease_of_a_suspect_ends_with_its_grain)
{
    struct queue *queue = queue_open();
    struct job *suspect = suspect_job();
    queue_push(queue, suspect);
    struct lease lease = take(queue, suspect);
    ck_assert(queue_is_contended(queue, &lease));
    give_back(queue, &lease);
    lease = take(queue, suspect);
    ck_assert(!queue_is_contended(queue, &lease));
    give_back(queue, &lease);
    queue_close(queue);
    job_unref(suspect);
}
END_TEST

/* A worker that asks meanwhile gets something only once the exclusive lease is over. */
static void *take_another(void *queue)
{
    static struct lease lease;
    ck_assert(queue_take(queue, &lease));
    return &lease;
}

START_TEST(nothing_runs_beside_a_suspect)
{
    struct queue *queue = queue_open();
    struct job *other = check_job(""), *suspect = suspect_job();
    pthread_t thread;
    void *taken;
    queue_push(queue, other);
    queue_push(queue, suspect);
    struct lease lease = take(queue, suspect);
    ck_assert_int_eq(pthread_create(&thread, NULL, take_another, queue), 0);
    ck_assert_int_eq(state_of(other), JOB_QUEUED);
    give_back(queue, &lease);
    pthread_join(thread, &taken);
    ck_assert_ptr_eq(((struct lease *)taken)->job, other);
    give_back(queue, taken);
    queue_close(queue);
    job_unref(other);
    job_unref(suspect);
}
END_TEST

struct stopper {
    struct queue *queue;
    atomic_bool asked;
    struct lease lease;
};

/* Until somebody has asked for work, and for a while longer. */
static void work_meanwhile(struct stopper *stopper)
{
    while (!atomic_load(&stopper->asked))
        continue;
    struct job *job = check_job("");
    work_off(job);
    job_unref(job);
}

/* Sends home who asked for work and got none. */
static void *stop_later(void *argument)
{
    struct stopper *stopper = argument;
    work_meanwhile(stopper);
    queue_stop(stopper->queue);
    return NULL;
}

static void *end_training_later(void *argument)
{
    struct stopper *stopper = argument;
    work_meanwhile(stopper);
    ck_assert(hand_back(stopper->lease.job, 1000));
    queue_return(stopper->queue, &stopper->lease);
    return NULL;
}

static struct job *suspect_training(void)
{
    const struct store_grain grain = begun_grain(0, ATTEMPTS_SUSPECT);
    struct job *job = training_job("");
    ck_assert(job_restore(job, &grain, 1));
    return job;
}

/* _i: a training or a check under suspicion is at work, or waits for another to be done. */
START_TEST(nobody_gets_work_beside_a_suspect)
{
    struct stopper stopper = {.queue = queue_open()};
    struct job *suspect = _i == 0 ? suspect_training() : suspect_job(), *other = check_job("");
    struct job *first = _i == 2 ? other : suspect, *second = _i == 2 ? suspect : other;
    pthread_t thread;
    struct lease lease, another;
    queue_push(stopper.queue, first);
    lease = take(stopper.queue, first);
    queue_push(stopper.queue, second);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_later, &stopper), 0);
    atomic_store(&stopper.asked, true);
    ck_assert(!queue_take(stopper.queue, &another));
    pthread_join(thread, NULL);
    queue_return(stopper.queue, &lease);
    job_unref(lease.job);
    queue_close(stopper.queue);
    job_unref(suspect);
    job_unref(other);
}
END_TEST

/* Its job is not there any more, and pushes nothing that would wake anybody. */
START_TEST(who_waits_for_a_suspects_end_gets_work)
{
    struct stopper stopper = {.queue = queue_open()};
    struct job *suspect = suspect_training(), *other = check_job("");
    pthread_t thread;
    queue_push(stopper.queue, suspect);
    stopper.lease = take(stopper.queue, suspect);
    queue_push(stopper.queue, other);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_training_later, &stopper), 0);
    atomic_store(&stopper.asked, true);
    struct lease lease = take(stopper.queue, other);
    pthread_join(thread, NULL);
    give_back(stopper.queue, &lease);
    job_unref(stopper.lease.job);
    queue_close(stopper.queue);
    job_unref(suspect);
    job_unref(other);
}
END_TEST

static const char *parameters_text(const struct job *job)
{
    const gck_train_result result = gck_train_result_of(job->train);
    return text_of(codec_training_result(&result));
}

/* _i: after how many units of work the state was kept. */
START_TEST(a_training_goes_on_from_its_state)
{
    struct job *whole = training_job(""), *first = training_job(""), *second = training_job("");
    unsigned char *bytes;
    size_t size;
    gck_error error;
    must_take(whole);
    ck_assert(hand_back(whole, 1000));
    must_take(first);
    ck_assert(!hand_back(first, (size_t)_i));
    ck_assert_int_eq(gck_train_export(first->train, &bytes, &size, &error), GCK_OK);
    const struct store_grain grain = {0, 1, bytes, size};
    ck_assert(job_restore(second, &grain, 1));
    ck_assert_uint_eq(job_attempts(second, 0), 1);
    ck_assert(!job_is_suspect(second));
    must_take(second);
    ck_assert(hand_back(second, 1000));
    char *text = strdup(parameters_text(whole));
    ck_assert_str_eq(parameters_text(second), text);
    free(text);
    free(bytes);
    job_unref(whole);
    job_unref(first);
    job_unref(second);
}
END_TEST

START_TEST(a_state_of_another_training_is_refused)
{
    struct job *job = training_job("");
    const struct store_grain grain = {0, 0, "GCKTRN01 but nothing else", 25};
    ck_assert(!job_restore(job, &grain, 1));
    job_unref(job);
}
END_TEST

START_TEST(a_training_begun_too_often_is_suspect)
{
    struct job *job = training_job("");
    const struct store_grain grain = begun_grain(0, ATTEMPTS_SUSPECT);
    ck_assert(job_restore(job, &grain, 1));
    ck_assert(job_is_suspect(job));
    job_clear(job, 0);
    ck_assert(!job_is_suspect(job));
    job_unref(job);
}
END_TEST

SUITE_MAIN("restore", {what_was_folded_is_not_computed_again, GRAINS},
           {what_does_not_fit_is_refused, 5}, {a_suspect_grain_comes_first, 0},
           {a_suspect_job_comes_before_all_others_and_alone, 0},
           {the_lease_of_a_suspect_ends_with_its_grain, 0}, {nothing_runs_beside_a_suspect, 0},
           {nobody_gets_work_beside_a_suspect, 3}, {who_waits_for_a_suspects_end_gets_work, 0},
           {a_training_goes_on_from_its_state, 8}, {a_state_of_another_training_is_refused, 0},
           {a_training_begun_too_often_is_suspect, 0})
