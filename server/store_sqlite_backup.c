/* A copy of the jobs, as of one moment, beside a daemon that goes on. It is marked as one, so that
 * a start can tell it from the file that a log beside it belongs to. */
#include "server/store_sqlite_check.h"
#include "server/store_sqlite_folder.h"
#include "server/store_sqlite_schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool complain(const char *path, const char *fault)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", path, fault);
    return false;
}

/* Who reads beside a daemon shares the log's index with it, in a file of the folder. */
static void complain_of_reading(const char *folder, const char *path, const char *fault)
{
    if (access(folder, W_OK) == 0)
        complain(path, fault);
    else
        complain(folder, "must be writable for a backup, too: what reads the jobs is noted there");
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
        complain_of_reading(folder, path, fault);
        return NULL;
    }
    const enum schema_state state = schema_state(db);
    if (db_status(db) != STORE_OK)
        complain_of_reading(folder, path, db_fault(db));
    else if (state == SCHEMA_CURRENT || state == SCHEMA_OLD)
        return db;
    else
        complain(path, schema_state_text(state));
    db_close(db);
    return NULL;
}

/* The process that began such a file, "FILE.PID.partial" or its journal; 0 for any other name. */
static long maker_of(const char *name, const char *base)
{
    const size_t length = strlen(base);
    char *end;
    if (strncmp(name, base, length) != 0 || name[length] != '.') return 0;
    const long pid = strtol(name + length + 1, &end, 10);
    return strcmp(end, ".partial") == 0 || strcmp(end, ".partial-journal") == 0 ? pid : 0;
}

static bool is_gone(long pid)
{
    return pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* What backups to the same file left that were killed. */
static void remove_leftovers(const char *file)
{
    char parent[FOLDER_PATH_SIZE];
    folder_of(file, parent);
    const char *slash = strrchr(file, '/');
    const char *base = slash == NULL ? file : slash + 1;
    DIR *list = opendir(parent);
    if (list == NULL) return;
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        const long pid = maker_of(entry->d_name, base);
        if (pid > 0 && is_gone(pid)) unlinkat(dirfd(list), entry->d_name, 0);
    }
    closedir(list);
}

/* The new file stands under another name until it is whole; `text` is that name. */
static bool make_temporary(const char *file, char text[FOLDER_PATH_SIZE])
{
    const char *here = file[0] == '/' ? "" : "./";
    if (access(file, F_OK) == 0) return complain(file, "exists already");
    remove_leftovers(file);
    const long pid = getpid();
    if (snprintf(text, FOLDER_PATH_SIZE, "%s%s.%ld.partial", here, file, pid) >= FOLDER_PATH_SIZE)
        return complain(file, "the path is too long");
    const int made = open(text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
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
        else if (!check_mark_copy(temporary) || !folder_sync(temporary))
            complain(file, strerror(errno));
        else
            made = put_in_place(temporary, file);
        if (!made) unlink(temporary);
        if (made) folder_sync(parent);
    }
    db_close(db);
    return made;
}
