/* What rounding may do to a claim: right ones in few digits pass, wrong ones do not; on a kink any
 * slope between those on either side is right. */
#include "core/activation.h"
#include "core/check.h"
#include "core/exact.h"
#include "core/rounding.h"
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/floats.h"
#include "tests/core/formulas.h"
#include "tests/core/random_networks.h"
#include "tests/core/suite.h"
#include "tests/core/warned.h"

#include <gradcheck/activation.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A network with a claim about it, which is as floats have it at first. */
typedef struct claimed {
    const network *net;
    gck_claim claim;
    gck_check_spec spec;
    bool tensor[GCK_LAYERS_MAX * GCK_TENSORS_MAX];
    double *gradient, *x;
} claimed;

static void claimed_open(claimed *c, const network *net, gck_dtype dtype)
{
    memset(c->tensor, true, sizeof c->tensor);
    c->net = net;
    c->gradient = gck_vector_new(net->model->parameter_count + 1);
    c->x = gck_vector_new(net->data->samples * net->model->inputs);
    c->claim = (gck_claim){
        .dtype = dtype, .gradient = c->gradient, .tensor_claimed = c->tensor, .inputs = c->x};
    c->spec = check_spec_of(net);
    c->spec.method = GCK_COMPLEX_STEP;
    c->spec.claim = &c->claim;
    c->spec.inputs = true;
    floats_gradient(net, c->gradient, c->x);
}

static void claimed_close(claimed *c)
{
    gck_vector_free(c->gradient);
    gck_vector_free(c->x);
}

static bool is_finite(const claimed *c)
{
    bool finite = true;
    for (size_t i = 0; i < c->net->model->parameter_count; i++)
        finite &= isfinite(c->gradient[i]) != 0;
    for (size_t i = 0; i < c->net->data->samples * c->net->model->inputs; i++)
        finite &= isfinite(c->x[i]) != 0;
    return finite;
}

/* Wrong elements; SIZE_MAX where J is not finite. */
static size_t wrong_of(const claimed *c)
{
    gck_check *check;
    gck_report *report;
    size_t wrong = SIZE_MAX;
    if (check_run(&c->spec, &check, &report) == GCK_OK) {
        wrong = report->inputs.wrong_elements;
        for (size_t i = 0; i < report->layer_count; i++)
            for (size_t t = 0; t < report->layer[i].tensor_count; t++)
                wrong += report->layer[i].tensor[t].wrong_elements;
        gck_report_free(report);
    }
    gck_check_free(check);
    return wrong;
}

/* ---- rounding ---- */

static void network_round(const network *net)
{
    for (size_t i = 0; i < net->model->parameter_count; i++)
        net->parameters[i] = (float)net->parameters[i];
    for (size_t i = 0; i < net->data->samples * net->model->inputs; i++)
        net->data->x[i] = (float)net->data->x[i];
    for (size_t i = 0; i < net->data->samples * net->model->outputs; i++)
        net->data->y[i] = (float)net->data->y[i];
}

enum { NETWORKS_A_RUN = 20 };

/* _i: the seeds of a run; every other one is under curses. The numbers are rounded to float, or
 * left for the claim's own program to round. */
START_TEST(right_claims_in_float_pass)
{
    size_t judged = 0;
    for (int n = 0; n < NETWORKS_A_RUN; n++) {
        const uint64_t seed = (uint64_t)(_i * NETWORKS_A_RUN + n + 1);
        random_network drawn;
        claimed c;
        random_network_open(seed, (random_limits){4, 40, 60, n % 2 == 1}, &drawn);
        if (n % 4 < 2) network_round(&drawn.net);
        claimed_open(&c, &drawn.net, GCK_FLOAT32);
        c.spec.inputs = drawn.net.model->parameter_count == 0 || n % 3 > 0;
        if (is_finite(&c)) {
            const size_t wrong = wrong_of(&c);
            if (wrong > 0 && wrong < SIZE_MAX) random_network_print(&drawn);
            ck_assert_msg(wrong == 0 || wrong == SIZE_MAX, "%zu elements fail", wrong);
            judged++;
        }
        claimed_close(&c);
        random_network_close(&drawn);
    }
    ck_assert_uint_gt(judged, NETWORKS_A_RUN / 2);
}
END_TEST

