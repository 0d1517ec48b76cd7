/* Masks of dropout: which random numbers they are made of, how often they keep a unit, and where
 * they apply. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/rng.h>

#include <math.h>
#include <string.h>

enum { UNITS = 101 }; /* odd: two units share a block of random bits */

static gck_model *masked_model(double rate)
{
    const gck_layer_spec layers[] = {dropout(rate), activation("tanh"), dropout(rate)};
    const gck_choice cost = cost_named("mse");
    return model_new(UNITS, layers, 3, &cost, 0);
}

/* What a seed means must not change: counter (half of the unit, sample, step, purpose with the
 * layer), key the seed, and each unit takes 64 bits in its turn. */
START_TEST(masks_are_made_of_the_published_generator)
{
    gck_model *model = masked_model(0.3);
    const uint64_t seed = 0x123456789abcdef0;
    double mask[UNITS];
    gck_layer_mask(&model->layer[2], (gck_mask_key){seed, 7}, 12345, mask, 1);
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        const uint32_t counter[4] = {unit / 2, 12345, 7, GCK_RNG_DROPOUT | 2u << 8};
        const uint32_t key[2] = {0x9abcdef0, 0x12345678};
        uint32_t block[4];
        gck_philox(counter, key, block);
        const uint64_t bits = (uint64_t)block[unit % 2 * 2 + 1] << 32 | block[unit % 2 * 2];
        ck_assert(mask[unit] == (gck_rng_unit(bits) < 0.3 ? 0 : 1 / (1 - 0.3)));
    }
    gck_model_free(model);
}
END_TEST

START_TEST(masks_differ_by_seed_step_sample_and_layer)
{
    gck_model *model = masked_model(0.5);
    const gck_layer *first = &model->layer[0], *second = &model->layer[2];
    double mask[UNITS], other[5][UNITS];
    gck_layer_mask(first, (gck_mask_key){1, 1}, 1, mask, 1);
    gck_layer_mask(first, (gck_mask_key){UINT64_C(1) << 32, 1}, 1, other[0], 1);
    gck_layer_mask(first, (gck_mask_key){2, 1}, 1, other[1], 1);
    gck_layer_mask(first, (gck_mask_key){1, 2}, 1, other[2], 1);
    gck_layer_mask(first, (gck_mask_key){1, 1}, 2, other[3], 1);
    gck_layer_mask(second, (gck_mask_key){1, 1}, 1, other[4], 1);
    for (size_t i = 0; i < COUNT(other); i++) {
        size_t different = 0;
        for (size_t unit = 0; unit < UNITS; unit++)
            different += mask[unit] != other[i][unit];
        /* Of 101 fair coins 50.5 differ, give or take six deviations of sqrt(101)/2. */
        ck_assert_msg(different > 20 && different < 81, "mask %zu: %zu differ", i, different);
    }
    gck_model_free(model);
}
END_TEST

/* Kept with probability 1 - rate, a binomial count; the mean of x * mask then is x. */
START_TEST(units_are_kept_as_often_as_asked)
{
    enum { SAMPLES = 2000, DRAWS = SAMPLES * UNITS };
    const double rates[] = {0, 0.1, 0.5, 0.9};
    for (size_t r = 0; r < COUNT(rates); r++) {
        const double kept = 1 - rates[r];
        gck_model *model = masked_model(rates[r]);
        size_t count = 0;
        for (uint64_t sample = 0; sample < SAMPLES; sample++) {
            double mask[UNITS];
            gck_layer_mask(&model->layer[0], (gck_mask_key){3, 0}, sample, mask, 1);
            for (size_t unit = 0; unit < UNITS; unit++) {
                ck_assert(mask[unit] == 0 || mask[unit] == 1 / kept);
                count += mask[unit] != 0;
            }
        }
        assert_within((double)count / DRAWS, kept, 6 * sqrt(kept * rates[r] / DRAWS), "rate %g",
                      rates[r]);
        gck_model_free(model);
    }
}
END_TEST

/* The same mask with gaps, which are left alone. */
START_TEST(masks_keep_their_stride)
{
    gck_model *model = masked_model(0.5);
    static double mask[UNITS], strided[3 * UNITS];
    for (size_t i = 0; i < COUNT(strided); i++)
        strided[i] = -1;
    gck_layer_mask(&model->layer[0], (gck_mask_key){3, 0}, 4, mask, 1);
    gck_layer_mask(&model->layer[0], (gck_mask_key){3, 0}, 4, strided, 3);
    for (size_t i = 0; i < COUNT(strided); i++)
        ck_assert(strided[i] == (i % 3 == 0 ? mask[i / 3] : -1));
    gck_model_free(model);
}
END_TEST

/* Under dot with y = 1 and one linear unit dJ/dx is the weight times the mask: 0 for a unit
 * dropped, and doubled for one kept. */
START_TEST(the_gradient_passes_where_the_mask_does)
{
    const gck_layer_spec layers[] = {dropout(0.5), dense(1, "linear")};
    network net = network_new(6, layers, 2, with_option(cost_named("dot"), "reduction", 2), 3);
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    for (size_t k = 0; k < 3; k++)
        net.data->y[k] = 1;
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    for (size_t k = 0; k < 3; k++) {
        double mask[6];
        gck_layer_mask(&net.model->layer[0], (gck_mask_key){net.model->seed, 0}, k, mask, 1);
        for (size_t i = 0; i < 6; i++)
            ck_assert(report->inputs.analytic[k * 6 + i] == mask[i] * net.parameters[i]);
    }
    ck_assert_int_eq(report->inputs.verdict, GCK_PASS);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("dropout", {masks_are_made_of_the_published_generator, 0},
           {masks_differ_by_seed_step_sample_and_layer, 0}, {units_are_kept_as_often_as_asked, 0},
           {masks_keep_their_stride, 0}, {the_gradient_passes_where_the_mask_does, 0})
