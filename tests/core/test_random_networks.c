/* What random networks show of the numeric engine: that its numbers are those of the plain formula,
 * that exact and analytic derivatives agree, that right gradients pass and wrong ones fail, and
 * that kinks are counted.
 *
 * `make check` runs a few networks of each kind; `make statistics` ($RANDOM_NETWORKS=long) many
 * large ones, and prints the counts that docs/numerics.md gives. What fails is printed with its
 * seed and whole spec, and counted; a test fails at its end. */
#include "tests/core/compare.h"
#include "tests/core/plain.h"
#include "tests/core/random_networks.h"
#include "tests/core/suite.h"

#include "core/activation.h"
#include "core/change.h"
#include "core/check.h"
#include "core/cost.h"
#include "core/forward.h"
#include "core/numeric.h"

#include <gradcheck/kernels.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- how much ---- */

typedef struct batch {
    size_t networks; /* of seeds 0, 1, 2, … */
    random_limits limits;
} batch;

enum { CORRECT = 3 };

/* Ordinary ones and nasty ones; right gradients have, too, many samples, and wide layers. */
typedef struct form {
    batch formula[2], correct[CORRECT], wrong[2], kinks[2];
    size_t precise; /* elements of a network and epsilon in long double */
} form;

static const form short_form = {
    .formula = {{24, {6, 14, 20, false}}, {24, {5, 10, 12, true}}},
    .correct = {{200, {6, 24, 40, true}}, {10, {3, 5, 4000, true}}, {8, {2, 200, 6, true}}},
    .wrong = {{60, {6, 14, 20, false}}, {60, {6, 14, 20, true}}},
    .kinks = {{40, {6, 12, 20, false}}, {20, {6, 10, 16, true}}},
    .precise = 20};
static const form long_form = {
    .formula = {{500, {6, 40, 60, false}}, {500, {5, 20, 24, true}}},
    .correct = {{2000, {6, 100, 200, true}}, {200, {3, 8, 40000, true}}, {100, {2, 800, 6, true}}},
    .wrong = {{1000, {6, 40, 60, false}}, {1000, {6, 40, 60, true}}},
    .kinks = {{400, {6, 20, 40, false}}, {200, {6, 20, 40, true}}},
    .precise = 60};

static bool is_long(void)
{
    const char *wanted = getenv("RANDOM_NETWORKS");
    return wanted != NULL && strcmp(wanted, "long") == 0;
}

static const form *form_wanted(void)
{
    return is_long() ? &long_form : &short_form;
}

/* All kernels that the processor runs. */
static const char *const tables[] = {"generic", "avx2", "avx512"};
static bool table_start(size_t table)
{
    return gck_kernels_start(tables[table], NULL) == GCK_OK;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- gradients: the parameters, then x row-major ---- */

typedef struct part {
    const char *name;
    size_t first, count;
} part;

enum { PARTS_MAX = 2 * GCK_LAYERS_MAX + 1 };

/* The tensors, and x. */
static size_t parts_of(const random_network *drawn, part parts[PARTS_MAX])
{
    const gck_model *model = drawn->net.model;
    size_t count = 0;
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t t = 0; t < model->layer[i].tensor_count; t++) {
            const gck_tensor *tensor = &model->layer[i].tensor[t];
            parts[count++] = (part){tensor->name, tensor->offset, tensor->count};
        }
    const size_t first = model->parameter_count;
    parts[count++] = (part){"x", first, random_gradient_count(drawn) - first};
    return count;
}

/* The parameters' half of a side of the check, and that of x. */
static double *gradient_of(const gck_check *check, const double *parameters, const double *x)
{
    const size_t count = check->spec.model->parameter_count;
    double *gradient = gck_vector_new(count + check_x_count(check));
    memcpy(gradient, parameters, count * sizeof *gradient);
    memcpy(gradient + count, x, check_x_count(check) * sizeof *gradient);
    return gradient;
}

/* The engine of tests/core/plain.c gives the same bits. */
static void assert_plain_engine(const random_network *drawn, double epsilon,
                                const plain_estimates *want)
{
    gck_error error;
    dice d = dice_new(drawn->seed);
    const gck_plain engine = {drawn->net.model,
                              drawn->net.parameters,
                              drawn->net.data,
                              epsilon,
                              {0, drawn->net.data->samples, NULL}};
    for (size_t i = 0; i < 5; i++) {
        const size_t element = dice_below(&d, drawn->net.model->parameter_count);
        double got;
        assert_ok(gck_plain_parameters(&engine, &element, 1, (gck_stop){0}, &got, &error), &error);
        assert_same_bits(&got, &want[element].central.value, 1, "plain engine");
    }
}

/* ---- the fast engine's bound: the rounding bar and, where units are probed, FIT_AGREEMENT of
 * core/units.c, sum over samples of |F x_ik| 1e-11 (w_k |dL/dz_jk| + the layer's largest / 64) ----
 */

#define FIT_AGREEMENT 1e-11

/* (units, lanes): w_k |dL/dz_jk| + the largest of them / 64; 0 where the weight is. */
static void slopes_fill(gck_numeric *numeric, size_t layer, double *slopes)
{
    const size_t lanes = numeric->samples->lanes, units = numeric->spec.model->layer[layer].outputs;
    const double *weights = numeric->samples->weights;
    double largest = 0;
    for (size_t u = 0; u < units; u++) {
        double *row = gck_tail_begin(&numeric->tail, numeric->samples, u);
        for (size_t k = 0; k < lanes; k++)
            row[k] = 1;
        gck_tail_tangent(&numeric->tail, layer);
        for (size_t k = 0; k < lanes; k++) {
            slopes[u * lanes + k] = weights[k] == 0 ? 0 : weights[k] * fabs(numeric->tail.loss[k]);
            largest = fmax(largest, slopes[u * lanes + k]);
        }
    }
    for (size_t i = 0; i < units * lanes; i++)
        slopes[i] += weights[i % lanes] == 0 ? 0 : largest / 64;
}

