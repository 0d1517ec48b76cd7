/* The tail of a network: what a disturbance of one unit does to the loss of each lane.
 *
 * Changes are finite and carried as such, from one pre-activation to the loss; tangents are carried
 * along the slopes that complex step gave. Both are forward: nothing here knows of the backward
 * pass. One thread at a time; nothing is allocated after gck_tail_init. */
#ifndef GRADCHECK_CORE_TAIL_H
#define GRADCHECK_CORE_TAIL_H

#include "core/base.h"

/* Told of every unit with a kink that a change passes, row by row: where the kink lies in z (or in
 * a - y: layer is the number of layers), z itself, and its change. */
typedef struct gck_watch {
    void (*see)(void *context, size_t layer, size_t unit, double place, const double *z,
                const double *change);
    void *context; /* NULL see: nobody */
} gck_watch;

typedef struct gck_tail {
    const gck_base *base;
    gck_carried carried;
    double *loss; /* (lanes): the change or the tangent of each lane's loss */
    double *slab;
} gck_tail;

/* Room for that many lanes. */
gck_status gck_tail_init(gck_tail *tail, const gck_model *model, size_t lanes, gck_error *error);
void gck_tail_done(gck_tail *tail);
/* Doubles that a lane takes. */
size_t gck_tail_lane_values(const gck_model *model);

/* Begins at a base: returns the row, base->lanes long, that the caller fills with a change or a
 * tangent of one unit. */
double *gck_tail_begin(gck_tail *tail, const gck_base *base, size_t unit);

/* Runs from the pre-activation of layer `layer`, or from the model's input for GCK_FROM_INPUT. */
#define GCK_FROM_INPUT SIZE_MAX
void gck_tail_change(gck_tail *tail, size_t layer, gck_watch watch);
/* On a base of samples. */
void gck_tail_tangent(gck_tail *tail, size_t layer);

/* Estimated operations of a lane, in multiply-adds of a matrix product. */
double gck_tail_operations(const gck_model *model, size_t layer);

#endif
