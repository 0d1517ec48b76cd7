/* Activations in difference form: rows on top of the kernels, which have the formulas.
 *
 * Nothing here is a derivative, and nothing is judged by one: this file must stay apart from
 * core/derivatives.h. Any thread may call these; nothing is allocated. */
#include "core/change.h"
#include "core/entropy.h"
#include "core/kernels.h"

#include <math.h>
#include <string.h>

/* The arguments of struct gck_activation_change, for rows that differ in little else. */
#define PREPARE(NAME)                                                              \
    static void NAME##_prepare(const double *option, size_t units, size_t samples, \
                               const double *z, const double *a, double *const aux[])
#define APPLY(NAME)                                                                             \
    static void NAME##_apply(const double *option, size_t units, size_t lanes, const double *z, \
                             const double *const aux[], double *change)

/* One place, where the two pieces of a function meet. */
static size_t kink_at_zero(const double *option, double place[GCK_KINKS_MAX])
{
    (void)option;
    place[0] = 0;
    return 1;
}

APPLY(linear)
{
    (void)z, (void)aux;
    gck_kernels_active()->scale(units * lanes, option[0], change, change);
}
const struct gck_activation_change gck_change_linear = {.apply = linear_apply};

/* ---- sigmoid and its relatives: p = sigmoid(c z), q = sigmoid(-c z) ---- */

static void prepare_sigmoids(double c, size_t count, const double *z, double *const aux[])
{
    for (size_t i = 0; i < count; i++) {
        aux[0][i] = gck_sigmoid(c * z[i]);
        aux[1][i] = gck_sigmoid(-c * z[i]);
    }
}

PREPARE(sigmoid)
{
    (void)a;
    prepare_sigmoids(option[0], units * samples, z, aux);
}
APPLY(sigmoid)
{
    gck_kernels_active()->change_sigmoid(units * lanes, option[0], 1, z, aux[0], aux[1], change);
}
const struct gck_activation_change gck_change_sigmoid = {
    .aux_count = 2, .prepare = sigmoid_prepare, .apply = sigmoid_apply};

/* tanh z = 2 sigmoid(2 z) - 1 */
PREPARE(tanh)
{
    (void)option, (void)a;
    prepare_sigmoids(2, units * samples, z, aux);
}
APPLY(tanh)
{
    (void)option;
    gck_kernels_active()->change_sigmoid(units * lanes, 2, 2, z, aux[0], aux[1], change);
}
const struct gck_activation_change gck_change_tanh = {
    .aux_count = 2, .prepare = tanh_prepare, .apply = tanh_apply};

PREPARE(unscaled)
{
    (void)option, (void)a;
    prepare_sigmoids(1, units * samples, z, aux);
}
APPLY(slu)
{
    (void)option;
    gck_kernels_active()->change_slu(units * lanes, z, aux[0], aux[1], change);
}
const struct gck_activation_change gck_change_slu = {
    .aux_count = 2, .prepare = unscaled_prepare, .apply = slu_apply};

APPLY(softplus)
{
    (void)option;
    gck_kernels_active()->change_softplus(units * lanes, 1, z, aux[0], aux[1], change);
}
const struct gck_activation_change gck_change_softplus = {
    .aux_count = 2, .prepare = unscaled_prepare, .apply = softplus_apply};

/* ---- pieces ---- */

APPLY(relu)
{
    (void)option, (void)aux;
    gck_kernels_active()->change_leaky(units * lanes, 0, z, change);
}
const struct gck_activation_change gck_change_relu = {.apply = relu_apply, .kinks = kink_at_zero};

APPLY(leaky_relu)
{
    (void)aux;
    gck_kernels_active()->change_leaky(units * lanes, option[0], z, change);
}
const struct gck_activation_change gck_change_leaky_relu = {.apply = leaky_relu_apply,
                                                            .kinks = kink_at_zero};

/* e^(min(z, 0)); a NaN is not above 0 */
PREPARE(exponential)
{
    (void)option, (void)a;
    for (size_t i = 0; i < units * samples; i++)
        aux[0][i] = z[i] > 0 ? 1 : exp(z[i]);
}
APPLY(elu)
{
    gck_kernels_active()->change_elu(units * lanes, option[0], 1, z, aux[0], change);
}
const struct gck_activation_change gck_change_elu = {
    .aux_count = 1, .prepare = exponential_prepare, .apply = elu_apply, .kinks = kink_at_zero};

APPLY(selu)
{
    gck_kernels_active()->change_elu(units * lanes, option[0], option[1], z, aux[0], change);
}
const struct gck_activation_change gck_change_selu = {
    .aux_count = 1, .prepare = exponential_prepare, .apply = selu_apply, .kinks = kink_at_zero};

APPLY(piecewise_linear)
{
    (void)aux;
    gck_kernels_active()->change_clamp(units * lanes, option[0], z, change);
}
static size_t piecewise_linear_kinks(const double *option, double place[GCK_KINKS_MAX])
{
    place[0] = -option[0];
    place[1] = option[0];
    return 2;
}
const struct gck_activation_change gck_change_piecewise_linear = {.apply = piecewise_linear_apply,
                                                                  .kinks = piecewise_linear_kinks};

/* ---- others ---- */

APPLY(softsign)
{
    (void)option, (void)aux;
    gck_kernels_active()->change_softsign(units * lanes, z, change);
}
/* The slope has no jump there, but a kink of its own. */
const struct gck_activation_change gck_change_softsign = {.apply = softsign_apply,
                                                          .kinks = kink_at_zero};

