/* Optimizers: one step on a flat vector of parameters. */
#ifndef GRADCHECK_OPTIMIZER_H
#define GRADCHECK_OPTIMIZER_H

#include <gradcheck/item.h>

#include <stdint.h>

extern const gck_table gck_optimizers;

/* How many vectors as long as the parameters the optimizer keeps between steps (0 to 2); they start
 * at 0. */
size_t gck_optimizer_slots(const gck_choice *optimizer);

/* Step number step (the first is 1): changes parameters by their gradient. state holds slots *
 * count doubles. */
void gck_optimizer_step(const gck_choice *optimizer, uint64_t step, size_t count,
                        const double *gradient, double *state, double *parameters);

#endif
