#include "tests/server/folders.h"

#include <check.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDERS_MAX = 8, PATH_SIZE = 256, FILE_MAX = 1 << 20 };

static char folders[FOLDERS_MAX][64];
static size_t folder_count;
static pid_t owner; /* children of the test leave them alone */

/* Depth first, so that a folder is empty when it is removed. */
static void folders_remove(void)
{
    for (size_t i = 0; owner == getpid() && i < folder_count; i++) {
        char *const list[] = {folders[i], NULL};
        FTS *walk = fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
            if (entry->fts_info != FTS_D) remove(entry->fts_accpath);
        if (walk != NULL) fts_close(walk);
    }
}

const char *folder_new(void)
{
    const char *base = getenv("TMPDIR");
    ck_assert_uint_lt(folder_count, FOLDERS_MAX);
    if (folder_count == 0) atexit(folders_remove);
    owner = getpid();
    char *folder = folders[folder_count++];
    snprintf(folder, sizeof folders[0], "%.30s/gradcheckd-test-XXXXXX",
             base != NULL && strlen(base) < 30 ? base : "/tmp");
    ck_assert_msg(mkdtemp(folder) != NULL, "%s: %s", folder, strerror(errno));
    return folder;
}

const char *folder_path(const char *folder, const char *name)
{
    static char paths[8][PATH_SIZE];
    static size_t next;
    char *path = paths[next++ % 8];
    const int length = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    ck_assert(length > 0 && length < PATH_SIZE);
    return path;
}

void folder_write(const char *folder, const char *name, const char *text)
{
    FILE *file = fopen(folder_path(folder, name), "w");
    ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

const char *folder_read(const char *folder, const char *name)
{
    static char text[FILE_MAX];
    FILE *file = fopen(folder_path(folder, name), "r");
    if (file == NULL) return NULL;
    const size_t size = fread(text, 1, sizeof text - 1, file);
    ck_assert_uint_lt(size, sizeof text - 1);
    text[size] = '\0';
    fclose(file);
    return text;
}
