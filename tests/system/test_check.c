/*
 * The results of gradient checks: every field, and how the numbers hang together. The service's own
 * gradients are right, so that every check passes.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <string.h>

#define TENSOR_NAMES                                                                \
    "shape verdict distance refined_distance error_bar analytic_norm numeric_norm " \
    "max_absolute_error max_relative_error kinks wrong_elements worst"

/* The exact derivative differs from the gradient by some roundings, which the bar allows for. */
static void judged_expect(const json_t *object)
{
    double refined = number_at(object, "/refined_distance");
    ck_assert_str_eq(text_at(object, "/verdict"), "pass");
    ck_assert_msg(refined >= 0 && refined < 1e-13, "%g", refined);
}

static void element_expect(const json_t *element)
{
    names_expect(element, "index analytic numeric exact absolute_error relative_error verdict",
                 NULL);
    double analytic = number_at(element, "/analytic"), exact = number_at(element, "/exact");
    double error = number_at(element, "/absolute_error");
    double size = fmax(fabs(analytic), fabs(exact));
    ck_assert_msg(fabs(error - fabs(exact - analytic)) <= 1e-15 * size, "%g", error);
    ck_assert(close_to(number_at(element, "/relative_error"), error / size, 1e-12));
    ck_assert(fabs(number_at(element, "/numeric") - exact) < 1e-6);
    ck_assert_str_eq(text_at(element, "/verdict"), "pass");
}

/* At most five elements of the tensor, the largest error first. */
static void worst_expect(const json_t *tensor, size_t count)
{
    double last = INFINITY;
    size_t length = length_at(tensor, "/worst");
    ck_assert_uint_eq(length, count < 5 ? count : 5);
    for (size_t i = 0; i < length; i++) {
        json_t *element = value_at(tensor, format("/worst/%zu", i));
        double error = number_at(element, "/absolute_error");
        element_expect(element);
        ck_assert_msg(error <= last, "not sorted");
        ck_assert_uint_eq(length_at(element, "/index"), length_at(tensor, "/shape"));
        last = error;
    }
    double most = number_at(tensor, "/worst/0/absolute_error");
    ck_assert(close_to(number_at(tensor, "/max_absolute_error"), most, 1e-12));
}

/* Names, norms, distance and shape of one tensor, against the gradients that came with it. */
static void tensor_expect(const json_t *tensor, const json_t *analytic, const json_t *numeric)
{
    struct numbers a = numbers_of(analytic), n = numbers_of(numeric);
    names_expect(tensor, TENSOR_NAMES, "name");
    judged_expect(tensor);
    double bar = number_at(tensor, "/error_bar");
    ck_assert_msg(bar > 0 && bar < 1e-12, "%g", bar);
    ck_assert_int_eq(integer_at(tensor, "/kinks"), 0);
    ck_assert_int_eq(integer_at(tensor, "/wrong_elements"), 0);
    ck_assert(close_to(number_at(tensor, "/analytic_norm"), norm(a), 1e-12));
    ck_assert(close_to(number_at(tensor, "/numeric_norm"), norm(n), 1e-12));
    double distance = norm_difference(a, n) / (norm(a) + norm(n));
    ck_assert_msg(fabs(number_at(tensor, "/distance") - distance) < 1e-15, "%g, not %g",
                  number_at(tensor, "/distance"), distance);
    double product = 1;
    for (size_t i = 0; i < length_at(tensor, "/shape"); i++)
        product *= number_at(tensor, format("/shape/%zu", i));
    ck_assert(close_to(product, (double)a.count, 0));
    worst_expect(tensor, a.count);
}

static json_t *check_with(json_t *request, const char *check)
{
    value_set(request, "/check", value_parse(check));
    return request;
}

static void whole_expect(const json_t *result)
{
    names_expect(result,
                 "verdict distance refined_distance tolerance epsilon method cost "
                 "parameters_checked evaluations kinks layers findings warnings gradients",
                 NULL);
    judged_expect(result);
    names_expect(value_at(result, "/kinks"), "parameters crossings", NULL);
    ck_assert_int_eq(integer_at(result, "/kinks/parameters"), 0);
    ck_assert_int_eq(integer_at(result, "/kinks/crossings"), 0);
    ck_assert(close_to(number_at(result, "/tolerance"), 1e-8, 1e-12));
    ck_assert(close_to(number_at(result, "/epsilon"), 1e-4, 0));
    ck_assert_str_eq(text_at(result, "/method"), "central");
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 218);
    ck_assert_int_eq(integer_at(result, "/evaluations"), 436);
    ck_assert_uint_eq(length_at(result, "/findings"), 0);
    length_at(result, "/warnings");
    ck_assert_uint_eq(length_at(result, "/layers"), 3);
}

