/* What the lines come to. */
#include "core/session.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- a tensor of which every element has a line ---- */

/* Each element's slopes, in vectors for gck_tensor_judge: numeric, what of it the claim is compared
 * with (the nearest slope at a kink), and the bar. */
static void elements_gather(const gck_session *session, size_t tensor, double *numeric,
                            double *nearest, double *bar, unsigned char *crossed)
{
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next) {
        const session_line *line = &session->line[i];
        if (!session_line_counts(session, i)) continue;
        const gck_direction d = session_line_direction(line);
        numeric[line->first] = line->numeric;
        nearest[line->first] = d.exact;
        bar[line->first] = d.bar;
        crossed[line->first] = line->gap != 0;
    }
}

static gck_status whole_judge(const gck_session *session, size_t tensor, gck_tensor_report *report,
                              gck_error *error)
{
    double values[3][SESSION_WHOLE];
    unsigned char crossed[SESSION_WHOLE] = {0};
    for (size_t e = 0; e < SESSION_WHOLE; e++)
        values[0][e] = values[1][e] = NAN, values[2][e] = INFINITY;
    elements_gather(session, tensor, values[0], values[1], values[2], crossed);
    report->numeric = values[0];
    report->exact = values[1];
    report->bar = values[2];
    report->crossed = crossed;
    const gck_status status =
        gck_tensor_judge(report, session->spec.tolerance, session->spec.worst, error);
    report->numeric = report->exact = report->bar = NULL;
    report->crossed = NULL;
    return status;
}

/* ---- a tensor of which directions were probed ---- */

static size_t directions_gather(const gck_session *session, size_t tensor,
                                gck_direction to[GCK_DIRECTIONS_MAX], gck_norms *ret_norms)
{
    size_t count = 0;
    double bars = 0;
    for (size_t i = session->part[tensor].head; i != SESSION_NONE && count < GCK_DIRECTIONS_MAX;
         i = session->line[i].next) {
        const session_line *line = &session->line[i];
        if (!session_line_counts(session, i) || !isfinite(line->error)) continue;
        to[count] = session_line_direction(line);
        bars += to[count].bar * to[count].bar;
        count++;
    }
    ret_norms->bar = count > 0 ? sqrt(bars / (double)count) : INFINITY;
    return count;
}

/* The elements that a search has come to, wrong ones first. */
static gck_status found_gather(const gck_session *session, size_t tensor, gck_tensor_report *report,
                               gck_error *error)
{
    report->worst = calloc(session->spec.worst + 1, sizeof *report->worst);
    if (report->worst == NULL) return gck_error_memory(error);
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next) {
        const session_line *line = &session->line[i];
        if (line->count != 1 || !session_line_wrong(session, line)) continue;
        if (report->worst_count == session->spec.worst) break;
        const double a = line->claimed, n = line->numeric, away = fabs(n - a);
        report->worst[report->worst_count++] =
            (gck_element){line->first, a, n, n, away, away / fmax(fabs(a), fabs(n)), GCK_FAIL};
    }
    return GCK_OK;
}

static gck_verdict directions_verdict(const gck_session *session, size_t tensor,
                                      const gck_tensor_report *report, size_t count)
{
    (void)session, (void)tensor;
    if (report->wrong_elements > 1) return GCK_FAIL;
    if (report->wrong_elements > 0 || count == 0) return GCK_INCONCLUSIVE;
    return report->detection <= GCK_SESSION_RESOLUTION ? GCK_PASS : GCK_INCONCLUSIVE;
}

/* Nothing but noise in the slopes, and no more in the claim. */
static bool is_zero(const gck_norms *norms)
{
    return norms->exact <= norms->bar && norms->analytic <= norms->bar;
}

