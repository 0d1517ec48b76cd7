#include "server/codec_budget.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static _Thread_local struct {
    bool open;
    enum budget_refusal refusal;
    size_t bytes, most, limit;
} account;

/* What a body of many small nodes leaves to the allocator is given back to the system from here on.
 */
#define TRIM_BYTES ((size_t)64 << 20)

static _Atomic size_t bytes_of_all;

void budget_open(size_t limit)
{
    account.open = true;
    account.refusal = BUDGET_NOT_REFUSED;
    account.bytes = account.most = 0;
    account.limit = limit;
}

void budget_close(void)
{
    account.open = false;
#ifdef __GLIBC__
    if (account.most >= TRIM_BYTES) malloc_trim(0);
#endif
}

enum budget_refusal budget_refused(void)
{
    return account.refusal;
}

static bool grant(size_t size)
{
    if (size > account.limit - account.bytes) {
        account.refusal = BUDGET_ALONE;
        return false;
    }
    if (atomic_load(&bytes_of_all) + size > account.limit) {
        account.refusal = BUDGET_OTHERS;
        return false;
    }
    return true;
}

static void *refuse(void)
{
    account.refusal = BUDGET_SYSTEM;
    return NULL;
}

static void count(size_t taken)
{
    account.bytes += taken < account.limit - account.bytes ? taken : account.limit - account.bytes;
    if (account.bytes > account.most) account.most = account.bytes;
    atomic_fetch_add(&bytes_of_all, taken);
}

static void discount(size_t freed)
{
    account.bytes -= freed < account.bytes ? freed : account.bytes;
    atomic_fetch_sub(&bytes_of_all, freed);
}

void *budget_malloc(size_t size)
{
    if (!account.open) return malloc(size);
    if (!grant(size)) return NULL;
    void *memory = malloc(size);
    if (memory == NULL) return refuse();
    count(malloc_usable_size(memory));
    return memory;
}

void *budget_realloc(void *memory, size_t size)
{
    if (!account.open) return realloc(memory, size);
    const size_t before = malloc_usable_size(memory);
    if (size > before && !grant(size - before)) return NULL;
    void *moved = realloc(memory, size);
    if (moved == NULL) return refuse();
    discount(before);
    count(malloc_usable_size(moved));
    return moved;
}

void budget_free(void *memory)
{
    if (account.open && memory != NULL) discount(malloc_usable_size(memory));
    free(memory);
}
