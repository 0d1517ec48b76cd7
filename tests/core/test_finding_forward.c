/* Claimed outputs and costs beside ours, and numbers that are none: what is told of them, and that
 * nothing is told of right ones, whatever rounding does to them. */
#include "core/check_forward.h"
#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/floats.h"
#include "tests/core/random_networks.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- a claim that is right at first ---- */

enum { OUTPUTS_MOST = 64 };

typedef struct scene {
    network net;
    claims c;
    gck_findings found;
    double outputs[OUTPUTS_MOST];
} scene;

/* Takes the network; its claim is our own, outputs and cost with it. */
static void scene_open(scene *s, network net, gck_dtype dtype)
{
    gck_error error;
    gck_check *check;
    gck_report *report;
    *s = (scene){.net = net};
    gck_check_spec spec = check_spec_of(&s->net);
    ck_assert(claims_open(&s->c, &s->net, &spec, dtype));
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            memcpy(s->c.gradient + net.model->layer[i].tensor[t].offset,
                   report->layer[i].tensor[t].analytic,
                   report->layer[i].tensor[t].count * sizeof(double));
    gck_report_free(report);
    gck_check_free(check);
    assert_ok(gck_predict(net.model, net.parameters, net.data->x, net.data->samples, (gck_stop){0},
                          s->outputs, &error),
              &error);
    s->c.claim.outputs = s->outputs;
    s->c.claim.has_cost = true;
    s->c.claim.cost = s->c.report->cost;
    claims_judge(&s->c);
    ck_assert_int_eq(s->c.report->verdict, GCK_PASS);
}

static void scene_close(scene *s)
{
    gck_findings_done(&s->found);
    claims_close(&s->c);
    network_done(&s->net);
}

static void scene_find(scene *s)
{
    gck_findings_done(&s->found);
    claims_judge(&s->c);
    s->found = claims_find(&s->c);
}

/* The first number of a tensor. */
static double *first_of(scene *s, size_t layer, size_t tensor)
{
    return s->c.gradient + s->net.model->layer[layer].tensor[tensor].offset;
}

static const gck_finding *only_one(const scene *s, gck_finding_code code, const char *name)
{
    ck_assert_uint_eq(s->found.count, 1);
    ck_assert_msg(s->found.finding[0].mistake.code == code, "%s", s->found.finding[0].message);
    ck_assert_str_eq(s->found.finding[0].mistake.name, name);
    return &s->found.finding[0];
}

static double evidence_of(const gck_finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].name, name) == 0) return finding->evidence[i].number;
    ck_abort_msg("no evidence %s", name);
    return NAN;
}

/* 3-4-2 on four samples, the last bias of which is wrong when it is told to be. */
static void scene_small(scene *s)
{
    const gck_layer_spec layers[] = {dense(4, "tanh"), dense(2, "linear")};
    network net = network_new(3, layers, 2, cost_named("mse"), 4);
    network_draw_biases(&net);
    scene_open(s, net, GCK_FLOAT64);
}

static void claim_wrong(scene *s)
{
    *first_of(s, 1, 1) *= 3;
}

/* ---- what rounding can do ---- */

/* Outputs that are what is left of terms a thousand times as large: float32 has no digit of them.
 */
START_TEST(outputs_that_cancel_are_right)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    const double parameters[] = {1.0001, -1, 0}, x[] = {1000.1, 1000.2, 3.1, 7.7}, y[] = {0, 1};
    network net = network_new(2, layers, 1, cost_named("mse"), 2);
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    scene s;
    scene_open(&s, net, GCK_FLOAT32);
    s.outputs[0] = 0;
    s.outputs[1] = -4.59968996;
    *first_of(&s, 0, 1) *= 3;
    scene_find(&s);
    ck_assert_uint_gt(s.found.count, 0);
    ck_assert_msg(s.found.finding[0].mistake.code != GCK_FINDING_DIFFERENT_FORWARD, "%s",
                  s.found.finding[0].message);
    ck_assert_uint_eq(s.found.finding[0].mistake.layer, 0);
    ck_assert_str_eq(s.found.finding[0].mistake.tensor, "b");
    /* In float64 they are wrong. */
    s.c.claim.dtype = GCK_FLOAT64;
    claims c;
    ck_assert(claims_open(&c, &s.net, &s.c.spec, GCK_FLOAT64));
    memcpy(c.gradient, s.c.gradient, sizeof parameters);
    c.claim.outputs = s.outputs;
    claims_judge(&c);
    gck_findings found = claims_find(&c);
    ck_assert_int_eq(found.finding[0].mistake.code, GCK_FINDING_DIFFERENT_FORWARD);
    gck_findings_done(&found);
    claims_close(&c);
    scene_close(&s);
}
END_TEST

