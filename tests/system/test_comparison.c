/*
 * Two sets of gradients compared at once: the answer's form, what is refused, and that nothing is
 * kept of it.
 */
#include "jobs.h"
#include "problems.h"
#include "values.h"

#include <math.h>

#define COMPARISONS "/v1/comparisons"

static json_t *compared(const struct service *service, const char *body)
{
    struct answer *answer = post(service, COMPARISONS, value_parse(body));
    answer_expect(answer, 200);
    return answer_json(answer);
}

#define REFERENCE "\"reference\": {\"W\": [[1, 2, 3], [4, 5, 7]], \"b\": [0.5, -1], \"s\": 3}"

START_TEST(the_same_sets_pass)
{
    struct service service;
    service_start(&service, "");
    json_t *answer = compared(
        &service,
        "{\"claimed\": {\"s\": 3, \"W\": [[1, 2, 3], [4, 5, 7]], \"b\": [0.5, -1]}, " REFERENCE
        "}");
    names_expect(answer, "verdict distance tolerance dtype tensors findings warnings", NULL);
    ck_assert_str_eq(text_at(answer, "/verdict"), "pass");
    ck_assert(number_at(answer, "/tolerance") == 1e-8);
    ck_assert_uint_eq(length_at(answer, "/tensors"), 3);
    ck_assert_str_eq(text_at(answer, "/tensors/0/name"), "W"); /* as the reference has them */
    ck_assert_str_eq(text_at(answer, "/tensors/2/name"), "s");
    names_expect(value_at(answer, "/tensors/0"),
                 "name shape verdict distance error_bar claimed_norm reference_norm "
                 "max_absolute_error max_relative_error wrong_elements worst",
                 NULL);
    names_expect(value_at(answer, "/tensors/0/worst/0"),
                 "index claimed reference absolute_error relative_error verdict", NULL);
    ck_assert_uint_eq(length_at(answer, "/tensors/2/shape"), 0);
    ck_assert_uint_eq(length_at(answer, "/findings"), 0);
    ck_assert_uint_eq(length_at(answer, "/warnings"), 0);
    ck_assert_uint_eq(length_at(answer_json(get(&service, "/v1/jobs")), "/jobs"), 0);
    service_end(&service);
}

START_TEST(what_differs_is_named)
{
    static const struct {
        const char *claimed, *code;
    } cases[] = {
        {"{\"W\": [[2, 4, 6], [8, 10, 14]]}", "scaled"},
        {"{\"W\": [[-1, -2, -3], [-4, -5, -7]]}", "sign_flipped"},
        {"{\"W\": [[0, 0, 0], [0, 0, 0]]}", "zero"},
        {"{\"W\": [[1, 4, 2], [5, 3, 7]]}", "transposed"},
        {"{\"W\": [[1, 2, 3], [4, 5, null]]}", "non_finite"},
        {"{\"W\": [[1, 2, \"Infinity\"], [4, 5, \"NaN\"]]}", "non_finite"},
        {"{\"W\": [[1, 2, 3], [4, 5, 8]]}", "elements"},
        {"{\"W\": [[1, 2, 3], [4, 5, 7.5]]}", "elements"}, /* no bfloat16 */
        {"{\"W\": [[9, 2, 5], [1, 8, 3]]}", "unexplained"},
        {"{\"s\": null, \"b\": [\"NaN\", -1]}", "non_finite"},
    };
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *answer =
            compared(&service, format("{\"claimed\": %s, " REFERENCE "}", cases[i].claimed));
        ck_assert_str_eq(text_at(answer, "/verdict"), "fail");
        ck_assert_uint_eq(length_at(answer, "/findings"), 1);
        ck_assert_str_eq(text_at(answer, "/findings/0/code"), cases[i].code);
        ck_assert(json_is_null(value_at(answer, "/findings/0/layer")));
        ck_assert_str_eq(text_at(answer, "/findings/0/tensor"), text_at(answer, "/tensors/0/name"));
        ck_assert_uint_eq(length_at(answer, "/warnings"), 2); /* the others are not claimed */
    }
    service_end(&service);
}

