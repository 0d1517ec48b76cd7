/* Mistakes in the derivatives of activations: wrong dJ/dz from dJ/da. */
#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/mistake_parts.h"

#include <math.h>
#include <string.h>

/* ---- what a layer has ---- */

static const gck_choice *activation_at(const gck_place *place)
{
    return &gck_place_layer(place)->spec.activation;
}

static bool has_activation(const gck_place *place)
{
    return activation_at(place)->item != NULL;
}

static bool is_softmax(const gck_place *place)
{
    return mistake_is_named(activation_at(place), "softmax");
}

static bool is_fused(const gck_place *place)
{
    return mistake_is_last(place) && gck_cost_is_entropy(&place->model->cost);
}

/* Its derivative takes 0 and 1 alone, so that it can be applied twice, or to its own output. */
static bool is_step(const gck_place *place)
{
    return mistake_is_named(activation_at(place), "relu");
}

static bool is_curved(const gck_place *place)
{
    return mistake_is_derived(place) && !is_step(place);
}

static bool is_elementwise_curved(const gck_place *place)
{
    const gck_choice *f = activation_at(place);
    return is_curved(place) && !is_softmax(place) && !mistake_is_named(f, "linear") &&
           !(mistake_is_named(f, "leaky_relu") && f->option[0] > 0);
}

static void multiply(const double *from, const double *factor, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i] * factor[i];
}

static void copy(const double *from, double *to, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

/* ---- the activation's derivative ---- */

static void twice_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                       double *to)
{
    copy(from, to, gck_replay_count(replay, mutant->layer));
    gck_replay_chain(replay, mutant->layer, to);
    gck_replay_chain(replay, mutant->layer, to);
}

/* The chain of any activation at any z. */
static void chain_of(const gck_choice *f, const gck_replay *replay, size_t layer, const double *z,
                     const double *from, double *to)
{
    copy(from, to, gck_replay_count(replay, layer));
    gck_activation_row_of(f)->derivatives->chain(f->option, replay->model->layer[layer].outputs,
                                                 replay->pass->samples, z,
                                                 replay->pass->layer[layer].a, to);
}

static void of_output_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                           double *to)
{
    chain_of(&replay->model->layer[mutant->layer].spec.activation, replay, mutant->layer,
             replay->pass->layer[mutant->layer].a, from, to);
}

static size_t activation_count(const gck_place *place)
{
    (void)place;
    return gck_activations.count;
}

static bool another_applies(const gck_place *place)
{
    const gck_item *other = gck_activations.rows[place->which];
    return has_activation(place) && other != activation_at(place)->item &&
           strcmp(other->name, "softmax") != 0 && strcmp(other->name, "linear") != 0;
}

static void another_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                         double *to)
{
    const gck_choice other = gck_choice_default(gck_activations.rows[mutant->which]);
    chain_of(&other, replay, mutant->layer, replay->pass->layer[mutant->layer].z, from, to);
}

static bool defaults_applies(const gck_place *place)
{
    if (!has_activation(place)) return false;
    const gck_choice plain = gck_choice_default(activation_at(place)->item);
    for (size_t i = 0; i < gck_item_option_count(plain.item); i++)
        if (plain.option[i] != activation_at(place)->option[i])
            return !mistake_is_named(&plain,
                                     "linear"); /* whose default has no derivative to speak of */
    return false;
}

static void defaults_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    const gck_choice plain =
        gck_choice_default(replay->model->layer[mutant->layer].spec.activation.item);
    chain_of(&plain, replay, mutant->layer, replay->pass->layer[mutant->layer].z, from, to);
}

static void value_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                       double *to)
{
    multiply(from, replay->pass->layer[mutant->layer].a, gck_replay_count(replay, mutant->layer),
             to);
}

/* Derivatives that textbooks write in terms of the output a, taken at z. */
static double slope_by_output(const gck_choice *f, double a)
{
    if (mistake_is_named(f, "sigmoid")) return f->option[0] * a * (1 - a);
    if (mistake_is_named(f, "tanh")) return 1 - a * a;
    if (mistake_is_named(f, "softsign")) return (1 - fabs(a)) * (1 - fabs(a));
    if (mistake_is_named(f, "elu")) return a >= 0 ? 1 : a + f->option[0];
    return NAN;
}

