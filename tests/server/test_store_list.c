/* What every store must do: lists, their filters and their pages. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(lists_are_newest_first)
{
    struct store *store = store_open_large(_i);
    const struct store_filter filter = filter_of_ada();
    ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    store_add_in(store, "a", JOB_QUEUED);
    store_add_in(store, "b", JOB_QUEUED);
    store_add_in(store, "c", JOB_QUEUED);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "c b a");
    store_finish(store, "b", JOB_SUCCEEDED); /* does not make it newer */
    ck_assert_str_eq(store_listed(store, &filter, NULL), "c b a");
    ck_assert_int_eq(store_remove(store, "ada", "c"), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "b a");
    store_close(store);
}
END_TEST

/* A job is queued until it has ended. */
static void add_one_in_each_state(struct store *store)
{
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        struct job_record record = job_in(job_state_name(state), state);
        record.kind = state == JOB_FAILED ? JOB_TRAINING : JOB_CHECK;
        if (state != JOB_RUNNING) ck_assert_int_eq(store_add(store, record), STORE_OK);
    }
}

START_TEST(lists_by_state_and_kind)
{
    struct store *store = store_open_large(_i);
    struct store_filter filter = filter_of_ada();
    add_one_in_each_state(store);
    for (unsigned state = JOB_QUEUED; state <= JOB_CANCELLED; state++) {
        filter.states = 1u << state;
        ck_assert_str_eq(store_listed(store, &filter, NULL),
                         state == JOB_RUNNING ? "" : job_state_name(state));
    }
    filter.states = 1u << JOB_QUEUED | 1u << JOB_FAILED;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "failed queued");
    filter.kinds = 1u << JOB_CHECK;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "queued");
    filter.states = 0;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "cancelled succeeded queued");
    filter.kinds = 1u << JOB_TRAINING;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "failed");
    filter.kinds = 1u << JOB_TRAINING | 1u << JOB_CHECK;
    ck_assert_str_eq(store_listed(store, &filter, NULL), "cancelled failed succeeded queued");
    store_close(store);
}
END_TEST

/* What is listed follows a job's end, by label, too. */
START_TEST(lists_follow_the_state)
{
    struct store *store = store_open_large(_i);
    struct label label = {"x", "1"};
    struct store_filter filter = filter_of_ada();
    struct job_record record = job_named("a");
    record.labels = (struct labels){1, &label};
    ck_assert_int_eq(store_add(store, record), STORE_OK);
    for (int labelled = 0; labelled < 2; labelled++) {
        filter.labels = labelled > 0 ? record.labels : (struct labels){0};
        filter.states = 1u << JOB_QUEUED;
        ck_assert_str_eq(store_listed(store, &filter, NULL), "a");
        filter.states = 1u << JOB_FAILED;
        ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    }
    store_finish(store, "a", JOB_FAILED);
    for (int labelled = 0; labelled < 2; labelled++) {
        filter.labels = labelled > 0 ? record.labels : (struct labels){0};
        filter.states = 1u << JOB_QUEUED;
        ck_assert_str_eq(store_listed(store, &filter, NULL), "");
        filter.states = 1u << JOB_FAILED;
        ck_assert_str_eq(store_listed(store, &filter, NULL), "a");
    }
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    store_close(store);
}
END_TEST

static void add_of(struct store *store, const char *id, const char *owner, struct label *label)
{
    struct job_record record = job_keyed(id, owner, "");
    record.labels = (struct labels){1, label};
    ck_assert_int_eq(store_add(store, record), STORE_OK);
}

START_TEST(an_admin_lists_all_jobs)
{
    struct store *store = store_open_large(_i);
    struct label x1 = {"x", "1"}, x2 = {"x", "2"};
    struct store_filter filter = {.scope = {.owner = "eve", .all = true}, .limit = 50};
    add_of(store, "a", "ada", &x1);
    add_of(store, "b", "bob", &x1);
    add_of(store, "c", "bob", &x2);
    add_of(store, "d", "ada", &x1);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "d c b a");
    filter.labels = (struct labels){1, &x1};
    ck_assert_str_eq(store_listed(store, &filter, NULL), "d b a");
    filter.scope = (struct scope){.owner = "bob", .shared = true};
    ck_assert_str_eq(store_listed(store, &filter, NULL), "b");
    filter.scope.owner = "eve";
    ck_assert_str_eq(store_listed(store, &filter, NULL), "");
    store_close(store);
}
END_TEST

