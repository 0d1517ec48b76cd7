/* What is looked at before the file of a start is trusted, and the mark that tells a backup's copy
 * from the file that a daemon works on. Cheap, whatever the size of the file: damage in its midst
 * is found when somebody reads there. Under the folder's lock. */
#ifndef GRADCHECKD_STORE_SQLITE_CHECK_H
#define GRADCHECKD_STORE_SQLITE_CHECK_H

#include "server/store_sqlite_change.h"

/* Before SQLite sees the file, which would mix it with whatever log lies beside it: false after a
 * message on standard error. A copy becomes the daemon's own. */
bool check_file(const char *file);
/* Marks a new file, which nobody has open, as a backup's copy; false with errno. */
bool check_mark_copy(const char *file);
/* Reads both ends of every table and index, and compares the totals with them: a fault of the
 * connection where they contradict each other. */
bool check_contents(struct db *db, const struct totals *totals);

#endif
