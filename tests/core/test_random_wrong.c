/* A single wrong element of a random network's gradient fails its tensor, and one within what is
 * allowed does not. */
#include "tests/core/compare.h"
#include "tests/core/dice.h"
#include "tests/core/plain_bound.h"
#include "tests/core/statistics.h"
#include "tests/core/suite.h"

#include "core/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static const batch few[] = {{60, {6, 14, 20, false}}, {60, {6, 14, 20, true}}};
static const batch many[] = {{1000, {6, 40, 60, false}}, {1000, {6, 40, 60, true}}};

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
    const batch *networks = &(statistics_are_long() ? many : few)[_i];
    for (size_t i = 0; i < networks->networks; i++) {
        random_network drawn;
        kernels_use(i % KERNELS);
        random_network_open(i, networks->limits, &drawn);
        if (drawn.spec.method == GCK_DIRECTIONAL) drawn.spec.method = GCK_CENTRAL;
        if (random_cost_is_finite(&drawn)) network_wrong(&drawn, t);
        random_network_close(&drawn);
    }
    if (statistics_are_long()) mistakes_print(t);
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        ck_assert_uint_eq(t[i].caught, t[i].beyond);
        ck_assert_uint_eq(t[i].false_alarms, 0);
    }
}
END_TEST

SUITE_MAIN("random_wrong", {single_mistakes_fail, COUNT(few)})
