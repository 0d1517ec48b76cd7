/* What a tensor that fails looks like: each kind in turn, the plainest first. All but the last are
 * only named where every element agrees with them. */
#include "core/compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Single elements: no more of them than this share, and not more than can be told. */
#define SINGLE_SHARE 0.1
/* What makes a dtype plausible: its own rounding, and some of the sums before it. */
#define ROUNDED_ELEMENTS 3

typedef struct sight {
    const gck_compared *tensor;
    const gck_tensor_report *report;
    const compare_rule *rule;
    gck_dtype dtype;
    gck_finding *finding;
} sight;

/* ---- saying it ---- */

__attribute__((format(printf, 4, 5))) static bool say(const sight *s, gck_finding_code code,
                                                      const char *name, const char *format, ...)
{
    gck_finding *finding = s->finding;
    finding->mistake.code = code;
    snprintf(finding->mistake.name, sizeof finding->mistake.name, "%s", name);
    const int used =
        snprintf(finding->message, sizeof finding->message, "%.100s ", s->tensor->name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->message + used, sizeof finding->message - (size_t)used, format, arguments);
    va_end(arguments);
    return true;
}

static void add(const sight *s, const char *name, double number)
{
    gck_evidence *evidence = &s->finding->evidence[s->finding->evidence_count++];
    snprintf(evidence->name, sizeof evidence->name, "%s", name);
    evidence->number = number;
}

/* ---- whether they are the same ---- */

static bool agrees(const sight *s, double claimed, double wanted)
{
    return gck_element_verdict(wanted, claimed, compare_bar(claimed, wanted, s->rule->roundoff),
                               s->rule->tolerance) == GCK_PASS;
}

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        if (fabs(values[i]) > most) most = fabs(values[i]);
    return most;
}

/* Sums of a * b / (scale of each)^2, which cannot overflow. */
static double dot(const double *a, double a_scale, const double *b, double b_scale, size_t count)
{
    double sum = 0;
    if (a_scale == 0 || b_scale == 0) return 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] / a_scale * (b[i] / b_scale);
    return sum;
}

/* ---- kinds ---- */

static bool looks_non_finite(const sight *s)
{
    const gck_compared *t = s->tensor;
    size_t count = 0, first = 0;
    for (size_t i = t->count; i-- > 0;)
        if (!isfinite(t->claimed[i])) {
            count++;
            first = i;
        }
    if (count == 0) return false;
    add(s, "elements", (double)count);
    add(s, "first", (double)first);
    return say(s, GCK_FINDING_NON_FINITE, "non_finite",
               "has %zu element%s that %s not finite, the first one at %zu (counted row by row)",
               count, count == 1 ? "" : "s", count == 1 ? "is" : "are", first);
}

static bool looks_zero(const sight *s)
{
    if (largest(s->tensor->claimed, s->tensor->count) > 0) return false;
    add(s, "reference_norm", s->report->norms.exact);
    return say(s, GCK_FINDING_ZERO, "zero",
               "is zero everywhere: nothing was added to it, or it was cleared afterwards");
}

/* Why a gradient comes out so many times too large, where there is a usual reason. */
static const char *scale_reason(double factor)
{
    if (fabs(factor - 2) < 1e-6)
        return ": it was added up twice, or the 1/2 of a squared error is missing";
    if (fabs(factor - 0.5) < 1e-6) return ": a factor 2 of a derivative is missing";
    return factor > 1 ? ": a mean may be missing" : ": something is divided by once too often";
}

static bool is_scaled(const sight *s, double factor)
{
    for (size_t i = 0; i < s->tensor->count; i++)
        if (!agrees(s, s->tensor->claimed[i], factor * s->tensor->reference[i])) return false;
    return true;
}

/* One number alone is in every ratio: only the usual ones say anything then. */
static bool is_usual(double factor)
{
    static const double usual[] = {-1, 2, 0.5, -2, -0.5};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (fabs(factor - usual[i]) <= 1e-8 * fabs(usual[i])) return true;
    return false;
}

static size_t nonzero(const double *values, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += values[i] != 0;
    return found;
}

