/*
 * Bodies that are refused: each with its status and, where the JSON was well-formed, the pointer to
 * the value. After each case the same daemon still answers.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define JSON_TYPE "Content-Type: application/json\r\n"

/* One change of a good request: the value at a pointer becomes this text, or goes away when it is
 * NULL. */
struct change {
    const char *pointer, *text;
    const char *expected; /* as pointer_fault() takes it; NULL: that pointer itself */
};

typedef json_t *request_maker(void);

/* 3 inputs, dense 16 tanh, dense 8 tanh, dense 2 softmax; 20 rows, labels 0 and 1. */
static const struct change check_changes[] = {
    {"/model", NULL, "|/model"},
    {"/data", NULL, "|/data"},
    {"/modle", "{}", NULL},
    {"/model", "[]", NULL},
    {"/model", "null", "|/model"},
    {"/model", "\"dense\"", NULL},
    {"/model/layer", "[]", NULL},
    {"/model/convention", "\"torch\"", NULL},
    {"/model/convention", "1", NULL},
    {"/model/convention", "{\"type\": \"torch\"}", "/model/convention/type"},
    {"/model/convention", "{\"samples\": \"column\"}", "/model/convention/samples"},
    {"/model/convention", "{\"scale\": \"1\"}", "/model/convention/scale"},
    {"/model/convention", "{\"axes\": 1}", "/model/convention/axes"},
    /* layers */
    {"/model/layers", NULL, "/model|/model/layers"},
    {"/model/layers", "[]", NULL},
    {"/model/layers", "{}", NULL},
    {"/model/layers/1", "null", NULL},
    {"/model/layers/1", "[]", NULL},
    {"/model/layers/1/type", NULL, "/model/layers/1*"},
    {"/model/layers/1/type", "\"dens\"", "/model/layers/1*"},
    {"/model/layers/1/type", "\"conv2d\"", "/model/layers/1*"},
    {"/model/layers/1/type", "7", NULL},
    {"/model/layers/1/unit", "3", NULL},
    {"/model/layers/1/units", NULL, "/model/layers/1|/model/layers/1/units"},
    {"/model/layers/1/units", "-3", NULL},
    {"/model/layers/1/units", "0", NULL},
    {"/model/layers/1/units", "1.5", NULL},
    {"/model/layers/1/units", "1e18", NULL},
    {"/model/layers/1/units", "1000000000000000000", NULL},
    {"/model/layers/1/units", "4294967297", NULL},
    {"/model/layers/1/units", "\"8\"", NULL},
    {"/model/layers/1/units", "[8]", NULL},
    {"/model/layers/1/units", "true", NULL},
    {"/model/layers/1/units", "null", "/model/layers/1*"},
    {"/model/layers/1/use_bias", "1", NULL},
    {"/model/layers/1/l1", "-1", NULL},
    {"/model/layers/1/l2", "\"0\"", NULL},
    {"/model/layers/1/rate", "0.5", NULL},
    {"/model/layers/1", "{\"type\": \"dropout\"}", "/model/layers/1*"},
    {"/model/layers/1", "{\"type\": \"dropout\", \"rate\": 1}", "/model/layers/1/rate"},
    {"/model/layers/1", "{\"type\": \"dropout\", \"rate\": -0.1}", "/model/layers/1/rate"},
    {"/model/layers/1", "{\"type\": \"dropout\", \"rate\": \"x\"}", "/model/layers/1/rate"},
    {"/model/layers/1", "{\"type\": \"activation\"}", "/model/layers/1*"},
    /* activations and initializers */
    {"/model/layers/0/activation", "\"tahn\"", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "\"\"", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "null", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "3", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "{}", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "{\"type\": \"tahn\"}", "/model/layers/0/activation*"},
    {"/model/layers/0/activation", "{\"type\": \"relu\", \"alpha\": 1}",
     "/model/layers/0/activation/alpha"},
    {"/model/layers/0/activation", "{\"type\": \"elu\", \"alpha\": \"1\"}",
     "/model/layers/0/activation/alpha"},
    {"/model/layers/0/activation", "{\"type\": \"piecewise_linear\", \"alpha\": 0}",
     "/model/layers/0/activation/alpha"},
    {"/model/layers/0/activation", "{\"type\": \"piecewise_linear\", \"alpha\": -1}",
     "/model/layers/0/activation/alpha"},
    {"/model/layers/0/initializer", "\"xavier\"", "/model/layers/0/initializer*"},
    {"/model/layers/0/initializer", "0", "/model/layers/0/initializer*"},
    /* cost */
    {"/model/cost", NULL, "/model|/model/cost"},
    {"/model/cost", "\"rmse\"", "/model/cost*"},
    {"/model/cost", "{\"type\": \"mse\", \"reduction\": \"max\"}", "/model/cost/reduction"},
    {"/model/cost", "{\"type\": \"mse\", \"scale\": \"2\"}", "/model/cost/scale"},
    {"/model/cost", "{\"type\": \"mse\", \"weight\": 1}", "/model/cost/weight"},
    {"/model/layers/2/activation", "\"linear\"", "/model/cost*|/model/layers/2*"},
    {"/model/layers/2/activation", "\"tanh\"", "/model/cost*|/model/layers/2*"},
    {"/model/seed", "1.5", NULL},
    {"/model/seed", "\"7\"", NULL},
    /* shapes */
    {"/model/input_shape", NULL, "/model|/model/input_shape"},
    {"/model/input_shape", "[]", "/model/input_shape*"},
    {"/model/input_shape", "3", "/model/input_shape*"},
    {"/model/input_shape", "[0]", "/model/input_shape*"},
    {"/model/input_shape", "[-3]", "/model/input_shape*"},
    {"/model/input_shape", "[1.5]", "/model/input_shape*"},
    {"/model/input_shape", "[null]", "/model/input_shape*"},
    {"/model/input_shape", "[65536, 65536, 65536, 65536]", "/model/input_shape*"},
    {"/model/input_shape", "[4294967296, 4294967296]", "/model/input_shape*"},
    {"/model/input_shape", "[3, 1]", "/model/input_shape*|/model/layers/0*"},
    {"/model/input_shape", "[4]", "/model/input_shape*|/data/x*"},
    /* parameters */
    {"/model/parameters", "[]", NULL},
    {"/model/parameters", "{}", NULL},
    {"/model/parameters", "[null, null, null, null]", NULL},
    {"/model/parameters", "[{\"W\": [[1]], \"b\": [0]}, null, null]", "/model/parameters/0/W*"},
    {"/model/parameters", "[{\"V\": [[1]]}, null, null]", "/model/parameters/0*"},
    /* data */
    {"/data", "[]", NULL},
    {"/data/dataset", "\"iris\"", NULL},
    {"/data/z", "[]", NULL},
    {"/data/x", NULL, "/data|/data/x"},
    {"/data/y", NULL, "/data|/data/y"},
    {"/data/x", "[]", NULL},
    {"/data/x", "{}", NULL},
    {"/data/x", "null", "/data|/data/x"},
    {"/data/x", "[[1, 2, 3]]", "/data/y"},
    {"/data/x/3", "[1, 2]", NULL},
    {"/data/x/3", "[1, 2, 3, 4]", NULL},
    {"/data/x/3", "[]", NULL},
    {"/data/x/3", "1", NULL},
    {"/data/x/3/1", "\"1\"", NULL},
    {"/data/x/3/1", "null", NULL},
    {"/data/x/3/1", "true", NULL},
    {"/data/x/3/1", "[1]", NULL},
    {"/data/x/3/1", "{}", NULL},
    {"/data/y", "[0, 1]", NULL},
    {"/data/y", "\"0\"", NULL},
    {"/data/y/7", "2", NULL},
    {"/data/y/7", "-1", NULL},
    {"/data/y/7", "0.5", NULL},
    {"/data/y/7", "1e18", NULL},
    {"/data/y/7", "\"0\"", NULL},
    {"/data/y/7", "[0, 1]", "/data/y*"},
    {"/data/weights", "[1, 1]", NULL},
    {"/data/weights", "{}", NULL},
    {"/data/weights", "[1,1,-1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "/data/weights/2"},
    {"/data/weights", "[1,1,\"\",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "/data/weights/2"},
    /* check */
    {"/check", "[]", NULL},
    {"/check", "{\"eps\": 1e-4}", "/check/eps"},
    {"/check", "{\"method\": \"centre\"}", "/check/method"},
    {"/check", "{\"method\": \"Central\"}", "/check/method"},
    {"/check", "{\"method\": \"\"}", "/check/method"},
    {"/check", "{\"method\": 1}", "/check/method"},
    {"/check", "{\"method\": [\"central\"]}", "/check/method"},
    {"/check", "{\"method\": \"complex_step\", \"epsilon\": 1e-4}", "/check/epsilon"},
    {"/check", "{\"epsilon\": 1e-20, \"method\": \"complex_step\"}", "/check/epsilon"},
    {"/check", "{\"method\": \"ridders\", \"epsilon\": 1e-4}", "/check/epsilon"},
    {"/check", "{\"method\": \"directional\", \"epsilon\": 1e-4}", "/check/epsilon"},
    {"/check", "{\"method\": \"directional\", \"epsilon\": null}", "/check/epsilon"},
    {"/check", "{\"method\": \"forward\", \"epsilon\": 0}", "/check/epsilon"},
    {"/check", "{\"method\": \"forward\", \"epsilon\": 1.5}", "/check/epsilon"},
    {"/check", "{\"epsilon\": 0}", "/check/epsilon"},
    {"/check", "{\"epsilon\": -1e-4}", "/check/epsilon"},
    {"/check", "{\"epsilon\": 1e300}", "/check/epsilon"},
    {"/check", "{\"epsilon\": \"1e-4\"}", "/check/epsilon"},
    {"/check", "{\"tolerance\": -1}", "/check/tolerance"},
    {"/check", "{\"tolerance\": \"\"}", "/check/tolerance"},
    {"/check", "{\"layers\": [3]}", "/check/layers/0"},
    {"/check", "{\"layers\": [0, -1]}", "/check/layers/1"},
    {"/check", "{\"layers\": [0.5]}", "/check/layers/0"},
    {"/check", "{\"layers\": 0}", "/check/layers"},
    {"/check", "{\"inputs\": 1}", "/check/inputs"},
    {"/check", "{\"worst\": -1}", "/check/worst"},
    {"/check", "{\"worst\": 1.5}", "/check/worst"},
    {"/check", "{\"worst\": 1e18}", "/check/worst"},
    {"/check", "{\"include\": [\"everything\"]}", "/check/include/0"},
    {"/check", "{\"include\": \"gradients\"}", "/check/include"},
    {"/check", "{\"claimed\": {\"gradients\": []}}", "/check/claimed"},
    {"/check", "{\"claimed\": {\"gradients\": [null, null, null, null]}}",
     "/check/claimed/gradients"},
    {"/check", "{\"claimed\": {\"gradients\": [null, null, null]}}", "/check/claimed"},
    {"/check", "{\"claimed\": {\"gradients\": [{\"b\": [1]}, null, null]}}",
     "/check/claimed/gradients/0/b"},
    {"/check", "{\"sensitivity\": \"yes\"}", "/check/sensitivity"},
    {"/check", "{\"directions\": 8}", "/check/directions"},
    {"/check", "{\"method\": \"forward\", \"directions\": 8}", "/check/directions"},
    {"/check", "{\"method\": \"complex_step\", \"directions\": 8}", "/check/directions"},
    {"/check", "{\"method\": \"ridders\", \"directions\": 8}", "/check/directions"},
    {"/check", "{\"method\": \"directional\", \"directions\": 0}", "/check/directions"},
    {"/check", "{\"method\": \"directional\", \"directions\": 257}", "/check/directions"},
    {"/check", "{\"method\": \"directional\", \"directions\": 1.5}", "/check/directions"},
    {"/check", "{\"method\": \"directional\", \"directions\": \"8\"}", "/check/directions"},
    {"/training", "{}", NULL},
    /* what every job has */
    {"/priority", "\"urgent\"", NULL},
    {"/priority", "1", NULL},
    {"/labels", "[]", NULL},
    {"/labels", "{\"a\": 1}", "/labels/a"},
    {"/labels", "{\"a\": \"\"}", "/labels/a"},
    {"/labels", "{\"a\": \"line\\nline\"}", "/labels/a"},
    {"/labels", "{\"a\": \"\\u007f\"}", "/labels/a"},
    {"/labels", "{\"a b\": \"x\"}", "/labels/a b"},
    {"/labels", "{\"\": \"x\"}", "/labels/"},
    {"/labels", "{\".a\": \"x\"}", "/labels/.a"},
    {"/labels", "{\"a/b~c\": \"x\"}", "/labels/a~1b~0c"},
};

/* 4 inputs, dense 6 tanh, dense 3 softmax; 24 rows, labels 0 to 2. */
static const struct change training_changes[] = {
    {"/training", NULL, "|/training"},
    {"/training", "[]", NULL},
    {"/check", "{}", NULL},
    {"/training/epoch", "3", NULL},
    {"/training/epochs", "0", NULL},
    {"/training/epochs", "-1", NULL},
    {"/training/epochs", "1.5", NULL},
    {"/training/epochs", "1e18", NULL},
    {"/training/batch_size", "0", NULL},
    {"/training/batch_size", "-4", NULL},
    {"/training/batch_size", "2.5", NULL},
    {"/training/optimizer", "\"adamw\"", "/training/optimizer*"},
    {"/training/optimizer", "{\"type\": \"adamw\"}", "/training/optimizer*"},
    {"/training/optimizer", "{\"learning_rate\": 1}", "/training/optimizer*"},
    {"/training/optimizer", "{\"type\": \"sgd\", \"beta\": 0.9}", "/training/optimizer/beta"},
    {"/training/optimizer", "{\"type\": \"sgd\", \"learning_rate\": -1}",
     "/training/optimizer/learning_rate"},
    {"/training/optimizer", "{\"type\": \"adam\", \"beta1\": 1.5}", "/training/optimizer/beta1"},
    {"/training/optimizer", "{\"type\": \"momentum\", \"beta\": -0.1}", "/training/optimizer/beta"},
    {"/training/shuffle", "\"yes\"", NULL},
    {"/training/seed", "0.5", NULL},
    {"/training/validation_split", "1", NULL},
    {"/training/validation_split", "-0.1", NULL},
    {"/training/validation_split", "1.5", NULL},
    {"/training/validation_split", "\"0.2\"", NULL},
    {"/training/check_every", "-1", NULL},
    {"/training/check_every", "0.5", NULL},
    {"/data/y/5", "3", NULL},
};

static int change_failed(const struct service *service, const char *path, request_maker *make,
                         const struct change *change)
{
    json_t *body = make();
    if (change->text != NULL)
        value_set(body, change->pointer, value_parse(change->text));
    else
        value_remove(body, change->pointer);
    const char *text = change->text != NULL ? change->text : "(removed)";
    const char *name = format("%s %s: %s", path, change->pointer, text);
    const char *expected = change->expected != NULL ? change->expected : change->pointer;
    const char *fault = pointer_fault(post(service, path, body), 422, expected);
    return (fault != NULL ? case_failed(name, fault) : 0) + case_survived(service, name);
}

START_TEST(values_of_a_check)
{
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(check_changes); i++)
        failed += change_failed(&service, CHECKS, check_small, &check_changes[i]);
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

static json_t *training_base(void)
{
    return training_small(2);
}

START_TEST(values_of_a_training)
{
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(training_changes); i++)
        failed += change_failed(&service, TRAININGS, training_base, &training_changes[i]);
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

/* Probabilities, for one output and for the binary cross-entropy. */
START_TEST(targets_out_of_range)
{
    static const struct {
        const char *y, *expected;
    } cases[] = {{"[[0], [2], [0]]", "/data/y/1*"},
                 {"[0, 1, -0.5]", "/data/y/2*"},
                 {"[[0], [1, 1], [0]]", "/data/y/1*"},
                 {"[[[0]], [[1]], [[1]]]", "/data/y*"},
                 {"[[0, 1], [0, 1], [0, 1]]", "/data/y*"}};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        json_t *body =
            check_new(model_new(2, "1 sigmoid", "binary_crossentropy"), data_new(3, 2, 1));
        value_set(body, "/data/y", value_parse(cases[i].y));
        const char *fault = pointer_fault(post(&service, CHECKS, body), 422, cases[i].expected);
        if (fault != NULL) failed += case_failed(cases[i].y, fault);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

/* Someone transposed a matrix: the answer has to show them which one, and both shapes. */
START_TEST(shape_mismatch_names_both_shapes)
{
    struct service service;
    service_start(&service, "");
    json_t *body = check_small();
    json_t *W = matrix_new(16, 3, 1);
    json_t *b = json_array();
    for (int j = 0; j < 16; j++)
        json_array_append_new(b, json_real(0));
    value_set(body, "/model/parameters", json_pack("[{s:o, s:o}, {}, {}]", "W", W, "b", b));
    struct answer *answer = post(&service, CHECKS, body);
    problem_expect(answer, 422, "/model/parameters/0/W");
    const char *detail = text_at(answer_json(answer), "/errors/0/detail");
    ck_assert_msg(strstr(detail, "16, 3") != NULL && strstr(detail, "3, 16") != NULL, "%s", detail);
    service_end(&service);
}

/* `count` labels with names and values of these lengths. */
static struct answer *post_labels(const struct service *service, int count, int name, int value)
{
    json_t *body = check_small();
    json_t *labels = json_object();
    for (int i = 0; i < count; i++)
        json_object_set_new(labels, format("%c%0*d", 'a' + i, name - 1, 0),
                            json_string(format("%0*d", value, 0)));
    value_set(body, "/labels", labels);
    return post(service, CHECKS, body);
}

START_TEST(labels_at_their_limits)
{
    struct service service;
    service_start(&service, "");
    answer_expect(post_labels(&service, 16, 64, 256), 202);
    problem_expect(post_labels(&service, 17, 2, 1), 422, "/labels*");
    problem_expect(post_labels(&service, 1, 65, 1), 422, "/labels/*");
    problem_expect(post_labels(&service, 1, 2, 257), 422, "/labels/a0");
    service_end(&service);
}

START_TEST(body_of_another_kind)
{
    static const char *const bodies[] = {"[]", "[{}]", "{}"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(bodies); i++) {
        struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, bodies[i]);
        problem_expect(answer, 422, "|/model|/data");
    }
    service_end(&service);
}

/* The name is cut in the message, in the middle of a character. */
START_TEST(long_names_are_not_plain_ascii)
{
    struct service service;
    service_start(&service, "");
    char name[2 * 40 + 2] = "a";
    for (int i = 0; i < 40; i++)
        memcpy(name + 1 + 2 * i, "\xc3\xa9", 3);
    json_t *request = check_small();
    json_object_set_new(
        json_array_get(json_object_get(json_object_get(request, "model"), "layers"), 0),
        "activation", json_string(name));
    problem_expect(post(&service, CHECKS, request), 422, "/model/layers/0/activation");
    problem_expect(get(&service, "/v1/jobs?state=%FF"), 400, NULL);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {values_of_a_check,
                                  values_of_a_training,
                                  targets_out_of_range,
                                  shape_mismatch_names_both_shapes,
                                  labels_at_their_limits,
                                  body_of_another_kind,
                                  long_names_are_not_plain_ascii,
                                  NULL};
    return suite_main("bad_input", tests);
}
