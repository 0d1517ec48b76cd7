/* A job's record as columns, and back. Whoever has the connection; the rest any thread. */
#ifndef GRADCHECKD_STORE_SQLITE_ROW_H
#define GRADCHECKD_STORE_SQLITE_ROW_H

#include "server/store_sqlite_db.h"

/* What row_read takes, in its order; ?2 is the mask of parts. */
#define ROW_COLUMNS                                                                      \
    "position, id, owner, kind, state, priority, shared, cancel_requested, created_ms,"  \
    " started_ms, finished_ms, version, event_sequence, attempts, done, total, seconds," \
    " cut_format, block_rows, block_count, grain_operations, grain_count, signature,"    \
    " idempotency_key, labels, summary, error,"                                          \
    " CASE WHEN ?2 & 1 THEN"                                                             \
    "  (SELECT body FROM request WHERE request.position = job.position) END,"            \
    " CASE WHEN ?2 & 2 THEN result END, CASE WHEN ?2 & 4 THEN parameters END"

/* The row that the query has come to; *ret is empty after a fault. */
bool row_read(struct db_query *query, struct db *db, struct job_record *ret);

/* Labels as one string of bytes: name, 0, value, 0, and so on; NULL without any, or (a fault) when
 * memory is out. */
struct blob *row_pack_labels(struct db *db, const struct labels *labels);
bool row_unpack_labels(struct db *db, const struct blob *packed, struct labels *ret);

/* Here a job is queued until it has ended. */
enum job_state row_state(enum job_state state);
/* Whether a row takes the parts, beside so many bytes that it has. */
bool row_fits(const struct job_record *record, size_t kept_bytes);
/* Whether a column takes each number; anything else is a bug of the caller's. */
bool row_is_sound(const struct job_record *record);

/* The columns from `id` on, but for `bytes`, as ROW_INSERT has them: of a new job, and those of one
 * that change, as ROW_UPDATE. */
#define ROW_INSERT                                                                           \
    "INSERT INTO job (position, state, priority, shared, cancel_requested, created_ms,"      \
    " started_ms, finished_ms, version, event_sequence, attempts, done, total, seconds,"     \
    " cut_format, block_rows, block_count, grain_operations, grain_count, signature, bytes," \
    " summary, error, result, parameters, id, owner, kind, idempotency_key, labels)"         \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"   \
    " ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)"
#define ROW_UPDATE                                                                             \
    "UPDATE job SET state = ?2, priority = ?3, shared = ?4, cancel_requested = ?5,"            \
    " created_ms = ?6, started_ms = ?7, finished_ms = ?8, version = ?9, event_sequence = ?10," \
    " attempts = ?11, done = ?12, total = ?13, seconds = ?14, cut_format = ?15,"               \
    " block_rows = ?16, block_count = ?17, grain_operations = ?18, grain_count = ?19,"         \
    " signature = ?20, bytes = ?21, summary = coalesce(?22, summary),"                         \
    " error = coalesce(?23, error), result = coalesce(?24, result),"                           \
    " parameters = coalesce(?25, parameters) WHERE position = ?1"
void row_bind_changes(struct db_query *query, uint64_t position, const struct job_record *record,
                      size_t bytes);
/* After those. */
void row_bind_constants(struct db_query *query, const struct job_record *record,
                        const struct blob *labels);

#endif
