/* Which known mistakes the check would catch: each is put into the right gradient at every place,
 * and judged by the check's own rule. */
#include "core/finding_candidate.h"
#include "core/numeric.h"

#include <gradcheck/activation.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct seeding {
    finding_search search;
    finding_work work; /* of the level that is seeded now */
    double *v;         /* a direction; directional */
    size_t count, capacity;
    gck_sensitivity_row *row;
} seeding;

/* ---- which ---- */

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* Of the many other activations some stand for all. */
static bool stands_for_others(const gck_mistake_kind *kind, size_t which)
{
    static const char *const names[] = {"sigmoid", "tanh", "relu", NULL};
    return kind->table != &gck_activations || is_one_of(gck_activations.rows[which]->name, names);
}

static size_t last_sample(const gck_data *data)
{
    size_t k = data->samples - 1;
    while (k > 0 && data->weights != NULL && data->weights[k] == 0)
        k--;
    return k;
}

/* The last unit, input or sample that counts stands for all. */
static size_t last_of(const gck_mistake_kind *kind, const gck_place *place)
{
    const gck_layer *layer = gck_place_layer(place);
    if (kind->code == GCK_FINDING_MISSING_SAMPLE) return last_sample(place->data);
    return (strcmp(kind->name, "input") == 0 ? layer->inputs : layer->outputs) - 1;
}

static gck_status kind_seed(seeding *s, const gck_mistake_kind *kind, size_t layer,
                            finding_slot *slot, gck_error *error)
{
    gck_place place = finding_about(&s->search, layer + 1, slot == NULL ? NULL : slot->name);
    gck_mutant mutant = {.kind = kind, .layer = layer, .factor = 1};
    size_t first = 0, variants = gck_mistake_variants(kind, &place);
    if (variants == 0 || kind->code == GCK_FINDING_MISSING_UNIT) {
        first = last_of(kind, &place);
        variants = first + 1;
    }
    gck_status status = GCK_OK;
    for (place.which = first; status == GCK_OK && place.which < variants; place.which++) {
        if (!stands_for_others(kind, place.which) || !gck_mistake_applies(kind, &place)) continue;
        mutant.which = place.which;
        status = finding_candidate_add(&s->work, &mutant, slot, error);
    }
    return status;
}

/* The level of the next claimed tensors above, or beyond the last. */
static size_t level_above(const finding_search *search, size_t level)
{
    size_t above = search->spec->model->layer_count + 1;
    for (size_t i = 0; i < search->slot_count; i++)
        if (search->slot[i].level > level) above = search->slot[i].level;
    return above;
}

/* Deltas that are made wrong between the claimed tensors above and those of this level. */
static gck_status deltas_seed(seeding *s, const gck_mistake_kind *kind, gck_error *error)
{
    const size_t level = s->work.level, above = level_above(&s->search, level);
    const bool down = kind->stage == GCK_STAGE_DOWN;
    const size_t layers = s->search.spec->model->layer_count;
    const size_t first = down || level == 0 ? level : level - 1;
    size_t last = down && above <= layers ? above : above - 1;
    if (kind->stage == GCK_STAGE_DELTA) last = level;
    gck_status status = GCK_OK;
    for (size_t layer = first; status == GCK_OK && layer < last; layer++)
        status = kind_seed(s, kind, layer, NULL, error);
    return status;
}

static gck_status level_seed(seeding *s, gck_error *error)
{
    const gck_mistake_kind *kind;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && (kind = gck_mistake_at(i)) != NULL; i++) {
        if (gck_stage_is_delta(kind->stage)) status = deltas_seed(s, kind, error);
        for (size_t t = 0; status == GCK_OK && t < s->work.slots; t++)
            if (!gck_stage_is_delta(kind->stage) && s->work.level > 0)
                status = kind_seed(s, kind, s->work.level - 1, s->work.probe[t].slot, error);
    }
    return status;
}

/* ---- judged ---- */

static bool element_fails(const seeding *s, const finding_slot *slot, size_t e, double value)
{
    const double exact = slot->exact == NULL ? finding_world(slot, e) : slot->exact[e];
    return gck_element_verdict(exact, value, slot->bar[e], s->search.report->tolerance) == GCK_FAIL;
}

/* In one of the elements that were probed. */
static bool probe_fails(const seeding *s, size_t row, double factor)
{
    const finding_work *w = &s->work;
    for (size_t t = 0; t < w->slots; t++) {
        const finding_slot *slot = w->probe[t].slot;
        if (w->list.row[row].slot != NULL && w->list.row[row].slot != slot) continue;
        for (size_t i = 0; i < w->probe[t].count; i++) {
            double penalty;
            const double part = finding_probe_part(w, row, t, i, &penalty);
            if (element_fails(s, slot, w->probe[t].element[i], factor * part + penalty))
                return true;
        }
    }
    return false;
}

/* Along one of the check's directions. values are the tensor's, penalty included. */
static bool direction_fails(const seeding *s, const finding_slot *slot, const double *world,
                            const double *values)
{
    const gck_check_spec *spec = s->search.spec;
    const size_t layer = slot->level - 1;
    const size_t t = (size_t)(slot->tensor - spec->model->layer[layer].tensor);
    for (size_t d = 0; d < spec->directions; d++) {
        gck_direction_draw(spec->model->seed, gck_numeric_stream(layer, t), d, slot->count, s->v);
        const gck_direction along = {.exact = gck_direction_dot(world, s->v, slot->count),
                                     .claimed = gck_direction_dot(values, s->v, slot->count),
                                     .bar = gck_direction_bar(slot->bar, s->v, slot->count)};
        if (gck_directions_judge(&along, 1, s->search.report->tolerance).wrong > 0) return true;
    }
    return false;
}

