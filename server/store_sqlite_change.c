#include "server/store_sqlite_change.h"
#include "server/clock.h"
#include "server/store_sqlite_row.h"

#include <stdlib.h>
#include <string.h>

/* What pruning may take at a time. */
enum { PRUNE_JOBS = 200, PRUNE_NS = 10000000 };

#define DAY_MS INT64_C(86400000)

/* What a change has to know of the job as it is. */
struct kept {
    uint64_t position;
    char owner[NAME_SIZE];
    enum job_kind kind;
    enum job_state state;
    bool shared;
    int64_t finished_ms;
    uint64_t bytes;
    uint64_t summary, error, result, parameters; /* their sizes */
    struct blob *labels;                         /* packed; owned */
};

#define KEPT_COLUMNS                                                                          \
    "position, owner, kind, state, shared, finished_ms, bytes,"                               \
    " coalesce(length(summary), 0), coalesce(length(error), 0), coalesce(length(result), 0)," \
    " coalesce(length(parameters), 0), labels"

static void read_kept(struct db_query *query, struct kept *kept)
{
    kept->position = db_size(query, INT64_MAX);
    db_text(query, kept->owner, sizeof kept->owner);
    kept->kind = (enum job_kind)db_size(query, JOB_TRAINING);
    kept->state = (enum job_state)db_size(query, JOB_CANCELLED);
    kept->shared = db_int(query) != 0;
    kept->finished_ms = db_int(query);
    kept->bytes = db_size(query, INT64_MAX);
    kept->summary = db_size(query, INT64_MAX);
    kept->error = db_size(query, INT64_MAX);
    kept->result = db_size(query, INT64_MAX);
    kept->parameters = db_size(query, INT64_MAX);
    kept->labels = db_blob(query);
}

/* False when there is none, or after a fault. */
static bool find_kept(struct db *db, const char *id, struct kept *kept)
{
    struct db_query *query = db_query(db, "SELECT " KEPT_COLUMNS " FROM job WHERE id = ?1");
    *kept = (struct kept){0};
    db_bind_text(query, id);
    const bool found = db_row(query);
    if (found) read_kept(query, kept);
    db_query_end(query);
    return found && db_status(db) == STORE_OK;
}

static void account(struct totals *totals, const struct kept *kept, bool added)
{
    const bool ended = job_state_is_final(kept->state);
    const uint64_t one = 1;
    *(ended ? &totals->finished : &totals->active) += added ? one : -one;
    *(ended ? &totals->finished_bytes : &totals->active_bytes) +=
        added ? kept->bytes : -kept->bytes;
}

/* ---- labels ---- */

static void bind_label(struct db_query *query, const struct kept *kept, const struct label *label)
{
    db_bind_text(query, kept->owner);
    db_bind_text(query, label->name);
    db_bind_text(query, label->value);
    db_bind_int(query, kept->state);
    db_bind_int(query, kept->kind);
    db_bind_size(query, kept->position);
}

#define LABEL_IS                                                               \
    "owner = ?1 AND name = ?2 AND value = ?3 AND state = ?4 AND kind = ?5 AND" \
    " position = ?6"

static void insert_labels(struct db *db, const struct kept *kept, const struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        struct db_query *query = db_query(db,
                                          "INSERT INTO label (owner, name, value, state, kind,"
                                          " position) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        bind_label(query, kept, &labels->label[i]);
        db_run(query);
    }
}

/* They follow the job's state, or go with it. */
static void move_labels(struct db *db, const struct kept *kept, enum job_state state)
{
    struct labels labels;
    row_unpack_labels(db, kept->labels, &labels);
    for (size_t i = 0; i < labels.count; i++) {
        struct db_query *query = db_query(db, "UPDATE label SET state = ?7 WHERE " LABEL_IS);
        bind_label(query, kept, &labels.label[i]);
        db_bind_int(query, state);
        db_run(query);
    }
    free(labels.label);
}

