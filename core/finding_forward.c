/* What is found without a replay: another forward pass, and numbers that are none. */
#include "core/check_forward.h"
#include "core/finding.h"

#include <math.h>
#include <stdio.h>

/* ---- outputs and cost ---- */

static gck_status outputs_say(finding_search *search, const gck_forward_difference *d,
                              gck_error *error)
{
    const size_t outputs = search->spec->model->outputs, at = d->at;
    const double claimed = search->spec->claim->outputs[at], ours = search->report->outputs[at];
    gck_finding *finding = finding_add(search, GCK_FINDING_DIFFERENT_FORWARD, "outputs", 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    if (d->strange > 0)
        finding_message(finding,
                        "%zu of %zu claimed outputs are NaN or infinite, the first is output %zu "
                        "of sample %zu, here %.6g: the forward pass overflows, or divides by 0",
                        d->strange, d->judged, at % outputs, at / outputs, ours);
    else
        finding_message(finding,
                        "the claimed outputs are those of another network: output %zu of sample "
                        "%zu is %.6g, here %.6g; look at the forward pass, parameters and data "
                        "first",
                        at % outputs, at / outputs, claimed, ours);
    finding_evidence(finding, "sample", (double)(at / outputs));
    finding_evidence(finding, "output", (double)(at % outputs));
    finding_evidence(finding, "claimed", claimed);
    finding_evidence(finding, "expected", ours);
    finding_evidence(finding, "bar", search->report->outputs_bar[at]);
    finding_evidence(finding, "count", (double)(d->strange > 0 ? d->strange : d->different));
    return GCK_OK;
}

/* A reason is believed in where rounding leaves that much of a cost open at most; a choice. */
#define KNOWN 0.1

/* Whether the claimed cost is the factor times ours, penalties aside. */
static bool is_cost(const finding_search *search, double factor, double penalty)
{
    const gck_report *report = search->report;
    const double wanted = factor * (report->cost - penalty);
    const double bar = fmax(1, fabs(factor)) * report->cost_bar;
    return isfinite(factor) && bar <= KNOWN * fabs(wanted) &&
           gck_forward_same(report, wanted, search->spec->claim->cost - penalty, bar);
}

/* Why a cost may be another one; NULL when there is no telling. */
static const char *cost_reason(const finding_search *search, const char **ret_name,
                               double *ret_factor)
{
    const gck_check_spec *spec = search->spec;
    const double penalty = gck_model_penalty(spec->model, spec->parameters);
    const double included = finding_penalty_share(search) * penalty;
    const gck_place place = finding_about(search, spec->model->layer_count, NULL);
    *ret_factor = NAN;
    if (!isfinite(spec->claim->cost)) return "it overflows on the way, or has a logarithm of 0";
    if (included != 0 && search->report->cost_bar <= KNOWN * fabs(included) &&
        gck_forward_same(search->report, search->report->cost - included, spec->claim->cost,
                         search->report->cost_bar)) {
        *ret_name = "penalty_missing";
        return "it is ours without the penalties of l1 and l2";
    }
    for (size_t i = 0; i < gck_scale_count; i++) {
        const gck_scale *scale = &gck_scales[i];
        if (!is_cost(search, scale->factor(&place), penalty)) continue;
        *ret_name = scale->name;
        *ret_factor = scale->factor(&place);
        return scale->holds == NULL || scale->holds(&place) ? scale->reason : scale->reason_not;
    }
    return NULL;
}

static gck_status cost_say(finding_search *search, gck_error *error)
{
    const double claimed = search->spec->claim->cost, ours = search->report->cost;
    const char *name = "cost";
    char text[GCK_NUMBER_TEXT];
    double factor;
    const char *reason = cost_reason(search, &name, &factor);
    gck_finding *finding = finding_add(search, GCK_FINDING_DIFFERENT_FORWARD, name, 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(
        finding, "the claimed cost is %s, here it is %.10g: %s", gck_number_format(claimed, text),
        ours, reason != NULL ? reason : "the forward pass, the parameters or the data are others");
    finding_evidence(finding, "claimed", claimed);
    finding_evidence(finding, "expected", ours);
    finding_evidence(finding, "bar", search->report->cost_bar);
    if (!isnan(factor)) finding_evidence(finding, "factor", factor);
    return GCK_OK;
}

/* Rounding may have done it, and left the gradients as they are: the search goes on. */
static gck_status lost_say(finding_search *search, gck_error *error)
{
    char text[GCK_NUMBER_TEXT];
    gck_finding *finding = finding_add(search, GCK_FINDING_NON_FINITE, "cost", 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding, "the claimed cost is %s, here it is %.10g: " GCK_LOST,
                    gck_number_format(search->spec->claim->cost, text), search->report->cost);
    finding_evidence(finding, "claimed", search->spec->claim->cost);
    finding_evidence(finding, "expected", search->report->cost);
    return GCK_OK;
}

gck_status finding_forward(finding_search *search, bool *ret_found, gck_error *error)
{
    const gck_forward_difference d = gck_forward_compare(search->spec, search->report);
    const bool outputs = d.strange + d.different > 0;
    *ret_found = outputs || d.cost;
    if (outputs) return outputs_say(search, &d, error);
    if (d.cost) return cost_say(search, error);
    return d.lost ? lost_say(search, error) : GCK_OK;
}

/* ---- no numbers ---- */

static size_t non_finite_count(const finding_slot *slot, size_t *ret_first)
{
    size_t count = 0;
    for (size_t e = slot->count; e-- > 0;) {
        if (isfinite(slot->claim[e])) continue;
        *ret_first = e;
        count++;
    }
    return count;
}

/* Claimed tensors that have them from slot `first` on, down to a layer without any. */
static size_t spread_of(const finding_search *search, size_t first)
{
    size_t tensors = 0, level = search->slot[first].level, unused;
    bool here = true;
    for (size_t i = first; i < search->slot_count; i++) {
        const finding_slot *slot = &search->slot[i];
        if (slot->level != level && !here) break;
        if (slot->level != level) here = false;
        level = slot->level;
        if (non_finite_count(slot, &unused) == 0) continue;
        here = true;
        tensors++;
    }
    return tensors;
}

static gck_status non_finite_say(finding_search *search, size_t index, gck_error *error)
{
    const finding_slot *slot = &search->slot[index];
    char what[64], where[FINDING_WHERE], more[96] = "";
    size_t first = 0;
    const size_t count = non_finite_count(slot, &first), tensors = spread_of(search, index);
    gck_finding *finding =
        finding_add(search, GCK_FINDING_NON_FINITE, "non_finite", slot->level, slot->name);
    if (finding == NULL) return gck_error_memory(error);
    const gck_place about = finding_about(search, slot->level, slot->name);
    gck_place_say(&about, what, sizeof what);
    if (tensors > 1)
        snprintf(more, sizeof more, "; so are numbers in %zu more tensor%s from there down",
                 tensors - 1, tensors == 2 ? "" : "s");
    finding_message(finding, "%zu of %zu numbers in %s %s NaN or infinite, %s that of %s%s", count,
                    slot->count, what, count > 1 ? "are" : "is", count > 1 ? "the first" : "namely",
                    finding_where(search, slot, first, where), more);
    finding_evidence(finding, "count", (double)count);
    finding_evidence(finding, "elements", (double)slot->count);
    finding_evidence(finding, "index", (double)first);
    finding_evidence(finding, "tensors", (double)tensors);
    return GCK_OK;
}

/* Told where they begin: a layer below others that have them has them from there. */
gck_status finding_non_finite(finding_search *search, gck_error *error)
{
    size_t level = SIZE_MAX; /* that is looked at */
    bool here = false, above = false;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < search->slot_count; i++) {
        finding_slot *slot = &search->slot[i];
        size_t first;
        if (slot->level != level) {
            above = here;
            here = false;
            level = slot->level;
        }
        if (non_finite_count(slot, &first) == 0) continue;
        if (!here && !above) status = non_finite_say(search, i, error);
        slot->state = SLOT_DONE;
        here = true;
    }
    return status;
}
