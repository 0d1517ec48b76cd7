/* The inside of a check, for its own files: check.c (life, fold, saved state), check_cut.c (what it
 * needs, how it is cut), check_grain.c (work), check_report.c, check_forward.c and
 * check_warn.c (result). */
#ifndef GRADCHECK_CORE_CHECK_H
#define GRADCHECK_CORE_CHECK_H

#include <gradcheck/check.h>

#include "core/kinks.h"
#include "core/pass.h"
#include "core/survey.h"

/* A layer's parameters among those that are checked. */
typedef struct check_range {
    size_t layer;
    size_t offset, count; /* in the model's parameters */
    size_t inputs, units; /* rows of the weights into a unit, with the bias's; units */
    size_t grain_units;   /* of a grain; the last may have fewer */
} check_range;

/* The gradients of the parameters, or of x row-major. */
typedef struct check_side {
    double *analytic, *numeric, *exact, *bar;
    unsigned char *crossed; /* whether any sample's stencil crosses a kink */
} check_side;

/* The outputs, (samples, outputs) row-major, and what rounding can do to a claim's own, and to its
 * J; empty without a claim. */
typedef struct check_outputs {
    double *value, *bar, *cost_bar;
} check_outputs;

struct gck_check {
    gck_check_spec spec;
    gck_check_cut cut;
    size_t range_count;
    check_range *range;
    size_t parameters; /* of the ranges; with a claim, not all of them need be judged */
    bool kinked;       /* whether anything has a kink; else nothing of the kind is counted */
    size_t folded;     /* grains */
    size_t done;       /* elements times blocks; an element of x counts as often as a parameter */
    double loss;       /* sum_k w_k L_k */
    double *slab;
    check_side parameter, x;
    check_outputs outputs;
    gck_survey survey;
    size_t penalty_crossings; /* parameters whose stencil crosses the kink of l1 */
    gck_crossings *crossings; /* of each range, then of the inputs */
    double *judged_crossings; /* pairs of a parameter that is judged and a sample */
    double *direction;        /* (ranges, GCK_TENSORS_MAX, directions): exact derivatives */
};

typedef enum grain_kind { GRAIN_ANALYTIC, GRAIN_UNITS, GRAIN_INPUTS, GRAIN_DIRECTION } grain_kind;

/* What a grain's index stands for. */
typedef struct check_grain {
    grain_kind kind;
    gck_rows block;
    const check_range *range; /* units, directions */
    size_t first, count;      /* units; inputs; directions */
} check_grain;

check_grain check_grain_at(const gck_check *check, size_t index);
/* How long its partial is. */
size_t check_partial_count(const gck_check *check, const check_grain *grain);
/* Values of a survey. */
size_t check_survey_count(const gck_check *check);

/* Values that a claim's outputs and cost take, of so many samples. */
size_t check_outputs_count(const gck_check_spec *spec, size_t samples);
/* Elements of x. */
size_t check_x_count(const gck_check *check);

/* Sets the ranges and the cut. */
void check_cut_set(gck_check *check);
/* Another cut: rows of a block, multiply-adds of a grain. */
void check_recut(gck_check *check, size_t rows, size_t operations);
/* Passes that the plain formula needs. */
double check_evaluations(const gck_check_spec *spec, double elements);

/* Whether a tensor is judged: all without a claim, otherwise those that are claimed. */
bool check_is_claimed(const gck_check_spec *spec, size_t layer, size_t tensor);

/* Whether the stencil of a parameter crosses the kink of l1. */
bool check_penalty_crosses(const gck_check *check, size_t element);

/* Fills the report's warnings. */
gck_status check_warn(const gck_check *check, gck_report *report, gck_error *error);

#endif
