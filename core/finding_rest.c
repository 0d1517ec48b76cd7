/* What no known mistake explains: single elements, units or inputs that are wrong among right ones;
 * or nothing of the kind. */
#include "core/finding.h"

#include <math.h>
#include <stdio.h>

/* Few among many. */
#define FEW 0.25

/* ---- lines: columns of W are units, rows are inputs ---- */

typedef struct lines {
    size_t count, wrong;  /* lines; those with wrong elements */
    size_t first;         /* the first of these */
    size_t in_wrong, bad; /* elements in wrong lines, and wrong ones among them */
} lines;

static lines lines_of(const finding_search *search, const finding_slot *slot, size_t count,
                      size_t step, size_t length, size_t stride)
{
    lines l = {.count = count};
    for (size_t i = 0; i < count; i++) {
        size_t bad = 0;
        for (size_t j = 0; j < length; j++)
            bad += finding_is_wrong(search, slot, i * step + j * stride);
        if (bad == 0) continue;
        if (l.wrong == 0) l.first = i;
        l.wrong++;
        l.in_wrong += length;
        l.bad += bad;
    }
    return l;
}

static size_t units_of(const finding_search *search, const finding_slot *slot)
{
    return search->spec->model->layer[slot->level - 1].outputs;
}

static lines units_see(const finding_search *search, const finding_slot *slot)
{
    const size_t units = units_of(search, slot);
    return lines_of(search, slot, units, 1, slot->count / units, units);
}

static lines inputs_see(const finding_search *search, const finding_slot *slot)
{
    const size_t units = units_of(search, slot);
    return lines_of(search, slot, slot->count / units, units, units, 1);
}

static bool are_few(const lines *l)
{
    return l->wrong > 0 && (double)l->wrong <= fmax(1, FEW * (double)l->count) &&
           l->wrong < l->count && 2 * l->bad > l->in_wrong;
}

/* ---- findings ---- */

static void what_of(const finding_search *search, const finding_slot *slot, char *text, size_t size)
{
    const gck_place about = finding_about(search, slot->level, slot->name);
    gck_place_say(&about, text, size);
}

static const char *first_of(size_t wrong)
{
    return wrong > 1 ? "the first" : "namely";
}

static gck_status units_say(finding_search *search, const finding_slot *slot, const lines *l,
                            bool whole, gck_error *error)
{
    gck_finding *finding = finding_add(search, GCK_FINDING_WRONG_DELTA, "units", slot->level,
                                       whole ? NULL : slot->name);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding,
                    "the gradients of %zu of %zu units of layer %zu are wrong, %s those of unit "
                    "%zu; those of the others are right",
                    l->wrong, l->count, slot->level - 1, first_of(l->wrong), l->first);
    finding_evidence(finding, "count", (double)l->wrong);
    finding_evidence(finding, "units", (double)l->count);
    finding_evidence(finding, "unit", (double)l->first);
    return GCK_OK;
}

static gck_status inputs_say(finding_search *search, const finding_slot *slot, const lines *l,
                             gck_error *error)
{
    gck_finding *finding =
        finding_add(search, GCK_FINDING_WRONG_INPUT, "rows", slot->level, slot->name);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding,
                    "in dW of layer %zu the weights of %zu of %zu inputs are wrong, %s those of "
                    "input %zu; those of the others are right",
                    slot->level - 1, l->wrong, l->count, first_of(l->wrong), l->first);
    finding_evidence(finding, "count", (double)l->wrong);
    finding_evidence(finding, "inputs", (double)l->count);
    finding_evidence(finding, "input", (double)l->first);
    return GCK_OK;
}

static gck_status elements_say(finding_search *search, const finding_slot *slot, size_t wrong,
                               gck_error *error)
{
    size_t listed = 0, first = 0;
    char what[64], where[FINDING_WHERE], name[GCK_NAME_MAX];
    gck_finding *finding =
        finding_add(search, GCK_FINDING_ELEMENTS, "elements", slot->level, slot->name);
    if (finding == NULL) return gck_error_memory(error);
    what_of(search, slot, what, sizeof what);
    while (first < slot->count && !finding_is_wrong(search, slot, first))
        first++;
    finding_message(finding,
                    "%zu of %zu numbers in %s %s wrong, %s that of %s; the others are right", wrong,
                    slot->count, what, wrong > 1 ? "are" : "is", first_of(wrong),
                    finding_where(search, slot, first, where));
    finding_evidence(finding, "count", (double)wrong);
    finding_evidence(finding, "elements", (double)slot->count);
    for (size_t e = first; e < slot->count && listed < GCK_EVIDENCE_MAX - 2; e++) {
        if (!finding_is_wrong(search, slot, e)) continue;
        snprintf(name, sizeof name, "index_%zu", listed++);
        finding_evidence(finding, name, (double)e);
    }
    return GCK_OK;
}

