/* Which of the processor's instructions the library computes with. */
#ifndef GRADCHECK_KERNELS_H
#define GRADCHECK_KERNELS_H

#include <gradcheck/status.h>

/* Picks the kernels by name ("generic", "avx2", "avx512"), or the best that the processor runs for
 * NULL or "auto"; before a start they are the generic ones. Call once, before any other thread
 * computes. GCK_INVALID for a name that is unknown or that this processor cannot run. */
gck_status gck_kernels_start(const char *name, gck_error *error);

#endif
