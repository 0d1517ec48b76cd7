/* Stores under test, opened and asked through struct store_operations alone. A store joins by a row
 * of `rows` in stores.c, and STORES grows with it.
 *
 * Jobs belong to ada unless said otherwise. What must succeed and does not fails the test. */
#ifndef TESTS_SERVER_STORES_H
#define TESTS_SERVER_STORES_H

#include "server/store.h"

enum { STORE_ROW_MEMORY, STORE_ROW_SQLITE, STORES };
enum { RETAIN = 4, ACTIVE = 3 };

/* ---- life ---- */

/* What was kept in the folder is there again. */
struct store *store_open_with(int index, struct limits limits);
struct store *store_open_large(int index);
/* Keeps four finished jobs, and has room for three at work. */
struct store *store_open_small(int index);
void store_close(struct store *store);
/* Where this process's stores keep what they keep. */
const char *store_folder(void);

/* ---- jobs ---- */

/* A queued check of ada's, newer than those before. */
struct job_record job_named(const char *id);
struct job_record job_keyed(const char *id, const char *owner, const char *key);
struct job_record job_in(const char *id, enum job_state state);
/* One with something in every field, ended; full_job_done takes it apart. */
struct job_record full_job(struct label label[2]);
void full_job_done(struct job_record *record);
void assert_same_job(const struct job_record *got, const struct job_record *want);

/* ---- writes ---- */

enum store_status store_add(struct store *store, struct job_record record);
void store_add_in(struct store *store, const char *id, enum job_state state);
/* So many jobs: a, b, c and so on. */
void store_add_letters(struct store *store, int count, enum job_state state);
enum store_status store_put(struct store *store, struct job_record record);
/* Changes the job's state as its owner's work does. */
void store_finish(struct store *store, const char *id, enum job_state state);
enum store_status store_remove(struct store *store, const char *owner, const char *id);
enum store_status store_keep(struct store *store, const char *id, struct store_grain grain);
/* Until nothing is left beyond the limits; how many went. */
size_t store_prune(struct store *store, int64_t now_ms);

/* ---- reads ---- */

enum store_status store_get(struct store *store, const char *owner, const char *id);
bool store_has(struct store *store, const char *id);
/* Whole, as a copy to take apart. */
struct job_record store_read(struct store *store, const char *id);
/* The job is there, and the same. */
void assert_stored(struct store *store, const struct job_record *want);
struct store_filter filter_of_ada(void);
/* The ids of a page, "c b a", with "…" where another follows. */
const char *store_listed(struct store *store, const struct store_filter *filter,
                         uint64_t *ret_next);
/* Unfinished jobs with what is kept of their work: "a(0:1 3:2=bytes) b()". */
const char *store_recovered(struct store *store);

#endif
