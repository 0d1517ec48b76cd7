/* The candidates that are left, compared with the claim in full, and the best of them. */
#include "core/finding_candidate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Candidates whose distances lie that far apart are told apart by them; below ROUNDING none are. */
#define APART 1e3
#define ROUNDING 1e-12

/* Zeros that were left out are exactly 0: sums that are nearly so are likelier something else. */
enum { LAST_OF_ALL = 1 << 20 };

/* ---- one candidate ---- */

/* Its gradient in the slot's trial, or in the tensor's room; whether that is what is claimed. */
static bool slot_fits(finding_search *search, finding_candidate *candidate, size_t s,
                      const double *values, const double *penalty)
{
    double distance = 0;
    candidate->fits[s] = finding_fits(search, &search->slot[s], values, penalty, true, &distance);
    if (candidate->fits[s] && search->slot[s].state == SLOT_DIRTY)
        candidate->distance = fmax(candidate->distance, distance);
    return candidate->fits[s];
}

static gck_status delta_compare(finding_search *search, finding_candidate *candidate,
                                gck_error *error)
{
    const size_t level = gck_mutant_level(&candidate->mutant);
    const gck_status status = gck_replay_gradient(search->replay, &candidate->mutant, search->stop,
                                                  search->trial, search->trial_x, error);
    if (status != GCK_OK) return status;
    for (size_t s = 0; s < search->slot_count; s++) {
        const finding_slot *slot = &search->slot[s];
        if (slot->state == SLOT_DONE || slot->level > level) continue;
        slot_fits(search, candidate, s, slot->trial, slot->penalty);
    }
    return GCK_OK;
}

/* A tensor from its right gradient: data part in the room, penalty in the tensor's trial. */
static void finished_fill(finding_search *search, const finding_candidate *candidate)
{
    gck_finished finished = finding_finished(search, candidate->slot);
    finished.place.which = candidate->mutant.which;
    for (size_t e = 0; e < candidate->slot->count; e++)
        search->tensor[e] =
            candidate->mutant.factor *
            gck_mistake_finish(candidate->mutant.kind, &finished, e, &candidate->slot->trial[e]);
}

gck_status finding_tensor_fill(finding_search *search, const finding_candidate *candidate,
                               const double **ret_penalty, gck_error *error)
{
    if (candidate->mutant.kind->stage == GCK_STAGE_FINISHED) {
        finished_fill(search, candidate);
        *ret_penalty = candidate->slot->trial;
        return GCK_OK;
    }
    *ret_penalty = candidate->slot->penalty;
    return gck_replay_tensor(search->replay, &candidate->mutant, search->stop, search->tensor,
                             error);
}

/* The dirty slot of the same tensor of another layer. */
static finding_slot *twin_of(const finding_search *search, const finding_slot *slot, size_t layer)
{
    for (size_t s = 0; s < search->slot_count; s++) {
        finding_slot *other = &search->slot[s];
        if (other->level == layer + 1 && strcmp(other->name, slot->name) == 0)
            return other->state == SLOT_DIRTY ? other : NULL;
    }
    return NULL;
}

/* The mistake is made in two slots, or not at all. */
static gck_status mutual_compare(finding_search *search, finding_candidate *candidate,
                                 gck_error *error)
{
    const size_t own = (size_t)(candidate->slot - search->slot);
    finding_slot *twin = twin_of(search, candidate->slot, candidate->mutant.which);
    finding_candidate other = *candidate;
    const double *penalty;
    other.slot = twin;
    other.mutant.layer = candidate->mutant.which;
    other.mutant.which = candidate->mutant.layer;
    candidate->fits[own] = candidate->fits[own] && twin != NULL;
    if (!candidate->fits[own]) return GCK_OK;
    const gck_status status = finding_tensor_fill(search, &other, &penalty, error);
    if (status == GCK_OK)
        candidate->fits[own] =
            slot_fits(search, candidate, (size_t)(twin - search->slot), search->tensor, penalty);
    return status;
}

static gck_status tensor_compare(finding_search *search, finding_candidate *candidate,
                                 gck_error *error)
{
    const double *penalty;
    const gck_status status = finding_tensor_fill(search, candidate, &penalty, error);
    if (status != GCK_OK) return status;
    slot_fits(search, candidate, (size_t)(candidate->slot - search->slot), search->tensor, penalty);
    return candidate->mutant.kind->mutual ? mutual_compare(search, candidate, error) : GCK_OK;
}

static bool is_delta(const finding_candidate *candidate)
{
    return candidate->slot == NULL;
}

/* Which slots it explains, and how many it would leave dirty. */
static gck_status candidate_compare(finding_search *search, finding_candidate *candidate,
                                    gck_error *error)
{
    for (size_t s = 0; s < search->slot_count; s++)
        candidate->fits[s] = search->slot[s].state != SLOT_DIRTY;
    candidate->distance = 0;
    const gck_status status = is_delta(candidate) ? delta_compare(search, candidate, error)
                                                  : tensor_compare(search, candidate, error);
    if (candidate->mutant.kind->code == GCK_FINDING_ZERO && candidate->distance > 0)
        candidate->order += LAST_OF_ALL;
    candidate->left = 0;
    for (size_t s = 0; s < search->slot_count; s++)
        candidate->left += !candidate->fits[s];
    return status;
}

