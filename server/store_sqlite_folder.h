/* The folder that jobs are kept in: made, locked for one process, and its files, which are watched:
 * what is written to one that was removed is lost. Faults go to standard error. Any thread, but
 * what takes a struct folder one at a time; all of it asks the disk. */
#ifndef GRADCHECKD_STORE_SQLITE_FOLDER_H
#define GRADCHECKD_STORE_SQLITE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FOLDER_PATH_SIZE = 4096, FOLDER_WATCHED = 3 };

struct folder_file {
    char path[FOLDER_PATH_SIZE];
    dev_t device;
    ino_t inode;
};

struct folder {
    int lock;     /* held until it is closed; -1: none */
    bool created; /* the database was not there, or empty */
    char database[FOLDER_PATH_SIZE];
    struct folder_file watched[FOLDER_WATCHED];
    size_t watched_count;
};

/* Makes folder and file where they are missing, readable by their owner alone, and takes the lock;
 * false after a message. */
bool folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);
/* Watches the database's log as well, once it is there; lock and database are from the start. */
void folder_watch_log(struct folder *folder);
/* The path of a watched file that is no longer the one that was opened; NULL: all are in place.
 * Some microseconds. */
const char *folder_replaced(const struct folder *folder);
/* Where the folder's database is, in a form that SQLite takes for a path and nothing else. */
bool folder_database(const char *path, char text[FOLDER_PATH_SIZE]);
/* Bytes that the disk a file lies on still takes; as many as there are numbers if that is unknown.
 */
uint64_t folder_room(const char *file);
/* Makes what was written to a file, or to a folder's list of files, last. */
bool folder_sync(const char *path);
/* The folder that a file lies in. */
void folder_of(const char *file, char text[FOLDER_PATH_SIZE]);

#endif
