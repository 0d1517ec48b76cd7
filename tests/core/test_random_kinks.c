/* The kinks that a check of a random network counts are those of a brute force. */
#include "tests/core/compare.h"
#include "tests/core/plain_bound.h"
#include "tests/core/statistics.h"
#include "tests/core/suite.h"

#include "core/activation.h"
#include "core/change.h"
#include "core/check.h"
#include "core/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const batch few[] = {{40, {6, 12, 20, false}}, {20, {6, 10, 16, true}}};
static const batch many[] = {{400, {6, 20, 40, false}}, {200, {6, 20, 40, true}}};

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
    const batch *networks = &(statistics_are_long() ? many : few)[_i];
    crossing_tally t = {0};
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        kernels_use(i % KERNELS);
        kinks_open(networks, i, &drawn);
        if (random_cost_is_finite(&drawn)) network_crossings(&drawn, &t);
        random_network_close(&drawn);
    }
    if (statistics_are_long()) crossings_print(&t);
    ck_assert_uint_eq(t.wrong, 0);
}
END_TEST

SUITE_MAIN("random_kinks", {kinks_are_counted, COUNT(few)})
