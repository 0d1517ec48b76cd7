/* activation: a = f(x). */
#include "core/derivatives.h"
#include "core/layer.h"

#include <string.h>

static gck_status activation_setup(gck_layer *layer, gck_error *error)
{
    (void)error;
    layer->output = layer->input;
    return GCK_OK;
}

static void activation_forward(const gck_layer *layer, const gck_layer_pass *pass)
{
    memcpy(pass->z, pass->x, layer->outputs * pass->samples * sizeof *pass->z);
}

static void activation_carry(const gck_layer *layer, const double *parameters, const double *mask,
                             gck_carried *carried)
{
    (void)layer, (void)parameters, (void)mask, (void)carried;
}

static void activation_backward(const gck_layer *layer, const gck_layer_pass *pass,
                                const double *delta, double *gradient, double *dx)
{
    (void)gradient;
    if (dx != NULL) memcpy(dx, delta, layer->outputs * pass->samples * sizeof *dx);
}

static double activation_operations(const gck_layer *layer)
{
    return (double)layer->outputs;
}

static const struct gck_layer_derivatives activation_derivatives = {.backward =
                                                                        activation_backward};

const gck_layer_row gck_layer_activation = {
    .item = {.name = "activation",
             .formula = "f(x)",
             .option = {{.name = "activation", .kind = GCK_OPTION_ACTIVATION, .required = true}}},
    .activated = true,
    .setup = activation_setup,
    .forward = activation_forward,
    .carry = activation_carry,
    .operations = activation_operations,
    .derivatives = &activation_derivatives,
};
