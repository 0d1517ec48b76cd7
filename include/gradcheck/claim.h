/* Gradients that somebody else computed, to be judged in place of our own.
 *
 * All in the model's own form: W (inputs, units), samples as rows, the gradient of J as the model's
 * cost has it, penalties included. Whoever reads them from outside turns other conventions into
 * this one. Any thread. */
#ifndef GRADCHECK_CLAIM_H
#define GRADCHECK_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

/* In what precision they were computed, forward pass and all. */
typedef enum gck_dtype { GCK_FLOAT64, GCK_FLOAT32, GCK_FLOAT16, GCK_BFLOAT16 } gck_dtype;

const char *gck_dtype_name(gck_dtype dtype);
/* Its unit roundoff: 2^-53, 2^-24, 2^-11, 2^-8. */
double gck_dtype_roundoff(gck_dtype dtype);
/* Its smallest normal number. */
double gck_dtype_smallest(gck_dtype dtype);
/* The tolerance of a claim in it whatever the method, 1e-6, 4e-3, 3e-2; NaN for float64, where the
 * method's own default holds. */
double gck_dtype_tolerance(gck_dtype dtype);

typedef struct gck_claim {
    gck_dtype dtype;
    const double *gradient; /* model->parameter_count; NaN and infinities are values that fail */
    /* (layers, GCK_TENSORS_MAX): which tensors are claimed; the others are not judged. */
    const bool *tensor_claimed;
    const double *inputs; /* (samples, inputs) row-major; NULL: not claimed */
    bool has_cost;
    double cost;           /* J, penalties included */
    const double *outputs; /* (samples, outputs) row-major; NULL: not claimed */
    /* How it came into this form: by what its data parts were multiplied (0: by nothing), and
     * whether it was without penalties. Mistakes, and rounding, were made before that. */
    double data_factor;
    bool penalties_added;
    const double *given; /* the gradient as it was; NULL: that above */
} gck_claim;

#endif
