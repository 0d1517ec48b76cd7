/* The matrix library underneath. */
#ifndef GRADCHECK_BLAS_H
#define GRADCHECK_BLAS_H

#include <gradcheck/status.h>

enum { GCK_SIGNATURE_SIZE = 128 };

/* Call once, before any other thread computes: one thread a call, and a self-test of the products
 * that the library uses (odd sizes, all transpositions, NaN in what must be overwritten).
 * GCK_UNSUPPORTED when a result is wrong. */
gck_status gck_blas_start(gck_error *error);

/* Ends the library's own threads, which gck_blas_start does, too. They were started when the
 * library was loaded, and look for work without a pause for tens of milliseconds: a program that
 * runs no longer than that does better to call this first of all. */
void gck_blas_end_threads(void);

/* What the bits of results depend on: our version and kernels, the library's version and core.
 * Returns text. */
const char *gck_signature(char text[GCK_SIGNATURE_SIZE]);

#endif