PREPARE(bent_identity)
{
    (void)option, (void)a;
    for (size_t i = 0; i < units * samples; i++)
        aux[0][i] = hypot(z[i], 1);
}
APPLY(bent_identity)
{
    (void)option;
    gck_kernels_active()->change_bent_identity(units * lanes, z, aux[0], change);
}
const struct gck_activation_change gck_change_bent_identity = {
    .aux_count = 1, .prepare = bent_identity_prepare, .apply = bent_identity_apply};

PREPARE(gaussian)
{
    (void)option, (void)z;
    memcpy(aux[0], a, units * samples * sizeof *a);
}
APPLY(gaussian)
{
    (void)option;
    gck_kernels_active()->change_gaussian(units * lanes, z, aux[0], change);
}
const struct gck_activation_change gck_change_gaussian = {
    .aux_count = 1, .prepare = gaussian_prepare, .apply = gaussian_apply};

APPLY(arctan)
{
    (void)option, (void)aux;
    gck_kernels_active()->change_arctan(units * lanes, z, change);
}
const struct gck_activation_change gck_change_arctan = {.apply = arctan_apply};

/* ---- softmax ----
 *
 * It does not see what all z of a sample have in common, so changes are taken relative to that of
 * the unit u with the largest output: D_j = d_j - d_u, E_j = e^(D_j) - 1, and
 *   a_j e^(D_j) / (sum of a_i e^(D_i)) - a_j = a_j (E_j - S) / (1 + S),  S = sum of a_i E_i.
 * As E_u = 0, S is a sum over the small outputs alone, and keeps its digits where a_u is all but 1.
 * aux: a; and, in its first row, u. */

enum { SOFTMAX_A, SOFTMAX_TOP, SOFTMAX_AUX };

/* The widest a strip of lanes gets, so that sums stay on the stack. */
enum { STRIP = 128 };

/* An a that underflowed is not missed while e^D stays below 1e130. */
#define FAR 300.0

PREPARE(softmax)
{
    (void)option;
    memcpy(aux[SOFTMAX_A], a, units * samples * sizeof *a);
    for (size_t k = 0; k < samples; k++) {
        size_t top = 0;
        for (size_t unit = 1; unit < units; unit++)
            if (z[unit * samples + k] > z[top * samples + k]) top = unit;
        aux[SOFTMAX_TOP][k] = (double)top;
    }
}

/* Some lanes of all units: units' values are `stride` apart. */
typedef struct strip {
    size_t units, stride, width;
    const double *z, *a, *top;
    double *change;
} strip;

static strip strip_part(const strip *s, size_t first, size_t width)
{
    strip part = *s;
    part.width = width;
    part.z += first;
    part.a += first;
    part.top += first;
    part.change += first;
    return part;
}

/* d becomes D; returns whether any lane is far, far[k] which. */
static bool strip_shift(const strip *s, bool far[STRIP])
{
    double reference[STRIP], size[STRIP] = {0};
    for (size_t k = 0; k < s->width; k++)
        reference[k] = s->change[(size_t)s->top[k] * s->stride + k];
    for (size_t unit = 0; unit < s->units; unit++)
        gck_kernels_active()->shift(s->width, reference, s->change + unit * s->stride, size);
    bool any = false;
    for (size_t k = 0; k < s->width; k++)
        any |= far[k] = size[k] > FAR;
    return any;
}

static void strip_near(const strip *s)
{
    const gck_kernels *kernels = gck_kernels_active();
    double sum[STRIP] = {0}, inverse[STRIP];
    for (size_t unit = 0; unit < s->units; unit++) {
        double *row = s->change + unit * s->stride;
        kernels->expm1(s->width, row, row);
        kernels->accumulate(s->width, s->a + unit * s->stride, row, sum);
    }
    for (size_t k = 0; k < s->width; k++)
        inverse[k] = 1 / (1 + sum[k]);
    for (size_t unit = 0; unit < s->units; unit++)
        for (size_t k = 0; k < s->width; k++) {
            const size_t i = unit * s->stride + k;
            s->change[i] = s->a[i] * ((s->change[i] - sum[k]) * inverse[k]);
        }
}

/* One lane: the outputs at z + D, less those at z. */
static void lane_far(const strip *s)
{
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < s->units * s->stride; i += s->stride)
        largest = fmax(largest, s->z[i] + s->change[i]);
    for (size_t i = 0; i < s->units * s->stride; i += s->stride) {
        s->change[i] = exp(s->z[i] + s->change[i] - largest);
        sum += s->change[i];
    }
    for (size_t i = 0; i < s->units * s->stride; i += s->stride)
        s->change[i] = s->change[i] / sum - s->a[i];
}

/* Lane by lane where one is far. */
static void strip_change(const strip *s)
{
    bool far[STRIP];
    if (!strip_shift(s, far)) {
        strip_near(s);
        return;
    }
    for (size_t k = 0; k < s->width; k++) {
        const strip lane = strip_part(s, k, 1);
        (far[k] ? lane_far : strip_near)(&lane);
    }
}

APPLY(softmax)
{
    (void)option;
    const strip all = {.units = units,
                       .stride = lanes,
                       .z = z,
                       .a = aux[SOFTMAX_A],
                       .top = aux[SOFTMAX_TOP],
                       .change = change};
    for (size_t first = 0; first < lanes; first += STRIP) {
        const strip s = strip_part(&all, first, lanes - first < STRIP ? lanes - first : STRIP);
        strip_change(&s);
    }
}
const struct gck_activation_change gck_change_softmax = {
    .aux_count = SOFTMAX_AUX, .prepare = softmax_prepare, .apply = softmax_apply, .coupled = true};
