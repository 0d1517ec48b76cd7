/* The tables that SQLite keeps jobs in, and how those of earlier versions become today's.
 *
 * `user_version` counts the steps made. A database of a later version, or of another program, is
 * refused untouched. Whoever has the connection. */
#ifndef GRADCHECKD_STORE_SQLITE_SCHEMA_H
#define GRADCHECKD_STORE_SQLITE_SCHEMA_H

#include "server/store_sqlite_db.h"

/* The number of the application in a file that daemons work on ("gckd"), and in a backup's copy of
 * one ("GCKB"). */
#define SCHEMA_ID 0x67636b64u
#define SCHEMA_COPY_ID 0x47434b42u

enum schema_state { SCHEMA_CURRENT, SCHEMA_OLD /* or none yet */, SCHEMA_NEWER, SCHEMA_FOREIGN };

/* Current after a fault as well: see db_status. */
enum schema_state schema_state(struct db *db);
const char *schema_state_text(enum schema_state state);
/* The latest. */
unsigned schema_version(void);
/* Makes each step that is missing, in a transaction of its own. False after a fault. */
bool schema_migrate(struct db *db);

#endif
