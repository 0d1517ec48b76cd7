/* Sessions about the functions of functions.h: right gradients pass, and each of five ways to spoil
 * one fails in the tensor that is spoilt and in no other.
 *
 * FUNCTIONS=table prints what docs/probing.md says of each function; FUNCTIONS=right takes right
 * gradients at many points, with many directions; FUNCTIONS=long spoils every tensor there, too. */
#include "tests/core/functions.h"

#include "tests/core/suite.h"

#include <gradcheck/kernels.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum spoil { SCALED, FLIPPED, ELEMENT, MOVED, FORGOTTEN, SPOILS } spoil;

static const char *const spoil_names[SPOILS] = {"scaled", "flipped", "one element", "moved",
                                                "forgetful"};

/* A function at a point, with its right gradient and a claim. */
typedef struct trial {
    const function *f;
    uint32_t seed;
    size_t tensors;
    double *theta[FUNCTION_TENSORS], *right[FUNCTION_TENSORS], *claimed[FUNCTION_TENSORS];
} trial;

static void trial_gradient(const trial *t, double *const *to, bool forgetful)
{
    for (size_t i = 0; i < t->tensors; i++)
        memset(to[i], 0, function_size(t->f, i) * sizeof **to);
    t->f->value((const double *const *)t->theta, to, forgetful);
}

static trial trial_new(const function *f, uint32_t seed)
{
    trial t = {.f = f, .seed = seed, .tensors = function_tensors(f)};
    for (size_t i = 0; i < t.tensors; i++) {
        const size_t count = function_size(f, i);
        t.theta[i] = gck_vector_new(count);
        t.right[i] = gck_vector_new(count);
        t.claimed[i] = gck_vector_new(count);
        function_theta(f, i, seed, t.theta[i]);
    }
    trial_gradient(&t, t.right, false);
    trial_gradient(&t, t.claimed, false);
    return t;
}

static void trial_done(trial *t)
{
    for (size_t i = 0; i < t->tensors; i++) {
        gck_vector_free(t->theta[i]);
        gck_vector_free(t->right[i]);
        gck_vector_free(t->claimed[i]);
    }
}

static double value_of(void *context, const double *const *theta)
{
    const trial *t = context;
    return t->f->value(theta, NULL, false);
}

static gck_session_result *trial_run(trial *t)
{
    gck_session_tensor tensor[FUNCTION_TENSORS];
    for (size_t i = 0; i < t->tensors; i++)
        tensor[i] = (gck_session_tensor){t->f->tensor[i].name, t->f->tensor[i].shape, t->theta[i],
                                         t->claimed[i]};
    const gck_session_spec spec = {.tensor_count = t->tensors,
                                   .tensor = tensor,
                                   .dtype = t->f->dtype,
                                   .value = value_of(t, (const double *const *)t->theta),
                                   .tolerance = NAN,
                                   .worst = 5,
                                   .seed = t->seed};
    gck_session_result *result = NULL;
    gck_error error;
    if (gck_probe_check(&spec, value_of, t, &result, &error) != GCK_OK) {
        fprintf(stderr, "%s: %s: %s\n", t->f->name, error.where, error.text);
        abort();
    }
    return result;
}

/* ---- spoiling ---- */

/* Relative errors of this size are far above what passes: four times the tolerance, and no less
 * than 2 %. */
static double visible(const trial *t)
{
    return fmax(4 * gck_session_tolerance(t->f->dtype), 0.02);
}

/* An error of one element that is seen: of a tensor whose elements all have lines, four times what
 * each is granted, and both ends of a kink; of any other, twice what its directions are sure to
 * see.
 */
static double visible_element(const trial *t, const gck_tensor_report *right)
{
    const double size = right->norms.exact + right->norms.analytic;
    if (!isnan(right->detection)) return 2 * right->detection * size;
    return 4 * (gck_session_tolerance(t->f->dtype) * size + right->norms.bar) +
           2 * right->norms.difference;
}

static void scale(trial *t, size_t tensor, double factor)
{
    for (size_t e = 0; e < function_size(t->f, tensor); e++)
        t->claimed[tensor][e] = factor * t->right[tensor][e];
}

static double distance(const trial *t, size_t tensor)
{
    const size_t count = function_size(t->f, tensor);
    const double *a = t->right[tensor], *b = t->claimed[tensor];
    const double sizes = gck_vector_norm(a, count) + gck_vector_norm(b, count);
    return sizes == 0 ? 0 : gck_vector_distance(a, b, count) / sizes;
}

