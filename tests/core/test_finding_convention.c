/* Mistakes, digits and steps in claims that came in another convention than the model's. */
#include "tests/core/compare.h"
#include "tests/core/finding_scene.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

/* What somebody makes of an element of W, as a whole: from what is right of it and of its
 * transpose, and from its penalty. */
typedef double wrong_whole(double right, double transpose, double penalty);

static double as_doubled(double right, double transpose, double penalty)
{
    (void)transpose, (void)penalty;
    return 2 * right;
}

static double as_negated(double right, double transpose, double penalty)
{
    (void)transpose, (void)penalty;
    return -right;
}

static double as_halved(double right, double transpose, double penalty)
{
    (void)transpose, (void)penalty;
    return right / 2;
}

static double as_zero(double right, double transpose, double penalty)
{
    (void)right, (void)transpose, (void)penalty;
    return 0;
}

static double as_transposed(double right, double transpose, double penalty)
{
    (void)right, (void)penalty;
    return transpose;
}

static double without_penalty(double right, double transpose, double penalty)
{
    (void)transpose;
    return right - penalty;
}

static double with_penalty(double right, double transpose, double penalty)
{
    (void)transpose;
    return right + penalty;
}

static const struct {
    wrong_whole *make;
    const char *code, *name;
    bool excluded; /* made where gradients are without penalties */
} wholes[] = {{as_doubled, "scaled", "doubled", false},
              {as_doubled, "scaled", "doubled", true},
              {as_negated, "sign_flipped", "negated", false},
              {as_negated, "sign_flipped", "negated", true},
              {as_halved, "scaled", "halved", false},
              {as_halved, "scaled", "halved", true},
              {as_zero, "zero", "tensor", false},
              {as_zero, "zero", "tensor", true},
              {as_transposed, "transposed", "transposed", false},
              {as_transposed, "transposed", "transposed", true},
              {without_penalty, "regularisation", "missing", false},
              {with_penalty, "regularisation", "included", true}};

/* dW of layer 1, which is right, as somebody has it whose cost has another factor, and perhaps no
 * penalties; made wrong there; and brought into the model's form again. */
static void claim_in_convention(scene *s, double factor, bool excluded, wrong_whole *make)
{
    double own[16], penalty[16];
    const gck_tensor *w = &s->net.model->layer[1].tensor[0];
    double *claim = s->c.gradient + w->offset;
    for (size_t e = 0; e < w->count; e++) {
        penalty[e] =
            gck_model_penalty_exact(s->net.model, w->offset + e, s->net.parameters[w->offset + e]);
        own[e] = (claim[e] - penalty[e]) / factor + (excluded ? 0 : penalty[e]);
    }
    for (size_t e = 0; e < w->count; e++) {
        const double wrong = make(own[e], own[e % 4 * 4 + e / 4], penalty[e]);
        claim[e] = (wrong - (excluded ? 0 : penalty[e])) * factor + penalty[e];
    }
    s->c.claim.data_factor = factor;
    s->c.claim.penalties_added = excluded;
    claims_judge(&s->c);
}

static const double data_factors[] = {1, 3, 1.0 / 7, -2};

/* _i: the mistake, and the factor. */
START_TEST(mistakes_are_found_in_the_convention_they_were_made_in)
{
    const size_t kind = (size_t)_i % COUNT(wholes), factor = (size_t)_i / COUNT(wholes);
    scene s;
    scene_open(&s, false);
    scene_claim(&s, NULL, 0);
    claim_in_convention(&s, data_factors[factor], wholes[kind].excluded, wholes[kind].make);
    scene_find(&s);
    assert_one_finding(&s, wholes[kind].code, wholes[kind].name, 1, "W");
    scene_close(&s);
}
END_TEST

/* What all numbers of somebody's right gradient are made of before they are claimed. */
static double as_float(double right, double transpose, double penalty)
{
    (void)transpose, (void)penalty;
    return (double)(float)right;
}

static double as_decimals(double right, double transpose, double penalty)
{
    (void)transpose, (void)penalty;
    return nearbyint(right * 1e6) / 1e6;
}

/* The whole claim from somebody's own numbers, which are kept. */
static void claim_given(scene *s, double factor, bool excluded, const double *own)
{
    const gck_model *model = s->net.model;
    for (size_t i = 0; i < model->parameter_count; i++) {
        const double penalty = gck_model_penalty_exact(model, i, s->net.parameters[i]);
        s->c.gradient[i] = (own[i] - (excluded ? 0 : penalty)) * factor + penalty;
    }
    s->c.claim.data_factor = factor;
    s->c.claim.penalties_added = excluded;
    s->c.claim.given = own;
    claims_judge(&s->c);
    scene_find(s);
}

/* _i: the factor, whether penalties are excluded, and what of. */
START_TEST(digits_are_counted_in_the_convention_they_were_left_out_in)
{
    const double factor = data_factors[_i % 4];
    const bool excluded = _i / 4 % 2 == 1;
    wrong_whole *const round = _i / 8 == 0 ? as_float : as_decimals;
    scene s;
    scene_open(&s, false);
    scene_claim(&s, NULL, 0);
    const gck_model *model = s.net.model;
    double *own = gck_vector_copy(s.c.gradient, model->parameter_count);
    for (size_t i = 0; i < model->parameter_count; i++) {
        const double penalty = gck_model_penalty_exact(model, i, s.net.parameters[i]);
        own[i] = round((own[i] - penalty) / factor + (excluded ? 0 : penalty), 0, 0);
    }
    claim_given(&s, factor, excluded, own);
    assert_one_finding(&s, "rounded", round == as_float ? "float32" : "decimals",
                       GCK_FINDING_NO_LAYER, "");
    gck_vector_free(own);
    scene_close(&s);
}
END_TEST

/* Quotients of a cost that is scaled by a third, claimed where it is not. */
START_TEST(quotients_are_told_in_the_convention_they_were_taken_in)
{
    const gck_layer_spec layers[] = {dense(4, "tanh"), dense_with(4, "tanh", "l2", 0.1),
                                     dense(3, "linear")};
    const gck_choice cost = cost_named("mse");
    scene s = {.net = network_new(4, layers, 3, cost, SCENE_ROWS)};
    network theirs = network_new(4, layers, 3, with_option(cost, "scale", 1.0 / 3), SCENE_ROWS);
    const gck_check_spec spec = check_spec_of(&s.net);
    ck_assert(claims_open(&s.c, &s.net, &spec, GCK_FLOAT64));
    double *own = gck_vector_new(s.net.model->parameter_count);
    mistaken_gradient(&theirs, &(mistaken){.id = QUOTIENT_CENTRAL}, 1, own, s.c.x);
    claim_given(&s, 3, false, own);
    assert_one_finding(&s, "finite_difference", "central", GCK_FINDING_NO_LAYER, "");
    ck_assert_double_eq(finding_number(&s.found.finding[0], "step"), 1e-3);
    gck_vector_free(own);
    network_done(&theirs);
    scene_close(&s);
}
END_TEST

SUITE_MAIN("finding_convention",
           {mistakes_are_found_in_the_convention_they_were_made_in, COUNT(wholes) * 4},
           {digits_are_counted_in_the_convention_they_were_left_out_in, 4 * 2 * 2},
           {quotients_are_told_in_the_convention_they_were_taken_in, 0})
