#include "server/codec_model.h"
#include "server/codec_choice.h"

#include <gradcheck/cost.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

const char *tensor_what(const gck_layer *layer, const gck_tensor *tensor, char text[WHAT_SIZE])
{
    snprintf(text, WHAT_SIZE, "%s of layer %zu (%s)", tensor->name, layer->index,
             gck_layer_name(layer));
    return text;
}

struct form form_given(const struct value *value, const struct convention *convention,
                       const gck_tensor *tensor)
{
    struct form form = form_of_parameter(convention, &tensor->shape);
    if (tensor->shape.rank != 1) return form;
    const gck_shape given = value_shape(value), row = {2, {1, tensor->count}};
    const gck_shape column = {2, {tensor->count, 1}};
    if (gck_shape_equal(&given, &row))
        form.shape = row;
    else if (gck_shape_equal(&given, &column))
        form.shape = column;
    else if (given.rank == 1)
        form.shape = tensor->shape;
    return form;
}

/* One that is nested is judged as a whole, since it has several forms. */
static bool bias_fits(const struct value *value, const struct place *place, const struct form *form,
                      const gck_tensor *tensor, const char *what)
{
    char wanted[GCK_SHAPE_TEXT], given[GCK_SHAPE_TEXT];
    const gck_shape shape = value_shape(value);
    if (tensor->shape.rank != 1 || shape.rank != 2 || gck_shape_equal(&shape, &form->shape))
        return true;
    return place_fail(place, "%s must be %s, got %s", what, gck_shape_format(&form->shape, wanted),
                      gck_shape_format(&shape, given));
}

static bool read_layer_parameters(const struct value *value, const struct place *place,
                                  const struct convention *convention, const gck_layer *layer,
                                  double *parameters)
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
        if (!read_required(value, place, tensor->name, &member)) return false;
        const struct form form = form_given(member, convention, tensor);
        if (!bias_fits(member, &at, &form, tensor, tensor_what(layer, tensor, what)) ||
            !read_extent(member, &at, &form.shape, what) ||
            !read_form(member, &at, &form, what, false, parameters + tensor->offset))
            return false;
    }
    return true;
}

bool read_layer_entries(const struct value *value, const struct place *place,
                        const gck_model *model, bool all, bool *ret_each)
{
    if (!read_array(value, place)) return false;
    const size_t count = value_count(value), layers = model->layer_count;
    size_t with = 0;
    for (size_t i = 0; i < layers; i++)
        with += model->layer[i].tensor_count > 0;
    *ret_each = count == layers || (!all && count != with && count < layers);
    return *ret_each || count == with ||
           place_fail(place, "has %zu entries for %zu layers, %zu of them with parameters", count,
                      layers, with);
}

static bool read_parameters(const struct value *value, const struct place *place,
                            const struct written_model *written, double *parameters)
{
    const gck_model *model = written->model;
    bool each;
    if (!read_layer_entries(value, place, model, true, &each)) return false;
    size_t entry = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        if (!each && layer->tensor_count == 0) continue;
        const struct place at = place_index(place, entry);
        if (!read_layer_parameters(value_item(value, entry++), &at, &written->convention, layer,
                                   parameters))
            return false;
    }
    return true;
}

/* ---- model ---- */

/* An option of the cost that the convention names, or for its set implies. */
static bool cost_option_set(const struct place *place, const char *name, bool stated, bool named,
                            double number, gck_choice *cost)
{
    const int option = gck_item_option_find(cost->item, name);
    const struct place at = place_key(place, name);
    if (option < 0) return true;
    if (stated && named && cost->option[option] != number)
        return place_fail(&at, "the cost has another %s of its own", name);
    if (!stated) cost->option[option] = number;
    return true;
}

static bool states(const struct value *cost, const char *option)
{
    return value_is_object(cost) && value_member(cost, option) != NULL;
}

