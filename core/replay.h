/* The backward pass once more, with known mistakes put in.
 *
 * A replay holds a block of samples with its forward pass and the world's backward pass: the right
 * one, or, after gck_replay_accept, the one with the mistakes that were found so far. A mutant is
 * one more mistake; only what lies below it is computed again. Data are worked through in blocks of
 * rows; where all fit into one block it is loaded once.
 *
 * One thread at a time. Memory: a pass, two vectors of deltas a layer, and some room, for one block
 * (some 64 MiB at most, where one sample alone does not exceed them). */
#ifndef GRADCHECK_CORE_REPLAY_H
#define GRADCHECK_CORE_REPLAY_H

#include <gradcheck/check.h>

#include "core/pass.h"

typedef struct gck_mistake_kind gck_mistake_kind;
typedef struct gck_scale gck_scale;

enum { GCK_SCALES_MAX = 2 };

/* A known mistake at one place of the model, or a right step, and by which factor it is scaled. */
typedef struct gck_mutant {
    const gck_mistake_kind *kind;
    size_t layer; /* where it is made */
    size_t which; /* the unit, sample, activation, cost or layer; as the kind has it */
    double factor;
    const gck_scale *scale[GCK_SCALES_MAX]; /* what the factor is; NULL: not scaled */
} gck_mutant;

/* dJ/da as it arrives from above, dJ/dz; (outputs, samples), one and the same without an
 * activation. Where cost and last activation are fused, da is what the chain rule taken step by
 * step would have, which need not be finite. */
typedef struct gck_replay_layer {
    double *da, *dz;
} gck_replay_layer;

enum { GCK_WORLD_MAX = 64 };

typedef struct gck_replay {
    const gck_model *model;
    const double *parameters;
    const gck_data *data;
    double factor; /* gck_cost_factor */
    size_t rows;   /* of a block */
    size_t first;  /* row of the block that is loaded; SIZE_MAX: none */
    gck_pass *pass;
    size_t world_count;
    gck_mutant world[GCK_WORLD_MAX];
    double *slab;
    double *room[3]; /* (widest, rows) each */
    gck_replay_layer layer[];
} gck_replay;

gck_status gck_replay_new(const gck_check_spec *spec, gck_replay **ret_replay, gck_error *error);
void gck_replay_free(gck_replay *replay);

/* Makes a mutant part of the world; false when that is full. */
bool gck_replay_accept(gck_replay *replay, const gck_mutant *mutant);

size_t gck_replay_blocks(const gck_replay *replay);
/* Forward pass and world of block `index`. */
void gck_replay_load(gck_replay *replay, size_t index);

/* ---- levels: where on the way down a delta is. Level l + 1 is dJ/dz of layer l, level 0 dJ/dx.
 * ---- */

/* The lowest level whose tensors a mutant's delta is wrong for. */
size_t gck_mutant_level(const gck_mutant *mutant);

/* Called on the way down with dJ/dz of a layer, or, at level 0, dJ/dx (inputs, samples). */
typedef void gck_replay_visit(void *context, size_t level, const double *delta);

/* Walks the loaded block from the mutant down to level `last`; for NULL the world's own deltas,
 * from level `first` on. */
void gck_replay_walk(const gck_replay *replay, const gck_mutant *mutant, size_t last,
                     gck_replay_visit *visit, void *context);
void gck_replay_walk_world(const gck_replay *replay, size_t first, size_t last,
                           gck_replay_visit *visit, void *context);

/* ---- gradients, without penalties ---- */

/* GCK_STOPPED once stop says so; asked between blocks and mutants. */
gck_status gck_replay_stop(gck_stop stop, gck_error *error);

/* What a mutant makes of every tensor at its level and below: added to gradient (parameter_count)
 * and x (samples, inputs; NULL: not wanted), of which these parts are set to 0 first. NULL: the
 * world's, of every tensor. GCK_STOPPED. */
gck_status gck_replay_gradient(gck_replay *replay, const gck_mutant *mutant, gck_stop stop,
                               double *gradient, double *x, gck_error *error);

/* The data part of one tensor alone under a mutant of stage WEIGHTS or BIAS. */
gck_status gck_replay_tensor(gck_replay *replay, const gck_mutant *mutant, gck_stop stop,
                             double *values, gck_error *error);

/* x and delta of the loaded block, from which such a mutant makes its tensor: the product of both,
 * or the sums of delta over samples. They lie in the room or in the pass. */
void gck_replay_factors(gck_replay *replay, const gck_mutant *mutant, const double **ret_x,
                        const double **ret_delta);

/* ---- steps, for mistakes to be made of ---- */

/* Whether a layer is dense: has W (inputs, units), and b (units) where it is biased. */
bool gck_replay_is_dense(const gck_layer *layer);

/* dJ/da of a cost on the last layer's outputs, weighted or not; (outputs, samples). */
void gck_replay_cost_slope(const gck_replay *replay, const gck_choice *cost, bool weighted,
                           double *da);
/* dJ/dz of the model's cost likewise, the activation's derivative included. */
void gck_replay_cost_delta(const gck_replay *replay, bool weighted, double *dz);
/* The activation's derivative, in place. */
void gck_replay_chain(const gck_replay *replay, size_t layer, double *delta);
/* dJ/da of the layer below: W delta, mask * delta, or delta. */
void gck_replay_down(const gck_replay *replay, size_t layer, const double *delta, double *below);

/* Layer's own W; what it multiplies z by z; elements of a block of its deltas. */
const double *gck_replay_weights(const gck_replay *replay, size_t layer);
size_t gck_replay_count(const gck_replay *replay, size_t layer);

#endif
