/* NumPy's .npz: arrays by name, as numpy.savez and savez_compressed write them. Any thread; the one
 * file with the zip library. */
#ifndef GRADCHECKD_CODEC_NPZ_H
#define GRADCHECKD_CODEC_NPZ_H

#include "server/codec_npy.h"

struct npz_array {
    char *name; /* without ".npy" */
    struct npy array;
};

struct npz {
    size_t count;
    struct npz_array *item; /* in the file's order */
};

/* What it unpacks to is at most `most` bytes, counted as doubles, whatever the file says of itself.
 * False after filling `fault`; *ret is untouched. */
bool npz_decode(const char *bytes, size_t size, size_t most, struct npz *ret,
                char fault[NPY_FAULT_SIZE]);
void npz_done(struct npz *npz);

#endif
