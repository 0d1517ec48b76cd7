/* What is found in claims made wrong in a known way: words, numbers, order. */
#include "tests/core/compare.h"
#include "tests/core/finding_scene.h"
#include "tests/core/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- words and numbers ---- */

static const struct {
    mistaken_id id;
    size_t layer;
    const char *message;
} messages[] = {
    {W_TIMES_M, 1,
     "dW of layer 1 is 9 times too large: that is the batch size; the mean over the batch is "
     "missing"},
    {DELTA_TIMES_M, 1,
     "everything from layer 1 down is 9 times too large: that is the batch size; the mean over the "
     "batch is missing"},
    {B_TIMES_M, 0,
     "db of layer 0 is 9 times too large: that is the batch size; the mean over the batch is "
     "missing"},
    {W_HALVED, 2, "dW of layer 2 is 2 times too small: a factor 1/2 stands where none is due"},
    {DELTA_NEGATED, 2,
     "everything from layer 2 down has the wrong sign: the sign is flipped, as by y - a in place "
     "of a - y"},
    {W_TRANSPOSED, 1, "dW of layer 1 is transposed"},
    {W_DATA_TRANSPOSED, 1,
     "dW of layer 1 is transposed but for its penalty, which stands as it should"},
    {W_ROUNDED, 1,
     "dW of layer 1: all claimed numbers are float32 numbers, and right as such: compute in "
     "float64, or claim with dtype float32"},
    {W_EXCHANGED, 1, "dW of layer 1 and that of layer 0 are exchanged"},
    {W_OF_ANOTHER_LAYER, 1, "dW of layer 1 is that of layer 0"},
    {B_EXCHANGED, 1, "db of layer 1 and that of layer 0 are exchanged"},
    {SLOPE_MISSING, 1, "the derivative of tanh is missing in layer 1: dJ/da is used as dJ/dz"},
    {SLOPE_OF_SIGMOID, 0, "layer 0 uses the derivative of sigmoid, but its activation is tanh"},
    {SLOPE_BY_SIGMOID, 1,
     "layer 1 uses the derivative of sigmoid, written for an output a of it, but its activation is "
     "tanh"},
    {DIAGONAL_ON_TOP, 2,
     "softmax is derived twice in layer 2: the derivative of categorical_crossentropy with respect "
     "to z already holds it, and a (1 - a) is multiplied on top of it"},
    {SOFTMAX_TWICE, 2,
     "softmax is derived twice in layer 2: a - y already holds its derivative, and softmax's "
     "Jacobian is applied on top of it"},
    {PENALTY_MISSING, 1, "the penalty of l1 and l2 is missing in dW of layer 1"},
    {NOT_TRANSPOSED, 1, "the delta that reaches layer 0 is made with W of layer 1 not transposed"},
    {LAST_SAMPLE_MISSING, 1, "sample 8 of 9 is missing in everything from layer 1 down"},
    {W_OF_Z, 2, "dW of layer 2 is made from z of the layer below, not from its output a"},
    {B_OVER_UNITS, 1,
     "db of layer 1 is summed over the units as well: every unit has the same number"},
};

/* _i: the message. */
START_TEST(a_finding_is_said_in_a_sentence)
{
    scene s;
    scene_open(&s, false);
    scene_make(&s, messages[_i].id, messages[_i].layer);
    ck_assert_uint_eq(s.found.count, 1);
    ck_assert_str_eq(s.found.finding[0].message, messages[_i].message);
    scene_close(&s);
}
END_TEST

/* Below the lowest layer there is x. */
static const struct {
    mistaken_id id;
    const char *message;
} inputs_messages[] = {
    {NOT_TRANSPOSED,
     "the delta that reaches the gradient of x is made with W of layer 0 not transposed"},
    {UNIT_NOT_PASSED, "what unit 0 of layer 0 has to pass down is missing in the gradient of x"},
    {PASSED_BEFORE_ACTIVATION,
     "layer 0 passes dJ/da down, not dJ/dz: the derivative of tanh is missing on the way to the "
     "gradient of x"},
};

