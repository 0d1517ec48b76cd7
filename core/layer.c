#include "core/layer.h"

static const gck_item *const rows[] = {&gck_layer_dense.item, &gck_layer_dropout.item,
                                       &gck_layer_activation.item};

const gck_table gck_layers = {"layer", rows, sizeof rows / sizeof rows[0]};

const gck_layer_row *gck_layer_row_of(const gck_layer *layer)
{
    return (const gck_layer_row *)layer->spec.type.item;
}

const char *gck_layer_name(const gck_layer *layer)
{
    return layer->spec.type.item->name;
}

bool gck_layer_has_mask(const gck_layer *layer)
{
    return gck_layer_row_of(layer)->masked;
}

void gck_layer_mask(const gck_layer *layer, gck_mask_key key, uint64_t sample, double *mask,
                    size_t stride)
{
    gck_layer_row_of(layer)->mask(layer, key, sample, mask, stride);
}
