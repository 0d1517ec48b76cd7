#include "client/file.h"
#include "client/interrupt.h"
#include "client/say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As large as a request may be at all. */
#define FILE_BYTES_MAX ((size_t)4 << 30)

enum { PART_BYTES = 64 << 10 };

/* Room for all of a file whose size is known, and a byte to see its end by. */
static size_t part_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0)
        return PART_BYTES;
    return (size_t)status.st_size < FILE_BYTES_MAX ? (size_t)status.st_size + 1 : PART_BYTES;
}

/* Its fault is in errno; EFBIG for what is too large. */
static bool read_all(int fd, struct buf *buf)
{
    size_t part = part_of(fd);
    for (;;) {
        if (!buf_reserve(buf, part)) {
            errno = buf->size + part > buf->limit ? EFBIG : ENOMEM;
            return false;
        }
        const ssize_t count = read(fd, buf->data + buf->size, part);
        if (count == 0) return true;
        if (count < 0 && (errno != EINTR || interrupt_asked())) return false;
        if (count > 0) buf->size += (size_t)count;
        part = PART_BYTES;
    }
}

struct blob *file_read(const char *path)
{
    const bool is_input = strcmp(path, "-") == 0;
    const int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct buf buf = {.limit = FILE_BYTES_MAX};
    const bool read = fd >= 0 && read_all(fd, &buf);
    const int fault = errno;
    if (fd >= 0 && !is_input) close(fd);
    if (!read) {
        buf_done(&buf);
        say_note("%s: %s", is_input ? "standard input" : path, strerror(fault));
        return NULL;
    }
    return blob_from_buf(&buf);
}
