/* NumPy's .npy: one array, as numpy.save writes it (NEP 1), versions 1 to 3. Any thread; costs a
 * copy of the array as doubles. */
#ifndef GRADCHECKD_CODEC_NPY_H
#define GRADCHECKD_CODEC_NPY_H

#include <gradcheck/claim.h>
#include <gradcheck/tensor.h>

enum { NPY_FAULT_SIZE = 160 };

struct npy {
    gck_shape shape; /* rank 0: a number */
    size_t count;
    gck_dtype dtype; /* what its numbers were; float64 for integers and booleans */
    double *values;  /* row-major; freed by gck_vector_free */
};

bool npy_is(const char *bytes, size_t size);

/* Little- and big-endian floats of 2, 4 and 8 bytes, integers of 1 to 8, booleans; in C's order or
 * Fortran's. Of integers beyond 2^53 the last digits go. The doubles take at most `most` bytes.
 * False after filling `fault`. */
bool npy_decode(const char *bytes, size_t size, size_t most, struct npy *ret,
                char fault[NPY_FAULT_SIZE]);

#endif
