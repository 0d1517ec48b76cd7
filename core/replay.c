#include "core/replay.h"
#include "core/activation.h"
#include "core/cost.h"
#include "core/derivatives.h"
#include "core/forward.h"
#include "core/gemm.h"
#include "core/mistake.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Passes over a block that one call should take no longer than a grain for. */
#define PASSES 4

/* ---- memory ---- */

static size_t widest_of(const gck_model *model)
{
    size_t widest = model->inputs;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layer[i].outputs > widest) widest = model->layer[i].outputs;
    return widest;
}

static size_t sample_values(const gck_model *model)
{
    size_t values = 3 * widest_of(model);
    for (size_t i = 0; i < model->layer_count; i++)
        values += 2 * model->layer[i].outputs;
    return values;
}

static void rooms_place(gck_replay *replay)
{
    double *next = replay->slab;
    for (size_t i = 0; i < replay->model->layer_count; i++) {
        replay->layer[i].da = next;
        replay->layer[i].dz = next + replay->model->layer[i].outputs * replay->rows;
        next += 2 * replay->model->layer[i].outputs * replay->rows;
    }
    for (size_t i = 0; i < 3; i++)
        replay->room[i] = next + i * widest_of(replay->model) * replay->rows;
}

gck_status gck_replay_new(const gck_check_spec *spec, gck_replay **ret_replay, gck_error *error)
{
    const gck_model *model = spec->model;
    gck_replay *replay = calloc(1, sizeof *replay + model->layer_count * sizeof replay->layer[0]);
    if (replay == NULL) return gck_error_memory(error);
    replay->model = model;
    replay->parameters = spec->parameters;
    replay->data = spec->data;
    replay->factor = gck_cost_factor(&model->cost, spec->data->samples, model->outputs);
    replay->rows = gck_pass_block_rows(model, spec->data->samples, PASSES);
    replay->first = SIZE_MAX;
    gck_status status = gck_pass_new(model, replay->rows, true, &replay->pass, error);
    replay->slab = gck_vector_room(sample_values(model) * replay->rows);
    if (status == GCK_OK && replay->slab == NULL) status = gck_error_memory(error);
    if (status != GCK_OK) {
        gck_replay_free(replay);
        return status;
    }
    rooms_place(replay);
    *ret_replay = replay;
    return GCK_OK;
}

void gck_replay_free(gck_replay *replay)
{
    if (replay == NULL) return;
    gck_pass_free(replay->pass);
    gck_vector_free(replay->slab);
    free(replay);
}

/* ---- steps ---- */

bool gck_replay_is_dense(const gck_layer *layer)
{
    return gck_layer_row_of(layer) == &gck_layer_dense;
}

const double *gck_replay_weights(const gck_replay *replay, size_t layer)
{
    return replay->parameters + replay->model->layer[layer].tensor[0].offset;
}

size_t gck_replay_count(const gck_replay *replay, size_t layer)
{
    return replay->model->layer[layer].outputs * replay->pass->samples;
}

/* dL/da of a cross-entropy as the chain rule has it; others by their rows. */
static void raw_slope(const gck_choice *cost, const gck_outputs *outputs, const double *y,
                      double *da)
{
    const gck_cost_row *row = gck_cost_row_of(cost);
    if (!row->entropy) {
        row->derivatives->delta(outputs, y, da);
        return;
    }
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        const double a = outputs->a[i];
        da[i] = y[i] == 0 ? 0 : -y[i] / a;
        if (!row->labels && y[i] != 1) da[i] += (1 - y[i]) / (1 - a);
    }
}

/* delta *= factor * w_k; nothing of a sample of weight 0. */
static void weigh(const gck_replay *replay, bool weighted, double *delta)
{
    const size_t samples = replay->pass->samples;
    for (size_t unit = 0; unit < replay->model->outputs; unit++)
        for (size_t k = 0; k < samples; k++) {
            const double w = weighted ? replay->pass->weights[k] : 1;
            double *d = &delta[unit * samples + k];
            *d = w == 0 ? 0 : *d * (replay->factor * w);
        }
}

void gck_replay_cost_slope(const gck_replay *replay, const gck_choice *cost, bool weighted,
                           double *da)
{
    const gck_outputs outputs = gck_pass_outputs(replay->pass);
    raw_slope(cost, &outputs, replay->pass->y, da);
    weigh(replay, weighted, da);
}

