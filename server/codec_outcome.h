/* From finished work to its result: what is wrong with a claim that fails is found out, and all is
 * encoded once. Any thread, one at a time for each check or training; costs a pass over the
 * gradients, and for a claim that fails some dozens of backward passes. */
#ifndef GRADCHECKD_CODEC_OUTCOME_H
#define GRADCHECKD_CODEC_OUTCOME_H

#include "server/problem.h"
#include "server/spec.h"

/* Owned; a member that memory was too short for is NULL. */
struct outcome {
    struct blob *result, *summary;
};

/* Of a check whose grains are all folded. Both are NULL after a problem, and when `stop` said so:
 * then GCK_STOPPED. */
gck_status codec_check_outcome(const struct spec *spec, const gck_check *check, gck_stop stop,
                               struct outcome *ret, struct problem *problem);

struct outcome codec_training_outcome(const gck_train *train);

#endif
