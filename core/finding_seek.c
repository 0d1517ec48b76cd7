/* Single samples and units, read off the claim: to try them all would cost too much. */
#include "core/finding_candidate.h"

#include <math.h>
#include <string.h>

/* Samples, units, or inputs that are tried, of one slot. */
enum { MOST = 4 };

/* Rows for a `which` that was found; kinds that are searched for, by code and name. */
static gck_status searched_add(finding_work *w, const char *name, gck_finding_code code,
                               const char *delta_name, finding_slot *slot, size_t which,
                               gck_error *error)
{
    gck_status status = GCK_OK;
    const gck_mistake_kind *kind;
    gck_place place = finding_about(w->search, w->level, slot->name);
    place.which = which;
    for (size_t i = 0; status == GCK_OK && (kind = gck_mistake_at(i)) != NULL; i++) {
        const bool delta = gck_stage_is_delta(kind->stage);
        if (kind->code != code || kind->variants == NULL || kind->variants(&place) != GCK_SEARCHED)
            continue;
        const char *wanted = delta ? delta_name : name;
        if (wanted == NULL || strcmp(kind->name, wanted) != 0 || !gck_mistake_applies(kind, &place))
            continue;
        const gck_mutant mutant = {
            .kind = kind, .layer = w->level - 1, .which = which, .factor = 1};
        status = finding_candidate_add(w, &mutant, delta ? NULL : slot, error);
    }
    return status;
}

/* Whether claim = factor * (world + times * sample k's part) + penalty in all probes. */
static bool sample_fits(const finding_work *w, const finding_probes *p, size_t k, double factor,
                        double times)
{
    const finding_search *search = w->search;
    const finding_slot *slot = p->slot;
    const gck_replay *replay = search->replay;
    const size_t samples = replay->pass->samples;
    const gck_layer *layer = &search->spec->model->layer[w->level - 1];
    const double *x = replay->pass->layer[w->level - 1].x, *dz = replay->layer[w->level - 1].dz;
    for (size_t i = 0; i < p->count; i++) {
        const size_t e = p->element[i];
        double part = dz[e % layer->outputs * samples + k];
        if (slot->name[0] == 'W') part *= x[e / layer->outputs * samples + k];
        const double value = factor * (slot->world[e] + times * part) + slot->penalty[e];
        if (!finding_same(search, slot->claim[e], value, fmax(1, fabs(factor)) * 8 * slot->bar[e]))
            return false;
    }
    return true;
}

static gck_status samples_of_block(finding_work *w, const finding_probes *p, double factor,
                                   size_t *found, gck_error *error)
{
    const gck_replay *replay = w->search->replay;
    gck_status status = GCK_OK;
    for (size_t k = 0; k < replay->pass->samples && *found < MOST; k++) {
        const bool missing = sample_fits(w, p, k, factor, -1);
        if (!missing && !sample_fits(w, p, k, factor, 1)) continue;
        const char *name = missing ? "missing" : "counted_twice";
        status = searched_add(w, name, GCK_FINDING_MISSING_SAMPLE, name, p->slot, replay->first + k,
                              error);
        if (status != GCK_OK) return status;
        ++*found;
    }
    return status;
}

/* In the loaded block, by every factor that is known. */
static gck_status samples_of(finding_work *w, const finding_probes *p, size_t *found,
                             gck_error *error)
{
    const gck_place place = finding_about(w->search, w->level, NULL);
    gck_status status = samples_of_block(w, p, 1, found, error);
    for (size_t i = 0; status == GCK_OK && i < gck_scale_count; i++)
        if (gck_scales[i].factor(&place) != 1)
            status = samples_of_block(w, p, gck_scales[i].factor(&place), found, error);
    return status;
}

static gck_status samples_seek(finding_work *w, gck_error *error)
{
    size_t found[FINDING_SLOTS] = {0};
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < gck_replay_blocks(w->search->replay); i++) {
        gck_replay_load(w->search->replay, i);
        for (size_t s = 0; status == GCK_OK && s < w->slots; s++)
            status = samples_of(w, &w->probe[s], &found[s], error);
    }
    return status;
}

/* Whether elements first, first + step, … are claimed to be nothing, or nothing but penalty, and
 * are something more in the world. share: see finding_penalty_share. */
static bool line_is_missing(const finding_slot *slot, double share, size_t first, size_t step,
                            size_t count)
{
    bool zero = true, penalty = true, something = false, more = false;
    for (size_t i = 0; i < count; i++) {
        const size_t e = first + i * step;
        zero = zero && fabs(slot->claim[e] - (1 - share) * slot->penalty[e]) <= slot->bar[e];
        penalty = penalty && fabs(slot->claim[e] - slot->penalty[e]) <= slot->bar[e];
        something = something || fabs(finding_world(slot, e)) > slot->bar[e];
        more = more || fabs(slot->world[e]) > slot->bar[e];
    }
    return (zero && something) || (penalty && more);
}

static gck_status units_seek(finding_work *w, finding_slot *slot, gck_error *error)
{
    const gck_layer *layer = &w->search->spec->model->layer[w->level - 1];
    const size_t rows = slot->count / layer->outputs;
    const double share = finding_penalty_share(w->search);
    size_t found = 0;
    gck_status status = GCK_OK;
    for (size_t j = 0; status == GCK_OK && j < layer->outputs && found < MOST; j++) {
        if (!line_is_missing(slot, share, j, layer->outputs, rows)) continue;
        status = searched_add(w, "unit", GCK_FINDING_MISSING_UNIT, "delta", slot, j, error);
        found++;
    }
    for (size_t i = 0; status == GCK_OK && rows > 1 && i < rows && found < 2 * MOST; i++) {
        if (!line_is_missing(slot, share, i * layer->outputs, 1, layer->outputs)) continue;
        status = searched_add(w, "input", GCK_FINDING_MISSING_UNIT, NULL, slot, i, error);
        found++;
    }
    return status;
}

gck_status finding_seek(finding_work *w, gck_error *error)
{
    if (w->level == 0) return GCK_OK;
    gck_status status = samples_seek(w, error);
    for (size_t s = 0; status == GCK_OK && s < w->slots; s++)
        status = units_seek(w, w->probe[s].slot, error);
    return status;
}
