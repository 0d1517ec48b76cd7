#include "server/store_sqlite_kept.h"
#include "server/store_sqlite_row.h"

#include <stdlib.h>

#define KEPT_COLUMNS                                                                          \
    "position, owner, kind, state, shared, finished_ms, bytes,"                               \
    " coalesce(length(summary), 0), coalesce(length(error), 0), coalesce(length(result), 0)," \
    " coalesce(length(parameters), 0), labels"

static void read_kept(struct db_query *query, struct kept *kept)
{
    kept->position = db_size(query, INT64_MAX);
    db_text(query, kept->owner, sizeof kept->owner);
    kept->kind = (enum job_kind)db_size(query, JOB_KINDS - 1);
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

bool kept_find(struct db *db, const char *id, struct kept *kept)
{
    struct db_query *query = db_query(db, "SELECT " KEPT_COLUMNS " FROM job WHERE id = ?1");
    *kept = (struct kept){0};
    db_bind_text(query, id);
    const bool found = db_row(query);
    if (found) read_kept(query, kept);
    db_query_end(query);
    return found && db_status(db) == STORE_OK;
}

bool kept_first_to_finish(struct db *db, struct kept *kept)
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

void kept_done(struct kept *kept)
{
    blob_unref(kept->labels);
    *kept = (struct kept){0};
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

void kept_add_labels(struct db *db, const struct kept *kept, const struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        struct db_query *query = db_query(db,
                                          "INSERT INTO label (owner, name, value, state, kind,"
                                          " position) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        bind_label(query, kept, &labels->label[i]);
        db_run(query);
    }
}

void kept_move_labels(struct db *db, const struct kept *kept, enum job_state state)
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

/* ---- all that belongs to a job ---- */

static void run_at(struct db *db, const char *sql, uint64_t position)
{
    struct db_query *query = db_query(db, sql);
    db_bind_size(query, position);
    db_run(query);
}

void kept_remove_grains(struct db *db, uint64_t position)
{
    run_at(db, "DELETE FROM grain WHERE position = ?1", position);
    run_at(db, "DELETE FROM partial WHERE position = ?1", position);
}

void kept_remove(struct db *db, const struct kept *kept)
{
    remove_labels(db, kept);
    if (!job_state_is_final(kept->state)) kept_remove_grains(db, kept->position);
    run_at(db, "DELETE FROM request WHERE position = ?1", kept->position);
    run_at(db, "DELETE FROM job WHERE position = ?1", kept->position);
}
