/* Plan and fold. Grains stand in this order: the analytic gradient of each row block; then, block
 * by block, the numeric derivatives of the parameters and those of the block's x. */
#include "core/check.h"
#include "core/backward.h"
#include "core/plain.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a pass costs beside its samples, for each layer. */
#define LAYER_OPERATIONS 1000.0
/* Passes over a block that stay below a grain: two for an element, or one forward and one backward.
 */
#define BLOCK_PASSES 4.0

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

static bool layer_is_checked(const bool *layer_checked, size_t layer)
{
    return layer_checked == NULL || layer_checked[layer];
}

static size_t layer_parameters(const gck_layer *layer)
{
    size_t count = 0;
    for (size_t t = 0; t < layer->tensor_count; t++)
        count += layer->tensor[t].count;
    return count;
}

/* Two passes over rows samples. */
static double element_operations(const gck_model *model, size_t rows)
{
    return 2 * ((double)rows * gck_model_operations(model) +
                (double)model->layer_count * LAYER_OPERATIONS);
}

/* Elements of a grain over a block of that many rows. */
static double grain_elements(const gck_model *model, size_t rows)
{
    return fmax(1, floor(GCK_GRAIN_OPERATIONS / element_operations(model, rows)));
}

void gck_check_estimate(const gck_model *model, size_t samples, const bool *layer_checked,
                        bool inputs, gck_check_cost *ret_cost)
{
    size_t parameters = 0;
    for (size_t i = 0; i < model->layer_count; i++)
        if (layer_is_checked(layer_checked, i)) parameters += layer_parameters(&model->layer[i]);
    const double x = inputs ? (double)samples * (double)model->inputs : 0;
    const size_t rows = gck_pass_block_rows(model, samples, BLOCK_PASSES);
    const double blocks = ceil((double)samples / (double)rows);
    const double grain = grain_elements(model, rows);
    *ret_cost = (gck_check_cost){
        .parameters = parameters,
        .grains = blocks * (2 + ceil((double)parameters / grain)) + ceil(x / grain),
        .evaluations = 2 * ((double)parameters + x),
        .operations = (double)parameters * blocks * element_operations(model, rows) +
                      x * element_operations(model, rows) +
                      2 * element_operations(model, rows) * blocks,
        .memory_bytes = sizeof(double) * (5 * (double)model->parameter_count + 4 * x),
        .grain_bytes = gck_plain_bytes(model, rows) +
                       (double)rows * (double)gck_backward_sample_values(model) * sizeof(double),
    };
    ret_cost->memory_bytes += ret_cost->grain_bytes;
}

static gck_status spec_validate(const gck_check_spec *spec, gck_error *error)
{
    if (!(spec->epsilon >= 1e-12 && spec->epsilon <= 1))
        return gck_error_set(error, GCK_INVALID, "epsilon",
                             "must be between 1e-12 and 1, got %.16g", spec->epsilon);
    if (!isnan(spec->tolerance) && !(spec->tolerance >= 0 && spec->tolerance <= 1))
        return gck_error_set(error, GCK_INVALID, "tolerance", "must be between 0 and 1, got %.16g",
                             spec->tolerance);
    if (spec->worst > GCK_WORST_MAX)
        return gck_error_set(error, GCK_INVALID, "worst", "must be at most %d, got %zu",
                             GCK_WORST_MAX, spec->worst);
    return GCK_OK;
}

static void ranges_set(gck_check *check)
{
    const gck_model *model = check->spec.model;
    size_t offset = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const size_t count = layer_parameters(&model->layer[i]);
        if (count > 0 && layer_is_checked(check->spec.layer_checked, i)) {
            check->range[check->range_count++] = (check_range){i, offset, count, check->parameters};
            check->parameters += count;
        }
        offset += count;
    }
}

static size_t parameter_grains(const gck_check *check)
{
    return divide_up(check->parameters, check->cut.grain_elements);
}

/* Grains of x in a block of that many rows. */
static size_t input_grains(const gck_check *check, size_t rows)
{
    if (!check->spec.inputs) return 0;
    return divide_up(rows * check->spec.model->inputs, check->cut.grain_inputs);
}

static size_t last_block_rows(const gck_check *check)
{
    return check->spec.data->samples - (check->cut.block_count - 1) * check->cut.block_rows;
}

