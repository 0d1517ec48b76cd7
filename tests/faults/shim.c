/*
 * Preloaded into the daemon by the tests of faults: calls of the allocator and of the file system
 * that are told to fail do so, all others go through.
 *
 * Of allocations those count that the daemon's own code, its store's library or its JSON library
 * asks for: where the HTTP or TLS library has no memory it ends the connection, and there is nobody
 * to answer. Of files those count that lie in the data folder. Any thread; a counted call costs
 * some atomic operations, one on a file a system call more.
 */
#define _GNU_SOURCE
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RANGES = 16, FRAMES = 24, PATH_SIZE = 512 };

struct range {
    uintptr_t from, to;
};

static struct shim *shim;          /* NULL: nothing is counted */
static struct range range[RANGES]; /* of code; the first is the program's */
static size_t range_count;
static _Thread_local bool inside;

/* ---- what counts ---- */

static bool is_counted_object(const char *name)
{
    return name[0] == '\0' || strstr(name, "/libsqlite3.so") != NULL ||
           strstr(name, "/libjansson.so") != NULL;
}

static int add_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    if (!is_counted_object(info->dlpi_name)) return 0;
    struct shim *shared = context;
    if (info->dlpi_name[0] == '\0') atomic_store(&shared->program, info->dlpi_addr);
    for (size_t i = 0; i < info->dlpi_phnum && range_count < RANGES; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
        const uintptr_t from = info->dlpi_addr + part->p_vaddr;
        range[range_count++] = (struct range){from, from + part->p_memsz};
    }
    return 0;
}

/* ---- orders ---- */

