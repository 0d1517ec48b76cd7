/* A network put to use: outputs, classes, accuracy and cost without dropout; and the matrix library
 * underneath. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/blas.h>
#include <gradcheck/cost.h>
#include <gradcheck/evaluate.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- classes and accuracy ---- */

static gck_model *last_layer(size_t outputs, const char *activation, const char *cost)
{
    const gck_layer_spec layers[] = {dense(outputs, activation)};
    const gck_choice choice = cost_named(cost);
    return model_new(1, layers, 1, &choice, 0);
}

/* Rows of outputs and targets, feature-major: three units, four samples. */
START_TEST(several_classes_compare_the_largest)
{
    const double outputs[] = {0.5, 0.2, 0.3, 0.4, /**/ 0.3, 0.7, 0.3, 0.2, /**/ 0.2, 0.1, 0.4, 0.4};
    const double y[] = {1, 0, 0, 0, /**/ 0, 1, 1, 0, /**/ 0, 0, 0, 1};
    gck_model *model = last_layer(3, "softmax", "categorical_crossentropy");
    /* Right: samples 0 and 1; wrong: 2; in sample 3 the first of two equal outputs counts. */
    ck_assert(gck_accuracy_sum(model, outputs, y, 4) == 2);
    gck_model_free(model);
}
END_TEST

START_TEST(one_output_compares_at_a_half)
{
    const double outputs[] = {0.9, 0.5, 0.51, 0.1}, y[] = {1, 1, 0, 0};
    const char *const costs[] = {"binary_crossentropy", "categorical_crossentropy"};
    for (size_t i = 0; i < COUNT(costs); i++) {
        gck_model *model = last_layer(1, "sigmoid", costs[i]);
        ck_assert(gck_accuracy_sum(model, outputs, y, 4) == 2); /* 0.5 is not above a half */
        gck_model_free(model);
    }
}
END_TEST

START_TEST(several_binary_outputs_count_by_share)
{
    const double outputs[] = {0.9, 0.2, /**/ 0.9, 0.9}, y[] = {1, 0, /**/ 0, 1};
    gck_model *model = last_layer(2, "sigmoid", "binary_crossentropy");
    ck_assert(gck_accuracy_sum(model, outputs, y, 2) == 1.5);
    gck_model_free(model);
}
END_TEST

START_TEST(classes_are_the_largest_or_above_a_half)
{
    const double y[] = {0.1, 0.6, 0.3, /**/ 0.4, 0.2, 0.4}, one[] = {0.5, 0.51};
    size_t class[2] = {9, 9};
    gck_model *several = last_layer(3, "softmax", "categorical_crossentropy");
    ck_assert(gck_classes(several, y, 2, class));
    ck_assert(class[0] == 1 && class[1] == 0);
    gck_model *single = last_layer(1, "sigmoid", "binary_crossentropy");
    ck_assert(gck_classes(single, one, 2, class));
    ck_assert(class[0] == 0 && class[1] == 1);
    gck_model *independent = last_layer(3, "sigmoid", "binary_crossentropy");
    ck_assert(!gck_classes(independent, y, 2, class));
    gck_model *plain = last_layer(3, "softmax", "mse");
    ck_assert(!gck_classes(plain, y, 2, class));
    gck_model_free(several);
    gck_model_free(single);
    gck_model_free(independent);
    gck_model_free(plain);
}
END_TEST

START_TEST(one_hot_and_argmax_are_inverse)
{
    double row[4] = {7, 7, 7, 7};
    for (size_t label = 0; label < 4; label++) {
        gck_one_hot(label, 4, row);
        for (size_t i = 0; i < 4; i++)
            ck_assert(row[i] == (i == label ? 1 : 0));
        ck_assert_uint_eq(gck_argmax(row, 4, 1), label);
    }
    const double strided[] = {1, 9, 3, 9, 2, 9};
    ck_assert_uint_eq(gck_argmax(strided, 3, 2), 1);
    const double equal[] = {2, 2}, one[] = {-1};
    ck_assert_uint_eq(gck_argmax(equal, 2, 1), 0);
    ck_assert_uint_eq(gck_argmax(one, 1, 1), 0);
}
END_TEST

START_TEST(only_categorical_costs_take_labels)
{
    for (size_t i = 0; i < gck_costs.count; i++) {
        const gck_choice cost = gck_choice_default(gck_costs.rows[i]);
        const char *name = cost.item->name;
        ck_assert(gck_cost_takes_labels(&cost) == (strcmp(name, "categorical_crossentropy") == 0));
        ck_assert(gck_cost_is_entropy(&cost) == (strstr(name, "crossentropy") != NULL));
    }
}
END_TEST

/* ---- predictions ---- */

