/* Bodies into specs: the defaults, each bound with its pointer, and the forms that values may take.
 */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- defaults ---- */

START_TEST(defaults_of_a_check)
{
    struct spec *spec = spec_of(JOB_CHECK, body_of(CHECK_BODY("")));
    ck_assert_int_eq(spec->priority, PRIORITY_NORMAL);
    ck_assert_uint_eq(spec->labels.count, 0);
    ck_assert_uint_eq(spec->model->seed, 0);
    ck_assert_uint_eq(spec->model->parameter_count, 8);
    ck_assert_ptr_null(spec->data->weights);
    ck_assert_int_eq(spec->check.method, GCK_CENTRAL);
    ck_assert_double_eq(spec->check.epsilon, 1e-4);
    ck_assert_double_nan(spec->check.tolerance);
    ck_assert_ptr_null(spec->check.layer_checked);
    ck_assert(!spec->check.inputs);
    ck_assert_uint_eq(spec->check.worst, 5);
    ck_assert(!spec->include_gradients);
    ck_assert_double_infinite(spec->time_limit_seconds);
    ck_assert_ptr_eq(spec->check.parameters, spec->parameters);
    ck_assert_ptr_eq(spec->check.data, spec->data);
    spec_free(spec);
}
END_TEST

START_TEST(defaults_of_each_method)
{
    static const char *const names[] = {"central", "forward", "complex_step", "ridders",
                                        "directional"};
    for (int i = 0; i < (int)COUNT(names); i++) {
        struct spec *spec =
            spec_of(JOB_CHECK, body_of(CHECK_BODY(", 'check': {'method': '%s'}"), names[i]));
        ck_assert_int_eq(spec->check.method, i);
        ck_assert_int_eq(spec->check.engine, GCK_ENGINE_UNITS);
        ck_assert_double_eq(spec->check.epsilon, 1e-4);
        ck_assert_uint_eq(spec->check.directions, 8);
        ck_assert_double_nan(spec->check.tolerance);
        spec_free(spec);
    }
    struct spec *spec = spec_of(
        JOB_CHECK, body_of(CHECK_BODY(", 'check': {'method': 'directional', 'directions': 3}")));
    ck_assert_uint_eq(spec->check.directions, 3);
    spec_free(spec);
}
END_TEST

START_TEST(the_defaults_may_be_written_down)
{
    struct spec *spec = spec_of(
        JOB_CHECK, body_of(CHECK_BODY(", 'priority': 'normal', 'labels': {}, 'check': "
                                      "{'method': 'central', 'epsilon': 1e-4, 'tolerance': null, "
                                      "'layers': null, 'inputs': false, 'claimed': null, "
                                      "'worst': 5, 'include': []}")));
    ck_assert_double_nan(spec->check.tolerance);
    ck_assert_ptr_null(spec->check.layer_checked);
    ck_assert_uint_eq(spec->check.worst, 5);
    spec_free(spec);
}
END_TEST

START_TEST(defaults_of_a_training)
{
    struct spec *spec = spec_of(JOB_TRAINING, body_of(TRAINING_BODY("")));
    ck_assert_uint_eq(spec->train.epochs, 100);
    ck_assert_uint_eq(spec->train.batch_size, 0);
    ck_assert_str_eq(spec->train.optimizer.item->name, "sgd");
    ck_assert_double_eq(spec->train.optimizer.option[0], 0.001);
    ck_assert(spec->train.shuffle);
    ck_assert_uint_eq(spec->train.seed, 1);
    ck_assert_double_eq(spec->train.validation_split, 0);
    ck_assert_uint_eq(spec->train.check_every, 0);
    spec_free(spec);
    spec = spec_of(JOB_TRAINING, body_of(TRAINING_BODY("'batch_size': null, 'optimizer': 'adam'")));
    const double adam[] = {0.001, 0.9, 0.999, 1e-8};
    ck_assert_uint_eq(spec->train.batch_size, 0);
    ck_assert_mem_eq(spec->train.optimizer.option, adam, sizeof adam);
    spec_free(spec);
}
END_TEST

