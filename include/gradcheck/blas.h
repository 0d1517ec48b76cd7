/* The matrix library underneath. */
#ifndef GRADCHECK_BLAS_H
#define GRADCHECK_BLAS_H

#include <gradcheck/status.h>

enum { GCK_SIGNATURE_SIZE = 128 };

/* Call once, before any other thread computes: one thread a call, and a self-test of the products
 * that the library uses (odd sizes, all transpositions, NaN in what must be overwritten).
 * GCK_UNSUPPORTED when a result is wrong. */
gck_status gck_blas_start(gck_error *error);

/* What the bits of results depend on: our version and kernels, the library's version and core.
 * Returns text. */
const char *gck_signature(char text[GCK_SIGNATURE_SIZE]);

#endif
