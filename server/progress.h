/* What a durable store keeps of jobs at work: which grains are in hand, what grains gave, states of
 * trainings. Any thread; its lock is never held while the store writes.
 *
 * A grain is charged before it is begun, so that one that ends the process is found out. What it
 * gave is written within a second, together with others, so that work of a job that ends sooner is
 * never written at all. A job that is not accepted yet leaves no trace. */
#ifndef GRADCHECKD_PROGRESS_H
#define GRADCHECKD_PROGRESS_H

#include "server/job.h"

struct progress;

struct progress *progress_open(struct store *store, const struct limits *limits);
void progress_close(struct progress *progress);

/* From now on the results of the job's grains are kept. */
void progress_watch(struct progress *progress, struct job *job);

/* Notes that the grain is begun; returns once that is durable. True: it is charged, and is to be
 * released. */
bool progress_charge(struct progress *progress, struct job *job, size_t grain);
/* The charged grain did not end the process: done, or given back undone. */
void progress_release(struct progress *progress, struct job *job, size_t grain, bool done);

/* Keeps the training's state when it is due, or, `now`, in any case. Of the worker that has it. */
void progress_save(struct progress *progress, struct job *job, bool now);

/* Nobody waits for room any more. */
void progress_abandon(struct progress *progress);

/* The job has ended: what was not written need not be. */
void progress_drop(struct progress *progress, struct job *job);

#endif
