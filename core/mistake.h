/* The catalogue of known mistakes: a row a kind, and a row a factor that results are off by.
 *
 * A kind says at which step of the backward pass it is made, where a model can have it, how it is
 * put in, and the sentence for the person who made it; docs/findings.md lists all. Rows stand in
 * the order of their likelihood: of kinds that cannot be told apart the first one is named.
 * Constant; any thread. */
#ifndef GRADCHECK_CORE_MISTAKE_H
#define GRADCHECK_CORE_MISTAKE_H

#include <gradcheck/finding.h>

#include "core/replay.h"

/* Where in a layer's backward step. The first three change a delta, and with it all that lies
 * below; the others one tensor alone. */
typedef enum gck_stage {
    GCK_STAGE_ACTIVATION, /* dJ/dz from dJ/da */
    GCK_STAGE_DELTA,      /* dJ/dz, when it is made */
    GCK_STAGE_DOWN,       /* dJ/da of the layer below from dJ/dz */
    GCK_STAGE_WEIGHTS,    /* dW from x and dJ/dz */
    GCK_STAGE_BIAS,       /* db from dJ/dz */
    GCK_STAGE_FINISHED    /* a tensor from its right data part and penalty */
} gck_stage;

bool gck_stage_is_delta(gck_stage stage);

/* A place to make a mistake at. */
typedef struct gck_place {
    const gck_model *model;
    const double *parameters;
    const gck_data *data;
    size_t layer;
    const char *tensor; /* "W", "b", "x"; NULL: a delta */
    size_t which;
    bool excluded; /* the claimant's gradients are to be without penalties */
} gck_place;

static inline const gck_layer *gck_place_layer(const gck_place *place)
{
    return &place->model->layer[place->layer];
}

/* A tensor whose right gradient is known. Mistakes are made in the claimant's own convention:
 * `factor` is what brings data parts from it into the model's form, `share` how much of the penalty
 * a whole gradient of theirs has in it once it is so multiplied. */
typedef struct gck_finished {
    gck_place place;
    const gck_tensor *tensor;
    const double *data;       /* its right gradient without penalty, */
    const double *penalty;    /* the penalty's, */
    const double *parameters; /* and its values: parts of vectors of the whole model */
    double factor;            /* 1 where the claim is in the model's form */
    double share;             /* the factor; 0 where their gradients have no penalties */
} gck_finished;

struct gck_mistake_kind {
    gck_finding_code code;
    const char *name;
    const char *text; /* see gck_mutant_say */
    gck_stage stage;
    const char *tensor;     /* "W", "b": of WEIGHTS, BIAS and FINISHED; NULL there: either */
    bool plain;             /* no mistake by itself: only scaled */
    const gck_table *table; /* of what `which` is a row; NULL: a plain number */
    /* `which` takes the values below this; NULL: 0 alone. GCK_SEARCHED: those that a search in the
     * claim finds. */
    size_t (*variants)(const gck_place *place);
    /* Whether the mistake can be made there, and is one whatever the numbers; NULL: always. */
    bool (*applies)(const gck_place *place);
    /* ACTIVATION: from dJ/da to dJ/dz. DELTA: from dJ/dz to a wrong one. DOWN: from dJ/dz to dJ/da
     * below. WEIGHTS and BIAS: from dJ/dz to that which the tensor is made of. NULL: the same. */
    void (*make)(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                 double *to);
    /* WEIGHTS: what stands in place of x (inputs, samples); NULL: x. */
    const double *(*input)(const gck_replay *replay, const gck_mutant *mutant);
    /* FINISHED: the value is the whole gradient, not its data part alone. */
    bool whole;
    /* FINISHED: made in layer `which` as well, where it is about this one. */
    bool mutual;
    /* FINISHED: an element's data part, or all of it, and its penalty; NULL: what is right. */
    double (*value)(const gck_finished *finished, size_t element);
    double (*penalty)(const gck_finished *finished, size_t element);
};

#define GCK_SEARCHED SIZE_MAX

/* A factor that gradients are off by. */
struct gck_scale {
    gck_finding_code code;
    const char *name;
    gck_finding_code bias_code; /* of db; with bias_name NULL code and name hold for it, too */
    const char *bias_name;
    double (*factor)(const gck_place *place); /* 1 or no finite number: not to be had here */
    const char *reason;
    const char *reason_not;                /* in its place where `holds` says no */
    bool (*holds)(const gck_place *place); /* NULL: always */
    bool seeded;                           /* stands for the others in gck_sensitivity */
};

/* Groups of rows, in order. */
typedef struct gck_mistake_group {
    const gck_mistake_kind *kind;
    size_t count;
} gck_mistake_group;

extern const gck_mistake_group gck_mistakes_zero, gck_mistakes_scaled, gck_mistakes_activation,
    gck_mistakes_cost, gck_mistakes_delta, gck_mistakes_down, gck_mistakes_weights,
    gck_mistakes_bias, gck_mistakes_finished;

/* Row `index` of all groups, one after the other; NULL beyond the last. */
const gck_mistake_kind *gck_mistake_at(size_t index);

extern const gck_scale gck_scales[];
extern const size_t gck_scale_count;
/* A factor that is none of these. */
extern const gck_scale gck_scale_unknown;

/* ---- mutants ---- */

/* Whether the kind can be made at a place. */
bool gck_mistake_applies(const gck_mistake_kind *kind, const gck_place *place);
/* The values of `which` to be tried at a place; 0 where they are searched. */
size_t gck_mistake_variants(const gck_mistake_kind *kind, const gck_place *place);

/* What a kind of stage FINISHED makes of an element, in the model's form: the part that a factor on
 * top of it multiplies, and the rest. */
double gck_mistake_finish(const gck_mistake_kind *kind, const gck_finished *finished,
                          size_t element, double *ret_rest);
/* All that is right of an element, as far as a whole gradient has it. */
double gck_finished_whole(const gck_finished *finished, size_t element);

/* What it is called; about.layer is the layer whose gradients are the first wrong ones, and
 * about.tensor the tensor, NULL for a delta, "x" for the gradient of x. */
gck_mistake gck_mutant_mistake(const gck_mutant *mutant, const gck_place *about);

/* The sentence for it. Templates know {what}: the gradient it is about; {below}: the first layer
 * that is wrong, or the gradient of x; {at}: where the mistake is made; {above}: the layer above
 * that; {f}: the activation there; {other}: the row of the kind's table that `which` names;
 * {which}; {end}: "first" or "last", of mistake_ends; {m}: samples; {cost}; {rate}: of dropout. */
void gck_mutant_say(const gck_mutant *mutant, const gck_place *about, char text[GCK_FINDING_TEXT]);

/* "dW of layer 1", "everything from layer 1 down", "the gradient of x". */
void gck_place_say(const gck_place *about, char *text, size_t size);

#endif
