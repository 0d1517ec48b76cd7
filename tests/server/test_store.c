/* What every store must do, asked through struct store_operations alone. A store joins by a row of
 * `stores`. */
#include "server/store.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct store *store_maker(const struct limits *limits);
static store_maker *const stores[] = {store_memory_open};

enum { STORES = COUNT(stores), RETAIN = 4, ACTIVE = 3 };

/* ---- asking ---- */

static struct store *open_with(int index, struct limits limits)
{
    struct store *store = stores[index](&limits);
    ck_assert_ptr_nonnull(store);
    return store;
}

static struct store *open_large(int index)
{
    return open_with(index, limits_default());
}

/* Keeps four finished jobs, and has room for three at work. */
static struct store *open_small(int index)
{
    struct limits limits = limits_default();
    limits.retain_jobs = RETAIN;
    limits.active_jobs = ACTIVE;
    return open_with(index, limits);
}

static void close_store(struct store *store)
{
    store->operations->close(store);
}

/* A queued check of ada's. */
static struct job_record job(const char *id)
{
    struct job_record record = {
        .kind = JOB_CHECK, .state = JOB_QUEUED, .priority = PRIORITY_NORMAL};
    snprintf(record.id, sizeof record.id, "%s", id);
    snprintf(record.owner, sizeof record.owner, "ada");
    return record;
}

static enum store_status add(struct store *store, struct job_record record)
{
    struct job_record other = {0};
    const enum store_status status = store->operations->add(store, &record, &other);
    job_record_done(&other);
    return status;
}

static void add_in_state(struct store *store, const char *id, enum job_state state)
{
    struct job_record record = job(id);
    record.state = state;
    ck_assert_int_eq(add(store, record), STORE_OK);
}

static enum store_status get(struct store *store, const char *owner, const char *id)
{
    struct job_record record = {0};
    const enum store_status status = store->operations->get(store, owner, id, &record);
    if (status == STORE_OK) ck_assert_str_eq(record.id, id);
    job_record_done(&record);
    return status;
}

static bool has(struct store *store, const char *id)
{
    return get(store, "ada", id) == STORE_OK;
}

static struct store_filter of_ada(void)
{
    return (struct store_filter){.owner = "ada", .limit = 50};
}

/* The ids of a page, "c b a", with "…" where another follows. */
static const char *listed(struct store *store, const struct store_filter *filter,
                          uint64_t *ret_next)
{
    static char text[2048];
    struct job_page page = {0};
    size_t used = 0;
    ck_assert_int_eq(store->operations->list(store, filter, &page), STORE_OK);
    text[0] = '\0';
    for (size_t i = 0; i < page.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                 page.record[i].id);
    if (page.next != 0) snprintf(text + used, sizeof text - used, "…");
    if (ret_next != NULL) *ret_next = page.next;
    job_page_done(&page);
    return text;
}

/* ---- one job ---- */

static struct job_record full_job(struct label *label)
{
    struct job_record record = job("full");
    snprintf(label->name, sizeof label->name, "project");
    snprintf(label->value, sizeof label->value, "digits \xc3\xa9");
    record.kind = JOB_TRAINING;
    record.state = JOB_SUCCEEDED;
    record.priority = PRIORITY_HIGH;
    record.cancel_requested = true;
    record.created_ms = 1;
    record.started_ms = 2;
    record.finished_ms = INT64_MAX;
    record.version = 7;
    record.event_sequence = 1 + (UINT64_C(1) << 40);
    record.attempts = 2;
    record.done = 99;
    record.total = 100;
    record.seconds = 0.1;
    record.cut = (struct job_cut){1, 2, 3, 4, 5, 6};
    snprintf(record.signature, sizeof record.signature, "numbers");
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "key");
    record.labels = (struct labels){1, label};
    record.request = blob_copy("{}", 2);
    record.result = blob_copy("a\0b", 3);
    record.summary = blob_copy("s", 1);
    record.error = blob_copy("e", 1);
    record.parameters = blob_copy(&(double){0.1}, sizeof(double));
    return record;
}

static void blobs_unref(struct job_record *record)
{
    record->labels = (struct labels){0}; /* not ours to free */
    job_record_done(record);
}

static void assert_same_blob(const struct blob *got, const struct blob *want)
{
    ck_assert_uint_eq(blob_size(got), blob_size(want));
    if (want != NULL) ck_assert_mem_eq(got->data, want->data, want->size);
}

