#include "server/token_file.h"
#include "server/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char list_name[] = "tokens", lock_name[] = "tokens.lock", uses_name[] = "tokens.used";
static const char uses_heading[] = "gradcheckd last uses 1\n";

enum { PATH_SIZE = 4096, USE_SIZE = NAME_SIZE + CLOCK_TEXT_SIZE + 2 };

static bool path_of(const char *folder, const char *name, const char *ending, char path[PATH_SIZE])
{
    const int length = snprintf(path, PATH_SIZE, "%s/%s%s", folder, name, ending);
    return length > 0 && length < PATH_SIZE;
}

static bool fail(char fault[TOKEN_FAULT_SIZE], const char *folder, const char *name,
                 const char *why)
{
    snprintf(fault, TOKEN_FAULT_SIZE, "%.200s/%s: %.150s", folder, name, why);
    return false;
}

/* ---- reading ---- */

static bool read_whole(int fd, struct buf *text)
{
    enum { CHUNK = 16384 };
    for (;;) {
        const size_t left = text->limit - text->size, wanted = left < CHUNK ? left : CHUNK;
        if (!buf_reserve(text, wanted)) return false;
        const ssize_t got = wanted == 0 ? 0 : read(fd, text->data + text->size, wanted);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return left > 0 || (errno = EFBIG, false);
        text->size += (size_t)got;
    }
}

/* A plain file, read whole; not held up by what is none. */
static bool read_plain(const char *path, struct buf *text)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool whole = fd >= 0 && fstat(fd, &status) == 0;
    if (whole && !S_ISREG(status.st_mode)) {
        errno = EINVAL;
        whole = false;
    }
    whole = whole && read_whole(fd, text);
    const int saved = errno;
    if (fd >= 0) close(fd);
    errno = saved;
    return whole;
}

static bool is_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* Whether it is there is asked without opening it: a process that has no descriptor left must not
 * take it for missing, nor a missing one for damaged. A link that leads nowhere is not missing:
 * there were to be tokens. */
static enum token_file_status read_file(const char *folder, const char *name, struct buf *text,
                                        char fault[TOKEN_FAULT_SIZE])
{
    char path[PATH_SIZE];
    struct stat status;
    *text = (struct buf){.limit = TOKEN_LIST_BYTES};
    errno = ENAMETOOLONG;
    const bool named = path_of(folder, name, "", path);
    if (named && stat(path, &status) != 0 && errno == ENOENT) {
        if (!is_link(path)) return TOKEN_FILE_MISSING;
        fail(fault, folder, name, "a symbolic link that leads nowhere");
        return TOKEN_FILE_BAD;
    }
    if (named && read_plain(path, text)) return TOKEN_FILE_OK;
    fail(fault, folder, name, strerror(errno));
    buf_done(text);
    return TOKEN_FILE_BAD;
}

enum token_file_status token_file_read(const char *folder, struct buf *text,
                                       char fault[TOKEN_FAULT_SIZE])
{
    return read_file(folder, list_name, text, fault);
}

void token_file_name_fault(const char *folder, char fault[TOKEN_FAULT_SIZE])
{
    char bare[TOKEN_FAULT_SIZE];
    snprintf(bare, sizeof bare, "%s", fault);
    fail(fault, folder, list_name, bare);
}

enum token_file_status token_file_load(const char *folder, struct token_list *ret_list,
                                       char fault[TOKEN_FAULT_SIZE])
{
    struct buf text;
    enum token_file_status status = token_file_read(folder, &text, fault);
    if (status == TOKEN_FILE_MISSING && !token_list_init(ret_list)) {
        fail(fault, folder, list_name, "memory is out");
        return TOKEN_FILE_BAD;
    }
    if (status == TOKEN_FILE_OK && !token_list_parse(text.data, text.size, ret_list, fault)) {
        token_file_name_fault(folder, fault);
        status = TOKEN_FILE_BAD;
    }
    buf_done(&text);
    return status;
}

bool token_file_is_open(const char *folder)
{
    char path[PATH_SIZE];
    struct stat status;
    const mode_t others = S_IWGRP | S_IWOTH;
    return (stat(folder, &status) == 0 && (status.st_mode & others) != 0) ||
           (path_of(folder, list_name, "", path) && stat(path, &status) == 0 &&
            (status.st_mode & others) != 0);
}

/* ---- the lock ---- */

/* What root writes belongs to whom the folder belongs to: the daemon reads it. */
static bool give_to_owner(int fd, const char *folder)
{
    struct stat status;
    if (geteuid() != 0) return true;
    return stat(folder, &status) == 0 &&
           (status.st_uid == 0 || fchown(fd, status.st_uid, status.st_gid) == 0);
}

