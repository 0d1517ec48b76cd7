/* What a start makes of the jobs that a process before left unfinished, in a store that lasts; and
 * what a stop leaves there. No workers: what is to run is taken by the test. */
#include "server/jobs.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/sick.h"
#include "tests/server/stores.h"
#include "tests/server/work.h"

#include <sqlite3.h>

#include <stdio.h>
#include <string.h>

/* Of a process whose clock was ahead. */
#define LATE_VERSION (UINT64_C(1) << 61)

static const struct user ada = {"ada", ROLE_USER};

static struct store *store;
static struct queue *queue;
static struct events *events;
static struct jobs *jobs;

static void start(void)
{
    const struct limits limits = limits_default();
    store = store_open_large(STORE_ROW_SQLITE);
    queue = queue_open();
    events = events_open();
    jobs = jobs_open(store, queue, events, &limits);
    ck_assert(queue != NULL && events != NULL && jobs != NULL);
}

static void end(void)
{
    store_close(store); /* what was handed over is stored */
    jobs_close(jobs);
    queue_close(queue);
    events_close(events);
}

static void restart(void)
{
    end();
    start();
    ck_assert(jobs_recover(jobs));
}

static struct job *submitted(enum job_kind kind, bool is_awaited)
{
    struct problem problem = {0};
    struct job *job;
    struct blob *body =
        kind == JOB_CHECK ? body_of(CHECK_BODY("")) : body_of(TRAINING_BODY("'epochs': 3"));
    ck_assert(jobs_submit(jobs, spec_of(kind, blob_ref(body)), body, &ada, "", is_awaited, &job,
                          &problem));
    blob_unref(body);
    return job;
}

/* A job that was accepted, as it is in the store. */
static struct job_record accepted(enum job_kind kind)
{
    struct problem problem = {0};
    struct job_record record;
    struct job *job = submitted(kind, false);
    ck_assert(jobs_accepted(jobs, job, &ada, &record, &problem));
    job_unref(job);
    return record;
}

/* As a client sees it now. */
static struct job_record seen(const char *id)
{
    struct problem problem = {0};
    struct job_record record;
    ck_assert(jobs_get(jobs, &ada, id, PARTS_ALL, &record, &problem));
    return record;
}

/* ---- work ---- */

/* _i: how often its first grain was begun, of a check and then of a training. */
START_TEST(a_job_begun_too_often_is_given_up)
{
    enum { ONCE_MORE = ATTEMPTS_MAX + 2 };
    const uint32_t attempts = (uint32_t)(_i % ONCE_MORE);
    start();
    struct job_record before = accepted(_i < ONCE_MORE ? JOB_CHECK : JOB_TRAINING);
    const struct store_grain begun = {.index = 0, .attempts = attempts};
    ck_assert_int_eq(store_keep(store, before.id, begun), STORE_OK);
    restart();
    struct job_record after = seen(before.id);
    ck_assert_int_eq(after.state, attempts < ATTEMPTS_MAX ? JOB_QUEUED : JOB_FAILED);
    ck_assert_int_eq(after.error != NULL && strstr(after.error->data, "crashed") != NULL,
                     attempts >= ATTEMPTS_MAX);
    ck_assert_uint_eq(jobs_use(jobs, "ada").queued, attempts < ATTEMPTS_MAX);
    job_record_done(&before);
    job_record_done(&after);
    end();
}
END_TEST

/* Nor does what it was begun count: other numerics may not end the process. */
START_TEST(work_of_other_numerics_begins_anew)
{
    start();
    struct job_record before = accepted(JOB_CHECK);
    const struct store_grain begun = {.index = 0, .attempts = ATTEMPTS_MAX};
    ck_assert_int_eq(store_keep(store, before.id, begun), STORE_OK);
    snprintf(before.signature, sizeof before.signature, "another");
    ck_assert_int_eq(store_put(store, before), STORE_OK);
    restart();
    struct job_record after = seen(before.id);
    ck_assert_int_eq(after.state, JOB_QUEUED);
    ck_assert_str_ne(after.signature, "another");
    char nothing_kept[ID_SIZE + 2];
    snprintf(nothing_kept, sizeof nothing_kept, "%s()", before.id);
    ck_assert_str_eq(store_recovered(store), nothing_kept);
    job_record_done(&before);
    job_record_done(&after);
    end();
}
END_TEST

