/* The point that a check disturbs: what a forward pass gave for a block of samples, with what
 * changes and tangents need beside it.
 *
 * A lane is one copy of one sample. A base of samples has a lane for each, filled up with copies of
 * the last one to a multiple of GCK_LANE_GROUP; a base of copies repeats a run of samples. Arrays
 * are feature-major (units, lanes). One thread at a time; one slab, taken once. */
#ifndef GRADCHECK_CORE_BASE_H
#define GRADCHECK_CORE_BASE_H

#include "core/change.h"
#include "core/exact.h"
#include "core/pass.h"

enum { GCK_LANE_GROUP = 8 };

/* What one layer makes of its lanes. */
typedef struct gck_base_layer {
    double *mask;                /* NULL where it has none */
    double *z;                   /* NULL without an activation */
    double *aux[GCK_CHANGE_AUX]; /* what the activation's change needs */
    double *a, *slope;           /* f'(z); in a base of samples alone */
} gck_base_layer;

typedef struct gck_base {
    const gck_model *model;
    const double *parameters;
    size_t capacity, lanes;
    double *slab;
    double *x;         /* in a base of samples alone */
    double *value, *y; /* a, or z where the cost is fused with the last activation; targets */
    double *aux[GCK_CHANGE_AUX]; /* what the cost's change needs */
    double *cost_slope;          /* dL/dvalue; in a base of samples alone */
    double *weights;             /* (lanes) */
    gck_base_layer layer[];
} gck_base;

typedef enum gck_base_kind { GCK_BASE_SAMPLES, GCK_BASE_COPIES } gck_base_kind;

/* Lanes of a base of that many samples. */
size_t gck_base_lanes(size_t samples);
/* Doubles that a lane takes. */
size_t gck_base_lane_values(const gck_model *model, gck_base_kind kind);

/* capacity is a multiple of GCK_LANE_GROUP. */
gck_status gck_base_new(const gck_model *model, gck_base_kind kind, size_t capacity,
                        gck_base **ret_base, gck_error *error);
void gck_base_free(gck_base *base);

/* From a pass after gck_forward at `parameters`. */
void gck_base_load(gck_base *base, const gck_pass *pass, const double *parameters);

/* Lanes first … first + tile - 1 of `samples`, that often, from layer `layer` on; tile * copies is
 * a multiple of GCK_LANE_GROUP. */
void gck_base_repeat(gck_base *base, const gck_base *samples, size_t layer, size_t first,
                     size_t tile, size_t copies);

/* The input of a layer: x, or what the one before gave; base of samples. */
const double *gck_base_input(const gck_base *base, size_t layer);

#endif
