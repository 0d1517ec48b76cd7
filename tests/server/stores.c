#include "tests/server/stores.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"

#include <check.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- life ---- */

const char *store_folder(void)
{
    static const char *folder;
    if (folder == NULL) folder = folder_new();
    return folder;
}

static struct store *open_sqlite(const struct limits *limits)
{
    return store_sqlite_open(store_folder(), limits);
}

typedef struct store *store_maker(const struct limits *limits);
static store_maker *const rows[] = {
    [STORE_ROW_MEMORY] = store_memory_open,
    [STORE_ROW_SQLITE] = open_sqlite,
};
_Static_assert(COUNT(rows) == STORES, "each row is counted");

struct store *store_open_with(int index, struct limits limits)
{
    struct store *store = rows[index](&limits);
    ck_assert_ptr_nonnull(store);
    return store;
}

struct store *store_open_large(int index)
{
    return store_open_with(index, limits_default());
}

struct store *store_open_small(int index)
{
    struct limits limits = limits_default();
    limits.retain_jobs = RETAIN;
    limits.active_jobs = ACTIVE;
    return store_open_with(index, limits);
}

void store_close(struct store *store)
{
    store->operations->close(store);
}

/* ---- jobs ---- */

struct job_record job_named(const char *id)
{
    static _Atomic uint64_t last;
    struct job_record record = {.position = atomic_fetch_add(&last, 1) + 1,
                                .kind = JOB_CHECK,
                                .state = JOB_QUEUED,
                                .priority = PRIORITY_NORMAL};
    snprintf(record.id, sizeof record.id, "%s", id);
    snprintf(record.owner, sizeof record.owner, "ada");
    return record;
}

struct job_record job_keyed(const char *id, const char *owner, const char *key)
{
    struct job_record record = job_named(id);
    snprintf(record.owner, sizeof record.owner, "%s", owner);
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "%s", key);
    return record;
}

struct job_record job_in(const char *id, enum job_state state)
{
    struct job_record record = job_named(id);
    record.state = state;
    return record;
}

struct job_record full_job(struct label label[2])
{
    struct job_record record = job_in("full", JOB_SUCCEEDED);
    snprintf(label[0].name, sizeof label->name, "project");
    snprintf(label[0].value, sizeof label->value, "digits \xc3\xa9");
    snprintf(label[1].name, sizeof label->name, "branch");
    memset(label[1].value, 'x', sizeof label->value - 1);
    record.kind = JOB_TRAINING;
    record.priority = PRIORITY_HIGH;
    record.cancel_requested = true;
    record.shared = true;
    record.created_ms = 1;
    record.started_ms = 2;
    record.finished_ms = INT64_MAX;
    record.version = 7;
    record.event_sequence = 1 + (UINT64_C(1) << 40);
    record.attempts = UINT32_MAX;
    record.done = 99;
    record.total = INT64_MAX;
    record.seconds = 0.1;
    record.cut = (struct job_cut){1, 2, 3, 4, 5};
    snprintf(record.signature, sizeof record.signature, "numbers");
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "key");
    record.labels = (struct labels){2, label};
    record.request = blob_copy("{}", 2);
    record.result = blob_copy("a\0b", 3);
    record.summary = blob_copy("s", 1);
    record.error = blob_copy("", 0);
    record.parameters = blob_copy(&(double){0.1}, sizeof(double));
    return record;
}

void full_job_done(struct job_record *record)
{
    record->labels = (struct labels){0}; /* the caller's */
    job_record_done(record);
}

static void assert_same_blob(const struct blob *got, const struct blob *want)
{
    ck_assert_int_eq(got != NULL, want != NULL);
    ck_assert_uint_eq(blob_size(got), blob_size(want));
    if (blob_size(want) > 0) ck_assert_mem_eq(got->data, want->data, want->size);
}

static void assert_same_labels(const struct labels *got, const struct labels *want)
{
    ck_assert_uint_eq(got->count, want->count);
    for (size_t i = 0; i < want->count; i++) {
        ck_assert_str_eq(got->label[i].name, want->label[i].name);
        ck_assert_str_eq(got->label[i].value, want->label[i].value);
    }
}

static void assert_same_numbers(const struct job_record *got, const struct job_record *want)
{
    ck_assert_uint_eq(got->position, want->position);
    ck_assert_int_eq(got->kind, want->kind);
    ck_assert_int_eq(got->state, want->state);
    ck_assert_int_eq(got->priority, want->priority);
    ck_assert_int_eq(got->shared, want->shared);
    ck_assert_int_eq(got->cancel_requested, want->cancel_requested);
    ck_assert_int_eq(got->created_ms, want->created_ms);
    ck_assert_int_eq(got->started_ms, want->started_ms);
    ck_assert_int_eq(got->finished_ms, want->finished_ms);
    ck_assert_uint_eq(got->version, want->version);
    ck_assert_uint_eq(got->event_sequence, want->event_sequence);
    ck_assert_uint_eq(got->attempts, want->attempts);
    ck_assert_uint_eq(got->done, want->done);
    ck_assert_uint_eq(got->total, want->total);
    ck_assert_mem_eq(&got->seconds, &want->seconds, sizeof got->seconds);
    ck_assert_mem_eq(&got->cut, &want->cut, sizeof got->cut);
}

