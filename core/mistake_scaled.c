/* Nothing, or nothing but a factor: deltas, tensors' data parts, whole tensors. */
#include "core/mistake_parts.h"

#include <string.h>

/* The gradient of x; further up a delta passed down is the same as the delta below. */
static bool is_first(const gck_place *place)
{
    return place->layer == 0;
}

/* ---- zeros ---- */

static void zero_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                      double *to)
{
    (void)from;
    memset(to, 0, gck_replay_count(replay, mutant->layer) * sizeof *to);
}

static void zero_down_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                           double *to)
{
    (void)from;
    memset(to, 0, replay->model->layer[mutant->layer].inputs * replay->pass->samples * sizeof *to);
}

static double zero_value(const gck_finished *f, size_t e)
{
    (void)f, (void)e;
    return 0;
}

static const gck_mistake_kind zero_kinds[] = {
    {GCK_FINDING_ZERO, "delta", "{what} is zero, penalties aside: no delta arrives there",
     GCK_STAGE_DELTA, .make = zero_make},
    {GCK_FINDING_ZERO, "inputs", "{what} is zero throughout", GCK_STAGE_DOWN, .applies = is_first,
     .make = zero_down_make},
    {GCK_FINDING_ZERO, "tensor", "{what} is zero throughout", GCK_STAGE_FINISHED, .whole = true,
     .value = zero_value},
    {GCK_FINDING_ZERO, "only_penalty", "{what} has nothing in it but the penalty",
     GCK_STAGE_FINISHED, "W", .applies = mistake_has_penalty, .value = zero_value},
};

const gck_mistake_group gck_mistakes_zero = {zero_kinds, sizeof zero_kinds / sizeof zero_kinds[0]};

/* ---- nothing but a factor ---- */

static bool is_penalised_weights(const gck_place *place)
{
    return place->tensor[0] == 'W' && mistake_has_penalty(place);
}

static void right_down_make(const gck_replay *replay, const gck_mutant *mutant, const double *from,
                            double *to)
{
    gck_replay_down(replay, mutant->layer, from, to);
}

static const gck_mistake_kind scaled_kinds[] = {
    {GCK_FINDING_SCALED, "scaled", "", GCK_STAGE_DELTA, .plain = true},
    {GCK_FINDING_SCALED, "scaled", "", GCK_STAGE_FINISHED, .plain = true},
    {GCK_FINDING_SCALED, "scaled", "", GCK_STAGE_FINISHED, .plain = true,
     .applies = is_penalised_weights, .whole = true},
    {GCK_FINDING_SCALED, "scaled", "", GCK_STAGE_DOWN, .plain = true, .applies = is_first,
     .make = right_down_make},
};

const gck_mistake_group gck_mistakes_scaled = {scaled_kinds,
                                               sizeof scaled_kinds / sizeof scaled_kinds[0]};
