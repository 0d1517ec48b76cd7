/* The row of an activation, for the files of this library. */
#ifndef GRADCHECK_CORE_ACTIVATION_H
#define GRADCHECK_CORE_ACTIVATION_H

#include <gradcheck/activation.h>

#include "core/entropy.h"

typedef struct gck_activation_row {
    gck_item item;
    void (*forward)(const double *option, size_t units, size_t samples, const double *z, double *a);
    const struct gck_activation_derivatives *derivatives; /* core/derivatives.h */
    const struct gck_activation_change *change;           /* core/change.h */
    const struct gck_activation_exact *exact;             /* core/exact.h */
    const struct gck_activation_rounding *rounding;       /* core/rounding.h */
    const gck_entropy *entropy;                           /* NULL unless outputs lie in [0, 1] */
} gck_activation_row;

const gck_activation_row *gck_activation_row_of(const gck_choice *activation);

#endif