static void layer_fit_bounds(gck_numeric *numeric, size_t index, double *slopes, double *bound)
{
    const gck_layer *layer = &numeric->spec.model->layer[index];
    const size_t lanes = numeric->samples->lanes;
    numeric_layer(numeric, index);
    slopes_fill(numeric, index, slopes);
    for (size_t i = 0; i < numeric->inputs; i++)
        for (size_t u = 0; u < layer->outputs; u++) {
            double sum = 0;
            for (size_t k = 0; k < lanes; k++)
                sum += fabs(numeric->x[i * lanes + k]) * slopes[u * lanes + k];
            bound[numeric_element(numeric, i, u)] =
                FIT_AGREEMENT * fabs(numeric->spec.factor) * sum;
        }
}

static gck_numeric *numeric_open(const random_network *drawn, gck_pass **ret_pass)
{
    gck_error error;
    gck_numeric *numeric;
    const gck_model *model = drawn->net.model;
    const gck_rows all = {0, drawn->net.data->samples, NULL};
    const gck_numeric_spec spec = {.model = model,
                                   .parameters = drawn->net.parameters,
                                   .method = drawn->spec.method,
                                   .epsilon = drawn->spec.epsilon,
                                   .factor = random_factor(drawn),
                                   .rows = all.count,
                                   .units = random_widest(model)};
    assert_ok(gck_pass_new(model, all.count, true, ret_pass, &error), &error);
    gck_pass_load(*ret_pass, drawn->net.data, all);
    gck_pass_draw_masks(*ret_pass, (gck_mask_key){model->seed, 0}, all);
    gck_forward_losses(*ret_pass, drawn->net.parameters);
    assert_ok(gck_numeric_new(&spec, &numeric, &error), &error);
    gck_numeric_load(numeric, *ret_pass);
    return numeric;
}

/* 0 for x. */
static double *fit_bounds(const random_network *drawn)
{
    gck_pass *pass;
    gck_numeric *numeric = numeric_open(drawn, &pass);
    double *bound = gck_vector_new(random_gradient_count(drawn));
    double *slopes = gck_vector_new(random_widest(drawn->net.model) * numeric->samples->lanes);
    for (size_t i = 0; i < drawn->net.model->layer_count; i++)
        if (drawn->net.model->layer[i].tensor_count > 0)
            layer_fit_bounds(numeric, i, slopes, bound);
    gck_vector_free(slopes);
    gck_numeric_free(numeric);
    gck_pass_free(pass);
    return bound;
}

/* ---- 1 and 2: numbers of the plain formula, and of the backward pass ---- */

typedef struct agreement {
    size_t elements, by_bounds, by_norm, wrong;
    size_t loose; /* bounds above a millionth of the norm */
    double worst; /* difference, in bounds, of those that agree by their bounds */
    double norm;  /* difference, in the tensor's norm, of the others */
} agreement;

typedef struct formula_tally {
    size_t networks, infinite, checks, tensors, exact_wrong, bound_wrong;
    agreement plain, precise, direct, direct_precise;
    double exact_worst;
} formula_tally;

static const plain_estimate *estimate_of(const plain_estimates *e, gck_method method)
{
    return method == GCK_CENTRAL ? &e->central : &e->forward;
}

static double norm_of(const plain_estimates *e, const part *of, gck_method method)
{
    double norm = 0;
    for (size_t i = of->first; i < of->first + of->count; i++)
        norm = gck_norm_join(norm, estimate_of(&e[i], method)->value);
    return norm;
}

/* One check beside the plain formula. */
typedef struct comparison {
    const random_network *drawn;
    const char *table;
    const plain_estimates *plain;
    const double *fit;  /* bounds */
    const bool *chosen; /* of the gradient: those with precise numbers */
    const long double *precise_central, *precise_forward;
    gck_check_spec spec;
} comparison;

/* An element at work: of which part, and the part's norm. */
typedef struct site {
    const comparison *comparison;
    const part *part;
    size_t element;
    double norm;
} site;

static void disagreement_print(const site *at, const char *what, double got, long double want,
                               double bound)
{
    const gck_check_spec *spec = &at->comparison->spec;
    printf(
        "disagreement: %s, element %zu of %s, %s %s, epsilon %g, %s kernels: %.17g, want "
        "%.20Lg, off by %.3Lg, bound %.3g, norm %.3g\n",
        what, at->element - at->part->first, at->part->name, gck_method_name(spec->method),
        spec->engine == GCK_ENGINE_DIRECT ? "direct" : "units", spec->epsilon,
        at->comparison->table, got, want, fabsl(got - want), bound, at->norm);
    random_network_print(at->comparison->drawn);
}

static void agreement_add(agreement *a, const site *at, const char *what, double got,
                          long double want, double bound)
{
    const double difference = (double)fabsl(got - want);
    const bool bounded = difference <= bound, close = difference <= 1e-9 * at->norm;
    a->elements++;
    a->by_bounds += bounded;
    a->by_norm += !bounded && close;
    a->wrong += !bounded && !close;
    a->loose += !(bound <= 1e-6 * at->norm);
    if (bounded && bound > 0) a->worst = fmax(a->worst, difference / bound);
    if (!bounded) a->norm = fmax(a->norm, difference / at->norm);
    if (!bounded && !close) disagreement_print(at, what, got, want, bound);
}