START_TEST(every_field)
{
    static const char *const names[] = {"W", "b"};
    struct service service;
    service_start(&service, "");
    json_t *result =
        job_result(&service, CHECKS, check_with(check_small(), "{\"include\": [\"gradients\"]}"));
    whole_expect(result);
    for (int i = 0; i < 3; i++) {
        json_t *layer = value_at(result, format("/layers/%d", i));
        names_expect(layer, "index type verdict distance refined_distance tensors", NULL);
        judged_expect(layer);
        ck_assert_int_eq(integer_at(layer, "/index"), i);
        ck_assert_str_eq(text_at(layer, "/type"), "dense");
        ck_assert_uint_eq(length_at(layer, "/tensors"), 2);
        for (int j = 0; j < 2; j++) {
            json_t *tensor = value_at(layer, format("/tensors/%d", j));
            ck_assert_str_eq(text_at(tensor, "/name"), names[j]);
            tensor_expect(tensor,
                          value_at(result, format("/gradients/analytic/%d/%s", i, names[j])),
                          value_at(result, format("/gradients/numeric/%d/%s", i, names[j])));
        }
    }
    ck_assert_int_eq(integer_at(result, "/layers/0/tensors/0/shape/0"), 3);
    ck_assert_int_eq(integer_at(result, "/layers/0/tensors/0/shape/1"), 16);
    service_end(&service);
}

/* Without include there are no gradients; worst may be asked for in any number. */
START_TEST(worst_is_as_long_as_asked)
{
    struct service service;
    service_start(&service, "");
    json_t *result = job_result(&service, CHECKS, check_with(check_small(), "{\"worst\": 0}"));
    ck_assert_ptr_null(value_find(result, "/gradients"));
    ck_assert_ptr_null(value_find(result, "/inputs"));
    ck_assert_uint_eq(length_at(result, "/layers/0/tensors/0/worst"), 0);
    result = job_result(&service, CHECKS, check_with(check_small(), "{\"worst\": 20}"));
    ck_assert_uint_eq(length_at(result, "/layers/0/tensors/0/worst"), 20);
    ck_assert_uint_eq(length_at(result, "/layers/2/tensors/1/worst"), 2);
    service_end(&service);
}

/* The distance over all elements is no mean of the layers' distances. */
START_TEST(distances_add_up)
{
    struct service service;
    service_start(&service, "");
    json_t *result =
        job_result(&service, CHECKS, check_with(check_small(), "{\"include\": [\"gradients\"]}"));
    double difference = 0, analytic = 0, numeric = 0;
    for (int i = 0; i < 6; i++) {
        const char *place = format("%d/%s", i / 2, i % 2 == 0 ? "W" : "b");
        struct numbers a = numbers_at(result, format("/gradients/analytic/%s", place));
        struct numbers n = numbers_at(result, format("/gradients/numeric/%s", place));
        difference = hypot(difference, norm_difference(a, n));
        analytic = hypot(analytic, norm(a));
        numeric = hypot(numeric, norm(n));
    }
    ck_assert(close_to(number_at(result, "/distance"), difference / (analytic + numeric), 1e-6));
    service_end(&service);
}

/* epsilon squared, but never below what rounding allows; or what was asked for. */
START_TEST(tolerance_goes_with_epsilon)
{
    static const struct {
        const char *check;
        double tolerance;
    } cases[] = {{"{}", 1e-8},
                 {"{\"epsilon\": 0.01}", 1e-4},
                 {"{\"epsilon\": 1e-7}", 1e-11},
                 {"{\"tolerance\": 0.01}", 0.01},
                 {"{\"tolerance\": 0}", 0},
                 {"{\"epsilon\": 0.01, \"tolerance\": null}", 1e-4}};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *result = job_result(&service, CHECKS, check_with(check_small(), cases[i].check));
        ck_assert(close_to(number_at(result, "/tolerance"), cases[i].tolerance, 1e-12));
        ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    }
    service_end(&service);
}

