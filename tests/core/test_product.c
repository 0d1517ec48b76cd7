/* Matrix products of every table against sums in long double, and the matrix library beside them.
 */
#include "core/gemm.h"
#include "core/kernels.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/product.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

static const char *const tables[] = {"generic", "avx2", "avx512"};
enum { TABLES = COUNT(tables) };

/* The table, or NULL where the processor cannot run it. */
static const gck_kernels *kernels_at(int index)
{
    gck_error error;
    if (gck_kernels_start(tables[index], &error) != GCK_OK) return NULL;
    ck_assert_str_eq(gck_kernels_active()->name, tables[index]);
    return gck_kernels_active();
}

/* NULL without a product, too. */
static const gck_kernels *products_at(int index)
{
    const gck_kernels *kernels = kernels_at(index);
    return kernels == NULL || kernels->product == NULL ? NULL : kernels;
}

/* The first N forms of a and of b with each table. */
#define EACH_FORM_OF_EACH_TABLE(KERNELS, KERNELS_AT, N, A, B)    \
    const form A = (form)(_i % (N)), B = (form)(_i / (N) % (N)); \
    const gck_kernels *KERNELS = KERNELS_AT(_i / (N) / (N));     \
    if (KERNELS == NULL) return

/* ---- values ---- */

/* Around the widths of tiles (6, 12), panels (8, 16) and blocks (60, 120 rows; 128 inner ones). */
static const size_t sizes[] = {1,  2,  3,  5,  6,  7,   11,  12,  13, 15,
                               16, 17, 31, 33, 61, 100, 121, 129, 257};
static const size_t few_sizes[] = {1, 5, 7, 13, 17, 33, 121, 129};

/* All of them where there are no gaps. */
static void check_sizes(multiplier *multiply, const gck_kernels *kernels, form a, form b)
{
    const bool whole = a <= TRANSPOSED && b <= TRANSPOSED;
    const size_t *tried = whole ? sizes : few_sizes;
    const size_t n = whole ? COUNT(sizes) : COUNT(few_sizes);
    operands_draw();
    for (size_t inner = 0; inner < n; inner++)
        for (size_t i = 0; i < n * n; i++) {
            const problem p = {tried[i / n], tried[i % n], tried[inner], a, b};
            problem_check(multiply, kernels, &p);
        }
}

START_TEST(products_are_right)
{
    EACH_FORM_OF_EACH_TABLE(kernels, products_at, FORMS, a, b);
    check_sizes(by_kernel, kernels, a, b);
}
END_TEST

/* By the kernels for as many rows as they are good for, by the matrix library beyond. */
START_TEST(gemm_is_right)
{
    EACH_FORM_OF_EACH_TABLE(kernels, kernels_at, 2, a, b);
    check_sizes(by_gemm, kernels, a, b);
}
END_TEST

START_TEST(tables_say_what_they_multiply)
{
    const gck_kernels *kernels = kernels_at(_i);
    if (kernels == NULL) return;
    ck_assert_int_eq(kernels->product != NULL, kernels->product_rows > 0);
    ck_assert_int_eq(kernels->product == NULL, strcmp(kernels->name, "generic") == 0);
}
END_TEST

/* ---- bits ---- */

enum { ROWS = 137, COLUMNS = 49, INNER = 300 };
_Static_assert(INNER > 2 * 128 && ROWS > 120, "several blocks both ways");

static const problem whole = {ROWS, COLUMNS, INNER, DENSE, DENSE};

/* Some rows and columns of c, from the first ones named on. */
typedef struct part {
    size_t row, column, rows, columns;
} part;

/* The part computed alone has the bits that it has in c. */
static void assert_part(const gck_kernels *kernels, matrix a, matrix b, const double *c, part q)
{
    static double alone[ROWS * COLUMNS];
    const problem p = {q.rows, q.columns, INNER, DENSE, DENSE};
    a.at += q.row * a.row;
    b.at += q.column * b.column;
    by_kernel(kernels, &p, a, b, false, alone);
    for (size_t i = 0; i < q.rows; i++) {
        const double *want = c + (q.row + i) * COLUMNS + q.column;
        if (memcmp(alone + i * q.columns, want, q.columns * sizeof *want) == 0) continue;
        assert_same_bits(alone + i * q.columns, want, q.columns, "a part alone");
    }
}

