/* What was left unfinished, as a start finds it: each such job is read whole, one at a time.
 * Whoever has the connection. */
#ifndef GRADCHECKD_STORE_SQLITE_RECOVER_H
#define GRADCHECKD_STORE_SQLITE_RECOVER_H

#include "server/store_sqlite_db.h"

/* As `recover` of server/store.h. */
enum store_status recover_read(struct db *db, store_visit *visit, void *context);

#endif