/* The bound of the precise formula is that of the plain one times 2^-11, and 4 to be safe. */
static void element_compare(const site *at, double got, double bar, formula_tally *t)
{
    const comparison *c = at->comparison;
    const bool direct = c->spec.engine == GCK_ENGINE_DIRECT;
    const plain_estimate *want = estimate_of(&c->plain[at->element], c->spec.method);
    const double fast = bar + want->penalty + (direct ? 0 : c->fit[at->element]);
    agreement_add(direct ? &t->direct : &t->plain, at, "plain", got, want->value,
                  fast + want->bound);
    if (!c->chosen[at->element]) return;
    const long double exact =
        (c->spec.method == GCK_CENTRAL ? c->precise_central : c->precise_forward)[at->element];
    agreement_add(direct ? &t->direct_precise : &t->precise, at, "precise", got, exact,
                  fast + 0x1p-9 * want->bound);
    if (fabsl(want->value - exact) <= (1 + 0x1p-9) * want->bound) return;
    t->bound_wrong++;
    disagreement_print(at, "plain beside precise", want->value, exact, want->bound);
}

/* Norms of exact against analytic gradients. */
static void exact_compare(const comparison *c, const gck_tensor_report *tensor, formula_tally *t)
{
    const gck_norms *n = &tensor->norms;
    const double limit = 1e-13 * (n->exact + n->analytic) + n->bar;
    t->tensors++;
    if (n->refined > 0) t->exact_worst = fmax(t->exact_worst, n->refined / limit);
    if (n->refined <= limit) return;
    t->exact_wrong++;
    printf("exact: %s is off by %.3g, limit %.3g, bar %.3g, %s kernels\n", tensor->name, n->refined,
           limit, n->bar, c->table);
    random_network_print(c->drawn);
}

static void report_compare(const comparison *c, const gck_report *report, formula_tally *t)
{
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t j = 0; j < report->layer[i].tensor_count; j++)
            exact_compare(c, &report->layer[i].tensor[j], t);
    if (report->has_inputs) exact_compare(c, &report->inputs, t);
}

/* Half of the checks are cut into blocks and grains of their own. */
static gck_check *check_cut_open(const gck_check_spec *spec, dice *d)
{
    gck_check *check = check_open(spec);
    if (dice_chance(d, 0.5)) return check;
    check_recut(check, 1 + dice_below(d, spec->data->samples), 1 + (size_t)(1e7 * dice_uniform(d)));
    return check;
}

static void check_compare(const comparison *c, dice *d, formula_tally *t)
{
    gck_error error;
    gck_report *report;
    part parts[PARTS_MAX];
    gck_check *check = check_cut_open(&c->spec, d);
    check_finish(check);
    double *numeric = gradient_of(check, check->parameter.numeric, check->x.numeric);
    double *bar = gradient_of(check, check->parameter.bar, check->x.bar);
    const size_t count = parts_of(c->drawn, parts);
    for (size_t i = 0; i < count; i++) {
        const double norm = norm_of(c->plain, &parts[i], c->spec.method);
        for (size_t e = parts[i].first; e < parts[i].first + parts[i].count; e++)
            element_compare(&(site){c, &parts[i], e, norm}, numeric[e], bar[e], t);
    }
    const gck_status status = gck_check_report(check, &report, &error);
    if (status == GCK_OK) {
        report_compare(c, report, t);
        gck_report_free(report);
    }
    t->checks++;
    gck_vector_free(numeric);
    gck_vector_free(bar);
    gck_check_free(check);
}

/* Some elements in long double, both methods. */
static void precise_fill(const random_network *drawn, double epsilon, size_t count, bool *chosen,
                         long double *central, long double *forward)
{
    precise p;
    dice d = dice_new(drawn->seed);
    precise_open(&p, drawn);
    for (size_t i = 0; i < count; i++) {
        const size_t e = dice_below(&d, random_gradient_count(drawn));
        chosen[e] = true;
        central[e] = precise_quotient(&p, e, epsilon, epsilon);
        forward[e] = precise_quotient(&p, e, epsilon, 0);
    }
    precise_close(&p);
}

static void epsilon_compare(const random_network *drawn, comparison *c, double epsilon, dice *d,
                            formula_tally *t)
{
    static const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD};
    c->spec.epsilon = epsilon;
    for (size_t table = 0; table < COUNT(tables); table++) {
        if (!table_start(table)) continue;
        c->table = tables[table];
        for (size_t m = 0; m < COUNT(methods); m++) {
            c->spec.method = methods[m];
            c->spec.engine = GCK_ENGINE_UNITS;
            check_compare(c, d, t);
            c->spec.engine = GCK_ENGINE_DIRECT;
            if (drawn->seed % COUNT(tables) == table) check_compare(c, d, t);
        }
    }
}

static void network_compare(const random_network *drawn, formula_tally *t)
{
    static const double epsilons[] = {1e-2, 1e-4, 1e-6};
    const size_t count = random_gradient_count(drawn);
    plain_estimates *want = calloc(count, sizeof *want);
    bool *chosen = calloc(count, 1);
    long double *central = calloc(count, sizeof *central),
                *forward = calloc(count, sizeof *forward);
    double *fit = fit_bounds(drawn);
    dice d = dice_new(drawn->seed);
    comparison c = {.drawn = drawn,
                    .plain = want,
                    .fit = fit,
                    .chosen = chosen,
                    .precise_central = central,
                    .precise_forward = forward,
                    .spec = drawn->spec};
    c.spec.inputs = true;
    for (size_t i = 0; i < COUNT(epsilons); i++) {
        memset(chosen, 0, count);
        plain_gradient(drawn, epsilons[i], want);
        if (drawn->net.model->parameter_count > 0) assert_plain_engine(drawn, epsilons[i], want);
        /* Where y is the a of doubles, or |z| in the thousands, long doubles are another network.
         */
        precise_fill(drawn, epsilons[i], drawn->limits.nasty ? 0 : form_wanted()->precise, chosen,
                     central, forward);
        epsilon_compare(drawn, &c, epsilons[i], &d, t);
    }
    t->networks++;
    free(want);
    free(chosen);
    free(central);
    free(forward);
    gck_vector_free(fit);
}

