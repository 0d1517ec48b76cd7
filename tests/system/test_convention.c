/*
 * The same network, written down as different frameworks have it: bodies are read so, answers come
 * so, and the numbers are the same.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <string.h>

/* Rows to columns. */
static json_t *turned(const json_t *matrix)
{
    json_t *result = json_array();
    for (size_t j = 0; j < json_array_size(json_array_get(matrix, 0)); j++) {
        json_t *row = json_array();
        for (size_t i = 0; i < json_array_size(matrix); i++)
            json_array_append(row, json_array_get(json_array_get(matrix, i), j));
        json_array_append_new(result, row);
    }
    return result;
}

/* 3-4-2, mse, 5 samples, parameters given. */
static json_t *plain(void)
{
    json_t *model = model_new(3, "4 tanh; dropout 0.5; 2 sigmoid", "mse");
    json_object_set_new(model, "parameters",
                        json_pack("[{s:o, s:o}, n, {s:o, s:o}]", "W", matrix_new(3, 4, 3), "b",
                                  value_parse("[0.1, 0.2, 0.3, 0.4]"), "W", matrix_new(4, 2, 4),
                                  "b", value_parse("[0.5, 0.6]")));
    json_t *request = check_new(model, data_new(5, 3, 2));
    value_set(request, "/check", value_parse("{\"inputs\": true, \"include\": [\"gradients\"]}"));
    return request;
}

/* The same in a convention: weights and samples turned as it has them. */
static json_t *written(const char *convention, bool out_in, bool columns)
{
    static const char *const weights[] = {"/model/parameters/0/W", "/model/parameters/2/W"};
    static const char *const samples[] = {"/data/x", "/data/y"};
    json_t *request = plain();
    for (int i = 0; i < 2; i++) {
        if (out_in) value_set(request, weights[i], turned(value_at(request, weights[i])));
        if (columns) value_set(request, samples[i], turned(value_at(request, samples[i])));
    }
    value_set(request, "/model/convention", value_parse(convention));
    return request;
}

static void same_numbers(const json_t *a, const json_t *b)
{
    ck_assert_msg(largest_difference(numbers_of(a), numbers_of(b)) == 0, "%s, not %s",
                  json_dumps(a, 0), json_dumps(b, 0));
}

