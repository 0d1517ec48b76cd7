/* By which factors candidates fit: 1, a known one, the product of two, or, of what is nothing but
 * scaled, any. */
#include "core/finding_candidate.h"

#include <math.h>
#include <stdlib.h>

/* Candidates that go on to be compared in full. */
enum { KEPT_MOST = 96 };

/* A fitted factor is compared with a known one when it is that near. */
#define NEAR 0.01

double finding_claim_factor(const finding_search *search)
{
    const gck_claim *claim = search->spec->claim;
    return claim == NULL || claim->data_factor == 0 ? 1 : claim->data_factor;
}

double finding_penalty_share(const finding_search *search)
{
    const gck_claim *claim = search->spec->claim;
    return claim != NULL && claim->penalties_added ? 0 : finding_claim_factor(search);
}

gck_finished finding_finished(const finding_search *search, const finding_slot *slot)
{
    return (gck_finished){.place = finding_about(search, slot->level, slot->name),
                          .tensor = slot->tensor,
                          .data = slot->world,
                          .penalty = slot->penalty,
                          .parameters = search->spec->parameters + slot->tensor->offset,
                          .factor = finding_claim_factor(search),
                          .share = finding_penalty_share(search)};
}

double finding_probe_part(const finding_work *w, size_t row, size_t s, size_t i,
                          double *ret_penalty)
{
    const finding_candidate *candidate = &w->list.row[row];
    const finding_slot *slot = w->probe[s].slot;
    const size_t e = w->probe[s].element[i];
    *ret_penalty = slot->penalty == NULL ? 0 : slot->penalty[e];
    if (candidate->mutant.kind->stage != GCK_STAGE_FINISHED) return w->values[row].value[s][i];
    gck_finished finished = finding_finished(w->search, slot);
    finished.place.which = candidate->mutant.which;
    return gck_mistake_finish(candidate->mutant.kind, &finished, e, ret_penalty);
}

static bool factor_fits(const finding_work *w, size_t row, size_t s, double factor)
{
    const finding_slot *slot = w->probe[s].slot;
    double left = 0;
    for (size_t i = 0; i < w->probe[s].count; i++) {
        const size_t e = w->probe[s].element[i];
        double penalty;
        const double part = factor * finding_probe_part(w, row, s, i, &penalty);
        const double d = (slot->claim[e] - part - penalty) * slot->unit;
        const double grown = fabs(part) > fabs(slot->world[e]) && slot->world[e] != 0
                                 ? fabs(part / slot->world[e])
                                 : 1;
        if (!finding_same(w->search, slot->claim[e], part + penalty,
                          fmax(8 * fmax(1, fabs(factor)), 8 * grown) * slot->bar[e]))
            return false;
        if (finding_is_wrong(w->search, slot, e)) left += d * d;
    }
    return finding_is_enough(slot, sqrt(left));
}

/* Whether a number is none of those before it, signs aside. */
static bool is_new(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fabs(fabs(values[i]) - fabs(values[count])) <= 1e-6 * fabs(values[count])) return false;
    return true;
}

/* By least squares in the probes; NaN where they say nothing. ret_count: how many different numbers
 * it is from. */
static double factor_fit(const finding_work *w, size_t row, size_t s, size_t *ret_count)
{
    double product = 0, square = 0, part[FINDING_PROBES];
    *ret_count = 0;
    for (size_t i = 0; i < w->probe[s].count; i++) {
        double penalty;
        const finding_slot *slot = w->probe[s].slot;
        part[i] = finding_probe_part(w, row, s, i, &penalty) * slot->unit;
        product += part[i] * (slot->claim[w->probe[s].element[i]] - penalty) * slot->unit;
        square += part[i] * part[i];
        *ret_count += part[i] != 0 && is_new(part, i);
    }
    return product / square;
}

/* ---- what is kept ---- */

/* Different numbers that it takes to believe in a factor that is no known one. */
enum { BELIEVED_FROM = 3 };

/* One mistake, two at once, a factor that is no known one. */
enum { SINGLE = 1, UNKNOWN = 3 };

