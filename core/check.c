/* The life of a check: plan, fold, saved state. */
#include "core/check.h"
#include "core/numeric.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool takes_epsilon(gck_method method)
{
    return method == GCK_CENTRAL || method == GCK_FORWARD;
}

static gck_status spec_validate(const gck_check_spec *spec, gck_error *error)
{
    if (takes_epsilon(spec->method) && !(spec->epsilon >= 1e-12 && spec->epsilon <= 1))
        return gck_error_set(error, GCK_INVALID, "epsilon",
                             "must be between 1e-12 and 1, got %.16g", spec->epsilon);
    if (spec->method == GCK_DIRECTIONAL &&
        (spec->directions < 1 || spec->directions > GCK_DIRECTIONS_MAX))
        return gck_error_set(error, GCK_INVALID, "directions", "must be between 1 and %d, got %zu",
                             GCK_DIRECTIONS_MAX, spec->directions);
    if (!isnan(spec->tolerance) && !(spec->tolerance >= 0 && spec->tolerance <= 1))
        return gck_error_set(error, GCK_INVALID, "tolerance", "must be between 0 and 1, got %.16g",
                             spec->tolerance);
    if (spec->worst > GCK_WORST_MAX)
        return gck_error_set(error, GCK_INVALID, "worst", "must be at most %d, got %zu",
                             GCK_WORST_MAX, spec->worst);
    if (spec->inputs && spec->claim != NULL && spec->claim->inputs == NULL)
        return gck_error_set(error, GCK_INVALID, "inputs",
                             "x cannot be checked: its gradient is not claimed");
    return GCK_OK;
}

/* What a claim in few digits can be held to is its dtype's, whatever the method. */
static double tolerance_default(const gck_check_spec *spec)
{
    const double of_claim = spec->claim == NULL ? NAN : gck_dtype_tolerance(spec->claim->dtype);
    return isnan(of_claim) ? gck_tolerance_default(spec->method, spec->epsilon) : of_claim;
}

size_t check_x_count(const gck_check *check)
{
    return check->spec.inputs ? check->spec.data->samples * check->spec.model->inputs : 0;
}

/* ---- memory: one slab for all that is summed ---- */

static double *take(double **next, size_t count)
{
    double *taken = *next;
    *next += count;
    return taken;
}

static void side_place(check_side *side, size_t count, double **next)
{
    side->analytic = take(next, count);
    side->numeric = take(next, count);
    side->exact = take(next, count);
    side->bar = take(next, count);
}

static size_t survey_units(const gck_check *check)
{
    return gck_kink_units(check->spec.model);
}

size_t check_survey_count(const gck_check *check)
{
    return 2 * survey_units(check) + 1;
}

static size_t crossings_count(const gck_check *check)
{
    if (!check->kinked) return 0;
    return (check->range_count + 1) * (survey_units(check) + check->spec.data->samples);
}

static size_t direction_count(const gck_check *check)
{
    if (check->spec.method != GCK_DIRECTIONAL) return 0;
    return check->range_count * GCK_TENSORS_MAX * check->spec.directions;
}

size_t check_outputs_count(const gck_check_spec *spec, size_t samples)
{
    return spec->claim == NULL ? 0 : 2 * samples * spec->model->outputs + 1;
}

static void outputs_place(gck_check *check, double **next)
{
    const size_t count = check->spec.data->samples * check->spec.model->outputs;
    if (check->spec.claim == NULL) return;
    check->outputs.value = take(next, count);
    check->outputs.bar = take(next, count);
    check->outputs.cost_bar = take(next, 1);
}

static size_t slab_count(const gck_check *check)
{
    return 4 * (check->spec.model->parameter_count + check_x_count(check)) +
           check_outputs_count(&check->spec, check->spec.data->samples) +
           check_survey_count(check) + crossings_count(check) + 1 + direction_count(check);
}