enum { INPUTS = 3, HIDDEN = 4, OUTPUTS = 2, SAMPLES = 9 };

static network dropout_network(const char *cost)
{
    const gck_layer_spec layers[] = {dropout(0.5), dense(HIDDEN, "linear"), dropout(0.5),
                                     activation("tanh"), dense(OUTPUTS, "sigmoid")};
    network net = network_weighted(INPUTS, layers, COUNT(layers), cost_named(cost), SAMPLES);
    network_draw_biases(&net);
    return net;
}

/* One dense layer by hand: W (inputs, units) row by row, then b. */
static void dense_by_hand(const double *parameters, size_t inputs, size_t units,
                          const long double *x, long double *z)
{
    for (size_t j = 0; j < units; j++) {
        z[j] = parameters[inputs * units + j];
        for (size_t i = 0; i < inputs; i++)
            z[j] += x[i] * parameters[i * units + j];
    }
}

static void predict_by_hand(const network *net, size_t k, long double z[OUTPUTS],
                            long double a[OUTPUTS])
{
    const gck_choice hyperbolic = activation_named("tanh"), sigmoid = activation_named("sigmoid");
    long double x[INPUTS], hidden[HIDDEN];
    for (size_t i = 0; i < INPUTS; i++)
        x[i] = net->data->x[k * INPUTS + i];
    dense_by_hand(net->parameters, INPUTS, HIDDEN, x, hidden);
    formula_activate(&hyperbolic, HIDDEN, hidden, hidden);
    dense_by_hand(net->parameters + (INPUTS + 1) * HIDDEN, HIDDEN, OUTPUTS, hidden, z);
    formula_activate(&sigmoid, OUTPUTS, z, a);
}

/* |x|, |W| and |b| here are below 4, 1.1 and 1, so that a first pre-activation sums INPUTS + 1
 * terms below 4.4 with as many roundings each; tanh and sigmoid have slopes up to 1 and add 4 u and
 * 5 u; the second layer sums HIDDEN + 1 such terms. */
static const long double prediction_bound =
    ROUNDOFF * ((HIDDEN + 1) * (HIDDEN + 1 + 4 + 4.4L * (INPUTS + 1) * (INPUTS + 1)) * 1.1L + 10);

START_TEST(predictions_leave_dropout_out)
{
    network net = dropout_network("mse");
    gck_error error;
    double y[SAMPLES * OUTPUTS];
    for (size_t i = 0; i < SAMPLES * INPUTS; i++)
        ck_assert(fabs(net.data->x[i]) < 4);
    assert_ok(
        gck_predict(net.model, net.parameters, net.data->x, SAMPLES, (gck_stop){0}, y, &error),
        &error);
    for (size_t k = 0; k < SAMPLES; k++) {
        long double z[OUTPUTS], a[OUTPUTS];
        predict_by_hand(&net, k, z, a);
        for (size_t j = 0; j < OUTPUTS; j++)
            assert_within(y[k * OUTPUTS + j], a[j], prediction_bound, "sample %zu output %zu", k,
                          j);
    }
    network_done(&net);
}
END_TEST

static double accuracy_by_hand(const network *net)
{
    double right = 0;
    for (size_t k = 0; k < SAMPLES; k++) {
        long double z[OUTPUTS], a[OUTPUTS];
        predict_by_hand(net, k, z, a);
        for (size_t j = 0; j < OUTPUTS; j++)
            right += ((a[j] > 0.5L) == (net->data->y[k * OUTPUTS + j] > 0.5)) / (double)OUTPUTS;
    }
    return right / SAMPLES;
}

/* A loss moves with z by at most 1 an output; its own roundings are a few of its size, below 16
 * here. */
START_TEST(evaluation_is_cost_and_accuracy_without_dropout)
{
    network net = dropout_network("binary_crossentropy");
    const gck_choice sigmoid = activation_named("sigmoid");
    gck_error error;
    gck_evaluation evaluation;
    long double loss = 0;
    for (size_t k = 0; k < SAMPLES; k++) {
        long double z[OUTPUTS], a[OUTPUTS];
        predict_by_hand(&net, k, z, a);
        loss += net.data->weights[k] *
                formula_loss(&net.model->cost, &sigmoid, OUTPUTS, z, net.data->y + k * OUTPUTS);
    }
    assert_ok(gck_evaluate(net.model, net.parameters, net.data, (gck_stop){0}, &evaluation, &error),
              &error);
    assert_within(evaluation.cost, loss / SAMPLES,
                  2 * OUTPUTS * (prediction_bound + 16 * ROUNDOFF) +
                      (SAMPLES + 3) * ROUNDOFF * loss / SAMPLES,
                  "cost");
    assert_within(evaluation.accuracy, accuracy_by_hand(&net), SAMPLES * ROUNDOFF, "accuracy");
    network_done(&net);
}
END_TEST

