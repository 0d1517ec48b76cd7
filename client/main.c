/* gradcheck: checks gradients from the command line, in this process or with a server. */
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/say.h"
#include "server/codec_json.h"

#include <gradcheck/blas.h>

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <stdio.h>
#include <string.h>

/* A check takes some ten megabytes, and most of what a short one costs in a fresh process is the
 * kernel's handing them out page by page: so all threads share one heap, which is asked for at
 * once, in large pages, and kept. It takes no memory before it is used. */
static void memory_start(void)
{
#ifdef __GLIBC__
    const size_t heap_bytes = (size_t)64 << 20, large_page = (size_t)2 << 20;
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_TOP_PAD, (int)heap_bytes);
    char *const begin = sbrk(0);
    void *volatile large = malloc(heap_bytes / 4); /* the heap grows by this and the pad */
    free(large);
    const size_t skipped = large_page - (uintptr_t)begin % large_page;
    madvise(begin + skipped, (size_t)((char *)sbrk(0) - begin) - skipped, MADV_HUGEPAGE);
#endif
}

int main(int count, char **arguments)
{
    if (!interrupt_start()) return say(STATUS_SERVER, "no signals: %s", strerror(errno));
    gck_blas_end_threads();
    memory_start();
    codec_json_start();
    const int status = commands_run(count, arguments);
    if (fflush(stdout) != 0 && status == STATUS_PASS)
        return say(STATUS_SERVER, "standard output: %s", strerror(errno));
    return status;
}