static const struct written_as {
    const char *convention;
    bool out_in, columns;
} forms[] = {
    {"{\"weight_layout\": \"out_in\"}", true, false},
    {"{\"samples\": \"columns\"}", false, true},
    {"\"columns\"", true, true},
    {"{\"type\": \"columns\", \"weight_layout\": \"in_out\"}", false, true},
    {"{\"type\": \"pytorch\", \"reduction\": \"batch_mean\"}", true, false},
    {"{\"type\": \"keras\", \"reduction\": \"batch_mean\"}", false, false},
    {"{}", false, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

static json_t *as(const struct written_as *form, const json_t *matrix, bool is_weight)
{
    const bool turn = is_weight ? form->out_in : form->columns;
    return keep(turn ? turned(matrix) : json_deep_copy(matrix));
}

START_TEST(bodies_and_answers_follow_it)
{
    struct service service;
    service_start(&service, "");
    json_t *want = job_result(&service, CHECKS, plain());
    for (int i = 0; i < FORMS; i++) {
        const struct written_as *form = &forms[i];
        json_t *got =
            job_result(&service, CHECKS, written(form->convention, form->out_in, form->columns));
        ck_assert_str_eq(text_at(got, "/verdict"), "pass");
        ck_assert(number_at(got, "/cost") == number_at(want, "/cost"));
        ck_assert(number_at(got, "/distance") == number_at(want, "/distance"));
        same_numbers(value_at(got, "/gradients/analytic/0/W"),
                     as(form, value_at(want, "/gradients/analytic/0/W"), true));
        same_numbers(value_at(got, "/gradients/numeric/2/W"),
                     as(form, value_at(want, "/gradients/numeric/2/W"), true));
        same_numbers(value_at(got, "/gradients/analytic/2/b"),
                     value_at(want, "/gradients/analytic/2/b"));
        same_numbers(value_at(got, "/gradients/inputs/analytic"),
                     as(form, value_at(want, "/gradients/inputs/analytic"), false));
    }
    service_end(&service);
}

START_TEST(shapes_and_indexes_follow_it)
{
    struct service service;
    service_start(&service, "");
    json_t *want = job_result(&service, CHECKS, plain());
    for (int i = 0; i < FORMS; i++) {
        const struct written_as *form = &forms[i];
        json_t *got =
            job_result(&service, CHECKS, written(form->convention, form->out_in, form->columns));
        for (int axis = 0; axis < 2; axis++) {
            const int weight = form->out_in ? 1 - axis : axis, x = form->columns ? 1 - axis : axis;
            const char *shape = "/layers/0/tensors/0/shape/%d";
            const char *index = "/layers/0/tensors/0/worst/0/index/%d";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            ck_assert_int_eq(integer_at(got, format(shape, weight)),
                             integer_at(want, format(shape, axis)));
            ck_assert_int_eq(integer_at(got, format(index, weight)),
                             integer_at(want, format(index, axis)));
#pragma GCC diagnostic pop
            ck_assert_int_eq(integer_at(got, format("/inputs/shape/%d", x)),
                             integer_at(want, format("/inputs/shape/%d", axis)));
            ck_assert_int_eq(integer_at(got, format("/inputs/worst/0/index/%d", x)),
                             integer_at(want, format("/inputs/worst/0/index/%d", axis)));
        }
        ck_assert_uint_eq(length_at(got, "/layers/0/tensors/1/shape"), form->columns ? 2 : 1);
    }
    service_end(&service);
}

/* A claim of the daemon's own gradients with one number wrong. */
static json_t *found_wrong(const struct service *service, const struct written_as *form,
                           const json_t *own, const char *at, json_t *number)
{
    json_t *claim = written(form->convention, form->out_in, form->columns);
    json_t *claimed = json_pack("{s:O, s:O}", "gradients", value_at(own, "/gradients/analytic"),
                                "inputs", value_at(own, "/gradients/inputs/analytic"));
    value_set(claim, "/check", json_pack("{s:o}", "claimed", json_deep_copy(keep(claimed))));
    value_set(claim, format("/check/claimed%s", at), number);
    json_t *result = job_result(service, CHECKS, claim);
    ck_assert_uint_eq(length_at(result, "/findings"), 1);
    ck_assert_ptr_null(strstr(text_at(result, "/findings/0/message"), "row"));
    return value_at(result, "/findings/0/evidence");
}

/* An index of the evidence counts row by row in the array as it was sent. */
START_TEST(positions_of_findings_follow_it)
{
    static const struct {
        const char *at[2]; /* as it is, and turned */
        int index[2];
        bool weight;
    } cases[] = {{{"/gradients/0/W/2/1", "/gradients/0/W/1/2"}, {2 * 4 + 1, 1 * 3 + 2}, true},
                 {{"/inputs/4/1", "/inputs/1/4"}, {4 * 3 + 1, 1 * 5 + 4}, false}};
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < FORMS; i++) {
        const struct written_as *form = &forms[i];
        json_t *own =
            job_result(&service, CHECKS, written(form->convention, form->out_in, form->columns));
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            const bool turn = cases[c].weight ? form->out_in : form->columns;
            json_t *evidence =
                found_wrong(&service, form, own, cases[c].at[turn], json_string("NaN"));
            ck_assert_int_eq((int)number_at(evidence, "/index"), cases[c].index[turn]);
            evidence = found_wrong(&service, form, own, cases[c].at[turn], json_real(17));
            ck_assert_int_eq((int)number_at(evidence, "/index_0"), cases[c].index[turn]);
        }
    }
    service_end(&service);
}

/* The numbers of the transpose, in the shape of the matrix. */
static json_t *reshaped(const json_t *matrix)
{
    const size_t columns = json_array_size(json_array_get(matrix, 0));
    const struct numbers numbers = numbers_of(keep(turned(matrix)));
    json_t *result = json_array();
    for (size_t i = 0; i < numbers.count; i++) {
        if (i % columns == 0) json_array_append_new(result, json_array());
        json_array_append_new(json_array_get(result, i / columns), json_real(numbers.values[i]));
    }
    return result;
}

