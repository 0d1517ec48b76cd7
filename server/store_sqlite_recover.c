#include "server/store_sqlite_recover.h"
#include "server/store_sqlite_row.h"

#include <stdlib.h>

/* One unfinished job at a time. */
struct found {
    struct job_record record;
    struct store_grain *grain;
    struct blob **bytes; /* of each grain */
    size_t count, capacity;
};

static void found_done(struct found *found)
{
    for (size_t i = 0; i < found->count; i++)
        blob_unref(found->bytes[i]);
    free(found->grain);
    free(found->bytes);
    job_record_done(&found->record);
    *found = (struct found){0};
}

static bool grow(struct found *found)
{
    if (found->count < found->capacity) return true;
    const size_t capacity = found->capacity > 0 ? found->capacity * 2 : 16;
    struct store_grain *grain = realloc(found->grain, capacity * sizeof *grain);
    if (grain == NULL) return false;
    found->grain = grain;
    struct blob **bytes = realloc(found->bytes, capacity * sizeof *bytes);
    if (bytes == NULL) return false;
    found->bytes = bytes;
    found->capacity = capacity;
    return true;
}

static void read_grains(struct db *db, struct found *found)
{
    struct db_query *query =
        db_query(db,
                 "SELECT number, attempts, (SELECT bytes FROM partial"
                 " WHERE partial.position = grain.position AND partial.number = grain.number)"
                 " FROM grain WHERE position = ?1 ORDER BY number");
    db_bind_size(query, found->record.position);
    while (db_row(query)) {
        if (!grow(found)) {
            db_fail(db, STORE_MEMORY, "memory is out");
            break;
        }
        struct store_grain *grain = &found->grain[found->count];
        *grain = (struct store_grain){.index = db_size(query, INT64_MAX)};
        grain->attempts = (uint32_t)db_size(query, UINT32_MAX);
        struct blob *bytes = found->bytes[found->count++] = db_blob(query);
        grain->bytes = bytes == NULL ? NULL : bytes->data;
        grain->size = blob_size(bytes);
    }
    db_query_end(query);
}

static bool show(struct db *db, uint64_t position, store_visit *visit, void *context)
{
    struct found found = {0};
    struct db_query *query = db_query(db, "SELECT " ROW_COLUMNS " FROM job WHERE position = ?1");
    db_bind_size(query, position);
    db_bind_int(query, PARTS_ALL);
    if (db_row(query)) row_read(query, db, &found.record);
    db_query_end(query);
    read_grains(db, &found);
    const bool goes_on =
        db_status(db) == STORE_OK && visit(context, &found.record, found.grain, found.count);
    found_done(&found);
    return goes_on;
}

/* There are few, so that they may be sorted. */
enum store_status recover_read(struct db *db, store_visit *visit, void *context)
{
    bool goes_on = true;
    db_begin_read(db);
    struct db_query *query = db_query(db,
                                      "SELECT position FROM job INDEXED BY job_state"
                                      " WHERE state = 0 ORDER BY position");
    while (goes_on && db_row(query))
        goes_on = show(db, db_size(query, INT64_MAX), visit, context);
    db_query_end(query);
    db_end(db);
    return db_status(db);
}
