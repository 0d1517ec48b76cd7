/* What every store must do: jobs added, found, replaced, removed and listed. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_job_comes_back_as_it_was_added)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label), got = {0};
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    got = store_read(store, "full");
    assert_same_job(&got, &want);
    job_record_done(&got);
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

START_TEST(put_replaces_the_job)
{
    struct store *store = store_open_large(_i);
    struct label label[2] = {0};
    struct job_record want = full_job(label), got = {0};
    store_add_in(store, "full", JOB_QUEUED);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(store_put(store, want), STORE_OK);
        got = store_read(store, "full");
        assert_same_job(&got, &want);
        job_record_done(&got);
    }
    full_job_done(&want);
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
    struct job_record again = job_keyed("b", "ada", "k"), other = {0};
    ck_assert_int_eq(store_add(store, job_keyed("a", "ada", "k")), STORE_OK);
    ck_assert_int_eq(store->operations->add(store, &again, &other), STORE_KEY_TAKEN);
    ck_assert_str_eq(other.id, "a");
    job_record_done(&other);
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
    struct job_record finished = job_keyed("a", "ada", "k");
    ck_assert_int_eq(store_add(store, finished), STORE_OK);
    finished.state = JOB_SUCCEEDED;
    ck_assert_int_eq(store_put(store, finished), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("b", "ada", "k")), STORE_KEY_TAKEN);
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(store_add(store, job_keyed("b", "ada", "k")), STORE_OK);
    store_close(store);
}
END_TEST

/* ---- lists ---- */

START_TEST(lists_are_newest_first)
{
    struct store *store = store_open_large(_i);
    const struct store_filter filter = filter_of_ada();
    struct job_record b = job_named("b");
    ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    store_add_in(store, "a", JOB_QUEUED);
    store_add_in(store, "b", JOB_QUEUED);
    store_add_in(store, "c", JOB_QUEUED);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "c b a");
    b.state = JOB_SUCCEEDED; /* a change does not make it newer */
    ck_assert_int_eq(store_put(store, b), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "c b a");
    store_remove(store, "ada", "c");
    ck_assert_str_eq(store_listed(store, &filter, NULL), "b a");
    store_close(store);
}
END_TEST

START_TEST(lists_by_state_and_kind)
{
    struct store *store = store_open_large(_i);
    struct store_filter filter = filter_of_ada();
    const char *const ids[] = {"queued", "running", "succeeded", "failed", "cancelled"};
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        struct job_record record = job_named(ids[state]);
        record.state = state;
        record.kind = state == JOB_FAILED ? JOB_TRAINING : JOB_CHECK;
        ck_assert_int_eq(store_add(store, record), STORE_OK);
    }
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        filter.states = 1u << state;
        ck_assert_str_eq(store_listed(store, &filter, NULL), ids[state]);
    }
    filter.states = 1u << JOB_QUEUED | 1u << JOB_FAILED;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "failed queued");
    filter.kinds = 1u << JOB_CHECK;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "queued");
    filter.states = 0;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "cancelled succeeded running queued");
    filter.kinds = 1u << JOB_TRAINING;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "failed");
    filter.kinds = 1u << JOB_TRAINING | 1u << JOB_CHECK;
    ck_assert_str_eq(store_listed(store, &filter, NULL),
                     "cancelled failed succeeded running queued");
    store_close(store);
}
END_TEST

static void add_labelled(struct store *store, const char *id, struct labels labels)
{
    struct job_record record = job_named(id);
    record.labels = labels;
    ck_assert_int_eq(store_add(store, record), STORE_OK);
}

START_TEST(lists_by_labels_that_must_all_be_there)
{
    struct store *store = store_open_large(_i);
    struct label x1 = {"x", "1"}, x2 = {"x", "2"}, y1 = {"y", "1"};
    struct label both[] = {y1, x1}, wanted[] = {x1, y1};
    struct store_filter filter = filter_of_ada();
    add_labelled(store, "none", (struct labels){0});
    add_labelled(store, "x1", (struct labels){1, &x1});
    add_labelled(store, "x2", (struct labels){1, &x2});
    add_labelled(store, "both", (struct labels){2, both});
    filter.labels = (struct labels){1, &x1};
    ck_assert_str_eq(store_listed(store, &filter, NULL), "both x1");
    filter.labels = (struct labels){1, &x2};
    ck_assert_str_eq(store_listed(store, &filter, NULL), "x2");
    filter.labels = (struct labels){2, wanted};
    ck_assert_str_eq(store_listed(store, &filter, NULL), "both");
    wanted[0] = x2;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    store_close(store);
}
END_TEST

START_TEST(pages_follow_one_another)
{
    struct store *store = store_open_large(_i);
    struct store_filter filter = filter_of_ada();
    filter.limit = 2;
    for (int i = 0; i < 5; i++)
        store_add_in(store, (char[]){(char)('a' + i), '\0'}, JOB_QUEUED);
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "e d…");
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "c b…");
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "a");
    ck_assert_uint_eq(filter.before, 0);
    filter.limit = 5;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "e d c b a");
    store_close(store);
}
END_TEST

/* Neither jobs that come nor jobs that go make a page skip or repeat one. */
START_TEST(pages_hold_while_jobs_come_and_go)
{
    struct store *store = store_open_large(_i);
    struct store_filter filter = filter_of_ada();
    filter.limit = 2;
    for (int i = 0; i < 6; i++)
        store_add_in(store, (char[]){(char)('a' + i), '\0'}, JOB_SUCCEEDED);
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "f e…");
    store_add_in(store, "g", JOB_QUEUED);
    ck_assert_int_eq(store_remove(store, "ada", "e"), STORE_OK); /* the cursor's own */
    ck_assert_int_eq(store_remove(store, "ada", "c"), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "d b…");
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "a");
    store_close(store);
}
END_TEST

START_TEST(pages_count_only_what_matches)
{
    struct store *store = store_open_large(_i);
    struct store_filter filter = filter_of_ada();
    filter.limit = 1;
    filter.states = 1u << JOB_FAILED;
    store_add_in(store, "a", JOB_FAILED);
    store_add_in(store, "b", JOB_QUEUED);
    store_add_in(store, "c", JOB_FAILED);
    store_add_in(store, "d", JOB_QUEUED);
    ck_assert_int_eq(store_add(store, job_keyed("e", "bob", "")), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "c…");
    ck_assert_str_eq(store_listed(store, &filter, &filter.before), "a");
    store_close(store);
}
END_TEST

SUITE_MAIN("store", {a_job_comes_back_as_it_was_added, STORES}, {a_copy_outlives_the_job, STORES},
           {put_replaces_the_job, STORES}, {what_is_not_there_is_not_found, STORES},
           {jobs_of_others_are_not_found, STORES}, {a_key_belongs_to_one_job_of_its_owner, STORES},
           {a_key_finds_its_job, STORES}, {a_key_lives_as_long_as_its_job, STORES},
           {lists_are_newest_first, STORES}, {lists_by_state_and_kind, STORES},
           {lists_by_labels_that_must_all_be_there, STORES}, {pages_follow_one_another, STORES},
           {pages_hold_while_jobs_come_and_go, STORES}, {pages_count_only_what_matches, STORES})