/* Which reads other memory where W is (units, inputs). */
START_TEST(a_reshape_is_found_in_each_layout)
{
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < FORMS; i++) {
        const struct written_as *form = &forms[i];
        json_t *own =
            job_result(&service, CHECKS, written(form->convention, form->out_in, form->columns));
        json_t *claim = written(form->convention, form->out_in, form->columns);
        json_t *w = reshaped(value_at(own, "/gradients/analytic/0/W"));
        value_set(claim, "/check", json_pack("{s:{s:[{s:o}]}}", "claimed", "gradients", "W", w));
        json_t *result = job_result(&service, CHECKS, claim);
        ck_assert_uint_eq(length_at(result, "/findings"), 1);
        ck_assert_str_eq(text_at(result, "/findings/0/code"), "transposed");
    }
    service_end(&service);
}

/* What GET …/parameters gives can be posted again, and claimed against. */
START_TEST(parameters_come_as_they_went)
{
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < FORMS; i++) {
        const struct written_as *form = &forms[i];
        json_t *request = written(form->convention, form->out_in, form->columns);
        json_t *want = keep(json_deep_copy(value_at(request, "/model/parameters")));
        const char *id = job_post(&service, CHECKS, json_deep_copy(request));
        json_t *got = answer_json(job_part(&service, id, "parameters"));
        same_numbers(value_at(got, "/parameters/0/W"), value_at(want, "/0/W"));
        same_numbers(value_at(got, "/parameters/2/b"), value_at(want, "/2/b"));
        matrix_expect(value_at(got, "/masks/1"), form->columns ? 4 : 5, form->columns ? 5 : 4);
        value_set(request, "/model/parameters", json_deep_copy(value_at(got, "/parameters")));
        json_t *result = job_result(&service, CHECKS, request);
        json_t *claim = written(form->convention, form->out_in, form->columns);
        value_set(claim, "/check",
                  json_pack("{s:{s:O, s:O}}", "claimed", "gradients",
                            value_at(result, "/gradients/analytic"), "inputs",
                            value_at(result, "/gradients/inputs/analytic")));
        ck_assert_str_eq(text_at(job_result(&service, CHECKS, claim), "/verdict"), "pass");
    }
    service_end(&service);
}

START_TEST(trainings_and_predictions_follow_it)
{
    struct service service;
    service_start(&service, "");
    json_t *columns[2];
    for (int i = 0; i < 2; i++) {
        json_t *request = i == 0 ? plain() : written("\"columns\"", true, true);
        value_remove(request, "/check");
        value_set(request, "/training", value_parse("{\"epochs\": 3}"));
        const char *id = job_post(&service, TRAININGS, request);
        job_wait(&service, id);
        json_t *x = i == 0 ? matrix_new(6, 3, 9) : turned(keep(matrix_new(6, 3, 9)));
        json_t *y = answer_json(
            post(&service, format("/v1/jobs/%s/predictions", id), json_pack("{s:o}", "x", x)));
        columns[i] = value_at(y, "/y");
    }
    same_numbers(columns[1], keep(turned(columns[0])));
    service_end(&service);
}

/* ---- the cost ---- */

static double cost_with(const struct service *service, const char *cost, const char *convention)
{
    json_t *request = plain();
    value_set(request, "/model/cost", json_loads(cost, JSON_DECODE_ANY, NULL));
    if (convention != NULL)
        value_set(request, "/model/convention", json_loads(convention, JSON_DECODE_ANY, NULL));
    return number_at(job_result(service, CHECKS, request), "/cost");
}

#define KEEPS_LAYOUT "{\"type\": \"pytorch\", \"weight_layout\": \"in_out\"}"

START_TEST(costs_are_reduced_as_the_framework_does)
{
    struct service service;
    service_start(&service, "");
    const double mse = cost_with(&service, "\"mse\"", NULL);
    ck_assert(close_to(cost_with(&service, "\"mse\"", "\"keras\""), mse / 2, 1e-15));
    ck_assert(close_to(cost_with(&service, "\"mse\"", KEEPS_LAYOUT), mse / 2, 1e-15));
    ck_assert(close_to(cost_with(&service, "\"mse\"", "{\"reduction\": \"sum\"}"), mse * 5, 1e-15));
    ck_assert(close_to(cost_with(&service, "\"mse\"", "{\"scale\": 0.5}"), mse / 2, 1e-15));
    /* what the cost says itself holds */
    ck_assert(cost_with(&service, "{\"type\": \"mse\", \"reduction\": \"batch_mean\"}",
                        "\"keras\"") == mse);
    const double bce = cost_with(&service, "\"binary_crossentropy\"", NULL);
    ck_assert(
        close_to(cost_with(&service, "\"binary_crossentropy\"", "\"keras\""), bce / 2, 1e-15));
    json_t *request = plain();
    value_set(request, "/model/cost", value_parse("{\"type\": \"mse\", \"reduction\": \"sum\"}"));
    value_set(request, "/model/convention", value_parse("{\"reduction\": \"mean\"}"));
    problem_expect(post(&service, CHECKS, request), 422, "/model/convention/reduction");
    service_end(&service);
}

