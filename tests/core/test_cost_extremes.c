/* Costs at the ends: huge logits, targets all but reached, infinities and what is no number. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>

#include "core/cost.h"
#include "core/derivatives.h"

#include <math.h>
#include <string.h>

enum { UNITS = 4 };

/* The outputs of a last layer for one sample. */
typedef struct batch {
    size_t units;
    double z[UNITS], a[UNITS], y[UNITS];
    gck_choice activation;
} batch;

static gck_outputs outputs_of(const batch *b)
{
    return (gck_outputs){b->units, 1, b->a, b->z, &b->activation};
}

static void batch_one(batch *b, const char *name, size_t units, const double *z, const double *y)
{
    *b = (batch){.units = units, .activation = activation_named(name)};
    memcpy(b->z, z, units * sizeof *z);
    memcpy(b->y, y, units * sizeof *y);
    gck_activation_forward(&b->activation, units, 1, b->z, b->a);
}

/* ---- large logits ---- */

static void assert_finite_at(const char *name, const batch *b)
{
    const gck_choice cost = cost_named(name);
    const gck_outputs outputs = outputs_of(b);
    double loss, delta[UNITS];
    gck_cost_losses(&cost, &outputs, b->y, &loss);
    gck_cost_row_of(&cost)->derivatives->delta(&outputs, b->y, delta);
    ck_assert_msg(isfinite(loss), "%s of %s is %g at z = %g", name, b->activation.item->name, loss,
                  b->z[0]);
    for (size_t j = 0; j < b->units; j++)
        ck_assert_msg(isfinite(delta[j]), "delta of %s of %s is %g at z = %g", name,
                      b->activation.item->name, delta[j], b->z[0]);
}

START_TEST(large_logits_stay_finite)
{
    const char *const names[] = {"binary_crossentropy", "categorical_crossentropy", "mse", "mae",
                                 "dot"};
    const char *const last[] = {"sigmoid", "softmax", "gaussian"};
    const double targets[][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 1}, {0.3, 0.9, 0.1}};
    const double logits[][3] = {{1000, 0.1, 0.2},    {-1000, 0.1, 0.2},     {1000, -1000, 0.1},
                                {1000, 1000, -1000}, {-1000, -1000, -1000}, {1000, 1000, 1000},
                                {0.1, 1e-3, -1000},  {750, 0.3, -750},      {36, 37.5, 38}};
    for (size_t n = 0; n < COUNT(names); n++)
        for (size_t a = 0; a < COUNT(last); a++)
            for (size_t z = 0; z < COUNT(logits); z++)
                for (size_t t = 0; t < COUNT(targets); t++) {
                    batch b;
                    batch_one(&b, last[a], 3, logits[z], targets[t]);
                    assert_finite_at(names[n], &b);
                }
}
END_TEST

typedef struct known_loss {
    const char *cost, *activation;
    double z[2], y[2];
    double loss, delta[2];
} known_loss;

/* By hand: ln(1 + e^-1000) and e^-1000 are 0 in doubles. Each is exact, as no rounding takes part.
 */
static const known_loss known_losses[] = {
    {"binary_crossentropy", "sigmoid", {1000, -1000}, {0, 1}, 2000, {1, -1}},
    {"binary_crossentropy", "sigmoid", {1000, -1000}, {1, 0}, 0, {0, 0}},
    {"categorical_crossentropy", "sigmoid", {-1000, 1000}, {0.5, 1}, 500, {-0.5, 0}},
    {"categorical_crossentropy", "softmax", {1000, 0}, {0, 1}, 1000, {1, -1}},
    {"categorical_crossentropy", "softmax", {-1000, 0}, {0, 1}, 0, {0, 0}},
    {"categorical_crossentropy", "softmax", {0, -1000}, {1, 1}, 1000, {1, -1}},
    {"binary_crossentropy", "softmax", {1000, 0}, {0, 1}, 2000, {2, -2}},
    {"binary_crossentropy", "softmax", {1000, 0}, {1, 0}, 0, {0, 0}},
    {"binary_crossentropy", "gaussian", {1000, -8}, {1, 1}, 1000064, {2000, -16}},
    {"categorical_crossentropy", "gaussian", {-1000, 3}, {0.5, 0}, 500000, {-1000, 0}},
};

