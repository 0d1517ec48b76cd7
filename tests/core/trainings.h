/* Trainings for tests: made, run and compared. */
#ifndef TESTS_CORE_TRAININGS_H
#define TESTS_CORE_TRAININGS_H

#include "tests/core/fixtures.h"

#include <gradcheck/train.h>

/* One epoch over all rows at once, sgd, in the order given. */
gck_train_spec train_spec_of(const network *net);

/* block_rows other than 0 cuts batches smaller than their size asks for. */
gck_train *train_new(const gck_train_spec *spec, size_t block_rows);
/* Up to `units` units of work; whether that ended it. */
bool train_step(gck_train *train, size_t units);
void train_finish(gck_train *train);
/* All three in one. */
gck_train *train_run(const gck_train_spec *spec);

/* Parameters, history, checks and final numbers, bit by bit. */
void assert_same_training(const gck_train *got, const gck_train *want);

/* ---- a small training with everything ----
 *
 * Dropout, adam, a shuffled order, sample weights, 3 rows held out, a check after every second
 * epoch, blocks within batches: an epoch is 5 units of batches (3 + 1, 3 + 1 and 2 rows), one of
 * validation and, every second time, 3 of a check; the final evaluation takes 4. */
enum { SMALL_SAMPLES = 13, SMALL_BATCH = 4, SMALL_BLOCK = 3, SMALL_EPOCHS = 4 };

network small_training_network(void);
gck_train_spec small_training_spec(const network *net);

/* bytes: freed by free() */
typedef struct saved {
    unsigned char *bytes;
    size_t size;
} saved;

saved training_save(const gck_train *train);
/* A new training with that many units of work done. */
saved training_saved_at(const gck_train_spec *spec, size_t units);
gck_train *training_load(const gck_train_spec *spec, const saved *s);

#endif