static void agreement_print(const char *what, const agreement *a)
{
    if (a->elements == 0) return;
    printf(
        "  %s: %zu elements, %zu within bounds (at most %.3g of them; %zu bounds above 1e-6 of the "
        "norm), %zu by the tensor's norm (at most %.3g of it), %zu wrong\n",
        what, a->elements, a->by_bounds, a->worst, a->loose, a->by_norm, a->norm, a->wrong);
}

static void formula_print(const formula_tally *t)
{
    printf("plain formula: %zu networks (%zu of infinite cost left out), %zu checks\n", t->networks,
           t->infinite, t->checks);
    agreement_print("units, doubles", &t->plain);
    agreement_print("units, long doubles", &t->precise);
    agreement_print("direct, doubles", &t->direct);
    agreement_print("direct, long doubles", &t->direct_precise);
    printf("  bounds of the plain formula: %zu wrong\n", t->bound_wrong);
    printf("exact derivatives: %zu tensors, %zu wrong, at most %.3g of the limit\n", t->tensors,
           t->exact_wrong, t->exact_worst);
}

START_TEST(numbers_are_those_of_the_plain_formula)
{
    const batch *networks = &form_wanted()->formula[_i];
    formula_tally t = {0};
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        random_network_open(i, networks->limits, &drawn);
        if (random_cost_is_finite(&drawn))
            network_compare(&drawn, &t);
        else
            t.infinite++;
        random_network_close(&drawn);
    }
    if (is_long()) formula_print(&t);
    ck_assert_uint_eq(t.plain.wrong + t.precise.wrong + t.direct.wrong + t.direct_precise.wrong, 0);
    ck_assert_uint_eq(t.bound_wrong + t.exact_wrong, 0);
}
END_TEST

/* ---- 3: right gradients pass ---- */

typedef struct timing {
    uint64_t seed;
    random_limits limits;
    double seconds, work; /* elements times samples */
} timing;

typedef struct correct_tally {
    size_t networks, infinite, checks, failed, inconclusive, elements;
    size_t beyond_bar;  /* elements with |n - a| > bar, which the tolerance lets pass */
    size_t no_number;   /* elements whose numeric derivative is not finite */
    double worst_share; /* the largest |n - a| / bar */
    double worst_limit; /* and of what the element rule allows */
    size_t timed;
    timing *timing;
} correct_tally;

static void element_margin(const gck_report *report, const gck_tensor_report *tensor, size_t i,
                           correct_tally *t)
{
    const double n = tensor->exact[i], a = tensor->analytic[i], difference = fabs(n - a);
    const double bar = tensor->bar[i] + DBL_MIN;
    const double limit = report->tolerance * (fabs(n) + fabs(a)) + bar;
    t->no_number += isfinite(tensor->numeric[i]) == 0;
    t->beyond_bar += difference > bar;
    t->worst_share = fmax(t->worst_share, difference / bar);
    t->worst_limit = fmax(t->worst_limit, difference / limit);
}

static void tensor_margin(const gck_report *report, const gck_tensor_report *tensor,
                          correct_tally *t)
{
    t->elements += tensor->count;
    for (size_t i = 0; i < tensor->count && report->method != GCK_DIRECTIONAL; i++)
        element_margin(report, tensor, i, t);
}

static void wrong_print(const gck_tensor_report *tensor, const char *layer)
{
    if (tensor->verdict == GCK_PASS) return;
    printf("  %s %s: %zu of %zu wrong", layer, tensor->name, tensor->wrong_elements, tensor->count);
    if (tensor->worst_count > 0)
        printf("; %zu: analytic %.17g, exact %.17g, bar %.3g", tensor->worst[0].index,
               tensor->worst[0].analytic, tensor->worst[0].exact,
               tensor->bar == NULL ? NAN : tensor->bar[tensor->worst[0].index]);
    printf("\n");
}

static void false_alarm_print(const random_network *drawn, const gck_check_spec *spec,
                              const char *table, const gck_report *report)
{
    printf("false alarm: %s, %s, %s kernels, refined distance %.3g\n",
           gck_verdict_name(report->verdict),
           spec->engine == GCK_ENGINE_DIRECT ? "direct" : "units", table, report->refined_distance);
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t j = 0; j < report->layer[i].tensor_count; j++)
            wrong_print(&report->layer[i].tensor[j], report->layer[i].type);
    if (report->has_inputs) wrong_print(&report->inputs, "inputs");
    random_network_print(drawn);
}

static void correct_check(const random_network *drawn, const gck_check_spec *spec,
                          const char *table, correct_tally *t)
{
    gck_check *check;
    gck_report *report;
    if (check_run(spec, &check, &report) == GCK_OK) {
        t->checks++;
        t->failed += report->verdict == GCK_FAIL;
        t->inconclusive += report->verdict == GCK_INCONCLUSIVE;
        if (report->verdict != GCK_PASS) false_alarm_print(drawn, spec, table, report);
        for (size_t i = 0; i < report->layer_count; i++)
            for (size_t j = 0; j < report->layer[i].tensor_count; j++)
                tensor_margin(report, &report->layer[i].tensor[j], t);
        if (report->has_inputs) tensor_margin(report, &report->inputs, t);
        gck_report_free(report);
    }
    gck_check_free(check);
}

