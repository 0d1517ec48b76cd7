#include "server/store_sqlite_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool complain(const char *path, const char *fault)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", path, fault);
    return false;
}

/* A path that begins with "file:" would be taken for a URI. */
static bool join(char text[FOLDER_PATH_SIZE], const char *path, const char *name)
{
    const int length =
        snprintf(text, FOLDER_PATH_SIZE, "%s%s/%s", path[0] == '/' ? "" : "./", path, name);
    return length < FOLDER_PATH_SIZE || complain(path, "the path is too long");
}

bool folder_database(const char *path, char text[FOLDER_PATH_SIZE])
{
    return join(text, path, "jobs.db");
}

void folder_of(const char *file, char text[FOLDER_PATH_SIZE])
{
    const char *slash = strrchr(file, '/');
    const int length = slash == NULL ? 0 : (int)(slash - file);
    if (slash == NULL)
        snprintf(text, FOLDER_PATH_SIZE, ".");
    else
        snprintf(text, FOLDER_PATH_SIZE, "%.*s", length > 0 ? length : 1, file);
}

uint64_t folder_room(const char *file)
{
    struct statvfs disk;
    if (statvfs(file, &disk) != 0) return UINT64_MAX;
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

bool folder_sync(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool synced = fsync(file) == 0;
    close(file);
    return synced;
}

/* ---- what is watched ---- */

static void watch(struct folder *folder, const char *path, const struct stat *status)
{
    struct folder_file *file = &folder->watched[folder->watched_count++];
    snprintf(file->path, sizeof file->path, "%s", path);
    file->device = status->st_dev;
    file->inode = status->st_ino;
}

static bool watch_open(struct folder *folder, const char *path, int file)
{
    struct stat status;
    if (fstat(file, &status) != 0) return complain(path, strerror(errno));
    watch(folder, path, &status);
    return true;
}

/* A file system without shared memory has none. */
void folder_watch_log(struct folder *folder)
{
    struct stat status;
    char path[FOLDER_PATH_SIZE];
    const int length = snprintf(path, sizeof path, "%s-wal", folder->database);
    if (length < FOLDER_PATH_SIZE && stat(path, &status) == 0) watch(folder, path, &status);
}

/* Another fault says nothing about the file. */
static bool is_replaced(const struct folder_file *file)
{
    struct stat status;
    if (stat(file->path, &status) != 0) return errno == ENOENT || errno == ENOTDIR;
    return status.st_dev != file->device || status.st_ino != file->inode;
}

const char *folder_replaced(const struct folder *folder)
{
    for (size_t i = 0; i < folder->watched_count; i++)
        if (is_replaced(&folder->watched[i])) return folder->watched[i].path;
    return NULL;
}

/* ---- the lock ---- */

static void tell_holder(const char *path, int lock)
{
    char pid[32] = "";
    const ssize_t length = pread(lock, pid, sizeof pid - 1, 0);
    const long number = length > 0 ? strtol(pid, NULL, 10) : 0;
    if (number > 0)
        fprintf(stderr, "gradcheckd: %s: in use by process %ld\n", path, number);
    else
        complain(path, "in use by another process");
}

/* The file stays when the lock goes: a lock on a file that somebody has unlinked keeps nobody out.
 */
static bool take_lock(struct folder *folder, const char *path)
{
    char file[FOLDER_PATH_SIZE], pid[32];
    if (!join(file, path, "lock")) return false;
    folder->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock < 0) return complain(file, strerror(errno));
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            tell_holder(path, folder->lock);
        else
            complain(file, strerror(errno));
        return false;
    }
    const int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    const bool told =
        ftruncate(folder->lock, 0) == 0 && pwrite(folder->lock, pid, (size_t)length, 0) > 0;
    (void)told; /* for messages alone */
    return watch_open(folder, file, folder->lock);
}

/* ---- folder and file ---- */

static bool make_folder(const char *path)
{
    char parent[FOLDER_PATH_SIZE];
    if (mkdir(path, 0700) != 0) return errno == EEXIST || complain(path, strerror(errno));
    folder_of(path, parent);
    folder_sync(parent);
    return true;
}

/* SQLite would make it readable for all. */
static bool make_file(struct folder *folder, const char *path)
{
    const char *file = folder->database;
    const int made = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) return complain(file, strerror(errno));
    const bool watched = watch_open(folder, file, made);
    folder->created = lseek(made, 0, SEEK_END) == 0;
    close(made);
    if (!watched) return false;
    return folder_sync(path) || complain(path, strerror(errno));
}

bool folder_open(struct folder *folder, const char *path)
{
    folder->lock = -1;
    folder->watched_count = 0;
    if (folder_database(path, folder->database) && make_folder(path) && take_lock(folder, path) &&
        make_file(folder, path))
        return true;
    folder_close(folder);
    return false;
}

void folder_close(struct folder *folder)
{
    if (folder->lock >= 0) close(folder->lock);
    folder->lock = -1;
}