static const gck_layer *layer_of(struct spec *spec, size_t index)
{
    return &spec->model->layer[index];
}

START_TEST(defaults_of_layers_and_costs)
{
    struct spec *spec = spec_of(JOB_CHECK, body_of(CHECK_BODY("")));
    const gck_layer *dense = layer_of(spec, 0);
    ck_assert_str_eq(dense->spec.activation.item->name, "linear");
    ck_assert_double_eq(dense->spec.activation.option[0], 1);
    ck_assert_str_eq(dense->spec.initializer.item->name, "glorot_uniform");
    ck_assert_uint_eq(dense->tensor_count, 2); /* use_bias */
    const double cost[] = {0, 1};              /* batch_mean, scale */
    ck_assert_mem_eq(spec->model->cost.option, cost, sizeof cost);
    spec_free(spec);
}
END_TEST

START_TEST(defaults_of_activations)
{
    static const struct {
        const char *name, *row;
        double option[2];
    } cases[] = {
        {"linear", "linear", {1}},
        {"sigmoid", "sigmoid", {1}},
        {"leaky_relu", "leaky_relu", {0.01}},
        {"elu", "elu", {1}},
        {"selu", "selu", {1.6732632423543772, 1.0507009873554805}},
        {"piecewise_linear", "piecewise_linear", {1}},
        {"silu", "slu", {0}},
        {"swish", "slu", {0}},
        {"bent_identity", "bent_identity", {0}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spec *spec =
            spec_of(JOB_CHECK,
                    body_of("{'model': {'input_shape': [3], 'layers': [{'type': 'dense', "
                            "'units': 2, 'activation': '%s'}], 'cost': 'mse'}, 'data': " DATA "}",
                            cases[i].name));
        const gck_choice *choice = &layer_of(spec, 0)->spec.activation;
        ck_assert_str_eq(choice->item->name, cases[i].row);
        ck_assert_mem_eq(choice->option, cases[i].option, sizeof cases[i].option);
        spec_free(spec);
    }
}
END_TEST

/* ---- bounds ---- */

static const struct bound checks[] = {
    {"'epsilon': 1e-12", NULL},
    {"'epsilon': 1", NULL},
    {"'epsilon': 9.99e-13", "/check/epsilon"},
    {"'epsilon': 1.0000000000000002", "/check/epsilon"},
    {"'epsilon': 0", "/check/epsilon"},
    {"'epsilon': null", "/check/epsilon"},
    {"'tolerance': 0", NULL},
    {"'tolerance': 1", NULL},
    {"'tolerance': -1e-300", "/check/tolerance"},
    {"'tolerance': 1.01", "/check/tolerance"},
    {"'worst': 0", NULL},
    {"'worst': 1e2", NULL},
    {"'worst': 101", "/check/worst"},
    {"'worst': -0.0", NULL},
    {"'worst': 4.5", "/check/worst"},
    {"'inputs': true", NULL},
    {"'inputs': 0", "/check/inputs"},
    {"'inputs': null", "/check/inputs"},
    {"'layers': [0]", NULL},
    {"'layers': [1]", "/check/layers/0"},
    {"'layers': [0, 0]", "/check/layers/1"},
    {"'layers': []", "/check"}, /* nothing left to check */
    {"'layers': [], 'inputs': true", NULL},
    {"'include': ['gradients', 'gradients']", NULL},
    {"'include': ['gradients', 'Gradients']", "/check/include/1"},
    {"'include': [null]", "/check/include/0"},
    {"'method': 'central'", NULL},
    {"'method': 'Central'", "/check/method"},
    {"'method': 'centra'", "/check/method"},
    {"'method': null", "/check/method"},
    {"'method': 'forward', 'epsilon': 1e-12", NULL},
    {"'method': 'forward', 'epsilon': 9.99e-13", "/check/epsilon"},
    {"'method': 'complex_step'", NULL},
    {"'method': 'complex_step', 'epsilon': 1e-4", "/check/epsilon"},
    {"'epsilon': 'x', 'method': 'ridders'", "/check/epsilon"},
    {"'method': 'ridders', 'tolerance': 0", NULL},
    {"'method': 'ridders', 'directions': 8", "/check/directions"},
    {"'method': 'directional', 'directions': 1", NULL},
    {"'method': 'directional', 'directions': 256", NULL},
    {"'method': 'directional', 'directions': 0", "/check/directions"},
    {"'method': 'directional', 'directions': 257", "/check/directions"},
    {"'method': 'directional', 'directions': 1.5", "/check/directions"},
    {"'method': 'directional', 'epsilon': 1e-4", "/check/epsilon"},
    {"'directions': 8", "/check/directions"},
    {"'time_limit_seconds': 1e-3", NULL},
    {"'time_limit_seconds': 31536000", NULL},
    {"'time_limit_seconds': 9e-4", "/check/time_limit_seconds"},
    {"'time_limit_seconds': 31536001", "/check/time_limit_seconds"},
    {"'claimed': []", "/check/claimed"},
    {"'Epsilon': 1e-4", "/check/Epsilon"},
    {"'a/b~c': 1", "/check/a~1b~0c"},
    {"'': 1", "/check/"},
};

START_TEST(bounds_of_a_check)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK, CHECK_BODY(", 'check': {%s}"), checks, COUNT(checks)),
                     0);
}
END_TEST

