/* Losses in difference form. Nothing here is a derivative: this file must stay apart from
 * core/derivatives.h. Any thread may call these; nothing is allocated.
 *
 * The cross-entropies are computed from z together with their activation. Where a change is too
 * large for the difference form, values at z + d and at z are subtracted. */
#include "core/change.h"
#include "core/entropy.h"
#include "core/kernels.h"

#include <math.h>
#include <string.h>

/* The widest a strip of lanes gets, so that sums stay on the stack. */
enum { STRIP = 128 };

static size_t strip_width(size_t lanes, size_t first)
{
    return lanes - first < STRIP ? lanes - first : STRIP;
}

/* target * term, where a target of 0 silences even an infinite term, but never one that is no
 * number */
static double part(double target, double term)
{
    return target == 0 && !isnan(term) ? 0 : target * term;
}

/* ---- costs of a; aux: a - y ---- */

static void prepare_difference(const gck_outputs *outputs, const double *y, double *const aux[])
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        aux[0][i] = outputs->a[i] - y[i];
}

/* loss = sum over units of what `add` adds for a row of x and of the change. */
static void sum_units(void (*add)(size_t, const double *, const double *, double *),
                      const gck_cost_base *base, const double *x, const double *change,
                      double *loss)
{
    memset(loss, 0, base->lanes * sizeof *loss);
    for (size_t unit = 0; unit < base->units; unit++)
        add(base->lanes, x + unit * base->lanes, change + unit * base->lanes, loss);
}

static void mse_apply(const gck_cost_base *base, double *change, double *loss)
{
    sum_units(gck_kernels_active()->add_square_change, base, base->aux[0], change, loss);
}
const struct gck_cost_change gck_cost_change_mse = {
    .aux_count = 1, .prepare = prepare_difference, .apply = mse_apply};

static void mae_apply(const gck_cost_base *base, double *change, double *loss)
{
    sum_units(gck_kernels_active()->add_size_change, base, base->aux[0], change, loss);
}
const struct gck_cost_change gck_cost_change_mae = {
    .aux_count = 1, .prepare = prepare_difference, .apply = mae_apply, .kinked = true};

static void dot_apply(const gck_cost_base *base, double *change, double *loss)
{
    sum_units(gck_kernels_active()->accumulate, base, base->y, change, loss);
}
const struct gck_cost_change gck_cost_change_dot = {.apply = dot_apply};

/* ---- cross-entropies of activations that work unit by unit ---- */

/* What differs between them: the change of a row of at most STRIP lanes from element `at` on, added
 * to sum, with NaN where vectors cannot give it; and that of one output, for any change. */
typedef struct unit_entropy {
    void (*add)(const gck_cost_base *base, size_t at, size_t width, const double *d, double *sum);
    double (*change)(const double *option, double z, double d, double y);
} unit_entropy;

static double lane_change(const unit_entropy *entropy, const gck_cost_base *base, size_t lane,
                          const double *change)
{
    double sum = 0;
    for (size_t i = lane; i < base->units * base->lanes; i += base->lanes)
        if (change[i] != 0 || isnan(base->value[i])) /* not infinity - infinity */
            sum += entropy->change(base->option, base->value[i], change[i], base->y[i]);
    return sum;
}

static void sum_entropy(const unit_entropy *entropy, const gck_cost_base *base,
                        const double *change, double *loss)
{
    memset(loss, 0, base->lanes * sizeof *loss);
    for (size_t first = 0; first < base->lanes; first += STRIP)
        for (size_t unit = 0; unit < base->units; unit++) {
            const size_t at = unit * base->lanes + first;
            entropy->add(base, at, strip_width(base->lanes, first), change + at, loss + first);
        }
    for (size_t k = 0; k < base->lanes; k++)
        if (isnan(loss[k])) loss[k] = lane_change(entropy, base, k, change);
}

