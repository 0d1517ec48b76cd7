#include "server/keeper.h"
#include "server/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define PERIOD_NS INT64_C(1000000000)

enum { TASKS_MAX = 8 };

struct task {
    struct keeper *keeper;
    pthread_t thread;
    bool started;
    keeper_task *run;
    void *context;
};

struct keeper {
    pthread_mutex_t lock; /* for `stopping` */
    pthread_cond_t changed;
    bool stopping;
    size_t count; /* not changed after the start */
    struct task task[TASKS_MAX];
};

/* False once it is time to end. */
static bool sleep_until(struct keeper *keeper, int64_t monotonic_ns)
{
    const struct timespec until = clock_timespec(monotonic_ns);
    int status = 0;
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
    const bool goes_on = !keeper->stopping;
    pthread_mutex_unlock(&keeper->lock);
    return goes_on;
}

static void *run(void *context)
{
    const struct task *task = context;
    while (sleep_until(task->keeper, clock_monotonic_ns() + PERIOD_NS))
        task->run(task->context);
    return NULL;
}

struct keeper *keeper_open(void)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) return NULL;
    pthread_mutex_init(&keeper->lock, NULL);
    clock_condition_init(&keeper->changed);
    return keeper;
}

bool keeper_add(struct keeper *keeper, keeper_task *task, void *context)
{
    if (keeper->count == TASKS_MAX) return false;
    keeper->task[keeper->count++] =
        (struct task){.keeper = keeper, .run = task, .context = context};
    return true;
}

bool keeper_start(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->count; i++) {
        struct task *task = &keeper->task[i];
        task->started = pthread_create(&task->thread, NULL, run, task) == 0;
        if (!task->started) return false;
    }
    return true;
}

void keeper_close(struct keeper *keeper)
{
    if (keeper == NULL) return;
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    pthread_cond_broadcast(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    for (size_t i = 0; i < keeper->count; i++)
        if (keeper->task[i].started) pthread_join(keeper->task[i].thread, NULL);
    pthread_cond_destroy(&keeper->changed);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
