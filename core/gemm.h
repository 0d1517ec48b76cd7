/* Matrix products in the one form that layers need: by our own kernels where they are the faster,
 * otherwise by the BLAS library. */
#ifndef GRADCHECK_CORE_GEMM_H
#define GRADCHECK_CORE_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* c = op(a) op(b), or with `add` c += op(a) op(b), all row-major and dense: op(a) is (rows, inner),
 * op(b) is (inner, columns). */
typedef struct gck_gemm_operand {
    const double *values;
    bool transposed; /* stored as the transpose of what it stands for */
} gck_gemm_operand;

void gck_gemm(size_t rows, size_t columns, size_t inner, gck_gemm_operand a, gck_gemm_operand b,
              bool add, double *c);

#endif
