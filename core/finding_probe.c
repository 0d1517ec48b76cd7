/* A few elements of a slot stand for all until nearly all mistakes are ruled out. */
#include "core/finding_candidate.h"

#include <math.h>

/* Elements that are looked through for probes. */
enum { LOOKED_AT = 512 };

/* Keeps the `most` elements of the greatest weight, from place `first` on. */
static void offer(finding_probes *p, double *weight, size_t first, size_t most, size_t element,
                  double w)
{
    size_t place = p->count;
    for (size_t i = 0; i < p->count; i++)
        if (p->element[i] == element) return;
    while (place > first && w > weight[place - 1])
        place--;
    if (place >= first + most || !(w > 0)) return;
    if (p->count < first + most) p->count++;
    for (size_t i = p->count - 1; i > place; i--) {
        p->element[i] = p->element[i - 1];
        weight[i] = weight[i - 1];
    }
    p->element[place] = element;
    weight[place] = w;
}

void finding_probes_choose(finding_probes *p, finding_slot *slot)
{
    double weight[FINDING_PROBES];
    const size_t stride = slot->count / LOOKED_AT + 1;
    *p = (finding_probes){.slot = slot};
    for (size_t e = 0; e < slot->count; e += stride)
        offer(p, weight, 0, FINDING_PROBES / 2, e, fabs(slot->claim[e] - finding_world(slot, e)));
    const size_t first = p->count;
    for (size_t e = 0; e < slot->count; e += stride)
        offer(p, weight, first, FINDING_PROBES - first, e, fabs(slot->world[e]));
    if (p->count == 0) p->element[p->count++] = 0;
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

double finding_probe_value(const finding_search *search, const finding_slot *slot, size_t element,
                           const double *x, const double *delta)
{
    const gck_replay *replay = search->replay;
    const size_t samples = replay->pass->samples;
    if (slot->level == 0) {
        const size_t inputs = search->spec->model->inputs, row = element / inputs;
        if (row < replay->first || row - replay->first >= samples) return 0;
        return delta[element % inputs * samples + row - replay->first];
    }
    const size_t units = search->spec->model->layer[slot->level - 1].outputs;
    if (slot->name[0] == 'W')
        return dot(x + element / units * samples, delta + element % units * samples, samples);
    double sum = 0;
    for (size_t k = 0; k < samples; k++)
        sum += delta[element * samples + k];
    return sum;
}

static void probes_add(const finding_work *w, size_t s, const double *x, const double *delta,
                       finding_probed *to)
{
    for (size_t i = 0; i < w->probe[s].count; i++)
        to->value[s][i] +=
            finding_probe_value(w->search, w->probe[s].slot, w->probe[s].element[i], x, delta);
}

typedef struct visit {
    const finding_work *work;
    finding_probed *to;
} visit;

static void visit_level(void *context, size_t level, const double *delta)
{
    const visit *v = context;
    if (level != v->work->level) return;
    const double *x = level == 0 ? NULL : v->work->search->replay->pass->layer[level - 1].x;
    for (size_t s = 0; s < v->work->slots; s++)
        probes_add(v->work, s, x, delta, v->to);
}

/* The loaded block's part of one row. */
static void probe_block(finding_work *w, size_t row)
{
    const finding_candidate *candidate = &w->list.row[row];
    const gck_stage stage = candidate->mutant.kind->stage;
    gck_replay *replay = w->search->replay;
    const double *x, *delta;
    if (gck_stage_is_delta(stage)) {
        visit v = {w, &w->values[row]};
        gck_replay_walk(replay, &candidate->mutant, w->level, visit_level, &v);
    }
    if (stage != GCK_STAGE_WEIGHTS && stage != GCK_STAGE_BIAS) return;
    gck_replay_factors(replay, &candidate->mutant, &x, &delta);
    for (size_t s = 0; s < w->slots; s++)
        if (w->probe[s].slot == candidate->slot) probes_add(w, s, x, delta, &w->values[row]);
}

gck_status finding_probe_all(finding_work *w, gck_error *error)
{
    const finding_search *search = w->search;
    for (size_t i = 0; i < gck_replay_blocks(search->replay); i++) {
        gck_replay_load(search->replay, i);
        for (size_t row = 0; row < w->list.count; row++) {
            if (gck_replay_stop(search->stop, error) != GCK_OK) return GCK_STOPPED;
            probe_block(w, row);
        }
    }
    return GCK_OK;
}
