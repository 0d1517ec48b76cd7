/*
 * Builds requests. Data are made of small binary fractions, so that they have short exact texts and
 * every run posts the same bytes.
 */
#ifndef TESTS_SYSTEM_REQUESTS_H
#define TESTS_SYSTEM_REQUESTS_H

#include <jansson.h>

#define CHECKS "/v1/gradient-checks"
#define TRAININGS "/v1/trainings"

/* A layer a semicolon: "16 relu; dropout 0.5; activation tanh; 2 softmax". */
json_t *model_new(int inputs, const char *layers, const char *cost);

/* x is (rows, inputs) in [-2, 2]; y holds class labels that a linear model can learn from x. */
json_t *labelled_new(int rows, int inputs, int classes);
/* y is (rows, outputs) in (0, 1), which suits every cost. */
json_t *data_new(int rows, int inputs, int outputs);
/* A matrix of numbers in [-2, 2]; the seed makes different ones. */
json_t *matrix_new(int rows, int columns, unsigned seed);

/* Whole requests; these take their arguments. */
json_t *check_new(json_t *model, json_t *data);
json_t *training_new(json_t *model, json_t *data, json_t *training);

/* 3-16-8-2 with tanh and softmax, 218 parameters, 20 samples: ends at once. */
json_t *check_small(void);
/* 4-6-3 with tanh and softmax, 24 samples. */
json_t *training_small(int epochs);
/* 200-200-200-10 with tanh at 200 samples, by ridders: some 8 evaluations of 82 410 parameters in
 * 410 grains, which take minutes; a central check of it is done in a tenth of a second. */
json_t *check_long(void);
/* The same network at 500 samples, for more epochs than any test waits for. */
json_t *training_long(void);

#endif
