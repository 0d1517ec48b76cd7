#include <gradcheck/cost.h>
#include <gradcheck/evaluate.h>

#include "core/forward.h"

#include <math.h>

static bool stop_asked(gck_stop stop)
{
    return stop.asked != NULL && stop.asked(stop.context);
}

static bool is_multiclass(const gck_model *model)
{
    return gck_cost_takes_labels(&model->cost) && model->outputs > 1;
}

static double sample_accuracy(const gck_model *model, const double *outputs, const double *y,
                              size_t stride)
{
    if (is_multiclass(model))
        return gck_argmax(outputs, model->outputs, stride) == gck_argmax(y, model->outputs, stride);
    size_t right = 0;
    for (size_t unit = 0; unit < model->outputs; unit++)
        right += (outputs[unit * stride] > 0.5) == (y[unit * stride] > 0.5);
    return (double)right / (double)model->outputs;
}

double gck_accuracy_sum(const gck_model *model, const double *outputs, const double *y,
                        size_t samples)
{
    double sum = 0;
    for (size_t k = 0; k < samples; k++)
        sum += sample_accuracy(model, outputs + k, y + k, samples);
    return sum;
}

bool gck_classes(const gck_model *model, const double *y, size_t samples, size_t *ret_class)
{
    if (!gck_cost_is_entropy(&model->cost)) return false;
    if (!is_multiclass(model) && model->outputs > 1) return false;
    for (size_t k = 0; k < samples; k++) {
        const double *row = y + k * model->outputs;
        ret_class[k] = is_multiclass(model) ? gck_argmax(row, model->outputs, 1) : row[0] > 0.5;
    }
    return true;
}

gck_status gck_predict(const gck_model *model, const double *parameters, const double *x,
                       size_t samples, gck_stop stop, double *ret_y, gck_error *error)
{
    const size_t block = gck_pass_block_rows(model, samples, 1);
    gck_pass *pass;
    gck_status status = gck_pass_new(model, block, false, &pass, error);
    if (status != GCK_OK) return status;
    for (size_t first = 0; first < samples && status == GCK_OK; first += block) {
        const size_t count = samples - first < block ? samples - first : block;
        gck_pass_load_x(pass, x + first * model->inputs, count);
        gck_forward(pass, parameters);
        const double *a = gck_pass_outputs(pass).a;
        for (size_t k = 0; k < count; k++)
            for (size_t unit = 0; unit < model->outputs; unit++)
                ret_y[(first + k) * model->outputs + unit] = a[unit * count + k];
        if (stop_asked(stop)) status = gck_error_set(error, GCK_STOPPED, "", "stopped");
    }
    gck_pass_free(pass);
    return status;
}

gck_status gck_evaluate(const gck_model *model, const double *parameters, const gck_data *data,
                        gck_stop stop, gck_evaluation *ret_evaluation, gck_error *error)
{
    const size_t block = gck_pass_block_rows(model, data->samples, 1);
    gck_pass *pass;
    gck_status status = gck_pass_new(model, block, false, &pass, error);
    if (status != GCK_OK) return status;
    double loss = 0, accuracy = 0;
    for (size_t first = 0; first < data->samples && status == GCK_OK; first += block) {
        const size_t left = data->samples - first;
        gck_pass_load(pass, data, (gck_rows){first, left < block ? left : block, NULL});
        gck_forward_losses(pass, parameters);
        loss += gck_pass_loss_sum(pass);
        accuracy += gck_accuracy_sum(model, gck_pass_outputs(pass).a, pass->y, pass->samples);
        if (stop_asked(stop)) status = gck_error_set(error, GCK_STOPPED, "", "stopped");
    }
    gck_pass_free(pass);
    if (status != GCK_OK) return status;
    *ret_evaluation = (gck_evaluation){
        .cost = gck_cost_factor(&model->cost, data->samples, model->outputs) * loss +
                gck_model_penalty(model, parameters),
        .accuracy = gck_cost_is_entropy(&model->cost) ? accuracy / (double)data->samples : NAN,
    };
    return GCK_OK;
}