/* A step too long for the tolerance says nothing against the gradient: it passes, with a warning
 * for each tensor. */
START_TEST(truncation_is_warned_of)
{
    struct service service;
    service_start(&service, "");
    json_t *result = job_result(
        &service, CHECKS, check_with(check_small(), "{\"epsilon\": 0.01, \"tolerance\": 1e-11}"));
    ck_assert(number_at(result, "/distance") > 1e-7);
    judged_expect(result);
    ck_assert_uint_eq(length_at(result, "/warnings"), 6);
    const char *warning = text_at(result, "/warnings/0");
    ck_assert_msg(strstr(warning, "layer 0 W: ") == warning, "%s", warning);
    ck_assert_msg(strstr(warning, "the gradient is the exact one") != NULL, "%s", warning);
    service_end(&service);
}

START_TEST(only_chosen_layers)
{
    struct service service;
    service_start(&service, "");
    json_t *result = job_result(&service, CHECKS, check_with(check_small(), "{\"layers\": [1]}"));
    ck_assert_uint_eq(length_at(result, "/layers"), 1);
    ck_assert_int_eq(integer_at(result, "/layers/0/index"), 1);
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 136);
    ck_assert_int_eq(integer_at(result, "/evaluations"), 272);
    ck_assert(
        close_to(number_at(result, "/distance"), number_at(result, "/layers/0/distance"), 1e-12));
    json_t *all = job_result(&service, CHECKS, check_small());
    ck_assert(json_equal(value_at(all, "/layers/1"), value_at(result, "/layers/0")));
    service_end(&service);
}

/* Layers without parameters are not listed, and have null among the gradients. */
START_TEST(layers_without_parameters)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_new(model_new(3, "6 linear; activation tanh; dropout 0.25; 2 softmax",
                                          "categorical_crossentropy"),
                                labelled_new(12, 3, 2));
    value_set(request, "/model/layers/3/use_bias", json_false());
    json_t *result =
        job_result(&service, CHECKS, check_with(request, "{\"include\": [\"gradients\"]}"));
    ck_assert_uint_eq(length_at(result, "/layers"), 2);
    ck_assert_int_eq(integer_at(result, "/layers/1/index"), 3);
    ck_assert_uint_eq(length_at(result, "/layers/1/tensors"), 1);
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 36);
    ck_assert_uint_eq(length_at(result, "/gradients/analytic"), 4);
    ck_assert(json_is_null(value_at(result, "/gradients/analytic/1")));
    ck_assert(json_is_null(value_at(result, "/gradients/numeric/2")));
    /* The mask is held fixed, so that the stencils see one smooth function. */
    ck_assert_msg(number_at(result, "/distance") < 1e-7, "%g", number_at(result, "/distance"));
    service_end(&service);
}

/* One linear layer under the cost "dot": the gradients are x'y / m, the sums of y, and y W' / m. */
START_TEST(inputs_are_checked_when_asked)
{
    enum { ROWS = 4, INPUTS = 3, OUTPUTS = 2 };
    struct service service;
    service_start(&service, "");
    json_t *request =
        check_new(model_new(INPUTS, "2 linear", "dot"), data_new(ROWS, INPUTS, OUTPUTS));
    value_set(request, "/model/parameters",
              value_parse("[{\"W\": [[1, -2], [0.5, 3], [-1, 0.25]], \"b\": [[0.5, -1]]}]"));
    struct numbers y = numbers_at(request, "/data/y");
    struct numbers W = numbers_at(request, "/model/parameters/0/W");
    json_t *result = job_result(
        &service, CHECKS, check_with(request, "{\"inputs\": true, \"include\": [\"gradients\"]}"));
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 8);
    json_t *analytic = value_at(result, "/gradients/inputs/analytic");
    matrix_expect(analytic, ROWS, INPUTS);
    tensor_expect(value_at(result, "/inputs"), analytic,
                  value_at(result, "/gradients/inputs/numeric"));
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < INPUTS; j++) {
            const double *row = y.values + i * OUTPUTS, *weights = W.values + j * OUTPUTS;
            double expected = (row[0] * weights[0] + row[1] * weights[1]) / ROWS;
            double got = number_at(analytic, format("/%d/%d", i, j));
            ck_assert_msg(fabs(got - expected) < 1e-15, "%d, %d: %g, not %g", i, j, got, expected);
        }
    service_end(&service);
}

