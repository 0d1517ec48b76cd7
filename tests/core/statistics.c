#include "tests/core/statistics.h"

#include <gradcheck/kernels.h>

#include <stdlib.h>
#include <string.h>

bool statistics_are_long(void)
{
    const char *wanted = getenv("RANDOM_NETWORKS");
    return wanted != NULL && strcmp(wanted, "long") == 0;
}

const char *const kernels_names[KERNELS] = {"generic", "avx2", "avx512"};

bool kernels_use(size_t kernels)
{
    return gck_kernels_start(kernels_names[kernels], NULL) == GCK_OK;
}