static void network_correct(const random_network *drawn, correct_tally *t)
{
    t->networks++;
    if (!random_cost_is_finite(drawn)) {
        t->infinite++;
        return;
    }
    timing took = {drawn->seed, drawn->limits, 0,
                   (double)random_gradient_count(drawn) * (double)drawn->net.data->samples};
    for (size_t table = 0; table < COUNT(tables); table++) {
        if (!table_start(table)) continue;
        gck_check_spec spec = drawn->spec;
        const double start = seconds();
        correct_check(drawn, &spec, tables[table], t);
        took.seconds = seconds() - start;
        spec.engine = GCK_ENGINE_DIRECT;
        if (drawn->seed % 10 == 3 * table && took.work < 1e5)
            correct_check(drawn, &spec, tables[table], t);
    }
    if (drawn->spec.method == GCK_CENTRAL || drawn->spec.method == GCK_FORWARD)
        t->timing[t->timed++] = took;
}

/* Pairs of unit and sample that probes do not serve. */
static double flagged_share(const random_network *drawn)
{
    gck_pass *pass;
    gck_numeric *numeric = numeric_open(drawn, &pass);
    double pairs = 0, flagged = 0, *values = gck_vector_new(2 * drawn->net.model->parameter_count);
    gck_numeric_result result = {values, values + drawn->net.model->parameter_count, NULL, {0}};
    for (size_t i = 0; i < drawn->net.model->layer_count; i++) {
        const gck_layer *layer = &drawn->net.model->layer[i];
        if (layer->tensor_count == 0) continue;
        (void)gck_numeric_units(numeric, i, 0, layer->outputs, false, (gck_stop){0}, &result, NULL);
        for (size_t u = 0; u < layer->outputs; u++)
            for (size_t k = 0; k < numeric->rows; k++)
                flagged += numeric->flagged[u * numeric->samples->lanes + k];
        pairs += (double)(layer->outputs * numeric->rows);
    }
    gck_vector_free(values);
    gck_numeric_free(numeric);
    gck_pass_free(pass);
    return flagged / pairs;
}

static int by_rate(const void *a, const void *b)
{
    const timing *left = a, *right = b;
    const double l = left->seconds / left->work, r = right->seconds / right->work;
    return (l > r) - (l < r);
}

/* Networks that take more than 30 times as long for an element and sample as half of them do, and
 * more than what a check takes at least. */
static void outliers_print(correct_tally *t)
{
    qsort(t->timing, t->timed, sizeof *t->timing, by_rate);
    const timing *middle = &t->timing[t->timed / 2];
    const double median = middle->seconds / middle->work;
    printf("  median %.3g s for an element and sample; 30 times as long and over 20 ms:\n", median);
    for (size_t i = t->timed / 2; i < t->timed; i++) {
        const timing *at = &t->timing[i];
        if (!(at->seconds > 30 * median * at->work) || at->seconds < 0.02) continue;
        random_network drawn;
        random_network_open(at->seed, at->limits, &drawn);
        printf("  %.3g s, %.3g times the median, %.3g of pairs flagged\n", at->seconds,
               at->seconds / at->work / median, flagged_share(&drawn));
        random_network_print(&drawn);
        random_network_close(&drawn);
    }
}

static void correct_print(correct_tally *t)
{
    printf(
        "right gradients: %zu networks (%zu of infinite cost left out), %zu checks, %zu elements: "
        "%zu checks fail, %zu are inconclusive\n",
        t->networks, t->infinite, t->checks, t->elements, t->failed, t->inconclusive);
    printf(
        "  |exact - analytic| at most %.3g of what is allowed, and %.3g of the bar, beyond it in "
        "%zu elements; %zu numeric derivatives not finite\n",
        t->worst_limit, t->worst_share, t->beyond_bar, t->no_number);
    outliers_print(t);
}

START_TEST(right_gradients_pass)
{
    const batch *networks = &form_wanted()->correct[_i];
    correct_tally t = {.timing = calloc(networks->networks, sizeof *t.timing)};
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        random_network_open(i, networks->limits, &drawn);
        network_correct(&drawn, &t);
        random_network_close(&drawn);
    }
    if (is_long()) correct_print(&t);
    free(t.timing);
    ck_assert_uint_eq(t.failed + t.inconclusive, 0);
}
END_TEST

/* Right gradients that failed once: a softmax of many equal outputs, whose exact tangents lost
 * digits (the first four), and sums of thousands of equal terms that cancel. Were networks drawn
 * otherwise, these would be ones like any other. */
static const struct {
    uint64_t seed;
    random_limits limits;
} once_failed[] = {
    {640, {6, 100, 200, true}},  {1226, {6, 100, 200, true}}, {1609, {6, 100, 200, true}},
    {1812, {6, 100, 200, true}}, {10, {3, 8, 40000, true}},   {81, {3, 8, 40000, true}},
    {116, {3, 8, 40000, true}},  {185, {3, 8, 40000, true}},
};

START_TEST(what_failed_once_passes)
{
    timing unused[COUNT(once_failed)];
    correct_tally t = {.timing = unused};
    for (size_t i = 0; i < COUNT(once_failed); i++) {
        random_network drawn;
        random_network_open(once_failed[i].seed, once_failed[i].limits, &drawn);
        network_correct(&drawn, &t);
        random_network_close(&drawn);
    }
    ck_assert_uint_eq(t.failed + t.inconclusive, 0);
}
END_TEST