static bool by_output_applies(const gck_place *place)
{
    return has_activation(place) && !isnan(slope_by_output(activation_at(place), 0));
}

static void chain_by_output(const gck_choice *f, const double *output, const double *from,
                            size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i] * slope_by_output(f, output[i]);
}

static void by_output_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                           double *to)
{
    chain_by_output(&replay->model->layer[mutant->layer].spec.activation,
                    replay->pass->layer[mutant->layer].z, from,
                    gck_replay_count(replay, mutant->layer), to);
}

/* Of softmax a (1 - a) is the diagonal; after binary cross-entropy it makes a - y of anything. */
static bool another_by_output_applies(const gck_place *place)
{
    const gck_choice other = gck_choice_default(gck_activations.rows[place->which]);
    const bool binary =
        mistake_is_last(place) && mistake_is_named(&place->model->cost, "binary_crossentropy");
    return another_applies(place) && !isnan(slope_by_output(&other, 0)) &&
           !((is_softmax(place) || binary) && mistake_is_named(&other, "sigmoid"));
}

static void another_by_output_make(const gck_replay *replay, const gck_mutant *mutant,
                                   const double *from, double *to)
{
    const gck_choice other = gck_choice_default(gck_activations.rows[mutant->which]);
    chain_by_output(&other, replay->pass->layer[mutant->layer].a, from,
                    gck_replay_count(replay, mutant->layer), to);
}

static bool dropped_output_applies(const gck_place *place)
{
    const gck_layer *above = gck_place_layer(place) + 1;
    return by_output_applies(place) && !mistake_is_last(place) && gck_layer_has_mask(above) &&
           above->spec.type.option[0] > 0;
}

static void dropped_output_make(const gck_replay *replay, const gck_mutant *mutant,
                                const double *from, double *to)
{
    chain_by_output(&replay->model->layer[mutant->layer].spec.activation,
                    replay->pass->layer[mutant->layer + 1].a, from,
                    gck_replay_count(replay, mutant->layer), to);
}

/* A mask of signs, which may be those of something else. */
static bool is_masking(const gck_place *place)
{
    return is_step(place) || mistake_is_named(activation_at(place), "leaky_relu");
}

static void of_delta_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    chain_of(&replay->model->layer[mutant->layer].spec.activation, replay, mutant->layer, from,
             from, to);
}

/* 1 - a for 1 - a^2, or for a (1 - a). */
static bool is_difference(const gck_place *place)
{
    return has_activation(place) && (mistake_is_named(activation_at(place), "tanh") ||
                                     mistake_is_named(activation_at(place), "sigmoid"));
}

static void difference_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    const double *a = replay->pass->layer[mutant->layer].a;
    for (size_t i = 0; i < gck_replay_count(replay, mutant->layer); i++)
        to[i] = from[i] * (1 - a[i]);
}

/* a_j (1 - a_j) alone, on dJ/da or on what is dJ/dz already. */
static void multiply_diagonal(const gck_replay *replay, size_t layer, const double *from,
                              double *to)
{
    const double *a = replay->pass->layer[layer].a;
    for (size_t i = 0; i < gck_replay_count(replay, layer); i++)
        to[i] = from[i] * a[i] * (1 - a[i]);
}

static void diagonal_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                          double *to)
{
    multiply_diagonal(replay, mutant->layer, from, to);
}

static void diagonal_on_top_make(const gck_replay *replay, const gck_mutant *mutant,
                                 const double *from, double *to)
{
    (void)from;
    gck_replay_cost_delta(replay, true, to);
    multiply_diagonal(replay, mutant->layer, to, to);
}

/* The derivative on top of one that has it already. */
static void on_top_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                        double *to)
{
    (void)from;
    gck_replay_cost_delta(replay, true, to);
    gck_replay_chain(replay, mutant->layer, to);
}