/* _i: the message. */
START_TEST(a_finding_in_the_gradient_of_x_is_said_in_a_sentence)
{
    scene s;
    scene_open(&s, true);
    scene_make(&s, inputs_messages[_i].id, 0);
    ck_assert_uint_eq(s.found.count, 1);
    ck_assert_str_eq(s.found.finding[0].message, inputs_messages[_i].message);
    scene_close(&s);
}
END_TEST

START_TEST(a_finding_has_its_numbers)
{
    scene s;
    scene_open(&s, false);
    scene_make(&s, W_TIMES_M, 1);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "factor"), SCENE_ROWS);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "samples"), SCENE_ROWS);
    ck_assert_double_lt(finding_number(&s.found.finding[0], "distance"), 1e-12);
    scene_make(&s, LAST_SAMPLE_MISSING, 1);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "sample"), SCENE_ROWS - 1);
    scene_make(&s, ELEMENT_WRONG, 1);
    assert_one_finding(&s, "elements", "elements", 1, "W");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "count"), 1);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "elements"), 16);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "index_0"), 8);
    scene_make(&s, NOT_TRANSPOSED, 1);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "made_in_layer"), 1);
    scene_close(&s);
}
END_TEST

START_TEST(nothing_is_found_in_a_right_claim)
{
    scene s;
    scene_open(&s, true);
    scene_claim(&s, NULL, 0);
    ck_assert_int_eq(s.c.report->verdict, GCK_PASS);
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 0);
    scene_close(&s);
}
END_TEST

START_TEST(what_is_wrong_throughout_in_no_known_way_is_unexplained)
{
    scene s;
    scene_open(&s, false);
    scene_claim(&s, NULL, 0);
    const gck_tensor *w = &s.net.model->layer[1].tensor[0];
    for (size_t e = 0; e < w->count; e++)
        s.c.gradient[w->offset + e] *= 1 + 0.1 * sin((double)e + 1);
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "unexplained", "unexplained", 1, "W");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "wrong_elements"), (double)w->count);
    ck_assert_double_gt(finding_number(&s.found.finding[0], "cosine"), 0.99);
    scene_close(&s);
}
END_TEST

START_TEST(a_factor_that_is_no_known_one_is_told_as_such)
{
    scene s;
    scene_open(&s, false);
    scene_claim(&s, NULL, 0);
    const gck_tensor *w = &s.net.model->layer[2].tensor[0];
    for (size_t e = 0; e < w->count; e++)
        s.c.gradient[w->offset + e] *= 0.013;
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "scaled", "factor", 2, "W");
    ck_assert_double_eq_tol(finding_number(&s.found.finding[0], "factor"), 0.013, 1e-12);
    scene_close(&s);
}
END_TEST

/* ---- before anything else ---- */

static void outputs_of(const network *net, double *outputs)
{
    gck_error error;
    assert_ok(gck_predict(net->model, net->parameters, net->data->x, SCENE_ROWS, (gck_stop){0},
                          outputs, &error),
              &error);
}

START_TEST(another_forward_pass_explains_everything)
{
    scene s;
    double outputs[SCENE_ROWS * 3];
    scene_open(&s, false);
    outputs_of(&s.net, outputs);
    scene_claim(&s, &(mistaken){.id = W_NEGATED, .layer = 1}, 1);
    s.c.claim.outputs = outputs;
    s.c.claim.has_cost = true;
    s.c.claim.cost = s.c.report->cost * (1 + 1e-13);
    scene_find(&s);
    assert_one_finding(&s, "sign_flipped", "negated", 1, "W");
    gck_findings_done(&s.found);
    outputs[3 * 4 + 1] += 1e-3;
    scene_find(&s);
    assert_one_finding(&s, "different_forward", "outputs", GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "sample"), 4);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "output"), 1);
    scene_close(&s);
}
END_TEST

