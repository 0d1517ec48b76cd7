/* Which known mistakes a check would catch: compared with claims that have them. */
#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/mistaken.h"
#include "tests/core/random_networks.h"
#include "tests/core/smooth.h"
#include "tests/core/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rows {
    size_t count;
    gck_sensitivity_row *row;
} rows;

static rows rows_of(const claims *c)
{
    gck_error error;
    rows r;
    assert_ok(gck_sensitivity(&c->spec, c->report, (gck_stop){0}, &r.count, &r.row, &error),
              &error);
    return r;
}

static bool is_caught_all(const rows *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->row[i].caught) return false;
    return true;
}

static size_t caught_count(const rows *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += r->row[i].caught;
    return count;
}

/* NULL: it is not among them. */
static const gck_sensitivity_row *row_of(const rows *r, gck_finding_code code, const char *name,
                                         size_t layer, const char *tensor)
{
    for (size_t i = 0; i < r->count; i++) {
        const gck_mistake *mistake = &r->row[i].mistake;
        if (mistake->code == code && strcmp(mistake->name, name) == 0 && mistake->layer == layer &&
            strcmp(mistake->tensor == NULL ? "" : mistake->tensor, tensor) == 0)
            return &r->row[i];
    }
    return NULL;
}

/* ---- checks with and without power ---- */

static void right_claim(claims *c, const network *net, const gck_check_spec *spec)
{
    ck_assert(claims_open(c, net, spec, GCK_FLOAT64));
    mistaken_gradient(net, NULL, 0, c->gradient, c->x);
    claims_judge(c);
}

/* _i: the method. */
START_TEST(a_smooth_network_catches_everything)
{
    network net = smooth_network();
    gck_check_spec spec = smooth_spec(&net);
    spec.method = (gck_method)_i;
    claims c;
    right_claim(&c, &net, &spec);
    const rows r = rows_of(&c);
    ck_assert_uint_gt(r.count, 100);
    ck_assert(is_caught_all(&r));
    free(r.row);
    claims_close(&c);
    network_done(&net);
}
END_TEST

/* No mistake of the first layer shows where all its units are dead. */
START_TEST(dead_units_hide_mistakes)
{
    const gck_layer_spec layers[] = {dense(4, "relu"), dense(2, "sigmoid")};
    network net = network_new(3, layers, 2, cost_named("mse"), 8);
    for (size_t unit = 0; unit < 4; unit++)
        net.parameters[net.model->layer[0].tensor[1].offset + unit] = -100;
    const gck_check_spec spec = check_spec_of(&net);
    claims c;
    right_claim(&c, &net, &spec);
    const rows r = rows_of(&c);
    ck_assert(!row_of(&r, GCK_FINDING_SCALED, "doubled", 0, "")->caught);
    ck_assert(!row_of(&r, GCK_FINDING_SIGN_FLIPPED, "negated", 0, "W")->caught);
    ck_assert(row_of(&r, GCK_FINDING_SCALED, "doubled", 1, "b")->caught);
    ck_assert(row_of(&r, GCK_FINDING_ACTIVATION_DERIVATIVE, "missing", 1, "")->caught);
    free(r.row);
    claims_close(&c);
    network_done(&net);
}
END_TEST

START_TEST(a_loose_tolerance_lets_mistakes_through)
{
    network net = smooth_network();
    gck_check_spec spec = smooth_spec(&net);
    size_t caught = SIZE_MAX;
    static const double tolerances[] = {1e-8, 0.02, 0.2, 1};
    for (size_t i = 0; i < COUNT(tolerances); i++) {
        spec.tolerance = tolerances[i];
        claims c;
        right_claim(&c, &net, &spec);
        const rows r = rows_of(&c);
        ck_assert_uint_le(caught_count(&r), caught);
        caught = caught_count(&r);
        free(r.row);
        claims_close(&c);
    }
    ck_assert_uint_lt(caught, 10);
    network_done(&net);
}
END_TEST

/* In tensors, deltas and the gradient of x. */
START_TEST(what_is_missed_is_warned_of_by_its_place)
{
    static const struct {
        size_t layer;
        const char *tensor, *place;
    } cases[] = {{1, "W", " in layer 1 W"},
                 {0, NULL, " in layer 0"},
                 {GCK_FINDING_NO_LAYER, "x", " in the gradient of x"}};
    network net = smooth_network();
    const gck_check_spec spec = smooth_spec(&net);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const gck_sensitivity_row row = {.mistake = {.code = GCK_FINDING_SCALED,
                                                     .name = "doubled",
                                                     .layer = cases[i].layer,
                                                     .tensor = cases[i].tensor}};
        claims c;
        gck_error error;
        char start[120];
        right_claim(&c, &net, &spec);
        const size_t before = c.report->warning_count;
        assert_ok(gck_sensitivity_warn(&c.spec, 1, &row, c.report, &error), &error);
        ck_assert_uint_eq(c.report->warning_count, before + 2);
        snprintf(start, sizeof start, "1 of 1 known mistakes would pass this check: %s%s",
                 "scaled (doubled)", cases[i].place);
        ck_assert_str_eq(c.report->warning[before], start);
        claims_close(&c);
    }
    network_done(&net);
}
END_TEST

