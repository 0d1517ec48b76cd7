/* The numbers of random networks' checks are those of the plain formula, in doubles and in long
 * doubles, and exact and analytic derivatives agree. */
#include "tests/core/compare.h"
#include "tests/core/dice.h"
#include "tests/core/plain.h"
#include "tests/core/plain_bound.h"
#include "tests/core/precise.h"
#include "tests/core/random_numeric.h"
#include "tests/core/statistics.h"
#include "tests/core/suite.h"

#include "core/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const batch few[] = {{24, {6, 14, 20, false}}, {24, {5, 10, 12, true}}};
static const batch many[] = {{500, {6, 40, 60, false}}, {500, {5, 20, 24, true}}};

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
    for (size_t table = 0; table < KERNELS; table++) {
        if (!kernels_use(table)) continue;
        c->table = kernels_names[table];
        for (size_t m = 0; m < COUNT(methods); m++) {
            c->spec.method = methods[m];
            c->spec.engine = GCK_ENGINE_UNITS;
            check_compare(c, d, t);
            c->spec.engine = GCK_ENGINE_DIRECT;
            if (drawn->seed % KERNELS == table) check_compare(c, d, t);
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
    double *fit = random_fit_bounds(drawn);
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
        precise_fill(drawn, epsilons[i],
                     drawn->limits.nasty     ? 0
                     : statistics_are_long() ? 60
                                             : 20,
                     chosen, central, forward);
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
    const batch *networks = &(statistics_are_long() ? many : few)[_i];
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
    if (statistics_are_long()) formula_print(&t);
    ck_assert_uint_eq(t.plain.wrong + t.precise.wrong + t.direct.wrong + t.direct_precise.wrong, 0);
    ck_assert_uint_eq(t.bound_wrong + t.exact_wrong, 0);
}
END_TEST

SUITE_MAIN("random_formula", {numbers_are_those_of_the_plain_formula, COUNT(few)})
