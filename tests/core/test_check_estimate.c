/* What a check says that it will cost, before it begins. */
#include "core/finding.h"
#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <malloc.h>
#include <math.h>

static network three_layers(void)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dropout(0.25), dense(4, "sigmoid"),
                                     dense(2, "softmax")};
    return network_new(2, layers, 4, cost_named("categorical_crossentropy"), 6);
}

static gck_check_cost cost_of(const gck_check_spec *spec)
{
    gck_check_cost cost;
    gck_check_estimate(spec, spec->data->samples, &cost);
    return cost;
}

START_TEST(estimates_count_what_is_checked)
{
    network net = three_layers();
    const bool chosen[] = {true, true, false, true};
    gck_check_spec spec = check_spec_of(&net);
    const gck_check_cost whole = cost_of(&spec);
    spec.inputs = true;
    const gck_check_cost with_inputs = cost_of(&spec);
    spec.inputs = false;
    spec.layer_checked = chosen;
    const gck_check_cost part = cost_of(&spec);
    ck_assert_uint_eq(whole.parameters, 9 + 16 + 10);
    ck_assert_uint_eq(part.parameters, 9 + 10);
    ck_assert(whole.evaluations == 2 * 35);
    ck_assert(with_inputs.evaluations == 2 * (35 + 12));
    ck_assert(part.operations < whole.operations && whole.operations < with_inputs.operations);
    ck_assert(whole.memory_bytes > 0 && whole.grain_bytes > 0);
    network_done(&net);
}
END_TEST

/* Two passes an element, one and that at the point itself, one; of ridders four levels; of
 * directions one for each of a tensor. */
START_TEST(estimates_count_a_methods_passes)
{
    network net = three_layers();
    const double want[] = {2 * 35, 35 + 1, 35, 8 * 35, 6 * 8};
    const double with_inputs[] = {2 * 47, 47 + 1, 47, 8 * 47, 6 * 8 + 12};
    for (int method = GCK_CENTRAL; method <= GCK_DIRECTIONAL; method++) {
        gck_check_spec spec = check_spec_of(&net);
        spec.method = (gck_method)method;
        ck_assert(cost_of(&spec).evaluations == want[method]);
        spec.inputs = true;
        ck_assert(cost_of(&spec).evaluations == with_inputs[method]);
        gck_check *check;
        gck_report *report;
        ck_assert(check_run(&spec, &check, &report) == GCK_OK);
        ck_assert(report->evaluations == with_inputs[method]);
        ck_assert_uint_eq(report->parameters_checked, 35);
        gck_report_free(report);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* Element by element costs more than unit by unit, and a cut has no more grains than were said. */
START_TEST(estimates_know_the_engine)
{
    network net = three_layers();
    gck_check_spec spec = check_spec_of(&net);
    const gck_check_cost units = cost_of(&spec);
    spec.engine = GCK_ENGINE_DIRECT;
    const gck_check_cost direct = cost_of(&spec);
    ck_assert(direct.operations > units.operations);
    for (int method = GCK_CENTRAL; method <= GCK_DIRECTIONAL; method++) {
        gck_error error;
        gck_check *check;
        spec.method = (gck_method)method;
        assert_ok(gck_check_new(&spec, &check, &error), &error);
        ck_assert((double)gck_check_cut_of(check)->grain_count <= cost_of(&spec).grains);
        gck_check_free(check);
    }
    network_done(&net);
}
END_TEST

/* 2^27 parameters and 2^32 samples: far beyond any machine, yet plain numbers that grow with the
 * job. _i: the method. */
START_TEST(estimates_never_overflow)
{
    const gck_layer_spec layers[] = {dense_with(8, "tanh", "use_bias", 0)};
    const gck_choice cost = cost_named("mse");
    gck_model *model = model_new(GCK_SAMPLE_MAX, layers, 1, &cost, 0);
    const gck_check_spec spec = {.model = model,
                                 .method = (gck_method)_i,
                                 .epsilon = 1e-4,
                                 .directions = GCK_DIRECTIONS_MAX,
                                 .inputs = true};
    double before = 0;
    for (size_t samples = 1; samples <= (size_t)1 << 32; samples *= 16) {
        gck_check_cost estimate;
        gck_check_estimate(&spec, samples, &estimate);
        ck_assert(!isnan(estimate.operations) && estimate.operations > before);
        ck_assert(!isnan(estimate.memory_bytes) && estimate.memory_bytes > 0x1p30);
        ck_assert(_i == GCK_DIRECTIONAL || estimate.evaluations >= 0x1p27);
        before = estimate.operations;
    }
    gck_model_free(model);
}
END_TEST

/* What the search for findings takes beside the check: asked of the allocator, where it tells. */
START_TEST(estimates_count_what_findings_take)
{
    const gck_layer_spec layers[] = {dense(300, "relu"), dense(40, "tanh"), dense(10, "softmax")};
    network net = network_new(200, layers, 3, cost_named("categorical_crossentropy"), 500);
    gck_check_spec spec = check_spec_of(&net);
    spec.method = GCK_DIRECTIONAL;
    spec.inputs = true;
    claims c;
    finding_search search;
    gck_error error;
    const gck_check_cost without = cost_of(&spec);
    ck_assert(claims_open(&c, &net, &spec, GCK_FLOAT64));
    const gck_check_cost with = cost_of(&c.spec);
    const struct mallinfo2 before = mallinfo2();
    assert_ok(finding_open(&c.spec, c.report, (gck_stop){0}, &search, &error), &error);
    const struct mallinfo2 after = mallinfo2();
    const double taken =
        (double)(after.uordblks + after.hblkhd) - (double)(before.uordblks + before.hblkhd);
    const double said =
        with.memory_bytes - without.memory_bytes - (with.grain_bytes - without.grain_bytes);
    /* Beside it stand only a few pages of headers. */
    ck_assert_double_ge(said, taken - 65536);
    if (taken > 0) ck_assert_double_le(said, 1.5 * taken);
    finding_close(&search);
    claims_close(&c);
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_estimate", {estimates_count_what_is_checked, 0},
           {estimates_count_a_methods_passes, 0}, {estimates_know_the_engine, 0},
           {estimates_never_overflow, GCK_DIRECTIONAL + 1}, {estimates_count_what_findings_take, 0})