static void cut_set(gck_check *check)
{
    const gck_model *model = check->spec.model;
    gck_check_cut *cut = &check->cut;
    cut->block_rows = gck_pass_block_rows(model, check->spec.data->samples, BLOCK_PASSES);
    cut->block_count = divide_up(check->spec.data->samples, cut->block_rows);
    cut->grain_elements = (size_t)grain_elements(model, cut->block_rows);
    cut->grain_inputs = cut->grain_elements;
    cut->grain_count = cut->block_count * (1 + parameter_grains(check)) +
                       (cut->block_count - 1) * input_grains(check, cut->block_rows) +
                       input_grains(check, last_block_rows(check));
}

gck_status gck_check_new(const gck_check_spec *spec, gck_check **ret_check, gck_error *error)
{
    const gck_model *model = spec->model;
    assert(spec->data->inputs == model->inputs && spec->data->outputs == model->outputs);
    gck_status status = spec_validate(spec, error);
    if (status != GCK_OK) return status;
    gck_check *check = calloc(1, sizeof *check);
    if (check == NULL) return gck_error_memory(error);
    check->spec = *spec;
    if (isnan(spec->tolerance))
        check->spec.tolerance = gck_tolerance_default(spec->method, spec->epsilon);
    const size_t x = spec->inputs ? spec->data->samples * model->inputs : 0;
    check->range = calloc(model->layer_count, sizeof *check->range);
    check->analytic = gck_vector_new(model->parameter_count);
    check->numeric = gck_vector_new(model->parameter_count);
    check->analytic_x = gck_vector_new(x);
    check->numeric_x = gck_vector_new(x);
    if (check->range == NULL || check->analytic == NULL || check->numeric == NULL ||
        check->analytic_x == NULL || check->numeric_x == NULL) {
        status = gck_error_memory(error);
        goto out;
    }
    ranges_set(check);
    if (check->parameters == 0 && !spec->inputs) {
        status = gck_error_set(error, GCK_INVALID, "layers",
                               "no layer with parameters is checked, and inputs are not either");
        goto out;
    }
    cut_set(check);
    *ret_check = check;
    check = NULL;
out:
    gck_check_free(check);
    return status;
}

void gck_check_free(gck_check *check)
{
    if (check == NULL) return;
    free(check->range);
    gck_vector_free(check->analytic);
    gck_vector_free(check->numeric);
    gck_vector_free(check->analytic_x);
    gck_vector_free(check->numeric_x);
    free(check);
}

const gck_check_cut *gck_check_cut_of(const gck_check *check)
{
    return &check->cut;
}

static gck_rows block_at(const gck_check *check, size_t block)
{
    const gck_check_cut *cut = &check->cut;
    return (gck_rows){block * cut->block_rows,
                      block + 1 < cut->block_count ? cut->block_rows : last_block_rows(check),
                      NULL};
}

static check_grain slice(grain_kind kind, gck_rows block, size_t index, size_t length, size_t total)
{
    const size_t first = index * length;
    return (check_grain){kind, block, first, minimum(length, total - first)};
}

check_grain check_grain_at(const gck_check *check, size_t index)
{
    const gck_check_cut *cut = &check->cut;
    assert(index < cut->grain_count);
    if (index < cut->block_count)
        return (check_grain){.kind = GRAIN_ANALYTIC, .block = block_at(check, index)};
    index -= cut->block_count;
    /* Only the last block may hold fewer rows, so all before it hold equally many grains. */
    const size_t grains = parameter_grains(check) + input_grains(check, cut->block_rows);
    const size_t block = minimum(index / grains, cut->block_count - 1);
    const gck_rows rows = block_at(check, block);
    index -= block * grains;
    if (index < parameter_grains(check))
        return slice(GRAIN_PARAMETERS, rows, index, cut->grain_elements, check->parameters);
    return slice(GRAIN_INPUTS, rows, index - parameter_grains(check), cut->grain_inputs,
                 rows.count * check->spec.model->inputs);
}

size_t check_element(const gck_check *check, size_t place)
{
    size_t i = 0;
    while (place - check->range[i].first >= check->range[i].count)
        i++;
    return check->range[i].offset + (place - check->range[i].first);
}

void gck_partial_done(gck_partial *partial)
{
    gck_vector_free(partial->values);
    *partial = (gck_partial){0};
}

