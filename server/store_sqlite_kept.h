/* A stored job as a change finds it: what it has to know before it changes it, and the rows of
 * other tables that belong to it. The writer's thread alone. */
#ifndef GRADCHECKD_STORE_SQLITE_KEPT_H
#define GRADCHECKD_STORE_SQLITE_KEPT_H

#include "server/store_sqlite_db.h"

struct kept {
    uint64_t position;
    char owner[NAME_SIZE];
    enum job_kind kind;
    enum job_state state;
    bool shared;
    int64_t finished_ms;
    uint64_t bytes;
    uint64_t summary, error, result, parameters; /* their sizes */
    struct blob *labels;                         /* packed; owned */
};

/* False when there is none, or after a fault; kept_done in either case. */
bool kept_find(struct db *db, const char *id, struct kept *ret);
bool kept_first_to_finish(struct db *db, struct kept *ret);
void kept_done(struct kept *kept);

/* The rows by which a job is found by its labels. */
void kept_add_labels(struct db *db, const struct kept *kept, const struct labels *labels);
/* They follow the job's state. */
void kept_move_labels(struct db *db, const struct kept *kept, enum job_state state);
/* What is kept of its work. */
void kept_remove_grains(struct db *db, uint64_t position);
/* The job, and all that belongs to it. */
void kept_remove(struct db *db, const struct kept *kept);

#endif