/* ---- the best of them ---- */

/* Whether it explains a dirty slot of the level at all. */
static bool explains(const finding_search *search, const finding_candidate *candidate, size_t level)
{
    for (size_t s = 0; s < search->slot_count; s++)
        if (search->slot[s].level == level && search->slot[s].state == SLOT_DIRTY &&
            candidate->fits[s])
            return true;
    return false;
}

static size_t dirty_count(const finding_search *search)
{
    size_t count = 0;
    for (size_t s = 0; s < search->slot_count; s++)
        count += search->slot[s].state == SLOT_DIRTY;
    return count;
}

/* Whether it makes a tensor of the level wrong that is right: a mistake in the delta shows in both.
 */
static bool contradicts(const finding_search *search, const finding_candidate *candidate,
                        size_t level)
{
    for (size_t s = 0; s < search->slot_count; s++)
        if (search->slot[s].level == level && search->slot[s].state == SLOT_CLEAN &&
            !candidate->fits[s])
            return true;
    return false;
}

/* No contradiction, then fewer slots left, then fewer mistakes at once. */
static bool is_better(const finding_search *search, const finding_candidate *a,
                      const finding_candidate *than, size_t level)
{
    if (than == NULL) return true;
    const bool wild = contradicts(search, a, level), tame = !contradicts(search, than, level);
    if (wild == tame) return !wild;
    if (a->left != than->left) return a->left < than->left;
    return a->complexity < than->complexity;
}

static bool is_alike(const finding_search *search, const finding_candidate *a,
                     const finding_candidate *b)
{
    return a->left == b->left && a->complexity == b->complexity &&
           memcmp(a->fits, b->fits, search->slot_count * sizeof *a->fits) == 0;
}

/* Whether gradients further up are right, or explained. */
static bool is_below_right(const finding_search *search, size_t level)
{
    for (size_t s = 0; s < search->slot_count; s++)
        if (search->slot[s].level > level && search->slot[s].state == SLOT_CLEAN) return true;
    return false;
}

/* What is known of the place that is explained. */
typedef struct circumstances {
    bool alone; /* nothing but one tensor is explained */
    bool below; /* what lies above is right */
} circumstances;

/* A factor of a tensor is told as the tensor's when there is nothing else that it explains. One of
 * a delta below others that are right does not come from the cost or the batch: whatever else makes
 * it is likelier. */
static bool is_likelier(const finding_candidate *a, const finding_candidate *than, circumstances at)
{
    const bool plain = a->mutant.kind->plain;
    if (at.below && plain != than->mutant.kind->plain && is_delta(a) && is_delta(than))
        return !plain;
    const bool alone = at.alone;
    if (alone && a->mutant.kind->plain && than->mutant.kind->plain && is_delta(a) != is_delta(than))
        return !is_delta(a);
    return a->order < than->order;
}

static double bound_of(double distance)
{
    return fmax(APART * distance, ROUNDING);
}

/* Of those that explain as much as `best`, the nearest to the claim, and of these the likeliest. */
static const finding_candidate *named_of(const finding_search *search,
                                         const finding_candidates *all,
                                         const finding_candidate *best, circumstances at,
                                         double *ret_bound)
{
    const finding_candidate *named = NULL;
    double nearest = INFINITY;
    for (size_t i = 0; i < all->count; i++)
        if (is_alike(search, &all->row[i], best)) nearest = fmin(nearest, all->row[i].distance);
    *ret_bound = bound_of(nearest);
    for (size_t i = 0; i < all->count; i++) {
        const finding_candidate *row = &all->row[i];
        if (!is_alike(search, row, best) || !(row->distance <= *ret_bound)) continue;
        if (named == NULL || is_likelier(row, named, at)) named = row;
    }
    return named;
}

/* ---- a finding of it ---- */

static gck_place about_of(const finding_search *search, const finding_candidate *candidate,
                          size_t level)
{
    return finding_about(search, level, is_delta(candidate) ? NULL : candidate->slot->name);
}

static void also_add(gck_finding *finding, const gck_mistake *mistake)
{
    if (finding_is_same(&finding->mistake, mistake)) return;
    for (size_t i = 0; i < finding->also_count; i++)
        if (finding_is_same(&finding->also[i], mistake)) return;
    if (finding->also_count < GCK_ALSO_MAX) finding->also[finding->also_count++] = *mistake;
}

