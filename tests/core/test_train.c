/* Trainings: steps against a loop of its own, batches, shuffling, dropout, checks on the way,
 * divergence. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"
#include "tests/core/trainings.h"

#include "core/train.h"

#include <math.h>
#include <string.h>

/* ---- gradient descent on a linear problem, written out ---- */

enum { INPUTS = 3, OUTPUTS = 2, SAMPLES = 8, WEIGHTS = (INPUTS + 1) * OUTPUTS };
#define RATE 0.04

/* In long double, with a bound on what the doubles may differ by. */
typedef struct longhand {
    long double w[WEIGHTS];
    long double error;                   /* on the distance of the doubles' parameters */
    long double loss, loss_error;        /* of the batch, not yet divided by its rows */
    long double gradient[WEIGHTS], size; /* size: all terms of the gradient, in absolute values */
    long double curvature;               /* at least the largest eigenvalue of the Hessian */
} longhand;

/* Roundings on the way of a term: the sum over inputs, twice in a square; the sum over rows; 8 for
 * weight and factors. */
static const long double roundings = 2 * (INPUTS + 2) + SAMPLES + 8;

static void sample_add(longhand *l, const network *net, size_t k, long double rows)
{
    const long double f = net->data->weights[k] / rows;
    long double reach = 1; /* |x|^2 + 1, the bias's input included */
    for (size_t i = 0; i < INPUTS; i++)
        reach += (long double)net->data->x[k * INPUTS + i] * net->data->x[k * INPUTS + i];
    for (size_t j = 0; j < OUTPUTS; j++) {
        const long double y = net->data->y[k * OUTPUTS + j];
        long double r = -y, size = fabsl(y);
        for (size_t i = 0; i <= INPUTS; i++) {
            const long double x = i < INPUTS ? net->data->x[k * INPUTS + i] : 1;
            r += x * l->w[i * OUTPUTS + j];
            size += fabsl(x * l->w[i * OUTPUTS + j]);
        }
        l->loss += f * r * r;
        /* Parameters off by `error` move an output by at most sqrt(reach) times that. */
        l->loss_error +=
            f * (2 * fabsl(r) * sqrtl(reach) * l->error + roundings * ROUNDOFF * size * size);
        for (size_t i = 0; i <= INPUTS; i++) {
            const long double x = i < INPUTS ? net->data->x[k * INPUTS + i] : 1;
            l->gradient[i * OUTPUTS + j] += 2 * f * r * x;
            l->size += 2 * f * size * fabsl(x);
        }
    }
    l->curvature += 2 * f * reach;
}

/* A step is a contraction where RATE * curvature <= 2, so that errors of earlier steps do not grow,
 * and only its own roundings are added: those of the gradient, and two of each parameter. */
static void step_take(longhand *l)
{
    ck_assert(RATE * l->curvature <= 2);
    l->error += RATE * roundings * ROUNDOFF * l->size;
    for (size_t i = 0; i < WEIGHTS; i++) {
        l->w[i] -= (long double)RATE * l->gradient[i];
        l->error += 2 * ROUNDOFF * (fabsl(l->w[i]) + RATE * fabsl(l->gradient[i]));
    }
}

/* An epoch in batches; returns its mean cost. */
static long double epoch_take(longhand *l, const network *net, size_t batch, long double *ret_error)
{
    long double sum = 0, error = 0;
    for (size_t first = 0; first < SAMPLES; first += batch) {
        const size_t rows = SAMPLES - first < batch ? SAMPLES - first : batch;
        l->loss = l->loss_error = l->size = l->curvature = 0;
        memset(l->gradient, 0, sizeof l->gradient);
        for (size_t k = first; k < first + rows; k++)
            sample_add(l, net, k, (long double)rows);
        sum += l->loss * (long double)rows;
        error += (l->loss_error + 8 * ROUNDOFF * l->loss) * (long double)rows;
        step_take(l);
    }
    *ret_error = error / SAMPLES;
    return sum / SAMPLES;
}

static network linear_network(void)
{
    const gck_layer_spec layers[] = {dense(OUTPUTS, "linear")};
    return network_weighted(INPUTS, layers, 1, cost_named("mse"), SAMPLES);
}

/* Batches of _i % 4 + 1 rows, or 3 (the last has 2), or all, cut into blocks of _i / 4 rows (0: in
 * one). */
