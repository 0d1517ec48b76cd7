/* A session's promises: what it asks for, what it costs, what it refuses, warns of and leaves open.
 * test_functions shows how well it judges. */
#include "tests/core/compare.h"
#include "tests/core/functions.h"
#include "tests/core/suite.h"

#include <gradcheck/session.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

enum { LARGE = 300, SMALL = 5 };

/* Two tensors of LARGE and SMALL elements, and what the function is made of. */
typedef struct model {
    double w[LARGE], b[SMALL], dw[LARGE], db[SMALL];
    gck_session_tensor tensor[2];
    gck_dtype dtype;
    size_t calls;
    double noise;  /* added: of one call, as large as that */
    bool constant; /* the function moves with nothing */
} model;

static double coefficient(size_t i)
{
    return sin(3.0 * (double)i + 1);
}

/* sin of a linear form of w, plus the squares of b. */
static double smooth(void *context, const double *const *theta)
{
    model *m = context;
    double z = 0.3, squares = 0;
    for (size_t i = 0; i < LARGE && !m->constant; i++)
        z += coefficient(i) * theta[0][i] / 8;
    for (size_t i = 0; i < SMALL && !m->constant; i++)
        squares += theta[1][i] * theta[1][i];
    m->calls++;
    return sin(z) + squares + m->noise * (double)(m->calls * 2654435761u % 1000) / 1000;
}

/* theta, and the right gradient. */
static void model_init(model *m, gck_dtype dtype, double size)
{
    double z = 0.3;
    *m = (model){.dtype = dtype};
    for (size_t i = 0; i < LARGE; i++) {
        m->w[i] = function_round(dtype, size * cos((double)(i * i)));
        z += coefficient(i) * m->w[i] / 8;
    }
    for (size_t i = 0; i < LARGE; i++)
        m->dw[i] = cos(z) * coefficient(i) / 8;
    for (size_t i = 0; i < SMALL; i++) {
        m->b[i] = function_round(dtype, size * (1 + 0.3 * (double)i));
        m->db[i] = 2 * m->b[i];
    }
    m->tensor[0] = (gck_session_tensor){"w", {2, {30, 10}}, m->w, m->dw};
    m->tensor[1] = (gck_session_tensor){"b", {1, {SMALL}}, m->b, m->db};
}

static gck_session_spec spec_of(const model *m)
{
    return (gck_session_spec){.tensor_count = 2,
                              .tensor = m->tensor,
                              .dtype = m->dtype,
                              .value = NAN,
                              .tolerance = NAN,
                              .worst = 8};
}

static gck_session_result *check(model *m, const gck_session_spec *spec)
{
    gck_session_result *result = NULL;
    gck_error error;
    assert_ok(gck_probe_check(spec, smooth, m, &result, &error), &error);
    return result;
}

static bool is_warned(const gck_session_result *result, const char *text)
{
    for (size_t i = 0; i < result->warning_count; i++)
        if (strstr(result->warning[i], text) != NULL) return true;
    return false;
}

static gck_session *session_of(const model *m)
{
    const gck_session_spec spec = spec_of(m);
    gck_session *session;
    gck_error error;
    assert_ok(gck_session_new(&spec, &session, &error), &error);
    return session;
}

/* f at a point: moves[tensor] gets the whole tensor as it is there. */
static void point_read(gck_session *session, const model *m, size_t point, double *w, double *b)
{
    double moved[LARGE];
    memcpy(w, m->w, sizeof m->w);
    memcpy(b, m->b, sizeof m->b);
    for (size_t i = 0; i < gck_session_moves(session, point); i++) {
        const gck_move move = gck_session_move(session, point, i, moved);
        memcpy((move.tensor == 0 ? w : b) + move.first, moved, move.count * sizeof *moved);
    }
}

static double value_at(gck_session *session, model *m, size_t point)
{
    double w[LARGE], b[SMALL];
    const double *theta[] = {w, b};
    point_read(session, m, point, w, b);
    return smooth(m, theta);
}

static void round_go(gck_session *session, model *m)
{
    double value[GCK_SESSION_ROUND];
    gck_error error;
    const size_t count = gck_session_asked(session);
    for (size_t i = 0; i < count; i++)
        value[i] = value_at(session, m, i);
    assert_ok(gck_session_take(session, value, count, &error), &error);
}

/* ---- what is asked ---- */

