#include "server/store.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

bool store_is_known(const char *name)
{
    if (strcmp(name, "memory:") == 0 || strcmp(name, "sqlite:") == 0) return true;
    fprintf(stderr, "gradcheckd: --store knows sqlite: and memory:, got '%s'\n", name);
    return false;
}

struct store *store_open(const struct config *config)
{
    if (!store_is_known(config->store)) return NULL;
    if (strcmp(config->store, "memory:") == 0) return store_memory_open(&config->limits);
    return store_sqlite_open(config->data_dir, &config->limits);
}

static bool has_label(const struct job_record *record, const struct label *wanted)
{
    for (size_t i = 0; i < record->labels.count; i++)
        if (strcmp(record->labels.label[i].name, wanted->name) == 0)
            return strcmp(record->labels.label[i].value, wanted->value) == 0;
    return false;
}

bool store_filter_matches(const struct store_filter *filter, const struct job_record *record)
{
    if (filter->before != 0 && record->position >= filter->before) return false;
    if (!filter->scope.all && strcmp(record->owner, filter->scope.owner) != 0) return false;
    if (filter->states != 0 && (filter->states & 1u << record->state) == 0) return false;
    if (filter->kinds != 0 && (filter->kinds & 1u << record->kind) == 0) return false;
    for (size_t i = 0; i < filter->labels.count; i++)
        if (!has_label(record, &filter->labels.label[i])) return false;
    return true;
}

/* Somebody who waits for one write. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t made;
    bool is_made;
    enum store_status status;
};

static void wake(struct store_write *write, enum store_status status)
{
    struct wait *wait = write->context;
    pthread_mutex_lock(&wait->lock);
    wait->is_made = true;
    wait->status = status;
    pthread_cond_signal(&wait->made);
    pthread_mutex_unlock(&wait->lock);
}

enum store_status store_do(struct store *store, struct store_write *write)
{
    struct wait here = {.lock = PTHREAD_MUTEX_INITIALIZER, .made = PTHREAD_COND_INITIALIZER};
    struct wait *const wait = &here; /* gone only once the write is made */
    write->done = wake;
    write->context = wait;
    store->operations->submit(store, write);
    pthread_mutex_lock(&wait->lock);
    while (!wait->is_made)
        pthread_cond_wait(&wait->made, &wait->lock);
    pthread_mutex_unlock(&wait->lock);
    return wait->status;
}
