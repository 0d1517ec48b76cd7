#include "tests/core/trainings.h"
#include "tests/core/compare.h"

#include "core/train.h"

#include <check.h>

gck_train_spec train_spec_of(const network *net)
{
    return (gck_train_spec){.model = net->model,
                            .parameters = net->parameters,
                            .data = net->data,
                            .epochs = 1,
                            .optimizer = optimizer_named("sgd"),
                            .seed = 1};
}

gck_train *train_new(const gck_train_spec *spec, size_t block_rows)
{
    gck_error error;
    gck_train *train;
    assert_ok(gck_train_new(spec, &train, &error), &error);
    if (block_rows > 0) {
        ck_assert_uint_le(block_rows, train->block_rows); /* its room was made for that many */
        train->block_rows = block_rows;
    }
    return train;
}

bool train_step(gck_train *train, size_t units)
{
    gck_error error;
    bool finished;
    assert_ok(gck_train_step(train, units, &finished, &error), &error);
    return finished;
}

void train_finish(gck_train *train)
{
    ck_assert(train_step(train, SIZE_MAX));
}

gck_train *train_run(const gck_train_spec *spec)
{
    gck_train *train = train_new(spec, 0);
    train_finish(train);
    return train;
}

static void assert_same_evaluation(gck_evaluation got, gck_evaluation want, const char *what)
{
    assert_same_bits(&got.cost, &want.cost, 1, what);
    assert_same_bits(&got.accuracy, &want.accuracy, 1, what);
}

void assert_same_training(const gck_train *got, const gck_train *want)
{
    const gck_train_result g = gck_train_result_of(got), w = gck_train_result_of(want);
    const size_t epochs = want->spec.epochs;
    ck_assert_uint_eq(g.epochs, w.epochs);
    ck_assert_uint_eq(g.diverged_at, w.diverged_at);
    ck_assert_uint_eq(g.check_count, w.check_count);
    for (size_t i = 0; i < w.check_count; i++) {
        ck_assert_uint_eq(g.check[i].epoch, w.check[i].epoch);
        ck_assert_int_eq(g.check[i].verdict, w.check[i].verdict);
        assert_same_bits(&g.check[i].distance, &w.check[i].distance, 1, "a check's distance");
        assert_same_bits(&g.check[i].refined_distance, &w.check[i].refined_distance, 1,
                         "a check's refined distance");
    }
    assert_same_bits(g.parameters, w.parameters, want->spec.model->parameter_count, "parameters");
    assert_same_bits(g.cost, w.cost, epochs, "cost");
    assert_same_bits(g.accuracy, w.accuracy, epochs, "accuracy");
    assert_same_bits(g.validation_cost, w.validation_cost, epochs, "validation cost");
    assert_same_bits(g.validation_accuracy, w.validation_accuracy, epochs, "validation accuracy");
    assert_same_evaluation(g.final, w.final, "final");
    assert_same_evaluation(g.final_validation, w.final_validation, "final validation");
}

/* ---- a small training with everything ---- */

network small_training_network(void)
{
    gck_layer_spec layers[] = {dense(3, "tanh"), dropout(0.3),
                               dense_with(2, "softmax", "l2", 0.01)};
    return network_weighted(2, layers, 3, cost_named("categorical_crossentropy"), SMALL_SAMPLES);
}

gck_train_spec small_training_spec(const network *net)
{
    gck_train_spec spec = train_spec_of(net);
    spec.epochs = SMALL_EPOCHS;
    spec.batch_size = SMALL_BATCH;
    spec.optimizer = optimizer_named("adam");
    spec.shuffle = true;
    spec.validation_split = 0.25; /* 3 rows; the last batch of 10 then has 2 */
    spec.check_every = 2;
    return spec;
}

saved training_save(const gck_train *train)
{
    saved s;
    gck_error error;
    assert_ok(gck_train_export(train, &s.bytes, &s.size, &error), &error);
    return s;
}

gck_train *training_load(const gck_train_spec *spec, const saved *s)
{
    gck_error error;
    gck_train *train = train_new(spec, SMALL_BLOCK);
    assert_ok(gck_train_import(train, s->bytes, s->size, &error), &error);
    return train;
}

saved training_saved_at(const gck_train_spec *spec, size_t units)
{
    gck_train *train = train_new(spec, SMALL_BLOCK);
    train_step(train, units);
    const saved s = training_save(train);
    gck_train_free(train);
    return s;
}
