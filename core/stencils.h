/* Stencils side by side in lanes of copies: their losses, and the kinks that they cross. */
#ifndef GRADCHECK_CORE_STENCILS_H
#define GRADCHECK_CORE_STENCILS_H

#include "core/numeric.h"

/* Pair c has its upper points in the `tile` lanes from 2 c tile on, and its lower ones in the
 * `tile` lanes after those. */
typedef struct stencils {
    gck_numeric *numeric;
    size_t pairs, tile;
    gck_crossings *crossings; /* unit NULL: not counted */
} stencils;

/* From the changes that the caller put in the tail's row on to the losses in numeric->tail.loss.
 * numeric->mark is not 0 in a pair's upper lane where it crosses a kink, and the units are counted
 * among the crossings. */
void stencils_run(const stencils *s, size_t layer);

#endif
