#include <gradcheck/claim.h>

#include <float.h>
#include <math.h>

static const struct {
    const char *name;
    double roundoff, smallest, tolerance;
} dtypes[] = {
    [GCK_FLOAT64] = {"float64", 0x1p-53, DBL_MIN, NAN},
    [GCK_FLOAT32] = {"float32", 0x1p-24, 0x1p-126, 1e-6},
    [GCK_FLOAT16] = {"float16", 0x1p-11, 0x1p-14, 4e-3},
    [GCK_BFLOAT16] = {"bfloat16", 0x1p-8, 0x1p-126, 3e-2},
};

const char *gck_dtype_name(gck_dtype dtype)
{
    return dtypes[dtype].name;
}

double gck_dtype_roundoff(gck_dtype dtype)
{
    return dtypes[dtype].roundoff;
}

double gck_dtype_smallest(gck_dtype dtype)
{
    return dtypes[dtype].smallest;
}

double gck_dtype_tolerance(gck_dtype dtype)
{
    return dtypes[dtype].tolerance;
}
