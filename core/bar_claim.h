/* The rounding bar of a claim: a bound, element by element, on what rounding can do to a gradient
 * that somebody else computed, forward pass and all, in some dtype.
 *
 * An error analysis beside a forward and a backward pass, u being the dtype's unit roundoff. Errors
 * of rounding are taken for independent: squares of e add up, and 4 e is the bound.
 *
 *   e_z^2  = W^2 (e_a^2 + g^2 a^2) + g^2 b^2 + s^2 n z^2     for sums of n terms, g = 2 u + 2 s √n
 *   e_a^2  = (max|f'| e_z)^2 + (3 u size of f)^2            over z ± d,  d = 4 e_z; e_z + 2 u |z|
 *   e_δ^2  = (spread of the cost's slope / 4)^2 + (3 u size)^2
 *   e_δz^2 = (max|f'| e_δ)^2 + ((spread of f' / 4)^2 + (3 u size of f')^2) δ^2
 *   e_δa^2 = W^2 (e_δz^2 + g^2 δz^2) + s^2 n δa^2
 *   e_W^2  = a^2 (e_δz^2 + 2 g^2 δz^2) + e_a^2 δz^2         b likewise, with 1 for a
 *
 * Sizes are those of core/rounding.h. s is what an addition errs by: u, but 2^-24 at most, since
 * products of half precision are added up in float32. Errors of units, or samples, that are the
 * same are alike, and their squares count as many times over.
 *
 *   bar of a = 4 e_a,  bar of L = sum of (|dL/da| + its spread) 4 e_a + 3 u |its terms|, of L from
 *   a's logarithms, too
 *
 * What is not random adds up by absolute values: the jump of f' on a kink, or nearer to one than
 * d, and that of mae, so that there either slope, and any between, is a right one; the sum over
 * samples by u √m / 2 of its terms' sizes, and a bias's by u of each sum on the way, for samples
 * sorted by class; and the dtype's least number for each term.
 *
 * Small products of bfloat16 may be plain loops in it, where terms of one sign are lost all to the
 * same side: u of each sum on the way, as a fourth of it in e_z and e_δa, and for W instead of
 * u √m / 2, where it is more.
 *
 * Costs five backward passes and a forward pass, and for each pre-activation two slopes by complex
 * step. One thread at a time. */
#ifndef GRADCHECK_CORE_BAR_CLAIM_H
#define GRADCHECK_CORE_BAR_CLAIM_H

#include <gradcheck/claim.h>

#include "core/base.h"

typedef struct gck_bar_claim_room gck_bar_claim_room;

gck_status gck_bar_claim_room_new(const gck_model *model, size_t rows,
                                  gck_bar_claim_room **ret_room, gck_error *error);
void gck_bar_claim_room_free(gck_bar_claim_room *room);
/* Doubles that one sample takes, and the room as such. */
size_t gck_bar_claim_sample_values(const gck_model *model);
size_t gck_bar_claim_values(const gck_model *model);

typedef struct gck_bar_claim_spec {
    gck_dtype dtype;
    size_t first, samples; /* of the block in the data; of all blocks */
    double factor;
    bool penalties, with_inputs;
} gck_bar_claim_spec;

/* Adds the block's bar to bar (parameter_count); returns that of x (inputs, samples), which lies in
 * the room until the next call, or NULL unless with_inputs. pass and base are of the same block. */
const double *gck_bar_claim(const gck_pass *pass, const gck_base *base, gck_bar_claim_room *room,
                            const gck_bar_claim_spec *spec, double *bar);

/* Of the block that gck_bar_claim was last called for: the bars of its outputs, (outputs, samples),
 * and that of its part of J. Infinite where rounding leaves nothing, or NaN. */
void gck_bar_claim_outputs(const gck_bar_claim_room *room, double *bar);
double gck_bar_claim_cost(const gck_bar_claim_room *room);

#endif
