/* What kind of mistake a claimed gradient looks like, and where it starts; docs/findings.md.
 *
 * Pure; any thread. A replay of the backward pass costs about a pass over the data, forward and
 * back; memory is a room like a check's grain has, and four times the gradients. */
#ifndef GRADCHECK_FINDING_H
#define GRADCHECK_FINDING_H

#include <gradcheck/check.h>
#include <gradcheck/claim.h>

/* constant, code */
#define GCK_FINDING_LIST(X)                           \
    X(DIFFERENT_FORWARD, "different_forward")         \
    X(SCALED, "scaled")                               \
    X(SIGN_FLIPPED, "sign_flipped")                   \
    X(ZERO, "zero")                                   \
    X(TRANSPOSED, "transposed")                       \
    X(ACTIVATION_DERIVATIVE, "activation_derivative") \
    X(REGULARISATION, "regularisation")               \
    X(BIAS_REDUCTION, "bias_reduction")               \
    X(WRONG_INPUT, "wrong_input")                     \
    X(WRONG_DELTA, "wrong_delta")                     \
    X(DOUBLE_SOFTMAX, "double_softmax")               \
    X(DROPOUT_MASK, "dropout_mask")                   \
    X(MISSING_SAMPLE, "missing_sample")               \
    X(MISSING_UNIT, "missing_unit")                   \
    X(ROUNDED, "rounded")                             \
    X(FINITE_DIFFERENCE, "finite_difference")         \
    X(NON_FINITE, "non_finite")                       \
    X(ELEMENTS, "elements")                           \
    X(UNEXPLAINED, "unexplained")

typedef enum gck_finding_code {
#define X(constant, code) GCK_FINDING_##constant,
    GCK_FINDING_LIST(X)
#undef X
} gck_finding_code;

const char *gck_finding_code_name(gck_finding_code code);

enum { GCK_FINDING_TEXT = 400, GCK_EVIDENCE_MAX = 8, GCK_ALSO_MAX = 16, GCK_NAME_MAX = 48 };

/* No layer: the finding is about the whole. */
#define GCK_FINDING_NO_LAYER SIZE_MAX

/* A number that says so: {"factor": 2.0}. */
typedef struct gck_evidence {
    char name[GCK_NAME_MAX];
    double number;
} gck_evidence;

/* One known mistake at one place. */
typedef struct gck_mistake {
    gck_finding_code code;
    char name[GCK_NAME_MAX]; /* of the kind within its code: "mean_missing"; docs/findings.md */
    size_t layer;
    const char *tensor; /* "W", "b"; NULL: not one tensor's alone */
} gck_mistake;

typedef struct gck_finding {
    gck_mistake mistake;
    char message[GCK_FINDING_TEXT]; /* for the person who made it */
    size_t evidence_count;
    gck_evidence evidence[GCK_EVIDENCE_MAX];
    size_t also_count; /* mistakes that cannot be told apart here */
    gck_mistake also[GCK_ALSO_MAX];
} gck_finding;

typedef struct gck_findings {
    size_t count;
    gck_finding *finding;
} gck_findings;

/* What is wrong with spec->claim, from the output backwards. report: of the same check, every
 * verdict in it from the claim. Nothing is found where no tensor fails. GCK_STOPPED as soon as
 * `stop` says so; GCK_MEMORY. Costs some dozens of backward passes over the layers concerned. */
gck_status gck_findings_new(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                            gck_findings *ret_findings, gck_error *error);
void gck_findings_done(gck_findings *findings);

/* Whether a known mistake, put into a right gradient of this model, data and tolerance, would fail
 * the check. */
typedef struct gck_sensitivity_row {
    gck_mistake mistake;
    bool caught;
} gck_sensitivity_row;

/* Every known mistake at every place where it can be made, whether or not it changes anything with
 * these data. The rows are freed by free(). Costs a replay for each mistake that a few elements do
 * not show. GCK_STOPPED, GCK_MEMORY. */
gck_status gck_sensitivity(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                           size_t *ret_count, gck_sensitivity_row **ret_row, gck_error *error);

/* Warns of those that the check would not catch, and proposes what would give it power.
 * GCK_MEMORY. */
gck_status gck_sensitivity_warn(const gck_check_spec *spec, size_t count,
                                const gck_sensitivity_row *row, gck_report *report,
                                gck_error *error);

#endif
