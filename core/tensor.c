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

double *gck_vector_new(size_t count)
{
    const size_t line = 64;
    if (count > SIZE_MAX / sizeof(double) - line) return NULL;
    const size_t bytes = (count * sizeof(double) + line) / line * line;
    double *values = aligned_alloc(line, bytes);
    if (values != NULL) memset(values, 0, bytes);
    return values;
}

double *gck_vector_copy(const double *values, size_t count)
{
    double *copy = gck_vector_new(count);
    if (copy != NULL && count > 0) memcpy(copy, values, count * sizeof *values);
    return copy;
}

void gck_vector_free(double *values)
{
    free(values);
}

/* a[i], or a[i] - b[i] */
static double difference_at(const double *a, const double *b, size_t i)
{
    return b == NULL ? a[i] : a[i] - b[i];
}

/* Several sums side by side: one alone waits for each addition. */
enum { SUMS = 8 };

static double largest_of(const double *a, const double *b, size_t count)
{
    double largest[SUMS] = {0};
    for (size_t i = 0; i < count; i++) {
        const double size = fabs(difference_at(a, b, i));
        if (!(size <= largest[i % SUMS])) largest[i % SUMS] = size;
        if (isnan(size)) return size;
    }
    for (size_t i = 1; i < SUMS; i++)
        if (largest[i] > largest[0]) largest[0] = largest[i];
    return largest[0];
}

static double scaled_squares(const double *a, const double *b, size_t count, double scale)
{
    double sum[SUMS] = {0};
    for (size_t i = 0; i < count; i++) {
        const double scaled = difference_at(a, b, i) * scale;
        sum[i % SUMS] += scaled * scaled;
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
