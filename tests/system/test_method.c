/*
 * Every method of a gradient check, as a client sees it: what it is told of steps and directions,
 * kinks on the way, and the warnings.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* Those of check_small(), 218 parameters in 6 tensors, with x 278 elements. */
static const struct method {
    const char *name;
    double epsilon; /* 0: null */
    double tolerance;
    int evaluations, with_inputs;
    double distance; /* at most */
} methods[] = {{"central", 1e-4, 1e-8, 436, 556, 1e-7},
               {"forward", 1e-4, 1e-4, 219, 279, 1e-3},
               {"complex_step", 0, 1e-11, 218, 278, 1e-13},
               {"ridders", 0, 1e-11, 1744, 2224, 1e-9},
               {"directional", 0, 1e-11, 48, 108, 1e-13}};

static json_t *check_of(const struct method *method, const char *more)
{
    json_t *request = check_small();
    value_set(request, "/check", value_parse(format("{\"method\": \"%s\"%s}", method->name, more)));
    return request;
}

static void method_expect(const json_t *result, const struct method *method)
{
    ck_assert_str_eq(text_at(result, "/method"), method->name);
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    if (method->epsilon > 0)
        ck_assert(close_to(number_at(result, "/epsilon"), method->epsilon, 0));
    else
        ck_assert(json_is_null(value_at(result, "/epsilon")));
    ck_assert(close_to(number_at(result, "/tolerance"), method->tolerance, 1e-12));
    ck_assert_msg(number_at(result, "/distance") < method->distance, "%s: %g", method->name,
                  number_at(result, "/distance"));
    ck_assert(number_at(result, "/refined_distance") < 1e-13);
    ck_assert_int_eq(integer_at(result, "/parameters_checked"), 218);
    ck_assert_int_eq(integer_at(result, "/kinks/parameters"), 0);
    ck_assert_int_eq(integer_at(result, "/kinks/crossings"), 0);
}

START_TEST(every_method)
{
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(methods); i++) {
        json_t *result = job_result(&service, CHECKS, check_of(&methods[i], ""));
        method_expect(result, &methods[i]);
        ck_assert_int_eq(integer_at(result, "/evaluations"), methods[i].evaluations);
        ck_assert_ptr_null(value_find(result, "/inputs"));
    }
    service_end(&service);
}

START_TEST(every_method_with_inputs)
{
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(methods); i++) {
        json_t *job = job_wait(&service, job_post(&service, CHECKS,
                                                  check_of(&methods[i],
                                                           ", \"inputs\": true, "
                                                           "\"include\": [\"gradients\"]")));
        json_t *result = value_at(job, "/result");
        method_expect(result, &methods[i]);
        ck_assert_int_eq(integer_at(result, "/evaluations"), methods[i].with_inputs);
        ck_assert_int_eq(integer_at(job, "/progress/done"), 278);
        ck_assert_int_eq(integer_at(job, "/progress/total"), 278);
        ck_assert_str_eq(text_at(result, "/inputs/verdict"), "pass");
        ck_assert_uint_eq(length_at(result, "/inputs/worst"), 5);
        matrix_expect(value_at(result, "/gradients/inputs/analytic"), 20, 3);
        matrix_expect(value_at(result, "/gradients/inputs/numeric"), 20, 3);
        ck_assert(number_at(result, "/inputs/distance") < methods[i].distance);
    }
    service_end(&service);
}

/* They all take the derivative of the same function. */
START_TEST(methods_agree)
{
    struct service service;
    service_start(&service, "");
    struct numbers exact = {0};
    for (size_t i = LENGTH_OF(methods) - 1; i-- > 0;) {
        json_t *request = check_of(&methods[i], ", \"include\": [\"gradients\"]");
        json_t *result = job_result(&service, CHECKS, request);
        struct numbers numeric = numbers_at(result, "/gradients/numeric/0/W");
        if (strcmp(methods[i].name, "ridders") == 0)
            exact = numbers_at(result, "/gradients/analytic/0/W");
        ck_assert_msg(norm_difference(numeric, exact) < 2 * methods[i].distance * norm(exact), "%s",
                      methods[i].name);
    }
    service_end(&service);
}

/* ---- steps ---- */

START_TEST(a_forward_step_sets_its_tolerance)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_of(&methods[1], ", \"epsilon\": 1e-6");
    json_t *result = job_result(&service, CHECKS, request);
    ck_assert(close_to(number_at(result, "/epsilon"), 1e-6, 0));
    ck_assert(close_to(number_at(result, "/tolerance"), 1e-6, 1e-12));
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    service_end(&service);
}

/* ---- directions ---- */

static void detection_expect(const json_t *object)
{
    names_expect(value_at(object, "/detection"), "error probability", NULL);
    double error = number_at(object, "/detection/error");
    ck_assert_msg(error > 0 && error < 1e-8, "%g", error);
    ck_assert(close_to(number_at(object, "/detection/probability"), 0.999, 0));
}

