/* The tables that SQLite keeps jobs in, and how those of earlier versions become today's.
 *
 * `user_version` counts the steps made. A database of a later version, or of another program, is
 * refused untouched. */
#ifndef GRADCHECKD_STORE_SQLITE_SCHEMA_H
#define GRADCHECKD_STORE_SQLITE_SCHEMA_H

#include "server/store_sqlite_db.h"

enum schema_state { SCHEMA_CURRENT, SCHEMA_OLD /* or none yet */, SCHEMA_NEWER, SCHEMA_FOREIGN };

/* Current after a fault as well: see db_status. */
enum schema_state schema_state(struct db *db);
const char *schema_state_text(enum schema_state state);
/* Makes each step that is missing, in a transaction of its own. False after a fault. */
bool schema_migrate(struct db *db);

#endif
