/* Mistakes in a tensor's gradient when all but it is done: penalties, layout, zeros. */
#include "core/mistake_parts.h"

#include <math.h>
#include <string.h>

/* l1 or l2 of a layer; 0 where it has none. */
static double strength(const gck_layer *layer, const char *name)
{
    const int option = gck_item_option_find(layer->spec.type.item, name);
    return option < 0 ? 0 : layer->spec.type.option[option];
}

static double l1_of(const gck_place *place)
{
    return strength(gck_place_layer(place), "l1");
}

static double l2_of(const gck_place *place)
{
    return strength(gck_place_layer(place), "l2");
}

/* ---- penalties: slope l1 sign(w) + 2 l2 w ---- */

static bool has_l1(const gck_place *place)
{
    return l1_of(place) != 0;
}

static bool has_l2(const gck_place *place)
{
    return l2_of(place) != 0;
}

static bool has_both(const gck_place *place)
{
    return has_l1(place) && has_l2(place);
}

static bool has_none(const gck_place *place)
{
    return mistake_is_penalised(place) && place->excluded;
}

static bool has_samples(const gck_place *place)
{
    return mistake_is_penalised(place) && mistake_has_samples(place);
}

static bool has_both_and_samples(const gck_place *place)
{
    return has_both(place) && has_samples(place);
}

/* l1 times the first, l2 times the second. */
static double sum_of(const gck_finished *f, double first, double second)
{
    return l1_of(&f->place) * first + l2_of(&f->place) * second;
}

static double sign(double w)
{
    return (double)((w > 0) - (w < 0));
}

static double nothing(const gck_finished *f, size_t e)
{
    (void)f, (void)e;
    return 0;
}

static double once(const gck_finished *f, size_t e)
{
    return f->penalty[e];
}

static double doubled(const gck_finished *f, size_t e)
{
    return 2 * f->penalty[e];
}

static double halved(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), f->parameters[e]);
}

static double negated(const gck_finished *f, size_t e)
{
    return -f->penalty[e];
}

static double divided(const gck_finished *f, size_t e)
{
    return f->penalty[e] / (double)f->place.data->samples;
}

static double halved_and_divided(const gck_finished *f, size_t e)
{
    return halved(f, e) / (double)f->place.data->samples;
}

/* One of both alone. */
static double l2_divided(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), 2 * f->parameters[e] / (double)f->place.data->samples);
}

static double l2_halved_and_divided(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), f->parameters[e] / (double)f->place.data->samples);
}

static double l1_divided(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]) / (double)f->place.data->samples, 2 * f->parameters[e]);
}

static double multiplied(const gck_finished *f, size_t e)
{
    return f->penalty[e] * (double)f->place.data->samples;
}

static double l2_alone(const gck_finished *f, size_t e)
{
    return sum_of(f, 0, 2 * f->parameters[e]);
}

static double l1_alone(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), 0);
}

static double both_as_l2(const gck_finished *f, size_t e)
{
    return sum_of(f, 2 * f->parameters[e], 2 * f->parameters[e]);
}

static double both_as_l1(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), sign(f->parameters[e]));
}

/* |w| or w^2, the penalty itself, in place of its slope */
static double itself(const gck_finished *f, size_t e)
{
    return sum_of(f, fabs(f->parameters[e]), f->parameters[e] * f->parameters[e]);
}

static double without_sign(const gck_finished *f, size_t e)
{
    return sum_of(f, f->parameters[e], 2 * f->parameters[e]);
}

/* The layer's penalty of a tensor that has none, a bias. */
static double own(const gck_finished *f, size_t e)
{
    return sum_of(f, sign(f->parameters[e]), 2 * f->parameters[e]);
}

/* ---- another layer's ---- */

static const gck_layer *other_layer(const gck_place *place)
{
    return &place->model->layer[place->which];
}

static bool has_other_penalty(const gck_place *place)
{
    const gck_layer *other = other_layer(place);
    return other != gck_place_layer(place) && gck_layer_is_penalised(other) &&
           (strength(other, "l1") != l1_of(place) || strength(other, "l2") != l2_of(place));
}

static double of_other(const gck_finished *f, size_t e)
{
    const gck_layer *other = other_layer(&f->place);
    const double w = f->parameters[e];
    return strength(other, "l1") * sign(w) + 2 * strength(other, "l2") * w;
}

/* Tensors of one name and shape. */
static bool has_twin(const gck_place *place)
{
    const gck_layer *own_layer = gck_place_layer(place), *other = other_layer(place);
    const size_t t = place->tensor[0] == 'b';
    return other != own_layer && gck_replay_is_dense(other) && other->tensor_count > t &&
           gck_shape_equal(&other->tensor[t].shape, &own_layer->tensor[t].shape);
}

