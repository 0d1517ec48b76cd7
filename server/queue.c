#include "server/queue.h"

#include <stdlib.h>

enum { PRIORITIES = PRIORITY_HIGH + 1 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    struct job *first[PRIORITIES], *last[PRIORITIES];
    bool stopped;
};

struct queue *queue_open(void)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL) return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->pushed, NULL);
    return queue;
}

static struct job *pop(struct queue *queue)
{
    for (int p = PRIORITIES - 1; p >= 0; p--) {
        struct job *job = queue->first[p];
        if (job == NULL) continue;
        queue->first[p] = job->queue_next;
        if (queue->first[p] == NULL) queue->last[p] = NULL;
        job->queue_next = NULL;
        job->queued = false;
        return job;
    }
    return NULL;
}

/* Moves the caller's reference into the list. */
static void append(struct queue *queue, struct job *job)
{
    const enum job_priority p = job->spec->priority;
    *(queue->last[p] != NULL ? &queue->last[p]->queue_next : &queue->first[p]) = job;
    queue->last[p] = job;
    job->queued = true;
    pthread_cond_signal(&queue->pushed);
}

void queue_close(struct queue *queue)
{
    if (queue == NULL) return;
    struct job *job;
    while ((job = pop(queue)) != NULL)
        job_unref(job);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->pushed);
    free(queue);
}

void queue_stop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->pushed);
    pthread_mutex_unlock(&queue->lock);
}

void queue_push(struct queue *queue, struct job *job)
{
    pthread_mutex_lock(&queue->lock);
    if (!job->queued) append(queue, job_ref(job));
    pthread_mutex_unlock(&queue->lock);
}

void queue_remove(struct queue *queue, struct job *job)
{
    const enum job_priority p = job->spec->priority;
    struct job *before = NULL;
    pthread_mutex_lock(&queue->lock);
    struct job *found = queue->first[p];
    while (found != NULL && found != job) {
        before = found;
        found = found->queue_next;
    }
    if (found != NULL) {
        *(before != NULL ? &before->queue_next : &queue->first[p]) = job->queue_next;
        if (queue->last[p] == job) queue->last[p] = before;
        job->queue_next = NULL;
        job->queued = false;
    }
    pthread_mutex_unlock(&queue->lock);
    if (found != NULL) job_unref(job);
}

/* The first job that still has work; those that have none leave the queue. */
static bool take(struct queue *queue, struct lease *ret_lease)
{
    struct job *job;
    while ((job = pop(queue)) != NULL) {
        if (job_take(job, &ret_lease->grain, &ret_lease->begins)) {
            ret_lease->job = job;
            if (job_is_divisible(job)) append(queue, job_ref(job));
            return true;
        }
        job_unref(job);
    }
    return false;
}

bool queue_take(struct queue *queue, struct lease *ret_lease)
{
    pthread_mutex_lock(&queue->lock);
    bool taken = false;
    while (!queue->stopped && !(taken = take(queue, ret_lease)))
        pthread_cond_wait(&queue->pushed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

bool queue_is_contended(struct queue *queue, const struct job *job)
{
    bool contended = false;
    pthread_mutex_lock(&queue->lock);
    for (int p = job->spec->priority; p < PRIORITIES; p++)
        for (const struct job *j = queue->first[p]; j != NULL && !contended; j = j->queue_next)
            contended = j != job;
    contended = contended || queue->stopped;
    pthread_mutex_unlock(&queue->lock);
    return contended;
}
