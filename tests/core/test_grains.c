/* How a check is cut and put together. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <stdlib.h>

/* ---- against a loop of its own ----
 *
 * Layers of dropout, then linear units, mean squared error: J is quadratic in every parameter and
 * input, so that the central difference is the derivative at the middle of its two points, which is
 * within u |θ| of θ. */

typedef struct longhand {
    long double *value, *size; /* a derivative, and the same sum over absolute values */
    long double
        *loss_size; /* the same sum of what the element moves of J: |factor w_k| |r|^2, l2 w^2 */
} longhand;

static longhand longhand_new(size_t count)
{
    return (longhand){calloc(count, sizeof(long double)), calloc(count, sizeof(long double)),
                      calloc(count, sizeof(long double))};
}

static void longhand_done(longhand *l)
{
    free(l->value);
    free(l->size);
    free(l->loss_size);
}

static void longhand_add(longhand *l, size_t index, long double term, long double size,
                         long double loss_size)
{
    l->value[index] += term;
    l->size[index] += size;
    l->loss_size[index] += loss_size;
}

/* The product of all layers' masks for one sample. */
static void masks_multiply(const gck_model *model, size_t sample, long double *product)
{
    double *mask = gck_vector_new(model->inputs);
    for (size_t i = 0; i < model->inputs; i++)
        product[i] = 1;
    for (size_t l = 0; l + 1 < model->layer_count; l++) {
        gck_layer_mask(&model->layer[l], (gck_mask_key){model->seed, 0}, sample, mask, 1);
        for (size_t i = 0; i < model->inputs; i++)
            product[i] *= mask[i];
    }
    gck_vector_free(mask);
}

/* The output of one unit for sample k, less its target. */
static void longhand_unit(const network *net, size_t k, size_t unit, const long double *mask,
                          longhand *parameters, longhand *x)
{
    const size_t inputs = net->model->inputs, units = net->model->outputs;
    const double *w = net->parameters + unit, *row = net->data->x + k * inputs;
    const double bias = w[inputs * units], target = net->data->y[k * units + unit];
    const double weight = net->data->weights == NULL ? 1 : net->data->weights[k];
    const long double factor = weight / (long double)net->data->samples;
    long double r = bias - (long double)target, size = fabsl(bias) + fabsl((long double)target);
    for (size_t i = 0; i < inputs; i++) {
        r += w[i * units] * mask[i] * row[i];
        size += fabsl(w[i * units] * mask[i] * row[i]);
    }
    const long double loss_size = factor * size * size;
    for (size_t i = 0; i <= inputs; i++) {
        const long double in = i < inputs ? mask[i] * row[i] : 1;
        longhand_add(parameters, i * units + unit, 2 * factor * r * in,
                     2 * factor * size * fabsl(in), loss_size);
        if (i < inputs)
            longhand_add(x, k * inputs + i, 2 * factor * r * w[i * units] * mask[i],
                         2 * factor * size * fabsl(w[i * units] * mask[i]), loss_size);
    }
}

/* l2 of the last layer, which every weight pays once, in whatever block. Either point of a
 * difference lies within 1e-3 of w. */
static void longhand_penalty(const network *net, longhand *parameters)
{
    const gck_choice *type = &net->model->layer[net->model->layer_count - 1].spec.type;
    const double l2 = type->option[gck_item_option_find(type->item, "l2")];
    for (size_t i = 0; i < net->model->inputs * net->model->outputs; i++) {
        const long double w = net->parameters[i], reach = fabsl(w) + 1e-3L;
        longhand_add(parameters, i, 2 * l2 * w, 2 * l2 * fabsl(w), l2 * reach * reach);
    }
}

static void longhand_fill(const network *net, longhand *parameters, longhand *x)
{
    longhand_penalty(net, parameters);
    long double *mask = calloc(net->model->inputs, sizeof *mask);
    for (size_t k = 0; k < net->data->samples; k++) {
        masks_multiply(net->model, k, mask);
        for (size_t unit = 0; unit < net->model->outputs; unit++)
            longhand_unit(net, k, unit, mask, parameters, x);
    }
    free(mask);
}

/* Roundings on the way of any product: the masks twice (the way up and down), the sum over inputs
 * in r, twice in r^2, the sum over samples, 10 for factors. A loss errs by that against |r|^2 at
 * either point, and the step divides it. */