/* INNER is more than PRODUCT_TOP: values are used again, rows of b shifted. */
static void long_operands(form a_form, form b_form, matrix *ret_a, matrix *ret_b)
{
    *ret_a = a_room(a_form, ROWS, INNER);
    *ret_b = b_room(b_form, INNER, COLUMNS);
    for (size_t k = 0; k < INNER; k++) {
        for (size_t i = 0; i < ROWS; i++)
            ret_a->at[i * ret_a->row + k * ret_a->column] = a_value[i][k % PRODUCT_TOP];
        for (size_t j = 0; j < COLUMNS; j++)
            ret_b->at[k * ret_b->row + j * ret_b->column] = b_value[k % 251][j];
    }
}

/* Parts of all sizes up to two tiles and two panels; all rows, columns and elements alone. */
START_TEST(bits_do_not_depend_on_what_stands_beside)
{
    EACH_FORM_OF_EACH_TABLE(kernels, products_at, 2, a_form, b_form);
    static double c[ROWS * COLUMNS];
    matrix a, b;
    operands_draw();
    long_operands(a_form, b_form, &a, &b);
    by_kernel(kernels, &whole, a, b, false, c);
    for (size_t rows = 1; rows <= 26; rows++)
        for (size_t columns = 1; columns <= 34; columns++)
            assert_part(kernels, a, b, c, (part){rows % 5, columns % 7, rows, columns});
    for (size_t i = 0; i < ROWS; i++)
        assert_part(kernels, a, b, c, (part){i, 0, 1, COLUMNS});
    for (size_t j = 0; j < COLUMNS; j++)
        assert_part(kernels, a, b, c, (part){0, j, ROWS, 1});
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        assert_part(kernels, a, b, c, (part){i / COLUMNS, i % COLUMNS, 1, 1});
}
END_TEST

START_TEST(bits_do_not_depend_on_strides)
{
    EACH_FORM_OF_EACH_TABLE(kernels, products_at, FORMS, a_form, b_form);
    static double plain[ROWS * COLUMNS], other[ROWS * COLUMNS];
    matrix a, b;
    operands_draw();
    long_operands(DENSE, DENSE, &a, &b);
    by_kernel(kernels, &whole, a, b, false, plain);
    long_operands(a_form, b_form, &a, &b);
    by_kernel(kernels, &whole, a, b, false, other);
    assert_same_bits(other, plain, ROWS * COLUMNS, "other strides");
}
END_TEST

/* a, b and c from 0 to 7 doubles beyond a boundary of 64 bytes. */
START_TEST(bits_do_not_depend_on_alignment)
{
    const gck_kernels *kernels = products_at(_i);
    if (kernels == NULL) return;
    enum { N = 40 };
    _Alignas(64) static double a[N * N + 8];
    _Alignas(64) static double b[N * N + 8];
    _Alignas(64) static double c[N * N + 8];
    static double want[N * N];
    const problem p = {N, N - 5, N, DENSE, DENSE};
    operands_draw();
    for (size_t shift = 0; shift < 8 * 8 * 8; shift++) {
        const matrix left = {a + shift % 8, N, 1, N * N}, right = {b + shift / 8 % 8, N - 5, 1, 0};
        double *result = shift == 0 ? want : c + shift / 64;
        memcpy(left.at, a_value, N * N * sizeof *a);
        memcpy(right.at, b_value, N * N * sizeof *b);
        by_kernel(kernels, &p, left, right, false, result);
        if (memcmp(result, want, N * (N - 5) * sizeof *c) != 0)
            assert_same_bits(result, want, N * (N - 5), "shifted");
    }
}
END_TEST

/* A negative product that underflows is -0, in a whole panel and in a part of one. */
START_TEST(signs_of_zeros_do_not_depend_on_what_stands_beside)
{
    const gck_kernels *kernels = products_at(_i);
    if (kernels == NULL) return;
    double a[] = {-1e-200}, b[40], c[COUNT(b)], alone;
    for (size_t j = 0; j < COUNT(b); j++)
        b[j] = 1e-200;
    const problem p = {1, COUNT(b), 1, DENSE, DENSE}, one = {1, 1, 1, DENSE, DENSE};
    const matrix left = {a, 1, 1, 1}, right = {b, COUNT(b), 1, COUNT(b)};
    by_kernel(kernels, &p, left, right, false, c);
    by_kernel(kernels, &one, left, right, false, &alone);
    for (size_t j = 0; j < COUNT(b); j++)
        assert_same_bits(&c[j], &alone, 1, "underflow");
}
END_TEST

/* ---- what is no number ---- */

/* One element of a (in_a) or b is spoilt: row `at` or column `at` of c is, and nothing else. */
typedef struct poisoning {
    bool in_a;
    size_t at, inner;
    double poison;
} poisoning;

