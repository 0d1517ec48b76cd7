#include "tests/core/product.h"
#include "core/gemm.h"
#include "tests/core/compare.h"

#include <gradcheck/rng.h>

#include <check.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- memory ---- */

enum { EXTENT_TOP = 3 * (PRODUCT_TOP + 1) * PRODUCT_TOP + PRODUCT_GUARD };

/* The first byte that may not be touched; EXTENT_TOP doubles before it are the caller's. */
static double *fence_new(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (EXTENT_TOP * sizeof(double) + page - 1) / page * page;
    char *memory =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(memory != MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + bytes, page, PROT_NONE), 0);
    return (double *)(void *)(memory + bytes);
}

static matrix matrix_at(double *fence, form f, size_t rows, size_t columns)
{
    const size_t stride[FORMS][2] = {
        [DENSE] = {columns, 1},
        [TRANSPOSED] = {1, rows},
        [GAPS] = {columns + 3, 1},
        [SPREAD] = {3, 3 * rows + 2},
    };
    matrix m = {.row = stride[f][0], .column = stride[f][1]};
    m.extent = (rows - 1) * m.row + (columns - 1) * m.column + 1;
    if (m.extent > EXTENT_TOP) ck_abort_msg("%zu x %zu is too much", rows, columns);
    m.at = fence - m.extent;
    return m;
}

/* ---- operands ---- */

double a_value[PRODUCT_TOP][PRODUCT_TOP], b_value[PRODUCT_TOP][PRODUCT_TOP];
static double *a_fence, *b_fence, *c_fence;

/* Sums of the first `summed` products, and of their absolute values, for each element. */
static long double sum[PRODUCT_TOP][PRODUCT_TOP], size[PRODUCT_TOP][PRODUCT_TOP];
static size_t summed;

void operands_draw(void)
{
    for (uint64_t i = 0; i < PRODUCT_TOP; i++)
        for (uint64_t j = 0; j < PRODUCT_TOP; j++) {
            const uint64_t at = i * PRODUCT_TOP + j;
            a_value[i][j] = 2 * gck_rng_uniform(1, GCK_RNG_PARAMETERS, 0, at) - 1;
            b_value[i][j] = 2 * gck_rng_uniform(2, GCK_RNG_PARAMETERS, 0, at) - 1;
        }
    memset(sum, 0, sizeof sum);
    memset(size, 0, sizeof size);
    summed = 0;
    a_fence = fence_new();
    b_fence = fence_new();
    c_fence = fence_new();
}

static void matrix_fill(const matrix *m, size_t rows, size_t columns, double (*value)[PRODUCT_TOP])
{
    for (size_t i = 0; i < m->extent && m->extent > rows * columns; i++)
        m->at[i] = NAN;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            m->at[i * m->row + j * m->column] = value[i][j];
}

matrix a_room(form f, size_t rows, size_t inner)
{
    return matrix_at(a_fence, f, rows, inner);
}

matrix b_room(form f, size_t inner, size_t columns)
{
    return matrix_at(b_fence, f, inner, columns);
}

matrix a_filled(const problem *p)
{
    const matrix m = a_room(p->a, p->rows, p->inner);
    matrix_fill(&m, p->rows, p->inner, a_value);
    return m;
}

matrix b_filled(const problem *p)
{
    const matrix m = b_room(p->b, p->inner, p->columns);
    matrix_fill(&m, p->inner, p->columns, b_value);
    return m;
}

/* ---- ways to multiply ---- */

void by_kernel(const gck_kernels *kernels, const problem *p, matrix a, matrix b, bool add,
               double *c)
{
    kernels->product(&(gck_product){.rows = p->rows,
                                    .columns = p->columns,
                                    .inner = p->inner,
                                    .a = a.at,
                                    .a_row = a.row,
                                    .a_inner = a.column,
                                    .b = b.at,
                                    .b_inner = b.row,
                                    .b_column = b.column,
                                    .add = add,
                                    .c = c});
}

void by_gemm(const gck_kernels *kernels, const problem *p, matrix a, matrix b, bool add, double *c)
{
    (void)kernels;
    gck_gemm(p->rows, p->columns, p->inner, (gck_gemm_operand){a.at, p->a == TRANSPOSED},
             (gck_gemm_operand){b.at, p->b == TRANSPOSED}, add, c);
}

/* ---- what a product must be ---- */

static void sums_extend(size_t inner)
{
    ck_assert_uint_le(summed, inner);
    for (; summed < inner; summed++)
        for (size_t i = 0; i < PRODUCT_TOP; i++)
            for (size_t j = 0; j < PRODUCT_TOP; j++) {
                const long double term = (long double)a_value[i][summed] * b_value[summed][j];
                sum[i][j] += term;
                size[i][j] += fabsl(term);
            }
}

/* `before` is what c held, NULL for nothing. In whatever order, each term passes through `inner`
 * roundings at most (its product's and those of the sums that it is part of), and with c one more;
 * another is for second order and for the long doubles' own. Assertions take their time, so that
 * only a failure makes one. */
static void assert_product(const problem *p, const double *before, const double *c)
{
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->columns; j++) {
            const size_t at = i * p->columns + j;
            const long double old = before == NULL ? 0 : before[at], want = old + sum[i][j];
            const long double bound =
                (long double)(p->inner + 2) * ROUNDOFF * (size[i][j] + fabsl(old));
            if (fabsl(c[at] - want) <= bound) continue;
            assert_within(c[at], want, bound, "(%zu, %zu) of %zu x %zu x %zu, forms %d and %d", i,
                          j, p->rows, p->columns, p->inner, (int)p->a, (int)p->b);
        }
}

void problem_check(multiplier *multiply, const gck_kernels *kernels, const problem *p)
{
    static double before[PRODUCT_TOP * PRODUCT_TOP];
    const double guard = 0x1.23456789p7;
    const size_t count = p->rows * p->columns;
    const matrix a = a_filled(p), b = b_filled(p);
    double *c = c_fence - count, *front = c - PRODUCT_GUARD;
    sums_extend(p->inner);
    for (size_t i = 0; i < PRODUCT_GUARD; i++)
        front[i] = guard;
    for (size_t i = 0; i < count; i++)
        c[i] = NAN;
    multiply(kernels, p, a, b, false, c);
    assert_product(p, NULL, c);
    memcpy(before, c, count * sizeof *c);
    multiply(kernels, p, a, b, true, c);
    assert_product(p, before, c);
    for (size_t i = 0; i < PRODUCT_GUARD; i++)
        if (front[i] != guard) ck_abort_msg("written before c");
}
