/* dense: z = W^T x + b with W (inputs, units), a = f(z). */
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/gemm.h"
#include "core/kernels.h"
#include "core/layer.h"

#include <gradcheck/initializer.h>

#include <complex.h>
#include <math.h>

enum { OPTION_UNITS, OPTION_ACTIVATION, OPTION_INITIALIZER, OPTION_USE_BIAS, OPTION_L1, OPTION_L2 };
enum { TENSOR_W, TENSOR_B };

static gck_status dense_setup(gck_layer *layer, gck_error *error)
{
    if (layer->input.rank != 1) {
        char text[GCK_SHAPE_TEXT];
        return gck_error_set(error, GCK_INVALID, "",
                             "dense takes samples of one axis, but here they have shape %s",
                             gck_shape_format(&layer->input, text));
    }
    const size_t inputs = layer->input.dim[0];
    const size_t units = (size_t)layer->spec.type.option[OPTION_UNITS];
    layer->output = (gck_shape){1, {units}};
    layer->tensor[TENSOR_W] = (gck_tensor){.name = "W", .shape = {2, {inputs, units}}};
    layer->tensor[TENSOR_B] = (gck_tensor){.name = "b", .shape = {1, {units}}};
    layer->tensor_count = layer->spec.type.option[OPTION_USE_BIAS] != 0 ? 2 : 1;
    return GCK_OK;
}

static void dense_draw(const gck_layer *layer, uint64_t seed, double *parameters)
{
    const gck_tensor *w = &layer->tensor[TENSOR_W], *b = &layer->tensor[TENSOR_B];
    gck_initializer_draw(&layer->spec.initializer, seed, (uint32_t)layer->index * 16 + TENSOR_W,
                         layer->inputs, layer->outputs, parameters + w->offset, w->count);
    if (layer->tensor_count <= TENSOR_B) return;
    for (size_t i = 0; i < b->count; i++)
        parameters[b->offset + i] = gck_initializer_bias(&layer->spec.initializer);
}

static void dense_forward(const gck_layer *layer, const gck_layer_pass *pass)
{
    const size_t units = layer->outputs, samples = pass->samples;
    const bool biased = layer->tensor_count > TENSOR_B;
    const double *b = pass->parameters + layer->tensor[TENSOR_B].offset;
    for (size_t unit = 0; biased && unit < units; unit++)
        for (size_t k = 0; k < samples; k++)
            pass->z[unit * samples + k] = b[unit];
    const double *w = pass->parameters + layer->tensor[TENSOR_W].offset;
    gck_gemm(units, samples, layer->inputs, (gck_gemm_operand){w, true},
             (gck_gemm_operand){pass->x, false}, biased, pass->z);
}

/* One unit: its row of W times its change; all: W^T times them. */
static void dense_carry(const gck_layer *layer, const double *parameters, const double *mask,
                        gck_carried *carried)
{
    (void)mask;
    const size_t units = layer->outputs, lanes = carried->lanes;
    const double *w = parameters + layer->tensor[TENSOR_W].offset;
    if (carried->unit == GCK_ALL_UNITS) {
        gck_gemm(units, lanes, layer->inputs, (gck_gemm_operand){w, true},
                 (gck_gemm_operand){carried->values, false}, false, carried->room);
    } else {
        const gck_kernels *kernels = gck_kernels_active();
        for (size_t unit = 0; unit < units; unit++)
            kernels->scale(lanes, w[carried->unit * units + unit], carried->values,
                           carried->room + unit * lanes);
        carried->unit = GCK_ALL_UNITS;
    }
    double *kept = carried->values;
    carried->values = carried->room;
    carried->room = kept;
}

static double dense_operations(const gck_layer *layer)
{
    return 2.0 * (double)layer->inputs * (double)layer->outputs;
}

static double dense_penalty_at(const gck_layer *layer, size_t tensor, double w)
{
    if (tensor != TENSOR_W) return 0;
    const double *option = layer->spec.type.option;
    return option[OPTION_L1] * fabs(w) + option[OPTION_L2] * w * w;
}

