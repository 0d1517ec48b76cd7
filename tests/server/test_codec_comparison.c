/* Two sets of gradients out of bodies: what may be left out, and what is refused. */
#include "server/codec_comparison.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE "'reference': {'W': [[1, 2, 3], [4, 5, 7]], 'b': [1, -1], 's': 3}"

static struct blob *compared(const char *more, struct problem *problem)
{
    const struct limits limits = limits_default();
    *problem = (struct problem){0};
    struct blob *body = body_of("{%s, " REFERENCE "}", more);
    struct blob *answer = codec_comparison(body, &limits, problem);
    blob_unref(body);
    return answer;
}

/* Every option is as if it were not there. */
START_TEST(null_is_not_given)
{
    static const char *const bodies[] = {
        "'claimed': {'b': [1, -1]}",
        "'claimed': {'b': [1, -1]}, 'dtype': null, 'tolerance': null, 'parameters': null",
        "'claimed': {'b': [1, -1], 'W': null}, 'parameters': {'b': null}",
    };
    struct problem problem;
    char *want = strdup(text_of(compared(bodies[0], &problem)));
    for (size_t i = 1; i < COUNT(bodies); i++) {
        struct blob *answer = compared(bodies[i], &problem);
        ck_assert_msg(answer != NULL, "%s: %s", problem.pointer, problem.detail);
        ck_assert_str_eq(text_of(answer), want);
    }
    free(want);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_told)
{
    static const struct {
        const char *claimed, *pointer, *detail;
    } cases[] = {
        {"{'b': 'x'}", "/claimed/b", "must be (2) as in the reference, got a string"},
        {"{'s': [3]}", "/claimed/s", "must be a number as in the reference, got (1)"},
        {"{'W': [[1, 2, 3], [4, 5]]}", "/claimed/W/1",
         "row 1 has 2 items where there must be 3: this must be (2, 3)"},
        {"{'W': [[1, 2], [4, 5, 7]]}", "/claimed/W/0",
         "row 0 has 2 items where there must be 3: this must be (2, 3)"},
        {"{'W': [[1, 2], [4, 5]]}", "/claimed/W", "must be (2, 3) as in the reference, got (2, 2)"},
        {"{'W': [[1, 2], [3, 4], [5, 7]]}", "/claimed/W",
         "must be (2, 3) as in the reference, got (3, 2): it would fit transposed"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem problem;
        char more[100];
        snprintf(more, sizeof more, "'claimed': %s", cases[i].claimed);
        ck_assert_ptr_null(compared(more, &problem));
        ck_assert(problem_is(&problem, PROBLEM_INVALID, cases[i].pointer));
        ck_assert_str_eq(problem.detail, cases[i].detail);
    }
}
END_TEST

/* What is not claimed is not compared, but must be a tensor all the same. */
START_TEST(what_is_refused_in_the_reference)
{
    static const struct {
        const char *tensor, *pointer;
    } cases[] = {{"null", "/reference/V"},       {"'x'", "/reference/V"},
                 {"{}", "/reference/V"},         {"[]", "/reference/V"},
                 {"[[]]", "/reference/V"},       {"[[1, 2], [3]]", "/reference/V/1"},
                 {"[1, [2]]", "/reference/V/1"}, {"[1, null]", "/reference/V/1"}};
    const struct limits limits = limits_default();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem problem = {0};
        struct blob *body =
            body_of("{'claimed': {'s': 1}, 'reference': {'V': %s, 's': 1}}", cases[i].tensor);
        ck_assert_ptr_null(codec_comparison(body, &limits, &problem));
        blob_unref(body);
        ck_assert_msg(problem_is(&problem, PROBLEM_INVALID, cases[i].pointer), "%s",
                      cases[i].tensor);
    }
}
END_TEST

/* Rather that of what is around a thing than one that is cut. */
START_TEST(a_pointer_is_that_of_something)
{
    enum { LONG = 300 };
    char name[LONG + 1], more[LONG + 40];
    struct problem problem;
    memset(name, 'n', LONG);
    name[LONG] = '\0';
    snprintf(more, sizeof more, "'claimed': {'%s': 1}", name);
    ck_assert_ptr_null(compared(more, &problem));
    ck_assert(problem_is(&problem, PROBLEM_INVALID, "/claimed"));
    name[LONG / 2] = '\0';
    snprintf(more, sizeof more, "'claimed': {'%s/~': 1}", name);
    ck_assert_ptr_null(compared(more, &problem));
    snprintf(more, sizeof more, "/claimed/%s~1~0", name);
    ck_assert(problem_is(&problem, PROBLEM_INVALID, more));
}
END_TEST

SUITE_MAIN("codec_comparison", {null_is_not_given, 0}, {shapes_that_do_not_fit_are_told, 0},
           {what_is_refused_in_the_reference, 0}, {a_pointer_is_that_of_something, 0})
