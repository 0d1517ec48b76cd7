#include "tests/server/stores.h"
#include "tests/server/bodies.h"

#include <check.h>
#include <stdio.h>

typedef struct store *store_maker(const struct limits *limits);
static store_maker *const stores[] = {store_memory_open};

_Static_assert(COUNT(stores) == STORES, "each row is counted");

struct store *store_open_with(int index, struct limits limits)
{
    struct store *store = stores[index](&limits);
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

struct job_record job_named(const char *id)
{
    struct job_record record = {
        .kind = JOB_CHECK, .state = JOB_QUEUED, .priority = PRIORITY_NORMAL};
    snprintf(record.id, sizeof record.id, "%s", id);
    snprintf(record.owner, sizeof record.owner, "ada");
    return record;
}

enum store_status store_add(struct store *store, struct job_record record)
{
    struct job_record other = {0};
    const enum store_status status = store->operations->add(store, &record, &other);
    job_record_done(&other);
    return status;
}

void store_add_in(struct store *store, const char *id, enum job_state state)
{
    struct job_record record = job_named(id);
    record.state = state;
    ck_assert_int_eq(store_add(store, record), STORE_OK);
}

enum store_status store_get(struct store *store, const char *owner, const char *id)
{
    struct job_record record = {0};
    const enum store_status status = store->operations->get(store, owner, id, &record);
    if (status == STORE_OK) ck_assert_str_eq(record.id, id);
    job_record_done(&record);
    return status;
}

bool store_has(struct store *store, const char *id)
{
    return store_get(store, "ada", id) == STORE_OK;
}

struct store_filter filter_of_ada(void)
{
    return (struct store_filter){.owner = "ada", .limit = 50};
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

struct job_record job_keyed(const char *id, const char *owner, const char *key)
{
    struct job_record record = job_named(id);
    snprintf(record.owner, sizeof record.owner, "%s", owner);
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "%s", key);
    return record;
}