#define ENTROPY_APPLY(NAME)                                                           \
    static void NAME##_apply(const gck_cost_base *base, double *change, double *loss) \
    {                                                                                 \
        static const unit_entropy entropy = {NAME##_add, NAME##_change};              \
        sum_entropy(&entropy, base, change, loss);                                    \
    }

/* Sigmoid with factor c: -ln a = softplus(-c z), -ln(1 - a) = softplus(c z). aux: sigmoid(c z),
 * sigmoid(-c z), and 1 - y where it is needed. */

enum { SIGMOID_P, SIGMOID_Q, SIGMOID_NOT_Y };

static void sigmoid_categorical_prepare(const gck_outputs *outputs, const double *y,
                                        double *const aux[])
{
    (void)y;
    const double c = outputs->activation->option[0];
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        aux[SIGMOID_P][i] = gck_sigmoid(c * outputs->z[i]);
        aux[SIGMOID_Q][i] = gck_sigmoid(-c * outputs->z[i]);
    }
}

static void sigmoid_binary_prepare(const gck_outputs *outputs, const double *y, double *const aux[])
{
    sigmoid_categorical_prepare(outputs, y, aux);
    for (size_t i = 0; i < outputs->units * outputs->samples; i++)
        aux[SIGMOID_NOT_Y][i] = 1 - y[i];
}

static void sigmoid_categorical_add(const gck_cost_base *base, size_t at, size_t width,
                                    const double *d, double *sum)
{
    const gck_kernels *kernels = gck_kernels_active();
    double term[STRIP];
    memcpy(term, d, width * sizeof *d);
    kernels->change_softplus(width, -base->option[0], base->value + at, base->aux[SIGMOID_Q] + at,
                             base->aux[SIGMOID_P] + at, term);
    kernels->accumulate(width, base->y + at, term, sum);
}

static void sigmoid_binary_add(const gck_cost_base *base, size_t at, size_t width, const double *d,
                               double *sum)
{
    const gck_kernels *kernels = gck_kernels_active();
    double term[STRIP];
    memcpy(term, d, width * sizeof *d);
    kernels->change_softplus(width, base->option[0], base->value + at, base->aux[SIGMOID_P] + at,
                             base->aux[SIGMOID_Q] + at, term);
    kernels->accumulate(width, base->aux[SIGMOID_NOT_Y] + at, term, sum);
    sigmoid_categorical_add(base, at, width, d, sum);
}

/* By values: only what overflows comes here. */
static double sigmoid_categorical_change(const double *option, double z, double d, double y)
{
    const double c = -option[0];
    return part(y, gck_softplus(c * (z + d)) - gck_softplus(c * z));
}

static double sigmoid_binary_change(const double *option, double z, double d, double y)
{
    const double c = option[0];
    return sigmoid_categorical_change(option, z, d, y) +
           part(1 - y, gck_softplus(c * (z + d)) - gck_softplus(c * z));
}

ENTROPY_APPLY(sigmoid_categorical)
ENTROPY_APPLY(sigmoid_binary)

const struct gck_entropy_change gck_entropy_change_sigmoid = {
    .categorical = {.aux_count = 2,
                    .prepare = sigmoid_categorical_prepare,
                    .apply = sigmoid_categorical_apply},
    .binary = {.aux_count = 3, .prepare = sigmoid_binary_prepare, .apply = sigmoid_binary_apply}};

/* Gaussian: -ln a = z^2, which changes by A = d (2 z + d), and with it
 *   ln(1 - e^(-z^2)) by ln(1 - (e^(-A) - 1) / (e^(z^2) - 1)).
 * aux: 1 / (e^(z^2) - 1), 1 - y. */

enum { GAUSSIAN_RATIO, GAUSSIAN_NOT_Y };

/* -A; the half keeps the sum from overflowing */
static double square_change(double z, double d)
{
    return -2 * (d * (z + 0.5 * d));
}

static void gaussian_binary_prepare(const gck_outputs *outputs, const double *y,
                                    double *const aux[])
{
    for (size_t i = 0; i < outputs->units * outputs->samples; i++) {
        aux[GAUSSIAN_RATIO][i] = 1 / expm1(outputs->z[i] * outputs->z[i]);
        aux[GAUSSIAN_NOT_Y][i] = 1 - y[i];
    }
}

static void gaussian_categorical_add(const gck_cost_base *base, size_t at, size_t width,
                                     const double *d, double *sum)
{
    for (size_t k = 0; k < width; k++)
        sum[k] -= base->y[at + k] * square_change(base->value[at + k], d[k]);
}

/* The change of ln(1 - e^(-z^2)) is ln(1 + x), unless z + d is so near 0 that this cancels, or z so
 * near that the ratio overflows. */
