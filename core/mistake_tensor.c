/* Mistakes in one tensor's formula: dW and db from x and dJ/dz. */
#include "core/mistake_parts.h"

#include <string.h>

/* ---- dW: what stands in place of x ---- */

static const gck_layer *below(const gck_place *place)
{
    return place->layer == 0 ? NULL : gck_place_layer(place) - 1;
}

static bool z_below_applies(const gck_place *place)
{
    return below(place) != NULL && mistake_layer_is_derived(below(place));
}

static const double *z_below(const gck_replay *replay, const gck_mutant *mutant)
{
    return replay->pass->layer[mutant->layer - 1].z;
}

static bool before_dropout_applies(const gck_place *place)
{
    return below(place) != NULL && gck_layer_has_mask(below(place)) &&
           below(place)->spec.type.option[0] > 0;
}

static const double *x_below(const gck_replay *replay, const gck_mutant *mutant)
{
    return replay->pass->layer[mutant->layer - 1].x;
}

static bool x_below_applies(const gck_place *place)
{
    return below(place) != NULL && gck_replay_is_dense(below(place)) &&
           below(place)->inputs == gck_place_layer(place)->inputs;
}

static bool raw_x_applies(const gck_place *place)
{
    return place->layer > 1 && place->model->inputs == gck_place_layer(place)->inputs;
}

static const double *raw_x(const gck_replay *replay, const gck_mutant *mutant)
{
    (void)mutant;
    return replay->pass->x;
}

static bool own_output_applies(const gck_place *place)
{
    return gck_place_layer(place)->inputs == gck_place_layer(place)->outputs;
}

static const double *own_output(const gck_replay *replay, const gck_mutant *mutant)
{
    return replay->pass->layer[mutant->layer].a;
}

/* ---- dW and db: what stands in place of dJ/dz ---- */

static void da_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                    double *to)
{
    (void)from;
    memcpy(to, replay->layer[mutant->layer].da,
           gck_replay_count(replay, mutant->layer) * sizeof *to);
}

static const gck_mistake_kind weights_kinds[] = {
    {GCK_FINDING_WRONG_INPUT, "pre_activation",
     "{what} is made from z of the layer below, not from its output a", GCK_STAGE_WEIGHTS, "W",
     .applies = z_below_applies, .input = z_below},
    {GCK_FINDING_DROPOUT_MASK, "input_unmasked",
     "{what} is made from what goes into the dropout layer below, not from what comes out of it",
     GCK_STAGE_WEIGHTS, "W", .applies = before_dropout_applies, .input = x_below},
    {GCK_FINDING_WRONG_INPUT, "input_of_layer_below",
     "{what} is made from the input of the layer below, not from its output", GCK_STAGE_WEIGHTS,
     "W", .applies = x_below_applies, .input = x_below},
    {GCK_FINDING_WRONG_INPUT, "own_output", "{what} is made from the layer's own output",
     GCK_STAGE_WEIGHTS, "W", .applies = own_output_applies, .input = own_output},
    {GCK_FINDING_WRONG_INPUT, "raw_x", "{what} is made from the network's input x",
     GCK_STAGE_WEIGHTS, "W", .applies = raw_x_applies, .input = raw_x},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "missing",
     "the derivative of {f} is missing in {what}, though what is passed down has it",
     GCK_STAGE_WEIGHTS, "W", .applies = mistake_is_derived, .make = da_make},
    {GCK_FINDING_WRONG_DELTA, "of_layer_above", "{what} is made with the delta of layer {above}",
     GCK_STAGE_WEIGHTS, "W", .applies = mistake_has_twin_above, .make = mistake_of_above},
    {GCK_FINDING_MISSING_SAMPLE, "missing", "sample {which} of {m} is missing in {what}",
     GCK_STAGE_WEIGHTS, "W", .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_without_sample},
    {GCK_FINDING_MISSING_SAMPLE, "counted_twice", "sample {which} of {m} counts twice in {what}",
     GCK_STAGE_WEIGHTS, "W", .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_with_sample_twice},
    {GCK_FINDING_MISSING_SAMPLE, "only_one", "{what} has only the {end} one of {m} samples in it",
     GCK_STAGE_WEIGHTS, "W", .variants = mistake_ends, .applies = mistake_end_counts,
     .make = mistake_of_end},
    {GCK_FINDING_MISSING_SAMPLE, "weights_ignored",
     "the sample weights are left out of {what} alone: every sample counts as 1 there",
     GCK_STAGE_WEIGHTS, "W", .applies = mistake_has_weights, .make = mistake_unweighted},
};