START_TEST(a_cost_that_is_off_by_a_known_factor_is_told)
{
    scene s;
    scene_open(&s, false);
    scene_claim(&s, &(mistaken){.id = W_NEGATED, .layer = 1}, 1);
    const double penalty = gck_model_penalty(s.net.model, s.net.parameters);
    s.c.claim.has_cost = true;
    s.c.claim.cost = SCENE_ROWS * (s.c.report->cost - penalty) + penalty;
    scene_find(&s);
    assert_one_finding(&s, "different_forward", "mean_missing", GCK_FINDING_NO_LAYER, "");
    gck_findings_done(&s.found);
    s.c.claim.cost = s.c.report->cost - penalty;
    scene_find(&s);
    assert_one_finding(&s, "different_forward", "penalty_missing", GCK_FINDING_NO_LAYER, "");
    gck_findings_done(&s.found);
    s.c.claim.cost = s.c.report->cost - 3 * penalty; /* of a cost divided by 3 more */
    s.c.claim.data_factor = 3;
    scene_find(&s);
    assert_one_finding(&s, "different_forward", "penalty_missing", GCK_FINDING_NO_LAYER, "");
    s.c.claim.data_factor = 0;
    gck_findings_done(&s.found);
    s.c.claim.cost = NAN;
    scene_find(&s);
    assert_one_finding(&s, "different_forward", "cost", GCK_FINDING_NO_LAYER, "");
    scene_close(&s);
}
END_TEST

/* ---- numbers that are none, and numbers with few digits ---- */

START_TEST(what_is_no_number_is_told_where_it_begins)
{
    scene s;
    scene_open(&s, true);
    scene_claim(&s, NULL, 0);
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t t = 0; t < 2; t++)
            s.c.gradient[s.net.model->layer[layer].tensor[t].offset] = layer == 1 ? NAN : INFINITY;
    s.c.x[0] = NAN;
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "non_finite", "non_finite", 1, "W");
    ck_assert_str_eq(s.found.finding[0].message,
                     "1 of 16 numbers in dW of layer 1 is NaN or infinite, namely that of "
                     "input 0, unit 0; so are numbers in 4 more tensors from there down");
    scene_close(&s);
}
END_TEST

START_TEST(a_mistake_is_found_beside_numbers_that_are_none)
{
    scene s;
    scene_open(&s, false);
    scene_claim(&s, &(mistaken){.id = W_NEGATED, .layer = 0}, 1);
    s.c.gradient[s.net.model->layer[2].tensor[1].offset + 1] = NAN;
    claims_judge(&s.c);
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 2);
    ck_assert(finding_names(&s.found.finding[0].mistake, "non_finite", "non_finite"));
    ck_assert_uint_eq(s.found.finding[0].mistake.layer, 2);
    ck_assert_str_eq(s.found.finding[0].mistake.tensor, "b");
    ck_assert(finding_names(&s.found.finding[1].mistake, "sign_flipped", "negated"));
    scene_close(&s);
}
END_TEST

static const struct {
    mistaken_id id;
    const char *name;
    double number;
} roundings[] = {
    {ROUNDED_32, "float32", 24}, {ROUNDED_16, "float16", 11}, {ROUNDED_DECIMALS, "decimals", 5}};

/* Alone, and beside a mistake. _i: the rounding. */
START_TEST(rounded_claims_are_told_by_their_digits)
{
    scene s;
    scene_open(&s, true);
    scene_make(&s, roundings[_i].id, 0);
    assert_one_finding(&s, "rounded", roundings[_i].name, GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(s.found.finding[0].evidence[0].number, roundings[_i].number);
    const mistaken two[] = {{.id = SLOPE_MISSING, .layer = 1}, {.id = roundings[_i].id}};
    scene_claim(&s, two, 2);
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 2);
    ck_assert(finding_names(&s.found.finding[0].mistake, "activation_derivative", "missing"));
    ck_assert(finding_names(&s.found.finding[1].mistake, "rounded", roundings[_i].name));
    scene_close(&s);
}
END_TEST

