#include "core/survey.h"
#include "core/activation.h"
#include "core/cost.h"
#include "core/kinks.h"

#include <math.h>

/* Samples with a weight for which values[k] == place, or values[k] != place. */
static double count_samples(const gck_base *base, const double *values, double place, bool equal)
{
    double count = 0;
    for (size_t k = 0; k < base->lanes; k++)
        count += base->weights[k] != 0 && (values[k] == place) == equal;
    return count;
}

/* Whether the slope right of the place differs from that left of it; softsign, and elu at alpha 1,
 * only bend there. */
static bool slope_jumps(const gck_activation_row *row, const double *option, double place)
{
    const double beside[2] = {nextafter(place, -INFINITY), nextafter(place, INFINITY)};
    double slope[2];
    row->exact->slopes(option, 2, beside, slope);
    return fabs(slope[0] - slope[1]) > 1e-9 * (fabs(slope[0]) + fabs(slope[1]));
}

static void layer_add(const gck_base *base, size_t index, const gck_survey *survey)
{
    const gck_layer *layer = &base->model->layer[index];
    const gck_base_layer *at = &base->layer[index];
    const gck_choice *activation = &layer->spec.activation;
    const gck_activation_row *row = gck_activation_row_of(activation);
    const size_t offset = gck_kink_offset(base->model, index);
    double place[GCK_KINKS_MAX];
    const size_t places =
        row->change->kinks == NULL ? 0 : row->change->kinks(activation->option, place);
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        const size_t first = unit * base->lanes;
        if (row->exact->slopes != NULL)
            survey->live[offset + unit] += count_samples(base, at->slope + first, 0, false);
        for (size_t p = 0; p < places; p++)
            if (slope_jumps(row, activation->option, place[p]))
                survey->on_kink[offset + unit] +=
                    count_samples(base, at->z + first, place[p], true);
    }
}

static void cost_add(const gck_base *base, const gck_survey *survey)
{
    const gck_model *model = base->model;
    const gck_choice *activation = &model->layer[model->layer_count - 1].spec.activation;
    const size_t offset = gck_kink_offset(model, model->layer_count);
    if (!gck_cost_change_of(&model->cost, activation)->kinked) return;
    for (size_t unit = 0; unit < model->outputs; unit++)
        survey->on_kink[offset + unit] +=
            count_samples(base, base->aux[0] + unit * base->lanes, 0, true);
}

/* The slope of an output with respect to its own pre-activation. */
static double output_slope(const gck_base_layer *last, bool coupled, size_t at)
{
    return coupled ? last->a[at] * (1 - last->a[at]) : fabs(last->slope[at]);
}

/* Where a kinked activation is flat its units are dead, which is told unit by unit. */
static void saturated_add(const gck_base *base, const gck_survey *survey)
{
    const gck_model *model = base->model;
    const gck_base_layer *last = &base->layer[model->layer_count - 1];
    if (last->z == NULL) return;
    const gck_activation_row *row =
        gck_activation_row_of(&model->layer[model->layer_count - 1].spec.activation);
    if (row->change->kinks != NULL || (row->change->coupled && model->outputs == 1)) return;
    for (size_t k = 0; k < base->lanes; k++) {
        bool all = base->weights[k] != 0;
        for (size_t unit = 0; unit < model->outputs && all; unit++)
            all = output_slope(last, row->change->coupled, unit * base->lanes + k) < GCK_SATURATED;
        *survey->saturated += all;
    }
}

void gck_survey_add(const gck_base *base, const gck_survey *survey)
{
    for (size_t i = 0; i < base->model->layer_count; i++)
        if (base->layer[i].z != NULL) layer_add(base, i, survey);
    cost_add(base, survey);
    saturated_add(base, survey);
}
