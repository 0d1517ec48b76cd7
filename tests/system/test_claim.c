/*
 * Gradients that a client claims, against the daemon: right ones pass, wrong ones fail where they
 * are wrong, whatever form they come in; and a restart changes nothing.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <string.h>

/* 3-16-8-2, 218 parameters, with a check of these members. */
static json_t *request_with(const char *check)
{
    json_t *request = check_small();
    value_set(request, "/check", value_parse(check));
    return request;
}

/* The daemon's own gradients, as a client would have computed them. */
struct own {
    json_t *gradients, *inputs;
    double cost;
};

static struct own own_of(const struct service *service)
{
    json_t *result = job_result(service, CHECKS,
                                request_with("{\"inputs\": true, \"include\": [\"gradients\"]}"));
    return (struct own){value_at(result, "/gradients/analytic"),
                        value_at(result, "/gradients/inputs/analytic"), number_at(result, "/cost")};
}

/* A copy of the gradients with one value set, in a check with more members of `claimed`. */
static json_t *claim_with(const struct own *own, const char *pointer, json_t *value,
                          const char *more)
{
    json_t *request = request_with("{}"), *claimed = value_parse(more);
    json_t *gradients = json_deep_copy(own->gradients);
    if (pointer != NULL) value_set(gradients, pointer, value);
    json_object_set_new(claimed, "gradients", gradients);
    json_object_set(value_at(request, "/check"), "claimed", claimed);
    return request;
}

static double gradient_at(const struct own *own, const char *pointer)
{
    return number_at(own->gradients, pointer);
}

/* ---- right ---- */

START_TEST(a_right_claim_passes)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    json_t *result = job_result(&service, CHECKS, claim_with(&own, NULL, NULL, "{}"));
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 218);
    ck_assert_int_eq(integer_at(result, "/evaluations"), 436);
    ck_assert_uint_eq(length_at(result, "/findings"), 0);
    ck_assert_uint_eq(length_at(result, "/warnings"), 0);
    ck_assert_ptr_null(value_find(result, "/inputs"));
    ck_assert_ptr_null(value_find(result, "/sensitivity"));
    service_end(&service);
}

START_TEST(everything_may_be_claimed)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    json_t *request =
        claim_with(&own, NULL, NULL, format("{\"cost\": %.17g, \"dtype\": \"float64\"}", own.cost));
    json_object_set(value_at(request, "/check/claimed"), "inputs", own.inputs);
    json_t *result = job_result(&service, CHECKS, request);
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert_str_eq(text_at(result, "/inputs/verdict"), "pass");
    ck_assert_uint_eq(length_at(result, "/warnings"), 0); /* the cost is ours */
    service_end(&service);
}

START_TEST(few_digits_pass_as_such)
{
    static const struct {
        const char *dtype;
        double tolerance;
    } cases[] = {{"float32", 1e-6}, {"float16", 4e-3}, {"bfloat16", 3e-2}};
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    const double right = gradient_at(&own, "/0/W/1/2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *more = format("{\"dtype\": \"%s\"}", cases[i].dtype);
        json_t *rounded = json_real(right * (1 + cases[i].tolerance));
        json_t *result = job_result(&service, CHECKS, claim_with(&own, "/0/W/1/2", rounded, more));
        ck_assert_str_eq(text_at(result, "/verdict"), "pass");
        ck_assert(close_to(number_at(result, "/tolerance"), cases[i].tolerance, 1e-12));
        ck_assert_ptr_nonnull(strstr(text_at(result, "/warnings/0"), cases[i].dtype));
    }
    service_end(&service);
}

/* Whatever the gradients do: a cost that is not ours is told. */
START_TEST(another_cost_is_warned_of)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    const char *claims[] = {format("{\"cost\": %.17g}", 2 * own.cost), "{\"cost\": \"Infinity\"}"};
    for (size_t i = 0; i < 2; i++) {
        json_t *result = job_result(&service, CHECKS, claim_with(&own, NULL, NULL, claims[i]));
        ck_assert_str_eq(text_at(result, "/verdict"), "pass");
        ck_assert_uint_eq(length_at(result, "/warnings"), 1);
        ck_assert(strncmp(text_at(result, "/warnings/0"), "different_forward: ", 19) == 0);
        json_t *wrong = claim_with(&own, "/1/b/0", json_real(1), claims[i]);
        result = job_result(&service, CHECKS, wrong);
        ck_assert_uint_eq(length_at(result, "/findings"), 1);
        ck_assert_str_eq(text_at(result, "/findings/0/code"), "different_forward");
    }
    service_end(&service);
}

/* ---- wrong ---- */

