/* From losses to J and its gradient: reductions, scale, sample weights, penalties. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/cost.h>

#include "core/backward.h"
#include "core/forward.h"

#include <math.h>
#include <string.h>

/* The values of the option "reduction", in its order. */
enum { BATCH_MEAN, MEAN, SUM };

static gck_choice reduced(const char *cost, int reduction, double scale)
{
    return with_option(with_option(cost_named(cost), "reduction", reduction), "scale", scale);
}

START_TEST(factors_are_scale_over_divisor)
{
    const gck_choice batch_mean = reduced("mse", BATCH_MEAN, 0.5);
    const gck_choice mean = reduced("mse", MEAN, 0.5), sum = reduced("mse", SUM, -3);
    ck_assert(gck_cost_factor(&batch_mean, 8, 4) == 0.5 / 8);
    ck_assert(gck_cost_factor(&mean, 8, 4) == 0.5 / 32);
    ck_assert(gck_cost_factor(&sum, 8, 4) == -3);
    for (size_t i = 0; i < gck_costs.count; i++) {
        const gck_choice plain = gck_choice_default(gck_costs.rows[i]);
        ck_assert(gck_cost_factor(&plain, 5, 3) == 1.0 / 5);
    }
}
END_TEST

START_TEST(reductions_go_by_their_names)
{
    const int option = gck_item_option_find(cost_named("mse").item, "reduction");
    const char *const *words = cost_named("mse").item->option[option].words;
    ck_assert_str_eq(words[BATCH_MEAN], "batch_mean");
    ck_assert_str_eq(words[MEAN], "mean");
    ck_assert_str_eq(words[SUM], "sum");
    ck_assert_ptr_null(words[SUM + 1]);
}
END_TEST

/* ---- a linear layer, where everything can be written down ---- */

enum { INPUTS = 3, OUTPUTS = 2, SAMPLES = 7 };

/* One forward and one backward pass over all rows. */
typedef struct passed {
    double cost;
    double gradient[(INPUTS + 1) * OUTPUTS];
    double dx[SAMPLES * INPUTS]; /* row-major, as x */
} passed;

static passed pass_whole(const network *net)
{
    gck_error error;
    gck_pass *pass;
    gck_backward_room room;
    passed p = {0};
    const size_t samples = net->data->samples, inputs = net->model->inputs;
    ck_assert_uint_le(net->model->parameter_count, COUNT(p.gradient));
    assert_ok(gck_pass_new(net->model, samples, false, &pass, &error), &error);
    assert_ok(gck_backward_room_init(&room, net->model, samples, &error), &error);
    gck_pass_load(pass, net->data, (gck_rows){0, samples, NULL});
    gck_forward_losses(pass, net->parameters);
    const double factor = gck_cost_factor(&net->model->cost, samples, net->model->outputs);
    p.cost = factor * gck_pass_loss_sum(pass) + gck_model_penalty(net->model, net->parameters);
    const double *dx = gck_backward(pass, &room, factor, p.gradient, true);
    for (size_t k = 0; k < samples; k++)
        for (size_t i = 0; i < inputs; i++)
            p.dx[k * inputs + i] = dx[i * samples + k];
    gck_backward_penalty(net->model, net->parameters, p.gradient);
    gck_pass_free(pass);
    gck_backward_room_done(&room);
    return p;
}

/* A number together with the sum of the absolute values of what was added up: rounding errs by a
 * multiple of the latter. */
typedef struct summed {
    long double value, size;
} summed;

static void summed_add(summed *s, long double term)
{
    s->value += term;
    s->size += fabsl(term);
}

/* a_j - y_j of sample k; its size holds every product's. */
static summed residual(const network *net, size_t k, size_t j)
{
    summed r = {0};
    const double *x = net->data->x + k * INPUTS;
    for (size_t i = 0; i < INPUTS; i++)
        summed_add(&r, (long double)x[i] * net->parameters[i * OUTPUTS + j]);
    summed_add(&r, net->parameters[INPUTS * OUTPUTS + j]);
    summed_add(&r, -net->data->y[k * OUTPUTS + j]);
    return r;
}

/* mse of a linear layer, weighted: cost and derivatives as sums over samples. */
typedef struct longhand {
    summed cost, gradient[(INPUTS + 1) * OUTPUTS], dx[SAMPLES * INPUTS];
} longhand;

