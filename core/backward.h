/* The backward pass: gradients of J with respect to parameters and inputs, after gck_forward on the
 * same block. */
#ifndef GRADCHECK_CORE_BACKWARD_H
#define GRADCHECK_CORE_BACKWARD_H

#include "core/pass.h"

/* Two buffers that hand the gradient down from layer to layer. */
typedef struct gck_backward_room {
    double *delta, *next;
} gck_backward_room;

gck_status gck_backward_room_init(gck_backward_room *room, const gck_model *model, size_t samples,
                                  gck_error *error);
void gck_backward_room_done(gck_backward_room *room);
/* Doubles that one sample takes. */
size_t gck_backward_sample_values(const gck_model *model);

/* Adds factor * sum_k w_k dL_k/dθ of the block to gradient (parameter_count). Returns dJ/dx
 * (inputs, samples), which lies in the room until the next call, or NULL unless with_inputs.
 * Penalties are not in it. */
const double *gck_backward(const gck_pass *pass, gck_backward_room *room, double factor,
                           double *gradient, bool with_inputs);

/* Adds the gradient of l1 and l2. */
void gck_backward_penalty(const gck_model *model, const double *parameters, double *gradient);

#endif
