/* A growing byte buffer that is created with its maximum. One thread at a time. */
#ifndef GRADCHECKD_BUF_H
#define GRADCHECKD_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty */
    size_t size, capacity, limit;
};

/* Room for so many more bytes behind buf->data + buf->size. False when the limit or memory is
 * exceeded. */
bool buf_reserve(struct buf *buf, size_t count);
/* False, and nothing appended, when the limit or memory is exceeded. */
bool buf_append(struct buf *buf, const void *bytes, size_t count);
bool buf_append_text(struct buf *buf, const char *text);
void buf_done(struct buf *buf);

#endif