static void assert_same_job(const struct job_record *got, const struct job_record *want)
{
    ck_assert_str_eq(got->id, want->id);
    ck_assert_str_eq(got->owner, want->owner);
    ck_assert_int_eq(got->kind, want->kind);
    ck_assert_int_eq(got->state, want->state);
    ck_assert_int_eq(got->priority, want->priority);
    ck_assert_int_eq(got->cancel_requested, want->cancel_requested);
    ck_assert_int_eq(got->created_ms, want->created_ms);
    ck_assert_int_eq(got->started_ms, want->started_ms);
    ck_assert_int_eq(got->finished_ms, want->finished_ms);
    ck_assert_uint_eq(got->version, want->version);
    ck_assert_uint_eq(got->event_sequence, want->event_sequence);
    ck_assert_uint_eq(got->attempts, want->attempts);
    ck_assert_uint_eq(got->done, want->done);
    ck_assert_uint_eq(got->total, want->total);
    ck_assert_mem_eq(&got->seconds, &want->seconds, sizeof got->seconds);
    ck_assert_mem_eq(&got->cut, &want->cut, sizeof got->cut);
    ck_assert_str_eq(got->signature, want->signature);
    ck_assert_str_eq(got->idempotency_key, want->idempotency_key);
    ck_assert_uint_eq(got->labels.count, want->labels.count);
    for (size_t i = 0; i < want->labels.count; i++) {
        ck_assert_str_eq(got->labels.label[i].name, want->labels.label[i].name);
        ck_assert_str_eq(got->labels.label[i].value, want->labels.label[i].value);
    }
    assert_same_blob(got->request, want->request);
    assert_same_blob(got->result, want->result);
    assert_same_blob(got->summary, want->summary);
    assert_same_blob(got->error, want->error);
    assert_same_blob(got->parameters, want->parameters);
}

START_TEST(a_job_comes_back_as_it_was_added)
{
    struct store *store = open_large(_i);
    struct label label;
    struct job_record want = full_job(&label), got = {0};
    ck_assert_int_eq(add(store, want), STORE_OK);
    ck_assert_int_eq(store->operations->get(store, "ada", "full", &got), STORE_OK);
    assert_same_job(&got, &want);
    job_record_done(&got);
    blobs_unref(&want);
    close_store(store);
}
END_TEST

/* A copy stays good whatever becomes of the job. */
START_TEST(a_copy_outlives_the_job)
{
    struct store *store = open_large(_i);
    struct label label;
    struct job_record want = full_job(&label), got = {0};
    ck_assert_int_eq(add(store, want), STORE_OK);
    ck_assert_int_eq(store->operations->get(store, "ada", "full", &got), STORE_OK);
    ck_assert_int_eq(store->operations->remove(store, "ada", "full"), STORE_OK);
    close_store(store);
    assert_same_job(&got, &want);
    job_record_done(&got);
    blobs_unref(&want);
}
END_TEST

START_TEST(put_replaces_the_job)
{
    struct store *store = open_large(_i);
    struct label label;
    struct job_record want = full_job(&label), got = {0};
    add_in_state(store, "full", JOB_QUEUED);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(store->operations->put(store, &want), STORE_OK);
        ck_assert_int_eq(store->operations->get(store, "ada", "full", &got), STORE_OK);
        assert_same_job(&got, &want);
        job_record_done(&got);
    }
    blobs_unref(&want);
    close_store(store);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct store *store = open_large(_i);
    struct job_record absent = job("absent");
    add_in_state(store, "there", JOB_QUEUED);
    ck_assert_int_eq(get(store, "ada", "absent"), STORE_NOT_FOUND);
    ck_assert_int_eq(get(store, "ada", ""), STORE_NOT_FOUND);
    ck_assert_int_eq(store->operations->put(store, &absent), STORE_NOT_FOUND);
    ck_assert_int_eq(store->operations->remove(store, "ada", "absent"), STORE_NOT_FOUND);
    ck_assert_int_eq(store->operations->remove(store, "ada", "there"), STORE_OK);
    ck_assert_int_eq(store->operations->remove(store, "ada", "there"), STORE_NOT_FOUND);
    ck_assert_int_eq(get(store, "ada", "there"), STORE_NOT_FOUND);
    close_store(store);
}
END_TEST

