/* What every store must do when it is full, and when threads share it. */
#include "server/clock.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* RETAIN of them are kept beside those that are not finished, which never go. */
START_TEST(the_first_to_finish_go_first)
{
    struct store *store = store_open_small(_i);
    const struct store_filter filter = filter_of_ada();
    store_add_in(store, "old", JOB_QUEUED);
    for (int i = 0; i < 12; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        store_add_in(store, id, JOB_QUEUED);
        store_finish(store, id, i % 2 > 0 ? JOB_CANCELLED : JOB_SUCCEEDED);
    }
    ck_assert_uint_eq(store_prune(store, 0), 12 - RETAIN);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "l k j i old");
    store_finish(store, "old", JOB_SUCCEEDED); /* the last, however old it is */
    ck_assert_uint_eq(store_prune(store, 0), 1);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "l k j old");
    ck_assert_uint_eq(store_prune(store, 0), 0);
    store_close(store);
}
END_TEST

START_TEST(jobs_go_after_some_days)
{
    struct store *store = store_open_large(_i);
    const int64_t kept_ms = limits_default().retain_days * CLOCK_DAY_MS;
    for (int i = 0; i < 3; i++) {
        struct job_record record = job_in((char[]){(char)('a' + i), '\0'}, JOB_SUCCEEDED);
        record.finished_ms = 1000 + i;
        ck_assert_int_eq(store_add(store, record), STORE_OK);
    }
    store_add_in(store, "queued", JOB_QUEUED);
    ck_assert_uint_eq(store_prune(store, 1000 + kept_ms), 0);
    ck_assert_uint_eq(store_prune(store, 1002 + kept_ms), 2);
    ck_assert(!store_has(store, "a") && !store_has(store, "b") && store_has(store, "c"));
    ck_assert_uint_eq(store_prune(store, INT64_MAX), 1);
    ck_assert(store_has(store, "queued"));
    store_close(store);
}
END_TEST

/* A call prunes so many that nobody waits for long; the next one goes on. */
START_TEST(pruning_stops_on_the_way)
{
    enum { JOBS = 1000 };
    struct store *store = store_open_large(_i);
    struct store_write write = {.change = STORE_PRUNE, .now_ms = INT64_MAX};
    for (int i = 0; i < JOBS; i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "%d", i);
        store_add_in(store, id, JOB_SUCCEEDED);
    }
    ck_assert_int_eq(store_do(store, &write), STORE_OK);
    ck_assert_uint_gt(write.removed, 0);
    ck_assert_uint_lt(write.removed, JOBS);
    ck_assert_uint_eq(store_prune(store, INT64_MAX), JOBS - write.removed);
    store_close(store);
}
END_TEST

START_TEST(a_store_of_unfinished_jobs_is_full)
{
    struct store *store = store_open_small(_i);
    store_add_letters(store, ACTIVE, JOB_QUEUED);
    ck_assert_int_eq(store_add(store, job_named("more")), STORE_FULL);
    ck_assert(!store_has(store, "more"));
    store_finish(store, "a", JOB_FAILED);
    ck_assert_int_eq(store_add(store, job_named("more")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_named("yet another")), STORE_FULL);
    ck_assert_int_eq(store_remove(store, "ada", "b"), STORE_OK);
    ck_assert_int_eq(store_add(store, job_named("yet another")), STORE_OK);
    ck_assert(store_has(store, "a") && store_has(store, "c") && store_has(store, "more"));
    store_close(store);
}
END_TEST

static struct blob *zeros(size_t bytes)
{
    struct blob *blob = blob_take(calloc(1, bytes), bytes);
    ck_assert_ptr_nonnull(blob);
    return blob;
}

static enum store_status add_bytes(struct store *store, const char *id, enum job_state state,
                                   size_t bytes)
{
    struct job_record record = job_in(id, state);
    record.request = zeros(bytes);
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

/* By those that have not ended: the others make room. */
START_TEST(bytes_are_bounded_too)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_FULL);
    ck_assert_uint_eq(store_prune(store, 0), 1);
    ck_assert(!store_has(store, "b"));
    ck_assert(store_has(store, "a") && store_has(store, "c"));
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_OK);
    store_close(store);
}
END_TEST

static void finish_with(struct store *store, const char *id, size_t bytes)
{
    struct job_record record = store_read(store, id);
    record.state = JOB_SUCCEEDED;
    record.finished_ms = 1;
    record.result = zeros(bytes);
    ck_assert_int_eq(store_put(store, record), STORE_OK);
    job_record_done(&record);
}

/* What a job grows by is made up for, too, by those that finished before it. */
START_TEST(a_result_takes_the_room_of_older_ones)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, BYTES / 2), STORE_OK);
    ck_assert_uint_eq(store_prune(store, 0), 0);
    finish_with(store, "c", BYTES);
    ck_assert_uint_eq(store_prune(store, 0), 1);
    ck_assert(!store_has(store, "a"));
    ck_assert(store_has(store, "b") && store_has(store, "c"));
    store_close(store);
}
END_TEST

/* Even beyond the limit, until pruning: what was accepted is kept to its end. */
START_TEST(a_result_that_does_not_fit_is_kept)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_QUEUED, BYTES), STORE_OK);
    finish_with(store, "a", 4 * BYTES);
    ck_assert(store_has(store, "a"));
    ck_assert_int_eq(add_bytes(store, "b", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert_uint_eq(store_prune(store, 0), 1);
    ck_assert(!store_has(store, "a") && store_has(store, "b"));
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
    ck_assert_uint_eq(store_prune(store, 0), 0);
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
        ck_assert_int_eq(store_put(part->store, record), STORE_OK);
        ck_assert(store_has(part->store, id));
        if (i % 4 == 3) store_remove(part->store, "ada", id);
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

SUITE_MAIN("store limits", {the_first_to_finish_go_first, STORES},
           {jobs_go_after_some_days, STORES}, {pruning_stops_on_the_way, STORES},
           {a_store_of_unfinished_jobs_is_full, STORES}, {bytes_are_bounded_too, STORES},
           {a_result_takes_the_room_of_older_ones, STORES},
           {a_result_that_does_not_fit_is_kept, STORES},
           {a_job_that_does_not_fit_drops_none, STORES}, {threads_share_a_store, STORES})
