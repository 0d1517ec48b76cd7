/* Gradients made wrong on purpose: the verdict fails where the mistake is, and nowhere else. */
#include "tests/core/compare.h"
#include "tests/core/smooth.h"
#include "tests/core/suite.h"

#include "core/check.h"

#include <math.h>
#include <string.h>

/* ---- mistakes ---- */

typedef enum mistake_kind {
    SIGN,
    FACTOR_2,
    PERCENT, /* 1 % too much */
    ZERO,
    TRANSPOSED,
    ONE_ELEMENT, /* off by the norm of all */
    ONE_NAN,
    ONE_INFINITE,
    MISTAKES
} mistake_kind;

static void scale(double *g, size_t count, double factor)
{
    for (size_t i = 0; i < count; i++)
        g[i] *= factor;
}

static void transpose(double *g)
{
    double right[SQUARE * SQUARE];
    memcpy(right, g, sizeof right);
    for (size_t i = 0; i < COUNT(right); i++)
        g[i] = right[i % SQUARE * SQUARE + i / SQUARE];
}

static void make_wrong(mistake_kind mistake, double *g, size_t count)
{
    switch (mistake) {
    case SIGN:
        scale(g, count, -1);
        return;
    case FACTOR_2:
        scale(g, count, 2);
        return;
    case PERCENT:
        scale(g, count, 1.01);
        return;
    case ZERO:
        memset(g, 0, count * sizeof *g);
        return;
    case TRANSPOSED:
        transpose(g);
        return;
    case ONE_ELEMENT:
        g[count / 2] += gck_vector_norm(g, count);
        return;
    case ONE_NAN:
        g[count / 2] = NAN;
        return;
    default:
        g[count / 2] = -INFINITY;
    }
}

static bool is_of_one_element(mistake_kind mistake)
{
    return mistake == ONE_ELEMENT || mistake == ONE_NAN || mistake == ONE_INFINITE;
}

/* Those of the diagonal are right after all. */
static size_t wrong_count(mistake_kind mistake, size_t count)
{
    if (is_of_one_element(mistake)) return 1;
    return mistake == TRANSPOSED ? count - SQUARE : count;
}

/* What it leaves in the distance: |−g − g| / 2|g|, |2g − g| / 3|g|, 0.01 |g| / 2.01 |g|; one
 * element off by |g| keeps at least 1/3. */
static double least_distance(mistake_kind mistake)
{
    static const double least[] = {[SIGN] = 0.999, [FACTOR_2] = 0.333,  [PERCENT] = 0.00497,
                                   [ZERO] = 1,     [TRANSPOSED] = 1e-3, [ONE_ELEMENT] = 0.333};
    return least[mistake];
}

/* ---- a check with a mistake ---- */

/* Where in the values of an analytic grain the gradient of the parameters begins. That of x follows
 * it and its bar. */
static double *gradient_in(const gck_check *check, const gck_partial *partial)
{
    return partial->values + 1 + check_survey_count(check);
}

static void fold_wrong(gck_check *check, mistake_kind mistake, size_t offset, size_t count)
{
    gck_error error;
    gck_partial partial;
    ck_assert_uint_eq(gck_check_cut_of(check)->block_count, 1);
    assert_ok(gck_check_grain(check, 0, NULL, (gck_stop){0}, &partial, &error), &error);
    make_wrong(mistake, gradient_in(check, &partial) + offset, count);
    assert_ok(gck_check_fold(check, 0, &partial, &error), &error);
    gck_partial_done(&partial);
}

/* The check with that mistake in the gradient, from element `offset` on. */
static gck_report *wrong_report(const gck_check_spec *spec, gck_check **ret_check,
                                mistake_kind mistake, size_t offset, size_t count)
{
    gck_error error;
    gck_report *report;
    *ret_check = check_open(spec);
    fold_wrong(*ret_check, mistake, offset, count);
    check_finish(*ret_check);
    assert_ok(gck_check_report(*ret_check, &report, &error), &error);
    return report;
}

/* ---- in one tensor ---- */

/* A layer's norms are those of its tensors' elements taken together: a few roundings, of squares
 * and a root. */
