#include "server/store_sqlite_db.h"
#include "server/hash.h"

#include <sqlite3.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Statements kept by a connection; more are at work at once in no call. */
enum { QUERIES = 64, BUSY_MS = 5000, CHECKPOINT_BUSY_MS = 250 };

struct db_query {
    struct db *db;
    sqlite3_stmt *statement; /* NULL: none yet, or one whose preparation failed */
    uint64_t hash;           /* of its text */
    uint64_t used;           /* when it was, by the connection's count */
    bool active;
    int bound, column;
};

struct db {
    sqlite3 *handle;
    enum store_status status;
    char fault[200];
    int log_pages;
    uint64_t uses;
    struct db_query query[QUERIES];
    struct db_query none; /* stands for what could not be prepared */
};

/* ---- faults ---- */

static bool is_out_of_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* Why the log could not be written; sqlite3_system_errno does not know it where a COMMIT failed. */
static int error_of_log(const struct db *db)
{
    sqlite3_file *log = NULL;
    int error = 0;
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

static int error_of(const struct db *db, int code)
{
    return code == SQLITE_IOERR_WRITE ? error_of_log(db) : sqlite3_system_errno(db->handle);
}

static enum store_status status_of(const struct db *db, int code)
{
    if (code == SQLITE_IOERR_NOMEM || (code & 0xff) == SQLITE_NOMEM) return STORE_MEMORY;
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
        return STORE_FULL;
    case SQLITE_IOERR:
        return is_out_of_room(error_of(db, code)) ? STORE_FULL : STORE_BROKEN;
    default:
        return STORE_BROKEN;
    }
}

bool db_fail(struct db *db, enum store_status status, const char *fault)
{
    if (db->status != STORE_OK) return false;
    db->status = status;
    snprintf(db->fault, sizeof db->fault, "%s", fault);
    return false;
}

/* Whether the code says that all is well. */
static bool check(struct db *db, int code)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return true;
    char fault[sizeof db->fault];
    const bool damaged = (code & 0xff) == SQLITE_CORRUPT;
    snprintf(fault, sizeof fault, "%s%s (%d, errno %d)", damaged ? "is damaged: " : "",
             sqlite3_errmsg(db->handle), sqlite3_extended_errcode(db->handle), error_of(db, code));
    return db_fail(db, status_of(db, code), fault);
}

enum store_status db_status(const struct db *db)
{
    return db->status;
}

const char *db_fault(const struct db *db)
{
    return db->fault;
}

/* ---- connections ---- */

static int count_log(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle, (void)name;
    struct db *db = context;
    db->log_pages = pages;
    return SQLITE_OK;
}

/* The schema is ours, but the file may have been in other hands. */
static const char common_settings[] =
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA mmap_size=0;"
    "PRAGMA temp_store=MEMORY;";

/* Two connections that write or copy the log at once can spoil the file (as SQLite before 3.51.3
 * resets its log): one does both, and the others are opened for reading. */
static bool set_up(struct db *db, enum db_mode mode)
{
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!db_run_text(db, common_settings)) return false;
    if (mode == DB_READS) return db_run_text(db, "PRAGMA cache_size=-4096;");
    sqlite3_wal_hook(db->handle, count_log, db); /* in place of copying the log by itself */
    return db_run_text(db,
                       "PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;"
                       "PRAGMA secure_delete=FAST; PRAGMA journal_size_limit=83886080;");
}

struct db *db_open(const char *path, enum db_mode mode, char *fault, size_t size)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        snprintf(fault, size, "memory is out");
        return NULL;
    }
    db->none.db = db;
    const int flags = mode == DB_WRITES ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK && set_up(db, mode)) return db;
    snprintf(fault, size, "%s", code == SQLITE_OK ? db->fault : sqlite3_errstr(code));
    db_close(db);
    return NULL;
}

