/* A job as asked for, in plain structs: what the codec makes of a body and the workers run.
 * Constant once made. */
#ifndef GRADCHECKD_SPEC_H
#define GRADCHECKD_SPEC_H

#include "server/convention.h"
#include "server/probe.h"
#include "server/record.h"

#include <gradcheck/check.h>
#include <gradcheck/train.h>

/* A model, and how a body writes down its arrays. */
struct written_model {
    gck_model *model;
    struct convention convention;
    bool states_reduction, states_scale; /* the cost has it, itself */
};

/* A claim, and the memory that it points into. */
struct claim {
    gck_claim core;
    bool *tensor_claimed;
    double *gradient, *inputs, *outputs; /* the last two NULL where nothing is claimed */
    double *given;                       /* NULL: the gradient */
};

struct spec {
    enum job_kind kind;
    enum job_priority priority;
    struct labels labels;
    gck_model *model;
    struct convention convention; /* of the arrays in bodies and answers */
    double *parameters;           /* given, or drawn */
    gck_data *data;
    bool *layer_checked; /* a check's; NULL: all */
    struct claim *claim; /* a check's; NULL: none */
    struct probe *probe; /* a probe's, which has nothing of the above but labels and priority */
    bool include_gradients;
    bool sensitivity;          /* a check's: which known mistakes would it catch */
    double memory_bytes;       /* estimated: its data, and what its work takes */
    double time_limit_seconds; /* infinite without one */
    gck_check_spec check;      /* points into the above */
    gck_train_spec train;
};

void spec_free(struct spec *spec);

#endif
