/* The inside of the rounding bar of a claim, for its own files: core/bar_claim.c (precision, room,
 * the whole), bar_claim_forward.c, bar_claim_cost.c, bar_claim_back.c. */
#ifndef GRADCHECK_CORE_BAR_CLAIM_PARTS_H
#define GRADCHECK_CORE_BAR_CLAIM_PARTS_H

#include "core/activation.h"
#include "core/bar_claim.h"

#include <math.h>

/* Units of rounding that are granted to a function's value, or a term of it, and to a product with
 * its two factors. */
#define BAR_FUNCTION 3.0
#define BAR_PRODUCT 2.0
/* Errors are likely ones: what is granted above is several times what a rounding does on average,
 * and so many times their root of squares is a bound. */
#define BAR_SURE 4.0
/* Of sums over samples: times sqrt(n) of their terms' sizes. */
#define BAR_SORTED 0.5
/* Products of at most so many multiply-adds PyTorch 1.13 adds up in bfloat16 itself. */
#define BAR_LOOPED 4096
/* Beyond, e^d is as good as infinite. */
#define BAR_FAR 700.0

typedef struct bar_precision {
    double unit;
    double sum;   /* what each addition errs by, of the sum so far */
    double alike; /* of a sum of n terms, times n */
    double least;
    size_t looped; /* products of so many multiply-adds may be plain loops in the dtype */
} bar_precision;

/* A sum in a plain loop in the dtype: what each addition errs by is u of the sum so far. */
typedef struct bar_loop {
    double sum, error;
} bar_loop;

/* (outputs, samples) each; of errors, their squares. */
typedef struct bar_layer {
    double *a;    /* of what the layer gives */
    double *z;    /* of its pre-activation; NULL without one */
    double *most; /* the largest |f'| within reach; NULL for softmax and without activation */
    double *slope_error; /* of f' as computed; likewise */
    double *jump;        /* of f', where a kink is within reach; likewise */
} bar_layer;

struct gck_bar_claim_room {
    const gck_model *model;
    double *slab;
    double *parameters, *squares;   /* absolute values; squares */
    double *unused, *error_squares; /* a gradient that nobody needs; the parameters' errors */
    double *delta, *next_delta;     /* dJ/da or dJ/dz */
    double *error, *next_error;     /* theirs, squared */
    double *jump, *next_jump;       /* theirs, by kinks */
    double *x, *size, *reach, *shifted, *slopes, *terms; /* (widest, samples) */
    size_t samples;                                      /* of the last block */
    double cost;                                         /* the bar of its part of J */
    bar_layer layer[];
};

typedef struct bar_work {
    const gck_pass *pass;
    const gck_base *base;
    gck_bar_claim_room *room;
    const gck_bar_claim_spec *spec;
    bar_precision p;
} bar_work;

/* ---- small ones ---- */

static inline double bar_square(double x)
{
    return x * x;
}
static inline void bar_loop_add(const bar_precision *p, double term, bar_loop *loop)
{
    loop->sum += term;
    loop->error += p->unit * (fabs(loop->sum) + loop->error);
}
/* Whether a layer's products, over all samples, are such loops. */
bool bar_is_looped(const bar_work *w, const gck_layer *layer);
/* Of each of n products that are added up, with sums on the way of twice the root of the products'
 * squares. */
double bar_growth(const bar_precision *p, size_t n);
void bar_absolute(size_t count, const double *from, double *to);
void bar_squared(size_t count, const double *from, double *to);
/* How many values at most are the same, of `count` that are `stride` apart; sorts them into room.
 * Errors of equal units, or samples, are all alike. */
double bar_most_alike(size_t count, size_t stride, const double *values, double *room);
void bar_swap(double **a, double **b);
const gck_activation_row *bar_row_of(const gck_layer *layer);
bool bar_is_activated(const gck_layer *layer);
bool bar_is_coupled(const gck_layer *layer);
const double *bar_input_error(const bar_work *w, size_t layer);

/* ---- steps: forward, cost, backward; layer by layer ---- */

void bar_linear_errors(const bar_work *w, size_t index);
void bar_activation_errors(const bar_work *w, size_t index);
void bar_cost_errors(const bar_work *w);
void bar_activation_back(const bar_work *w, size_t index);
void bar_jumps_back(const bar_work *w, size_t index, double *bar, bool needed);
void bar_layer_back(const bar_work *w, size_t index, bool needed);
void bar_sample_sums(const bar_work *w, size_t index, double *bar);

#endif
