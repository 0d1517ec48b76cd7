/* What a durable store keeps of jobs at work: which grains are in hand, and states to go on from.
 * Any thread; its lock is never held while the store writes.
 *
 * A grain is charged before it is begun, so that one that ends the process is found out. The state
 * of a check is saved each second, that of a training every save_seconds, and of either so seldom
 * that writing takes a small part of the time; a job that ends sooner leaves no trace, nor does one
 * that is not accepted yet. */
#ifndef GRADCHECKD_PROGRESS_H
#define GRADCHECKD_PROGRESS_H

#include "server/job.h"

struct progress;

struct progress *progress_open(struct store *store, const struct limits *limits);
void progress_close(struct progress *progress);

/* What keeping its state takes, beside the job itself. */
double progress_bytes(const struct progress *progress, const struct spec *spec);

/* From now on the state of a check is saved when it is due. */
void progress_watch(struct progress *progress, struct job *job);

/* Notes that the grain is begun; returns once that is durable. True: it is charged, and is to be
 * released. */
bool progress_charge(struct progress *progress, struct job *job, size_t grain);
/* The charged grain did not end the process: done, or given back undone. */
void progress_release(struct progress *progress, struct job *job, size_t grain, bool done);

/* Saves the job's state when it is due, or, `now`, in any case. For whoever has the training, or
 * folds. */
void progress_save(struct progress *progress, struct job *job, bool now);

/* The job has ended: what was not written need not be. */
void progress_drop(struct progress *progress, struct job *job);

#endif
