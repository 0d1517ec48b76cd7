/* Activations and losses in difference form against long double, from saturated outputs and by
 * changes of all sizes. The kernels underneath have tests of their own. */
#include "tests/core/compare.h"
#include "tests/core/fixtures.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/kernels.h>

#include "core/activation.h"
#include "core/change.h"
#include "core/cost.h"

#include <math.h>
#include <string.h>

enum { UNITS = 4, LANES = 400 };

/* Lanes of a last layer, with what a change needs. */
typedef struct batch {
    gck_choice activation;
    size_t units, lanes;
    double z[UNITS * LANES], a[UNITS * LANES], y[UNITS * LANES], change[UNITS * LANES];
    double aux[GCK_CHANGE_AUX][UNITS * LANES];
    double loss[LANES];
} batch;

static batch the_batch;

static batch *batch_new(const char *activation, size_t units)
{
    gck_error error;
    assert_ok(gck_kernels_start("auto", &error), &error);
    the_batch = (batch){.activation = activation_named(activation), .units = units};
    return &the_batch;
}

/* Values of all units for one more lane; they are put in order by batch_activate. */
static void batch_add(batch *b, const double *z, const double *y, const double *d, double step)
{
    ck_assert_uint_lt(b->lanes, LANES);
    for (size_t j = 0; j < b->units; j++) {
        b->z[j * LANES + b->lanes] = z[j];
        b->y[j * LANES + b->lanes] = y[j];
        b->change[j * LANES + b->lanes] = d[j] * step;
    }
    b->lanes++;
}

static void tighten(double *values, size_t units, size_t lanes)
{
    for (size_t j = 1; j < units; j++)
        memmove(values + j * lanes, values + j * LANES, lanes * sizeof *values);
}

static void batch_activate(batch *b)
{
    tighten(b->z, b->units, b->lanes);
    tighten(b->y, b->units, b->lanes);
    tighten(b->change, b->units, b->lanes);
    gck_activation_forward(&b->activation, b->units, b->lanes, b->z, b->a);
}

static void activation_apply(batch *b)
{
    const struct gck_activation_change *change = gck_activation_row_of(&b->activation)->change;
    double *const aux[] = {b->aux[0], b->aux[1], b->aux[2]};
    ck_assert_uint_le(change->aux_count, GCK_CHANGE_AUX);
    if (change->prepare != NULL)
        change->prepare(b->activation.option, b->units, b->lanes, b->z, b->a, aux);
    change->apply(b->activation.option, b->units, b->lanes, b->z, (const double *const *)aux,
                  b->change);
}

/* Leaves the changes as they were. */
static void cost_apply(batch *b, const gck_choice *cost)
{
    const struct gck_cost_change *change = gck_cost_change_of(cost, &b->activation);
    const gck_outputs outputs = {b->units, b->lanes, b->a, b->z, &b->activation};
    double *const aux[] = {b->aux[0], b->aux[1], b->aux[2]};
    double scratch[UNITS * LANES];
    ck_assert_uint_le(change->aux_count, GCK_CHANGE_AUX);
    memcpy(scratch, b->change, sizeof scratch);
    if (change->prepare != NULL) change->prepare(&outputs, b->y, aux);
    const gck_cost_base base = {b->units,
                                b->lanes,
                                b->activation.option,
                                gck_cost_is_entropy(cost) ? b->z : b->a,
                                b->y,
                                {aux[0], aux[1], aux[2]}};
    change->apply(&base, scratch, b->loss);
}

/* ---- activations unit by unit ---- */

static const double places[] = {0.01, 0.3, 0.7, 1.6, 4, 11, 36, 300};

/* Values in long double, subtracted, keep 53 of their 64 bits for a change of 2^-10 of them. The
 * kernels err by 13 at most, of which 2 are for p and q rounded once; here each errs by 5, and by
 * |c z| for the rounding of c z. A gaussian's value errs by z^2 for the rounding of z^2. */
