#include "server/codec_model.h"
#include "server/codec_choice.h"

#include <gradcheck/cost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT_SIZE = 160 };

static bool read_input_shape(const struct value *value, const struct place *place,
                             gck_shape *ret_shape)
{
    if (!read_array(value, place)) return false;
    gck_shape shape = {.rank = value_count(value)};
    if (shape.rank < 1 || shape.rank >= GCK_RANK_MAX)
        return place_fail(place, "must have 1 to %d axes, got %zu", GCK_RANK_MAX - 1, shape.rank);
    for (size_t axis = 0; axis < shape.rank; axis++) {
        const struct place at = place_index(place, axis);
        uint64_t dimension;
        if (!read_count(value_item(value, axis), &at, 1, EXACT_MAX, &dimension)) return false;
        shape.dim[axis] = (size_t)dimension;
    }
    *ret_shape = shape;
    return true;
}

static bool read_layers(const struct value *value, const struct place *place,
                        gck_layer_spec *layers)
{
    for (size_t i = 0; i < value_count(value); i++) {
        const struct place at = place_index(place, i);
        struct nested_choices nested = {&layers[i].activation, &layers[i].initializer};
        if (!read_nested_choice(value_item(value, i), &at, &gck_layers, &layers[i].type, &nested))
            return false;
    }
    return true;
}

/* ---- parameters ---- */

/* b may be written (1, units), as the shape has one axis less. */
static const struct value *unwrap(const struct value *value, const gck_tensor *tensor)
{
    const bool wrapped = tensor->shape.rank == 1 && value_is_array(value) &&
                         value_count(value) == 1 && value_is_array(value_item(value, 0));
    return wrapped ? value_item(value, 0) : value;
}

static bool read_layer_parameters(const struct value *value, const struct place *place,
                                  const gck_layer *layer, double *parameters)
{
    const char *names[GCK_TENSORS_MAX];
    for (size_t i = 0; i < layer->tensor_count; i++)
        names[i] = layer->tensor[i].name;
    if (layer->tensor_count == 0 && value_is_null(value)) return true;
    if (!read_object(value, place, names, layer->tensor_count)) return false;
    for (size_t i = 0; i < layer->tensor_count; i++) {
        const gck_tensor *tensor = &layer->tensor[i];
        const struct place at = place_key(place, tensor->name);
        const struct value *member;
        char what[WHAT_SIZE];
        snprintf(what, sizeof what, "%s of layer %zu (%s)", tensor->name, layer->index,
                 gck_layer_name(layer));
        if (!read_required(value, place, tensor->name, &member) ||
            !read_tensor(unwrap(member, tensor), &at, &tensor->shape, what,
                         parameters + tensor->offset))
            return false;
    }
    return true;
}

/* One entry a layer, or one for each layer that has some. */
static bool read_parameters(const struct value *value, const struct place *place,
                            const gck_model *model, double *parameters)
{
    if (!read_array(value, place)) return false;
    size_t with = 0;
    for (size_t i = 0; i < model->layer_count; i++)
        with += model->layer[i].tensor_count > 0;
    const bool each = value_count(value) == model->layer_count;
    if (!each && value_count(value) != with)
        return place_fail(place, "has %zu entries for %zu layers, %zu of them with parameters",
                          value_count(value), model->layer_count, with);
    size_t entry = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        if (!each && layer->tensor_count == 0) continue;
        const struct place at = place_index(place, entry);
        if (!read_layer_parameters(value_item(value, entry++), &at, layer, parameters))
            return false;
    }
    return true;
}

/* ---- model ---- */