/* Found from above. */
static bool has_twin_below(const gck_place *place)
{
    return place->which < place->layer && has_twin(place);
}

/* All gradients are parts of one vector. */
static double twin_value(const gck_finished *f, size_t e)
{
    const gck_tensor *other = &other_layer(&f->place)->tensor[f->place.tensor[0] == 'b'];
    gck_finished twin = *f;
    twin.data = f->data - f->tensor->offset + other->offset;
    twin.penalty = f->penalty - f->tensor->offset + other->offset;
    return gck_finished_whole(&twin, e);
}

/* ---- layout, units, inputs ---- */

static bool is_matrix(const gck_place *place)
{
    return gck_place_layer(place)->inputs > 1 && gck_place_layer(place)->outputs > 1;
}

static bool is_square(const gck_place *place)
{
    return is_matrix(place) && gck_place_layer(place)->inputs == gck_place_layer(place)->outputs;
}

static bool is_oblong(const gck_place *place)
{
    return is_matrix(place) && gck_place_layer(place)->inputs != gck_place_layer(place)->outputs;
}

static bool is_square_penalised(const gck_place *place)
{
    return is_square(place) && mistake_is_penalised(place);
}

static bool is_oblong_penalised(const gck_place *place)
{
    return is_oblong(place) && mistake_is_penalised(place);
}

/* Whether W was (inputs, units) where it was reshaped, or (units, inputs). */
static size_t layouts(const gck_place *place)
{
    (void)place;
    return 2;
}

/* Where an element comes from when memory of the one layout is read as the other. */
static size_t turned(const gck_finished *f, size_t e)
{
    const size_t rows = f->tensor->shape.dim[0], columns = f->tensor->shape.dim[1];
    return f->place.which == 0 ? e % rows * columns + e / rows : e % columns * rows + e / columns;
}

static double transposed_value(const gck_finished *f, size_t e)
{
    return gck_finished_whole(f, turned(f, e));
}

static double data_transposed_value(const gck_finished *f, size_t e)
{
    return f->data[turned(f, e)];
}

static double unit_missing_value(const gck_finished *f, size_t e)
{
    return e % gck_place_layer(&f->place)->outputs == f->place.which ? 0 : gck_finished_whole(f, e);
}

static double input_missing_value(const gck_finished *f, size_t e)
{
    return e / gck_place_layer(&f->place)->outputs == f->place.which ? 0 : gck_finished_whole(f, e);
}

