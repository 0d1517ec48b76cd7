/* A copy of the jobs beside a store that goes on. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"
#include "tests/server/sick.h"
#include "tests/server/stores.h"

#include <sqlite3.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store *open_store(void)
{
    return store_open_large(STORE_ROW_SQLITE);
}

/* Makes a folder of the copy, as one who restores it does. */
static struct store *open_copy(const char *file)
{
    const struct limits limits = limits_default();
    const char *folder = folder_new();
    ck_assert_int_eq(rename(file, folder_path(folder, "jobs.db")), 0);
    struct store *store = store_sqlite_open(folder, &limits);
    ck_assert_ptr_nonnull(store);
    return store;
}

static size_t files_in(const char *folder)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

START_TEST(a_backup_has_what_the_store_has)
{
    struct store *store = open_store();
    const struct store_filter filter = filter_of_ada();
    const char *const file = folder_path(folder_new(), "copy.db");
    struct label label[2] = {0};
    struct job_record want = full_job(label);
    struct stat status;
    ck_assert_int_eq(store_add(store, want), STORE_OK);
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert_int_eq(store_keep(store, "a", (struct store_grain){0, 1, "x", 1}), STORE_OK);
    ck_assert(store_sqlite_backup(store_folder(), file));
    store_add_in(store, "later", JOB_QUEUED);
    store_close(store);
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    struct store *copy = open_copy(file);
    assert_stored(copy, &want);
    ck_assert_str_eq(store_listed(copy, &filter, NULL), "a full");
    ck_assert_str_eq(store_recovered(copy), "a(0:1=x)");
    full_job_done(&want);
    store_close(copy);
}
END_TEST

START_TEST(a_backup_needs_no_store_at_work)
{
    struct store *store = open_store();
    const char *const file = folder_path(folder_new(), "copy.db");
    store_add_in(store, "a", JOB_SUCCEEDED);
    store_close(store);
    ck_assert(store_sqlite_backup(store_folder(), file));
    store = open_store();
    ck_assert(store_has(store, "a"));
    store_close(store);
    store = open_copy(file);
    ck_assert(store_has(store, "a"));
    store_close(store);
}
END_TEST

struct adder {
    struct store *store;
    atomic_bool stops;
};

static void *add_for_ever(void *argument)
{
    struct adder *adder = argument;
    for (int i = 0; !atomic_load(&adder->stops); i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "%d", i);
        store_add_in(adder->store, id, JOB_SUCCEEDED);
    }
    return NULL;
}

/* One moment of a store that others write to: no job without those before it. */
START_TEST(a_backup_is_of_one_moment)
{
    struct adder adder = {.store = open_store()};
    pthread_t thread;
    struct store_filter filter = filter_of_ada();
    struct job_page page = {0};
    filter.limit = 100000;
    store_add_in(adder.store, "first", JOB_SUCCEEDED);
    ck_assert_int_eq(pthread_create(&thread, NULL, add_for_ever, &adder), 0);
    const char *const file = folder_path(folder_new(), "copy.db");
    const bool made = store_sqlite_backup(store_folder(), file);
    atomic_store(&adder.stops, true);
    pthread_join(thread, NULL);
    store_close(adder.store);
    ck_assert(made);
    struct store *copy = open_copy(file);
    ck_assert_int_eq(copy->operations->list(copy, &filter, &page), STORE_OK);
    ck_assert_uint_ge(page.count, 1);
    for (size_t i = 0; i < page.count; i++)
        ck_assert_uint_eq(page.record[i].position, page.count - i);
    ck_assert_uint_eq(copy->operations->last_position(copy), page.count);
    job_page_done(&page);
    store_close(copy);
}
END_TEST

static void read_number(const char *file, long at, unsigned char number[4])
{
    FILE *in = fopen(file, "rb");
    ck_assert_ptr_nonnull(in);
    ck_assert_int_eq(fseek(in, at, SEEK_SET), 0);
    ck_assert_uint_eq(fread(number, 1, 4, in), 4);
    fclose(in);
}

/* A copy is told from the file of a daemon by four bytes, until a daemon takes it over. */
START_TEST(a_copy_is_marked_until_a_daemon_opens_it)
{
    unsigned char id[4];
    const struct limits limits = limits_default();
    const char *const folder = folder_new(), *const target = folder_new();
    store_close(open_store());
    ck_assert(store_sqlite_backup(store_folder(), folder_path(folder, "jobs.db")));
    read_number(folder_path(folder, "jobs.db"), 68, id);
    ck_assert_mem_eq(id, "GCKB", 4);
    ck_assert(store_sqlite_backup(folder, folder_path(target, "of a copy"))); /* not yet opened */
    struct store *store = store_sqlite_open(folder, &limits);
    ck_assert_ptr_nonnull(store);
    store_add_in(store, "a", JOB_QUEUED);
    ck_assert(store_sqlite_backup(folder, folder_path(target, "of a daemon")));
    store_close(store);
    read_number(folder_path(folder, "jobs.db"), 68, id);
    ck_assert_mem_eq(id, "gckd", 4);
    read_number(folder_path(target, "of a daemon"), 68, id);
    ck_assert_mem_eq(id, "GCKB", 4);
    store = open_copy(folder_path(target, "of a daemon"));
    ck_assert(store_has(store, "a"));
    store_close(store);
}
END_TEST