START_TEST(a_wrong_element_fails_its_tensor)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    const double wrong = gradient_at(&own, "/1/W/3/5") * 1.001;
    json_t *result =
        job_result(&service, CHECKS, claim_with(&own, "/1/W/3/5", json_real(wrong), "{}"));
    ck_assert_str_eq(text_at(result, "/verdict"), "fail");
    ck_assert_str_eq(text_at(result, "/layers/0/verdict"), "pass");
    ck_assert_str_eq(text_at(result, "/layers/1/verdict"), "fail");
    ck_assert_str_eq(text_at(result, "/layers/2/verdict"), "pass");
    ck_assert_str_eq(text_at(result, "/layers/1/tensors/1/verdict"), "pass");
    json_t *worst = value_at(result, "/layers/1/tensors/0/worst/0");
    ck_assert_int_eq(integer_at(worst, "/index/0"), 3);
    ck_assert_int_eq(integer_at(worst, "/index/1"), 5);
    ck_assert(number_at(worst, "/analytic") == wrong);
    ck_assert_int_eq(integer_at(result, "/layers/1/tensors/0/wrong_elements"), 1);
    service_end(&service);
}

/* null, "NaN" and infinities are values, which fail and are null in the answer. */
START_TEST(what_is_no_number_fails)
{
    static const char *const values[] = {"null", "\"NaN\"", "\"Infinity\"", "\"-Infinity\""};
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_t *value = json_loads(values[i], JSON_DECODE_ANY, NULL);
        json_t *result = job_result(&service, CHECKS, claim_with(&own, "/2/b/1", value, "{}"));
        ck_assert_str_eq(text_at(result, "/verdict"), "fail");
        ck_assert(json_is_null(value_at(result, "/layers/2/tensors/1/worst/0/analytic")));
        ck_assert(json_is_null(value_at(result, "/distance")));
        ck_assert_str_eq(text_at(result, "/layers/2/tensors/0/verdict"), "pass");
    }
    service_end(&service);
}

START_TEST(directions_see_it_too)
{
    static const char *const methods[] = {"forward", "complex_step", "ridders", "directional"};
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        json_t *right = claim_with(&own, NULL, NULL, "{}");
        json_t *wrong = claim_with(&own, "/0/b/0", json_real(1), "{}");
        value_set(right, "/check/method", json_string(methods[i]));
        value_set(wrong, "/check/method", json_string(methods[i]));
        ck_assert_str_eq(text_at(job_result(&service, CHECKS, right), "/verdict"), "pass");
        json_t *result = job_result(&service, CHECKS, wrong);
        ck_assert_str_eq(text_at(result, "/verdict"), "fail");
        ck_assert_str_eq(text_at(result, "/layers/0/tensors/1/verdict"), "fail");
        ck_assert_str_eq(text_at(result, "/layers/0/tensors/0/verdict"), "pass");
    }
    service_end(&service);
}

/* ---- left out ---- */

START_TEST(only_what_is_claimed_is_checked)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    json_t *request = claim_with(&own, "/0", json_null(), "{}");
    value_set(request, "/check/claimed/gradients/1/W", json_null());
    value_set(request, "/check/include", value_parse("[\"gradients\"]"));
    json_t *result = job_result(&service, CHECKS, request);
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 8 + 18);
    ck_assert_uint_eq(length_at(result, "/layers"), 2);
    ck_assert_int_eq(integer_at(result, "/layers/0/index"), 1);
    ck_assert_uint_eq(length_at(result, "/layers/0/tensors"), 1);
    ck_assert_str_eq(text_at(result, "/layers/0/tensors/0/name"), "b");
    ck_assert(json_is_null(value_at(result, "/gradients/analytic/0")));
    ck_assert_ptr_null(value_find(result, "/gradients/analytic/1/W"));
    ck_assert_ptr_nonnull(value_find(result, "/gradients/analytic/1/b"));
    service_end(&service);
}

START_TEST(a_shape_that_does_not_fit_is_told_with_both)
{
    struct service service;
    service_start(&service, "");
    json_t *request = request_with("{}");
    json_t *claimed = json_pack("{s:[{s:o}, n, n]}", "gradients", "W", matrix_new(16, 3, 1));
    value_set(request, "/check/claimed", claimed);
    struct answer *answer = post(&service, CHECKS, request);
    problem_expect(answer, 422, "/check/claimed/gradients/0/W");
    ck_assert_str_eq(text_at(answer_json(answer), "/detail"),
                     "W of layer 0 (dense) must be (3, 16), got (16, 3); with weight_layout out_in "
                     "it would fit");
    service_end(&service);
}

/* ---- what is found ---- */

static void finding_expect(const json_t *finding)
{
    names_expect(finding, "code layer message evidence", "tensor");
    ck_assert(strlen(text_at(finding, "/code")) > 0 && strlen(text_at(finding, "/message")) > 0);
    ck_assert(json_is_object(value_at(finding, "/evidence")));
}