/* ---- 4: single mistakes fail ---- */

static const char *const mistakes[] = {"1 % off", "sign flipped", "zeroed"};

static double mistaken(size_t mistake, double analytic)
{
    return mistake == 0 ? analytic * 1.01 : mistake == 1 ? -analytic : 0;
}

typedef struct wrong_tally {
    size_t seeded, same, below_tolerance, below_bar, beyond, caught, false_alarms;
} wrong_tally;

/* Where an element of the gradient is reported. */
static const gck_tensor_report *tensor_reported(const gck_check *check, const gck_report *report,
                                                size_t element, size_t *ret_index)
{
    const size_t parameters = check->spec.model->parameter_count;
    *ret_index = element - parameters;
    if (element >= parameters) return &report->inputs;
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t j = 0; j < report->layer[i].tensor_count; j++) {
            const gck_tensor_report *tensor = &report->layer[i].tensor[j];
            *ret_index = element - (size_t)(tensor->analytic - check->parameter.analytic);
            if (*ret_index < tensor->count) return tensor;
        }
    return NULL;
}

static bool is_caught(const gck_check *check, const gck_report *report, size_t element)
{
    size_t index;
    const gck_tensor_report *tensor = tensor_reported(check, report, element, &index);
    return report->verdict == GCK_FAIL && tensor->verdict == GCK_FAIL &&
           tensor->wrong_elements == 1 && tensor->worst[0].index == index &&
           tensor->worst[0].verdict == GCK_FAIL;
}

static void wrong_count(const gck_check *check, size_t element, double analytic, double wrong,
                        bool caught, bool passes, wrong_tally *t)
{
    const size_t parameters = check->spec.model->parameter_count;
    const check_side *side = element < parameters ? &check->parameter : &check->x;
    const size_t at = element < parameters ? element : element - parameters;
    const double n = side->exact[at], difference = fabs(n - wrong);
    const double allowed = check->spec.tolerance * (fabs(n) + fabs(wrong));
    const bool beyond = difference > allowed + side->bar[at] + DBL_MIN;
    t->seeded++;
    if (wrong == analytic)
        t->same++;
    else if (beyond)
        t->beyond++;
    else if (allowed >= side->bar[at])
        t->below_tolerance++;
    else
        t->below_bar++;
    t->caught += beyond && caught;
    t->false_alarms += !beyond && !passes;
}

static void mistake_make(const random_network *drawn, gck_check *check, size_t element,
                         size_t mistake, wrong_tally *t)
{
    gck_error error;
    gck_report *report;
    const size_t parameters = check->spec.model->parameter_count;
    double *place = element < parameters ? &check->parameter.analytic[element]
                                         : &check->x.analytic[element - parameters];
    const double kept = *place;
    const wrong_tally before = *t;
    *place = mistaken(mistake, kept);
    assert_ok(gck_check_report(check, &report, &error), &error);
    wrong_count(check, element, kept, *place, is_caught(check, report, element),
                report->verdict == GCK_PASS, t);
    if (t->beyond - before.beyond != t->caught - before.caught ||
        t->false_alarms > before.false_alarms) {
        printf("mistake: %s, element %zu: analytic %.17g, %s\n", mistakes[mistake], element, kept,
               gck_verdict_name(report->verdict));
        random_network_print(drawn);
    }
    gck_report_free(report);
    *place = kept;
}

enum { MISTAKEN_ELEMENTS = 4 };

static void network_wrong(const random_network *drawn, wrong_tally t[COUNT(mistakes)])
{
    dice d = dice_new(drawn->seed);
    gck_check *check = check_open(&drawn->spec);
    check_finish(check);
    const size_t count = check->spec.model->parameter_count + check_x_count(check);
    for (size_t i = 0; i < MISTAKEN_ELEMENTS; i++) {
        const size_t element = dice_below(&d, count);
        for (size_t mistake = 0; mistake < COUNT(mistakes); mistake++)
            mistake_make(drawn, check, element, mistake, &t[mistake]);
    }
    gck_check_free(check);
}

static void mistakes_print(const wrong_tally t[COUNT(mistakes)])
{
    printf("single wrong elements:\n");
    for (size_t i = 0; i < COUNT(mistakes); i++)
        printf(
            "  %s: %zu seeded, %zu beyond the limit, %zu of them caught; %zu change nothing, %zu "
            "within the tolerance, %zu within the bar; %zu false alarms\n",
            mistakes[i], t[i].seeded, t[i].beyond, t[i].caught, t[i].same, t[i].below_tolerance,
            t[i].below_bar, t[i].false_alarms);
}

START_TEST(single_mistakes_fail)
{
    wrong_tally t[COUNT(mistakes)] = {{0}};
    const batch *networks = &form_wanted()->wrong[_i];
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        table_start(i % COUNT(tables));
        random_network_open(i, networks->limits, &drawn);
        if (drawn.spec.method == GCK_DIRECTIONAL) drawn.spec.method = GCK_CENTRAL;
        if (random_cost_is_finite(&drawn)) network_wrong(&drawn, t);
        random_network_close(&drawn);
    }
    if (is_long()) mistakes_print(t);
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        ck_assert_uint_eq(t[i].caught, t[i].beyond);
        ck_assert_uint_eq(t[i].false_alarms, 0);
    }
}
END_TEST

/* ---- 5: kinks are counted ---- */

/* Whether a pair of parameter and sample crosses a place: a value so near it that rounding decides
 * may be on either side. */