static const gck_mistake_kind finished_kinds[] = {
    {GCK_FINDING_TRANSPOSED, "transposed", "{what} is transposed", GCK_STAGE_FINISHED, "W",
     .applies = is_square, .whole = true, .value = transposed_value},
    {GCK_FINDING_TRANSPOSED, "reshaped",
     "{what} has the numbers of its transpose: computed with its axes the other way round, or "
     "stored column by column, and reshaped",
     GCK_STAGE_FINISHED, "W", .variants = layouts, .applies = is_oblong, .whole = true,
     .value = transposed_value},
    {GCK_FINDING_TRANSPOSED, "data_transposed",
     "{what} is transposed but for its penalty, which stands as it should", GCK_STAGE_FINISHED, "W",
     .applies = is_square_penalised, .value = data_transposed_value},
    {GCK_FINDING_TRANSPOSED, "data_reshaped",
     "{what}, but for its penalty, has the numbers of its transpose: computed with its axes the "
     "other way round, or stored column by column, and reshaped",
     GCK_STAGE_FINISHED, "W", .variants = layouts, .applies = is_oblong_penalised,
     .value = data_transposed_value},
    {GCK_FINDING_TRANSPOSED, "exchanged", "{what} and that of layer {which} are exchanged",
     GCK_STAGE_FINISHED, NULL, .variants = mistake_layers, .applies = has_twin_below, .whole = true,
     .mutual = true, .value = twin_value},
    {GCK_FINDING_TRANSPOSED, "of_another_layer", "{what} is that of layer {which}",
     GCK_STAGE_FINISHED, NULL, .variants = mistake_layers, .applies = has_twin, .whole = true,
     .value = twin_value},
    {GCK_FINDING_REGULARISATION, "missing", "the penalty of l1 and l2 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = mistake_has_penalty, .penalty = nothing},
    {GCK_FINDING_REGULARISATION, "included",
     "the penalty of l1 and l2 is in {what}, but the claim's convention leaves it out",
     GCK_STAGE_FINISHED, "W", .applies = has_none, .penalty = once},
    {GCK_FINDING_REGULARISATION, "halved",
     "the penalty in {what} is l2 W: the factor 2 is missing in the derivative of l2 W^2",
     GCK_STAGE_FINISHED, "W", .applies = has_l2, .penalty = halved},
    {GCK_FINDING_REGULARISATION, "doubled", "the penalty in {what} is twice what it should be",
     GCK_STAGE_FINISHED, "W", .applies = mistake_is_penalised, .penalty = doubled},
    {GCK_FINDING_REGULARISATION, "divided_by_samples",
     "the penalty in {what} is divided by the {m} samples, but l1 and l2 stand beside the mean",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .penalty = divided},
    {GCK_FINDING_REGULARISATION, "halved_and_divided",
     "the penalty in {what} is l2 W / m, that of a cost with l2 / 2m; here the cost has l2 W^2, "
     "whose derivative is 2 l2 W",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .penalty = halved_and_divided},
    {GCK_FINDING_REGULARISATION, "times_samples",
     "the penalty in {what} is {m} times too large: it is added once for each sample",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .penalty = multiplied},
    {GCK_FINDING_REGULARISATION, "negated",
     "the penalty in {what} has the wrong sign: it is subtracted", GCK_STAGE_FINISHED, "W",
     .applies = mistake_is_penalised, .penalty = negated},
    {GCK_FINDING_REGULARISATION, "l2_divided_by_samples",
     "the penalty of l2 in {what} is divided by the {m} samples, but stands beside the mean; that "
     "of l1 is right",
     GCK_STAGE_FINISHED, "W", .applies = has_both_and_samples, .penalty = l2_divided},
    {GCK_FINDING_REGULARISATION, "l2_halved_and_divided",
     "the penalty of l2 in {what} is l2 W / m, that of a cost with l2 / 2m; here it is 2 l2 W; "
     "that of l1 is right",
     GCK_STAGE_FINISHED, "W", .applies = has_both_and_samples, .penalty = l2_halved_and_divided},
    {GCK_FINDING_REGULARISATION, "l1_divided_by_samples",
     "the penalty of l1 in {what} is divided by the {m} samples, but stands beside the mean; that "
     "of l2 is right",
     GCK_STAGE_FINISHED, "W", .applies = has_both_and_samples, .penalty = l1_divided},
    {GCK_FINDING_REGULARISATION, "l1_missing", "the penalty of l1 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = has_both, .penalty = l2_alone},
    {GCK_FINDING_REGULARISATION, "l2_missing", "the penalty of l2 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = has_both, .penalty = l1_alone},
    {GCK_FINDING_REGULARISATION, "l1_without_sign",
     "the penalty of l1 in {what} is l1 W, not l1 sign(W)", GCK_STAGE_FINISHED, "W",
     .applies = has_l1, .penalty = without_sign},
    {GCK_FINDING_REGULARISATION, "l1_as_l2",
     "l1 is treated as l2 in {what}: 2 l1 W in place of l1 sign(W)", GCK_STAGE_FINISHED, "W",
     .applies = has_l1, .penalty = both_as_l2},
    {GCK_FINDING_REGULARISATION, "l2_as_l1",
     "l2 is treated as l1 in {what}: l2 sign(W) in place of 2 l2 W", GCK_STAGE_FINISHED, "W",
     .applies = has_l2, .penalty = both_as_l1},
    {GCK_FINDING_REGULARISATION, "not_derived",
     "{what} has the penalty itself in it, not its derivative", GCK_STAGE_FINISHED, "W",
     .applies = mistake_is_penalised, .penalty = itself},
    {GCK_FINDING_REGULARISATION, "on_bias",
     "{what} has a penalty in it, but l1 and l2 leave biases alone", GCK_STAGE_FINISHED, "b",
     .applies = mistake_is_penalised, .penalty = own},
    {GCK_FINDING_REGULARISATION, "of_another_layer",
     "{what} has the penalty of layer {which} in it", GCK_STAGE_FINISHED, "W",
     .variants = mistake_layers, .applies = has_other_penalty, .penalty = of_other},
    {GCK_FINDING_MISSING_UNIT, "unit",
     "unit {which} is left out of {what}: its gradients are zero, though its delta is passed down",
     GCK_STAGE_FINISHED, NULL, .variants = mistake_searched, .whole = true,
     .value = unit_missing_value},
    {GCK_FINDING_MISSING_UNIT, "input",
     "input {which} is left out of {what}: the gradients of its weights are zero",
     GCK_STAGE_FINISHED, "W", .variants = mistake_searched, .whole = true,
     .value = input_missing_value},
};

const gck_mistake_group gck_mistakes_finished = {finished_kinds,
                                                 sizeof finished_kinds / sizeof finished_kinds[0]};