START_TEST(jobs_of_others_are_not_found)
{
    struct store *store = open_large(_i);
    struct store_filter bob = {.owner = "bob", .limit = 50};
    add_in_state(store, "a", JOB_SUCCEEDED);
    ck_assert_int_eq(get(store, "bob", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(get(store, "ad", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(get(store, "", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(store->operations->remove(store, "bob", "a"), STORE_NOT_FOUND);
    ck_assert_str_eq(listed(store, &bob, NULL), "");
    ck_assert(has(store, "a"));
    close_store(store);
}
END_TEST

/* ---- idempotency ---- */

static struct job_record keyed(const char *id, const char *owner, const char *key)
{
    struct job_record record = job(id);
    snprintf(record.owner, sizeof record.owner, "%s", owner);
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "%s", key);
    return record;
}

START_TEST(a_key_belongs_to_one_job_of_its_owner)
{
    struct store *store = open_large(_i);
    struct job_record again = keyed("b", "ada", "k"), other = {0};
    ck_assert_int_eq(add(store, keyed("a", "ada", "k")), STORE_OK);
    ck_assert_int_eq(store->operations->add(store, &again, &other), STORE_KEY_TAKEN);
    ck_assert_str_eq(other.id, "a");
    job_record_done(&other);
    ck_assert(!has(store, "b"));
    ck_assert_int_eq(add(store, keyed("c", "ada", "K")), STORE_OK);
    ck_assert_int_eq(add(store, keyed("d", "bob", "k")), STORE_OK);
    ck_assert_int_eq(add(store, keyed("e", "ada", "")), STORE_OK);
    ck_assert_int_eq(add(store, keyed("f", "ada", "")), STORE_OK);
    close_store(store);
}
END_TEST

START_TEST(a_key_lives_as_long_as_its_job)
{
    struct store *store = open_large(_i);
    struct job_record finished = keyed("a", "ada", "k");
    ck_assert_int_eq(add(store, finished), STORE_OK);
    finished.state = JOB_SUCCEEDED;
    ck_assert_int_eq(store->operations->put(store, &finished), STORE_OK);
    ck_assert_int_eq(add(store, keyed("b", "ada", "k")), STORE_KEY_TAKEN);
    ck_assert_int_eq(store->operations->remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(add(store, keyed("b", "ada", "k")), STORE_OK);
    close_store(store);
}
END_TEST

/* ---- lists ---- */

START_TEST(lists_are_newest_first)
{
    struct store *store = open_large(_i);
    const struct store_filter filter = of_ada();
    struct job_record b = job("b");
    ck_assert_str_eq(listed(store, &filter, NULL), "");
    add_in_state(store, "a", JOB_QUEUED);
    add_in_state(store, "b", JOB_QUEUED);
    add_in_state(store, "c", JOB_QUEUED);
    ck_assert_str_eq(listed(store, &filter, NULL), "c b a");
    b.state = JOB_SUCCEEDED; /* a change does not make it newer */
    ck_assert_int_eq(store->operations->put(store, &b), STORE_OK);
    ck_assert_str_eq(listed(store, &filter, NULL), "c b a");
    store->operations->remove(store, "ada", "c");
    ck_assert_str_eq(listed(store, &filter, NULL), "b a");
    close_store(store);
}
END_TEST

START_TEST(lists_by_state_and_kind)
{
    struct store *store = open_large(_i);
    struct store_filter filter = of_ada();
    const char *const ids[] = {"queued", "running", "succeeded", "failed", "cancelled"};
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        struct job_record record = job(ids[state]);
        record.state = state;
        record.kind = state == JOB_FAILED ? JOB_TRAINING : JOB_CHECK;
        ck_assert_int_eq(add(store, record), STORE_OK);
    }
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        filter.states = 1u << state;
        ck_assert_str_eq(listed(store, &filter, NULL), ids[state]);
    }
    filter.states = 1u << JOB_QUEUED | 1u << JOB_FAILED;
    ck_assert_str_eq(listed(store, &filter, NULL), "failed queued");
    filter.kinds = 1u << JOB_CHECK;
    ck_assert_str_eq(listed(store, &filter, NULL), "queued");
    filter.states = 0;
    ck_assert_str_eq(listed(store, &filter, NULL), "cancelled succeeded running queued");
    filter.kinds = 1u << JOB_TRAINING;
    ck_assert_str_eq(listed(store, &filter, NULL), "failed");
    filter.kinds = 1u << JOB_TRAINING | 1u << JOB_CHECK;
    ck_assert_str_eq(listed(store, &filter, NULL), "cancelled failed succeeded running queued");
    close_store(store);
}
END_TEST

static void add_labelled(struct store *store, const char *id, struct labels labels)
{
    struct job_record record = job(id);
    record.labels = labels;
    ck_assert_int_eq(add(store, record), STORE_OK);
}

START_TEST(lists_by_labels_that_must_all_be_there)
{
    struct store *store = open_large(_i);
    struct label x1 = {"x", "1"}, x2 = {"x", "2"}, y1 = {"y", "1"};
    struct label both[] = {y1, x1}, wanted[] = {x1, y1};
    struct store_filter filter = of_ada();
    add_labelled(store, "none", (struct labels){0});
    add_labelled(store, "x1", (struct labels){1, &x1});
    add_labelled(store, "x2", (struct labels){1, &x2});
    add_labelled(store, "both", (struct labels){2, both});
    filter.labels = (struct labels){1, &x1};
    ck_assert_str_eq(listed(store, &filter, NULL), "both x1");
    filter.labels = (struct labels){1, &x2};
    ck_assert_str_eq(listed(store, &filter, NULL), "x2");
    filter.labels = (struct labels){2, wanted};
    ck_assert_str_eq(listed(store, &filter, NULL), "both");
    wanted[0] = x2;
    ck_assert_str_eq(listed(store, &filter, NULL), "");
    close_store(store);
}
END_TEST

START_TEST(pages_follow_one_another)
{
    struct store *store = open_large(_i);
    struct store_filter filter = of_ada();
    filter.limit = 2;
    for (int i = 0; i < 5; i++)
        add_in_state(store, (char[]){(char)('a' + i), '\0'}, JOB_QUEUED);
    ck_assert_str_eq(listed(store, &filter, &filter.before), "e d…");
    ck_assert_str_eq(listed(store, &filter, &filter.before), "c b…");
    ck_assert_str_eq(listed(store, &filter, &filter.before), "a");
    ck_assert_uint_eq(filter.before, 0);
    filter.limit = 5;
    ck_assert_str_eq(listed(store, &filter, NULL), "e d c b a");
    close_store(store);
}
END_TEST

/* Neither jobs that come nor jobs that go make a page skip or repeat one. */
START_TEST(pages_hold_while_jobs_come_and_go)
{
    struct store *store = open_large(_i);
    struct store_filter filter = of_ada();
    filter.limit = 2;
    for (int i = 0; i < 6; i++)
        add_in_state(store, (char[]){(char)('a' + i), '\0'}, JOB_SUCCEEDED);
    ck_assert_str_eq(listed(store, &filter, &filter.before), "f e…");
    add_in_state(store, "g", JOB_QUEUED);
    ck_assert_int_eq(store->operations->remove(store, "ada", "e"), STORE_OK); /* the cursor's own */
    ck_assert_int_eq(store->operations->remove(store, "ada", "c"), STORE_OK);
    ck_assert_str_eq(listed(store, &filter, &filter.before), "d b…");
    ck_assert_str_eq(listed(store, &filter, &filter.before), "a");
    close_store(store);
}
END_TEST

START_TEST(pages_count_only_what_matches)
{
    struct store *store = open_large(_i);
    struct store_filter filter = of_ada();
    filter.limit = 1;
    filter.states = 1u << JOB_FAILED;
    add_in_state(store, "a", JOB_FAILED);
    add_in_state(store, "b", JOB_QUEUED);
    add_in_state(store, "c", JOB_FAILED);
    add_in_state(store, "d", JOB_QUEUED);
    ck_assert_int_eq(add(store, keyed("e", "bob", "")), STORE_OK);
    ck_assert_str_eq(listed(store, &filter, &filter.before), "c…");
    ck_assert_str_eq(listed(store, &filter, &filter.before), "a");
    close_store(store);
}
END_TEST

/* ---- retention ---- */

/* RETAIN + ACTIVE at most are kept, and none that is unfinished goes. */
START_TEST(the_oldest_finished_jobs_go_first)
{
    struct store *store = open_small(_i);
    const struct store_filter filter = of_ada();
    add_in_state(store, "queued", JOB_QUEUED);
    add_in_state(store, "running", JOB_RUNNING);
    for (int i = 0; i < 12; i++)
        add_in_state(store, (char[]){(char)('a' + i), '\0'},
                     i % 2 > 0 ? JOB_CANCELLED : JOB_SUCCEEDED);
    ck_assert(has(store, "queued") && has(store, "running"));
    const char *kept = listed(store, &filter, NULL);
    ck_assert_msg(strncmp(kept, "l k j i", strlen("l k j i")) == 0, "%s", kept);
    ck_assert_msg(strstr(kept, "running queued") != NULL, "%s", kept);
    ck_assert_msg(strlen(kept) <= strlen("l k j i h g running queued"), "%s", kept);
    close_store(store);
}
END_TEST

START_TEST(a_store_of_unfinished_jobs_is_full)
{
    struct store *store = open_small(_i);
    char id[] = "a";
    int added = 0;
    while (added < 20 && add(store, job(id)) == STORE_OK) {
        added++;
        id[0]++;
    }
    ck_assert_int_ge(added, ACTIVE);
    ck_assert_int_le(added, RETAIN + ACTIVE);
    ck_assert_int_eq(add(store, job(id)), STORE_FULL);
    ck_assert(!has(store, id));
    struct job_record first = job("a");
    first.state = JOB_FAILED;
    ck_assert_int_eq(store->operations->put(store, &first), STORE_OK);
    ck_assert_int_eq(add(store, job(id)), STORE_OK);
    ck_assert(!has(store, "a") && has(store, "b") && has(store, id));
    close_store(store);
}
END_TEST

static struct job_record job_of_bytes(const char *id, enum job_state state, size_t bytes)
{
    struct job_record record = job(id);
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
    const enum store_status status = add(store, record);
    job_record_done(&record);
    return status;
}

static struct store *open_of_bytes(int index, size_t bytes)
{
    struct limits limits = limits_default();
    limits.retain_bytes = bytes;
    return open_with(index, limits);
}

enum { BYTES = 1000000 };

START_TEST(bytes_are_bounded_too)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, BYTES), STORE_OK);
    ck_assert(!has(store, "b"));
    ck_assert(has(store, "a") && has(store, "c"));
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_FULL);
    ck_assert_int_eq(store->operations->remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "d", JOB_QUEUED, BYTES), STORE_OK);
    close_store(store);
}
END_TEST

