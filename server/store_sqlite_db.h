/* The door to SQLite: connections, and the statements that each keeps prepared.
 *
 * Faults stick: what goes wrong is kept in the connection (db_status, db_fault) until db_clear, and
 * whatever follows does nothing. So a query needs no checks between its binds and columns: both are
 * taken in order, ?1 first. One thread at a time uses a connection. */
#ifndef GRADCHECKD_STORE_SQLITE_DB_H
#define GRADCHECKD_STORE_SQLITE_DB_H

#include "server/store.h"

enum db_mode { DB_WRITES, DB_READS };

struct db;
struct db_query;

/* NULL after a fault, which is told in `fault`. The file must be there. */
struct db *db_open(const char *path, enum db_mode mode, char *fault, size_t size);
/* Happy with NULL. */
void db_close(struct db *db);

void db_clear(struct db *db);
enum store_status db_status(const struct db *db);
const char *db_fault(const struct db *db);
/* Keeps the first fault; for what is found in the data. Returns false. */
bool db_fail(struct db *db, enum store_status status, const char *fault);

/* Several statements without results. */
bool db_run_text(struct db *db, const char *sql);
/* The first column of the first row; 0 for none. */
int64_t db_number(struct db *db, const char *sql);

bool db_begin_write(struct db *db);
bool db_begin_read(struct db *db);
/* Without a fault: commits; after one, or when that fails: takes all back, and returns false. */
bool db_end(struct db *db);

/* A prepared statement, kept by its text; one of the same text that is at work is left alone. */
struct db_query *db_query(struct db *db, const char *sql);
void db_bind_int(struct db_query *query, int64_t value);
/* A fault unless it fits. */
void db_bind_size(struct db_query *query, uint64_t value);
void db_bind_double(struct db_query *query, double value);
/* Texts and bytes are borrowed until the query has ended; NULL is NULL. */
void db_bind_text(struct db_query *query, const char *text);
void db_bind_bytes(struct db_query *query, const void *bytes, size_t size);
void db_bind_blob(struct db_query *query, const struct blob *blob);

/* Whether there is one more row; ends the query if not. */
bool db_row(struct db_query *query);
int64_t db_int(struct db_query *query);
/* A fault unless it lies within 0 and maximum. */
uint64_t db_size(struct db_query *query, uint64_t maximum);
double db_double(struct db_query *query);
/* Copies; a fault unless it fits. "" for NULL. */
void db_text(struct db_query *query, char *text, size_t size);
/* NULL for NULL, or after a fault. */
struct blob *db_blob(struct db_query *query);
/* What is left of the rows stays unread. */
void db_query_end(struct db_query *query);

enum db_outcome { DB_DONE, DB_CONFLICT /* with what must be unique: nothing changed */, DB_FAILED };
/* A query that changes something. */
enum db_outcome db_change(struct db_query *query);
/* The same, where nothing can be in the way. */
bool db_run(struct db_query *query);

/* Pages of 4 KiB in the log that may not be in the file yet. */
int db_log_pages(const struct db *db);
/* Copies the log into the file, and lets it begin anew; waits a little for those who read. */
void db_checkpoint(struct db *db);
/* The same before closing: the log goes. */
void db_checkpoint_last(struct db *db);

#endif
