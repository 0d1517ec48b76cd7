/* Jobs in a file: what is there after the process is gone, and which files are refused. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"
#include "tests/server/stores.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store *open_store(void)
{
    return store_open_large(STORE_ROW_SQLITE);
}

static struct store *reopen(struct store *store)
{
    store_close(store);
    return open_store();
}

static struct store_grain grain(uint64_t index, uint32_t attempts, const char *bytes)
{
    return (struct store_grain){index, attempts, bytes, bytes == NULL ? 0 : strlen(bytes)};
}

/* ---- what stays ---- */

START_TEST(a_job_is_there_again_to_the_byte)
{
    struct store *store = open_store();
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    for (int i = 0; i < 2; i++) {
        store = reopen(store);
        assert_stored(store, &want);
    }
    store_close(store);
    full_job_done(&want);
}
END_TEST

START_TEST(lists_keys_and_limits_are_there_again)
{
    struct store *store = store_open_small(STORE_ROW_SQLITE);
    const struct store_filter filter = filter_of_ada();
    for (int i = 0; i < 3 * RETAIN; i++) {
        char id[3] = {(char)('a' + i), '\0'};
        ck_assert_int_eq(store_add(store, job_keyed(id, "ada", id)), STORE_OK);
        store_finish(store, id, JOB_SUCCEEDED);
    }
    store_add_in(store, "x", JOB_QUEUED);
    store_close(store);
    store = store_open_small(STORE_ROW_SQLITE);
    ck_assert_str_eq(store_listed(store, &filter, NULL), "x l k j i h g f e d c b a");
    ck_assert_int_eq(store_add(store, job_keyed("b2", "ada", "b")), STORE_KEY_TAKEN);
    ck_assert_uint_eq(store_prune(store, 0), 2 * RETAIN);
    store_add_in(store, "y", JOB_QUEUED);
    store_add_in(store, "z", JOB_QUEUED);
    ck_assert_int_eq(store_add(store, job_named("more")), STORE_FULL);
    store_close(store);
}
END_TEST

/* Even when the newest job is gone: a cursor never means another job. */
START_TEST(positions_are_never_used_again)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    const struct job_record last = job_named("b");
    ck_assert_int_eq(store_add(store, last), STORE_OK);
    ck_assert_int_eq(store_remove(store, "ada", "b"), STORE_OK);
    store = reopen(store);
    ck_assert_uint_eq(store->operations->last_position(store), last.position);
    store_close(store);
}
END_TEST

START_TEST(folder_and_files_are_their_owners_alone)
{
    const char *folder = folder_path(store_folder(), "made/");
    const char *const files[] = {"jobs.db", "jobs.db-wal", "lock"};
    const struct limits limits = limits_default();
    struct store *store = store_sqlite_open(folder, &limits);
    struct stat status;
    ck_assert_ptr_nonnull(store);
    ck_assert_int_eq(stat(folder, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
    for (size_t i = 0; i < COUNT(files); i++) {
        ck_assert_int_eq(stat(folder_path(folder, files[i]), &status), 0);
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
    }
    store_close(store);
    ck_assert_int_ne(access(folder_path(folder, "jobs.db-wal"), F_OK), 0);
}
END_TEST

/* ---- unfinished work ---- */

START_TEST(unfinished_jobs_are_recovered_oldest_first)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    store_add_in(store, "b", JOB_SUCCEEDED);
    store_add_in(store, "c", JOB_QUEUED);
    store = reopen(store);
    ck_assert_str_eq(store_recovered(store), "a() c()");
    store_close(store);
}
END_TEST

static bool take_first(void *context, const struct job_record *record,
                       const struct store_grain *grains, size_t count)
{
    (void)grains, (void)count;
    return job_record_copy(record, context) && false;
}

START_TEST(an_unfinished_job_is_recovered_whole)
{
    struct store *store = open_store();
    struct label label[2] = {0};
    struct job_record want = full_job(label), got = {0};
    want.state = JOB_RUNNING;
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    store_add_in(store, "next", JOB_QUEUED);
    store = reopen(store);
    ck_assert_int_eq(store->operations->recover(store, take_first, &got), STORE_OK);
    want.state = JOB_QUEUED; /* nobody works on it */
    assert_same_job(&got, &want);
    job_record_done(&got);
    full_job_done(&want);
    store_close(store);
}
END_TEST

START_TEST(work_is_kept_grain_by_grain)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_keep(store, "a", grain(3, 1, NULL)), STORE_OK);
    ck_assert_int_eq(store_keep(store, "a", grain(0, 1, "zero")), STORE_OK);
    store = reopen(store);
    ck_assert_str_eq(store_recovered(store), "a(0:1=zero 3:1)");
    ck_assert_int_eq(store_keep(store, "a", grain(0, 2, NULL)), STORE_OK); /* bytes stay */
    ck_assert_int_eq(store_keep(store, "a", grain(3, 0, "three")), STORE_OK);
    ck_assert_str_eq(store_recovered(store), "a(0:2=zero 3:0=three)");
    ck_assert_int_eq(store_keep(store, "a", grain(0, 2, "null")), STORE_OK);
    ck_assert_int_eq(store_keep(store, "a", grain(7, 0, "")), STORE_OK);
    ck_assert_str_eq(store_recovered(store), "a(0:2=null 3:0=three 7:0=)");
    store_close(store);
}
END_TEST

