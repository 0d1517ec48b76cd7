/* Where mistakes can be made, and where they show first. */
#include "tests/core/mistaken_parts.h"

#include <string.h>

/* ---- what the model is ---- */

bool mistaken_is_named(const gck_choice *choice, const char *name)
{
    return choice->item != NULL && strcmp(choice->item->name, name) == 0;
}

bool mistaken_is_dense(const gck_layer *layer)
{
    return strcmp(gck_layer_name(layer), "dense") == 0;
}

bool mistaken_is_dropout(const gck_layer *layer)
{
    return strcmp(gck_layer_name(layer), "dropout") == 0;
}

bool mistaken_is_softmax(const gck_layer *layer)
{
    return mistaken_is_named(&layer->spec.activation, "softmax");
}

bool mistaken_is_identity(const gck_layer *layer)
{
    return layer->spec.activation.item == NULL ||
           (mistaken_is_named(&layer->spec.activation, "linear") &&
            layer->spec.activation.option[0] == 1);
}

bool mistaken_is_entropy(const gck_model *model)
{
    return mistaken_is_named(&model->cost, "binary_crossentropy") ||
           mistaken_is_named(&model->cost, "categorical_crossentropy");
}

double mistaken_option_of(const gck_layer *layer, const char *name)
{
    const int option = gck_item_option_find(layer->spec.type.item, name);
    return option < 0 ? 0 : layer->spec.type.option[option];
}

bool mistaken_is_penalised(const gck_layer *layer)
{
    return mistaken_option_of(layer, "l1") != 0 || mistaken_option_of(layer, "l2") != 0;
}

bool mistaken_has_bias(const gck_layer *layer)
{
    return layer->tensor_count > 1;
}

const gck_layer *mistaken_below(const network *net, size_t layer)
{
    return layer == 0 ? NULL : &net->model->layer[layer - 1];
}

/* ---- where mistakes can be made ---- */

static bool w_applies(const network *net, const mistaken *made)
{
    const gck_layer *layer = &net->model->layer[made->layer],
                    *under = mistaken_below(net, made->layer);
    const bool several = net->data->samples > 1;
    size_t twin;
    switch (made->id) {
    case W_DATA_TRANSPOSED:
        return mistaken_is_penalised(layer) && layer->inputs == layer->outputs && layer->inputs > 1;
    case W_DATA_RESHAPED:
        return mistaken_is_penalised(layer) && layer->inputs != layer->outputs &&
               layer->inputs > 1 && layer->outputs > 1;
    case W_EXCHANGED:
    case W_OF_ANOTHER_LAYER:
        return mistaken_twin_below(net, made->layer, 0, &twin);
    case W_ROUNDED: /* fewer numbers would not tell */
        return layer->inputs * layer->outputs > 4;
    case W_UNWEIGHTED:
        return net->data->weights != NULL;
    case W_TIMES_M:
    case W_BY_M:
    case W_WITHOUT_SAMPLE:
        return several;
    case W_BY_OUTPUTS:
        return net->model->outputs > 1;
    case W_TRANSPOSED:
        return layer->inputs == layer->outputs && layer->inputs > 1;
    case W_RESHAPED:
        return layer->inputs != layer->outputs && layer->inputs > 1 && layer->outputs > 1;
    case W_OF_Z:
        return under != NULL && under->spec.activation.item != NULL && !mistaken_is_identity(under);
    case W_OF_OWN_OUTPUT:
        return layer->inputs == layer->outputs;
    case W_OF_INPUT_BELOW:
        return under != NULL && mistaken_is_dense(under) && under->inputs == layer->inputs;
    case W_OF_RAW_X:
        return made->layer > 1 && net->model->inputs == layer->inputs;
    case W_UNMASKED:
        return under != NULL && mistaken_is_dropout(under) && mistaken_option_of(under, "rate") > 0;
    case W_WITHOUT_DERIVATIVE:
        return !mistaken_is_identity(layer);
    case W_WITHOUT_UNIT:
        return layer->outputs > 1;
    default:
        return true;
    }
}

bool mistaken_is_told_by_output(const gck_layer *layer)
{
    static const char *const names[] = {"sigmoid", "tanh", "softsign", "elu"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mistaken_is_named(&layer->spec.activation, names[i])) return true;
    return false;
}

static bool is_dropped(const network *net, size_t layer)
{
    const gck_layer *above = &net->model->layer[layer + 1];
    return layer + 1 < net->model->layer_count && mistaken_is_dropout(above) &&
           mistaken_option_of(above, "rate") > 0;
}

