/* The folder that jobs are kept in: made, locked for one process, and its file. Faults go to
 * standard error. */
#ifndef GRADCHECKD_STORE_SQLITE_FOLDER_H
#define GRADCHECKD_STORE_SQLITE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLDER_PATH_SIZE = 4096 };

struct folder {
    int lock; /* held until it is closed; -1: none */
    char database[FOLDER_PATH_SIZE];
};

/* Makes folder and file where they are missing, readable by their owner alone, and takes the lock;
 * false after a message. */
bool folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);
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
