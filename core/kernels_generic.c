/* The kernels for any processor: the Makefile gives this file no instruction set of its own. */
#define KERNELS_NAME "generic"
#define KERNELS_TABLE gck_kernels_generic
#include "core/kernels_loops.h"