START_TEST(difference_quotients_are_told_with_their_step)
{
    scene s;
    scene_open(&s, false);
    scene_make(&s, QUOTIENT_CENTRAL, 0);
    assert_one_finding(&s, "finite_difference", "central", GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "step"), 1e-3);
    scene_make(&s, QUOTIENT_FORWARD, 0);
    assert_one_finding(&s, "finite_difference", "forward", GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "step"), 1e-6);
    scene_close(&s);
}
END_TEST

/* The numbers of the check itself, whose step is none that people choose. _i: central or not. */
START_TEST(the_checks_own_quotient_is_told_with_its_step)
{
    scene s = {.net = scene_network("tanh", 0.1)};
    gck_check_spec spec = check_spec_of(&s.net);
    spec.method = _i == 0 ? GCK_FORWARD : GCK_CENTRAL;
    spec.epsilon = 3e-3;
    spec.tolerance = 1e-8;
    ck_assert(claims_open(&s.c, &s.net, &spec, GCK_FLOAT64));
    for (size_t i = 0; i < s.c.report->layer_count; i++)
        for (size_t t = 0; t < s.c.report->layer[i].tensor_count; t++) {
            const gck_tensor_report *tensor = &s.c.report->layer[i].tensor[t];
            memcpy(s.c.gradient + s.net.model->layer[i].tensor[t].offset, tensor->numeric,
                   tensor->count * sizeof *tensor->numeric);
        }
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "finite_difference", _i == 0 ? "forward" : "central",
                       GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "step"), 3e-3);
    ck_assert_uint_eq(s.found.finding[0].also_count, 0);
    scene_close(&s);
}
END_TEST

/* Wrong in no way that is known: column `unit` of W, or row `input`, of a layer, and b of the unit.
 */
static void scramble(scene *s, size_t layer, size_t unit, size_t input)
{
    const gck_layer *of = &s->net.model->layer[layer];
    double *w = s->c.gradient + of->tensor[0].offset, *b = s->c.gradient + of->tensor[1].offset;
    for (size_t e = 0; e < of->tensor[0].count; e++)
        if (e % of->outputs == unit || e / of->outputs == input) w[e] += sin((double)e + 1);
    if (unit < of->outputs) b[unit] += 0.3;
}

/* What such a delta makes of the layers below says nothing. _i: one unit, or two of eight. */
START_TEST(a_few_wrong_units_are_told)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dense(8, "tanh"), dense(2, "linear")};
    scene s = {.net = network_new(4, layers, 2, cost_named("mse"), SCENE_ROWS)};
    const gck_check_spec spec = check_spec_of(&s.net);
    ck_assert(claims_open(&s.c, &s.net, &spec, GCK_FLOAT64));
    scene_claim(&s, NULL, 0);
    scramble(&s, 1, 6, SIZE_MAX);
    if (_i == 1) scramble(&s, 1, 3, SIZE_MAX);
    for (size_t unit = 0; unit < 3; unit++)
        scramble(&s, 0, unit, SIZE_MAX);
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "wrong_delta", "units", 1, "");
    ck_assert_str_eq(s.found.finding[0].message,
                     _i == 0 ? "the gradients of 1 of 8 units of layer 1 are wrong, namely those "
                               "of unit 6; those of the others are right"
                             : "the gradients of 2 of 8 units of layer 1 are wrong, the first "
                               "those of unit 3; those of the others are right");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "count"), _i + 1);
    ck_assert_double_eq(finding_number(&s.found.finding[0], "unit"), _i == 0 ? 6 : 3);
    scene_close(&s);
}
END_TEST

START_TEST(a_wrong_row_of_weights_is_told)
{
    scene s;
    scene_open(&s, false);
    scene_claim(&s, NULL, 0);
    scramble(&s, 1, SIZE_MAX, 2);
    claims_judge(&s.c);
    scene_find(&s);
    assert_one_finding(&s, "wrong_input", "rows", 1, "W");
    ck_assert_str_eq(s.found.finding[0].message,
                     "in dW of layer 1 the weights of 1 of 4 inputs are wrong, namely those of "
                     "input 2; those of the others are right");
    scene_close(&s);
}
END_TEST

