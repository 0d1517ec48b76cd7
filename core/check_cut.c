/* What a check needs and how it is cut into grains: by its spec alone. Grains stand in this order:
 * the analytic gradient of each row block; then, block by block, the numeric derivatives of each
 * layer's units, and those of the block's x. */
#include "core/backward.h"
#include "core/bar.h"
#include "core/bar_claim.h"
#include "core/check.h"
#include "core/numeric.h"

#include <assert.h>
#include <math.h>

/* An estimated 100 ms on one core, in multiply-adds of matrix products in double precision. */
#define GRAIN_OPERATIONS 2e9
/* Forward, backward, and the bound's backward pass, in forward passes. */
#define ANALYTIC_PASSES 5.0
/* What a probe costs beside its lanes. */
#define PROBE_OPERATIONS 2e4
/* Rough share of (unit, sample) pairs next to a kink, for each unit with one and each epsilon, and
 * the lanes that such a pair takes. */
#define KINK_SHARE 0.3
#define KINK_LANES 64.0
/* Rounds of extrapolation that ridders takes, mostly; what it costs beside, as most of its lanes
 * wait for the last of a batch. */
#define RIDDERS_LEVELS 4.0
#define RIDDERS_WAIT 4.0

/* Steps so small that weights of ordinary size are evaluated one by one (core/direct.c). */
#define COARSE 0x1p-33

static const double block_bytes_max = 64 << 20;

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* At least 1, at most `most`. */
static size_t bounded(double wanted, size_t most)
{
    if (!(wanted >= 1)) return 1;
    return wanted < (double)most ? (size_t)wanted : most;
}

/* ---- operations ---- */

static bool is_quotient(gck_method method)
{
    return method == GCK_CENTRAL || method == GCK_FORWARD;
}

/* Lanes of a probe for each sample: stencils of the whole column, where it comes to that. */
static double stencil_lanes(const gck_check_spec *spec, size_t inputs, size_t layer)
{
    const double all = 2.0 * (double)inputs;
    if (spec->method == GCK_RIDDERS) return RIDDERS_WAIT * RIDDERS_LEVELS * all;
    if (!is_quotient(spec->method)) return 0;
    if (spec->engine == GCK_ENGINE_DIRECT || spec->epsilon < COARSE) return all;
    double kinks = 0;
    if (gck_kink_ahead(spec->model, layer))
        kinks = (double)(gck_kink_units(spec->model) - gck_kink_offset(spec->model, layer));
    return 2.0 * 2 + fmin(all, KINK_LANES) * fmin(1, KINK_SHARE * spec->epsilon * kinks);
}

/* Of all weights into one unit, over a block. */
static double unit_operations(const gck_check_spec *spec, size_t inputs, size_t layer, size_t rows)
{
    const double lanes = (double)rows * (1 + stencil_lanes(spec, inputs, layer));
    return PROBE_OPERATIONS + lanes * gck_tail_operations(spec->model, layer) +
           3 * (double)inputs * (double)rows;
}

static double input_operations(const gck_check_spec *spec, size_t rows)
{
    double lanes = 1;
    if (is_quotient(spec->method)) lanes += 2;
    if (spec->method == GCK_RIDDERS) lanes += 2 * RIDDERS_WAIT * RIDDERS_LEVELS;
    return PROBE_OPERATIONS +
           lanes * (double)rows * gck_tail_operations(spec->model, GCK_FROM_INPUT);
}

static double direction_operations(const gck_model *model, const check_range *range, size_t rows)
{
    return PROBE_OPERATIONS + 20 * (double)range->count +
           (double)rows * ((double)range->count +
                           (double)range->units * gck_tail_operations(model, range->layer));
}

/* ---- blocks ---- */

static double sample_bytes(const gck_model *model)
{
    const size_t values = gck_pass_sample_values(model, true) + gck_backward_sample_values(model) +
                          gck_bar_sample_values(model) +
                          gck_base_lane_values(model, GCK_BASE_SAMPLES);
    return (double)values * sizeof(double);
}