static void *heal(void *nothing)
{
    while (!sick_has_failed())
        continue;
    sick_heal();
    return nothing;
}

/* Who is given up is so for good: a job that is neither at work nor ended is nobody's. */
START_TEST(giving_up_waits_for_room)
{
    pthread_t thread;
    sick_start();
    start();
    struct job_record before = accepted(JOB_CHECK);
    const struct store_grain begun = {.index = 0, .attempts = ATTEMPTS_MAX};
    ck_assert_int_eq(store_keep(store, before.id, begun), STORE_OK);
    end();
    start();
    sick_fail(SICK_WRITES, 1, true, SQLITE_FULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, heal, NULL), 0);
    ck_assert(jobs_recover(jobs));
    pthread_join(thread, NULL);
    struct job_record after = seen(before.id);
    ck_assert_int_eq(after.state, JOB_FAILED);
    job_record_done(&before);
    job_record_done(&after);
    end();
}
END_TEST

/* ---- versions ---- */

/* The version that clients saw last, of a job that is at work, and is not stored for that. */
static uint64_t last_version_seen(struct job *job)
{
    enum store_status refusal;
    ck_assert_int_eq(job_await_acceptance(job, &refusal), ACCEPT_STORED);
    const size_t grain = must_take(job);
    hand_in(job, grain);
    struct job_record record = seen(job->record.id);
    const uint64_t version = record.version;
    job_record_done(&record);
    return version;
}

/* _i: of a job that goes on, or that is given up. */
START_TEST(no_version_comes_again)
{
    start();
    struct job_record before = accepted(JOB_CHECK);
    struct job *job = submitted(JOB_CHECK, false);
    const uint64_t version = last_version_seen(job);
    const struct store_grain begun = {.index = 0, .attempts = _i == 0 ? 0 : ATTEMPTS_MAX};
    ck_assert_int_eq(store_keep(store, job->record.id, begun), STORE_OK);
    ck_assert_int_eq(store_keep(store, before.id, begun), STORE_OK);
    before.version = LATE_VERSION;
    ck_assert_int_eq(store_put(store, before), STORE_OK);
    char id[ID_SIZE];
    memcpy(id, job->record.id, sizeof id);
    job_unref(job);
    restart();
    struct job_record after = seen(id), late = seen(before.id);
    ck_assert_int_eq(after.state, _i == 0 ? JOB_QUEUED : JOB_FAILED);
    ck_assert_uint_gt(after.version, version);
    ck_assert_uint_gt(late.version, LATE_VERSION);
    job_record_done(&before);
    job_record_done(&after);
    job_record_done(&late);
    end();
}
END_TEST

/* ---- cancelling ---- */

/* Asked for, and stored, by a process that came no further. */
START_TEST(a_cancellation_is_made_good)
{
    start();
    struct job_record before = accepted(JOB_CHECK);
    before.cancel_requested = true;
    ck_assert_int_eq(store_put(store, before), STORE_OK);
    restart();
    restart();
    struct job_record after = seen(before.id);
    ck_assert_int_eq(after.state, JOB_CANCELLED);
    ck_assert(after.cancel_requested);
    job_record_done(&before);
    job_record_done(&after);
    end();
}
END_TEST

/* ---- stopping ---- */

/* It does not wait for the store to be closed, which may not happen. */
START_TEST(a_stop_stores_what_is_held_back)
{
    start();
    struct job *job = submitted(JOB_CHECK, true);
    jobs_hand_over(jobs);
    ck_assert(store_has(store, job->record.id));
    job_unref(job);
    end();
}
END_TEST

SUITE_MAIN("recover", {a_job_begun_too_often_is_given_up, 2 * (ATTEMPTS_MAX + 2)},
           {work_of_other_numerics_begins_anew, 0}, {giving_up_waits_for_room, 0},
           {no_version_comes_again, 2}, {a_cancellation_is_made_good, 0},
           {a_stop_stores_what_is_held_back, 0})