static bool slope_applies(const network *net, const mistaken *made)
{
    const gck_layer *layer = &net->model->layer[made->layer];
    const gck_choice *f = &layer->spec.activation;
    const bool fused =
        mistaken_is_entropy(net->model) && made->layer + 1 == net->model->layer_count;
    const bool curved = !mistaken_is_identity(layer) && !mistaken_is_named(f, "relu");
    if (f->item == NULL) return false;
    switch (made->id) {
    case SLOPE_MISSING:
        return !mistaken_is_identity(layer);
    case SLOPE_OF_OUTPUT:
        return curved && !mistaken_is_softmax(layer) && !mistaken_is_named(f, "linear") &&
               !(mistaken_is_named(f, "leaky_relu") && f->option[0] > 0);
    case SLOPE_TWICE:
        return curved && !fused;
    case SLOPE_OF_SIGMOID:
        return !mistaken_is_named(f, "sigmoid");
    case SLOPE_OF_TANH:
        return !mistaken_is_named(f, "tanh");
    case SLOPE_OF_RELU:
        return !mistaken_is_named(f, "relu");
    case SLOPE_OF_LEAKY:
        return !mistaken_is_named(f, "leaky_relu");
    case SLOPE_BY_SIGMOID:
        return !mistaken_is_named(f, "sigmoid") && !mistaken_is_softmax(layer) &&
               !(fused && mistaken_is_named(&net->model->cost, "binary_crossentropy"));
    case SLOPE_BY_TANH:
        return !mistaken_is_named(f, "tanh");
    case SLOPE_OF_DROPPED:
        return mistaken_is_told_by_output(layer) && is_dropped(net, made->layer);
    case SLOPE_OF_DELTA:
        return mistaken_is_named(f, "relu") || mistaken_is_named(f, "leaky_relu");
    case SLOPE_BY_DEFAULTS: {
        const gck_choice plain = gck_choice_default(f->item);
        return !mistaken_is_named(f, "linear") &&
               memcmp(plain.option, f->option, sizeof plain.option) != 0;
    }
    case SOFTMAX_DIAGONAL:
        return mistaken_is_softmax(layer);
    case SOFTMAX_TWICE:
    case DIAGONAL_ON_TOP:
        return fused && mistaken_is_softmax(layer);
    case SLOPE_ON_TOP:
        return fused && !mistaken_is_softmax(layer);
    default:
        return true;
    }
}

static bool difference_applies(const network *net, size_t layer)
{
    const gck_choice *cost = &net->model->cost, *f = &net->model->layer[layer].spec.activation;
    if (mistaken_is_named(cost, "binary_crossentropy"))
        return !mistaken_is_named(f, "sigmoid") || f->option[0] != 1;
    if (mistaken_is_named(cost, "categorical_crossentropy"))
        return !mistaken_is_named(f, "softmax");
    return !(mistaken_is_named(cost, "mse") && mistaken_is_identity(&net->model->layer[layer]));
}

bool mistaken_other_weights(const network *net, size_t layer, size_t *ret)
{
    const gck_layer *own = &net->model->layer[layer];
    for (size_t i = 0; i < net->model->layer_count; i++) {
        const gck_layer *other = &net->model->layer[i];
        *ret = i;
        if (i != layer && mistaken_is_dense(other) && other->inputs == own->inputs &&
            other->outputs == own->outputs)
            return true;
    }
    return false;
}

bool mistaken_twin_below(const network *net, size_t layer, size_t t, size_t *ret)
{
    const gck_layer *own = &net->model->layer[layer];
    for (*ret = 0; *ret < layer; ++*ret) {
        const gck_layer *other = &net->model->layer[*ret];
        if (mistaken_is_dense(other) && other->tensor_count > t && other->outputs == own->outputs &&
            (t == 1 || other->inputs == own->inputs))
            return true;
    }
    return false;
}

static bool delta_applies(const network *net, const mistaken *made)
{
    const gck_model *model = net->model;
    const gck_layer *layer = &model->layer[made->layer];
    const bool last = made->layer + 1 == model->layer_count, several = net->data->samples > 1;
    size_t other;
    switch (made->id) {
    case DELTA_TIMES_M:
    case DELTA_BY_M:
    case LAST_SAMPLE_MISSING:
    case FIRST_SAMPLE_MISSING:
    case SAMPLE_TWICE:
        return mistaken_is_dense(layer) && several;
    case LAST_UNIT_MISSING:
        return mistaken_is_dense(layer) && layer->outputs > 1;
    case UNIT_NOT_PASSED:
        return mistaken_is_dense(layer) && layer->outputs > 1 && made->layer > 0;
    case NOT_TRANSPOSED:
    case WEIGHTS_MISSING:
        return mistaken_is_dense(layer) && made->layer > 0 && layer->inputs == layer->outputs &&
               layer->inputs > 1;
    case OTHER_WEIGHTS:
        return mistaken_is_dense(layer) && made->layer > 0 &&
               mistaken_other_weights(net, made->layer, &other);
    case PASSED_BEFORE_ACTIVATION:
        return mistaken_is_dense(layer) && made->layer > 0 && !mistaken_is_identity(layer);
    case DELTA_OF_LAYER_ABOVE:
        return mistaken_is_dense(layer) && !last && mistaken_is_dense(layer + 1) &&
               layer[1].outputs == layer->outputs;
    case MASK_NOT_APPLIED:
    case MASK_NOT_SCALED:
    case MASK_ONLY_SCALED:
        return mistaken_is_dropout(layer) && mistaken_option_of(layer, "rate") > 0 &&
               made->layer > 0;
    case COST_DIFFERENCE:
        return last && difference_applies(net, made->layer);
    case COST_OF_MSE:
        return last && !mistaken_is_named(&model->cost, "mse");
    case COST_OF_MAE:
        return last && !mistaken_is_named(&model->cost, "mae");
    case WEIGHTS_IGNORED:
        return last && net->data->weights != NULL;
    default:
        return mistaken_is_dense(layer);
    }
}

