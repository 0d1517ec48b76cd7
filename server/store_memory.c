/* Jobs in memory: a list by age, a hash table by id, both under one lock that is held for copies of
 * records alone.
 *
 * A change is made, and told, before `submit` returns. */
#include "server/clock.h"
#include "server/hash.h"
#include "server/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384, PRUNE_MAX = 100 };

struct entry {
    struct job_record record;
    struct entry *newer, *older;
    struct entry *finished_before, *finished_after; /* of those that have ended */
    struct entry *next;                             /* in the bucket */
};

struct store_memory {
    struct store store;
    pthread_mutex_t lock;
    struct limits limits;
    struct entry *newest, *oldest;
    struct entry *first_finished, *last_finished;
    struct entry *bucket[BUCKETS];
    size_t count, bytes;             /* of all records */
    size_t finished, finished_bytes; /* those that may be dropped */
};

static struct store_memory *self_of(struct store *store)
{
    return (struct store_memory *)store;
}

static struct entry **bucket_of(struct store_memory *self, const char *id)
{
    return &self->bucket[hash_of(id) % BUCKETS];
}

static struct entry *find(struct store_memory *self, const char *id)
{
    struct entry *entry = *bucket_of(self, id);
    while (entry != NULL && strcmp(entry->record.id, id) != 0)
        entry = entry->next;
    return entry;
}

static bool is_seen(const struct entry *entry, const struct scope *scope)
{
    return scope_has(scope, entry->record.owner, entry->record.shared);
}

static struct entry *find_key(struct store_memory *self, const char *owner, const char *key)
{
    struct entry *entry = self->newest;
    while (entry != NULL && (strcmp(entry->record.idempotency_key, key) != 0 ||
                             strcmp(entry->record.owner, owner) != 0))
        entry = entry->older;
    return entry;
}

static void link_finished(struct store_memory *self, struct entry *entry)
{
    entry->finished_before = self->last_finished;
    entry->finished_after = NULL;
    *(self->last_finished != NULL ? &self->last_finished->finished_after : &self->first_finished) =
        entry;
    self->last_finished = entry;
}

static void unlink_finished(struct store_memory *self, struct entry *entry)
{
    struct entry *before = entry->finished_before, *after = entry->finished_after;
    *(before != NULL ? &before->finished_after : &self->first_finished) = after;
    *(after != NULL ? &after->finished_before : &self->last_finished) = before;
}

/* Counts what is kept, up or down. */
static void account(struct store_memory *self, const struct job_record *record, bool added)
{
    const size_t bytes = job_record_bytes(record), one = 1;
    self->count += added ? one : -one;
    self->bytes += added ? bytes : -bytes;
    if (!job_state_is_final(record->state)) return;
    self->finished += added ? one : -one;
    self->finished_bytes += added ? bytes : -bytes;
}

/* In the list by position: jobs come nearly in order. */
static void link_by_position(struct store_memory *self, struct entry *entry)
{
    struct entry **bucket = bucket_of(self, entry->record.id);
    entry->next = *bucket;
    *bucket = entry;
    struct entry *newer = NULL, *older = self->newest;
    while (older != NULL && older->record.position > entry->record.position) {
        newer = older;
        older = older->older;
    }
    entry->newer = newer;
    entry->older = older;
    *(newer != NULL ? &newer->older : &self->newest) = entry;
    *(older != NULL ? &older->newer : &self->oldest) = entry;
    account(self, &entry->record, true);
    if (job_state_is_final(entry->record.state)) link_finished(self, entry);
}

static void drop(struct store_memory *self, struct entry *entry)
{
    struct entry **place = bucket_of(self, entry->record.id);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    *(entry->newer != NULL ? &entry->newer->older : &self->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &self->oldest) = entry->newer;
    if (job_state_is_final(entry->record.state)) unlink_finished(self, entry);
    account(self, &entry->record, false);
    job_record_done(&entry->record);
    free(entry);
}

static bool is_beyond(const struct store_memory *self, const struct entry *entry, int64_t now_ms)
{
    return self->finished > self->limits.retain_jobs || self->bytes > self->limits.retain_bytes ||
           now_ms - entry->record.finished_ms > self->limits.retain_days * CLOCK_DAY_MS;
}

/* Drops finished jobs beyond the limits, the first to finish first. */
static size_t prune(struct store_memory *self, int64_t now_ms)
{
    size_t removed = 0;
    struct entry *entry;
    while (removed < PRUNE_MAX && (entry = self->first_finished) != NULL &&
           is_beyond(self, entry, now_ms)) {
        drop(self, entry);
        removed++;
    }
    return removed;
}

/* Whether one more job of so many bytes fits beside those that are not finished. */
static bool fits(const struct store_memory *self, size_t bytes)
{
    return self->count - self->finished < self->limits.active_jobs &&
           self->bytes - self->finished_bytes + bytes <= self->limits.retain_bytes;
}

static enum store_status add(struct store_memory *self, const struct job_record *record)
{
    if (record->idempotency_key[0] != '\0' &&
        find_key(self, record->owner, record->idempotency_key) != NULL)
        return STORE_KEY_TAKEN;
    if (!fits(self, job_record_bytes(record))) return STORE_FULL;
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL || !job_record_copy(record, &entry->record)) {
        free(entry);
        return STORE_MEMORY;
    }
    link_by_position(self, entry);
    return STORE_OK;
}

/* A part that the change is without stays. */
static void keep_part(struct blob **part, struct blob *kept)
{
    *part = blob_ref(*part != NULL ? *part : kept);
}

