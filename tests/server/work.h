/* Jobs at work, without a store and without workers: taken, computed and handed in by the test. */
#ifndef TESTS_SERVER_WORK_H
#define TESTS_SERVER_WORK_H

#include "server/queue.h"

/* A check of 4 units with 8 parameters, 2 samples, in GRAINS grains, or a training of EPOCHS
 * epochs; `more` is more of the body, ", 'priority': 'high'". */
enum { GRAINS = 10, EPOCHS = 4 };
struct job *check_job(const char *more);
struct job *training_job(const char *more);
struct job *probe_job(void);

/* Takes a piece of work that must be there; its grain. */
size_t must_take(struct job *job);
bool can_take(struct job *job);
/* Computes a grain of a check that was taken. */
gck_partial grain_of(struct job *job, size_t grain);
/* Hands it in; true when the caller is to finish the job. */
bool hand_in(struct job *job, size_t grain);
/* Hands in a grain that was stopped on the way. */
bool hand_in_stopped(struct job *job, size_t grain);
/* Takes and hands in whatever there is; how often it was told to finish the job. */
int work_off(struct job *job);
/* A slice of a training that was taken: `units` units of work, and the hand-back. */
bool hand_back(struct job *job, size_t units);

enum job_state outcome_of(struct job *job);
enum job_state state_of(struct job *job);
/* A finished check's result as text, until the next call of text_of. */
const char *result_of(struct job *job);

#endif
