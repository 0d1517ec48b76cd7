/* What needs no job: health, who one is, the catalog, the summary of a model. */
#include "client.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define SUMMARY "/v1/models/summary"

START_TEST(health)
{
    struct service service;
    service_start(&service, "");
    answer_expect(get(&service, "/healthz"), 200);
    /* Probes come by address and under any name. */
    answer_expect(get(&service, "/healthz?from=probe"), 200);
    service_end(&service);
}

START_TEST(who_am_i)
{
    char version[64] = "";
    FILE *file = fopen("VERSION", "r");
    ck_assert_msg(file != NULL && fscanf(file, "%63s", version) == 1, "no VERSION here");
    fclose(file);
    struct service service;
    service_start(&service, "");
    struct answer *answer = get(&service, "/v1/whoami");
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/name"), "local");
    ck_assert_str_eq(text_at(answer->json, "/version"), version);
    text_at(answer->json, "/role");
    service_end(&service);
}

static const struct item {
    const char *section, *type,
        *defaults; /* defaults: an object, in which null is "any value, or none" */
} items[] = {
    {"activations", "linear", "{\"k\": 1}"},
    {"activations", "sigmoid", "{\"c\": 1}"},
    {"activations", "softmax", "{}"},
    {"activations", "relu", "{}"},
    {"activations", "leaky_relu", "{\"alpha\": 0.01}"},
    {"activations", "tanh", "{}"},
    {"activations", "elu", "{\"alpha\": 1}"},
    {"activations", "selu", "{\"alpha\": 1.6732632423543772, \"scale\": 1.0507009873554805}"},
    {"activations", "slu", "{}"},
    {"activations", "softplus", "{}"},
    {"activations", "softsign", "{}"},
    {"activations", "bent_identity", "{}"},
    {"activations", "gaussian", "{}"},
    {"activations", "arctan", "{}"},
    {"activations", "piecewise_linear", "{\"alpha\": 1}"},
    {"costs", "binary_crossentropy", "{\"reduction\": \"batch_mean\", \"scale\": 1}"},
    {"costs", "categorical_crossentropy", "{\"reduction\": \"batch_mean\", \"scale\": 1}"},
    {"costs", "mse", "{\"reduction\": \"batch_mean\", \"scale\": 1}"},
    {"costs", "mae", "{\"reduction\": \"batch_mean\", \"scale\": 1}"},
    {"costs", "dot", "{\"reduction\": \"batch_mean\", \"scale\": 1}"},
    {"initializers", "zeros", "{}"},
    {"initializers", "ones", "{}"},
    {"initializers", "normal", "{}"},
    {"initializers", "uniform", "{}"},
    {"initializers", "glorot_normal", "{}"},
    {"initializers", "glorot_uniform", "{}"},
    {"initializers", "he_normal", "{}"},
    {"initializers", "he_uniform", "{}"},
    {"layers", "dense",
     "{\"units\": null, \"activation\": \"linear\", \"initializer\": \"glorot_uniform\", "
     "\"use_bias\": true, \"l1\": 0, \"l2\": 0}"},
    {"layers", "dropout", "{\"rate\": null}"},
    {"layers", "activation", "{\"activation\": null}"},
    {"optimizers", "sgd", "{\"learning_rate\": 0.001}"},
    {"optimizers", "momentum", "{\"learning_rate\": 0.001, \"beta\": 0.9}"},
    {"optimizers", "rmsprop", "{\"learning_rate\": 0.001, \"beta\": 0.9, \"epsilon\": 1e-8}"},
    {"optimizers", "adam",
     "{\"learning_rate\": 0.001, \"beta1\": 0.9, \"beta2\": 0.999, \"epsilon\": 1e-8}"},
    {"optimizers", "adagrad", "{\"learning_rate\": 0.001, \"epsilon\": 1e-8}"},
};

/* The element of a list whose member has this text. */
static json_t *element_with(const json_t *list, const char *member, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *element = json_array_get(list, i);
        const char *found = json_string_value(json_object_get(element, member));
        if (found != NULL && strcmp(found, text) == 0) return element;
    }
    return NULL;
}