int token_file_lock(const char *folder, bool make_folder, char fault[TOKEN_FAULT_SIZE])
{
    char path[PATH_SIZE];
    int fd = -1;
    errno = ENAMETOOLONG;
    if (!path_of(folder, lock_name, "", path)) goto out;
    if (make_folder && mkdir(folder, 0700) != 0 && errno != EEXIST) goto out;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !give_to_owner(fd, folder)) goto out;
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) goto out;
    return fd;
out:
    fail(fault, folder, lock_name, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

void token_file_unlock(int lock)
{
    close(lock);
}

/* ---- writing ---- */

static bool write_whole(int fd, const struct buf *text)
{
    for (size_t done = 0; done < text->size;) {
        const ssize_t put = write(fd, text->data + done, text->size - done);
        if (put < 0 && errno != EINTR) return false;
        if (put > 0) done += (size_t)put;
    }
    return fsync(fd) == 0;
}

static bool sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return synced;
}

/* What was left of a write that did not end is written over. */
static bool write_new(const char *folder, const char *path, const struct buf *text)
{
    if (unlink(path) != 0 && errno != ENOENT) return false;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const bool written = give_to_owner(fd, folder) && write_whole(fd, text);
    return close(fd) == 0 && written;
}

static bool replace(const char *folder, const char *name, const struct buf *text,
                    char fault[TOKEN_FAULT_SIZE])
{
    char path[PATH_SIZE], new[PATH_SIZE];
    errno = ENAMETOOLONG;
    return (path_of(folder, name, "", path) && path_of(folder, name, ".new", new) &&
            write_new(folder, new, text) && rename(new, path) == 0 && sync_folder(folder)) ||
           fail(fault, folder, name, strerror(errno));
}

/* A link would be replaced, and what it leads to would stay as it was. */
bool token_file_store(const char *folder, const struct token_list *list,
                      char fault[TOKEN_FAULT_SIZE])
{
    char path[PATH_SIZE];
    if (path_of(folder, list_name, "", path) && is_link(path))
        return fail(fault, folder, list_name, "a symbolic link; change the tokens where it leads");
    struct buf text = {.limit = TOKEN_LIST_BYTES};
    const bool stored = token_list_format(list, &text)
                            ? replace(folder, list_name, &text, fault)
                            : fail(fault, folder, list_name, "memory is out");
    buf_done(&text);
    return stored;
}

/* ---- last uses ---- */

/* "NAME TIME\n" */
static bool read_use(const char **place, const char *end, struct token_use *use)
{
    char line[USE_SIZE];
    const char *newline = memchr(*place, '\n', (size_t)(end - *place));
    if (newline == NULL || (size_t)(newline - *place) >= sizeof line) return false;
    snprintf(line, sizeof line, "%.*s", (int)(newline - *place), *place);
    *place = newline + 1;
    char *space = strchr(line, ' ');
    if (space == NULL) return false;
    *space = '\0';
    snprintf(use->name, sizeof use->name, "%.*s", NAME_SIZE - 1, line);
    return name_is_valid(line) && clock_parse(space + 1, &use->used_ms);
}

size_t token_file_load_uses(const char *folder, struct token_use uses[TOKENS_MAX])
{
    struct buf text;
    char fault[TOKEN_FAULT_SIZE];
    const size_t head = strlen(uses_heading);
    size_t count = 0;
    if (read_file(folder, uses_name, &text, fault) == TOKEN_FILE_OK && text.size >= head &&
        memcmp(text.data, uses_heading, head) == 0) {
        const char *place = text.data + head, *end = text.data + text.size;
        while (count < TOKENS_MAX && place < end && read_use(&place, end, &uses[count]))
            count++;
    }
    buf_done(&text);
    return count;
}

bool token_file_store_uses(const char *folder, const struct token_use *uses, size_t count,
                           char fault[TOKEN_FAULT_SIZE])
{
    struct buf text = {.limit = TOKEN_LIST_BYTES};
    bool written = buf_append_text(&text, uses_heading);
    for (size_t i = 0; written && i < count; i++) {
        char line[USE_SIZE], time[CLOCK_TEXT_SIZE];
        snprintf(line, sizeof line, "%s %s\n", uses[i].name, clock_format(uses[i].used_ms, time));
        written = buf_append_text(&text, line);
    }
    const bool stored = written ? replace(folder, uses_name, &text, fault)
                                : fail(fault, folder, uses_name, "memory is out");
    buf_done(&text);
    return stored;
}
