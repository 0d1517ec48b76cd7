/* Dead units, units on a kink and saturated outputs, counted by hand. */
#include "core/survey.h"
#include "core/forward.h"
#include "core/kinks.h"
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

enum { KINKS_MAX = 16 };

/* ---- surveys ---- */

typedef struct counts {
    double live[KINKS_MAX], on_kink[KINKS_MAX], saturated;
} counts;

/* Adds a block of samples. */
static void count_block(const network *net, gck_rows rows, counts *c)
{
    gck_error error;
    gck_pass *pass;
    gck_base *base;
    ck_assert_uint_le(gck_kink_units(net->model), KINKS_MAX);
    assert_ok(gck_pass_new(net->model, rows.count, true, &pass, &error), &error);
    assert_ok(gck_base_new(net->model, GCK_BASE_SAMPLES, gck_base_lanes(rows.count), &base, &error),
              &error);
    gck_pass_load(pass, net->data, rows);
    gck_pass_draw_masks(pass, (gck_mask_key){net->model->seed, 0}, rows);
    gck_forward(pass, net->parameters);
    gck_base_load(base, pass, net->parameters);
    gck_survey_add(base, &(gck_survey){c->live, c->on_kink, &c->saturated});
    gck_base_free(base);
    gck_pass_free(pass);
}

static counts count_all(const network *net)
{
    counts c = {.saturated = 0};
    count_block(net, (gck_rows){0, net->data->samples, NULL}, &c);
    return c;
}