void gck_replay_cost_delta(const gck_replay *replay, bool weighted, double *dz)
{
    const gck_choice *cost = &replay->model->cost;
    const gck_outputs outputs = gck_pass_outputs(replay->pass);
    gck_cost_row_of(cost)->derivatives->delta(&outputs, replay->pass->y, dz);
    weigh(replay, weighted, dz);
    if (!gck_cost_is_entropy(cost)) gck_replay_chain(replay, replay->model->layer_count - 1, dz);
}

void gck_replay_chain(const gck_replay *replay, size_t layer, double *delta)
{
    const gck_layer_pass *place = &replay->pass->layer[layer];
    const gck_choice *activation = &replay->model->layer[layer].spec.activation;
    if (place->z == NULL) return;
    gck_activation_row_of(activation)
        ->derivatives->chain(activation->option, replay->model->layer[layer].outputs,
                             place->samples, place->z, place->a, delta);
}

void gck_replay_down(const gck_replay *replay, size_t layer, const double *delta, double *below)
{
    const gck_layer *of = &replay->model->layer[layer];
    const gck_layer_pass *place = &replay->pass->layer[layer];
    if (gck_replay_is_dense(of)) {
        gck_gemm(of->inputs, place->samples, of->outputs,
                 (gck_gemm_operand){gck_replay_weights(replay, layer), false},
                 (gck_gemm_operand){delta, false}, false, below);
        return;
    }
    assert(of->tensor_count == 0);
    gck_layer_row_of(of)->derivatives->backward(of, place, delta, NULL, below);
}

/* ---- the world ---- */

bool gck_replay_accept(gck_replay *replay, const gck_mutant *mutant)
{
    if (replay->world_count == GCK_WORLD_MAX) return false;
    replay->world[replay->world_count++] = *mutant;
    replay->first = SIZE_MAX;
    return true;
}

/* The last mutant of that stage at a layer. */
static const gck_mutant *world_at(const gck_replay *replay, gck_stage stage, size_t layer)
{
    for (size_t i = replay->world_count; i-- > 0;)
        if (replay->world[i].kind->stage == stage && replay->world[i].layer == layer)
            return &replay->world[i];
    return NULL;
}

static void scale(double *values, size_t count, double factor)
{
    for (size_t i = 0; factor != 1 && i < count; i++)
        values[i] *= factor;
}

static void copy(const double *from, double *to, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

static void mutant_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                        double *to, size_t count)
{
    if (mutant->kind->make != NULL)
        mutant->kind->make(replay, mutant, from, to);
    else
        copy(from, to, count);
    scale(to, count, mutant->factor);
}

/* Those of stage DELTA at a layer, one after the other, from dz to dz. */
static void world_deltas(const gck_replay *replay, size_t layer, double *dz)
{
    const size_t count = gck_replay_count(replay, layer);
    for (size_t i = 0; i < replay->world_count; i++) {
        const gck_mutant *mutant = &replay->world[i];
        if (mutant->kind->stage != GCK_STAGE_DELTA || mutant->layer != layer) continue;
        copy(dz, replay->room[2], count);
        mutant_make(replay, mutant, replay->room[2], dz, count);
    }
}

static void world_activation(const gck_replay *replay, size_t layer, const double *da, double *dz)
{
    const gck_mutant *wrong = world_at(replay, GCK_STAGE_ACTIVATION, layer);
    const size_t count = gck_replay_count(replay, layer);
    if (wrong != NULL) {
        mutant_make(replay, wrong, da, dz, count);
    } else if (layer + 1 == replay->model->layer_count) {
        gck_replay_cost_delta(replay, true, dz);
    } else {
        copy(da, dz, count);
        gck_replay_chain(replay, layer, dz);
    }
    world_deltas(replay, layer, dz);
}

static void world_down(const gck_replay *replay, size_t layer, const double *dz, double *below)
{
    const gck_mutant *wrong = world_at(replay, GCK_STAGE_DOWN, layer);
    if (wrong == NULL)
        gck_replay_down(replay, layer, dz, below);
    else
        mutant_make(replay, wrong, dz, below,
                    replay->model->layer[layer].inputs * replay->pass->samples);
}

size_t gck_replay_blocks(const gck_replay *replay)
{
    return (replay->data->samples + replay->rows - 1) / replay->rows;
}