/* ---- what is found in a claim of another cost ---- */

/* dW of layer 0 under nn.MSELoss, whose mean over 2 outputs the model's cost does not take; with
 * l2 W^2 in the loss or not; all of it times a factor, or in float32. */
#define ROUNDED 0
static json_t *pytorch_weights(const json_t *own, const json_t *weights, bool included, double by)
{
    json_t *result = json_array();
    for (size_t i = 0; i < 3; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < 4; j++) {
            const char *at = format("/%zu/%zu", i, j);
            const double penalty = 2 * 0.25 * number_at(weights, at);
            const double mean = (number_at(own, at) - penalty) / 2;
            const double right = mean + (included ? penalty : 0);
            json_array_append_new(row,
                                  json_real(by == ROUNDED ? (double)(float)right : by * right));
        }
        json_array_append_new(result, row);
    }
    return result;
}

/* `regulariser` as claimed, and whether the gradient has the penalty in it all the same. */
static json_t *pytorch_claim(const struct service *service, const char *regulariser, bool included,
                             double by)
{
    json_t *request = plain(), *claim = plain();
    value_set(request, "/model/layers/0/l2", json_real(0.25));
    value_set(claim, "/model/layers/0/l2", json_real(0.25));
    json_t *own = value_at(job_result(service, CHECKS, request), "/gradients/analytic/0/W");
    json_t *w = pytorch_weights(own, value_at(claim, "/model/parameters/0/W"), included, by);
    value_set(claim, "/check",
              json_pack("{s:{s:[{s:o}, n, n], s:{s:s, s:s}}, s:f}", "claimed", "gradients", "W", w,
                        "convention", "reduction", "mean", "regulariser", regulariser, "tolerance",
                        1e-9));
    return job_result(service, CHECKS, claim);
}

/* The mistake was made on what the claimant's loss gives, penalty and all. */
START_TEST(a_scaled_claim_of_another_cost_is_told_as_such)
{
    static const struct {
        double by;
        const char *code;
    } cases[] = {{2, "scaled"}, {-1, "sign_flipped"}, {0.5, "scaled"}};
    static const char *const regularisers[] = {"excluded", "included"};
    struct service service;
    service_start(&service, "");
    for (int included = 0; included < 2; included++) {
        const char *regulariser = regularisers[included];
        json_t *right = pytorch_claim(&service, regulariser, included, 1);
        ck_assert_str_eq(text_at(right, "/verdict"), "pass");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            json_t *result = pytorch_claim(&service, regulariser, included, cases[i].by);
            ck_assert_uint_eq(length_at(result, "/findings"), 1);
            ck_assert_str_eq(text_at(result, "/findings/0/code"), cases[i].code);
            ck_assert(number_at(result, "/findings/0/evidence/factor") == cases[i].by);
            ck_assert_str_eq(text_at(result, "/findings/0/tensor"), "W");
        }
    }
    service_end(&service);
}

/* In float32, as PyTorch computes: its own numbers have few digits, and the model's form of them
 * does not. */
START_TEST(a_rounded_claim_of_another_cost_is_told_as_such)
{
    struct service service;
    service_start(&service, "");
    for (int included = 0; included < 2; included++) {
        json_t *result =
            pytorch_claim(&service, included ? "included" : "excluded", included, ROUNDED);
        ck_assert_str_eq(text_at(result, "/verdict"), "fail");
        ck_assert_uint_eq(length_at(result, "/findings"), 1);
        ck_assert_str_eq(text_at(result, "/findings/0/code"), "rounded");
    }
    service_end(&service);
}

