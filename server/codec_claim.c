#include "server/codec_claim.h"

#include <gradcheck/cost.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"gradients", "inputs", "cost",
                                    "outputs",   "dtype",  "convention"};

/* ---- what is claimed ---- */

bool read_dtype(const struct value *value, const struct place *place, gck_dtype *ret_dtype)
{
    const char *text;
    if (!read_text(value, place, &text)) return false;
    for (int dtype = GCK_FLOAT64; dtype <= GCK_BFLOAT16; dtype++)
        if (strcmp(text, gck_dtype_name((gck_dtype)dtype)) == 0) {
            *ret_dtype = (gck_dtype)dtype;
            return true;
        }
    return place_fail(
        place, "\"%.60s\" is no dtype; there are float64, float32, float16 and bfloat16", text);
}

/* Most likely the entry is another layer's. */
static bool is_empty(const struct value *value, const struct place *place, const gck_layer *layer)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name = value_is_object(value) ? value_next(value, &iterator, &member) : NULL;
    if (name == NULL) return true;
    const struct place at = place_key(place, name);
    return place_fail(&at, "layer %zu (%s) has no parameters", layer->index, gck_layer_name(layer));
}

static bool outline_layer(const struct value *value, const struct place *place,
                          const gck_layer *layer, bool *tensor_claimed)
{
    const char *tensors[GCK_TENSORS_MAX];
    for (size_t t = 0; t < layer->tensor_count; t++)
        tensors[t] = layer->tensor[t].name;
    if (value_is_null(value)) return true;
    if (layer->tensor_count == 0 && !is_empty(value, place, layer)) return false;
    if (!read_object(value, place, tensors, layer->tensor_count)) return false;
    for (size_t t = 0; t < layer->tensor_count; t++)
        tensor_claimed[t] = value_given(value, tensors[t]) != NULL;
    return true;
}

/* Calls read for each layer that the list has an entry for. */
typedef bool entry_reader(const struct value *entry, const struct place *place,
                          const gck_layer *layer, void *context);

static bool each_entry(const struct value *value, const struct place *place, const gck_model *model,
                       entry_reader *read, void *context)
{
    bool each;
    size_t entry = 0;
    if (!read_layer_entries(value, place, model, false, &each)) return false;
    for (size_t i = 0; i < model->layer_count && entry < value_count(value); i++) {
        if (!each && model->layer[i].tensor_count == 0) continue;
        const struct place at = place_index(place, entry);
        if (!read(value_item(value, entry++), &at, &model->layer[i], context)) return false;
    }
    return true;
}

static bool outline_entry(const struct value *entry, const struct place *place,
                          const gck_layer *layer, void *context)
{
    bool *claimed = context;
    return outline_layer(entry, place, layer, claimed + layer->index * GCK_TENSORS_MAX);
}

static bool any_is_claimed(const struct spec *spec)
{
    for (size_t i = 0; i < spec->model->layer_count * GCK_TENSORS_MAX; i++)
        if (spec->claim->tensor_claimed[i]) return true;
    return false;
}

bool read_claim(const struct value *value, const struct place *place,
                const struct written_model *written, struct spec *spec)
{
    const gck_model *model = written->model;
    const struct place at_gradients = place_key(place, "gradients");
    const struct place at_dtype = place_key(place, "dtype");
    if (!read_object(value, place, names, COUNT(names))) return false;
    struct claim *claim = spec->claim = calloc(1, sizeof *claim);
    if (claim == NULL) return place_fail_memory(place);
    claim->tensor_claimed =
        calloc(model->layer_count * GCK_TENSORS_MAX, sizeof *claim->tensor_claimed);
    if (claim->tensor_claimed == NULL) return place_fail_memory(place);
    claim->core.tensor_claimed = claim->tensor_claimed;
    spec->check.claim = &claim->core;
    const struct value *gradients = value_given(value, "gradients");
    const struct value *dtype = value_given(value, "dtype");
    if ((dtype != NULL && !read_dtype(dtype, &at_dtype, &claim->core.dtype)) ||
        (gradients != NULL &&
         !each_entry(gradients, &at_gradients, model, outline_entry, claim->tensor_claimed)))
        return false;
    if (value_given(value, "inputs") != NULL)
        spec->check.inputs = true;
    else if (!any_is_claimed(spec))
        return place_fail(place, "claims nothing: there is no gradient of a tensor or of x");
    return true;
}