START_TEST(sgd_is_the_loop_written_out)
{
    enum { EPOCHS = 5 };
    const size_t sizes[] = {1, 3, 5, 0}, batch = sizes[_i % 4];
    network net = linear_network();
    gck_train_spec spec = train_spec_of(&net);
    spec.epochs = EPOCHS;
    spec.batch_size = batch;
    spec.optimizer = with_option(spec.optimizer, "learning_rate", RATE);
    gck_train *train = train_new(&spec, (size_t)_i / 4);
    train_finish(train);
    const gck_train_result result = gck_train_result_of(train);
    longhand l = {0};
    for (size_t i = 0; i < WEIGHTS; i++)
        l.w[i] = net.parameters[i];
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        long double error;
        const long double cost = epoch_take(&l, &net, batch == 0 ? SAMPLES : batch, &error);
        assert_within(result.cost[epoch], cost, error, "cost of epoch %zu", epoch);
    }
    for (size_t i = 0; i < WEIGHTS; i++)
        assert_within(result.parameters[i], l.w[i], l.error, "parameter %zu", i);
    ck_assert_uint_eq(result.epochs, EPOCHS);
    ck_assert_uint_eq(result.diverged_at, 0);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* ---- which rows are seen: weight k counts how often row k was ---- */

enum { ROWS = 100 };

/* x is the identity and J = sum_k w_k, so a step at rate 1 takes 1 from the weight of every row of
 * its batch. */
static network counting_network(void)
{
    gck_layer_spec layers[] = {dense_with(1, "linear", "use_bias", 0)};
    layers[0].initializer = initializer_named("zeros");
    network net =
        network_new(ROWS, layers, 1, with_option(cost_named("dot"), "reduction", 2), ROWS);
    memset(net.data->x, 0, ROWS * ROWS * sizeof(double));
    for (size_t k = 0; k < ROWS; k++)
        net.data->x[k * ROWS + k] = net.data->y[k] = 1;
    return net;
}

static gck_train_spec counting_spec(const network *net)
{
    gck_train_spec spec = train_spec_of(net);
    spec.optimizer = with_option(spec.optimizer, "learning_rate", 1);
    spec.batch_size = 7;
    spec.epochs = 3;
    spec.shuffle = true;
    return spec;
}

START_TEST(an_epoch_sees_every_training_row_once)
{
    const double splits[] = {0, 0.25, 0.5, 0.125};
    const size_t held[] = {0, 25, 50, 12};
    network net = counting_network();
    for (size_t i = 0; i < COUNT(splits); i++) {
        gck_train_spec spec = counting_spec(&net);
        spec.validation_split = splits[i];
        gck_train *train = train_run(&spec);
        const gck_train_result result = gck_train_result_of(train);
        size_t unseen = 0, unseen_at_the_end = 0;
        for (size_t k = 0; k < ROWS; k++) {
            ck_assert(result.parameters[k] == 0 || result.parameters[k] == -3);
            unseen += result.parameters[k] == 0;
            unseen_at_the_end += result.parameters[k] == 0 && k >= ROWS - held[i];
        }
        ck_assert_uint_eq(unseen, held[i]);
        ck_assert(result.has_validation == (held[i] > 0));
        /* Drawn, not cut off: all of the last rows by chance would be one draw in C(100, 12) or
         * more. */
        ck_assert(held[i] == 0 || unseen_at_the_end < held[i]);
        gck_train_free(train);
    }
    network_done(&net);
}
END_TEST

/* A share is meant as the decimal that a user writes: 0.29 of 100 rows are 29, though 0.29 * 100
 * is 28.999… in doubles. */
START_TEST(the_share_held_out_is_rounded_down)
{
    network net = counting_network();
    gck_train_spec spec = counting_spec(&net);
    for (size_t percent = 0; percent < 100; percent++) {
        spec.validation_split = (double)percent / 100;
        gck_train *train = train_new(&spec, 0);
        ck_assert_msg(train->validation_rows == percent, "%g of 100 rows: %zu",
                      spec.validation_split, train->validation_rows);
        ck_assert_uint_eq(train->train_rows, ROWS - percent);
        gck_train_free(train);
    }
    const double others[] = {1.0 / 3, 0.999, 0.005, 0.0199};
    const size_t rows[] = {33, 99, 0, 1};
    for (size_t i = 0; i < COUNT(others); i++) {
        spec.validation_split = others[i];
        gck_train *train = train_new(&spec, 0);
        ck_assert_uint_eq(train->validation_rows, rows[i]);
        gck_train_free(train);
    }
    network_done(&net);
}
END_TEST