START_TEST(a_failing_claim_has_findings)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    json_t *result =
        job_result(&service, CHECKS, claim_with(&own, "/2/b/0", json_string("NaN"), "{}"));
    ck_assert_uint_ge(length_at(result, "/findings"), 1);
    finding_expect(value_at(result, "/findings/0"));
    ck_assert_int_eq(integer_at(result, "/findings/0/layer"), 2);
    ck_assert_str_eq(text_at(result, "/findings/0/code"), "non_finite");
    service_end(&service);
}

START_TEST(sensitivity_says_what_would_be_caught)
{
    struct service service;
    service_start(&service, "");
    const struct own own = own_of(&service);
    json_t *claim = claim_with(&own, NULL, NULL, "{}");
    value_set(claim, "/check/sensitivity", json_true());
    json_t *const requests[] = {claim, request_with("{\"sensitivity\": true}")};
    for (int i = 0; i < 2; i++) {
        json_t *result = job_result(&service, CHECKS, requests[i]);
        const size_t rows = length_at(result, "/sensitivity");
        size_t caught = 0;
        ck_assert_uint_ge(rows, 10);
        for (size_t k = 0; k < rows; k++) {
            json_t *row = value_at(result, format("/sensitivity/%zu", k));
            names_expect(row, "code layer caught", "tensor name");
            caught += bool_at(row, "/caught");
        }
        ck_assert_uint_ge(caught, rows / 2);
    }
    service_end(&service);
}

/* ---- after a restart ---- */

/* The claim is part of what a job is made of again. */
START_TEST(a_restart_changes_nothing)
{
    struct service service;
    service_start(&service, "--workers 1");
    const struct own own = own_of(&service);
    json_t *wrong = claim_with(&own, "/1/b/3", json_real(0.25), "{}");
    const char *result = job_result_bytes(&service, CHECKS, json_deep_copy(wrong));
    job_running(&service, job_post(&service, CHECKS, check_long()));
    const char *id = job_post(&service, CHECKS, wrong);
    service_kill(&service);
    service_restart(&service);
    json_t *jobs = answer_json(get(&service, "/v1/jobs?kind=gradient-check&limit=2"));
    job_cancel(&service, text_at(jobs, "/jobs/1/id"));
    json_t *job = job_wait(&service, id);
    ck_assert_str_eq(text_at(job, "/state"), "succeeded");
    ck_assert_str_eq(answer_member(get(&service, format("/v1/jobs/%s", id)), "result"), result);
    service_end(&service);
}

/* ---- mistakes of one part alone ---- */

#define TWO_PENALTIES                                                                              \
    "{\"model\": {\"input_shape\": [2], \"layers\": [{\"type\": \"dense\", \"units\": 2, \"l1\": " \
    "0.1, "                                                                                        \
    "\"l2\": 0.3}], \"cost\": \"mse\", \"parameters\": [{\"W\": [[1, 2], [3, -1]], \"b\": [0, "    \
    "0]}]}, "                                                                                      \
    "\"data\": {\"x\": [[1, 2], [0, 1], [2, 1]], \"y\": [[1, 0], [0, 1], [1, 1]]}, \"check\": "    \
    "{\"include\": [\"gradients\"]}}"

/* The request's check with claimed gradients in place of what it has. */
static json_t *claimed_in(const char *request, json_t *gradients)
{
    json_t *claim = json_deep_copy(value_parse(request));
    value_set(claim, "/check", json_pack("{s{so}}", "claimed", "gradients", gradients));
    return claim;
}

static void said_expect(const json_t *result, const char *code, const char *said)
{
    ck_assert_uint_eq(length_at(result, "/findings"), 1);
    ck_assert_str_eq(text_at(result, "/findings/0/code"), code);
    ck_assert_msg(strstr(text_at(result, "/findings/0/message"), said) != NULL, "%s",
                  text_at(result, "/findings/0/message"));
}

/* Three samples; of l1 sign(W) and 2 l2 W one is right. */
START_TEST(one_of_two_penalties_is_wrong)
{
    static const double w[] = {1, 2, 3, -1};
    static const struct {
        double l1, l2;
        const char *said;
    } cases[] = {{1, 1. / 3, "the penalty of l2 in dW of layer 0 is divided by the 3 samples"},
                 {1, 1. / 6, "the penalty of l2 in dW of layer 0 is l2 W / m"},
                 {1. / 3, 1, "the penalty of l1 in dW of layer 0 is divided by the 3 samples"}};
    struct service service;
    service_start(&service, "");
    json_t *own = job_result(&service, CHECKS, json_deep_copy(value_parse(TWO_PENALTIES)));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *gradients = json_deep_copy(value_at(own, "/gradients/analytic"));
        for (size_t e = 0; e < 4; e++) {
            const char *place = format("/0/W/%zu/%zu", e / 2, e % 2);
            const double more =
                (cases[i].l1 - 1) * 0.1 * (w[e] > 0 ? 1 : -1) + (cases[i].l2 - 1) * 0.6 * w[e];
            value_set(gradients, place, json_real(number_at(gradients, place) + more));
        }
        json_t *result = job_result(&service, CHECKS, claimed_in(TWO_PENALTIES, gradients));
        said_expect(result, "regularisation", cases[i].said);
    }
    service_end(&service);
}

