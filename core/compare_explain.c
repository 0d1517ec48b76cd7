/* What a tensor that fails looks like: each kind in turn, the plainest first. All but the last are
 * only named where every element agrees with them. */
#include "core/compare.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Single elements: no more of them than this share, and not more than can be told. */
#define SINGLE_SHARE 0.1
/* Bits of a double; and as many as it takes to believe in rounding: one in 10^12 by chance. */
enum { BITS = 53, SHOWN_BY = 40 };

/* Of the product of two squared norms, how much the determinant of a fit has to keep: below, the
 * parameters are a multiple of the reference but for rounding, and any split of the two fits. */
#define PARALLEL 1e-12
/* Odds at which chance is believed in. */
#define BY_CHANCE 0.01

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
    char place[GCK_SHAPE_TEXT];
    add(s, "elements", (double)count);
    add(s, "first", (double)first);
    if (t->count == 1) return say(s, GCK_FINDING_NON_FINITE, "non_finite", "is no finite number");
    return say(s, GCK_FINDING_NON_FINITE, "non_finite",
               "has %zu element%s that %s not finite, the first one at %s", count,
               count == 1 ? "" : "s", count == 1 ? "is" : "are",
               gck_index_format(&t->shape, first, place));
}

static bool looks_zero(const sight *s)
{
    if (largest(s->tensor->claimed, s->tensor->count) > 0) return false;
    add(s, "reference_norm", s->report->norms.exact);
    return say(s, GCK_FINDING_ZERO, "zero",
               "is zero everywhere, as if nothing were added to it, or it were cleared afterwards");
}

/* A number of samples or outputs, unless large ones are whole by chance: within what is granted to
 * either side lies a whole number as often as that is wide. */
static bool is_count(const sight *s, double factor)
{
    const double granted = 4 * factor * (s->rule->tolerance + COMPARE_BAR * s->rule->roundoff);
    return factor > 2 && granted < BY_CHANCE && agrees(s, factor, nearbyint(factor));
}

/* What such a factor may be, where it may be anything usual; without a model there is no telling.
 */
static const char *scale_hint(const sight *s, double factor)
{
    if (agrees(s, factor, 2))
        return ", as if it were added up twice, or the 1/2 of a squared error were missing";
    if (agrees(s, factor, 0.5)) return ", as if the factor 2 of a square's derivative were missing";
    if (is_count(s, factor))
        return ": if that is the batch size, or the number of outputs, a mean is missing";
    if (is_count(s, 1 / factor))
        return ": if that is 1 over the batch size, or over the number of outputs, a mean is taken "
               "twice";
    return "";
}

static bool is_scaled(const sight *s, double factor)
{
    for (size_t i = 0; i < s->tensor->count; i++)
        if (!agrees(s, s->tensor->claimed[i], factor * s->tensor->reference[i])) return false;
    return true;
}

/* One number alone is in every ratio: only the usual ones say anything then. */
static bool is_usual(const sight *s, double factor)
{
    static const double usual[] = {-1, 2, 0.5, -2, -0.5};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (agrees(s, factor, usual[i])) return true;
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
    /* So small that anything is within what is granted to underflow. */
    if (size == 0 || own * (s->rule->tolerance + COMPARE_BAR * s->rule->roundoff) < DBL_MIN)
        return false;
    const double factor = dot(t->claimed, own, t->reference, size, t->count) /
                          dot(t->reference, size, t->reference, size, t->count) * (own / size);
    if (!isfinite(factor) || !is_scaled(s, factor)) return false;
    if (nonzero(t->reference, t->count) < 2 && !is_usual(s, factor)) return false;
    add(s, "factor", factor);
    if (agrees(s, factor, -1))
        return say(
            s, GCK_FINDING_SIGN_FLIPPED, "sign_flipped",
            "has the opposite sign everywhere, as by y - a in place of a - y, or with the step's "
            "own sign in it");
    return say(s, GCK_FINDING_SCALED, "scaled", "is %.8g times the reference%s", factor,
               factor > 0 ? scale_hint(s, factor) : ", of the opposite sign");
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
    if (!(determinant > PARALLEL * nn * ww)) return false;
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
                   "is %.8g times the reference and %.8g times the parameters, as if a "
                   "regulariser were not scaled as the rest is",
                   factor, decay);
    return say(s, GCK_FINDING_REGULARISATION, decay > 0 ? "decay_added" : "decay_missing",
               "is the reference %s %.8g times the parameters, as if weight decay were %s",
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

/* Whether rounding alone makes n of the reference a of the claim; what the dtype holds exactly it
 * leaves as it is. */
static bool is_rounding(double a, double n, gck_dtype dtype)
{
    if (rounded_to(a, dtype) != a) return false;
    if (rounded_to(n, dtype) == n) return a == n;
    const double bar = compare_bar(a, n, gck_dtype_roundoff(dtype)) + gck_dtype_smallest(dtype);
    return fabs(a - n) <= bar;
}

/* Numbers of few digits may happen to be so. That they are rounded shows where the reference has
 * digits that the dtype cannot hold and the claim is the number nearest to it: by as many bits as
 * those have, all together. */
static bool is_rounded_to(const sight *s, gck_dtype dtype)
{
    const gck_compared *t = s->tensor;
    const double bits = -log2(gck_dtype_roundoff(dtype));
    size_t shown = 0;
    for (size_t i = 0; i < t->count; i++) {
        const double a = t->claimed[i], n = t->reference[i];
        if (!is_rounding(a, n, dtype)) return false;
        shown += a != n && rounded_to(n, dtype) == a;
    }
    return (double)shown * (BITS - bits) >= SHOWN_BY;
}

static bool looks_rounded(const sight *s)
{
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

static bool looks_single(const sight *s)
{
    const gck_tensor_report *report = s->report;
    const size_t wrong = report->wrong_elements;
    char text[5 * GCK_SHAPE_TEXT] = "", place[GCK_SHAPE_TEXT];
    size_t used = 0, named = 0;
    if ((double)wrong > SINGLE_SHARE * (double)report->count && !(wrong == 1 && report->count > 2))
        return false;
    for (; named < report->worst_count && named < 5 && named < wrong; named++) {
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", named > 0 ? ", " : "",
                             gck_index_format(&report->shape, report->worst[named].index, place));
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