static bool same_default(const json_t *expected, const json_t *found)
{
    if (json_is_null(expected)) return true;
    if (json_is_number(expected) && json_is_number(found))
        return close_to(json_number_value(found), json_number_value(expected), 0);
    return json_equal(expected, found);
}

static const char *item_fault(const json_t *catalog, const struct item *item)
{
    json_t *found =
        element_with(value_at(catalog, format("/%s", item->section)), "type", item->type);
    json_t *defaults = value_parse(item->defaults);
    const json_t *options = json_object_get(found, "options");
    const char *name;
    json_t *value;
    if (found == NULL) return "missing";
    if (json_array_size(options) != json_object_size(defaults)) return "more or fewer options";
    json_object_foreach(defaults, name, value)
    {
        const json_t *option = element_with(options, "name", name);
        if (option == NULL) return format("no option %s", name);
        if (!same_default(value, json_object_get(option, "default")))
            return format("another default of %s", name);
    }
    return NULL;
}

START_TEST(catalog_lists_everything)
{
    struct service service;
    int failed = 0;
    service_start(&service, "");
    struct answer *answer = get(&service, "/v1/catalog");
    answer_expect(answer, 200);
    names_expect(answer_json(answer), "activations costs layers initializers optimizers", NULL);
    for (size_t i = 0; i < LENGTH_OF(items); i++) {
        const char *fault = item_fault(answer->json, &items[i]);
        if (fault != NULL) failed += case_failed(items[i].type, fault);
    }
    ck_assert_int_eq(failed, 0);
    for (size_t i = 0; i < length_at(answer->json, "/activations"); i++)
        text_at(answer->json, format("/activations/%zu/formula", i));
    service_end(&service);
}

