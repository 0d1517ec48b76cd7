/* Mistakes in deltas: what is scaled, left out, or passed down through the wrong matrix. */
#include "core/gemm.h"
#include "core/mistake_parts.h"

#include <string.h>

static bool is_dense(const gck_place *place)
{
    return gck_replay_is_dense(gck_place_layer(place));
}

static size_t count_at(const gck_replay *replay, const gck_mutant *mutant)
{
    return gck_replay_count(replay, mutant->layer);
}

static void copy(const double *from, double *to, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

/* ---- units ---- */

static void unit_missing_make(const gck_replay *replay, const gck_mutant *mutant,
                              const double *from, double *to)
{
    const size_t samples = replay->pass->samples;
    copy(from, to, count_at(replay, mutant));
    memset(to + mutant->which * samples, 0, samples * sizeof *to);
}

static const gck_mistake_kind delta_kinds[] = {
    {GCK_FINDING_MISSING_SAMPLE, "missing", "sample {which} of {m} is missing in {what}",
     GCK_STAGE_DELTA, .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_without_sample},
    {GCK_FINDING_MISSING_SAMPLE, "counted_twice", "sample {which} of {m} counts twice in {what}",
     GCK_STAGE_DELTA, .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_with_sample_twice},
    {GCK_FINDING_MISSING_SAMPLE, "only_one", "{what} has only the {end} one of {m} samples in it",
     GCK_STAGE_DELTA, .variants = mistake_ends, .applies = mistake_end_counts,
     .make = mistake_of_end},
    {GCK_FINDING_MISSING_UNIT, "delta",
     "the delta of unit {which} of layer {at} is left out: its gradients are zero, and nothing of "
     "it is passed down",
     GCK_STAGE_DELTA, .variants = mistake_searched, .applies = mistake_has_units,
     .make = unit_missing_make},
    {GCK_FINDING_WRONG_DELTA, "of_layer_above",
     "layer {at} uses the delta of layer {above} as it is", GCK_STAGE_DELTA,
     .applies = mistake_has_twin_above, .make = mistake_of_above},
};

const gck_mistake_group gck_mistakes_delta = {delta_kinds,
                                              sizeof delta_kinds / sizeof delta_kinds[0]};

/* ---- on the way down ---- */

static bool is_square(const gck_place *place)
{
    return is_dense(place) && gck_place_layer(place)->inputs == gck_place_layer(place)->outputs &&
           gck_place_layer(place)->inputs > 1;
}

/* A matrix, or its transpose, times delta. */
static void product_make(const gck_replay *replay, const gck_mutant *mutant, const double *weights,
                         bool transposed, const double *from, double *to)
{
    const gck_layer *layer = &replay->model->layer[mutant->layer];
    gck_gemm(layer->inputs, replay->pass->samples, layer->outputs,
             (gck_gemm_operand){weights, transposed}, (gck_gemm_operand){from, false}, false, to);
}

static void not_transposed_make(const gck_replay *replay, const gck_mutant *mutant,
                                const double *from, double *to)
{
    product_make(replay, mutant, gck_replay_weights(replay, mutant->layer), true, from, to);
}

static bool other_weights_apply(const gck_place *place)
{
    const gck_layer *other = &place->model->layer[place->which], *own = gck_place_layer(place);
    return other != own && is_dense(place) && gck_replay_is_dense(other) &&
           other->inputs == own->inputs && other->outputs == own->outputs;
}

static void other_weights_make(const gck_replay *replay, const gck_mutant *mutant,
                               const double *from, double *to)
{
    product_make(replay, mutant, gck_replay_weights(replay, mutant->which), false, from, to);
}

/* The linear step is left out: dJ/da below is dJ/dz. */
static void identity_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    copy(from, to, count_at(replay, mutant));
}

static bool is_dense_derived(const gck_place *place)
{
    return is_dense(place) && mistake_is_derived(place);
}

static void before_activation_make(const gck_replay *replay, const gck_mutant *mutant,
                                   const double *from, double *to)
{
    (void)from;
    gck_replay_down(replay, mutant->layer, replay->layer[mutant->layer].da, to);
}