/* Rows of a block: its analytic grain stays within a grain's time, and what is kept of it within
 * its memory. */
static size_t block_rows(const gck_model *model, size_t samples)
{
    const double by_time = GRAIN_OPERATIONS / (ANALYTIC_PASSES * gck_model_operations(model) / 2);
    return bounded(fmin(by_time, block_bytes_max / sample_bytes(model)), samples);
}

/* ---- ranges ---- */

static size_t layer_parameters(const gck_layer *layer)
{
    size_t count = 0;
    for (size_t t = 0; t < layer->tensor_count; t++)
        count += layer->tensor[t].count;
    return count;
}

static check_range range_of(const gck_layer *layer, size_t offset)
{
    return (check_range){.layer = layer->index,
                         .offset = offset,
                         .count = layer_parameters(layer),
                         .inputs = layer->inputs + layer->tensor_count - 1,
                         .units = layer->outputs};
}

static size_t range_grain_units(const gck_check_spec *spec, const check_range *range, size_t rows,
                                double operations)
{
    return bounded(operations / unit_operations(spec, range->inputs, range->layer, rows),
                   range->units);
}

bool check_is_claimed(const gck_check_spec *spec, size_t layer, size_t tensor)
{
    return spec->claim == NULL || spec->claim->tensor_claimed[layer * GCK_TENSORS_MAX + tensor];
}

/* Parameters of a layer that are judged; 0 for one that is not checked. */
static size_t layer_judged(const gck_check_spec *spec, size_t layer, size_t *ret_tensors)
{
    const gck_layer *at = &spec->model->layer[layer];
    size_t count = 0;
    *ret_tensors = 0;
    for (size_t t = 0; t < at->tensor_count; t++) {
        if (!check_is_claimed(spec, layer, t)) continue;
        count += at->tensor[t].count;
        ++*ret_tensors;
    }
    return spec->layer_checked == NULL || spec->layer_checked[layer] ? count : 0;
}

static bool layer_is_checked(const gck_check_spec *spec, size_t layer)
{
    size_t tensors;
    return layer_judged(spec, layer, &tensors) > 0;
}

static void ranges_set(gck_check *check)
{
    const gck_model *model = check->spec.model;
    size_t offset = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const check_range range = range_of(&model->layer[i], offset);
        offset += range.count;
        if (!layer_is_checked(&check->spec, i)) continue;
        check->range[check->range_count++] = range;
        check->parameters += range.count;
    }
}

/* ---- the cut ---- */

static size_t range_grains(const gck_check *check, const check_range *range)
{
    if (check->spec.method == GCK_DIRECTIONAL) return check->spec.directions;
    return divide_up(range->units, range->grain_units);
}

static size_t inputs_of_grain(const gck_check *check)
{
    return bounded((double)check->cut.grain_operations /
                       input_operations(&check->spec, check->cut.block_rows),
                   check->spec.model->inputs);
}

static size_t input_grains(const gck_check *check)
{
    if (!check->spec.inputs) return 0;
    return divide_up(check->spec.model->inputs, inputs_of_grain(check));
}

static size_t block_grains(const gck_check *check)
{
    size_t grains = input_grains(check);
    for (size_t i = 0; i < check->range_count; i++)
        grains += range_grains(check, &check->range[i]);
    return grains;
}

void check_recut(gck_check *check, size_t rows, size_t operations)
{
    gck_check_cut *cut = &check->cut;
    cut->block_rows = rows;
    cut->block_count = divide_up(check->spec.data->samples, rows);
    cut->grain_operations = operations;
    for (size_t i = 0; i < check->range_count; i++)
        check->range[i].grain_units =
            range_grain_units(&check->spec, &check->range[i], rows, (double)operations);
    cut->grain_count = cut->block_count * (1 + block_grains(check));
}

