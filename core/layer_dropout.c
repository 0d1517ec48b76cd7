/* dropout: inverted dropout, a = mask * x with mask 0 or 1 / (1 - rate); without a mask
 * (evaluation) a = x.
 *
 * Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
 * 2014, with the scaling moved from evaluation to training. */
#include "core/derivatives.h"
#include "core/kernels.h"
#include "core/layer.h"

#include <gradcheck/rng.h>

#include <string.h>

enum { OPTION_RATE };

static gck_status dropout_setup(gck_layer *layer, gck_error *error)
{
    (void)error;
    layer->output = layer->input;
    return GCK_OK;
}

static void product(const double *mask, const double *values, size_t count, double *result)
{
    if (mask == NULL) {
        memcpy(result, values, count * sizeof *values);
        return;
    }
    for (size_t i = 0; i < count; i++)
        result[i] = mask[i] * values[i];
}

static void dropout_forward(const gck_layer *layer, const gck_layer_pass *pass)
{
    product(pass->mask, pass->x, layer->outputs * pass->samples, pass->a);
}

static void dropout_carry(const gck_layer *layer, const double *parameters, const double *mask,
                          gck_carried *carried)
{
    (void)parameters;
    if (mask == NULL) return;
    const size_t first = carried->unit == GCK_ALL_UNITS ? 0 : carried->unit;
    const size_t units = carried->unit == GCK_ALL_UNITS ? layer->outputs : 1;
    gck_kernels_active()->multiply(units * carried->lanes, mask + first * carried->lanes,
                                   carried->values);
}

static void dropout_backward(const gck_layer *layer, const gck_layer_pass *pass,
                             const double *delta, double *gradient, double *dx)
{
    (void)gradient;
    if (dx != NULL) product(pass->mask, delta, layer->outputs * pass->samples, dx);
}

static double dropout_operations(const gck_layer *layer)
{
    return (double)layer->outputs;
}

/* Two units share a block of random bits. */
static void dropout_mask(const gck_layer *layer, gck_mask_key key, uint64_t sample, double *mask,
                         size_t stride)
{
    const double rate = layer->spec.type.option[OPTION_RATE], kept = 1 / (1 - rate);
    const uint32_t seed[2] = {(uint32_t)key.seed, (uint32_t)(key.seed >> 32)};
    for (size_t unit = 0; unit < layer->outputs; unit += 2) {
        const uint32_t counter[4] = {(uint32_t)(unit / 2), (uint32_t)sample, key.step,
                                     (uint32_t)GCK_RNG_DROPOUT | (uint32_t)layer->index << 8};
        uint32_t block[4];
        gck_philox(counter, seed, block);
        for (size_t half = 0; half < 2 && unit + half < layer->outputs; half++) {
            const uint64_t bits = (uint64_t)block[2 * half + 1] << 32 | block[2 * half];
            mask[(unit + half) * stride] = gck_rng_unit(bits) < rate ? 0 : kept;
        }
    }
}

static const struct gck_layer_derivatives dropout_derivatives = {.backward = dropout_backward};

const gck_layer_row gck_layer_dropout = {
    .item = {.name = "dropout",
             .formula = "mask * x, mask 0 with probability rate, else 1 / (1 - rate)",
             .option = {[OPTION_RATE] = {.name = "rate",
                                         .required = true,
                                         .maximum = 0x1.fffffffffffffp-1}}},
    .masked = true,
    .setup = dropout_setup,
    .forward = dropout_forward,
    .carry = dropout_carry,
    .operations = dropout_operations,
    .mask = dropout_mask,
    .derivatives = &dropout_derivatives,
};