/* What the convention says of the cost holds where the cost itself does not say it. */
static bool apply_convention(const struct value *cost_value, const struct place *place,
                             struct written_model *written, gck_choice *cost)
{
    const struct convention *convention = &written->convention;
    const bool reduces = convention->reduction >= 0, scales = !isnan(convention->scale);
    written->states_reduction = states(cost_value, "reduction");
    written->states_scale = states(cost_value, "scale");
    if ((reduces || convention->set != CONVENTION_NONE) &&
        !cost_option_set(place, "reduction", written->states_reduction, reduces,
                         reduces ? convention->reduction
                                 : convention_reduction(convention->set, cost->item),
                         cost))
        return false;
    return !scales ||
           cost_option_set(place, "scale", written->states_scale, true, convention->scale, cost);
}

static bool read_cost(const struct value *value, const struct place *place,
                      struct written_model *written, gck_choice *cost)
{
    const struct value *cost_value, *convention = value_given(value, "convention");
    const struct place at_cost = place_key(place, "cost");
    const struct place at_convention = place_key(place, "convention");
    const struct convention none = convention_none();
    written->convention = none;
    return (convention == NULL ||
            read_convention(convention, &at_convention, &none, &written->convention)) &&
           read_required(value, place, "cost", &cost_value) &&
           read_choice(cost_value, &at_cost, &gck_costs, cost) &&
           apply_convention(cost_value, &at_convention, written, cost);
}

static bool make_model(const struct value *value, const struct place *place,
                       struct written_model *written)
{
    const struct value *shape_value, *layers_value;
    const struct value *seed_value = value_member(value, "seed");
    const struct place at_shape = place_key(place, "input_shape");
    const struct place at_layers = place_key(place, "layers"), at_seed = place_key(place, "seed");
    gck_shape shape;
    gck_choice cost;
    uint64_t seed = 0;
    if (!read_required(value, place, "input_shape", &shape_value) ||
        !read_input_shape(shape_value, &at_shape, &shape) ||
        !read_required(value, place, "layers", &layers_value) ||
        !read_array(layers_value, &at_layers) || !read_cost(value, place, written, &cost) ||
        (seed_value != NULL && !read_count(seed_value, &at_seed, 0, EXACT_MAX, &seed)))
        return false;
    const size_t count = value_count(layers_value);
    if (count < 1 || count > GCK_LAYERS_MAX)
        return place_fail(&at_layers, "must have 1 to %d layers, got %zu", GCK_LAYERS_MAX, count);
    gck_layer_spec *layers = calloc(count, sizeof *layers);
    if (layers == NULL) return place_fail_memory(place);
    gck_error error;
    bool made = read_layers(layers_value, &at_layers, layers);
    if (made &&
        gck_model_new(&shape, layers, count, &cost, seed, &written->model, &error) != GCK_OK)
        made = place_fail_error(place, &error);
    free(layers);
    return made;
}

bool read_model_parameters(const struct value *value, const struct place *place,
                           const struct written_model *written, double **ret_parameters)
{
    double *parameters = gck_vector_new(written->model->parameter_count);
    if (parameters == NULL) return place_fail_memory(place);
    const struct value *given = value_member(value, "parameters");
    const struct place at = place_key(place, "parameters");
    if (given == NULL)
        gck_model_draw(written->model, parameters);
    else if (!read_parameters(given, &at, written, parameters)) {
        gck_vector_free(parameters);
        return false;
    }
    *ret_parameters = parameters;
    return true;
}

bool read_model(const struct value *value, const struct place *place,
                struct written_model *ret_written)
{
    static const char *const names[] = {"input_shape", "layers",     "cost",
                                        "seed",        "parameters", "convention"};
    struct written_model written = {0};
    if (!read_object(value, place, names, COUNT(names)) || !make_model(value, place, &written))
        return false;
    *ret_written = written;
    return true;
}

/* ---- data ---- */

/* Samples of x: its first axis, or its last one. */
static size_t samples_of(const struct value *value, const struct written_model *written)
{
    const gck_shape shape = value_shape(value);
    if (!written->convention.columns) return value_count(value);
    return shape.rank == written->model->input.rank + 1 ? shape.dim[shape.rank - 1] : 1;
}

