/* Random directions, drawn and multiplied: part of kernels_loops.h.
 *
 * Philox4x32-10 as in core/rng.c, a block a lane. Every 32-bit word has 64 bits to itself, so that
 * a product needs no room made for it; what stands above its low half is of no account. The two
 * uniform numbers of a block become two normal ones. Source: Box, Muller, "A note on the generation
 * of random normal deviates", Ann. Math. Statist. 29(2), 1958. */
#if defined(__AVX512F__)
#include <immintrin.h>
typedef uint64_t words __attribute__((vector_size(64)));
#define LOW_PRODUCT(A, B) ((words)_mm512_mul_epu32((__m512i)(A), (__m512i)(B)))
#elif defined(__AVX2__)
#include <immintrin.h>
typedef uint64_t words __attribute__((vector_size(32)));
#define LOW_PRODUCT(A, B) ((words)_mm256_mul_epu32((__m256i)(A), (__m256i)(B)))
#else
typedef uint64_t words;
#define LOW_PRODUCT(A, B) (((A)&UINT32_MAX) * ((B)&UINT32_MAX))
#endif

enum { WORDS = sizeof(words) / sizeof(uint64_t), BLOCKS = 64 };

/* A stretch of blocks, as the pairs of 64 random bits of gck_rng_bits. */
typedef struct blocks {
    uint64_t bits[2][BLOCKS] __attribute__((aligned(64)));
} blocks;

static inline words words_all(uint64_t x)
{
    return (words){0} + x;
}

