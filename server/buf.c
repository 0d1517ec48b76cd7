#include "server/buf.h"

#include <stdlib.h>
#include <string.h>

bool buf_reserve(struct buf *buf, size_t count)
{
    if (count > buf->limit - buf->size) return false;
    if (count <= buf->capacity - buf->size) return true;
    size_t capacity = buf->capacity > 0 ? buf->capacity : 1024;
    while (capacity < buf->size + count)
        capacity = capacity > buf->limit / 2 ? buf->limit : capacity * 2;
    char *data = realloc(buf->data, capacity);
    if (data == NULL) return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool buf_append(struct buf *buf, const void *bytes, size_t count)
{
    if (!buf_reserve(buf, count)) return false;
    if (count > 0) memcpy(buf->data + buf->size, bytes, count);
    buf->size += count;
    return true;
}

bool buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
}
