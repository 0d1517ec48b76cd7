/* Every call of the disk and of the allocator made to fail in turn, in every operation of the store
 * in a file: no crash, nothing that was told is missing, and the next operation works. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"
#include "tests/server/sick.h"
#include "tests/server/stores.h"

#include <sqlite3.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* ---- operations ---- */

/* Each works on the jobs that `prepare` left, and says with what status it ended. */
typedef enum store_status operation(struct store *store);

static struct label labels[2] = {{"project", "x"}, {"branch", "y"}};

static void prepare(struct store *store)
{
    struct job_record record = job_keyed("a", "ada", "key a");
    record.labels = (struct labels){2, labels};
    store_remove(store, "ada", "a");
    store_remove(store, "ada", "new");
    ck_assert_int_eq(store_add(store, record), STORE_OK);
    ck_assert_int_eq(store_keep(store, "a", (struct store_grain){0, 1, "grain", 5}), STORE_OK);
    if (!store_has(store, "ended")) store_add_in(store, "ended", JOB_SUCCEEDED);
}

static enum store_status add_new(struct store *store)
{
    static char large[20000];
    struct job_record record = job_keyed("new", "ada", "key new");
    record.labels = (struct labels){2, labels};
    record.request = blob_copy(large, sizeof large);
    record.result = blob_copy(large, sizeof large);
    const enum store_status status = store_add(store, record);
    record.labels = (struct labels){0};
    job_record_done(&record);
    return status;
}

static enum store_status end_a(struct store *store)
{
    struct job_record record = job_in("a", JOB_FAILED);
    return store_put(store, record);
}

static enum store_status keep_of_a(struct store *store)
{
    return store_keep(store, "a", (struct store_grain){1, 1, "more", 4});
}

static enum store_status remove_a(struct store *store)
{
    return store_remove(store, "ada", "a");
}

static enum store_status prune_all(struct store *store)
{
    struct store_write write = {.change = STORE_PRUNE, .now_ms = INT64_MAX};
    return store_do(store, &write);
}

static enum store_status get_a(struct store *store)
{
    const struct scope ada = {.owner = "ada"};
    struct job_record record = {0};
    const enum store_status status = store->operations->get(store, &ada, "a", PARTS_ALL, &record);
    job_record_done(&record);
    return status;
}

static enum store_status find_a(struct store *store)
{
    struct job_record record = {0};
    const enum store_status status = store->operations->find_key(store, "ada", "key a", &record);
    job_record_done(&record);
    return status;
}

static enum store_status list_all(struct store *store)
{
    const struct store_filter filter = {
        .scope = {.owner = "ada"}, .labels = {2, labels}, .limit = 50};
    struct job_page page = {0};
    const enum store_status status = store->operations->list(store, &filter, &page);
    job_page_done(&page);
    return status;
}

static bool see(void *context, const struct job_record *record, const struct store_grain *grain,
                size_t count)
{
    (void)context, (void)record, (void)grain, (void)count;
    return true;
}

static enum store_status recover_all(struct store *store)
{
    return store->operations->recover(store, see, NULL);
}

struct row {
    const char *name;
    operation *run;
};

static const struct row rows[] = {
    {"add", add_new},     {"end", end_a},       {"keep", keep_of_a},
    {"remove", remove_a}, {"prune", prune_all}, {"get", get_a},
    {"find key", find_a}, {"list", list_all},   {"recover", recover_all},
};

/* ---- each call in turn ---- */

struct fault {
    enum sick_part part;
    bool lasts;
    int code;
    enum store_status expected[2]; /* how what failed may end */
};

static const struct fault faults[] = {
    {SICK_WRITES, false, SQLITE_FULL, {STORE_FULL, STORE_BROKEN}},
    {SICK_WRITES, true, SQLITE_FULL, {STORE_FULL, STORE_BROKEN}},
    {SICK_WRITES, false, SQLITE_IOERR_WRITE, {STORE_BROKEN, STORE_BROKEN}},
    {SICK_WRITES, true, SQLITE_IOERR_WRITE, {STORE_BROKEN, STORE_BROKEN}},
    {SICK_READS, false, 0, {STORE_BROKEN, STORE_BROKEN}},
    {SICK_READS, true, 0, {STORE_BROKEN, STORE_BROKEN}},
    {SICK_MEMORY, false, 0, {STORE_MEMORY, STORE_MEMORY}},
    {SICK_MEMORY, true, 0, {STORE_MEMORY, STORE_MEMORY}},
};

static struct store *open_store(void)
{
    return store_open_large(STORE_ROW_SQLITE);
}

/* What the operation came to must be what is there, now and after a restart. */
static struct store *check_told(struct store *store, const struct row *row,
                                enum store_status status)
{
    for (int again = 0; again < 2; again++) {
        if (row->run == add_new && status == STORE_OK) ck_assert(store_has(store, "new"));
        if (row->run == remove_a && status == STORE_OK) ck_assert(!store_has(store, "a"));
        if (row->run == end_a && status == STORE_OK)
            ck_assert_int_eq(store_put(store, job_in("a", JOB_CANCELLED)), STORE_NOT_FOUND);
        if (row->run != remove_a && row->run != prune_all) ck_assert(store_has(store, "a"));
        if (again > 0) break;
        store_close(store);
        store = open_store();
    }
    return store;
}

