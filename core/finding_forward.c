/* What is found without a replay: another forward pass, and numbers that are none. */
#include "core/finding.h"

#include <math.h>

/* ---- outputs and cost ---- */

/* What two right forward passes may differ by, relative to the size of what they give. */
static double forward_tolerance(const finding_search *search)
{
    const double tolerance = gck_dtype_tolerance(search->spec->claim->dtype);
    return isnan(tolerance) ? 1e-8 : 8 * tolerance;
}

typedef struct worst_output {
    size_t sample, output;
    double claimed, ours, error; /* error relative to what is allowed */
} worst_output;

static double outputs_size(const gck_pass *pass)
{
    const gck_outputs outputs = gck_pass_outputs(pass);
    return gck_vector_norm(outputs.a, outputs.units * outputs.samples) /
           sqrt((double)(outputs.units * outputs.samples));
}

/* Rounding of an output is relative to the terms it is summed from: to its own size and, a
 * hundredth as much, to that of all. */
static void block_compare(const finding_search *search, double tolerance, worst_output *worst)
{
    const gck_pass *pass = search->replay->pass;
    const gck_outputs outputs = gck_pass_outputs(pass);
    const double size = outputs_size(pass);
    for (size_t k = 0; k < outputs.samples; k++)
        for (size_t unit = 0; unit < outputs.units; unit++) {
            const size_t row = search->replay->first + k;
            const double ours = outputs.a[unit * outputs.samples + k];
            const double claimed = search->spec->claim->outputs[row * outputs.units + unit];
            const double allowed = tolerance * (fabs(ours) + 0.01 * size) + 1e-300;
            const double error = fabs(claimed - ours) / allowed;
            if (error <= worst->error) continue;
            *worst = (worst_output){row, unit, claimed, ours, isnan(error) ? INFINITY : error};
        }
}

static gck_status outputs_compare(finding_search *search, bool *ret_found, gck_error *error)
{
    worst_output worst = {0};
    if (search->spec->claim->outputs == NULL) return GCK_OK;
    for (size_t i = 0; i < gck_replay_blocks(search->replay); i++) {
        gck_replay_load(search->replay, i);
        block_compare(search, forward_tolerance(search), &worst);
    }
    if (worst.error <= 1) return GCK_OK;
    gck_finding *finding = finding_add(search, GCK_FINDING_DIFFERENT_FORWARD, "outputs", 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding,
                    "the claimed outputs are those of another network: output %zu of sample %zu is "
                    "%.6g, here %.6g; look at the forward pass, parameters and data first",
                    worst.output, worst.sample, worst.claimed, worst.ours);
    finding_evidence(finding, "sample", (double)worst.sample);
    finding_evidence(finding, "output", (double)worst.output);
    finding_evidence(finding, "claimed", worst.claimed);
    finding_evidence(finding, "expected", worst.ours);
    *ret_found = true;
    return GCK_OK;
}

/* Why a cost may be another one; NULL when there is no telling. */
static const char *cost_reason(const finding_search *search, const char **ret_name,
                               double *ret_factor)
{
    const gck_check_spec *spec = search->spec;
    const double ours = search->report->cost, claimed = spec->claim->cost;
    const double penalty = gck_model_penalty(spec->model, spec->parameters);
    const double tolerance = 10 * forward_tolerance(search);
    const gck_place place = finding_about(search, spec->model->layer_count, NULL);
    *ret_factor = NAN;
    if (penalty != 0 && fabs(claimed - (ours - penalty)) <= tolerance * fabs(claimed)) {
        *ret_name = "penalty_missing";
        return "it is ours without the penalties of l1 and l2";
    }
    for (size_t i = 0; i < gck_scale_count; i++) {
        const gck_scale *scale = &gck_scales[i];
        const double factor = scale->factor(&place);
        if (!(fabs(claimed - penalty - factor * (ours - penalty)) <= tolerance * fabs(claimed)))
            continue;
        *ret_name = scale->name;
        *ret_factor = factor;
        return scale->holds == NULL || scale->holds(&place) ? scale->reason : scale->reason_not;
    }
    return NULL;
}

static gck_status cost_compare(finding_search *search, bool *ret_found, gck_error *error)
{
    const gck_claim *claim = search->spec->claim;
    const char *name = "cost";
    double factor;
    if (!claim->has_cost || *ret_found) return GCK_OK;
    const double ours = search->report->cost;
    /* A cost near 0 may be what is left of large terms: 1 stands for their size. */
    if (fabs(claim->cost - ours) <= forward_tolerance(search) * (fabs(ours) + 0.01)) return GCK_OK;
    const char *reason = cost_reason(search, &name, &factor);
    gck_finding *finding = finding_add(search, GCK_FINDING_DIFFERENT_FORWARD, name, 0, NULL);
    if (finding == NULL) return gck_error_memory(error);
    finding_message(finding, "the claimed cost is %.10g, here it is %.10g: %s", claim->cost, ours,
                    reason != NULL ? reason
                                   : "the forward pass, the parameters or the data are others");
    finding_evidence(finding, "claimed", claim->cost);
    finding_evidence(finding, "expected", ours);
    if (!isnan(factor)) finding_evidence(finding, "factor", factor);
    *ret_found = true;
    return GCK_OK;
}

gck_status finding_forward(finding_search *search, bool *ret_found, gck_error *error)
{
    *ret_found = false;
    const gck_status status = outputs_compare(search, ret_found, error);
    return status == GCK_OK ? cost_compare(search, ret_found, error) : status;
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

static gck_status non_finite_say(finding_search *search, const finding_slot *slot, gck_error *error)
{
    char what[64];
    size_t first = 0;
    const size_t count = non_finite_count(slot, &first);
    gck_finding *finding =
        finding_add(search, GCK_FINDING_NON_FINITE, "non_finite", slot->level, slot->name);
    if (finding == NULL) return gck_error_memory(error);
    const gck_place about = finding_about(search, slot->level, slot->name);
    gck_place_say(&about, what, sizeof what);
    finding_message(finding, "%zu of %zu numbers in %s are NaN or infinite, the first at %zu",
                    count, slot->count, what, first);
    finding_evidence(finding, "count", (double)count);
    finding_evidence(finding, "elements", (double)slot->count);
    finding_evidence(finding, "index", (double)first);
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
        if (!here && !above) status = non_finite_say(search, slot, error);
        slot->state = SLOT_DONE;
        here = true;
    }
    return status;
}