static bool double_softmax_applies(const gck_place *place)
{
    return is_fused(place) && is_softmax(place);
}

static bool on_top_applies(const gck_place *place)
{
    return is_fused(place) && !is_softmax(place);
}

static bool twice_applies(const gck_place *place)
{
    return is_curved(place) && !is_fused(place);
}

static const gck_mistake_kind activation_kinds[] = {
    {GCK_FINDING_DOUBLE_SOFTMAX, "jacobian_on_top",
     "softmax is derived twice in layer {at}: a - y already holds its derivative, and softmax's "
     "Jacobian is applied on top of it",
     GCK_STAGE_ACTIVATION, .applies = double_softmax_applies, .make = on_top_make},
    {GCK_FINDING_DOUBLE_SOFTMAX, "diagonal_on_top",
     "softmax is derived twice in layer {at}: the derivative of {cost} with respect to z already "
     "holds it, and a (1 - a) is multiplied on top of it",
     GCK_STAGE_ACTIVATION, .applies = double_softmax_applies, .make = diagonal_on_top_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "missing",
     "the derivative of {f} is missing in layer {at}: dJ/da is used as dJ/dz", GCK_STAGE_ACTIVATION,
     .applies = mistake_is_derived},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "of_output",
     "the derivative of {f} in layer {at} is taken at its output a, not at its input z",
     GCK_STAGE_ACTIVATION, .applies = is_elementwise_curved, .make = of_output_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "by_output_at_z",
     "the derivative of {f} in layer {at} is written for its output a, but is given z",
     GCK_STAGE_ACTIVATION, .applies = by_output_applies, .make = by_output_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "twice",
     "the derivative of {f} is applied twice in layer {at}", GCK_STAGE_ACTIVATION,
     .applies = twice_applies, .make = twice_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "on_top",
     "the derivative of {f} is applied twice in layer {at}: the derivative of {cost} with respect "
     "to z already holds it",
     GCK_STAGE_ACTIVATION, .applies = on_top_applies, .make = on_top_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "diagonal",
     "of softmax's Jacobian in layer {at} only the diagonal a (1 - a) is used",
     GCK_STAGE_ACTIVATION, .applies = is_softmax, .make = diagonal_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "default_options",
     "the derivative of {f} in layer {at} is taken with the default options, not with the "
     "model's",
     GCK_STAGE_ACTIVATION, .applies = defaults_applies, .make = defaults_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "of_another",
     "layer {at} uses the derivative of {other}, but its activation is {f}", GCK_STAGE_ACTIVATION,
     .table = &gck_activations, .variants = activation_count, .applies = another_applies,
     .make = another_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "by_output_of_another",
     "layer {at} uses the derivative of {other}, written for an output a of it, but its activation "
     "is {f}",
     GCK_STAGE_ACTIVATION, .table = &gck_activations, .variants = activation_count,
     .applies = another_by_output_applies, .make = another_by_output_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "of_dropped_output",
     "the derivative of {f} in layer {at} is taken from what comes out of the dropout layer above, "
     "not from its own output",
     GCK_STAGE_ACTIVATION, .applies = dropped_output_applies, .make = dropped_output_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "of_delta",
     "the derivative of {f} in layer {at} is taken by the sign of the delta, not of z",
     GCK_STAGE_ACTIVATION, .applies = is_masking, .make = of_delta_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "one_minus_output",
     "the derivative of {f} in layer {at} is 1 - a: of tanh's, 1 - a^2, the square is missing, of "
     "sigmoid's, a (1 - a), the factor a",
     GCK_STAGE_ACTIVATION, .applies = is_difference, .make = difference_make},
    {GCK_FINDING_ACTIVATION_DERIVATIVE, "value",
     "layer {at} multiplies by {f}(z) itself where its derivative is due", GCK_STAGE_ACTIVATION,
     .applies = has_activation, .make = value_make},
};

const gck_mistake_group gck_mistakes_activation = {
    activation_kinds, sizeof activation_kinds / sizeof activation_kinds[0]};