static gck_status room_take(gck_check *check, gck_error *error)
{
    const size_t parameters = check->spec.model->parameter_count, x = check_x_count(check);
    double *next = gck_vector_new(slab_count(check));
    check->slab = next;
    check->parameter.crossed = calloc(parameters + 1, 1);
    check->x.crossed = calloc(x + 1, 1);
    check->crossings = calloc(check->range_count + 1, sizeof *check->crossings);
    if (check->slab == NULL || check->parameter.crossed == NULL || check->x.crossed == NULL ||
        check->crossings == NULL)
        return gck_error_memory(error);
    side_place(&check->parameter, parameters, &next);
    side_place(&check->x, x, &next);
    outputs_place(check, &next);
    check->survey.live = take(&next, survey_units(check));
    check->survey.on_kink = take(&next, survey_units(check));
    check->survey.saturated = take(&next, 1);
    for (size_t i = 0; check->kinked && i <= check->range_count; i++) {
        check->crossings[i].unit = take(&next, survey_units(check));
        check->crossings[i].sample = take(&next, check->spec.data->samples);
    }
    check->judged_crossings = take(&next, 1);
    check->direction = take(&next, direction_count(check));
    assert((size_t)(next - check->slab) == slab_count(check));
    return GCK_OK;
}

/* ---- penalties: their kinks depend on the parameters alone ---- */

/* θ - ε and θ + ε on either side of 0. */
bool check_penalty_crosses(const gck_check *check, size_t element)
{
    const double theta = check->spec.parameters[element], epsilon = check->spec.epsilon;
    if (!gck_model_penalty_kinked(check->spec.model, element)) return false;
    if (check->spec.method == GCK_FORWARD) return (theta > 0) != (theta + epsilon > 0);
    return (theta - epsilon > 0) != (theta + epsilon > 0);
}

/* l1 is no sum over samples: it is crossed once or not at all. */
static void penalties_cross(gck_check *check)
{
    for (size_t i = 0; takes_epsilon(check->spec.method) && i < check->range_count; i++) {
        const check_range *range = &check->range[i];
        if (!gck_model_penalty_kinked(check->spec.model, range->offset)) continue;
        if (!check_is_claimed(&check->spec, range->layer, 0)) continue;
        for (size_t e = range->offset; e < range->offset + range->count; e++) {
            if (!check_penalty_crosses(check, e)) continue;
            check->parameter.crossed[e] = 1;
            check->penalty_crossings++;
        }
    }
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
    if (!takes_epsilon(spec->method)) check->spec.epsilon = NAN;
    if (isnan(spec->tolerance)) check->spec.tolerance = tolerance_default(spec);
    check->kinked = takes_epsilon(spec->method) && gck_kink_ahead(model, 0);
    check->range = calloc(model->layer_count, sizeof *check->range);
    if (check->range == NULL) {
        status = gck_error_memory(error);
        goto out;
    }
    check_cut_set(check);
    if (check->parameters == 0 && !spec->inputs) {
        status = gck_error_set(error, GCK_INVALID, "layers",
                               "no layer with parameters is checked, and inputs are not either");
        goto out;
    }
    status = room_take(check, error);
    if (status != GCK_OK) goto out;
    penalties_cross(check);
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
    gck_vector_free(check->slab);
    free(check->parameter.crossed);
    free(check->x.crossed);
    free(check->crossings);
    free(check);
}

const gck_check_cut *gck_check_cut_of(const gck_check *check)
{
    return &check->cut;
}

void gck_partial_done(gck_partial *partial)
{
    gck_vector_free(partial->values);
    *partial = (gck_partial){0};
}

/* ---- fold ---- */

static void add(double *sum, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += values[i];
}

/* (inputs, rows) of a block to rows of x */
static void fold_columns(const gck_check *check, const check_grain *grain, const double *values,
                         double *x)
{
    const size_t inputs = check->spec.model->inputs, rows = grain->block.count;
    for (size_t i = 0; i < grain->count; i++)
        for (size_t k = 0; k < rows; k++)
            x[(grain->block.first + k) * inputs + grain->first + i] = values[i * rows + k];
}