START_TEST(activations_change_as_their_formulas)
{
    batch *b = batch_new(gck_activations.rows[_i]->name, 1);
    if (gck_activation_row_of(&b->activation)->change->coupled) return;
    const double none = 0;
    for (size_t i = 0; i < COUNT(places) * 16; i++) {
        const double z = (i % 2 == 0 ? 1 : -1) * places[i / 16];
        const double d = (i % 4 < 2 ? 1 : -1) * exp2(-(double)(i / 4 % 4) * 3 - 2.1);
        batch_add(b, &z, &none, &d, 1);
    }
    double d[LANES];
    batch_activate(b);
    memcpy(d, b->change, sizeof d);
    activation_apply(b);
    for (size_t k = 0; k < b->lanes; k++) {
        const long double z = b->z[k], u = z + d[k];
        const long double from = formula_value(&b->activation, z),
                          to = formula_value(&b->activation, u), want = to - from;
        const long double condition =
            strcmp(b->activation.item->name, "gaussian") == 0 ? z * z : 4 * fabsl(z);
        assert_within(b->change[k], want,
                      ((20 + condition) * fabsl(want) + 0x1p-9L * (fabsl(from) + fabsl(to))) *
                              ROUNDOFF +
                          4 * SMALLEST,
                      "%s from %a by %a", b->activation.item->name, b->z[k], d[k]);
    }
}
END_TEST

START_TEST(every_activation_has_a_change)
{
    for (size_t i = 0; i < gck_activations.count; i++) {
        const gck_choice choice = gck_choice_default(gck_activations.rows[i]);
        const struct gck_activation_change *change = gck_activation_row_of(&choice)->change;
        ck_assert_ptr_nonnull(change->apply);
        ck_assert_int_eq(change->aux_count > 0, change->prepare != NULL);
        ck_assert_int_eq(change->coupled, strcmp(choice.item->name, "softmax") == 0);
    }
}
END_TEST

START_TEST(kinks_are_where_the_formulas_meet)
{
    const char *const at_zero[] = {"relu", "leaky_relu", "elu", "selu", "softsign"};
    double place[GCK_KINKS_MAX];
    size_t kinked = 0;
    for (size_t i = 0; i < gck_activations.count; i++) {
        const gck_choice choice = gck_choice_default(gck_activations.rows[i]);
        kinked += gck_activation_row_of(&choice)->change->kinks != NULL;
    }
    ck_assert_uint_eq(kinked, COUNT(at_zero) + 1);
    for (size_t i = 0; i < COUNT(at_zero); i++) {
        const gck_choice choice = activation_named(at_zero[i]);
        ck_assert_uint_eq(gck_activation_row_of(&choice)->change->kinks(choice.option, place), 1);
        ck_assert(place[0] == 0);
    }
    const gck_choice choice = with_option(activation_named("piecewise_linear"), "alpha", 0.4);
    ck_assert_uint_eq(gck_activation_row_of(&choice)->change->kinks(choice.option, place), 2);
    ck_assert(place[0] == -0.4 && place[1] == 0.4);
}
END_TEST

/* ---- softmax ---- */

static const double logits[][3] = {{0.1, 0.2, -0.3}, {1, -2, 0.5},  {0, 0, 0},
                                   {36, 37.5, 38},   {700, 0, -3},  {-700, 1, 2},
                                   {-750, -1500, 0}, {40, 0, -0.5}, {25, 1e-3, -24}};
static const double targets[][3] = {{1, 0, 0}, {0, 1, 0},       {0, 0, 1},
                                    {0, 0, 0}, {0.3, 0.5, 0.2}, {1, 1, 1}};
static const double directions[][3] = {{1, -0.5, 0.25}, {0.3, 1, -1}, {0, 0, -1}, {1, 1, 1}};

enum { COMBINATIONS = COUNT(logits) * COUNT(targets) * COUNT(directions) };

/* All of them, by one step; the number of lanes is no multiple of anything. */
static batch *combinations(const char *activation, double step)
{
    batch *b = batch_new(activation, 3);
    for (size_t i = 0; i < COMBINATIONS; i++)
        batch_add(b, logits[i % COUNT(logits)], targets[i / COUNT(logits) % COUNT(targets)],
                  directions[i / COUNT(logits) / COUNT(targets)], step);
    batch_activate(b);
    return b;
}

