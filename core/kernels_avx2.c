/* The kernels for 256-bit registers: the Makefile compiles this file for AVX2 and FMA. */
#if defined(__x86_64__)
#define KERNELS_NAME "avx2"
#define KERNELS_TABLE gck_kernels_avx2
#define KERNELS_PRODUCT 16
#include "core/kernels_loops.h"
#else
typedef int no_kernels; /* a file may not be empty */
#endif