enum { POISONED = 33 };

/* 0 in every third row of a and column of b, as 0 times infinity is NaN. */
static void zeros_set(void)
{
    for (size_t i = 0; i < PRODUCT_TOP; i += 3)
        for (size_t j = 0; j < PRODUCT_TOP; j++)
            a_value[i][j] = b_value[j][i] = 0;
}

static bool is_right(const problem *p, const poisoning *s, size_t at, double clean, double got)
{
    const size_t row = at / p->columns, column = at % p->columns;
    if ((s->in_a ? row : column) != s->at) return got == clean;
    const double factor = s->in_a ? b_value[s->inner][column] : a_value[row][s->inner];
    const double want = s->poison * factor;
    return isnan(want) ? isnan(got) : got == want;
}

static void assert_poisoned(const problem *p, const poisoning *s, const double *clean,
                            const double *got)
{
    for (size_t at = 0; at < p->rows * p->columns; at++)
        if (!is_right(p, s, at, clean[at], got[at]))
            ck_abort_msg("%g in %s: element %zu of %zu x %zu x %zu is %g, was %g", s->poison,
                         s->in_a ? "a" : "b", at, p->rows, p->columns, p->inner, got[at],
                         clean[at]);
}

static void poison_check(multiplier *multiply, const gck_kernels *kernels, const problem *p,
                         const poisoning *s)
{
    double clean[POISONED * POISONED], got[POISONED * POISONED], twice[POISONED * POISONED];
    const matrix a = a_filled(p), b = b_filled(p);
    multiply(kernels, p, a, b, false, clean);
    if (s->in_a)
        a.at[s->at * a.row + s->inner * a.column] = s->poison;
    else
        b.at[s->inner * b.row + s->at * b.column] = s->poison;
    multiply(kernels, p, a, b, false, got);
    assert_poisoned(p, s, clean, got);
    memset(twice, 0, sizeof twice);
    multiply(kernels, p, a, b, true, twice);
    assert_poisoned(p, s, clean, twice);
}

/* The first, a middle and the last element of each operand. */
static void poison_problem(multiplier *multiply, const gck_kernels *kernels, const problem *p)
{
    const double poisons[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 2 * 3 * 3 * COUNT(poisons); i++) {
        const bool in_a = i % 2 == 0;
        const size_t last = (in_a ? p->rows : p->columns) - 1;
        const poisoning s = {in_a, last * (i / 2 % 3) / 2, (p->inner - 1) * (i / 6 % 3) / 2,
                             poisons[i / 18]};
        poison_check(multiply, kernels, p, &s);
    }
}

static void poison_sizes(multiplier *multiply, const gck_kernels *kernels, form a, form b)
{
    static const size_t across[] = {1, 3, 8, 13, 16, 17, POISONED}, along[] = {1, 4, 129};
    operands_draw();
    zeros_set();
    for (size_t i = 0; i < COUNT(across) * COUNT(across) * COUNT(along); i++) {
        const problem p = {across[i % COUNT(across)], across[i / COUNT(across) % COUNT(across)],
                           along[i / COUNT(across) / COUNT(across)], a, b};
        poison_problem(multiply, kernels, &p);
    }
}

START_TEST(what_is_no_number_stays_in_its_row_or_column)
{
    EACH_FORM_OF_EACH_TABLE(kernels, products_at, FORMS, a, b);
    poison_sizes(by_kernel, kernels, a, b);
}
END_TEST

START_TEST(what_is_no_number_stays_in_its_row_or_column_of_gemm)
{
    EACH_FORM_OF_EACH_TABLE(kernels, kernels_at, 2, a, b);
    poison_sizes(by_gemm, kernels, a, b);
}
END_TEST

SUITE_MAIN("product", {products_are_right, TABLES *FORMS *FORMS}, {gemm_is_right, TABLES * 2 * 2},
           {tables_say_what_they_multiply, TABLES},
           {bits_do_not_depend_on_what_stands_beside, TABLES * 2 * 2},
           {bits_do_not_depend_on_strides, TABLES *FORMS *FORMS},
           {bits_do_not_depend_on_alignment, TABLES},
           {signs_of_zeros_do_not_depend_on_what_stands_beside, TABLES},
           {what_is_no_number_stays_in_its_row_or_column, TABLES *FORMS *FORMS},
           {what_is_no_number_stays_in_its_row_or_column_of_gemm, TABLES * 2 * 2})
