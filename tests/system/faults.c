#define _GNU_SOURCE
#include "faults.h"
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void preload(void)
{
    char path[512];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/tests/faults/shim.so", build != NULL ? build : "build");
    char *absolute = realpath(path, NULL);
    ck_assert_msg(absolute != NULL, "no %s", path);
    setenv("LD_PRELOAD", keep(absolute), 1);
    /* The sanitizer's library minds that it is not the first. */
    const char *options = getenv("ASAN_OPTIONS");
    snprintf(path, sizeof path, "%s%sverify_asan_link_order=0", options != NULL ? options : "",
             options != NULL ? ":" : "");
    setenv("ASAN_OPTIONS", path, 1);
}

struct shim *faults_open(void)
{
    char number[16];
    const int file = memfd_create("faults", 0);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, sizeof(struct shim)), 0);
    struct shim *shim = mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ck_assert(shim != MAP_FAILED);
    snprintf(number, sizeof number, "%d", file);
    setenv(SHIM_VARIABLE, number, 1);
    atomic_store(&shim->hasty, true);
    preload();
    return shim;
}

void faults_order(struct shim *shim, struct fault fault)
{
    ck_assert_msg(atomic_load(&shim->works), "the shim is not loaded");
    struct shim_order *order = &shim->order;
    atomic_store(&order->mask, 0);
    atomic_store(&order->left, fault.number);
    atomic_store(&order->count, fault.count > 0 ? fault.count : 1);
    atomic_store(&order->error, fault.error);
    atomic_store(&order->half, fault.half);
    atomic_store(&order->growth, fault.growth);
    atomic_store(&order->fired, 0);
    shim->where[0] = '\0';
    atomic_store(&order->mask, fault.calls);
}

uint64_t faults_end(struct shim *shim)
{
    atomic_store(&shim->order.mask, 0);
    return atomic_load(&shim->order.fired);
}

void faults_count(struct shim *shim, unsigned calls)
{
    faults_order(shim, (struct fault){.calls = calls, .number = FAULTS_ALL});
}

int64_t faults_counted(struct shim *shim)
{
    atomic_store(&shim->order.mask, 0);
    return FAULTS_ALL - atomic_load(&shim->order.left);
}

void faults_sites(struct shim *shim, struct faults_sites *ret)
{
    for (size_t i = 0; i < SHIM_SITES; i++)
        ret->live[i] = atomic_load(&shim->site[i].live);
}

const char *faults_grown(struct shim *shim, const struct faults_sites *before)
{
    const char *text = "";
    for (size_t i = 0; i < SHIM_SITES; i++) {
        const int64_t grown = atomic_load(&shim->site[i].live) - before->live[i];
        if (grown > 0)
            text = format(
                "%s gradcheckd+0x%zx (%lld)", text,
                (size_t)(atomic_load(&shim->site[i].address) - atomic_load(&shim->program) - 1),
                (long long)grown);
    }
    return text;
}

bool faults_allocate(const struct shim *shim)
{
    return atomic_load(&shim->allocates);
}