/* A sample in long double: outputs, and changes relative to that of the largest. */
typedef struct sample {
    size_t units;
    long double z[UNITS], d[UNITS], y[UNITS], a[UNITS], e[UNITS];
    long double s, s_size;  /* sum of a E, and of absolute values */
    long double e_size;     /* sum of |E| */
    long double log_growth; /* ln(1 + S) = ln(sum of a e^D) */
} sample;

static size_t largest(size_t units, const long double *values)
{
    size_t at = 0;
    for (size_t j = 1; j < units; j++)
        if (values[j] > values[at]) at = j;
    return at;
}

static sample sample_of(const batch *b, size_t lane)
{
    sample s = {.units = b->units};
    for (size_t j = 0; j < s.units; j++) {
        s.z[j] = b->z[j * b->lanes + lane];
        s.d[j] = b->change[j * b->lanes + lane];
        s.y[j] = b->y[j * b->lanes + lane];
    }
    const size_t top = largest(s.units, s.z);
    const long double d = s.d[top], shift = s.z[top];
    long double sum = 0, growth = 0;
    for (size_t j = 0; j < s.units; j++)
        sum += s.a[j] = expl(s.z[j] - shift);
    for (size_t j = 0; j < s.units; j++) {
        s.d[j] -= d;
        s.a[j] /= sum;
        s.e[j] = expm1l(s.d[j]);
        s.s += s.a[j] * s.e[j];
        s.s_size += s.a[j] * fabsl(s.e[j]);
        s.e_size += fabsl(s.e[j]);
        growth += s.a[j] * expl(s.d[j]);
    }
    s.log_growth = fabsl(s.s) < 0.5L ? log1pl(s.s) : logl(growth);
    return s;
}

/* Outputs err by 2 for e^(z_j - z_u), as much for the rounding of the difference as it is large
 * (weighted by itself, at most 1, but where it is the only term), by 4 for their sum and quotient;
 * the rest are a dozen operations. */
static long double softmax_units(const sample *s)
{
    long double spread = 0;
    for (size_t j = 0; j < s->units; j++)
        spread = fmaxl(spread, fabsl(s->z[j] - s->z[largest(s->units, s->z)]));
    return 24 + spread;
}

static const double softmax_steps[] = {1e-300, 1e-18, 1e-8, 1e-3, 0.1, 0.9, 3, 20, 290, 400, 2000};

/* a_j (E_j - S) / (1 + S), to a few roundings of the larger of E_j and S; beyond 300, of values. An
 * a that underflows misses up to half the smallest double. */
START_TEST(softmax_changes_without_cancellation)
{
    const double step = softmax_steps[_i];
    batch *b = combinations("softmax", step);
    static sample samples[COMBINATIONS];
    for (size_t k = 0; k < b->lanes; k++)
        samples[k] = sample_of(b, k);
    activation_apply(b);
    for (size_t k = 0; k < b->lanes; k++) {
        const sample *s = &samples[k];
        for (size_t j = 0; j < s->units; j++) {
            const long double factor = s->a[j] / (1 + s->s);
            const long double size = factor * (fabsl(s->e[j]) + s->s_size);
            const long double bound = softmax_units(s) * (step > 100 ? size + 1 + step : size);
            assert_within(b->change[j * b->lanes + k], factor * (s->e[j] - s->s),
                          bound * ROUNDOFF + 8 * SMALLEST * (1 + s->e_size),
                          "unit %zu of %zu by %g", j, k, step);
        }
    }
}
END_TEST

/* ---- losses ---- */

static const char *const plain_costs[] = {"mse", "mae", "dot"};

/* 3 roundings a unit and 3 of the sum, of absolute values, one of a - y; and the long doubles' own,
 * as they are subtracted plainly. */
START_TEST(losses_of_outputs_change_as_their_formulas)
{
    const gck_choice cost = cost_named(plain_costs[_i]);
    const double steps[] = {1e-2, 0.6, -2, 30};
    for (size_t i = 0; i < COUNT(steps); i++) {
        batch *b = combinations("linear", steps[i]);
        cost_apply(b, &cost);
        for (size_t k = 0; k < b->lanes; k++) {
            long double want = 0, size = 0;
            for (size_t j = 0; j < b->units; j++) {
                const size_t at = j * b->lanes + k;
                const long double from = b->z[at], to = from + b->change[at];
                const long double before = formula_loss(&cost, &b->activation, 1, &from, &b->y[at]);
                const long double after = formula_loss(&cost, &b->activation, 1, &to, &b->y[at]);
                want += after - before;
                size += 6 * fabsl(after - before) +
                        2 * fabsl(b->change[at]) * fabsl(from - b->y[at]) +
                        (fabsl(before) + fabsl(after)) * 0x1p-10L;
            }
            assert_within(b->loss[k], want, size * ROUNDOFF, "%s of %zu by %g", plain_costs[_i], k,
                          steps[i]);
        }
    }
}
END_TEST

