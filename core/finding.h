/* The inside of the search for findings, for its own files: finding.c (order of the whole),
 * finding_slot.c (the claimed tensors, and what fits), finding_candidate.c (which mistakes are
 * tried; core/finding_candidate.h), finding_search.c (the best of them), finding_forward.c,
 * finding_rounded.c, finding_quotient.c and finding_rest.c (what needs no replay).
 *
 * The claim is explained from the output backwards. The world is the backward pass that explains it
 * so far: the right one at first, then with the mistakes that were found. A slot is a claimed
 * tensor; it is dirty while the world does not give what is claimed. The topmost dirty slots say
 * where the next mistake is. Mutants of every kind that can be made there are compared with the
 * claim, first in a few elements of these slots, then, of those that are left, in all slots below.
 * What leaves the fewest slots dirty is found, and becomes part of the world.
 *
 * A search belongs to one thread at a time, and to whoever opened it. Costs are those of replays.
 */
#ifndef GRADCHECK_CORE_FINDING_H
#define GRADCHECK_CORE_FINDING_H

#include <gradcheck/finding.h>

#include "core/mistake.h"
#include "core/replay.h"

/* DONE: not to be explained any more; `known` says whether it was. */
typedef enum slot_state { SLOT_CLEAN, SLOT_DIRTY, SLOT_DONE } slot_state;

/* A claimed tensor. */
typedef struct finding_slot {
    size_t level;             /* core/replay.h: its layer + 1, or 0 for x */
    const gck_tensor *tensor; /* NULL for x */
    const char *name;
    size_t count;
    const double *claim, *exact, *bar; /* exact NULL: directional */
    const double *given;   /* the claim before it was brought into this form; NULL: not kept */
    double *world, *trial; /* the world's gradient and a mutant's, without penalty */
    const double *penalty; /* NULL: none */
    slot_state state;
    bool known;
    double unit;            /* 1 / the largest size in claim and world */
    double deviation, size; /* |claim - world| and |world|, times unit */
    double wrong;           /* the former of those elements alone that are wrong */
} finding_slot;

/* What counts as the same number. */
typedef struct finding_precision {
    double tolerance;  /* relative */
    double bar_factor; /* times the report's bar */
    double absolute;   /* half a unit of the last decimal */
} finding_precision;

typedef struct finding_search {
    const gck_check_spec *spec;
    const gck_report *report;
    gck_stop stop;
    gck_replay *replay;
    finding_precision precision;
    size_t slot_count; /* from the output backwards, W before b */
    finding_slot *slot;
    double *slab; /* world, trial, penalty (parameters each), both of x, a room for one tensor */
    double *world, *trial, *penalty, *world_x, *trial_x, *tensor;
    bool contaminated; /* something above is wrong and not explained */
    size_t capacity;
    gck_findings found;
} finding_search;

/* ---- finding_slot.c ---- */

gck_status finding_open(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                        finding_search *ret_search, gck_error *error);
void finding_close(finding_search *search);

/* Whether a number is the other one, by the search's precision. */
bool finding_same(const finding_search *search, double claim, double other, double bar);
/* Whether an element is wrong by the check's own rule, if the world were right. */
bool finding_is_wrong(const finding_search *search, const finding_slot *slot, size_t element);
/* Whether values (with penalty, if any) are what is claimed in every element; of a slot that is
 * dirty also that they are much nearer to it than the world is where that is wrong. ret_distance:
 * |claim - values| / (|claim| + |values|). `changed`: whether values may differ from the world. */
bool finding_fits(const finding_search *search, const finding_slot *slot, const double *values,
                  const double *penalty, bool changed, double *ret_distance);
/* Whether a claim is nearly right: but for its digits, or because it is a difference quotient. */
bool finding_is_near(const finding_slot *slot);
/* Whether so little is left of what is wrong with a slot, of its elements that are wrong or of some
 * of them, that it may be explained. left: norm, times unit. */
bool finding_is_enough(const finding_slot *slot, double left);
/* The bar's growth from the world's gradient to one of another size, times unit: rounding errors
 * grow with it. */
double finding_growth(const finding_slot *slot, double size);
/* World's gradient of an element, penalty included. */
double finding_world(const finding_slot *slot, size_t element);
/* "input 2, unit 1", "unit 1", "sample 3, input 0": where an element is, however its tensor lies in
 * memory elsewhere. Returns text. */
enum { FINDING_WHERE = 64 };
const char *finding_where(const finding_search *search, const finding_slot *slot, size_t element,
                          char text[FINDING_WHERE]);
/* Sizes of slots of level `top` and below, after the world changed. */
void finding_judge(finding_search *search, size_t top);

/* The next dirty slot, or NULL. */
finding_slot *finding_next(const finding_search *search);

/* ---- finding_candidate.c ---- */

/* A mutant whose probes fit, at least in one slot. tensor: the slot it is about, NULL: a delta. */
typedef struct finding_candidate {
    gck_mutant mutant;
    finding_slot *slot;
    unsigned complexity; /* 1: one mistake, 2: two at once, 3: a factor that is no known one */
    size_t order;        /* of likelihood */
    /* Filled by the search: */
    bool *fits; /* each slot */
    size_t left;
    double distance;
} finding_candidate;

typedef struct finding_candidates {
    size_t count, capacity;
    finding_candidate *row;
} finding_candidates;

/* Those for the slots of `level`; `far`: from a layer further up, too. */
gck_status finding_candidates_find(finding_search *search, size_t level, bool far,
                                   finding_candidates *ret_candidates, gck_error *error);
void finding_candidates_done(finding_candidates *candidates);

/* The place a candidate's sentence is about. */
gck_place finding_about(const finding_search *search, size_t level, const char *tensor);

/* ---- finding_factor.c ---- */

/* A slot's tensor, for kinds of stage FINISHED. */
gck_finished finding_finished(const finding_search *search, const finding_slot *slot);

/* By what the claim's data parts were multiplied on the way into the model's form. */
double finding_claim_factor(const finding_search *search);
/* How much of its penalty a claimed gradient had in it before it was brought into the model's form,
 * in units of that form: where nothing was claimed, that much is missing now. */
double finding_penalty_share(const finding_search *search);

/* ---- finding_search.c ---- */

/* Explains dirty slots of `level` by one mistake. ret_found: whether one was found. */
gck_status finding_explain(finding_search *search, size_t level, bool *ret_found, gck_error *error);

/* ---- the others: each adds findings, and marks slots as done ---- */

gck_status finding_forward(finding_search *search, bool *ret_found, gck_error *error);
gck_status finding_non_finite(finding_search *search, gck_error *error);
/* Sets the precision from the claim's own numbers; false: these have all their digits. Where
 * rounding is all that is wrong with some slot, it is clean now, and ret_rounded, whose code is
 * then ROUNDED, belongs at the end of the list. */
bool finding_rounding(finding_search *search, gck_finding *ret_rounded);
gck_status finding_quotient(finding_search *search, bool *ret_found, gck_error *error);
/* Single elements, units, inputs; or unexplained. */
gck_status finding_rest(finding_search *search, size_t level, gck_error *error);

/* ---- the list ---- */

/* A new finding, to be filled; NULL when memory is out. */
gck_finding *finding_add(finding_search *search, gck_finding_code code, const char *name,
                         size_t level, const char *tensor);
/* One kind at one place. */
bool finding_is_same(const gck_mistake *a, const gck_mistake *b);
/* Another mistake at the same place that cannot be told apart from it. */
void finding_also(gck_finding *finding, gck_finding_code code, const char *name);
void finding_evidence(gck_finding *finding, const char *name, double number);
void finding_message(gck_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