/* What cannot be made is not listed: no transpose of a row, no mean over one sample. */
START_TEST(only_mistakes_that_can_be_made_are_listed)
{
    const gck_layer_spec layers[] = {dense(3, "linear"), dense_with(1, "relu", "use_bias", 0)};
    network net = network_new(3, layers, 2, cost_named("mse"), 1);
    const gck_check_spec spec = check_spec_of(&net);
    claims c;
    right_claim(&c, &net, &spec);
    const rows r = rows_of(&c);
    for (size_t i = 0; i < r.count; i++) {
        const gck_mistake *mistake = &r.row[i].mistake;
        ck_assert_int_ne(mistake->code, GCK_FINDING_REGULARISATION);
        ck_assert_int_ne(mistake->code, GCK_FINDING_MISSING_SAMPLE);
        ck_assert_int_ne(mistake->code, GCK_FINDING_DROPOUT_MASK);
        ck_assert_str_ne(mistake->name, "mean_missing");
        ck_assert(mistake->layer == 0 || mistake->tensor == NULL || mistake->tensor[0] == 'W');
        ck_assert(mistake->layer == 0 || mistake->code != GCK_FINDING_TRANSPOSED);
        for (size_t j = 0; j < i; j++)
            ck_assert(memcmp(mistake, &r.row[j].mistake, sizeof *mistake) != 0);
    }
    free(r.row);
    claims_close(&c);
    network_done(&net);
}
END_TEST

/* ---- the same as claims with these mistakes ---- */

/* Of a sample, a unit, or the like, sensitivity takes the last, and the tests another; a penalty
 * may be negated or not. */
static bool is_the_same_one(mistaken_id id)
{
    return id != W_WITHOUT_SAMPLE && id != W_NEGATED && id != LAST_SAMPLE_MISSING &&
           id != B_WITHOUT_SAMPLE && id != SAMPLE_TWICE && id != FIRST_SAMPLE_MISSING &&
           id != UNIT_NOT_PASSED && id != B_ONLY_FIRST && id != B_ONLY_LAST &&
           id != OTHER_WEIGHTS && id < ELEMENT_WRONG;
}

static const char *tensor_of(mistaken_id id)
{
    if (id == X_TIMES_M) return "x";
    if (id == PENALTY_ON_BIAS || (id >= B_TIMES_M && id <= B_WITHOUT_SAMPLE)) return "b";
    return id >= W_TIMES_M && id <= PENALTY_L1_AS_L2 ? "W" : "";
}

static size_t compare_mistake(claims *c, const rows *r, const mistaken *made)
{
    const mistaken_kind *kind = &mistaken_kinds[made->id];
    if (!mistaken_applies(c->net, made) || !is_the_same_one(made->id)) return 0;
    if (made->id == X_TIMES_M && c->claim.inputs == NULL) return 0;
    const gck_sensitivity_row *row =
        row_of(r, kind->code, kind->name, mistaken_culprit(c->net, made), tensor_of(made->id));
    if (row == NULL) return 0;
    mistaken_gradient(c->net, made, 1, c->gradient, c->x);
    claims_judge(c);
    ck_assert_msg(row->caught == (c->report->verdict == GCK_FAIL), "%s in layer %zu", kind->id,
                  made->layer);
    return 1;
}

/* _i: the seed. */
START_TEST(what_is_caught_is_what_fails)
{
    random_network drawn;
    size_t compared = 0;
    random_network_open((uint64_t)_i + 1, (random_limits){.layers = 4, .units = 8, .samples = 14},
                        &drawn);
    gck_check_spec spec = check_spec_of(&drawn.net);
    spec.inputs = drawn.spec.inputs;
    spec.tolerance = _i % 2 == 0 ? 1e-8 : 0.1;
    claims c;
    right_claim(&c, &drawn.net, &spec);
    const rows r = rows_of(&c);
    for (int id = 0; id < MISTAKES; id++)
        for (size_t layer = 0; layer < drawn.net.model->layer_count; layer++)
            compared += compare_mistake(&c, &r, &(mistaken){.id = (mistaken_id)id, .layer = layer});
    ck_assert_uint_gt(compared, 0);
    free(r.row);
    claims_close(&c);
    random_network_close(&drawn);
}
END_TEST

SUITE_MAIN("sensitivity", {a_smooth_network_catches_everything, GCK_DIRECTIONAL + 1},
           {dead_units_hide_mistakes, 0}, {a_loose_tolerance_lets_mistakes_through, 0},
           {what_is_missed_is_warned_of_by_its_place, 0},
           {only_mistakes_that_can_be_made_are_listed, 0}, {what_is_caught_is_what_fails, 12})
