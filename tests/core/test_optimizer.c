/* Optimizers against numbers worked out by hand. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include <gradcheck/optimizer.h>

#include <math.h>
#include <string.h>

/* Parameters 1, -2 and 0.5 after each of three steps with the gradients below. */
enum { COUNT_OF = 3, STEPS = 3 };

static const double start[COUNT_OF] = {1, -2, 0.5};
static const double gradients[STEPS][COUNT_OF] = {{0.5, -4, 0}, {-1, 2, 0.25}, {3, 0.125, -2}};

typedef struct worked {
    const char *name;
    struct {
        const char *name;
        double value;
    } option[4];
    size_t slots;
    long double after[STEPS][COUNT_OF];
} worked;

/* By the formulas of the protocol, worked out with 50 decimal digits from the exact values of the
 * doubles above and of the options (0.1, 0.9, 1e-8, … are not what they say). */
static const worked examples[] = {
    {"sgd",
     {{NULL, 0}},
     0,
     {{0.999499999999999999989592L, -1.99599999999999999991673L, 0.5L},
      {1.00050000000000000001041L, -1.99799999999999999995837L, 0.499749999999999999994796L},
      {0.997499999999999999947958L, -1.99812499999999999996097L, 0.501750000000000000036429L}}},
    {"momentum",
     {{NULL, 0}},
     1,
     {{0.999950000000000000010061L, -1.99960000000000000008049L, 0.5L},
      {1.00000499999999999999788L, -1.99944000000000000010381L, 0.499975000000000000005031L},
      {0.999754500000000000048513L, -1.99930850000000000011872L, 0.500152499999999999968758L}}},
    {"rmsprop",
     {{NULL, 0}},
     1,
     {{0.99683772253983160760198L, -1.99683772236483162005345L, 0.5L},
      {0.999694865315341814386183L, -1.99831214191551102643092L, 0.496837722739831569654654L},
      {0.996710123150337931731353L, -1.99840923203893911950338L, 0.499977997378440383610059L}}},
    {"adam",
     {{NULL, 0}},
     2,
     {{0.999000000019999999579183L, -1.99900000000249999997293L, 0.5L},
      {0.999366103542405656003194L, -1.99873366296368195547009L, 0.499255863218517220795669L},
      {0.998866239700415655461012L, -1.99854572865792443323072L, 0.499818436575488177590323L}}},
    {"adagrad",
     {{NULL, 0}},
     1,
     {{0.999000000019999999579183L, -1.99900000000249999997293L, 0.5L},
      {0.99989442720299991554792L, -1.99944721359699995792376L, 0.499000000039999998379183L},
      {0.99895738463459510839442L, -1.99947515353474886234364L, 0.49999227791179058915071L}}},
    {"sgd",
     {{"learning_rate", 0.1}},
     0,
     {{0.949999999999999997224442L, -1.59999999999999997779554L, 0.5L},
      {1.05000000000000000277556L, -1.79999999999999998889777L, 0.474999999999999998612221L},
      {0.749999999999999986122212L, -1.81249999999999998959166L, 0.675000000000000009714451L}}},
    {"momentum",
     {{"learning_rate", 0.1}, {"beta", 0.5}},
     1,
     {{0.974999999999999998612221L, -1.79999999999999998889777L, 0.5L},
      {1.01250000000000000069389L, -1.79999999999999998889777L, 0.487499999999999999306111L},
      {0.881249999999999993408051L, -1.80624999999999998924471L, 0.581250000000000004510281L}}},
    {"rmsprop",
     {{"learning_rate", 0.1}, {"beta", 0.75}, {"epsilon", 0.01}},
     1,
     {{0.80769230769230768178644L, -1.80099502487562187952088L, 0.5L},
      {0.987917181061892122362562L, -1.90049751243781093976044L, 0.314814814814814804820523L},
      {0.79833991221195506333684L, -1.90766832313000669983427L, 0.511695766006050164832269L}}},
    {"adam",
     {{"learning_rate", 0.1}, {"beta1", 0.5}, {"beta2", 0.75}, {"epsilon", 0.01}},
     2,
     {{0.901960784313725484793825L, -1.90024937655860348573973L, 0.5L},
      {0.961930477714178164762052L, -1.90024937655860348573973L, 0.4162404295004482308137L},
      {0.889749069367580263935057L, -1.90336926143577490421209L, 0.49662516508935710935727L}}},
    {"adagrad",
     {{"learning_rate", 0.1}, {"epsilon", 0.01}},
     1,
     {{0.901960784313725484793825L, -1.90024937655860348573973L, 0.5L},
      {0.990610595398603867825136L, -1.94487095921651257168825L, 0.40384615384615384089322L},
      {0.8971981098509470754602L, -1.94765872180458065906369L, 0.502584064296854782416297L}}},
};

static gck_choice choice_of(const worked *w)
{
    gck_choice choice = optimizer_named(w->name);
    for (size_t i = 0; i < COUNT(w->option) && w->option[i].name != NULL; i++)
        choice = with_option(choice, w->option[i].name, w->option[i].value);
    return choice;
}

/* What the protocol asks for, 1e-15, is 9 u: a step takes one rounding of W and at most ten of an
 * update, each of which is a tenth of W or less, so that three steps stay within. Adam's 1 -
 * beta2^t cancels to 1/1000 at its default, which makes 500 u of an update, but that is then 1/1000
 * of W. */
