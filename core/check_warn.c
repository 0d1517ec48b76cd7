/* What a reader should know beside the numbers: gradients that show nothing, kinks within stencils,
 * conventions on a kink, points at which a check has little power. */
#include "core/activation.h"
#include "core/check.h"
#include "core/check_forward.h"
#include "core/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 5, LIST_SIZE = 96 };

/* ---- lists: the places of the largest counts, in order ---- */

typedef struct list {
    size_t total; /* counts above 0 */
    size_t named, place[NAMED];
} list;

static list list_of(const double *counts, size_t count)
{
    list l = {0};
    for (size_t i = 0; i < count; i++) {
        if (!(counts[i] > 0)) continue;
        l.total++;
        size_t at = l.named;
        while (at > 0 && counts[i] > counts[l.place[at - 1]])
            at--;
        if (at == NAMED) continue;
        if (l.named < NAMED) l.named++;
        memmove(&l.place[at + 1], &l.place[at], (l.named - at - 1) * sizeof l.place[0]);
        l.place[at] = i;
    }
    return l;
}

static int by_place(const void *a, const void *b)
{
    const size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

/* "unit 3", "units 3 and 7", "samples 4, 18, 52, 60, 71 and 12 more"; returns text. */
static const char *list_format(list l, const char *noun, char text[LIST_SIZE])
{
    qsort(l.place, l.named, sizeof l.place[0], by_place);
    int used = snprintf(text, LIST_SIZE, "%s%s ", noun, l.total > 1 ? "s" : "");
    for (size_t i = 0; i < l.named; i++) {
        const bool last = i + 1 == l.total && i > 0;
        used += snprintf(text + used, (size_t)(LIST_SIZE - used), "%s%zu",
                         i == 0 ? ""
                         : last ? " and "
                                : ", ",
                         l.place[i]);
    }
    if (l.total > l.named)
        snprintf(text + used, (size_t)(LIST_SIZE - used), " and %zu more", l.total - l.named);
    return text;
}

/* ---- the function whose kink it is ---- */

static const char *kink_name(const gck_model *model, size_t layer)
{
    return layer == model->layer_count ? model->cost.item->name
                                       : model->layer[layer].spec.activation.item->name;
}

/* Counts of a layer without an activation are 0, unless they were loaded from a damaged state. */
static bool may_kink(const gck_model *model, size_t layer)
{
    return layer == model->layer_count || model->layer[layer].spec.activation.item != NULL;
}

static size_t kink_width(const gck_model *model, size_t layer)
{
    return layer == model->layer_count ? model->outputs : model->layer[layer].outputs;
}

/* "relu of layer 1", "mae" */
static const char *kink_place(const gck_model *model, size_t layer, char text[LIST_SIZE])
{
    if (layer == model->layer_count)
        snprintf(text, LIST_SIZE, "%s", kink_name(model, layer));
    else
        snprintf(text, LIST_SIZE, "%s of layer %zu", kink_name(model, layer), layer);
    return text;
}

static double sum(const double *values, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

/* The layer whose kinks are crossed most often, or layer_count + 1 for none. */
static size_t most_crossed(const gck_model *model, const double *unit)
{
    size_t most = model->layer_count + 1;
    double largest = 0;
    for (size_t i = 0; i <= model->layer_count; i++) {
        const double total = sum(unit + gck_kink_offset(model, i), kink_width(model, i));
        if (!(total > largest) || !may_kink(model, i)) continue;
        largest = total;
        most = i;
    }
    return most;
}

/* ---- kinks ---- */

static gck_status crossings_warn(const gck_check *check, const gck_crossings *crossings,
                                 const char *what, size_t crossed, size_t layer, gck_report *report,
                                 gck_error *error)
{
    const gck_model *model = check->spec.model;
    const size_t at = most_crossed(model, crossings->unit);
    if (at > model->layer_count || crossed == 0) return GCK_OK;
    char units[LIST_SIZE], samples[LIST_SIZE], of[32] = "";
    list_format(list_of(crossings->unit + gck_kink_offset(model, at), kink_width(model, at)),
                at == model->layer_count ? "output" : "unit", units);
    list_format(list_of(crossings->sample, check->spec.data->samples), "sample", samples);
    if (at != layer && at < model->layer_count) snprintf(of, sizeof of, " of layer %zu", at);
    return gck_report_warn(report, error, "%zu %s cross%s a kink of %s within ±%g, %s%s, %s",
                           crossed, what, crossed == 1 ? "es" : "", kink_name(model, at),
                           report->epsilon, units, of, samples);
}

static size_t layer_kinks(const gck_layer_report *layer)
{
    size_t kinks = 0;
    for (size_t t = 0; t < layer->tensor_count; t++)
        kinks += layer->tensor[t].kinks;
    return kinks;
}

static gck_status kinks_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    gck_status status = GCK_OK;
    if (!check->kinked) return GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < check->range_count; i++) {
        const size_t layer = check->range[i].layer, kinks = layer_kinks(&report->layer[i]);
        char what[64];
        snprintf(what, sizeof what, "parameter%s of layer %zu", kinks == 1 ? "" : "s", layer);
        status = crossings_warn(check, &check->crossings[i], what, kinks, layer, report, error);
    }
    if (status != GCK_OK || !report->has_inputs) return status;
    return crossings_warn(check, &check->crossings[check->range_count],
                          report->inputs.kinks == 1 ? "element of x" : "elements of x",
                          report->inputs.kinks, SIZE_MAX, report, error);
}