#define DROPPED                                                                                   \
    "{\"model\": {\"input_shape\": [2], \"layers\": [{\"type\": \"dense\", \"units\": 4, "        \
    "\"activation\": \"tanh\"}, {\"type\": \"dropout\", \"rate\": 0.5}, {\"type\": \"dense\", "   \
    "\"units\": "                                                                                 \
    "2}], \"cost\": \"mse\", \"seed\": 3}, \"data\": {\"x\": [[1, 2], [0, 1], [2, 1], [1, -1]], " \
    "\"y\": "                                                                                     \
    "[[1, 0], [0, 1], [1, 1], [0, 0]]}, \"check\": {\"include\": [\"gradients\"]}}"

/* Above a gradient that is halved all is right: it is no matter of the cost. */
START_TEST(a_mask_that_is_not_scaled_is_told)
{
    struct service service;
    service_start(&service, "");
    json_t *own = job_result(&service, CHECKS, json_deep_copy(value_parse(DROPPED)));
    json_t *gradients = json_deep_copy(value_at(own, "/gradients/analytic"));
    for (size_t e = 0; e < 12; e++) {
        const char *place =
            e < 8 ? format("/0/W/%zu/%zu", e / 4, e % 4) : format("/0/b/%zu", e - 8);
        value_set(gradients, place, json_real(0.5 * number_at(gradients, place)));
    }
    json_t *result = job_result(&service, CHECKS, claimed_in(DROPPED, gradients));
    ck_assert_str_eq(text_at(result, "/findings/0/code"), "dropout_mask");
    service_end(&service);
}

#define CURVED                                                                                    \
    "{\"model\": {\"input_shape\": [1], \"layers\": [{\"type\": \"dense\", \"units\": 2, "        \
    "\"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 1}], \"cost\": \"mse\", "        \
    "\"parameters\": "                                                                            \
    "[{\"W\": [[0.5, -1]], \"b\": [0, 0]}, {\"W\": [[1], [2]], \"b\": [0]}]}, \"data\": {\"x\": " \
    "[[1], "                                                                                      \
    "[2], [-0.5]], \"y\": [[0], [0], [0]]}, \"check\": {\"include\": [\"gradients\"]}}"

/* 1 - a in place of 1 - a^2. */
START_TEST(a_square_that_was_forgotten_is_told)
{
    static const double x[] = {1, 2, -0.5}, w[] = {0.5, -1}, v[] = {1, 2};
    struct service service;
    service_start(&service, "");
    json_t *own = job_result(&service, CHECKS, json_deep_copy(value_parse(CURVED)));
    json_t *gradients = json_deep_copy(value_at(own, "/gradients/analytic"));
    for (int j = 0; j < 2; j++) {
        double dw = 0, db = 0;
        for (int k = 0; k < 3; k++) {
            const double a = tanh(w[j] * x[k]),
                         y = v[0] * tanh(w[0] * x[k]) + v[1] * tanh(w[1] * x[k]);
            const double delta = 2 * y / 3 * v[j] * (1 - a);
            dw += delta * x[k];
            db += delta;
        }
        value_set(gradients, format("/0/W/0/%d", j), json_real(dw));
        value_set(gradients, format("/0/b/%d", j), json_real(db));
    }
    json_t *result = job_result(&service, CHECKS, claimed_in(CURVED, gradients));
    said_expect(result, "activation_derivative", "the derivative of tanh in layer 0 is 1 - a");
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {a_right_claim_passes,
                                  everything_may_be_claimed,
                                  another_cost_is_warned_of,
                                  few_digits_pass_as_such,
                                  a_wrong_element_fails_its_tensor,
                                  what_is_no_number_fails,
                                  directions_see_it_too,
                                  only_what_is_claimed_is_checked,
                                  a_shape_that_does_not_fit_is_told_with_both,
                                  a_failing_claim_has_findings,
                                  sensitivity_says_what_would_be_caught,
                                  one_of_two_penalties_is_wrong,
                                  a_mask_that_is_not_scaled_is_told,
                                  a_square_that_was_forgotten_is_told,
                                  a_restart_changes_nothing,
                                  NULL};
    return suite_main("claim", tests);
}
