#include "core/train.h"
#include "core/forward.h"

#include <gradcheck/cost.h>
#include <gradcheck/optimizer.h>
#include <gradcheck/rng.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One forward and one backward pass. */
#define BLOCK_PASSES 4.0

double *train_history(const gck_train *train, int column)
{
    return train->history + (size_t)column * train->spec.epochs;
}

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- life ---- */

/* The share as it was written: 0.29 of 100 rows are 29, though the nearest double to 0.29 lies
 * below it. Writing and multiplying err by 2^-53 each, relatively. */
static size_t validation_rows_of(const gck_train_spec *spec)
{
    const double rows = (double)spec->data->samples * spec->validation_split;
    return (size_t)(rows + rows * 0x1p-52);
}

static gck_status spec_validate(const gck_train_spec *spec, gck_error *error)
{
    if (spec->epochs < 1 || spec->epochs > GCK_EPOCHS_MAX)
        return gck_error_set(error, GCK_INVALID, "epochs", "must be between 1 and %d, got %zu",
                             GCK_EPOCHS_MAX, spec->epochs);
    if (!(spec->validation_split >= 0 && spec->validation_split < 1))
        return gck_error_set(error, GCK_INVALID, "validation_split",
                             "must be at least 0 and less than 1, got %.16g",
                             spec->validation_split);
    if (validation_rows_of(spec) >= spec->data->samples)
        return gck_error_set(error, GCK_INVALID, "validation_split",
                             "leaves no row of %zu to train on", spec->data->samples);
    return GCK_OK;
}

static void order_draw(gck_train *train)
{
    const size_t samples = train->spec.data->samples;
    for (size_t i = 0; i < samples; i++)
        train->order[i] = i;
    if (train->validation_rows > 0)
        gck_rng_shuffle(train->spec.seed, GCK_RNG_SPLIT, 0, train->order, samples);
}

static void epoch_begin(gck_train *train)
{
    train_place *place = &train->place;
    place->batch_first = place->block_first = 0;
    place->loss = place->accuracy = place->epoch_cost = place->epoch_accuracy = 0;
    place->phase = TRAIN_BATCH;
    if (train->spec.shuffle)
        gck_rng_shuffle(train->spec.seed, GCK_RNG_SHUFFLE, (uint32_t)place->epoch, train->order,
                        train->train_rows);
}

static gck_status room_take(gck_train *train, gck_error *error)
{
    const gck_train_spec *spec = &train->spec;
    const size_t parameters = spec->model->parameter_count;
    train->order = calloc(spec->data->samples, sizeof *train->order);
    train->parameters = gck_vector_copy(spec->parameters, parameters);
    train->gradient = gck_vector_new(parameters);
    train->optimizer_state = gck_vector_new(gck_optimizer_slots(&spec->optimizer) * parameters);
    train->history = gck_vector_new(4 * spec->epochs);
    train->check_capacity = spec->check_every > 0 ? spec->epochs / spec->check_every : 0;
    train->check = calloc(train->check_capacity + 1, sizeof *train->check);
    if (train->order == NULL || train->parameters == NULL || train->gradient == NULL ||
        train->optimizer_state == NULL || train->history == NULL || train->check == NULL)
        return gck_error_memory(error);
    gck_status status = gck_pass_new(spec->model, train->block_rows, true, &train->masked, error);
    if (status == GCK_OK)
        status = gck_pass_new(spec->model, train->block_rows, false, &train->unmasked, error);
    if (status == GCK_OK)
        status = gck_backward_room_init(&train->room, spec->model, train->block_rows, error);
    return status;
}

gck_status gck_train_new(const gck_train_spec *spec, gck_train **ret_train, gck_error *error)
{
    gck_status status = spec_validate(spec, error);
    if (status != GCK_OK) return status;
    gck_train *train = calloc(1, sizeof *train);
    if (train == NULL) return gck_error_memory(error);
    train->spec = *spec;
    train->validation_rows = validation_rows_of(spec);
    train->train_rows = spec->data->samples - train->validation_rows;
    if (spec->batch_size == 0 || spec->batch_size > train->train_rows)
        train->spec.batch_size = train->train_rows;
    train->block_rows = gck_pass_block_rows(spec->model, spec->data->samples, BLOCK_PASSES);
    status = room_take(train, error);
    if (status != GCK_OK) {
        gck_train_free(train);
        return status;
    }
    for (size_t i = 0; i < 4 * spec->epochs; i++)
        train->history[i] = NAN;
    train->place.final = (gck_evaluation){NAN, NAN};
    order_draw(train);
    epoch_begin(train);
    *ret_train = train;
    return GCK_OK;
}

