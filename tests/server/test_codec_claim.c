/* Claims out of bodies: each form that they may take, what stands for numbers that JSON does not
 * have, and how conventions become the form inside. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* dense 3 -> 2, dropout, dense 2 -> 1: W and b of layers 0 and 2, 11 parameters; two samples. */
#define LAYERS "[" DENSE ", {'type': 'dropout', 'rate': 0.5}, {'type': 'dense', 'units': 1}]"
#define BODY(MODEL_MORE, CLAIMED)                                                   \
    "{'model': {'input_shape': [3], 'layers': " LAYERS ", 'cost': 'mse'" MODEL_MORE \
    "}, "                                                                           \
    "'data': {'x': [[1, 2, 3], [4, 5, 6]], 'y': [[1], [0]]}, 'check': {'claimed': " CLAIMED "}}"
#define FIRST "{'W': [[1, 2], [3, 4], [5, 6]], 'b': [7, 8]}"
#define LAST "{'W': [[9], [10]], 'b': [11]}"

static void claims_expect(const struct spec *spec, const char *claimed)
{
    ck_assert_uint_eq(strlen(claimed), spec->model->layer_count * GCK_TENSORS_MAX);
    for (size_t t = 0; claimed[t] != '\0'; t++)
        ck_assert_int_eq(spec->claim->tensor_claimed[t], claimed[t] == '1');
}

/* ---- which tensors ---- */

START_TEST(both_list_forms)
{
    static const char *const lists[] = {"[" FIRST ", null, " LAST "]", "[" FIRST ", {}, " LAST "]",
                                        "[" FIRST ", " LAST "]"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct spec *spec = spec_of(JOB_CHECK, body_of(BODY("", "{'gradients': %s}"), lists[i]));
        claims_expect(spec, "110011");
        ck_assert_ptr_eq(spec->check.claim, &spec->claim->core);
        ck_assert_int_eq(spec->claim->core.dtype, GCK_FLOAT64);
        ck_assert_ptr_null(spec->claim->core.inputs);
        ck_assert_ptr_null(spec->claim->core.outputs);
        ck_assert(!spec->claim->core.has_cost && !spec->check.inputs);
        for (size_t k = 0; k < 11; k++)
            ck_assert_double_eq(spec->claim->core.gradient[k], (double)(k + 1));
        spec_free(spec);
    }
}
END_TEST

