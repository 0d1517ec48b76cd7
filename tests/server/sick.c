#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/server/sick.h"

#include <check.h>
#include <sqlite3.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>

/* A thread of the store may be about to fail while the test heals: none of it happens by halves. */
static struct {
    pthread_mutex_t lock;
    int left[SICK_PARTS]; /* calls until one fails; 0: none will */
    bool lasts;
    bool failed;
    int code;
} sick = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The code that this call is to fail with, or 0. */
static int fault_of(enum sick_part part)
{
    pthread_mutex_lock(&sick.lock);
    const bool fails = sick.left[part] == 1;
    if (sick.left[part] > 0 && !(fails && sick.lasts)) sick.left[part]--;
    if (fails) sick.failed = true;
    const int code = fails ? sick.code : 0;
    pthread_mutex_unlock(&sick.lock);
    return code;
}

static bool fails(enum sick_part part)
{
    return fault_of(part) != 0;
}

static bool heal_locked(void)
{
    for (int i = 0; i < SICK_PARTS; i++)
        sick.left[i] = 0;
    return sick.failed;
}

void sick_fail(enum sick_part part, int nth, bool lasts, int code)
{
    pthread_mutex_lock(&sick.lock);
    heal_locked();
    sick.lasts = lasts;
    sick.code = code != SQLITE_OK ? code : SQLITE_IOERR;
    sick.failed = false;
    sick.left[part] = nth;
    pthread_mutex_unlock(&sick.lock);
}

bool sick_has_failed(void)
{
    pthread_mutex_lock(&sick.lock);
    const bool failed = sick.failed;
    pthread_mutex_unlock(&sick.lock);
    return failed;
}

bool sick_heal(void)
{
    pthread_mutex_lock(&sick.lock);
    const bool failed = heal_locked();
    pthread_mutex_unlock(&sick.lock);
    return failed;
}

/* ---- room ---- */

static atomic_long room = -1;

void sick_room(long bytes)
{
    atomic_store(&room, bytes);
}

/* In place of the library's. */
int statvfs(const char *path, struct statvfs *ret)
{
    int (*ask)(const char *, struct statvfs *);
    void *symbol = dlsym(RTLD_NEXT, "statvfs");
    memcpy(&ask, &symbol, sizeof ask);
    const int code = ask(path, ret);
    if (code == 0 && atomic_load(&room) >= 0)
        ret->f_bavail = (fsblkcnt_t)atomic_load(&room) / ret->f_frsize;
    return code;
}

/* ---- files ---- */

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* behind it */
    bool unsynced;      /* of whoever has it */
};

static atomic_int unsynced; /* files */

bool sick_is_unsynced(void)
{
    return atomic_load(&unsynced) > 0;
}

static void set_unsynced(sqlite3_file *file, bool is)
{
    struct file *self = (struct file *)file;
    atomic_fetch_add(&unsynced, is - self->unsynced);
    self->unsynced = is;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    set_unsynced(file, false);
    return real(file)->pMethods->xClose(real(file));
}

static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    if (fails(SICK_READS)) return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), bytes, count, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    const int code = fault_of(SICK_WRITES);
    if (code != SQLITE_OK) return code;
    set_unsynced(file, true);
    return real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails(SICK_WRITES)) return SQLITE_IOERR_TRUNCATE;
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    if (fails(SICK_WRITES)) return SQLITE_IOERR_FSYNC;
    set_unsynced(file, false);
    return real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    if (fails(SICK_READS)) return SQLITE_IOERR_FSTAT;
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_reserved(sqlite3_file *file, int *is)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), is);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int file_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int file_device(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **bytes)
{
    if (extend != 0 && fails(SICK_WRITES)) return SQLITE_IOERR_SHMSIZE;
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, bytes);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static sqlite3_vfs disk, *healthy;

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    (void)vfs;
    struct file *file = (struct file *)base;
    file->base.pMethods = NULL;
    file->real = (sqlite3_file *)(file + 1);
    file->unsynced = false;
    if (fails(SICK_READS)) return SQLITE_CANTOPEN;
    const int code = healthy->xOpen(healthy, name, file->real, flags, ret_flags);
    if (code == SQLITE_OK) file->base.pMethods = &methods;
    return code;
}

/* ---- memory ---- */

static sqlite3_mem_methods memory;

static void *memory_take(int size)
{
    return fails(SICK_MEMORY) ? NULL : memory.xMalloc(size);
}

static void *memory_resize(void *bytes, int size)
{
    return fails(SICK_MEMORY) ? NULL : memory.xRealloc(bytes, size);
}

void sick_start(void)
{
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
    sqlite3_mem_methods failing = memory;
    failing.xMalloc = memory_take;
    failing.xRealloc = memory_resize;
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
    healthy = sqlite3_vfs_find(NULL);
    disk = *healthy;
    disk.pNext = NULL;
    disk.zName = "sick";
    disk.szOsFile = (int)sizeof(struct file) + healthy->szOsFile;
    disk.xOpen = disk_open;
    ck_assert_int_eq(sqlite3_vfs_register(&disk, 1), SQLITE_OK);
}