static bool make_model(const struct value *value, const struct place *place, gck_model **ret_model)
{
    const struct value *shape_value, *layers_value, *cost_value;
    const struct value *seed_value = value_member(value, "seed");
    const struct place at_shape = place_key(place, "input_shape");
    const struct place at_layers = place_key(place, "layers"), at_cost = place_key(place, "cost");
    const struct place at_seed = place_key(place, "seed");
    gck_shape shape;
    gck_choice cost;
    uint64_t seed = 0;
    if (!read_required(value, place, "input_shape", &shape_value) ||
        !read_input_shape(shape_value, &at_shape, &shape) ||
        !read_required(value, place, "layers", &layers_value) ||
        !read_array(layers_value, &at_layers) ||
        !read_required(value, place, "cost", &cost_value) ||
        !read_choice(cost_value, &at_cost, &gck_costs, &cost) ||
        (seed_value != NULL && !read_count(seed_value, &at_seed, 0, EXACT_MAX, &seed)))
        return false;
    const size_t count = value_count(layers_value);
    if (count < 1 || count > GCK_LAYERS_MAX)
        return place_fail(&at_layers, "must have 1 to %d layers, got %zu", GCK_LAYERS_MAX, count);
    gck_layer_spec *layers = calloc(count, sizeof *layers);
    if (layers == NULL) return place_fail_memory(place);
    gck_error error;
    bool made = read_layers(layers_value, &at_layers, layers);
    if (made && gck_model_new(&shape, layers, count, &cost, seed, ret_model, &error) != GCK_OK)
        made = place_fail_error(place, &error);
    free(layers);
    return made;
}

bool read_model_parameters(const struct value *value, const struct place *place,
                           const gck_model *model, double **ret_parameters)
{
    double *parameters = gck_vector_new(model->parameter_count);
    if (parameters == NULL) return place_fail_memory(place);
    const struct value *given = value_member(value, "parameters");
    const struct place at = place_key(place, "parameters");
    if (given == NULL)
        gck_model_draw(model, parameters);
    else if (!read_parameters(given, &at, model, parameters)) {
        gck_vector_free(parameters);
        return false;
    }
    *ret_parameters = parameters;
    return true;
}

bool read_model(const struct value *value, const struct place *place, gck_model **ret_model)
{
    static const char *const names[] = {"input_shape", "layers", "cost", "seed", "parameters"};
    return read_object(value, place, names, COUNT(names)) && make_model(value, place, ret_model);
}

/* ---- data ---- */

static gck_shape with_samples(size_t samples, const gck_shape *shape)
{
    gck_shape whole = {.rank = 1 + shape->rank, .dim = {samples}};
    memcpy(&whole.dim[1], shape->dim, shape->rank * sizeof shape->dim[0]);
    return whole;
}

bool read_x(const struct value *value, const struct place *place, const gck_model *model,
            size_t *ret_samples, double **ret_x)
{
    if (!read_array(value, place)) return false;
    const size_t samples = value_count(value);
    if (samples < 1) return place_fail(place, "must have at least one sample");
    const gck_shape shape = with_samples(samples, &model->input);
    char what[WHAT_SIZE];
    snprintf(what, sizeof what, "x as layer 0 (%s) takes it", gck_layer_name(&model->layer[0]));
    if (!read_extent(value, place, &shape, what)) return false;
    double *x = gck_vector_new(samples * model->inputs);
    if (x == NULL) return place_fail_memory(place);
    if (!read_tensor(value, place, &shape, what, x)) {
        gck_vector_free(x);
        return false;
    }
    *ret_samples = samples;
    *ret_x = x;
    return true;
}

static bool read_labels_of_y(const struct value *value, const struct place *place,
                             const gck_model *model, double *y)
{
    for (size_t k = 0; y != NULL && k < value_count(value); k++) {
        const struct place at = place_index(place, k);
        uint64_t label;
        if (!read_count(value_item(value, k), &at, 0, model->outputs - 1, &label)) return false;
        gck_one_hot((size_t)label, model->outputs, y + k * model->outputs);
    }
    return true;
}

