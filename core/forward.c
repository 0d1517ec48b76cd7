#include "core/forward.h"

#include <gradcheck/activation.h>

void gck_forward(gck_pass *pass, const double *parameters)
{
    for (size_t i = 0; i < pass->model->layer_count; i++) {
        const gck_layer *layer = &pass->model->layer[i];
        gck_layer_pass *place = &pass->layer[i];
        place->parameters = parameters;
        gck_layer_row_of(layer)->forward(layer, place);
        if (place->z != NULL)
            gck_activation_forward(&layer->spec.activation, layer->outputs, pass->samples, place->z,
                                   place->a);
    }
}

void gck_forward_losses(gck_pass *pass, const double *parameters)
{
    gck_forward(pass, parameters);
    const gck_outputs outputs = gck_pass_outputs(pass);
    gck_cost_losses(&pass->model->cost, &outputs, pass->y, pass->loss);
}

double gck_pass_loss_sum(const gck_pass *pass)
{
    double sum = 0;
    for (size_t k = 0; k < pass->samples; k++)
        if (pass->weights[k] != 0) sum += pass->weights[k] * pass->loss[k];
    return sum;
}
