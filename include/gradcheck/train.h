/* Trainings as a state machine: the caller decides when to step and when to save.
 *
 * A unit of work is one row block of a batch, of the validation set or of the final evaluation, or
 * one grain of a gradient check; its size is cut by the spec, so the bits of a training depend
 * neither on who steps it nor on how often it is saved and loaded. One thread at a time. */
#ifndef GRADCHECK_TRAIN_H
#define GRADCHECK_TRAIN_H

#include <gradcheck/data.h>
#include <gradcheck/evaluate.h>
#include <gradcheck/model.h>
#include <gradcheck/verdict.h>

enum { GCK_EPOCHS_MAX = 100000 };

typedef struct gck_train_spec {
    const gck_model *model;   /* all three outlive the training */
    const double *parameters; /* at the start */
    const gck_data *data;
    size_t epochs;
    size_t batch_size; /* 0: the whole set */
    gck_choice optimizer;
    bool shuffle;
    uint64_t seed;
    double validation_split; /* share of the rows held out, in [0, 1) */
    size_t check_every;      /* epochs between gradient checks; 0: none */
} gck_train_spec;

typedef struct gck_train_check {
    size_t epoch; /* after that many epochs */
    gck_verdict verdict;
    double distance, refined_distance;
} gck_train_check;

/* One number an epoch; NaN where there is none. */
typedef struct gck_train_result {
    size_t epochs; /* finished, and the one that diverged */
    const double *cost, *accuracy, *validation_cost, *validation_accuracy;
    bool has_accuracy, has_validation;
    gck_evaluation final, final_validation;
    size_t diverged_at; /* the epoch (the first is 1) whose cost was not finite; 0: none */
    size_t check_count;
    const gck_train_check *check;
    const double *parameters;
} gck_train_result;

typedef struct gck_train gck_train;

gck_status gck_train_new(const gck_train_spec *spec, gck_train **ret_train, gck_error *error);
void gck_train_free(gck_train *train);

/* Runs up to `units` units of work. */
gck_status gck_train_step(gck_train *train, size_t units, bool *ret_finished, gck_error *error);
size_t gck_train_epochs_done(const gck_train *train);

/* Everything that later steps depend on, as bytes (little-endian; begins with a magic and a
 * version). Freed by free(). */
gck_status gck_train_export(const gck_train *train, unsigned char **ret_bytes, size_t *ret_size,
                            gck_error *error);
/* Puts it into a training just made by gck_train_new from the same spec; GCK_CORRUPT leaves the
 * training unusable. */
gck_status gck_train_import(gck_train *train, const unsigned char *bytes, size_t size,
                            gck_error *error);

/* What there is so far; complete once a step said finished. Borrowed. */
gck_train_result gck_train_result_of(const gck_train *train);

/* Estimated operations and memory of the whole. */
void gck_train_estimate(const gck_train_spec *spec, double *ret_operations,
                        double *ret_memory_bytes);

#endif
