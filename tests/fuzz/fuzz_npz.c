/* NumPy's files: arrays, or refused. */
#include "server/codec_npz.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NPZ_MOST = 1 << 20 };

/* So that each is read. */
static volatile double read_last;

static void npy_use(const struct npy *array)
{
    size_t count;
    MUST(gck_shape_count(&array->shape, &count) && count == array->count);
    MUST(count <= NPZ_MOST / sizeof(double));
    for (size_t i = 0; i < count; i++)
        read_last = array->values[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char fault[NPY_FAULT_SIZE];
    struct npy array;
    struct npz npz;
    if (npy_decode((const char *)data, size, NPZ_MOST, &array, fault)) {
        npy_use(&array);
        gck_vector_free(array.values);
    }
    if (npz_decode((const char *)data, size, NPZ_MOST, &npz, fault)) {
        for (size_t i = 0; i < npz.count; i++)
            npy_use(&npz.item[i].array);
        npz_done(&npz);
    }
    return 0;
}
