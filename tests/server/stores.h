/* Stores under test, opened and asked through struct store_operations alone. A store joins by a row
 * of `stores` in stores.c, and STORES grows with it.
 *
 * Jobs belong to ada unless said otherwise. What must succeed and does not fails the test. */
#ifndef TESTS_SERVER_STORES_H
#define TESTS_SERVER_STORES_H

#include "server/store.h"

enum { STORES = 1, RETAIN = 4, ACTIVE = 3 };

struct store *store_open_with(int index, struct limits limits);
struct store *store_open_large(int index);
/* Keeps four finished jobs, and has room for three at work. */
struct store *store_open_small(int index);
void store_close(struct store *store);
/* A queued check of ada's. */
struct job_record job_named(const char *id);
enum store_status store_add(struct store *store, struct job_record record);
void store_add_in(struct store *store, const char *id, enum job_state state);
enum store_status store_get(struct store *store, const char *owner, const char *id);
bool store_has(struct store *store, const char *id);
struct store_filter filter_of_ada(void);
/* The ids of a page, "c b a", with "…" where another follows. */
const char *store_listed(struct store *store, const struct store_filter *filter,
                         uint64_t *ret_next);
struct job_record job_keyed(const char *id, const char *owner, const char *key);

#endif