static void assert_layer_joined(const gck_layer_report *layer)
{
    long double sum[5] = {0};
    for (size_t t = 0; t < layer->tensor_count; t++)
        for (size_t i = 0; i < layer->tensor[t].count; i++) {
            const long double a = layer->tensor[t].analytic[i], n = layer->tensor[t].numeric[i],
                              e = layer->tensor[t].exact[i];
            sum[0] += a * a;
            sum[1] += n * n;
            sum[2] += (n - a) * (n - a);
            sum[3] += e * e;
            sum[4] += (e - a) * (e - a);
        }
    const long double distance = sqrtl(sum[2]) / (sqrtl(sum[1]) + sqrtl(sum[0]));
    const long double refined = sqrtl(sum[4]) / (sqrtl(sum[3]) + sqrtl(sum[0]));
    assert_within(layer->distance, distance, 40 * ROUNDOFF * distance, "layer %zu", layer->index);
    assert_within(layer->refined_distance, refined, 40 * ROUNDOFF * refined, "layer %zu refined",
                  layer->index);
}

static void assert_wrong(const gck_tensor_report *tensor, mistake_kind mistake)
{
    ck_assert_int_eq(tensor->verdict, GCK_FAIL);
    ck_assert_uint_eq(tensor->wrong_elements, wrong_count(mistake, tensor->count));
    ck_assert_int_eq(tensor->worst[0].verdict, GCK_FAIL);
    if (is_of_one_element(mistake)) {
        ck_assert_uint_eq(tensor->worst[0].index, tensor->count / 2);
        ck_assert_int_eq(tensor->worst[1].verdict, GCK_PASS);
    }
    if (mistake == ONE_NAN || mistake == ONE_INFINITE) {
        ck_assert(!(tensor->distance <= 1) && !(tensor->refined_distance <= 1));
        return;
    }
    ck_assert_double_ge(tensor->distance, least_distance(mistake));
    ck_assert_double_ge(tensor->refined_distance, least_distance(mistake));
}

static void assert_right(const gck_tensor_report *got, const gck_tensor_report *clean)
{
    assert_same_bits(&got->distance, &clean->distance, 1, "another tensor");
    assert_same_bits(&got->refined_distance, &clean->refined_distance, 1, "another tensor");
    ck_assert_int_eq(got->verdict, GCK_PASS);
    ck_assert_uint_eq(got->wrong_elements, 0);
}

static void compare_wrong(const gck_report *report, const gck_report *clean, size_t layer,
                          size_t tensor, mistake_kind mistake)
{
    for (size_t i = 0; i < LAYERS; i++) {
        for (size_t t = 0; t < 2; t++) {
            const gck_tensor_report *got = &report->layer[i].tensor[t];
            if (i == layer && t == tensor)
                assert_wrong(got, mistake);
            else
                assert_right(got, &clean->layer[i].tensor[t]);
        }
        ck_assert_int_eq(report->layer[i].verdict, i == layer ? GCK_FAIL : GCK_PASS);
    }
    if (mistake != ONE_NAN && mistake != ONE_INFINITE) assert_layer_joined(&report->layer[layer]);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    ck_assert(!(report->distance <= clean->distance));
}

