/* Parameters, targets and weights out of bodies, in each form that they may take. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <string.h>

/* ---- parameters ---- */

#define TWO_LAYERS "[" DENSE ", {'type': 'dropout', 'rate': 0.5}, {'type': 'dense', 'units': 1}]"
#define FIRST "{'W': [[1, 2], [3, 4], [5, 6]], 'b': [7, 8]}"
#define PARAMETERS_BODY                                    \
    "{'model': {'input_shape': [3], 'layers': " TWO_LAYERS \
    ", 'cost': 'mse', 'parameters': %s}, 'data': {'x': [[1, 2, 3]], 'y': [[1]]}}"

START_TEST(parameters_in_both_list_forms)
{
    static const char *const lists[] = {
        "[" FIRST ", null, {'W': [[9], [10]], 'b': [11]}]",
        "[" FIRST ", {}, {'b': [11], 'W': [[9], [10]]}]",
        "[" FIRST ", {'W': [[9], [10]], 'b': [[11]]}]", /* as parameters.json has it */
        "[{'W': [[1, 2], [3, 4], [5, 6]], 'b': [[7, 8]]}, {'W': [[9], [10]], 'b': [11]}]",
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct spec *spec = spec_of(JOB_CHECK, body_of(PARAMETERS_BODY, lists[i]));
        for (size_t k = 0; k < 11; k++)
            ck_assert_double_eq(spec->parameters[k], (double)(k + 1));
        spec_free(spec);
    }
}
END_TEST

static const struct bound parameters[] = {
    {"null", "/model/parameters"},
    {"{}", "/model/parameters"},
    {"[]", "/model/parameters"},
    {"[" FIRST "]", "/model/parameters"},
    {"[" FIRST ", null, null]", "/model/parameters/2"},
    {"[" FIRST ", {'W': [], 'b': []}, {}]", "/model/parameters/1/W"},
    {"[" FIRST ", {}, {'W': [[9], [10]]}]", "/model/parameters/2"},
    {"[" FIRST ", {}, {'W': [[9, 10]], 'b': [1]}]", "/model/parameters/2/W"},
    {"[" FIRST ", {}, {'W': [[9], [10, 11]], 'b': [1]}]", "/model/parameters/2/W/1"},
    {"[" FIRST ", {}, {'W': [[9], ['10']], 'b': [1]}]", "/model/parameters/2/W/1/0"},
    {"[" FIRST ", {}, {'W': [[9], [10]], 'b': 1}]", "/model/parameters/2/b"},
    {"[" FIRST ", {}, {'W': [[9], [10]], 'b': [[1, 2]]}]", "/model/parameters/2/b"},
    {"[" FIRST ", {}, {'W': [[9], [10]], 'b': [[[1]]]}]", "/model/parameters/2/b/0"},
    {"[" FIRST ", {'c': 1}, {'W': [[9], [10]], 'b': [1]}]", "/model/parameters/1/c"},
};

START_TEST(parameters_that_do_not_fit)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK, PARAMETERS_BODY, parameters, COUNT(parameters)), 0);
}
END_TEST

START_TEST(parameters_drawn_from_the_seed)
{
    const char *const body = "{'model': {'input_shape': [3], 'layers': [" DENSE
                             "], 'cost': 'mse', 'seed': %d}, 'data': " DATA "}";
    struct spec *spec[3];
    for (int i = 0; i < 3; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        spec[i] = spec_of(JOB_CHECK, body_of(body, i / 2));
#pragma GCC diagnostic pop
    }
    ck_assert_mem_eq(spec[0]->parameters, spec[1]->parameters, 8 * sizeof(double));
    ck_assert_mem_ne(spec[0]->parameters, spec[2]->parameters, 8 * sizeof(double));
    for (int i = 0; i < 3; i++)
        spec_free(spec[i]);
}
END_TEST

/* ---- y ---- */

static struct blob *body_with_y(const char *units, const char *cost, const char *y)
{
    return body_of(
        "{'model': {'input_shape': [1], 'layers': [{'type': 'dense', 'units': %s, "
        "'activation': 'sigmoid'}], 'cost': '%s'}, 'data': {'x': [[1], [2]], 'y': %s}}",
        units, cost, y);
}

