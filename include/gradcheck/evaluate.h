/* A trained network put to use: outputs, cost and accuracy, without dropout. */
#ifndef GRADCHECK_EVALUATE_H
#define GRADCHECK_EVALUATE_H

#include <gradcheck/data.h>
#include <gradcheck/model.h>

/* Asked between blocks of work; true makes the call return GCK_STOPPED. */
typedef struct gck_stop {
    bool (*asked)(void *context); /* NULL: never */
    void *context;
} gck_stop;

typedef struct gck_evaluation {
    double cost;     /* with the penalties */
    double accuracy; /* NaN unless the cost is a cross-entropy */
} gck_evaluation;

/* How many of count samples are right, as a sum over samples of numbers in [0, 1]. With two or more
 * outputs and categorical cross-entropy a sample is right when the largest output is where the
 * largest target is; otherwise each output is compared with its target at 0.5 and a sample counts
 * with the share that agrees. outputs and y are feature-major (units, samples). */
double gck_accuracy_sum(const gck_model *model, const double *outputs, const double *y,
                        size_t samples);

/* The class of each sample where the cost is a cross-entropy: the largest output, or, of a single
 * output, whether it is above 0.5. y is (samples, outputs) row-major. False where the model has no
 * classes (several outputs under binary cross-entropy, or another cost). */
bool gck_classes(const gck_model *model, const double *y, size_t samples, size_t *ret_class);

/* y (samples, outputs) of x (samples, inputs), both row-major. */
gck_status gck_predict(const gck_model *model, const double *parameters, const double *x,
                       size_t samples, gck_stop stop, double *ret_y, gck_error *error);

gck_status gck_evaluate(const gck_model *model, const double *parameters, const gck_data *data,
                        gck_stop stop, gck_evaluation *ret_evaluation, gck_error *error);

#endif