enum { STAYS, MAY_CROSS, CROSSES };

typedef struct range {
    double least, most;
} range;

typedef struct brute {
    plain plain;
    size_t units, samples;
    double *value;       /* at θ, (units, samples): z of every unit, then a - y */
    unsigned char *seen; /* of the parameter at work, (units, GCK_KINKS_MAX, samples) */
    range *unit, *sample, all;
} brute;

/* z, or a - y for the cost's terms. */
static double brute_value(const brute *b, size_t layer, size_t unit, size_t k)
{
    const gck_pass *pass = b->plain.pass;
    const gck_model *model = pass->model;
    const size_t at = unit * b->samples + k;
    if (layer == model->layer_count) return pass->layer[layer - 1].a[at] - pass->y[at];
    return pass->layer[layer].z == NULL ? 0 : pass->layer[layer].z[at];
}

static double brute_error(const brute *b, size_t layer, size_t unit, size_t k)
{
    const size_t at = unit * b->samples + k;
    if (layer == b->plain.pass->model->layer_count)
        return b->plain.error_a[layer - 1][at] + 2 * U * fabs(b->plain.pass->y[at]);
    return b->plain.error_z[layer][at];
}

static size_t brute_places(const gck_model *model, size_t layer, double place[GCK_KINKS_MAX])
{
    place[0] = 0;
    const gck_choice *f = &model->layer[model->layer_count - 1].spec.activation;
    if (layer == model->layer_count)
        return !gck_cost_is_entropy(&model->cost) && gck_cost_change_of(&model->cost, f)->kinked;
    f = &model->layer[layer].spec.activation;
    if (f->item == NULL || gck_activation_row_of(f)->change->kinks == NULL) return 0;
    return gck_activation_row_of(f)->change->kinks(f->option, place);
}

static size_t brute_width(const gck_model *model, size_t layer)
{
    return layer == model->layer_count ? model->outputs : model->layer[layer].outputs;
}

static void brute_open(brute *b, const random_network *drawn)
{
    const gck_model *model = drawn->net.model;
    const size_t samples = drawn->net.data->samples, units = gck_kink_units(model);
    *b = (brute){.units = units, .samples = samples};
    plain_open(&b->plain, drawn, (gck_rows){0, samples, NULL});
    plain_run(&b->plain, &b->plain.base);
    b->value = gck_vector_new(units * samples);
    b->seen = calloc(units * samples, GCK_KINKS_MAX);
    b->unit = calloc(units, sizeof *b->unit);
    b->sample = calloc(samples, sizeof *b->sample);
    for (size_t i = 0; i <= model->layer_count; i++)
        for (size_t u = 0; u < brute_width(model, i); u++)
            for (size_t k = 0; k < samples; k++)
                b->value[(gck_kink_offset(model, i) + u) * samples + k] = brute_value(b, i, u, k);
}

static void brute_close(brute *b)
{
    plain_close(&b->plain);
    gck_vector_free(b->value);
    free(b->seen);
    free(b->unit);
    free(b->sample);
}

static void unit_see(brute *b, size_t layer, size_t unit, size_t k)
{
    double place[GCK_KINKS_MAX];
    const gck_model *model = b->plain.pass->model;
    const size_t at = gck_kink_offset(model, layer) + unit;
    const size_t places = brute_places(model, layer, place);
    const double before = b->value[at * b->samples + k], now = brute_value(b, layer, unit, k);
    for (size_t i = 0; i < places; i++) {
        unsigned char *seen = &b->seen[(at * GCK_KINKS_MAX + i) * b->samples + k];
        const bool crosses = (before > place[i]) != (now > place[i]);
        const bool near = fabs(now - place[i]) < 2 * brute_error(b, layer, unit, k);
        const unsigned char state = near ? MAY_CROSS : crosses ? CROSSES : STAYS;
        if (state > *seen) *seen = state;
    }
}

/* After a pass at a stencil's point of a weight into `unit`: that unit, and all in later layers, in
 * the samples that the weight acts on. */
static void point_see(brute *b, size_t layer, size_t input, size_t unit)
{
    const gck_pass *pass = b->plain.pass;
    const gck_layer *at = &pass->model->layer[layer];
    for (size_t k = 0; k < b->samples; k++) {
        if (pass->weights[k] == 0) continue;
        if (input < at->inputs && pass->layer[layer].x[input * b->samples + k] == 0) continue;
        unit_see(b, layer, unit, k);
        for (size_t i = layer + 1; i <= pass->model->layer_count; i++)
            for (size_t u = 0; u < brute_width(pass->model, i); u++)
                unit_see(b, i, u, k);
    }
}

static void range_add(range *r, unsigned char state)
{
    r->least += state == CROSSES;
    r->most += state != STAYS;
}

/* Adds up what was seen of a parameter; returns its pairs. */
static range seen_take(brute *b)
{
    range pairs = {0};
    for (size_t k = 0; k < b->samples; k++) {
        unsigned char any = STAYS;
        for (size_t at = 0; at < b->units * GCK_KINKS_MAX; at++) {
            const unsigned char state = b->seen[at * b->samples + k];
            range_add(&b->unit[at / GCK_KINKS_MAX], state);
            if (state > any) any = state;
        }
        range_add(&b->sample[k], any);
        range_add(&pairs, any);
    }
    memset(b->seen, 0, b->units * GCK_KINKS_MAX * b->samples);
    b->all.least += pairs.least;
    b->all.most += pairs.most;
    return pairs;
}