START_TEST(cost_that_is_not_finite)
{
    static const char tail[] = ":non-finite-cost";
    struct service service;
    service_start(&service, "");
    json_t *request =
        check_new(model_new(2, "1 softmax", "binary_crossentropy"), data_new(4, 2, 1));
    value_set(request, "/data/y", value_parse("[0, 1, 0, 1]"));
    json_t *job = job_wait(&service, job_post(&service, CHECKS, request));
    ck_assert_str_eq(text_at(job, "/state"), "failed");
    ck_assert(json_is_null(value_at(job, "/result")));
    const char *type = text_at(job, "/error/type");
    ck_assert_msg(strlen(type) > strlen(tail) &&
                      strcmp(type + strlen(type) - strlen(tail), tail) == 0,
                  "%s", type);
    text_at(job, "/error/title");
    text_at(job, "/error/detail");
    integer_at(job, "/error/status");
    struct answer *answer = get(&service, "/v1/jobs?state=failed");
    ck_assert_uint_eq(length_at(answer_json(answer), "/jobs"), 1);
    service_end(&service);
}

/* Large pre-activations are no reason to fail: all functions are computed stably. */
START_TEST(saturated_units_stay_finite)
{
    static const char *const last[] = {"softmax", "sigmoid"};
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < 2; i++) {
        json_t *model = model_new(1, format("2 %s", last[i]),
                                  i == 0 ? "categorical_crossentropy" : "binary_crossentropy");
        value_set(model, "/parameters", value_parse("[{\"W\": [[1000, -1000]], \"b\": [0, 0]}]"));
        json_t *data = value_parse("{\"x\": [[1], [-1]], \"y\": [[0, 1], [0, 1]]}");
        json_t *result = job_result(&service, CHECKS, check_new(model, data));
        ck_assert(isfinite(number_at(result, "/cost")) && number_at(result, "/cost") > 100);
    }
    service_end(&service);
}

static const char *wide_check(const struct service *service, const char *method)
{
    json_t *model =
        model_new(20, "40 relu; dropout 0.3; 30 tanh; 10 softmax", "categorical_crossentropy");
    json_t *request = check_new(model, labelled_new(60, 20, 10));
    return job_result_bytes(
        service, CHECKS,
        check_with(request, format("{\"method\": \"%s\", \"include\": [\"gradients\"], "
                                   "\"inputs\": true}",
                                   method)));
}

static const char *wide_training(const struct service *service)
{
    json_t *training = value_parse(
        "{\"epochs\": 40, \"batch_size\": 32, \"optimizer\": \"adam\", "
        "\"validation_split\": 0.2, \"check_every\": 20}");
    json_t *model = model_new(20, "40 tanh; dropout 0.3; 10 softmax", "categorical_crossentropy");
    return job_result_bytes(service, TRAININGS,
                            training_new(model, labelled_new(60, 20, 10), training));
}

/* The result holds nothing that depends on who computed it, or when. */
START_TEST(same_bytes_with_one_and_two_workers)
{
    static const char *const methods[] = {"central", "forward", "complex_step", "ridders",
                                          "directional"};
    struct service one, two;
    service_start(&one, "--workers 1");
    service_start(&two, "--workers 2");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const char *first = wide_check(&one, methods[i]);
        ck_assert_str_eq(first, wide_check(&two, methods[i]));
        ck_assert_str_eq(first, wide_check(&one, methods[i]));
    }
    ck_assert_str_eq(wide_training(&one), wide_training(&two));
    service_end(&one);
    service_end(&two);
}

int main(void)
{
    const TTest *const tests[] = {every_field,
                                  worst_is_as_long_as_asked,
                                  distances_add_up,
                                  tolerance_goes_with_epsilon,
                                  truncation_is_warned_of,
                                  only_chosen_layers,
                                  layers_without_parameters,
                                  inputs_are_checked_when_asked,
                                  cost_that_is_not_finite,
                                  saturated_units_stay_finite,
                                  same_bytes_with_one_and_two_workers,
                                  NULL};
    return suite_main("check", tests);
}
