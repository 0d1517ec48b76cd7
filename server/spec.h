/* A job as asked for, in plain structs: what the codec makes of a body and the workers run.
 * Constant once made. */
#ifndef GRADCHECKD_SPEC_H
#define GRADCHECKD_SPEC_H

#include "server/record.h"

#include <gradcheck/check.h>
#include <gradcheck/train.h>

struct spec {
    enum job_kind kind;
    enum job_priority priority;
    struct labels labels;
    gck_model *model;
    double *parameters; /* given, or drawn */
    gck_data *data;
    bool *layer_checked; /* a check's; NULL: all */
    bool include_gradients;
    double memory_bytes;       /* estimated: its data, and what its work takes */
    double time_limit_seconds; /* infinite without one */
    gck_check_spec check;      /* points into the above */
    gck_train_spec train;
};

void spec_free(struct spec *spec);

#endif
