/* What replays add up to: gradients of all tensors, or of one. */
#include "core/derivatives.h"
#include "core/gemm.h"
#include "core/mistake.h"
#include "core/replay.h"

#include <string.h>

typedef struct sums {
    const gck_replay *replay;
    double *gradient, *x;
} sums;

/* x (inputs, samples) to rows of x (samples, inputs). */
static void rows_store(const sums *to, const double *delta)
{
    const size_t inputs = to->replay->model->inputs, samples = to->replay->pass->samples;
    for (size_t k = 0; k < samples; k++)
        for (size_t i = 0; i < inputs; i++)
            to->x[(to->replay->first + k) * inputs + i] = delta[i * samples + k];
}

static void sums_add(void *context, size_t level, const double *delta)
{
    const sums *to = context;
    if (level == 0) {
        if (to->x != NULL) rows_store(to, delta);
        return;
    }
    const gck_layer *layer = &to->replay->model->layer[level - 1];
    if (layer->tensor_count == 0) return;
    gck_layer_row_of(layer)->derivatives->backward(layer, &to->replay->pass->layer[level - 1],
                                                   delta, to->gradient, NULL);
}

static void gradient_clear(const gck_replay *replay, size_t level, double *gradient)
{
    for (size_t i = 0; i < level; i++)
        for (size_t t = 0; t < replay->model->layer[i].tensor_count; t++) {
            const gck_tensor *tensor = &replay->model->layer[i].tensor[t];
            memset(gradient + tensor->offset, 0, tensor->count * sizeof *gradient);
        }
}

gck_status gck_replay_stop(gck_stop stop, gck_error *error)
{
    if (stop.asked == NULL || !stop.asked(stop.context)) return GCK_OK;
    return gck_error_set(error, GCK_STOPPED, "", "%s", gck_status_text(GCK_STOPPED));
}

gck_status gck_replay_gradient(gck_replay *replay, const gck_mutant *mutant, gck_stop stop,
                               double *gradient, double *x, gck_error *error)
{
    const size_t top = mutant == NULL ? replay->model->layer_count : gck_mutant_level(mutant);
    const size_t last = x == NULL && top > 0 ? 1 : 0;
    sums to = {replay, gradient, x};
    gradient_clear(replay, top, gradient);
    for (size_t i = 0; i < gck_replay_blocks(replay); i++) {
        if (gck_replay_stop(stop, error) != GCK_OK) return GCK_STOPPED;
        gck_replay_load(replay, i);
        if (mutant == NULL)
            gck_replay_walk_world(replay, top, last, sums_add, &to);
        else
            gck_replay_walk(replay, mutant, last, sums_add, &to);
    }
    return GCK_OK;
}

void gck_replay_factors(gck_replay *replay, const gck_mutant *mutant, const double **ret_x,
                        const double **ret_delta)
{
    const double *dz = replay->layer[mutant->layer].dz;
    *ret_x = mutant->kind->input == NULL ? replay->pass->layer[mutant->layer].x
                                         : mutant->kind->input(replay, mutant);
    *ret_delta = dz;
    if (mutant->kind->make == NULL) return;
    mutant->kind->make(replay, mutant, dz, replay->room[0]);
    *ret_delta = replay->room[0];
}

gck_status gck_replay_tensor(gck_replay *replay, const gck_mutant *mutant, gck_stop stop,
                             double *values, gck_error *error)
{
    const gck_layer *layer = &replay->model->layer[mutant->layer];
    const bool bias = mutant->kind->stage == GCK_STAGE_BIAS;
    const size_t count = bias ? layer->outputs : layer->inputs * layer->outputs;
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; i < gck_replay_blocks(replay); i++) {
        const double *x, *delta;
        if (gck_replay_stop(stop, error) != GCK_OK) return GCK_STOPPED;
        gck_replay_load(replay, i);
        gck_replay_factors(replay, mutant, &x, &delta);
        const size_t samples = replay->pass->samples;
        for (size_t j = 0; bias && j < count; j++)
            for (size_t k = 0; k < samples; k++)
                values[j] += delta[j * samples + k];
        if (!bias)
            gck_gemm(layer->inputs, layer->outputs, samples, (gck_gemm_operand){x, false},
                     (gck_gemm_operand){delta, true}, true, values);
    }
    for (size_t e = 0; e < count; e++)
        values[e] *= mutant->factor;
    return GCK_OK;
}