/* What others share is found by its id alone. */
START_TEST(what_is_shared_is_not_listed)
{
    struct store *store = store_open_large(_i);
    const struct store_filter bob = {.scope = {.owner = "bob", .shared = true}, .limit = 50};
    struct job_record record = job_named("a");
    record.shared = true;
    ck_assert_int_eq(store_add(store, record), STORE_OK);
    ck_assert_str_eq(store_listed(store, &bob, NULL), "");
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
    store_add_letters(store, 5, JOB_QUEUED);
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
    store_add_letters(store, 6, JOB_SUCCEEDED);
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

/* ---- any filter, against a plain loop ---- */

enum { JOBS = 300, FILTERS = 400, VALUES = 3 };

/* Pseudo-random, the same in each run. */
static unsigned draw(unsigned bound)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % bound;
}

static void draw_labels(struct labels *labels, struct label label[3])
{
    *labels = (struct labels){0, label};
    for (unsigned name = 0; name < 3; name++) {
        if (draw(2) == 0) continue;
        struct label *next = &label[labels->count++];
        snprintf(next->name, sizeof next->name, "n%u", name);
        snprintf(next->value, sizeof next->value, "%u", draw(VALUES));
    }
}

static struct job_record draw_job(int index, struct label label[3])
{
    const enum job_state states[] = {JOB_QUEUED, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED};
    struct job_record record = job_keyed("", draw(3) > 0 ? "ada" : "bob", "");
    snprintf(record.id, sizeof record.id, "%d", index);
    record.state = states[draw(4)];
    record.kind = draw(2) > 0 ? JOB_CHECK : JOB_TRAINING;
    draw_labels(&record.labels, label);
    return record;
}

static struct store_filter draw_filter(struct label label[3])
{
    struct store_filter filter = {.scope = {.owner = "ada", .all = draw(3) == 0}};
    filter.states = draw(2) > 0 ? draw(32) : 0;
    filter.kinds = draw(4);
    filter.limit = 1 + draw(20);
    draw_labels(&filter.labels, label);
    return filter;
}

/* Follows the pages and compares them with the jobs that match, newest first. */
static void check_filter(struct store *store, struct store_filter *filter,
                         const struct job_record *jobs)
{
    struct job_page page = {0};
    size_t at = 0;
    filter->before = 0;
    for (int i = JOBS - 1; i >= 0; i--) {
        if (!store_filter_matches(filter, &jobs[i])) continue;
        if (at == page.count) {
            ck_assert(page.record == NULL || page.next != 0);
            filter->before = page.next;
            job_page_done(&page);
            ck_assert_int_eq(store->operations->list(store, filter, &page), STORE_OK);
            at = 0;
        }
        ck_assert_uint_lt(at, page.count);
        ck_assert_str_eq(page.record[at++].id, jobs[i].id);
    }
    ck_assert_uint_eq(at, page.count);
    ck_assert_uint_eq(page.next, 0);
    job_page_done(&page);
}

START_TEST(any_filter_lists_what_matches)
{
    static struct job_record jobs[JOBS];
    static struct label labels[JOBS][3];
    struct store *store = store_open_large(_i);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = draw_job(i, labels[i]);
        ck_assert_int_eq(store_add(store, jobs[i]), STORE_OK);
    }
    for (int i = 0; i < FILTERS; i++) {
        struct label label[3];
        struct store_filter filter = draw_filter(label);
        check_filter(store, &filter, jobs);
    }
    store_close(store);
}
END_TEST

SUITE_MAIN("store lists", {lists_are_newest_first, STORES}, {lists_by_state_and_kind, STORES},
           {lists_follow_the_state, STORES}, {an_admin_lists_all_jobs, STORES},
           {what_is_shared_is_not_listed, STORES}, {lists_by_labels_that_must_all_be_there, STORES},
           {pages_follow_one_another, STORES}, {pages_hold_while_jobs_come_and_go, STORES},
           {pages_count_only_what_matches, STORES}, {any_filter_lists_what_matches, STORES})
