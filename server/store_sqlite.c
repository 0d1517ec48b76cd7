/* Jobs in a SQLite file: one connection that writes, on the writer's thread, and some that read,
 * lent to whoever asks. */
#include "server/log.h"
#include "server/store_sqlite_change.h"
#include "server/store_sqlite_check.h"
#include "server/store_sqlite_folder.h"
#include "server/store_sqlite_list.h"
#include "server/store_sqlite_recover.h"
#include "server/store_sqlite_row.h"
#include "server/store_sqlite_schema.h"
#include "server/store_writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READERS = 6,
    LOG_PAGES = 4000, /* of 4 KiB, before the log is copied into the file */
    TIGHT_PAGES = 250 /* the same, where the disk is nearly full */
};

struct store_sqlite {
    struct store store;
    struct folder folder;
    struct changes changes;      /* its db: the writer thread's alone */
    struct store_writer *writer; /* NULL before it runs */
    int log_limit;               /* pages; the writer thread's */
    bool replaced;               /* a file is not the one that was opened; likewise */
    _Atomic uint64_t last_position;
    pthread_mutex_t lock; /* of the readers */
    pthread_cond_t free;
    struct db *reader[READERS]; /* the free ones first */
    size_t readers;             /* free */
};

static struct store_sqlite *self_of(struct store *store)
{
    return (struct store_sqlite *)store;
}

/* ---- reading ---- */

static struct db *borrow(struct store_sqlite *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->readers == 0)
        pthread_cond_wait(&self->free, &self->lock);
    struct db *db = self->reader[--self->readers];
    pthread_mutex_unlock(&self->lock);
    db_clear(db);
    return db;
}

static void give_back(struct store_sqlite *self, struct db *db)
{
    if (db_status(db) != STORE_OK) log_error("store", "read=\"%s\"", db_fault(db));
    pthread_mutex_lock(&self->lock);
    self->reader[self->readers++] = db;
    pthread_cond_signal(&self->free);
    pthread_mutex_unlock(&self->lock);
}

/* The job that the query finds. */
static enum store_status read_one(struct db *db, struct db_query *query, struct job_record *ret)
{
    enum store_status status = STORE_NOT_FOUND;
    if (db_row(query)) row_read(query, db, ret), status = STORE_OK;
    db_query_end(query);
    return db_status(db) == STORE_OK ? status : db_status(db);
}

static enum store_status sqlite_get(struct store *store, const struct scope *scope, const char *id,
                                    unsigned parts, struct job_record *ret_record)
{
    struct store_sqlite *self = self_of(store);
    struct db *db = borrow(self);
    struct job_record record = {0};
    struct db_query *query = db_query(db, "SELECT " ROW_COLUMNS " FROM job WHERE id = ?1");
    db_bind_text(query, id);
    db_bind_int(query, parts);
    enum store_status status = read_one(db, query, &record);
    give_back(self, db);
    if (status == STORE_OK && !scope_has(scope, record.owner, record.shared)) {
        job_record_done(&record);
        status = STORE_NOT_FOUND;
    }
    if (status == STORE_OK) *ret_record = record;
    return status;
}

static enum store_status sqlite_find_key(struct store *store, const char *owner, const char *key,
                                         struct job_record *ret_record)
{
    struct store_sqlite *self = self_of(store);
    struct db *db = borrow(self);
    struct job_record record = {0};
    struct db_query *query = db_query(db, "SELECT " ROW_COLUMNS
                                          " FROM job INDEXED BY job_key"
                                          " WHERE owner = ?1 AND idempotency_key = ?3");
    db_bind_text(query, owner);
    db_bind_int(query, PART_REQUEST);
    db_bind_text(query, key);
    const enum store_status status = read_one(db, query, &record);
    give_back(self, db);
    if (status == STORE_OK) *ret_record = record;
    return status;
}

static enum store_status sqlite_list(struct store *store, const struct store_filter *filter,
                                     struct job_page *ret_page)
{
    struct store_sqlite *self = self_of(store);
    struct db *db = borrow(self);
    const enum store_status status = list_read(db, filter, ret_page);
    give_back(self, db);
    return status;
}

static enum store_status sqlite_recover(struct store *store, store_visit *visit, void *context)
{
    struct store_sqlite *self = self_of(store);
    struct db *db = borrow(self);
    const enum store_status status = recover_read(db, visit, context);
    give_back(self, db);
    return status;
}

static uint64_t sqlite_last_position(struct store *store)
{
    return atomic_load(&self_of(store)->last_position);
}

/* ---- writing ---- */

/* What is written to files that were removed or replaced is lost, and whoever replaced them may be
 * at work on them. So nothing more is kept, nor waited for, until a restart. */
static bool is_replaced(struct store_sqlite *self)
{
    const char *path = self->replaced ? NULL : folder_replaced(&self->folder);
    if (path == NULL) return self->replaced;
    char text[LOG_QUOTED_SIZE];
    log_error("store", "state=replaced file=%s", log_quote(path, text));
    store_writer_give_up(self->writer);
    return self->replaced = true;
}

