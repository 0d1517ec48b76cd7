/* Matrix products in the widest registers: part of kernels_loops.h.
 *
 * A tile of ROWS x 2 registers of c is kept in registers while the inner index runs. What it reads
 * of a lies packed, tile by tile, and of b, panel by panel, unless b already lies so that a panel's
 * columns are neighbours and is not used often. Each element of c is summed in one order, whatever
 * its place: inner index by inner index within blocks of INNER. Method: Goto, van de Geijn,
 * "Anatomy of high-performance matrix multiplication", ACM Trans. Math. Softw. 34(3), 2008. */
#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512d vec;
enum { WIDTH = 8, ROWS = 12 };
#define VEC_LOAD(P) _mm512_loadu_pd(P)
#define VEC_STORE(P, V) _mm512_storeu_pd(P, V)
#define VEC_ALL(X) _mm512_set1_pd(X)
#define VEC_ADD(A, B) _mm512_add_pd(A, B)
#define VEC_MULADD(A, B, C) _mm512_fmadd_pd(A, B, C)
#else
#include <immintrin.h>
typedef __m256d vec;
enum { WIDTH = 4, ROWS = 6 };
#define VEC_LOAD(P) _mm256_loadu_pd(P)
#define VEC_STORE(P, V) _mm256_storeu_pd(P, V)
#define VEC_ALL(X) _mm256_set1_pd(X)
#define VEC_ADD(A, B) _mm256_add_pd(A, B)
#define VEC_MULADD(A, B, C) _mm256_fmadd_pd(A, B, C)
#endif

enum { PANEL = 2 * WIDTH, INNER = 128, TILES = 10 };

/* A tile of r rows: c (r, PANEL) = or += a (inner, r) times b (inner, PANEL). */
static inline __attribute__((always_inline)) void tile(size_t r, size_t inner, const double *a,
                                                       const double *b, size_t b_stride, bool add,
                                                       double *c, size_t c_stride)
{
    vec left[ROWS], right[ROWS];
    for (size_t i = 0; i < r; i++)
        left[i] = right[i] = VEC_ALL(0);
    for (size_t k = 0; k < inner; k++) {
        const vec b0 = VEC_LOAD(b + k * b_stride), b1 = VEC_LOAD(b + k * b_stride + WIDTH);
        for (size_t i = 0; i < r; i++) {
            const vec x = VEC_ALL(a[k * r + i]);
            left[i] = VEC_MULADD(x, b0, left[i]);
            right[i] = VEC_MULADD(x, b1, right[i]);
        }
    }
    for (size_t i = 0; i < r; i++) {
        double *to = c + i * c_stride;
        VEC_STORE(to, add ? VEC_ADD(VEC_LOAD(to), left[i]) : left[i]);
        VEC_STORE(to + WIDTH, add ? VEC_ADD(VEC_LOAD(to + WIDTH), right[i]) : right[i]);
    }
}

typedef void tile_function(size_t inner, const double *a, const double *b, size_t b_stride,
                           bool add, double *c, size_t c_stride);

#define TILE(R)                                                                           \
    static void tile_##R(size_t inner, const double *a, const double *b, size_t b_stride, \
                         bool add, double *c, size_t c_stride)                            \
    {                                                                                     \
        tile(R <= ROWS ? R : ROWS, inner, a, b, b_stride, add, c, c_stride);              \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)

static tile_function *const tiles[] = {NULL,   tile_1, tile_2, tile_3,  tile_4,  tile_5, tile_6,
                                       tile_7, tile_8, tile_9, tile_10, tile_11, tile_12};

/* Rows first … first + count - 1 of a, inner indexes at … at + inner - 1, tile by tile. */
static void a_pack(const gck_product *p, size_t first, size_t count, size_t at, size_t inner,
                   double *packed)
{
    for (size_t row = 0; row < count; row += ROWS) {
        const size_t r = count - row < ROWS ? count - row : ROWS;
        const double *from = p->a + (first + row) * p->a_row + at * p->a_inner;
        for (size_t k = 0; k < inner; k++)
            for (size_t i = 0; i < r; i++)
                packed[k * r + i] = from[i * p->a_row + k * p->a_inner];
        packed += r * inner;
    }
}

/* Columns beyond the last are 0. */
static void b_pack(const gck_product *p, size_t column, size_t at, size_t inner, double *packed)
{
    const size_t left = p->columns - column, count = left < PANEL ? left : PANEL;
    const double *from = p->b + at * p->b_inner + column * p->b_column;
    for (size_t k = 0; k < inner; k++)
        for (size_t j = 0; j < PANEL; j++)
            packed[k * PANEL + j] = j < count ? from[k * p->b_inner + j * p->b_column] : 0;
}

/* One panel of c; a partial one by way of a buffer. */
static void panel_run(const gck_product *p, size_t first, size_t count, size_t column, size_t inner,
                      const double *a, const double *b, size_t b_stride, bool add)
{
    const size_t left = p->columns - column, width = left < PANEL ? left : PANEL;
    for (size_t row = 0; row < count; row += ROWS) {
        const size_t r = count - row < ROWS ? count - row : ROWS;
        double *c = p->c + (first + row) * p->columns + column;
        if (width == PANEL) {
            tiles[r](inner, a, b, b_stride, add, c, p->columns);
        } else {
            double whole[ROWS * PANEL];
            tiles[r](inner, a, b, b_stride, false, whole, PANEL);
            for (size_t i = 0; i < r; i++)
                for (size_t j = 0; j < width; j++)
                    c[i * p->columns + j] =
                        add ? c[i * p->columns + j] + whole[i * PANEL + j] : whole[i * PANEL + j];
        }
        a += r * inner;
    }
}

static void block_run(const gck_product *p, size_t first, size_t count, size_t at, size_t inner)
{
    double a[TILES * ROWS * INNER] __attribute__((aligned(64)));
    double b[PANEL * INNER] __attribute__((aligned(64)));
    const bool add = p->add || at > 0;
    a_pack(p, first, count, at, inner, a);
    for (size_t column = 0; column < p->columns; column += PANEL) {
        const bool whole = p->columns - column >= PANEL;
        if (whole && p->b_column == 1 && count <= 2 * ROWS) {
            panel_run(p, first, count, column, inner, a, p->b + at * p->b_inner + column,
                      p->b_inner, add);
            continue;
        }
        b_pack(p, column, at, inner, b);
        panel_run(p, first, count, column, inner, a, b, PANEL, add);
    }
}

static void product(const gck_product *p)
{
    for (size_t at = 0; at < p->inner; at += INNER)
        for (size_t first = 0; first < p->rows; first += TILES * ROWS) {
            const size_t rows = p->rows - first, inner = p->inner - at;
            block_run(p, first, rows < TILES * ROWS ? rows : TILES * ROWS, at,
                      inner < INNER ? inner : INNER);
        }
}
