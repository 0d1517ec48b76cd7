/* The forward pass over a loaded block. */
#ifndef GRADCHECK_CORE_FORWARD_H
#define GRADCHECK_CORE_FORWARD_H

#include "core/pass.h"

/* z and a of every layer. */
void gck_forward(gck_pass *pass, const double *parameters);

/* The forward pass and each sample's loss, in pass->loss. */
void gck_forward_losses(gck_pass *pass, const double *parameters);

/* sum_k w_k * loss_k; a weight of 0 silences even an infinite loss. */
double gck_pass_loss_sum(const gck_pass *pass);

#endif
