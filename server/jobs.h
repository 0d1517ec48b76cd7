/* All jobs: those at work, in a table here, and the rest, in the store. Calls may block for the
 * store: never from a thread of the HTTP library. */
#ifndef GRADCHECKD_JOBS_H
#define GRADCHECKD_JOBS_H

#include "server/events.h"
#include "server/queue.h"
#include "server/store.h"

struct jobs;

/* Everything stays the caller's. */
struct jobs *jobs_open(struct store *store, struct queue *queue, struct events *events,
                       const struct limits *limits);
void jobs_close(struct jobs *jobs);

/* The job that an earlier POST of the same kind and body made under this key: true with *ret_found
 * when there is one. False after a problem, such as a key that belongs to another request. Works on
 * a server that is full or draining, too. */
bool jobs_replay(struct jobs *jobs, enum job_kind kind, struct blob *body, const char *owner,
                 const char *idempotency_key, bool *ret_found, struct job_record *ret_record,
                 struct problem *problem);

/* A new job from a body that was decoded into spec (taken). With an idempotency key that is known,
 * *ret_record is the job as it is now. The record is the caller's to be done with. */
bool jobs_submit(struct jobs *jobs, struct spec *spec, struct blob *body, const char *owner,
                 const char *idempotency_key, struct job_record *ret_record,
                 struct problem *problem);

bool jobs_get(struct jobs *jobs, const char *owner, const char *id, struct job_record *ret_record,
              struct problem *problem);
/* *ret_record is the job afterwards; *ret_pending says that it is still being stopped. */
bool jobs_cancel(struct jobs *jobs, const char *owner, const char *id,
                 struct job_record *ret_record, bool *ret_pending, struct problem *problem);
bool jobs_purge(struct jobs *jobs, const char *owner, const char *id, struct problem *problem);
bool jobs_list(struct jobs *jobs, const struct store_filter *filter, struct job_page *ret_page,
               struct problem *problem);

/* False once the job has ended: the waiter is not kept, and may be answered at once. */
bool jobs_wait(struct jobs *jobs, struct waiter *waiter);

/* Stores that a job runs. Called with its first lease in hand, so that it cannot end meanwhile. */
void jobs_begin(struct jobs *jobs, struct job *job);
/* Encodes, stores and announces what became of a job that has ended. Whoever is told of the end
 * calls it, once.
 */
void jobs_finish(struct jobs *jobs, struct job *job);

struct jobs_use {
    size_t queued, running;
};
struct jobs_use jobs_use(struct jobs *jobs);

/* New jobs are refused from now on. */
void jobs_drain(struct jobs *jobs);
/* Whether all are done before the deadline (monotonic clock). */
bool jobs_await_idle(struct jobs *jobs, int64_t deadline_ns);
/* What still runs stops without an end. */
void jobs_abandon(struct jobs *jobs);

#endif