START_TEST(what_is_left_out_is_not_claimed)
{
    static const struct {
        const char *list, *claimed;
    } cases[] = {
        {"[" FIRST ", null, null]", "110000"},
        {"[null, null, " LAST "]", "000011"},
        {"[{'W': [[1, 2], [3, 4], [5, 6]]}, {}, {'b': [11]}]", "100001"},
        {"[{'W': null, 'b': [7, 8]}, null]", "010000"},
        {"[{}, {'W': [[9], [10]], 'b': null}]", "000010"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spec *spec =
            spec_of(JOB_CHECK, body_of(BODY("", "{'gradients': %s}"), cases[i].list));
        claims_expect(spec, cases[i].claimed);
        spec_free(spec);
    }
}
END_TEST

/* One entry a layer, but for the last ones; where layers have none, that is not the other form. */
START_TEST(a_list_may_end_early)
{
    static const struct {
        const char *list, *claimed;
    } cases[] = {
        {"[" FIRST "]", "11000000"},
        {"[" FIRST ", null, " LAST "]", "11001100"},
        {"[" FIRST ", " LAST "]", "11001100"},
        {"[null, null, {'b': [11]}]", "00000100"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spec *spec = spec_of(
            JOB_CHECK,
            body_of("{'model': {'input_shape': [3], 'cost': 'mse', 'layers': [" DENSE
                    ", {'type': 'dropout', 'rate': 0.5}, {'type': 'dense', 'units': 1}, "
                    "{'type': 'activation', 'activation': 'tanh'}]}, 'data': {'x': [[1, 2, 3]], "
                    "'y': [[1]]}, 'check': {'claimed': {'gradients': %s}}}",
                    cases[i].list));
        claims_expect(spec, cases[i].claimed);
        spec_free(spec);
    }
}
END_TEST

/* Every option is as if it were not there. */
START_TEST(null_is_not_given)
{
    static const char *const claims[] = {
        "'inputs': null, 'cost': null, 'outputs': null, 'dtype': null, 'convention': null",
        "'convention': {'type': null, 'weight_layout': null, 'samples': null, 'reduction': null, "
        "'scale': null, 'regulariser': null}",
    };
    for (size_t i = 0; i < COUNT(claims); i++) {
        struct spec *spec = spec_of(
            JOB_CHECK, body_of(BODY("", "{'gradients': [" FIRST ", " LAST "], %s}"), claims[i]));
        const gck_claim *claim = &spec->claim->core;
        ck_assert(!claim->has_cost && claim->inputs == NULL && claim->outputs == NULL);
        ck_assert_int_eq(claim->dtype, GCK_FLOAT64);
        for (size_t k = 0; k < 11; k++)
            ck_assert_double_eq(claim->gradient[k], (double)(k + 1));
        spec_free(spec);
    }
}
END_TEST

START_TEST(members_beside_gradients)
{
    struct spec *spec = spec_of(
        JOB_CHECK,
        body_of(BODY("", "{'gradients': [" FIRST ", null], 'inputs': [[1, 2, 3], [4, 5, 6]], "
                         "'cost': 0.25, 'outputs': [[0.5], [-0.5]], 'dtype': 'bfloat16'}")));
    const gck_claim *claim = &spec->claim->core;
    ck_assert_int_eq(claim->dtype, GCK_BFLOAT16);
    ck_assert(claim->has_cost && spec->check.inputs);
    ck_assert_double_eq(claim->cost, 0.25);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq(claim->inputs[i], (double)(i + 1));
    ck_assert_double_eq(claim->outputs[0], 0.5);
    ck_assert_double_eq(claim->outputs[1], -0.5);
    spec_free(spec);
    /* one output may be flat; null is not given */
    spec = spec_of(JOB_CHECK, body_of(BODY("", "{'gradients': [" FIRST ", null], 'inputs': null, "
                                               "'cost': null, 'outputs': [0.5, -0.5]}")));
    ck_assert(!spec->claim->core.has_cost && !spec->check.inputs);
    ck_assert_double_eq(spec->claim->core.outputs[1], -0.5);
    spec_free(spec);
    /* x alone */
    spec = spec_of(JOB_CHECK, body_of(BODY("", "{'inputs': [[1, 2, 3], [4, 5, 6]]}")));
    claims_expect(spec, "000000");
    ck_assert(spec->check.inputs);
    spec_free(spec);
}
END_TEST

static const struct bound refused[] = {
    {"[]", "/check/claimed"},
    {"{}", "/check/claimed"},
    {"{'gradients': null}", "/check/claimed"},
    {"{'gradients': [null, null, null]}", "/check/claimed"},
    {"{'gradients': [{}, {'W': null}]}", "/check/claimed"},
    {"{'gradients': []}", "/check/claimed"},
    {"{'gradients': [null]}", "/check/claimed"},
    {"{'gradients': [" FIRST ", null, null, null]}", "/check/claimed/gradients"},
    {"{'gradients': {'W': 1}}", "/check/claimed/gradients"},
    {"{'gradients': [" FIRST ", {'c': 1}, null]}", "/check/claimed/gradients/1/c"},
    {"{'gradients': [{'w': [[1, 2], [3, 4], [5, 6]]}, null]}", "/check/claimed/gradients/0/w"},
    {"{'gradients': [[1, 2], null]}", "/check/claimed/gradients/0"},
    {"{'gradients': [" FIRST ", null], 'dtype': 'double'}", "/check/claimed/dtype"},
    {"{'gradients': [" FIRST ", null], 'dtype': 32}", "/check/claimed/dtype"},
    {"{'gradients': [" FIRST ", null], 'cost': '0.5'}", "/check/claimed/cost"},
    {"{'gradients': [" FIRST ", null], 'costs': 1}", "/check/claimed/costs"},
    {"{'gradients': [" FIRST ", null], 'inputs': [[1, 2], [3, 4]]}", "/check/claimed/inputs"},
    {"{'gradients': [" FIRST ", null], 'outputs': [[1, 2], [3, 4]]}", "/check/claimed/outputs"},
    {"{'gradients': [" FIRST ", null], 'convention': 'torch'}", "/check/claimed/convention"},
    {"{'gradients': [" FIRST ", null], 'convention': {'layout': 'rows'}}",
     "/check/claimed/convention/layout"},
    {"{'gradients': [" FIRST ", null], 'convention': {'scale': 0}}",
     "/check/claimed/convention/scale"},
    {"{'gradients': [" FIRST ", null], 'convention': {'scale': 1e-320}}",
     "/check/claimed/convention/scale"},
    {"{'gradients': [" FIRST ", null], 'convention': {'scale': -1e-101}}",
     "/check/claimed/convention/scale"},
    {"{'gradients': [" FIRST ", null], 'convention': {'scale': 1.1e6}}",
     "/check/claimed/convention/scale"},
    {"{'gradients': [" FIRST ", null], 'convention': {'scale': -1e-100}}", NULL},
    {"{'gradients': [{'W': 5}, null]}", "/check/claimed/gradients/0/W"},
    {"{'gradients': [{'W': [[1, 2], [3, 4]]}, null]}", "/check/claimed/gradients/0/W"},
    {"{'gradients': [{'W': [[1, 2], [3, 4, 5], [5, 6]]}, null]}", "/check/claimed/gradients/0/W/1"},
    {"{'gradients': [{'W': [[1, 2], [3, 'nan'], [5, 6]]}, null]}",
     "/check/claimed/gradients/0/W/1/1"},
    {"{'gradients': [{'W': [[1, 2], [3, true], [5, 6]]}, null]}",
     "/check/claimed/gradients/0/W/1/1"},
    {"{'gradients': [{'W': [[1, 2], null, [5, 6]]}, null]}", "/check/claimed/gradients/0/W/1"},
};

START_TEST(what_is_refused_is_pointed_at)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK, BODY("", "%s"), refused, COUNT(refused)), 0);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_both_shown)
{
    static const struct {
        const char *claimed, *detail;
    } cases[] = {
        {"{'gradients': [{'W': [[1, 2, 3], [4, 5, 6]]}, null]}",
         "W of layer 0 (dense) must be (3, 2), got (2, 3); with weight_layout out_in it would fit"},
        {"{'gradients': [{'W': [[1, 2], [3, 4], [5, 6]]}, null], 'convention': 'pytorch'}",
         "W of layer 0 (dense) must be (2, 3), got (3, 2); with weight_layout in_out it would fit"},
        {"{'gradients': [{'W': [[1, 2, 3, 4]]}, null]}",
         "W of layer 0 (dense) must be (3, 2), got (1, 4)"},
        {"{'gradients': [{'b': [1, 2, 3]}, null]}", "b of layer 0 (dense) must be (2), got (3)"},
        /* no shape: the row that has another length than it must have */
        {"{'gradients': [{'W': [[1, 2], [3, 4], [5, 6, 7]]}, null]}",
         "row 2 has 3 items where there must be 2: W of layer 0 (dense) must be (3, 2)"},
        {"{'gradients': [{'W': [[1], [3, 4], [5, 6]]}, null]}",
         "row 0 has 1 item where there must be 2: W of layer 0 (dense) must be (3, 2)"},
        {"{'inputs': [[1, 4], [2, 5], [3, 6]]}",
         "the gradient of x must be (2, 3), got (3, 2); with samples columns it would fit"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem problem;
        ck_assert_ptr_null(
            spec_try(JOB_CHECK, body_of(BODY("", "%s"), cases[i].claimed), &problem));
        ck_assert_str_eq(problem.detail, cases[i].detail);
    }
}
END_TEST

/* ---- numbers that JSON does not have ---- */

/* Among many numbers, which are read as a nest, among few, and in a ragged text. */
START_TEST(null_and_names_are_numbers)
{
    static const char *const claims[] = {
        "{'gradients': [{'W': [[1, null], ['NaN', 'Infinity'], ['-Infinity', 6]]}, null]}",
        "{'gradients': [{'W': [[1, null] ,[ 'NaN', 'Infinity' ], ['-Infinity',6]]}, null]}",
        "{'gradients': [{'W': [[1, null], ['\\u004eaN', 'Infinity'], ['-Infinity', 6]]}, null]}",
    };
    for (size_t i = 0; i < COUNT(claims); i++) {
        struct spec *spec = spec_of(JOB_CHECK, body_of(BODY("", "%s"), claims[i]));
        const double *w = spec->claim->core.gradient;
        ck_assert_double_eq(w[0], 1);
        ck_assert_double_nan(w[1]);
        ck_assert_double_nan(w[2]);
        ck_assert(isinf(w[3]) && w[3] > 0 && isinf(w[4]) && w[4] < 0);
        ck_assert_double_eq(w[5], 6);
        spec_free(spec);
    }
    struct spec *spec =
        spec_of(JOB_CHECK, body_of(BODY("",
                                        "{'gradients': [{'b': [null, 1]}, {'b': ['NaN']}], "
                                        "'cost': 'Infinity', 'outputs': [null, 2]}")));
    ck_assert_double_nan(spec->claim->core.gradient[6]);
    ck_assert_double_nan(spec->claim->core.gradient[10]);
    ck_assert_double_nan(spec->claim->core.outputs[0]);
    ck_assert_double_infinite(spec->claim->core.cost);
    spec_free(spec);
}
END_TEST

static const struct bound elsewhere[] = {
    {"'x': [[1, null, 3], [4, 5, 6]], 'y': [[1], [0]]", "/data/x/0/1"},
    {"'x': [[1, 'NaN', 3], [4, 5, 6]], 'y': [[1], [0]]", "/data/x/0/1"},
    {"'x': {'claimed': [[1, null, 3], [4, 5, 6]]}, 'y': [[1], [0]]", "/data/x"},
    {"'x': {'claimed': {'x': [[1, null, 3], [4, 5, 6]]}}, 'y': [[1], [0]]", "/data/x"},
    {"'x': [[1, 2, 3], [4, 5, 6]], 'y': [[1], [null]]", "/data/y/1/0"},
};

START_TEST(but_only_in_a_claim)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK,
                                   "{'model': {'input_shape': [3], 'layers': " LAYERS
                                   ", 'cost': 'mse'}, 'check': {'claimed': {'gradients': [" FIRST
                                   ", null]}}, 'data': {%s}}",
                                   elsewhere, COUNT(elsewhere)),
                     0);
}
END_TEST

