#include "core/check_forward.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* Costs and outputs come from a log or a print as often as gradients do not: eight digits are all
 * that is asked of them, however small the tolerance. */
#define AGREEMENT 1e-8

static double allowed(const gck_report *report, double ours, double claimed, double bar)
{
    const double tolerance = fmax(report->tolerance, AGREEMENT);
    return tolerance * fabs(ours) + tolerance * fabs(claimed) + bar + DBL_MIN;
}

bool gck_forward_same(const gck_report *report, double ours, double claimed, double bar)
{
    return gck_element_verdict(ours, claimed, bar, fmax(report->tolerance, AGREEMENT)) != GCK_FAIL;
}

/* A sample of weight 0 has no say, and what is claimed of it none either. */
static bool counts(const gck_data *data, size_t sample)
{
    return data->weights == NULL || data->weights[sample] != 0;
}

static void output_compare(const gck_report *report, double claimed, size_t at, double *worst,
                           gck_forward_difference *ret)
{
    const double ours = report->outputs[at], bar = report->outputs_bar[at];
    ret->judged++;
    if (!isfinite(claimed)) {
        if (ret->strange++ == 0) ret->at = at;
        return;
    }
    if (gck_forward_same(report, ours, claimed, bar)) return;
    ret->different++;
    const double error = fabs(ours - claimed) / allowed(report, ours, claimed, bar);
    if (ret->strange > 0 || error <= *worst) return;
    *worst = error;
    ret->at = at;
}

gck_forward_difference gck_forward_compare(const gck_check_spec *spec, const gck_report *report)
{
    const gck_claim *claim = spec->claim;
    const size_t outputs = spec->model->outputs;
    gck_forward_difference difference = {0};
    double worst = 0;
    if (claim == NULL) return difference;
    for (size_t k = 0; claim->outputs != NULL && k < spec->data->samples; k++)
        for (size_t at = k * outputs; counts(spec->data, k) && at < (k + 1) * outputs; at++)
            output_compare(report, claim->outputs[at], at, &worst, &difference);
    if (!claim->has_cost) return difference;
    difference.lost = !isfinite(claim->cost) && !isfinite(report->cost_bar);
    difference.cost =
        !difference.lost && !gck_forward_same(report, report->cost, claim->cost, report->cost_bar);
    return difference;
}

const char *gck_number_format(double number, char text[GCK_NUMBER_TEXT])
{
    if (isfinite(number))
        snprintf(text, GCK_NUMBER_TEXT, "%.10g", number);
    else
        snprintf(text, GCK_NUMBER_TEXT, "%s",
                 isnan(number) ? "NaN"
                 : number > 0  ? "Infinity"
                               : "-Infinity");
    return text;
}

static gck_status cost_warn(const gck_check_spec *spec, const gck_forward_difference *d,
                            gck_report *report, gck_error *error)
{
    char claimed[GCK_NUMBER_TEXT];
    gck_number_format(spec->claim->cost, claimed);
    if (d->lost)
        return gck_report_warn(report, error,
                               "non_finite: the claimed cost is %s, here it is %.10g: " GCK_LOST,
                               claimed, report->cost);
    return gck_report_warn(report, error,
                           "different_forward: the claimed cost is %s, here it is %.10g, though no "
                           "gradient fails",
                           claimed, report->cost);
}

gck_status gck_forward_warn(const gck_check_spec *spec, gck_report *report, gck_error *error)
{
    const gck_forward_difference d = gck_forward_compare(spec, report);
    const size_t outputs = spec->model->outputs, wrong = d.strange + d.different;
    char claimed[GCK_NUMBER_TEXT];
    if (report->verdict == GCK_FAIL) return GCK_OK;
    if (wrong == 0) return d.cost || d.lost ? cost_warn(spec, &d, report, error) : GCK_OK;
    return gck_report_warn(report, error,
                           "different_forward: %zu of %zu claimed outputs are not ours, though no "
                           "gradient fails: output %zu of sample %zu is %s, here it is %.10g",
                           wrong, d.judged, d.at % outputs, d.at / outputs,
                           gck_number_format(spec->claim->outputs[d.at], claimed),
                           report->outputs[d.at]);
}
