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
/* After the store is closed. */
void jobs_close(struct jobs *jobs);

/* Takes up what a process before left unfinished. Before any job is submitted; false after a log
 * line: the store cannot be read. */
bool jobs_recover(struct jobs *jobs);

/* ---- for requests ---- */

/* The job that an earlier POST of the same kind and body made under this key: true with *ret_found
 * when there is one. False after a problem, such as a key that belongs to another request. Works on
 * a server that is full or draining, too. */
bool jobs_replay(struct jobs *jobs, enum job_kind kind, struct blob *body, const struct user *user,
                 const char *idempotency_key, bool *ret_found, struct job_record *ret_record,
                 struct problem *problem);

/* A new job from a body that was decoded into spec (taken): it is worked on from now on, and
 * accepted once jobs_accepted says so. One that somebody waits for is accepted together with its
 * result, if that comes soon. *ret_job is a reference. */
bool jobs_submit(struct jobs *jobs, struct spec *spec, struct blob *body, const struct user *user,
                 const char *idempotency_key, bool is_awaited, struct job **ret_job,
                 struct problem *problem);
/* Waits until the store has a submitted job, whose record is the caller's to be done with: the job
 * as it is now, or that which has its idempotency key. */
bool jobs_accepted(struct jobs *jobs, struct job *job, const struct user *user,
                   struct job_record *ret_record, struct problem *problem);

/* Of the large parts of the record at least those of the mask are there. */
bool jobs_get(struct jobs *jobs, const struct user *user, const char *id, unsigned parts,
              struct job_record *ret_record, struct problem *problem);
/* *ret_record is the job afterwards; *ret_pending says that it is still being stopped. */
bool jobs_cancel(struct jobs *jobs, const struct user *user, const char *id,
                 struct job_record *ret_record, bool *ret_pending, struct problem *problem);
bool jobs_purge(struct jobs *jobs, const struct user *user, const char *id,
                struct problem *problem);
/* Lets every user read the job, or no longer. */
bool jobs_share(struct jobs *jobs, const struct user *user, const char *id, bool shared,
                struct job_record *ret_record, struct problem *problem);
bool jobs_list(struct jobs *jobs, const struct store_filter *filter, struct job_page *ret_page,
               struct problem *problem);

/* ---- probes ---- */

/* What a probe asks for now, or its result: a document of codec_probe.h. */
bool jobs_probe_ask(struct jobs *jobs, const struct user *user, const char *id,
                    struct blob **ret_answer, struct problem *problem);
/* Takes the values of a round (1, 2, …), durably, and answers with what is asked next, or the
 * result. The same values once more get the same answer. */
bool jobs_probe_take(struct jobs *jobs, const struct user *user, const char *id, size_t round,
                     const double *value, size_t count, struct blob **ret_answer,
                     struct problem *problem);
/* Ends probes that no values came for. */
void jobs_probe_expire(struct jobs *jobs);

/* ---- waiting, and use ---- */

/* False once the job has ended: the waiter is not kept, and may be answered at once. */
bool jobs_wait(struct jobs *jobs, struct waiter *waiter);

struct jobs_use {
    size_t queued, running;
};
/* Of one owner's jobs. */
struct jobs_use jobs_use(struct jobs *jobs, const char *owner);

/* ---- for workers ---- */

/* Notes that a lease's grain is begun, durably, where the job is; true when it is to be released.
 */
bool jobs_charge(struct jobs *jobs, const struct lease *lease);
void jobs_release(struct jobs *jobs, const struct lease *lease, bool done);
/* Keeps a training's state when it is due. */
void jobs_save(struct jobs *jobs, struct job *job);
/* Finds out, encodes, stores and announces what became of a job that has ended. Whoever is told of
 * the end calls it, once. The announcement follows once the end is stored. False when a server that
 * stops left the job unfinished. */
bool jobs_finish(struct jobs *jobs, struct job *job);

/* ---- for the server ---- */

/* Removes some of the jobs that need not be kept any longer; true when there may be more. */
bool jobs_prune(struct jobs *jobs);

/* New jobs are refused from now on. */
void jobs_drain(struct jobs *jobs);
/* Whether all are done before the deadline (monotonic clock). */
bool jobs_await_idle(struct jobs *jobs, int64_t deadline_ns);
/* What still runs stops without an end. */
void jobs_abandon(struct jobs *jobs);
/* With all workers gone: jobs at work are kept as they are, and all that is held back is stored. */
void jobs_hand_over(struct jobs *jobs);

#endif
