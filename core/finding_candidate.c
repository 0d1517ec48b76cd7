/* Which mistakes are tried: every kind at every place that the dirty slots allow. */
#include "core/finding_candidate.h"

#include <stdlib.h>

/* ---- the list ---- */

gck_status finding_candidate_add(finding_work *w, const gck_mutant *mutant, finding_slot *slot,
                                 gck_error *error)
{
    finding_candidates *list = &w->list;
    if (list->count == list->capacity) {
        const size_t capacity = 2 * list->capacity + 64;
        void *rows = realloc(list->row, capacity * sizeof *list->row);
        if (rows == NULL) return gck_error_memory(error);
        list->row = rows;
        void *values = realloc(w->values, capacity * sizeof *w->values);
        if (values == NULL) return gck_error_memory(error);
        w->values = values;
        list->capacity = capacity;
    }
    w->values[list->count] = (finding_probed){0};
    list->row[list->count] =
        (finding_candidate){.mutant = *mutant, .slot = slot, .complexity = 1, .order = list->count};
    list->count++;
    return GCK_OK;
}

gck_place finding_about(const finding_search *search, size_t level, const char *tensor)
{
    const gck_check_spec *spec = search->spec;
    return (gck_place){.model = spec->model,
                       .parameters = spec->parameters,
                       .data = spec->data,
                       .layer = level == 0 ? GCK_FINDING_NO_LAYER : level - 1,
                       .tensor = level == 0 ? "x" : tensor,
                       .excluded = spec->claim != NULL && spec->claim->penalties_added};
}

/* A kind at one layer, with every `which`. */
static gck_status kind_add(finding_work *w, const gck_mistake_kind *kind, size_t layer,
                           finding_slot *slot, gck_error *error)
{
    gck_place place = finding_about(w->search, layer + 1, slot == NULL ? NULL : slot->name);
    gck_status status = GCK_OK;
    const size_t variants = gck_mistake_variants(kind, &place);
    for (place.which = 0; status == GCK_OK && place.which < variants; place.which++)
        if (gck_mistake_applies(kind, &place))
            status = finding_candidate_add(
                w, &(gck_mutant){.kind = kind, .layer = layer, .which = place.which, .factor = 1},
                slot, error);
    return status;
}

/* The lowest dense layer above a level whose gradients the world explains, and so its delta; or the
 * number of layers. `far`: the second one, for mistakes that are too small to be seen in the first.
 */
static size_t explained_above(const finding_search *search, size_t level, bool far)
{
    size_t lowest = search->spec->model->layer_count, second = lowest;
    for (size_t i = 0; i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        const bool right = slot->state == SLOT_CLEAN || (slot->state == SLOT_DONE && slot->known);
        if (slot->level <= level || !right || !(slot->size > 0) || slot->level - 1 == lowest)
            continue;
        second = lowest;
        lowest = slot->level - 1;
    }
    return far ? second : lowest;
}

/* From the place right above the dirty slots up to where all is explained. */
static gck_status deltas_add(finding_work *w, const gck_mistake_kind *kind, gck_error *error)
{
    const size_t layers = w->search->spec->model->layer_count;
    const size_t above = explained_above(w->search, w->level, w->far);
    gck_status status = GCK_OK;
    size_t first = w->level, last = above; /* layers; last is not one of them */
    if (kind->stage == GCK_STAGE_DELTA && !w->far) last = w->level;
    if (kind->stage != GCK_STAGE_DOWN && first > 0) first--;
    if (kind->stage == GCK_STAGE_DOWN) last = above < layers ? above + 1 : layers;
    for (size_t layer = first; status == GCK_OK && layer < last; layer++)
        status = kind_add(w, kind, layer, NULL, error);
    return status;
}

static gck_status tensors_add(finding_work *w, const gck_mistake_kind *kind, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t s = 0; status == GCK_OK && w->level > 0 && s < w->slots; s++)
        status = kind_add(w, kind, w->level - 1, w->probe[s].slot, error);
    return status;
}

static gck_status all_add(finding_work *w, gck_error *error)
{
    gck_status status = GCK_OK;
    const gck_mistake_kind *kind;
    for (size_t i = 0; status == GCK_OK && (kind = gck_mistake_at(i)) != NULL; i++)
        status = gck_stage_is_delta(kind->stage) ? deltas_add(w, kind, error)
                                                 : tensors_add(w, kind, error);
    return status;
}

/* ---- all of it ---- */

gck_status finding_candidates_find(finding_search *search, size_t level, bool far,
                                   finding_candidates *ret, gck_error *error)
{
    finding_work w = {.search = search, .level = level, .far = far};
    finding_candidates kept = {0};
    for (size_t i = 0; i < search->slot_count && w.slots < FINDING_SLOTS; i++)
        if (search->slot[i].level == level && search->slot[i].state == SLOT_DIRTY)
            finding_probes_choose(&w.probe[w.slots++], &search->slot[i]);
    gck_status status = all_add(&w, error);
    if (status == GCK_OK) status = finding_seek(&w, error);
    if (status == GCK_OK) status = finding_probe_all(&w, error);
    if (status == GCK_OK) status = finding_factors_find(&w, &kept, error);
    finding_candidates_done(&w.list);
    free(w.values);
    if (status == GCK_OK)
        *ret = kept;
    else
        finding_candidates_done(&kept);
    return status;
}

void finding_candidates_done(finding_candidates *candidates)
{
    free(candidates->row);
    *candidates = (finding_candidates){0};
}