double claim_bytes(const struct spec *spec, const gck_check_cost *cost)
{
    const double samples = (double)spec->data->samples,
                 model = (double)spec->model->parameter_count;
    const double x = spec->check.inputs ? samples * (double)spec->model->inputs : 0;
    const double numbers = 2 * model + x + samples * (double)spec->model->outputs;
    /* Mistakes are put into gradients of our own, to be compared, in a room like a grain's. */
    const double replayed = 4 * (model + x);
    return sizeof(double) * (numbers + replayed) + 2 * cost->grain_bytes;
}

/* ---- numbers ---- */

struct claim_reader {
    struct spec *spec;
    struct convention convention;
};

/* "W of layer 0 (dense) must be (3, 16), got (16, 3); …"; what has no shape is read row by row. */
static bool fits(const struct value *value, const struct place *place, const struct form *form,
                 const struct form *other, const char *hint, const char *what)
{
    char wanted[GCK_SHAPE_TEXT], given[GCK_SHAPE_TEXT];
    const gck_shape shape = value_shape(value);
    if (!value_is_array(value) || gck_shape_equal(&shape, &form->shape)) return true;
    if (shape.dim[0] == form->shape.dim[0] && !value_is_even(value)) return true;
    const bool would_fit = gck_shape_equal(&shape, &other->shape);
    return place_fail(place, "%s must be %s, got %s%s%s%s", what,
                      gck_shape_format(&form->shape, wanted), gck_shape_format(&shape, given),
                      would_fit ? "; with " : "", would_fit ? hint : "",
                      would_fit ? " it would fit" : "");
}

static bool read_claimed_tensor(const struct value *value, const struct place *place,
                                const gck_layer *layer, const gck_tensor *tensor,
                                struct claim_reader *reader)
{
    struct convention other = reader->convention;
    other.out_in = !other.out_in;
    const struct form form = form_given(value, &reader->convention, tensor);
    const struct form turned = form_given(value, &other, tensor);
    char what[WHAT_SIZE];
    return fits(value, place, &form, &turned,
                other.out_in ? "weight_layout out_in" : "weight_layout in_out",
                tensor_what(layer, tensor, what)) &&
           read_extent(value, place, &form.shape, what) &&
           read_form(value, place, &form, what, true,
                     reader->spec->claim->gradient + tensor->offset);
}

static bool read_entry(const struct value *entry, const struct place *place, const gck_layer *layer,
                       void *context)
{
    struct claim_reader *reader = context;
    if (value_is_null(entry)) return true;
    for (size_t t = 0; t < layer->tensor_count; t++) {
        const struct value *tensor = value_given(entry, layer->tensor[t].name);
        const struct place at = place_key(place, layer->tensor[t].name);
        if (tensor != NULL && !read_claimed_tensor(tensor, &at, layer, &layer->tensor[t], reader))
            return false;
    }
    return true;
}

/* Samples: the gradient of x, or outputs, which may be flat where there is one. */
static bool read_batch(const struct value *value, const struct place *place,
                       const struct convention *convention, const gck_data *data,
                       const gck_shape *sample, const char *what, double **ret_values)
{
    struct convention other = *convention;
    other.columns = !other.columns;
    struct form form = form_of_batch(convention, data->samples, sample);
    const struct form turned = form_of_batch(&other, data->samples, sample);
    size_t count, one;
    if (gck_shape_count(sample, &one) && one == 1 && value_is_array(value) &&
        !value_is_array(value_item(value, 0)))
        form = (struct form){.shape = {1, {data->samples}}};
    if (!fits(value, place, &form, &turned, other.columns ? "samples columns" : "samples rows",
              what) ||
        !read_extent(value, place, &form.shape, what) || !gck_shape_count(&form.shape, &count))
        return false;
    *ret_values = gck_vector_room(count);
    if (*ret_values == NULL) return place_fail_memory(place);
    return read_form(value, place, &form, what, true, *ret_values);
}

static bool read_batches(const struct value *value, const struct place *place,
                         const struct convention *convention, struct spec *spec)
{
    const gck_model *model = spec->model;
    const struct place at_inputs = place_key(place, "inputs");
    const struct place at_outputs = place_key(place, "outputs");
    const struct value *inputs = value_given(value, "inputs");
    const struct value *outputs = value_given(value, "outputs");
    struct claim *claim = spec->claim;
    return (inputs == NULL || read_batch(inputs, &at_inputs, convention, spec->data, &model->input,
                                         "the gradient of x", &claim->inputs)) &&
           (outputs == NULL ||
            read_batch(outputs, &at_outputs, convention, spec->data,
                       &model->layer[model->layer_count - 1].output, "outputs", &claim->outputs));
}

static bool read_claimed_cost(const struct value *value, const struct place *place,
                              gck_claim *claim)
{
    const struct value *cost = value_given(value, "cost");
    const struct place at = place_key(place, "cost");
    if (cost == NULL) return true;
    claim->has_cost = true;
    return value_any_number(cost, &claim->cost) ||
           place_fail(&at, "must be a number, got %s", value_kind(cost));
}