static void remove_labels(struct db *db, const struct kept *kept)
{
    struct labels labels;
    row_unpack_labels(db, kept->labels, &labels);
    for (size_t i = 0; i < labels.count; i++) {
        struct db_query *query = db_query(db, "DELETE FROM label WHERE " LABEL_IS);
        bind_label(query, kept, &labels.label[i]);
        db_run(query);
    }
    free(labels.label);
}

/* ---- jobs ---- */

static void run_at(struct db *db, const char *sql, uint64_t position)
{
    struct db_query *query = db_query(db, sql);
    db_bind_size(query, position);
    db_run(query);
}

static void remove_grains(struct db *db, uint64_t position)
{
    run_at(db, "DELETE FROM grain WHERE position = ?1", position);
    run_at(db, "DELETE FROM partial WHERE position = ?1", position);
}

static void remove_job(struct changes *changes, const struct kept *kept)
{
    struct db *db = changes->db;
    remove_labels(db, kept);
    if (!job_state_is_final(kept->state)) remove_grains(db, kept->position);
    run_at(db, "DELETE FROM request WHERE position = ?1", kept->position);
    run_at(db, "DELETE FROM job WHERE position = ?1", kept->position);
    account(&changes->totals, kept, false);
}

static bool is_key_taken(struct db *db, const struct job_record *record)
{
    struct db_query *query = db_query(db,
                                      "SELECT 1 FROM job INDEXED BY job_key"
                                      " WHERE owner = ?1 AND idempotency_key = ?2");
    db_bind_text(query, record->owner);
    db_bind_text(query, record->idempotency_key);
    const bool taken = db_row(query);
    db_query_end(query);
    return taken;
}

/* Beside those that have not ended; the others make room. */
static bool has_room(const struct changes *changes, size_t bytes)
{
    const struct totals *totals = &changes->totals;
    const struct limits *limits = &changes->limits;
    return totals->active < limits->active_jobs && bytes <= limits->retain_bytes &&
           totals->active_bytes <= limits->retain_bytes - bytes;
}

static void insert_request(struct db *db, const struct job_record *record)
{
    if (record->request == NULL) return;
    struct db_query *query = db_query(db, "INSERT INTO request (position, body) VALUES (?1, ?2)");
    db_bind_size(query, record->position);
    db_bind_blob(query, record->request);
    db_run(query);
}

static enum db_outcome insert_job(struct db *db, const struct job_record *record)
{
    struct blob *labels = row_pack_labels(db, &record->labels);
    struct db_query *query = db_query(db, ROW_INSERT);
    row_bind_changes(query, record->position, record, job_record_bytes(record));
    row_bind_constants(query, record, labels);
    const enum db_outcome outcome = db_change(query);
    blob_unref(labels);
    return outcome;
}

static enum store_status add(struct changes *changes, const struct job_record *record)
{
    struct db *db = changes->db;
    const size_t bytes = job_record_bytes(record);
    if (record->idempotency_key[0] != '\0' && is_key_taken(db, record)) return STORE_KEY_TAKEN;
    if (!row_is_sound(record)) return STORE_BROKEN;
    if (!has_room(changes, bytes) || !row_fits(record, 0)) return STORE_FULL;
    if (insert_job(db, record) == DB_CONFLICT) return STORE_BROKEN; /* its id or position */
    insert_request(db, record);
    struct kept kept = {.position = record->position, .kind = record->kind, .bytes = bytes};
    memcpy(kept.owner, record->owner, sizeof kept.owner);
    kept.state = row_state(record->state);
    insert_labels(db, &kept, &record->labels);
    account(&changes->totals, &kept, true);
    if (changes->totals.last_position < record->position)
        changes->totals.last_position = record->position;
    return STORE_OK;
}

/* Once a job has ended, only who may see it changes. */
static enum store_status put_ended(struct db *db, const struct kept *kept,
                                   const struct job_record *record)
{
    if (record->state != kept->state) return STORE_NOT_FOUND;
    struct db_query *query =
        db_query(db,
                 "UPDATE job SET shared = ?2, version = ?3, event_sequence = ?4"
                 " WHERE position = ?1");
    db_bind_size(query, kept->position);
    db_bind_int(query, record->shared);
    db_bind_size(query, record->version);
    db_bind_size(query, record->event_sequence);
    db_run(query);
    return STORE_OK;
}

