#include <gradcheck/verdict.h>

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *gck_method_name(gck_method method)
{
    static const char *const names[] = {[GCK_CENTRAL] = "central",
                                        [GCK_FORWARD] = "forward",
                                        [GCK_COMPLEX_STEP] = "complex_step",
                                        [GCK_RIDDERS] = "ridders",
                                        [GCK_DIRECTIONAL] = "directional"};
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
    const double least = 1e-11;
    if (method == GCK_CENTRAL) return fmax(epsilon * epsilon, least);
    if (method == GCK_FORWARD) return fmax(epsilon, least);
    return least;
}

/* difference / (a + b), and 0 when both are 0. Scaled by the larger norm, so that neither the sum
 * overflows nor a small one is lost. */
static double ratio(double difference, double a, double b)
{
    if (a == 0 && b == 0) return difference == 0 ? 0 : INFINITY;
    const double scale = a > b ? a : b;
    return difference / scale / (a / scale + b / scale);
}

double gck_distance(const gck_norms *norms)
{
    return ratio(norms->difference, norms->numeric, norms->analytic);
}

double gck_refined_distance(const gck_norms *norms)
{
    return ratio(norms->refined, norms->exact, norms->analytic);
}

double gck_error_bar(const gck_norms *norms)
{
    return ratio(norms->bar, norms->exact, norms->analytic);
}

gck_norms gck_norms_join(const gck_norms *a, const gck_norms *b)
{
    return (gck_norms){.analytic = gck_norm_join(a->analytic, b->analytic),
                       .numeric = gck_norm_join(a->numeric, b->numeric),
                       .difference = gck_norm_join(a->difference, b->difference),
                       .exact = gck_norm_join(a->exact, b->exact),
                       .refined = gck_norm_join(a->refined, b->refined),
                       .bar = gck_norm_join(a->bar, b->bar)};
}

gck_verdict gck_element_verdict(double exact, double analytic, double bar, double tolerance)
{
    if (!isfinite(analytic)) return GCK_FAIL;
    if (!isfinite(exact) || !isfinite(bar)) return GCK_INCONCLUSIVE;
    const double error = fabs(exact - analytic);
    const double limit = tolerance * fabs(exact) + tolerance * fabs(analytic) + bar + DBL_MIN;
    return error <= limit && isfinite(error) ? GCK_PASS : GCK_FAIL;
}

/* The larger of two errors; NaN counts as larger than any number. */
static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

static gck_element element_at(const gck_tensor_report *tensor, size_t index, double error,
                              gck_verdict verdict)
{
    const double a = tensor->analytic[index], n = tensor->exact[index];
    const double size = worse(fabs(a), fabs(n));
    return (gck_element){.index = index,
                         .analytic = a,
                         .numeric = tensor->numeric[index],
                         .exact = n,
                         .absolute_error = error,
                         .relative_error = error == 0 ? 0 : error / size,
                         .verdict = verdict};
}

static bool is_worse(double error, gck_verdict verdict, const gck_element *than)
{
    if (verdict != than->verdict) return verdict > than->verdict;
    return !isnan(than->absolute_error) && !(error <= than->absolute_error);
}

/* Keeps the list sorted, the worst first; of equals the earlier index stays ahead. */
static void worst_insert(gck_tensor_report *tensor, size_t limit, size_t index, double error,
                         gck_verdict verdict)
{
    size_t place = tensor->worst_count;
    while (place > 0 && is_worse(error, verdict, &tensor->worst[place - 1]))
        place--;
    if (place >= limit) return;
    if (tensor->worst_count < limit) tensor->worst_count++;
    memmove(&tensor->worst[place + 1], &tensor->worst[place],
            (tensor->worst_count - place - 1) * sizeof tensor->worst[0]);
    tensor->worst[place] = element_at(tensor, index, error, verdict);
}

static void elements_judge(gck_tensor_report *tensor, double tolerance, size_t limit)
{
    for (size_t i = 0; i < tensor->count; i++) {
        const double a = tensor->analytic[i], n = tensor->exact[i], error = fabs(n - a);
        const double relative = error == 0 ? 0 : error / worse(fabs(a), fabs(n));
        const gck_verdict verdict = gck_element_verdict(n, a, tensor->bar[i], tolerance);
        tensor->max_absolute_error = worse(tensor->max_absolute_error, error);
        tensor->max_relative_error = worse(tensor->max_relative_error, relative);
        tensor->wrong_elements += verdict == GCK_FAIL;
        tensor->kinks += tensor->crossed != NULL && tensor->crossed[i] != 0;
        if (verdict > tensor->verdict) tensor->verdict = verdict;
        worst_insert(tensor, limit, i, error, verdict);
    }
}

gck_status gck_tensor_judge(gck_tensor_report *tensor, double tolerance, size_t worst,
                            gck_error *error)
{
    const size_t limit = worst < tensor->count ? worst : tensor->count, count = tensor->count;
    tensor->worst = calloc(limit > 0 ? limit : 1, sizeof *tensor->worst);
    if (tensor->worst == NULL) return gck_error_memory(error);
    tensor->worst_count = tensor->kinks = tensor->wrong_elements = 0;
    tensor->max_absolute_error = tensor->max_relative_error = 0;
    tensor->detection = NAN;
    tensor->verdict = GCK_PASS;
    elements_judge(tensor, tolerance, limit);
    tensor->norms =
        (gck_norms){.analytic = gck_vector_norm(tensor->analytic, count),
                    .numeric = gck_vector_norm(tensor->numeric, count),
                    .difference = gck_vector_distance(tensor->numeric, tensor->analytic, count),
                    .exact = gck_vector_norm(tensor->exact, count),
                    .refined = gck_vector_distance(tensor->exact, tensor->analytic, count),
                    .bar = gck_vector_norm(tensor->bar, count)};
    tensor->distance = gck_distance(&tensor->norms);
    tensor->refined_distance = gck_refined_distance(&tensor->norms);
    tensor->error_bar = gck_error_bar(&tensor->norms);
    return GCK_OK;
}

gck_status gck_report_warn(gck_report *report, gck_error *error, const char *format, ...)
{
    if (report->warning_count == report->warning_capacity) {
        const size_t capacity = 2 * report->warning_capacity + 8;
        void *grown = realloc(report->warning, capacity * sizeof *report->warning);
        if (grown == NULL) return gck_error_memory(error);
        report->warning = grown;
        report->warning_capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->warning[report->warning_count++], GCK_WARNING_SIZE, format, arguments);
    va_end(arguments);
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
