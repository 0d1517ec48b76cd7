/* The workspace of a pass: a block of samples and what each layer makes of them.
 *
 * One thread at a time. Memory is one slab, taken once; nothing is allocated while passes run. */
#ifndef GRADCHECK_CORE_PASS_H
#define GRADCHECK_CORE_PASS_H

#include <gradcheck/cost.h>
#include <gradcheck/data.h>
#include <gradcheck/model.h>

#include "core/layer.h"

/* An estimated 100 ms on one core, the most that a unit of a training should take. */
#define GCK_GRAIN_OPERATIONS 4e8

typedef struct gck_pass {
    const gck_model *model;
    size_t capacity, samples;
    double *slab;
    /* Feature-major: (inputs, samples), (outputs, samples); (samples). */
    double *x, *y, *weights, *loss;
    bool masked; /* whether dropout applies */
    gck_layer_pass layer[];
} gck_pass;

/* Room for blocks of up to `capacity` samples. With masked, masks are kept and must be drawn after
 * each load. */
gck_status gck_pass_new(const gck_model *model, size_t capacity, bool masked, gck_pass **ret_pass,
                        gck_error *error);
void gck_pass_free(gck_pass *pass);

/* Doubles that one sample takes. */
size_t gck_pass_sample_values(const gck_model *model, bool masked);

/* Samples of a row block, cut by the model alone: `passes` passes over one block stay below
 * GCK_GRAIN_OPERATIONS, and its memory below 32 MiB, where one sample alone does not exceed them.
 */
size_t gck_pass_block_rows(const gck_model *model, size_t samples, double passes);

/* Where the block's samples stand in the data: rows first, first + 1, …, or those that order names.
 */
typedef struct gck_rows {
    size_t first, count;
    const size_t *order; /* NULL: 0, 1, 2, … */
} gck_rows;

void gck_pass_load(gck_pass *pass, const gck_data *data, gck_rows rows);
/* x alone, row-major (count, inputs); for predictions. */
void gck_pass_load_x(gck_pass *pass, const double *x, size_t count);
/* Draws the masks of the samples loaded; each sample's mask depends on its row in the data alone.
 */
void gck_pass_draw_masks(gck_pass *pass, gck_mask_key key, gck_rows rows);

/* What the last layer gave. */
gck_outputs gck_pass_outputs(const gck_pass *pass);

#endif
