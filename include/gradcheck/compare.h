/* Two sets of gradients by name, without a model: a verdict for each tensor, and what kind of
 * mistake a wrong one looks like, as far as that shows without one.
 *
 *   An element a is wrong unless |n - a| <= tolerance (|n| + |a|) + 8 u (|n| + |a|)
 *
 * with n of the reference and u the roundoff of the claim's dtype. Pure; any thread; some passes
 * over the numbers, 1 to 5 ns an element each, and a vector as long as the longest tensor. */
#ifndef GRADCHECK_COMPARE_H
#define GRADCHECK_COMPARE_H

#include <gradcheck/finding.h>

typedef struct gck_compared {
    const char *name;
    gck_shape shape;
    size_t count; /* elements */
    const double *claimed, *reference;
    const double *parameters; /* what they are gradients of, or NULL */
} gck_compared;

typedef struct gck_compare_spec {
    size_t count;
    const gck_compared *tensor; /* outlives the comparison, with its names */
    gck_dtype dtype;            /* of the claim */
    double tolerance;           /* NaN: 1e-8, or the dtype's */
    size_t worst;               /* elements to name of each tensor */
} gck_compare_spec;

typedef struct gck_comparison {
    double tolerance, distance;
    gck_verdict verdict;
    size_t count;
    gck_tensor_report *tensor; /* analytic: claimed; numeric and exact: the reference */
    gck_findings findings;     /* of tensors that fail, in order, without a layer; at most
                                  GCK_COMPARE_FINDINGS */
} gck_comparison;

enum { GCK_COMPARE_FINDINGS = 256 };

/* GCK_MEMORY. */
gck_status gck_comparison_new(const gck_compare_spec *spec, gck_comparison **ret_comparison,
                              gck_error *error);
void gck_comparison_free(gck_comparison *comparison);

#endif