/* One batch of two blocks: the penalties pull its weights once. Two rows at rate 1/4, all exact. */
START_TEST(penalties_pull_once_a_batch)
{
    gck_layer_spec layers[] = {dense_with(2, "linear", "l2", 0.5)};
    layers[0].type = with_option(layers[0].type, "l1", 0.25);
    network net = network_new(1, layers, 1, with_option(cost_named("dot"), "scale", 0), 2);
    const double parameters[] = {3, -2, 8, 0}; /* W, then b, which pays nothing */
    memcpy(net.parameters, parameters, sizeof parameters);
    gck_train_spec spec = train_spec_of(&net);
    spec.optimizer = with_option(spec.optimizer, "learning_rate", 0.25);
    gck_train *train = train_new(&spec, 1);
    train_finish(train);
    const double want[] = {3 - 0.25 * (3 + 0.25), -2 - 0.25 * (-2 - 0.25), 8, 0};
    assert_same_bits(gck_train_result_of(train).parameters, want, 4, "parameters");
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* ---- what a seed decides ---- */

static network mixed_network(void)
{
    gck_layer_spec layers[] = {dense(5, "tanh"), dropout(0.3),
                               dense_with(2, "softmax", "l2", 0.01)};
    return network_weighted(3, layers, 3, cost_named("categorical_crossentropy"), 20);
}

static gck_train_spec mixed_spec(const network *net)
{
    gck_train_spec spec = train_spec_of(net);
    spec.epochs = 4;
    spec.batch_size = 6;
    spec.optimizer = optimizer_named("adam");
    spec.shuffle = true;
    spec.validation_split = 0.25;
    return spec;
}

START_TEST(the_same_seed_gives_the_same_bits)
{
    network net = mixed_network();
    gck_train_spec spec = mixed_spec(&net);
    gck_train *first = train_run(&spec), *steps = train_new(&spec, 0);
    while (!train_step(steps, 1))
        ;
    assert_same_training(steps, first);
    spec.seed = 2;
    gck_train *other = train_run(&spec);
    ck_assert(gck_train_result_of(other).parameters[0] != gck_train_result_of(first).parameters[0]);
    gck_train_free(first);
    gck_train_free(steps);
    gck_train_free(other);
    network_done(&net);
}
END_TEST

START_TEST(without_chance_the_seed_does_not_matter)
{
    network net = linear_network();
    gck_train_spec spec = train_spec_of(&net);
    spec.batch_size = 3;
    gck_train *first = train_run(&spec);
    spec.seed = 99;
    gck_train *second = train_run(&spec);
    assert_same_training(second, first);
    gck_train_free(first);
    gck_train_free(second);
    network_done(&net);
}
END_TEST

START_TEST(shuffling_changes_the_order)
{
    network net = linear_network();
    gck_train_spec spec = train_spec_of(&net);
    spec.batch_size = 1;
    gck_train *plain = train_run(&spec);
    spec.shuffle = true;
    gck_train *shuffled = train_run(&spec);
    ck_assert(gck_train_result_of(plain).parameters[0] !=
              gck_train_result_of(shuffled).parameters[0]);
    gck_train_free(plain);
    gck_train_free(shuffled);
    network_done(&net);
}
END_TEST

/* Each step has a mask of its own, drawn for (seed of the training, step, row), whatever the
 * blocks. */
START_TEST(dropout_draws_a_mask_for_every_step)
{
    enum { STEPS = 10, UNITS = 3 };
    gck_layer_spec layers[] = {dropout(0.5), dense_with(1, "linear", "use_bias", 0)};
    network net = network_new(UNITS, layers, 2, with_option(cost_named("dot"), "reduction", 2), 4);
    double want[UNITS];
    gck_train_spec spec = train_spec_of(&net);
    spec.epochs = STEPS;
    spec.optimizer = with_option(spec.optimizer, "learning_rate", 1);
    for (size_t i = 0; i < UNITS; i++)
        want[i] = net.parameters[i] = 0;
    for (size_t i = 0; i < 4 * UNITS; i++)
        net.data->x[i] = 1;
    for (size_t k = 0; k < 4; k++)
        net.data->y[k] = 1;
    gck_train *train = train_new(&spec, 3);
    train_finish(train);
    for (uint32_t step = 1; step <= STEPS; step++)
        for (size_t k = 0; k < 4; k++) {
            double mask[UNITS];
            gck_layer_mask(&net.model->layer[0], (gck_mask_key){spec.seed, step}, k, mask, 1);
            for (size_t i = 0; i < UNITS; i++)
                want[i] -= mask[i]; /* 0 or 2: exact */
        }
    assert_same_bits(gck_train_result_of(train).parameters, want, UNITS, "weights");
    gck_train_free(train);
    network_done(&net);
}
END_TEST

SUITE_MAIN("train", {sgd_is_the_loop_written_out, 4 * 4},
           {an_epoch_sees_every_training_row_once, 0}, {the_share_held_out_is_rounded_down, 0},
           {penalties_pull_once_a_batch, 0}, {the_same_seed_gives_the_same_bits, 0},
           {without_chance_the_seed_does_not_matter, 0}, {shuffling_changes_the_order, 0},
           {dropout_draws_a_mask_for_every_step, 0})
