/* How a check is cut, computed in any order and put together. */
#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* ---- against a loop of its own ----
 *
 * Layers of dropout, then one linear unit, mean squared error: J is quadratic in every parameter
 * and input, so that the central difference is the derivative at the middle of its two points,
 * which is within u |θ| of θ. */

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

static void longhand_sample(const network *net, size_t k, const long double *mask,
                            longhand *parameters, longhand *x)
{
    const size_t inputs = net->model->inputs;
    const double *w = net->parameters, *row = net->data->x + k * inputs;
    const double weight = net->data->weights == NULL ? 1 : net->data->weights[k];
    const long double factor = weight / (long double)net->data->samples;
    long double r = w[inputs] - (long double)net->data->y[k];
    long double size = fabsl(w[inputs]) + fabsl((long double)net->data->y[k]);
    for (size_t i = 0; i < inputs; i++) {
        r += w[i] * mask[i] * row[i];
        size += fabsl(w[i] * mask[i] * row[i]);
    }
    const long double loss_size = factor * size * size;
    for (size_t i = 0; i <= inputs; i++) {
        const long double in = i < inputs ? mask[i] * row[i] : 1;
        longhand_add(parameters, i, 2 * factor * r * in, 2 * factor * size * fabsl(in), loss_size);
        if (i < inputs)
            longhand_add(x, k * inputs + i, 2 * factor * r * w[i] * mask[i],
                         2 * factor * size * fabsl(w[i] * mask[i]), loss_size);
    }
}

/* l2 of the last layer, which every weight pays once, in whatever block. Either point of a
 * difference lies within 1e-3 of w. */
static void longhand_penalty(const network *net, longhand *parameters)
{
    const gck_choice *type = &net->model->layer[net->model->layer_count - 1].spec.type;
    const double l2 = type->option[gck_item_option_find(type->item, "l2")];
    for (size_t i = 0; i < net->model->inputs; i++) {
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
        longhand_sample(net, k, mask, parameters, x);
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
        compare_longhand(net, &p, i, check->analytic[i], check->numeric[i], check->spec.epsilon,
                         "parameter");
    for (size_t i = 0; check->spec.inputs && i < x_count; i++)
        compare_longhand(net, &x, i, check->analytic_x[i], check->numeric_x[i], check->spec.epsilon,
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

/* _i: rows of a block; with grains of 4 parameters and 7 inputs. */
START_TEST(any_cut_gives_the_same_derivatives)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    check_recut(check, (size_t)_i + 1, 4, 7);
    for (size_t i = 0; i < check->cut.grain_count; i++)
        check_step(check, i);
    ck_assert_uint_eq(gck_check_done(check), gck_check_total(check));
    ck_assert_uint_eq(gck_check_total(check), 6 + 11 * 5);
    compare_check(&net, check);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

START_TEST(grains_cover_everything_once)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *check = check_open(&spec);
    for (size_t rows = 1; rows <= 11; rows++)
        for (size_t elements = 1; elements <= 8; elements++) {
            size_t analytic = 0, parameters = 0, inputs = 0;
            check_recut(check, rows, elements, elements + 1);
            for (size_t i = 0; i < check->cut.grain_count; i++) {
                const check_grain grain = check_grain_at(check, i);
                ck_assert_uint_le(grain.block.first + grain.block.count, 11);
                analytic += grain.kind == GRAIN_ANALYTIC ? grain.block.count : 0;
                parameters += grain.kind == GRAIN_PARAMETERS ? grain.count : 0;
                inputs += grain.kind == GRAIN_INPUTS ? grain.count : 0;
            }
            ck_assert_uint_eq(analytic, 11);
            ck_assert_uint_eq(parameters, 6 * divide_up(11, rows));
            ck_assert_uint_eq(inputs, 11 * 5);
        }
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- order and threads ---- */

static void fold_all(gck_check *check, gck_partial *partials)
{
    gck_error error;
    for (size_t i = 0; i < check->cut.grain_count; i++) {
        ck_assert_uint_eq(gck_check_folded(check), i);
        assert_ok(gck_check_fold(check, i, &partials[i], &error), &error);
        gck_partial_done(&partials[i]);
    }
}

START_TEST(order_of_work_changes_no_bit)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *straight = check_finished(&spec), *check = check_open(&spec);
    check_recut(check, 3, 4, 7);
    gck_partial *partials = calloc(check->cut.grain_count, sizeof *partials);
    for (size_t i = check->cut.grain_count; i-- > 0;) {
        gck_error error;
        assert_ok(gck_check_grain(check, i, (gck_stop){0}, &partials[i], &error), &error);
    }
    fold_all(check, partials);
    assert_same_check(check, straight);
    free(partials);
    gck_check_free(check);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

/* Every second grain, from grain `first`. */
typedef struct worker {
    const gck_check *check;
    gck_partial *partials;
    size_t first;
    gck_status status;
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    gck_error error;
    for (size_t i = w->first; w->status == GCK_OK && i < w->check->cut.grain_count; i += 2)
        w->status = gck_check_grain(w->check, i, (gck_stop){0}, &w->partials[i], &error);
    return NULL;
}

START_TEST(two_threads_change_no_bit)
{
    network net = cut_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.inputs = true;
    gck_check *straight = check_finished(&spec), *check = check_open(&spec);
    check_recut(check, 3, 4, 7);
    gck_partial *partials = calloc(check->cut.grain_count, sizeof *partials);
    worker workers[2] = {{check, partials, 0, GCK_OK}, {check, partials, 1, GCK_OK}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert(workers[0].status == GCK_OK && workers[1].status == GCK_OK);
    fold_all(check, partials);
    assert_same_check(check, straight);
    free(partials);
    gck_check_free(check);
    gck_check_free(straight);
    network_done(&net);
}
END_TEST

SUITE_MAIN("grains", {row_blocks_add_up, 0}, {any_cut_gives_the_same_derivatives, 12},
           {grains_cover_everything_once, 0}, {order_of_work_changes_no_bit, 0},
           {two_threads_change_no_bit, 0})
