/* Mistakes in a tensor's gradient when all but it is done: penalties, layout, zeros. */
#include "core/mistake.h"

#include <math.h>
#include <string.h>

static const gck_layer *layer_at(const gck_place *place)
{
    return &place->model->layer[place->layer];
}

/* l1 or l2 of a layer; 0 where it has none. */
static double strength(const gck_layer *layer, const char *name)
{
    const int option = gck_item_option_find(layer->spec.type.item, name);
    return option < 0 ? 0 : layer->spec.type.option[option];
}

static double l1_of(const gck_place *place)
{
    return strength(layer_at(place), "l1");
}

static double l2_of(const gck_place *place)
{
    return strength(layer_at(place), "l2");
}

static double sign(double w)
{
    return (double)((w > 0) - (w < 0));
}

/* ---- penalties: slope l1 sign(w) + 2 l2 w ---- */

static bool is_penalised(const gck_place *place)
{
    return gck_layer_is_penalised(layer_at(place));
}

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

static bool has_samples(const gck_place *place)
{
    return is_penalised(place) && place->data->samples > 1;
}

static double missing_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 0;
    return f->data[e];
}

static double doubled_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 2 * f->penalty[e];
    return f->data[e];
}

/* l2 w in place of 2 l2 w */
static double halved_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const double w = f->parameters[e];
    *ret_penalty = l1_of(&f->place) * sign(w) + l2_of(&f->place) * w;
    return f->data[e];
}

static double negated_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = -f->penalty[e];
    return f->data[e];
}

static double divided_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = f->penalty[e] / (double)f->place.data->samples;
    return f->data[e];
}

static double halved_divided_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    halved_value(f, e, ret_penalty);
    *ret_penalty /= (double)f->place.data->samples;
    return f->data[e];
}

static double multiplied_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = f->penalty[e] * (double)f->place.data->samples;
    return f->data[e];
}

static double l1_missing_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 2 * l2_of(&f->place) * f->parameters[e];
    return f->data[e];
}

static double l2_missing_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = l1_of(&f->place) * sign(f->parameters[e]);
    return f->data[e];
}

static double l1_as_l2_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 2 * (l1_of(&f->place) + l2_of(&f->place)) * f->parameters[e];
    return f->data[e];
}

static double l2_as_l1_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = (l1_of(&f->place) + l2_of(&f->place)) * sign(f->parameters[e]);
    return f->data[e];
}

/* |w| or w^2, the penalty itself, in place of its slope */
static double itself_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const double w = f->parameters[e];
    *ret_penalty = l1_of(&f->place) * fabs(w) + l2_of(&f->place) * w * w;
    return f->data[e];
}

/* w in place of sign(w) */
static double unsigned_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const double w = f->parameters[e];
    *ret_penalty = l1_of(&f->place) * w + 2 * l2_of(&f->place) * w;
    return f->data[e];
}

static double on_bias_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const double b = f->parameters[e];
    *ret_penalty = l1_of(&f->place) * sign(b) + 2 * l2_of(&f->place) * b;
    return f->data[e];
}

/* ---- another layer's penalty, in a tensor that has none ---- */

static size_t layer_count(const gck_place *place)
{
    return place->model->layer_count;
}

static bool others_applies(const gck_place *place)
{
    const gck_layer *other = &place->model->layer[place->which];
    return other != layer_at(place) && gck_layer_is_penalised(other) &&
           (strength(other, "l1") != l1_of(place) || strength(other, "l2") != l2_of(place));
}

static double others_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const gck_layer *other = &f->place.model->layer[f->place.which];
    const double w = f->parameters[e];
    *ret_penalty = strength(other, "l1") * sign(w) + 2 * strength(other, "l2") * w;
    return f->data[e];
}

/* ---- layout, units, inputs ---- */

static bool is_matrix(const gck_place *place)
{
    return layer_at(place)->inputs > 1 && layer_at(place)->outputs > 1;
}

static bool is_square(const gck_place *place)
{
    return is_matrix(place) && layer_at(place)->inputs == layer_at(place)->outputs;
}

static bool is_oblong(const gck_place *place)
{
    return is_matrix(place) && layer_at(place)->inputs != layer_at(place)->outputs;
}

/* Element (i, j) of (inputs, units) read from the same memory as (units, inputs). */
static double transposed_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    const size_t rows = f->tensor->shape.dim[0], columns = f->tensor->shape.dim[1];
    const size_t from = e % rows * columns + e / rows;
    *ret_penalty = 0;
    return f->data[from] + f->penalty[from];
}

static size_t searched(const gck_place *place)
{
    (void)place;
    return GCK_SEARCHED;
}

static double unit_missing_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 0;
    return e % layer_at(&f->place)->outputs == f->place.which ? 0 : f->data[e] + f->penalty[e];
}

