/* Claims judged in place of the library's own gradients: what is judged, by which tolerance, and
 * what does not depend on them. */
#include "core/check.h"
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 3-4-2 with tanh; W, b of layer 0, then of layer 1: 26 parameters. */
enum { W0 = 0, B0 = 12, W1 = 16, B1 = 24, PARAMETERS = 26, SAMPLES = 5 };

struct claimed {
    network net;
    gck_check_spec spec;
    gck_claim claim;
    bool tensor[2 * GCK_TENSORS_MAX];
    double gradient[PARAMETERS], inputs[SAMPLES * 3];
};

/* All of it claimed, as it is. */
static struct claimed *claimed_new(void)
{
    const gck_layer_spec layers[] = {dense(4, "tanh"), dense(2, "sigmoid")};
    struct claimed *c = calloc(1, sizeof *c);
    gck_check *check;
    gck_report *report;
    c->net = network_new(3, layers, 2, cost_named("mse"), SAMPLES);
    network_draw_biases(&c->net);
    c->spec = check_spec_of(&c->net);
    c->spec.inputs = true;
    ck_assert_int_eq(check_run(&c->spec, &check, &report), GCK_OK);
    memcpy(c->gradient, check->parameter.analytic, sizeof c->gradient);
    memcpy(c->inputs, check->x.analytic, sizeof c->inputs);
    gck_report_free(report);
    gck_check_free(check);
    memset(c->tensor, true, sizeof c->tensor);
    c->claim = (gck_claim){.gradient = c->gradient, .tensor_claimed = c->tensor};
    c->spec.claim = &c->claim;
    c->spec.inputs = false;
    return c;
}

static void claimed_free(struct claimed *c)
{
    network_done(&c->net);
    free(c);
}

static gck_report *report_of(const struct claimed *c)
{
    gck_check *check;
    gck_report *report;
    ck_assert_int_eq(check_run(&c->spec, &check, &report), GCK_OK);
    gck_check_free(check);
    return report;
}

static gck_verdict verdict_of(const struct claimed *c)
{
    gck_report *report = report_of(c);
    const gck_verdict verdict = report->verdict;
    gck_report_free(report);
    return verdict;
}

/* ---- what is judged ---- */

/* _i: the method. */
START_TEST(a_claim_is_judged_element_by_element)
{
    struct claimed *c = claimed_new();
    c->spec.method = (gck_method)_i;
    ck_assert_int_eq(verdict_of(c), GCK_PASS);
    for (size_t i = 0; i < PARAMETERS; i += 5) {
        const double right = c->gradient[i];
        c->gradient[i] = right * 1.001 + 1e-9;
        ck_assert_int_eq(verdict_of(c), GCK_FAIL);
        c->gradient[i] = NAN;
        ck_assert_int_eq(verdict_of(c), GCK_FAIL);
        c->gradient[i] = -INFINITY;
        ck_assert_int_eq(verdict_of(c), GCK_FAIL);
        c->gradient[i] = right;
    }
    claimed_free(c);
}
END_TEST

START_TEST(the_report_holds_the_claim)
{
    struct claimed *c = claimed_new();
    c->gradient[W1 + 3] += 1;
    gck_report *report = report_of(c);
    const gck_tensor_report *w = &report->layer[1].tensor[0];
    ck_assert_int_eq(report->layer[0].verdict, GCK_PASS);
    ck_assert_int_eq(w->verdict, GCK_FAIL);
    ck_assert_uint_eq(w->wrong_elements, 1);
    ck_assert_uint_eq(w->worst[0].index, 3);
    ck_assert_double_eq(w->worst[0].analytic, c->gradient[W1 + 3]);
    ck_assert_ptr_eq(w->analytic, c->gradient + W1);
    ck_assert_int_eq(report->layer[1].tensor[1].verdict, GCK_PASS);
    gck_report_free(report);
    claimed_free(c);
}
END_TEST

START_TEST(what_is_not_claimed_is_left_out)
{
    struct claimed *c = claimed_new();
    c->tensor[0] = false; /* W of layer 0 */
    c->gradient[W0] = NAN;
    gck_report *report = report_of(c);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_uint_eq(report->parameters_checked, PARAMETERS - 12);
    ck_assert_double_eq(report->evaluations, 2. * (PARAMETERS - 12));
    ck_assert_uint_eq(report->layer_count, 2);
    ck_assert_uint_eq(report->layer[0].tensor_count, 1);
    ck_assert_str_eq(report->layer[0].tensor[0].name, "b");
    gck_report_free(report);
    c->tensor[1] = false; /* and its b */
    report = report_of(c);
    ck_assert_uint_eq(report->layer_count, 1);
    ck_assert_uint_eq(report->layer[0].index, 1);
    ck_assert_uint_eq(report->parameters_checked, 10);
    gck_report_free(report);
    claimed_free(c);
}
END_TEST

START_TEST(layers_and_claims_both_choose)
{
    struct claimed *c = claimed_new();
    const bool last[] = {false, true};
    gck_check *check;
    gck_error error;
    c->spec.layer_checked = last;
    gck_report *report = report_of(c);
    ck_assert_uint_eq(report->parameters_checked, 10);
    gck_report_free(report);
    c->tensor[2] = c->tensor[3] = false;
    ck_assert_int_eq(gck_check_new(&c->spec, &check, &error), GCK_INVALID);
    claimed_free(c);
}
END_TEST