void check_cut_set(gck_check *check)
{
    ranges_set(check);
    check_recut(check, block_rows(check->spec.model, check->spec.data->samples),
                (size_t)GRAIN_OPERATIONS);
}

static gck_rows block_at(const gck_check *check, size_t block)
{
    const gck_check_cut *cut = &check->cut;
    const size_t first = block * cut->block_rows;
    return (gck_rows){first, minimum(cut->block_rows, check->spec.data->samples - first), NULL};
}

static check_grain slice(grain_kind kind, gck_rows block, const check_range *range, size_t index,
                         size_t length, size_t total)
{
    const size_t first = index * length;
    return (check_grain){kind, block, range, first, minimum(length, total - first)};
}

check_grain check_grain_at(const gck_check *check, size_t index)
{
    const gck_check_cut *cut = &check->cut;
    assert(index < cut->grain_count);
    if (index < cut->block_count)
        return (check_grain){.kind = GRAIN_ANALYTIC, .block = block_at(check, index)};
    index -= cut->block_count;
    const gck_rows rows = block_at(check, index / block_grains(check));
    index %= block_grains(check);
    for (size_t i = 0; i < check->range_count; i++) {
        const check_range *range = &check->range[i];
        if (index >= range_grains(check, range)) {
            index -= range_grains(check, range);
            continue;
        }
        if (check->spec.method == GCK_DIRECTIONAL)
            return slice(GRAIN_DIRECTION, rows, range, index, 1, check->spec.directions);
        return slice(GRAIN_UNITS, rows, range, index, range->grain_units, range->units);
    }
    return slice(GRAIN_INPUTS, rows, NULL, index, inputs_of_grain(check),
                 check->spec.model->inputs);
}

/* ---- the estimate ---- */

static size_t grain_units_most(const gck_check_spec *spec, size_t rows)
{
    size_t most = 1;
    for (size_t i = 0; i < spec->model->layer_count; i++) {
        const check_range range = range_of(&spec->model->layer[i], 0);
        if (!layer_is_checked(spec, i)) continue;
        const size_t units = range_grain_units(spec, &range, rows, GRAIN_OPERATIONS);
        if (units > most) most = units;
    }
    return most;
}

static size_t ranges(const gck_check_spec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->model->layer_count; i++)
        count += layer_is_checked(spec, i);
    return count;
}

/* What is counted of the point, of kinks and along directions. */
static double counts(const gck_check_spec *spec, size_t samples)
{
    const double units = (double)gck_kink_units(spec->model), layers = (double)ranges(spec);
    double values = 2 * units + 1;
    if (is_quotient(spec->method) && gck_kink_ahead(spec->model, 0))
        values += (layers + 1) * (units + (double)samples);
    if (spec->method == GCK_DIRECTIONAL)
        values += layers * GCK_TENSORS_MAX * (double)spec->directions;
    return values + (double)check_outputs_count(spec, samples);
}

/* What the bar of a claim works in. */
static double claim_values(const gck_check_spec *spec, size_t rows)
{
    if (spec->claim == NULL) return 0;
    return (double)gck_bar_claim_values(spec->model) +
           (double)rows * (double)gck_bar_claim_sample_values(spec->model);
}

/* Passes that one call of the search for findings takes over a block. */
#define FINDING_PASSES 4.0
/* Vectors as long as the gradient, and as a sample's widest layer, that it works with. */
#define FINDING_VECTORS 3.0
#define FINDING_ROOMS 3

/* What the search for findings takes when a claim fails: a backward pass over a block of its own,
 * with deltas of each layer; gradients, and one tensor more. */
