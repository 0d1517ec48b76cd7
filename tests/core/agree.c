#include "tests/core/agree.h"
#include "tests/core/compare.h"

#include <check.h>
#include <math.h>

/* What a numeric derivative may be off by, of its tensor's norm. Differences are carried as such
 * through the network, to a few roundings each, and fits are believed where their slope is the
 * exact one to 1e-11 of the largest; the quotient of values that a plain loop takes would err by
 * 2^-53 |J| / epsilon. */
#define AGREEMENT 1e-9L

/* Some roundings of both values of J in long doubles, which the step divides. */
static long double noise_of(const network *net, long double step)
{
    return 0x1p-60L * fabsl(wide_cost(net)) / step;
}

static void compare_element(const network *net, const gck_check_spec *spec,
                            const gck_tensor_report *t, size_t first, size_t i, const char *what)
{
    const wide_result numeric = wide_quotient(net, spec->method, spec->epsilon, first + i);
    const wide_result exact = wide_derivative(net, first + i);
    assert_within(t->numeric[i], numeric.value,
                  AGREEMENT * t->norms.numeric + noise_of(net, spec->epsilon),
                  "%s: numeric %s[%zu]", what, t->name, i);
    if ((t->crossed[i] != 0) != (numeric.crossings > 0))
        ck_abort_msg("%s: %s[%zu] crosses kinks in %zu samples, crossed is %d", what, t->name, i,
                     numeric.crossings, t->crossed[i]);
    if (exact.crossings > 0) return;
    assert_within(t->exact[i], exact.value, t->bar[i] + 2 * exact.error, "%s: exact %s[%zu]", what,
                  t->name, i);
}

static void compare_tensor(const network *net, const gck_check_spec *spec,
                           const gck_tensor_report *t, size_t first, const char *what)
{
    size_t crossed = 0;
    for (size_t i = 0; i < t->count; i++) {
        compare_element(net, spec, t, first, i, what);
        crossed += t->crossed[i] != 0;
    }
    ck_assert_msg(t->kinks == crossed, "%s: %zu kinks, want %zu", what, t->kinks, crossed);
}

/* Elements and pairs of all parameters of the layers reported. */
static void compare_kinks(const network *net, const gck_check_spec *spec, const gck_report *report,
                          const char *what)
{
    size_t parameters = 0, pairs = 0;
    for (size_t i = 0; i < report->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[report->layer[i].index];
        for (size_t t = 0; t < layer->tensor_count; t++)
            for (size_t e = 0; e < layer->tensor[t].count; e++) {
                const size_t crossings =
                    wide_quotient(net, spec->method, spec->epsilon, layer->tensor[t].offset + e)
                        .crossings;
                parameters += crossings > 0;
                pairs += crossings;
            }
    }
    ck_assert_msg(report->kink_parameters == parameters && report->kink_crossings == pairs,
                  "%s: %zu parameters and %zu crossings, want %zu and %zu", what,
                  report->kink_parameters, report->kink_crossings, parameters, pairs);
}

void assert_agrees(const network *net, const gck_check_spec *spec, const char *what)
{
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(spec, &check, &report) == GCK_OK);
    ck_assert_msg(report->verdict == GCK_PASS, "%s: %s", what, gck_verdict_name(report->verdict));
    assert_within(report->cost, wide_cost(net), 1e-13L * fabsl(wide_cost(net)), "%s: cost", what);
    for (size_t i = 0; i < report->layer_count; i++) {
        const gck_layer *layer = &net->model->layer[report->layer[i].index];
        ck_assert_uint_eq(report->layer[i].tensor_count, layer->tensor_count);
        for (size_t t = 0; t < layer->tensor_count; t++)
            compare_tensor(net, spec, &report->layer[i].tensor[t], layer->tensor[t].offset, what);
    }
    if (spec->inputs) compare_tensor(net, spec, &report->inputs, net->model->parameter_count, what);
    compare_kinks(net, spec, report, what);
    gck_report_free(report);
    gck_check_free(check);
}

void assert_all_agree(const network *net, double epsilon, const char *what)
{
    static const gck_method methods[] = {GCK_CENTRAL, GCK_FORWARD};
    static const gck_engine engines[] = {GCK_ENGINE_UNITS, GCK_ENGINE_DIRECT};
    for (size_t m = 0; m < COUNT(methods); m++)
        for (size_t e = 0; e < COUNT(engines); e++) {
            gck_check_spec spec = check_spec_of(net);
            spec.method = methods[m];
            spec.engine = engines[e];
            spec.epsilon = epsilon;
            spec.inputs = true;
            assert_agrees(net, &spec, what);
        }
}