void assert_same_job(const struct job_record *got, const struct job_record *want)
{
    ck_assert_str_eq(got->id, want->id);
    ck_assert_str_eq(got->owner, want->owner);
    assert_same_numbers(got, want);
    ck_assert_str_eq(got->signature, want->signature);
    ck_assert_str_eq(got->idempotency_key, want->idempotency_key);
    assert_same_labels(&got->labels, &want->labels);
    assert_same_blob(got->request, want->request);
    assert_same_blob(got->result, want->result);
    assert_same_blob(got->summary, want->summary);
    assert_same_blob(got->error, want->error);
    assert_same_blob(got->parameters, want->parameters);
}

/* ---- writes ---- */

enum store_status store_add(struct store *store, struct job_record record)
{
    return store_do(store, &(struct store_write){.change = STORE_ADD, .record = record});
}

void store_add_in(struct store *store, const char *id, enum job_state state)
{
    ck_assert_int_eq(store_add(store, job_in(id, state)), STORE_OK);
}

void store_add_letters(struct store *store, int count, enum job_state state)
{
    for (int i = 0; i < count; i++)
        store_add_in(store, (char[]){(char)('a' + i), '\0'}, state);
}

enum store_status store_put(struct store *store, struct job_record record)
{
    return store_do(store, &(struct store_write){.change = STORE_PUT, .record = record});
}

void store_finish(struct store *store, const char *id, enum job_state state)
{
    static _Atomic int64_t last_ms;
    struct job_record record = store_read(store, id);
    record.state = state;
    record.finished_ms = atomic_fetch_add(&last_ms, 1) + 1;
    ck_assert_int_eq(store_put(store, record), STORE_OK);
    job_record_done(&record);
}

enum store_status store_remove(struct store *store, const char *owner, const char *id)
{
    struct store_write write = {.change = STORE_REMOVE, .scope = {.owner = owner}};
    snprintf(write.record.id, sizeof write.record.id, "%s", id);
    return store_do(store, &write);
}

enum store_status store_keep(struct store *store, const char *id, struct store_grain grain)
{
    struct store_write write = {.change = STORE_GRAIN, .grain = grain};
    snprintf(write.record.id, sizeof write.record.id, "%s", id);
    return store_do(store, &write);
}

size_t store_prune(struct store *store, int64_t now_ms)
{
    size_t removed = 0, last;
    do {
        struct store_write write = {.change = STORE_PRUNE, .now_ms = now_ms};
        ck_assert_int_eq(store_do(store, &write), STORE_OK);
        last = write.removed;
        removed += last;
    } while (last > 0);
    return removed;
}

/* ---- reads ---- */

enum store_status store_get(struct store *store, const char *owner, const char *id)
{
    const struct scope scope = {.owner = owner};
    struct job_record record = {0};
    const enum store_status status = store->operations->get(store, &scope, id, 0, &record);
    if (status == STORE_OK) ck_assert_str_eq(record.id, id);
    job_record_done(&record);
    return status;
}

bool store_has(struct store *store, const char *id)
{
    const enum store_status status = store_get(store, "ada", id);
    ck_assert(status == STORE_OK || status == STORE_NOT_FOUND);
    return status == STORE_OK;
}

struct job_record store_read(struct store *store, const char *id)
{
    const struct scope scope = {.owner = "", .all = true};
    struct job_record record = {0};
    ck_assert_int_eq(store->operations->get(store, &scope, id, PARTS_ALL, &record), STORE_OK);
    return record;
}

void assert_stored(struct store *store, const struct job_record *want)
{
    struct job_record got = store_read(store, want->id);
    assert_same_job(&got, want);
    job_record_done(&got);
}

struct store_filter filter_of_ada(void)
{
    return (struct store_filter){.scope = {.owner = "ada"}, .limit = 50};
}

const char *store_listed(struct store *store, const struct store_filter *filter, uint64_t *ret_next)
{
    static char text[2048];
    struct job_page page = {0};
    size_t used = 0;
    ck_assert_int_eq(store->operations->list(store, filter, &page), STORE_OK);
    text[0] = '\0';
    for (size_t i = 0; i < page.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                 page.record[i].id);
    if (page.next != 0) snprintf(text + used, sizeof text - used, "…");
    if (ret_next != NULL) *ret_next = page.next;
    job_page_done(&page);
    return text;
}

struct text {
    char text[2048];
    size_t used;
};

static void append(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void append(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->used += (size_t)vsnprintf(text->text + text->used, sizeof text->text - text->used, format,
                                    arguments);
    va_end(arguments);
    ck_assert_uint_lt(text->used, sizeof text->text);
}

static bool note(void *context, const struct job_record *record, const struct store_grain *grain,
                 size_t count)
{
    struct text *text = context;
    append(text, "%s%s(", text->used > 0 ? " " : "", record->id);
    for (size_t i = 0; i < count; i++) {
        append(text, "%s%llu:%u", i > 0 ? " " : "", (unsigned long long)grain[i].index,
               grain[i].attempts);
        if (grain[i].bytes != NULL)
            append(text, "=%.*s", (int)grain[i].size, (const char *)grain[i].bytes);
    }
    append(text, ")");
    return true;
}

const char *store_recovered(struct store *store)
{
    static struct text text;
    text = (struct text){.used = 0};
    ck_assert_int_eq(store->operations->recover(store, note, &text), STORE_OK);
    return text.text;
}