/* ---- several mistakes, several explanations ---- */

/* Of two samples a missing mean is the same as a factor 2. */
START_TEST(what_cannot_be_told_apart_is_listed)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dense(2, "linear")};
    scene s = {.net = network_new(4, layers, 2, cost_named("mse"), 2)};
    const gck_check_spec spec = check_spec_of(&s.net);
    ck_assert(claims_open(&s.c, &s.net, &spec, GCK_FLOAT64));
    scene_make(&s, W_TIMES_M, 0);
    assert_one_finding(&s, "scaled", "mean_missing", 0, "W");
    ck_assert(finding_lists(&s.found.finding[0], "scaled", "doubled"));
    ck_assert(finding_lists(&s.found.finding[0], "scaled", "outputs_missing"));
    scene_close(&s);
}
END_TEST

static const mistaken_id delta_kinds[] = {SLOPE_MISSING,    SLOPE_OF_OUTPUT,      SLOPE_TWICE,
                                          SLOPE_OF_SIGMOID, FIRST_SAMPLE_MISSING, SAMPLE_TWICE,
                                          LAST_UNIT_MISSING};

/* A delta made wrong, and scaled besides. _i: the kind, the factor and the layer. */
START_TEST(pairs_of_a_delta_mistake_and_a_factor_are_found)
{
    static const struct {
        long double factor;
        const char *name;
    } factors[] = {{SCENE_ROWS, "mean_missing"}, {-1, "negated"}, {2, "doubled"}, {0.5L, "halved"}};
    const size_t factor = (size_t)_i % COUNT(factors), n = (size_t)_i / COUNT(factors);
    const mistaken_id id = delta_kinds[n % COUNT(delta_kinds)];
    const size_t layer = n / COUNT(delta_kinds);
    char name[GCK_NAME_MAX];
    scene s;
    scene_open(&s, true);
    scene_claim(&s, &(mistaken){.id = id, .layer = layer, .factor = factors[factor].factor}, 1);
    scene_find(&s);
    snprintf(name, sizeof name, "%s+%s", mistaken_kinds[id].name, factors[factor].name);
    ck_assert_uint_eq(s.found.count, 1);
    ck_assert_uint_eq(s.found.finding[0].mistake.layer, layer);
    ck_assert_msg(
        finding_lists(&s.found.finding[0], gck_finding_code_name(mistaken_kinds[id].code), name),
        "%s: %s", name, s.found.finding[0].message);
    scene_close(&s);
}
END_TEST

static const mistaken_id two_kinds[] = {
    DELTA_TIMES_M, W_NEGATED,     W_TRANSPOSED, B_TIMES_M,        B_ONLY_LAST,  SLOPE_MISSING,
    SLOPE_TWICE,   SLOPE_OF_RELU, W_DOUBLED,    W_WITHOUT_SAMPLE, SAMPLE_TWICE, W_ZERO};

/* _i: the kind in layer 1, and the one in layer 0. */
START_TEST(two_independent_mistakes_are_both_found)
{
    const mistaken_id above = two_kinds[(size_t)_i % COUNT(two_kinds)];
    const mistaken_id below = two_kinds[(size_t)_i / COUNT(two_kinds)];
    const mistaken two[] = {{.id = above, .layer = 1}, {.id = below, .layer = 0}};
    scene s;
    scene_open(&s, true);
    scene_claim(&s, two, 2);
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const mistaken_kind *kind = &mistaken_kinds[two[i].id];
        ck_assert_uint_eq(s.found.finding[i].mistake.layer, two[i].layer);
        ck_assert_msg(
            finding_lists(&s.found.finding[i], gck_finding_code_name(kind->code), kind->name),
            "%s: %s", kind->id, s.found.finding[i].message);
    }
    scene_close(&s);
}
END_TEST

/* ---- what is not claimed ---- */

