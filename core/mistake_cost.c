/* Mistakes in the derivative of the cost: wrong dJ/dz of the last layer. */
#include "core/cost.h"
#include "core/mistake_parts.h"

static size_t cost_count(const gck_place *place)
{
    (void)place;
    return gck_costs.count;
}

static bool other_cost_applies(const gck_place *place)
{
    return mistake_is_last(place) && gck_costs.rows[place->which] != place->model->cost.item;
}

static void other_cost_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const gck_choice other = gck_choice_default(gck_costs.rows[mutant->which]);
    (void)from;
    gck_replay_cost_slope(replay, &other, true, to);
    gck_replay_chain(replay, mutant->layer, to);
}

/* a - y is right for sigmoid with binary and softmax with categorical cross-entropy, where the rows
 * of y add up to 1; for mse without activation it is half of what is right. */
static bool difference_applies(const gck_place *place)
{
    const gck_choice *cost = &place->model->cost;
    const gck_choice *f = &gck_place_layer(place)->spec.activation;
    if (!mistake_is_last(place)) return false;
    if (mistake_is_named(cost, "binary_crossentropy"))
        return !mistake_is_named(f, "sigmoid") || f->option[0] != 1;
    if (mistake_is_named(cost, "categorical_crossentropy")) return !mistake_is_named(f, "softmax");
    return !mistake_is_named(cost, "mse") || mistake_is_derived(place);
}

static void difference_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const gck_pass *pass = replay->pass;
    (void)from;
    for (size_t unit = 0; unit < replay->model->outputs; unit++)
        for (size_t k = 0; k < pass->samples; k++) {
            const size_t i = unit * pass->samples + k;
            const double d = pass->layer[mutant->layer].a[i] - pass->y[i], w = pass->weights[k];
            to[i] = w == 0 ? 0 : d * (replay->factor * w);
        }
}

static bool weights_apply(const gck_place *place)
{
    return mistake_is_last(place) && mistake_has_weights(place);
}

static void weighted_twice_make(const gck_replay *replay, const gck_mutant *mutant,
                                const double *from, double *to)
{
    const gck_pass *pass = replay->pass;
    (void)mutant, (void)from;
    gck_replay_cost_delta(replay, true, to);
    for (size_t i = 0; i < replay->model->outputs * pass->samples; i++)
        to[i] *= pass->weights[i % pass->samples];
}

static const gck_mistake_kind cost_kinds[] = {
    {GCK_FINDING_WRONG_DELTA, "difference",
     "the delta of layer {at} is a - y, which is not the derivative of {cost} with {f}",
     GCK_STAGE_ACTIVATION, .applies = difference_applies, .make = difference_make},
    {GCK_FINDING_WRONG_DELTA, "cost_of_another",
     "the delta of layer {at} starts from the derivative of {other}, but the cost is {cost}",
     GCK_STAGE_ACTIVATION, .table = &gck_costs, .variants = cost_count,
     .applies = other_cost_applies, .make = other_cost_make},
    {GCK_FINDING_MISSING_SAMPLE, "weights_ignored",
     "the sample weights are left out of the gradient: every sample counts as 1",
     GCK_STAGE_ACTIVATION, .applies = weights_apply, .make = mistake_unweighted_cost},
    {GCK_FINDING_MISSING_SAMPLE, "weights_twice",
     "the sample weights are applied twice: to the loss and once more to its derivative",
     GCK_STAGE_ACTIVATION, .applies = weights_apply, .make = weighted_twice_make},
};

const gck_mistake_group gck_mistakes_cost = {cost_kinds, sizeof cost_kinds / sizeof cost_kinds[0]};