static bool looks_scaled(const sight *s)
{
    const gck_compared *t = s->tensor;
    const double size = largest(t->reference, t->count), own = largest(t->claimed, t->count);
    if (size == 0) return false;
    const double factor = dot(t->claimed, own, t->reference, size, t->count) /
                          dot(t->reference, size, t->reference, size, t->count) * (own / size);
    if (!isfinite(factor) || !is_scaled(s, factor)) return false;
    if (nonzero(t->reference, t->count) < 2 && !is_usual(factor)) return false;
    add(s, "factor", factor);
    if (agrees(s, factor, -1))
        return say(s, GCK_FINDING_SIGN_FLIPPED, "sign_flipped",
                   "has the opposite sign everywhere: the difference in the delta, or the step, is "
                   "the wrong way round");
    return say(s, GCK_FINDING_SCALED, "scaled", "is %.8g times the reference%s", factor,
               factor > 0 ? scale_reason(factor) : ", of the opposite sign");
}

/* The numbers of the transpose, be it in the shape of the tensor. */
static bool looks_transposed(const sight *s)
{
    const gck_compared *t = s->tensor;
    const size_t rows = t->shape.dim[0], columns = t->shape.rank == 2 ? t->shape.dim[1] : 0;
    if (t->shape.rank != 2 || rows == 1 || columns == 1) return false;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            if (!agrees(s, t->claimed[j * rows + i], t->reference[i * columns + j])) return false;
    add(s, "rows", (double)rows);
    add(s, "columns", (double)columns);
    return say(s, GCK_FINDING_TRANSPOSED, "transposed",
               rows == columns
                   ? "is the transpose of the reference"
                   : "holds the transpose of the reference in the reference's shape: it "
                     "was reshaped where it had to be transposed");
}

/* claimed = factor * reference + decay * parameters, by least squares on numbers scaled to 1. */
static bool fit_decay(const gck_compared *t, double *ret_factor, double *ret_decay)
{
    const double a = largest(t->claimed, t->count), n = largest(t->reference, t->count);
    const double w = largest(t->parameters, t->count);
    const double nn = dot(t->reference, n, t->reference, n, t->count);
    const double nw = dot(t->reference, n, t->parameters, w, t->count);
    const double ww = dot(t->parameters, w, t->parameters, w, t->count);
    const double an = dot(t->claimed, a, t->reference, n, t->count);
    const double aw = dot(t->claimed, a, t->parameters, w, t->count);
    const double determinant = nn * ww - nw * nw;
    if (!(determinant > 1e-12 * nn * ww)) return false;
    *ret_factor = (an * ww - aw * nw) / determinant * (a / n);
    *ret_decay = (aw * nn - an * nw) / determinant * (a / w);
    return isfinite(*ret_factor) && isfinite(*ret_decay);
}

static bool looks_decayed(const sight *s)
{
    const gck_compared *t = s->tensor;
    double factor, decay;
    if (t->parameters == NULL || t->count < 3 || !fit_decay(t, &factor, &decay)) return false;
    if (agrees(s, factor, 1)) factor = 1;
    for (size_t i = 0; i < t->count; i++)
        if (!agrees(s, t->claimed[i], factor * t->reference[i] + decay * t->parameters[i]))
            return false;
    add(s, "factor", factor);
    add(s, "decay", decay);
    if (factor != 1)
        return say(s, GCK_FINDING_REGULARISATION, "scaled_and_decay",
                   "is %.8g times the reference and %.8g times the parameters: the regulariser is "
                   "not scaled as the rest is",
                   factor, decay);
    return say(s, GCK_FINDING_REGULARISATION, decay > 0 ? "decay_added" : "decay_missing",
               "is the reference %s %.8g times the parameters: weight decay is %s",
               decay > 0 ? "and" : "without", fabs(decay),
               decay > 0 ? "in the claim, and not in the reference"
                         : "in the reference, and not in the claim");
}