START_TEST(forms_of_y)
{
    static const struct {
        const char *units, *cost, *y;
        double values[4];
    } cases[] = {
        {"1", "mse", "[[5], [-6]]", {5, -6}},
        {"1", "mse", "[5, -6]", {5, -6}},
        {"1", "binary_crossentropy", "[0.25, 1]", {0.25, 1}},
        {"1", "categorical_crossentropy", "[0.5, 1]", {0.5, 1}}, /* one output: no labels */
        {"2", "mse", "[[1, 2], [3, 4]]", {1, 2, 3, 4}},
        {"2", "categorical_crossentropy", "[[0.5, 0.5], [1, 1]]", {0.5, 0.5, 1, 1}},
        {"2", "categorical_crossentropy", "[1, 0]", {0, 1, 1, 0}},
        {"2", "categorical_crossentropy", "[1.0, 0e5]", {0, 1, 1, 0}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spec *spec =
            spec_of(JOB_CHECK, body_with_y(cases[i].units, cases[i].cost, cases[i].y));
        const size_t bytes = 2 * spec->model->outputs * sizeof(double);
        ck_assert_msg(memcmp(spec->data->y, cases[i].values, bytes) == 0, "%s", cases[i].y);
        spec_free(spec);
    }
}
END_TEST

START_TEST(y_that_does_not_fit)
{
    static const struct {
        const char *units, *cost, *y, *pointer;
    } cases[] = {
        {"1", "mse", "[[5]]", "/data/y"},
        {"1", "mse", "[5, 6, 7]", "/data/y"},
        {"1", "mse", "[5, [6]]", "/data/y/1"},
        {"1", "mse", "[[5], 6]", "/data/y/1"},
        {"1", "mse", "[[5], [6, 7]]", "/data/y/1"},
        {"1", "mse", "[5, null]", "/data/y/1"},
        {"2", "mse", "[5, 6]", "/data/y/0"},
        {"2", "binary_crossentropy", "[0, 1]", "/data/y/0"},
        {"1", "binary_crossentropy", "[0, 1.5]", "/data/y/1"},
        {"1", "binary_crossentropy", "[[0], [-0.5]]", "/data/y/1/0"},
        {"2", "categorical_crossentropy", "[0, 2]", "/data/y/1"},
        {"2", "categorical_crossentropy", "[0, -1]", "/data/y/1"},
        {"2", "categorical_crossentropy", "[0, 0.5]", "/data/y/1"},
        {"2", "categorical_crossentropy", "[0, [0, 1]]", "/data/y/1"},
        {"2", "categorical_crossentropy", "[[0, 1], [0, 1.25]]", "/data/y/1/1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem problem;
        struct blob *body = body_with_y(cases[i].units, cases[i].cost, cases[i].y);
        ck_assert_ptr_null(spec_try(JOB_CHECK, body, &problem));
        ck_assert_msg(problem_is(&problem, PROBLEM_INVALID, cases[i].pointer), "%s", cases[i].y);
    }
}
END_TEST

/* A pointer must lead to the value, whatever the number of axes. */
START_TEST(y_out_of_range_in_several_axes)
{
    struct problem problem;
    struct blob *body = body_of(
        "{'model': {'input_shape': [2, 2], 'layers': [{'type': 'activation', 'activation': "
        "'sigmoid'}], 'cost': 'binary_crossentropy'}, 'data': {'x': [[[1, 2], [3, 4]]], "
        "'y': [[[0, 1], [0, 2]]]}, 'check': {'inputs': true}}");
    ck_assert_ptr_null(spec_try(JOB_CHECK, body, &problem));
    ck_assert(problem_is(&problem, PROBLEM_INVALID, "/data/y/0/1/1"));
}
END_TEST

START_TEST(weights_of_samples)
{
    static const struct bound bounds[] = {{"[0, 1e300]", NULL},
                                          {"[1]", "/data/weights"},
                                          {"[1, -1e-300]", "/data/weights/1"},
                                          {"[1, [1]]", "/data/weights/1"},
                                          {"null", "/data/weights"}};
    ck_assert_int_eq(bounds_failed(JOB_CHECK,
                                   "{'model': " MODEL ", 'data': {'x': [[1, 2, 3], [4, 5, 6]], "
                                   "'y': [[0, 1], [1, 0]], 'weights': %s}}",
                                   bounds, COUNT(bounds)),
                     0);
}
END_TEST

SUITE_MAIN("codec_data", {parameters_in_both_list_forms, 0}, {parameters_that_do_not_fit, 0},
           {parameters_drawn_from_the_seed, 0}, {forms_of_y, 0}, {y_that_does_not_fit, 0},
           {y_out_of_range_in_several_axes, 0}, {weights_of_samples, 0})
