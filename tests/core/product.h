/* Operands of matrix products, and what a product must be.
 *
 * Operands end where memory ends, so that a read beyond is a crash; gaps between their elements are
 * NaN. One set of them, which belongs to the test that runs. */
#ifndef TESTS_CORE_PRODUCT_H
#define TESTS_CORE_PRODUCT_H

#include "core/kernels.h"

/* The most rows, columns and inner indexes, and how many doubles before c are watched. */
enum { PRODUCT_TOP = 257, PRODUCT_GUARD = 64 };

/* How a matrix's elements lie: neighbours in a row or in a column, without or with gaps. */
typedef enum form { DENSE, TRANSPOSED, GAPS, SPREAD, FORMS } form;

typedef struct matrix {
    double *at;
    size_t row, column; /* strides */
    size_t extent;
} matrix;

typedef struct problem {
    size_t rows, columns, inner;
    form a, b;
} problem;

/* c = or += a b, dense. */
typedef void multiplier(const gck_kernels *kernels, const problem *p, matrix a, matrix b, bool add,
                        double *c);
multiplier by_kernel; /* the table's own */
multiplier by_gemm;   /* gck_gemm with the kernels in use */

/* PRODUCT_TOP x PRODUCT_TOP numbers in [-1, 1), of which operands are the first rows and columns.
 */
extern double a_value[PRODUCT_TOP][PRODUCT_TOP], b_value[PRODUCT_TOP][PRODUCT_TOP];

/* Draws them, and takes memory for operands; first of all. */
void operands_draw(void);

/* Room for a matrix; the same filled with values, and NaN between them. */
matrix a_room(form f, size_t rows, size_t inner);
matrix b_room(form f, size_t inner, size_t columns);
matrix a_filled(const problem *p);
matrix b_filled(const problem *p);

/* Asserts that c = a b over NaN and then c += a b are right, and that nothing before or after c is
 * touched. `inner` must not become smaller from one call to the next. */
void problem_check(multiplier *multiply, const gck_kernels *kernels, const problem *p);

#endif