static enum store_status commit(void *context, struct store_write *const *writes, size_t count,
                                enum store_status *statuses)
{
    struct store_sqlite *self = context;
    struct changes *changes = &self->changes;
    if (is_replaced(self)) return STORE_BROKEN;
    const bool lacked_room = changes->lacks_room;
    const enum store_status status = changes_commit(changes, writes, count, statuses);
    if (status == STORE_OK) atomic_store(&self->last_position, changes->totals.last_position);
    if (changes->lacks_room && !lacked_room)
        log_error("store", "state=full room=%llu", (unsigned long long)changes->room);
    if (!changes->lacks_room && lacked_room) log_info("store", "state=recovered");
    return status;
}

/* The log begins anew once it is copied; until then it grows. Where there is little room it is
 * copied often, since the file may have to grow for it. */
static void rest(void *context)
{
    struct store_sqlite *self = context;
    struct db *db = self->changes.db;
    if (is_replaced(self)) return;
    const int pages = db_log_pages(db);
    const bool tight = pages > TIGHT_PAGES && changes_are_tight(&self->changes);
    if (pages < self->log_limit && !tight && db_status(db) == STORE_OK) return;
    db_checkpoint(db);
    self->log_limit = db_log_pages(db) + LOG_PAGES;
}

static const char *fault(void *context)
{
    const struct store_sqlite *self = context;
    return self->replaced ? "a file of the store was removed or replaced"
                          : db_fault(self->changes.db);
}

static void sqlite_submit(struct store *store, struct store_write *write)
{
    store_writer_submit(self_of(store)->writer, write);
}

static bool sqlite_withdraw(struct store *store, struct store_write *write)
{
    return store_writer_withdraw(self_of(store)->writer, write);
}

static void sqlite_hurry(struct store *store, const char *id)
{
    store_writer_hurry(self_of(store)->writer, id);
}

static void sqlite_give_up(struct store *store)
{
    store_writer_give_up(self_of(store)->writer);
}

/* ---- life ---- */

static void close_readers(struct store_sqlite *self)
{
    while (self->readers > 0)
        db_close(self->reader[--self->readers]);
}

/* Also of one that was not opened to the end. */
static void sqlite_close(struct store *store)
{
    struct store_sqlite *self = self_of(store);
    if (self->writer != NULL) store_writer_close(self->writer);
    close_readers(self);
    const bool intact = !self->replaced && folder_replaced(&self->folder) == NULL;
    if (self->writer != NULL && intact) db_checkpoint_last(self->changes.db);
    db_close(self->changes.db);
    folder_close(&self->folder);
    pthread_cond_destroy(&self->free);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static bool complain(const struct store_sqlite *self, const char *fault_text)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", self->folder.database, fault_text);
    return false;
}

static void tell_created(const struct folder *folder)
{
    char text[LOG_QUOTED_SIZE];
    log_info("store", "state=created file=%s", log_quote(folder->database, text));
}

/* The file as it is says whether it may be changed at all. */
static bool open_database(struct store_sqlite *self, const struct limits *limits)
{
    char text[200];
    if (!check_file(self->folder.database)) return false;
    if (self->folder.created) tell_created(&self->folder);
    struct db *db = db_open(self->folder.database, DB_WRITES, text, sizeof text);
    self->changes.db = db;
    if (db == NULL) return complain(self, text);
    const enum schema_state state = schema_state(db);
    if (state == SCHEMA_NEWER || state == SCHEMA_FOREIGN)
        return complain(self, schema_state_text(state));
    db_run_text(db, "PRAGMA journal_mode=WAL");
    schema_migrate(db);
    if (changes_open(&self->changes, db, self->folder.database, limits))
        check_contents(db, &self->changes.totals);
    folder_watch_log(&self->folder);
    return db_status(db) == STORE_OK || complain(self, db_fault(db));
}

static bool open_readers(struct store_sqlite *self)
{
    char text[200];
    while (self->readers < READERS) {
        struct db *db = db_open(self->folder.database, DB_READS, text, sizeof text);
        if (db == NULL) return complain(self, text);
        self->reader[self->readers++] = db;
    }
    return true;
}

static bool start_writer(struct store_sqlite *self)
{
    const struct store_writer_backend backend = {
        .context = self, .commit = commit, .rest = rest, .fault = fault};
    self->log_limit = LOG_PAGES;
    atomic_store(&self->last_position, self->changes.totals.last_position);
    self->writer = store_writer_open(&backend);
    return self->writer != NULL || complain(self, "memory or threads are out");
}

struct store *store_sqlite_open(const char *folder, const struct limits *limits)
{
    static const struct store_operations operations = {
        .scheme = "sqlite:",
        .durable = true,
        .get = sqlite_get,
        .find_key = sqlite_find_key,
        .list = sqlite_list,
        .last_position = sqlite_last_position,
        .recover = sqlite_recover,
        .submit = sqlite_submit,
        .withdraw = sqlite_withdraw,
        .hurry = sqlite_hurry,
        .give_up = sqlite_give_up,
        .close = sqlite_close,
    };
    struct store_sqlite *self = calloc(1, sizeof *self);
    if (self == NULL) {
        fprintf(stderr, "gradcheckd: memory is out\n");
        return NULL;
    }
    self->store.operations = &operations;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->free, NULL);
    if (folder_open(&self->folder, folder) && open_database(self, limits) && open_readers(self) &&
        start_writer(self))
        return &self->store;
    sqlite_close(&self->store);
    return NULL;
}
