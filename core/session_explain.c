/* What kind of mistake a wrong tensor looks like, by its lines alone. */
#include "core/finding.h"
#include "core/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMED = 3 }; /* elements in a sentence */

/* ---- lines as pairs ---- */

/* Another claim's products with the directions that a tensor is judged by. */
typedef struct pairs {
    size_t count;
    double exact[GCK_DIRECTIONS_MAX], other[GCK_DIRECTIONS_MAX], bar[GCK_DIRECTIONS_MAX];
} pairs;

static double product(gck_session *session, session_line line, const double *other)
{
    session_direction(session, &line);
    return gck_direction_dot(other + line.first, session->v, line.count) / line.length;
}

/* other NULL: what is claimed. */
static void pairs_gather(gck_session *session, size_t tensor, const double *other, pairs *ret)
{
    ret->count = 0;
    for (size_t i = session_place_first(session, tensor);
         i != SESSION_NONE && ret->count < GCK_DIRECTIONS_MAX; i = session_place_next(session, i)) {
        const session_place place = session_place_of(session, i);
        if (place.best == NULL) continue;
        ret->exact[ret->count] = place.best->numeric;
        ret->other[ret->count] =
            other == NULL ? place.best->claimed : product(session, *place.best, other);
        ret->bar[ret->count++] = place.error + place.best->bar + fabs(place.best->gap) / 2;
    }
}

/* Whether the others are `factor` times the derivatives in every pair. */
static bool pairs_fit(const gck_session *session, const pairs *p, double factor)
{
    const double tolerance = session->spec.tolerance;
    for (size_t i = 0; i < p->count; i++) {
        const double wanted = factor * p->exact[i];
        const double limit =
            tolerance * (fabs(wanted) + fabs(p->other[i])) + fmax(1, fabs(factor)) * p->bar[i];
        if (!(fabs(p->other[i] - wanted) <= limit)) return false;
    }
    return true;
}

static double pairs_factor(const pairs *p)
{
    double product_sum = 0, square = 0;
    for (size_t i = 0; i < p->count; i++) {
        product_sum += p->exact[i] * p->other[i];
        square += p->exact[i] * p->exact[i];
    }
    return product_sum / square;
}

/* ---- sentences ---- */

static void say_factor(gck_finding *finding, const char *name, double factor)
{
    const double size = fabs(factor);
    if (fabs(factor + 1) < 1e-3) {
        finding->mistake.code = GCK_FINDING_SIGN_FLIPPED;
        finding_message(finding, "the gradient of %.80s has the wrong sign", name);
    } else {
        finding->mistake.code = GCK_FINDING_SCALED;
        finding_message(finding, "the gradient of %.80s is %.6g times too %s%s", name,
                        size > 1 ? size : 1 / size, size > 1 ? "large" : "small",
                        factor < 0 ? ", and has the wrong sign" : "");
    }
    finding_evidence(finding, "factor", factor);
}

static void position(const gck_shape *shape, size_t index, char *text, size_t size)
{
    size_t axis[GCK_RANK_MAX], length = 0;
    gck_shape_unravel(shape, index, axis);
    text[0] = '\0';
    for (size_t i = 0; i < shape->rank && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "[%zu]", axis[i]);
}

/* Whether more are wrong than right: these are no single ones. */
static bool is_most(const gck_session_judged *judged)
{
    return judged->whole && judged->of.count > 2 &&
           2 * judged->of.wrong_elements > judged->of.count;
}

static void say_elements(gck_finding *finding, const gck_tensor_report *report)
{
    char list[200] = "";
    size_t wrong = 0; /* these stand first */
    while (wrong < report->worst_count && report->worst[wrong].verdict == GCK_FAIL)
        wrong++;
    const size_t named = wrong < NAMED ? wrong : NAMED;
    for (size_t i = 0; i < named; i++) {
        char place[64];
        position(&report->shape, report->worst[i].index, place, sizeof place);
        const size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%.20s%s is %.6g, not %.6g",
                 i > 0 ? ", " : "", report->name, place, report->worst[i].analytic,
                 report->worst[i].exact);
    }
    finding->mistake.code = GCK_FINDING_ELEMENTS;
    finding_message(finding, "single elements are wrong: %s%s", list,
                    wrong > named ? ", and others" : "");
    finding_evidence(finding, "index", (double)report->worst[0].index);
}

