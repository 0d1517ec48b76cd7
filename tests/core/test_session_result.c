/* What a session says of claims, warns of and leaves open. test_functions shows how well it judges.
 */
#include "tests/core/compare.h"
#include "tests/core/session_model.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* ---- what is said ---- */

START_TEST(a_claim_that_is_not_finite_fails_at_its_place)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    m.dw[41] = NAN;
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_FAIL);
    ck_assert_int_eq(result->tensor[1].of.verdict, GCK_PASS);
    ck_assert_uint_eq(result->findings.count, 1);
    ck_assert_int_eq(result->findings.finding[0].mistake.code, GCK_FINDING_NON_FINITE);
    ck_assert_ptr_nonnull(strstr(result->findings.finding[0].message, "[4][1]"));
    gck_session_result_free(result);
}
END_TEST

START_TEST(a_tensor_without_a_claim_is_left_alone)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    m.tensor[0].claimed = NULL;
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert(!result->tensor[0].claimed);
    ck_assert_uint_eq(result->parameters, MODEL_SMALL);
    gck_session_result_free(result);
}
END_TEST

START_TEST(a_function_that_is_not_deterministic_is_warned_of)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    m.noise = 1e-8;
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert(!result->repeats);
    ck_assert(session_is_warned(result, "not deterministic"));
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert_double_ge(result->noise, 1e-9);
    gck_session_result_free(result);
}
END_TEST

/* Noise as large as all that f does: nothing can be said, whatever is claimed. */
START_TEST(noise_that_hides_everything_is_inconclusive)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    m.noise = 100;
    if (_i == 1) {
        memset(m.dw, 0, sizeof m.dw);
        memset(m.db, 0, sizeof m.db);
    }
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_INCONCLUSIVE);
    ck_assert_int_eq(result->tensor[1].of.verdict, GCK_INCONCLUSIVE);
    gck_session_result_free(result);
}
END_TEST

START_TEST(where_nothing_moves_nothing_is_shown)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    m.constant = true;
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_FAIL); /* of claims that are not 0 */
    ck_assert(session_is_warned(result, "f is the same wherever w was moved"));
    gck_session_result_free(result);
    memset(m.dw, 0, sizeof m.dw);
    memset(m.db, 0, sizeof m.db);
    result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_INCONCLUSIVE);
    ck_assert(session_is_warned(result, "f is the same wherever b was moved"));
    gck_session_result_free(result);
}
END_TEST

START_TEST(another_value_than_claimed_is_warned_of)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const double *theta[] = {m.w, m.b};
    gck_session_spec spec = session_model_spec(&m);
    spec.value = session_model_value(&m, theta);
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_uint_eq(result->warning_count, 0);
    gck_session_result_free(result);
    spec.value += 1e-9;
    result = session_model_check(&m, &spec);
    ck_assert(session_is_warned(result, "claimed to be"));
    ck_assert_int_eq(result->verdict, GCK_PASS);
    gck_session_result_free(result);
}
END_TEST

/* Squares at 0: the gradient is 0, and the function moves all the same. */
START_TEST(a_gradient_of_zero_passes_with_a_warning)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    memset(m.b, 0, sizeof m.b);
    memset(m.db, 0, sizeof m.db);
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert(session_is_warned(result, "the gradient of b is zero here"));
    gck_session_result_free(result);
    m.db[3] = 1e-3;
    result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->tensor[1].of.verdict, GCK_FAIL);
    gck_session_result_free(result);
}
END_TEST

/* ---- how well it sees ---- */

/* Parameters that have hardly left 0: their own size says nothing about how far to go. */
START_TEST(tiny_parameters_are_checked_all_the_same)
{
    static const double sizes[] = {1e-6, 1e-12, 1e-20, 1e-200};
    session_model m;
    session_model_init(&m, GCK_FLOAT64, sizes[_i]);
    const gck_session_spec spec = session_model_spec(&m);
    memset(m.b, 0, sizeof m.b);
    memset(m.db, 0, sizeof m.db);
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_PASS);
    gck_session_result_free(result);
    for (size_t i = 0; i < MODEL_LARGE; i++)
        m.dw[i] *= 1.5;
    result = session_model_check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_FAIL);
    gck_session_result_free(result);
}
END_TEST

