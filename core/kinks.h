/* Counting where stencils cross kinks: which units' kinks, and in which samples. */
#ifndef GRADCHECK_CORE_KINKS_H
#define GRADCHECK_CORE_KINKS_H

#include <gradcheck/model.h>

#include <stdbool.h>

/* Units that may have a kink: every layer's outputs, then the cost's terms, one an output. */
size_t gck_kink_units(const gck_model *model);
/* The first of a layer's; layer_count for the cost's. */
size_t gck_kink_offset(const gck_model *model, size_t layer);
/* Whether anything from pre-activation `layer` on (0: all, with the first) has one. */
bool gck_kink_ahead(const gck_model *model, size_t layer);

/* Crossings are (parameter or input, sample) pairs. */
typedef struct gck_crossings {
    double *unit;   /* (gck_kink_units): pairs that cross its kink */
    double *sample; /* (samples of the block): pairs that cross any */
} gck_crossings;

#endif
