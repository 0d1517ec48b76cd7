/*
 * Networks whose cost and gradients an independent program computed: tests/data/reference. And
 * every activation with every cost and initializer.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

static const char FOLDER[] = "tests/data/reference";

static const char *type_of(const json_t *named)
{
    return json_string_value(json_is_string(named) ? named : json_object_get(named, "type"));
}

/* An elu with alpha 1 has a continuous slope; another one jumps at 0. */
static bool activation_jumps(const json_t *activation)
{
    static const char *const jumping[] = {"relu", "leaky_relu", "selu", "piecewise_linear"};
    const char *type = type_of(activation);
    if (type == NULL) return false;
    for (size_t i = 0; i < LENGTH_OF(jumping); i++)
        if (strcmp(type, jumping[i]) == 0) return true;
    const json_t *alpha = json_object_get(activation, "alpha");
    return strcmp(type, "elu") == 0 && alpha != NULL && fabs(json_number_value(alpha) - 1) > 1e-12;
}

/* Whether a stencil may cross a kink, so that central differences are wrong of a right gradient. */
static bool kinks_possible(const json_t *model)
{
    const json_t *layers = value_at(model, "/layers");
    for (size_t i = 0; i < json_array_size(layers); i++)
        if (activation_jumps(json_object_get(json_array_get(layers, i), "activation"))) return true;
    return strcmp(type_of(value_at(model, "/cost")), "mae") == 0;
}

static const char *gradients_fault(const json_t *result, const json_t *expected)
{
    static const char *const names[] = {"W", "b"};
    for (size_t i = 0; i < json_array_size(expected); i++)
        for (size_t j = 0; j < 2; j++) {
            const char *place = format("/%zu/%s", i, names[j]);
            struct numbers want = numbers_at(expected, place);
            struct numbers got = numbers_at(result, format("/gradients/analytic%s", place));
            if (want.count != got.count) return format("%s: another size", place);
            double difference = largest_difference(got, want);
            if (!(difference <= 1e-10 * largest(want)))
                return format("gradient %s differs by %g", place, difference);
        }
    return NULL;
}

static const char *result_fault(const json_t *result, const json_t *expected, bool smooth)
{
    double cost = number_at(result, "/cost"), want = number_at(expected, "/cost");
    double distance = number_at(result, "/distance");
    double refined = number_at(result, "/refined_distance");
    if (!close_to(cost, want, 1e-12)) return format("cost %.17g, not %.17g", cost, want);
    if (strcmp(text_at(result, "/verdict"), "pass") != 0) return "a right gradient does not pass";
    if (!(refined < 1e-12)) return format("refined distance %g", refined);
    if (smooth && !(distance < 1e-7)) return format("distance %g", distance);
    return gradients_fault(result, value_at(expected, "/gradients"));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the reference files, sorted. */
static size_t reference_names(char *names[], size_t limit)
{
    DIR *folder = opendir(FOLDER);
    size_t count = 0;
    ck_assert_msg(folder != NULL, "no %s: run the tests from the top of the source", FOLDER);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < limit;)
        if (strstr(entry->d_name, ".json") != NULL) names[count++] = keep(strdup(entry->d_name));
    closedir(folder);
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

START_TEST(reference_networks)
{
    char *names[200];
    int failed = 0;
    struct service service;
    service_start(&service, "");
    size_t count = reference_names(names, LENGTH_OF(names));
    ck_assert_uint_ge(count, 45);
    for (size_t i = 0; i < count; i++) {
        json_error_t error;
        json_t *reference = json_load_file(format("%s/%s", FOLDER, names[i]), 0, &error);
        ck_assert_msg(reference != NULL, "%s: %s", names[i], error.text);
        bool smooth = !kinks_possible(value_at(reference, "/request/model"));
        json_t *request = json_incref(value_at(reference, "/request"));
        json_t *result = job_result(&service, CHECKS, request);
        const char *fault = result_fault(result, value_at(reference, "/expected"), smooth);
        if (fault != NULL) failed += case_failed(names[i], fault);
        json_decref(reference);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

static const char *const activations[] = {
    "linear",   "sigmoid",       "softmax",  "relu",   "leaky_relu",
    "tanh",     "elu",           "selu",     "slu",    "softplus",
    "softsign", "bent_identity", "gaussian", "arctan", "piecewise_linear"};
static const char *const costs[] = {"binary_crossentropy", "categorical_crossentropy", "mse", "mae",
                                    "dot"};
static const char *const initializers[] = {"zeros",     "ones",          "normal",
                                           "uniform",   "glorot_normal", "glorot_uniform",
                                           "he_normal", "he_uniform"};

static bool is_probability(const char *activation)
{
    return strcmp(activation, "sigmoid") == 0 || strcmp(activation, "softmax") == 0 ||
           strcmp(activation, "gaussian") == 0;
}

/* One network with the activation inside and as its output. */
static json_t *combination(const char *activation, const char *cost, const char *initializer)
{
    json_t *model = model_new(3, format("4 %s; 2 %s", activation, activation), cost);
    value_set(model, "/layers/0/initializer", json_string(initializer));
    value_set(model, "/layers/1/initializer", json_string(initializer));
    value_set(model, "/seed", json_integer(3));
    return check_new(model, data_new(5, 3, 2));
}

static const char *finite_fault(const json_t *result)
{
    static const char *const numbers[] = {"/cost",
                                          "/distance",
                                          "/refined_distance",
                                          "/layers/0/tensors/0/analytic_norm",
                                          "/layers/0/tensors/0/numeric_norm",
                                          "/layers/1/tensors/1/distance",
                                          "/layers/1/tensors/1/refined_distance",
                                          "/kinks/parameters"};
    for (size_t i = 0; i < LENGTH_OF(numbers); i++)
        if (!json_is_number(value_find(result, numbers[i]))) return format("no %s", numbers[i]);
    return strcmp(text_at(result, "/verdict"), "pass") == 0 ? NULL : "does not pass";
}

/* A gaussian of 0 is 1, and the logarithm of 1 - 1 is not finite. */
static const char *combination_fault(const struct service *service, json_t *request, bool may_fail)
{
    struct answer *answer = post_with(service, CHECKS, "Prefer: wait=15\r\n", request);
    if (answer->status != 200) return format("%d: %.300s", answer->status, answer->body);
    const char *state = text_at(answer_json(answer), "/state");
    if (strcmp(state, "failed") == 0 && may_fail) return NULL;
    if (strcmp(state, "succeeded") != 0) return format("%s: %.300s", state, answer->body);
    return finite_fault(value_at(answer->json, "/result"));
}

START_TEST(every_combination)
{
    int failed = 0;
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(activations); i++)
        for (size_t j = 0; j < LENGTH_OF(costs); j++)
            for (size_t k = 0; k < LENGTH_OF(initializers); k++) {
                bool entropy = strstr(costs[j], "crossentropy") != NULL;
                bool gaussian = strcmp(activations[i], "gaussian") == 0;
                if (entropy && !is_probability(activations[i])) continue;
                json_t *request = combination(activations[i], costs[j], initializers[k]);
                const char *fault = combination_fault(&service, request, entropy && gaussian);
                if (fault == NULL) continue;
                failed += case_failed(
                    format("%s, %s, %s", activations[i], costs[j], initializers[k]), fault);
            }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {reference_networks, every_combination, NULL};
    return suite_main("reference", tests);
}
