/* What a training reports: history, final numbers, checks on the way, divergence; and what it
 * refuses. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"
#include "tests/core/trainings.h"

#include "core/train.h"

#include <math.h>
#include <string.h>

static network entropy_network(void)
{
    gck_layer_spec layers[] = {dense_with(5, "tanh", "l1", 0.02), dropout(0.3),
                               dense_with(2, "softmax", "l2", 0.01)};
    return network_weighted(3, layers, 3, cost_named("categorical_crossentropy"), 20);
}

static gck_train_spec spec_of(const network *net)
{
    gck_train_spec spec = train_spec_of(net);
    spec.epochs = 4;
    spec.batch_size = 6;
    spec.optimizer = with_option(optimizer_named("adam"), "learning_rate", 0.01);
    return spec;
}

/* ---- history and final ---- */

START_TEST(history_has_a_number_an_epoch)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    spec.validation_split = 0.25;
    gck_train *train = train_new(&spec, 0);
    ck_assert_uint_eq(gck_train_epochs_done(train), 0);
    while (gck_train_epochs_done(train) < 2)
        ck_assert(!train_step(train, 1));
    const gck_train_result half = gck_train_result_of(train);
    ck_assert_uint_eq(half.epochs, 2);
    for (size_t epoch = 0; epoch < spec.epochs; epoch++) {
        ck_assert(isfinite(half.cost[epoch]) == (epoch < 2));
        ck_assert(isfinite(half.validation_accuracy[epoch]) == (epoch < 2));
    }
    ck_assert(isnan(half.final.cost) && isnan(half.final_validation.cost));
    train_finish(train);
    const gck_train_result whole = gck_train_result_of(train);
    ck_assert_uint_eq(whole.epochs, 4);
    ck_assert(whole.has_accuracy && whole.has_validation);
    for (size_t epoch = 0; epoch < spec.epochs; epoch++) {
        ck_assert(isfinite(whole.cost[epoch]) && isfinite(whole.validation_cost[epoch]));
        ck_assert(whole.accuracy[epoch] >= 0 && whole.accuracy[epoch] <= 1);
    }
    ck_assert(whole.final_validation.cost == whole.validation_cost[3]);
    ck_assert(whole.final_validation.accuracy == whole.validation_accuracy[3]);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* Finished trainings stay as they are. */
START_TEST(steps_after_the_end_change_nothing)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    gck_train *train = train_run(&spec), *same = train_run(&spec);
    ck_assert(train_step(train, 100));
    assert_same_training(train, same);
    gck_train_free(train);
    gck_train_free(same);
    network_done(&net);
}
END_TEST

/* In their own order and in one block, final numbers are those of the evaluation, penalties
 * included, dropout left out. */
START_TEST(final_is_the_evaluation_of_the_training_rows)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    gck_evaluation evaluation;
    gck_error error;
    assert_ok(
        gck_evaluate(net.model, result.parameters, net.data, (gck_stop){0}, &evaluation, &error),
        &error);
    assert_same_bits(&result.final.cost, &evaluation.cost, 1, "cost");
    assert_same_bits(&result.final.accuracy, &evaluation.accuracy, 1, "accuracy");
    ck_assert(!result.has_validation && isnan(result.final_validation.cost));
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* Rows first, first + 1, … of the training's order, as a data set of their own. */
static gck_data *rows_copy(const gck_train *train, size_t first, size_t count)
{
    const gck_data *from = train->spec.data;
    gck_data *data;
    gck_error error;
    assert_ok(gck_data_new(count, from->inputs, from->outputs, true, &data, &error), &error);
    for (size_t k = 0; k < count; k++) {
        const size_t row = train->order[first + k];
        memcpy(data->x + k * data->inputs, from->x + row * data->inputs,
               data->inputs * sizeof(double));
        memcpy(data->y + k * data->outputs, from->y + row * data->outputs,
               data->outputs * sizeof(double));
        data->weights[k] = from->weights[row];
    }
    return data;
}

START_TEST(validation_is_the_evaluation_of_the_rows_held_out)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    spec.validation_split = 0.25;
    spec.shuffle = true;
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    gck_data *data = rows_copy(train, train->train_rows, train->validation_rows);
    gck_evaluation evaluation;
    gck_error error;
    ck_assert_uint_eq(data->samples, 5);
    assert_ok(gck_evaluate(net.model, result.parameters, data, (gck_stop){0}, &evaluation, &error),
              &error);
    assert_same_bits(&result.final_validation.cost, &evaluation.cost, 1, "cost");
    assert_same_bits(&result.final_validation.accuracy, &evaluation.accuracy, 1, "accuracy");
    gck_data_free(data);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* A whole batch without dropout: an epoch's cost and accuracy are those before its step. */