static longhand longhand_mse(const network *net, long double factor)
{
    longhand l = {0};
    for (size_t k = 0; k < SAMPLES; k++)
        for (size_t j = 0; j < OUTPUTS; j++) {
            const summed r = residual(net, k, j);
            const long double f = factor * net->data->weights[k];
            l.cost.value += f * r.value * r.value;
            l.cost.size += fabsl(f) * r.size * r.size;
            for (size_t i = 0; i <= INPUTS; i++) {
                const long double x = i < INPUTS ? net->data->x[k * INPUTS + i] : 1;
                summed *g = &l.gradient[i < INPUTS ? i * OUTPUTS + j : INPUTS * OUTPUTS + j];
                g->value += 2 * f * r.value * x;
                g->size += 2 * fabsl(f * x) * r.size;
                if (i == INPUTS) continue;
                summed *d = &l.dx[k * INPUTS + i];
                d->value += 2 * f * r.value * net->parameters[i * OUTPUTS + j];
                d->size += 2 * fabsl(f * net->parameters[i * OUTPUTS + j]) * r.size;
            }
        }
    return l;
}

/* Every product passes fewer roundings than: INPUTS + 2 in the residual, twice in its square, 5 for
 * weight, factor and their products, SAMPLES * OUTPUTS in the sums. */
static const long double linear_roundings = 2 * (INPUTS + 2) + 5 + SAMPLES * OUTPUTS;

static void assert_summed(double got, const summed *want, const char *what, size_t index)
{
    assert_within(got, want->value, linear_roundings * ROUNDOFF * want->size, "%s %zu", what,
                  index);
}

static void compare_linear(gck_choice cost, long double factor)
{
    const gck_layer_spec layers[] = {dense(OUTPUTS, "linear")};
    network net = network_weighted(INPUTS, layers, 1, cost, SAMPLES);
    network_draw_biases(&net);
    const passed p = pass_whole(&net);
    const longhand l = longhand_mse(&net, factor);
    assert_summed(p.cost, &l.cost, "cost", 0);
    for (size_t i = 0; i < COUNT(p.gradient); i++)
        assert_summed(p.gradient[i], &l.gradient[i], "gradient", i);
    for (size_t i = 0; i < COUNT(p.dx); i++)
        assert_summed(p.dx[i], &l.dx[i], "dx", i);
    network_done(&net);
}

START_TEST(weighted_mse_is_the_sum_written_out)
{
    compare_linear(cost_named("mse"), 1.0L / SAMPLES); /* masked samples stay in the divisor */
    compare_linear(reduced("mse", MEAN, 1), 1.0L / (SAMPLES * OUTPUTS));
    compare_linear(reduced("mse", SUM, 1), 1);
    compare_linear(reduced("mse", BATCH_MEAN, 0.5), 0.5L / SAMPLES);
    compare_linear(reduced("mse", MEAN, -7.25), -7.25L / (SAMPLES * OUTPUTS));
}
END_TEST

START_TEST(weights_of_1_change_no_bit)
{
    const gck_layer_spec layers[] = {dense(OUTPUTS, "sigmoid")};
    network net = network_new(INPUTS, layers, 1, cost_named("binary_crossentropy"), SAMPLES);
    const passed plain = pass_whole(&net);
    net.data->weights = gck_vector_new(SAMPLES);
    for (size_t k = 0; k < SAMPLES; k++)
        net.data->weights[k] = 1;
    const passed weighted = pass_whole(&net);
    assert_same_bits(&weighted.cost, &plain.cost, 1, "cost");
    assert_same_bits(weighted.gradient, plain.gradient, COUNT(plain.gradient), "gradient");
    assert_same_bits(weighted.dx, plain.dx, COUNT(plain.dx), "dx");
    network_done(&net);
}
END_TEST

/* A masked sample may hold anything, even what makes its loss infinite or no number: it must not
 * show. */
START_TEST(weight_0_masks_a_sample)
{
    const gck_layer_spec layers[] = {dense(OUTPUTS, "gaussian")};
    network net = network_weighted(INPUTS, layers, 1, cost_named("binary_crossentropy"), SAMPLES);
    ck_assert(net.data->weights[2] == 0);
    const passed before = pass_whole(&net);
    memset(net.data->x + 2 * INPUTS, 0, INPUTS * sizeof(double)); /* z = 0: an infinite loss */
    const passed infinite = pass_whole(&net);
    for (size_t j = 0; j < OUTPUTS; j++)
        net.data->y[2 * OUTPUTS + j] = NAN;
    const passed unknown = pass_whole(&net);
    ck_assert(isfinite(before.cost));
    assert_same_bits(&infinite.cost, &before.cost, 1, "cost");
    assert_same_bits(infinite.gradient, before.gradient, COUNT(before.gradient), "gradient");
    assert_same_bits(unknown.gradient, before.gradient, COUNT(before.gradient), "gradient");
    for (size_t i = 0; i < INPUTS; i++)
        ck_assert(before.dx[2 * INPUTS + i] == 0);
    network_done(&net);
}
END_TEST

