#include "server/worker.h"
#include "server/clock.h"

#include <stdlib.h>

/* A slice of a training, before others get their turn. */
#define SLICE_NS INT64_C(100000000)

/* The BLAS library works on the stack, too. */
enum { STACK_BYTES = 8 << 20 };

struct workers {
    struct queue *queue;
    struct jobs *jobs;
    size_t count;
    pthread_t thread[];
};

/* One grain, in the lease's room, which the first one takes. */
static gck_status run_grain(struct job *job, size_t grain, gck_check_room **room,
                            gck_partial *partial, gck_error *error)
{
    if (*room == NULL) {
        const gck_status status = gck_check_room_new(job->check, room, error);
        if (status != GCK_OK) return status;
    }
    return gck_check_grain(job->check, grain, *room, job_stop(job), partial, error);
}

/* One grain and its end: true when the job has ended with it; then a charge is not released yet. */
static bool work_off(struct workers *workers, struct lease *lease, gck_check_room **room,
                     bool *ret_charged)
{
    struct job *job = lease->job;
    gck_partial partial = {0};
    gck_error error;
    const bool charged = jobs_charge(workers->jobs, lease);
    const gck_status status = run_grain(job, lease->grain, room, &partial, &error);
    const bool ended = job_hand_in(job, lease->grain, status, &partial, &error);
    *ret_charged = charged;
    if (charged && !ended) jobs_release(workers->jobs, lease, status == GCK_OK);
    return ended;
}

/* The lease grows grain by grain, and ends as soon as another job waits. */
static void run_check(struct workers *workers, struct lease *lease)
{
    struct job *job = lease->job;
    gck_check_room *room = NULL;
    bool ended, charged;
    do {
        ended = work_off(workers, lease, &room, &charged);
    } while (!ended && !queue_is_contended(workers->queue, lease) && job_take(job, &lease->grain));
    gck_check_room_free(room);
    if (ended && !jobs_finish(workers->jobs, job) && charged)
        jobs_release(workers->jobs, lease, false);
}

static gck_status run_slice(struct job *job, bool *finished, gck_error *error)
{
    const gck_stop stop = job_stop(job);
    const int64_t end_ns = clock_monotonic_ns() + SLICE_NS;
    gck_status status;
    do {
        status = gck_train_step(job->train, 1, finished, error);
    } while (status == GCK_OK && !*finished && !stop.asked(stop.context) &&
             clock_monotonic_ns() < end_ns);
    return status;
}

/* False once the job has ended. */
static bool run_slices(struct workers *workers, struct lease *lease)
{
    struct job *job = lease->job;
    do {
        bool finished = false;
        gck_error error;
        const gck_status status = run_slice(job, &finished, &error);
        if (status == GCK_OK && !finished) jobs_save(workers->jobs, job);
        if (job_hand_back(job, status, finished, &error)) return false;
    } while (!queue_is_contended(workers->queue, lease) && job_take(job, &lease->grain));
    return true;
}

static void run_training(struct workers *workers, struct lease *lease)
{
    const bool charged = jobs_charge(workers->jobs, lease);
    if (!run_slices(workers, lease)) {
        jobs_finish(workers->jobs, lease->job);
        return;
    }
    if (charged) jobs_release(workers->jobs, lease, false);
    queue_push(workers->queue, lease->job);
}

static void *run(void *argument)
{
    struct workers *workers = argument;
    struct lease lease;
    while (queue_take(workers->queue, &lease)) {
        if (job_is_divisible(lease.job))
            run_check(workers, &lease);
        else
            run_training(workers, &lease);
        queue_return(workers->queue, &lease);
        job_unref(lease.job);
    }
    return NULL;
}

struct workers *workers_start(size_t count, struct queue *queue, struct jobs *jobs)
{
    struct workers *workers = calloc(1, sizeof *workers + count * sizeof workers->thread[0]);
    if (workers == NULL) return NULL;
    workers->queue = queue;
    workers->jobs = jobs;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (workers->count < count &&
           pthread_create(&workers->thread[workers->count], &attributes, run, workers) == 0)
        workers->count++;
    pthread_attr_destroy(&attributes);
    if (workers->count > 0) return workers;
    free(workers);
    return NULL;
}

void workers_join(struct workers *workers)
{
    if (workers == NULL) return;
    for (size_t i = 0; i < workers->count; i++)
        pthread_join(workers->thread[i], NULL);
    free(workers);
}
