/* Mistakes in one tensor's formula: dW and db from x and dJ/dz, penalties, layout. */
#include "core/mistake.h"

#include <math.h>
#include <string.h>

static const gck_layer *layer_at(const gck_place *place)
{
    return &place->model->layer[place->layer];
}

static size_t count_at(const gck_replay *replay, const gck_mutant *mutant)
{
    return gck_replay_count(replay, mutant->layer);
}

static size_t searched(const gck_place *place)
{
    (void)place;
    return GCK_SEARCHED;
}

/* ---- dW: what stands in place of x ---- */

static const gck_layer *below(const gck_place *place)
{
    return place->layer == 0 ? NULL : layer_at(place) - 1;
}

static bool z_below_applies(const gck_place *place)
{
    const gck_choice *f = below(place) == NULL ? NULL : &below(place)->spec.activation;
    return f != NULL && f->item != NULL &&
           !(strcmp(f->item->name, "linear") == 0 && f->option[0] == 1);
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
           below(place)->inputs == layer_at(place)->inputs;
}

static bool raw_x_applies(const gck_place *place)
{
    return place->layer > 1 && place->model->inputs == layer_at(place)->inputs;
}

static const double *raw_x(const gck_replay *replay, const gck_mutant *mutant)
{
    (void)mutant;
    return replay->pass->x;
}

static bool own_output_applies(const gck_place *place)
{
    return layer_at(place)->inputs == layer_at(place)->outputs;
}

static const double *own_output(const gck_replay *replay, const gck_mutant *mutant)
{
    return replay->pass->layer[mutant->layer].a;
}

/* ---- dW and db: what stands in place of dJ/dz ---- */

static bool is_derived(const gck_place *place)
{
    const gck_choice *f = &layer_at(place)->spec.activation;
    return !(strcmp(f->item->name, "linear") == 0 && f->option[0] == 1);
}

static void da_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                    double *to)
{
    (void)from;
    memcpy(to, replay->layer[mutant->layer].da, count_at(replay, mutant) * sizeof *to);
}

static bool several_samples(const gck_place *place)
{
    return place->data->samples > 1;
}

static void sample_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                        double *to, double times)
{
    const size_t samples = replay->pass->samples;
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] = replay->first + i % samples == mutant->which ? times * from[i] : from[i];
}

static void sample_missing_make(const gck_replay *replay, const gck_mutant *mutant,
                                const double *from, double *to)
{
    sample_make(replay, mutant, from, to, 0);
}

static void sample_twice_make(const gck_replay *replay, const gck_mutant *mutant,
                              const double *from, double *to)
{
    sample_make(replay, mutant, from, to, 2);
}

/* Which: 0 only the first, 1 only the last. */
static size_t two(const gck_place *place)
{
    (void)place;
    return 2;
}

/* Of a sample that has no weight there is nothing. */
static bool only_applies(const gck_place *place)
{
    const double *weights = place->data->weights;
    return several_samples(place) &&
           (weights == NULL || weights[place->which == 0 ? 0 : place->data->samples - 1] != 0);
}

static void only_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                      double *to)
{
    const size_t samples = replay->pass->samples;
    const size_t kept = mutant->which == 0 ? 0 : replay->data->samples - 1;
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] = replay->first + i % samples == kept ? from[i] : 0;
}

static bool has_twin_above(const gck_place *place)
{
    return place->layer + 1 < place->model->layer_count &&
           layer_at(place)->outputs == place->model->layer[place->layer + 1].outputs;
}

static void above_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                       double *to)
{
    (void)from;
    memcpy(to, replay->layer[mutant->layer + 1].dz, count_at(replay, mutant) * sizeof *to);
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
     GCK_STAGE_WEIGHTS, "W", .applies = is_derived, .make = da_make},
    {GCK_FINDING_WRONG_DELTA, "of_layer_above", "{what} is made with the delta of layer {above}",
     GCK_STAGE_WEIGHTS, "W", .applies = has_twin_above, .make = above_make},
    {GCK_FINDING_MISSING_SAMPLE, "missing", "sample {which} of {m} is missing in {what}",
     GCK_STAGE_WEIGHTS, "W", .variants = searched, .applies = several_samples,
     .make = sample_missing_make},
    {GCK_FINDING_MISSING_SAMPLE, "counted_twice", "sample {which} of {m} counts twice in {what}",
     GCK_STAGE_WEIGHTS, "W", .variants = searched, .applies = several_samples,
     .make = sample_twice_make},
    {GCK_FINDING_MISSING_SAMPLE, "only_one", "{what} has only the {end} one of {m} samples in it",
     GCK_STAGE_WEIGHTS, "W", .variants = two, .applies = only_applies, .make = only_make},
};

const gck_mistake_group gck_mistakes_weights = {weights_kinds,
                                                sizeof weights_kinds / sizeof weights_kinds[0]};

/* ---- db alone ---- */

static bool several_units(const gck_place *place)
{
    return layer_at(place)->outputs > 1;
}

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
    for (size_t i = 0; i < count_at(replay, mutant); i++)
        to[i] /= (double)replay->model->layer[mutant->layer].outputs;
}

/* As many samples as units: the sum of sample j over the units lands in unit j. */
static bool other_axis_applies(const gck_place *place)
{
    return several_units(place) && layer_at(place)->outputs == place->data->samples;
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
     GCK_STAGE_BIAS, "b", .variants = two, .applies = only_applies, .make = only_make},
    {GCK_FINDING_BIAS_REDUCTION, "over_units",
     "{what} is summed over the units as well: every unit has the same number", GCK_STAGE_BIAS, "b",
     .applies = several_units, .make = all_units_make},
    {GCK_FINDING_BIAS_REDUCTION, "mean_over_units",
     "{what} is averaged over the units: every unit has the same number", GCK_STAGE_BIAS, "b",
     .applies = several_units, .make = all_units_mean_make},
    {GCK_FINDING_BIAS_REDUCTION, "other_axis", "{what} is summed over units, not over samples",
     GCK_STAGE_BIAS, "b", .applies = other_axis_applies, .make = other_axis_make},
    {GCK_FINDING_MISSING_SAMPLE, "missing", "sample {which} of {m} is missing in {what}",
     GCK_STAGE_BIAS, "b", .variants = searched, .applies = several_samples,
     .make = sample_missing_make},
    {GCK_FINDING_MISSING_SAMPLE, "counted_twice", "sample {which} of {m} counts twice in {what}",
     GCK_STAGE_BIAS, "b", .variants = searched, .applies = several_samples,
     .make = sample_twice_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "missing",
     "the derivative of {f} is missing in {what}, though what is passed down has it",
     GCK_STAGE_BIAS, "b", .applies = is_derived, .make = da_make},
    {GCK_FINDING_WRONG_DELTA, "of_layer_above", "{what} is made with the delta of layer {above}",
     GCK_STAGE_BIAS, "b", .applies = has_twin_above, .make = above_make},
};

const gck_mistake_group gck_mistakes_bias = {bias_kinds, sizeof bias_kinds / sizeof bias_kinds[0]};
