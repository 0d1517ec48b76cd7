#include "core/kernels.h"

#include <string.h>

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && has_avx2();
}
#endif

static bool always(void)
{
    return true;
}

/* Best first. */
static const struct {
    const gck_kernels *kernels;
    bool (*runs)(void); /* on this processor */
} choices[] = {
#if defined(__x86_64__)
    {&gck_kernels_avx512, has_avx512},
    {&gck_kernels_avx2, has_avx2},
#endif
    {&gck_kernels_generic, always},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

/* Set before there are other threads. */
static const gck_kernels *active = &gck_kernels_generic;

static gck_status start_best(void)
{
    size_t i = 0;
    while (!choices[i].runs())
        i++;
    active = choices[i].kernels;
    return GCK_OK;
}

gck_status gck_kernels_start(const char *name, gck_error *error)
{
    if (name == NULL || strcmp(name, "auto") == 0) return start_best();
    for (size_t i = 0; i < CHOICES; i++) {
        if (strcmp(choices[i].kernels->name, name) != 0) continue;
        if (!choices[i].runs())
            return gck_error_set(error, GCK_INVALID, "",
                                 "this processor does not have the instructions of the %s kernels",
                                 name);
        active = choices[i].kernels;
        return GCK_OK;
    }
    return gck_error_set(error, GCK_INVALID, "", "there are no %s kernels in this build", name);
}

const gck_kernels *gck_kernels_active(void)
{
    return active;
}