START_TEST(large_logits_give_the_right_numbers)
{
    const known_loss *known = &known_losses[_i];
    const gck_choice cost = cost_named(known->cost);
    batch b;
    batch_one(&b, known->activation, 2, known->z, known->y);
    const gck_outputs outputs = outputs_of(&b);
    double loss, delta[2];
    gck_cost_losses(&cost, &outputs, b.y, &loss);
    gck_cost_row_of(&cost)->derivatives->delta(&outputs, b.y, delta);
    ck_assert_msg(loss == known->loss, "loss %.17g", loss);
    ck_assert_msg(delta[0] == known->delta[0] && delta[1] == known->delta[1], "delta %.17g, %.17g",
                  delta[0], delta[1]);
}
END_TEST

/* ---- small losses, infinities, NaN ---- */

/* The losses of targets that the outputs nearly reach are tiny, and a numeric derivative takes
 * differences of them: they must be right relative to themselves. The exponent's rounding counts
 * with the exponent's size, at most 81 here; a few roundings come to that; 200 u hold both. */
START_TEST(tiny_losses_keep_their_digits)
{
    const struct {
        const char *activation;
        double z[2], y[2];
        long double loss;
    } cases[] = {
        {"sigmoid", {30, -30}, {1, 0}, 2 * log1pl(expl(-30))},
        {"softmax", {30, 0}, {1, 0}, 2 * log1pl(expl(-30))},
        {"gaussian", {5, 5}, {0, 0}, -2 * log1pl(-expl(-25))},
        {"gaussian", {7, -9}, {0, 0}, -log1pl(-expl(-49)) - log1pl(-expl(-81))},
    };
    const gck_choice cost = cost_named("binary_crossentropy");
    for (size_t i = 0; i < COUNT(cases); i++) {
        batch b;
        batch_one(&b, cases[i].activation, 2, cases[i].z, cases[i].y);
        const gck_outputs outputs = outputs_of(&b);
        double loss;
        gck_cost_losses(&cost, &outputs, b.y, &loss);
        assert_within(loss, cases[i].loss, 200 * ROUNDOFF * cases[i].loss, "%s at %g",
                      cases[i].activation, cases[i].z[0]);
    }
}
END_TEST

/* -ln(1 - e^(-z^2)) is about -2 ln|z| near 0: finite at every z but 0, where no double is. */
START_TEST(gaussian_is_infinite_at_0_alone)
{
    const double tiny[] = {1e-8, 1e-100, 1e-154, 1e-160, 1e-170, 1e-300};
    const double target = 0;
    const gck_choice cost = cost_named("binary_crossentropy");
    for (size_t i = 0; i < COUNT(tiny); i++) {
        batch b;
        batch_one(&b, "gaussian", 1, &tiny[i], &target);
        const gck_outputs outputs = outputs_of(&b);
        double loss, delta;
        gck_cost_losses(&cost, &outputs, b.y, &loss);
        gck_cost_row_of(&cost)->derivatives->delta(&outputs, b.y, &delta);
        /* The next terms are z^2/2 and z, at most 1e-16 and 1e-8 against 37 and 2e8. */
        const long double want = -2 * logl(tiny[i]);
        assert_within(loss, want, 4 * ROUNDOFF * want, "loss at %g", tiny[i]);
        assert_within(delta, -2 / (long double)tiny[i], 4 * ROUNDOFF * (2 / (long double)tiny[i]),
                      "delta at %g", tiny[i]);
    }
    const double zero = 0;
    batch b;
    batch_one(&b, "gaussian", 1, &zero, &target);
    const gck_outputs outputs = outputs_of(&b);
    double loss;
    gck_cost_losses(&cost, &outputs, b.y, &loss);
    ck_assert(loss == INFINITY);
}
END_TEST

/* A target of 0 silences an infinite term, but an output that is no number is never a loss of 0. */
START_TEST(not_a_number_is_never_silent)
{
    const char *const names[] = {"binary_crossentropy", "categorical_crossentropy", "mse", "mae",
                                 "dot"};
    const char *const last[] = {"sigmoid", "softmax", "gaussian"};
    const double z[] = {NAN, 1}, y[] = {0, 1};
    for (size_t n = 0; n < COUNT(names); n++)
        for (size_t a = 0; a < COUNT(last); a++) {
            const gck_choice cost = cost_named(names[n]);
            batch b;
            batch_one(&b, last[a], 2, z, y);
            const gck_outputs outputs = outputs_of(&b);
            double loss;
            gck_cost_losses(&cost, &outputs, b.y, &loss);
            ck_assert_msg(isnan(loss), "%s of %s is %g", names[n], last[a], loss);
        }
}
END_TEST

SUITE_MAIN("cost_extremes", {large_logits_stay_finite, 0},
           {large_logits_give_the_right_numbers, COUNT(known_losses)},
           {tiny_losses_keep_their_digits, 0}, {gaussian_is_infinite_at_0_alone, 0},
           {not_a_number_is_never_silent, 0})
