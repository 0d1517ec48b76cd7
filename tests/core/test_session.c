/* What a session asks for, what that costs, and what it refuses. */
#include "tests/core/compare.h"
#include "tests/core/session_model.h"
#include "tests/core/suite.h"
#include "tests/core/functions.h"

#include <math.h>
#include <string.h>

static gck_session *session_of(const session_model *m)
{
    const gck_session_spec spec = session_model_spec(m);
    gck_session *session;
    gck_error error;
    assert_ok(gck_session_new(&spec, &session, &error), &error);
    return session;
}

/* f at a point: moves[tensor] gets the whole tensor as it is there. */
static void point_read(gck_session *session, const session_model *m, size_t point, double *w,
                       double *b)
{
    double moved[MODEL_LARGE];
    memcpy(w, m->w, sizeof m->w);
    memcpy(b, m->b, sizeof m->b);
    for (size_t i = 0; i < gck_session_moves(session, point); i++) {
        const gck_move move = gck_session_move(session, point, i, moved);
        memcpy((move.tensor == 0 ? w : b) + move.first, moved, move.count * sizeof *moved);
    }
}

static double value_at(gck_session *session, session_model *m, size_t point)
{
    double w[MODEL_LARGE], b[MODEL_SMALL];
    const double *theta[] = {w, b};
    point_read(session, m, point, w, b);
    return session_model_value(m, theta);
}

static void round_go(gck_session *session, session_model *m)
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
    session_model m;
    session_model_init(&m, dtypes[_i % DTYPES], _i / DTYPES == 0 ? 1 : 0x1p-10);
    m.w[7] = 0;
    m.w[8] = function_round(m.dtype, 60 * m.w[9]);
    m.w[10] = function_round(m.dtype, 1e-3 * m.w[9]);
    m.dw[30] *= 3; /* so that lines go into parts */
    m.db[2] *= -1;
    gck_session *session = session_of(&m);
    while (gck_session_asked(session) > 0) {
        for (size_t p = 0; p < gck_session_asked(session); p++) {
            double w[MODEL_LARGE], b[MODEL_SMALL];
            point_read(session, &m, p, w, b);
            for (size_t i = 0; i < MODEL_LARGE; i++)
                ck_assert_msg(gck_session_has(m.dtype, w[i]), "w[%zu] %.17g", i, w[i]);
            for (size_t i = 0; i < MODEL_SMALL; i++)
                ck_assert_msg(gck_session_has(m.dtype, b[i]), "b[%zu] %.17g", i, b[i]);
        }
        round_go(session, &m);
    }
    gck_session_free(session);
}
END_TEST

/* Points of lines come in pairs, on both sides of theta and as far from it, but for rounding: half
 * the distance of neighbours each, which is 2^(1 - digits) of the larger one, or of float16's
 * smallest normal number. */
