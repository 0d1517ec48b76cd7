/* The work of a grain. The analytic gradient comes from the backward pass; numeric and exact
 * derivatives from the numeric side, which knows nothing of it. */
#include "core/backward.h"
#include "core/bar.h"
#include "core/bar_claim.h"
#include "core/check.h"
#include "core/forward.h"
#include "core/numeric.h"

#include <stdlib.h>
#include <string.h>

struct gck_check_room {
    const gck_check *check;
    size_t block_first; /* of the block that is loaded; SIZE_MAX: none */
    gck_pass *pass;
    gck_numeric *numeric;
    bool analytic; /* whether the next two are there: from the first analytic grain on */
    gck_backward_room backward;
    gck_bar_room bar;
    gck_bar_claim_room *bar_claim; /* with a claim */
    double *direction;             /* a layer's tensors; empty unless directional */
};

static size_t units_most(const gck_check *check)
{
    size_t most = 1;
    for (size_t i = 0; i < check->range_count; i++)
        if (check->range[i].grain_units > most) most = check->range[i].grain_units;
    return most;
}

static size_t direction_values(const gck_check *check)
{
    size_t most = 0;
    for (size_t i = 0; check->spec.method == GCK_DIRECTIONAL && i < check->range_count; i++)
        if (check->range[i].count > most) most = check->range[i].count;
    return most;
}

static double factor_of(const gck_check *check)
{
    return gck_cost_factor(&check->spec.model->cost, check->spec.data->samples,
                           check->spec.model->outputs);
}

gck_status gck_check_room_new(const gck_check *check, gck_check_room **ret_room, gck_error *error)
{
    const gck_check_spec *spec = &check->spec;
    const gck_numeric_spec numeric = {.model = spec->model,
                                      .parameters = spec->parameters,
                                      .method = spec->method == GCK_DIRECTIONAL ? GCK_COMPLEX_STEP
                                                                                : spec->method,
                                      .epsilon = spec->epsilon,
                                      .factor = factor_of(check),
                                      .direct = spec->engine == GCK_ENGINE_DIRECT,
                                      .rows = check->cut.block_rows,
                                      .units = units_most(check)};
    gck_check_room *room = calloc(1, sizeof *room);
    if (room == NULL) return gck_error_memory(error);
    room->check = check;
    room->block_first = SIZE_MAX;
    gck_status status = gck_pass_new(spec->model, check->cut.block_rows, true, &room->pass, error);
    if (status == GCK_OK) status = gck_numeric_new(&numeric, &room->numeric, error);
    room->direction = gck_vector_room(direction_values(check));
    if (status == GCK_OK && room->direction == NULL) status = gck_error_memory(error);
    if (status != GCK_OK) {
        gck_check_room_free(room);
        return status;
    }
    *ret_room = room;
    return GCK_OK;
}

void gck_check_room_free(gck_check_room *room)
{
    if (room == NULL) return;
    gck_pass_free(room->pass);
    gck_numeric_free(room->numeric);
    gck_backward_room_done(&room->backward);
    gck_bar_room_done(&room->bar);
    gck_bar_claim_room_free(room->bar_claim);
    gck_vector_free(room->direction);
    free(room);
}

/* A sample of weight 0 has no say, even where it would overflow on its way through the network. */
static void silence(gck_pass *pass, const gck_model *model)
{
    for (size_t k = 0; k < pass->samples; k++)
        for (size_t i = 0; pass->weights[k] == 0 && i < model->inputs; i++)
            pass->x[i * pass->samples + k] = 0;
}

static void block_load(gck_check_room *room, gck_rows block)
{
    if (room->block_first == block.first) return;
    const gck_check_spec *spec = &room->check->spec;
    gck_pass_load(room->pass, spec->data, block);
    gck_pass_draw_masks(room->pass, (gck_mask_key){spec->model->seed, 0}, block);
    silence(room->pass, spec->model);
    gck_forward_losses(room->pass, spec->parameters);
    gck_numeric_load(room->numeric, room->pass);
    room->block_first = block.first;
}

/* ---- kinds of grains: each fills a partial's values, which are 0 at first ---- */

typedef struct work {
    const gck_check *check;
    const check_grain *grain;
    gck_check_room *room;
    gck_stop stop;
    double *values;
} work;

/* What a claim's own rounding adds to the bars; outputs: as core/check.h has them, of the block. */
static void claim_fill(const work *w, double *bars, double *bar_x, double *outputs)
{
    const gck_pass *pass = w->room->pass;
    const gck_bar_claim_spec spec = {.dtype = w->check->spec.claim->dtype,
                                     .first = w->grain->block.first,
                                     .samples = w->check->spec.data->samples,
                                     .factor = factor_of(w->check),
                                     .penalties = w->grain->block.first == 0,
                                     .with_inputs = bar_x != NULL};
    const double *more =
        gck_bar_claim(pass, w->room->numeric->samples, w->room->bar_claim, &spec, bars);
    for (size_t i = 0; bar_x != NULL && i < pass->samples * pass->model->inputs; i++)
        bar_x[i] += more[i];
    const size_t count = pass->samples * pass->model->outputs;
    memcpy(outputs, gck_pass_outputs(pass).a, count * sizeof *outputs);
    gck_bar_claim_outputs(w->room->bar_claim, outputs + count);
    outputs[2 * count] = gck_bar_claim_cost(w->room->bar_claim);
}

