/* What every store must do: jobs added, found, changed and removed. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"

#include <stdlib.h>
#include <string.h>

START_TEST(a_job_comes_back_as_it_was_added)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    assert_stored(store, &want);
    full_job_done(&want);
    store_close(store);
}
END_TEST

/* A copy stays good whatever becomes of the job. */
START_TEST(a_copy_outlives_the_job)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label), got = {0};
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    got = store_read(store, "full");
    ck_assert_int_eq(store_remove(store, "ada", "full"), STORE_OK);
    store_close(store);
    assert_same_job(&got, &want);
    job_record_done(&got);
    full_job_done(&want);
}
END_TEST

/* A job as it is accepted, which `ended` is to become. */
static struct job_record accepted(const struct job_record *ended)
{
    struct job_record record = *ended;
    record.state = JOB_QUEUED;
    record.shared = record.cancel_requested = false;
    record.started_ms = record.finished_ms = 0;
    record.done = record.attempts = 0;
    record.seconds = 0;
    record.signature[0] = '\0';
    record.result = record.summary = record.error = record.parameters = NULL;
    return record;
}

START_TEST(a_put_changes_the_job)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    ck_assert_int_eq(store_add(store, accepted(&want)), STORE_OK);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(store_put(store, want), STORE_OK);
        assert_stored(store, &want);
    }
    full_job_done(&want);
    store_close(store);
}
END_TEST

/* _i: of a job that has ended, or not. */
START_TEST(a_put_without_parts_leaves_them)
{
    struct store *store = store_open_large(_i % STORES);
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    want.state = _i < STORES ? JOB_SUCCEEDED : JOB_QUEUED;
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    struct job_record bare = want;
    bare.request = bare.result = bare.summary = bare.error = bare.parameters = NULL;
    bare.shared = want.shared = false;
    bare.version = ++want.version;
    ck_assert_int_eq(store_put(store, bare), STORE_OK);
    assert_stored(store, &want);
    full_job_done(&want);
    store_close(store);
}
END_TEST

START_TEST(a_job_ends_once)
{
    struct store *store = store_open_large(_i);
    const enum job_state others[] = {JOB_QUEUED, JOB_RUNNING, JOB_FAILED, JOB_CANCELLED};
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    for (size_t i = 0; i < COUNT(others); i++) {
        struct job_record other = accepted(&want);
        other.state = others[i];
        ck_assert_int_eq(store_put(store, other), STORE_NOT_FOUND);
    }
    assert_stored(store, &want);
    full_job_done(&want);
    store_close(store);
}
END_TEST

/* Whoever may see it may still change, but not what it came to. */
START_TEST(a_second_end_changes_no_result)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    struct job_record again = want;
    again.request = again.result = again.summary = again.error = again.parameters =
        body_of("another");
    again.cancel_requested = false;
    again.started_ms = again.finished_ms = 5;
    again.done = again.attempts = 5;
    again.seconds = 5;
    again.shared = want.shared = false;
    again.version = ++want.version;
    ck_assert_int_eq(store_put(store, again), STORE_OK);
    assert_stored(store, &want);
    blob_unref(again.result);
    full_job_done(&want);
    store_close(store);
}
END_TEST

