/* Bytes that never change, shared by counting references: request bodies, results, answers. Any
 * thread. */
#ifndef GRADCHECKD_BLOB_H
#define GRADCHECKD_BLOB_H

#include "server/buf.h"

struct blob {
    _Atomic unsigned references;
    size_t size;
    char *data; /* freed by free() with the last reference */
};

/* Takes the bytes (freed on failure, too); NULL when memory is out. */
struct blob *blob_take(char *data, size_t size);
/* Takes what the buffer holds and leaves it empty. */
struct blob *blob_from_buf(struct buf *buf);
struct blob *blob_copy(const void *bytes, size_t size);

/* Both are happy with NULL. */
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);
size_t blob_size(const struct blob *blob);

#endif
