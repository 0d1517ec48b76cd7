#include "core/mistake_parts.h"

#include <string.h>

size_t mistake_searched(const gck_place *place)
{
    (void)place;
    return GCK_SEARCHED;
}

size_t mistake_ends(const gck_place *place)
{
    (void)place;
    return 2;
}

size_t mistake_layers(const gck_place *place)
{
    return place->model->layer_count;
}

/* ---- applies ---- */

bool mistake_is_named(const gck_choice *choice, const char *name)
{
    return choice->item != NULL && strcmp(choice->item->name, name) == 0;
}

bool mistake_is_last(const gck_place *place)
{
    return place->layer + 1 == place->model->layer_count;
}

bool mistake_layer_is_derived(const gck_layer *layer)
{
    const gck_choice *f = &layer->spec.activation;
    return f->item != NULL && !(mistake_is_named(f, "linear") && f->option[0] == 1);
}

bool mistake_is_derived(const gck_place *place)
{
    return mistake_layer_is_derived(gck_place_layer(place));
}

bool mistake_is_penalised(const gck_place *place)
{
    return gck_layer_is_penalised(gck_place_layer(place));
}

bool mistake_has_penalty(const gck_place *place)
{
    return mistake_is_penalised(place) && !place->excluded;
}

bool mistake_has_samples(const gck_place *place)
{
    return place->data->samples > 1;
}

bool mistake_has_units(const gck_place *place)
{
    return gck_place_layer(place)->outputs > 1;
}

bool mistake_has_weights(const gck_place *place)
{
    return place->data->weights != NULL;
}

bool mistake_end_counts(const gck_place *place)
{
    const double *weights = place->data->weights;
    return mistake_has_samples(place) &&
           (weights == NULL || weights[place->which == 0 ? 0 : place->data->samples - 1] != 0);
}

bool mistake_has_twin_above(const gck_place *place)
{
    const gck_layer *layer = gck_place_layer(place);
    return place->layer + 1 < place->model->layer_count && layer[0].outputs == layer[1].outputs;
}

/* ---- samples ---- */

/* Sample `which` counts that often; its column is in the block or not. */
static void weigh_sample(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                         double *to, double times)
{
    const size_t samples = replay->pass->samples,
                 units = replay->model->layer[mutant->layer].outputs;
    memcpy(to, from, units * samples * sizeof *to);
    if (mutant->which < replay->first || mutant->which - replay->first >= samples) return;
    for (size_t unit = 0; unit < units; unit++)
        to[unit * samples + mutant->which - replay->first] *= times;
}

void mistake_without_sample(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    weigh_sample(replay, mutant, from, to, 0);
}

void mistake_with_sample_twice(const gck_replay *replay, const gck_mutant *mutant,
                               const double *from, double *to)
{
    weigh_sample(replay, mutant, from, to, 2);
}

void mistake_of_end(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                    double *to)
{
    const size_t samples = replay->pass->samples;
    const size_t kept = mutant->which == 0 ? 0 : replay->data->samples - 1;
    for (size_t i = 0; i < gck_replay_count(replay, mutant->layer); i++)
        to[i] = replay->first + i % samples == kept ? from[i] : 0;
}

/* ---- deltas of another place, or of another pass ---- */

void mistake_of_above(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                      double *to)
{
    (void)from;
    memcpy(to, replay->layer[mutant->layer + 1].dz,
           gck_replay_count(replay, mutant->layer) * sizeof *to);
}

void mistake_unweighted_cost(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                             double *to)
{
    (void)mutant, (void)from;
    gck_replay_cost_delta(replay, false, to);
}

typedef struct wanted {
    size_t level, count;
    double *to;
} wanted;

/* `to` may be the replay's room, where the walk has its deltas: nothing comes after this one. */
static void take(void *context, size_t level, const double *delta)
{
    const wanted *w = context;
    if (level == w->level) memmove(w->to, delta, w->count * sizeof *w->to);
}

/* Samples of weight 0 have no delta to be weighed back: all deltas down to this layer once more. */
void mistake_unweighted(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                        double *to)
{
    static const gck_mistake_kind kind = {.stage = GCK_STAGE_ACTIVATION,
                                          .make = mistake_unweighted_cost};
    const gck_mutant top = {.kind = &kind, .layer = replay->model->layer_count - 1, .factor = 1};
    wanted w = {mutant->layer + 1, gck_replay_count(replay, mutant->layer), to};
    (void)from;
    gck_replay_walk(replay, &top, w.level, take, &w);
}
