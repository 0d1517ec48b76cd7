#include "tests/core/plain.h"
#include "core/forward.h"

#include <string.h>

typedef struct room {
    gck_pass *pass;
    double *parameters; /* a copy, to be disturbed */
    double *loss;       /* of the upper point */
} room;

static void room_done(room *r)
{
    gck_pass_free(r->pass);
    gck_vector_free(r->parameters);
    gck_vector_free(r->loss);
}

static gck_status room_init(room *r, const gck_plain *plain, gck_error *error)
{
    *r = (room){0};
    gck_status status = gck_pass_new(plain->model, plain->block.count, true, &r->pass, error);
    if (status != GCK_OK) return status;
    r->parameters = gck_vector_copy(plain->parameters, plain->model->parameter_count);
    r->loss = gck_vector_new(plain->block.count);
    if (r->parameters == NULL || r->loss == NULL) {
        room_done(r);
        return gck_error_memory(error);
    }
    gck_pass_load(r->pass, plain->data, plain->block);
    gck_pass_draw_masks(r->pass, (gck_mask_key){plain->model->seed, 0}, plain->block);
    return GCK_OK;
}

/* sum_k w_k (loss_k at upper - loss_k at lower): sample by sample, so that what does not change
 * cancels exactly. */
static double loss_change(const room *r, double *place, double upper, double lower)
{
    const gck_pass *pass = r->pass;
    const double kept = *place;
    *place = upper;
    gck_forward_losses(r->pass, r->parameters);
    memcpy(r->loss, pass->loss, pass->samples * sizeof *r->loss);
    *place = lower;
    gck_forward_losses(r->pass, r->parameters);
    *place = kept;
    double sum = 0;
    for (size_t k = 0; k < pass->samples; k++)
        if (pass->weights[k] != 0) sum += pass->weights[k] * (r->loss[k] - pass->loss[k]);
    return sum;
}

static double factor_of(const gck_plain *plain)
{
    return gck_cost_factor(&plain->model->cost, plain->data->samples, plain->model->outputs);
}

static bool asked(gck_stop stop)
{
    return stop.asked != NULL && stop.asked(stop.context);
}

/* The step is the one that doubles really took, upper - lower, not the 2ε that was meant, unless ε
 * vanished altogether. */
static double quotient(double change, double upper, double lower, double epsilon)
{
    const double step = upper - lower;
    return change / (step != 0 ? step : 2 * epsilon);
}

static double parameter_derivative(const gck_plain *plain, const room *r, size_t element)
{
    double *place = &r->parameters[element];
    const double upper = *place + plain->epsilon, lower = *place - plain->epsilon;
    double change = factor_of(plain) * loss_change(r, place, upper, lower);
    if (plain->block.first == 0)
        change += gck_model_penalty_at(plain->model, element, upper) -
                  gck_model_penalty_at(plain->model, element, lower);
    return quotient(change, upper, lower, plain->epsilon);
}

gck_status gck_plain_parameters(const gck_plain *plain, const size_t *element, size_t count,
                                gck_stop stop, double *numeric, gck_error *error)
{
    room r;
    gck_status status = room_init(&r, plain, error);
    if (status != GCK_OK) return status;
    for (size_t i = 0; i < count && status == GCK_OK; i++) {
        numeric[i] = parameter_derivative(plain, &r, element[i]);
        if (asked(stop)) status = gck_error_set(error, GCK_STOPPED, "", "stopped");
    }
    room_done(&r);
    return status;
}

static double input_derivative(const gck_plain *plain, const room *r, size_t element)
{
    const size_t sample = element / plain->model->inputs, input = element % plain->model->inputs;
    double *place = &r->pass->x[input * plain->block.count + sample];
    const double upper = *place + plain->epsilon, lower = *place - plain->epsilon;
    return quotient(factor_of(plain) * loss_change(r, place, upper, lower), upper, lower,
                    plain->epsilon);
}

gck_status gck_plain_inputs(const gck_plain *plain, size_t first, size_t count, gck_stop stop,
                            double *numeric, gck_error *error)
{
    room r;
    gck_status status = room_init(&r, plain, error);
    if (status != GCK_OK) return status;
    for (size_t i = 0; i < count && status == GCK_OK; i++) {
        numeric[i] = input_derivative(plain, &r, first + i);
        if (asked(stop)) status = gck_error_set(error, GCK_STOPPED, "", "stopped");
    }
    room_done(&r);
    return status;
}

double gck_plain_bytes(const gck_model *model, size_t rows)
{
    const double values = (double)model->parameter_count +
                          (double)rows * (double)(gck_pass_sample_values(model, true) + 1);
    return values * sizeof(double);
}
