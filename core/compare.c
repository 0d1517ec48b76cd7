#include "core/compare.h"

#include <math.h>
#include <stdlib.h>

#define TOLERANCE 1e-8

double compare_bar(double a, double b, double roundoff)
{
    const double share = COMPARE_BAR * roundoff;
    return share * fabs(a) + share * fabs(b);
}

static double tolerance_of(const gck_compare_spec *spec)
{
    const double of_dtype = gck_dtype_tolerance(spec->dtype);
    if (!isnan(spec->tolerance)) return spec->tolerance;
    return isnan(of_dtype) ? TOLERANCE : of_dtype;
}

static gck_status tensor_judge(const gck_compared *tensor, const compare_rule *rule, size_t worst,
                               double *bar, gck_tensor_report *ret, gck_error *error)
{
    for (size_t i = 0; i < tensor->count; i++)
        bar[i] = compare_bar(tensor->claimed[i], tensor->reference[i], rule->roundoff);
    /* A claim that is not finite is wrong, whatever its bar. */
    for (size_t i = 0; i < tensor->count; i++)
        if (!isfinite(bar[i])) bar[i] = 0;
    *ret = (gck_tensor_report){.name = tensor->name,
                               .shape = tensor->shape,
                               .count = tensor->count,
                               .analytic = tensor->claimed,
                               .numeric = tensor->reference,
                               .exact = tensor->reference,
                               .bar = bar};
    const gck_status status = gck_tensor_judge(ret, rule->tolerance, worst, error);
    ret->bar = NULL;
    return status;
}

static gck_status tensors_judge(const gck_compare_spec *spec, const compare_rule *rule,
                                gck_comparison *comparison, gck_error *error)
{
    size_t longest = 1;
    for (size_t i = 0; i < spec->count; i++)
        if (spec->tensor[i].count > longest) longest = spec->tensor[i].count;
    double *bar = gck_vector_room(longest);
    comparison->tensor = calloc(spec->count + 1, sizeof *comparison->tensor);
    gck_status status = GCK_OK;
    if (bar == NULL || comparison->tensor == NULL) status = gck_error_memory(error);
    gck_norms norms = {0};
    for (size_t i = 0; status == GCK_OK && i < spec->count; i++) {
        gck_tensor_report *report = &comparison->tensor[comparison->count++];
        status = tensor_judge(&spec->tensor[i], rule, spec->worst, bar, report, error);
        if (status != GCK_OK) break;
        norms = gck_norms_join(&norms, &report->norms);
        if (report->verdict > comparison->verdict) comparison->verdict = report->verdict;
    }
    comparison->distance = gck_distance(&norms);
    gck_vector_free(bar);
    return status;
}

static gck_status findings_add(const gck_compare_spec *spec, const compare_rule *rule,
                               gck_comparison *comparison, gck_error *error)
{
    gck_findings *findings = &comparison->findings;
    size_t failed = 0;
    for (size_t i = 0; i < comparison->count; i++)
        failed += comparison->tensor[i].verdict != GCK_PASS;
    if (failed == 0) return GCK_OK;
    if (failed > GCK_COMPARE_FINDINGS) failed = GCK_COMPARE_FINDINGS;
    findings->finding = calloc(failed, sizeof *findings->finding);
    if (findings->finding == NULL) return gck_error_memory(error);
    for (size_t i = 0; i < comparison->count && findings->count < failed; i++)
        if (comparison->tensor[i].verdict != GCK_PASS)
            compare_explain(&spec->tensor[i], &comparison->tensor[i], rule, spec->dtype,
                            &findings->finding[findings->count++]);
    return GCK_OK;
}

gck_status gck_comparison_new(const gck_compare_spec *spec, gck_comparison **ret_comparison,
                              gck_error *error)
{
    gck_comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL) return gck_error_memory(error);
    const compare_rule rule = {tolerance_of(spec), gck_dtype_roundoff(spec->dtype)};
    comparison->tolerance = rule.tolerance;
    gck_status status = tensors_judge(spec, &rule, comparison, error);
    if (status == GCK_OK) status = findings_add(spec, &rule, comparison, error);
    if (status == GCK_OK)
        *ret_comparison = comparison;
    else
        gck_comparison_free(comparison);
    return status;
}

void gck_comparison_free(gck_comparison *comparison)
{
    if (comparison == NULL) return;
    for (size_t i = 0; i < comparison->count; i++)
        free(comparison->tensor[i].worst);
    free(comparison->tensor);
    gck_findings_done(&comparison->findings);
    free(comparison);
}
