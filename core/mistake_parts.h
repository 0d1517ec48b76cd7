/* What kinds of several groups are made of: samples, units, deltas of another place; functions for
 * the members of struct gck_mistake_kind. For the files of the catalogue (mistake_*.c) alone. */
#ifndef GRADCHECK_CORE_MISTAKE_PARTS_H
#define GRADCHECK_CORE_MISTAKE_PARTS_H

#include "core/mistake.h"

/* ---- variants ---- */

size_t mistake_searched(const gck_place *place);
/* 0: the first sample, 1: the last. */
size_t mistake_ends(const gck_place *place);
/* Layers of the model. */
size_t mistake_layers(const gck_place *place);

/* ---- applies ---- */

/* The layer is the model's last one. */
bool mistake_is_last(const gck_place *place);
/* The layer has an activation that is not the identity. */
bool mistake_is_derived(const gck_place *place);
bool mistake_is_penalised(const gck_place *place);
/* And the claimant's gradients are to have the penalty in them. */
bool mistake_has_penalty(const gck_place *place);
bool mistake_has_samples(const gck_place *place);
bool mistake_has_units(const gck_place *place);
bool mistake_has_weights(const gck_place *place);
/* The sample at that end has a weight. */
bool mistake_end_counts(const gck_place *place);
/* The layer above has as many units. */
bool mistake_has_twin_above(const gck_place *place);

/* ---- make ---- */

typedef void mistake_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to);

/* Sample `which` is left out, or counts twice. */
mistake_make mistake_without_sample, mistake_with_sample_twice;
/* The sample at end `which` alone. */
mistake_make mistake_of_end;
/* dJ/dz of the layer above. */
mistake_make mistake_of_above;
/* dJ/dz without the sample weights; of the last layer and of any other. */
mistake_make mistake_unweighted_cost, mistake_unweighted;

/* ---- what these are made of ---- */

bool mistake_is_named(const gck_choice *choice, const char *name);
bool mistake_layer_is_derived(const gck_layer *layer);

#endif
