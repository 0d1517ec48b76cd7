#include "server/store_sqlite_change.h"
#include "server/clock.h"
#include "server/store_sqlite_folder.h"
#include "server/store_sqlite_kept.h"
#include "server/store_sqlite_row.h"

#include <string.h>

/* What pruning may take at a time. */
enum { PRUNE_JOBS = 200, PRUNE_NS = 10000000 };

#define RESERVE_BYTES UINT64_C(8000000)
#define TIGHT_BYTES UINT64_C(70000000)
#define PAGE_BYTES 4096

static void account(struct totals *totals, const struct kept *kept, bool added)
{
    const bool ended = job_state_is_final(kept->state);
    const uint64_t one = 1;
    *(ended ? &totals->finished : &totals->active) += added ? one : -one;
    *(ended ? &totals->finished_bytes : &totals->active_bytes) +=
        added ? kept->bytes : -kept->bytes;
}

/* ---- jobs ---- */

static void remove_job(struct changes *changes, const struct kept *kept)
{
    kept_remove(changes->db, kept);
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

/* A job is written twice, to the log and to the file. */
static bool take_disk(struct changes *changes, size_t bytes)
{
    changes->lacks_room = changes->room / 2 < bytes;
    if (!changes->lacks_room) changes->room -= 2 * bytes;
    return !changes->lacks_room;
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
    if (!has_room(changes, bytes) || !row_fits(record, 0) || !take_disk(changes, bytes))
        return STORE_FULL;
    if (insert_job(db, record) == DB_CONFLICT) return STORE_BROKEN; /* its id or position */
    insert_request(db, record);
    struct kept kept = {.position = record->position, .kind = record->kind, .bytes = bytes};
    memcpy(kept.owner, record->owner, sizeof kept.owner);
    kept.state = row_state(record->state);
    kept_add_labels(db, &kept, &record->labels);
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
    if (state != kept->state) kept_move_labels(db, kept, state);
    if (state != kept->state || write->resets) kept_remove_grains(db, kept->position);
    kept->state = state;
    account(&changes->totals, kept, true);
    return STORE_OK;
}

static enum store_status put(struct changes *changes, const struct store_write *write)
{
    struct kept kept;
    enum store_status status = STORE_NOT_FOUND;
    if (!row_is_sound(&write->record)) return STORE_BROKEN;
    if (kept_find(changes->db, write->record.id, &kept))
        status = job_state_is_final(kept.state) ? put_ended(changes->db, &kept, &write->record)
                                                : put_active(changes, &kept, write);
    kept_done(&kept);
    return status;
}

static enum store_status removal(struct changes *changes, const struct store_write *write)
{
    struct kept kept;
    enum store_status status = STORE_NOT_FOUND;
    if (kept_find(changes->db, write->record.id, &kept) &&
        scope_has(&write->scope, kept.owner, kept.shared)) {
        remove_job(changes, &kept);
        status = STORE_OK;
    }
    kept_done(&kept);
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
    const bool found = kept_find(changes->db, write->record.id, &kept);
    if (found && !job_state_is_final(kept.state)) {
        keep_attempts(changes->db, kept.position, grain);
        if (grain->bytes != NULL) keep_bytes(changes->db, kept.position, grain);
    }
    kept_done(&kept);
    return STORE_OK;
}

/* ---- pruning ---- */

static bool is_beyond(const struct changes *changes, const struct kept *kept, int64_t now_ms)
{
    const struct limits *limits = &changes->limits;
    const struct totals *totals = &changes->totals;
    return totals->finished > limits->retain_jobs ||
           totals->finished_bytes + totals->active_bytes > limits->retain_bytes ||
           now_ms - kept->finished_ms > limits->retain_days * CLOCK_DAY_MS;
}

static size_t prune(struct changes *changes, int64_t now_ms)
{
    const int64_t end_ns = clock_monotonic_ns() + PRUNE_NS;
    size_t removed = 0;
    bool beyond = true;
    while (beyond && removed < PRUNE_JOBS && (removed == 0 || clock_monotonic_ns() < end_ns)) {
        struct kept kept;
        beyond = kept_first_to_finish(changes->db, &kept) && is_beyond(changes, &kept, now_ms);
        if (beyond) remove_job(changes, &kept);
        if (beyond) removed++;
        kept_done(&kept);
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

bool changes_open(struct changes *changes, struct db *db, const char *file,
                  const struct limits *limits)
{
    *changes = (struct changes){.db = db, .file = file, .limits = *limits};
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

/* Bytes on the disk that new jobs may take: the rest is for the log to be copied into the file, and
 * for what deletes. */
static uint64_t room_on_disk(const struct changes *changes)
{
    const uint64_t room = folder_room(changes->file);
    const uint64_t kept = RESERVE_BYTES + (uint64_t)db_log_pages(changes->db) * PAGE_BYTES;
    return room > kept ? room - kept : 0;
}

bool changes_are_tight(const struct changes *changes)
{
    return room_on_disk(changes) < TIGHT_BYTES;
}

/* The same, and what is free in the file. */
static uint64_t room_for_jobs(const struct changes *changes)
{
    const uint64_t room = room_on_disk(changes);
    if (room >= TIGHT_BYTES) return room;
    return room + (uint64_t)db_number(changes->db, "PRAGMA freelist_count") * PAGE_BYTES;
}

enum store_status changes_commit(struct changes *changes, struct store_write *const *writes,
                                 size_t count, enum store_status *statuses)
{
    struct db *db = changes->db;
    const struct totals before = changes->totals;
    db_clear(db);
    db_begin_write(db);
    changes->room = room_for_jobs(changes);
    for (size_t i = 0; i < count && db_status(db) == STORE_OK; i++)
        statuses[i] = make(changes, writes[i]);
    if (memcmp(&before, &changes->totals, sizeof before) != 0) save_totals(db, &changes->totals);
    if (db_end(db)) return STORE_OK;
    changes->totals = before;
    return db_status(db);
}
