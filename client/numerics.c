#include "client/numerics.h"
#include "client/say.h"

#include <gradcheck/blas.h>
#include <gradcheck/kernels.h>

#include <pthread.h>
#include <stddef.h>

static struct {
    pthread_t thread;
    bool beside; /* it is the thread that does it */
    gck_status status;
    gck_error error;
} start;

static void *run(void *unused)
{
    start.status = gck_blas_start(&start.error);
    return unused;
}

bool numerics_begin(void)
{
    gck_error error;
    if (gck_kernels_start("auto", &error) != GCK_OK) return say(false, "%s", error.text);
    start.beside = pthread_create(&start.thread, NULL, run, NULL) == 0;
    if (!start.beside) run(NULL);
    return true;
}

bool numerics_finish(void)
{
    if (start.beside) pthread_join(start.thread, NULL);
    start.beside = false;
    return start.status == GCK_OK || say(false, "%s", start.error.text);
}