static gck_status directions_judge(const gck_session *session, size_t tensor,
                                   gck_tensor_report *report, gck_error *error)
{
    gck_direction direction[GCK_DIRECTIONS_MAX];
    gck_norms norms = {0};
    const size_t count = directions_gather(session, tensor, direction, &norms);
    report->max_absolute_error = report->max_relative_error = NAN;
    report->detection = INFINITY;
    if (count > 0) {
        const gck_directional judged =
            gck_directions_judge(direction, count, session->spec.tolerance);
        norms.numeric = norms.exact = judged.exact;
        norms.analytic = judged.claimed;
        norms.difference = norms.refined = judged.difference;
        report->wrong_elements = judged.wrong;
        report->detection = judged.detection;
    }
    report->norms = norms;
    report->distance = gck_distance(&norms);
    report->refined_distance = gck_refined_distance(&norms);
    report->error_bar = gck_error_bar(&norms);
    report->verdict = count > 0 && is_zero(&norms)
                          ? GCK_PASS
                          : directions_verdict(session, tensor, report, count);
    return found_gather(session, tensor, report, error);
}

/* ---- a tensor ---- */

static void lines_count(const gck_session *session, size_t tensor, gck_session_judged *judged)
{
    judged->still = true;
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next) {
        const session_line *line = &session->line[i];
        judged->lines += !line->skipped;
        judged->evaluations += line->evaluations;
        judged->still &= line->still || line->skipped;
    }
    judged->still &= judged->evaluations > 0;
}

static gck_status tensor_judge(const gck_session *session, size_t tensor,
                               gck_session_judged *judged, gck_error *error)
{
    const gck_session_tensor *of = &session->spec.tensor[tensor];
    gck_tensor_report *report = &judged->of;
    *judged = (gck_session_judged){.claimed = of->claimed != NULL,
                                   .whole = session_is_whole(session, tensor)};
    *report = (gck_tensor_report){.name = of->name,
                                  .shape = of->shape,
                                  .count = session_count(session, tensor),
                                  .analytic = of->claimed};
    if (of->claimed == NULL) return GCK_OK;
    lines_count(session, tensor, judged);
    if (!session->part[tensor].finite) {
        report->verdict = GCK_FAIL;
        report->distance = report->refined_distance = NAN;
        report->worst = calloc(1, sizeof *report->worst);
        return report->worst == NULL ? gck_error_memory(error) : GCK_OK;
    }
    return judged->whole ? whole_judge(session, tensor, report, error)
                         : directions_judge(session, tensor, report, error);
}

/* ---- warnings ---- */