/* Blocks position, …, position + count - 1, and more up to a multiple of WORDS. */
static void blocks_draw(uint64_t seed, const uint32_t stream[2], uint64_t position, size_t count,
                        blocks *ret)
{
    const words m0 = words_all(0xD2511F53), m1 = words_all(0xCD9E8D57);
    static const uint64_t places[] = {0, 1, 2, 3, 4, 5, 6, 7};
    words lane;
    memcpy(&lane, places, sizeof lane);
    for (size_t at = 0; at < count; at += WORDS) {
        words c0 = lane + (position + at), c1 = c0 >> 32;
        words c2 = words_all(stream[0]), c3 = words_all(stream[1]);
        uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
        for (int round = 0; round < 10; round++) {
            const words p0 = LOW_PRODUCT(c0, m0), p1 = LOW_PRODUCT(c2, m1);
            c0 = (p1 >> 32) ^ c1 ^ words_all(k0);
            c1 = p1;
            c2 = (p0 >> 32) ^ c3 ^ words_all(k1);
            c3 = p0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        const words low = c1 << 32 | (c0 & UINT32_MAX), high = c3 << 32 | (c2 & UINT32_MAX);
        memcpy(&ret->bits[0][at], &low, sizeof low);
        memcpy(&ret->bits[1][at], &high, sizeof high);
    }
}

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The upper 53 bits as an integer, which few processors convert by vectors: either half is the end
 * of a mantissa, of 2^84 + its value * 2^32 and of 2^52 + its value. */
static inline double upper_53(uint64_t bits)
{
    const uint64_t integer = bits >> 11;
    const double high = of_bits(integer >> 32 | UINT64_C(0x453) << 52);
    const double low = of_bits((integer & UINT32_MAX) | UINT64_C(0x433) << 52);
    return (high - (0x1p84 + 0x1p52)) + low;
}

/* sqrt(-2 ln u) for the n-th u = n 2^-53, 1 <= n <= 2^53: n = 2^e m with m from sqrt(1/2) to
 * sqrt(2), where log1p_near still errs by 6e-18 at most. */
static inline double radius(double n)
{
    const uint64_t bits = bits_of(n), e = (bits - UINT64_C(0x3fe6a09e667f3bcd)) >> 52;
    const double m = of_bits(bits - (e << 52));
    const double exponent = of_bits(e | UINT64_C(0x433) << 52) - (0x1p52 + 53);
    const double near = MULADD(exponent, 0x1.ef35793c76730p-45, log1p_near(m - 1));
    return sqrt(-2 * MULADD(exponent, 0x1.62e42fefa3800p-1, near));
}

/* cos and sin of n quarters of 2^-51 of a turn, from those of the nearest quarter turn's rest.
 * Coefficients as those of expm1; as rounded, they err by 2e-17 and 5e-17. */
static inline void turn(double n, double *ret_cosine, double *ret_sine)
{
    const double quarters = 0x1p-51 * n, rounded = quarters + 0x1.8p52; /* ends in the quarter */
    const double x = quarters - (rounded - 0x1.8p52), t = x * x;
    double c = -0x1.b263c34812307p-28, s = 0x1.e3eed5cecf5aep-25;
    c = MULADD(c, t, 0x1.f9cc40ac9f75cp-22);
    s = MULADD(s, t, -0x1.e30063a02b10fp-19);
    c = MULADD(c, t, -0x1.a6d1ec7e0b715p-16);
    s = MULADD(s, t, 0x1.50782fca38ba3p-13);
    c = MULADD(c, t, 0x1.e1f5068367b1dp-11);
    s = MULADD(s, t, -0x1.32d2cce2d5360p-8);
    c = MULADD(c, t, -0x1.55d3c7e3c9280p-6);
    s = MULADD(s, t, 0x1.466bc67758700p-4);
    c = MULADD(c, t, 0x1.03c1f081b5aaep-2);
    s = MULADD(s, t, -0x1.4abbce625be41p-1);
    c = MULADD(c, t, -0x1.3bd3cc9be45dep+0);
    s = MULADD(s, t, 0x1.921fb54442d18p+0);
    const double cosine = MULADD(c, t, 1), sine = x * s;
    const uint64_t quarter = bits_of(rounded);
    const bool odd = (quarter & 1) != 0;
    *ret_cosine = of_bits(bits_of(odd ? sine : cosine) ^ ((quarter + 1) & 2) << 62);
    *ret_sine = of_bits(bits_of(odd ? cosine : sine) ^ (quarter & 2) << 62);
}

/* Both numbers of each block; count <= BLOCKS. */
static void pairs_draw(uint64_t seed, const uint32_t stream[2], uint64_t position, size_t count,
                       double *v)
{
    blocks drawn;
    blocks_draw(seed, stream, position, count, &drawn);
    _Pragma("omp simd") for (size_t i = 0; i < count; i++)
    {
        const double size = radius(upper_53(drawn.bits[0][i]) + 1);
        double cosine, sine;
        turn(upper_53(drawn.bits[1][i]), &cosine, &sine);
        v[2 * i] = size * cosine;
        v[2 * i + 1] = size * sine;
    }
}

static void normals(uint64_t seed, const uint32_t stream[2], uint64_t first, size_t count,
                    double *v)
{
    double pair[2];
    size_t done = 0;
    if (first % 2 == 1 && count > 0) {
        pairs_draw(seed, stream, first / 2, 1, pair);
        v[done++] = pair[1];
    }
    while (count - done >= 2) {
        const size_t pairs = (count - done) / 2, width = pairs < BLOCKS ? pairs : BLOCKS;
        pairs_draw(seed, stream, (first + done) / 2, width, v + done);
        done += 2 * width;
    }
    if (done < count) {
        pairs_draw(seed, stream, (first + done) / 2, 1, pair);
        v[done] = pair[0];
    }
}

/* ---- sums of products ---- */

/* Every LANES-th product goes to the same sum: as many as there are registers for, and additions
 * under way at once. */
enum { LANES = WORDS == 8 ? 32 : 16 };

typedef struct lanes {
    double sum[LANES], lost[LANES]; /* lost: what rounding took */
} lanes;

#if defined(__FMA__) || defined(__FP_FAST_FMA)
#define REST_IS_EXACT true
static inline double product_rest(double a, double b, double product)
{
    return __builtin_fma(a, b, -product);
}
#else
#define REST_IS_EXACT false
/* Half of the digits. */
static inline double leading(double x)
{
    const double scaled = 0x1.0000002p27 * x;
    return scaled - (scaled - x);
}
/* T. J. Dekker, "A floating-point technique for extending the available precision", Numer. Math.
 * 18, 1971; NaN for operands over 2^996. */
static inline double product_rest(double a, double b, double product)
{
    const double a1 = leading(a), a2 = a - a1, b1 = leading(b), b2 = b - b1;
    return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
}
#endif

/* What rounding took from sum = a + b (Knuth). */
static inline double sum_rest(double a, double b, double sum)
{
    const double taken = sum - a;
    return (a - (sum - taken)) + (b - taken);
}

static inline void lanes_add(lanes *l, size_t lane, double product, double rest)
{
    const double before = l->sum[lane];
    l->sum[lane] = before + product;
    l->lost[lane] += rest + sum_rest(before, product, l->sum[lane]);
}

static inline double lanes_total(lanes *l)
{
    for (size_t lane = 1; lane < LANES; lane++)
        lanes_add(l, 0, l->sum[lane], l->lost[lane]);
    return l->sum[0] + l->lost[0];
}

/* For operands that product_rest does not take. */
static double dot_slowly(size_t count, const double *a, const double *b)
{
    lanes l = {{0}, {0}};
    for (size_t i = 0; i < count; i++)
        lanes_add(&l, i % LANES, a[i] * b[i], fma(a[i], b[i], -(a[i] * b[i])));
    return lanes_total(&l);
}

static double dot_doubled(size_t count, const double *a, const double *b)
{
    lanes l = {{0}, {0}};
    const size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        _Pragma("omp simd") for (size_t k = 0; k < LANES; k++)
        {
            const double product = a[i + k] * b[i + k];
            lanes_add(&l, k, product, product_rest(a[i + k], b[i + k], product));
        }
    for (size_t i = whole; i < count; i++) {
        const double product = a[i] * b[i];
        lanes_add(&l, i % LANES, product, product_rest(a[i], b[i], product));
    }
    const double total = lanes_total(&l);
    return REST_IS_EXACT || isfinite(total) ? total : dot_slowly(count, a, b);
}

static double dot_sizes(size_t count, const double *a, const double *b)
{
    double sum[LANES] = {0};
    const size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        _Pragma("omp simd") for (size_t k = 0; k < LANES; k++) sum[k] =
            MULADD(a[i + k], fabs(b[i + k]), sum[k]);
    for (size_t i = whole; i < count; i++)
        sum[i - whole] = MULADD(a[i], fabs(b[i]), sum[i - whole]);
    for (size_t lane = 1; lane < LANES; lane++)
        sum[0] += sum[lane];
    return sum[0];
}
