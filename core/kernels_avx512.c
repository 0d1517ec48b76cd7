/* The kernels for 512-bit registers: the Makefile compiles this file for AVX-512 (F, DQ, VL, BW)
 * and FMA. */
#if defined(__x86_64__)
#define KERNELS_NAME "avx512"
#define KERNELS_TABLE gck_kernels_avx512
#define KERNELS_PRODUCT SIZE_MAX
#include "core/kernels_loops.h"
#else
typedef int no_kernels; /* a file may not be empty */
#endif