static void work_done(train_check_work *work)
{
    gck_check_room_free(work->room);
    gck_check_free(work->check);
    gck_data_free(work->data);
    *work = (train_check_work){0};
}

void gck_train_free(gck_train *train)
{
    if (train == NULL) return;
    work_done(&train->work);
    free(train->order);
    gck_vector_free(train->parameters);
    gck_vector_free(train->gradient);
    gck_vector_free(train->optimizer_state);
    gck_vector_free(train->history);
    free(train->check);
    gck_pass_free(train->masked);
    gck_pass_free(train->unmasked);
    gck_backward_room_done(&train->room);
    free(train);
}

/* ---- batches ---- */

static bool has_accuracy(const gck_train *train)
{
    return gck_cost_is_entropy(&train->spec.model->cost);
}

static size_t batch_rows(const gck_train *train)
{
    return minimum(train->spec.batch_size, train->train_rows - train->place.batch_first);
}

/* The rows of the order that begin at `start`, from the block on; the block is what is taken of
 * them now. */
static gck_rows block_take(gck_train *train, size_t start, size_t total)
{
    const size_t first = train->place.block_first;
    const gck_rows rows = {start + first, minimum(train->block_rows, total - first), train->order};
    train->place.block_first += rows.count;
    return rows;
}

static double cost_of(const gck_train *train, double loss, size_t rows)
{
    const gck_model *model = train->spec.model;
    return gck_cost_factor(&model->cost, rows, model->outputs) * loss +
           gck_model_penalty(model, train->parameters);
}

static void block_train(gck_train *train, gck_rows rows, double factor)
{
    gck_pass *pass = train->masked;
    gck_pass_load(pass, train->spec.data, rows);
    gck_pass_draw_masks(pass, (gck_mask_key){train->spec.seed, (uint32_t)train->place.steps + 1},
                        rows);
    gck_forward_losses(pass, train->parameters);
    train->place.loss += gck_pass_loss_sum(pass);
    if (has_accuracy(train))
        train->place.accuracy +=
            gck_accuracy_sum(train->spec.model, gck_pass_outputs(pass).a, pass->y, pass->samples);
    gck_backward(pass, &train->room, factor, train->gradient, false);
}

static void sums_clear(train_place *place)
{
    place->loss = place->accuracy = 0;
    place->block_first = 0;
}

static void diverge(gck_train *train)
{
    train->place.diverged_at = train->place.epoch + 1;
    train_history(train, HISTORY_COST)[train->place.epoch] = NAN;
    train->place.phase = TRAIN_FINISHED;
}

static void epoch_record(gck_train *train)
{
    train_place *place = &train->place;
    const double rows = (double)train->train_rows;
    train_history(train, HISTORY_COST)[place->epoch] = place->epoch_cost / rows;
    if (has_accuracy(train))
        train_history(train, HISTORY_ACCURACY)[place->epoch] = place->epoch_accuracy / rows;
    place->phase = TRAIN_VALIDATION;
}

static void batch_finish(gck_train *train)
{
    train_place *place = &train->place;
    const size_t rows = batch_rows(train);
    const double cost = cost_of(train, place->loss, rows);
    if (!isfinite(cost)) {
        diverge(train);
        return;
    }
    place->epoch_cost += cost * (double)rows;
    place->epoch_accuracy += place->accuracy;
    sums_clear(place);
    gck_backward_penalty(train->spec.model, train->parameters, train->gradient);
    gck_optimizer_step(&train->spec.optimizer, ++place->steps, train->spec.model->parameter_count,
                       train->gradient, train->optimizer_state, train->parameters);
    place->batch_first += rows;
    if (place->batch_first == train->train_rows) epoch_record(train);
}

static gck_status batch_unit(gck_train *train, gck_error *error)
{
    (void)error;
    const gck_model *model = train->spec.model;
    const size_t rows = batch_rows(train);
    if (train->place.block_first == 0)
        memset(train->gradient, 0, model->parameter_count * sizeof *train->gradient);
    const double factor = gck_cost_factor(&model->cost, rows, model->outputs);
    block_train(train, block_take(train, train->place.batch_first, rows), factor);
    if (train->place.block_first == rows) batch_finish(train);
    return GCK_OK;
}