/* Linear, and computed with all digits. */
static double linear(void *context, const double *const *theta)
{
    (void)context;
    double sum = 0;
    for (size_t i = 0; i < MODEL_LARGE; i++)
        sum += (double)(i % 7) * theta[0][i];
    return sum;
}

/* With few digits points lie beside the line by up to half a last digit, 2^-8 of a bfloat16, and
 * steps are no shorter than 2^-4: but for that, a linear function has no errors beyond 2^-53 of its
 * terms. */
START_TEST(rounding_of_points_is_reckoned_with)
{
    session_model m;
    gck_session_result *result = NULL;
    gck_error error;
    session_model_init(&m, _i == 0 ? GCK_FLOAT16 : GCK_BFLOAT16, 1);
    for (size_t i = 0; i < MODEL_LARGE; i++)
        m.dw[i] = (double)(i % 7);
    memset(m.db, 0, sizeof m.db);
    const gck_session_spec spec = session_model_spec(&m);
    assert_ok(gck_probe_check(&spec, linear, NULL, &result, &error), &error);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_PASS);
    ck_assert_double_le(result->tensor[0].of.distance, 1e-12);
    gck_session_result_free(result);
}
END_TEST

/* As a program prints it with six digits after the point: errors are even, up to half of 1e-6. */
static double printed(void *context, const double *const *theta)
{
    return nearbyint(1e6 * session_model_value(context, theta)) / 1e6;
}

START_TEST(digits_that_are_cut_off_are_noise)
{
    session_model m;
    gck_session_result *result = NULL;
    gck_error error;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    assert_ok(gck_probe_check(&spec, printed, &m, &result, &error), &error);
    ck_assert_double_ge(result->noise, 1e-7);
    ck_assert_double_le(result->noise, 1e-5);
    ck_assert_int_ne(result->verdict, GCK_FAIL);
    gck_session_result_free(result);
}
END_TEST

START_TEST(every_wrong_element_is_found)
{
    static const size_t wrong[] = {0, 17, 128, 299};
    enum { WRONG = sizeof wrong / sizeof wrong[0] };
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    for (size_t i = 0; i < WRONG; i++)
        m.dw[wrong[i]] += 0.01 / (double)(i + 1);
    gck_session_result *result = session_model_check(&m, &spec);
    ck_assert_uint_eq(result->tensor[0].of.worst_count, WRONG);
    for (size_t i = 0; i < WRONG; i++)
        ck_assert_uint_eq(result->tensor[0].of.worst[i].index, wrong[i]);
    gck_session_result_free(result);
}
END_TEST

/* Of 400 errors of the size that is detected with probability 0.999 all but 0.4 are seen; more than
 * 4 missed has a probability below 1e-4. What is seen is not let pass. */
START_TEST(detection_is_what_it_says)
{
    enum { SEEDS = 400 };
    size_t missed = 0;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        session_model m;
        session_model_init(&m, GCK_FLOAT64, 1);
        gck_session_spec spec = session_model_spec(&m);
        spec.seed = seed;
        gck_session_result *right = session_model_check(&m, &spec);
        const gck_tensor_report *of = &right->tensor[0].of;
        m.dw[seed % MODEL_LARGE] += of->detection * (of->norms.exact + of->norms.analytic);
        gck_session_result *result = session_model_check(&m, &spec);
        missed += result->tensor[0].of.verdict != GCK_FAIL;
        gck_session_result_free(right);
        gck_session_result_free(result);
    }
    ck_assert_uint_le(missed, 4);
}
END_TEST

SUITE_MAIN("session result", {a_claim_that_is_not_finite_fails_at_its_place, 0},
           {a_tensor_without_a_claim_is_left_alone, 0},
           {a_function_that_is_not_deterministic_is_warned_of, 0},
           {noise_that_hides_everything_is_inconclusive, 2},
           {where_nothing_moves_nothing_is_shown, 0}, {another_value_than_claimed_is_warned_of, 0},
           {a_gradient_of_zero_passes_with_a_warning, 0},
           {tiny_parameters_are_checked_all_the_same, 4}, {rounding_of_points_is_reckoned_with, 2},
           {digits_that_are_cut_off_are_noise, 0}, {every_wrong_element_is_found, 0},
           {detection_is_what_it_says, 0})
