/* A job that is queued or running: its record, its spec, and the work done so far.
 *
 * Workers take grains (a check) or the whole chain of slices (a training) and hand them back;
 * whoever hands in what ends the job is told so, exactly once. Any thread; the lock is never held
 * during numeric work. */
#ifndef GRADCHECKD_JOB_H
#define GRADCHECKD_JOB_H

#include "server/problem.h"
#include "server/record.h"
#include "server/spec.h"

#include <pthread.h>

struct job {
    _Atomic unsigned references;
    const struct spec *spec;     /* owned, constant */
    gck_check *check;            /* a check's; read by grains, changed by whoever folds */
    gck_train *train;            /* a training's; of whoever has taken it */
    _Atomic bool cancelled;      /* by its owner */
    _Atomic bool abandoned;      /* by a server that stops */
    _Atomic int64_t deadline_ns; /* of the monotonic clock; INT64_MAX before the first lease */

    pthread_mutex_t lock; /* for all below */
    struct job_record record;
    struct problem problem; /* the first fault of its work */
    int64_t started_ns;
    size_t next, outstanding; /* grains: the first not taken; how many are out */
    gck_partial *partial;     /* one a grain: handed in, not folded yet */
    bool folding, complete, ended;

    struct job *queue_next; /* of the queue's lock */
    bool queued;
    struct job *older, *newer; /* of the lock of the table of jobs */
};

/* Takes the spec, and makes the record's progress, cut and signature; NULL after a problem, with
 * the spec freed. */
struct job *job_new(struct spec *spec, struct job_record *record, int64_t job_seconds,
                    struct problem *problem);
struct job *job_ref(struct job *job);
void job_unref(struct job *job);

/* A piece of work, if there is any: a grain's index, or 0 for a training. *ret_begins: it is the
 * job's first. */
bool job_take(struct job *job, size_t *ret_grain, bool *ret_begins);
/* Whether others may take of it, too. */
bool job_is_divisible(const struct job *job);

/* Asked between elements and blocks; true to stop. */
gck_stop job_stop(struct job *job);

/* Gives back a grain: its partial result (taken), or a fault. True: the job has ended with it, and
 * the caller finishes it. */
bool job_hand_in(struct job *job, size_t grain, gck_status status, gck_partial *partial,
                 const gck_error *error);
/* Gives back a training after a slice. Likewise. */
bool job_hand_back(struct job *job, gck_status status, bool finished, const gck_error *error);
/* Asks for its end. True: nobody works on it, and the caller finishes it. */
bool job_cancel(struct job *job);

/* How an ended job ended. */
enum job_state job_outcome(struct job *job, struct problem *ret_problem);

/* The record as it is now; false when memory is out. */
bool job_snapshot(struct job *job, struct job_record *ret_record);

#endif