START_TEST(pairs_of_points_have_theta_in_their_middle)
{
    static const double digits[] = {53, 24, 11, 8};
    session_model m;
    session_model_init(&m, dtypes[_i], 1);
    gck_session *session = session_of(&m);
    while (gck_session_round(session) == 1)
        round_go(session, &m);
    while (gck_session_asked(session) > 0) {
        for (size_t p = 0; p + 1 < gck_session_asked(session); p += 2) {
            double w[2][MODEL_LARGE], b[2][MODEL_SMALL];
            point_read(session, &m, p, w[0], b[0]);
            point_read(session, &m, p + 1, w[1], b[1]);
            for (size_t i = 0; i < MODEL_LARGE; i++) {
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
    session_model m;
    session_model_init(&m, GCK_FLOAT32, 1);
    m.dw[100] += 1;
    gck_session *one = session_of(&m), *other = session_of(&m);
    while (gck_session_asked(one) > 0) {
        ck_assert_uint_eq(gck_session_asked(one), gck_session_asked(other));
        for (size_t p = 0; p < gck_session_asked(one); p++) {
            double w[2][MODEL_LARGE], b[2][MODEL_SMALL];
            point_read(one, &m, p, w[0], b[0]);
            point_read(other, &m, p, w[1], b[1]);
            assert_same_bits(w[0], w[1], MODEL_LARGE, "w");
            assert_same_bits(b[0], b[1], MODEL_SMALL, "b");
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
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    m.dw[100] += 1;
    m.db[1] += 1;
    gck_session_spec spec = session_model_spec(&m);
    gck_session_result *whole = session_model_check(&m, &spec);
    ck_assert(!whole->exhausted);
    for (spec.budget = 9; spec.budget < whole->evaluations; spec.budget += 7) {
        m.calls = 0;
        gck_session_result *result = session_model_check(&m, &spec);
        ck_assert_uint_le(result->evaluations, spec.budget);
        ck_assert_uint_eq(result->evaluations, m.calls);
        ck_assert(result->exhausted);
        ck_assert(session_is_warned(result, "budget"));
        ck_assert_int_ne(result->verdict, GCK_PASS);
        gck_session_result_free(result);
    }
    gck_session_result_free(whole);
}
END_TEST

START_TEST(a_right_claim_that_the_budget_leaves_open_is_inconclusive)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    gck_session_spec spec = session_model_spec(&m);
    spec.budget = 20;
    gck_session_result *result = session_model_check(&m, &spec);
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
    session_model m;
    session_model_init(&m, GCK_FLOAT32, 1);
    gck_session_spec spec = session_model_spec(&m);
    m.w[3] = 0.1;
    assert_refused(&spec, "tensor[0].theta");
    m.w[3] = INFINITY;
    assert_refused(&spec, "tensor[0].theta");
    m.w[3] = 0;
    m.tensor[1].shape.dim[0] = 0;
    assert_refused(&spec, "tensor[1].shape");
    m.tensor[1].shape.dim[0] = MODEL_SMALL;
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
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
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

/* Tensors that are moved count whole; a line asks for its points whatever these are. */
START_TEST(a_round_holds_so_many_numbers)
{
    enum { TENSORS = 3, ELEMENTS = 600000, LINE = 6 }; /* steps of one line, at most */
    double *theta = gck_vector_new(ELEMENTS), value[GCK_SESSION_ROUND] = {0};
    const gck_session_tensor tensor[TENSORS] = {{"a", {1, {ELEMENTS}}, theta, theta},
                                                {"b", {1, {ELEMENTS}}, theta, theta},
                                                {"c", {1, {ELEMENTS}}, theta, theta}};
    const gck_session_spec spec = {
        .tensor_count = TENSORS, .tensor = tensor, .value = NAN, .tolerance = NAN};
    gck_session *session;
    gck_error error;
    ck_assert_int_eq(gck_session_new(&spec, &session, &error), GCK_OK);
    size_t asked = gck_session_asked(session);
    ck_assert_uint_eq(gck_session_moves(session, asked - 1), 1); /* of the noise */
    for (int round = 0; round < 4 && asked > 0; round++) {
        ck_assert_int_eq(gck_session_take(session, value, asked, &error), GCK_OK);
        asked = gck_session_asked(session);
        ck_assert(asked * ELEMENTS <= GCK_SESSION_NUMBERS || asked <= LINE);
    }
    gck_session_free(session);
    gck_vector_free(theta);
}
END_TEST

static double nowhere(void *context, const double *const *theta)
{
    (void)context, (void)theta;
    return NAN;
}

START_TEST(a_function_that_is_not_finite_at_theta_is_an_error)
{
    session_model m;
    session_model_init(&m, GCK_FLOAT64, 1);
    const gck_session_spec spec = session_model_spec(&m);
    gck_session_result *result = NULL;
    gck_error error;
    ck_assert_int_eq(gck_probe_check(&spec, nowhere, &m, &result, &error), GCK_NON_FINITE);
    ck_assert_ptr_null(result);
}
END_TEST

SUITE_MAIN("session", {every_point_is_one_of_the_dtype, 2 * DTYPES},
           {pairs_of_points_have_theta_in_their_middle, DTYPES},
           {the_same_values_lead_to_the_same_questions, 0}, {a_budget_is_never_exceeded, 0},
           {a_right_claim_that_the_budget_leaves_open_is_inconclusive, 0},
           {a_bad_spec_is_refused_with_its_place, 0}, {as_many_values_as_points_are_taken, 0},
           {a_round_holds_so_many_numbers, 0},
           {a_function_that_is_not_finite_at_theta_is_an_error, 0})
