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

typedef struct gck_layer_row {
    gck_item item;
    bool activated; /* has a pre-activation z */
    bool masked;
    /* From spec, index and input: fills output and tensors (names and shapes; the model fills the
     * rest). */
    gck_status (*setup)(gck_layer *layer, gck_error *error);
    /* Initial values of its tensors, into the model's vector; NULL for none. */
    void (*draw)(const gck_layer *layer, uint64_t seed, double *parameters);
    /* Sets z from x where the row is activated (a = f(z) follows for all alike), otherwise a. */
    void (*forward)(const gck_layer *layer, const gck_layer_pass *pass);
    /* Estimated floating-point operations of one sample, without the activation's. */
    double (*operations)(const gck_layer *layer);
    /* What an element of a tensor adds to J by itself; NULL for nothing. */
    double (*penalty_at)(const gck_layer *layer, size_t tensor, double w);
    /* One sample's mask, `stride` doubles apart; masked rows only. */
    void (*mask)(const gck_layer *layer, gck_mask_key key, uint64_t sample, double *mask,
                 size_t stride);
    const struct gck_layer_derivatives *derivatives;
} gck_layer_row;

extern const gck_layer_row gck_layer_dense, gck_layer_dropout, gck_layer_activation;

const gck_layer_row *gck_layer_row_of(const gck_layer *layer);

#endif
