/* The inside of a training, for its own files: train.c (the state machine), train_state.c (export
 * and import). */
#ifndef GRADCHECK_CORE_TRAIN_H
#define GRADCHECK_CORE_TRAIN_H

#include <gradcheck/check.h>
#include <gradcheck/train.h>

#include "core/backward.h"

/* What the next unit of work is. After each epoch: validation, then the check if one is due; after
 * the last: final. */
typedef enum train_phase {
    TRAIN_BATCH,
    TRAIN_VALIDATION,
    TRAIN_CHECK,
    TRAIN_FINAL,
    TRAIN_FINISHED
} train_phase;

/* Where the work stands and what it has summed: plain numbers, saved as they are. */
typedef struct train_place {
    uint64_t phase;
    uint64_t epoch;       /* the one at work; the first is 0 */
    uint64_t batch_first; /* row of the batch, in the epoch's order */
    uint64_t
        block_first; /* row of the block, in the batch, the validation set or the training set */
    uint64_t steps;  /* of the optimizer */
    uint64_t diverged_at;
    uint64_t check_count;
    double loss, accuracy;             /* sums over the blocks so far */
    double epoch_cost, epoch_accuracy; /* sums over the epoch's rows so far */
    gck_evaluation final;
} train_place;

/* The check at work: the first batch of the epoch, as a data set of its own. */
typedef struct train_check_work {
    gck_data *data;
    gck_check *check;
    gck_check_room *room;
} train_check_work;

struct gck_train {
    gck_train_spec spec; /* batch_size is resolved */
    size_t train_rows, validation_rows;
    size_t block_rows;
    train_place place;
    size_t *order; /* rows of the data: train_rows in the epoch's order, then those held out */
    double *parameters, *gradient, *optimizer_state;
    double *history; /* four columns of spec.epochs: cost, accuracy, and both of validation */
    size_t check_capacity;
    gck_train_check *check;
    train_check_work work; /* empty unless the phase is TRAIN_CHECK */
    gck_pass *masked, *unmasked;
    gck_backward_room room;
};

enum { HISTORY_COST, HISTORY_ACCURACY, HISTORY_VALIDATION_COST, HISTORY_VALIDATION_ACCURACY };
double *train_history(const gck_train *train, int column);

/* Whether the epoch at work ends with a check. */
bool train_check_is_due(const gck_train *train);

/* Makes the check of the epoch's first batch ready to be run or loaded. */
gck_status train_check_begin(gck_train *train, gck_error *error);

#endif
