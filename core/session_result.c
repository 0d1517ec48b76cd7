/* What the lines come to. */
#include "core/session.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what a tensor that shows nothing wrong is worth ---- */

/* No gradient, as far as can be seen, and none claimed: where another tensor would have moved f far
 * more than the lines err by. */
static bool is_zero(const gck_session *session, size_t tensor, const gck_norms *norms)
{
    const double reach = session_reach(session), size = session_size(session, tensor);
    return reach > 0 && session_is_nothing(session, tensor) && norms->exact <= norms->bar &&
           norms->bar * size <= GCK_SESSION_RESOLUTION * reach;
}

static gck_verdict shown(const gck_session *session, size_t tensor, const gck_tensor_report *report)
{
    const gck_norms *norms = &report->norms;
    const double seen = isnan(report->detection) ? session->spec.tolerance + gck_error_bar(norms)
                                                 : report->detection;
    if (is_zero(session, tensor, norms)) return GCK_PASS;
    return seen <= session_resolution(session) ? GCK_PASS : GCK_INCONCLUSIVE;
}

/* ---- a tensor of which every element has a line ---- */

/* Each element's slopes, in vectors for gck_tensor_judge. */
typedef struct elements {
    double numeric[SESSION_WHOLE];
    double exact[SESSION_WHOLE]; /* what the claim is compared with: at a kink the nearest slope */
    double bar[SESSION_WHOLE];
    unsigned char crossed[SESSION_WHOLE];
    size_t doubtful; /* wrong by one line alone */
} elements;

static void elements_gather(const gck_session *session, size_t tensor, elements *ret)
{
    for (size_t i = session_place_first(session, tensor); i != SESSION_NONE;
         i = session_place_next(session, i)) {
        const session_place place = session_place_of(session, i);
        const size_t e = session->line[i].first;
        if (place.best == NULL) continue;
        const gck_direction d = session_place_direction(&place);
        const bool doubtful = place.wrong && !place.confirmed;
        ret->numeric[e] = place.best->numeric;
        ret->exact[e] = d.exact;
        ret->bar[e] = d.bar + (doubtful ? fabs(d.claimed - d.exact) : 0);
        ret->crossed[e] = place.best->gap != 0;
        ret->doubtful += doubtful;
    }
}

static gck_status whole_judge(const gck_session *session, size_t tensor, gck_tensor_report *report,
                              gck_error *error)
{
    elements of = {.doubtful = 0};
    for (size_t e = 0; e < SESSION_WHOLE; e++) {
        of.numeric[e] = of.exact[e] = NAN;
        of.bar[e] = INFINITY;
    }
    elements_gather(session, tensor, &of);
    report->numeric = of.numeric;
    report->exact = of.exact;
    report->bar = of.bar;
    report->crossed = of.crossed;
    const gck_status status =
        gck_tensor_judge(report, session->spec.tolerance, session->spec.worst, error);
    if (status == GCK_OK && report->verdict == GCK_PASS)
        report->verdict = of.doubtful > 0 ? GCK_INCONCLUSIVE : shown(session, tensor, report);
    report->numeric = report->exact = report->bar = NULL;
    report->crossed = NULL;
    return status;
}

/* ---- a tensor of which directions were probed ---- */

/* Keeps the list sorted, the largest error first. */
static void found_insert(gck_tensor_report *report, size_t limit, gck_element element)
{
    size_t place = report->worst_count;
    if (place == limit &&
        (limit == 0 || !(element.absolute_error > report->worst[place - 1].absolute_error)))
        return;
    if (place == limit) place--;
    report->worst_count = place + 1;
    for (; place > 0 && element.absolute_error > report->worst[place - 1].absolute_error; place--)
        report->worst[place] = report->worst[place - 1];
    report->worst[place] = element;
}

/* The elements that a search has come to and found wrong. */
static gck_status found_gather(const gck_session *session, size_t tensor, gck_tensor_report *report,
                               gck_error *error)
{
    const size_t limit = session->spec.worst < report->count ? session->spec.worst : report->count;
    report->worst = calloc(limit + 1, sizeof *report->worst);
    if (report->worst == NULL) return gck_error_memory(error);
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next) {
        const session_line *line = &session->line[i];
        if (line->count != 1 || !session_line_wrong(session, line)) continue;
        const double a = line->claimed, n = line->numeric, away = fabs(n - a);
        found_insert(
            report, limit,
            (gck_element){line->first, a, n, n, away, away / fmax(fabs(a), fabs(n)), GCK_FAIL});
    }
    return GCK_OK;
}

static gck_norms norms_of(const gck_directional *judged, const gck_direction *direction,
                          size_t count)
{
    double bar = 0;
    for (size_t i = 0; i < count; i++)
        bar = gck_norm_join(bar, direction[i].bar);
    return (gck_norms){.analytic = judged->claimed,
                       .numeric = judged->exact,
                       .difference = judged->difference,
                       .exact = judged->exact,
                       .refined = judged->difference,
                       .bar = bar / sqrt((double)count)};
}

static gck_verdict directions_verdict(const gck_session *session, size_t tensor,
                                      gck_tensor_report *report)
{
    size_t doubtful = 0;
    for (size_t i = session_place_first(session, tensor); i != SESSION_NONE;
         i = session_place_next(session, i)) {
        const session_place place = session_place_of(session, i);
        report->wrong_elements += place.confirmed;
        doubtful += place.wrong && !place.confirmed;
    }
    if (report->wrong_elements > 0) return GCK_FAIL;
    return doubtful > 0 ? GCK_INCONCLUSIVE : shown(session, tensor, report);
}

static gck_status directions_judge(const gck_session *session, size_t tensor,
                                   gck_tensor_report *report, gck_error *error)
{
    gck_direction direction[GCK_DIRECTIONS_MAX];
    const size_t count = session_directions(session, tensor, direction);
    gck_norms *norms = &report->norms;
    *norms = (gck_norms){NAN, NAN, NAN, NAN, NAN, INFINITY};
    report->max_absolute_error = report->max_relative_error = NAN;
    report->detection = INFINITY;
    if (count > 0) {
        const gck_directional judged =
            gck_directions_judge(direction, count, session->spec.tolerance);
        *norms = norms_of(&judged, direction, count);
        report->detection = judged.detection;
    }
    report->distance = gck_distance(norms);
    report->refined_distance = gck_refined_distance(norms);
    report->error_bar = gck_error_bar(norms);
    report->verdict = directions_verdict(session, tensor, report);
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

static gck_status tensor_warn(const gck_session *session, size_t tensor, gck_session_result *result,
                              gck_error *error)
{
    const gck_session_judged *judged = &result->tensor[tensor];
    const gck_tensor_report *report = &judged->of;
    if (!judged->claimed) return GCK_OK;
    if (judged->still)
        return warn(result, error,
                    "f is the same wherever %.80s was moved: either it does not depend on it, or "
                    "the program does not use the values it is sent",
                    report->name);
    if (report->verdict == GCK_PASS && is_zero(session, tensor, &report->norms))
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
    if (status == GCK_OK && !isnan(value) &&
        !(apart <= 2 * session_noise_of(session, value) + like))
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
        status = tensor_warn(session, i, result, error);
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