/* What the catalog offers, a model may hold, by the names and defaults that it states. */
START_TEST(catalog_is_true)
{
    struct service service;
    int failed = 0;
    service_start(&service, "");
    json_t *catalog = answer_json(get(&service, "/v1/catalog"));
    const json_t *list = value_at(catalog, "/activations");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        json_t *activation = json_pack("{s:s}", "type", text_at(item, "/type"));
        for (size_t j = 0; j < length_at(item, "/options"); j++)
            json_object_set(activation, text_at(item, format("/options/%zu/name", j)),
                            value_at(item, format("/options/%zu/default", j)));
        json_t *model = model_new(3, "4 linear", "mse");
        value_set(model, "/layers/0/activation", activation);
        struct answer *answer = post(&service, SUMMARY, json_pack("{s:o}", "model", model));
        if (answer->status != 200) failed += case_failed(text_at(item, "/type"), answer->body);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

START_TEST(other_names_of_slu)
{
    struct service service;
    service_start(&service, "");
    answer_expect(
        post(&service, SUMMARY, json_pack("{s:o}", "model", model_new(3, "4 silu", "mse"))), 200);
    answer_expect(
        post(&service, SUMMARY, json_pack("{s:o}", "model", model_new(3, "4 swish", "mse"))), 200);
    service_end(&service);
}

START_TEST(summary_counts)
{
    struct service service;
    service_start(&service, "");
    json_t *model = model_new(3, "16 relu; dropout 0.2; 8 relu; activation tanh; 2 softmax",
                              "categorical_crossentropy");
    struct answer *answer = post(&service, SUMMARY, json_pack("{s:o}", "model", model));
    answer_expect(answer, 200);
    json_t *summary = answer_json(answer);
    names_expect(summary, "layers parameters check", NULL);
    names_expect(value_at(summary, "/check"), "evaluations operations memory_bytes", NULL);
    ck_assert_int_eq(integer_at(summary, "/parameters"), 218);
    ck_assert_int_eq(integer_at(summary, "/check/evaluations"), 436);
    static const struct {
        const char *type;
        int units, parameters;
    } layers[] = {{"dense", 16, 64},
                  {"dropout", 16, 0},
                  {"dense", 8, 136},
                  {"activation", 8, 0},
                  {"dense", 2, 18}};
    ck_assert_uint_eq(length_at(summary, "/layers"), LENGTH_OF(layers));
    for (size_t i = 0; i < LENGTH_OF(layers); i++) {
        json_t *layer = value_at(summary, format("/layers/%zu", i));
        names_expect(layer, "index type output_shape parameters", NULL);
        ck_assert_int_eq(integer_at(layer, "/index"), (int)i);
        ck_assert_str_eq(text_at(layer, "/type"), layers[i].type);
        ck_assert_uint_eq(length_at(layer, "/output_shape"), 1);
        ck_assert_int_eq(integer_at(layer, "/output_shape/0"), layers[i].units);
        ck_assert_int_eq(integer_at(layer, "/parameters"), layers[i].parameters);
    }
    service_end(&service);
}

static json_t *summary_of(const struct service *service, int samples, bool bias)
{
    json_t *model = model_new(5, "7 tanh; 2 linear", "mse");
    if (!bias) value_set(model, "/layers/0/use_bias", json_false());
    json_t *body = json_pack("{s:o, s:i}", "model", model, "samples", samples);
    struct answer *answer = post(service, SUMMARY, body);
    answer_expect(answer, 200);
    return answer_json(answer);
}

START_TEST(summary_grows_with_samples)
{
    struct service service;
    service_start(&service, "");
    json_t *few = summary_of(&service, 10, true);
    json_t *many = summary_of(&service, 1000, true);
    ck_assert(number_at(many, "/check/operations") > number_at(few, "/check/operations"));
    ck_assert(number_at(many, "/check/memory_bytes") > number_at(few, "/check/memory_bytes"));
    ck_assert_int_eq(integer_at(many, "/check/evaluations"), integer_at(few, "/check/evaluations"));
    ck_assert_int_eq(integer_at(few, "/layers/0/parameters"), 42);
    ck_assert_int_eq(integer_at(summary_of(&service, 10, false), "/layers/0/parameters"), 35);
    service_end(&service);
}

START_TEST(summary_refuses)
{
    struct service service;
    service_start(&service, "");
    problem_expect(post(&service, SUMMARY, json_object()), 422, "|/model");
    json_t *body = json_pack("{s:o, s:i}", "model", model_new(3, "2 tanh", "mse"), "samples", -1);
    problem_expect(post(&service, SUMMARY, body), 422, "/samples");
    body = json_pack("{s:o, s:{}}", "model", model_new(3, "2 tanh", "mse"), "data");
    problem_expect(post(&service, SUMMARY, body), 422, "/data");
    body = json_pack("{s:o}", "model", model_new(3, "2 tanh", "categorical_crossentropy"));
    problem_expect(post(&service, SUMMARY, body), 422, "/model/cost*|/model/layers/0*");
    service_end(&service);
}

/* A shape that fits no machine is still a model: the numbers tell so without overflow. */
/* It has no use for parameters, but wrong ones must not pass silently. */
START_TEST(summary_reads_parameters)
{
    struct service service;
    service_start(&service, "");
    json_t *model = model_new(3, "2 linear", "mse");
    json_object_set_new(model, "parameters",
                        json_pack("[{s:[[i, i]], s:[i, i]}]", "W", 1, 2, "b", 0, 0));
    problem_expect(post(&service, SUMMARY, json_pack("{s:o}", "model", model)), 422,
                   "/model/parameters/0/W");
    service_end(&service);
}

START_TEST(summary_of_a_huge_model)
{
    struct service service;
    service_start(&service, "");
    json_t *model = model_new(100000, "100000 relu; 100000 relu; 10 linear", "mse");
    json_t *body = json_pack("{s:o, s:i}", "model", model, "samples", 1000000);
    struct answer *answer = post(&service, SUMMARY, body);
    if (answer->status == 200) {
        ck_assert(number_at(answer_json(answer), "/parameters") > 2e10);
        ck_assert(number_at(answer->json, "/check/operations") > 1e20);
    } else {
        ck_assert_msg(answer->status == 413 || answer->status == 422, "%d", answer->status);
    }
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {health,
                                  who_am_i,
                                  catalog_lists_everything,
                                  catalog_is_true,
                                  other_names_of_slu,
                                  summary_counts,
                                  summary_grows_with_samples,
                                  summary_refuses,
                                  summary_reads_parameters,
                                  summary_of_a_huge_model,
                                  NULL};
    return suite_main("catalog", tests);
}