static size_t unit_count(const gck_place *place)
{
    return gck_place_layer(place)->outputs;
}

/* All units where that costs no more than some passes, else the first and the last. */
enum { UNITS_ALL = 64 };

static bool several_units_down(const gck_place *place)
{
    const size_t units = gck_place_layer(place)->outputs;
    return is_dense(place) && units > 1 &&
           (units <= UNITS_ALL || place->which == 0 || place->which == units - 1);
}

static void not_passed_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const size_t samples = replay->pass->samples, unit = mutant->which;
    double *kept = replay->room[2];
    copy(from, kept, count_at(replay, mutant));
    memset(kept + unit * samples, 0, samples * sizeof *kept);
    gck_replay_down(replay, mutant->layer, kept, to);
}

/* ---- dropout ---- */

static double rate_of(const gck_layer *layer)
{
    return layer->spec.type.option[0];
}

static bool is_dropout(const gck_place *place)
{
    return gck_layer_has_mask(gck_place_layer(place)) && rate_of(gck_place_layer(place)) > 0;
}

/* mask * (1 - rate) * delta: 0 or 1 alone */
static void unscaled_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    const double *mask = replay->pass->layer[mutant->layer].mask;
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] = mask[i] == 0 ? 0 : from[i];
}

static void unmasked_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    const double kept = 1 / (1 - rate_of(&replay->model->layer[mutant->layer]));
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] = kept * from[i];
}

static void mask_twice_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const double *mask = replay->pass->layer[mutant->layer].mask;
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] = mask[i] * mask[i] * from[i];
}

static const gck_mistake_kind down_kinds[] = {
    {GCK_FINDING_WRONG_DELTA, "weights_not_transposed",
     "the delta that reaches {below} is made with W of layer {at} not transposed", GCK_STAGE_DOWN,
     .applies = is_square, .make = not_transposed_make},
    {GCK_FINDING_DROPOUT_MASK, "not_applied",
     "the mask of the dropout layer {at} is not applied in the backward pass", GCK_STAGE_DOWN,
     .applies = is_dropout, .make = identity_make},
    {GCK_FINDING_DROPOUT_MASK, "not_scaled",
     "the mask of the dropout layer {at} is applied in the backward pass without its factor 1 / (1 "
     "- {rate})",
     GCK_STAGE_DOWN, .applies = is_dropout, .make = unscaled_make},
    {GCK_FINDING_DROPOUT_MASK, "only_scaled",
     "in the backward pass of the dropout layer {at} only the factor 1 / (1 - {rate}) is applied, "
     "and nothing is dropped",
     GCK_STAGE_DOWN, .applies = is_dropout, .make = unmasked_make},
    {GCK_FINDING_DROPOUT_MASK, "twice",
     "the mask of the dropout layer {at} is applied twice in the backward pass", GCK_STAGE_DOWN,
     .applies = is_dropout, .make = mask_twice_make},
    {GCK_FINDING_WRONG_DELTA, "before_activation",
     "layer {at} passes dJ/da down, not dJ/dz: the derivative of {f} is missing on the way to "
     "{below}",
     GCK_STAGE_DOWN, .applies = is_dense_derived, .make = before_activation_make},
    {GCK_FINDING_WRONG_DELTA, "weights_of_another",
     "the delta that reaches {below} is made with W of layer {which}, not of layer {at}",
     GCK_STAGE_DOWN, .variants = mistake_layers, .applies = other_weights_apply,
     .make = other_weights_make},
    {GCK_FINDING_WRONG_DELTA, "weights_missing",
     "the delta of layer {at} is passed down as it is, not multiplied by W", GCK_STAGE_DOWN,
     .applies = is_square, .make = identity_make},
    {GCK_FINDING_MISSING_UNIT, "not_passed",
     "what unit {which} of layer {at} has to pass down is missing in {below}", GCK_STAGE_DOWN,
     .variants = unit_count, .applies = several_units_down, .make = not_passed_make},
};

const gck_mistake_group gck_mistakes_down = {down_kinds, sizeof down_kinds / sizeof down_kinds[0]};