/* (outputs, rows) of a block to rows of the whole. */
static void fold_outputs(gck_check *check, const check_grain *grain, const double *values)
{
    const size_t outputs = check->spec.model->outputs, rows = grain->block.count;
    for (size_t unit = 0; unit < outputs; unit++)
        for (size_t k = 0; k < rows; k++) {
            const size_t to = (grain->block.first + k) * outputs + unit, from = unit * rows + k;
            check->outputs.value[to] = values[from];
            check->outputs.bar[to] = values[outputs * rows + from];
        }
    *check->outputs.cost_bar += values[2 * outputs * rows];
}

/* values: the block's loss, the survey, gradient and bar, both of x when inputs are checked, and
 * with a claim the outputs, their bars and that of the cost */
static void fold_analytic(gck_check *check, const check_grain *grain, const double *values)
{
    const size_t parameters = check->spec.model->parameter_count;
    check->loss += values[0];
    add(check->survey.live, ++values, check_survey_count(check));
    values += check_survey_count(check);
    add(check->parameter.analytic, values, parameters);
    add(check->parameter.bar, values + parameters, parameters);
    values += 2 * parameters;
    if (check->spec.claim != NULL)
        fold_outputs(
            check, grain,
            values + (check->spec.inputs ? 2 * grain->block.count * check->spec.model->inputs : 0));
    if (!check->spec.inputs) return;
    const size_t count = grain->block.count * check->spec.model->inputs;
    check_grain all = *grain;
    all.count = check->spec.model->inputs;
    fold_columns(check, &all, values, check->x.analytic);
    fold_columns(check, &all, values + count, check->x.bar);
}

static void fold_crossings(gck_check *check, const check_grain *grain, const double *values)
{
    const size_t index =
        grain->range == NULL ? check->range_count : (size_t)(grain->range - check->range);
    const gck_crossings *crossings = &check->crossings[index];
    add(crossings->unit, values, survey_units(check));
    add(crossings->sample + grain->block.first, values + survey_units(check), grain->block.count);
}

/* values: numeric, exact and, where there are kinks, crossed, each (inputs, units of the grain);
 * then the crossings by unit and by sample. W is (inputs, units), b follows it. */
static void fold_units(gck_check *check, const check_grain *grain, const double *values)
{
    const check_range *range = grain->range;
    const size_t count = range->inputs * grain->count;
    const size_t inputs = check->spec.model->layer[range->layer].inputs;
    for (size_t i = 0; i < range->inputs; i++)
        for (size_t u = 0; u < grain->count; u++) {
            const size_t element = range->offset + i * range->units + grain->first + u;
            const double *value = values + i * grain->count + u;
            check->parameter.numeric[element] += value[0];
            check->parameter.exact[element] += value[count];
            if (!check->kinked || !(value[2 * count] > 0)) continue;
            check->parameter.crossed[element] = 1;
            /* The row after those of W is b. */
            if (check_is_claimed(&check->spec, range->layer, i >= inputs))
                *check->judged_crossings += value[2 * count];
        }
    if (check->kinked) fold_crossings(check, grain, values + 3 * count);
    check->done += count;
}

static void fold_inputs(gck_check *check, const check_grain *grain, const double *values)
{
    const size_t count = grain->count * grain->block.count;
    const size_t inputs = check->spec.model->inputs;
    fold_columns(check, grain, values, check->x.numeric);
    fold_columns(check, grain, values + count, check->x.exact);
    for (size_t i = 0; check->kinked && i < grain->count; i++)
        for (size_t k = 0; k < grain->block.count; k++)
            check->x.crossed[(grain->block.first + k) * inputs + grain->first + i] =
                values[2 * count + i * grain->block.count + k] > 0;
    if (check->kinked) fold_crossings(check, grain, values + 3 * count);
    check->done += count * check->cut.block_count;
}

