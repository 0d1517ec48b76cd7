/* Trainings as bytes: saved and loaded anywhere, they end in the same bits. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"
#include "tests/core/trainings.h"

#include "core/train.h"

#include <stdlib.h>

START_TEST(after_every_unit_it_can_be_saved_and_loaded)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    gck_train *straight = train_new(&spec, SMALL_BLOCK), *train = train_new(&spec, SMALL_BLOCK);
    train_finish(straight);
    bool seen[TRAIN_FINISHED + 1] = {false};
    for (bool finished = false; !finished; finished = train_step(train, 1)) {
        saved s = training_save(train);
        seen[train->place.phase] = true;
        gck_train *other = training_load(&spec, &s);
        train_finish(other);
        assert_same_training(other, straight);
        gck_train_free(other);
        free(s.bytes);
    }
    assert_same_training(train, straight);
    for (size_t phase = 0; phase < TRAIN_FINISHED; phase++)
        ck_assert_msg(seen[phase], "phase %zu was never saved", phase);
    gck_train_free(straight);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

START_TEST(loaded_bytes_are_saved_alike)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    gck_train *train = train_new(&spec, SMALL_BLOCK);
    for (bool finished = false;; finished = train_step(train, 1)) {
        saved first = training_save(train);
        gck_train *other = training_load(&spec, &first);
        saved second = training_save(other);
        ck_assert_uint_eq(second.size, first.size);
        ck_assert_mem_eq(second.bytes, first.bytes, first.size);
        gck_train_free(other);
        free(first.bytes);
        free(second.bytes);
        if (finished) break;
    }
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* Saving reads only: a training that is saved between all units ends as one that never was. */
START_TEST(saving_changes_nothing)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    gck_train *straight = train_new(&spec, SMALL_BLOCK), *train = train_new(&spec, SMALL_BLOCK);
    train_finish(straight);
    while (!train_step(train, 1))
        free(training_save(train).bytes);
    assert_same_training(train, straight);
    gck_train_free(straight);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

START_TEST(a_diverged_training_stays_so)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    network net = network_new(2, layers, 1, cost_named("mse"), SMALL_SAMPLES);
    gck_train_spec spec = train_spec_of(&net);
    spec.epochs = 100;
    spec.optimizer = with_option(spec.optimizer, "learning_rate", 1e6);
    gck_train *train = train_new(&spec, SMALL_BLOCK);
    train_finish(train);
    saved s = training_save(train);
    gck_train *other = training_load(&spec, &s);
    ck_assert(train_step(other, 1));
    assert_same_training(other, train);
    ck_assert_uint_gt(gck_train_result_of(other).diverged_at, 0);
    free(s.bytes);
    gck_train_free(train);
    gck_train_free(other);
    network_done(&net);
}
END_TEST

SUITE_MAIN("train_state", {after_every_unit_it_can_be_saved_and_loaded, 0},
           {loaded_bytes_are_saved_alike, 0}, {saving_changes_nothing, 0},
           {a_diverged_training_stays_so, 0})