static double finding_values(const gck_check_spec *spec, size_t samples)
{
    const gck_model *model = spec->model;
    size_t widest = model->inputs, largest = 0, deltas = 0;
    if (spec->claim == NULL) return 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const gck_layer *layer = &model->layer[i];
        widest = layer->outputs > widest ? layer->outputs : widest;
        deltas += 2 * layer->outputs;
        for (size_t t = 0; t < layer->tensor_count; t++)
            largest = layer->tensor[t].count > largest ? layer->tensor[t].count : largest;
    }
    const size_t sample = gck_pass_sample_values(model, true) + deltas + FINDING_ROOMS * widest;
    const double x = spec->inputs ? 2 * (double)samples * (double)model->inputs : 0;
    return FINDING_VECTORS * (double)model->parameter_count + x + (double)largest +
           (double)gck_pass_block_rows(model, samples, FINDING_PASSES) * (double)sample;
}

/* A room, and the partial of its largest grain. */
static double grain_bytes(const gck_check_spec *spec, size_t rows)
{
    const gck_model *model = spec->model;
    const double x = spec->inputs ? 2 * (double)rows * (double)model->inputs : 0;
    const double partial = 2 * (double)model->parameter_count + x +
                           2 * (double)gck_kink_units(model) + (double)rows +
                           (double)check_outputs_count(spec, rows);
    return (double)rows * sample_bytes(model) +
           gck_numeric_bytes(model, rows, grain_units_most(spec, rows)) +
           sizeof(double) * (partial + (double)model->parameter_count + claim_values(spec, rows));
}

static void range_estimate(const gck_check_spec *spec, const check_range *range, size_t rows,
                           double blocks, gck_check_cost *cost)
{
    size_t tensors;
    cost->parameters += layer_judged(spec, range->layer, &tensors);
    if (spec->method == GCK_DIRECTIONAL) {
        const double directions = (double)spec->directions;
        cost->grains += blocks * directions;
        cost->evaluations += directions * (double)tensors;
        cost->operations += blocks * directions * direction_operations(spec->model, range, rows);
        return;
    }
    const size_t units = range_grain_units(spec, range, rows, GRAIN_OPERATIONS);
    cost->grains += blocks * (double)divide_up(range->units, units);
    cost->operations +=
        blocks * (double)range->units * unit_operations(spec, range->inputs, range->layer, rows);
}

double check_evaluations(const gck_check_spec *spec, double elements)
{
    switch (spec->method) {
    case GCK_FORWARD:
        return elements + 1;
    case GCK_COMPLEX_STEP:
        return elements;
    case GCK_RIDDERS:
        return 2 * RIDDERS_LEVELS * elements;
    default:
        return 2 * elements;
    }
}

void gck_check_estimate(const gck_check_spec *spec, size_t samples, gck_check_cost *ret_cost)
{
    const gck_model *model = spec->model;
    const size_t rows = block_rows(model, samples);
    const double blocks = ceil((double)samples / (double)rows);
    const double x = spec->inputs ? (double)samples * (double)model->inputs : 0;
    gck_check_cost cost = {.grains = blocks,
                           .operations =
                               ANALYTIC_PASSES * (double)samples * gck_model_operations(model)};
    for (size_t i = 0; i < model->layer_count; i++) {
        const check_range range = range_of(&model->layer[i], 0);
        if (layer_is_checked(spec, i)) range_estimate(spec, &range, rows, blocks, &cost);
    }
    if (spec->inputs) {
        const double all = (double)model->inputs * input_operations(spec, rows);
        cost.operations += blocks * all;
        cost.grains += blocks * ceil(all / GRAIN_OPERATIONS);
    }
    if (spec->method == GCK_DIRECTIONAL)
        cost.evaluations += x;
    else
        cost.evaluations = check_evaluations(spec, (double)cost.parameters + x);
    const double elements = (double)model->parameter_count + x;
    cost.grain_bytes = grain_bytes(spec, rows);
    cost.memory_bytes = (5 * sizeof(double) + 1) * elements +
                        sizeof(double) * (counts(spec, samples) + finding_values(spec, samples)) +
                        cost.grain_bytes;
    *ret_cost = cost;
}