static uint64_t replaced(uint64_t bytes, uint64_t kept, const struct blob *part)
{
    return part == NULL ? bytes : bytes - kept + blob_size(part);
}

static uint64_t bytes_after(const struct kept *kept, const struct job_record *record)
{
    uint64_t bytes = kept->bytes;
    bytes = replaced(bytes, kept->summary, record->summary);
    bytes = replaced(bytes, kept->error, record->error);
    bytes = replaced(bytes, kept->result, record->result);
    return replaced(bytes, kept->parameters, record->parameters);
}

static enum store_status put_active(struct changes *changes, struct kept *kept,
                                    const struct store_write *write)
{
    struct db *db = changes->db;
    const struct job_record *record = &write->record;
    if (!row_fits(record, kept->summary + kept->error + kept->result + kept->parameters))
        return STORE_FULL;
    const enum job_state state = row_state(record->state);
    account(&changes->totals, kept, false);
    struct db_query *query = db_query(db, ROW_UPDATE);
    kept->bytes = bytes_after(kept, record);
    row_bind_changes(query, kept->position, record, kept->bytes);
    db_run(query);
    if (state != kept->state) move_labels(db, kept, state);
    if (state != kept->state || write->resets) remove_grains(db, kept->position);
    kept->state = state;
    account(&changes->totals, kept, true);
    return STORE_OK;
}

static enum store_status put(struct changes *changes, const struct store_write *write)
{
    struct kept kept;
    enum store_status status = STORE_NOT_FOUND;
    if (!row_is_sound(&write->record)) return STORE_BROKEN;
    if (find_kept(changes->db, write->record.id, &kept))
        status = job_state_is_final(kept.state) ? put_ended(changes->db, &kept, &write->record)
                                                : put_active(changes, &kept, write);
    blob_unref(kept.labels);
    return status;
}

static enum store_status removal(struct changes *changes, const struct store_write *write)
{
    struct kept kept;
    enum store_status status = STORE_NOT_FOUND;
    if (find_kept(changes->db, write->record.id, &kept) &&
        scope_has(&write->scope, kept.owner, kept.shared)) {
        remove_job(changes, &kept);
        status = STORE_OK;
    }
    blob_unref(kept.labels);
    return status;
}

/* ---- what is kept of a job's work ---- */

static void keep_attempts(struct db *db, uint64_t position, const struct store_grain *grain)
{
    struct db_query *query =
        db_query(db,
                 "INSERT INTO grain (position, number, attempts) VALUES (?1, ?2, ?3)"
                 " ON CONFLICT (position, number) DO UPDATE SET attempts = excluded.attempts");
    db_bind_size(query, position);
    db_bind_size(query, grain->index);
    db_bind_int(query, grain->attempts);
    db_run(query);
}

static void keep_bytes(struct db *db, uint64_t position, const struct store_grain *grain)
{
    struct db_query *query =
        db_query(db,
                 "INSERT INTO partial (position, number, bytes) VALUES (?1, ?2, ?3)"
                 " ON CONFLICT (position, number) DO UPDATE SET bytes = excluded.bytes");
    db_bind_size(query, position);
    db_bind_size(query, grain->index);
    db_bind_bytes(query, grain->size > 0 ? grain->bytes : "", grain->size);
    db_run(query);
}

static enum store_status keep_grain(struct changes *changes, const struct store_write *write)
{
    const struct store_grain *grain = &write->grain;
    const struct job_record sizes = {0};
    struct kept kept;
    if (grain->index > INT64_MAX) return STORE_BROKEN;
    if (!row_fits(&sizes, grain->size)) return STORE_FULL;
    const bool found = find_kept(changes->db, write->record.id, &kept);
    if (found && !job_state_is_final(kept.state)) {
        keep_attempts(changes->db, kept.position, grain);
        if (grain->bytes != NULL) keep_bytes(changes->db, kept.position, grain);
    }
    blob_unref(kept.labels);
    return STORE_OK;
}