static void check_file(void)
{
    sqlite3 *file;
    sqlite3_stmt *check;
    ck_assert_int_eq(sqlite3_open(folder_path(store_folder(), "jobs.db"), &file), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(file, "PRAGMA integrity_check", -1, &check, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(check), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(file);
}

/* Each of the first calls; of later ones, which are many where memory is asked for, some. */
static int following(int nth)
{
    return nth + 1 + nth / 8;
}

/* One failing call after another, until the operation makes fewer. */
static void fail_each(const struct row *row, const struct fault *fault)
{
    struct store *store = open_store();
    bool failed = true;
    int nth;
    for (nth = 1; failed; nth = following(nth)) {
        prepare(store);
        sick_fail(fault->part, nth, fault->lasts, fault->code);
        const enum store_status status = row->run(store);
        failed = sick_heal();
        ck_assert_msg(status == STORE_OK || status == fault->expected[0] ||
                          status == fault->expected[1],
                      "%s, fault %d: status %d", row->name, nth, status);
        if (!failed) ck_assert_int_eq(status, STORE_OK);
        store = check_told(store, row, status);
    }
    store_close(store);
    check_file();
}

START_TEST(every_fault_is_survived)
{
    sick_start();
    for (size_t i = 0; i < COUNT(rows); i++)
        fail_each(&rows[i], &faults[_i]);
}
END_TEST

/* Opening fails, or what it could do without does; the next one works. */
START_TEST(every_fault_of_opening_is_survived)
{
    const struct limits limits = limits_default();
    bool failed = true;
    sick_start();
    for (int nth = 1; failed; nth = following(nth)) {
        remove(folder_path(store_folder(), "jobs.db"));
        sick_fail(faults[_i].part, nth, faults[_i].lasts, faults[_i].code);
        struct store *store = store_sqlite_open(store_folder(), &limits);
        failed = sick_heal();
        ck_assert(failed || store != NULL);
        if (store == NULL) store = open_store();
        store_add_in(store, "a", JOB_QUEUED);
        store_close(store);
    }
}
END_TEST

/* ---- a full disk ---- */

static void note_done(struct store_write *write, enum store_status status)
{
    ck_assert_int_eq(status, STORE_OK);
    atomic_store((_Atomic bool *)write->context, true);
}

START_TEST(a_full_disk_refuses_the_new_and_delays_the_old)
{
    sick_start();
    struct store *store = open_store();
    _Atomic bool ended = false;
    struct store_write end = {.change = STORE_PUT, .patient = true, .done = note_done};
    end.context = &ended;
    store_add_in(store, "a", JOB_QUEUED);
    end.record = job_in("a", JOB_SUCCEEDED);
    sick_fail(SICK_WRITES, 1, true, SQLITE_FULL);
    store->operations->submit(store, &end);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(store_add(store, job_named("b")), STORE_FULL);
        ck_assert(store_has(store, "a") && !store_has(store, "b"));
        ck_assert(!atomic_load(&ended));
    }
    sick_heal();
    store_add_in(store, "b", JOB_QUEUED);
    store_close(store);
    ck_assert(atomic_load(&ended));
    store = open_store();
    ck_assert_str_eq(store_recovered(store), "b()");
    store_close(store);
}
END_TEST

START_TEST(giving_up_ends_the_wait_for_room)
{
    sick_start();
    struct store *store = open_store();
    struct store_write end = {.change = STORE_PUT, .patient = true};
    store_add_in(store, "a", JOB_QUEUED);
    end.record = job_in("a", JOB_SUCCEEDED);
    sick_fail(SICK_WRITES, 1, true, SQLITE_FULL);
    store->operations->give_up(store);
    ck_assert_int_eq(store_do(store, &end), STORE_BROKEN);
    store_close(store);
    sick_heal();
    store = open_store();
    ck_assert_str_eq(store_recovered(store), "a()");
    store_close(store);
}
END_TEST

/* What is left of the disk is for the jobs that are there, and for their removal. */
START_TEST(a_nearly_full_disk_takes_no_new_jobs)
{
    enum { LARGE = 3000000, LITTLE = 1000000 };
    struct store *store = open_store();
    struct job_record large = job_in("large", JOB_SUCCEEDED);
    large.result = blob_take(calloc(1, LARGE), LARGE);
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_add(store, large), STORE_OK);
    sick_room(LITTLE);
    ck_assert_int_eq(store_add(store, job_named("b")), STORE_FULL);
    ck_assert_int_eq(keep_of_a(store), STORE_OK);
    ck_assert_int_eq(end_a(store), STORE_OK);
    ck_assert_int_eq(store_remove(store, "ada", "large"), STORE_OK);
    store_add_in(store, "b", JOB_QUEUED); /* where that was */
    ck_assert_int_eq(store_add(store, large), STORE_FULL);
    sick_room(-1);
    ck_assert_int_eq(store_add(store, large), STORE_OK);
    job_record_done(&large);
    store_close(store);
}
END_TEST