START_TEST(an_epochs_numbers_are_those_it_was_trained_with)
{
    gck_layer_spec layers[] = {dense(4, "tanh"), dense_with(1, "sigmoid", "l2", 0.1)};
    network net = network_weighted(3, layers, 2, cost_named("binary_crossentropy"), 9);
    gck_train_spec spec = train_spec_of(&net);
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    gck_evaluation before;
    gck_error error;
    assert_ok(gck_evaluate(net.model, net.parameters, net.data, (gck_stop){0}, &before, &error),
              &error);
    /* cost * rows / rows adds two roundings */
    assert_within(result.cost[0], before.cost, 2 * ROUNDOFF * before.cost, "cost");
    assert_within(result.accuracy[0], before.accuracy, 2 * ROUNDOFF, "accuracy");
    gck_train_free(train);
    network_done(&net);
}
END_TEST

START_TEST(other_costs_have_no_accuracy)
{
    const gck_layer_spec layers[] = {dense(2, "sigmoid")};
    network net = network_new(3, layers, 1, cost_named("mse"), 8);
    gck_train_spec spec = train_spec_of(&net);
    spec.validation_split = 0.25;
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    ck_assert(!result.has_accuracy);
    ck_assert(isnan(result.accuracy[0]) && isnan(result.validation_accuracy[0]));
    ck_assert(isnan(result.final.accuracy) && isnan(result.final_validation.accuracy));
    ck_assert(isfinite(result.final.cost) && isfinite(result.final_validation.cost));
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* ---- checks on the way ---- */

START_TEST(checks_come_every_few_epochs_and_change_nothing)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    spec.epochs = 5;
    spec.shuffle = true;
    gck_train *plain = train_run(&spec);
    spec.check_every = 2;
    gck_train *checked = train_run(&spec);
    const gck_train_result p = gck_train_result_of(plain), c = gck_train_result_of(checked);
    ck_assert_uint_eq(p.check_count, 0);
    ck_assert_uint_eq(c.check_count, 2);
    ck_assert(c.check[0].epoch == 2 && c.check[1].epoch == 4);
    for (size_t i = 0; i < 2;
         i++) { /* smooth but for l1, whose kink no weight is as near as 1e-4 */
        ck_assert_int_eq(c.check[i].verdict, GCK_PASS);
        ck_assert_double_lt(c.check[i].distance, 1e-7);
        ck_assert_double_lt(c.check[i].refined_distance, 1e-13); /* roundings alone */
    }
    assert_same_bits(c.parameters, p.parameters, net.model->parameter_count, "parameters");
    assert_same_bits(c.cost, p.cost, 5, "cost");
    gck_train_free(plain);
    gck_train_free(checked);
    network_done(&net);
}
END_TEST

/* The check after epoch 2, done by hand: the parameters of a training that ends there, on its first
 * six rows. */
START_TEST(a_check_is_that_of_the_first_batch)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    spec.epochs = 2;
    spec.check_every = 2;
    spec.shuffle = true;
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    gck_data *first_batch = rows_copy(train, 0, 6);
    gck_check_spec check_spec = check_spec_of(&net);
    check_spec.parameters = result.parameters;
    check_spec.data = first_batch;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&check_spec, &check, &report) == GCK_OK);
    ck_assert_uint_eq(result.check_count, 1);
    assert_same_bits(&result.check[0].distance, &report->distance, 1, "distance");
    assert_same_bits(&result.check[0].refined_distance, &report->refined_distance, 1, "refined");
    ck_assert_int_eq(result.check[0].verdict, report->verdict);
    gck_report_free(report);
    gck_check_free(check);
    gck_data_free(first_batch);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* ---- divergence ---- */

static network steep_network(void)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    return network_new(2, layers, 1, cost_named("mse"), 5);
}

static gck_train_spec steep_spec(const network *net, size_t epochs)
{
    gck_train_spec spec = train_spec_of(net);
    spec.epochs = epochs;
    spec.optimizer = with_option(spec.optimizer, "learning_rate", 1e6);
    return spec;
}