static range parameter_see(brute *b, size_t element, const gck_check_spec *spec)
{
    const gck_model *model = spec->model;
    double *place = &b->plain.theta[element];
    size_t layer = model->layer_count - 1;
    while (model->layer[layer].tensor_count == 0 || model->layer[layer].tensor[0].offset > element)
        layer--;
    const size_t at = element - model->layer[layer].tensor[0].offset;
    const size_t input = at / model->layer[layer].outputs, unit = at % model->layer[layer].outputs;
    plain_run_at(&b->plain, place, *place + spec->epsilon, &b->plain.upper);
    point_see(b, layer, input, unit);
    if (spec->method == GCK_CENTRAL) {
        plain_run_at(&b->plain, place, *place - spec->epsilon, &b->plain.lower);
        point_see(b, layer, input, unit);
    }
    return seen_take(b);
}

static bool penalty_crosses(const random_network *drawn, size_t element)
{
    const double theta = drawn->net.parameters[element], epsilon = drawn->spec.epsilon;
    const double lower = drawn->spec.method == GCK_CENTRAL ? theta - epsilon : theta;
    if (!gck_model_penalty_kinked(drawn->net.model, element)) return false;
    return (lower > 0) != (theta + epsilon > 0);
}

typedef struct crossing_tally {
    size_t networks, kinked, parameters, penalties, wrong;
    range pairs;
    double counted;
    size_t elements; /* that cross a kink */
} crossing_tally;

static bool is_within(range r, double count)
{
    return r.least <= count && count <= r.most;
}

static void miscount(crossing_tally *t, const random_network *drawn, const char *what, size_t index,
                     range want, double got)
{
    if (is_within(want, got)) return;
    t->wrong++;
    printf("miscount: %s %zu: %g crossings, want %g to %g\n", what, index, got, want.least,
           want.most);
    random_network_print(drawn);
}

static double crossings_of(const gck_check *check, size_t index, bool unit)
{
    double sum = 0;
    for (size_t i = 0; i < check->range_count; i++)
        sum += (unit ? check->crossings[i].unit : check->crossings[i].sample)[index];
    return sum;
}

static void totals_compare(const brute *b, const random_network *drawn, const gck_check *check,
                           size_t penalties, crossing_tally *t)
{
    gck_error error;
    gck_report *report;
    /* A unit that both points of a stencil carry over its kink may count for each. */
    for (size_t i = 0; check->kinked && i < b->units; i++)
        miscount(t, drawn, "unit", i, (range){b->unit[i].least, 2 * b->unit[i].most},
                 crossings_of(check, i, true));
    for (size_t k = 0; check->kinked && k < b->samples; k++)
        miscount(t, drawn, "sample", k, b->sample[k], crossings_of(check, k, false));
    assert_ok(gck_check_report(check, &report, &error), &error);
    const double counted = (double)report->kink_crossings - (double)penalties;
    miscount(t, drawn, "all", 0, b->all, counted);
    t->pairs.least += b->all.least;
    t->pairs.most += b->all.most;
    t->counted += counted;
    t->elements += report->kink_parameters;
    t->penalties += penalties;
    gck_report_free(report);
}

static void network_crossings(const random_network *drawn, crossing_tally *t)
{
    brute b;
    size_t penalties = 0;
    gck_check *check = check_open(&drawn->spec);
    check_finish(check);
    brute_open(&b, drawn);
    for (size_t e = 0; e < drawn->net.model->parameter_count; e++) {
        const range pairs = parameter_see(&b, e, &drawn->spec);
        const bool penalty = penalty_crosses(drawn, e);
        penalties += penalty;
        miscount(t, drawn, "parameter", e,
                 (range){pairs.least > 0 || penalty, pairs.most > 0 || penalty},
                 check->parameter.crossed[e]);
    }
    totals_compare(&b, drawn, check, penalties, t);
    t->networks++;
    t->kinked += check->kinked;
    t->parameters += drawn->net.model->parameter_count;
    brute_close(&b);
    gck_check_free(check);
}

static void crossings_print(const crossing_tally *t)
{
    printf(
        "kinks: %zu networks (%zu with kinks), %zu parameters, %zu of them cross one; %.0f pairs "
        "counted, by brute force %.0f to %.0f; %zu times l1's; %zu miscounts\n",
        t->networks, t->kinked, t->parameters, t->elements, t->counted, t->pairs.least,
        t->pairs.most, t->penalties, t->wrong);
}

/* With steps that rounding does not hide; every fifth by the direct engine. */
static void kinks_open(const batch *networks, size_t i, random_network *drawn)
{
    random_network_open(i, networks->limits, drawn);
    if (drawn->spec.method != GCK_FORWARD) drawn->spec.method = GCK_CENTRAL;
    drawn->spec.epsilon = fmax(drawn->spec.epsilon, 1e-6);
    drawn->spec.engine = i % 5 == 4 ? GCK_ENGINE_DIRECT : GCK_ENGINE_UNITS;
}

START_TEST(kinks_are_counted)
{
    const batch *networks = &form_wanted()->kinks[_i];
    crossing_tally t = {0};
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        table_start(i % COUNT(tables));
        kinks_open(networks, i, &drawn);
        if (random_cost_is_finite(&drawn)) network_crossings(&drawn, &t);
        random_network_close(&drawn);
    }
    if (is_long()) crossings_print(&t);
    ck_assert_uint_eq(t.wrong, 0);
}
END_TEST

SUITE_MAIN("random_networks", {numbers_are_those_of_the_plain_formula, 2},
           {right_gradients_pass, CORRECT}, {what_failed_once_passes, 0}, {single_mistakes_fail, 2},
           {kinks_are_counted, 2})
