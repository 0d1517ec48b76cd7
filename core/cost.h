/* The row of a cost, for the files of this library. */
#ifndef GRADCHECK_CORE_COST_H
#define GRADCHECK_CORE_COST_H

#include <gradcheck/cost.h>

typedef struct gck_cost_row {
    gck_item item;
    void (*losses)(const gck_outputs *outputs, const double *y, double *loss);
    const struct gck_cost_derivatives *derivatives; /* core/derivatives.h */
    const struct gck_cost_change *change;           /* core/change.h; NULL where entropy */
    const struct gck_cost_exact *exact;             /* core/exact.h; NULL where entropy */
    const struct gck_cost_rounding *rounding;       /* core/rounding.h; NULL where entropy */
    bool entropy; /* computed from z, together with the last activation */
    bool labels;
} gck_cost_row;

const gck_cost_row *gck_cost_row_of(const gck_choice *cost);

/* The forms of a cost on top of a last activation, which the cross-entropies depend on. */
const struct gck_cost_change *gck_cost_change_of(const gck_choice *cost,
                                                 const gck_choice *activation);
const struct gck_cost_exact *gck_cost_exact_of(const gck_choice *cost,
                                               const gck_choice *activation);
const struct gck_cost_rounding *gck_cost_rounding_of(const gck_choice *cost,
                                                     const gck_choice *activation);

#endif