static double complement_argument(double change_of_e, double ratio)
{
    const double x = -change_of_e * ratio;
    return x > -0.5 && x < 1e300 ? x : NAN;
}

static void gaussian_binary_add(const gck_cost_base *base, size_t at, size_t width, const double *d,
                                double *sum)
{
    const gck_kernels *kernels = gck_kernels_active();
    const double *ratio = base->aux[GAUSSIAN_RATIO] + at, *not_y = base->aux[GAUSSIAN_NOT_Y] + at;
    double term[STRIP];
    for (size_t k = 0; k < width; k++)
        term[k] = square_change(base->value[at + k], d[k]);
    kernels->expm1(width, term, term);
    for (size_t k = 0; k < width; k++)
        term[k] = complement_argument(term[k], ratio[k]);
    kernels->log1p(width, term, term);
    for (size_t k = 0; k < width; k++)
        sum[k] -= not_y[k] * term[k];
    gaussian_categorical_add(base, at, width, d, sum);
}

/* ln(1 - e^(-z^2)) as core/entropy.c has it */
static double complement_value(double z)
{
    const double t = z * z;
    if (fabs(z) < 1e-8) return 2 * log(fabs(z));
    return t > M_LN2 ? log1p(-exp(-t)) : log(-expm1(-t));
}

static double gaussian_categorical_change(const double *option, double z, double d, double y)
{
    (void)option;
    return part(y, -square_change(z, d));
}

static double gaussian_binary_change(const double *option, double z, double d, double y)
{
    const double x = complement_argument(expm1(square_change(z, d)), 1 / expm1(z * z));
    const double change = isnan(x) ? complement_value(z + d) - complement_value(z) : log1p(x);
    return gaussian_categorical_change(option, z, d, y) - part(1 - y, change);
}

ENTROPY_APPLY(gaussian_categorical)
ENTROPY_APPLY(gaussian_binary)

const struct gck_entropy_change gck_entropy_change_gaussian = {
    .categorical = {.apply = gaussian_categorical_apply},
    .binary = {.aux_count = 2, .prepare = gaussian_binary_prepare, .apply = gaussian_binary_apply}};

/* ---- softmax ----
 *
 * It does not see what all z of a sample have in common, so changes are taken relative to that of
 * the unit u with the largest output: D_j = d_j - d_u, E_j = e^(D_j) - 1. With S = sum of a_i E_i,
 *   -ln a_j changes by ln(1 + S) - D_j.
 * As E_u = 0, S is a sum over the small outputs alone, and keeps its digits where a_u is all but 1;
 * as 1 + S is at least a_u, it does not cancel. Other outputs are at most 1/2, so that neither does
 * the difference. */

typedef void softmax_strip(const gck_cost_base *base, size_t first, size_t width, double *change,
                           double *loss);

/* d becomes D in a strip of lanes from `first` on; returns whether any lane is far, far[k] which.
 */
static bool strip_shift(const gck_cost_base *base, size_t first, size_t width, const double *top,
                        double limit, double *change, bool far[STRIP])
{
    double d[STRIP], size[STRIP] = {0};
    for (size_t k = 0; k < width; k++)
        d[k] = change[(size_t)top[first + k] * base->lanes + first + k];
    for (size_t unit = 0; unit < base->units; unit++)
        gck_kernels_active()->shift(width, d, change + unit * base->lanes + first, size);
    bool any = false;
    for (size_t k = 0; k < width; k++)
        any |= far[k] = size[k] > limit;
    return any;
}

/* A sample's loss at z + D, or at z for NULL; the forms are those of core/entropy.c. */
static double softmax_loss(const gck_cost_base *base, size_t lane, const double *change,
                           bool binary)
{
    const size_t end = base->units * base->lanes;
#define AT(I) (base->value[I] + (change == NULL ? 0 : change[I]))
    size_t top = lane;
    for (size_t i = lane; i < end; i += base->lanes)
        if (AT(i) > AT(top)) top = i;
    double second = -INFINITY, sum = 0, loss = 0;
    for (size_t i = lane; i < end; i += base->lanes)
        if (i != top) second = fmax(second, AT(i));
    for (size_t i = lane; i < end; i += base->lanes)
        if (i != top) sum += exp(AT(i) - second);
    const double log_others = base->units == 1 ? -INFINITY : second + log(sum);
    const double log_all = log1p(exp(log_others - AT(top))); /* less z_top */
    for (size_t i = lane; i < end; i += base->lanes) {
        const double surprise = AT(top) - AT(i) + log_all;
        const double other = i == top ? AT(top) - log_others + log_all : -log1p(-exp(-surprise));
        loss += part(base->y[i], surprise) + (binary ? part(1 - base->y[i], other) : 0);
    }
#undef AT
    return loss;
}