/* values and penalty are overwritten. */
static bool slot_fails(const seeding *s, const finding_slot *slot, double *values,
                       const double *penalty)
{
    const bool directional = s->v != NULL && slot->level > 0;
    for (size_t e = 0; e < slot->count; e++) {
        values[e] += penalty == NULL ? 0 : penalty[e];
        if (!directional && element_fails(s, slot, e, values[e])) return true;
    }
    if (!directional) return false;
    double *world = s->v + slot->count;
    for (size_t e = 0; e < slot->count; e++)
        world[e] = finding_world(slot, e);
    return direction_fails(s, slot, world, values);
}

static gck_status delta_judge(seeding *s, const gck_mutant *mutant, bool *ret_caught,
                              gck_error *error)
{
    finding_search *search = &s->search;
    const gck_status status = gck_replay_gradient(search->replay, mutant, search->stop,
                                                  search->trial, search->trial_x, error);
    *ret_caught = false;
    for (size_t i = 0; status == GCK_OK && i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        if (slot->level > gck_mutant_level(mutant)) continue;
        *ret_caught = *ret_caught || slot_fails(s, slot, slot->trial, slot->penalty);
    }
    return status;
}

static gck_status tensor_judge(seeding *s, const gck_mutant *mutant, finding_slot *slot,
                               bool *ret_caught, gck_error *error)
{
    finding_candidate candidate = {.mutant = *mutant, .slot = slot};
    const double *penalty;
    const gck_status status = finding_tensor_fill(&s->search, &candidate, &penalty, error);
    *ret_caught = status == GCK_OK && slot_fails(s, slot, s->search.tensor, penalty);
    return status;
}

/* ---- rows ---- */

/* Variants of one mistake share a row: it is caught if all of them are. */
static gck_status row_add(seeding *s, const gck_mistake *mistake, bool caught, gck_error *error)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!finding_is_same(&s->row[i].mistake, mistake)) continue;
        s->row[i].caught = s->row[i].caught && caught;
        return GCK_OK;
    }
    if (s->count == s->capacity) {
        const size_t capacity = 2 * s->capacity + 64;
        void *grown = realloc(s->row, capacity * sizeof *s->row);
        if (grown == NULL) return gck_error_memory(error);
        s->row = grown;
        s->capacity = capacity;
    }
    s->row[s->count++] = (gck_sensitivity_row){*mistake, caught};
    return GCK_OK;
}

static gck_status mutant_judge(seeding *s, size_t row, double factor, const gck_scale *scale,
                               gck_error *error)
{
    const finding_candidate *of = &s->work.list.row[row];
    const gck_place about =
        finding_about(&s->search, s->work.level, of->slot == NULL ? NULL : of->slot->name);
    gck_mutant mutant = of->mutant;
    bool caught = s->v == NULL && probe_fails(s, row, factor);
    gck_status status = GCK_OK;
    mutant.factor = factor;
    mutant.scale[0] = scale;
    if (!caught)
        status = of->slot == NULL ? delta_judge(s, &mutant, &caught, error)
                                  : tensor_judge(s, &mutant, of->slot, &caught, error);
    const gck_mistake mistake = gck_mutant_mistake(&mutant, &about);
    return status == GCK_OK ? row_add(s, &mistake, caught, error) : status;
}

/* What is nothing but scaled, by each factor that is known to happen here. */
static gck_status scales_judge(seeding *s, size_t row, gck_error *error)
{
    const finding_candidate *of = &s->work.list.row[row];
    const gck_place about =
        finding_about(&s->search, s->work.level, of->slot == NULL ? NULL : of->slot->name);
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < gck_scale_count; i++) {
        const double factor = gck_scales[i].factor(&about);
        if (gck_scales[i].seeded && isfinite(factor) && factor != 1 && factor != 0)
            status = mutant_judge(s, row, factor, &gck_scales[i], error);
    }
    return status;
}

static void work_begin(seeding *s, size_t level)
{
    s->work = (finding_work){.search = &s->search, .level = level};
    for (size_t i = 0; i < s->search.slot_count && s->work.slots < FINDING_SLOTS; i++)
        if (s->search.slot[i].level == level)
            finding_probes_choose(&s->work.probe[s->work.slots++], &s->search.slot[i]);
}

static gck_status level_judge(seeding *s, size_t level, gck_error *error)
{
    work_begin(s, level);
    gck_status status = level_seed(s, error);
    if (status == GCK_OK) status = finding_probe_all(&s->work, error);
    for (size_t row = 0; status == GCK_OK && row < s->work.list.count; row++)
        status = s->work.list.row[row].mutant.kind->plain ? scales_judge(s, row, error)
                                                          : mutant_judge(s, row, 1, NULL, error);
    finding_candidates_done(&s->work.list);
    free(s->work.values);
    return status;
}

gck_status gck_sensitivity(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                           size_t *ret_count, gck_sensitivity_row **ret_row, gck_error *error)
{
    seeding s = {0};
    gck_status status = finding_open(spec, report, stop, &s.search, error);
    if (status != GCK_OK) return status;
    if (report->method == GCK_DIRECTIONAL) {
        s.v = gck_vector_room(2 * spec->model->parameter_count);
        if (s.v == NULL) status = gck_error_memory(error);
    }
    for (size_t i = 0; status == GCK_OK && i < s.search.slot_count; i++)
        if (i == 0 || s.search.slot[i].level != s.search.slot[i - 1].level)
            status = level_judge(&s, s.search.slot[i].level, error);
    gck_vector_free(s.v);
    finding_close(&s.search);
    if (status != GCK_OK) {
        free(s.row);
        return status;
    }
    *ret_count = s.count;
    *ret_row = s.row;
    return GCK_OK;
}
