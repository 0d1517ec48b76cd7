#include "core/finding.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const code_names[] = {
#define X(constant, code) [GCK_FINDING_##constant] = code,
    GCK_FINDING_LIST(X)
#undef X
};

const char *gck_finding_code_name(gck_finding_code code)
{
    return code_names[code];
}

/* ---- the list ---- */

gck_finding *finding_add(finding_search *search, gck_finding_code code, const char *name,
                         size_t level, const char *tensor)
{
    gck_findings *found = &search->found;
    if (found->count == search->capacity) {
        const size_t capacity = 2 * search->capacity + 4;
        void *grown = realloc(found->finding, capacity * sizeof *found->finding);
        if (grown == NULL) return NULL;
        found->finding = grown;
        search->capacity = capacity;
    }
    gck_finding *finding = &found->finding[found->count++];
    *finding = (gck_finding){.mistake = {.code = code,
                                         .layer = level == 0 ? GCK_FINDING_NO_LAYER : level - 1,
                                         .tensor = tensor}};
    snprintf(finding->mistake.name, sizeof finding->mistake.name, "%s", name);
    return finding;
}

bool finding_is_same(const gck_mistake *a, const gck_mistake *b)
{
    const char *first = a->tensor == NULL ? "" : a->tensor;
    const char *second = b->tensor == NULL ? "" : b->tensor;
    return a->code == b->code && a->layer == b->layer && strcmp(a->name, b->name) == 0 &&
           strcmp(first, second) == 0;
}

void finding_also(gck_finding *finding, gck_finding_code code, const char *name)
{
    if (finding->also_count == GCK_ALSO_MAX) return;
    gck_mistake *also = &finding->also[finding->also_count++];
    *also = finding->mistake;
    also->code = code;
    snprintf(also->name, sizeof also->name, "%s", name);
}

void finding_evidence(gck_finding *finding, const char *name, double number)
{
    if (finding->evidence_count == GCK_EVIDENCE_MAX) return;
    gck_evidence *evidence = &finding->evidence[finding->evidence_count++];
    snprintf(evidence->name, sizeof evidence->name, "%s", name);
    evidence->number = number;
}

void finding_message(gck_finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
}

void gck_findings_done(gck_findings *findings)
{
    free(findings->finding);
    *findings = (gck_findings){0};
}

/* ---- the order of the whole ---- */

/* The only dirty slot that is nearly right: with several there are likelier causes. */
static finding_slot *nearly_right(const finding_search *search)
{
    finding_slot *only = NULL;
    for (size_t i = 0; i < search->slot_count; i++) {
        finding_slot *slot = &search->slot[i];
        if (slot->state != SLOT_DIRTY || !finding_is_near(slot)) continue;
        if (only != NULL) return NULL;
        only = slot;
    }
    return only;
}

static gck_status rounded_say(finding_search *search, const finding_slot *slot,
                              const gck_finding *rounded, gck_error *error)
{
    char what[64];
    gck_finding *finding =
        finding_add(search, GCK_FINDING_ROUNDED, rounded->mistake.name, slot->level, slot->name);
    if (finding == NULL) return gck_error_memory(error);
    const gck_place about = finding_about(search, slot->level, slot->name);
    gck_place_say(&about, what, sizeof what);
    finding_message(finding, "%s: %.300s", what, rounded->message);
    finding->evidence_count = rounded->evidence_count;
    memcpy(finding->evidence, rounded->evidence, sizeof finding->evidence);
    return GCK_OK;
}

/* One tensor of the level whose claim alone has too few digits, looked at as if it were all. */
static gck_status rounded_alone(finding_search *search, size_t level, bool *ret_found,
                                gck_error *error)
{
    gck_finding rounded = {.mistake.code = GCK_FINDING_UNEXPLAINED};
    finding_search alone = *search;
    alone.slot = nearly_right(search);
    alone.slot_count = 1;
    if (alone.slot == NULL || alone.slot->level != level) return GCK_OK;
    *ret_found = finding_rounding(&alone, &rounded) && rounded.mistake.code == GCK_FINDING_ROUNDED;
    if (!*ret_found) return GCK_OK;
    alone.slot->state = SLOT_DONE;
    alone.slot->known = true;
    return rounded_say(search, alone.slot, &rounded, error);
}

