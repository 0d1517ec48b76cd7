/* Difference quotients in place of derivatives.
 *
 * J(θ + h) and J(θ - h) are doubles, so that their difference is a whole number of units in J's
 * last place: a quotient by a step that people choose, multiplied by it, gives whole numbers.
 * Derivatives do not. */
#include "core/finding.h"

#include <float.h>
#include <math.h>

/* Numbers looked at. */
enum { LOOKED_AT = 400 };

/* The odds that numbers are whole by chance, for a step to be believed. */
#define ODDS 1e-6

/* How far a quotient times its step is off a whole number by rounding: of J's difference none, of
 * the quotient, of the step and of the product a unit each, twice that granted. */
#define PRODUCT_ROUNDING 0x6p-53
/* What else is granted, of one unit; a choice, which costs that much of the odds. */
#define SLACK 0.01

/* J so little above a power of two, a choice as well, that J's near by may lie below it, where
 * units are half as large. */
#define JUST_ABOVE 0.51

typedef struct step {
    double h;
    bool central;
} step;

/* The unit that J's near its own are multiples of. */
static double unit_of(double cost)
{
    int exponent;
    const double mantissa = frexp(fabs(cost), &exponent);
    return ldexp(1, exponent - 53 - (mantissa < JUST_ABOVE));
}

/* Beyond, a double has too few digits to tell a whole number. */
#define TELLS_UP_TO 4e13

/* A float is whole in units of a double's last place anyway. */
static bool is_short(double claim)
{
    return (double)(float)claim == claim;
}

/* The cost that the claimant has. */
static double cost_of(const finding_search *search)
{
    const double penalty = gck_model_penalty(search->spec->model, search->spec->parameters);
    const double factor = finding_claim_factor(search), share = finding_penalty_share(search);
    return (search->report->cost + (share - 1) * penalty) / factor;
}

static bool is_quotient(const finding_search *search, const step *s)
{
    const double scale = (s->central ? 2 * s->h : s->h) / unit_of(cost_of(search));
    size_t looked = 0;
    double odds = 1;
    for (size_t i = 0; i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        if (slot->state == SLOT_DONE || slot->penalty == NULL) continue;
        for (size_t e = 0; e < slot->count && looked < LOOKED_AT; e++, looked++) {
            const double x = slot->given[e] * scale, slack = SLACK + PRODUCT_ROUNDING * fabs(x);
            if (!(fabs(x) < TELLS_UP_TO) || is_short(slot->given[e])) continue;
            if (fabs(x - nearbyint(x)) > slack) return false;
            odds *= 2 * slack;
        }
    }
    return odds < ODDS;
}

/* From the smallest up: what is whole for one step is so for ten times as much. */
static bool step_see(const finding_search *search, step *ret)
{
    for (int power = 12; power >= 1; power--) {
        const double h[] = {pow(10, -power), power == 8 ? sqrt(DBL_EPSILON) : 0,
                            power == 8 ? 0x1p-26 : 0, 5 * pow(10, -power)};
        for (size_t i = 0; i < sizeof h / sizeof h[0]; i++)
            for (int central = 0; h[i] > 0 && central < (i < 3 ? 2 : 1); central++) {
                const step s = {h[i], central};
                if (!is_quotient(search, &s)) continue;
                *ret = s;
                return true;
            }
    }
    return false;
}

/* The very numbers that the check's own quotient gives, and not the derivative's. */
static bool is_ours(const finding_search *search)
{
    size_t count = 0;
    for (size_t i = 0; i < search->report->layer_count; i++)
        for (size_t t = 0; t < search->report->layer[i].tensor_count; t++) {
            const gck_tensor_report *tensor = &search->report->layer[i].tensor[t];
            if (tensor->verdict != GCK_FAIL) continue;
            if (tensor->numeric == NULL ||
                !(tensor->norms.difference <= 0.1 * tensor->norms.refined))
                return false;
            count++;
        }
    return count > 0;
}

static bool is_nearly_right(const finding_search *search)
{
    for (size_t i = 0; i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        if (slot->state == SLOT_DIRTY && !finding_is_near(slot)) return false;
    }
    return true;
}

static double distance_of(const finding_search *search)
{
    double distance = 0;
    for (size_t i = 0; i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        if (slot->state == SLOT_DIRTY && slot->size > 0)
            distance = fmax(distance, slot->deviation / (2 * slot->size));
    }
    return distance;
}

gck_status finding_quotient(finding_search *search, bool *ret_found, gck_error *error)
{
    step s = {search->report->epsilon, search->report->method == GCK_CENTRAL};
    *ret_found = false;
    if (!is_nearly_right(search) || (!step_see(search, &s) && !is_ours(search))) return GCK_OK;
    gck_finding *finding = finding_add(search, GCK_FINDING_FINITE_DIFFERENCE,
                                       s.central ? "central" : "forward", 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding,
                    "the claim is a %s difference quotient with step %g, not a derivative: it "
                    "agrees to %.2g, as well as such a quotient can",
                    s.central ? "central" : "forward", s.h, distance_of(search));
    s.central = !s.central;
    if (is_quotient(search, &s))
        finding_also(finding, GCK_FINDING_FINITE_DIFFERENCE, s.central ? "central" : "forward");
    finding_evidence(finding, "step", s.h);
    finding_evidence(finding, "distance", distance_of(search));
    for (size_t i = 0; i < search->slot_count; i++)
        if (search->slot[i].state == SLOT_DIRTY) search->slot[i].state = SLOT_DONE;
    *ret_found = true;
    return GCK_OK;
}
