/* The row of a cost, for the files of this library. */
#ifndef GRADCHECK_CORE_COST_H
#define GRADCHECK_CORE_COST_H

#include <gradcheck/cost.h>

typedef struct gck_cost_row {
    gck_item item;
    void (*losses)(const gck_outputs *outputs, const double *y, double *loss);
    const struct gck_cost_derivatives *derivatives;
    bool entropy; /* computed from z, together with the last activation */
    bool labels;
} gck_cost_row;

const gck_cost_row *gck_cost_row_of(const gck_choice *cost);

#endif
