#include <gradcheck/blas.h>
#include <gradcheck/rng.h>
#include <gradcheck/tensor.h>

#include "core/gemm.h"
#include "core/kernels.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void gck_gemm(size_t rows, size_t columns, size_t inner, gck_gemm_operand a, gck_gemm_operand b,
              bool add, double *c)
{
    const gck_kernels *kernels = gck_kernels_active();
    if (rows <= kernels->product_rows) {
        kernels->product(&(gck_product){.rows = rows,
                                        .columns = columns,
                                        .inner = inner,
                                        .a = a.values,
                                        .a_row = a.transposed ? 1 : inner,
                                        .a_inner = a.transposed ? rows : 1,
                                        .b = b.values,
                                        .b_inner = b.transposed ? 1 : columns,
                                        .b_column = b.transposed ? inner : 1,
                                        .add = add,
                                        .c = c});
        return;
    }
    assert(rows <= INT_MAX && columns <= INT_MAX && inner <= INT_MAX);
    const blasint m = (blasint)rows, n = (blasint)columns, k = (blasint)inner;
    cblas_dgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                b.transposed ? CblasTrans : CblasNoTrans, m, n, k, 1, a.values,
                a.transposed ? m : k, b.values, b.transposed ? k : n, add ? 1 : 0, c, n);
}

/* ---- self-test ---- */

/* Odd sizes around the widths of vectors and blocks. */
static const size_t test_size[] = {1, 2, 3, 7, 16, 17, 33, 67};
enum {
    TEST_SIZES = sizeof test_size / sizeof test_size[0],
    TEST_SIZE_MAX = 67,
    TEST_MAX = TEST_SIZE_MAX * TEST_SIZE_MAX
};

typedef struct product {
    size_t rows, columns, inner;
    bool a_transposed, b_transposed;
} product;

static double element(const double *values, bool transposed, size_t rows, size_t columns, size_t i,
                      size_t j)
{
    return transposed ? values[j * rows + i] : values[i * columns + j];
}

/* Both sides applied to a vector r in [1, 2): c r against a (b r), which costs a pass over each
 * operand where the product itself costs one for each row. One wrong element cannot hide, and
 * several only where they cancel along r. Operands lie in [0, 1): with u = 2^-53 the sums' rounding
 * is at most 2 m k^2 u for c itself, 2 m^2 k u for c r, 2 m^2 k u for b r and 2 m k^2 u for a (b
 * r), with m columns and k inner; as much again is for rounding the factors' products. */
static bool product_is_right(const product *p, const double *a, const double *b, const double *c,
                             const double *r)
{
    const double m = (double)p->columns, k = (double)p->inner;
    const double bound = 8 * m * k * (m + k) * 0x1p-53;
    double image[TEST_SIZE_MAX] = {0};
    for (size_t i = 0; i < p->inner; i++)
        for (size_t j = 0; j < p->columns; j++)
            image[i] += element(b, p->b_transposed, p->inner, p->columns, i, j) * r[j];
    for (size_t i = 0; i < p->rows; i++) {
        double left = 0, right = 0;
        for (size_t j = 0; j < p->columns; j++)
            left += c[i * p->columns + j] * r[j];
        for (size_t j = 0; j < p->inner; j++)
            right += element(a, p->a_transposed, p->rows, p->inner, i, j) * image[j];
        if (!(fabs(left - right) <= bound)) return false;
    }
    return true;
}

static gck_status test_product(const product *p, const double *a, const double *b, double *c,
                               const double *r, gck_error *error)
{
    const size_t count = p->rows * p->columns;
    for (size_t i = 0; i < count; i++)
        c[i] = NAN; /* must be overwritten, not multiplied by beta = 0 */
    gck_gemm(p->rows, p->columns, p->inner, (gck_gemm_operand){a, p->a_transposed},
             (gck_gemm_operand){b, p->b_transposed}, false, c);
    if (product_is_right(p, a, b, c, r)) return GCK_OK;
    return gck_error_set(
        error, GCK_UNSUPPORTED, "",
        "OpenBLAS (core %s) or the %s kernels compute a wrong product of %zux%zu and "
        "%zux%zu; try another OPENBLAS_CORETYPE",
        openblas_get_corename(), gck_kernels_active()->name, p->rows, p->inner, p->inner,
        p->columns);
}

static gck_status self_test(gck_error *error)
{
    gck_status status = GCK_OK;
    double *a = gck_vector_new(TEST_MAX), *b = gck_vector_new(TEST_MAX);
    double *c = gck_vector_new(TEST_MAX), r[TEST_SIZE_MAX];
    if (a == NULL || b == NULL || c == NULL) {
        status = gck_error_memory(error);
        goto out;
    }
    for (size_t i = 0; i < TEST_MAX; i++) {
        a[i] = gck_rng_uniform(1, GCK_RNG_PARAMETERS, 0, i);
        b[i] = gck_rng_uniform(2, GCK_RNG_PARAMETERS, 0, i);
    }
    for (size_t i = 0; i < TEST_SIZE_MAX; i++)
        r[i] = 1 + gck_rng_uniform(3, GCK_RNG_PARAMETERS, 0, i);
    for (size_t s = 0; s < TEST_SIZES * TEST_SIZES * TEST_SIZES * 4; s++) {
        const product p = {test_size[s / 4 % TEST_SIZES],
                           test_size[s / 4 / TEST_SIZES % TEST_SIZES],
                           test_size[s / 4 / TEST_SIZES / TEST_SIZES], s & 1, s & 2};
        status = test_product(&p, a, b, c, r, error);
        if (status != GCK_OK) goto out;
    }
out:
    gck_vector_free(a);
    gck_vector_free(b);
    gck_vector_free(c);
    return status;
}

/* Of the library, though of none of its headers; not every build has it. */
extern int blas_thread_shutdown_(void) __attribute__((weak));

void gck_blas_end_threads(void)
{
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_ != NULL) blas_thread_shutdown_();
}

gck_status gck_blas_start(gck_error *error)
{
    gck_blas_end_threads();
    if (openblas_get_num_threads() != 1)
        return gck_error_set(error, GCK_UNSUPPORTED, "",
                             "this build of OpenBLAS does not keep to one thread; "
                             "set OMP_NUM_THREADS=1 or install libopenblas0-pthread");
    return self_test(error);
}

const char *gck_signature(char text[GCK_SIGNATURE_SIZE])
{
    char library[64];
    snprintf(library, sizeof library, "%s", openblas_get_config());
    /* "OpenBLAS 0.3.21 NO_LAPACKE …": name and version are what the bits depend on */
    char *space = strchr(library, ' ');
    if (space != NULL) space = strchr(space + 1, ' ');
    if (space != NULL) *space = '\0';
    snprintf(text, GCK_SIGNATURE_SIZE, "gradcheck %s, %s kernels, %s %s", GCK_VERSION,
             gck_kernels_active()->name, library, openblas_get_corename());
    return text;
}