/* A limit on the size of files is a full disk that ends when the limit does. */
START_TEST(a_limit_on_files_is_a_full_disk)
{
    enum { LARGE = 300000 };
    struct store *store = open_store();
    struct rlimit limit;
    _Atomic bool ended = false;
    struct store_write end = {.change = STORE_PUT, .patient = true, .done = note_done};
    struct job_record large = job_in("large", JOB_SUCCEEDED);
    end.context = &ended;
    store_add_in(store, "a", JOB_QUEUED);
    end.record = job_in("a", JOB_SUCCEEDED);
    end.record.result = blob_take(calloc(1, LARGE), LARGE);
    large.result = blob_take(calloc(1, LARGE), LARGE);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit small = {LARGE, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    store->operations->submit(store, &end);
    ck_assert_int_eq(store_add(store, large), STORE_FULL);
    ck_assert(!atomic_load(&ended));
    ck_assert(store_has(store, "a"));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(store_add(store, large), STORE_OK);
    store_close(store);
    ck_assert(atomic_load(&ended));
    job_record_done(&end.record);
    job_record_done(&large);
}
END_TEST

/* ---- files that go ---- */

static void note_broken(struct store_write *write, enum store_status status)
{
    ck_assert_int_eq(status, STORE_BROKEN);
    atomic_store((_Atomic bool *)write->context, true);
}

/* Removed, or with another in its place. */
START_TEST(a_file_that_goes_ends_all_writing)
{
    static const char *const names[] = {"jobs.db", "lock", "jobs.db-wal"};
    sick_start();
    struct store *store = open_store();
    _Atomic bool ended = false;
    struct store_write end = {.change = STORE_PUT, .patient = true, .done = note_broken};
    end.context = &ended;
    store_add_in(store, "a", JOB_QUEUED);
    end.record = job_in("a", JOB_SUCCEEDED);
    sick_fail(SICK_WRITES, 1, true, SQLITE_FULL);
    store->operations->submit(store, &end);
    ck_assert_int_eq(store_add(store, job_named("b")), STORE_FULL);
    const char *const file = folder_path(store_folder(), names[_i / 2]);
    const char *const moved = folder_path(store_folder(), "moved");
    ck_assert_int_eq(rename(file, moved), 0);
    if (_i % 2 > 0) folder_write(store_folder(), names[_i / 2], "another");
    sick_heal();
    ck_assert_int_eq(store_add(store, job_named("c")), STORE_BROKEN);
    ck_assert_int_eq(end_a(store), STORE_BROKEN);
    ck_assert(store_has(store, "a"));
    rename(moved, file); /* too late */
    ck_assert_int_eq(store_add(store, job_named("d")), STORE_BROKEN);
    store_close(store);
    ck_assert(atomic_load(&ended));
    store = open_store();
    ck_assert_str_eq(store_recovered(store), "a()");
    store_close(store);
}
END_TEST

/* As somebody does who restores a folder under a daemon at work. */
START_TEST(a_folder_that_goes_ends_all_writing)
{
    const struct limits limits = limits_default();
    const char *const base = folder_new();
    const char *const folder = folder_path(base, "data"), *const moved = folder_path(base, "old");
    struct store *store = store_sqlite_open(folder, &limits);
    ck_assert_ptr_nonnull(store);
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(rename(folder, moved), 0);
    struct store_write end = {.change = STORE_PUT, .patient = true};
    end.record = job_in("a", JOB_SUCCEEDED);
    ck_assert_int_eq(store_do(store, &end), STORE_BROKEN); /* there is nothing to wait for */
    ck_assert_int_eq(store_add(store, job_named("b")), STORE_BROKEN);
    struct store *other = store_sqlite_open(folder, &limits);
    ck_assert_ptr_nonnull(other);
    store_add_in(other, "c", JOB_QUEUED);
    ck_assert_int_eq(store_add(store, job_named("d")), STORE_BROKEN);
    store_close(store);
    store_close(other);
    other = store_sqlite_open(folder, &limits);
    ck_assert_str_eq(store_recovered(other), "c()");
    store_close(other);
    other = store_sqlite_open(moved, &limits);
    ck_assert_str_eq(store_recovered(other), "a()");
    store_close(other);
}
END_TEST

SUITE_MAIN("store faults", {every_fault_is_survived, COUNT(faults)},
           {every_fault_of_opening_is_survived, COUNT(faults)},
           {a_full_disk_refuses_the_new_and_delays_the_old, 0},
           {giving_up_ends_the_wait_for_room, 0}, {a_nearly_full_disk_takes_no_new_jobs, 0},
           {a_limit_on_files_is_a_full_disk, 0}, {a_file_that_goes_ends_all_writing, 3 * 2},
           {a_folder_that_goes_ends_all_writing, 0})
