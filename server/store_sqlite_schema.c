#include "server/store_sqlite_schema.h"

#include <stdio.h>

/* A row of `job` has its small columns first, so that lists read little of it; what is large and
 * known from the start stands in `request`, so that a job's end does not write it again. `label`
 * repeats a job's state and kind, so that one range of an index answers for all three; `job` keeps
 * the labels, too, in their order. States and kinds are the numbers of server/record.h. */
static const char version_1[] =
    "CREATE TABLE job ("
    "  position INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  owner TEXT NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  priority INTEGER NOT NULL,"
    "  shared INTEGER NOT NULL,"
    "  cancel_requested INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  started_ms INTEGER NOT NULL,"
    "  finished_ms INTEGER NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  event_sequence INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL,"
    "  done INTEGER NOT NULL,"
    "  total INTEGER NOT NULL,"
    "  seconds REAL NOT NULL,"
    "  cut_format INTEGER NOT NULL,"
    "  block_rows INTEGER NOT NULL,"
    "  block_count INTEGER NOT NULL,"
    "  grain_operations INTEGER NOT NULL,"
    "  grain_count INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL," /* as the limits count them */
    "  signature TEXT NOT NULL,"
    "  idempotency_key TEXT," /* NULL: none */
    "  labels BLOB,"          /* name, 0, value, 0, and so on; NULL: none */
    "  summary BLOB,"
    "  error BLOB,"
    "  result BLOB,"
    "  parameters BLOB"
    ") STRICT;"
    "CREATE INDEX job_owner ON job (owner, state, kind);" /* and position, as in each index */
    "CREATE INDEX job_state ON job (state, kind);"
    "CREATE INDEX job_finished ON job (finished_ms) WHERE state > 1;"
    "CREATE UNIQUE INDEX job_key ON job (owner, idempotency_key)"
    "  WHERE idempotency_key IS NOT NULL;"
    "CREATE TABLE request (position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
    "CREATE TABLE label ("
    "  owner TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  position INTEGER NOT NULL,"
    "  PRIMARY KEY (owner, name, value, state, kind, position)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX label_all ON label (name, value, state, kind, position);"
    "CREATE TABLE grain ("
    "  position INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL,"
    "  PRIMARY KEY (position, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE partial ("
    "  position INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL,"
    "  PRIMARY KEY (position, number)"
    ") STRICT, WITHOUT ROWID;"
    /* Of all jobs, so that opening counts none. */
    "CREATE TABLE totals ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  last_position INTEGER NOT NULL,"
    "  active INTEGER NOT NULL,"
    "  active_bytes INTEGER NOT NULL,"
    "  finished INTEGER NOT NULL,"
    "  finished_bytes INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0);";

/* Each takes the schema from the version of its index to the next; those that a release had are
 * never changed. */
static const char *const steps[] = {version_1};
enum { VERSION = sizeof steps / sizeof steps[0] };

unsigned schema_version(void)
{
    return VERSION;
}

static bool is_ours(int64_t application)
{
    return application == SCHEMA_ID || application == SCHEMA_COPY_ID;
}

enum schema_state schema_state(struct db *db)
{
    const int64_t version = db_number(db, "PRAGMA user_version");
    const int64_t application = db_number(db, "PRAGMA application_id");
    const int64_t tables = db_number(db, "SELECT count(*) FROM sqlite_schema");
    if (db_status(db) != STORE_OK) return SCHEMA_CURRENT;
    if (application == 0 && version == 0 && tables == 0) return SCHEMA_OLD;
    if (!is_ours(application) || version < 0) return SCHEMA_FOREIGN;
    if (version > VERSION) return SCHEMA_NEWER;
    return version < VERSION ? SCHEMA_OLD : SCHEMA_CURRENT;
}

const char *schema_state_text(enum schema_state state)
{
    static const char *const texts[] = {
        [SCHEMA_CURRENT] = "is current",
        [SCHEMA_OLD] = "is of an earlier version",
        [SCHEMA_NEWER] = "is of a later version of gradcheckd",
        [SCHEMA_FOREIGN] = "belongs to another program",
    };
    return texts[state];
}

static bool make_step(struct db *db, int version)
{
    char numbers[100];
    snprintf(numbers, sizeof numbers, "PRAGMA application_id=%d; PRAGMA user_version=%d",
             (int)SCHEMA_ID, version + 1);
    db_begin_write(db);
    db_run_text(db, steps[version]);
    db_run_text(db, numbers);
    return db_end(db);
}

bool schema_migrate(struct db *db)
{
    const int64_t version = db_number(db, "PRAGMA user_version");
    for (int i = (int)version; db_status(db) == STORE_OK && i < VERSION; i++)
        make_step(db, i);
    return db_status(db) == STORE_OK;
}
