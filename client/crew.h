/* Threads of this process that compute a check's grains, or a training's steps, while the caller
 * watches. A check's result has the same bits with any number of them. */
#ifndef GRADCHECK_CREW_H
#define GRADCHECK_CREW_H

#include <gradcheck/check.h>
#include <gradcheck/train.h>

#include <stddef.h>

struct crew;

/* The work, of which the other is NULL: it is the crew's until crew_end. */
struct crew_work {
    gck_check *check;
    gck_train *train;
    gck_stop stop; /* asked by all threads */
};

/* NULL when there are no threads, or no memory. */
struct crew *crew_start(const struct crew_work *work, size_t threads);
/* Waits so long; true once all is over. How much is done: parameters, or epochs. */
bool crew_await(struct crew *crew, int ms, size_t *ret_done);
/* Waits for the end of all threads, and frees the crew. GCK_STOPPED when that was asked for. */
gck_status crew_end(struct crew *crew, gck_error *error);

#endif