/* ---- pruning ---- */

static bool first_to_finish(struct db *db, struct kept *kept)
{
    struct db_query *query = db_query(db, "SELECT " KEPT_COLUMNS
                                          " FROM job INDEXED BY job_finished WHERE state > 1"
                                          " ORDER BY finished_ms, position LIMIT 1");
    *kept = (struct kept){0};
    const bool found = db_row(query);
    if (found) read_kept(query, kept);
    db_query_end(query);
    return found && db_status(db) == STORE_OK;
}

static bool is_beyond(const struct changes *changes, const struct kept *kept, int64_t now_ms)
{
    const struct limits *limits = &changes->limits;
    const struct totals *totals = &changes->totals;
    return totals->finished > limits->retain_jobs ||
           totals->finished_bytes + totals->active_bytes > limits->retain_bytes ||
           now_ms - kept->finished_ms > limits->retain_days * DAY_MS;
}

static size_t prune(struct changes *changes, int64_t now_ms)
{
    const int64_t end_ns = clock_monotonic_ns() + PRUNE_NS;
    size_t removed = 0;
    bool beyond = true;
    while (beyond && removed < PRUNE_JOBS && (removed == 0 || clock_monotonic_ns() < end_ns)) {
        struct kept kept;
        beyond = first_to_finish(changes->db, &kept) && is_beyond(changes, &kept, now_ms);
        if (beyond) remove_job(changes, &kept);
        if (beyond) removed++;
        blob_unref(kept.labels);
    }
    return removed;
}

/* ---- transactions ---- */

static enum store_status make(struct changes *changes, struct store_write *write)
{
    switch (write->change) {
    case STORE_ADD:
        return add(changes, &write->record);
    case STORE_PUT:
        return put(changes, write);
    case STORE_REMOVE:
        return removal(changes, write);
    case STORE_GRAIN:
        return keep_grain(changes, write);
    case STORE_PRUNE:
        write->removed = prune(changes, write->now_ms);
        return STORE_OK;
    }
    return STORE_BROKEN;
}

static void save_totals(struct db *db, const struct totals *totals)
{
    struct db_query *query =
        db_query(db,
                 "UPDATE totals SET last_position = ?1, active = ?2, active_bytes = ?3,"
                 " finished = ?4, finished_bytes = ?5 WHERE one = 1");
    db_bind_size(query, totals->last_position);
    db_bind_size(query, totals->active);
    db_bind_size(query, totals->active_bytes);
    db_bind_size(query, totals->finished);
    db_bind_size(query, totals->finished_bytes);
    db_run(query);
}

bool changes_open(struct changes *changes, struct db *db, const struct limits *limits)
{
    *changes = (struct changes){.db = db, .limits = *limits};
    struct totals *totals = &changes->totals;
    struct db_query *query =
        db_query(db,
                 "SELECT last_position, active, active_bytes, finished, finished_bytes"
                 " FROM totals WHERE one = 1");
    if (!db_row(query)) return db_fail(db, STORE_BROKEN, "the row of totals is missing");
    totals->last_position = db_size(query, INT64_MAX);
    totals->active = db_size(query, INT64_MAX);
    totals->active_bytes = db_size(query, INT64_MAX);
    totals->finished = db_size(query, INT64_MAX);
    totals->finished_bytes = db_size(query, INT64_MAX);
    db_query_end(query);
    return db_status(db) == STORE_OK;
}

enum store_status changes_commit(struct changes *changes, struct store_write *const *writes,
                                 size_t count, enum store_status *statuses)
{
    struct db *db = changes->db;
    const struct totals before = changes->totals;
    db_clear(db);
    db_begin_write(db);
    for (size_t i = 0; i < count && db_status(db) == STORE_OK; i++)
        statuses[i] = make(changes, writes[i]);
    if (memcmp(&before, &changes->totals, sizeof before) != 0) save_totals(db, &changes->totals);
    if (db_end(db)) return STORE_OK;
    changes->totals = before;
    return db_status(db);
}
