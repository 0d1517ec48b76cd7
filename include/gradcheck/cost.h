/* Costs: a loss for each sample, and the factor that turns their weighted sum into J.
 *
 *   J = scale / divisor * sum_k w_k * L_k + penalties,
 * where divisor is m (batch_mean), m * outputs (mean) or 1 (sum), and w_k = 1 without sample
 * weights. */
#ifndef GRADCHECK_COST_H
#define GRADCHECK_COST_H

#include <gradcheck/item.h>

extern const gck_table gck_costs;

/* What the last layer gives, (units, samples) feature-major. The cross-entropies are computed from
 * z together with the activation, which keeps them finite and exact where a is rounded to 0 or 1.
 */
typedef struct gck_outputs {
    size_t units, samples;
    const double *a;
    const double *z;              /* NULL when the last layer has no activation */
    const gck_choice *activation; /* NULL likewise */
} gck_outputs;

/* loss[k] = L_k for each sample; y is (units, samples). */
void gck_cost_losses(const gck_choice *cost, const gck_outputs *outputs, const double *y,
                     double *loss);

/* scale / divisor for a batch of that many samples. */
double gck_cost_factor(const gck_choice *cost, size_t samples, size_t outputs);

/* Whether the cost is a cross-entropy: needs outputs and y in [0, 1], and has an accuracy. */
bool gck_cost_is_entropy(const gck_choice *cost);
/* Whether integers may stand for one-hot rows of y. */
bool gck_cost_takes_labels(const gck_choice *cost);

#endif