START_TEST(work_goes_with_the_end)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    store_add_in(store, "b", JOB_QUEUED);
    ck_assert_int_eq(store_keep(store, "a", grain(0, 1, "a")), STORE_OK);
    ck_assert_int_eq(store_keep(store, "b", grain(0, 1, "b")), STORE_OK);
    store_finish(store, "a", JOB_SUCCEEDED);
    ck_assert_int_eq(store_keep(store, "a", grain(1, 1, "late")), STORE_OK);
    ck_assert_int_eq(store_keep(store, "none", grain(1, 1, "none")), STORE_OK);
    ck_assert_str_eq(store_recovered(store), "b(0:1=b)");
    store = reopen(store);
    sqlite3 *file;
    sqlite3_stmt *count;
    ck_assert_int_eq(sqlite3_open(folder_path(store_folder(), "jobs.db"), &file), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(file,
                                        "SELECT (SELECT count(*) FROM grain) * 10"
                                        " + (SELECT count(*) FROM partial)",
                                        -1, &count, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(count), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_int(count, 0), 11); /* those of b alone */
    sqlite3_finalize(count);
    sqlite3_close(file);
    store_close(store);
}
END_TEST

START_TEST(a_reset_drops_work_and_keeps_the_job)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_keep(store, "a", grain(0, 1, "a")), STORE_OK);
    struct store_write write = {.change = STORE_PUT, .resets = true};
    write.record = store_read(store, "a");
    ck_assert_int_eq(store_do(store, &write), STORE_OK);
    job_record_done(&write.record);
    ck_assert_str_eq(store_recovered(store), "a()");
    store_close(store);
}
END_TEST

START_TEST(a_purged_job_leaves_no_work)
{
    struct store *store = open_store();
    struct job_record again = job_named("a");
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_keep(store, "a", grain(0, 1, "a")), STORE_OK);
    ck_assert_int_eq(store_remove(store, "ada", "a"), STORE_OK);
    ck_assert_int_eq(store_add(store, again), STORE_OK);
    ck_assert_str_eq(store_recovered(store), "a()");
    store_close(store);
}
END_TEST

/* ---- writes that wait ---- */

START_TEST(what_is_held_back_is_not_there_yet)
{
    struct store *store = open_store();
    struct store_write held = {.change = STORE_ADD, .delay_ms = 3600000};
    held.record = job_named("a");
    store->operations->submit(store, &held);
    ck_assert(!store_has(store, "a"));
    ck_assert(store->operations->withdraw(store, &held));
    ck_assert(!store->operations->withdraw(store, &held));
    ck_assert_int_eq(store_add(store, held.record), STORE_OK);
    store_close(store);
}
END_TEST

/* ---- the log ---- */

struct reader {
    struct store *store;
    atomic_bool stops;
};

static void *read_for_ever(void *argument)
{
    struct reader *reader = argument;
    const struct store_filter filter = filter_of_ada();
    while (!atomic_load(&reader->stops))
        store_listed(reader->store, &filter, NULL);
    return NULL;
}

