/* Gradient checks: the analytic gradient of every parameter against its numeric and its exact
 * derivative.
 *
 * A check is cut into grains by its spec alone; each grain is computed by any thread, in any order,
 * and folded in grain order, so that the result has the same bits however many threads worked. Life
 * of a check:
 *
 *   gck_check_new -> gck_check_grain for each grain (any thread) -> gck_check_fold in grain order
 * -> gck_check_report
 *
 * Memory: the parameters, and four vectors and a byte for each of them and, when inputs are
 * checked, of x: the gradients analytic, numeric and exact, and the bound on rounding. Beyond that
 * each thread's room, gck_check_cost.grain_bytes. */
#ifndef GRADCHECK_CHECK_H
#define GRADCHECK_CHECK_H

#include <gradcheck/claim.h>
#include <gradcheck/data.h>
#include <gradcheck/evaluate.h>
#include <gradcheck/model.h>
#include <gradcheck/verdict.h>

/* How numeric derivatives are computed; the numbers are the same but for rounding. */
typedef enum gck_engine {
    GCK_ENGINE_UNITS, /* units are probed; between kinks, segment by segment */
    GCK_ENGINE_DIRECT /* every element stencil by stencil */
} gck_engine;

typedef struct gck_check_spec {
    const gck_model *model;   /* all four outlive the check */
    const double *parameters; /* model->parameter_count */
    const gck_data *data;
    const bool *layer_checked; /* model->layer_count flags; NULL: all */
    gck_method method;
    gck_engine engine;
    double epsilon;         /* the step h; central and forward */
    size_t directions;      /* of each tensor; directional */
    double tolerance;       /* NaN: the method's own default */
    bool inputs;            /* check the gradient with respect to x, too */
    const gck_claim *claim; /* judged in place of our own gradients; NULL: none */
    size_t worst;           /* how many of the worst elements to name in each tensor */
} gck_check_spec;

enum { GCK_WORST_MAX = 100 };

/* How the work is cut. Stored with a job and never computed again. */
typedef struct gck_check_cut {
    size_t block_rows; /* samples of one row block */
    size_t block_count;
    size_t grain_operations; /* estimated multiply-adds of one grain */
    size_t grain_count;
} gck_check_cut;

typedef struct gck_check_cost {
    size_t parameters;   /* checked */
    double evaluations;  /* passes that the plain formula needs */
    double operations;   /* estimated, floating point */
    double grains;       /* at most */
    double memory_bytes; /* estimated, all but the data, with one thread at work */
    double grain_bytes;  /* estimated, of a thread's room and its grain at work */
} gck_check_cost;

/* What a check needs; saturates at infinity, never overflows. Of the spec it looks at the model,
 * the layers, inputs, method, steps, and which tensors are claimed. */
void gck_check_estimate(const gck_check_spec *spec, size_t samples, gck_check_cost *ret_cost);

typedef struct gck_check gck_check;

/* GCK_INVALID when nothing is to be checked or a value is out of bounds. */
gck_status gck_check_new(const gck_check_spec *spec, gck_check **ret_check, gck_error *error);
void gck_check_free(gck_check *check);

const gck_check_cut *gck_check_cut_of(const gck_check *check);

/* What a grain gives: a plain vector, fit to be stored. */
typedef struct gck_partial {
    size_t count;
    double *values; /* gck_vector_new */
} gck_partial;
void gck_partial_done(gck_partial *partial);

/* What a thread works in: memory, and what grains of one block share. Good for any grain of its
 * check, one at a time; fastest for consecutive ones. */
typedef struct gck_check_room gck_check_room;
gck_status gck_check_room_new(const gck_check *check, gck_check_room **ret_room, gck_error *error);
void gck_check_room_free(gck_check_room *room);

/* Computes grain index in a room, or for NULL in one of its own. Any thread; the check is not
 * changed. GCK_STOPPED as soon as `stop` says so. */
gck_status gck_check_grain(const gck_check *check, size_t index, gck_check_room *room,
                           gck_stop stop, gck_partial *ret_partial, gck_error *error);

/* Adds a partial result. Call for grain 0, 1, 2, … in order, one thread at a time. */
gck_status gck_check_fold(gck_check *check, size_t index, const gck_partial *partial,
                          gck_error *error);
size_t gck_check_folded(const gck_check *check);
/* Parameters and elements of x done so far (numeric side; of parameters, as many as their blocks
 * amount to), and their total. */
size_t gck_check_done(const gck_check *check);
size_t gck_check_total(const gck_check *check);

/* Everything folded so far as plain doubles, to be kept and put back: gck_check_state_count values.
 */
size_t gck_check_state_count(const gck_check *check);
void gck_check_state_save(const gck_check *check, double *values);
gck_status gck_check_state_load(gck_check *check, const double *values, gck_error *error);

/* Every grain folded: what came out. GCK_NON_FINITE when J itself is not finite. */
gck_status gck_check_report(const gck_check *check, gck_report **ret_report, gck_error *error);

#endif