/* elu of -2.7e-88 is e^z - 1: 0 in the form that is taught. */
START_TEST(outputs_next_to_nothing_are_right)
{
    const gck_layer_spec layers[] = {dense(2, "elu")};
    network net = network_new(1, layers, 1, cost_named("dot"), 2);
    const double parameters[] = {-2.7e-88, -1e-88, 0, 0};
    memcpy(net.parameters, parameters, sizeof parameters);
    net.data->x[0] = 1;
    net.data->x[1] = 2;
    scene s;
    scene_open(&s, net, GCK_FLOAT64);
    memset(s.outputs, 0, sizeof s.outputs);
    s.c.claim.cost = 0;
    s.c.gradient[0] *= -1;
    scene_find(&s);
    ck_assert_uint_gt(s.found.count, 0);
    ck_assert_msg(s.found.finding[0].mistake.code != GCK_FINDING_DIFFERENT_FORWARD, "%s",
                  s.found.finding[0].message);
    scene_close(&s);
}
END_TEST

/* One sample whose output rounds to 1 in float32, where 0 is due. */
static network saturated(void)
{
    const gck_layer_spec layers[] = {dense(1, "sigmoid")};
    network net = network_new(1, layers, 1, cost_named("binary_crossentropy"), 1);
    net.parameters[0] = 20;
    net.parameters[1] = 0;
    net.data->x[0] = 1;
    net.data->y[0] = 0;
    return net;
}

/* A saturated output: ln(1 - a) of a rounded to 1 may be anything, in float32. */
START_TEST(a_cost_of_saturated_outputs_is_not_judged)
{
    scene s;
    scene_open(&s, saturated(), GCK_FLOAT32);
    s.c.claim.cost = 16.118; /* clipped at 1e-7 */
    *first_of(&s, 0, 1) *= 2;
    scene_find(&s);
    ck_assert_uint_gt(s.found.count, 0);
    ck_assert_int_ne(s.found.finding[0].mistake.code, GCK_FINDING_DIFFERENT_FORWARD);
    scene_close(&s);
}
END_TEST

/* The same cost may be infinite, which hides no mistake. */
START_TEST(a_cost_that_rounding_loses_is_told_beside_a_mistake)
{
    scene s;
    scene_open(&s, saturated(), GCK_FLOAT32);
    s.c.claim.cost = INFINITY;
    claims_judge(&s.c);
    const char *want =
        "non_finite: the claimed cost is Infinity, here it is 20: outputs that are "
        "rounded to 0 or 1 have a logarithm of 0";
    ck_assert_str_eq(s.c.report->warning[1], want);
    *first_of(&s, 0, 1) *= 2;
    scene_find(&s);
    ck_assert_uint_ge(s.found.count, 2);
    ck_assert_int_eq(s.found.finding[0].mistake.code, GCK_FINDING_NON_FINITE);
    ck_assert_str_eq(s.found.finding[0].mistake.name, "cost");
    ck_assert_str_eq(s.found.finding[0].message, want + strlen("non_finite: "));
    ck_assert_uint_eq(s.found.finding[1].mistake.layer, 0);
    ck_assert_str_eq(s.found.finding[1].mistake.tensor, "b");
    scene_close(&s);
}
END_TEST

enum { NETWORKS_A_RUN = 20, ROOM = 64 * 1024 };

/* Everything computed in float, cross-entropies from a. _i: the seeds of a run; every other one is
 * under curses. */
