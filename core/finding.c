#include "core/finding.h"

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

/* What is tried once, when no mistake explains a slot as it stands: its numbers have too few
 * digits, or they are no derivatives. */
static gck_status resort(finding_search *search, gck_finding *rounded, bool *ret_again,
                         gck_error *error)
{
    *ret_again = finding_rounding(search, rounded);
    return *ret_again ? GCK_OK : finding_quotient(search, ret_again, error);
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
        if (status == GCK_OK && !again && !resorted) {
            status = resort(search, rounded, &again, error);
            resorted = true;
        }
        if (status == GCK_OK && !again) status = finding_rest(search, level, error);
        if (status != GCK_OK) return status;
    }
    return GCK_OK;
}

static gck_status search_all(finding_search *search, gck_error *error)
{
    bool found = false;
    gck_finding rounded = {.mistake.code = GCK_FINDING_UNEXPLAINED};
    gck_status status = finding_forward(search, &found, error);
    if (status != GCK_OK || found) return status;
    status = finding_non_finite(search, error);
    if (status == GCK_OK) status = descend(search, &rounded, error);
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
