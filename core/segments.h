/* The loss of one sample as a function of one pre-activation, where kinks lie within reach. */
#ifndef GRADCHECK_CORE_SEGMENTS_H
#define GRADCHECK_CORE_SEGMENTS_H

#include "core/numeric.h"

/* φ(s) - φ(0) and whether s crosses a kink, for a unit's stencil points in one sample. */
typedef struct segments_points {
    size_t count;
    double *step;           /* s */
    double *change;         /* the result; 0 where s is 0 */
    unsigned char *crossed; /* likewise */
    size_t *order;          /* room */
} segments_points;

/* Adds to the crossings' units; unit NULL: not counted. */
void segments_evaluate(gck_numeric *numeric, size_t sample, size_t unit,
                       const segments_points *points, gck_crossings *crossings);

#endif
