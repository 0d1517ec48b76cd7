/* A disk and a memory that fail on demand, under the SQLite of this process: sick_start before the
 * first store is opened. Counts and orders are atomic; any thread. */
#ifndef TESTS_SERVER_SICK_H
#define TESTS_SERVER_SICK_H

#include <stdbool.h>

enum sick_part {
    SICK_WRITES, /* writes, syncs, truncations, sizes: with sick_code */
    SICK_READS,  /* reads and opening: with an I/O error */
    SICK_MEMORY,
    SICK_PARTS
};

void sick_start(void);
/* The nth call from now on fails (1: the next one), and, if it lasts, all that follow. `code`: of
 * SQLite, for writes. */
void sick_fail(enum sick_part part, int nth, bool lasts, int code);
/* The disk says that it has so many bytes left; -1: as many as it has. */
void sick_room(long bytes);
/* Whether a call has failed since. */
bool sick_has_failed(void);
/* All is well again, but for the room; whether a call has failed. */
bool sick_heal(void);

/* Whether an open file holds what was not synced since it was written, and would be lost with the
 * power. */
bool sick_is_unsynced(void);

#endif