/* Transposed, or backwards where there are no two axes; all 0 where that is the same. */
static void move(trial *t, size_t tensor)
{
    const gck_shape *shape = &t->f->tensor[tensor].shape;
    const size_t count = function_size(t->f, tensor), rows = shape->dim[0];
    const bool matrix = shape->rank == 2 && rows > 1 && rows < count;
    for (size_t e = 0; e < count; e++) {
        const size_t from = matrix ? e % rows * (count / rows) + e / rows : count - 1 - e;
        t->claimed[tensor][e] = t->right[tensor][from];
    }
    if (distance(t, tensor) < visible(t)) scale(t, tensor, 0);
}

static void spoil_tensor(trial *t, spoil how, size_t tensor, const gck_tensor_report *right)
{
    const size_t count = function_size(t->f, tensor), element = 7 * count / 11;
    const double r = visible(t);
    scale(t, tensor, 1);
    if (how == SCALED) scale(t, tensor, (1 + r) / (1 - r));
    if (how == FLIPPED) scale(t, tensor, -1);
    if (how == MOVED) move(t, tensor);
    if (how == ELEMENT)
        t->claimed[tensor][element] +=
            copysign(visible_element(t, right), t->claimed[tensor][element]);
}

static bool is_zero(const trial *t, size_t tensor)
{
    double most = 0;
    for (size_t i = 0; i < t->tensors; i++)
        most = fmax(most, gck_vector_norm(t->right[i], function_size(t->f, i)));
    return gck_vector_norm(t->right[tensor], function_size(t->f, tensor)) <= 1e-12 * most;
}

/* ---- what must come of it ---- */

static void print_result(const trial *t, const char *what, const gck_session_result *result)
{
    fprintf(stderr, "%s, %s, seed %u: %s, noise %.3g, %zu evaluations\n", t->f->name, what, t->seed,
            gck_verdict_name(result->verdict), result->noise, result->evaluations);
    for (size_t i = 0; i < result->tensor_count; i++) {
        const gck_session_judged *judged = &result->tensor[i];
        fprintf(stderr,
                "  %-8s %-12s true distance %.3g; distance %.3g, bar %.3g, detection %.3g, wrong "
                "%zu, lines %zu, evaluations %zu%s\n",
                judged->of.name, gck_verdict_name(judged->of.verdict), distance(t, i),
                judged->of.distance, judged->of.error_bar, judged->of.detection,
                judged->of.wrong_elements, judged->lines, judged->evaluations,
                judged->still ? ", still" : "");
    }
    for (size_t i = 0; i < result->findings.count; i++)
        fprintf(stderr, "  finding: %s\n", result->findings.finding[i].message);
    for (size_t i = 0; i < result->warning_count; i++)
        fprintf(stderr, "  warning: %s\n", result->warning[i]);
}

static bool is_affordable(const trial *t, const gck_session_result *result)
{
    const size_t parameters = function_parameters(t->f);
    return !result->exhausted &&
           (parameters <= 10000 || result->evaluations <= 2 * parameters / 10);
}

static bool is_named(const gck_session_result *result, const char *name)
{
    for (size_t i = 0; i < result->findings.count; i++)
        if (strcmp(result->findings.finding[i].mistake.tensor, name) == 0) return true;
    return false;
}

/* Tensors that are wrong fail and are named; those that are right pass. */
static bool is_as_it_must_be(const trial *t, const gck_session_result *result)
{
    bool good = is_affordable(t, result);
    for (size_t i = 0; i < t->tensors; i++) {
        const gck_tensor_report *of = &result->tensor[i].of;
        const gck_verdict wanted = distance(t, i) > 0 ? GCK_FAIL : GCK_PASS;
        const bool open = t->f->coarse && of->verdict == GCK_INCONCLUSIVE;
        good &= open || of->verdict == wanted;
        good &= is_named(result, of->name) == (of->verdict == GCK_FAIL);
    }
    return good;
}

/* Runs a trial; the number of evaluations. */
static size_t judge(trial *t, const char *what, size_t *failures)
{
    gck_session_result *result = trial_run(t);
    const size_t evaluations = result->evaluations;
    const bool good = is_as_it_must_be(t, result);
    if (!good || getenv("FUNCTIONS_SHOWN") != NULL) print_result(t, what, result);
    *failures += !good;
    gck_session_result_free(result);
    return evaluations;
}

static size_t judge_right(const function *f, uint32_t seed, size_t *failures)
{
    trial t = trial_new(f, seed);
    const size_t evaluations = judge(&t, "right", failures);
    trial_done(&t);
    return evaluations;
}

/* The first tensor from there on with a gradient. */
static size_t with_gradient(const trial *t, size_t tensor)
{
    while (is_zero(t, tensor % t->tensors))
        tensor++;
    return tensor % t->tensors;
}