START_TEST(x_is_judged_where_it_is_claimed)
{
    struct claimed *c = claimed_new();
    gck_check *check;
    gck_error error;
    c->spec.inputs = true;
    ck_assert_int_eq(gck_check_new(&c->spec, &check, &error), GCK_INVALID);
    ck_assert_str_eq(error.where, "inputs");
    c->claim.inputs = c->inputs;
    ck_assert_int_eq(verdict_of(c), GCK_PASS);
    c->inputs[7] = 1;
    gck_report *report = report_of(c);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    ck_assert_uint_eq(report->inputs.worst[0].index, 7);
    ck_assert_double_eq(report->inputs.worst[0].analytic, 1);
    gck_report_free(report);
    claimed_free(c);
}
END_TEST

/* ---- by which tolerance ---- */

START_TEST(the_tolerance_is_the_dtypes)
{
    static const double tolerances[] = {1e-8, 1e-6, 4e-3, 3e-2};
    struct claimed *c = claimed_new();
    for (int dtype = GCK_FLOAT64; dtype <= GCK_BFLOAT16; dtype++) {
        c->claim.dtype = (gck_dtype)dtype;
        gck_report *report = report_of(c);
        ck_assert_double_eq(report->tolerance, tolerances[dtype]);
        ck_assert_int_eq(report->verdict, GCK_PASS);
        ck_assert_int_eq(report->warning_count > 0 &&
                             strstr(report->warning[0], gck_dtype_name(c->claim.dtype)) != NULL,
                         dtype != GCK_FLOAT64);
        gck_report_free(report);
    }
    c->spec.tolerance = 1e-3;
    gck_report *report = report_of(c);
    ck_assert_double_eq(report->tolerance, 1e-3);
    gck_report_free(report);
    claimed_free(c);
}
END_TEST

START_TEST(float32_is_right_as_float32_alone)
{
    struct claimed *c = claimed_new();
    for (size_t i = 0; i < PARAMETERS; i++)
        c->gradient[i] = (double)(float)c->gradient[i];
    ck_assert_int_eq(verdict_of(c), GCK_FAIL);
    c->claim.dtype = GCK_FLOAT32;
    ck_assert_int_eq(verdict_of(c), GCK_PASS);
    c->gradient[B0] *= 1.001;
    ck_assert_int_eq(verdict_of(c), GCK_FAIL);
    claimed_free(c);
}
END_TEST

/* A claim that is not finite has no warning that our own terms overflow. */
START_TEST(a_claim_that_is_not_finite_warns_of_nothing)
{
    struct claimed *c = claimed_new();
    for (size_t i = 0; i < PARAMETERS; i++)
        c->gradient[i] = NAN;
    gck_report *report = report_of(c);
    ck_assert_uint_eq(report->warning_count, 0);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    gck_report_free(report);
    claimed_free(c);
}
END_TEST

/* ---- what does not depend on it ---- */

/* Work that was done for one claim is good for another, so that it is good after a restart. */
START_TEST(cut_and_state_are_the_same_for_any_values)
{
    struct claimed *c = claimed_new();
    gck_check *right = check_open(&c->spec), *wrong;
    check_cut_small(right);
    check_finish(right);
    const size_t count = gck_check_state_count(right);
    double *state[2] = {gck_vector_new(count), gck_vector_new(count)};
    gck_check_state_save(right, state[0]);
    for (size_t i = 0; i < PARAMETERS; i++)
        c->gradient[i] = i % 2 == 0 ? NAN : 7;
    wrong = check_open(&c->spec);
    check_cut_small(wrong);
    check_finish(wrong);
    ck_assert_mem_eq(gck_check_cut_of(right), gck_check_cut_of(wrong), sizeof(gck_check_cut));
    ck_assert_uint_eq(gck_check_state_count(wrong), count);
    gck_check_state_save(wrong, state[1]);
    ck_assert_mem_eq(state[0], state[1], count * sizeof(double));
    for (int i = 0; i < 2; i++)
        gck_vector_free(state[i]);
    gck_check_free(right);
    gck_check_free(wrong);
    claimed_free(c);
}
END_TEST

START_TEST(less_is_claimed_less_is_estimated)
{
    struct claimed *c = claimed_new();
    gck_check_cost all, some;
    gck_check_estimate(&c->spec, SAMPLES, &all);
    ck_assert_uint_eq(all.parameters, PARAMETERS);
    c->tensor[0] = c->tensor[1] = false;
    gck_check_estimate(&c->spec, SAMPLES, &some);
    ck_assert_uint_eq(some.parameters, 10);
    ck_assert_double_lt(some.operations, all.operations);
    claimed_free(c);
}
END_TEST

SUITE_MAIN("check_claim", {a_claim_is_judged_element_by_element, GCK_DIRECTIONAL + 1},
           {the_report_holds_the_claim, 0}, {what_is_not_claimed_is_left_out, 0},
           {layers_and_claims_both_choose, 0}, {x_is_judged_where_it_is_claimed, 0},
           {the_tolerance_is_the_dtypes, 0}, {float32_is_right_as_float32_alone, 0},
           {a_claim_that_is_not_finite_warns_of_nothing, 0},
           {cut_and_state_are_the_same_for_any_values, 0}, {less_is_claimed_less_is_estimated, 0})