typedef struct softmax_form {
    softmax_strip *near;
    double limit; /* of |D|; beyond, a lane is by values */
    bool binary;
} softmax_form;

/* Strip by strip, and lane by lane where one is far. */
static void softmax_sum(const softmax_form *form, const gck_cost_base *base, const double *top,
                        double *change, double *loss)
{
    for (size_t first = 0; first < base->lanes; first += STRIP) {
        const size_t width = strip_width(base->lanes, first);
        bool far[STRIP];
        if (!strip_shift(base, first, width, top, form->limit, change, far)) {
            form->near(base, first, width, change, loss + first);
            continue;
        }
        for (size_t k = 0; k < width; k++)
            if (far[k])
                loss[first + k] = softmax_loss(base, first + k, change, form->binary) -
                                  softmax_loss(base, first + k, NULL, form->binary);
            else
                form->near(base, first + k, 1, change, loss + first + k);
    }
}

static size_t top_unit(const gck_outputs *outputs, size_t sample)
{
    size_t top = 0;
    for (size_t unit = 1; unit < outputs->units; unit++)
        if (outputs->z[unit * outputs->samples + sample] >
            outputs->z[top * outputs->samples + sample])
            top = unit;
    return top;
}

/* Categorical: the sum of y_j (ln(1 + S) - D_j) is Y ln(1 + S) - sum of y_j D_j, Y = sum of y_j.
 * aux: a; and, in their first rows, Y and u. */

enum { CATEGORICAL_A, CATEGORICAL_Y, CATEGORICAL_TOP, CATEGORICAL_AUX };

/* An a that underflowed is not missed while e^D stays below 1e130. */
#define CATEGORICAL_LIMIT 300

static void softmax_categorical_prepare(const gck_outputs *outputs, const double *y,
                                        double *const aux[])
{
    const size_t samples = outputs->samples;
    memcpy(aux[CATEGORICAL_A], outputs->a, outputs->units * samples * sizeof *outputs->a);
    memset(aux[CATEGORICAL_Y], 0, samples * sizeof *y);
    for (size_t i = 0; i < outputs->units * samples; i++)
        aux[CATEGORICAL_Y][i % samples] += y[i];
    for (size_t k = 0; k < samples; k++)
        aux[CATEGORICAL_TOP][k] = (double)top_unit(outputs, k);
}

static void softmax_categorical_near(const gck_cost_base *base, size_t first, size_t width,
                                     double *change, double *loss)
{
    const gck_kernels *kernels = gck_kernels_active();
    double sum[STRIP] = {0}, linear[STRIP] = {0};
    for (size_t unit = 0; unit < base->units; unit++) {
        const size_t at = unit * base->lanes + first;
        kernels->accumulate(width, base->y + at, change + at, linear);
        kernels->expm1(width, change + at, change + at);
        kernels->accumulate(width, base->aux[CATEGORICAL_A] + at, change + at, sum);
    }
    kernels->log1p(width, sum, sum);
    for (size_t k = 0; k < width; k++)
        loss[k] = base->aux[CATEGORICAL_Y][first + k] * sum[k] - linear[k];
}

static void softmax_categorical_apply(const gck_cost_base *base, double *change, double *loss)
{
    static const softmax_form form = {softmax_categorical_near, CATEGORICAL_LIMIT, false};
    softmax_sum(&form, base, base->aux[CATEGORICAL_TOP], change, loss);
}

/* Binary: 1 - a_j changes by -a_j (E_j - S) / (1 + S), so that for a unit other than u
 *   -ln(1 - a_j) changes by -ln(1 + a_j / (1 - a_j) (S - E_j) / (1 + S)),  a_j / (1 - a_j) <= 1.
 * 1 - a_u is the sum of the others, and with w_j = a_j / (1 - a_u) and T = sum of w_j E_j
 *   -ln(1 - a_u) changes by ln(1 + S) - ln(1 + T),  S = (1 - a_u) T.
 * aux: w, 0 for u; and, in their first rows, 1 - a_u and u. */