/* By complex step, branching on the real part. */
static double dense_penalty_exact(const gck_layer *layer, size_t tensor, double w)
{
    if (tensor != TENSOR_W) return 0;
    const double *option = layer->spec.type.option;
    const double complex z = w + GCK_EXACT_STEP * I;
    const double complex size = w > 0 ? z : w < 0 ? -z : 0;
    return cimag(option[OPTION_L1] * size + option[OPTION_L2] * z * z) / GCK_EXACT_STEP;
}

static bool dense_penalty_kinked(const gck_layer *layer, size_t tensor)
{
    return tensor == TENSOR_W && layer->spec.type.option[OPTION_L1] > 0;
}

static bool dense_penalised(const gck_layer *layer)
{
    const double *option = layer->spec.type.option;
    return option[OPTION_L1] != 0 || option[OPTION_L2] != 0;
}

static double dense_penalty_slope(const gck_layer *layer, size_t tensor, double w)
{
    if (tensor != TENSOR_W) return 0;
    const double *option = layer->spec.type.option;
    return option[OPTION_L1] * (double)((w > 0) - (w < 0)) + option[OPTION_L2] * 2 * w;
}

/* In parts, so that errors of rounding do not add up over all of them. */
static double sum_of(const double *values, size_t count)
{
    enum { PART = 256 };
    double sum = 0;
    for (size_t first = 0; first < count; first += PART) {
        double part = 0;
        for (size_t i = first; i < count && i < first + PART; i++)
            part += values[i];
        sum += part;
    }
    return sum;
}

/* dJ/dW = x delta^T, dJ/db = the sums of delta over samples, dJ/dx = W delta */
static void dense_backward(const gck_layer *layer, const gck_layer_pass *pass, const double *delta,
                           double *gradient, double *dx)
{
    const size_t inputs = layer->inputs, units = layer->outputs, samples = pass->samples;
    gck_gemm(inputs, units, samples, (gck_gemm_operand){pass->x, false},
             (gck_gemm_operand){delta, true}, true, gradient + layer->tensor[TENSOR_W].offset);
    double *db = gradient + layer->tensor[TENSOR_B].offset;
    for (size_t unit = 0; layer->tensor_count > TENSOR_B && unit < units; unit++)
        db[unit] += sum_of(delta + unit * samples, samples);
    if (dx == NULL) return;
    const double *w = pass->parameters + layer->tensor[TENSOR_W].offset;
    gck_gemm(inputs, samples, units, (gck_gemm_operand){w, false}, (gck_gemm_operand){delta, false},
             false, dx);
}

static const struct gck_layer_derivatives dense_derivatives = {dense_backward, dense_penalty_slope};

const gck_layer_row gck_layer_dense = {
    .item =
        {
            .name = "dense",
            .formula = "f(x W + b) with W (inputs, units); adds l1 * sum|W| + l2 * sum(W^2) to the "
                       "cost",
            .option =
                {
                    [OPTION_UNITS] = {.name = "units",
                                      .kind = GCK_OPTION_INTEGER,
                                      .required = true,
                                      .minimum = 1,
                                      .maximum = GCK_UNITS_MAX},
                    [OPTION_ACTIVATION] = {.name = "activation",
                                           .kind = GCK_OPTION_ACTIVATION,
                                           .item = "linear"},
                    [OPTION_INITIALIZER] = {.name = "initializer",
                                            .kind = GCK_OPTION_INITIALIZER,
                                            .item = "glorot_uniform"},
                    [OPTION_USE_BIAS] = {.name = "use_bias",
                                         .kind = GCK_OPTION_BOOLEAN,
                                         .fallback = 1},
                    [OPTION_L1] = {.name = "l1", .maximum = 1e6},
                    [OPTION_L2] = {.name = "l2", .maximum = 1e6},
                },
        },
    .activated = true,
    .setup = dense_setup,
    .draw = dense_draw,
    .forward = dense_forward,
    .carry = dense_carry,
    .operations = dense_operations,
    .penalty_at = dense_penalty_at,
    .penalty_exact = dense_penalty_exact,
    .penalty_kinked = dense_penalty_kinked,
    .penalised = dense_penalised,
    .derivatives = &dense_derivatives,
};
