/* The operations of a layer: one row of the table of layers (layer.c), one file a type (layer_*.c).
 *
 * All are pure functions of their arguments; any thread. */
#ifndef GRADCHECK_CORE_LAYER_H
#define GRADCHECK_CORE_LAYER_H

#include <gradcheck/model.h>

/* One layer's part of a pass over a block of samples. Arrays are feature-major: (inputs, samples),
 * (outputs, samples). */
typedef struct gck_layer_pass {
    size_t samples;
    const double *parameters; /* the model's; gck_tensor.offset finds the layer's own */
    const double *x;
    double *mask; /* NULL: none, as outside of trainings and checks */
    double *z;    /* before the activation; NULL for a layer without one */
    double *a;    /* what the layer gives */
} gck_layer_pass;

/* A change or a tangent on its way through the layers, lane by lane: of one unit, or of all. */
typedef struct gck_carried {
    size_t lanes;
    size_t unit;           /* the only one that changes, or GCK_ALL_UNITS */
    double *values, *room; /* (1 or units, lanes) in values; room is as large, and may be swapped */
} gck_carried;
#define GCK_ALL_UNITS SIZE_MAX

typedef struct gck_layer_row {
    gck_item item;
    bool activated; /* has a pre-activation z */
    bool masked;
    /* From spec, index and input: fills output and tensors (names and shapes; the model fills the
     * rest). Tensors of a layer with a pre-activation are W (inputs, units) and, if there is one, b
     * (units), which act on a sample through its z alone: checks probe them so. */
    gck_status (*setup)(gck_layer *layer, gck_error *error);
    /* Initial values of its tensors, into the model's vector; NULL for none. */
    void (*draw)(const gck_layer *layer, uint64_t seed, double *parameters);
    /* Sets z from x where the row is activated (a = f(z) follows for all alike), otherwise a. */
    void (*forward)(const gck_layer *layer, const gck_layer_pass *pass);
    /* The linear part of forward on a change of x, from the layer's input to z (a where it has no
     * activation); mask is (outputs, lanes) or NULL. */
    void (*carry)(const gck_layer *layer, const double *parameters, const double *mask,
                  gck_carried *carried);
    /* Estimated floating-point operations of one sample, without the activation's. */
    double (*operations)(const gck_layer *layer);
    /* What an element of a tensor adds to J by itself; NULL for nothing. */
    double (*penalty_at)(const gck_layer *layer, size_t tensor, double w);
    /* Its derivative by complex step, and whether it has a kink at w = 0; where penalty_at is. */
    double (*penalty_exact)(const gck_layer *layer, size_t tensor, double w);
    bool (*penalty_kinked)(const gck_layer *layer, size_t tensor);
    bool (*penalised)(const gck_layer *layer); /* whether it is anything but 0 */
    /* One sample's mask, `stride` doubles apart; masked rows only. */
    void (*mask)(const gck_layer *layer, gck_mask_key key, uint64_t sample, double *mask,
                 size_t stride);
    const struct gck_layer_derivatives *derivatives;
} gck_layer_row;

extern const gck_layer_row gck_layer_dense, gck_layer_dropout, gck_layer_activation;

const gck_layer_row *gck_layer_row_of(const gck_layer *layer);

#endif