/* 7-9-5 with each activation: what is wrong by a thousandth fails in float32, by half in
 * float16. _i: the activation. */
START_TEST(wrong_claims_fail)
{
    const gck_choice f = gck_choice_default(gck_activations.rows[_i]);
    const gck_layer_spec layers[] = {dense_of(9, f), dense_of(5, f)};
    network net = network_new(7, layers, 2, cost_named("mse"), 12);
    claimed c;
    network_draw_biases(&net);
    network_round(&net);
    claimed_open(&c, &net, GCK_FLOAT32);
    ck_assert_uint_eq(wrong_of(&c), 0);
    size_t largest = 0;
    for (size_t i = 1; i < net.model->parameter_count; i++)
        if (fabs(c.gradient[i]) > fabs(c.gradient[largest])) largest = i;
    const double right = c.gradient[largest];
    c.gradient[largest] = right * 1.001;
    ck_assert_uint_eq(wrong_of(&c), 1);
    c.claim.dtype = GCK_FLOAT16;
    ck_assert_uint_eq(wrong_of(&c), 0);
    c.gradient[largest] = right * 1.5;
    ck_assert_uint_eq(wrong_of(&c), 1);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

/* Bars of the parameters, then of x; taken by the caller. */
static double *bars_of(const gck_check_spec *spec, size_t rows)
{
    const size_t parameters = spec->model->parameter_count;
    const size_t x = spec->inputs ? spec->data->samples * spec->model->inputs : 0;
    gck_check *check = check_open(spec);
    double *bars = gck_vector_new(parameters + x + 1);
    if (rows > 0) check_recut(check, rows, check->cut.grain_operations);
    check_finish(check);
    memcpy(bars, check->parameter.bar, parameters * sizeof *bars);
    memcpy(bars + parameters, check->x.bar, x * sizeof *bars);
    gck_check_free(check);
    return bars;
}

START_TEST(fewer_digits_have_larger_bars)
{
    const gck_layer_spec layers[] = {dense(6, "tanh"), dropout(0.3), dense(4, "softmax")};
    network net = network_weighted(5, layers, 3, cost_named("categorical_crossentropy"), 9);
    claimed c;
    claimed_open(&c, &net, GCK_FLOAT64);
    double *before = bars_of(&c.spec, 0);
    const gck_dtype order[] = {GCK_FLOAT32, GCK_FLOAT16, GCK_BFLOAT16};
    for (size_t d = 0; d < COUNT(order); d++) {
        c.claim.dtype = order[d];
        double *bars = bars_of(&c.spec, 0);
        for (size_t i = 0; i < net.model->parameter_count; i++)
            ck_assert_double_gt(bars[i], 2 * before[i]);
        free(before);
        before = bars;
    }
    free(before);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

/* Bars of blocks add up where those of samples are roots of squares, so that more blocks have a
 * larger one, by the root of their number. */
START_TEST(blocks_have_little_to_say)
{
    const gck_layer_spec layers[] = {dense_with(6, "slu", "l2", 0.1), dense(4, "relu")};
    network net = network_new(5, layers, 2, cost_named("mae"), 23);
    claimed c;
    claimed_open(&c, &net, GCK_FLOAT32);
    double *whole = bars_of(&c.spec, 0), *parts = bars_of(&c.spec, 4);
    for (size_t i = 0; i < net.model->parameter_count + 23 * 5; i++) {
        ck_assert_double_ge(parts[i], 0.5 * whole[i]);
        ck_assert_double_le(parts[i], 3 * whole[i] + DBL_MIN);
    }
    free(whole);
    free(parts);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

/* ---- loops in bfloat16 ---- */

static double bfloat16(double value)
{
    int exponent;
    const double mantissa = frexp(value, &exponent);
    return ldexp(rint(ldexp(mantissa, 8)), exponent - 8);
}

/* Products between 1.25 and 1.48, hardly any twice: the loop's sum, which beyond 128 grows by 1
 * each. */
static double loop_sum(size_t count, double *x, double *y)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        x[i] = 1.25 + (double)(37 * i % 24) / 128;
        y[i] = 1 + (double)(i % 5) / 128;
        sum = bfloat16(sum + bfloat16(x[i] * y[i]));
    }
    return sum;
}

/* Over samples, 180 multiply-adds for each unit, of which 4096 are a small product. */
START_TEST(small_sums_over_samples_may_be_loops_in_bfloat16)
{
    for (size_t units = 22; units <= 23; units++) {
        const gck_layer_spec layers[] = {dense_with(units, "linear", "use_bias", 0)};
        network net =
            network_new(1, layers, 1, with_option(cost_named("dot"), "reduction", 2), 180);
        double y[180];
        const double sum = loop_sum(180, net.data->x, y);
        claimed c;
        for (size_t i = 0; i < 180 * units; i++)
            net.data->y[i] = y[i / units];
        claimed_open(&c, &net, GCK_BFLOAT16);
        c.spec.inputs = false;
        ck_assert_uint_eq(wrong_of(&c), 0);
        for (size_t i = 0; i < units; i++)
            c.gradient[i] = sum;
        ck_assert_uint_eq(wrong_of(&c), units == 22 ? 0 : units);
        for (size_t i = 0; i < units; i++)
            c.gradient[i] = 2 * sum;
        ck_assert_uint_eq(wrong_of(&c), units);
        claimed_close(&c);
        network_done(&net);
    }
}
END_TEST

/* Over inputs: a slope that is e^z mostly, of a sum that is -10.9, and -10.1 by the loop. */
START_TEST(small_sums_over_inputs_may_be_loops_in_bfloat16)
{
    enum { INPUTS = 128 };
    const gck_layer_spec layers[] = {dense_with(1, "sigmoid", "use_bias", 0)};
    network net = network_new(INPUTS, layers, 1, cost_named("dot"), 1);
    const double z = -loop_sum(INPUTS, net.data->x, net.parameters) / 16;
    claimed c;
    for (size_t i = 0; i < INPUTS; i++)
        net.parameters[i] /= -16;
    net.data->y[0] = 1;
    claimed_open(&c, &net, GCK_BFLOAT16);
    c.spec.inputs = false;
    ck_assert_uint_eq(wrong_of(&c), 0);
    for (size_t i = 0; i < INPUTS; i++)
        c.gradient[i] = bfloat16(bfloat16(exp(z)) * net.data->x[i]);
    ck_assert_uint_eq(wrong_of(&c), 0);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

/* Where 1 - a is lost, a binary cross-entropy on softmax has no digits in the common forms: no
 * claim passes or fails there, right or wrong, and a warning says so. _i: a factor of the claim. */
START_TEST(what_rounding_leaves_nothing_of_is_inconclusive)
{
    static const double factors[] = {1, 2, -1};
    const gck_layer_spec layers[] = {dense(3, "softmax")};
    network net = network_new(1, layers, 1, cost_named("binary_crossentropy"), 2);
    const double parameters[] = {50, 0, -800, 0, 0, 0}, x[] = {1, 0.5}, y[] = {0, 1, 0, 1, 0, 0};
    memcpy(net.parameters, parameters, sizeof parameters);
    memcpy(net.data->x, x, sizeof x);
    memcpy(net.data->y, y, sizeof y);
    gck_check_spec spec = check_spec_of(&net);
    spec.method = GCK_COMPLEX_STEP;
    gck_check *own = check_open(&spec), *check;
    gck_report *report;
    check_finish(own);
    claimed c;
    claimed_open(&c, &net, GCK_FLOAT64);
    c.spec.inputs = false;
    for (size_t i = 0; i < net.model->parameter_count; i++)
        c.gradient[i] = factors[_i] * own->parameter.analytic[i];
    ck_assert(check_run(&c.spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_INCONCLUSIVE);
    ck_assert_uint_ge(report->warning_count, 1);
    ck_assert_str_eq(report->warning[0],
                     "layer 0 W: rounding in float64, or a kink, may do as much as the whole "
                     "gradient: the check shows little");
    gck_report_free(report);
    gck_check_free(check);
    gck_check_free(own);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

/* ---- kinks ---- */

typedef struct kink {
    const char *activation, *option;
    double value, place, slope[2];
} kink;

static const kink kinks[] = {
    {"relu", NULL, 0, 0, {0, 1}},
    {"leaky_relu", "alpha", 0.25, 0, {0.25, 1}},
    {"leaky_relu", "alpha", -1, 0, {-1, 1}},
    {"elu", "alpha", 3, 0, {3, 1}},
    {"selu", "alpha", 2, 0, {2 * 1.0507009873554805, 1.0507009873554805}},
    {"piecewise_linear", "alpha", 0.5, 0.5, {2, 0}},
    {"piecewise_linear", "alpha", 0.5, -0.5, {0, 2}},
};

static double slope_there(const gck_choice *f, double z)
{
    double slope;
    gck_activation_row_of(f)->exact->slopes(f->option, 1, &z, &slope);
    return slope;
}

/* One input, x = 1: the gradient is the slope, and for x the slope times w. */
static size_t wrong_with_slope(const network *net, gck_dtype dtype, double slope)
{
    claimed c;
    claimed_open(&c, net, dtype);
    c.gradient[0] = c.gradient[1] = slope;
    c.x[0] = slope * net->parameters[0];
    const size_t wrong = wrong_of(&c);
    claimed_close(&c);
    return wrong;
}

/* _i: the kink. */
START_TEST(any_slope_between_is_accepted_on_a_kink)
{
    const kink *k = &kinks[_i];
    gck_choice f = activation_named(k->activation);
    if (k->option != NULL) f = with_option(f, k->option, k->value);
    const gck_layer_spec layers[] = {dense_of(1, f)};
    network net = network_new(1, layers, 1, cost_named("dot"), 1);
    const double jump = k->slope[1] - k->slope[0];
    net.data->x[0] = net.data->y[0] = 1;
    net.parameters[0] = k->place - 1;
    net.parameters[1] = 1;
    for (gck_dtype dtype = GCK_FLOAT64; dtype <= GCK_BFLOAT16; dtype++)
        for (int share = 0; share <= 4; share++)
            ck_assert_uint_eq(wrong_with_slope(&net, dtype, k->slope[0] + share / 4.0 * jump), 0);
    const double own = slope_there(&f, k->place);
    const double other = own == k->slope[0] ? k->slope[1] : k->slope[0];
    ck_assert_uint_gt(wrong_with_slope(&net, GCK_FLOAT32, other + 0.1 * (other - own)), 0);
    /* A little beside it there is but one slope. */
    net.parameters[1] += 1e-3;
    ck_assert_uint_gt(wrong_with_slope(&net, GCK_FLOAT32, k->slope[0]), 0);
    ck_assert_uint_eq(wrong_with_slope(&net, GCK_FLOAT32, slope_there(&f, k->place + 1e-3)), 0);
    network_done(&net);
}
END_TEST

/* a = y, w = 0. */
START_TEST(costs_and_penalties_have_kinks_too)
{
    const gck_layer_spec layers[] = {dense(1, "linear")};
    network net = network_new(1, layers, 1, cost_named("mae"), 1);
    net.data->x[0] = net.data->y[0] = 1;
    net.parameters[0] = net.parameters[1] = 0.5;
    for (int slope = -2; slope <= 2; slope++)
        ck_assert_uint_eq(wrong_with_slope(&net, GCK_FLOAT64, slope / 2.0), 0);
    ck_assert_uint_gt(wrong_with_slope(&net, GCK_FLOAT32, 1.1), 0);
    network_done(&net);

    const gck_layer_spec penalised[] = {dense_with(1, "linear", "l1", 0.5)};
    net = network_new(1, penalised, 1, cost_named("dot"), 1);
    net.data->x[0] = net.data->y[0] = net.parameters[1] = 1;
    net.parameters[0] = 0;
    claimed c;
    claimed_open(&c, &net, GCK_FLOAT64);
    for (int slope = -2; slope <= 2; slope++) {
        c.gradient[0] = 1 + slope / 4.0;
        ck_assert_uint_eq(wrong_of(&c), 0);
    }
    c.gradient[0] = 1.55;
    ck_assert_uint_eq(wrong_of(&c), 1);
    claimed_close(&c);
    network_done(&net);
}
END_TEST

START_TEST(a_warning_says_so)
{
    const double x[] = {0, 1};
    const gck_layer_spec layers[] = {dense_with(1, "relu", "use_bias", 0)};
    network net = chain_network(layers, 1, x, 2);
    claimed c;
    net.data->y[0] = 1;
    net.data->y[1] = 0.5;
    claimed_open(&c, &net, GCK_FLOAT64);
    assert_warnings(net, &c.spec,
                    "relu of layer 0: unit 0 lies exactly on a kink in some sample; the slope "
                    "there is a convention, and any between those on either side is accepted",
                    "inputs x: rounding in float64, or a kink, may do as much as the whole "
                    "gradient: the check shows little",
                    NULL);
    claimed_close(&c);
}
END_TEST

/* ---- rows ---- */

/* _i: the activation. Sizes are at least what they are sizes of. */
START_TEST(sizes_cover_their_functions)
{
    const gck_choice f = gck_choice_default(gck_activations.rows[_i]);
    const struct gck_activation_rounding *rounding = gck_activation_row_of(&f)->rounding;
    for (double z = -30; z <= 30 && rounding->sizes != NULL; z += 0.0625) {
        double value, slope;
        rounding->sizes(f.option, 1, &z, &value, &slope);
        ck_assert_double_ge(value * (1 + 1e-12), fabs((double)formula_value(&f, z)));
        ck_assert_double_ge(slope * (1 + 1e-12), fabs((double)formula_slope(&f, z)) - DBL_MIN);
    }
}
END_TEST

/* _i: the activation. On each interval f' is largest and smallest at its ends or where it turns. */
START_TEST(slopes_turn_where_the_row_says)
{
    enum { POINTS = 400 };
    const gck_choice f = gck_choice_default(gck_activations.rows[_i]);
    const struct gck_activation_rounding *rounding = gck_activation_row_of(&f)->rounding;
    const struct gck_activation_exact *exact = gck_activation_row_of(&f)->exact;
    double z[POINTS], slope[POINTS];
    for (size_t i = 0; i < POINTS; i++)
        z[i] = -6 + 12 * ((double)i + 0.3) / POINTS;
    if (exact->slopes == NULL) return;
    exact->slopes(f.option, POINTS, z, slope);
    for (size_t i = 1; i + 1 < POINTS; i++) {
        bool turns = false;
        for (size_t t = 0; t < rounding->turn_count; t++)
            turns |= z[i - 1] < rounding->turn[t] && rounding->turn[t] < z[i + 1];
        const double rise = slope[i] - slope[i - 1], next = slope[i + 1] - slope[i];
        ck_assert_msg(turns || rise * next >= 0 || fabs(rise) < 1e-13 || fabs(next) < 1e-13,
                      "%s at %g", f.item->name, z[i]);
    }
}
END_TEST

SUITE_MAIN("claim_bar", {right_claims_in_float_pass, 15}, {wrong_claims_fail, 15},
           {what_rounding_leaves_nothing_of_is_inconclusive, 3}, {fewer_digits_have_larger_bars, 0},
           {small_sums_over_samples_may_be_loops_in_bfloat16, 0},
           {small_sums_over_inputs_may_be_loops_in_bfloat16, 0}, {blocks_have_little_to_say, 0},
           {any_slope_between_is_accepted_on_a_kink, COUNT(kinks)},
           {costs_and_penalties_have_kinks_too, 0}, {a_warning_says_so, 0},
           {sizes_cover_their_functions, 15}, {slopes_turn_where_the_row_says, 15})
