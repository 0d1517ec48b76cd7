#include "tests/core/functions.h"

#include <math.h>

static const function_table *const tables[] = {
    &functions_dense,     &functions_norms,  &functions_attention,
    &functions_recurrent, &functions_losses, &functions_convolution,
    &functions_solvers,   &functions_hard,   &functions_floats};
enum { TABLES = sizeof tables / sizeof tables[0] };

size_t functions_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLES; i++)
        count += tables[i]->count;
    return count;
}

const function *functions_at(size_t index)
{
    size_t table = 0;
    for (; index >= tables[table]->count; table++)
        index -= tables[table]->count;
    return &tables[table]->row[index];
}

size_t function_tensors(const function *f)
{
    size_t count = 0;
    while (count < FUNCTION_TENSORS && f->tensor[count].name != NULL)
        count++;
    return count;
}

size_t function_size(const function *f, size_t tensor)
{
    size_t count = 0;
    gck_shape_count(&f->tensor[tensor].shape, &count);
    return count;
}

size_t function_parameters(const function *f)
{
    size_t count = 0;
    for (size_t i = 0; i < function_tensors(f); i++)
        count += function_size(f, i);
    return count;
}

/* ---- numbers ---- */

/* In [-1, 1): the finishing steps of MurmurHash3, twice. */
static double datum(uint32_t stream, size_t index)
{
    uint64_t h = ((uint64_t)stream << 40) + index + 1;
    for (int i = 0; i < 2; i++) {
        h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
        h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
        h ^= h >> 33;
    }
    return ldexp((double)(h >> 11), -52) - 1;
}

void function_data(uint32_t stream, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = datum(stream, i);
}

double function_round(gck_dtype dtype, double x)
{
    static const int digits[] = {
        [GCK_FLOAT64] = 53, [GCK_FLOAT32] = 24, [GCK_FLOAT16] = 11, [GCK_BFLOAT16] = 8};
    static const int least[] = {
        [GCK_FLOAT64] = -1074, [GCK_FLOAT32] = -149, [GCK_FLOAT16] = -24, [GCK_BFLOAT16] = -133};
    if (dtype == GCK_FLOAT64 || x == 0 || !isfinite(x)) return x;
    int exponent;
    frexp(x, &exponent);
    const int place = exponent - digits[dtype];
    const double unit = ldexp(1, place > least[dtype] ? place : least[dtype]);
    return unit * nearbyint(x / unit);
}

void function_theta(const function *f, size_t tensor, uint32_t seed, double *theta)
{
    const function_tensor *of = &f->tensor[tensor];
    for (size_t i = 0; i < function_size(f, tensor); i++) {
        const double factor = i % 2 == 1 && of->odd != 0 ? of->odd : 1;
        const double x = of->middle + of->spread * datum(1000 + 16 * seed + (uint32_t)tensor, i);
        theta[i] = function_round(f->dtype, factor * x);
    }
}

/* ---- parts ---- */

void function_affine(size_t samples, size_t in, size_t out, const double *x, const double *w,
                     const double *b, double *z)
{
    for (size_t s = 0; s < samples; s++)
        for (size_t o = 0; o < out; o++) {
            double sum = b == NULL ? 0 : b[o];
            for (size_t i = 0; i < in; i++)
                sum += w[o * in + i] * x[s * in + i];
            z[s * out + o] = sum;
        }
}

void function_affine_back(size_t samples, size_t in, size_t out, const double *x, const double *w,
                          const double *dz, double *dx, double *dw, double *db)
{
    for (size_t s = 0; s < samples; s++)
        for (size_t o = 0; o < out; o++) {
            const double d = dz[s * out + o];
            if (db != NULL) db[o] += d;
            for (size_t i = 0; i < in && dw != NULL; i++)
                dw[o * in + i] += d * x[s * in + i];
            for (size_t i = 0; i < in && dx != NULL; i++)
                dx[s * in + i] += d * w[o * in + i];
        }
}

double function_softmax(size_t count, const double *z, double *p)
{
    double most = z[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        most = fmax(most, z[i]);
    for (size_t i = 0; i < count; i++)
        sum += p[i] = exp(z[i] - most);
    for (size_t i = 0; i < count; i++)
        p[i] /= sum;
    return most + log(sum);
}