static void assert_counts(const double *got, const double *want, size_t count, const char *what)
{
    for (size_t i = 0; i < KINKS_MAX; i++)
        ck_assert_msg(got[i] == (i < count ? want[i] : 0), "%s: unit %zu: %g", what, i, got[i]);
}
#define ASSERT_COUNTS(GOT, ...)                      \
    do {                                             \
        const double want[] = {__VA_ARGS__};         \
        assert_counts(GOT, want, COUNT(want), #GOT); \
    } while (0)

/* ---- networks: layers of `units` units with z_j = x + b_j, then others ---- */

static double *biases(network *net, size_t layer)
{
    return net->parameters + net->model->layer[layer].tensor[1].offset;
}

static network network_at(const gck_layer_spec *layers, size_t count, const char *cost,
                          const double *x, const double *weights, size_t samples)
{
    network net = network_weighted(1, layers, count, cost_named(cost), samples);
    const gck_layer *first = &net.model->layer[0];
    for (size_t e = 0; e < net.model->parameter_count; e++)
        net.parameters[e] = 0;
    for (size_t e = 0; e < first->outputs; e++)
        net.parameters[first->tensor[0].offset + e] = 1;
    memset(net.data->y, 0, samples * net.model->outputs * sizeof *net.data->y);
    memcpy(net.data->x, x, samples * sizeof *x);
    memcpy(net.data->weights, weights, samples * sizeof *weights);
    return net;
}

/* Five samples of three weights, in a base of eight lanes: the fourth does not count. */
enum { SAMPLES = 5 };
static const double weights[SAMPLES] = {1, 0.25, 3, 0, 1};
static const double x[SAMPLES] = {-1, 0, 1, 2, 0};

static network network_of(gck_choice activation, const double *b, size_t units)
{
    const gck_layer_spec layers[] = {dense_of(units, activation), dense(1, "linear")};
    network net = network_at(layers, 2, "mse", x, weights, SAMPLES);
    memcpy(biases(&net, 0), b, units * sizeof *b);
    return net;
}

/* ---- live, and on a kink ---- */

/* z: -1, 0, 1, (2), 0 | -3 … (0) … | 1 … 3 | -2, -1, 0, (1), -1. The linear output is always live.
 */
START_TEST(units_are_dead_or_live)
{
    const double b[] = {0, -2, 2, -1};
    network net = network_of(activation_named("relu"), b, 4);
    const counts c = count_all(&net);
    ASSERT_COUNTS(c.live, 1, 0, 4, 0, 4);
    ASSERT_COUNTS(c.on_kink, 2, 0, 0, 1);
    ck_assert(c.saturated == 0);
    network_done(&net);
}
END_TEST

/* Slopes on a kink are the conventions, here not 0; and where the slope does not jump nothing is
 * one: softsign, and elu at alpha 1, only bend. */
START_TEST(kinks_are_where_slopes_jump)
{
    const struct {
        gck_choice activation;
        double on_kink;
    } cases[] = {{activation_named("leaky_relu"), 2},
                 {with_option(activation_named("leaky_relu"), "alpha", 1), 0},
                 {activation_named("selu"), 2},
                 {activation_named("elu"), 0},
                 {with_option(activation_named("elu"), "alpha", 0.75), 2},
                 {activation_named("softsign"), 0}};
    const double b[] = {0, 0.5};
    for (size_t i = 0; i < COUNT(cases); i++) {
        network net = network_of(cases[i].activation, b, 2);
        const counts c = count_all(&net);
        ASSERT_COUNTS(c.live, 4, 4, 4);
        ASSERT_COUNTS(c.on_kink, cases[i].on_kink);
        network_done(&net);
    }
}
END_TEST

/* z / 0.5 within [-1, 1]: -1, 0, 1, (2), 0 | -0.5, 0.5, … | 0.5, 1.5, … ; flat on its kinks. */
START_TEST(a_unit_may_have_two_kinks)
{
    const double b[] = {0, 0.5, 1.5};
    network net = network_of(with_option(activation_named("piecewise_linear"), "alpha", 0.5), b, 3);
    const counts c = count_all(&net);
    ASSERT_COUNTS(c.live, 2, 0, 0, 4);
    ASSERT_COUNTS(c.on_kink, 0, 3, 1);
    network_done(&net);
}
END_TEST

/* No unit of a smooth function is on a kink; a slope that is 0 leaves it dead all the same. */
START_TEST(smooth_units_are_never_on_a_kink)
{
    const double b[] = {0, 800, -800};
    network net = network_of(activation_named("sigmoid"), b, 3);
    const counts c = count_all(&net);
    ASSERT_COUNTS(c.on_kink, 0);
    ASSERT_COUNTS(c.live, 4, 0, 0, 4);
    network_done(&net);
}
END_TEST

/* Dropout's units have places, but nothing to count, nor has softmax. A kink of 0 in all units of
 * the activation layer where dropout has dropped them or x is 0. */
START_TEST(every_layer_has_its_place)
{
    const gck_layer_spec layers[] = {dense(2, "linear"), dropout(0.5), activation("relu"),
                                     activation("softmax"), dense(1, "linear")};
    network net = network_at(layers, COUNT(layers), "mse", x, weights, SAMPLES);
    double mask[SAMPLES][2], live[2] = {0}, on_kink[2] = {0};
    for (size_t k = 0; k < SAMPLES; k++)
        gck_layer_mask(&net.model->layer[1], (gck_mask_key){net.model->seed, 0}, k, mask[k], 1);
    for (size_t i = 0; i < 2 * SAMPLES; i++) {
        const double z = x[i / 2] * mask[i / 2][i % 2];
        live[i % 2] += weights[i / 2] != 0 && z > 0;
        on_kink[i % 2] += weights[i / 2] != 0 && z == 0;
    }
    const counts c = count_all(&net);
    ASSERT_COUNTS(c.live, 4, 4, 0, 0, live[0], live[1], 0, 0, 4);
    ASSERT_COUNTS(c.on_kink, 0, 0, 0, 0, on_kink[0], on_kink[1]);
    network_done(&net);
}
END_TEST

/* a - y: 0 in samples 0, 1 and the silent one; after the last layer's units. */
START_TEST(mae_has_kinks_of_its_own)
{
    const gck_layer_spec layers[] = {dense(2, "linear")};
    const double y[] = {-1, 0, 0, 1, 2, 1, 2, 2, 1, 1};
    network net = network_at(layers, 1, "mae", x, weights, SAMPLES);
    memcpy(net.data->y, y, sizeof y);
    const counts c = count_all(&net);
    ASSERT_COUNTS(c.live, 4, 4);
    ASSERT_COUNTS(c.on_kink, 0, 0, 2, 1);
    network_done(&net);
}
END_TEST

/* ---- saturated ---- */

/* Sigmoid's slope is below 1e-7 from |z| = 16.1181 on, tanh's from 8.7522: both units of a sample
 * have to be. */
static const struct {
    const char *activation;
    double inside, outside;
} saturations[] = {{"sigmoid", 16.118, 16.1182}, {"tanh", 8.752, 8.7523}, {"arctan", 3162, 3163}};

START_TEST(outputs_saturate_together)
{
    const double in = saturations[_i].inside, out = saturations[_i].outside;
    const double places[] = {0, in, out, -out, -in, 1e3 * out, out};
    const double counted[] = {1, 1, 1, 1, 1, 1, 0};
    const gck_layer_spec layers[] = {dense(2, saturations[_i].activation)};
    network net = network_at(layers, 1, "mse", places, counted, COUNT(places));
    counts c = count_all(&net);
    ck_assert_msg(c.saturated == 3, "%g are saturated", c.saturated);
    net.parameters[1] = 0; /* the second unit stays at 0 */
    c = count_all(&net);
    ck_assert(c.saturated == 0);
    network_done(&net);
}
END_TEST

/* a (1 - a) of all units: only one may be left, z above the others by 16.1 and ln 2. */
START_TEST(softmax_saturates_by_a)
{
    const double places[] = {0, 16.8, 16.82, -40, 900};
    const double counted[] = {1, 1, 1, 1, 1};
    const gck_layer_spec layers[] = {dense(3, "softmax")};
    network net = network_at(layers, 1, "categorical_crossentropy", places, counted, 5);
    net.parameters[1] = net.parameters[2] = 0; /* z = x, 0, 0 */
    counts c = count_all(&net);
    ck_assert_msg(c.saturated == 2, "%g are saturated", c.saturated);
    ASSERT_COUNTS(c.live, 0);
    network_done(&net);
}
END_TEST

/* Saturation is told of outputs alone: pieces are dead instead, one softmax output is always 1,
 * hidden layers do not count, and dropout has no slope. */
START_TEST(what_does_not_saturate)
{
    const double places[] = {-50, 50}, counted[] = {1, 1};
    const gck_layer_spec ends[][2] = {{dense(2, "relu")},
                                      {dense(2, "piecewise_linear")},
                                      {dense(1, "softmax")},
                                      {dense(2, "linear")},
                                      {dense(2, "softplus"), dense(1, "linear")},
                                      {dense(2, "sigmoid"), dropout(0.5)}};
    for (size_t i = 0; i < COUNT(ends); i++) {
        network net = network_at(ends[i], i < 4 ? 1 : 2, "mse", places, counted, 2);
        const counts c = count_all(&net);
        ck_assert_msg(c.saturated == 0, "network %zu: %g are saturated", i, c.saturated);
        network_done(&net);
    }
}
END_TEST

/* ---- samples ---- */

/* Blocks of rows add up to the whole; the last sample is on a kink, and fills each base up. */
START_TEST(blocks_add_up)
{
    const double b[] = {0, -2, 2};
    network net = network_of(activation_named("relu"), b, 3);
    const counts whole = count_all(&net);
    for (size_t size = 1; size < SAMPLES; size++) {
        counts c = {.saturated = 0};
        for (size_t first = 0; first < SAMPLES; first += size)
            count_block(
                &net, (gck_rows){first, SAMPLES - first < size ? SAMPLES - first : size, NULL}, &c);
        assert_same_bits(c.live, whole.live, KINKS_MAX, "live");
        assert_same_bits(c.on_kink, whole.on_kink, KINKS_MAX, "on a kink");
    }
    network_done(&net);
}
END_TEST

/* However large or small, a weight counts once; 0 not at all. */
START_TEST(weights_of_0_do_not_count)
{
    const double b[] = {0}, none[SAMPLES] = {0}, any[SAMPLES] = {1e-300, 0, 1e300, 0, 0};
    network net = network_of(activation_named("relu"), b, 1);
    memcpy(net.data->weights, none, sizeof none);
    counts c = count_all(&net);
    ASSERT_COUNTS(c.live, 0);
    ASSERT_COUNTS(c.on_kink, 0);
    memcpy(net.data->weights, any, sizeof any);
    c = count_all(&net);
    ASSERT_COUNTS(c.live, 1, 2);
    ASSERT_COUNTS(c.on_kink, 0);
    network_done(&net);
}
END_TEST

SUITE_MAIN("survey", {units_are_dead_or_live, 0}, {kinks_are_where_slopes_jump, 0},
           {a_unit_may_have_two_kinks, 0}, {smooth_units_are_never_on_a_kink, 0},
           {every_layer_has_its_place, 0}, {mae_has_kinks_of_its_own, 0},
           {outputs_saturate_together, COUNT(saturations)}, {softmax_saturates_by_a, 0},
           {what_does_not_saturate, 0}, {blocks_add_up, 0}, {weights_of_0_do_not_count, 0})