/* What holds of a claim on a kink (core/bar_claim.h). */
static const char *any_slope(const gck_check *check)
{
    return check->spec.claim == NULL ? "" : ", and any between those on either side is accepted";
}

static gck_status penalty_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < check->range_count; i++) {
        const gck_tensor *w = &check->spec.model->layer[check->range[i].layer].tensor[0];
        if (!gck_model_penalty_kinked(check->spec.model, w->offset)) continue;
        if (!check_is_claimed(&check->spec, check->range[i].layer, 0)) continue;
        size_t within = 0, zero = 0;
        for (size_t e = w->offset; e < w->offset + w->count; e++) {
            zero += check->spec.parameters[e] == 0;
            within += check_penalty_crosses(check, e);
        }
        if (within > 0)
            status = gck_report_warn(report, error,
                                     "%zu weight%s of layer %zu cross%s the kink of l1 within ±%g",
                                     within, within == 1 ? "" : "s", check->range[i].layer,
                                     within == 1 ? "es" : "", report->epsilon);
        if (zero > 0 && status == GCK_OK)
            status = gck_report_warn(report, error,
                                     "%zu weight%s of layer %zu %s 0, on the kink of l1, whose "
                                     "slope there is a convention: 0%s",
                                     zero, zero == 1 ? "" : "s", check->range[i].layer,
                                     zero == 1 ? "is" : "are", any_slope(check));
    }
    return status;
}

static gck_status conventions_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    const gck_model *model = check->spec.model;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i <= model->layer_count; i++) {
        const list units =
            list_of(check->survey.on_kink + gck_kink_offset(model, i), kink_width(model, i));
        if (units.total == 0 || !may_kink(model, i)) continue;
        char text[LIST_SIZE], place[LIST_SIZE];
        status = gck_report_warn(
            report, error,
            "%s: %s lie%s exactly on a kink in some sample; the slope there is a convention%s",
            kink_place(model, i, place),
            list_format(units, i == model->layer_count ? "output" : "unit", text),
            units.total == 1 ? "s" : "", any_slope(check));
    }
    return status;
}

/* ---- points that show little ---- */

/* Why the plain formula says more than the tolerance of a gradient that passes. */
static const char *distance_reason(const gck_check *check, const gck_tensor_report *tensor)
{
    if (check->spec.claim != NULL && !(tensor->refined_distance <= check->spec.tolerance))
        return "no element is further from the exact one than rounding can bring it";
    return tensor->kinks > 0 ? "the gradient is the exact one: stencils cross kinks"
                             : "the gradient is the exact one: the difference formula's own "
                               "truncation or rounding shows";
}

static gck_status tensor_warn(const gck_check *check, const char *place,
                              const gck_tensor_report *tensor, gck_report *report, gck_error *error)
{
    const gck_norms *norms = &tensor->norms;
    const int digits = tensor->distance > 1.2 * report->tolerance ? 2 : 9;
    /* A claim that is not finite is just wrong. */
    if (!isfinite(norms->exact) || (check->spec.claim == NULL && !isfinite(norms->analytic)))
        return gck_report_warn(report, error,
                               "%s%s: terms of the gradient or of its exact derivative overflow, "
                               "though the cost does not: what is not finite cannot be judged",
                               place, tensor->name);
    if (check->spec.claim != NULL && tensor->verdict != GCK_FAIL &&
        (isnan(norms->bar) || (norms->exact > 0 && norms->exact <= norms->bar)))
        return gck_report_warn(
            report, error,
            "%s%s: rounding in %s, or a kink, may do as much as the whole gradient: "
            "the check shows little",
            place, tensor->name, gck_dtype_name(check->spec.claim->dtype));
    if (norms->analytic <= norms->bar && norms->exact <= norms->bar)
        return gck_report_warn(report, error,
                               "%s%s: the gradient is zero, so the check shows nothing", place,
                               tensor->name);
    if (tensor->verdict == GCK_PASS && !(tensor->distance <= report->tolerance))
        return gck_report_warn(report, error,
                               "%s%s: the distance %.*g is over the tolerance %.*g, but %s", place,
                               tensor->name, digits, tensor->distance, digits, report->tolerance,
                               distance_reason(check, tensor));
    return GCK_OK;
}

