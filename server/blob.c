#include "server/blob.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct blob *blob_take(char *data, size_t size)
{
    struct blob *blob = malloc(sizeof *blob);
    if (blob == NULL) {
        free(data);
        return NULL;
    }
    atomic_init(&blob->references, 1);
    blob->data = data;
    blob->size = size;
    return blob;
}

struct blob *blob_from_buf(struct buf *buf)
{
    /* What a store keeps is counted by its size: the room beyond is given back. */
    if (buf->size > 0 && buf->capacity - buf->size > buf->size / 8) {
        char *data = realloc(buf->data, buf->size);
        if (data != NULL) buf->data = data;
    }
    struct blob *blob = blob_take(buf->data, buf->size);
    buf->data = NULL;
    buf_done(buf);
    return blob;
}

struct blob *blob_copy(const void *bytes, size_t size)
{
    char *data = malloc(size > 0 ? size : 1);
    if (data == NULL) return NULL;
    memcpy(data, bytes, size);
    return blob_take(data, size);
}

struct blob *blob_ref(struct blob *blob)
{
    if (blob != NULL) atomic_fetch_add(&blob->references, 1);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob == NULL || atomic_fetch_sub(&blob->references, 1) > 1) return;
    free(blob->data);
    free(blob);
}

size_t blob_size(const struct blob *blob)
{
    return blob == NULL ? 0 : blob->size;
}