/* values: the derivative along this direction, of each tensor */
static void fold_direction(gck_check *check, const check_grain *grain, const double *values)
{
    const size_t directions = check->spec.directions;
    const size_t range = (size_t)(grain->range - check->range);
    for (size_t t = 0; t < GCK_TENSORS_MAX; t++)
        check->direction[(range * GCK_TENSORS_MAX + t) * directions + grain->first] += values[t];
    /* The elements count as done with their last direction. */
    if (grain->first + 1 == directions) check->done += grain->range->count;
}

size_t check_partial_count(const gck_check *check, const check_grain *grain)
{
    const gck_model *model = check->spec.model;
    const size_t kinks = check->kinked ? survey_units(check) + grain->block.count : 0;
    const size_t matrices = check->kinked ? 3 : 2;
    switch (grain->kind) {
    case GRAIN_ANALYTIC:
        return 1 + check_survey_count(check) + 2 * model->parameter_count +
               (check->spec.inputs ? 2 * grain->block.count * model->inputs : 0) +
               check_outputs_count(&check->spec, grain->block.count);
    case GRAIN_UNITS:
        return matrices * grain->range->inputs * grain->count + kinks;
    case GRAIN_INPUTS:
        return matrices * grain->count * grain->block.count + kinks;
    default:
        return GCK_TENSORS_MAX;
    }
}

gck_status gck_check_fold(gck_check *check, size_t index, const gck_partial *partial,
                          gck_error *error)
{
    static void (*const folds[])(gck_check *, const check_grain *, const double *) = {
        [GRAIN_ANALYTIC] = fold_analytic,
        [GRAIN_UNITS] = fold_units,
        [GRAIN_INPUTS] = fold_inputs,
        [GRAIN_DIRECTION] = fold_direction,
    };
    assert(index == check->folded);
    const check_grain grain = check_grain_at(check, index);
    if (partial->count != check_partial_count(check, &grain))
        return gck_error_set(error, GCK_CORRUPT, "", "grain %zu has %zu values", index,
                             partial->count);
    folds[grain.kind](check, &grain, partial->values);
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

size_t gck_check_total(const gck_check *check)
{
    return check->parameters + check_x_count(check);
}

/* ---- saved state: folded, done, loss, the slab, and what crossed ---- */

enum { STATE_HEAD = 3 };

static size_t crossed_count(const gck_check *check)
{
    return check->spec.model->parameter_count + check_x_count(check);
}

size_t gck_check_state_count(const gck_check *check)
{
    return STATE_HEAD + slab_count(check) + (check->kinked ? crossed_count(check) : 0);
}

void gck_check_state_save(const gck_check *check, double *values)
{
    const size_t parameters = check->spec.model->parameter_count;
    values[0] = (double)check->folded;
    values[1] = (double)check->done;
    values[2] = check->loss;
    memcpy(values + STATE_HEAD, check->slab, slab_count(check) * sizeof *values);
    values += STATE_HEAD + slab_count(check);
    for (size_t i = 0; check->kinked && i < crossed_count(check); i++)
        values[i] = i < parameters ? check->parameter.crossed[i] : check->x.crossed[i - parameters];
}

gck_status gck_check_state_load(gck_check *check, const double *values, gck_error *error)
{
    const size_t parameters = check->spec.model->parameter_count;
    if (!(values[0] >= 0 && values[0] <= (double)check->cut.grain_count) ||
        !(values[1] >= 0 && values[1] <= (double)(gck_check_total(check) * check->cut.block_count)))
        return gck_error_set(error, GCK_CORRUPT, "", "the saved check is beyond its end");
    check->folded = (size_t)values[0];
    check->done = (size_t)values[1];
    check->loss = values[2];
    memcpy(check->slab, values + STATE_HEAD, slab_count(check) * sizeof *values);
    values += STATE_HEAD + slab_count(check);
    for (size_t i = 0; check->kinked && i < crossed_count(check); i++) {
        unsigned char *crossed =
            i < parameters ? &check->parameter.crossed[i] : &check->x.crossed[i - parameters];
        *crossed = values[i] > 0;
    }
    return GCK_OK;
}