START_TEST(steps_are_those_worked_out_by_hand)
{
    const worked *w = &examples[_i];
    const gck_choice choice = choice_of(w);
    double parameters[COUNT_OF], state[2 * COUNT_OF] = {0};
    memcpy(parameters, start, sizeof parameters);
    ck_assert_uint_eq(gck_optimizer_slots(&choice), w->slots);
    for (size_t step = 0; step < STEPS; step++) {
        gck_optimizer_step(&choice, step + 1, COUNT_OF, gradients[step], state, parameters);
        for (size_t i = 0; i < COUNT_OF; i++)
            assert_within(parameters[i], w->after[step][i], 1e-15L * fabsl(w->after[step][i]),
                          "%s, step %zu, parameter %zu", w->name, step + 1, i);
    }
}
END_TEST

START_TEST(the_table_is_tested_whole)
{
    for (size_t row = 0; row < gck_optimizers.count; row++) {
        bool found = false;
        for (size_t i = 0; i < COUNT(examples); i++)
            found = found || strcmp(examples[i].name, gck_optimizers.rows[row]->name) == 0;
        ck_assert_msg(found, "%s has no test", gck_optimizers.rows[row]->name);
    }
}
END_TEST

/* Without any gradient, from the first step on, nothing moves and nothing divides 0 by 0. */
START_TEST(no_gradient_moves_nothing)
{
    const double none[COUNT_OF] = {0};
    for (size_t row = 0; row < gck_optimizers.count; row++) {
        const gck_choice choice = gck_choice_default(gck_optimizers.rows[row]);
        double parameters[COUNT_OF], state[2 * COUNT_OF] = {0};
        memcpy(parameters, start, sizeof parameters);
        for (uint64_t step = 1; step <= 100; step++)
            gck_optimizer_step(&choice, step, COUNT_OF, none, state, parameters);
        assert_same_bits(parameters, start, COUNT_OF, choice.item->name);
    }
}
END_TEST

/* Parameters do not mix: one after the other gives the bits of all at once. */
START_TEST(parameters_are_stepped_apart)
{
    for (size_t row = 0; row < gck_optimizers.count; row++) {
        const gck_choice choice = gck_choice_default(gck_optimizers.rows[row]);
        double together[COUNT_OF], state[2 * COUNT_OF] = {0};
        memcpy(together, start, sizeof together);
        for (size_t step = 0; step < STEPS; step++)
            gck_optimizer_step(&choice, step + 1, COUNT_OF, gradients[step], state, together);
        for (size_t i = 0; i < COUNT_OF; i++) {
            double alone = start[i], own[2] = {0};
            for (size_t step = 0; step < STEPS; step++)
                gck_optimizer_step(&choice, step + 1, 1, &gradients[step][i], own, &alone);
            assert_same_bits(&alone, &together[i], 1, choice.item->name);
        }
    }
}
END_TEST

/* On g = sign(x) each optimizer must walk towards 0. */
START_TEST(steps_go_downhill)
{
    for (size_t row = 0; row < gck_optimizers.count; row++) {
        const gck_choice choice = gck_choice_default(gck_optimizers.rows[row]);
        double x[2] = {1, -1}, state[4] = {0};
        for (uint64_t step = 1; step <= 50; step++) {
            const double gradient[] = {1, -1}, before = x[0];
            gck_optimizer_step(&choice, step, 2, gradient, state, x);
            ck_assert(x[0] < before && x[1] == -x[0]);
        }
        ck_assert_double_gt(x[0], 0.5);
    }
}
END_TEST

START_TEST(learning_rate_comes_first_and_is_a_thousandth)
{
    for (size_t row = 0; row < gck_optimizers.count; row++) {
        const gck_item *item = gck_optimizers.rows[row];
        ck_assert_str_eq(item->option[0].name, "learning_rate");
        ck_assert(item->option[0].fallback == 0.001);
    }
}
END_TEST

typedef struct bad_option {
    const char *name, *option;
    double value;
} bad_option;

static const bad_option bad_options[] = {
    {"sgd", "learning_rate", -1}, {"sgd", "learning_rate", NAN}, {"sgd", "learning_rate", INFINITY},
    {"momentum", "beta", 1},      {"momentum", "beta", -0.1},    {"rmsprop", "beta", NAN},
    {"rmsprop", "epsilon", 0},    {"adam", "beta1", 1},          {"adam", "beta2", 1},
    {"adam", "epsilon", -1e-8},   {"adagrad", "epsilon", 0},
};

START_TEST(options_are_kept_within_bounds)
{
    const bad_option *bad = &bad_options[_i];
    gck_choice choice = optimizer_named(bad->name);
    gck_error error;
    const int option = gck_item_option_find(choice.item, bad->option);
    ck_assert_int_ge(option, 0);
    assert_invalid(gck_choice_set(&choice, (size_t)option, bad->value, &error), &error,
                   bad->option);
}
END_TEST

SUITE_MAIN("optimizer", {steps_are_those_worked_out_by_hand, COUNT(examples)},
           {the_table_is_tested_whole, 0}, {no_gradient_moves_nothing, 0},
           {parameters_are_stepped_apart, 0}, {steps_go_downhill, 0},
           {learning_rate_comes_first_and_is_a_thousandth, 0},
           {options_are_kept_within_bounds, COUNT(bad_options)})