static const gck_dtype dtypes[] = {GCK_FLOAT64, GCK_FLOAT32, GCK_FLOAT16, GCK_BFLOAT16};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

/* Sizes of 1 and of 1e-3, and in each tensor elements of very different sizes. */
START_TEST(every_point_is_one_of_the_dtype)
{
    model m;
    model_init(&m, dtypes[_i % DTYPES], _i / DTYPES == 0 ? 1 : 0x1p-10);
    m.w[7] = 0;
    m.w[8] = function_round(m.dtype, 60 * m.w[9]);
    m.w[10] = function_round(m.dtype, 1e-3 * m.w[9]);
    m.dw[30] *= 3; /* so that lines go into parts */
    m.db[2] *= -1;
    gck_session *session = session_of(&m);
    while (gck_session_asked(session) > 0) {
        for (size_t p = 0; p < gck_session_asked(session); p++) {
            double w[LARGE], b[SMALL];
            point_read(session, &m, p, w, b);
            for (size_t i = 0; i < LARGE; i++)
                ck_assert_msg(gck_session_has(m.dtype, w[i]), "w[%zu] %.17g", i, w[i]);
            for (size_t i = 0; i < SMALL; i++)
                ck_assert_msg(gck_session_has(m.dtype, b[i]), "b[%zu] %.17g", i, b[i]);
        }
        round_go(session, &m);
    }
    gck_session_free(session);
}
END_TEST

/* Points of lines come in pairs, on both sides of theta and as far from it, but for rounding: half
 * the distance of neighbours on each side, above 2^-24 theirs are 2^(1 - digits) of an element. */
START_TEST(pairs_of_points_have_theta_in_their_middle)
{
    static const double digits[] = {53, 24, 11, 8};
    model m;
    model_init(&m, dtypes[_i], 1);
    gck_session *session = session_of(&m);
    while (gck_session_round(session) == 1)
        round_go(session, &m);
    while (gck_session_asked(session) > 0) {
        for (size_t p = 0; p + 1 < gck_session_asked(session); p += 2) {
            double w[2][LARGE], b[2][SMALL];
            point_read(session, &m, p, w[0], b[0]);
            point_read(session, &m, p + 1, w[1], b[1]);
            for (size_t i = 0; i < LARGE; i++) {
                const double most = fmax(fmax(fabs(w[0][i]), fabs(w[1][i])), 0x1p-14);
                assert_within(w[0][i] + w[1][i], 2 * m.w[i], most * exp2(1 - digits[_i]), "w");
            }
        }
        round_go(session, &m);
    }
    gck_session_free(session);
}
END_TEST

START_TEST(the_same_values_lead_to_the_same_questions)
{
    model m;
    model_init(&m, GCK_FLOAT32, 1);
    m.dw[100] += 1;
    gck_session *one = session_of(&m), *other = session_of(&m);
    while (gck_session_asked(one) > 0) {
        ck_assert_uint_eq(gck_session_asked(one), gck_session_asked(other));
        for (size_t p = 0; p < gck_session_asked(one); p++) {
            double w[2][LARGE], b[2][SMALL];
            point_read(one, &m, p, w[0], b[0]);
            point_read(other, &m, p, w[1], b[1]);
            assert_same_bits(w[0], w[1], LARGE, "w");
            assert_same_bits(b[0], b[1], SMALL, "b");
        }
        round_go(one, &m);
        round_go(other, &m);
    }
    ck_assert_uint_eq(gck_session_asked(other), 0);
    gck_session_free(one);
    gck_session_free(other);
}
END_TEST

/* ---- what it costs ---- */

START_TEST(a_budget_is_never_exceeded)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    m.dw[100] += 1;
    m.db[1] += 1;
    gck_session_spec spec = spec_of(&m);
    gck_session_result *whole = check(&m, &spec);
    ck_assert(!whole->exhausted);
    for (spec.budget = 9; spec.budget < whole->evaluations; spec.budget += 7) {
        m.calls = 0;
        gck_session_result *result = check(&m, &spec);
        ck_assert_uint_le(result->evaluations, spec.budget);
        ck_assert_uint_eq(result->evaluations, m.calls);
        ck_assert(result->exhausted);
        ck_assert(is_warned(result, "budget"));
        ck_assert_int_ne(result->verdict, GCK_PASS);
        gck_session_result_free(result);
    }
    gck_session_result_free(whole);
}
END_TEST

