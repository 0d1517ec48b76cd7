/* Factors that gradients are off by, and what each of them is. */
#include "core/cost.h"
#include "core/mistake.h"

#include <math.h>
#include <string.h>

static double samples(const gck_place *place)
{
    return (double)place->data->samples;
}

static double outputs(const gck_place *place)
{
    return (double)place->model->outputs;
}

static const char *reduction(const gck_place *place)
{
    const gck_choice *cost = &place->model->cost;
    const int option = gck_item_option_find(cost->item, "reduction");
    return cost->item->option[option].words[(size_t)cost->option[option]];
}

static bool divides_by_samples(const gck_place *place)
{
    return strcmp(reduction(place), "sum") != 0;
}

static bool divides_by_outputs(const gck_place *place)
{
    return strcmp(reduction(place), "mean") == 0;
}

static bool has_square(const gck_place *place)
{
    return strcmp(place->model->cost.item->name, "mse") == 0;
}

static double per_sample(const gck_place *place)
{
    return 1 / samples(place);
}

static double two(const gck_place *place)
{
    (void)place;
    return 2;
}

static double half(const gck_place *place)
{
    (void)place;
    return 0.5;
}

static double minus(const gck_place *place)
{
    (void)place;
    return -1;
}

static double per_output(const gck_place *place)
{
    return 1 / outputs(place);
}

static double elements(const gck_place *place)
{
    return samples(place) * outputs(place);
}

static double per_element(const gck_place *place)
{
    return 1 / elements(place);
}

static double cost_scale(const gck_place *place)
{
    const gck_choice *cost = &place->model->cost;
    return cost->option[gck_item_option_find(cost->item, "scale")];
}

static double per_cost_scale(const gck_place *place)
{
    return 1 / cost_scale(place);
}

/* m / sum of the weights */
static double by_weights(const gck_place *place)
{
    double sum = 0;
    if (place->data->weights == NULL || !divides_by_samples(place)) return 1;
    for (size_t k = 0; k < place->data->samples; k++)
        sum += place->data->weights[k];
    return samples(place) / sum;
}

static double one_short(const gck_place *place)
{
    return divides_by_samples(place) ? samples(place) / (samples(place) - 1) : 1;
}

static double one_over(const gck_place *place)
{
    return divides_by_samples(place) ? samples(place) / (samples(place) + 1) : 1;
}

/* Not where the gradient of x is meant. */
static bool has_layer(const gck_place *place)
{
    return place->layer < place->model->layer_count;
}

static double per_unit(const gck_place *place)
{
    return has_layer(place) ? 1 / (double)gck_place_layer(place)->outputs : 1;
}

static double per_input(const gck_place *place)
{
    return has_layer(place) ? 1 / (double)gck_place_layer(place)->inputs : 1;
}

#define SCALED .code = GCK_FINDING_SCALED, .bias_code = GCK_FINDING_SCALED
#define REDUCED .code = GCK_FINDING_SCALED, .bias_code = GCK_FINDING_BIAS_REDUCTION
#define SIGN .code = GCK_FINDING_SIGN_FLIPPED, .bias_code = GCK_FINDING_SIGN_FLIPPED

const gck_scale gck_scales[] = {
    {REDUCED, .name = "mean_missing", .bias_name = "summed", .factor = samples,
     .reason = "that is the batch size; the mean over the batch is missing",
     .reason_not =
         "that is the batch size, which this cost does not multiply by: it sums over the samples",
     .holds = divides_by_samples, .seeded = true},
    {REDUCED, .name = "mean_twice", .bias_name = "averaged", .factor = per_sample,
     .reason = "that is the batch size; the mean over the batch is taken twice",
     .reason_not = "that is the batch size; a mean over the batch is taken where this cost sums",
     .holds = divides_by_samples, .seeded = true},
    {SIGN, .name = "negated", .factor = minus,
     .reason = "the sign is flipped, as by y - a in place of a - y", .seeded = true},
    {SCALED, .name = "doubled", .factor = two,
     .reason = "it is added up twice, or a factor 2 stands where none is due", .seeded = true},
    {SCALED, .name = "halved", .factor = half,
     .reason = "the factor 2 of the squared error's derivative is missing, as if the cost had 1/2 "
               "in front",
     .reason_not = "a factor 1/2 stands where none is due", .holds = has_square},
    {SCALED, .name = "outputs_missing", .factor = outputs,
     .reason = "that is the number of outputs; the mean over the outputs is missing",
     .reason_not = "that is the number of outputs", .holds = divides_by_outputs},
    {SCALED, .name = "outputs_twice", .factor = per_output,
     .reason = "that is the number of outputs; the mean over the outputs is taken twice",
     .reason_not =
         "that is the number of outputs; a mean over the outputs is taken where this cost sums",
     .holds = divides_by_outputs},
    {SCALED, .name = "all_summed", .factor = elements,
     .reason = "that is the batch size times the number of outputs; the mean over all elements is "
               "missing",
     .reason_not = "that is the batch size times the number of outputs",
     .holds = divides_by_outputs},
    {SCALED, .name = "all_averaged", .factor = per_element,
     .reason = "that is the batch size times the number of outputs: a mean over all elements too "
               "many"},
    {SCALED, .name = "divided_by_weights", .factor = by_weights,
     .reason = "the mean divides by the sum of the sample weights, not by the number of samples"},
    {SCALED, .name = "one_sample_short", .factor = one_short,
     .reason = "the mean divides by m - 1, not by m", .seeded = true},
    {SCALED, .name = "one_sample_over", .factor = one_over,
     .reason = "the mean divides by m + 1, not by m"},
    {SCALED, .name = "scale_missing", .factor = per_cost_scale,
     .reason = "the cost's own scale is left out"},
    {SCALED, .name = "scale_twice", .factor = cost_scale,
     .reason = "the cost's own scale is applied twice"},
    {SCALED, .name = "mean_over_units", .factor = per_unit,
     .reason = "that is the number of units of the layer; a mean over the units is taken"},
    {SCALED, .name = "mean_over_inputs", .factor = per_input,
     .reason = "that is the number of inputs of the layer; a mean over the inputs is taken"},
};
const size_t gck_scale_count = sizeof gck_scales / sizeof gck_scales[0];

const gck_scale gck_scale_unknown = {
    SCALED, .name = "factor",
    .reason = "no number of this model or batch is that factor; a learning rate, perhaps"};