static const struct bound trainings[] = {
    {"'epochs': 1", NULL},
    {"'epochs': 100000", NULL},
    {"'epochs': 0", "/training/epochs"},
    {"'epochs': 100001", "/training/epochs"},
    {"'epochs': null", "/training/epochs"},
    {"'batch_size': 1", NULL},
    {"'batch_size': 9007199254740991", NULL},
    {"'batch_size': 0", "/training/batch_size"},
    {"'batch_size': 9007199254740992", "/training/batch_size"},
    {"'seed': 0", NULL},
    {"'seed': 9007199254740991", NULL},
    {"'seed': 9007199254740992", "/training/seed"},
    {"'seed': -1", "/training/seed"},
    {"'validation_split': 0", NULL},
    {"'validation_split': 0.5", NULL},
    {"'validation_split': 1", "/training/validation_split"},
    {"'validation_split': -1e-9", "/training/validation_split"},
    {"'check_every': 1", NULL},
    {"'check_every': 100001", "/training/check_every"},
    {"'shuffle': false", NULL},
    {"'shuffle': null", "/training/shuffle"},
    {"'optimizer': {'type': 'adam', 'beta1': 0}", NULL},
    {"'optimizer': {'type': 'adam', 'beta2': 1}", "/training/optimizer/beta2"},
    {"'optimizer': {'type': 'adam', 'beta': 0.9}", "/training/optimizer/beta"},
    {"'optimizer': {'type': 'rmsprop', 'epsilon': 0}", "/training/optimizer/epsilon"},
    {"'optimizer': {'type': 'sgd', 'learning_rate': 1e6}", NULL},
    {"'optimizer': {'type': 'sgd', 'learning_rate': 1000001}", "/training/optimizer/learning_rate"},
    {"'optimizer': {'learning_rate': 1}", "/training/optimizer"},
    {"'optimizer': {'type': 'SGD'}", "/training/optimizer/type"},
    {"'optimizer': 'SGD'", "/training/optimizer"},
    {"'optimizer': null", "/training/optimizer"},
};

START_TEST(bounds_of_a_training)
{
    ck_assert_int_eq(bounds_failed(JOB_TRAINING, TRAINING_BODY("%s"), trainings, COUNT(trainings)),
                     0);
}
END_TEST

