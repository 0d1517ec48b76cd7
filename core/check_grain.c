/* The work of a grain. The analytic gradient comes from the backward pass; numeric derivatives from
 * the plain engine, which knows nothing of it. */
#include "core/backward.h"
#include "core/check.h"
#include "core/forward.h"
#include "core/plain.h"

#include <stdlib.h>
#include <string.h>

static void analytic_fill(const gck_check *check, const check_grain *grain, gck_pass *pass,
                          gck_backward_room *room, double *values)
{
    const gck_check_spec *spec = &check->spec;
    const gck_model *model = spec->model;
    gck_pass_load(pass, spec->data, grain->block);
    gck_pass_draw_masks(pass, (gck_mask_key){model->seed, 0}, grain->block);
    gck_forward_losses(pass, spec->parameters);
    values[0] = gck_pass_loss_sum(pass);
    const double factor = gck_cost_factor(&model->cost, spec->data->samples, model->outputs);
    const double *dx = gck_backward(pass, room, factor, values + 1, spec->inputs);
    if (grain->block.first == 0) gck_backward_penalty(model, spec->parameters, values + 1);
    if (spec->inputs)
        memcpy(values + 1 + model->parameter_count, dx,
               grain->block.count * model->inputs * sizeof *dx);
}

static gck_status run_analytic(const gck_check *check, const check_grain *grain,
                               gck_partial *partial, gck_error *error)
{
    const gck_model *model = check->spec.model;
    const size_t rows = grain->block.count;
    gck_pass *pass = NULL;
    gck_backward_room room = {0};
    partial->count = 1 + model->parameter_count + (check->spec.inputs ? rows * model->inputs : 0);
    partial->values = gck_vector_new(partial->count);
    gck_status status = partial->values == NULL ? gck_error_memory(error) : GCK_OK;
    if (status == GCK_OK) status = gck_pass_new(model, rows, true, &pass, error);
    if (status == GCK_OK) status = gck_backward_room_init(&room, model, rows, error);
    if (status == GCK_OK) analytic_fill(check, grain, pass, &room, partial->values);
    gck_pass_free(pass);
    gck_backward_room_done(&room);
    return status;
}

static gck_status run_parameters(const gck_check *check, const check_grain *grain,
                                 const gck_plain *plain, gck_stop stop, double *values,
                                 gck_error *error)
{
    size_t *element = malloc(grain->count * sizeof *element);
    if (element == NULL) return gck_error_memory(error);
    for (size_t i = 0; i < grain->count; i++)
        element[i] = check_element(check, grain->first + i);
    const gck_status status =
        gck_plain_parameters(plain, element, grain->count, stop, values, error);
    free(element);
    return status;
}

static gck_status run_numeric(const gck_check *check, const check_grain *grain, gck_stop stop,
                              gck_partial *partial, gck_error *error)
{
    const gck_plain plain = {check->spec.model, check->spec.parameters, check->spec.data,
                             check->spec.epsilon, grain->block};
    partial->count = grain->count;
    partial->values = gck_vector_new(partial->count);
    if (partial->values == NULL) return gck_error_memory(error);
    if (grain->kind == GRAIN_PARAMETERS)
        return run_parameters(check, grain, &plain, stop, partial->values, error);
    return gck_plain_inputs(&plain, grain->first, grain->count, stop, partial->values, error);
}

gck_status gck_check_grain(const gck_check *check, size_t index, gck_stop stop,
                           gck_partial *ret_partial, gck_error *error)
{
    const check_grain grain = check_grain_at(check, index);
    gck_partial partial = {0};
    const gck_status status = grain.kind == GRAIN_ANALYTIC
                                  ? run_analytic(check, &grain, &partial, error)
                                  : run_numeric(check, &grain, stop, &partial, error);
    if (status == GCK_OK)
        *ret_partial = partial;
    else
        gck_partial_done(&partial);
    return status;
}
