/* Bytes that are no saved training of this spec: refused, or at least harmless. */
#include "tests/core/compare.h"
#include "tests/core/suite.h"
#include "tests/core/trainings.h"

#include "core/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static gck_status import_try(const gck_train_spec *spec, const unsigned char *bytes, size_t size)
{
    gck_error error = {.code = GCK_OK};
    gck_train *train = train_new(spec, SMALL_BLOCK);
    const gck_status status = gck_train_import(train, bytes, size, &error);
    ck_assert_int_eq(error.code, status);
    gck_train_free(train);
    return status;
}

START_TEST(another_spec_is_refused)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    gck_train *train = train_new(&spec, SMALL_BLOCK);
    train_step(train, 9);
    saved s = training_save(train);
    gck_train_spec others[7];
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = spec;
    others[0].epochs = SMALL_EPOCHS + 1;
    others[1].batch_size = SMALL_BATCH - 1;
    others[2].seed = 2;
    others[3].validation_split = 0.5;
    others[4].check_every = 1;
    others[5].optimizer = optimizer_named("sgd");
    others[6].optimizer = optimizer_named("momentum");
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(import_try(&others[i], s.bytes, s.size) == GCK_CORRUPT, "spec %zu", i);
    ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_OK);
    free(s.bytes);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

/* Units after which the places differ: start, within a batch, in the last batch, validation, within
 * a check, late, end. */
static const size_t places[] = {0, 1, 4, 5, 13, 20, 100};

/* The bytes are copied to a block of just that size, so that a sanitizer sees a read beyond them.
 */
START_TEST(every_truncation_is_refused)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    saved s = training_saved_at(&spec, places[_i]);
    for (size_t size = 0; size < s.size; size++) {
        unsigned char *cut = malloc(size > 0 ? size : 1);
        memcpy(cut, s.bytes, size);
        ck_assert_msg(import_try(&spec, cut, size) == GCK_CORRUPT, "%zu of %zu bytes", size,
                      s.size);
        free(cut);
    }
    unsigned char *longer = calloc(1, s.size + 8);
    memcpy(longer, s.bytes, s.size);
    ck_assert_int_eq(import_try(&spec, longer, s.size + 1), GCK_CORRUPT);
    ck_assert_int_eq(import_try(&spec, longer, s.size + 8), GCK_CORRUPT);
    free(longer);
    free(s.bytes);
    network_done(&net);
}
END_TEST

/* What a caller does with a training: it runs it to the end, asks for the result and reads all of
 * it. */
static void use(gck_train *train)
{
    gck_error error;
    bool finished = false;
    for (size_t units = 0; units < 200 && !finished; units++)
        if (gck_train_step(train, 1, &finished, &error) != GCK_OK) break;
    const gck_train_result result = gck_train_result_of(train);
    double sum = result.final.cost + result.final_validation.cost;
    ck_assert_uint_le(result.epochs, SMALL_EPOCHS);
    for (size_t epoch = 0; epoch < result.epochs; epoch++)
        sum += result.cost[epoch] + result.validation_cost[epoch];
    ck_assert_uint_le(result.check_count, SMALL_EPOCHS / 2);
    for (size_t i = 0; i < result.check_count; i++) {
        ck_assert_ptr_nonnull(gck_verdict_name(result.check[i].verdict));
        sum += result.check[i].distance + result.check[i].refined_distance;
    }
    (void)sum; /* whatever it is */
}

static void try_damaged(const gck_train_spec *spec, const saved *s)
{
    gck_error error;
    gck_train *train = train_new(spec, SMALL_BLOCK);
    if (gck_train_import(train, s->bytes, s->size, &error) == GCK_OK) use(train);
    gck_train_free(train);
}

enum { HEAD_WORDS = 9, PLACE_WORDS = 13, WORD = 8 };

/* Each bit of the head and of the place, and one bit of every byte that follows. */
START_TEST(flipped_bits_do_no_harm)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    saved s = training_saved_at(&spec, places[_i]);
    for (size_t i = 0; i < s.size; i++)
        for (size_t bit = 0; bit < 8; bit++) {
            if (i >= (HEAD_WORDS + PLACE_WORDS) * WORD && bit != i % 8) continue;
            s.bytes[i] ^= (unsigned char)(1u << bit);
            if (i < HEAD_WORDS * WORD)
                ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_CORRUPT);
            else
                try_damaged(&spec, &s);
            s.bytes[i] ^= (unsigned char)(1u << bit);
        }
    free(s.bytes);
    network_done(&net);
}
END_TEST

/* ---- places that no training is ever at ---- */

enum { PHASE, EPOCH, BATCH_FIRST, BLOCK_FIRST, STEPS, DIVERGED_AT, CHECKS };

