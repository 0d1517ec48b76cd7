/* Forward functions in difference form: how a loss changes when a pre-activation does.
 *
 * J(θ + h) - J(θ - h) from two values of J loses most digits; a change that is carried through the
 * network as such loses none. Everything here is forward: changes of finite size, no derivative.
 *
 * A lane is one disturbed copy of one sample. Arrays are feature-major (units, lanes). What a
 * function needs beside z is prepared once for a block of samples. */
#ifndef GRADCHECK_CORE_CHANGE_H
#define GRADCHECK_CORE_CHANGE_H

#include <gradcheck/cost.h>

#include "core/activation_names.h"

enum { GCK_CHANGE_AUX = 3, GCK_KINKS_MAX = 2 };

struct gck_activation_change {
    size_t aux_count; /* arrays like z that `prepare` fills */
    void (*prepare)(const double *option, size_t units, size_t samples, const double *z,
                    const double *a, double *const aux[]);
    /* change: of z on entry, of a on return. */
    void (*apply)(const double *option, size_t units, size_t lanes, const double *z,
                  const double *const aux[], double *change);
    bool coupled; /* a change of one unit changes all of its sample */
    /* Places in z where the function has another formula on either side; returns how many. NULL:
     * none. */
    size_t (*kinks)(const double *option, double place[GCK_KINKS_MAX]);
};

/* The last layer's outputs and targets, lane by lane. */
typedef struct gck_cost_base {
    size_t units, lanes;
    const double *option; /* the last activation's; NULL without one */
    const double *value;  /* a; z where the cost is fused with the activation */
    const double *y;
    const double *aux[GCK_CHANGE_AUX];
} gck_cost_base;

struct gck_cost_change {
    size_t aux_count;
    void (*prepare)(const gck_outputs *outputs, const double *y, double *const aux[]);
    /* loss[lane] = the change of L from the change of value, which is scratch afterwards. */
    void (*apply)(const gck_cost_base *base, double *change, double *loss);
    bool kinked; /* at aux[0] + change = 0 */
};

/* Cross-entropies of an activation's outputs. */
struct gck_entropy_change {
    struct gck_cost_change categorical, binary;
};

#define X(NAME) extern const struct gck_activation_change gck_change_##NAME;
GCK_ACTIVATION_NAMES(X)
#undef X
extern const struct gck_entropy_change gck_entropy_change_sigmoid, gck_entropy_change_softmax,
    gck_entropy_change_gaussian;
extern const struct gck_cost_change gck_cost_change_mse, gck_cost_change_mae, gck_cost_change_dot;

#endif
