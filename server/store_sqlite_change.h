/* What writes do to the tables. The writer's thread alone. */
#ifndef GRADCHECKD_STORE_SQLITE_CHANGE_H
#define GRADCHECKD_STORE_SQLITE_CHANGE_H

#include "server/store_sqlite_db.h"

/* Of all jobs; a row of its own has the same. */
struct totals {
    uint64_t last_position;
    uint64_t active, active_bytes;     /* not ended */
    uint64_t finished, finished_bytes; /* ended */
};

struct changes {
    struct db *db;
    struct limits limits;
    struct totals totals; /* as of the transaction at work */
};

/* Reads the totals; false after a fault. */
bool changes_open(struct changes *changes, struct db *db, const struct limits *limits);
/* Makes the writes in one transaction: with STORE_OK, statuses say what became of each; otherwise
 * none was made, and this is why. */
enum store_status changes_commit(struct changes *changes, struct store_write *const *writes,
                                 size_t count, enum store_status *statuses);

#endif
