/* How the store's queries are answered: by searching an index, whatever is asked for, so that a
 * list of a million jobs costs what its page shows. The statements are those that the store ran. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"
#include "tests/server/stores.h"

#include <sqlite3.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is run ---- */

enum { STATEMENTS = 500 };

static struct {
    pthread_mutex_t lock;
    char *sql[STATEMENTS];
    size_t count;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int note(unsigned what, void *context, void *statement, void *text)
{
    (void)what, (void)context, (void)text;
    const char *sql = sqlite3_sql(statement);
    pthread_mutex_lock(&seen.lock);
    size_t i = 0;
    while (i < seen.count && strcmp(seen.sql[i], sql) != 0)
        i++;
    if (i == seen.count) {
        ck_assert_uint_lt(seen.count, STATEMENTS);
        seen.sql[seen.count++] = strdup(sql);
    }
    pthread_mutex_unlock(&seen.lock);
    return 0;
}

/* SQLite calls it for each connection that is opened. */
static int watch(sqlite3 *connection, char **ret_fault, const void *routines)
{
    (void)ret_fault, (void)routines;
    return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, note, NULL);
}

static void forget(void)
{
    for (size_t i = 0; i < seen.count; i++)
        free(seen.sql[i]);
    seen.count = 0;
}

/* ---- all that a store is asked ---- */

static struct label labels[3] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};

static void list_with(struct store *store, struct store_filter filter)
{
    struct job_page page = {0};
    ck_assert_int_eq(store->operations->list(store, &filter, &page), STORE_OK);
    job_page_done(&page);
}

static void list_each_way(struct store *store)
{
    for (unsigned i = 0; i < 2 * 2 * 2 * 2 * 4; i++) {
        struct store_filter filter = {.scope = {.owner = "ada", .all = i % 2 > 0}, .limit = 50};
        filter.before = i / 2 % 2 > 0 ? 5 : 0;
        filter.states = i / 4 % 2 > 0 ? 1u << JOB_FAILED : 0;
        filter.kinds = i / 8 % 2 > 0 ? 1u << JOB_TRAINING : 0;
        filter.labels = (struct labels){i / 16, labels};
        list_with(store, filter);
    }
}

static bool see(void *context, const struct job_record *record, const struct store_grain *grain,
                size_t count)
{
    (void)context, (void)record, (void)grain, (void)count;
    return true;
}

static void read_each_way(struct store *store)
{
    struct job_record record = {0};
    list_each_way(store);
    ck_assert(store_has(store, "a"));
    ck_assert_int_eq(store->operations->find_key(store, "ada", "key", &record), STORE_OK);
    job_record_done(&record);
    ck_assert_int_eq(store->operations->recover(store, see, NULL), STORE_OK);
}

static void write_each_way(struct store *store)
{
    struct store_write prune = {.change = STORE_PRUNE, .now_ms = INT64_MAX};
    ck_assert_int_eq(store_keep(store, "a", (struct store_grain){0, 1, "x", 1}), STORE_OK);
    store_finish(store, "a", JOB_SUCCEEDED);
    store_finish(store, "a", JOB_SUCCEEDED);
    ck_assert_int_eq(store_remove(store, "ada", "b"), STORE_OK);
    ck_assert_int_eq(store_do(store, &prune), STORE_OK);
}

static void add_jobs(struct store *store)
{
    struct job_record a = job_keyed("a", "ada", "key");
    a.labels = (struct labels){3, labels};
    a.request = blob_copy("{}", 2);
    ck_assert_int_eq(store_add(store, a), STORE_OK);
    store_add_in(store, "b", JOB_SUCCEEDED);
    blob_unref(a.request);
}

/* ---- how it is answered ---- */

/* The rows of a plan that read all of a table, or sort. */
static bool is_costly(const char *detail)
{
    return strncmp(detail, "SCAN", 4) == 0 || strstr(detail, "TEMP B-TREE") != NULL ||
           strstr(detail, "AUTOMATIC") != NULL;
}

/* Those that may be: the first of an index in its order, and the few jobs that have not ended. */
static bool is_granted(const char *sql, const char *detail)
{
    return (strcmp(detail, "SCAN job USING INDEX job_finished") == 0 &&
            strstr(sql, "LIMIT 1") != NULL) ||
           (strcmp(detail, "USE TEMP B-TREE FOR ORDER BY") == 0 &&
            strstr(sql, "job_state WHERE state = 0") != NULL) ||
           (strstr(sql, "count(*) FROM (SELECT 1") != NULL &&
            strcmp(detail, "SCAN (subquery-1)") == 0);
}

static int costly_rows(sqlite3 *file, const char *sql)
{
    char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *plan;
    int costly = 0;
    ck_assert_int_eq(sqlite3_prepare_v2(file, text, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        if (!is_costly(detail) || is_granted(sql, detail)) continue;
        fprintf(stderr, "%s: %s\n", detail, sql);
        costly++;
    }
    sqlite3_finalize(plan);
    sqlite3_free(text);
    return costly;
}

static bool is_query(const char *sql)
{
    static const char *const words[] = {"SELECT", "UPDATE", "DELETE", "INSERT"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strncmp(sql, words[i], strlen(words[i])) == 0) return true;
    return false;
}

START_TEST(every_query_searches)
{
    sqlite3 *file;
    int costly = 0, queries = 0;
    store_close(store_open_large(STORE_ROW_SQLITE)); /* makes the tables, unwatched */
    sqlite3_auto_extension((void (*)(void))watch);
    struct store *store = store_open_large(STORE_ROW_SQLITE);
    forget(); /* what opening looked at */
    add_jobs(store);
    read_each_way(store);
    write_each_way(store);
    store_close(store);
    sqlite3_reset_auto_extension();
    ck_assert_int_eq(sqlite3_open(folder_path(store_folder(), "jobs.db"), &file), SQLITE_OK);
    for (size_t i = 0; i < seen.count; i++) {
        if (!is_query(seen.sql[i])) continue;
        costly += costly_rows(file, seen.sql[i]);
        queries++;
    }
    sqlite3_close(file);
    forget();
    ck_assert_int_gt(queries, 25);
    ck_assert_int_eq(costly, 0);
}
END_TEST

SUITE_MAIN("store plans", {every_query_searches, 0})
