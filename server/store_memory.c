/* Jobs in memory: a list by age, a hash table by id, both under one lock that is held for copies of
 * records alone.
 *
 * When more is kept than the limits allow, finished jobs go, the oldest first. */
#include "server/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384 };

struct entry {
    struct job_record record;
    uint64_t position; /* grows with each job added */
    struct entry *newer, *older;
    struct entry *next; /* in the bucket */
};

struct store_memory {
    struct store store;
    pthread_mutex_t lock;
    struct limits limits;
    struct entry *newest, *oldest;
    struct entry *bucket[BUCKETS];
    size_t count, bytes;             /* of all records */
    size_t finished, finished_bytes; /* those that may be dropped */
    uint64_t position;
};

static struct store_memory *self_of(struct store *store)
{
    return (struct store_memory *)store;
}

/* Ids are random: FNV-1a spreads them well enough. */
static struct entry **bucket_of(struct store_memory *self, const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return &self->bucket[hash % BUCKETS];
}

static struct entry *find(struct store_memory *self, const char *id)
{
    struct entry *entry = *bucket_of(self, id);
    while (entry != NULL && strcmp(entry->record.id, id) != 0)
        entry = entry->next;
    return entry;
}

static struct entry *find_owned(struct store_memory *self, const char *owner, const char *id)
{
    struct entry *entry = find(self, id);
    return entry != NULL && strcmp(entry->record.owner, owner) == 0 ? entry : NULL;
}

static struct entry *find_key(struct store_memory *self, const char *owner, const char *key)
{
    struct entry *entry = self->newest;
    while (entry != NULL && (strcmp(entry->record.idempotency_key, key) != 0 ||
                             strcmp(entry->record.owner, owner) != 0))
        entry = entry->older;
    return entry;
}

static void account(struct store_memory *self, const struct job_record *record)
{
    const size_t bytes = job_record_bytes(record);
    self->count++;
    self->bytes += bytes;
    if (!job_state_is_final(record->state)) return;
    self->finished++;
    self->finished_bytes += bytes;
}

static void discount(struct store_memory *self, const struct job_record *record)
{
    const size_t bytes = job_record_bytes(record);
    self->count--;
    self->bytes -= bytes;
    if (!job_state_is_final(record->state)) return;
    self->finished--;
    self->finished_bytes -= bytes;
}

static void link_newest(struct store_memory *self, struct entry *entry)
{
    struct entry **bucket = bucket_of(self, entry->record.id);
    entry->next = *bucket;
    *bucket = entry;
    entry->position = ++self->position;
    entry->older = self->newest;
    if (self->newest != NULL) self->newest->newer = entry;
    self->newest = entry;
    if (self->oldest == NULL) self->oldest = entry;
    account(self, &entry->record);
}

static void drop(struct store_memory *self, struct entry *entry)
{
    struct entry **place = bucket_of(self, entry->record.id);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    *(entry->newer != NULL ? &entry->newer->older : &self->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &self->oldest) = entry->newer;
    discount(self, &entry->record);
    job_record_done(&entry->record);
    free(entry);
}

/* Drops finished jobs, the oldest first, until no more than the limits allow are kept with `bytes`
 * to come; `kept` stays. */
static void trim(struct store_memory *self, size_t bytes, const struct entry *kept)
{
    struct entry *entry = self->oldest;
    while (entry != NULL && (self->finished > self->limits.retain_jobs ||
                             self->bytes + bytes > self->limits.retain_bytes)) {
        struct entry *newer = entry->newer;
        if (entry != kept && job_state_is_final(entry->record.state)) drop(self, entry);
        entry = newer;
    }
}

/* Whether one more job of so many bytes fits beside those that are not finished. */
static bool fits(const struct store_memory *self, size_t bytes)
{
    return self->count - self->finished < self->limits.active_jobs &&
           self->bytes - self->finished_bytes + bytes <= self->limits.retain_bytes;
}