/* As a dtype's nearest number; exact for what is one already. */
static double rounded_to(double value, gck_dtype dtype)
{
    int exponent;
    if (dtype == GCK_FLOAT32) return (double)(float)value;
    const int digits = dtype == GCK_FLOAT16 ? 11 : 8;
    const double fraction = frexp(value, &exponent);
    return ldexp(nearbyint(ldexp(fraction, digits)), exponent - digits);
}

static bool is_rounded_to(const sight *s, gck_dtype dtype)
{
    const gck_compared *t = s->tensor;
    const double tolerance = gck_dtype_tolerance(dtype), roundoff = gck_dtype_roundoff(dtype);
    for (size_t i = 0; i < t->count; i++) {
        const double a = t->claimed[i], n = t->reference[i];
        const double bar = compare_bar(a, n, roundoff) + gck_dtype_smallest(dtype);
        if (rounded_to(a, dtype) != a || gck_element_verdict(n, a, bar, tolerance) != GCK_PASS)
            return false;
    }
    return true;
}

static bool looks_rounded(const sight *s)
{
    const gck_compared *t = s->tensor;
    if (nonzero(t->claimed, t->count) < ROUNDED_ELEMENTS) return false;
    /* Numbers of few digits are numbers of more digits, too. */
    for (int d = GCK_BFLOAT16; d > (int)s->dtype; d--) {
        const gck_dtype dtype = (gck_dtype)d;
        if (!is_rounded_to(s, dtype)) continue;
        add(s, "roundoff", gck_dtype_roundoff(dtype));
        add(s, "max_relative_error", s->report->max_relative_error);
        return say(s, GCK_FINDING_ROUNDED, gck_dtype_name(dtype),
                   "holds %s numbers, and agrees as well as such can: say \"dtype\": \"%s\"",
                   gck_dtype_name(dtype), gck_dtype_name(dtype));
    }
    return false;
}

/* "(0, 3)" */
static size_t index_format(const gck_shape *shape, size_t flat, char *text, size_t size)
{
    size_t index[GCK_RANK_MAX];
    size_t used = (size_t)snprintf(text, size, "(");
    gck_shape_unravel(shape, flat, index);
    for (size_t axis = 0; axis < shape->rank; axis++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%zu", axis == 0 ? "" : ", ", index[axis]);
    return used + (size_t)snprintf(text + used, size - used, ")");
}

static bool looks_single(const sight *s)
{
    const gck_tensor_report *report = s->report;
    const size_t wrong = report->wrong_elements;
    char text[5 * 4 * 24] = "";
    size_t used = 0, named = 0;
    if ((double)wrong > SINGLE_SHARE * (double)report->count && !(wrong == 1 && report->count > 2))
        return false;
    for (; named < report->worst_count && named < 5 && named < wrong; named++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", named > 0 ? ", " : "");
        used += index_format(&report->shape, report->worst[named].index, text + used,
                             sizeof text - used);
    }
    add(s, "wrong_elements", (double)wrong);
    add(s, "elements", (double)report->count);
    return say(s, GCK_FINDING_ELEMENTS, "elements",
               "differs in %zu of %zu elements alone, at %s%s: all others agree", wrong,
               report->count, text, wrong > named ? " and more" : "");
}

static bool looks_unexplained(const sight *s)
{
    add(s, "distance", s->report->distance);
    add(s, "wrong_elements", (double)s->report->wrong_elements);
    return say(s, GCK_FINDING_UNEXPLAINED, "unexplained",
               "differs from the reference in a way that shows no pattern: %zu of %zu elements",
               s->report->wrong_elements, s->report->count);
}

void compare_explain(const gck_compared *tensor, const gck_tensor_report *report,
                     const compare_rule *rule, gck_dtype dtype, gck_finding *ret_finding)
{
    static bool (*const kinds[])(const sight *) = {
        looks_non_finite, looks_zero,    looks_scaled, looks_transposed,
        looks_decayed,    looks_rounded, looks_single, looks_unexplained,
    };
    *ret_finding =
        (gck_finding){.mistake = {.layer = GCK_FINDING_NO_LAYER, .tensor = tensor->name}};
    const sight s = {tensor, report, rule, dtype, ret_finding};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !kinds[i](&s); i++) {
    }
}