/* ---- after the epoch ---- */

static void block_evaluate(gck_train *train, gck_rows rows)
{
    gck_pass *pass = train->unmasked;
    gck_pass_load(pass, train->spec.data, rows);
    gck_forward_losses(pass, train->parameters);
    train->place.loss += gck_pass_loss_sum(pass);
    train->place.accuracy +=
        gck_accuracy_sum(train->spec.model, gck_pass_outputs(pass).a, pass->y, pass->samples);
}

/* One block of the `total` rows from `start`; true, with the result, after the last. */
static bool evaluate_unit(gck_train *train, size_t start, size_t total, gck_evaluation *ret)
{
    block_evaluate(train, block_take(train, start, total));
    if (train->place.block_first < total) return false;
    ret->cost = cost_of(train, train->place.loss, total);
    ret->accuracy = has_accuracy(train) ? train->place.accuracy / (double)total : NAN;
    sums_clear(&train->place);
    return true;
}

static void epoch_end(gck_train *train)
{
    train->place.epoch++;
    if (train->place.epoch == train->spec.epochs)
        train->place.phase = TRAIN_FINAL;
    else
        epoch_begin(train);
}

bool train_check_is_due(const gck_train *train)
{
    return train->spec.check_every > 0 && (train->place.epoch + 1) % train->spec.check_every == 0;
}

static gck_status validation_unit(gck_train *train, gck_error *error)
{
    const size_t epoch = train->place.epoch;
    if (train->validation_rows > 0) {
        gck_evaluation evaluation;
        if (!evaluate_unit(train, train->train_rows, train->validation_rows, &evaluation))
            return GCK_OK;
        train_history(train, HISTORY_VALIDATION_COST)[epoch] = evaluation.cost;
        train_history(train, HISTORY_VALIDATION_ACCURACY)[epoch] = evaluation.accuracy;
    }
    if (!train_check_is_due(train)) {
        epoch_end(train);
        return GCK_OK;
    }
    const gck_status status = train_check_begin(train, error);
    if (status == GCK_OK) train->place.phase = TRAIN_CHECK;
    return status;
}

static gck_status first_batch_copy(const gck_train *train, gck_data **ret_data, gck_error *error)
{
    const gck_data *from = train->spec.data;
    const size_t rows = train->spec.batch_size;
    gck_data *data;
    const gck_status status =
        gck_data_new(rows, from->inputs, from->outputs, from->weights != NULL, &data, error);
    if (status != GCK_OK) return status;
    for (size_t k = 0; k < rows; k++) {
        const size_t row = train->order[k];
        memcpy(data->x + k * data->inputs, from->x + row * data->inputs,
               data->inputs * sizeof *data->x);
        memcpy(data->y + k * data->outputs, from->y + row * data->outputs,
               data->outputs * sizeof *data->y);
        if (data->weights != NULL) data->weights[k] = from->weights[row];
    }
    *ret_data = data;
    return GCK_OK;
}

static gck_check_spec check_spec_of(const gck_model *model)
{
    return (gck_check_spec){
        .model = model, .method = GCK_CENTRAL, .epsilon = 1e-4, .tolerance = NAN};
}

gck_status train_check_begin(gck_train *train, gck_error *error)
{
    gck_status status = first_batch_copy(train, &train->work.data, error);
    if (status != GCK_OK) return status;
    gck_check_spec spec = check_spec_of(train->spec.model);
    spec.parameters = train->parameters;
    spec.data = train->work.data;
    status = gck_check_new(&spec, &train->work.check, error);
    if (status == GCK_OK) status = gck_check_room_new(train->work.check, &train->work.room, error);
    if (status != GCK_OK) work_done(&train->work);
    return status;
}

/* A cost that is not finite leaves a check without a distance. */
static gck_status check_record(gck_train *train, gck_error *error)
{
    gck_train_check *entry = &train->check[train->place.check_count];
    *entry = (gck_train_check){train->place.epoch + 1, GCK_INCONCLUSIVE, NAN, NAN};
    gck_report *report;
    const gck_status status = gck_check_report(train->work.check, &report, error);
    if (status != GCK_OK && status != GCK_NON_FINITE) return status;
    if (status == GCK_OK) {
        entry->verdict = report->verdict;
        entry->distance = report->distance;
        entry->refined_distance = report->refined_distance;
        gck_report_free(report);
    }
    train->place.check_count++;
    return GCK_OK;
}