/* The log of the file that was there before would be read into the copy. */
START_TEST(a_copy_beside_a_log_is_refused)
{
    static const char *const endings[] = {"jobs.db-wal", "jobs.db-journal"};
    const struct limits limits = limits_default();
    const char *const folder = folder_new();
    store_close(open_store());
    ck_assert(store_sqlite_backup(store_folder(), folder_path(folder, "jobs.db")));
    for (int i = 0; i < 2; i++) {
        folder_write(folder, endings[i], "of another");
        ck_assert_ptr_null(store_sqlite_open(folder, &limits));
        ck_assert_str_eq(folder_read(folder, endings[i]), "of another");
        remove(folder_path(folder, endings[i]));
    }
    folder_write(folder, "jobs.db-wal", "");
    struct store *store = store_sqlite_open(folder, &limits);
    ck_assert_ptr_nonnull(store);
    store_close(store);
}
END_TEST

/* Of processes that are gone; the test's parent is not. */
START_TEST(what_a_killed_backup_left_goes_with_the_next)
{
    const char *const target = folder_new(), *const file = folder_path(target, "copy.db");
    char own[64], journal[80], alive[64];
    snprintf(own, sizeof own, "copy.db.%ld.partial", (long)getpid());
    snprintf(journal, sizeof journal, "%s-journal", own);
    snprintf(alive, sizeof alive, "copy.db.%ld.partial", (long)getppid());
    folder_write(target, own, "half");
    folder_write(target, journal, "half");
    folder_write(target, alive, "half");
    folder_write(target, "copy.db.1a.partial", "mine");
    store_close(open_store());
    ck_assert(store_sqlite_backup(store_folder(), file));
    ck_assert_uint_eq(files_in(target), 3);
    ck_assert_ptr_nonnull(folder_read(target, alive));
    ck_assert_ptr_nonnull(folder_read(target, "copy.db.1a.partial"));
}
END_TEST

/* Whether the backup is refused with these words on standard error, and leaves nothing. */
static bool is_refused(const char *folder, const char *file, const char *words)
{
    const char *const base = folder_new();
    const int error = dup(STDERR_FILENO);
    const int kept = open(folder_path(base, "error"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(kept, STDERR_FILENO);
    const bool made = store_sqlite_backup(folder, file);
    dup2(error, STDERR_FILENO);
    close(error);
    close(kept);
    const char *text = folder_read(base, "error");
    if (!made && strstr(text, words) != NULL) return true;
    fprintf(stderr, "made %d, told \"%s\"\n", made, text);
    return false;
}

START_TEST(a_backup_is_refused_with_a_reason)
{
    const char *const target = folder_new(), *const file = folder_path(target, "copy.db");
    ck_assert(is_refused("/none", file, "no jobs are kept there"));
    ck_assert(is_refused(store_folder(), file, "no jobs are kept there"));
    ck_assert_uint_eq(files_in(store_folder()), 0);
    folder_write(store_folder(), "jobs.db", "not a database, whatever its name may say");
    ck_assert(is_refused(store_folder(), file, "not a database"));
    remove(folder_path(store_folder(), "jobs.db"));
    store_close(open_store());
    ck_assert(is_refused(store_folder(), "/none/copy.db", "No such file"));
    ck_assert_uint_eq(files_in(target), 0);
    folder_write(target, "copy.db", "mine");
    ck_assert(is_refused(store_folder(), file, "exists already"));
    ck_assert_str_eq(folder_read(target, "copy.db"), "mine");
    ck_assert_uint_eq(files_in(target), 1);
}
END_TEST

START_TEST(a_full_disk_leaves_no_backup)
{
    const char *const target = folder_new(), *const file = folder_path(target, "copy.db");
    sick_start();
    struct store *store = open_store();
    store_add_in(store, "a", JOB_QUEUED);
    sick_fail(SICK_WRITES, 1, true, SQLITE_FULL);
    ck_assert(is_refused(store_folder(), file, "the disk is full"));
    sick_heal();
    ck_assert_uint_eq(files_in(target), 0);
    ck_assert(store_sqlite_backup(store_folder(), file));
    store_close(store);
}
END_TEST

SUITE_MAIN("store backup", {a_backup_has_what_the_store_has, 0},
           {a_backup_needs_no_store_at_work, 0}, {a_backup_is_of_one_moment, 0},
           {a_backup_is_refused_with_a_reason, 0}, {a_full_disk_leaves_no_backup, 0},
           {a_copy_is_marked_until_a_daemon_opens_it, 0}, {a_copy_beside_a_log_is_refused, 0},
           {what_a_killed_backup_left_goes_with_the_next, 0})