/* ---- conventions ---- */

/* The same claim, written down otherwise: every number must come out the same. */
START_TEST(layouts_are_turned)
{
    static const char *const claims[] = {
        "{'gradients': [" FIRST ", " LAST "], 'inputs': [[1, 2, 3], [4, 5, 6]]}",
        "{'gradients': [{'W': [[1, 3, 5], [2, 4, 6]], 'b': [7, 8]}, {'W': [[9, 10]], 'b': [11]}], "
        "'inputs': [[1, 2, 3], [4, 5, 6]], 'convention': {'weight_layout': 'out_in'}}",
        "{'gradients': [{'W': [[1, 3, 5], [2, 4, 6]], 'b': [[7], [8]]}, "
        "{'W': [[9, 10]], 'b': [[11]]}], 'inputs': [[1, 4], [2, 5], [3, 6]], "
        "'convention': 'columns'}",
        "{'gradients': [{'W': [[1, 2], [3, 4], [5, 6]], 'b': [[7, 8]]}, " LAST
        "], "
        "'inputs': [[1, 4], [2, 5], [3, 6]], 'convention': {'samples': 'columns'}}",
        "{'gradients': [" FIRST ", " LAST
        "], 'inputs': [[1, 2, 3], [4, 5, 6]], "
        "'convention': 'keras'}",
    };
    for (size_t i = 0; i < COUNT(claims); i++) {
        struct spec *spec = spec_of(JOB_CHECK, body_of(BODY("", "%s"), claims[i]));
        for (size_t k = 0; k < 11; k++)
            ck_assert_double_eq(spec->claim->core.gradient[k], (double)(k + 1));
        for (size_t k = 0; k < 6; k++)
            ck_assert_double_eq(spec->claim->core.inputs[k], (double)(k + 1));
        spec_free(spec);
    }
}
END_TEST