START_TEST(parameters_show_weight_decay)
{
    struct service service;
    service_start(&service, "");
    json_t *answer = compared(&service,
                              "{\"claimed\": {\"W\": [[1.5, 2, 3.25], [4, 6, 7]]}, "
                              "\"parameters\": {\"W\": [[1, 0, 0.5], [0, 2, 0]]}, " REFERENCE "}");
    ck_assert_str_eq(text_at(answer, "/findings/0/code"), "regularisation");
    ck_assert(close_to(number_at(answer, "/findings/0/evidence/decay"), 0.5, 1e-12));
    service_end(&service);
}

START_TEST(tolerance_and_dtype)
{
    struct service service;
    service_start(&service, "");
    json_t *answer = compared(&service, "{\"claimed\": {\"s\": 3.000001}, " REFERENCE "}");
    ck_assert_str_eq(text_at(answer, "/verdict"), "fail");
    answer = compared(&service,
                      "{\"claimed\": {\"s\": 3.000001}, \"dtype\": \"float32\", " REFERENCE "}");
    ck_assert_str_eq(text_at(answer, "/verdict"), "pass");
    ck_assert(number_at(answer, "/tolerance") == 1e-6);
    answer = compared(&service, "{\"claimed\": {\"s\": 3.1}, \"tolerance\": 0.1, " REFERENCE "}");
    ck_assert_str_eq(text_at(answer, "/verdict"), "pass");
    service_end(&service);
}

START_TEST(what_is_refused)
{
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{}", ""},
        {"{\"claimed\": {}}", ""},
        {"{\"claimed\": {}, \"reference\": {}}", "/claimed"},
        {"{\"claimed\": {}, " REFERENCE "}", "/claimed"},
        {"{\"claimed\": {\"W\": null}, " REFERENCE "}", "/claimed"},
        {"{\"claimed\": [], " REFERENCE "}", "/claimed"},
        {"{\"claimed\": {\"V\": [1]}, " REFERENCE "}", "/claimed/V"},
        {"{\"claimed\": {\"b\": [1, 2, 3]}, " REFERENCE "}", "/claimed/b"},
        {"{\"claimed\": {\"b\": 1}, " REFERENCE "}", "/claimed/b"},
        {"{\"claimed\": {\"s\": \"3\"}, " REFERENCE "}", "/claimed/s"},
        {"{\"claimed\": {\"W\": [[1, 2, 3], [4, 5]]}, " REFERENCE "}", "/claimed/W/1"},
        {"{\"claimed\": {\"W\": [[1, 2, 3], [4, 5, \"x\"]]}, " REFERENCE "}", "/claimed/W/1/2"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"reference\": {\"b\": [1, null]}}", "/reference/b/1"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"reference\": {\"b\": [1, \"NaN\"]}}", "/reference/b/1"},
        {"{\"claimed\": {\"b\": []}, \"reference\": {\"b\": []}}", "/reference/b"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"parameters\": {\"c\": 1}, " REFERENCE "}",
         "/parameters/c"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"parameters\": {\"b\": [1]}, " REFERENCE "}",
         "/parameters/b"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"dtype\": \"double\", " REFERENCE "}", "/dtype"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"tolerance\": 2, " REFERENCE "}", "/tolerance"},
        {"{\"claimed\": {\"b\": [1, 2]}, \"model\": {}, " REFERENCE "}", "/model"},
    };
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *fault = pointer_fault(post(&service, COMPARISONS, value_parse(cases[i].body)),
                                          422, cases[i].pointer);
        if (fault != NULL) failed += case_failed(cases[i].body, fault);
    }
    ck_assert_int_eq(failed, 0);
    answer_expect(get(&service, COMPARISONS), 405);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {
        the_same_sets_pass,  what_differs_is_named, parameters_show_weight_decay,
        tolerance_and_dtype, what_is_refused,       NULL};
    return suite_main("comparison", tests);
}