static double input_missing_value(const gck_finished *f, size_t e, double *ret_penalty)
{
    *ret_penalty = 0;
    return e / layer_at(&f->place)->outputs == f->place.which ? 0 : f->data[e] + f->penalty[e];
}

static const gck_mistake_kind finished_kinds[] = {
    {GCK_FINDING_TRANSPOSED, "transposed", "{what} is transposed", GCK_STAGE_FINISHED, "W",
     .applies = is_square, .value = transposed_value},
    {GCK_FINDING_TRANSPOSED, "reshaped",
     "{what} has the numbers of its transpose: computed as (units, inputs), or stored column by "
     "column, and reshaped",
     GCK_STAGE_FINISHED, "W", .applies = is_oblong, .value = transposed_value},
    {GCK_FINDING_REGULARISATION, "missing", "the penalty of l1 and l2 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = is_penalised, .value = missing_value},
    {GCK_FINDING_REGULARISATION, "halved",
     "the penalty in {what} is l2 W: the factor 2 is missing in the derivative of l2 W^2",
     GCK_STAGE_FINISHED, "W", .applies = has_l2, .value = halved_value},
    {GCK_FINDING_REGULARISATION, "doubled", "the penalty in {what} is twice what it should be",
     GCK_STAGE_FINISHED, "W", .applies = is_penalised, .value = doubled_value},
    {GCK_FINDING_REGULARISATION, "divided_by_samples",
     "the penalty in {what} is divided by the {m} samples, but l1 and l2 stand beside the mean",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .value = divided_value},
    {GCK_FINDING_REGULARISATION, "halved_and_divided",
     "the penalty in {what} is l2 W / m, that of a cost with l2 / 2m; here the cost has l2 W^2, "
     "whose derivative is 2 l2 W",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .value = halved_divided_value},
    {GCK_FINDING_REGULARISATION, "times_samples",
     "the penalty in {what} is {m} times too large: it is added once for each sample",
     GCK_STAGE_FINISHED, "W", .applies = has_samples, .value = multiplied_value},
    {GCK_FINDING_REGULARISATION, "negated",
     "the penalty in {what} has the wrong sign: it is subtracted", GCK_STAGE_FINISHED, "W",
     .applies = is_penalised, .value = negated_value},
    {GCK_FINDING_REGULARISATION, "l1_missing", "the penalty of l1 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = has_both, .value = l1_missing_value},
    {GCK_FINDING_REGULARISATION, "l2_missing", "the penalty of l2 is missing in {what}",
     GCK_STAGE_FINISHED, "W", .applies = has_both, .value = l2_missing_value},
    {GCK_FINDING_REGULARISATION, "l1_without_sign",
     "the penalty of l1 in {what} is l1 W, not l1 sign(W)", GCK_STAGE_FINISHED, "W",
     .applies = has_l1, .value = unsigned_value},
    {GCK_FINDING_REGULARISATION, "l1_as_l2",
     "l1 is treated as l2 in {what}: 2 l1 W in place of l1 sign(W)", GCK_STAGE_FINISHED, "W",
     .applies = has_l1, .value = l1_as_l2_value},
    {GCK_FINDING_REGULARISATION, "l2_as_l1",
     "l2 is treated as l1 in {what}: l2 sign(W) in place of 2 l2 W", GCK_STAGE_FINISHED, "W",
     .applies = has_l2, .value = l2_as_l1_value},
    {GCK_FINDING_REGULARISATION, "not_derived",
     "{what} has the penalty itself in it, not its derivative", GCK_STAGE_FINISHED, "W",
     .applies = is_penalised, .value = itself_value},
    {GCK_FINDING_REGULARISATION, "on_bias",
     "{what} has a penalty in it, but l1 and l2 leave biases alone", GCK_STAGE_FINISHED, "b",
     .applies = is_penalised, .value = on_bias_value},
    {GCK_FINDING_REGULARISATION, "of_another_layer",
     "{what} has the penalty of layer {which} in it", GCK_STAGE_FINISHED, "W",
     .variants = layer_count, .applies = others_applies, .value = others_value},
    {GCK_FINDING_MISSING_UNIT, "unit",
     "unit {which} is left out of {what}: its gradients are zero, though its delta is passed down",
     GCK_STAGE_FINISHED, NULL, .variants = searched, .value = unit_missing_value},
    {GCK_FINDING_MISSING_UNIT, "input", "row {which} of {what}, that of input {which}, is left out",
     GCK_STAGE_FINISHED, "W", .variants = searched, .value = input_missing_value},
};

const gck_mistake_group gck_mistakes_finished = {finished_kinds,
                                                 sizeof finished_kinds / sizeof finished_kinds[0]};