static void say_non_finite(gck_finding *finding, const gck_session_judged *judged)
{
    const gck_tensor_report *report = &judged->of;
    size_t count = 0, first = 0;
    char place[64];
    for (size_t e = report->count; e-- > 0;) {
        if (isfinite(report->analytic[e])) continue;
        first = e;
        count++;
    }
    position(&report->shape, first, place, sizeof place);
    finding->mistake.code = GCK_FINDING_NON_FINITE;
    finding_message(finding,
                    "%zu of %zu numbers in the gradient of %.80s are NaN or infinite, the "
                    "first at %s",
                    count, report->count, report->name, place);
    finding_evidence(finding, "count", (double)count);
    finding_evidence(finding, "index", (double)first);
}

/* ---- what is tried ---- */

static bool is_zero(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0) return false;
    return true;
}

/* How many pairs tell a factor from others: those whose error is small beside the derivative. */
static size_t pairs_telling(const pairs *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        count += p->bar[i] < fabs(p->exact[i]) / 4;
    return count;
}

/* By what factor the claim differs from the gradient; NaN where it is not one. */
static double factor_of(gck_session *session, size_t tensor)
{
    pairs p;
    pairs_gather(session, tensor, NULL, &p);
    const double factor = pairs_factor(&p);
    return pairs_telling(&p) > 1 && isfinite(factor) && pairs_fit(session, &p, factor) ? factor
                                                                                       : NAN;
}

bool session_is_alike(gck_session *session, size_t tensor)
{
    return !isnan(factor_of(session, tensor));
}

/* Element (i, j) of (rows, columns) from the same memory as (columns, rows). */
static gck_status explain_transposed(gck_session *session, const gck_tensor_report *report,
                                     size_t tensor, gck_finding *finding, bool *ret_found,
                                     gck_error *error)
{
    const size_t rows = report->shape.dim[0], columns = report->shape.dim[1];
    *ret_found = false;
    if (report->shape.rank != 2 || rows < 2 || columns < 2) return GCK_OK;
    double *other = gck_vector_room(report->count);
    pairs p;
    if (other == NULL) return gck_error_memory(error);
    for (size_t e = 0; e < report->count; e++)
        other[e] = report->analytic[e % columns * rows + e / columns];
    pairs_gather(session, tensor, other, &p);
    gck_vector_free(other);
    if (pairs_telling(&p) < 2 || !pairs_fit(session, &p, 1)) return GCK_OK;
    *ret_found = true;
    finding->mistake.code = GCK_FINDING_TRANSPOSED;
    finding_message(finding, "the gradient of %.80s is transposed", report->name);
    return GCK_OK;
}

static void say_unexplained(const gck_session *session, const gck_session_judged *judged,
                            size_t tensor, gck_finding *finding)
{
    const char *name = judged->of.name;
    if (judged->still)
        finding_message(finding,
                        "a gradient is claimed for %.80s, but f is the same wherever it "
                        "was moved",
                        name);
    else if (session->part[tensor].spread)
        finding_message(finding, "the gradient of %.80s is wrong wherever it was looked at", name);
    else if (is_most(judged))
        finding_message(finding, "the gradient of %.80s is wrong in %zu of %zu elements", name,
                        judged->of.wrong_elements, judged->of.count);
    else
        finding_message(finding, "the gradient of %.80s is wrong", name);
}

gck_status session_explain(gck_session *session, const gck_session_judged *judged, size_t tensor,
                           gck_finding *finding, gck_error *error)
{
    const gck_tensor_report *report = &judged->of;
    bool found = false;
    *finding = (gck_finding){.mistake = {.code = GCK_FINDING_UNEXPLAINED,
                                         .layer = GCK_FINDING_NO_LAYER,
                                         .tensor = report->name}};
    if (!session->part[tensor].finite) {
        say_non_finite(finding, judged);
        return GCK_OK;
    }
    if (is_zero(report->analytic, report->count)) {
        finding->mistake.code = GCK_FINDING_ZERO;
        finding_message(finding, "the gradient of %.80s is zero throughout", report->name);
        return GCK_OK;
    }
    const double factor = judged->still ? NAN : factor_of(session, tensor);
    if (!isnan(factor)) {
        say_factor(finding, report->name, factor);
        return GCK_OK;
    }
    const gck_status status =
        judged->still ? GCK_OK
                      : explain_transposed(session, report, tensor, finding, &found, error);
    if (status != GCK_OK || found) return status;
    if (report->worst_count > 0 && !session->part[tensor].spread && !is_most(judged))
        say_elements(finding, report);
    else
        say_unexplained(session, judged, tensor, finding);
    return GCK_OK;
}
