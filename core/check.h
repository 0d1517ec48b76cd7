/* The inside of a check, for its own files: check.c (plan, fold), check_grain.c (work),
 * check_report.c (result). */
#ifndef GRADCHECK_CORE_CHECK_H
#define GRADCHECK_CORE_CHECK_H

#include <gradcheck/check.h>

#include "core/pass.h"

/* A layer's parameters among those that are checked. */
typedef struct check_range {
    size_t layer;
    size_t offset, count; /* in the model's parameters */
    size_t first;         /* place of the first one among the checked */
} check_range;

struct gck_check {
    gck_check_spec spec;
    gck_check_cut cut;
    size_t range_count;
    check_range *range;
    size_t parameters; /* checked */
    size_t folded;     /* grains */
    size_t done;       /* elements times blocks; an element of x counts as often as a parameter */
    double loss;       /* sum_k w_k L_k */
    /* As long as the model's parameters; of x, row-major, or empty. */
    double *analytic, *numeric, *analytic_x, *numeric_x;
};

typedef enum grain_kind { GRAIN_ANALYTIC, GRAIN_PARAMETERS, GRAIN_INPUTS } grain_kind;

/* What a grain's index stands for. */
typedef struct check_grain {
    grain_kind kind;
    gck_rows block;
    size_t first, count; /* elements: of the checked parameters, or of the block's x */
} check_grain;

check_grain check_grain_at(const gck_check *check, size_t index);

/* The model's element that stands at `place` among the checked. */
size_t check_element(const gck_check *check, size_t place);

#endif