typedef struct entropy_case {
    const char *cost, *activation;
    double step;
} entropy_case;

#define CASES(COST, ACTIVATION)                                                      \
    {COST, ACTIVATION, 1e-300}, {COST, ACTIVATION, 1e-18}, {COST, ACTIVATION, 1e-8}, \
        {COST, ACTIVATION, 1e-3}, {COST, ACTIVATION, -0.1}, {COST, ACTIVATION, 0.9}, \
        {COST, ACTIVATION, -3}, {COST, ACTIVATION, 20}, {COST, ACTIVATION, 300},     \
    {                                                                                \
        COST, ACTIVATION, -2000                                                      \
    }

static const entropy_case entropy_cases[] = {
    CASES("categorical_crossentropy", "sigmoid"),  CASES("binary_crossentropy", "sigmoid"),
    CASES("categorical_crossentropy", "gaussian"), CASES("binary_crossentropy", "gaussian"),
    CASES("categorical_crossentropy", "softmax"),  CASES("binary_crossentropy", "softmax")};

/* What a reference gives: the change, what it may err by in units of rounding, and of that sum the
 * part that values err by. */
typedef struct loss_change {
    long double change, bound;
} loss_change;

static void add_term(loss_change *sum, long double target, long double change, long double bound)
{
    if (target == 0) return;
    sum->change += target * change;
    sum->bound += target * bound;
}

static long double sigmoid(long double t)
{
    return 1 / (1 + expl(-t));
}

/* ln(1 + e^z), from the side where sigmoid <= 1/2 */
static long double softplus_change(long double z, long double d)
{
    if (z <= 0) return log1pl(sigmoid(z) * expm1l(d));
    if (d >= 0) return d + log1pl(sigmoid(-z) * expm1l(-d));
    return -softplus_change(z + d, -d);
}

/* The kernel's 6.8, p and q at 5 + |z| instead of 1, product and sum 2. Far: values. */
static void add_sigmoid(loss_change *sum, long double z, long double d, long double y)
{
    const long double yes = softplus_change(-z, -d), no = softplus_change(z, d);
    const long double roundings = 14 + fabsl(z) + (fabsl(d) > 0.25L ? 8 + fabsl(d) : 0);
    add_term(sum, y, yes, roundings * fabsl(yes));
    add_term(sum, 1 - y, no, roundings * fabsl(no));
}

/* ln(1 - e^-x), each form where the other one cancels */
static long double log_complement(long double x)
{
    return x < 0.7L ? logl(-expm1l(-x)) : log1pl(-expl(-x));
}

/* A has 3 roundings, e^-A - 1 adds 2, 1 / (e^(z^2) - 1) 3 and z^2 for the rounding of z^2, ln(1 +
 * x) twice that where x > -1/2. By values where it is not or z^2 underflows: both of them, with z^2
 * once more. */
static void add_gaussian(loss_change *sum, long double z, long double d, long double y)
{
    const long double a = d * (2 * z + d), u = z + d, x = -expm1l(-a) / expm1l(z * z);
    const bool near = x > -0.45L && x < 1e299L && z * z > 1e-306L;
    const long double from = log_complement(z * z), to = log_complement(u * u);
    const long double change = near ? log1pl(x) : to - from;
    const long double units = 24 + 2 * z * z + (fabsl(a) > 0.25L ? 4 * u * u : 0);
    add_term(sum, y, a, 4 * fabsl(a));
    if (d == 0) return;
    add_term(sum, 1 - y, -change, units * (near ? fabsl(change) : fabsl(to) + fabsl(from) + 2));
}