enum { BINARY_W, BINARY_REST, BINARY_TOP, BINARY_AUX };

/* Keeps the arguments of these logarithms well above 0. */
#define BINARY_LIMIT 0.5

static void softmax_binary_prepare(const gck_outputs *outputs, const double *y, double *const aux[])
{
    (void)y;
    const size_t samples = outputs->samples, end = outputs->units * samples;
    for (size_t k = 0; k < samples; k++) {
        const double *z = outputs->z;
        const size_t top = top_unit(outputs, k) * samples + k;
        double second = -INFINITY, sum = 0;
        for (size_t i = k; i < end; i += samples)
            if (i != top) second = fmax(second, z[i]);
        for (size_t i = k; i < end; i += samples) {
            aux[BINARY_W][i] = i == top ? 0 : exp(z[i] - second);
            sum += aux[BINARY_W][i];
        }
        if (outputs->units > 1)
            for (size_t i = k; i < end; i += samples)
                aux[BINARY_W][i] /= sum;
        const double odds = sum * exp(second - z[top]);
        aux[BINARY_REST][k] = odds / (1 + odds);
        aux[BINARY_TOP][k] = (double)(top / samples);
    }
}

/* The change of sum of (1 - y_j) -ln(1 - a_j) over all units but u, added to loss; change is E. */
static void add_complements(const gck_cost_base *base, size_t first, size_t width, const double *s,
                            const double *change, double *loss)
{
    const double *rest = base->aux[BINARY_REST] + first;
    double term[STRIP];
    for (size_t unit = 0; unit < base->units; unit++) {
        const size_t at = unit * base->lanes + first;
        for (size_t k = 0; k < width; k++) {
            const double a = base->aux[BINARY_W][at + k] * rest[k];
            term[k] = a * (s[k] - change[at + k]) / ((1 - a) * (1 + s[k]));
        }
        gck_kernels_active()->log1p(width, term, term);
        for (size_t k = 0; k < width; k++)
            loss[k] -= (1 - base->y[at + k]) * term[k];
    }
}

static void softmax_binary_near(const gck_cost_base *base, size_t first, size_t width,
                                double *change, double *loss)
{
    const gck_kernels *kernels = gck_kernels_active();
    double t[STRIP] = {0}, s[STRIP], linear[STRIP] = {0}, targets[STRIP] = {0}, logarithm[STRIP];
    for (size_t unit = 0; unit < base->units; unit++) {
        const size_t at = unit * base->lanes + first;
        kernels->accumulate(width, base->y + at, change + at, linear);
        kernels->expm1(width, change + at, change + at);
        kernels->accumulate(width, base->aux[BINARY_W] + at, change + at, t);
        for (size_t k = 0; k < width; k++)
            targets[k] += base->y[at + k];
    }
    for (size_t k = 0; k < width; k++)
        s[k] = t[k] * base->aux[BINARY_REST][first + k];
    kernels->log1p(width, s, logarithm);
    kernels->log1p(width, t, t);
    for (size_t k = 0; k < width; k++) {
        const size_t top = (size_t)base->aux[BINARY_TOP][first + k];
        const double not_y = 1 - base->y[top * base->lanes + first + k];
        loss[k] = targets[k] * logarithm[k] - linear[k] + not_y * (logarithm[k] - t[k]);
    }
    add_complements(base, first, width, s, change, loss);
}

static void softmax_binary_apply(const gck_cost_base *base, double *change, double *loss)
{
    static const softmax_form form = {softmax_binary_near, BINARY_LIMIT, true};
    softmax_sum(&form, base, base->aux[BINARY_TOP], change, loss);
}

const struct gck_entropy_change gck_entropy_change_softmax = {
    .categorical = {.aux_count = CATEGORICAL_AUX,
                    .prepare = softmax_categorical_prepare,
                    .apply = softmax_categorical_apply},
    .binary = {
        .aux_count = BINARY_AUX, .prepare = softmax_binary_prepare, .apply = softmax_binary_apply}};