static bool targets_are_shares(const struct place *place, const gck_model *model, size_t samples,
                               bool flat, const double *y)
{
    if (!gck_cost_is_entropy(&model->cost)) return true;
    for (size_t i = 0; i < samples * model->outputs; i++) {
        if (y[i] >= 0 && y[i] <= 1) continue;
        const gck_shape shape = with_samples(samples, &model->layer[model->layer_count - 1].output);
        size_t index[GCK_RANK_MAX];
        gck_shape_unravel(&shape, i, index);
        struct place at[GCK_RANK_MAX];
        at[0] = place_index(place, index[0]);
        for (size_t axis = 1; axis < shape.rank; axis++)
            at[axis] = place_index(&at[axis - 1], index[axis]);
        return place_fail(&at[flat ? 0 : shape.rank - 1],
                          "must be between 0 and 1 for %s, got %.16g", model->cost.item->name,
                          y[i]);
    }
    return true;
}

bool read_y(const struct value *value, const struct place *place, const gck_model *model,
            size_t samples, double *y)
{
    if (!read_array(value, place)) return false;
    if (value_count(value) != samples)
        return place_fail(place, "has %zu rows where x has %zu", value_count(value), samples);
    const bool flat = !value_is_array(value_item(value, 0));
    if (flat && model->outputs > 1 && gck_cost_takes_labels(&model->cost))
        return read_labels_of_y(value, place, model, y);
    const gck_layer *last = &model->layer[model->layer_count - 1];
    char what[WHAT_SIZE];
    snprintf(what, sizeof what, "y as layer %zu (%s) gives it", last->index, gck_layer_name(last));
    const gck_shape shape = with_samples(samples, &last->output), row = {1, {samples}};
    return read_tensor(value, place, flat && model->outputs == 1 ? &row : &shape, what, y) &&
           (y == NULL || targets_are_shares(place, model, samples, flat, y));
}

static bool read_weights(const struct value *value, const struct place *place, gck_data *data)
{
    const gck_shape shape = {1, {data->samples}};
    if (!read_tensor(value, place, &shape, "weights, one a sample,", data->weights)) return false;
    for (size_t k = 0; k < data->samples; k++) {
        const struct place at = place_index(place, k);
        if (!(data->weights[k] >= 0))
            return place_fail(&at, "must not be negative, got %.16g", data->weights[k]);
    }
    return true;
}

bool read_data(const struct value *value, const struct place *place, const gck_model *model,
               size_t bytes_max, gck_data **ret_data)
{
    static const char *const names[] = {"x", "y", "weights"};
    const struct value *x_value, *y_value;
    if (!read_object(value, place, names, COUNT(names)) ||
        !read_required(value, place, "x", &x_value) || !read_required(value, place, "y", &y_value))
        return false;
    const struct value *weights_value = value_member(value, "weights");
    const struct place at_x = place_key(place, "x"), at_y = place_key(place, "y");
    const struct place at_weights = place_key(place, "weights");
    size_t samples;
    double *x;
    if (!read_x(x_value, &at_x, model, &samples, &x)) return false;
    const double bytes =
        sizeof(double) * (double)samples * ((double)model->inputs + (double)model->outputs);
    gck_data *data;
    gck_error error;
    if (!read_y(y_value, &at_y, model, samples, NULL) || bytes > (double)bytes_max) {
        gck_vector_free(x);
        return problem_set(place->problem, PROBLEM_TOO_LARGE,
                           "x and y of %zu samples take %.0f bytes; the limit is %zu", samples,
                           bytes, bytes_max);
    }
    if (gck_data_new(samples, model->inputs, model->outputs, weights_value != NULL, &data,
                     &error) != GCK_OK) {
        gck_vector_free(x);
        return place_fail_error(place, &error);
    }
    gck_vector_free(data->x);
    data->x = x;
    if (!read_y(y_value, &at_y, model, samples, data->y) ||
        (weights_value != NULL && !read_weights(weights_value, &at_weights, data))) {
        gck_data_free(data);
        return false;
    }
    *ret_data = data;
    return true;
}