static loss_change elementwise_change(const batch *b, size_t lane, bool binary)
{
    loss_change sum = {0, 0};
    for (size_t i = lane; i < b->units * b->lanes; i += b->lanes) {
        loss_change yes = {0, 0}, both = {0, 0};
        const bool is_sigmoid = strcmp(b->activation.item->name, "sigmoid") == 0;
        (is_sigmoid ? add_sigmoid : add_gaussian)(&both, b->z[i], b->change[i], b->y[i]);
        /* without the part of 1 - y */
        (is_sigmoid ? add_sigmoid : add_gaussian)(&yes, b->z[i], b->change[i], 1);
        add_term(&sum, 1, binary ? both.change : b->y[i] * yes.change,
                 binary ? both.bound : b->y[i] * yes.bound);
    }
    return sum;
}

/* -ln(1 - a_j) = ln(sum of all e^z) - ln(sum of the others' e^z); bounded by what
 *   ln(1 + S) - ln(1 + T) for the top unit, ln(1 + a_j / (1 - a_j) (S - E_j) / (1 + S)) for others
 * are made of. */
static void add_complement(loss_change *sum, const sample *s, size_t j)
{
    const size_t top = largest(s->units, s->z);
    long double others = 0, t = 0, size = 0, growth = 0;
    for (size_t i = 0; i < s->units; i++)
        others += i == j ? 0 : s->a[i];
    for (size_t i = 0; i < s->units; i++) {
        const long double w = i == j ? 0 : s->a[i] / others;
        t += w * s->e[i];
        size += w * fabsl(s->e[i]);
        growth += w * expl(s->d[i]);
    }
    const long double change = s->log_growth - (fabsl(t) < 0.5L ? log1pl(t) : logl(growth));
    const long double odds = s->a[j] / others;
    add_term(sum, 1 - s->y[j], change,
             3 * (j == top ? s->s_size + size : odds * (s->s_size + fabsl(s->e[j]))));
}

/* By values where a change is far: both losses are right to a few roundings of themselves and of
 * the exponents, of which the largest is the step or the spread of the logits. */
static loss_change softmax_loss_change(const batch *b, size_t lane, bool binary)
{
    const sample s = sample_of(b, lane);
    loss_change sum = {0, 0};
    long double far = 0;
    for (size_t j = 0; j < s.units; j++) {
        add_term(&sum, s.y[j], s.log_growth - s.d[j], s.s_size + fabsl(s.d[j]));
        if (binary) add_complement(&sum, &s, j);
        far = fmaxl(far, fabsl(s.d[j]));
    }
    /* an a that underflows misses up to half the smallest double */
    sum.bound = sum.bound * softmax_units(&s) + 8 * SMALLEST / ROUNDOFF * s.e_size;
    if (far > (binary ? 0.5L : 300)) sum.bound = 64 * (softmax_units(&s) + far);
    return sum;
}

static loss_change entropy_change_of(const batch *b, size_t lane, const char *cost)
{
    const bool binary = strcmp(cost, "binary_crossentropy") == 0;
    if (strcmp(b->activation.item->name, "softmax") == 0)
        return softmax_loss_change(b, lane, binary);
    return elementwise_change(b, lane, binary);
}

/* A gaussian's loss is infinite at 0. */
static void assert_loss(const entropy_case *c, const batch *b, size_t lane, loss_change want)
{
    if (isnan(want.change)) return; /* from one infinity to another */
    if (isinf(want.change))
        ck_assert_msg(b->loss[lane] == (double)want.change, "%s of %s, combination %zu by %g: %g",
                      c->cost, c->activation, lane, c->step, b->loss[lane]);
    else
        assert_within(b->loss[lane], want.change, want.bound * ROUNDOFF + 64 * SMALLEST,
                      "%s of %s, combination %zu by %g", c->cost, c->activation, lane, c->step);
}

START_TEST(entropies_change_without_cancellation)
{
    const entropy_case *c = &entropy_cases[_i];
    const gck_choice cost = cost_named(c->cost);
    batch *b = combinations(c->activation, c->step);
    cost_apply(b, &cost);
    for (size_t k = 0; k < b->lanes; k++)
        assert_loss(c, b, k, entropy_change_of(b, k, c->cost));
}
END_TEST

