/* A job that is queued or running: its record, its spec, and the work done so far.
 *
 * Workers take grains (a check) or the whole chain of slices (a training) and hand them back;
 * whoever hands in what ends the job is told so, exactly once. Any thread; the lock is never held
 * during numeric work. */
#ifndef GRADCHECKD_JOB_H
#define GRADCHECKD_JOB_H

#include "server/problem.h"
#include "server/spec.h"
#include "server/store.h"

#include <pthread.h>

/* How often a grain may end the process before its job is given up. */
enum { ATTEMPTS_MAX = 5 };

/* A grain begun so often that did not come to its end is computed with nothing beside it, so that
 * the next crash tells who is to blame. */
enum { ATTEMPTS_SUSPECT = 2 };

/* One piece of a check's work. */
struct grain {
    gck_partial partial; /* handed in, not folded yet */
    uint8_t attempts;    /* by processes before this one */
    bool taken;
};

/* Whether a job's acceptance is in the store. Nobody is told of one that is not. */
enum acceptance { ACCEPT_PENDING, ACCEPT_STORED, ACCEPT_REFUSED };

struct jobs;

struct job {
    _Atomic unsigned references;
    const struct spec *spec;     /* owned, constant */
    gck_check *check;            /* a check's; read by grains, changed by whoever folds */
    gck_train *train;            /* a training's; of whoever has taken it */
    struct probe_work *probe;    /* a probe's, which no worker takes */
    _Atomic bool cancelled;      /* by its owner */
    _Atomic bool abandoned;      /* by a server that stops */
    _Atomic int64_t deadline_ns; /* of the monotonic clock; INT64_MAX before the first lease */

    struct jobs *jobs; /* where it is at work */

    /* Called between two grains folded, without the lock, by whoever folds; or NULL. */
    void (*folded)(void *context, struct job *job);
    void *folded_context;

    pthread_mutex_t lock;   /* for all below */
    pthread_cond_t settled; /* acceptance, or left */
    struct job_record record;
    struct problem problem; /* the first fault of its work */
    int64_t started_ns;
    struct grain *grain;      /* a check's */
    size_t next, outstanding; /* grains: all before `next` are taken; how many are out */
    size_t top;               /* of a check: no grain from here on was touched */
    size_t suspects;          /* grains not done that were begun ATTEMPTS_SUSPECT times before */
    uint32_t attempts;        /* of a training, since its last saved state, before this process */
    bool folding, complete, ended;
    bool concluding; /* ended, and its result is being found out: it can still be stopped */
    enum acceptance acceptance;
    enum store_status refusal;
    bool left; /* the table of jobs: all is stored that will be */
    struct store_write accept, end;
    struct labels end_labels; /* so that its end needs no memory */

    struct job *queue_next; /* of the queue's lock */
    bool queued;
    int queue_list;
    struct job *older, *newer; /* of the lock of the table of jobs */
    struct kept *kept;         /* of progress.c's lock: writes of its work that are not made yet */
    bool saving;               /* likewise: one of them is its state */
    int64_t saved_ns;          /* of whoever folds, or has the training: its last saved state */
};

/* Takes the spec, and makes the record's progress, cut and signature; NULL after a problem, with
 * the spec freed. */
struct job *job_new(struct spec *spec, struct job_record *record, int64_t job_seconds,
                    struct problem *problem);
struct job *job_ref(struct job *job);
void job_unref(struct job *job);

/* Puts back what was kept of an unfinished job's work by a process before, into a job just made of
 * the same request. False when it does not fit, and the job must be made anew. */
bool job_restore(struct job *job, const struct store_grain *grain, size_t count);

/* Under which index its state is kept: a training's with its one grain, a check's behind the last.
 */
uint64_t job_state_index(const struct job *job);

/* A piece of work, if there is any: a grain's index, or 0 for a training. */
bool job_take(struct job *job, size_t *ret_grain);
/* Whether others may take of it, too. */
bool job_is_divisible(const struct job *job);

/* Whether a grain of it may have ended a process before. */
bool job_is_suspect(struct job *job);
/* How often the grain was begun by processes before this one. */
uint32_t job_attempts(struct job *job, size_t grain);
/* Of the grain begun most often. */
uint32_t job_attempts_most(struct job *job);

/* Asked between elements and blocks; true to stop. */
gck_stop job_stop(struct job *job);

/* Gives back a grain: its partial result (taken), or a fault. True: the job has ended with it, and
 * the caller finishes it. */
bool job_hand_in(struct job *job, size_t grain, gck_status status, gck_partial *partial,
                 const gck_error *error);
/* Gives back a training after a slice. Likewise. */
bool job_hand_back(struct job *job, gck_status status, bool finished, const gck_error *error);
/* From now on the probe is worked on, so that nobody ends it; false: it has ended, or is to. */
bool job_begin_round(struct job *job);
/* Its round was taken, or could not be; `over`: nothing is asked any more. Likewise. */
bool job_end_round(struct job *job, gck_status status, bool over, const gck_error *error);
/* True: its time is up, nobody works on it, and the caller finishes it. */
bool job_expire(struct job *job);
/* Asks for its end. True: nobody works on it, and the caller finishes it. */
bool job_cancel(struct job *job);
/* Whether nothing can change any more how it ends; the lock is held. */
bool job_is_over(const struct job *job);

/* A training got past where processes ended before: of those, at most so many count. */
void job_clear(struct job *job, uint32_t most);

bool job_is_stored(struct job *job);
/* Tells what became of its acceptance; who waits is woken. */
void job_settle(struct job *job, enum store_status status);
/* Waits for that. */
enum acceptance job_await_acceptance(struct job *job, enum store_status *ret_refusal);
/* It has left the table of jobs; likewise. */
void job_leave(struct job *job);
/* False when it has not by then (monotonic clock). */
bool job_await_leave(struct job *job, int64_t until_ns);

/* Whether all its work is done, without a fault. */
bool job_is_complete(struct job *job);
/* Its result could not be found out, since job_stop asked to end. False: because of a server that
 * stops, so that the job is left unfinished. */
bool job_break_off(struct job *job);
/* How an ended job ended: from now on it cannot be stopped. */
enum job_state job_outcome(struct job *job, struct problem *ret_problem);

/* The record as it is now; false when memory is out. */
bool job_snapshot(struct job *job, struct job_record *ret_record);
/* The record at the job's end, once. */
void job_last_snapshot(struct job *job, struct job_record *ret_record);

#endif
