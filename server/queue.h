/* Jobs with work to be taken, by priority and then in turn. Any thread. */
#ifndef GRADCHECKD_QUEUE_H
#define GRADCHECKD_QUEUE_H

#include "server/job.h"

struct queue;

/* One grain, or a training's chain, taken by one worker. */
struct lease {
    struct job *job; /* a reference */
    size_t grain;
    bool exclusive; /* nothing else is handed out beside it */
};

struct queue *queue_open(void);
void queue_close(struct queue *queue);
/* Nothing is handed out any more; those who wait return. */
void queue_stop(struct queue *queue);

/* Puts a job at the end of its priority; keeps a reference of its own. */
void queue_push(struct queue *queue, struct job *job);
/* Takes a job that has ended out again. */
void queue_remove(struct queue *queue, struct job *job);
/* Blocks until there is work; false once stopped. The job goes to the end of its turn. A job under
 * suspicion of having ended a process comes before all others, and alone. */
bool queue_take(struct queue *queue, struct lease *ret_lease);
/* A lease that was taken is over; the job's reference stays the caller's. */
void queue_return(struct queue *queue, const struct lease *lease);
/* Whether the lease is to end: it is exclusive, or a job of no lower priority waits for a worker.
 */
bool queue_is_contended(struct queue *queue, const struct lease *lease);

#endif
