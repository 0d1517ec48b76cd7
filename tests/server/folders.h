/* Folders for tests, each its own, with files written and read whole. What fails ends the test. */
#ifndef TESTS_SERVER_FOLDERS_H
#define TESTS_SERVER_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

/* A new, empty one; its path stays until the process ends, and it is removed then. */
const char *folder_new(void);
/* "FOLDER/NAME"; stays until the eighth call after it. */
const char *folder_path(const char *folder, const char *name);
void folder_write(const char *folder, const char *name, const char *text);
/* NULL when it is not there; stays until the next call. */
const char *folder_read(const char *folder, const char *name);

#endif