const gck_mistake_group gck_mistakes_weights = {weights_kinds,
                                                sizeof weights_kinds / sizeof weights_kinds[0]};

/* ---- db alone ---- */

/* Every unit gets the sum of all. */
static void all_units_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                           double *to)
{
    const size_t samples = replay->pass->samples,
                 units = replay->model->layer[mutant->layer].outputs;
    for (size_t k = 0; k < samples; k++) {
        double sum = 0;
        for (size_t unit = 0; unit < units; unit++)
            sum += from[unit * samples + k];
        for (size_t unit = 0; unit < units; unit++)
            to[unit * samples + k] = sum;
    }
}

static void all_units_mean_make(const gck_replay *replay, const gck_mutant *mutant,
                                const double *from, double *to)
{
    all_units_make(replay, mutant, from, to);
    for (size_t i = 0; i < gck_replay_count(replay, mutant->layer); i++)
        to[i] /= (double)replay->model->layer[mutant->layer].outputs;
}

/* As many samples as units: the sum of sample j over the units lands in unit j. */
static bool other_axis_applies(const gck_place *place)
{
    return mistake_has_units(place) && gck_place_layer(place)->outputs == place->data->samples;
}

static void other_axis_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const size_t samples = replay->pass->samples,
                 units = replay->model->layer[mutant->layer].outputs;
    memset(to, 0, units * samples * sizeof *to);
    for (size_t k = 0; k < samples; k++)
        for (size_t unit = 0; unit < units; unit++)
            to[(replay->first + k) * samples] += from[unit * samples + k];
}

static const gck_mistake_kind bias_kinds[] = {
    {GCK_FINDING_BIAS_REDUCTION, "only_one", "{what} has only the {end} one of {m} samples in it",
     GCK_STAGE_BIAS, "b", .variants = mistake_ends, .applies = mistake_end_counts,
     .make = mistake_of_end},
    {GCK_FINDING_BIAS_REDUCTION, "over_units",
     "{what} is summed over the units as well: every unit has the same number", GCK_STAGE_BIAS, "b",
     .applies = mistake_has_units, .make = all_units_make},
    {GCK_FINDING_BIAS_REDUCTION, "mean_over_units",
     "{what} is averaged over the units: every unit has the same number", GCK_STAGE_BIAS, "b",
     .applies = mistake_has_units, .make = all_units_mean_make},
    {GCK_FINDING_BIAS_REDUCTION, "other_axis", "{what} is summed over units, not over samples",
     GCK_STAGE_BIAS, "b", .applies = other_axis_applies, .make = other_axis_make},
    {GCK_FINDING_MISSING_SAMPLE, "missing", "sample {which} of {m} is missing in {what}",
     GCK_STAGE_BIAS, "b", .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_without_sample},
    {GCK_FINDING_MISSING_SAMPLE, "counted_twice", "sample {which} of {m} counts twice in {what}",
     GCK_STAGE_BIAS, "b", .variants = mistake_searched, .applies = mistake_has_samples,
     .make = mistake_with_sample_twice},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "missing",
     "the derivative of {f} is missing in {what}, though what is passed down has it",
     GCK_STAGE_BIAS, "b", .applies = mistake_is_derived, .make = da_make},
    {GCK_FINDING_WRONG_DELTA, "of_layer_above", "{what} is made with the delta of layer {above}",
     GCK_STAGE_BIAS, "b", .applies = mistake_has_twin_above, .make = mistake_of_above},
    {GCK_FINDING_MISSING_SAMPLE, "weights_ignored",
     "the sample weights are left out of {what} alone: every sample counts as 1 there",
     GCK_STAGE_BIAS, "b", .applies = mistake_has_weights, .make = mistake_unweighted},
};

const gck_mistake_group gck_mistakes_bias = {bias_kinds, sizeof bias_kinds / sizeof bias_kinds[0]};