static enum store_status add_locked(struct store_memory *self, const struct job_record *record,
                                    struct job_record *ret_other)
{
    const struct entry *other = record->idempotency_key[0] == '\0'
                                    ? NULL
                                    : find_key(self, record->owner, record->idempotency_key);
    if (other != NULL)
        return job_record_copy(&other->record, ret_other) ? STORE_KEY_TAKEN : STORE_MEMORY;
    if (!fits(self, job_record_bytes(record))) return STORE_FULL;
    trim(self, job_record_bytes(record), NULL);
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL || !job_record_copy(record, &entry->record)) {
        free(entry);
        return STORE_MEMORY;
    }
    link_newest(self, entry);
    return STORE_OK;
}

static enum store_status memory_add(struct store *store, const struct job_record *record,
                                    struct job_record *ret_other)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const enum store_status status = add_locked(self, record, ret_other);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static enum store_status memory_get(struct store *store, const char *owner, const char *id,
                                    struct job_record *ret_record)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const struct entry *entry = find_owned(self, owner, id);
    enum store_status status = STORE_NOT_FOUND;
    if (entry != NULL)
        status = job_record_copy(&entry->record, ret_record) ? STORE_OK : STORE_MEMORY;
    pthread_mutex_unlock(&self->lock);
    return status;
}

static enum store_status memory_find_key(struct store *store, const char *owner, const char *key,
                                         struct job_record *ret_record)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const struct entry *entry = find_key(self, owner, key);
    enum store_status status = STORE_NOT_FOUND;
    if (entry != NULL)
        status = job_record_copy(&entry->record, ret_record) ? STORE_OK : STORE_MEMORY;
    pthread_mutex_unlock(&self->lock);
    return status;
}

static enum store_status put_locked(struct store_memory *self, const struct job_record *record)
{
    struct entry *entry = find(self, record->id);
    if (entry == NULL) return STORE_NOT_FOUND;
    struct job_record copy;
    if (!job_record_copy(record, &copy)) return STORE_MEMORY;
    discount(self, &entry->record);
    job_record_done(&entry->record);
    entry->record = copy;
    account(self, &entry->record);
    trim(self, 0, entry); /* the job itself is kept even over the limit */
    return STORE_OK;
}

static enum store_status memory_put(struct store *store, const struct job_record *record)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    const enum store_status status = put_locked(self, record);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static enum store_status memory_remove(struct store *store, const char *owner, const char *id)
{
    struct store_memory *self = self_of(store);
    pthread_mutex_lock(&self->lock);
    struct entry *entry = find_owned(self, owner, id);
    if (entry != NULL) drop(self, entry);
    pthread_mutex_unlock(&self->lock);
    return entry != NULL ? STORE_OK : STORE_NOT_FOUND;
}

static bool has_label(const struct job_record *record, const struct label *wanted)
{
    for (size_t i = 0; i < record->labels.count; i++)
        if (strcmp(record->labels.label[i].name, wanted->name) == 0)
            return strcmp(record->labels.label[i].value, wanted->value) == 0;
    return false;
}

static bool matches(const struct job_record *record, const struct store_filter *filter)
{
    if (strcmp(record->owner, filter->owner) != 0) return false;
    if (filter->states != 0 && (filter->states & 1u << record->state) == 0) return false;
    if (filter->kinds != 0 && (filter->kinds & 1u << record->kind) == 0) return false;
    for (size_t i = 0; i < filter->labels.count; i++)
        if (!has_label(record, &filter->labels.label[i])) return false;
    return true;
}

static enum store_status list_locked(struct store_memory *self, const struct store_filter *filter,
                                     struct job_page *page)
{
    uint64_t last = 0;
    for (const struct entry *entry = self->newest; entry != NULL; entry = entry->older) {
        if (filter->before > 0 && entry->position >= filter->before) continue;
        if (!matches(&entry->record, filter)) continue;
        if (page->count == filter->limit) {
            page->next = last;
            break;
        }
        if (!job_record_copy(&entry->record, &page->record[page->count])) return STORE_MEMORY;
        page->count++;
        last = entry->position;
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
        .add = memory_add,
        .get = memory_get,
        .find_key = memory_find_key,
        .put = memory_put,
        .remove = memory_remove,
        .list = memory_list,
        .close = memory_close,
    };
    struct store_memory *self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->store.operations = &operations;
    self->limits = *limits;
    pthread_mutex_init(&self->lock, NULL);
    return &self->store;
}