void db_close(struct db *db)
{
    if (db == NULL) return;
    for (int i = 0; i < QUERIES; i++)
        sqlite3_finalize(db->query[i].statement);
    sqlite3_close(db->handle);
    free(db);
}

bool db_run_text(struct db *db, const char *sql)
{
    return db->status == STORE_OK && check(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int64_t db_number(struct db *db, const char *sql)
{
    struct db_query *query = db_query(db, sql);
    const int64_t number = db_row(query) ? db_int(query) : 0;
    db_query_end(query);
    return number;
}

/* ---- transactions ---- */

bool db_begin_write(struct db *db)
{
    return db_run(db_query(db, "BEGIN IMMEDIATE"));
}

bool db_begin_read(struct db *db)
{
    return db_run(db_query(db, "BEGIN"));
}

/* Some faults have taken it back already. A query that is still at work would keep it open. */
static void roll_back(struct db *db)
{
    for (int i = 0; i < QUERIES; i++)
        db_query_end(&db->query[i]);
    if (sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* Without memory even taking back fails: then it is made up for here. */
void db_clear(struct db *db)
{
    db->status = STORE_OK;
    db->fault[0] = '\0';
    if (sqlite3_get_autocommit(db->handle) == 0) roll_back(db);
}

bool db_end(struct db *db)
{
    if (db->status == STORE_OK && db_run(db_query(db, "COMMIT"))) return true;
    roll_back(db);
    return false;
}

/* ---- queries ---- */

/* One that is kept and idle, or the place that was idle for the longest. */
static struct db_query *find(struct db *db, uint64_t hash, const char *sql)
{
    struct db_query *oldest = NULL;
    for (int i = 0; i < QUERIES; i++) {
        struct db_query *query = &db->query[i];
        if (query->active) continue;
        if (query->statement != NULL && query->hash == hash &&
            strcmp(sqlite3_sql(query->statement), sql) == 0)
            return query;
        if (oldest == NULL || query->used < oldest->used) oldest = query;
    }
    if (oldest == NULL) return NULL;
    sqlite3_finalize(oldest->statement);
    oldest->statement = NULL;
    return oldest;
}

struct db_query *db_query(struct db *db, const char *sql)
{
    if (db->status != STORE_OK) return &db->none;
    const uint64_t hash = hash_of(sql);
    struct db_query *query = find(db, hash, sql);
    if (query == NULL) {
        db_fail(db, STORE_BROKEN, "too many queries at work");
        return &db->none;
    }
    if (query->statement == NULL &&
        !check(db, sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &query->statement, NULL)))
        return &db->none;
    *query = (struct db_query){db, query->statement, hash, ++db->uses, true, 0, 0};
    return query;
}

void db_query_end(struct db_query *query)
{
    if (!query->active) return;
    sqlite3_reset(query->statement); /* its fault was told by the step */
    sqlite3_clear_bindings(query->statement);
    query->active = false;
}

static bool is_well(const struct db_query *query)
{
    return query->active && query->db->status == STORE_OK;
}

void db_bind_int(struct db_query *query, int64_t value)
{
    if (is_well(query))
        check(query->db, sqlite3_bind_int64(query->statement, ++query->bound, value));
}

void db_bind_size(struct db_query *query, uint64_t value)
{
    if (value > INT64_MAX) db_fail(query->db, STORE_BROKEN, "a number is too large to be stored");
    db_bind_int(query, (int64_t)value);
}

/* SQLite has no NaN. */
void db_bind_double(struct db_query *query, double value)
{
    if (is_well(query))
        check(query->db,
              sqlite3_bind_double(query->statement, ++query->bound, isnan(value) ? 0 : value));
}

void db_bind_text(struct db_query *query, const char *text)
{
    if (is_well(query))
        check(query->db,
              sqlite3_bind_text(query->statement, ++query->bound, text, -1, SQLITE_STATIC));
}

void db_bind_bytes(struct db_query *query, const void *bytes, size_t size)
{
    if (is_well(query))
        check(query->db,
              sqlite3_bind_blob64(query->statement, ++query->bound, bytes, size, SQLITE_STATIC));
}

void db_bind_blob(struct db_query *query, const struct blob *blob)
{
    const char *empty = blob == NULL ? NULL : "";
    db_bind_bytes(query, blob_size(blob) > 0 ? blob->data : empty, blob_size(blob));
}

bool db_row(struct db_query *query)
{
    query->column = 0;
    const int code = is_well(query) ? sqlite3_step(query->statement) : SQLITE_DONE;
    if (code == SQLITE_ROW) return true;
    check(query->db, code);
    db_query_end(query);
    return false;
}

enum db_outcome db_change(struct db_query *query)
{
    if (!is_well(query)) {
        db_query_end(query);
        return DB_FAILED;
    }
    const int code = sqlite3_step(query->statement);
    const bool conflict = (code & 0xff) == SQLITE_CONSTRAINT;
    const bool done = !conflict && check(query->db, code);
    db_query_end(query);
    return conflict ? DB_CONFLICT : done ? DB_DONE : DB_FAILED;
}

bool db_run(struct db_query *query)
{
    const enum db_outcome outcome = db_change(query);
    if (outcome == DB_CONFLICT) db_fail(query->db, STORE_BROKEN, "a row is in the way");
    return outcome == DB_DONE;
}

/* ---- columns ---- */

int64_t db_int(struct db_query *query)
{
    return is_well(query) ? sqlite3_column_int64(query->statement, query->column++) : 0;
}

uint64_t db_size(struct db_query *query, uint64_t maximum)
{
    const int64_t value = db_int(query);
    if (value >= 0 && (uint64_t)value <= maximum) return (uint64_t)value;
    db_fail(query->db, STORE_BROKEN, "a stored number is out of range");
    return 0;
}

double db_double(struct db_query *query)
{
    return is_well(query) ? sqlite3_column_double(query->statement, query->column++) : 0;
}

void db_text(struct db_query *query, char *text, size_t size)
{
    text[0] = '\0';
    if (!is_well(query)) return;
    const int column = query->column++;
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL) return;
    const unsigned char *value = sqlite3_column_text(query->statement, column);
    const int length = sqlite3_column_bytes(query->statement, column);
    if (value == NULL)
        db_fail(query->db, STORE_MEMORY, "memory is out");
    else if ((size_t)length >= size)
        db_fail(query->db, STORE_BROKEN, "a stored text is too long");
    else
        memcpy(text, value, (size_t)length + 1);
}

struct blob *db_blob(struct db_query *query)
{
    if (!is_well(query)) return NULL;
    const int column = query->column++;
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL) return NULL;
    const void *bytes = sqlite3_column_blob(query->statement, column);
    const int size = sqlite3_column_bytes(query->statement, column);
    struct blob *blob = NULL;
    if (bytes != NULL || size == 0) blob = blob_copy(bytes == NULL ? "" : bytes, (size_t)size);
    if (blob == NULL) db_fail(query->db, STORE_MEMORY, "memory is out");
    return blob;
}

/* ---- the log ---- */

int db_log_pages(const struct db *db)
{
    return db->log_pages;
}

/* What could not be copied stays in the log, and is tried again. */
static void checkpoint(struct db *db, int mode)
{
    int pages, copied;
    sqlite3_busy_timeout(db->handle, CHECKPOINT_BUSY_MS);
    const int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &pages, &copied);
    if (code == SQLITE_OK && pages == copied) db->log_pages = 0;
    sqlite3_busy_timeout(db->handle, BUSY_MS);
}

/* New readers use the file alone, so that only those at work are waited for. */
void db_checkpoint(struct db *db)
{
    checkpoint(db, SQLITE_CHECKPOINT_RESTART);
}

void db_checkpoint_last(struct db *db)
{
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}