/* Where ln(1 - e^(-z^2)) goes far down and back, between ratios that overflow and arguments that
 * cancel: one unit, by a change of its own. */
static const double near_zero[][2] = {{0.3, -0.299999}, {0.3, -0.3},      {2, -1.9999999},
                                      {1e-170, 1e-100}, {1e-170, 1e-180}, {1e-9, 1e-10},
                                      {-1e-5, 2e-5},    {-1e-5, 1.1e-5},  {0, 1e-200},
                                      {0, 0.1},         {1e-3, 1e-13},    {6e-155, 1e-170}};

START_TEST(gaussians_change_near_0)
{
    const entropy_case c = {"binary_crossentropy", "gaussian", 1};
    const gck_choice cost = cost_named(c.cost);
    batch *b = batch_new(c.activation, 1);
    for (size_t i = 0; i < COUNT(near_zero); i++)
        for (double y = 0; y <= 1; y += 0.25)
            batch_add(b, &near_zero[i][0], &y, &near_zero[i][1], 1);
    batch_activate(b);
    cost_apply(b, &cost);
    for (size_t k = 0; k < b->lanes; k++)
        assert_loss(&c, b, k, entropy_change_of(b, k, c.cost));
}
END_TEST

/* The stable forms above are the plain difference, which errs by a few roundings of a long double
 * in the losses and in the exponents that they come from. */
START_TEST(the_stable_forms_are_the_plain_differences)
{
    const entropy_case *c = &entropy_cases[_i];
    const gck_choice cost = cost_named(c->cost);
    batch *b = combinations(c->activation, c->step);
    for (size_t k = 0; k < b->lanes; k++) {
        long double from[UNITS], to[UNITS], size = 0;
        double y[UNITS];
        for (size_t j = 0; j < b->units; j++) {
            from[j] = b->z[j * b->lanes + k];
            to[j] = from[j] + b->change[j * b->lanes + k];
            y[j] = b->y[j * b->lanes + k];
            size += fabsl(from[j]) + fabsl(to[j]);
        }
        const long double before = formula_loss(&cost, &b->activation, b->units, from, y),
                          after = formula_loss(&cost, &b->activation, b->units, to, y);
        const long double got = entropy_change_of(b, k, c->cost).change;
        const long double bound = 16 * (before + after + size + 1) * 0x1p-64L;
        if (isinf(before) || isinf(after)) continue;
        ck_assert_msg(fabsl(got - (after - before)) <= bound, "combination %zu: %Lg, plainly %Lg",
                      k, got, after - before);
    }
}
END_TEST

/* ---- for all of them ---- */

typedef struct pair {
    const char *cost, *activation;
} pair;

static const pair pairs[] = {
    {"mse", "linear"},
    {"mae", "linear"},
    {"dot", "linear"},
    {"categorical_crossentropy", "sigmoid"},
    {"binary_crossentropy", "sigmoid"},
    {"categorical_crossentropy", "gaussian"},
    {"binary_crossentropy", "gaussian"},
    {"categorical_crossentropy", "softmax"},
    {"binary_crossentropy", "softmax"},
};

START_TEST(no_change_gives_none)
{
    const gck_choice cost = cost_named(pairs[_i].cost);
    batch *b = combinations(pairs[_i].activation, 0);
    cost_apply(b, &cost);
    for (size_t k = 0; k < b->lanes; k++)
        ck_assert_msg(b->loss[k] == 0, "combination %zu: %g", k, b->loss[k]);
    activation_apply(b);
    for (size_t i = 0; i < b->units * b->lanes; i++)
        ck_assert(b->change[i] == 0);
}
END_TEST

/* Losses at both ends are finite (but for a gaussian's at 0, which ends), and so is what is between
 * them. */
START_TEST(large_changes_stay_finite)
{
    const double steps[] = {1, 40, 500, 710, 800, 1e4, 1e10, 1e100};
    const gck_choice cost = cost_named(pairs[_i].cost);
    for (size_t i = 0; i < COUNT(steps); i++) {
        batch *b = combinations(pairs[_i].activation, steps[i]);
        cost_apply(b, &cost);
        for (size_t k = 0; k < b->lanes; k++)
            ck_assert_msg(isfinite(b->loss[k]) || b->loss[k] == -INFINITY ||
                              fabs(b->loss[k]) > 1e199,
                          "combination %zu by %g: %g", k, steps[i], b->loss[k]);
        activation_apply(b);
        for (size_t j = 0; j < b->units * b->lanes; j++)
            ck_assert(isfinite(b->change[j]));
    }
}
END_TEST

