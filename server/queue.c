#include "server/queue.h"

#include <stdlib.h>

/* A list a priority, and one for jobs under suspicion. */
enum { PRIORITIES = PRIORITY_HIGH + 1, QUARANTINE = PRIORITIES, LISTS };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    struct job *first[LISTS], *last[LISTS];
    size_t out;     /* leases */
    bool exclusive; /* one of them is, which makes it the only one */
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

static struct job *pop_of(struct queue *queue, int list)
{
    struct job *job = queue->first[list];
    if (job == NULL) return NULL;
    queue->first[list] = job->queue_next;
    if (queue->first[list] == NULL) queue->last[list] = NULL;
    job->queue_next = NULL;
    job->queued = false;
    return job;
}

static struct job *pop(struct queue *queue)
{
    struct job *job = NULL;
    for (int list = PRIORITIES - 1; list >= 0 && job == NULL; list--)
        job = pop_of(queue, list);
    return job;
}

/* Moves the caller's reference into the list. */
static void append(struct queue *queue, struct job *job)
{
    const int list = job_is_suspect(job) ? QUARANTINE : (int)job->spec->priority;
    *(queue->last[list] != NULL ? &queue->last[list]->queue_next : &queue->first[list]) = job;
    queue->last[list] = job;
    job->queued = true;
    job->queue_list = list;
    pthread_cond_signal(&queue->pushed);
}

void queue_close(struct queue *queue)
{
    if (queue == NULL) return;
    struct job *job;
    while ((job = pop(queue)) != NULL || (job = pop_of(queue, QUARANTINE)) != NULL)
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
    struct job *before = NULL;
    pthread_mutex_lock(&queue->lock);
    const int list = job->queue_list;
    struct job *found = queue->first[list];
    while (found != NULL && found != job) {
        before = found;
        found = found->queue_next;
    }
    if (found != NULL) {
        *(before != NULL ? &before->queue_next : &queue->first[list]) = job->queue_next;
        if (queue->last[list] == job) queue->last[list] = before;
        job->queue_next = NULL;
        job->queued = false;
    }
    pthread_mutex_unlock(&queue->lock);
    if (found != NULL) job_unref(job);
}

static bool take_of(struct queue *queue, struct job *job, struct lease *ret_lease)
{
    if (!job_take(job, &ret_lease->grain)) {
        job_unref(job);
        return false;
    }
    ret_lease->job = job;
    if (job_is_divisible(job)) append(queue, job_ref(job));
    return true;
}

/* The first job under suspicion that still is. */
static bool take_suspect(struct queue *queue, struct lease *ret_lease)
{
    struct job *job;
    while ((job = pop_of(queue, QUARANTINE)) != NULL) {
        if (!job_is_suspect(job))
            append(queue, job);
        else if (take_of(queue, job, ret_lease))
            return true;
    }
    return false;
}

/* The first job that still has work; those that have none leave the queue. */
static bool take(struct queue *queue, struct lease *ret_lease)
{
    struct job *job;
    if (queue->exclusive) return false;
    if (queue->first[QUARANTINE] != NULL && queue->out > 0) return false;
    queue->exclusive = ret_lease->exclusive = take_suspect(queue, ret_lease);
    bool taken = queue->exclusive;
    while (!taken && (job = pop(queue)) != NULL)
        taken = take_of(queue, job, ret_lease);
    if (taken) queue->out++;
    return taken;
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

void queue_return(struct queue *queue, const struct lease *lease)
{
    pthread_mutex_lock(&queue->lock);
    queue->out--;
    const bool others = lease->exclusive || queue->first[QUARANTINE] != NULL;
    if (lease->exclusive) queue->exclusive = false;
    if (others) pthread_cond_broadcast(&queue->pushed);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_is_contended(struct queue *queue, const struct lease *lease)
{
    pthread_mutex_lock(&queue->lock);
    bool contended = lease->exclusive || queue->stopped;
    for (int p = lease->job->spec->priority; p < LISTS; p++)
        for (const struct job *j = queue->first[p]; j != NULL && !contended; j = j->queue_next)
            contended = j != lease->job;
    pthread_mutex_unlock(&queue->lock);
    return contended;
}