/* ---- into the gradient of the model's own cost ---- */

/* The cost that the claim is the gradient of: what its convention names, else what its set has,
 * unless the model's cost states its own, else the model's. */
static gck_choice claimed_cost(const struct written_model *written,
                               const struct convention *convention)
{
    gck_choice cost = written->model->cost;
    const int reduction = gck_item_option_find(cost.item, "reduction");
    const int scale = gck_item_option_find(cost.item, "scale");
    const bool is_set = convention->set != CONVENTION_NONE;
    if (reduction >= 0 && convention->reduction >= 0)
        cost.option[reduction] = convention->reduction;
    else if (reduction >= 0 && is_set && !written->states_reduction)
        cost.option[reduction] = convention_reduction(convention->set, cost.item);
    if (scale >= 0 && !isnan(convention->scale))
        cost.option[scale] = convention->scale;
    else if (scale >= 0 && is_set && !written->states_scale)
        cost.option[scale] = 1;
    return cost;
}

static void scale(double *values, size_t count, double factor)
{
    for (size_t i = 0; values != NULL && factor != 1 && i < count; i++)
        values[i] *= factor;
}

/* Penalties have neither reduction nor scale: they are left out of the scaling, and put in where
 * the claim is without. */
static void convert_parameters(struct spec *spec, double factor, bool excluded)
{
    double *gradient = spec->claim->gradient;
    const gck_model *model = spec->model;
    for (size_t i = 0; i < model->parameter_count; i++) {
        const double penalty = gck_model_penalty_exact(model, i, spec->parameters[i]);
        gradient[i] = (gradient[i] - (excluded ? 0 : penalty)) * factor + penalty;
    }
}

static bool keep_given(struct claim *claim, size_t count, const struct place *place)
{
    claim->given = gck_vector_copy(claim->gradient, count);
    if (claim->given == NULL) return place_fail_memory(place);
    claim->core.given = claim->given;
    return true;
}

static bool convert(const struct written_model *written, const struct convention *convention,
                    const struct place *place, struct spec *spec)
{
    const gck_model *model = spec->model;
    const size_t samples = spec->data->samples;
    const gck_choice cost = claimed_cost(written, convention);
    const double own = gck_cost_factor(&model->cost, samples, model->outputs);
    const double theirs = gck_cost_factor(&cost, samples, model->outputs);
    const double factor = own == theirs ? 1 : own / theirs;
    const bool excluded = convention->excludes_penalties;
    struct claim *claim = spec->claim;
    claim->core.data_factor = factor;
    claim->core.penalties_added = excluded;
    if (!excluded && factor == 1) return true;
    if (!keep_given(claim, model->parameter_count, place)) return false;
    convert_parameters(spec, factor, excluded);
    scale(claim->inputs, samples * model->inputs, factor);
    if (!claim->core.has_cost) return true;
    const double penalty = gck_model_penalty(model, spec->parameters);
    if (!excluded) claim->core.cost -= penalty;
    claim->core.cost = claim->core.cost * factor + penalty;
    return true;
}

/* Without one of its own a claim is in the model's convention, and of its cost. */
static bool read_claimed_convention(const struct value *value, const struct place *place,
                                    const struct written_model *written,
                                    struct convention *ret_convention)
{
    const struct value *convention = value_given(value, "convention");
    const struct place at = place_key(place, "convention");
    struct convention base = written->convention;
    base.set = CONVENTION_NONE;
    base.reduction = -1;
    base.scale = NAN;
    *ret_convention = base;
    return convention == NULL || read_convention(convention, &at, &base, ret_convention);
}

bool read_claim_numbers(const struct value *value, const struct place *place,
                        const struct written_model *written, struct spec *spec)
{
    struct claim_reader reader = {.spec = spec};
    struct claim *claim = spec->claim;
    const struct value *gradients = value_given(value, "gradients");
    const struct place at = place_key(place, "gradients");
    claim->gradient = gck_vector_new(spec->model->parameter_count);
    if (claim->gradient == NULL) return place_fail_memory(place);
    if (!read_claimed_convention(value, place, written, &reader.convention) ||
        (gradients != NULL && !each_entry(gradients, &at, spec->model, read_entry, &reader)) ||
        !read_batches(value, place, &reader.convention, spec) ||
        !read_claimed_cost(value, place, &claim->core))
        return false;
    claim->core.gradient = claim->gradient;
    claim->core.inputs = claim->inputs;
    claim->core.outputs = claim->outputs;
    return convert(written, &reader.convention, place, spec);
}
