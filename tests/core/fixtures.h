/* Networks and data for tests, built by name.
 *
 * What cannot be built fails the test at once, so callers handle no errors. */
#ifndef TESTS_CORE_FIXTURES_H
#define TESTS_CORE_FIXTURES_H

#include <gradcheck/check.h>
#include <gradcheck/data.h>
#include <gradcheck/model.h>

/* A row by its name. */
gck_choice activation_named(const char *name);
gck_choice cost_named(const char *name);
gck_choice optimizer_named(const char *name);
gck_choice initializer_named(const char *name);

/* The same with one option set. */
gck_choice with_option(gck_choice choice, const char *option, double value);

gck_layer_spec dense(size_t units, const char *activation);
gck_layer_spec dense_of(size_t units, gck_choice activation);
/* dense with an option of its own: use_bias, l1, l2. */
gck_layer_spec dense_with(size_t units, const char *activation, const char *option, double value);
gck_layer_spec dropout(double rate);
gck_layer_spec activation(const char *name);

gck_model *model_new(size_t inputs, const gck_layer_spec *layers, size_t count,
                     const gck_choice *cost, uint64_t seed);

/* A model, its parameters, and data that fit it. */
typedef struct network {
    gck_model *model;
    double *parameters; /* as drawn */
    gck_data *data; /* x standard normal, y uniform in [0, 1), weights (if any) uniform in [0, 2) */
} network;

network network_new(size_t inputs, const gck_layer_spec *layers, size_t count, gck_choice cost,
                    size_t samples);
/* The same with sample weights; every third one is 0. */
network network_weighted(size_t inputs, const gck_layer_spec *layers, size_t count, gck_choice cost,
                         size_t samples);
void network_done(network *net);

/* Spreads all biases, which start at 0, so that no unit sits on a kink: uniform in [-1, 1). */
void network_draw_biases(network *net);

/* The central check of all parameters at epsilon 1e-4, with 5 worst elements; 8 directions, for
 * tests that make it directional. */
gck_check_spec check_spec_of(const network *net);

/* All grains in order, folded, and reported; GCK_NON_FINITE is handed back, anything else fails. */
gck_status check_run(const gck_check_spec *spec, gck_check **ret_check, gck_report **ret_report);

/* The same in steps: a new check; a grain in a room of its own, folded; all that are left, in one
 * room. */
gck_check *check_open(const gck_check_spec *spec);
void check_step(gck_check *check, size_t index);
void check_finish(gck_check *check);

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

#endif