static size_t judge_spoilt(const function *f, uint32_t seed, spoil how, size_t tensor,
                           size_t *failures)
{
    trial t = trial_new(f, seed);
    tensor = with_gradient(&t, tensor);
    gck_session_result *right = trial_run(&t);
    if (how == FORGOTTEN)
        trial_gradient(&t, t.claimed, true);
    else
        spoil_tensor(&t, how, tensor, &right->tensor[tensor].of);
    const size_t evaluations = judge(&t, spoil_names[how], failures);
    gck_session_result_free(right);
    trial_done(&t);
    return evaluations;
}

/* ---- tests ---- */

START_TEST(a_right_gradient_passes)
{
    size_t failures = 0;
    judge_right(functions_at((size_t)_i), 0, &failures);
    ck_assert_uint_eq(failures, 0);
}
END_TEST

START_TEST(a_spoilt_gradient_fails_in_its_tensor)
{
    size_t failures = 0;
    for (spoil how = 0; how < SPOILS; how++)
        judge_spoilt(functions_at((size_t)_i), 0, how, (size_t)how, &failures);
    ck_assert_uint_eq(failures, 0);
}
END_TEST

/* Kinks nearer to theta than noise lets steps be: what makes error estimates false. */
START_TEST(many_kinks_and_few_digits_condemn_no_right_gradient)
{
    const function *f = functions_at(0);
    for (size_t i = 0; strcmp(f->name, "dense relu in float32") != 0; i++)
        f = functions_at(i);
    for (uint32_t seed = 0; seed < 30; seed++) {
        trial t = trial_new(f, seed);
        gck_session_result *result = trial_run(&t);
        ck_assert_int_ne(result->verdict, GCK_FAIL);
        gck_session_result_free(result);
        trial_done(&t);
    }
}
END_TEST

START_TEST(there_are_forty_functions_and_eight_large_ones)
{
    size_t large = 0;
    for (size_t i = 0; i < functions_count(); i++)
        large += function_parameters(functions_at(i)) > 10000;
    ck_assert_uint_ge(functions_count(), 40);
    ck_assert_uint_ge(large, 8);
}
END_TEST

/* ---- without tests ---- */

static size_t print_table(void)
{
    size_t failures = 0;
    puts("| function | parameters | 2P | evaluations, right | spoilt, at most |");
    puts("|---|---|---|---|---|");
    for (size_t i = 0; i < functions_count(); i++) {
        const function *f = functions_at(i);
        const size_t parameters = function_parameters(f), right = judge_right(f, 0, &failures);
        size_t most = 0;
        for (spoil how = 0; how < SPOILS; how++) {
            const size_t used = judge_spoilt(f, 0, how, (size_t)how, &failures);
            if (used > most) most = used;
        }
        printf("| %s | %zu | %zu | %zu | %zu |\n", f->name, parameters, 2 * parameters, right,
               most);
    }
    return failures;
}

static size_t run_point(const function *f, uint32_t seed, bool spoilt, size_t *runs)
{
    size_t failures = 0;
    judge_right(f, seed, &failures);
    ++*runs;
    for (size_t k = 0; k < SPOILS * function_tensors(f) && spoilt; k++, ++*runs)
        judge_spoilt(f, seed, k % SPOILS, k / SPOILS, &failures);
    return failures;
}

/* ROUNDS points of each function whose name holds FUNCTIONS_ONLY, with directions of their own;
 * spoilt: every tensor in every way, too. */
static size_t run_long(bool spoilt)
{
    const char *rounds = getenv("ROUNDS"), *only = getenv("FUNCTIONS_ONLY");
    const uint32_t last = rounds == NULL ? 20 : (uint32_t)strtoul(rounds, NULL, 10);
    size_t all = 0, runs = 0;
    for (size_t i = 0; i < functions_count(); i++) {
        const function *f = functions_at(i);
        size_t failures = 0;
        for (uint32_t seed = 0; seed < last; seed++)
            if (only == NULL || strstr(f->name, only) != NULL)
                failures += run_point(f, seed, spoilt, &runs);
        if (failures > 0) printf("%s: %zu\n", f->name, failures);
        all += failures;
    }
    printf("%zu of %zu are not as they must be\n", all, runs);
    return all;
}

int main(void)
{
    const char *what = getenv("FUNCTIONS");
    const int functions = (int)functions_count();
    const suite_test tests[] = {
        {a_right_gradient_passes, functions},
        {a_spoilt_gradient_fails_in_its_tensor, functions},
        {many_kinks_and_few_digits_condemn_no_right_gradient, 0},
        {there_are_forty_functions_and_eight_large_ones, 0},
    };
    gck_error error;
    if (what == NULL) return suite_run("functions", tests, sizeof tests / sizeof tests[0]);
    if (gck_kernels_start(getenv("TEST_KERNELS"), &error) != GCK_OK) return EXIT_FAILURE;
    const size_t failures =
        strcmp(what, "table") == 0 ? print_table() : run_long(strcmp(what, "right") != 0);
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
