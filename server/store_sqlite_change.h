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
    const char *file; /* its own; borrowed */
    struct limits limits;
    uint64_t room;        /* on the disk, for new jobs of the transaction at work */
    bool lacks_room;      /* the last new job was refused for want of it */
    struct totals totals; /* as of the transaction at work */
};

/* Reads the totals; false after a fault. */
bool changes_open(struct changes *changes, struct db *db, const char *file,
                  const struct limits *limits);
/* Whether the disk has so little room that the log should be copied into the file while it is
 * short: the file may have to grow for it. */
bool changes_are_tight(const struct changes *changes);
/* Makes the writes in one transaction: with STORE_OK, statuses say what became of each; otherwise
 * none was made, and this is why. */
enum store_status changes_commit(struct changes *changes, struct store_write *const *writes,
                                 size_t count, enum store_status *statuses);

#endif