typedef struct keeper {
    const finding_work *work;
    finding_candidates *kept;
    unsigned complexity; /* of those that are kept now */
    size_t row, s;       /* of the list; the slot whose probes are compared */
    gck_status status;
    gck_error *error;
} keeper;

static const finding_candidate *row_of(const keeper *k)
{
    return &k->work->list.row[k->row];
}

static bool is_kept(const finding_candidates *kept, const finding_candidate *candidate)
{
    for (size_t i = 0; i < kept->count; i++)
        if (kept->row[i].order == candidate->order &&
            kept->row[i].mutant.scale[0] == candidate->mutant.scale[0] &&
            kept->row[i].mutant.scale[1] == candidate->mutant.scale[1])
            return true;
    return false;
}

/* A copy of the row with a factor. */
static void keep(keeper *k, double factor, const gck_scale *one, const gck_scale *two)
{
    finding_candidate candidate = *row_of(k);
    finding_candidates *kept = k->kept;
    candidate.mutant.factor = factor;
    candidate.mutant.scale[0] = one;
    candidate.mutant.scale[1] = two;
    candidate.complexity =
        (unsigned)!candidate.mutant.kind->plain + (unsigned)(one != NULL) + (unsigned)(two != NULL);
    if (one == &gck_scale_unknown) candidate.complexity = UNKNOWN;
    if (candidate.complexity != k->complexity || kept->count == KEPT_MOST ||
        is_kept(kept, &candidate))
        return;
    if (kept->row == NULL) kept->row = calloc(KEPT_MOST, sizeof *kept->row);
    if (kept->row == NULL)
        k->status = gck_error_memory(k->error);
    else
        kept->row[kept->count++] = candidate;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= NEAR * fabs(b);
}

static bool is_factor(double factor)
{
    return isfinite(factor) && factor != 0 && factor != 1;
}

static bool matches(const keeper *k, double fit, double factor)
{
    return is_factor(factor) && is_near(fit, factor) && factor_fits(k->work, k->row, k->s, factor);
}

/* Known factors and, of what is nothing but scaled, products of two; whether there is one. */
static bool keep_known(keeper *k, double fit)
{
    const bool plain = row_of(k)->mutant.kind->plain;
    const finding_work *w = k->work;
    const gck_place place = finding_about(w->search, w->level, w->probe[k->s].slot->name);
    bool known = false;
    for (size_t i = 0; i < gck_scale_count; i++) {
        const double one = gck_scales[i].factor(&place);
        if (!is_factor(one)) continue;
        if (matches(k, fit, one)) {
            keep(k, one, &gck_scales[i], NULL);
            known = true;
        }
        for (size_t j = i + 1; plain && j < gck_scale_count; j++) {
            const double two = gck_scales[j].factor(&place);
            if (!is_factor(two) || !matches(k, fit, one * two)) continue;
            keep(k, one * two, &gck_scales[i], &gck_scales[j]);
            known = true;
        }
    }
    return known;
}

static void row_keep(keeper *k)
{
    const finding_candidate *candidate = row_of(k);
    const bool plain = candidate->mutant.kind->plain;
    size_t numbers;
    if (candidate->slot != NULL && k->work->probe[k->s].slot != candidate->slot) return;
    if (!plain && factor_fits(k->work, k->row, k->s, 1)) {
        keep(k, 1, NULL, NULL);
        return;
    }
    const double fit = factor_fit(k->work, k->row, k->s, &numbers);
    if (!isfinite(fit) || fit == 0 || keep_known(k, fit)) return;
    if (plain && numbers >= BELIEVED_FROM && !is_near(fit, 1) &&
        factor_fits(k->work, k->row, k->s, fit))
        keep(k, fit, &gck_scale_unknown, NULL);
}

gck_status finding_factors_find(const finding_work *w, finding_candidates *kept, gck_error *error)
{
    keeper k = {.work = w, .kept = kept, .status = GCK_OK, .error = error};
    for (k.complexity = SINGLE; k.complexity <= UNKNOWN; k.complexity++)
        for (k.row = 0; k.status == GCK_OK && k.row < w->list.count; k.row++)
            for (k.s = 0; k.s < w->slots; k.s++)
                row_keep(&k);
    return k.status;
}
