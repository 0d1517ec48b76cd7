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

#endif