START_TEST(a_penalty_against_the_convention_is_told)
{
    static const char *const messages[] = {
        "the penalty of l1 and l2 is missing in dW of layer 0",
        "the penalty of l1 and l2 is in dW of layer 0, but the claim's convention leaves it out"};
    struct service service;
    service_start(&service, "");
    for (int included = 0; included < 2; included++) {
        json_t *result = pytorch_claim(&service, included ? "excluded" : "included", included, 1);
        ck_assert_uint_eq(length_at(result, "/findings"), 1);
        ck_assert_str_eq(text_at(result, "/findings/0/code"), "regularisation");
        ck_assert_str_eq(text_at(result, "/findings/0/message"), messages[included]);
    }
    service_end(&service);
}

START_TEST(labels_and_single_outputs_stay_flat)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_small();
    value_set(request, "/data/x", turned(value_at(request, "/data/x")));
    value_set(request, "/model/convention", json_string("columns"));
    ck_assert_str_eq(text_at(job_result(&service, CHECKS, request), "/verdict"), "pass");
    static const char *const targets[] = {"[1, 0]", "[[1, 0]]"};
    for (int i = 0; i < 2; i++) {
        request = check_new(model_new(3, "4 tanh; 1 sigmoid", "binary_crossentropy"),
                            value_parse("{\"x\": [[1, 2], [3, 4], [5, 6]]}"));
        value_set(request, "/data/y", value_parse(targets[i]));
        value_set(request, "/model/convention", json_string("columns"));
        ck_assert_str_eq(text_at(job_result(&service, CHECKS, request), "/verdict"), "pass");
    }
    value_set(request = check_small(), "/model/convention", json_string("columns"));
    problem_expect(post(&service, CHECKS, request), 422, "/data/x");
    service_end(&service);
}

/* Those of docs/conventions.md, word for word. */
START_TEST(the_documented_examples_pass)
{
    static const char *const examples[] = {
        "{\"model\": {\"input_shape\": [3], \"cost\": \"mse\", \"convention\": \"pytorch\", "
        "\"layers\": ["
        "   {\"type\": \"dense\", \"units\": 2}],"
        "  \"parameters\": [{\"W\": [[1, 0, -1], [0.5, 2, 0]], \"b\": [0, 1]}]},"
        " \"data\": {\"x\": [[1, 2, 3], [0, -1, 1]], \"y\": [[0, 1], [1, 0]]},"
        " \"check\": {\"claimed\": {\"gradients\": [{\"W\": [[-1, -1, -4], [2.25, 5, 6.25]], "
        "\"b\": [-2, 1.75]}]}}}",
        "{\"model\": {\"input_shape\": [3], \"cost\": \"mse\", \"convention\": \"columns\", "
        "\"layers\": ["
        "   {\"type\": \"dense\", \"units\": 2}],"
        "  \"parameters\": [{\"W\": [[1, 0, -1], [0.5, 2, 0]], \"b\": [[0], [1]]}]},"
        " \"data\": {\"x\": [[1, 0], [2, -1], [3, 1]], \"y\": [[0, 1], [1, 0]]},"
        " \"check\": {\"claimed\": {\"gradients\": [{\"W\": [[-2, -2, -8], [4.5, 10, 12.5]], "
        "\"b\": [[-4], [3.5]]}]}}}"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        json_t *result = job_result(&service, CHECKS, value_parse(examples[i]));
        ck_assert_str_eq(text_at(result, "/verdict"), "pass");
        ck_assert_int_eq(integer_at(result, "/parameters_checked"), 8);
    }
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {bodies_and_answers_follow_it,
                                  shapes_and_indexes_follow_it,
                                  positions_of_findings_follow_it,
                                  a_reshape_is_found_in_each_layout,
                                  parameters_come_as_they_went,
                                  trainings_and_predictions_follow_it,
                                  costs_are_reduced_as_the_framework_does,
                                  a_scaled_claim_of_another_cost_is_told_as_such,
                                  a_rounded_claim_of_another_cost_is_told_as_such,
                                  a_penalty_against_the_convention_is_told,
                                  labels_and_single_outputs_stay_flat,
                                  the_documented_examples_pass,
                                  NULL};
    return suite_main("convention", tests);
}