static gck_status tensors_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t t = 0; status == GCK_OK && t < report->layer[i].tensor_count; t++) {
            char place[32];
            snprintf(place, sizeof place, "layer %zu ", report->layer[i].index);
            status = tensor_warn(check, place, &report->layer[i].tensor[t], report, error);
        }
    if (status == GCK_OK && report->has_inputs)
        status = tensor_warn(check, "inputs ", &report->inputs, report, error);
    return status;
}

/* Units whose slope is 0 in every sample that counts. */
static gck_status dead_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    const gck_model *model = check->spec.model;
    const size_t last = model->layer_count - 1;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < model->layer_count; i++) {
        const gck_choice *activation = &model->layer[i].spec.activation;
        if (activation->item == NULL) continue;
        if (gck_activation_row_of(activation)->exact->slopes == NULL) continue;
        if (i == last && gck_cost_is_entropy(&model->cost)) continue;
        const double *live = check->survey.live + gck_kink_offset(model, i);
        size_t dead = 0;
        for (size_t unit = 0; unit < model->layer[i].outputs; unit++)
            dead += live[unit] == 0;
        if (dead > 0)
            status = gck_report_warn(
                report, error,
                "layer %zu: %zu of %zu units are dead: the slope of %s is 0 in every sample, so "
                "that nothing before them is checked through them",
                i, dead, model->layer[i].outputs, kink_name(model, i));
    }
    return status;
}

static gck_status saturated_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    const double saturated = *check->survey.saturated;
    const size_t samples = check->spec.data->samples;
    if (!(saturated >= 0.1 * (double)samples)) return GCK_OK;
    return gck_report_warn(report, error,
                           "the outputs of %.0f of %zu samples are saturated (slopes below %g), "
                           "which leaves them next to no say in the gradient",
                           saturated, samples, GCK_SATURATED);
}

static size_t different_samples(const gck_data *data)
{
    size_t different = 0;
    for (size_t k = 1; k < data->samples; k++)
        different +=
            memcmp(data->x + k * data->inputs, data->x, data->inputs * sizeof *data->x) != 0;
    return different;
}

static gck_status data_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    const gck_data *data = check->spec.data;
    gck_status status = GCK_OK;
    if (data->samples > 1 && different_samples(data) == 0)
        status = gck_report_warn(report, error,
                                 "all %zu samples are the same: mistakes that depend on the sample "
                                 "cannot show",
                                 data->samples);
    if (status != GCK_OK || strcmp(check->spec.model->cost.item->name, "dot") != 0) return status;
    const size_t count = data->samples * data->outputs;
    for (size_t i = 1; i < count; i++)
        if (data->y[i] != data->y[0]) return GCK_OK;
    if (count < 2) return GCK_OK;
    return gck_report_warn(report, error,
                           "the upstream gradient is %g everywhere: mistakes that cancel in a sum "
                           "cannot show; random values show more",
                           data->y[0]);
}

/* ---- claims ---- */

static gck_status claim_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    const gck_claim *claim = check->spec.claim;
    gck_status status = GCK_OK;
    if (claim == NULL) return GCK_OK;
    if (claim->dtype != GCK_FLOAT64)
        status = gck_report_warn(report, error,
                                 "the claim is judged as %s: the tolerance is %.3g, and the bar "
                                 "allows for what rounding does in it",
                                 gck_dtype_name(claim->dtype), report->tolerance);
    return status == GCK_OK ? gck_forward_warn(&check->spec, report, error) : status;
}

gck_status check_warn(const gck_check *check, gck_report *report, gck_error *error)
{
    static gck_status (*const warn[])(const gck_check *, gck_report *, gck_error *) = {
        claim_warn,   kinks_warn, penalty_warn,   conventions_warn,
        tensors_warn, dead_warn,  saturated_warn, data_warn,
    };
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < sizeof warn / sizeof warn[0]; i++)
        status = warn[i](check, report, error);
    return status;
}