START_TEST(other_costs_have_no_accuracy)
{
    network net = dropout_network("mse");
    gck_error error;
    gck_evaluation evaluation;
    assert_ok(gck_evaluate(net.model, net.parameters, net.data, (gck_stop){0}, &evaluation, &error),
              &error);
    ck_assert(isnan(evaluation.accuracy) && isfinite(evaluation.cost));
    network_done(&net);
}
END_TEST

static bool always(void *context)
{
    (void)context;
    return true;
}

START_TEST(long_calls_can_be_stopped)
{
    network net = dropout_network("mse");
    gck_error error;
    gck_evaluation evaluation = {-1, -1};
    double y[SAMPLES * OUTPUTS];
    const gck_stop stop = {always, NULL};
    ck_assert_int_eq(gck_predict(net.model, net.parameters, net.data->x, SAMPLES, stop, y, &error),
                     GCK_STOPPED);
    ck_assert_int_eq(gck_evaluate(net.model, net.parameters, net.data, stop, &evaluation, &error),
                     GCK_STOPPED);
    ck_assert(evaluation.cost == -1);
    network_done(&net);
}
END_TEST

/* More rows than one block of a wide network holds: each row's outputs are as if it stood alone, up
 * to the roundings of a sum of WIDE terms below 4 * 0.1 in another order. */
START_TEST(blocks_do_not_show)
{
    enum { WIDE = 2000, MANY = 1500 };
    const gck_layer_spec layers[] = {dropout(0.1), dropout(0.1), dense(1, "linear")};
    network net = network_new(WIDE, layers, 3, cost_named("mse"), MANY);
    static double y[MANY];
    double alone;
    gck_error error;
    assert_ok(gck_predict(net.model, net.parameters, net.data->x, MANY, (gck_stop){0}, y, &error),
              &error);
    for (size_t k = 0; k < MANY; k += 7) {
        assert_ok(gck_predict(net.model, net.parameters, net.data->x + k * WIDE, 1, (gck_stop){0},
                              &alone, &error),
                  &error);
        long double size = 0;
        for (size_t i = 0; i < WIDE; i++)
            size += fabs(net.data->x[k * WIDE + i] * net.parameters[i]);
        assert_within(y[k], alone, 2 * WIDE * ROUNDOFF * size, "row %zu", k);
    }
    network_done(&net);
}
END_TEST

/* ---- data and the matrix library ---- */

START_TEST(data_refuse_what_cannot_be_counted)
{
    gck_error error;
    gck_data *data = NULL;
    const size_t huge = (size_t)1 << 40;
    const size_t bad[][3] = {{0, 1, 1}, {3, huge, 1}, {3, 1, huge}, {huge, 1, 1}, {2, SIZE_MAX, 1}};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(gck_data_new(bad[i][0], bad[i][1], bad[i][2], false, &data, &error),
                         GCK_INVALID);
    ck_assert_ptr_null(data);
    assert_ok(gck_data_new(3, 2, 1, true, &data, &error), &error);
    ck_assert(data->x[5] == 0 && data->y[2] == 0 && data->weights[2] == 0);
    gck_data_free(data);
    gck_data_free(NULL);
}
END_TEST

START_TEST(the_matrix_library_is_right)
{
    gck_error error;
    assert_ok(gck_blas_start(&error), &error);
    assert_ok(gck_blas_start(&error), &error); /* harmless when repeated */
}
END_TEST

START_TEST(the_signature_names_all_that_bits_hang_on)
{
    char text[GCK_SIGNATURE_SIZE];
    ck_assert_ptr_eq(gck_signature(text), text);
    ck_assert_uint_gt(strlen(text), 10);
    ck_assert_ptr_nonnull(strstr(text, "gradcheck "));
    ck_assert_ptr_nonnull(strstr(text, "OpenBLAS"));
}
END_TEST

SUITE_MAIN("evaluate", {several_classes_compare_the_largest, 0}, {one_output_compares_at_a_half, 0},
           {several_binary_outputs_count_by_share, 0}, {classes_are_the_largest_or_above_a_half, 0},
           {one_hot_and_argmax_are_inverse, 0}, {only_categorical_costs_take_labels, 0},
           {predictions_leave_dropout_out, 0}, {evaluation_is_cost_and_accuracy_without_dropout, 0},
           {other_costs_have_no_accuracy, 0}, {long_calls_can_be_stopped, 0},
           {blocks_do_not_show, 0}, {data_refuse_what_cannot_be_counted, 0},
           {the_matrix_library_is_right, 0}, {the_signature_names_all_that_bits_hang_on, 0})
