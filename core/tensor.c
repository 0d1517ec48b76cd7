#include <gradcheck/tensor.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gck_shape_count(const gck_shape *shape, size_t *ret_count)
{
    size_t count = 1;
    for (size_t axis = 0; axis < shape->rank; axis++) {
        if (__builtin_mul_overflow(count, shape->dim[axis], &count)) return false;
        if (count == 0 || count > GCK_ELEMENTS_MAX) return false;
    }
    *ret_count = count;
    return true;
}

bool gck_shape_equal(const gck_shape *a, const gck_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof a->dim[0]) == 0;
}

const char *gck_shape_format(const gck_shape *shape, char text[GCK_SHAPE_TEXT])
{
    int used = snprintf(text, GCK_SHAPE_TEXT, "(");
    for (size_t axis = 0; axis < shape->rank; axis++)
        used += snprintf(text + used, (size_t)(GCK_SHAPE_TEXT - used), "%s%zu",
                         axis > 0 ? ", " : "", shape->dim[axis]);
    snprintf(text + used, (size_t)(GCK_SHAPE_TEXT - used), ")");
    return text;
}

void gck_shape_unravel(const gck_shape *shape, size_t flat, size_t index[GCK_RANK_MAX])
{
    for (size_t axis = shape->rank; axis-- > 0;) {
        index[axis] = flat % shape->dim[axis];
        flat /= shape->dim[axis];
    }
}

const char *gck_index_format(const gck_shape *shape, size_t flat, char text[GCK_SHAPE_TEXT])
{
    size_t index[GCK_RANK_MAX];
    int used = 0;
    gck_shape_unravel(shape, flat, index);
    snprintf(text, GCK_SHAPE_TEXT, "[]");
    for (size_t axis = 0; axis < shape->rank; axis++)
        used += snprintf(text + used, (size_t)(GCK_SHAPE_TEXT - used), "[%zu]", index[axis]);
    return text;
}

enum { LINE = 64 };

double *gck_vector_room(size_t count)
{
    if (count > SIZE_MAX / sizeof(double) - LINE) return NULL;
    return aligned_alloc(LINE, (count * sizeof(double) + LINE) / LINE * LINE);
}

double *gck_vector_new(size_t count)
{
    double *values = gck_vector_room(count);
    if (values != NULL && count > 0) memset(values, 0, count * sizeof *values);
    return values;
}

double *gck_vector_copy(const double *values, size_t count)
{
    double *copy = gck_vector_room(count);
    if (copy != NULL && count > 0) memcpy(copy, values, count * sizeof *values);
    return copy;
}

void gck_vector_free(double *values)
{
    free(values);
}

/* Several sums side by side: one alone would wait for each addition. */
enum { SUMS = 8 };

/* The next elements of a, or of a - b; zeros after the last. */
static void chunk_load(const double *a, const double *b, size_t count, double chunk[SUMS])
{
    if (count >= SUMS) {
        for (size_t i = 0; i < SUMS; i++)
            chunk[i] = a[i];
        for (size_t i = 0; b != NULL && i < SUMS; i++)
            chunk[i] -= b[i];
        return;
    }
    for (size_t i = 0; i < SUMS; i++)
        chunk[i] = i >= count ? 0 : b == NULL ? a[i] : a[i] - b[i];
}

static const double *at(const double *values, size_t index)
{
    return values == NULL ? NULL : values + index;
}

/* NaN when an element is. */
static double largest_of(const double *a, const double *b, size_t count)
{
    double largest[SUMS] = {0}, strange[SUMS] = {0}, chunk[SUMS];
    for (size_t first = 0; first < count; first += SUMS) {
        chunk_load(a + first, at(b, first), count - first, chunk);
        for (size_t i = 0; i < SUMS; i++) {
            largest[i] = fabs(chunk[i]) > largest[i] ? fabs(chunk[i]) : largest[i];
            strange[i] += chunk[i] != chunk[i];
        }
    }
    double most = 0;
    for (size_t i = 0; i < SUMS; i++) {
        if (strange[i] > 0) return NAN;
        most = largest[i] > most ? largest[i] : most;
    }
    return most;
}

static double scaled_squares(const double *a, const double *b, size_t count, double scale)
{
    double sum[SUMS] = {0}, chunk[SUMS];
    for (size_t first = 0; first < count; first += SUMS) {
        chunk_load(a + first, at(b, first), count - first, chunk);
        for (size_t i = 0; i < SUMS; i++)
            sum[i] += chunk[i] * scale * (chunk[i] * scale);
    }
    for (size_t i = 1; i < SUMS; i++)
        sum[0] += sum[i];
    return sum[0];
}

static double norm(const double *a, const double *b, size_t count)
{
    const double largest = largest_of(a, b, count);
    if (!(largest > 0) || isinf(largest)) return largest;
    /* A power of two scales without rounding; no larger than what a double holds. */
    int exponent;
    frexp(largest, &exponent);
    const double scale = ldexp(1, exponent < -1000 ? 1000 : -exponent);
    return sqrt(scaled_squares(a, b, count, scale)) / scale;
}

double gck_vector_norm(const double *values, size_t count)
{
    return norm(values, NULL, count);
}

double gck_vector_distance(const double *a, const double *b, size_t count)
{
    return norm(a, b, count);
}

double gck_norm_join(double a, double b)
{
    /* hypot(infinity, NaN) is infinity; here NaN wins. */
    return isnan(a) || isnan(b) ? NAN : hypot(a, b);
}