/* What the numbers say all the same: the best factor, and what it leaves. */
static gck_status unexplained_say(finding_search *search, const finding_slot *slot, bool whole,
                                  size_t wrong, gck_error *error)
{
    double product = 0, square = 0, claim = 0;
    char what[64];
    gck_finding *finding = finding_add(search, GCK_FINDING_UNEXPLAINED, "unexplained", slot->level,
                                       whole ? NULL : slot->name);
    if (finding == NULL) return gck_error_memory(error);
    for (size_t e = 0; e < slot->count; e++) {
        const double c = slot->claim[e] * slot->unit, w = finding_world(slot, e) * slot->unit;
        product += c * w;
        square += w * w;
        claim += c * c;
    }
    const gck_place about = finding_about(search, slot->level, whole ? NULL : slot->name);
    gck_place_say(&about, what, sizeof what);
    finding_message(
        finding, "%s is wrong in a way that no known mistake explains; %s are right", what,
        slot->level == search->spec->model->layer_count ? "cost and outputs, where claimed,"
                                                        : "the layers above");
    finding_evidence(finding, "distance", slot->deviation / (slot->size + sqrt(claim)));
    finding_evidence(finding, "factor", square > 0 ? product / square : 0);
    finding_evidence(finding, "cosine",
                     square > 0 && claim > 0 ? product / sqrt(square * claim) : 0);
    finding_evidence(finding, "wrong_elements", (double)wrong);
    return GCK_OK;
}

/* ---- one level ---- */

static size_t wrong_count(const finding_search *search, const finding_slot *slot)
{
    size_t count = 0;
    for (size_t e = 0; e < slot->count; e++)
        count += finding_is_wrong(search, slot, e);
    return count;
}

typedef struct level_slots {
    size_t count, dirty;
    finding_slot *slot[GCK_TENSORS_MAX]; /* dirty ones */
} level_slots;

static level_slots level_see(const finding_search *search, size_t level)
{
    level_slots l = {0};
    for (size_t i = 0; i < search->slot_count; i++) {
        if (search->slot[i].level != level) continue;
        l.count++;
        if (search->slot[i].state == SLOT_DIRTY) l.slot[l.dirty++] = &search->slot[i];
    }
    return l;
}

/* All dirty tensors are wrong in the same few units. ret->bad: elements of all of them. */
static bool units_are_wrong(const finding_search *search, const level_slots *l, lines *ret)
{
    for (size_t i = 0; i < l->dirty; i++) {
        lines of = units_see(search, l->slot[i]);
        if (!are_few(&of)) return false;
        if (i > 0 && (of.first != ret->first || of.wrong != ret->wrong)) return false;
        if (i > 0) of.bad += ret->bad;
        *ret = of;
    }
    return l->dirty > 1 || l->slot[0]->name[0] == 'W';
}

static gck_status slot_say(finding_search *search, const level_slots *l, finding_slot *slot,
                           bool *told, gck_error *error)
{
    const size_t wrong = wrong_count(search, slot);
    const bool whole = l->dirty == l->count && l->count > 1;
    if (slot->level > 0 && slot->name[0] == 'W') {
        const lines inputs = inputs_see(search, slot);
        if (are_few(&inputs) && inputs.bad > 1) return inputs_say(search, slot, &inputs, error);
    }
    if (wrong > 0 && wrong < slot->count && (double)wrong <= fmax(1, FEW * (double)slot->count))
        return elements_say(search, slot, wrong, error);
    if (l->dirty == l->count) search->contaminated = true;
    if (*told) return GCK_OK;
    *told = whole;
    return unexplained_say(search, slot, whole, wrong, error);
}

gck_status finding_rest(finding_search *search, size_t level, gck_error *error)
{
    const level_slots l = level_see(search, level);
    lines units = {0};
    bool told = false;
    gck_status status = GCK_OK;
    if (!search->contaminated && level > 0 && units_are_wrong(search, &l, &units) &&
        units.bad > 1) {
        status = units_say(search, l.slot[0], &units, l.dirty > 1, error);
        search->contaminated = true;
    } else {
        for (size_t i = 0; status == GCK_OK && !search->contaminated && i < l.dirty; i++)
            status = slot_say(search, &l, l.slot[i], &told, error);
    }
    for (size_t i = 0; i < l.dirty; i++)
        l.slot[i]->state = SLOT_DONE;
    return status;
}
