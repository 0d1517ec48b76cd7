/* Activations: f(z), elementwise but for softmax.
 *
 * Values are feature-major: z[unit * samples + sample]. Every function is stable for every finite
 * z. */
#ifndef GRADCHECK_ACTIVATION_H
#define GRADCHECK_ACTIVATION_H

#include <gradcheck/item.h>

extern const gck_table gck_activations;

/* a = f(z), both (units, samples). */
void gck_activation_forward(const gck_choice *activation, size_t units, size_t samples,
                            const double *z, double *a);

/* Whether every output lies in [0, 1], as the cross-entropies need. */
bool gck_activation_is_probability(const gck_choice *activation);

#endif
