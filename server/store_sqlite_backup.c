/* A copy of the jobs, as of one moment, beside a daemon that goes on. */
#include "server/store_sqlite_folder.h"
#include "server/store_sqlite_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool complain(const char *path, const char *fault)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", path, fault);
    return false;
}

/* Nothing is made where there is nothing to copy. */
static struct db *open_source(const char *folder)
{
    char path[FOLDER_PATH_SIZE], fault[200];
    if (!folder_database(folder, path)) return NULL;
    if (access(path, R_OK) != 0) {
        complain(path, errno == ENOENT ? "no jobs are kept there" : strerror(errno));
        return NULL;
    }
    struct db *db = db_open(path, DB_READS, fault, sizeof fault);
    if (db == NULL) {
        complain(path, fault);
        return NULL;
    }
    const enum schema_state state = schema_state(db);
    if (db_status(db) == STORE_OK && (state == SCHEMA_CURRENT || state == SCHEMA_OLD)) return db;
    complain(path, db_status(db) == STORE_OK ? schema_state_text(state) : db_fault(db));
    db_close(db);
    return NULL;
}

/* The new file stands under another name until it is whole; `text` is that name. */
static bool make_temporary(const char *file, char text[FOLDER_PATH_SIZE])
{
    const char *here = file[0] == '/' ? "" : "./";
    if (access(file, F_OK) == 0) return complain(file, "exists already");
    if (snprintf(text, FOLDER_PATH_SIZE, "%s%s.XXXXXX", here, file) >= FOLDER_PATH_SIZE)
        return complain(file, "the path is too long");
    const int made = mkstemp(text); /* 0600 */
    if (made < 0) return complain(file, strerror(errno));
    close(made);
    return true;
}

static bool copy(struct db *db, const char *temporary)
{
    struct db_query *query = db_query(db, "VACUUM INTO ?1");
    db_bind_text(query, temporary);
    return db_run(query);
}

/* A link refuses to replace a file that has come meanwhile; not all file systems have links. */
static bool put_in_place(const char *temporary, const char *file)
{
    if (link(temporary, file) == 0) return unlink(temporary) == 0;
    if (errno == EEXIST || access(file, F_OK) == 0) return complain(file, "exists already");
    return rename(temporary, file) == 0 || complain(file, strerror(errno));
}

static const char *fault_of(const struct db *db)
{
    return db_status(db) == STORE_FULL ? "the disk is full" : db_fault(db);
}

bool store_sqlite_backup(const char *folder, const char *file)
{
    char temporary[FOLDER_PATH_SIZE], parent[FOLDER_PATH_SIZE];
    struct db *db = open_source(folder);
    bool made = false;
    if (db == NULL) return false;
    if (make_temporary(file, temporary)) {
        folder_of(file, parent);
        if (!copy(db, temporary))
            complain(file, fault_of(db));
        else if (!folder_sync(temporary))
            complain(file, strerror(errno));
        else
            made = put_in_place(temporary, file);
        if (!made) unlink(temporary);
        if (made) folder_sync(parent);
    }
    db_close(db);
    return made;
}
