/* The numeric side of a check over one block of samples: derivatives of the plain formula, exact
 * ones by complex step, and the kinks in between. It sees forward functions alone.
 *
 * numeric.c keeps the room and the point, units.c probes units, segments.c evaluates between kinks,
 * direct.c stencil by stencil, inputs.c does x, directions.c whole tensors. One thread at a time;
 * all memory is taken by gck_numeric_new, nothing afterwards. */
#ifndef GRADCHECK_CORE_NUMERIC_H
#define GRADCHECK_CORE_NUMERIC_H

#include <gradcheck/evaluate.h>
#include <gradcheck/probe.h>

#include "core/fit.h"
#include "core/kinks.h"
#include "core/tail.h"

typedef struct gck_numeric_spec {
    const gck_model *model;
    const double *parameters;
    gck_method method; /* central, forward, complex_step or ridders */
    double epsilon;    /* central and forward */
    double factor;     /* J = factor * sum_k w_k L_k + penalties */
    bool direct;       /* every element stencil by stencil */
    size_t rows;       /* samples of a block, at most */
    size_t units;      /* of a call, at most */
} gck_numeric_spec;

/* What a call gives, (inputs and, for a bias, 1; units): W and below it b. */
typedef struct gck_numeric_result {
    double *numeric, *exact;
    double *crossed;         /* samples whose stencil crosses a kink; NULL: not counted */
    gck_crossings crossings; /* added to */
} gck_numeric_result;

typedef struct gck_numeric {
    gck_numeric_spec spec;
    size_t rows;                /* of the block */
    gck_base *samples, *copies; /* the block; lanes of copies */
    gck_tail tail;
    /* What the copies hold: `tile` samples from `first` on, as many times as there is room for; or
     * one sample alone (tile 1); for probes of `layer`. */
    size_t first, tile, copy_count, copies_layer;
    double *mark, *row; /* (lanes of copies, or of samples); row is 0 but while it is used */
    /* Of the layer at work. */
    size_t layer, inputs; /* with the bias */
    gck_fit fit;
    double *x;              /* (inputs, lanes of samples), the bias's row all 1 */
    double *range;          /* (lanes of samples): the largest |s| of any stencil */
    double *powers;         /* (inputs, terms, lanes of samples): (epsilon x / range)^p */
    double *coefficients;   /* (units, terms, lanes of samples) */
    double *tangents;       /* (units, lanes of samples): dL/dz */
    unsigned char *flagged; /* (units, lanes of samples): to be evaluated directly */
    /* Both points of each stencil of one unit in one sample: (2, inputs). */
    double *point_step, *point_change;
    size_t *point_order;
    unsigned char *point_crossed;
} gck_numeric;

gck_status gck_numeric_new(const gck_numeric_spec *spec, gck_numeric **ret_numeric,
                           gck_error *error);
void gck_numeric_free(gck_numeric *numeric);
/* Bytes of it, and of the vectors of a call's result. */
double gck_numeric_bytes(const gck_model *model, size_t rows, size_t units);

/* The block at work, from a pass after gck_forward. */
void gck_numeric_load(gck_numeric *numeric, const gck_pass *pass);

/* All elements of the weights into units first … first + count - 1 of a layer: this block's part,
 * and the penalties with `penalties`. GCK_STOPPED when `stop` says so. */
gck_status gck_numeric_units(gck_numeric *numeric, size_t layer, size_t first, size_t count,
                             bool penalties, gck_stop stop, gck_numeric_result *result,
                             gck_error *error);

/* The block's x, inputs first … first + count - 1: results are (count, rows of the block). */
gck_status gck_numeric_inputs(gck_numeric *numeric, size_t first, size_t count, gck_stop stop,
                              gck_numeric_result *result, gck_error *error);

/* The exact derivative along direction `direction` of one of a layer's tensors: this block's part,
 * and the penalties' with `penalties`. v is room for the tensor. */
double gck_numeric_direction(gck_numeric *numeric, size_t layer, size_t tensor, size_t direction,
                             bool penalties, double *v);

/* Stream of a tensor's directions, whose seed is the model's. */
uint32_t gck_numeric_stream(size_t layer, size_t tensor);

/* ---- between the files of the numeric side ---- */

/* The two points of a stencil beside θ, as doubles have them, and how far they are apart. */
typedef struct numeric_step {
    double upper, lower; /* lower is θ itself for `forward` */
    double length;
} numeric_step;
numeric_step numeric_step_at(const gck_numeric *numeric, double theta);

/* Makes `layer` the one at work. */
void numeric_layer(gck_numeric *numeric, size_t layer);
/* Lanes of copies for disturbances of a layer: samples first … first + tile - 1, then again … */
void numeric_copies(gck_numeric *numeric, size_t layer, size_t first, size_t tile, size_t count);
/* How many samples go into the lanes of `copies` copies. */
size_t numeric_tile(const gck_numeric *numeric, size_t copies);
bool numeric_stops(gck_stop stop);
/* Terms of the layer's fits: odd powers, and for `forward` even ones. */
size_t numeric_terms(const gck_numeric *numeric);
/* Whether the method is a difference quotient of one step, central or forward. */
bool numeric_is_quotient(const gck_numeric *numeric);
/* The element's place in the model's parameters; the last input may be the bias. */
size_t numeric_element(const gck_numeric *numeric, size_t input, size_t unit);

/* Units of the layer at work, as a call has them. */
typedef struct numeric_units {
    size_t first, count;
    bool penalties;
    gck_stop stop;
    gck_numeric_result *result;
} numeric_units;

/* Adds the flagged pairs, which the probes left out, by segments between their kinks. */
gck_status numeric_flagged(gck_numeric *numeric, const numeric_units *units, gck_error *error);
/* Element by element, as the method has it: all, or only those that ε is too small for to be taken
 * as it is. */
gck_status numeric_direct(gck_numeric *numeric, const numeric_units *units, bool coarse_alone,
                          gck_error *error);

#endif
