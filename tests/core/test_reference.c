/* Networks that another program computed: cost and gradients must agree, and so must the numeric
 * and the exact derivative. */
#include "tests/core/compare.h"
#include "tests/core/reference.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* Files that are expected; a folder that was not found must not pass for one without faults. */
enum { REFERENCES = 45 };

static bool is_named(const gck_choice *choice, const char *name)
{
    return strcmp(choice->item->name, name) == 0;
}

/* Whether a step of epsilon can cross a point where the activation's slope jumps: elu's only does
 * where alpha is not 1. */
static bool has_kink(const gck_choice *activation)
{
    if (is_named(activation, "elu")) return activation->option[0] != 1;
    return is_named(activation, "relu") || is_named(activation, "leaky_relu") ||
           is_named(activation, "selu") || is_named(activation, "piecewise_linear");
}

static bool can_cross_a_kink(const gck_model *model)
{
    bool can = is_named(&model->cost, "mae");
    for (size_t i = 0; i < model->layer_count; i++)
        can = can || has_kink(&model->layer[i].spec.activation);
    return can;
}

static double largest_of(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

/* The agreement asked for of two programs in doubles, here of sums over at most 33 samples and
 * layers of at most 9 units: their roundings come to about 1e-14. */
static void compare_gradient(const reference *r, const gck_tensor *tensor,
                             const gck_tensor_report *got)
{
    const double *want = r->gradient + tensor->offset;
    const double largest = largest_of(want, tensor->count);
    for (size_t e = 0; e < tensor->count; e++) {
        assert_within(got->analytic[e], want[e], 1e-10 * largest, "%s %s[%zu]", r->name,
                      tensor->name, e);
        assert_within(got->exact[e], want[e], 1e-10 * largest, "%s exact %s[%zu]", r->name,
                      tensor->name, e);
    }
}

START_TEST(reference_agrees)
{
    reference r;
    gck_check *check;
    gck_report *report;
    reference_open((size_t)_i, &r);
    const gck_check_spec spec = check_spec_of(&r.net);
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    assert_within(report->cost, r.cost, 1e-12 * fabs(r.cost), "cost of %s", r.name);
    ck_assert_uint_eq(report->parameters_checked, r.net.model->parameter_count);
    ck_assert_uint_eq(report->layer_count, r.net.model->layer_count);
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            compare_gradient(&r, &r.net.model->layer[i].tensor[t], &report->layer[i].tensor[t]);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    ck_assert_double_lt(report->refined_distance, 1e-12); /* roundings, as above */
    if (!can_cross_a_kink(r.net.model)) ck_assert_double_lt(report->distance, 1e-7);
    ck_assert(isfinite(report->distance));
    gck_report_free(report);
    gck_check_free(check);
    reference_close(&r);
}
END_TEST

START_TEST(references_are_all_there)
{
    ck_assert_uint_eq(reference_count(), REFERENCES);
}
END_TEST

SUITE_MAIN("reference", {references_are_all_there, 0}, {reference_agrees, REFERENCES})