static void evidence_fill(const finding_search *search, gck_finding *finding,
                          const finding_candidate *named)
{
    const gck_mutant *mutant = &named->mutant;
    if (mutant->scale[0] != NULL) finding_evidence(finding, "factor", mutant->factor);
    finding_evidence(finding, "distance", named->distance);
    if (is_delta(named) && mutant->layer != finding->mistake.layer)
        finding_evidence(finding, "made_in_layer", (double)mutant->layer);
    if (mutant->scale[0] != NULL || mutant->kind->code == GCK_FINDING_MISSING_SAMPLE)
        finding_evidence(finding, "samples", (double)search->spec->data->samples);
    if (mutant->kind->code == GCK_FINDING_MISSING_SAMPLE)
        finding_evidence(finding, "sample", (double)mutant->which);
    if (mutant->kind->code == GCK_FINDING_MISSING_UNIT)
        finding_evidence(finding, strcmp(mutant->kind->name, "input") == 0 ? "input" : "unit",
                         (double)mutant->which);
    if (mutant->kind->mutual) finding_evidence(finding, "other_layer", (double)mutant->which);
}

static gck_status finding_of(finding_search *search, const finding_candidates *all,
                             const finding_candidate *named, double bound, size_t level,
                             gck_error *error)
{
    const gck_place about = about_of(search, named, level);
    const gck_mistake mistake = gck_mutant_mistake(&named->mutant, &about);
    gck_finding *finding = finding_add(search, mistake.code, mistake.name, level, about.tensor);
    if (finding == NULL) return gck_error_memory(error);
    gck_mutant_say(&named->mutant, &about, finding->message);
    evidence_fill(search, finding, named);
    for (size_t i = 0; i < all->count; i++) {
        const finding_candidate *row = &all->row[i];
        if (row == named || !is_alike(search, row, named) || !(row->distance <= bound)) continue;
        const gck_place other = about_of(search, row, level);
        const gck_mistake same = gck_mutant_mistake(&row->mutant, &other);
        also_add(finding, &same);
    }
    return GCK_OK;
}

/* The world explains what the mutant does. */
static gck_status accept(finding_search *search, const finding_candidate *named, gck_error *error)
{
    const size_t level = gck_mutant_level(&named->mutant);
    const bool told = is_delta(named) && gck_replay_accept(search->replay, &named->mutant);
    for (size_t s = 0; s < search->slot_count; s++) {
        finding_slot *slot = &search->slot[s];
        const bool dirty = slot->state == SLOT_DIRTY;
        if (slot->state == SLOT_DONE) continue;
        slot->state = named->fits[s] ? SLOT_CLEAN : SLOT_DIRTY;
        if (told || !dirty || !named->fits[s]) continue;
        slot->state = SLOT_DONE;
        slot->known = true;
    }
    if (!told) return GCK_OK;
    const gck_status status = gck_replay_gradient(search->replay, NULL, search->stop, search->world,
                                                  search->world_x, error);
    if (status == GCK_OK) finding_judge(search, level);
    return status;
}

static size_t explained_count(const finding_search *search, const finding_candidate *candidate)
{
    size_t count = 0;
    for (size_t s = 0; s < search->slot_count; s++)
        count += search->slot[s].state == SLOT_DIRTY && candidate->fits[s];
    return count;
}

static gck_status candidates_compare(finding_search *search, finding_candidates *all, bool *fits,
                                     gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < all->count; i++) {
        all->row[i].fits = fits + i * search->slot_count;
        status = candidate_compare(search, &all->row[i], error);
    }
    return status;
}

static const finding_candidate *best_of(const finding_search *search, const finding_candidates *all,
                                        size_t level)
{
    const finding_candidate *best = NULL;
    for (size_t i = 0; i < all->count; i++)
        if (explains(search, &all->row[i], level) && is_better(search, &all->row[i], best, level))
            best = &all->row[i];
    return best;
}

static gck_status explain(finding_search *search, size_t level, bool far, bool *ret_found,
                          gck_error *error)
{
    finding_candidates all = {0};
    double bound;
    *ret_found = false;
    gck_status status = finding_candidates_find(search, level, far, &all, error);
    if (status != GCK_OK) return status;
    bool *fits = calloc(all.count * search->slot_count + 1, sizeof *fits);
    status = fits == NULL ? gck_error_memory(error) : candidates_compare(search, &all, fits, error);
    if (status != GCK_OK) goto out;
    const finding_candidate *best = best_of(search, &all, level);
    if (best == NULL || best->left >= dirty_count(search)) goto out;
    const circumstances at = {.alone = explained_count(search, best) == 1,
                              .below = is_below_right(search, level)};
    const finding_candidate *named = named_of(search, &all, best, at, &bound);
    status = finding_of(search, &all, named, bound, level, error);
    if (status == GCK_OK) status = accept(search, named, error);
    *ret_found = status == GCK_OK;
out:
    free(fits);
    finding_candidates_done(&all);
    return status;
}

gck_status finding_explain(finding_search *search, size_t level, bool *ret_found, gck_error *error)
{
    const gck_status status = explain(search, level, false, ret_found, error);
    if (status != GCK_OK || *ret_found) return status;
    return explain(search, level, true, ret_found, error);
}