static gck_status warn(gck_session_result *result, gck_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static gck_status warn(gck_session_result *result, gck_error *error, const char *format, ...)
{
    if (result->warning_count == result->warning_capacity) {
        const size_t capacity = 2 * result->warning_capacity + 8;
        void *grown = realloc(result->warning, capacity * sizeof *result->warning);
        if (grown == NULL) return gck_error_memory(error);
        result->warning = grown;
        result->warning_capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->warning[result->warning_count++], GCK_WARNING_SIZE, format, arguments);
    va_end(arguments);
    return GCK_OK;
}

static gck_status tensor_warn(const gck_session_judged *judged, gck_session_result *result,
                              gck_error *error)
{
    const gck_tensor_report *report = &judged->of;
    if (!judged->claimed) return GCK_OK;
    if (judged->still)
        return warn(result, error,
                    "f is the same wherever %.80s was moved: either it does not depend on it, or "
                    "the program does not use the values it is sent",
                    report->name);
    if (report->verdict == GCK_PASS && is_zero(&report->norms))
        return warn(result, error,
                    "the gradient of %.80s is zero here, but for noise: the check shows nothing",
                    report->name);
    if (report->kinks > 0)
        return warn(result, error,
                    "f has a kink at theta in %zu elements of %.80s: any slope between the left "
                    "and the right one is accepted",
                    report->kinks, report->name);
    return GCK_OK;
}

static gck_status whole_warn(const gck_session *session, gck_session_result *result,
                             gck_error *error)
{
    const double value = session->spec.value;
    const double apart = fabs(value - session->value);
    gck_status status = GCK_OK;
    if (!session->repeats)
        status = warn(result, error,
                      "f is not deterministic: its value at theta was another one when it was "
                      "asked again; it is taken to err by %.3g",
                      session->noise);
    /* The claimed value may come from another precision. */
    const double like = SESSION_BAR * gck_dtype_roundoff(session->spec.dtype) * fabs(value);
    if (status == GCK_OK && !isnan(value) && !(apart <= session_noise_of(session, value) + like))
        status = warn(result, error,
                      "f is claimed to be %.10g at theta, and is %.10g there: the gradient is "
                      "perhaps that of another function, or of another point",
                      value, session->value);
    if (status == GCK_OK && session->exhausted)
        status = warn(result, error,
                      "the budget of %zu evaluations was too small for all lines; what is not "
                      "decided is inconclusive",
                      session->spec.budget);
    return status;
}

/* ---- all of it ---- */

static gck_status findings_add(gck_session *session, gck_session_result *result, gck_error *error)
{
    gck_status status = GCK_OK;
    gck_findings *findings = &result->findings;
    findings->finding = calloc(result->tensor_count, sizeof *findings->finding);
    if (findings->finding == NULL) return gck_error_memory(error);
    for (size_t i = 0; status == GCK_OK && i < result->tensor_count; i++)
        if (result->tensor[i].claimed && result->tensor[i].of.verdict == GCK_FAIL)
            status = session_explain(session, &result->tensor[i], i,
                                     &findings->finding[findings->count++], error);
    return status;
}

static gck_status tensors_judge(const gck_session *session, gck_session_result *result,
                                gck_error *error)
{
    gck_status status = GCK_OK;
    gck_norms norms = {0};
    for (size_t i = 0; status == GCK_OK && i < session->spec.tensor_count; i++) {
        gck_session_judged *judged = &result->tensor[result->tensor_count++];
        status = tensor_judge(session, i, judged, error);
        if (!judged->claimed) continue;
        result->parameters += judged->of.count;
        norms = gck_norms_join(&norms, &judged->of.norms);
        if (judged->of.verdict > result->verdict) result->verdict = judged->of.verdict;
        if (!judged->whole) result->detection = fmax(result->detection, judged->of.detection);
    }
    result->distance = gck_distance(&norms);
    return status;
}

gck_status gck_session_result_new(gck_session *session, gck_session_result **ret_result,
                                  gck_error *error)
{
    gck_session_result *result = calloc(1, sizeof *result);
    if (result == NULL) return gck_error_memory(error);
    *result = (gck_session_result){.value = session->value,
                                   .noise = session->noise,
                                   .repeats = session->repeats,
                                   .tolerance = session->spec.tolerance,
                                   .evaluations = session->evaluations,
                                   .rounds = session->round,
                                   .budget = session->spec.budget,
                                   .exhausted = session->exhausted};
    result->tensor = calloc(session->spec.tensor_count, sizeof *result->tensor);
    gck_status status = result->tensor == NULL ? gck_error_memory(error) : GCK_OK;
    if (status == GCK_OK) status = tensors_judge(session, result, error);
    if (status == GCK_OK) status = findings_add(session, result, error);
    if (status == GCK_OK) status = whole_warn(session, result, error);
    for (size_t i = 0; status == GCK_OK && i < result->tensor_count; i++)
        status = tensor_warn(&result->tensor[i], result, error);
    if (status == GCK_OK)
        *ret_result = result;
    else
        gck_session_result_free(result);
    return status;
}

void gck_session_result_free(gck_session_result *result)
{
    if (result == NULL) return;
    for (size_t i = 0; i < result->tensor_count; i++)
        free(result->tensor[i].of.worst);
    free(result->tensor);
    gck_findings_done(&result->findings);
    free(result->warning);
    free(result);
}