/* Along directions there are no elements to name, and no largest errors. */
START_TEST(directional_has_a_detection)
{
    struct service service;
    service_start(&service, "");
    json_t *result =
        job_result(&service, CHECKS,
                   check_of(&methods[4], ", \"directions\": 32, \"include\": [\"gradients\"]"));
    ck_assert_int_eq(integer_at(result, "/evaluations"), 6 * 32);
    detection_expect(result);
    for (int i = 0; i < 6; i++) {
        json_t *tensor = value_at(result, format("/layers/%d/tensors/%d", i / 2, i % 2));
        detection_expect(tensor);
        ck_assert(json_is_null(value_at(tensor, "/max_absolute_error")));
        ck_assert(json_is_null(value_at(tensor, "/max_relative_error")));
        ck_assert_uint_eq(length_at(tensor, "/worst"), 0);
        ck_assert_int_eq(integer_at(tensor, "/wrong_elements"), 0);
        /* Estimated from 32 squares of normal numbers: 6 deviations of sqrt(1/64). */
        double estimate = number_at(tensor, "/numeric_norm");
        ck_assert(close_to(estimate, number_at(tensor, "/analytic_norm"), 0.75));
        const char *place = format("/gradients/numeric/%d/%s", i / 2, i % 2 == 0 ? "W" : "b");
        ck_assert(json_is_null(value_at(result, place)));
    }
    ck_assert(largest(numbers_at(result, "/gradients/analytic/0/W")) > 0);
    service_end(&service);
}

START_TEST(other_methods_have_no_detection)
{
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i + 1 < LENGTH_OF(methods); i++) {
        json_t *result = job_result(&service, CHECKS, check_of(&methods[i], ""));
        ck_assert_ptr_null(value_find(result, "/detection"));
        ck_assert_ptr_null(value_find(result, "/layers/0/tensors/0/detection"));
    }
    service_end(&service);
}

/* ---- kinks ---- */

/* One unit with w = 1 and b = 0, so that z is x: at a step of 1/8 its bias takes 1/16 and 0 over
 * the kink, but not -1. */
static json_t *kinked(const char *activation, const char *method)
{
    json_t *model = model_new(1, format("1 %s", activation), "dot");
    value_set(model, "/parameters", value_parse("[{\"W\": [[1]], \"b\": [0]}]"));
    json_t *data = value_parse("{\"x\": [[0.0625], [-1], [0]], \"y\": [[1], [2], [3]]}");
    json_t *request = check_new(model, data);
    value_set(request, "/check",
              value_parse(format("{\"method\": \"%s\", \"epsilon\": 0.125}", method)));
    return request;
}

START_TEST(kinks_are_counted)
{
    static const char *const names[] = {"relu", "leaky_relu", "elu", "selu", "softsign"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        json_t *result = job_result(&service, CHECKS, kinked(names[i], "central"));
        ck_assert_int_eq(integer_at(result, "/kinks/parameters"), 1);
        ck_assert_int_eq(integer_at(result, "/kinks/crossings"), 2);
        ck_assert_int_eq(integer_at(result, "/layers/0/tensors/0/kinks"), 0);
        ck_assert_int_eq(integer_at(result, "/layers/0/tensors/1/kinks"), 1);
        ck_assert_str_eq(text_at(result, "/verdict"), "pass");
        const char *want = format(
            "1 parameter of layer 0 crosses a kink of %s within ±0.125, "
            "unit 0, samples 0 and 2",
            names[i]);
        ck_assert_str_eq(text_at(result, "/warnings/0"), want);
    }
    json_t *result = job_result(&service, CHECKS, kinked("relu", "forward"));
    ck_assert_int_eq(integer_at(result, "/kinks/crossings"), 1);
    service_end(&service);
}

/* A network that is full of them, and right: it passes though its distance is large. */
START_TEST(kinks_do_not_decide)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_new(model_new(6, "24 relu; 12 leaky_relu; 3 piecewise_linear", "mae"),
                                data_new(30, 6, 3));
    value_set(request, "/check", value_parse("{\"epsilon\": 0.01, \"inputs\": true}"));
    json_t *result = job_result(&service, CHECKS, request);
    ck_assert(number_at(result, "/distance") > number_at(result, "/tolerance"));
    ck_assert(number_at(result, "/refined_distance") < 1e-13);
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert(integer_at(result, "/kinks/parameters") > 10);
    ck_assert(integer_at(result, "/kinks/crossings") >= integer_at(result, "/kinks/parameters"));
    ck_assert(integer_at(result, "/inputs/kinks") > 0);
    ck_assert(length_at(result, "/warnings") > 0);
    service_end(&service);
}

/* ---- warnings ---- */

START_TEST(points_that_show_little_are_told)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_new(model_new(2, "2 relu; 1 linear", "dot"), data_new(2, 2, 1));
    value_set(request, "/model/parameters",
              value_parse("[{\"W\": [[1, 1], [1, 1]], \"b\": [1, -9]}, {\"W\": [[1], [0]], "
                          "\"b\": [0]}]"));
    value_set(request, "/data", value_parse("{\"x\": [[1, 2], [1, 2]], \"y\": [[1], [1]]}"));
    json_t *result = job_result(&service, CHECKS, request);
    ck_assert_str_eq(text_at(result, "/verdict"), "pass");
    ck_assert_uint_eq(length_at(result, "/warnings"), 3);
    ck_assert_ptr_nonnull(strstr(text_at(result, "/warnings/0"), "1 of 2 units are dead"));
    ck_assert_ptr_nonnull(strstr(text_at(result, "/warnings/1"), "all 2 samples are the same"));
    ck_assert_ptr_nonnull(strstr(text_at(result, "/warnings/2"), "upstream gradient is 1"));
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {every_method,
                                  every_method_with_inputs,
                                  methods_agree,
                                  a_forward_step_sets_its_tolerance,
                                  directional_has_a_detection,
                                  other_methods_have_no_detection,
                                  kinks_are_counted,
                                  kinks_do_not_decide,
                                  points_that_show_little_are_told,
                                  NULL};
    return suite_main("method", tests);
}
