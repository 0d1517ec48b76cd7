/* Distances, verdicts and the report of a check. Pure: numbers in, numbers out.
 *
 *   distance = |numeric - analytic|_2 / (|numeric|_2 + |analytic|_2), and 0 when both are 0.
 *
 * Without an exact judge a distance over the tolerance is `inconclusive`: a kink inside the stencil
 * or the formula's own truncation can do that as well as a wrong gradient. NaN fails every
 * comparison. */
#ifndef GRADCHECK_VERDICT_H
#define GRADCHECK_VERDICT_H

#include <gradcheck/tensor.h>
#include <gradcheck/status.h>

typedef enum gck_method { GCK_CENTRAL } gck_method;

/* From good to bad: the worse of two is the larger. */
typedef enum gck_verdict { GCK_PASS, GCK_INCONCLUSIVE, GCK_FAIL } gck_verdict;

const char *gck_method_name(gck_method method);
const char *gck_verdict_name(gck_verdict verdict);

/* epsilon^2 for central, but at least 1e-11. */
double gck_tolerance_default(gck_method method, double epsilon);

typedef struct gck_norms {
    double difference, numeric, analytic;
} gck_norms;

double gck_distance(const gck_norms *norms);
/* Norms of two vectors, one after the other (concatenated). */
gck_norms gck_norms_join(const gck_norms *a, const gck_norms *b);
gck_verdict gck_verdict_of(double distance, double tolerance);

typedef struct gck_element {
    size_t index; /* flat, row-major in its tensor */
    double analytic, numeric;
    double absolute_error; /* |numeric - analytic| */
    double relative_error; /* absolute_error / max(|analytic|, |numeric|); 0 when both are 0 */
    gck_verdict verdict;
} gck_element;

typedef struct gck_tensor_report {
    const char *name; /* "W"; "x" for inputs */
    gck_shape shape;
    size_t count;
    const double *analytic, *numeric; /* count elements, borrowed from the check */
    gck_norms norms;
    double distance;
    gck_verdict verdict;
    double max_absolute_error, max_relative_error;
    size_t worst_count;
    gck_element *worst; /* by absolute error, largest first; NaN before all */
} gck_tensor_report;

typedef struct gck_layer_report {
    size_t index;
    const char *type;
    gck_norms norms;
    double distance;
    gck_verdict verdict;
    size_t tensor_count;
    gck_tensor_report *tensor;
} gck_layer_report;

enum { GCK_WARNING_SIZE = 200 };

typedef struct gck_report {
    gck_method method;
    double epsilon, tolerance, cost;
    gck_norms norms;
    double distance;
    gck_verdict verdict;
    size_t parameters_checked;
    double evaluations;
    size_t layer_count; /* only checked layers with parameters */
    gck_layer_report *layer;
    bool has_inputs;
    gck_tensor_report inputs;
    size_t warning_count;
    char (*warning)[GCK_WARNING_SIZE];
} gck_report;

void gck_report_free(gck_report *report);

/* Fills a tensor's report from its two gradients: norms, distance, verdict, worst elements. name,
 * shape, count, analytic and numeric are set by the caller. */
gck_status gck_tensor_judge(gck_tensor_report *tensor, double tolerance, size_t worst,
                            gck_error *error);

#endif