static bool penalty_applies(const network *net, const mistaken *made)
{
    const gck_layer *layer = &net->model->layer[made->layer];
    if (!mistaken_is_penalised(layer)) return false;
    if (made->id == PENALTY_HALVED) return mistaken_option_of(layer, "l2") != 0;
    if (made->id == PENALTY_L1_AS_L2) return mistaken_option_of(layer, "l1") != 0;
    if (made->id == PENALTY_BY_M) return net->data->samples > 1;
    return made->id != PENALTY_ON_BIAS || mistaken_has_bias(layer);
}

/* Whether a sample has a say, and is not the only one. */
static bool counts(const gck_data *data, size_t sample)
{
    return data->samples > 1 && (data->weights == NULL || data->weights[sample] != 0);
}

static bool b_applies(const network *net, const mistaken *made)
{
    const gck_layer *layer = &net->model->layer[made->layer];
    size_t twin;
    if (!mistaken_has_bias(layer)) return false;
    if (made->id == B_EXCHANGED) return mistaken_twin_below(net, made->layer, 1, &twin);
    if (made->id == B_UNWEIGHTED) return net->data->weights != NULL;
    if (made->id == B_OVER_UNITS) return layer->outputs > 1;
    if (made->id == B_ONLY_LAST) return counts(net->data, net->data->samples - 1);
    if (made->id == B_ONLY_FIRST) return counts(net->data, 0);
    return made->id == B_NEGATED || made->id == B_ZERO || net->data->samples > 1;
}

/* The first dense layer at `layer` or below. */
static size_t dense_from(const network *net, size_t layer)
{
    for (size_t i = layer + 1; i-- > 0;)
        if (mistaken_is_dense(&net->model->layer[i])) return i;
    return GCK_FINDING_NO_LAYER;
}

static bool is_of_whole(mistaken_id id)
{
    return id >= ROUNDED_32;
}

bool mistaken_applies(const network *net, const mistaken *made)
{
    const gck_layer *layer = &net->model->layer[made->layer];
    const mistaken_id id = made->id;
    if (id == X_TIMES_M) return made->layer == 0 && net->data->samples > 1;
    if (is_of_whole(id)) return made->layer == 0;
    if (id >= W_TIMES_M && id <= W_WITHOUT_UNIT)
        return mistaken_is_dense(layer) && w_applies(net, made);
    if (id >= PENALTY_MISSING && id <= PENALTY_ON_BIAS)
        return mistaken_is_dense(layer) && penalty_applies(net, made);
    if (id >= B_TIMES_M && id <= B_WITHOUT_SAMPLE)
        return mistaken_is_dense(layer) && b_applies(net, made);
    if (id == ELEMENT_WRONG || id == ELEMENT_NAN)
        return mistaken_is_dense(layer) && layer->inputs * layer->outputs > 1;
    if (mistaken_culprit(net, made) == GCK_FINDING_NO_LAYER) return false;
    if (id >= SLOPE_MISSING && id <= SLOPE_ON_TOP) return slope_applies(net, made);
    return delta_applies(net, made);
}

size_t mistaken_culprit(const network *net, const mistaken *made)
{
    const bool down = (made->id >= UNIT_NOT_PASSED && made->id <= PASSED_BEFORE_ACTIVATION) ||
                      (made->id >= MASK_NOT_APPLIED && made->id <= MASK_ONLY_SCALED);
    if (made->id == X_TIMES_M || is_of_whole(made->id)) return GCK_FINDING_NO_LAYER;
    if (down) return made->layer == 0 ? GCK_FINDING_NO_LAYER : dense_from(net, made->layer - 1);
    return dense_from(net, made->layer);
}