/* mse of 2 outputs and 2 samples, whose factor is 1/2 here, 1/4 as a mean over elements, 1 as a
 * sum; W all 1, so that l2 = 0.5 adds 1 to each of its gradients, and 2 * 0.5 to the cost. */
#define TWO "{'input_shape': [1], 'layers': [{'type': 'dense', 'units': 2, 'l2': 0.5}]"
#define FACTOR_BODY(COST, CLAIMED)                                                          \
    "{'model': " TWO ", 'cost': " COST                                                      \
    ", 'parameters': [{'W': [[1, 1]], 'b': [0, 0]}]}, "                                     \
    "'data': {'x': [[1], [2]], 'y': [[1, 0], [0, 1]]}, 'check': {'claimed': {'gradients': " \
    "[{'W': [[8, 'NaN']], 'b': [4, 2]}], 'cost': 3" CLAIMED "}}}"

#define IN_OUT ", 'weight_layout': 'in_out'"

START_TEST(claims_become_those_of_the_models_cost)
{
    static const struct {
        const char *cost, *more;
        double w, b, j;
    } cases[] = {
        {"'mse'", "", 8, 4, 3},
        {"'mse'", ", 'convention': {'type': 'columns'" IN_OUT "}", 8, 4, 3},
        {"'mse'", ", 'convention': {'reduction': 'mean'}", (8 - 1) * 2 + 1, 8, (3 - 1) * 2 + 1},
        {"'mse'", ", 'convention': {'reduction': 'sum'}", (8 - 1) / 2. + 1, 2, (3 - 1) / 2. + 1},
        {"'mse'", ", 'convention': {'scale': 0.5}", (8 - 1) * 2 + 1, 8, (3 - 1) * 2 + 1},
        {"'mse'", ", 'convention': {'regulariser': 'excluded'}", 9, 4, 4},
        {"'mse'", ", 'convention': 'keras'", (8 - 1) * 2 + 1, 8, (3 - 1) * 2 + 1},
        {"'mse'", ", 'convention': {'type': 'pytorch'" IN_OUT "}", 8 * 2 + 1, 8, 3 * 2 + 1},
        {"'mse'", ", 'convention': {'type': 'pytorch'" IN_OUT ", 'reduction': 'batch_mean'}", 9, 4,
         4},
        {"'mse'", ", 'convention': {'type': 'pytorch'" IN_OUT ", 'regulariser': 'included'}",
         (8 - 1) * 2 + 1, 8, (3 - 1) * 2 + 1},
        /* what the model's cost says itself is not the set's to say */
        {"{'type': 'mse', 'reduction': 'batch_mean'}",
         ", 'convention': {'type': 'pytorch'" IN_OUT "}", 9, 4, 4},
        {"{'type': 'mse', 'reduction': 'sum', 'scale': 3}", ", 'convention': 'keras'", 8, 4, 3},
        {"{'type': 'mse', 'scale': 3}", ", 'convention': {'scale': 1}", (8 - 1) * 3 + 1, 12,
         (3 - 1) * 3 + 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char more[200];
        snprintf(more, sizeof more, "%s", cases[i].more);
        struct spec *spec =
            spec_of(JOB_CHECK, body_of(FACTOR_BODY("%s", "%s"), cases[i].cost, more));
        const gck_claim *claim = &spec->claim->core;
        ck_assert_msg(claim->gradient[0] == cases[i].w, "%zu: %g", i, claim->gradient[0]);
        ck_assert_double_nan(claim->gradient[1]);
        ck_assert_msg(claim->gradient[2] == cases[i].b, "%zu: %g", i, claim->gradient[2]);
        ck_assert_msg(claim->cost == cases[i].j, "%zu: %g", i, claim->cost);
        spec_free(spec);
    }
}
END_TEST

START_TEST(a_claim_is_in_the_models_convention)
{
    struct spec *spec =
        spec_of(JOB_CHECK,
                body_of(BODY(", 'convention': 'pytorch'",
                             "{'gradients': [{'W': [[1, 3, 5], [2, 4, 6]], 'b': [7, 8]}, null]}")));
    for (size_t k = 0; k < 8; k++)
        ck_assert_double_eq(spec->claim->core.gradient[k], (double)(k + 1));
    spec_free(spec);
    /* an object without a type overrides that */
    spec = spec_of(JOB_CHECK, body_of(BODY(", 'convention': 'pytorch'",
                                           "{'gradients': [" FIRST ", null], 'convention': "
                                           "{'weight_layout': 'in_out'}}")));
    for (size_t k = 0; k < 8; k++)
        ck_assert_double_eq(spec->claim->core.gradient[k], (double)(k + 1));
    spec_free(spec);
}
END_TEST

/* ---- with the rest of a check ---- */

static const struct bound together[] = {
    {"'inputs': true, 'claimed': {'gradients': [" FIRST ", null]}", "/check/inputs"},
    {"'inputs': true, 'claimed': {'inputs': [[1, 2, 3], [4, 5, 6]]}", NULL},
    {"'inputs': false, 'claimed': {'inputs': [[1, 2, 3], [4, 5, 6]]}", NULL},
    {"'layers': [0], 'claimed': {'gradients': [" FIRST ", " LAST "]}", NULL},
    {"'layers': [2], 'claimed': {'gradients': [" FIRST ", null]}", "/check"},
    {"'layers': [], 'claimed': {'inputs': [[1, 2, 3], [4, 5, 6]]}", NULL},
    {"'method': 'directional', 'claimed': {'gradients': [" FIRST ", null]}", NULL},
    {"'sensitivity': true, 'claimed': {'gradients': [" FIRST ", null]}", NULL},
    {"'sensitivity': true", NULL},
    {"'sensitivity': 1", "/check/sensitivity"},
};

START_TEST(claims_with_other_options)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK,
                                   "{'model': {'input_shape': [3], 'layers': " LAYERS
                                   ", 'cost': 'mse'}, 'data': {'x': [[1, 2, 3], [4, 5, 6]], "
                                   "'y': [[1], [0]]}, 'check': {%s}}",
                                   together, COUNT(together)),
                     0);
}
END_TEST

START_TEST(the_memory_of_a_claim_counts)
{
    struct spec *without = spec_of(JOB_CHECK, body_of(BODY("", "null")));
    struct spec *with =
        spec_of(JOB_CHECK, body_of(BODY("", "{'gradients': [" FIRST ", " LAST "]}")));
    ck_assert_double_ge(with->memory_bytes, without->memory_bytes + 11 * sizeof(double));
    spec_free(with);
    spec_free(without);
}
END_TEST

SUITE_MAIN("codec_claim", {both_list_forms, 0}, {what_is_left_out_is_not_claimed, 0},
           {a_list_may_end_early, 0}, {null_is_not_given, 0}, {members_beside_gradients, 0},
           {what_is_refused_is_pointed_at, 0}, {shapes_that_do_not_fit_are_both_shown, 0},
           {null_and_names_are_numbers, 0}, {but_only_in_a_claim, 0}, {layouts_are_turned, 0},
           {claims_become_those_of_the_models_cost, 0}, {a_claim_is_in_the_models_convention, 0},
           {claims_with_other_options, 0}, {the_memory_of_a_claim_counts, 0})