static gck_status check_unit(gck_train *train, gck_error *error)
{
    gck_check *check = train->work.check;
    const size_t index = gck_check_folded(check);
    gck_partial partial;
    gck_status status =
        gck_check_grain(check, index, train->work.room, (gck_stop){0}, &partial, error);
    if (status != GCK_OK) return status;
    status = gck_check_fold(check, index, &partial, error);
    gck_partial_done(&partial);
    if (status != GCK_OK || index + 1 < gck_check_cut_of(check)->grain_count) return status;
    status = check_record(train, error);
    work_done(&train->work);
    epoch_end(train);
    return status;
}

static gck_status final_unit(gck_train *train, gck_error *error)
{
    (void)error;
    train_place *place = &train->place;
    if (!evaluate_unit(train, 0, train->train_rows, &place->final)) return GCK_OK;
    if (!isfinite(place->final.cost)) place->diverged_at = train->spec.epochs;
    place->phase = TRAIN_FINISHED;
    return GCK_OK;
}

gck_status gck_train_step(gck_train *train, size_t units, bool *ret_finished, gck_error *error)
{
    static gck_status (*const unit[])(gck_train *, gck_error *) = {
        [TRAIN_BATCH] = batch_unit,
        [TRAIN_VALIDATION] = validation_unit,
        [TRAIN_CHECK] = check_unit,
        [TRAIN_FINAL] = final_unit,
    };
    for (; units > 0 && train->place.phase != TRAIN_FINISHED; units--) {
        const gck_status status = unit[train->place.phase](train, error);
        if (status != GCK_OK) return status;
    }
    *ret_finished = train->place.phase == TRAIN_FINISHED;
    return GCK_OK;
}

size_t gck_train_epochs_done(const gck_train *train)
{
    return train->place.epoch;
}

gck_train_result gck_train_result_of(const gck_train *train)
{
    const train_place *place = &train->place;
    const bool diverged = place->diverged_at > 0;
    gck_train_result result = {
        .epochs = diverged ? place->diverged_at : place->epoch,
        .cost = train_history(train, HISTORY_COST),
        .accuracy = train_history(train, HISTORY_ACCURACY),
        .validation_cost = train_history(train, HISTORY_VALIDATION_COST),
        .validation_accuracy = train_history(train, HISTORY_VALIDATION_ACCURACY),
        .has_accuracy = has_accuracy(train),
        .has_validation = train->validation_rows > 0,
        .final = place->final,
        .final_validation = {NAN, NAN},
        .diverged_at = place->diverged_at,
        .check_count = place->check_count,
        .check = train->check,
        .parameters = train->parameters,
    };
    /* The last epoch's validation saw the final parameters. */
    if (result.has_validation && place->epoch == train->spec.epochs)
        result.final_validation = (gck_evaluation){result.validation_cost[place->epoch - 1],
                                                   result.validation_accuracy[place->epoch - 1]};
    return result;
}

void gck_train_estimate(const gck_train_spec *spec, double *ret_operations,
                        double *ret_memory_bytes)
{
    const gck_model *model = spec->model;
    const double samples = (double)spec->data->samples, epochs = (double)spec->epochs;
    const size_t rows = gck_pass_block_rows(model, spec->data->samples, BLOCK_PASSES);
    double operations = 3 * samples * gck_model_operations(model) * epochs;
    double values =
        (double)model->parameter_count * (3 + (double)gck_optimizer_slots(&spec->optimizer)) +
        4 * epochs + samples +
        (double)rows * (2.0 * (double)gck_pass_sample_values(model, true) +
                        (double)gck_backward_sample_values(model));
    if (spec->check_every > 0) {
        const size_t batch = spec->batch_size > 0 ? spec->batch_size : spec->data->samples;
        gck_check_cost check;
        const gck_check_spec check_spec = check_spec_of(model);
        gck_check_estimate(&check_spec, minimum(batch, spec->data->samples), &check);
        operations += floor(epochs / (double)spec->check_every) * check.operations;
        values += check.memory_bytes / sizeof(double);
    }
    *ret_operations = operations;
    *ret_memory_bytes = values * sizeof(double);
}
