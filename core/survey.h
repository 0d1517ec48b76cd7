/* What a forward pass says about the point at which gradients are checked: dead units, units
 * exactly on a kink, saturated outputs. Counts of samples; those of weight 0 do not count. */
#ifndef GRADCHECK_CORE_SURVEY_H
#define GRADCHECK_CORE_SURVEY_H

#include "core/base.h"

/* Output slopes below this leave a sample next to no say in the gradient. */
#define GCK_SATURATED 1e-7

typedef struct gck_survey {
    /* For each unit, in the order of gck_kink_offset (the cost's terms last). */
    double *live;      /* samples in which its slope is not 0 */
    double *on_kink;   /* samples in which it lies exactly on a kink */
    double *saturated; /* one number: samples whose outputs' slopes are all below GCK_SATURATED */
} gck_survey;

/* Adds those of a base of samples. */
void gck_survey_add(const gck_base *base, const gck_survey *survey);

#endif
