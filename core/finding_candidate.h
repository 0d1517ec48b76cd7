/* Candidates in the making, for the files that make them: finding_candidate.c (which kinds at which
 * places), finding_seek.c (samples and units, read off the claim), finding_probe.c (their gradients
 * in a few elements), finding_factor.c (by which factors these fit). */
#ifndef GRADCHECK_CORE_FINDING_CANDIDATE_H
#define GRADCHECK_CORE_FINDING_CANDIDATE_H

#include "core/finding.h"

/* Probes of a slot; dirty slots of one level. */
enum { FINDING_PROBES = 12, FINDING_SLOTS = GCK_TENSORS_MAX };

typedef struct finding_probes {
    finding_slot *slot;
    size_t count, element[FINDING_PROBES];
} finding_probes;

/* What a mutant makes of the probes of each slot, without penalty. */
typedef struct finding_probed {
    double value[FINDING_SLOTS][FINDING_PROBES];
} finding_probed;

/* The candidates for the dirty slots of one level. */
typedef struct finding_work {
    finding_search *search;
    size_t level;
    bool far;
    size_t slots;
    finding_probes probe[FINDING_SLOTS];
    finding_candidates list;
    finding_probed *values; /* of each row of the list */
} finding_work;

/* ---- finding_probe.c ---- */

/* Half of them where claim and world are furthest apart, half where the world is largest. */
void finding_probes_choose(finding_probes *probes, finding_slot *slot);

/* The loaded block's part of an element: of dW from x and delta, of db and dx from delta alone. */
double finding_probe_value(const finding_search *search, const finding_slot *slot, size_t element,
                           const double *x, const double *delta);

/* Fills w->values. GCK_STOPPED. */
gck_status finding_probe_all(finding_work *w, gck_error *error);

/* ---- finding_candidate.c ---- */

/* slot NULL: a delta. */
gck_status finding_candidate_add(finding_work *w, const gck_mutant *mutant, finding_slot *slot,
                                 gck_error *error);

/* ---- finding_seek.c ---- */

/* Adds candidates for single samples and units that the claim points at. */
gck_status finding_seek(finding_work *w, gck_error *error);

/* ---- finding_factor.c ---- */

/* What a row makes of one probe: its data part, unscaled, and its penalty. */
double finding_probe_part(const finding_work *w, size_t row, size_t slot, size_t probe,
                          double *ret_penalty);

/* Those of the list that fit in all probes of some slot, with the factors that make them: single
 * mistakes first. */
gck_status finding_factors_find(const finding_work *w, finding_candidates *kept, gck_error *error);

/* ---- finding_search.c ---- */

/* A tensor's candidate in full: its data part in search->tensor, and its penalty. */
gck_status finding_tensor_fill(finding_search *search, const finding_candidate *candidate,
                               const double **ret_penalty, gck_error *error);

#endif
