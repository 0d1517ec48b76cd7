#include "core/finding.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the deviation in the elements that are wrong, what a mutant may leave. */
#define LEFT_AT_MOST 0.1
/* A claim further away is not even nearly right. */
#define NEARLY 0.05
/* Units of the bar, which is made for the right gradient, granted to one that is wrong. */
#define BAR_UNITS 8
/* Two computations of one gradient agree to that, whatever the tolerance. */
#define AGREEMENT 1e-8

/* ---- slots ---- */

static const gck_tensor *tensor_named(const gck_layer *layer, const char *name)
{
    for (size_t t = 0; t < layer->tensor_count; t++)
        if (strcmp(layer->tensor[t].name, name) == 0) return &layer->tensor[t];
    return NULL;
}

static void slot_add(finding_search *search, size_t layer, const gck_tensor_report *tensor)
{
    const gck_claim *claim = search->spec->claim;
    const bool kept = claim != NULL && claim->given != NULL;
    const gck_tensor *of = tensor_named(&search->spec->model->layer[layer], tensor->name);
    search->slot[search->slot_count++] =
        (finding_slot){.level = layer + 1,
                       .tensor = of,
                       .name = of->name,
                       .count = of->count,
                       .claim = tensor->analytic,
                       .given = kept ? claim->given + of->offset : tensor->analytic,
                       .exact = tensor->exact,
                       .bar = tensor->bar,
                       .world = search->world + of->offset,
                       .trial = search->trial + of->offset,
                       .penalty = search->penalty + of->offset,
                       .state = tensor->verdict == GCK_FAIL ? SLOT_DIRTY : SLOT_CLEAN};
}

static void slots_add(finding_search *search)
{
    const gck_report *report = search->report;
    for (size_t i = report->layer_count; i-- > 0;)
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            slot_add(search, report->layer[i].index, &report->layer[i].tensor[t]);
    if (search->world_x == NULL) return;
    search->slot[search->slot_count++] =
        (finding_slot){.name = "x",
                       .count = report->inputs.count,
                       .claim = report->inputs.analytic,
                       .given = finding_claim_factor(search) == 1 ? report->inputs.analytic : NULL,
                       .exact = report->inputs.exact,
                       .bar = report->inputs.bar,
                       .world = search->world_x,
                       .trial = search->trial_x,
                       .state = report->inputs.verdict == GCK_FAIL ? SLOT_DIRTY : SLOT_CLEAN};
}

static size_t slots_most(const gck_report *report)
{
    size_t count = 1;
    for (size_t i = 0; i < report->layer_count; i++)
        count += report->layer[i].tensor_count;
    return count;
}

static size_t largest_tensor(const gck_model *model)
{
    size_t largest = 1;
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t t = 0; t < model->layer[i].tensor_count; t++)
            if (model->layer[i].tensor[t].count > largest)
                largest = model->layer[i].tensor[t].count;
    return largest;
}

static gck_status rooms_take(finding_search *search, gck_error *error)
{
    const gck_model *model = search->spec->model;
    const size_t p = model->parameter_count;
    const bool inputs = search->report->has_inputs;
    const size_t x = inputs ? search->spec->data->samples * model->inputs : 0;
    search->slot = calloc(slots_most(search->report), sizeof *search->slot);
    search->slab = gck_vector_new(3 * p + 2 * x + largest_tensor(model));
    if (search->slot == NULL || search->slab == NULL) return gck_error_memory(error);
    search->world = search->slab;
    search->trial = search->world + p;
    search->penalty = search->trial + p;
    search->world_x = inputs ? search->penalty + p : NULL;
    search->trial_x = inputs ? search->world_x + x : NULL;
    search->tensor = search->penalty + p + 2 * x;
    for (size_t i = 0; i < p; i++)
        search->penalty[i] = gck_model_penalty_exact(model, i, search->spec->parameters[i]);
    return GCK_OK;
}

gck_status finding_open(const gck_check_spec *spec, const gck_report *report, gck_stop stop,
                        finding_search *ret, gck_error *error)
{
    finding_search search = {.spec = spec, .report = report, .stop = stop};
    search.precision = (finding_precision){fmax(report->tolerance, AGREEMENT), 1, 0};
    gck_status status = gck_replay_new(spec, &search.replay, error);
    if (status == GCK_OK) status = rooms_take(&search, error);
    if (status == GCK_OK)
        status =
            gck_replay_gradient(search.replay, NULL, stop, search.world, search.world_x, error);
    if (status != GCK_OK) {
        finding_close(&search);
        return status;
    }
    slots_add(&search);
    finding_judge(&search, spec->model->layer_count);
    *ret = search;
    return GCK_OK;
}

void finding_close(finding_search *search)
{
    gck_replay_free(search->replay);
    gck_vector_free(search->slab);
    free(search->slot);
    gck_findings_done(&search->found);
}

