/* A sequential network: layers, shapes, and where each tensor lies in the flat vector of
 * parameters.
 *
 * A model is constant once made and may be shared by any number of threads. Its parameters live
 * outside of it, in a vector of gck_model.parameter_count doubles: layer by layer, tensor by
 * tensor, each row-major. */
#ifndef GRADCHECK_MODEL_H
#define GRADCHECK_MODEL_H

#include <gradcheck/item.h>
#include <gradcheck/tensor.h>

#include <stdint.h>

enum { GCK_TENSORS_MAX = 2, GCK_LAYERS_MAX = 256, GCK_UNITS_MAX = 1 << 20 };

/* Elements of one sample, and parameters of a model: 2^27 doubles are 1 GiB. */
#define GCK_SAMPLE_MAX ((size_t)1 << 24)
#define GCK_PARAMETERS_MAX ((size_t)1 << 27)

extern const gck_table gck_layers;

/* A layer as asked for. */
typedef struct gck_layer_spec {
    gck_choice type;
    gck_choice activation;  /* item NULL where the type takes none */
    gck_choice initializer; /* likewise */
} gck_layer_spec;

typedef struct gck_tensor {
    const char *name; /* "W", "b" */
    gck_shape shape;  /* W is (inputs, units), b is (units) */
    size_t count;     /* elements */
    size_t offset;    /* of the first one, in the model's parameters */
} gck_tensor;

typedef struct gck_layer {
    gck_layer_spec spec;
    size_t index;
    gck_shape input, output;
    size_t inputs, outputs; /* elements of a sample of each */
    size_t tensor_count;
    gck_tensor tensor[GCK_TENSORS_MAX];
} gck_layer;

typedef struct gck_model {
    gck_shape input;
    size_t inputs, outputs; /* elements of a sample before the first and after the last layer */
    gck_choice cost;
    uint64_t seed;
    size_t parameter_count;
    size_t layer_count;
    gck_layer layer[];
} gck_model;

/* GCK_INVALID names the place (`layers[1].units`, `input_shape`, `cost`). */
gck_status gck_model_new(const gck_shape *input, const gck_layer_spec *layers, size_t layer_count,
                         const gck_choice *cost, uint64_t seed, gck_model **ret_model,
                         gck_error *error);
void gck_model_free(gck_model *model);

/* Parameters as the layers' initializers draw them from the model's seed. */
void gck_model_draw(const gck_model *model, double *parameters);

/* The name of its type. */
const char *gck_layer_name(const gck_layer *layer);

/* Estimated floating-point operations of one sample's forward pass. */
double gck_model_operations(const gck_model *model);

/* What element `element` of the parameters adds to J by itself when it is w (l1, l2); 0 for most.
 */
double gck_model_penalty_at(const gck_model *model, size_t element, double w);
/* Its derivative by complex step, and whether it has a kink at w = 0 (l1). */
double gck_model_penalty_exact(const gck_model *model, size_t element, double w);
bool gck_model_penalty_kinked(const gck_model *model, size_t element);
/* Whether any element of the layer's has a penalty. */
bool gck_layer_is_penalised(const gck_layer *layer);
/* The sum over all parameters. */
double gck_model_penalty(const gck_model *model, const double *parameters);

/* Which random numbers a dropout mask is made of. */
typedef struct gck_mask_key {
    uint64_t seed;
    uint32_t step; /* 0 in a check; in a training, 1 for its first batch, and so on */
} gck_mask_key;

/* Whether the layer multiplies by a mask while training and in a check. */
bool gck_layer_has_mask(const gck_layer *layer);
/* The mask's factors (0 or 1 / (1 - rate)) of one sample, `stride` doubles apart: mask[unit *
 * stride]. */
void gck_layer_mask(const gck_layer *layer, gck_mask_key key, uint64_t sample, double *mask,
                    size_t stride);

#endif