bool read_x(const struct value *value, const struct place *place,
            const struct written_model *written, size_t *ret_samples, double **ret_x)
{
    const gck_model *model = written->model;
    if (!read_array(value, place)) return false;
    const size_t samples = samples_of(value, written);
    if (samples < 1) return place_fail(place, "must have at least one sample");
    const struct form form = form_of_batch(&written->convention, samples, &model->input);
    char what[WHAT_SIZE];
    snprintf(what, sizeof what, "x as layer 0 (%s) takes it", gck_layer_name(&model->layer[0]));
    if (!read_extent(value, place, &form.shape, what)) return false;
    double *x = gck_vector_new(samples * model->inputs);
    if (x == NULL) return place_fail_memory(place);
    if (!read_form(value, place, &form, what, false, x)) {
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

static bool targets_are_shares(const struct place *place, const gck_model *model,
                               const struct form *form, size_t samples, const double *y)
{
    if (!gck_cost_is_entropy(&model->cost)) return true;
    for (size_t i = 0; i < samples * model->outputs; i++) {
        if (y[i] >= 0 && y[i] <= 1) continue;
        size_t index[GCK_RANK_MAX];
        form_unravel(form, i, index);
        struct place at[GCK_RANK_MAX];
        at[0] = place_index(place, index[0]);
        for (size_t axis = 1; axis < form->shape.rank; axis++)
            at[axis] = place_index(&at[axis - 1], index[axis]);
        return place_fail(&at[form->shape.rank - 1], "must be between 0 and 1 for %s, got %.16g",
                          model->cost.item->name, y[i]);
    }
    return true;
}

/* y of so many samples into (samples, outputs); into NULL, only whether it has their extent. */
static bool read_y(const struct value *value, const struct place *place,
                   const struct written_model *written, size_t samples, double *y)
{
    const gck_model *model = written->model;
    if (!read_array(value, place)) return false;
    const bool flat = value_count(value) == 0 || !value_is_array(value_item(value, 0));
    if ((flat || !written->convention.columns) && value_count(value) != samples)
        return place_fail(place, "has %zu rows where x has %zu", value_count(value), samples);
    if (flat && model->outputs > 1 && gck_cost_takes_labels(&model->cost))
        return read_labels_of_y(value, place, model, y);
    const gck_layer *last = &model->layer[model->layer_count - 1];
    char what[WHAT_SIZE];
    snprintf(what, sizeof what, "y as layer %zu (%s) gives it", last->index, gck_layer_name(last));
    struct form form = form_of_batch(&written->convention, samples, &last->output);
    if (flat && model->outputs == 1) form = (struct form){.shape = {1, {samples}}};
    return read_extent(value, place, &form.shape, what) &&
           (y == NULL || (read_form(value, place, &form, what, false, y) &&
                          targets_are_shares(place, model, &form, samples, y)));
}

static bool read_weights(const struct value *value, const struct place *place, gck_data *data)
{
    const gck_shape shape = {1, {data->samples}};
    if (!read_tensor(value, place, &shape, "weights, one a sample,", false, data->weights))
        return false;
    for (size_t k = 0; k < data->samples; k++) {
        const struct place at = place_index(place, k);
        if (!(data->weights[k] >= 0))
            return place_fail(&at, "must not be negative, got %.16g", data->weights[k]);
    }
    return true;
}

bool read_data(const struct value *value, const struct place *place,
               const struct written_model *written, size_t bytes_max, gck_data **ret_data)
{
    const gck_model *model = written->model;
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
    if (!read_x(x_value, &at_x, written, &samples, &x)) return false;
    const double bytes =
        sizeof(double) * (double)samples * ((double)model->inputs + (double)model->outputs);
    gck_data *data;
    gck_error error;
    if (!read_y(y_value, &at_y, written, samples, NULL) || bytes > (double)bytes_max) {
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
    if (!read_y(y_value, &at_y, written, samples, data->y) ||
        (weights_value != NULL && !read_weights(weights_value, &at_weights, data))) {
        gck_data_free(data);
        return false;
    }
    *ret_data = data;
    return true;
}