/* In a logit or in a change, even where the target is 0. */
START_TEST(not_a_number_is_never_silent)
{
    const gck_choice cost = cost_named(pairs[_i].cost);
    const double z[] = {1, 2, 3}, y[] = {0, 1, 0}, d[] = {0.1, 0.2, 0.3}, spoilt[] = {0.1, 2, NAN};
    batch *b = batch_new(pairs[_i].activation, 3);
    batch_add(b, z, y, d, 1);
    batch_add(b, spoilt, y, d, 1);
    batch_add(b, z, y, spoilt, 1);
    batch_add(b, z, y, d, 1);
    batch_activate(b);
    cost_apply(b, &cost);
    ck_assert(isfinite(b->loss[0]) && isfinite(b->loss[3]));
    ck_assert(isnan(b->loss[2]));
    if (strcmp(pairs[_i].cost, "dot") != 0) ck_assert(isnan(b->loss[1])); /* whatever a is */
}
END_TEST

/* A lane's bits are its own, whoever stands beside it and however far they go. */
START_TEST(lanes_do_not_see_each_other)
{
    const gck_choice cost = cost_named(pairs[_i].cost);
    double losses[COMBINATIONS], changes[3 * COMBINATIONS];
    batch *b = combinations(pairs[_i].activation, 0.01);
    const size_t lanes = b->lanes;
    cost_apply(b, &cost);
    memcpy(losses, b->loss, sizeof losses);
    activation_apply(b);
    memcpy(changes, b->change, sizeof changes);
    b = combinations(pairs[_i].activation, 0.01);
    for (size_t k = 0; k < lanes; k += 7)
        b->change[k] = 1000;
    cost_apply(b, &cost);
    activation_apply(b);
    for (size_t k = 0; k < lanes; k++) {
        if (k % 7 == 0) continue;
        assert_same_bits(&b->loss[k], &losses[k], 1, "loss");
        for (size_t i = k; i < 3 * lanes; i += lanes)
            assert_same_bits(&b->change[i], &changes[i], 1, "change");
    }
}
END_TEST

START_TEST(one_unit_is_enough)
{
    const gck_choice cost = cost_named(pairs[_i].cost);
    const double z = 0.3, y = 1, d = 0.01;
    batch *b = batch_new(pairs[_i].activation, 1);
    batch_add(b, &z, &y, &d, 1);
    batch_activate(b);
    cost_apply(b, &cost);
    ck_assert(isfinite(b->loss[0]));
    if (strcmp(pairs[_i].activation, "softmax") == 0) ck_assert(b->loss[0] == 0);
}
END_TEST

START_TEST(only_mae_has_a_kink)
{
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const gck_choice cost = cost_named(pairs[i].cost);
        const gck_choice activation = activation_named(pairs[i].activation);
        ck_assert_int_eq(gck_cost_change_of(&cost, &activation)->kinked,
                         strcmp(pairs[i].cost, "mae") == 0);
    }
}
END_TEST

SUITE_MAIN("change", {activations_change_as_their_formulas, 15}, {every_activation_has_a_change, 0},
           {kinks_are_where_the_formulas_meet, 0},
           {softmax_changes_without_cancellation, COUNT(softmax_steps)},
           {losses_of_outputs_change_as_their_formulas, COUNT(plain_costs)},
           {entropies_change_without_cancellation, COUNT(entropy_cases)},
           {gaussians_change_near_0, 0},
           {the_stable_forms_are_the_plain_differences, COUNT(entropy_cases)},
           {no_change_gives_none, COUNT(pairs)}, {large_changes_stay_finite, COUNT(pairs)},
           {not_a_number_is_never_silent, COUNT(pairs)},
           {lanes_do_not_see_each_other, COUNT(pairs)}, {one_unit_is_enough, COUNT(pairs)},
           {only_mae_has_a_kink, 0})
