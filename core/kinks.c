#include "core/kinks.h"
#include "core/activation.h"
#include "core/change.h"
#include "core/cost.h"
#include "core/layer.h"

size_t gck_kink_offset(const gck_model *model, size_t layer)
{
    size_t units = 0;
    for (size_t i = 0; i < layer; i++)
        units += model->layer[i].outputs;
    return units;
}

size_t gck_kink_units(const gck_model *model)
{
    return gck_kink_offset(model, model->layer_count) + model->outputs;
}

bool gck_kink_ahead(const gck_model *model, size_t layer)
{
    const gck_choice *activation = NULL;
    for (size_t i = layer; i < model->layer_count; i++) {
        if (!gck_layer_row_of(&model->layer[i])->activated) continue;
        activation = &model->layer[i].spec.activation;
        if (gck_activation_row_of(activation)->change->kinks != NULL) return true;
    }
    if (gck_cost_is_entropy(&model->cost)) return false;
    return gck_cost_change_of(&model->cost, activation)->kinked;
}