typedef struct bad_place {
    size_t units; /* where it is saved */
    int field;
    uint64_t value;
    const char *what;
} bad_place;

/* An epoch is 5 units of batches (3 + 1, 3 + 1 and 2 rows), one of validation and, every second
 * time, 3 of a check. */
static const bad_place bad_places[] = {
    {0, PHASE, TRAIN_FINISHED + 1, "a phase there is not"},
    {0, EPOCH, SMALL_EPOCHS, "a batch after the last epoch"},
    {0, EPOCH, UINT64_MAX, "an epoch beyond all"},
    {0, BATCH_FIRST, 10, "a batch after the last row"},
    {0, BATCH_FIRST, UINT64_MAX - 3, "a batch beyond all"},
    {0, BLOCK_FIRST, SMALL_BATCH, "a block after the batch"},
    {4, BLOCK_FIRST, 3, "a block after the last, smaller batch"},
    {5, BLOCK_FIRST, 3, "a block after the rows held out"},
    {12, BLOCK_FIRST, 12, "a block left over by a check"},
    {12, EPOCH, 0, "a check that is not due"},
    {28, CHECKS, 3, "more checks than there are"},
    {15, EPOCH, 0, "a check done before its epoch"},
    {0, DIVERGED_AT, SMALL_EPOCHS + 1, "divergence after the last epoch"},
};

static void word_set(unsigned char *bytes, size_t word, uint64_t value)
{
    for (size_t i = 0; i < WORD; i++)
        bytes[word * WORD + i] = (unsigned char)(value >> (8 * i));
}

START_TEST(impossible_places_are_refused)
{
    const bad_place *bad = &bad_places[_i];
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    saved s = training_saved_at(&spec, bad->units);
    ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_OK);
    word_set(s.bytes, HEAD_WORDS + (size_t)bad->field, bad->value);
    ck_assert_msg(import_try(&spec, s.bytes, s.size) == GCK_CORRUPT, "%s is let in", bad->what);
    free(s.bytes);
    network_done(&net);
}
END_TEST

START_TEST(an_order_that_is_no_permutation_is_refused)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    saved s = training_saved_at(&spec, 1);
    const uint64_t bad[] = {SMALL_SAMPLES, UINT64_MAX};
    for (size_t i = 0; i < COUNT(bad); i++) {
        word_set(s.bytes, HEAD_WORDS + PLACE_WORDS, bad[i]);
        ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_CORRUPT);
    }
    memcpy(s.bytes + (HEAD_WORDS + PLACE_WORDS) * WORD,
           s.bytes + (HEAD_WORDS + PLACE_WORDS + 1) * WORD, WORD);
    ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_CORRUPT);
    free(s.bytes);
    network_done(&net);
}
END_TEST

/* After the order, a check done is its epoch, its verdict and its distances. */
START_TEST(a_verdict_there_is_not_is_refused)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    saved s = training_saved_at(&spec, 15);
    word_set(s.bytes, HEAD_WORDS + PLACE_WORDS + SMALL_SAMPLES + 1, GCK_FAIL + 1);
    ck_assert_int_eq(import_try(&spec, s.bytes, s.size), GCK_CORRUPT);
    free(s.bytes);
    network_done(&net);
}
END_TEST

/* The state of the check at work comes last, grains folded first of all. A check whose grains are
 * all folded has none left to compute: a training has gone on by then. */
START_TEST(a_check_without_work_left_is_refused)
{
    network net = small_training_network();
    const gck_train_spec spec = small_training_spec(&net);
    gck_train *train = train_new(&spec, SMALL_BLOCK);
    train_step(train, 13);
    saved s = training_save(train);
    const size_t state_words = gck_check_state_count(train->work.check);
    ck_assert_uint_eq(gck_check_cut_of(train->work.check)->grain_count, 3);
    const double folded[] = {3, 4, -1, NAN};
    for (size_t i = 0; i < COUNT(folded); i++) {
        uint64_t word;
        memcpy(&word, &folded[i], sizeof word);
        word_set(s.bytes, s.size / WORD - state_words, word);
        ck_assert_msg(import_try(&spec, s.bytes, s.size) == GCK_CORRUPT, "%g grains are let in",
                      folded[i]);
    }
    free(s.bytes);
    gck_train_free(train);
    network_done(&net);
}
END_TEST

SUITE_MAIN("train_damage", {another_spec_is_refused, 0},
           {every_truncation_is_refused, COUNT(places)}, {flipped_bits_do_no_harm, COUNT(places)},
           {impossible_places_are_refused, COUNT(bad_places)},
           {an_order_that_is_no_permutation_is_refused, 0}, {a_verdict_there_is_not_is_refused, 0},
           {a_check_without_work_left_is_refused, 0})