/* _i: the mistake, the layer, and whether W or b has it. */
START_TEST(a_wrong_gradient_shows_in_its_tensor)
{
    const mistake_kind mistake = (mistake_kind)(_i % MISTAKES);
    const size_t layer = (size_t)_i / MISTAKES % LAYERS, t = (size_t)_i / MISTAKES / LAYERS;
    if (mistake == TRANSPOSED && t == 1) return;
    network net = smooth_network();
    const gck_check_spec spec = smooth_spec(&net);
    const gck_tensor *tensor = &net.model->layer[layer].tensor[t];
    gck_check *check, *wrong_check;
    gck_report *clean;
    ck_assert(check_run(&spec, &check, &clean) == GCK_OK);
    gck_report *report = wrong_report(&spec, &wrong_check, mistake, tensor->offset, tensor->count);
    compare_wrong(report, clean, layer, t, mistake);
    gck_report_free(report);
    gck_report_free(clean);
    gck_check_free(wrong_check);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* One element off by a millionth of itself is found beside 59 right ones, wherever it is; off by
 * less than the tolerance it passes. _i: the element. */
START_TEST(one_small_mistake_is_enough)
{
    const struct {
        double factor;
        gck_verdict verdict;
    } cases[] = {{1 + 1e-6, GCK_FAIL}, {1 - 1e-6, GCK_FAIL}, {1 + 1e-9, GCK_PASS}};
    network net = smooth_network();
    const gck_check_spec spec = check_spec_of(&net);
    gck_check *check;
    gck_report *report;
    ck_assert(check_run(&spec, &check, &report) == GCK_OK);
    gck_report_free(report);
    double *element = &check->parameter.analytic[_i];
    const double right = *element;
    for (size_t i = 0; i < COUNT(cases); i++) {
        gck_error error;
        size_t wrong = 0;
        *element = right * cases[i].factor;
        assert_ok(gck_check_report(check, &report, &error), &error);
        ck_assert_int_eq(report->verdict, cases[i].verdict);
        for (size_t l = 0; l < LAYERS; l++)
            for (size_t t = 0; t < 2; t++)
                wrong += report->layer[l].tensor[t].wrong_elements;
        ck_assert_uint_eq(wrong, cases[i].verdict == GCK_FAIL);
        gck_report_free(report);
    }
    gck_check_free(check);
    network_done(&net);
}
END_TEST

/* ---- by every method ---- */

/* The whole first W. The tolerance of a forward difference, 1e-4, is well below a percent, too. */
static void assert_found(int method, mistake_kind mistake)
{
    network net = smooth_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.method = (gck_method)method;
    gck_check *check;
    gck_report *report = wrong_report(&spec, &check, mistake, 0, SQUARE * SQUARE);
    const gck_tensor_report *W = &report->layer[0].tensor[0];
    ck_assert_int_eq(W->verdict, GCK_FAIL);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    ck_assert_uint_eq(W->wrong_elements,
                      method == GCK_DIRECTIONAL ? 8 : wrong_count(mistake, SQUARE * SQUARE));
    ck_assert_int_eq(report->layer[0].tensor[1].verdict, GCK_PASS);
    ck_assert_int_eq(report->layer[1].verdict, GCK_PASS);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}

/* _i: the method. */
START_TEST(every_method_finds_them)
{
    for (int mistake = 0; mistake < MISTAKES; mistake++)
        assert_found(_i, (mistake_kind)mistake);
}
END_TEST

/* _i: the method. */
START_TEST(wrong_inputs_count_in_the_whole)
{
    network net = smooth_network();
    gck_check_spec spec = check_spec_of(&net);
    spec.method = (gck_method)_i;
    spec.inputs = true;
    gck_check *check;
    gck_report *report =
        wrong_report(&spec, &check, FACTOR_2, 2 * net.model->parameter_count, ROWS * SQUARE);
    ck_assert_double_gt(report->inputs.distance, 0.333);
    ck_assert_double_gt(report->inputs.refined_distance, 0.333);
    ck_assert_double_gt(report->distance, 1e-3);
    ck_assert_int_eq(report->inputs.verdict, GCK_FAIL);
    ck_assert_int_eq(report->verdict, GCK_FAIL);
    /* A third of the samples has weight 0, and no gradient that could be wrong. */
    ck_assert_uint_eq(report->inputs.wrong_elements, ROWS * SQUARE * 2 / 3);
    for (size_t i = 0; i < LAYERS; i++)
        ck_assert_int_eq(report->layer[i].verdict, GCK_PASS);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
END_TEST

SUITE_MAIN("check_wrong", {a_wrong_gradient_shows_in_its_tensor, MISTAKES *LAYERS * 2},
           {one_small_mistake_is_enough, LAYERS *(SQUARE + 1) * SQUARE},
           {every_method_finds_them, GCK_DIRECTIONAL + 1},
           {wrong_inputs_count_in_the_whole, GCK_DIRECTIONAL + 1})
