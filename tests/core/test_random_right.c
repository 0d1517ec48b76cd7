/* The right gradients of random networks pass their checks, whatever is nasty about them. */
#include "tests/core/plain_bound.h"
#include "tests/core/random_numeric.h"
#include "tests/core/statistics.h"
#include "tests/core/suite.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of any form, of many samples, of wide layers. */
static const batch few[] = {
    {200, {6, 24, 40, true}}, {10, {3, 5, 4000, true}}, {8, {2, 200, 6, true}}};
static const batch many[] = {
    {2000, {6, 100, 200, true}}, {200, {3, 8, 40000, true}}, {100, {2, 800, 6, true}}};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

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
    for (size_t table = 0; table < KERNELS; table++) {
        if (!kernels_use(table)) continue;
        gck_check_spec spec = drawn->spec;
        const double start = seconds();
        correct_check(drawn, &spec, kernels_names[table], t);
        took.seconds = seconds() - start;
        spec.engine = GCK_ENGINE_DIRECT;
        if (drawn->seed % 10 == 3 * table && took.work < 1e5)
            correct_check(drawn, &spec, kernels_names[table], t);
    }
    if (drawn->spec.method == GCK_CENTRAL || drawn->spec.method == GCK_FORWARD)
        t->timing[t->timed++] = took;
}

/* Pairs of unit and sample that probes do not serve. */
static double flagged_share(const random_network *drawn)
{
    gck_pass *pass;
    gck_numeric *numeric = random_numeric_open(drawn, &pass);
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
    const batch *networks = &(statistics_are_long() ? many : few)[_i];
    correct_tally t = {.timing = calloc(networks->networks, sizeof *t.timing)};
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        random_network_open(i, networks->limits, &drawn);
        network_correct(&drawn, &t);
        random_network_close(&drawn);
    }
    if (statistics_are_long()) correct_print(&t);
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

SUITE_MAIN("random_right", {right_gradients_pass, COUNT(few)}, {what_failed_once_passes, 0})