/* A delta mistake in layer 2 is found from the tensors below alone. */
START_TEST(mistakes_are_found_from_what_is_claimed)
{
    bool claimed[3 * GCK_TENSORS_MAX] = {true, true, false, true, false, false};
    bool all[GCK_LAYERS_MAX * GCK_TENSORS_MAX] = {0};
    memcpy(all, claimed, sizeof claimed);
    scene s = {.net = scene_network("tanh", 0.1)};
    const gck_check_spec spec = check_spec_of(&s.net);
    ck_assert(claims_open_some(&s.c, &s.net, &spec, GCK_FLOAT64, all));
    scene_make(&s, SOFTMAX_TWICE, 2);
    assert_one_finding(&s, "double_softmax", "jacobian_on_top", 1, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "made_in_layer"), 2);
    scene_close(&s);
}
END_TEST

/* ---- data in several blocks ---- */

START_TEST(blocks_of_data_make_no_difference)
{
    enum { MANY = 6000, INPUTS = 300 };
    static const mistaken_id kinds[] = {W_TIMES_M, SLOPE_MISSING, LAST_SAMPLE_MISSING,
                                        B_ONLY_FIRST};
    const gck_layer_spec layers[] = {dense(30, "tanh"), dense(2, "sigmoid")};
    scene s = {.net = network_new(INPUTS, layers, 2, cost_named("mse"), MANY)};
    gck_check_spec spec = check_spec_of(&s.net);
    spec.method = GCK_DIRECTIONAL;
    spec.directions = 1;
    ck_assert(claims_open(&s.c, &s.net, &spec, GCK_FLOAT64));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const mistaken_kind *kind = &mistaken_kinds[kinds[i]];
        scene_claim(&s, &(mistaken){.id = kinds[i], .layer = 0}, 1);
        scene_find(&s);
        ck_assert_uint_eq(s.found.count, 1);
        ck_assert(
            finding_lists(&s.found.finding[0], gck_finding_code_name(kind->code), kind->name));
    }
    scene_close(&s);
}
END_TEST

/* ---- stopping ---- */

static bool at_once(void *context)
{
    (void)context;
    return true;
}

START_TEST(a_search_stops_when_it_is_asked_to)
{
    scene s;
    gck_error error;
    scene_open(&s, false);
    scene_claim(&s, &(mistaken){.id = W_NEGATED, .layer = 1}, 1);
    ck_assert(gck_findings_new(&s.c.spec, s.c.report, (gck_stop){at_once, NULL}, &s.found,
                               &error) == GCK_STOPPED);
    scene_close(&s);
}
END_TEST

SUITE_MAIN("finding", {a_finding_is_said_in_a_sentence, COUNT(messages)},
           {a_finding_in_the_gradient_of_x_is_said_in_a_sentence, COUNT(inputs_messages)},
           {a_finding_has_its_numbers, 0}, {nothing_is_found_in_a_right_claim, 0},
           {what_is_wrong_throughout_in_no_known_way_is_unexplained, 0},
           {a_factor_that_is_no_known_one_is_told_as_such, 0},
           {another_forward_pass_explains_everything, 0},
           {a_cost_that_is_off_by_a_known_factor_is_told, 0},
           {what_is_no_number_is_told_where_it_begins, 0},
           {a_mistake_is_found_beside_numbers_that_are_none, 0},
           {rounded_claims_are_told_by_their_digits, COUNT(roundings)},
           {difference_quotients_are_told_with_their_step, 0},
           {the_checks_own_quotient_is_told_with_its_step, 2}, {a_few_wrong_units_are_told, 2},
           {a_wrong_row_of_weights_is_told, 0}, {what_cannot_be_told_apart_is_listed, 0},
           {pairs_of_a_delta_mistake_and_a_factor_are_found, 4 * 7 * 2},
           {two_independent_mistakes_are_both_found, 12 * 12},
           {mistakes_are_found_from_what_is_claimed, 0}, {blocks_of_data_make_no_difference, 0},
           {a_search_stops_when_it_is_asked_to, 0})
