#include "server/store_sqlite_list.h"
#include "server/store_sqlite_row.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STATES = JOB_CANCELLED + 1,
    KINDS = JOB_KINDS,
    RANGES = STATES * KINDS,
    SQL_SIZE = 8192,
    COUNTED = 1000 /* jobs of a label, to see which label is rare */
};

/* One range of an index, newest first. */
struct range {
    struct db_query *query; /* NULL once it is used up */
    uint64_t position;
};

struct listing {
    struct db *db;
    const struct store_filter *filter;
    const struct label *label[LABELS_MAX]; /* the rarest first */
    size_t labels;
    char sql[SQL_SIZE];
    struct range range[RANGES];
    size_t ranges;
};

/* ---- the statement ---- */

/* ?1 owner, ?2 state, ?3 kind, ?4 the last position wanted, then name and value of each label. */
static const char own_jobs[] =
    "SELECT position FROM job INDEXED BY job_owner"
    " WHERE owner = ?1 AND state = ?2 AND kind = ?3 AND position <= ?4";
static const char all_jobs[] =
    "SELECT position FROM job INDEXED BY job_state"
    " WHERE state = ?2 AND kind = ?3 AND position <= ?4";
static const char own_label[] =
    "SELECT position FROM label"
    " WHERE owner = ?1 AND name = ?5 AND value = ?6 AND state = ?2 AND kind = ?3"
    " AND position <= ?4";
static const char all_label[] =
    "SELECT position FROM label INDEXED BY label_all"
    " WHERE name = ?5 AND value = ?6 AND state = ?2 AND kind = ?3 AND position <= ?4";
static const char own_probe[] =
    " AND EXISTS (SELECT 1 FROM label AS other WHERE other.owner = ?1 AND other.name = ?%d"
    " AND other.value = ?%d AND other.state = ?2 AND other.kind = ?3"
    " AND other.position = label.position)";
static const char all_probe[] =
    " AND EXISTS (SELECT 1 FROM label AS other INDEXED BY label_all WHERE other.name = ?%d"
    " AND other.value = ?%d AND other.state = ?2 AND other.kind = ?3"
    " AND other.position = label.position)";

static void write_probe(const struct listing *listing, int first, char *text, size_t size)
{
    if (listing->filter->scope.all)
        snprintf(text, size, all_probe, first, first + 1);
    else
        snprintf(text, size, own_probe, first, first + 1);
}

static void write_sql(struct listing *listing)
{
    const bool all = listing->filter->scope.all;
    const char *start = all ? all_jobs : own_jobs;
    if (listing->labels > 0) start = all ? all_label : own_label;
    int used = snprintf(listing->sql, SQL_SIZE, "%s", start);
    for (int i = 1; i < (int)listing->labels; i++) {
        char probe[sizeof own_probe + sizeof all_probe];
        write_probe(listing, 5 + 2 * i, probe, sizeof probe);
        used += snprintf(listing->sql + used, SQL_SIZE - (size_t)used, "%s", probe);
    }
    snprintf(listing->sql + used, SQL_SIZE - (size_t)used, " ORDER BY position DESC");
}

/* ---- labels ---- */

/* How many jobs have it, as far as it is worth counting. */
static int64_t count_label(struct listing *listing, const struct label *label)
{
    const struct scope *scope = &listing->filter->scope;
    struct db_query *query = db_query(
        listing->db, scope->all ? "SELECT count(*) FROM (SELECT 1 FROM label INDEXED BY label_all"
                                  " WHERE name = ?2 AND value = ?3 LIMIT ?4)"
                                : "SELECT count(*) FROM (SELECT 1 FROM label"
                                  " WHERE owner = ?1 AND name = ?2 AND value = ?3 LIMIT ?4)");
    db_bind_text(query, scope->owner);
    db_bind_text(query, label->name);
    db_bind_text(query, label->value);
    db_bind_int(query, COUNTED);
    const int64_t count = db_row(query) ? db_int(query) : 0;
    db_query_end(query);
    return count;
}

