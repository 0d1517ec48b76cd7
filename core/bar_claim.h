/* The rounding bar of a claim: a bound, element by element, on what rounding can do to a gradient
 * that somebody else computed, forward pass and all, in some dtype.
 *
 * A running error analysis beside a forward and a backward pass, u being the dtype's unit roundoff:
 *
 *   e_z  = |W| (e_a + g |a|) + g |b|                        g = u (3 + sqrt(n) / 4) + v n / 4
 *   e_a  = max|f'| d + 4 u size of f,  d = e_z + 2 u |z|    over [z - d, z + d]
 *   e_δ  = spread of the cost's slope within e + 4 u size   at the last layer
 *   e_δz = max|f'| e_δ + (spread of f' + 4 u size of f') |δ|
 *   e_δa = |W| (e_δz + g |δz|)
 *   bar  = |a| (e_δz + g |δz|) + e_a (|δz| + e_δz)
 *
 * for sums of n terms, which are added up in float32 at least (v = min(u, 2^-24)); sizes are those
 * of core/rounding.h. Each step adds the dtype's least number times its terms, for underflow. On a
 * kink, or nearer than d to one, the spread of f' is its jump, so that either slope, and any
 * between, is a right one.
 *
 * Costs three backward passes and a forward pass, and for each pre-activation two slopes by complex
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

#endif