START_TEST(scale_scales_every_cost)
{
    for (size_t c = 0; c < gck_costs.count; c++) {
        const gck_layer_spec layers[] = {dense(OUTPUTS, "softmax")};
        const char *name = gck_costs.rows[c]->name;
        network plain = network_weighted(INPUTS, layers, 1, cost_named(name), SAMPLES);
        network scaled =
            network_weighted(INPUTS, layers, 1, reduced(name, BATCH_MEAN, -4), SAMPLES);
        const passed p = pass_whole(&plain), s = pass_whole(&scaled);
        /* A power of two commutes with every rounding. */
        ck_assert(s.cost == -4 * p.cost);
        for (size_t i = 0; i < COUNT(p.gradient); i++)
            ck_assert(s.gradient[i] == -4 * p.gradient[i]);
        network_done(&plain);
        network_done(&scaled);
    }
}
END_TEST

/* ---- penalties ---- */

/* Reduction and scale leave l1 and l2 alone; biases carry none. All numbers are exact in doubles.
 */
START_TEST(penalties_stand_outside_of_reduction_and_scale)
{
    gck_layer_spec layers[] = {dense_with(2, "linear", "l1", 0.5),
                               dense_with(1, "linear", "l2", 2)};
    layers[1].type = with_option(layers[1].type, "l1", 0.25);
    network net = network_new(1, layers, 2, reduced("dot", SUM, 0), 1);
    const double parameters[] = {-3, 0.5, 10, 20, 1, -2, 30};
    memcpy(net.parameters, parameters, sizeof parameters);
    ck_assert_uint_eq(net.model->parameter_count, COUNT(parameters));
    const passed p = pass_whole(&net);
    ck_assert(p.cost == 0.5 * 3.5 + 0.25 * 3 + 2 * 5);
    const double gradient[] = {-0.5, 0.5, 0, 0, 0.25 + 4, -0.25 - 8, 0};
    for (size_t i = 0; i < COUNT(parameters); i++)
        ck_assert_msg(p.gradient[i] == gradient[i], "element %zu: %g", i, p.gradient[i]);
    network_done(&net);
}
END_TEST

START_TEST(penalty_at_is_one_elements_part)
{
    gck_layer_spec layers[] = {dense_with(2, "linear", "l1", 0.5), dropout(0.5), activation("tanh"),
                               dense_with(1, "linear", "l2", 2)};
    const gck_choice cost = cost_named("mse");
    gck_model *model = model_new(1, layers, COUNT(layers), &cost, 1);
    const double parameters[] = {-3, 0.5, 10, 20, 1, -2, 30}, part[] = {1.5, 0.25, 0, 0, 2, 8, 0};
    double sum = 0;
    for (size_t i = 0; i < COUNT(part); i++) {
        ck_assert(gck_model_penalty_at(model, i, parameters[i]) == part[i]);
        sum += part[i];
    }
    ck_assert(gck_model_penalty(model, parameters) == sum);
    ck_assert(gck_model_penalty_at(model, 0, 0) == 0);
    gck_model_free(model);
}
END_TEST

START_TEST(l1_is_flat_at_0)
{
    gck_layer_spec layers[] = {dense_with(1, "linear", "l1", 3)};
    network net = network_new(1, layers, 1, reduced("dot", SUM, 0), 1);
    net.parameters[0] = 0;
    ck_assert(pass_whole(&net).gradient[0] == 0);
    network_done(&net);
}
END_TEST

SUITE_MAIN("reduction", {factors_are_scale_over_divisor, 0}, {reductions_go_by_their_names, 0},
           {weighted_mse_is_the_sum_written_out, 0}, {weights_of_1_change_no_bit, 0},
           {weight_0_masks_a_sample, 0}, {scale_scales_every_cost, 0},
           {penalties_stand_outside_of_reduction_and_scale, 0},
           {penalty_at_is_one_elements_part, 0}, {l1_is_flat_at_0, 0})
