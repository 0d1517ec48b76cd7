/* Lists of jobs from SQLite. A list costs what its page shows, not what is stored: each pair of
 * state and kind that the filter lets through is a range of an index, ordered by position, and the
 * ranges are merged. Labels are looked for in the one that fewest jobs have; the others are probed
 * for each job of it. Whoever has the connection. */
#ifndef GRADCHECKD_STORE_SQLITE_LIST_H
#define GRADCHECKD_STORE_SQLITE_LIST_H

#include "server/store_sqlite_db.h"

enum store_status list_read(struct db *db, const struct store_filter *filter,
                            struct job_page *ret_page);

#endif