static void compare_longhand(const network *net, const longhand *want, size_t index,
                             double analytic, double numeric, double epsilon, const char *what)
{
    const gck_model *model = net->model;
    const long double roundings =
        (long double)(2 * model->layer_count + 2 * model->inputs + net->data->samples + 10);
    const long double bound = roundings * ROUNDOFF * want->size[index];
    assert_within(analytic, want->value[index], bound, "analytic %s %zu", what, index);
    assert_within(numeric, want->value[index],
                  2 * bound + roundings * ROUNDOFF * 2 * want->loss_size[index] / (2 * epsilon),
                  "numeric %s %zu", what, index);
}

static void compare_check(const network *net, const gck_check *check)
{
    const size_t parameters = net->model->parameter_count;
    const size_t x_count = net->data->samples * net->model->inputs;
    longhand p = longhand_new(parameters), x = longhand_new(x_count);
    longhand_fill(net, &p, &x);
    for (size_t i = 0; i < parameters; i++)
        compare_longhand(net, &p, i, check->parameter.analytic[i], check->parameter.numeric[i],
                         check->spec.epsilon, "parameter");
    for (size_t i = 0; check->spec.inputs && i < x_count; i++)
        compare_longhand(net, &x, i, check->x.analytic[i], check->x.numeric[i], check->spec.epsilon,
                         "input");
    longhand_done(&p);
    longhand_done(&x);
}

/* Samples so long, through so many layers, that three blocks are needed by memory alone. */
START_TEST(row_blocks_add_up)
{
    enum { DROPOUTS = 200, INPUTS = 50, SAMPLES = 420 };
    gck_layer_spec layers[DROPOUTS + 1];
    for (size_t i = 0; i < DROPOUTS; i++)
        layers[i] = dropout(0.002);
    layers[DROPOUTS] = dense(1, "linear");
    network net = network_new(INPUTS, layers, DROPOUTS + 1, cost_named("mse"), SAMPLES);
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    ck_assert_uint_ge(gck_check_cut_of(check)->block_count, 3);
    compare_check(&net, check);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* _i: rows of a block; grains of one unit or input. */
START_TEST(any_cut_gives_the_same_derivatives)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    check_recut(check, (size_t)_i + 1, 1);
    for (size_t i = 0; i < check->cut.grain_count; i++)
        check_step(check, i);
    ck_assert_uint_eq(gck_check_done(check), gck_check_total(check));
    ck_assert_uint_eq(gck_check_total(check), 12 + 11 * 5);
    compare_check(&net, check);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* Grains of one kind, and the pairs of sample and unit, input or direction that they cover. */
static size_t covered(const gck_check *check, grain_kind kind, size_t *ret_pairs)
{
    size_t grains = 0;
    *ret_pairs = 0;
    for (size_t i = 0; i < check->cut.grain_count; i++) {
        const check_grain grain = check_grain_at(check, i);
        ck_assert_uint_le(grain.block.first + grain.block.count, 11);
        if (grain.kind != kind) continue;
        grains++;
        *ret_pairs += grain.block.count * (kind == GRAIN_ANALYTIC ? 1 : grain.count);
    }
    return grains;
}

START_TEST(grains_cover_everything_once)
{
    network net = kinked_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    const size_t operations[] = {1, 100000, 1000000, 1 << 30};
    for (size_t rows = 1; rows <= 11; rows++)
        for (size_t i = 0; i < COUNT(operations); i++) {
            size_t analytic, units, inputs;
            check_recut(check, rows, operations[i]);
            const size_t blocks = divide_up(11, rows);
            ck_assert_uint_eq(covered(check, GRAIN_ANALYTIC, &analytic), blocks);
            const size_t grains = covered(check, GRAIN_UNITS, &units);
            ck_assert_uint_le(grains, 8 * blocks);
            ck_assert(operations[i] > 1 || grains == 8 * blocks);
            covered(check, GRAIN_INPUTS, &inputs);
            ck_assert_uint_eq(analytic, 11);
            ck_assert_uint_eq(units, (4 + 1 + 3) * 11);
            ck_assert_uint_eq(inputs, 4 * 11);
        }
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* Each direction of each layer once a block, and x as ever. */
START_TEST(grains_cover_all_directions)
{
    network net = kinked_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.method = GCK_DIRECTIONAL;
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    check_cut_small(check);
    size_t directions, inputs;
    ck_assert_uint_eq(covered(check, GRAIN_DIRECTION, &directions), 3 * 8 * 4);
    ck_assert_uint_eq(directions, 3 * 8 * 11);
    ck_assert_uint_eq(covered(check, GRAIN_INPUTS, &inputs), 4 * 4);
    ck_assert_uint_eq(inputs, 4 * 11);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("grains", {row_blocks_add_up, 0}, {any_cut_gives_the_same_derivatives, 12},
           {grains_cover_everything_once, 0}, {grains_cover_all_directions, 0})