START_TEST(right_outputs_and_costs_in_float_are_ours)
{
    static double outputs[ROOM];
    size_t judged = 0;
    for (int n = 0; n < NETWORKS_A_RUN; n++) {
        const uint64_t seed = (uint64_t)(_i * NETWORKS_A_RUN + n + 1);
        random_network drawn;
        claims c;
        random_network_open(seed, (random_limits){4, 40, 60, n % 2 == 1}, &drawn);
        gck_check_spec spec = drawn.spec;
        spec.method = GCK_DIRECTIONAL;
        spec.directions = 1;
        spec.inputs = drawn.net.model->parameter_count == 0;
        if (claims_open(&c, &drawn.net, &spec, GCK_FLOAT32)) {
            c.claim.cost = floats_forward(&drawn.net, outputs);
            c.claim.has_cost = isfinite(c.claim.cost);
            c.claim.outputs = outputs;
            const gck_forward_difference d = gck_forward_compare(&c.spec, c.report);
            if (d.different > 0 || d.cost) random_network_print(&drawn);
            /* What overflows in float is no number there. */
            ck_assert_msg(d.different == 0, "output %zu: %.9g, here %.9g", d.at, outputs[d.at],
                          c.report->outputs[d.at]);
            ck_assert_msg(!d.cost, "cost %.9g, here %.9g ± %.3g", c.claim.cost, c.report->cost,
                          c.report->cost_bar);
            judged += c.claim.has_cost && isfinite(c.report->cost_bar);
            claims_close(&c);
        }
        random_network_close(&drawn);
    }
    ck_assert_uint_gt(judged, NETWORKS_A_RUN / 2);
}
END_TEST

/* _i: the activation. What is wrong by more than rounding is seen: a thousandth of the largest
 * output, and of the cost. */
START_TEST(wrong_outputs_and_costs_are_seen)
{
    const gck_layer_spec layers[] = {dense(9, "tanh"),
                                     dense_of(5, gck_choice_default(gck_activations.rows[_i]))};
    network net = network_new(7, layers, 2, cost_named("mse"), 12);
    network_draw_biases(&net);
    scene s;
    scene_open(&s, net, GCK_FLOAT32);
    size_t largest = 0;
    for (size_t i = 1; i < 5 * 12; i++)
        if (fabs(s.outputs[i]) > fabs(s.outputs[largest])) largest = i;
    gck_forward_difference d = gck_forward_compare(&s.c.spec, s.c.report);
    ck_assert(d.judged == 60 && d.strange == 0 && d.different == 0 && !d.cost);
    s.outputs[largest] *= 1.001;
    d = gck_forward_compare(&s.c.spec, s.c.report);
    ck_assert(d.different == 1 && d.at == largest && !d.cost);
    s.c.claim.cost *= 1.001;
    d = gck_forward_compare(&s.c.spec, s.c.report);
    ck_assert(d.cost);
    scene_close(&s);
}
END_TEST

/* In blocks of 3 samples, some of weight 0 and all under masks: the same outputs, and nearly the
 * same bars, which count equal products in the first sample of a block alone. */
START_TEST(blocks_make_no_difference)
{
    network net = cut_network();
    claims c;
    const gck_check_spec spec = check_spec_of(&net);
    gck_error error;
    gck_report *report;
    ck_assert(claims_open(&c, &net, &spec, GCK_FLOAT32));
    gck_check *cut = check_open(&c.spec);
    check_cut_small(cut);
    check_finish(cut);
    assert_ok(gck_check_report(cut, &report, &error), &error);
    const size_t count = net.data->samples * net.model->outputs;
    for (size_t i = 0; i < count; i++) {
        ck_assert_double_eq_tol(report->outputs[i], c.report->outputs[i],
                                DBL_EPSILON * 8 * fabs(report->outputs[i]));
        ck_assert_double_le(report->outputs_bar[i], 2 * c.report->outputs_bar[i]);
        ck_assert_double_ge(report->outputs_bar[i], c.report->outputs_bar[i] / 2);
    }
    ck_assert_double_eq_tol(report->cost_bar, c.report->cost_bar, c.report->cost_bar / 2);
    gck_report_free(report);
    gck_check_free(cut);
    claims_close(&c);
    network_done(&net);
}
END_TEST

/* ---- words ---- */

static const struct {
    double cost;
    const char *message;
} strange_costs[] = {
    {INFINITY,
     "the claimed cost is Infinity, here it is 0.5: it overflows on the way, or has a "
     "logarithm of 0"},
    {-INFINITY,
     "the claimed cost is -Infinity, here it is 0.5: it overflows on the way, or has a "
     "logarithm of 0"},
    {NAN,
     "the claimed cost is NaN, here it is 0.5: it overflows on the way, or has a logarithm "
     "of 0"},
};