START_TEST(a_right_claim_that_the_budget_leaves_open_is_inconclusive)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    gck_session_spec spec = spec_of(&m);
    spec.budget = 20;
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_INCONCLUSIVE);
    gck_session_result_free(result);
}
END_TEST

/* ---- what is refused ---- */

static void assert_refused(const gck_session_spec *spec, const char *where)
{
    gck_session *session = NULL;
    gck_error error;
    assert_invalid(gck_session_new(spec, &session, &error), &error, where);
    ck_assert_ptr_null(session);
}

START_TEST(a_bad_spec_is_refused_with_its_place)
{
    model m;
    model_init(&m, GCK_FLOAT32, 1);
    gck_session_spec spec = spec_of(&m);
    m.w[3] = 0.1;
    assert_refused(&spec, "tensor[0].theta");
    m.w[3] = INFINITY;
    assert_refused(&spec, "tensor[0].theta");
    m.w[3] = 0;
    m.tensor[1].shape.dim[0] = 0;
    assert_refused(&spec, "tensor[1].shape");
    m.tensor[1].shape.dim[0] = SMALL;
    m.tensor[1].name = "w";
    assert_refused(&spec, "tensor");
    m.tensor[1].name = "b";
    spec.tolerance = 1;
    assert_refused(&spec, "tolerance");
    spec.tolerance = NAN;
    spec.budget = 8;
    assert_refused(&spec, "budget");
    spec.budget = GCK_SESSION_BUDGET_MAX + 1;
    assert_refused(&spec, "budget");
    spec.budget = 0;
    m.tensor[0].claimed = m.tensor[1].claimed = NULL;
    assert_refused(&spec, "tensor");
    spec.tensor_count = 0;
    assert_refused(&spec, "tensor");
}
END_TEST

START_TEST(as_many_values_as_points_are_taken)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    gck_session *session = session_of(&m);
    double value[GCK_SESSION_ROUND] = {0};
    const size_t asked = gck_session_asked(session);
    gck_error error;
    assert_invalid(gck_session_take(session, value, asked - 1, &error), &error, "values");
    assert_invalid(gck_session_take(session, value, asked + 1, &error), &error, "values");
    ck_assert_uint_eq(gck_session_asked(session), asked);
    gck_session_free(session);
}
END_TEST

static double nowhere(void *context, const double *const *theta)
{
    (void)context, (void)theta;
    return NAN;
}

START_TEST(a_function_that_is_not_finite_at_theta_is_an_error)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    gck_session_result *result = NULL;
    gck_error error;
    ck_assert_int_eq(gck_probe_check(&spec, nowhere, &m, &result, &error), GCK_NON_FINITE);
    ck_assert_ptr_null(result);
}
END_TEST

/* ---- what is said ---- */

START_TEST(a_claim_that_is_not_finite_fails_at_its_place)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    m.dw[41] = NAN;
    gck_session_result *result = check(&m, &spec);
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
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    m.tensor[0].claimed = NULL;
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert(!result->tensor[0].claimed);
    ck_assert_uint_eq(result->parameters, SMALL);
    gck_session_result_free(result);
}
END_TEST

START_TEST(a_function_that_is_not_deterministic_is_warned_of)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    m.noise = 1e-8;
    gck_session_result *result = check(&m, &spec);
    ck_assert(!result->repeats);
    ck_assert(is_warned(result, "not deterministic"));
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert_double_ge(result->noise, 1e-9);
    gck_session_result_free(result);
}
END_TEST

/* Noise as large as all that f does: nothing can be said, whatever is claimed. */
START_TEST(noise_that_hides_everything_is_inconclusive)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    m.noise = 100;
    if (_i == 1) {
        memset(m.dw, 0, sizeof m.dw);
        memset(m.db, 0, sizeof m.db);
    }
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_INCONCLUSIVE);
    ck_assert_int_eq(result->tensor[1].of.verdict, GCK_INCONCLUSIVE);
    gck_session_result_free(result);
}
END_TEST

START_TEST(where_nothing_moves_nothing_is_shown)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    m.constant = true;
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_FAIL); /* of claims that are not 0 */
    ck_assert(is_warned(result, "f is the same wherever w was moved"));
    gck_session_result_free(result);
    memset(m.dw, 0, sizeof m.dw);
    memset(m.db, 0, sizeof m.db);
    result = check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_INCONCLUSIVE);
    ck_assert(is_warned(result, "f is the same wherever b was moved"));
    gck_session_result_free(result);
}
END_TEST