/* What is tried when no mistake explains a slot as it stands: its numbers have too few digits, or
 * they are no derivatives; of the whole claim once. */
static gck_status resort(finding_search *search, size_t level, bool once, gck_finding *rounded,
                         bool *ret_again, gck_error *error)
{
    gck_status status = GCK_OK;
    *ret_again = once && finding_rounding(search, rounded);
    if (!*ret_again) status = rounded_alone(search, level, ret_again, error);
    if (status != GCK_OK || *ret_again || !once) return status;
    return finding_quotient(search, ret_again, error);
}

/* From the output backwards, until nothing is dirty. */
static gck_status descend(finding_search *search, gck_finding *rounded, gck_error *error)
{
    const finding_slot *slot;
    bool resorted = false;
    while ((slot = finding_next(search)) != NULL) {
        bool again = false;
        const size_t level = slot->level;
        gck_status status = finding_explain(search, level, &again, error);
        if (status == GCK_OK && !again) {
            status = resort(search, level, !resorted, rounded, &again, error);
            resorted = true;
        }
        if (status == GCK_OK && !again) status = finding_rest(search, level, error);
        if (status != GCK_OK) return status;
    }
    return GCK_OK;
}

static const finding_slot *slot_of(const finding_search *search, const gck_mistake *mistake)
{
    for (size_t i = 0; mistake->tensor != NULL && i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        const size_t layer = slot->level == 0 ? GCK_FINDING_NO_LAYER : slot->level - 1;
        if (layer == mistake->layer && strcmp(slot->name, mistake->tensor) == 0) return slot;
    }
    return NULL;
}

/* What is called zero throughout, but is not quite: how large it is. */
static void zeros_measure(finding_search *search)
{
    for (size_t i = 0; i < search->found.count; i++) {
        gck_finding *finding = &search->found.finding[i];
        const finding_slot *slot = slot_of(search, &finding->mistake);
        double largest = 0;
        if (finding->mistake.code != GCK_FINDING_ZERO || slot == NULL) continue;
        for (size_t e = 0; e < slot->count; e++)
            largest = fmax(largest, fabs(slot->claim[e]));
        if (largest == 0 || strcmp(finding->mistake.name, "only_penalty") == 0) continue;
        const size_t used = strlen(finding->message);
        snprintf(finding->message + used, sizeof finding->message - used,
                 ", or as good as: its numbers are %.2g at most, which rounding cannot tell from 0",
                 largest);
        finding_evidence(finding, "largest", largest);
    }
}

static gck_status search_all(finding_search *search, gck_error *error)
{
    bool found = false;
    gck_finding rounded = {.mistake.code = GCK_FINDING_UNEXPLAINED};
    gck_status status = finding_forward(search, &found, error);
    if (status != GCK_OK || found) return status;
    status = finding_non_finite(search, error);
    if (status == GCK_OK) status = descend(search, &rounded, error);
    zeros_measure(search);
    if (status != GCK_OK || rounded.mistake.code != GCK_FINDING_ROUNDED) return status;
    gck_finding *last = finding_add(search, GCK_FINDING_ROUNDED, "", 0, NULL);
    if (last == NULL) return gck_error_memory(error);
    *last = rounded;
    return GCK_OK;
}

gck_status gck_findings_new(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                            gck_findings *ret_findings, gck_error *error)
{
    finding_search search;
    *ret_findings = (gck_findings){0};
    if (spec->claim == NULL || report->verdict != GCK_FAIL) return GCK_OK;
    gck_status status = finding_open(spec, report, stop, &search, error);
    if (status != GCK_OK) return status;
    status = search_all(&search, error);
    if (status == GCK_OK) {
        *ret_findings = search.found;
        search.found = (gck_findings){0};
    }
    finding_close(&search);
    return status;
}