/* What could never fit costs nobody a result. */
START_TEST(a_job_that_does_not_fit_drops_none)
{
    struct store *store = open_of_bytes(_i, 3 * BYTES);
    ck_assert_int_eq(add_bytes(store, "a", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "b", JOB_SUCCEEDED, BYTES), STORE_OK);
    ck_assert_int_eq(add_bytes(store, "c", JOB_QUEUED, 4 * BYTES), STORE_FULL);
    ck_assert(has(store, "a") && has(store, "b"));
    close_store(store);
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
        struct job_record record = keyed(id, "ada", i % 2 > 0 ? "" : id);
        ck_assert_int_eq(add(part->store, record), STORE_OK);
        record.state = JOB_SUCCEEDED;
        ck_assert_int_eq(part->store->operations->put(part->store, &record), STORE_OK);
        ck_assert(has(part->store, id));
        if (i % 4 == 3) part->store->operations->remove(part->store, "ada", id);
    }
    return NULL;
}

START_TEST(threads_share_a_store)
{
    struct store *store = open_large(_i);
    struct part part[THREADS];
    pthread_t thread[THREADS];
    struct store_filter filter = of_ada();
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
    close_store(store);
}
END_TEST

SUITE_MAIN("store", {a_job_comes_back_as_it_was_added, STORES}, {a_copy_outlives_the_job, STORES},
           {put_replaces_the_job, STORES}, {what_is_not_there_is_not_found, STORES},
           {jobs_of_others_are_not_found, STORES}, {a_key_belongs_to_one_job_of_its_owner, STORES},
           {a_key_lives_as_long_as_its_job, STORES}, {lists_are_newest_first, STORES},
           {lists_by_state_and_kind, STORES}, {lists_by_labels_that_must_all_be_there, STORES},
           {pages_follow_one_another, STORES}, {pages_hold_while_jobs_come_and_go, STORES},
           {pages_count_only_what_matches, STORES}, {the_oldest_finished_jobs_go_first, STORES},
           {a_store_of_unfinished_jobs_is_full, STORES}, {bytes_are_bounded_too, STORES},
           {a_job_that_does_not_fit_drops_none, STORES}, {threads_share_a_store, STORES})
