/* Derivatives of the tables' rows: what only the backward pass may use.
 *
 * Rows point at these structs, which stay incomplete for whoever does not include this header; the
 * numeric derivative must never do so (scripts/layers.txt). All arrays are feature-major (units,
 * samples). */
#ifndef GRADCHECK_CORE_DERIVATIVES_H
#define GRADCHECK_CORE_DERIVATIVES_H

#include <gradcheck/cost.h>
#include <gradcheck/model.h>

#include "core/layer.h"

struct gck_activation_derivatives {
    /* delta is dJ/da on entry and dJ/dz on return. */
    void (*chain)(const double *option, size_t units, size_t samples, const double *z,
                  const double *a, double *delta);
};

/* dL/dz of a cross-entropy on an activation's outputs; without sample weights and factor. */
struct gck_entropy_derivatives {
    void (*categorical)(const double *option, const gck_outputs *outputs, const double *y,
                        double *delta);
    void (*binary)(const double *option, const gck_outputs *outputs, const double *y,
                   double *delta);
};

struct gck_cost_derivatives {
    /* delta = dL/da, or dL/dz where the cost is fused with the last activation; likewise
     * unweighted. */
    void (*delta)(const gck_outputs *outputs, const double *y, double *delta);
};

struct gck_layer_derivatives {
    /* From delta = dJ/dz (dJ/da for a layer without activation): adds the parameters' gradient to
     * the model's vector `gradient`, and, unless dx is NULL, sets dx = dJ/dx (inputs, samples).
     * The rounding bar runs it on absolute values of x, parameters and delta, and takes what comes
     * out for the sum of all terms' sizes: so it multiplies by nothing negative of its own. */
    void (*backward)(const gck_layer *layer, const gck_layer_pass *pass, const double *delta,
                     double *gradient, double *dx);
    /* d/dw of the row's penalty_at; NULL where the row has none. */
    double (*penalty_slope)(const gck_layer *layer, size_t tensor, double w);
};

#endif