START_TEST(another_value_than_claimed_is_warned_of)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const double *theta[] = {m.w, m.b};
    gck_session_spec spec = spec_of(&m);
    spec.value = smooth(&m, theta);
    gck_session_result *result = check(&m, &spec);
    ck_assert_uint_eq(result->warning_count, 0);
    gck_session_result_free(result);
    spec.value += 1e-9;
    result = check(&m, &spec);
    ck_assert(is_warned(result, "claimed to be"));
    ck_assert_int_eq(result->verdict, GCK_PASS);
    gck_session_result_free(result);
}
END_TEST

/* Squares at 0: the gradient is 0, and the function moves all the same. */
START_TEST(a_gradient_of_zero_passes_with_a_warning)
{
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    memset(m.b, 0, sizeof m.b);
    memset(m.db, 0, sizeof m.db);
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->verdict, GCK_PASS);
    ck_assert(is_warned(result, "the gradient of b is zero here"));
    gck_session_result_free(result);
    m.db[3] = 1e-3;
    result = check(&m, &spec);
    ck_assert_int_eq(result->tensor[1].of.verdict, GCK_FAIL);
    gck_session_result_free(result);
}
END_TEST

/* ---- how well it sees ---- */

/* Parameters that have hardly left 0: their own size says nothing about how far to go. */
START_TEST(tiny_parameters_are_checked_all_the_same)
{
    static const double sizes[] = {1e-6, 1e-12, 1e-20, 1e-200};
    model m;
    model_init(&m, GCK_FLOAT64, sizes[_i]);
    const gck_session_spec spec = spec_of(&m);
    memset(m.b, 0, sizeof m.b);
    memset(m.db, 0, sizeof m.db);
    gck_session_result *result = check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_PASS);
    gck_session_result_free(result);
    for (size_t i = 0; i < LARGE; i++)
        m.dw[i] *= 1.5;
    result = check(&m, &spec);
    ck_assert_int_eq(result->tensor[0].of.verdict, GCK_FAIL);
    gck_session_result_free(result);
}
END_TEST

START_TEST(every_wrong_element_is_found)
{
    static const size_t wrong[] = {0, 17, 128, 299};
    enum { WRONG = sizeof wrong / sizeof wrong[0] };
    model m;
    model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = spec_of(&m);
    for (size_t i = 0; i < WRONG; i++)
        m.dw[wrong[i]] += 0.01 / (double)(i + 1);
    gck_session_result *result = check(&m, &spec);
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
        model m;
        model_init(&m, GCK_FLOAT64, 1);
        gck_session_spec spec = spec_of(&m);
        spec.seed = seed;
        gck_session_result *right = check(&m, &spec);
        const gck_tensor_report *of = &right->tensor[0].of;
        m.dw[seed % LARGE] += of->detection * (of->norms.exact + of->norms.analytic);
        gck_session_result *result = check(&m, &spec);
        missed += result->tensor[0].of.verdict != GCK_FAIL;
        gck_session_result_free(right);
        gck_session_result_free(result);
    }
    ck_assert_uint_le(missed, 4);
}
END_TEST

SUITE_MAIN("session", {every_point_is_one_of_the_dtype, 2 * DTYPES},
           {pairs_of_points_have_theta_in_their_middle, DTYPES},
           {the_same_values_lead_to_the_same_questions, 0}, {a_budget_is_never_exceeded, 0},
           {a_right_claim_that_the_budget_leaves_open_is_inconclusive, 0},
           {a_bad_spec_is_refused_with_its_place, 0}, {as_many_values_as_points_are_taken, 0},
           {a_function_that_is_not_finite_at_theta_is_an_error, 0},
           {a_claim_that_is_not_finite_fails_at_its_place, 0},
           {a_tensor_without_a_claim_is_left_alone, 0},
           {a_function_that_is_not_deterministic_is_warned_of, 0},
           {noise_that_hides_everything_is_inconclusive, 2},
           {where_nothing_moves_nothing_is_shown, 0}, {another_value_than_claimed_is_warned_of, 0},
           {a_gradient_of_zero_passes_with_a_warning, 0},
           {tiny_parameters_are_checked_all_the_same, 4}, {every_wrong_element_is_found, 0},
           {detection_is_what_it_says, 0})