static void analytic_fill(const work *w)
{
    const gck_model *model = w->check->spec.model;
    const gck_pass *pass = w->room->pass;
    const double factor = factor_of(w->check);
    const bool inputs = w->check->spec.inputs, first = w->grain->block.first == 0;
    const size_t units = gck_kink_units(model), x = pass->samples * model->inputs;
    double *survey = w->values + 1, *gradient = survey + check_survey_count(w->check);
    double *bars = gradient + model->parameter_count, *gradient_x = bars + model->parameter_count;
    w->values[0] = gck_pass_loss_sum(pass);
    gck_survey_add(w->room->numeric->samples,
                   &(gck_survey){survey, survey + units, survey + 2 * units});
    const double *dx = gck_backward(pass, &w->room->backward, factor, gradient, inputs);
    if (first) gck_backward_penalty(model, w->check->spec.parameters, gradient);
    const double *bar_x =
        gck_bar(pass, w->room->numeric->samples, &w->room->bar, factor, first, inputs, bars);
    if (inputs) {
        memcpy(gradient_x, dx, x * sizeof *dx);
        memcpy(gradient_x + x, bar_x, x * sizeof *bar_x);
    }
    if (w->check->spec.claim != NULL)
        claim_fill(w, bars, inputs ? gradient_x + x : NULL, gradient_x + (inputs ? 2 * x : 0));
}

static gck_status run_analytic(const work *w, gck_error *error)
{
    const gck_model *model = w->check->spec.model;
    const size_t rows = w->check->cut.block_rows;
    gck_check_room *room = w->room;
    gck_status status = GCK_OK;
    if (!room->analytic) {
        status = gck_backward_room_init(&room->backward, model, rows, error);
        if (status == GCK_OK) status = gck_bar_room_init(&room->bar, model, rows, error);
        if (status == GCK_OK && w->check->spec.claim != NULL)
            status = gck_bar_claim_room_new(model, rows, &room->bar_claim, error);
        if (status != GCK_OK) {
            gck_backward_room_done(&room->backward);
            gck_bar_room_done(&room->bar);
        }
        room->analytic = status == GCK_OK;
    }
    if (status == GCK_OK) analytic_fill(w);
    return status;
}

/* numeric, exact and, where there are kinks, crossed, then the crossings */
static gck_numeric_result result_at(const work *w, size_t count)
{
    gck_numeric_result result = {.numeric = w->values, .exact = w->values + count};
    if (!w->check->kinked) return result;
    result.crossed = w->values + 2 * count;
    result.crossings.unit = w->values + 3 * count;
    result.crossings.sample = result.crossings.unit + gck_kink_units(w->check->spec.model);
    return result;
}

static gck_status run_units(const work *w, gck_error *error)
{
    const check_grain *grain = w->grain;
    gck_numeric_result result = result_at(w, grain->range->inputs * grain->count);
    return gck_numeric_units(w->room->numeric, grain->range->layer, grain->first, grain->count,
                             grain->block.first == 0, w->stop, &result, error);
}

static gck_status run_inputs(const work *w, gck_error *error)
{
    const check_grain *grain = w->grain;
    gck_numeric_result result = result_at(w, grain->count * grain->block.count);
    return gck_numeric_inputs(w->room->numeric, grain->first, grain->count, w->stop, &result,
                              error);
}

static gck_status run_direction(const work *w, gck_error *error)
{
    (void)error;
    const gck_layer *layer = &w->check->spec.model->layer[w->grain->range->layer];
    for (size_t t = 0; t < layer->tensor_count; t++)
        w->values[t] =
            gck_numeric_direction(w->room->numeric, w->grain->range->layer, t, w->grain->first,
                                  w->grain->block.first == 0, w->room->direction);
    return GCK_OK;
}

gck_status gck_check_grain(const gck_check *check, size_t index, gck_check_room *room,
                           gck_stop stop, gck_partial *ret_partial, gck_error *error)
{
    static gck_status (*const run[])(const work *, gck_error *) = {
        [GRAIN_ANALYTIC] = run_analytic,
        [GRAIN_UNITS] = run_units,
        [GRAIN_INPUTS] = run_inputs,
        [GRAIN_DIRECTION] = run_direction,
    };
    const check_grain grain = check_grain_at(check, index);
    gck_check_room *own = NULL;
    gck_partial partial = {.count = check_partial_count(check, &grain)};
    partial.values = gck_vector_new(partial.count);
    gck_status status = partial.values == NULL ? gck_error_memory(error) : GCK_OK;
    if (status == GCK_OK && room == NULL) {
        status = gck_check_room_new(check, &own, error);
        room = own;
    }
    if (status == GCK_OK) {
        block_load(room, grain.block);
        status = run[grain.kind](&(work){check, &grain, room, stop, partial.values}, error);
    }
    gck_check_room_free(own);
    if (status == GCK_OK)
        *ret_partial = partial;
    else
        gck_partial_done(&partial);
    return status;
}