static bool column_is_finite(const gck_replay *replay, size_t k)
{
    for (size_t i = 0; i < replay->model->layer_count; i++)
        for (size_t unit = 0; unit < replay->model->layer[i].outputs; unit++) {
            const gck_layer_pass *place = &replay->pass->layer[i];
            const size_t at = unit * place->samples + k;
            if (!isfinite(place->a[at]) || (place->z != NULL && !isfinite(place->z[at])))
                return false;
        }
    return true;
}

/* A sample of weight 0 has no say, even where it overflows on its way through the network. */
static void silence(const gck_replay *replay)
{
    gck_pass *pass = replay->pass;
    bool again = false;
    for (size_t k = 0; k < pass->samples; k++) {
        if (pass->weights[k] != 0 || column_is_finite(replay, k)) continue;
        for (size_t i = 0; i < replay->model->inputs; i++)
            pass->x[i * pass->samples + k] = 0;
        again = true;
    }
    if (again) gck_forward(pass, replay->parameters);
}

void gck_replay_load(gck_replay *replay, size_t index)
{
    const size_t first = index * replay->rows, last = replay->model->layer_count - 1;
    if (replay->first == first) return;
    const size_t left = replay->data->samples - first;
    const gck_rows block = {first, left < replay->rows ? left : replay->rows, NULL};
    gck_pass_load(replay->pass, replay->data, block);
    gck_pass_draw_masks(replay->pass, (gck_mask_key){replay->model->seed, 0}, block);
    gck_forward(replay->pass, replay->parameters);
    silence(replay);
    replay->first = first;
    gck_replay_cost_slope(replay, &replay->model->cost, true, replay->layer[last].da);
    for (size_t i = last + 1; i-- > 0;) {
        world_activation(replay, i, replay->layer[i].da, replay->layer[i].dz);
        if (i > 0) world_down(replay, i, replay->layer[i].dz, replay->layer[i - 1].da);
    }
}

/* ---- walks ---- */

bool gck_stage_is_delta(gck_stage stage)
{
    return stage <= GCK_STAGE_DOWN;
}

size_t gck_mutant_level(const gck_mutant *mutant)
{
    return mutant->kind->stage == GCK_STAGE_DOWN ? mutant->layer : mutant->layer + 1;
}

static void swap(double **a, double **b)
{
    double *kept = *a;
    *a = *b;
    *b = kept;
}

/* From a delta at `level` in *delta: visits it and those below. */
static void descend(const gck_replay *replay, size_t level, size_t last, double *delta,
                    double *other, gck_replay_visit *visit, void *context)
{
    for (;; level--) {
        visit(context, level, delta);
        if (level == last) return;
        world_down(replay, level - 1, delta, other);
        if (level == 1) {
            visit(context, 0, other);
            return;
        }
        world_activation(replay, level - 2, other, delta);
    }
}

void gck_replay_walk(const gck_replay *replay, const gck_mutant *mutant, size_t last,
                     gck_replay_visit *visit, void *context)
{
    const gck_replay_layer *at = &replay->layer[mutant->layer];
    const size_t level = gck_mutant_level(mutant);
    double *delta = replay->room[0], *other = replay->room[1];
    if (mutant->kind->stage == GCK_STAGE_DOWN) {
        mutant_make(replay, mutant, at->dz, delta,
                    replay->model->layer[mutant->layer].inputs * replay->pass->samples);
        if (level > 0) {
            world_activation(replay, level - 1, delta, other);
            swap(&delta, &other);
        }
    } else {
        const bool derived = mutant->kind->stage == GCK_STAGE_ACTIVATION;
        mutant_make(replay, mutant, derived ? at->da : at->dz, delta,
                    gck_replay_count(replay, mutant->layer));
        if (derived) world_deltas(replay, mutant->layer, delta);
    }
    descend(replay, level, last, delta, other, visit, context);
}

void gck_replay_walk_world(const gck_replay *replay, size_t first, size_t last,
                           gck_replay_visit *visit, void *context)
{
    for (size_t level = first; level > 0 && level >= last; level--)
        visit(context, level, replay->layer[level - 1].dz);
    if (last > 0) return;
    world_down(replay, 0, replay->layer[0].dz, replay->room[0]);
    visit(context, 0, replay->room[0]);
}
