/* Whether claimed gradients are those of a function that only its owner can evaluate.
 *
 * A session plans points and judges; somebody else evaluates f there:
 *
 *   gck_session_new(&spec, &session, &error);
 *   while ((points = gck_session_asked(session)) > 0) {
 *       for each point: a copy of theta, with gck_session_move's values put in, f of it
 *       gck_session_take(session, value, points, &error);
 *   }
 *   gck_session_result_new(session, &result, &error);
 *
 * First f's noise is measured: its value at theta, several times, and at points a little away,
 * whose differences of higher order hold nothing but noise (Moré, Wild, "Estimating computational
 * noise", SIAM J. Sci. Comput. 33(3), 2011). Then derivatives along lines through theta, by
 * Ridders' method with its error estimate (gradcheck/probe.h): along each element of a small
 * tensor, along random directions of a large one. Every point is one that the dtype of f has: what
 * lies on a line is rounded to it, and what that moves is reckoned with. Inside a tensor that is
 * wrong, lines through parts of it lead to the elements.
 *
 * With n of a line, a the claim's product with it, N the bound of what noise does to n, N + R the
 * error estimate and bar what rounding in the dtype may do to a, the line is wrong unless a is
 * within
 *
 *   tolerance (|n| + |a|) + N + 2 R + bar
 *
 * of n, or of some slope between the left and the right one where f has a kink at theta. A tensor
 * fails when two lines along the same direction, with other steps, say so; one alone never
 * condemns. A tensor that shows nothing wrong passes if an error of GCK_SESSION_RESOLUTION of its
 * size (or of what each line is granted anyway, where that is more) would have been seen, and is
 * inconclusive otherwise. docs/probing.md tells it all, with reasons.
 *
 * What a session asks depends on its spec and the values so far, and on nothing else: who keeps
 * them can have the same session again. One thread at a time. Memory: twice the largest
 * tensor, and less than a KiB for each line. */
#ifndef GRADCHECK_SESSION_H
#define GRADCHECK_SESSION_H

#include <gradcheck/finding.h>

enum {
    GCK_SESSION_BUDGET = 1000, /* default */
    GCK_SESSION_BUDGET_MAX = 1000000,
    GCK_SESSION_ROUND = 256, /* points asked for at once, at most */
    GCK_SESSION_TENSORS_MAX = 4096
};

/* Numbers that the points of a round hold, at most, with each tensor that is moved counted whole;
 * but any line may ask for its own, and the noise of one tensor, too. */
#define GCK_SESSION_NUMBERS ((size_t)1 << 21)

/* Relative errors above are to be seen, or the check shows too little to pass. */
#define GCK_SESSION_RESOLUTION 0.05

typedef struct gck_session_tensor {
    const char *name;
    gck_shape shape;
    const double *theta;   /* row-major; numbers that the dtype has */
    const double *claimed; /* df/dtheta; NULL: not checked */
} gck_session_tensor;

/* All that is pointed at is borrowed, and outlives the session. */
typedef struct gck_session_spec {
    size_t tensor_count;
    const gck_session_tensor *tensor;
    gck_dtype dtype;  /* that f computes in */
    double value;     /* f(theta) as claimed; NaN: not claimed */
    double tolerance; /* NaN: gck_session_tolerance */
    size_t budget;    /* evaluations, at most; 0: GCK_SESSION_BUDGET */
    size_t worst;     /* elements to name of each tensor */
    uint64_t seed;    /* of directions */
} gck_session_spec;

/* 1e-6, 1e-3, 3e-2, 1e-1 for float64, float32, float16, bfloat16. */
double gck_session_tolerance(gck_dtype dtype);

/* Whether a number is one of the dtype's, which elements of theta must be. */
bool gck_session_has(gck_dtype dtype, double number);

typedef struct gck_session gck_session;

/* GCK_INVALID names `tensor[i].theta` (not finite, or no number of the dtype), `tensor[i].shape`,
 * `tensor` (none, none claimed, two of one name), `tolerance` or `budget`. */
gck_status gck_session_new(const gck_session_spec *spec, gck_session **ret_session,
                           gck_error *error);
void gck_session_free(gck_session *session);

/* ---- rounds ---- */

/* Values that the session waits for; 0: it has ended. */
size_t gck_session_asked(const gck_session *session);
/* From 1; a session that has ended stays at its last one. */
size_t gck_session_round(const gck_session *session);
size_t gck_session_evaluations(const gck_session *session); /* taken so far */

/* Elements first, …, first + count - 1 of a tensor, which at a point are not theta's. */
typedef struct gck_move {
    size_t tensor, first, count;
} gck_move;

/* Moves of a point (0 for theta itself); at most one a tensor. */
size_t gck_session_moves(const gck_session *session, size_t point);
/* to: NULL, or room for the largest tensor, of which the first `count` are written. */
gck_move gck_session_move(gck_session *session, size_t point, size_t move, double *to);

/* f at the points asked for, in order; what is not finite is taken for outside f's domain. Asks
 * again. GCK_NON_FINITE when f is not finite at theta: then the session has ended. */
gck_status gck_session_take(gck_session *session, const double *value, size_t count,
                            gck_error *error);

/* ---- the result ---- */

typedef struct gck_session_judged {
    /* numeric and exact: by lines; norms of a tensor that is not whole are estimates, and so is its
     * detection. wrong_elements: elements, or where `whole` is false lines. */
    gck_tensor_report of;
    bool claimed;
    bool whole; /* each element by a line of its own */
    bool still; /* f is the same wherever it was asked */
    size_t lines, evaluations;
} gck_session_judged;

typedef struct gck_session_result {
    gck_verdict verdict;
    double value, noise; /* f(theta); the bound of what one value of f errs by */
    bool repeats;        /* f(theta) was the same each time */
    double tolerance, distance, detection;
    size_t evaluations, rounds, budget;
    size_t parameters; /* claimed elements */
    bool exhausted;    /* the budget was too small for all lines */
    size_t tensor_count;
    gck_session_judged *tensor;
    gck_findings findings; /* of tensors that fail, in order, without a layer */
    size_t warning_count, warning_capacity;
    char (*warning)[GCK_WARNING_SIZE];
} gck_session_result;

/* Once nothing is asked any more. */
gck_status gck_session_result_new(gck_session *session, gck_session_result **ret_result,
                                  gck_error *error);
void gck_session_result_free(gck_session_result *result);

/* ---- all of it, where f can be called ---- */

/* f at theta (tensors of the spec), which is only lent. */
typedef double gck_function(void *context, const double *const *theta);

/* A whole session, in one call: for unit tests of a gradient in C. gck_kernels_start first. The
 * result names what spec names, and points at what it points at. */
gck_status gck_probe_check(const gck_session_spec *spec, gck_function *f, void *context,
                           gck_session_result **ret_result, gck_error *error);

#endif