/* More than a job can have are in no job. */
static bool take_labels(struct listing *listing)
{
    const struct labels *labels = &listing->filter->labels;
    int64_t fewest = INT64_MAX;
    if (labels->count > LABELS_MAX) return false;
    listing->labels = labels->count;
    for (size_t i = 0; i < labels->count; i++) {
        listing->label[i] = &labels->label[i];
        const int64_t count = labels->count > 1 ? count_label(listing, &labels->label[i]) : 0;
        if (count >= fewest) continue;
        fewest = count;
        listing->label[i] = listing->label[0];
        listing->label[0] = &labels->label[i];
    }
    return true;
}

/* ---- ranges ---- */

static uint64_t last_wanted(const struct store_filter *filter)
{
    if (filter->before == 0 || filter->before > INT64_MAX) return INT64_MAX;
    return filter->before - 1;
}

static void step(struct range *range)
{
    if (range->query == NULL) return;
    if (db_row(range->query))
        range->position = db_size(range->query, INT64_MAX);
    else
        range->query = NULL;
}

static void open_range(struct listing *listing, int state, int kind)
{
    const struct store_filter *filter = listing->filter;
    struct range *range = &listing->range[listing->ranges++];
    range->query = db_query(listing->db, listing->sql);
    db_bind_text(range->query, filter->scope.owner);
    db_bind_int(range->query, state);
    db_bind_int(range->query, kind);
    db_bind_size(range->query, last_wanted(filter));
    for (size_t i = 0; i < listing->labels; i++) {
        db_bind_text(range->query, listing->label[i]->name);
        db_bind_text(range->query, listing->label[i]->value);
    }
    step(range);
}

static void open_ranges(struct listing *listing)
{
    const struct store_filter *filter = listing->filter;
    for (int state = 0; state < STATES; state++)
        for (int kind = 0; kind < KINDS; kind++)
            if (state != JOB_RUNNING && /* stored as queued */
                (filter->states == 0 || (filter->states & 1u << state) != 0) &&
                (filter->kinds == 0 || (filter->kinds & 1u << kind) != 0))
                open_range(listing, state, kind);
}

static void close_ranges(struct listing *listing)
{
    for (size_t i = 0; i < listing->ranges; i++)
        if (listing->range[i].query != NULL) db_query_end(listing->range[i].query);
}

/* Moves on to the newest of what is left: 0 when there is nothing. */
static uint64_t next_position(struct listing *listing)
{
    struct range *newest = NULL;
    for (size_t i = 0; i < listing->ranges; i++) {
        struct range *range = &listing->range[i];
        if (range->query != NULL && (newest == NULL || range->position > newest->position))
            newest = range;
    }
    if (newest == NULL) return 0;
    const uint64_t position = newest->position;
    step(newest);
    return position;
}

/* ---- the page ---- */

static void read_job(struct db *db, uint64_t position, struct job_record *ret)
{
    struct db_query *query = db_query(db, "SELECT " ROW_COLUMNS " FROM job WHERE position = ?1");
    db_bind_size(query, position);
    db_bind_int(query, 0);
    if (db_row(query))
        row_read(query, db, ret);
    else
        db_fail(db, STORE_BROKEN, "a listed job is missing");
    db_query_end(query);
}

static void fill(struct listing *listing, struct job_page *page)
{
    uint64_t position, last = 0;
    while ((position = next_position(listing)) != 0) {
        if (page->count == listing->filter->limit) {
            page->next = last;
            return;
        }
        read_job(listing->db, position, &page->record[page->count]);
        if (db_status(listing->db) != STORE_OK) return;
        page->count++;
        last = position;
    }
}

enum store_status list_read(struct db *db, const struct store_filter *filter,
                            struct job_page *ret_page)
{
    struct listing listing = {.db = db, .filter = filter};
    struct job_page page = {.record = calloc(filter->limit + 1, sizeof *page.record)};
    if (page.record == NULL) return STORE_MEMORY;
    db_begin_read(db);
    if (take_labels(&listing)) {
        write_sql(&listing);
        open_ranges(&listing);
        fill(&listing, &page);
        close_ranges(&listing);
    }
    db_end(db);
    if (db_status(db) == STORE_OK)
        *ret_page = page;
    else
        job_page_done(&page);
    return db_status(db);
}
