/* Distances, verdicts and the report of a check. Pure: numbers in, numbers out.
 *
 *   distance = |numeric - analytic|_2 / (|numeric|_2 + |analytic|_2), and 0 when both are 0;
 *   refined distance: the same with the exact derivative in place of the numeric one.
 *
 * The verdict comes from the exact derivative n: an element a is wrong unless
 *   |n - a| <= tolerance (|n| + |a|) + bar,
 * where bar bounds what rounding can do to both; a tensor fails if an element is wrong. Where the
 * exact derivative overflows, though the cost does not, there is none, and the verdict is
 * inconclusive. Comparisons are written so that NaN fails. */
#ifndef GRADCHECK_VERDICT_H
#define GRADCHECK_VERDICT_H

#include <gradcheck/probe.h>
#include <gradcheck/status.h>
#include <gradcheck/tensor.h>

/* From good to bad: the worse of two is the larger. Inconclusive is for what has no exact
 * derivative. */
typedef enum gck_verdict { GCK_PASS, GCK_INCONCLUSIVE, GCK_FAIL } gck_verdict;

const char *gck_method_name(gck_method method);
const char *gck_verdict_name(gck_verdict verdict);

/* epsilon^2 for central, epsilon for forward, but at least 1e-11, which the others have. */
double gck_tolerance_default(gck_method method, double epsilon);

typedef struct gck_norms {
    double analytic;
    double numeric, difference; /* of numeric - analytic */
    double exact, refined;      /* of exact - analytic */
    double bar;
} gck_norms;

double gck_distance(const gck_norms *norms);
double gck_refined_distance(const gck_norms *norms);
/* |bar| / (|exact| + |analytic|); 0 when all are 0. */
double gck_error_bar(const gck_norms *norms);
/* Norms of two vectors, one after the other (concatenated). */
gck_norms gck_norms_join(const gck_norms *a, const gck_norms *b);

/* Fails unless |exact - analytic| is within tolerance (|exact| + |analytic|) + bar, and the
 * smallest normal number; inconclusive where the exact derivative or its bar overflows, and so is
 * none. An analytic one that is not finite fails. */
gck_verdict gck_element_verdict(double exact, double analytic, double bar, double tolerance);

typedef struct gck_element {
    size_t index; /* flat, row-major in its tensor */
    double analytic, numeric, exact;
    double absolute_error; /* |exact - analytic| */
    double relative_error; /* absolute_error / max(|analytic|, |exact|); 0 when both are 0 */
    gck_verdict verdict;
} gck_element;

typedef struct gck_tensor_report {
    const char *name; /* "W"; "x" for inputs */
    gck_shape shape;
    size_t count;
    /* count elements each, borrowed from the check; crossed (may be NULL) marks those whose stencil
     * crosses a kink. A directional check has the analytic ones alone. */
    const double *analytic, *numeric, *exact, *bar;
    const unsigned char *crossed;
    gck_norms norms; /* directional: all but the analytic one are estimates */
    double distance, refined_distance, error_bar;
    gck_verdict verdict;
    double max_absolute_error, max_relative_error; /* directional: NaN */
    size_t kinks;                                  /* elements that are crossed */
    size_t wrong_elements;                         /* directional: directions */
    double detection; /* directional: see gck_directional; otherwise NaN */
    size_t worst_count;
    gck_element *worst; /* wrong ones first, then by absolute error, largest first */
} gck_tensor_report;

typedef struct gck_layer_report {
    size_t index;
    const char *type;
    gck_norms norms;
    double distance, refined_distance;
    gck_verdict verdict;
    size_t tensor_count;
    gck_tensor_report *tensor;
} gck_layer_report;

enum { GCK_WARNING_SIZE = 400 };

typedef struct gck_report {
    gck_method method;
    double epsilon; /* NaN where the method has none */
    double tolerance, cost;
    gck_norms norms;
    double distance, refined_distance;
    double detection; /* directional: the worst of its tensors; otherwise NaN */
    gck_verdict verdict;
    size_t parameters_checked;
    double evaluations;                     /* passes that the plain formula needs */
    size_t kink_parameters, kink_crossings; /* parameters, and pairs of parameter and sample */
    size_t layer_count;                     /* only checked layers with parameters */
    gck_layer_report *layer;
    bool has_inputs;
    gck_tensor_report inputs;
    /* Of a claim, what its own forward pass is compared with: outputs (samples, outputs) row-major,
     * borrowed from the check, and what rounding can do to them and to the cost; else NULL, NaN. */
    const double *outputs, *outputs_bar;
    double cost_bar;
    size_t warning_count, warning_capacity;
    char (*warning)[GCK_WARNING_SIZE];
} gck_report;

void gck_report_free(gck_report *report);

/* Appends a warning; GCK_MEMORY. */
gck_status gck_report_warn(gck_report *report, gck_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills a tensor's report from its gradients: norms, distances, verdict, worst elements. name,
 * shape, count and the vectors are set by the caller. */
gck_status gck_tensor_judge(gck_tensor_report *tensor, double tolerance, size_t worst,
                            gck_error *error);

#endif
