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

static const gck_layer *layer_at(const gck_place *place)
{
    return place->layer < place->model->layer_count ? &place->model->layer[place->layer] : NULL;
}

static double per_unit(const gck_place *place)
{
    return layer_at(place) == NULL ? 1 : 1 / (double)layer_at(place)->outputs;
}

static double per_input(const gck_place *place)
{
    return layer_at(place) == NULL ? 1 : 1 / (double)layer_at(place)->inputs;
}

const gck_scale gck_scales[] = {
    {GCK_FINDING_SCALED, "mean_missing", GCK_FINDING_BIAS_REDUCTION, "summed", samples,
     "that is the batch size; the mean over the batch is missing",
     "that is the batch size, which this cost does not multiply by: it sums over the samples",
     divides_by_samples, true},
    {GCK_FINDING_SCALED, "mean_twice", GCK_FINDING_BIAS_REDUCTION, "averaged", per_sample,
     "that is the batch size; the mean over the batch is taken twice",
     "that is the batch size; a mean over the batch is taken where this cost sums",
     divides_by_samples, true},
    {GCK_FINDING_SIGN_FLIPPED, "negated", GCK_FINDING_SIGN_FLIPPED, NULL, minus,
     "the sign is flipped, as by y - a in place of a - y", NULL, NULL, true},
    {GCK_FINDING_SCALED, "doubled", GCK_FINDING_SCALED, NULL, two,
     "it is added up twice, or a factor 2 stands where none is due", NULL, NULL, true},
    {GCK_FINDING_SCALED, "halved", GCK_FINDING_SCALED, NULL, half,
     "the factor 2 of the squared error's derivative is missing, as if the cost had 1/2 in front",
     "a factor 1/2 stands where none is due", has_square},
    {GCK_FINDING_SCALED, "outputs_missing", GCK_FINDING_SCALED, NULL, outputs,
     "that is the number of outputs; the mean over the outputs is missing",
     "that is the number of outputs", divides_by_outputs},
    {GCK_FINDING_SCALED, "outputs_twice", GCK_FINDING_SCALED, NULL, per_output,
     "that is the number of outputs; the mean over the outputs is taken twice",
     "that is the number of outputs; a mean over the outputs is taken where this cost sums",
     divides_by_outputs},
    {GCK_FINDING_SCALED, "all_summed", GCK_FINDING_SCALED, NULL, elements,
     "that is the batch size times the number of outputs; the mean over all elements is missing",
     "that is the batch size times the number of outputs", divides_by_outputs},
    {GCK_FINDING_SCALED, "all_averaged", GCK_FINDING_SCALED, NULL, per_element,
     "that is the batch size times the number of outputs: a mean over all elements too many", NULL,
     NULL},
    {GCK_FINDING_SCALED, "divided_by_weights", GCK_FINDING_SCALED, NULL, by_weights,
     "the mean divides by the sum of the sample weights, not by the number of samples", NULL, NULL},
    {GCK_FINDING_SCALED, "one_sample_short", GCK_FINDING_SCALED, NULL, one_short,
     "the mean divides by m - 1, not by m", NULL, NULL, true},
    {GCK_FINDING_SCALED, "one_sample_over", GCK_FINDING_SCALED, NULL, one_over,
     "the mean divides by m + 1, not by m", NULL, NULL},
    {GCK_FINDING_SCALED, "scale_missing", GCK_FINDING_SCALED, NULL, per_cost_scale,
     "the cost's own scale is left out", NULL, NULL},
    {GCK_FINDING_SCALED, "scale_twice", GCK_FINDING_SCALED, NULL, cost_scale,
     "the cost's own scale is applied twice", NULL, NULL},
    {GCK_FINDING_SCALED, "mean_over_units", GCK_FINDING_SCALED, NULL, per_unit,
     "that is the number of units of the layer; a mean over the units is taken", NULL, NULL},
    {GCK_FINDING_SCALED, "mean_over_inputs", GCK_FINDING_SCALED, NULL, per_input,
     "that is the number of inputs of the layer; a mean over the inputs is taken", NULL, NULL},
};
const size_t gck_scale_count = sizeof gck_scales / sizeof gck_scales[0];

const gck_scale gck_scale_unknown = {GCK_FINDING_SCALED,
                                     "factor",
                                     GCK_FINDING_SCALED,
                                     NULL,
                                     NULL,
                                     "no number of this model or batch is that factor; a learning "
                                     "rate, perhaps",
                                     NULL,
                                     NULL};
