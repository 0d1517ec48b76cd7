/* What every store must do when it is full, and when threads share it. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void finish(struct store *store, const char *id, enum job_state state)
{
    struct job_record record = job_named(id);
    record.state = state;
    ck_assert_int_eq(store->operations->put(store, &record), STORE_OK);
}

/* RETAIN of them are kept beside those that are not finished, which never go. */
START_TEST(the_oldest_finished_jobs_go_first)
{
    struct store *store = store_open_small(_i);
    const struct store_filter filter = filter_of_ada();
    store_add_in(store, "queued", JOB_QUEUED);
    store_add_in(store, "running", JOB_RUNNING);
    for (int i = 0; i < 12; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        store_add_in(store, id, JOB_QUEUED);
        finish(store, id, i % 2 > 0 ? JOB_CANCELLED : JOB_SUCCEEDED);
    }
    ck_assert_str_eq(store_listed(store, &filter, NULL), "l k j i running queued");
    store_close(store);
}
END_TEST

/* However old it is: its owner may be waiting for it. */
START_TEST(what_has_just_finished_is_kept)
{
    struct store *store = store_open_small(_i);
    const struct store_filter filter = filter_of_ada();
    store_add_in(store, "old", JOB_RUNNING);
    for (int i = 0; i < RETAIN; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        store_add_in(store, id, JOB_QUEUED);
        finish(store, id, JOB_SUCCEEDED);
    }
    finish(store, "old", JOB_SUCCEEDED);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "d c b old");
    store_close(store);
}
END_TEST

START_TEST(a_store_of_unfinished_jobs_is_full)
{
    struct store *store = store_open_small(_i);
    for (int i = 0; i < ACTIVE; i++)
        store_add_in(store, (char[]){(char)('a' + i), '\0'}, i > 0 ? JOB_QUEUED : JOB_RUNNING);
    ck_assert_int_eq(store_add(store, job_named("more")), STORE_FULL);
    ck_assert(!store_has(store, "more"));
    finish(store, "a", JOB_FAILED);
    ck_assert_int_eq(store_add(store, job_named("more")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_named("yet another")), STORE_FULL);
    ck_assert_int_eq(store->operations->remove(store, "ada", "b"), STORE_OK);
    ck_assert_int_eq(store_add(store, job_named("yet another")), STORE_OK);
    ck_assert(store_has(store, "a") && store_has(store, "c") && store_has(store, "more"));
    store_close(store);
}
END_TEST

static struct job_record job_of_bytes(const char *id, enum job_state state, size_t bytes)
{
    struct job_record record = job_named(id);
    char *zeros = calloc(1, bytes);
    record.state = state;
    record.request = blob_take(zeros, bytes);
    ck_assert(zeros != NULL && record.request != NULL);
    return record;
}

static enum store_status add_bytes(struct store *store, const char *id, enum job_state state,
                                   size_t bytes)
{
    struct job_record record = job_of_bytes(id, state, bytes);
    const enum store_status status = store_add(store, record);
    job_record_done(&record);
    return status;
}

static struct store *open_of_bytes(int index, size_t bytes)
{
    struct limits limits = limits_default();
    limits.retain_bytes = bytes;
    return store_open_with(index, limits);
}

enum { BYTES = 1000000 };

START_TEST(bytes_are_bounded_too)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert(!store_has(store, "b"));
    ck_assert(store_has(store, "a") && store_has(store, "c"));
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_FULL);
    ck_assert_int_eq(store->operations->remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_OK);
    store_close(store);
}
END_TEST

/* What a job grows by is made up for, too, by older ones that are finished. */
START_TEST(a_result_takes_the_room_of_older_ones)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_RUNNING, BYTES / 2), STORE_OK);
    struct job_record done = job_of_bytes("c", JOB_SUCCEEDED, BYTES / 2);
    done.result = blob_ref(done.request);
    ck_assert_int_eq(store->operations->put(store, &done), STORE_OK);
    job_record_done(&done);
    ck_assert(!store_has(store, "a"));
    ck_assert(store_has(store, "b") && store_has(store, "c"));
    store_close(store);
}
END_TEST

/* Even beyond the limit: what was accepted is kept to its end. */
START_TEST(a_result_that_does_not_fit_is_kept)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_RUNNING, BYTES), STORE_OK);
    struct job_record done = job_of_bytes("a", JOB_SUCCEEDED, 4 * BYTES);
    ck_assert_int_eq(store->operations->put(store, &done), STORE_OK);
    job_record_done(&done);
    ck_assert(store_has(store, "a"));
    ck_assert_int_eq(add_bytes(store, "b", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert(!store_has(store, "a"));
    store_close(store);
}
END_TEST

/* Jobs at work change often; each change is of one job alone. */
START_TEST(a_change_drops_no_other_job)
{
    struct store *store = store_open_small(_i);
    const struct store_filter filter = filter_of_ada();
    for (int i = 0; i < RETAIN; i++)
        store_add_in(store, (char[]){(char)('a' + i), '\0'}, JOB_SUCCEEDED);
    for (int i = 0; i < ACTIVE; i++)
        store_add_in(store, (char[]){(char)('x' + i), '\0'}, JOB_QUEUED);
    struct job_record running = job_named("x");
    running.state = JOB_RUNNING;
    ck_assert_int_eq(store->operations->put(store, &running), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "z y x d c b a");
    store_close(store);
}
END_TEST

/* What could never fit costs nobody a result. */
START_TEST(a_job_that_does_not_fit_drops_none)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, 4 * BYTES), STORE_FULL);
    ck_assert(store_has(store, "a") && store_has(store, "b"));
    store_close(store);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, EACH = 100 };

struct part {
    struct store *store;
    int index;
};

static void *add_many(void *argument)
{
    const struct part *part = argument;
    for (int i = 0; i < EACH; i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "%d-%d", part->index, i);
        struct job_record record = job_keyed(id, "ada", i % 2 > 0 ? "" : id);
        ck_assert_int_eq(store_add(part->store, record), STORE_OK);
        record.state = JOB_SUCCEEDED;
        ck_assert_int_eq(part->store->operations->put(part->store, &record), STORE_OK);
        ck_assert(store_has(part->store, id));
        if (i % 4 == 3) part->store->operations->remove(part->store, "ada", id);
    }
    return NULL;
}

START_TEST(threads_share_a_store)
{
    struct store *store = store_open_large(_i);
    struct part part[THREADS];
    pthread_t thread[THREADS];
    struct store_filter filter = filter_of_ada();
    struct job_page page = {0};
    for (int i = 0; i < THREADS; i++) {
        part[i] = (struct part){store, i};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, add_many, &part[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    filter.limit = 500;
    ck_assert_int_eq(store->operations->list(store, &filter, &page), STORE_OK);
    ck_assert_uint_eq(page.count, THREADS * EACH * 3 / 4);
    job_page_done(&page);
    store_close(store);
}
END_TEST

SUITE_MAIN("store limits", {the_oldest_finished_jobs_go_first, STORES},
           {what_has_just_finished_is_kept, STORES}, {a_store_of_unfinished_jobs_is_full, STORES},
           {bytes_are_bounded_too, STORES}, {a_result_takes_the_room_of_older_ones, STORES},
           {a_result_that_does_not_fit_is_kept, STORES}, {a_change_drops_no_other_job, STORES},
           {a_job_that_does_not_fit_drops_none, STORES}, {threads_share_a_store, STORES})