/* Larger than a page of any store. */
START_TEST(large_parts_come_back_whole)
{
    enum { BYTES = 3000000 };
    struct store *store = store_open_large(_i);
    struct job_record want = job_in("large", JOB_SUCCEEDED);
    char *bytes = malloc(BYTES);
    ck_assert_ptr_nonnull(bytes);
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (char)(i % 251);
    want.request = blob_take(bytes, BYTES);
    want.result = blob_copy(bytes + 1, BYTES - 1);
    want.parameters = blob_copy(bytes + 8, BYTES - 8);
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    assert_stored(store, &want);
    job_record_done(&want);
    store_close(store);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct store *store = store_open_large(_i);
    struct job_record absent = job_named("absent");
    store_add_in(store, "there", JOB_QUEUED);
    ck_assert_int_eq(store_get(store, "ada", "absent"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_get(store, "ada", ""), STORE_NOT_FOUND);
    ck_assert_int_eq(store_put(store, absent), STORE_NOT_FOUND);
    ck_assert_int_eq(store_remove(store, "ada", "absent"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_remove(store, "ada", "there"), STORE_OK);
    ck_assert_int_eq(store_remove(store, "ada", "there"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_get(store, "ada", "there"), STORE_NOT_FOUND);
    store_close(store);
}
END_TEST

START_TEST(jobs_of_others_are_not_found)
{
    struct store *store = store_open_large(_i);
    const struct store_filter bob = {.scope = {.owner = "bob"}, .limit = 50};
    store_add_in(store, "a", JOB_SUCCEEDED);
    ck_assert_int_eq(store_get(store, "bob", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_get(store, "ad", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_get(store, "", "a"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_remove(store, "bob", "a"), STORE_NOT_FOUND);
    ck_assert_str_eq(store_listed(store, &bob, NULL), "");
    ck_assert(store_has(store, "a"));
    store_close(store);
}
END_TEST

/* ---- idempotency ---- */

START_TEST(a_key_belongs_to_one_job_of_its_owner)
{
    struct store *store = store_open_large(_i);
    ck_assert_int_eq(store_add(store, job_keyed("a", "ada", "k")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("b", "ada", "k")), STORE_KEY_TAKEN);
    ck_assert(!store_has(store, "b"));
    ck_assert_int_eq(store_add(store, job_keyed("c", "ada", "K")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("d", "bob", "k")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("e", "ada", "")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("f", "ada", "")), STORE_OK);
    store_close(store);
}
END_TEST

static bool key_finds(struct store *store, const char *owner, const char *key, const char *id)
{
    struct job_record found = {0};
    const enum store_status status = store->operations->find_key(store, owner, key, &found);
    const bool right =
        id == NULL ? status == STORE_NOT_FOUND : status == STORE_OK && strcmp(found.id, id) == 0;
    job_record_done(&found);
    return right;
}

START_TEST(a_key_finds_its_job)
{
    struct store *store = store_open_large(_i);
    ck_assert(key_finds(store, "ada", "k", NULL));
    ck_assert(key_finds(store, "ada", "", NULL));
    ck_assert_int_eq(store_add(store, job_keyed("none", "ada", "")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("a", "ada", "k")), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("b", "bob", "k")), STORE_OK);
    ck_assert(key_finds(store, "ada", "k", "a"));
    ck_assert(key_finds(store, "bob", "k", "b"));
    ck_assert(key_finds(store, "eve", "k", NULL));
    ck_assert(key_finds(store, "ada", "K", NULL));
    ck_assert(key_finds(store, "ada", "kk", NULL));
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert(key_finds(store, "ada", "k", NULL));
    store_close(store);
}
END_TEST

START_TEST(a_key_lives_as_long_as_its_job)
{
    struct store *store = store_open_large(_i);
    ck_assert_int_eq(store_add(store, job_keyed("a", "ada", "k")), STORE_OK);
    store_finish(store, "a", JOB_SUCCEEDED);
    ck_assert_int_eq(store_add(store, job_keyed("b", "ada", "k")), STORE_KEY_TAKEN);
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("b", "ada", "k")), STORE_OK);
    store_close(store);
}
END_TEST

/* So that a repeated request can be compared. */
START_TEST(a_key_finds_the_request)
{
    struct store *store = store_open_large(_i);
    struct job_record record = job_keyed("a", "ada", "k"), found = {0};
    record.request = blob_copy("{}", 2);
    ck_assert_int_eq(store_add(store, record), STORE_OK);
    ck_assert_int_eq(store->operations->find_key(store, "ada", "k", &found), STORE_OK);
    ck_assert_uint_eq(blob_size(found.request), 2);
    job_record_done(&found);
    job_record_done(&record);
    store_close(store);
}
END_TEST

/* ---- scopes ---- */

static bool sees(struct store *store, struct scope scope, const char *id)
{
    struct job_record record = {0};
    const enum store_status status = store->operations->get(store, &scope, id, 0, &record);
    ck_assert(status == STORE_OK || status == STORE_NOT_FOUND);
    job_record_done(&record);
    return status == STORE_OK;
}

START_TEST(a_scope_sees_its_own_what_is_shared_or_all)
{
    struct store *store = store_open_large(_i);
    const struct scope bob = {.owner = "bob"}, reader = {.owner = "bob", .shared = true};
    const struct scope admin = {.owner = "bob", .all = true};
    store_add_in(store, "a", JOB_SUCCEEDED);
    ck_assert(!sees(store, bob, "a") && !sees(store, reader, "a") && sees(store, admin, "a"));
    struct job_record record = store_read(store, "a");
    record.shared = true;
    ck_assert_int_eq(store_put(store, record), STORE_OK);
    job_record_done(&record);
    ck_assert(!sees(store, bob, "a") && sees(store, reader, "a") && sees(store, admin, "a"));
    ck_assert(!sees(store, admin, "b"));
    store_close(store);
}
END_TEST

START_TEST(a_scope_bounds_removal)
{
    struct store *store = store_open_large(_i);
    struct store_write write = {.change = STORE_REMOVE, .scope = {.owner = "bob"}};
    store_add_in(store, "a", JOB_SUCCEEDED);
    memcpy(write.record.id, "a", 2);
    ck_assert_int_eq(store_do(store, &write), STORE_NOT_FOUND);
    write.scope.all = true;
    ck_assert_int_eq(store_do(store, &write), STORE_OK);
    ck_assert(!store_has(store, "a"));
    store_close(store);
}
END_TEST

START_TEST(the_last_position_grows)
{
    struct store *store = store_open_large(_i);
    struct job_record record = job_named("a");
    ck_assert_uint_eq(store->operations->last_position(store), 0);
    record.position = UINT64_C(1) << 60;
    ck_assert_int_eq(store_add(store, record), STORE_OK);
    ck_assert_uint_eq(store->operations->last_position(store), record.position);
    store_add_in(store, "b", JOB_QUEUED);
    ck_assert_uint_eq(store->operations->last_position(store), record.position);
    store_close(store);
}
END_TEST

SUITE_MAIN("store", {a_job_comes_back_as_it_was_added, STORES}, {a_copy_outlives_the_job, STORES},
           {a_put_changes_the_job, STORES}, {a_put_without_parts_leaves_them, 2 * STORES},
           {a_job_ends_once, STORES}, {a_second_end_changes_no_result, STORES},
           {large_parts_come_back_whole, STORES}, {what_is_not_there_is_not_found, STORES},
           {jobs_of_others_are_not_found, STORES}, {a_key_belongs_to_one_job_of_its_owner, STORES},
           {a_key_finds_its_job, STORES}, {a_key_lives_as_long_as_its_job, STORES},
           {a_key_finds_the_request, STORES}, {a_scope_sees_its_own_what_is_shared_or_all, STORES},
           {a_scope_bounds_removal, STORES}, {the_last_position_grows, STORES})