/* _i: the cost. */
START_TEST(a_cost_that_is_no_number_is_told_as_such)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    network net = network_new(1, layers, 1, cost_named("mse"), 2);
    const double parameters[] = {1, 0}, x[] = {0, 1}, y[] = {0, 0};
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    scene s;
    scene_open(&s, net, GCK_FLOAT64);
    s.c.claim.cost = strange_costs[_i].cost;
    *first_of(&s, 0, 0) *= 2;
    scene_find(&s);
    const gck_finding *finding = only_one(&s, GCK_FINDING_DIFFERENT_FORWARD, "cost");
    ck_assert_str_eq(finding->message, strange_costs[_i].message);
    for (size_t i = 0; i < finding->evidence_count; i++)
        ck_assert_str_ne(finding->evidence[i].name, "factor");
    scene_close(&s);
}
END_TEST

START_TEST(outputs_that_are_no_numbers_are_told_as_such)
{
    scene s;
    scene_small(&s);
    claim_wrong(&s);
    s.outputs[5] = NAN;
    s.outputs[6] = -INFINITY;
    s.outputs[0] += 1;
    scene_find(&s);
    const gck_finding *finding = only_one(&s, GCK_FINDING_DIFFERENT_FORWARD, "outputs");
    ck_assert_ptr_nonnull(strstr(finding->message,
                                 "2 of 8 claimed outputs are NaN or infinite, the first is output "
                                 "1 of sample 2, here "));
    ck_assert_double_eq(evidence_of(finding, "count"), 2);
    scene_close(&s);
}
END_TEST

/* A sample of weight 0 has no say. */
START_TEST(outputs_of_samples_without_weight_are_left_alone)
{
    const gck_layer_spec layers[] = {dense(2, "tanh")};
    network net = network_weighted(3, layers, 1, cost_named("mse"), 6);
    scene s;
    scene_open(&s, net, GCK_FLOAT64);
    size_t without = 0;
    for (size_t k = 0; k < 6; k++)
        for (size_t j = 0; net.data->weights[k] == 0 && j < 2; j++, without++)
            s.outputs[2 * k + j] = j == 0 ? NAN : 7;
    ck_assert_uint_gt(without, 0);
    const gck_forward_difference d = gck_forward_compare(&s.c.spec, s.c.report);
    ck_assert_uint_eq(d.judged, 12 - without);
    ck_assert(d.strange == 0 && d.different == 0 && !d.cost);
    scene_close(&s);
}
END_TEST

/* The mean over 64 samples is missing; in bfloat16, where a plain sum of them has hardly a digit,
 * no factor is known. _i: 0: float32, 1: bfloat16. */
START_TEST(a_factor_is_told_where_the_cost_has_digits)
{
    const gck_layer_spec layers[] = {dense(1, "tanh")};
    network net = network_new(3, layers, 1, cost_named("mse"), OUTPUTS_MOST);
    scene s;
    scene_open(&s, net, _i == 0 ? GCK_FLOAT32 : GCK_BFLOAT16);
    *first_of(&s, 0, 0) *= -100;
    s.c.claim.cost *= OUTPUTS_MOST;
    scene_find(&s);
    only_one(&s, GCK_FINDING_DIFFERENT_FORWARD, _i == 0 ? "mean_missing" : "cost");
    scene_close(&s);
}
END_TEST

/* ---- where no gradient fails ---- */

static void assert_warned_of(const scene *s, const char *start)
{
    size_t found = 0;
    for (size_t i = 0; i < s->c.report->warning_count; i++)
        if (strstr(s->c.report->warning[i], "different_forward") != NULL) {
            ck_assert_msg(strncmp(s->c.report->warning[i], start, strlen(start)) == 0, "%s",
                          s->c.report->warning[i]);
            found++;
        }
    ck_assert_uint_eq(found, start[0] == '\0' ? 0 : 1);
}

START_TEST(a_difference_is_warned_of_where_no_gradient_fails)
{
    scene s;
    scene_small(&s);
    assert_warned_of(&s, "");
    s.outputs[3] += 0.5;
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 0);
    ck_assert_int_eq(s.c.report->verdict, GCK_PASS);
    assert_warned_of(&s,
                     "different_forward: 1 of 8 claimed outputs are not ours, though no "
                     "gradient fails: output 1 of sample 1 is ");
    s.c.claim.outputs = NULL;
    s.c.claim.cost *= 4;
    scene_find(&s);
    assert_warned_of(&s, "different_forward: the claimed cost is ");
    s.c.claim.cost = NAN;
    scene_find(&s);
    assert_warned_of(&s, "different_forward: the claimed cost is NaN, here it is ");
    /* The finding says it where one does. */
    claim_wrong(&s);
    scene_find(&s);
    assert_warned_of(&s, "");
    only_one(&s, GCK_FINDING_DIFFERENT_FORWARD, "cost");
    scene_close(&s);
}
END_TEST