/* Somebody always reads, and still it begins anew. */
START_TEST(the_log_stays_small_beside_readers)
{
    enum { BYTES = 2000000, JOBS = 100, LOG_MAX = 100000000 };
    struct reader reader = {.store = open_store()};
    pthread_t thread;
    struct stat status;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_for_ever, &reader), 0);
    for (int i = 0; i < JOBS; i++) {
        struct job_record record = job_in("large", JOB_SUCCEEDED);
        record.result = blob_take(calloc(1, BYTES), BYTES);
        ck_assert_int_eq(store_add(reader.store, record), STORE_OK);
        ck_assert_int_eq(store_remove(reader.store, "ada", "large"), STORE_OK);
        job_record_done(&record);
    }
    ck_assert_int_eq(stat(folder_path(store_folder(), "jobs.db-wal"), &status), 0);
    atomic_store(&reader.stops, true);
    pthread_join(thread, NULL);
    store_close(reader.store);
    ck_assert_int_lt(status.st_size, LOG_MAX);
}
END_TEST

/* ---- which folders are refused ---- */

/* Whether the folder is refused with these words on standard error. */
static bool is_refused(const char *folder, const char *words)
{
    const struct limits limits = limits_default();
    const int error = dup(STDERR_FILENO);
    const int file = open(folder_path(store_folder(), "error"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    struct store *store = store_sqlite_open(folder, &limits);
    dup2(error, STDERR_FILENO);
    close(error);
    close(file);
    const char *text = folder_read(store_folder(), "error");
    if (store == NULL && strstr(text, folder) != NULL && strstr(text, words) != NULL) return true;
    fprintf(stderr, "store %p, told \"%s\"\n", (void *)store, text);
    return false;
}

START_TEST(a_second_process_is_refused)
{
    struct store *store = open_store();
    char words[64];
    snprintf(words, sizeof words, "in use by process %ld\n", (long)getpid());
    ck_assert(is_refused(store_folder(), words));
    store_add_in(store, "a", JOB_QUEUED);
    store_close(store);
    store = open_store();
    ck_assert(store_has(store, "a"));
    store_close(store);
}
END_TEST

static void change_file(const char *sql)
{
    sqlite3 *file;
    ck_assert_int_eq(sqlite3_open(folder_path(store_folder(), "jobs.db"), &file), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(file, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
}

START_TEST(a_newer_schema_is_refused)
{
    store_close(open_store());
    change_file("PRAGMA user_version = 1000");
    ck_assert(is_refused(store_folder(), "later version"));
    change_file("PRAGMA user_version = 1");
    store_close(open_store());
}
END_TEST

START_TEST(another_programs_database_is_refused)
{
    change_file("CREATE TABLE notes (text)");
    ck_assert(is_refused(store_folder(), "another program"));
    change_file("PRAGMA application_id = 7; PRAGMA user_version = 1");
    ck_assert(is_refused(store_folder(), "another program"));
    change_file("SELECT text FROM notes"); /* untouched */
}
END_TEST

START_TEST(what_is_no_database_is_refused)
{
    char text[10000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    folder_write(store_folder(), "jobs.db", text);
    ck_assert(is_refused(store_folder(), "not a database"));
    ck_assert_str_eq(folder_read(store_folder(), "jobs.db"), text);
}
END_TEST

START_TEST(a_spoiled_database_is_refused)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    store_close(store);
    const int file = open(folder_path(store_folder(), "jobs.db"), O_RDWR);
    char zeros[4096 - 100] = {0};
    ck_assert_int_eq(pwrite(file, zeros, sizeof zeros, 100), sizeof zeros); /* its schema */
    close(file);
    ck_assert(is_refused(store_folder(), "malformed"));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_refused)
{
    folder_write(store_folder(), "file", "");
    ck_assert(is_refused(folder_path(store_folder(), "none/none"), "No such file"));
    ck_assert(is_refused(folder_path(store_folder(), "file"), "Not a directory"));
}
END_TEST

/* A file without tables, as a process leaves it that was killed in its first moment. */
START_TEST(an_empty_file_is_filled)
{
    folder_write(store_folder(), "jobs.db", "");
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    store_close(store);
}
END_TEST

START_TEST(an_empty_file_beside_a_log_is_refused)
{
    folder_write(store_folder(), "jobs.db", "");
    folder_write(store_folder(), "jobs.db-wal", "all that there was");
    ck_assert(is_refused(store_folder(), "remove"));
    ck_assert_str_eq(folder_read(store_folder(), "jobs.db-wal"), "all that there was");
}
END_TEST

START_TEST(a_file_without_its_end_is_refused)
{
    struct stat status;
    store_close(open_store());
    const char *file = folder_path(store_folder(), "jobs.db");
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_int_eq(truncate(file, status.st_size - 4096), 0);
    ck_assert(is_refused(store_folder(), "its end is missing"));
}
END_TEST

START_TEST(totals_that_are_not_of_the_jobs_are_refused)
{
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    store_add_in(store, "b", JOB_SUCCEEDED);
    store_close(store);
    change_file("UPDATE totals SET active = 2");
    ck_assert(is_refused(store_folder(), "totals"));
    change_file("UPDATE totals SET active = 1, last_position = 1");
    ck_assert(is_refused(store_folder(), "totals"));
    change_file("UPDATE totals SET last_position = 2");
    change_file("DELETE FROM totals");
    ck_assert(is_refused(store_folder(), "totals"));
}
END_TEST

/* Of each table and index the root. */
START_TEST(a_spoiled_tree_is_refused)
{
    sqlite3 *file;
    sqlite3_stmt *roots;
    int pages[32], count = 0;
    char zeros[4096] = {0}, kept[4096];
    store_close(open_store());
    const char *path = folder_path(store_folder(), "jobs.db");
    ck_assert_int_eq(sqlite3_open(path, &file), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(file, "SELECT rootpage FROM sqlite_schema", -1, &roots, NULL),
        SQLITE_OK);
    while (count < 32 && sqlite3_step(roots) == SQLITE_ROW)
        pages[count++] = sqlite3_column_int(roots, 0);
    sqlite3_finalize(roots);
    sqlite3_close(file);
    ck_assert_int_gt(count, 10);
    const int spoiled = open(path, O_RDWR);
    for (int i = 0; i < count; i++) {
        const off_t at = (off_t)(pages[i] - 1) * 4096;
        ck_assert_int_eq(pread(spoiled, kept, sizeof kept, at), sizeof kept);
        ck_assert_int_eq(pwrite(spoiled, zeros, sizeof zeros, at), sizeof zeros);
        ck_assert(is_refused(store_folder(), "damaged"));
        ck_assert_int_eq(pwrite(spoiled, kept, sizeof kept, at), sizeof kept);
    }
    close(spoiled);
    store_close(open_store());
}
END_TEST

/* ---- what no file takes ---- */

START_TEST(what_no_row_takes_is_refused_politely)
{
    struct store *store = open_store();
    struct job_record large = job_named("large"), odd = job_named("odd");
    large.request = calloc(1, sizeof *large.request);
    ck_assert_ptr_nonnull(large.request);
    large.request->size = 1500000000; /* nobody looks at its bytes */
    ck_assert_int_eq(store_add(store, large), STORE_FULL);
    odd.version = UINT64_MAX;
    ck_assert_int_eq(store_add(store, odd), STORE_BROKEN);
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_add(store, job_named("a")), STORE_BROKEN); /* its id is taken */
    store_add_in(store, "b", JOB_QUEUED);
    free(large.request);
    store_close(store);
}
END_TEST

SUITE_MAIN("store in a file", {a_job_is_there_again_to_the_byte, 0},
           {lists_keys_and_limits_are_there_again, 0}, {positions_are_never_used_again, 0},
           {folder_and_files_are_their_owners_alone, 0},
           {unfinished_jobs_are_recovered_oldest_first, 0},
           {an_unfinished_job_is_recovered_whole, 0}, {work_is_kept_grain_by_grain, 0},
           {work_goes_with_the_end, 0}, {a_reset_drops_work_and_keeps_the_job, 0},
           {a_purged_job_leaves_no_work, 0}, {what_is_held_back_is_not_there_yet, 0},
           {the_log_stays_small_beside_readers, 0}, {a_second_process_is_refused, 0},
           {a_newer_schema_is_refused, 0}, {another_programs_database_is_refused, 0},
           {what_is_no_database_is_refused, 0}, {a_spoiled_database_is_refused, 0},
           {a_folder_that_cannot_be_made_is_refused, 0}, {an_empty_file_is_filled, 0},
           {an_empty_file_beside_a_log_is_refused, 0}, {a_file_without_its_end_is_refused, 0},
           {totals_that_are_not_of_the_jobs_are_refused, 0}, {a_spoiled_tree_is_refused, 0},
           {what_no_row_takes_is_refused_politely, 0})