START_TEST(a_cost_that_is_not_finite_ends_it)
{
    network net = steep_network();
    gck_train_spec spec = steep_spec(&net, 200);
    gck_train *train = train_run(&spec);
    const gck_train_result result = gck_train_result_of(train);
    /* Each step multiplies the error by about 1e6, so that its square passes 1e308 within 30. */
    ck_assert(result.diverged_at > 2 && result.diverged_at < 60);
    ck_assert_uint_eq(result.epochs, result.diverged_at);
    for (size_t epoch = 0; epoch < 200; epoch++)
        ck_assert(isfinite(result.cost[epoch]) == (epoch + 1 < result.diverged_at));
    ck_assert(isnan(result.final.cost));
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* One epoch fewer, and only the final evaluation sees it. */
START_TEST(the_last_step_may_diverge)
{
    network net = steep_network();
    gck_train_spec spec = steep_spec(&net, 200);
    gck_train *train = train_run(&spec);
    spec.epochs = gck_train_result_of(train).diverged_at - 1;
    gck_train *shorter = train_run(&spec);
    const gck_train_result result = gck_train_result_of(shorter);
    ck_assert_uint_eq(result.diverged_at, spec.epochs);
    ck_assert_uint_eq(result.epochs, spec.epochs);
    ck_assert(isfinite(result.cost[spec.epochs - 1]) && !isfinite(result.final.cost));
    gck_train_free(train);
    gck_train_free(shorter);
    network_done(&net);
}
END_TEST

/* ---- what is refused ---- */

static gck_status spec_try(const gck_train_spec *spec, gck_error *error)
{
    gck_train *train = NULL;
    const gck_status status = gck_train_new(spec, &train, error);
    ck_assert((status == GCK_OK) == (train != NULL));
    gck_train_free(train);
    return status;
}

START_TEST(bad_specs_name_the_place)
{
    network net = steep_network();
    gck_train_spec spec = train_spec_of(&net);
    gck_error error;
    spec.epochs = 0;
    assert_invalid(spec_try(&spec, &error), &error, "epochs");
    spec.epochs = GCK_EPOCHS_MAX + 1;
    assert_invalid(spec_try(&spec, &error), &error, "epochs");
    spec.epochs = GCK_EPOCHS_MAX;
    assert_ok(spec_try(&spec, &error), &error);
    const double bad[] = {-0.1, 1, 2, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++) {
        spec.validation_split = bad[i];
        assert_invalid(spec_try(&spec, &error), &error, "validation_split");
    }
    network_done(&net);
}
END_TEST

START_TEST(a_batch_is_at_most_the_training_rows)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    spec.batch_size = 0;
    gck_train *whole = train_run(&spec);
    spec.batch_size = SIZE_MAX;
    gck_train *larger = train_run(&spec);
    assert_same_training(larger, whole);
    gck_train_free(whole);
    gck_train_free(larger);
    network_done(&net);
}
END_TEST

START_TEST(estimates_grow_with_the_work)
{
    network net = entropy_network();
    gck_train_spec spec = spec_of(&net);
    double operations[3], memory[3];
    gck_train_estimate(&spec, &operations[0], &memory[0]);
    spec.epochs *= 10;
    gck_train_estimate(&spec, &operations[1], &memory[1]);
    spec.check_every = 1;
    gck_train_estimate(&spec, &operations[2], &memory[2]);
    ck_assert(operations[0] > 0 && memory[0] > 0);
    ck_assert(operations[1] == 10 * operations[0] && memory[1] > memory[0]);
    ck_assert(operations[2] > operations[1] && memory[2] > memory[1]);
    network_done(&net);
}
END_TEST

SUITE_MAIN("train_result", {history_has_a_number_an_epoch, 0},
           {steps_after_the_end_change_nothing, 0},
           {final_is_the_evaluation_of_the_training_rows, 0},
           {validation_is_the_evaluation_of_the_rows_held_out, 0},
           {an_epochs_numbers_are_those_it_was_trained_with, 0}, {other_costs_have_no_accuracy, 0},
           {checks_come_every_few_epochs_and_change_nothing, 0},
           {a_check_is_that_of_the_first_batch, 0}, {a_cost_that_is_not_finite_ends_it, 0},
           {the_last_step_may_diverge, 0}, {bad_specs_name_the_place, 0},
           {a_batch_is_at_most_the_training_rows, 0}, {estimates_grow_with_the_work, 0})