/* ---- gradients that are no numbers ---- */

START_TEST(a_claim_of_no_numbers_is_one_finding)
{
    scene s;
    scene_small(&s);
    for (size_t e = 0; e < s.net.model->parameter_count; e++)
        s.c.gradient[e] = NAN;
    scene_find(&s);
    const gck_finding *finding = only_one(&s, GCK_FINDING_NON_FINITE, "non_finite");
    ck_assert_uint_eq(finding->mistake.layer, 1);
    ck_assert_str_eq(finding->mistake.tensor, "W");
    ck_assert_str_eq(finding->message,
                     "8 of 8 numbers in dW of layer 1 are NaN or infinite, the first that of input "
                     "0, unit 0; so are numbers in 3 more tensors from there down");
    ck_assert_double_eq(evidence_of(finding, "tensors"), 4);
    scene_close(&s);
}
END_TEST

START_TEST(elements_are_told_by_input_and_unit)
{
    scene s;
    scene_small(&s);
    s.c.gradient[9] += 1;
    scene_find(&s);
    const gck_finding *finding = only_one(&s, GCK_FINDING_ELEMENTS, "elements");
    ck_assert_str_eq(finding->message,
                     "1 of 12 numbers in dW of layer 0 is wrong, namely that of "
                     "input 2, unit 1; the others are right");
    s.c.gradient[9] = NAN;
    scene_find(&s);
    finding = only_one(&s, GCK_FINDING_NON_FINITE, "non_finite");
    ck_assert_str_eq(finding->message,
                     "1 of 12 numbers in dW of layer 0 is NaN or infinite, namely that of "
                     "input 2, unit 1");
    scene_close(&s);
}
END_TEST

/* _i: 0: exactly 0, 1: less than rounding can tell from 0, 2: more. */
START_TEST(zeros_are_told_from_what_is_nearly_so)
{
    static const struct {
        double number;
        gck_finding_code code;
        const char *message;
    } cases[] = {
        {0, GCK_FINDING_ZERO, "dW of layer 0 is zero throughout"},
        {4e-324, GCK_FINDING_ZERO,
         "dW of layer 0 is zero throughout, or as good as: its numbers are 4.9e-324 at most, which "
         "rounding cannot tell from 0"},
        {1e-10, GCK_FINDING_UNEXPLAINED,
         "dW of layer 0 is wrong in a way that no known mistake explains; the layers above are "
         "right"},
    };
    scene s;
    scene_small(&s);
    for (size_t e = 0; e < 12; e++)
        s.c.gradient[e] = cases[_i].number;
    scene_find(&s);
    ck_assert_uint_eq(s.found.count, 1);
    ck_assert_int_eq(s.found.finding[0].mistake.code, cases[_i].code);
    ck_assert_str_eq(s.found.finding[0].message, cases[_i].message);
    if (_i == 1) ck_assert_double_eq(evidence_of(&s.found.finding[0], "largest"), 4e-324);
    scene_close(&s);
}
END_TEST

SUITE_MAIN("finding_forward", {outputs_that_cancel_are_right, 0},
           {outputs_next_to_nothing_are_right, 0}, {a_cost_of_saturated_outputs_is_not_judged, 0},
           {a_cost_that_rounding_loses_is_told_beside_a_mistake, 0},
           {right_outputs_and_costs_in_float_are_ours, 20}, {wrong_outputs_and_costs_are_seen, 15},
           {blocks_make_no_difference, 0},
           {a_cost_that_is_no_number_is_told_as_such, COUNT(strange_costs)},
           {outputs_that_are_no_numbers_are_told_as_such, 0},
           {a_factor_is_told_where_the_cost_has_digits, 2},
           {outputs_of_samples_without_weight_are_left_alone, 0},
           {a_difference_is_warned_of_where_no_gradient_fails, 0},
           {a_claim_of_no_numbers_is_one_finding, 0}, {elements_are_told_by_input_and_unit, 0},
           {zeros_are_told_from_what_is_nearly_so, 3})
