#include <gradcheck/verdict.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *gck_method_name(gck_method method)
{
    static const char *const names[] = {[GCK_CENTRAL] = "central"};
    return names[method];
}

const char *gck_verdict_name(gck_verdict verdict)
{
    static const char *const names[] = {
        [GCK_PASS] = "pass", [GCK_INCONCLUSIVE] = "inconclusive", [GCK_FAIL] = "fail"};
    return names[verdict];
}

double gck_tolerance_default(gck_method method, double epsilon)
{
    (void)method;
    return fmax(epsilon * epsilon, 1e-11);
}

double gck_distance(const gck_norms *norms)
{
    if (norms->numeric == 0 && norms->analytic == 0) return 0;
    /* Scaled by the larger norm, so that neither the sum overflows nor a small one is lost. */
    const double scale = norms->numeric > norms->analytic ? norms->numeric : norms->analytic;
    return norms->difference / scale / (norms->numeric / scale + norms->analytic / scale);
}

gck_norms gck_norms_join(const gck_norms *a, const gck_norms *b)
{
    return (gck_norms){.difference = gck_norm_join(a->difference, b->difference),
                       .numeric = gck_norm_join(a->numeric, b->numeric),
                       .analytic = gck_norm_join(a->analytic, b->analytic)};
}

gck_verdict gck_verdict_of(double distance, double tolerance)
{
    return distance <= tolerance ? GCK_PASS : GCK_INCONCLUSIVE;
}

/* The larger of two errors; NaN counts as larger than any number. */
static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

static gck_element element_judge(const gck_tensor_report *tensor, size_t index, double tolerance)
{
    const double a = tensor->analytic[index], n = tensor->numeric[index];
    const double error = fabs(n - a), size = worse(fabs(a), fabs(n));
    const gck_norms norms = {error, fabs(n), fabs(a)};
    return (gck_element){.index = index,
                         .analytic = a,
                         .numeric = n,
                         .absolute_error = error,
                         .relative_error = error == 0 ? 0 : error / size,
                         .verdict = gck_verdict_of(gck_distance(&norms), tolerance)};
}

static bool is_worse(double error, double than)
{
    return !isnan(than) && !(error <= than);
}

/* Keeps the list sorted, the worst first; of equals the earlier index stays ahead. */
static void worst_insert(gck_tensor_report *tensor, size_t limit, const gck_element *element)
{
    size_t place = tensor->worst_count;
    while (place > 0 && is_worse(element->absolute_error, tensor->worst[place - 1].absolute_error))
        place--;
    if (place >= limit) return;
    if (tensor->worst_count < limit) tensor->worst_count++;
    memmove(&tensor->worst[place + 1], &tensor->worst[place],
            (tensor->worst_count - place - 1) * sizeof *element);
    tensor->worst[place] = *element;
}

gck_status gck_tensor_judge(gck_tensor_report *tensor, double tolerance, size_t worst,
                            gck_error *error)
{
    const size_t limit = worst < tensor->count ? worst : tensor->count;
    tensor->worst = calloc(limit > 0 ? limit : 1, sizeof *tensor->worst);
    if (tensor->worst == NULL) return gck_error_memory(error);
    tensor->worst_count = 0;
    tensor->max_absolute_error = tensor->max_relative_error = 0;
    for (size_t i = 0; i < tensor->count; i++) {
        const gck_element element = element_judge(tensor, i, tolerance);
        tensor->max_absolute_error = worse(tensor->max_absolute_error, element.absolute_error);
        tensor->max_relative_error = worse(tensor->max_relative_error, element.relative_error);
        worst_insert(tensor, limit, &element);
    }
    tensor->norms = (gck_norms){
        .difference = gck_vector_distance(tensor->numeric, tensor->analytic, tensor->count),
        .numeric = gck_vector_norm(tensor->numeric, tensor->count),
        .analytic = gck_vector_norm(tensor->analytic, tensor->count)};
    tensor->distance = gck_distance(&tensor->norms);
    tensor->verdict = gck_verdict_of(tensor->distance, tolerance);
    return GCK_OK;
}

void gck_report_free(gck_report *report)
{
    if (report == NULL) return;
    for (size_t i = 0; i < report->layer_count; i++) {
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            free(report->layer[i].tensor[t].worst);
        free(report->layer[i].tensor);
    }
    free(report->layer);
    free(report->inputs.worst);
    free(report->warning);
    free(report);
}
