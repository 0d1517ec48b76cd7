#include "server/store_sqlite_row.h"

#include <stdlib.h>
#include <string.h>

/* SQLite takes a row of 10^9 bytes; some are for the small columns. */
#define ROW_BYTES 999000000

enum job_state row_state(enum job_state state)
{
    return job_state_is_final(state) ? state : JOB_QUEUED;
}

bool row_fits(const struct job_record *record, size_t kept_bytes)
{
    const struct blob *const parts[] = {record->result, record->parameters, record->summary,
                                        record->error};
    size_t room = ROW_BYTES;
    if (blob_size(record->request) > room || kept_bytes > room) return false;
    room -= kept_bytes;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (blob_size(parts[i]) > room) return false;
        room -= blob_size(parts[i]);
    }
    return true;
}

bool row_is_sound(const struct job_record *record)
{
    const uint64_t all = record->position | record->version | record->event_sequence |
                         record->done | record->total | record->cut.format |
                         record->cut.block_rows | record->cut.block_count |
                         record->cut.grain_operations | record->cut.grain_count;
    return all <= INT64_MAX;
}

/* ---- labels ---- */

struct blob *row_pack_labels(struct db *db, const struct labels *labels)
{
    struct buf buf = {.limit = LABELS_MAX * sizeof(struct label)};
    bool packed = true;
    if (labels->count == 0) return NULL;
    for (size_t i = 0; packed && i < labels->count; i++) {
        const struct label *label = &labels->label[i];
        packed = buf_append(&buf, label->name, strlen(label->name) + 1) &&
                 buf_append(&buf, label->value, strlen(label->value) + 1);
    }
    struct blob *blob = packed ? blob_from_buf(&buf) : NULL;
    buf_done(&buf);
    if (blob == NULL) db_fail(db, STORE_MEMORY, "memory is out");
    return blob;
}

/* The text that begins at *at, which moves behind it; false when it does not end, or not fit. */
static bool unpack(const struct blob *packed, size_t *at, char *text, size_t size)
{
    const char *begin = packed->data + *at;
    const char *end = *at < packed->size ? memchr(begin, '\0', packed->size - *at) : NULL;
    if (end == NULL || (size_t)(end - begin) >= size) return false;
    memcpy(text, begin, (size_t)(end - begin) + 1);
    *at += (size_t)(end - begin) + 1;
    return true;
}

bool row_unpack_labels(struct db *db, const struct blob *packed, struct labels *ret)
{
    size_t ends = 0, at = 0;
    *ret = (struct labels){0};
    for (size_t i = 0; packed != NULL && i < packed->size; i++)
        ends += packed->data[i] == '\0';
    if (ends / 2 == 0) return true;
    struct label *label = calloc(ends / 2, sizeof *label);
    if (label == NULL) return db_fail(db, STORE_MEMORY, "memory is out");
    for (size_t i = 0; i < ends / 2; i++) {
        if (unpack(packed, &at, label[i].name, sizeof label[i].name) &&
            unpack(packed, &at, label[i].value, sizeof label[i].value))
            continue;
        free(label);
        return db_fail(db, STORE_BROKEN, "stored labels are not in order");
    }
    *ret = (struct labels){ends / 2, label};
    return true;
}

/* ---- columns ---- */

static void read_state(struct db_query *query, struct job_record *record)
{
    record->kind = (enum job_kind)db_size(query, JOB_KINDS - 1);
    record->state = (enum job_state)db_size(query, JOB_CANCELLED);
    record->priority = (enum job_priority)db_size(query, PRIORITY_HIGH);
    record->shared = db_int(query) != 0;
    record->cancel_requested = db_int(query) != 0;
    record->created_ms = db_int(query);
    record->started_ms = db_int(query);
    record->finished_ms = db_int(query);
    record->version = db_size(query, INT64_MAX);
    record->event_sequence = db_size(query, INT64_MAX);
    record->attempts = (uint32_t)db_size(query, UINT32_MAX);
    record->done = db_size(query, INT64_MAX);
    record->total = db_size(query, INT64_MAX);
    record->seconds = db_double(query);
}

static void read_cut(struct db_query *query, struct job_cut *cut)
{
    cut->format = db_size(query, INT64_MAX);
    cut->block_rows = db_size(query, INT64_MAX);
    cut->block_count = db_size(query, INT64_MAX);
    cut->grain_operations = db_size(query, INT64_MAX);
    cut->grain_count = db_size(query, INT64_MAX);
}

bool row_read(struct db_query *query, struct db *db, struct job_record *ret)
{
    struct job_record record = {.position = db_size(query, INT64_MAX)};
    db_text(query, record.id, sizeof record.id);
    db_text(query, record.owner, sizeof record.owner);
    read_state(query, &record);
    read_cut(query, &record.cut);
    db_text(query, record.signature, sizeof record.signature);
    db_text(query, record.idempotency_key, sizeof record.idempotency_key);
    struct blob *labels = db_blob(query);
    row_unpack_labels(db, labels, &record.labels);
    blob_unref(labels);
    record.summary = db_blob(query);
    record.error = db_blob(query);
    record.request = db_blob(query);
    record.result = db_blob(query);
    record.parameters = db_blob(query);
    if (db_status(db) != STORE_OK) job_record_done(&record);
    *ret = record;
    return db_status(db) == STORE_OK;
}

static void bind_cut(struct db_query *query, const struct job_cut *cut)
{
    db_bind_size(query, cut->format);
    db_bind_size(query, cut->block_rows);
    db_bind_size(query, cut->block_count);
    db_bind_size(query, cut->grain_operations);
    db_bind_size(query, cut->grain_count);
}

void row_bind_changes(struct db_query *query, uint64_t position, const struct job_record *record,
                      size_t bytes)
{
    db_bind_size(query, position);
    db_bind_int(query, row_state(record->state));
    db_bind_int(query, record->priority);
    db_bind_int(query, record->shared);
    db_bind_int(query, record->cancel_requested);
    db_bind_int(query, record->created_ms);
    db_bind_int(query, record->started_ms);
    db_bind_int(query, record->finished_ms);
    db_bind_size(query, record->version);
    db_bind_size(query, record->event_sequence);
    db_bind_int(query, record->attempts);
    db_bind_size(query, record->done);
    db_bind_size(query, record->total);
    db_bind_double(query, record->seconds);
    bind_cut(query, &record->cut);
    db_bind_text(query, record->signature);
    db_bind_size(query, bytes);
    db_bind_blob(query, record->summary);
    db_bind_blob(query, record->error);
    db_bind_blob(query, record->result);
    db_bind_blob(query, record->parameters);
}

void row_bind_constants(struct db_query *query, const struct job_record *record,
                        const struct blob *labels)
{
    db_bind_text(query, record->id);
    db_bind_text(query, record->owner);
    db_bind_int(query, record->kind);
    db_bind_text(query, record->idempotency_key[0] == '\0' ? NULL : record->idempotency_key);
    db_bind_blob(query, labels);
}