/* values: the block's loss, the gradient, and dJ/dx (inputs, rows) when inputs are checked */
static void fold_analytic(gck_check *check, const check_grain *grain, const double *values)
{
    const gck_model *model = check->spec.model;
    check->loss += values[0];
    for (size_t i = 0; i < model->parameter_count; i++)
        check->analytic[i] += values[1 + i];
    if (!check->spec.inputs) return;
    const double *dx = values + 1 + model->parameter_count;
    for (size_t k = 0; k < grain->block.count; k++)
        for (size_t i = 0; i < model->inputs; i++)
            check->analytic_x[(grain->block.first + k) * model->inputs + i] =
                dx[i * grain->block.count + k];
}

static void fold_numeric(gck_check *check, const check_grain *grain, const double *values)
{
    if (grain->kind == GRAIN_INPUTS) {
        memcpy(check->numeric_x + grain->block.first * check->spec.model->inputs + grain->first,
               values, grain->count * sizeof *values);
        check->done += grain->count * check->cut.block_count;
        return;
    }
    for (size_t i = 0; i < grain->count; i++)
        check->numeric[check_element(check, grain->first + i)] += values[i];
    check->done += grain->count;
}

static size_t partial_count(const gck_check *check, const check_grain *grain)
{
    if (grain->kind != GRAIN_ANALYTIC) return grain->count;
    return 1 + check->spec.model->parameter_count +
           (check->spec.inputs ? grain->block.count * check->spec.model->inputs : 0);
}

gck_status gck_check_fold(gck_check *check, size_t index, const gck_partial *partial,
                          gck_error *error)
{
    assert(index == check->folded);
    const check_grain grain = check_grain_at(check, index);
    if (partial->count != partial_count(check, &grain))
        return gck_error_set(error, GCK_CORRUPT, "", "grain %zu has %zu values", index,
                             partial->count);
    if (grain.kind == GRAIN_ANALYTIC)
        fold_analytic(check, &grain, partial->values);
    else
        fold_numeric(check, &grain, partial->values);
    check->folded++;
    return GCK_OK;
}

size_t gck_check_folded(const gck_check *check)
{
    return check->folded;
}

size_t gck_check_done(const gck_check *check)
{
    return check->done / check->cut.block_count;
}

static size_t x_count(const gck_check *check)
{
    return check->spec.inputs ? check->spec.data->samples * check->spec.model->inputs : 0;
}

size_t gck_check_total(const gck_check *check)
{
    return check->parameters + x_count(check);
}

/* ---- saved state: folded, done, loss, then the four vectors ---- */

enum { STATE_HEAD = 3 };

size_t gck_check_state_count(const gck_check *check)
{
    return STATE_HEAD + 2 * (check->spec.model->parameter_count + x_count(check));
}

void gck_check_state_save(const gck_check *check, double *values)
{
    const size_t parameters = check->spec.model->parameter_count, x = x_count(check);
    values[0] = (double)check->folded;
    values[1] = (double)check->done;
    values[2] = check->loss;
    values += STATE_HEAD;
    memcpy(values, check->analytic, parameters * sizeof *values);
    memcpy(values + parameters, check->numeric, parameters * sizeof *values);
    memcpy(values + 2 * parameters, check->analytic_x, x * sizeof *values);
    memcpy(values + 2 * parameters + x, check->numeric_x, x * sizeof *values);
}

gck_status gck_check_state_load(gck_check *check, const double *values, gck_error *error)
{
    const size_t parameters = check->spec.model->parameter_count, x = x_count(check);
    if (!(values[0] >= 0 && values[0] <= (double)check->cut.grain_count) ||
        !(values[1] >= 0 && values[1] <= (double)(gck_check_total(check) * check->cut.block_count)))
        return gck_error_set(error, GCK_CORRUPT, "", "the saved check is beyond its end");
    check->folded = (size_t)values[0];
    check->done = (size_t)values[1];
    check->loss = values[2];
    values += STATE_HEAD;
    memcpy(check->analytic, values, parameters * sizeof *values);
    memcpy(check->numeric, values + parameters, parameters * sizeof *values);
    memcpy(check->analytic_x, values + 2 * parameters, x * sizeof *values);
    memcpy(check->numeric_x, values + 2 * parameters + x, x * sizeof *values);
    return GCK_OK;
}