/* Once a job has ended, only who may see it changes. */
static enum store_status put_ended(struct entry *entry, const struct job_record *record)
{
    if (record->state != entry->record.state) return STORE_NOT_FOUND;
    entry->record.shared = record->shared;
    entry->record.version = record->version;
    entry->record.event_sequence = record->event_sequence;
    return STORE_OK;
}

static enum store_status put(struct store_memory *self, const struct job_record *record)
{
    struct entry *entry = find(self, record->id);
    if (entry == NULL) return STORE_NOT_FOUND;
    if (job_state_is_final(entry->record.state)) return put_ended(entry, record);
    struct job_record changed = *record;
    changed.labels = entry->record.labels; /* which never change, so that an end takes no memory */
    keep_part(&changed.request, entry->record.request);
    keep_part(&changed.result, entry->record.result);
    keep_part(&changed.summary, entry->record.summary);
    keep_part(&changed.error, entry->record.error);
    keep_part(&changed.parameters, entry->record.parameters);
    account(self, &entry->record, false);
    entry->record.labels = (struct labels){0};
    job_record_done(&entry->record);
    entry->record = changed;
    account(self, &entry->record, true);
    if (job_state_is_final(record->state)) link_finished(self, entry);
    return STORE_OK;
}

static enum store_status removal(struct store_memory *self, const struct store_write *write)
{
    struct entry *entry = find(self, write->record.id);
    if (entry == NULL || !is_seen(entry, &write->scope)) return STORE_NOT_FOUND;
    drop(self, entry);
    return STORE_OK;
}

static enum store_status change(struct store_memory *self, struct store_write *write)
{
    switch (write->change) {
    case STORE_ADD:
        return add(self, &write->record);
    case STORE_PUT:
        return put(self, &write->record);
    case STORE_REMOVE:
        return removal(self, write);
    case STORE_PRUNE:
        write->removed = prune(self, write->now_ms);
        return STORE_OK;
    default: /* work is not kept */
        return STORE_OK;
    }
}

static void memory_submit(struct store *store, struct store_write *write)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const enum store_status status = change(self, write);
    pthread_mutex_unlock(&self->lock);
    write->done(write, status);
}

/* Nothing is ever held back. */
static bool memory_withdraw(struct store *store, struct store_write *write)
{
    (void)store, (void)write;
    return false;
}

static void memory_hurry(struct store *store, const char *id)
{
    (void)store, (void)id;
}

static void memory_give_up(struct store *store)
{
    (void)store;
}

static enum store_status copy(const struct entry *entry, struct job_record *ret_record)
{
    if (entry == NULL) return STORE_NOT_FOUND;
    return job_record_copy(&entry->record, ret_record) ? STORE_OK : STORE_MEMORY;
}

static enum store_status memory_get(struct store *store, const struct scope *scope, const char *id,
                                    unsigned parts, struct job_record *ret_record)
{
    (void)parts;
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const struct entry *entry = find(self, id);
    if (entry != NULL && !is_seen(entry, scope)) entry = NULL;
    const enum store_status status = copy(entry, ret_record);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static enum store_status memory_find_key(struct store *store, const char *owner, const char *key,
                                         struct job_record *ret_record)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const enum store_status status = copy(find_key(self, owner, key), ret_record);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static uint64_t memory_last_position(struct store *store)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const uint64_t position = self->newest == NULL ? 0 : self->newest->record.position;
    pthread_mutex_unlock(&self->lock);
    return position;
}

/* What was unfinished ended with the process. */
static enum store_status memory_recover(struct store *store, store_visit *visit, void *context)
{
    (void)store, (void)visit, (void)context;
    return STORE_OK;
}

static enum store_status list_locked(struct store_memory *self, const struct store_filter *filter,
                                     struct job_page *page)
{
    uint64_t last = 0;
    for (const struct entry *entry = self->newest; entry != NULL; entry = entry->older) {
        if (!store_filter_matches(filter, &entry->record)) continue;
        if (page->count == filter->limit) {
            page->next = last;
            break;
        }
        if (!job_record_copy(&entry->record, &page->record[page->count])) return STORE_MEMORY;
        page->count++;
        last = entry->record.position;
    }
    return STORE_OK;
}

static enum store_status memory_list(struct store *store, const struct store_filter *filter,
                                     struct job_page *ret_page)
{
    struct store_memory *self = self_of(store);
    struct job_page page = {.record = calloc(filter->limit, sizeof *page.record)};
    if (page.record == NULL) return STORE_MEMORY;
    pthread_mutex_lock(&self->lock);
    const enum store_status status = list_locked(self, filter, &page);
    pthread_mutex_unlock(&self->lock);
    if (status == STORE_OK)
        *ret_page = page;
    else
        job_page_done(&page);
    return status;
}

static void memory_close(struct store *store)
{
    struct store_memory *self = self_of(store);
    while (self->newest != NULL)
        drop(self, self->newest);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

struct store *store_memory_open(const struct limits *limits)
{
    static const struct store_operations operations = {
        .scheme = "memory:",
        .get = memory_get,
        .find_key = memory_find_key,
        .list = memory_list,
        .last_position = memory_last_position,
        .recover = memory_recover,
        .submit = memory_submit,
        .withdraw = memory_withdraw,
        .hurry = memory_hurry,
        .give_up = memory_give_up,
        .close = memory_close,
    };
    struct store_memory *self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->store.operations = &operations;
    self->limits = *limits;
    pthread_mutex_init(&self->lock, NULL);
    return &self->store;
}