static const struct bound layers[] = {
    {"{'type': 'dense', 'units': 1}, " DENSE, NULL},
    {"{'type': 'dense', 'units': 0}", "/model/layers/0/units"},
    {"{'type': 'dense', 'units': 1048577}", "/model/layers/0/units"},
    {"{'type': 'dense', 'units': 1.5}", "/model/layers/0/units"},
    {"{'type': 'dense'}", "/model/layers/0"},
    {"{'units': 2}", "/model/layers/0"},
    {"'dense'", "/model/layers/0"}, /* a name alone has no units */
    {DENSE ", {'type': 'dropout', 'rate': 0}", NULL},
    {DENSE ", {'type': 'dropout', 'rate': 1}", "/model/layers/1/rate"},
    {DENSE ", {'type': 'activation', 'activation': 'tanh'}", NULL},
    {DENSE ", {'type': 'activation', 'activation': {'type': 'elu', 'alpha': 1e6}}", NULL},
    {DENSE ", {'type': 'activation', 'activation': {'type': 'elu', 'alpha': 1e7}}",
     "/model/layers/1/activation/alpha"},
    {DENSE ", {'type': 'activation', 'activation': {'alpha': 1}}", "/model/layers/1/activation"},
    {DENSE ", {'type': 'activation', 'activation': {'type': 'nope'}}",
     "/model/layers/1/activation/type"},
    {"{'type': 'dense', 'units': 2, 'l1': -1}", "/model/layers/0/l1"},
    {"{'type': 'dense', 'units': 2, 'use_bias': 1}", "/model/layers/0/use_bias"},
    {"{'type': 'dense', 'units': 2, 'initializer': {'type': 'ones', 'x': 1}}",
     "/model/layers/0/initializer/x"},
    {"null", "/model/layers/0"},
    {"", "/model/layers"},
};

START_TEST(bounds_of_layers)
{
    ck_assert_int_eq(bounds_failed(JOB_CHECK,
                                   "{'data': " DATA ", 'model': {'input_shape': [3], 'cost': "
                                   "'mse', 'layers': [%s]}}",
                                   layers, COUNT(layers)),
                     0);
}
END_TEST

static const struct bound labels[] = {
    {"'a': 'x'", NULL},          {"'0.-_Z': ' caf\xc3\xa9 '", NULL},
    {"'a': ''", "/labels/a"},    {"'a': 'tab\\tbed'", "/labels/a"},
    {"'a': null", "/labels/a"},  {"'': 'x'", "/labels/"},
    {"'-a': 'x'", "/labels/-a"}, {"'\xc3\xa9': 'x'", "/labels/\xc3\xa9"},
};

START_TEST(labels_of_a_job)
{
    ck_assert_int_eq(
        bounds_failed(JOB_CHECK, CHECK_BODY(", 'labels': {%s}"), labels, COUNT(labels)), 0);
    struct spec *spec = spec_of(JOB_CHECK, body_of(CHECK_BODY(", 'labels': {'a': '1', 'b': '2'}")));
    ck_assert_uint_eq(spec->labels.count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(spec->labels.label[i].value,
                         strcmp(spec->labels.label[i].name, "a") == 0 ? "1" : "2");
    spec_free(spec);
}
END_TEST

START_TEST(priorities)
{
    static const struct bound bounds[] = {{"'low'", NULL},
                                          {"'high'", NULL},
                                          {"'High'", "/priority"},
                                          {"null", "/priority"},
                                          {"1", "/priority"}};
    ck_assert_int_eq(
        bounds_failed(JOB_CHECK, CHECK_BODY(", 'priority': %s"), bounds, COUNT(bounds)), 0);
}
END_TEST

SUITE_MAIN("codec_spec", {defaults_of_a_check, 0}, {defaults_of_each_method, 0},
           {the_defaults_may_be_written_down, 0}, {defaults_of_a_training, 0},
           {defaults_of_layers_and_costs, 0}, {defaults_of_activations, 0}, {bounds_of_a_check, 0},
           {bounds_of_a_training, 0}, {bounds_of_layers, 0}, {labels_of_a_job, 0}, {priorities, 0})