static void describe(char *text, size_t size)
{
    void *frame[FRAMES];
    Dl_info info;
    size_t used = 0;
    const int count = backtrace(frame, FRAMES);
    text[0] = '\0';
    for (int i = 3; i < count && used < size; i++) {
        if (dladdr(frame[i], &info) == 0 || info.dli_fname == NULL) continue;
        const char *slash = strrchr(info.dli_fname, '/');
        const int length = snprintf(text + used, size - used, "%s+0x%zx ",
                                    slash == NULL ? info.dli_fname : slash + 1,
                                    (size_t)((char *)frame[i] - (char *)info.dli_fbase) - 1);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* Whether this call is to fail. */
__attribute__((noinline)) static bool fails(unsigned call)
{
    if (shim == NULL || inside || (atomic_load(&shim->order.mask) & call) == 0) return false;
    struct shim_order *order = &shim->order;
    const int64_t left = atomic_fetch_sub(&order->left, 1);
    if (left > 1 || left <= 1 - atomic_load(&order->count)) return false;
    inside = true;
    if (atomic_load(&order->fired) == 0) describe(shim->where, sizeof shim->where);
    inside = false;
    atomic_fetch_add(&order->fired, 1);
    return true;
}

#ifndef SHIM_WITHOUT_ALLOCATIONS
/* ---- allocations ----
 *
 * Each is longer than what was asked for by a note at its end, which says whether it is counted and
 * for which place in the code; what the loader allocated before has none, and is taken as such.
 */

struct note {
    uintptr_t mark; /* the allocation's address, scrambled: it is counted */
    size_t site;
};

static const uintptr_t SCRAMBLE = 0x5bd1e9955bd1e995;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* The library's, of which the one below takes the place; NULL at first: nothing is noted yet. */
static size_t (*usable)(void *memory);

static void start_allocations(void)
{
    usable = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
    if (shim != NULL) atomic_store(&shim->allocates, true);
}

static struct note *note_of(void *memory)
{
    return (struct note *)((char *)memory + usable(memory) - sizeof(struct note));
}

static bool in_range(size_t place, uintptr_t address)
{
    return address >= range[place].from && address < range[place].to;
}

static bool is_counted(const void *caller)
{
    const uintptr_t address = (uintptr_t)caller;
    if (shim == NULL || inside) return false;
    for (size_t i = 0; i < range_count; i++)
        if (in_range(i, address)) return true;
    return false;
}

/* The last place stands for all that find none. */
static size_t site_of(uintptr_t address)
{
    size_t place = (address * SCRAMBLE >> 20) % SHIM_SITES;
    for (size_t tries = 0; tries < SHIM_SITES; tries++) {
        uintptr_t found = 0;
        if (atomic_compare_exchange_strong(&shim->site[place].address, &found, address) ||
            found == address)
            return place;
        place = (place + 1) % SHIM_SITES;
    }
    return SHIM_SITES - 1;
}

static void account(size_t site, int64_t count)
{
    const bool own = in_range(0, atomic_load(&shim->site[site].address));
    atomic_fetch_add(&shim->site[site].live, count);
    atomic_fetch_add(own ? &shim->live : &shim->live_libraries, count);
}

static void *noted(void *memory, const void *caller, bool counted)
{
    if (memory == NULL || usable == NULL) return memory;
    struct note note = {0};
    if (counted) {
        note = (struct note){(uintptr_t)memory ^ SCRAMBLE, site_of((uintptr_t)caller)};
        account(note.site, 1);
    }
    memcpy(note_of(memory), &note, sizeof note);
    return memory;
}

static bool note_is_counted(void *memory, struct note *ret_note)
{
    if (shim == NULL) return false;
    memcpy(ret_note, note_of(memory), sizeof *ret_note);
    return ret_note->mark == ((uintptr_t)memory ^ SCRAMBLE) && ret_note->site < SHIM_SITES;
}

/* It is about to be freed, or moved. */
static void forget(void *memory)
{
    struct note note;
    if (!note_is_counted(memory, &note)) return;
    account(note.site, -1);
    memset(note_of(memory), 0, sizeof note);
}

static void *refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    const void *caller = __builtin_return_address(0);
    const bool counted = is_counted(caller);
    if ((counted && fails(SHIM_ALLOCATE)) || size > PTRDIFF_MAX - sizeof(struct note))
        return refuse();
    return noted(__libc_malloc(size + sizeof(struct note)), caller, counted);
}

void *calloc(size_t count, size_t size)
{
    const void *caller = __builtin_return_address(0);
    const bool counted = is_counted(caller);
    size_t bytes;
    if ((counted && fails(SHIM_ALLOCATE)) || __builtin_mul_overflow(count, size, &bytes) ||
        bytes > PTRDIFF_MAX - sizeof(struct note))
        return refuse();
    return noted(__libc_calloc(1, bytes + sizeof(struct note)), caller, counted);
}

void free(void *memory)
{
    if (memory == NULL) return;
    forget(memory);
    __libc_free(memory);
}

void *realloc(void *memory, size_t size)
{
    const void *caller = __builtin_return_address(0);
    const bool counted = is_counted(caller);
    if (memory != NULL && size == 0) {
        free(memory);
        return NULL;
    }
    if ((counted && fails(SHIM_ALLOCATE)) || size > PTRDIFF_MAX - sizeof(struct note))
        return refuse();
    if (memory == NULL) return noted(__libc_malloc(size + sizeof(struct note)), caller, counted);
    /* Its bytes beyond the new size are lost, and with them the note: first it, then the rest. */
    struct note note;
    const bool known = note_is_counted(memory, &note);
    void *moved = __libc_realloc(memory, size + sizeof(struct note));
    if (moved != NULL && known) account(note.site, -1);
    return noted(moved, caller, counted);
}

static void *aligned(size_t alignment, size_t size, const void *caller)
{
    const bool counted = is_counted(caller);
    if ((counted && fails(SHIM_ALLOCATE)) || size > PTRDIFF_MAX - sizeof(struct note))
        return refuse();
    return noted(__libc_memalign(alignment, size + sizeof(struct note)), caller, counted);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return aligned(alignment, size, __builtin_return_address(0));
}

void *memalign(size_t alignment, size_t size)
{
    return aligned(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    void *memory = aligned(alignment, size, __builtin_return_address(0));
    if (memory == NULL) return ENOMEM;
    *ret_memory = memory;
    return 0;
}

size_t malloc_usable_size(void *memory)
{
    if (usable == NULL) start_allocations();
    return memory == NULL ? 0 : usable(memory) - sizeof(struct note);
}

/* By the caller's name, not the library's. */
char *strdup(const char *text)
{
    const void *caller = __builtin_return_address(0);
    const bool counted = is_counted(caller);
    const size_t size = strlen(text) + 1;
    if (counted && fails(SHIM_ALLOCATE)) return refuse();
    char *copy = noted(__libc_malloc(size + sizeof(struct note)), caller, counted);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

#endif

/* ---- files ---- */

/* The data folder is named "data". */
static bool path_is_counted(const char *path)
{
    static const char folder[] = "/data";
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - path), wanted = strlen(folder);
    if (shim == NULL || length + 1 < wanted) return false;
    if (length + 1 == wanted) return strncmp(path, folder + 1, wanted - 1) == 0;
    return strncmp(slash - wanted, folder, wanted) == 0;
}

static bool file_is_counted(int file)
{
    char link[64], path[PATH_SIZE];
    if (shim == NULL) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (length <= 0) return false;
    path[length] = '\0';
    return path_is_counted(path);
}

/* Whether a call on a file is to fail; errno says why. */
static bool file_fails(int file, unsigned call)
{
    const int saved = errno;
    if (shim == NULL || (atomic_load(&shim->order.mask) & call) == 0 || !file_is_counted(file) ||
        !fails(call)) {
        errno = saved;
        return false;
    }
    errno = atomic_load(&shim->order.error);
    return true;
}

static bool path_fails(const char *path, unsigned call)
{
    if (!path_is_counted(path) || !fails(call)) return false;
    errno = atomic_load(&shim->order.error);
    return true;
}

/* Of writes that only change what is there already a full disk takes as many as there are. */
static bool write_fails(int file, off_t end)
{
    struct stat status;
    if (shim != NULL && atomic_load(&shim->order.growth) && fstat(file, &status) == 0 &&
        end <= status.st_size)
        return false;
    return file_fails(file, SHIM_WRITE);
}

static size_t half_of(size_t size)
{
    return atomic_load(&shim->order.half) ? size / 2 : 0;
}

ssize_t write(int file, const void *bytes, size_t size)
{
    if (!write_fails(file, INT64_MAX)) return syscall(SYS_write, file, bytes, size);
    const int error = errno;
    if (half_of(size) > 0) return syscall(SYS_write, file, bytes, half_of(size));
    errno = error;
    return -1;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset)
{
    if (!write_fails(file, offset + (off_t)size))
        return syscall(SYS_pwrite64, file, bytes, size, offset);
    const int error = errno;
    if (half_of(size) > 0) return syscall(SYS_pwrite64, file, bytes, half_of(size), offset);
    errno = error;
    return -1;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    return pwrite64(file, bytes, size, offset);
}

ssize_t pread64(int file, void *bytes, size_t size, off64_t offset)
{
    return file_fails(file, SHIM_READ) ? -1 : syscall(SYS_pread64, file, bytes, size, offset);
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset)
{
    return pread64(file, bytes, size, offset);
}

static int synchronise(int file, long call)
{
    if (file_fails(file, SHIM_SYNC)) return -1;
    if (shim != NULL && atomic_load(&shim->hasty)) return 0;
    return (int)syscall(call, file);
}

int fsync(int file)
{
    return synchronise(file, SYS_fsync);
}

int fdatasync(int file)
{
    return synchronise(file, SYS_fdatasync);
}

int ftruncate64(int file, off64_t size)
{
    return file_fails(file, SHIM_RESIZE) ? -1 : (int)syscall(SYS_ftruncate, file, size);
}

int ftruncate(int file, off_t size)
{
    return ftruncate64(file, size);
}

int fallocate64(int file, int mode, off64_t from, off64_t size)
{
    return file_fails(file, SHIM_RESIZE) ? -1 : (int)syscall(SYS_fallocate, file, mode, from, size);
}

int fallocate(int file, int mode, off_t from, off_t size)
{
    return fallocate64(file, mode, from, size);
}

int posix_fallocate64(int file, off64_t from, off64_t size)
{
    return fallocate64(file, 0, from, size) == 0 ? 0 : errno;
}

int posix_fallocate(int file, off_t from, off_t size)
{
    return posix_fallocate64(file, from, size);
}

static int open_at(int base, const char *path, int flags, mode_t mode)
{
    return path_fails(path, SHIM_OPEN) ? -1 : (int)syscall(SYS_openat, base, path, flags, mode);
}

/* The argument is there only for flags that need it. */
#define READ_MODE(mode)                                                             \
    do {                                                                            \
        va_list rest;                                                               \
        va_start(rest, flags);                                                      \
        (mode) = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                               \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode;
    READ_MODE(mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode;
    READ_MODE(mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int base, const char *path, int flags, ...)
{
    mode_t mode;
    READ_MODE(mode);
    return open_at(base, path, flags, mode);
}

int openat64(int base, const char *path, int flags, ...)
{
    mode_t mode;
    READ_MODE(mode);
    return open_at(base, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    return path_fails(to, SHIM_REMOVE) ? -1
                                       : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int unlink(const char *path)
{
    return path_fails(path, SHIM_REMOVE) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* ---- start ---- */

/* What a process before left is none of this one's. */
static void reset(struct shim *shared)
{
    atomic_store(&shared->live, 0);
    atomic_store(&shared->live_libraries, 0);
    memset(shared->site, 0, sizeof shared->site);
}

__attribute__((constructor)) static void start(void)
{
    void *frame[FRAMES];
    const char *number = getenv(SHIM_VARIABLE);
    if (number == NULL) return;
    const int memory = (int)strtol(number, NULL, 10);
    struct shim *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (shared == MAP_FAILED) return;
    reset(shared);
    dl_iterate_phdr(add_ranges, shared);
    backtrace(frame, FRAMES); /* loads what it needs */
    shim = shared;
#ifndef SHIM_WITHOUT_ALLOCATIONS
    start_allocations();
#endif
    atomic_store(&shim->works, true);
}