/* ---- what fits ---- */

bool finding_same(const finding_search *search, double claim, double other, double bar)
{
    const finding_precision *p = &search->precision;
    const double limit = p->tolerance * fabs(claim) + p->tolerance * fabs(other) +
                         p->bar_factor * bar + p->absolute + DBL_MIN;
    /* A bar that is no number bounds nothing. */
    const double error = fabs(claim - other);
    return isfinite(error) && !(error > limit);
}

double finding_world(const finding_slot *slot, size_t element)
{
    return slot->world[element] + (slot->penalty == NULL ? 0 : slot->penalty[element]);
}

double finding_growth(const finding_slot *slot, double size)
{
    return BAR_UNITS * (size > slot->size && slot->size > 0 ? size / slot->size : 1);
}

static double value_at(const double *values, const double *penalty, size_t e)
{
    return values[e] + (penalty == NULL ? 0 : penalty[e]);
}

bool finding_is_wrong(const finding_search *search, const finding_slot *slot, size_t e)
{
    const double world = finding_world(slot, e), bar = slot->bar[e];
    if (search->precision.bar_factor > 1 || search->precision.absolute > 0)
        return !finding_same(search, slot->claim[e], world, bar);
    return gck_element_verdict(world, slot->claim[e], bar, search->report->tolerance) == GCK_FAIL;
}

const char *finding_where(const finding_search *search, const finding_slot *slot, size_t e,
                          char text[FINDING_WHERE])
{
    const gck_model *model = search->spec->model;
    const size_t width = slot->level == 0 ? model->inputs : model->layer[slot->level - 1].outputs;
    const size_t row = e / width, column = e % width;
    if (slot->level == 0)
        snprintf(text, FINDING_WHERE, "sample %zu, input %zu", row, column);
    else if (slot->name[0] == 'W')
        snprintf(text, FINDING_WHERE, "input %zu, unit %zu", row, column);
    else
        snprintf(text, FINDING_WHERE, "unit %zu", column);
    return text;
}

/* Norms, times the slot's unit. */
typedef struct sizes {
    double values, error; /* |values|, |claim - values| */
    double wrong;         /* the latter of those elements alone that are wrong in the world */
} sizes;

static sizes sizes_of(const finding_search *search, const finding_slot *slot, const double *values,
                      const double *penalty)
{
    sizes s = {0};
    for (size_t e = 0; e < slot->count; e++) {
        const double v = value_at(values, penalty, e) * slot->unit;
        const double d = slot->claim[e] * slot->unit - v;
        s.values += v * v;
        s.error += d * d;
        if (finding_is_wrong(search, slot, e)) s.wrong += d * d;
    }
    return (sizes){sqrt(s.values), sqrt(s.error), sqrt(s.wrong)};
}

bool finding_is_near(const finding_slot *slot)
{
    return slot->deviation <= NEARLY * slot->size;
}

bool finding_is_enough(const finding_slot *slot, double left)
{
    return left <= LEFT_AT_MOST * slot->wrong;
}

bool finding_fits(const finding_search *search, const finding_slot *slot, const double *values,
                  const double *penalty, bool changed, double *ret_distance)
{
    const sizes s = sizes_of(search, slot, values, penalty);
    const double growth = changed ? finding_growth(slot, s.values) : 1;
    if (slot->state == SLOT_DIRTY && changed && !finding_is_enough(slot, s.wrong)) return false;
    for (size_t e = 0; e < slot->count; e++)
        if (!finding_same(search, slot->claim[e], value_at(values, penalty, e),
                          growth * slot->bar[e]))
            return false;
    *ret_distance = s.error == 0 ? 0 : s.error / (s.values + slot->size);
    return true;
}

static double unit_of(const finding_slot *slot)
{
    double largest = 0;
    for (size_t e = 0; e < slot->count; e++) {
        if (isfinite(slot->claim[e])) largest = fmax(largest, fabs(slot->claim[e]));
        largest = fmax(largest, fabs(finding_world(slot, e)));
    }
    return largest > DBL_MIN && isfinite(largest) ? 1 / largest : 1;
}

void finding_judge(finding_search *search, size_t top)
{
    for (size_t i = 0; i < search->slot_count; i++) {
        finding_slot *slot = &search->slot[i];
        if (slot->level > top) continue;
        slot->unit = unit_of(slot);
        const sizes s = sizes_of(search, slot, slot->world, slot->penalty);
        slot->size = s.values;
        slot->deviation = s.error;
        slot->wrong = s.wrong;
    }
}

finding_slot *finding_next(const finding_search *search)
{
    for (size_t i = 0; i < search->slot_count; i++)
        if (search->slot[i].state == SLOT_DIRTY) return &search->slot[i];
    return NULL;
}
