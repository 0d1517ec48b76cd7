#include "tests/core/mistaken_parts.h"
#include "tests/core/formulas.h"
#include "tests/core/suite.h"

#include "core/layer.h"
#include "core/pass.h"
#include "core/forward.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

const mistaken_kind mistaken_kinds[] = {
#define X(ID, CODE, NAME) {#ID, GCK_FINDING_##CODE, NAME},
    MISTAKEN_LIST(X)
#undef X
};

typedef long double real;

/* ---- one sample's pass ---- */

typedef struct walk {
    const network *net;
    const gck_model *model;
    const mistaken *made;
    size_t made_count;
    size_t widest;
    size_t k; /* sample */
    double *mask;
    real *x, *z[GCK_LAYERS_MAX], *a[GCK_LAYERS_MAX]; /* inputs; of each layer */
    real *da, *dz, *above, *next;
    real *gradient;
    double *dx;
} walk;

/* Whether this mistake is made at this layer. */
static bool makes(const walk *w, mistaken_id id, size_t layer)
{
    for (size_t i = 0; i < w->made_count; i++)
        if (w->made[i].id == id && w->made[i].layer == layer) return true;
    return false;
}

static const real *input_of(const walk *w, size_t layer)
{
    return layer == 0 ? w->x : w->a[layer - 1];
}

static void dense_forward(const walk *w, const gck_layer *layer, size_t i)
{
    const double *weights = w->net->parameters + layer->tensor[0].offset;
    const double *b =
        mistaken_has_bias(layer) ? w->net->parameters + layer->tensor[1].offset : NULL;
    for (size_t j = 0; j < layer->outputs; j++) {
        real sum = b == NULL ? 0 : b[j];
        for (size_t p = 0; p < layer->inputs; p++)
            sum += input_of(w, i)[p] * weights[p * layer->outputs + j];
        w->z[i][j] = sum;
    }
}

static void forward(const walk *w)
{
    for (size_t p = 0; p < w->model->inputs; p++)
        w->x[p] = w->net->data->x[w->k * w->model->inputs + p];
    for (size_t i = 0; i < w->model->layer_count; i++) {
        const gck_layer *layer = &w->model->layer[i];
        if (mistaken_is_dropout(layer)) {
            gck_layer_mask(layer, (gck_mask_key){w->model->seed, 0}, w->k, w->mask, 1);
            for (size_t j = 0; j < layer->outputs; j++)
                w->a[i][j] = w->z[i][j] = input_of(w, i)[j] * w->mask[j];
            continue;
        }
        if (mistaken_is_dense(layer))
            dense_forward(w, layer, i);
        else
            memcpy(w->z[i], input_of(w, i), layer->outputs * sizeof(real));
        formula_activate(&layer->spec.activation, layer->outputs, w->z[i], w->a[i]);
    }
}

/* ---- derivatives ---- */

/* dL/da */
static real cost_slope(const char *cost, real y, real a)
{
    if (strcmp(cost, "mse") == 0) return 2 * (a - y);
    if (strcmp(cost, "mae") == 0) return (real)((a > y) - (a < y));
    if (strcmp(cost, "dot") == 0) return y;
    const real one = y == 0 ? 0 : -y / a;
    if (strcmp(cost, "categorical_crossentropy") == 0) return one;
    return one + (y == 1 ? 0 : (1 - y) / (1 - a));
}

static void chain(const gck_choice *f, size_t units, const real *z, const real *a, real *delta)
{
    real mean = 0;
    if (f->item == NULL) return;
    if (!mistaken_is_named(f, "softmax")) {
        for (size_t j = 0; j < units; j++)
            delta[j] *= formula_slope(f, z[j]);
        return;
    }
    for (size_t j = 0; j < units; j++)
        mean += a[j] * delta[j];
    for (size_t j = 0; j < units; j++)
        delta[j] = a[j] * (delta[j] - mean);
}

/* dL/dz of a cross-entropy and its activation together */
static void fused(const walk *w, size_t i, const double *y, real *dz)
{
    const gck_layer *layer = &w->model->layer[i];
    const gck_choice *f = &layer->spec.activation;
    const bool categorical = mistaken_is_named(&w->model->cost, "categorical_crossentropy");
    const real *z = w->z[i], *a = w->a[i];
    real total = 0;
    for (size_t j = 0; j < layer->outputs; j++)
        total += y[j];
    for (size_t j = 0; j < layer->outputs; j++) {
        if (mistaken_is_named(f, "sigmoid"))
            dz[j] = f->option[0] * (categorical ? -y[j] * (1 - a[j]) : a[j] - y[j]);
        else if (mistaken_is_named(f, "gaussian"))
            dz[j] = 2 * y[j] * z[j] - (categorical || y[j] == 1 || z[j] == 0
                                           ? 0
                                           : (1 - y[j]) * 2 * z[j] / expm1l(z[j] * z[j]));
        else
            dz[j] = categorical ? a[j] * total - y[j] : cost_slope("binary", y[j], a[j]);
    }
    if (mistaken_is_named(f, "softmax") && !categorical) chain(f, layer->outputs, z, a, dz);
}

/* Whoever forgets the weights in one tensor puts them into each, not into the deltas. */
static bool weighs_late(const walk *w)
{
    for (size_t i = 0; i < w->made_count; i++)
        if (w->made[i].id == W_UNWEIGHTED || w->made[i].id == B_UNWEIGHTED) return true;
    return false;
}

static real weight_of(const walk *w)
{
    const double *weights = w->net->data->weights;
    const bool ignored = makes(w, WEIGHTS_IGNORED, w->model->layer_count - 1);
    return weights == NULL || ignored || weighs_late(w) ? 1 : weights[w->k];
}

/* What a tensor's sum, or the gradient of x, has to be multiplied by yet. */
static real late_weight(const walk *w)
{
    return weighs_late(w) ? w->net->data->weights[w->k] : 1;
}

static void slope_of(const walk *w, size_t i, const char *other, real *delta)
{
    const gck_choice f = gck_choice_named(&gck_activations, other);
    chain(&f, w->model->layer[i].outputs, w->z[i], w->a[i], delta);
}

/* f' by f's own output a, as textbooks have it. */
static real slope_by_output(const char *name, const double *option, real a)
{
    if (strcmp(name, "sigmoid") == 0) return option[0] * a * (1 - a);
    if (strcmp(name, "tanh") == 0) return 1 - a * a;
    if (strcmp(name, "softsign") == 0) return (1 - fabsl(a)) * (1 - fabsl(a));
    return a >= 0 ? 1 : a + option[0]; /* elu */
}

/* Likewise: derivatives that are taken from an output or a sign. */
static bool wrong_slope_by_output(const walk *w, size_t i, real *delta)
{
    static const double one[GCK_OPTIONS_MAX] = {1};
    const gck_choice *f = &w->model->layer[i].spec.activation;
    const char *other = makes(w, SLOPE_BY_SIGMOID, i) ? "sigmoid"
                        : makes(w, SLOPE_BY_TANH, i)  ? "tanh"
                                                      : NULL;
    const bool dropped = makes(w, SLOPE_OF_DROPPED, i), sign = makes(w, SLOPE_OF_DELTA, i);
    for (size_t j = 0; j < w->model->layer[i].outputs; j++) {
        if (other != NULL) delta[j] *= slope_by_output(other, one, w->a[i][j]);
        if (dropped) delta[j] *= slope_by_output(f->item->name, f->option, w->a[i + 1][j]);
        if (sign && !(delta[j] > 0)) delta[j] *= mistaken_is_named(f, "relu") ? 0 : f->option[0];
    }
    return other != NULL || dropped || sign;
}

/* A wrong step from da to dz in place; false: there is none here. */
static bool wrong_slope(const walk *w, size_t i, real *delta)
{
    const gck_layer *layer = &w->model->layer[i];
    const gck_choice *f = &layer->spec.activation;
    const size_t units = layer->outputs;
    if (makes(w, SLOPE_MISSING, i)) return true;
    if (makes(w, SLOPE_OF_OUTPUT, i)) return chain(f, units, w->a[i], w->a[i], delta), true;
    if (makes(w, SLOPE_OF_SIGMOID, i)) return slope_of(w, i, "sigmoid", delta), true;
    if (makes(w, SLOPE_OF_TANH, i)) return slope_of(w, i, "tanh", delta), true;
    if (makes(w, SLOPE_OF_RELU, i)) return slope_of(w, i, "relu", delta), true;
    if (makes(w, SLOPE_OF_LEAKY, i)) return slope_of(w, i, "leaky_relu", delta), true;
    if (makes(w, SLOPE_BY_DEFAULTS, i)) return slope_of(w, i, f->item->name, delta), true;
    if (makes(w, SLOPE_IS_VALUE, i) || makes(w, SOFTMAX_DIAGONAL, i)) {
        for (size_t j = 0; j < units; j++)
            delta[j] *= w->a[i][j] * (makes(w, SLOPE_IS_VALUE, i) ? 1 : 1 - w->a[i][j]);
        return true;
    }
    if (!makes(w, SLOPE_TWICE, i)) return wrong_slope_by_output(w, i, delta);
    chain(f, units, w->z[i], w->a[i], delta);
    chain(f, units, w->z[i], w->a[i], delta);
    return true;
}

static void last_delta(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    const double *y = w->net->data->y + w->k * w->model->outputs;
    const char *cost = makes(w, COST_OF_MSE, i)   ? "mse"
                       : makes(w, COST_OF_MAE, i) ? "mae"
                                                  : w->model->cost.item->name;
    const bool other = strcmp(cost, w->model->cost.item->name) != 0;
    const real scale =
        (real)gck_cost_factor(&w->model->cost, w->net->data->samples, w->model->outputs) *
        weight_of(w);
    for (size_t j = 0; j < layer->outputs; j++)
        w->da[j] = scale == 0 ? 0 : scale * cost_slope(cost, y[j], w->a[i][j]);
    memcpy(w->dz, w->da, layer->outputs * sizeof(real));
    if (wrong_slope(w, i, w->dz)) return;
    if (makes(w, COST_DIFFERENCE, i)) {
        for (size_t j = 0; j < layer->outputs; j++)
            w->dz[j] = scale * (w->a[i][j] - y[j]);
        return;
    }
    if (!mistaken_is_entropy(w->model) || other) {
        chain(&layer->spec.activation, layer->outputs, w->z[i], w->a[i], w->dz);
        return;
    }
    fused(w, i, y, w->dz);
    for (size_t j = 0; j < layer->outputs; j++)
        w->dz[j] = scale == 0 ? 0 : w->dz[j] * scale;
    for (size_t j = 0; makes(w, DIAGONAL_ON_TOP, i) && j < layer->outputs; j++)
        w->dz[j] *= w->a[i][j] * (1 - w->a[i][j]);
    if (makes(w, SOFTMAX_TWICE, i) || makes(w, SLOPE_ON_TOP, i))
        chain(&layer->spec.activation, layer->outputs, w->z[i], w->a[i], w->dz);
}

/* ---- deltas ---- */

static real delta_factor(const walk *w, size_t i)
{
    const real m = (real)w->net->data->samples;
    real factor = 1;
    for (size_t n = 0; n < w->made_count; n++)
        if (w->made[n].layer == i && w->made[n].factor != 0) factor *= w->made[n].factor;
    if (makes(w, DELTA_TIMES_M, i)) factor *= m;
    if (makes(w, DELTA_BY_M, i)) factor /= m;
    if (makes(w, DELTA_NEGATED, i)) factor *= -1;
    if (makes(w, DELTA_DOUBLED, i)) factor *= 2;
    if (makes(w, DELTA_HALVED, i)) factor /= 2;
    if (makes(w, DELTA_ZERO, i)) factor *= 0;
    if (makes(w, LAST_SAMPLE_MISSING, i) && w->k + 1 == w->net->data->samples) factor *= 0;
    if (makes(w, FIRST_SAMPLE_MISSING, i) && w->k == 0) factor *= 0;
    if (makes(w, SAMPLE_TWICE, i) && w->k == w->net->data->samples / 2) factor *= 2;
    return factor;
}

static void wrong_delta(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    if (makes(w, DELTA_OF_LAYER_ABOVE, i)) memcpy(w->dz, w->above, layer->outputs * sizeof(real));
    for (size_t j = 0; j < layer->outputs; j++)
        w->dz[j] *= delta_factor(w, i);
    if (makes(w, LAST_UNIT_MISSING, i)) w->dz[layer->outputs - 1] = 0;
}

static void pass_down(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    size_t other = i;
    if (makes(w, OTHER_WEIGHTS, i)) mistaken_other_weights(w->net, i, &other);
    const double *weights = w->net->parameters + w->model->layer[other].tensor[0].offset;
    const real *dz = makes(w, PASSED_BEFORE_ACTIVATION, i) ? w->da : w->dz;
    for (size_t p = 0; p < layer->inputs; p++) {
        w->next[p] = 0;
        for (size_t j = 0; j < layer->outputs; j++) {
            const bool flipped = makes(w, NOT_TRANSPOSED, i);
            if (makes(w, UNIT_NOT_PASSED, i) && j == 0) continue;
            w->next[p] +=
                weights[flipped ? j * layer->outputs + p : p * layer->outputs + j] * dz[j];
        }
        if (makes(w, WEIGHTS_MISSING, i)) w->next[p] = dz[p];
    }
}

static void mask_down(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    const double kept = 1 / (1 - mistaken_option_of(layer, "rate"));
    gck_layer_mask(layer, (gck_mask_key){w->model->seed, 0}, w->k, w->mask, 1);
    for (size_t j = 0; j < layer->outputs; j++) {
        double factor = w->mask[j];
        if (makes(w, MASK_NOT_APPLIED, i)) factor = 1;
        if (makes(w, MASK_NOT_SCALED, i)) factor = w->mask[j] != 0;
        if (makes(w, MASK_ONLY_SCALED, i)) factor = kept;
        w->next[j] = factor * w->dz[j];
    }
}

/* ---- gradients ---- */

static const real *wrong_input(const walk *w, size_t i)
{
    if (makes(w, W_OF_Z, i)) return w->z[i - 1];
    if (makes(w, W_OF_OWN_OUTPUT, i)) return w->a[i];
    if (makes(w, W_OF_INPUT_BELOW, i) || makes(w, W_UNMASKED, i)) return input_of(w, i - 1);
    if (makes(w, W_OF_RAW_X, i)) return w->x;
    return input_of(w, i);
}

static void w_add(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    const real *x = wrong_input(w, i), *dz = makes(w, W_WITHOUT_DERIVATIVE, i) ? w->da : w->dz;
    const real weight = makes(w, W_UNWEIGHTED, i) ? 1 : late_weight(w);
    if (makes(w, W_WITHOUT_SAMPLE, i) && w->k == w->net->data->samples / 2) return;
    if (weight == 0) return;
    for (size_t p = 0; p < layer->inputs; p++)
        for (size_t j = 0; j < layer->outputs; j++)
            w->gradient[layer->tensor[0].offset + p * layer->outputs + j] += weight * x[p] * dz[j];
}

static void b_add(const walk *w, size_t i)
{
    const gck_layer *layer = &w->model->layer[i];
    const size_t m = w->net->data->samples;
    const real weight = makes(w, B_UNWEIGHTED, i) ? 1 : late_weight(w);
    real sum = 0;
    if (weight == 0) return;
    if (makes(w, B_ONLY_LAST, i) && w->k + 1 < m) return;
    if (makes(w, B_ONLY_FIRST, i) && w->k > 0) return;
    if (makes(w, B_WITHOUT_SAMPLE, i) && w->k == m / 2) return;
    for (size_t j = 0; j < layer->outputs; j++)
        sum += w->dz[j];
    for (size_t j = 0; j < layer->outputs; j++)
        w->gradient[layer->tensor[1].offset + j] +=
            weight * (makes(w, B_OVER_UNITS, i) ? sum : w->dz[j]);
}

static void swap(real **a, real **b)
{
    real *kept = *a;
    *a = *b;
    *b = kept;
}

static void backward(walk *w)
{
    for (size_t i = w->model->layer_count; i-- > 0;) {
        const gck_layer *layer = &w->model->layer[i];
        if (i + 1 == w->model->layer_count) {
            last_delta(w, i);
        } else {
            memcpy(w->dz, w->da, layer->outputs * sizeof(real));
            if (!wrong_slope(w, i, w->dz))
                chain(&layer->spec.activation, layer->outputs, w->z[i], w->a[i], w->dz);
        }
        wrong_delta(w, i);
        if (mistaken_is_dense(layer)) {
            w_add(w, i);
            if (mistaken_has_bias(layer)) b_add(w, i);
            pass_down(w, i);
        } else if (mistaken_is_dropout(layer)) {
            mask_down(w, i);
        } else {
            memcpy(w->next, w->dz, layer->outputs * sizeof(real));
        }
        swap(&w->above, &w->dz);
        swap(&w->da, &w->next);
    }
    for (size_t p = 0; p < w->model->inputs; p++) {
        real d = late_weight(w) == 0 ? 0 : late_weight(w) * w->da[p];
        if (makes(w, X_TIMES_M, 0)) d *= (real)w->net->data->samples;
        w->dx[w->k * w->model->inputs + p] = (double)d;
    }
}

/* ---- when all samples are summed ---- */

static real tensor_factor(const walk *w, size_t i, size_t t)
{
    const real m = (real)w->net->data->samples;
    if (makes(w, t == 0 ? W_TIMES_M : B_TIMES_M, i)) return m;
    if (makes(w, t == 0 ? W_BY_M : B_BY_M, i)) return 1 / m;
    if (makes(w, t == 0 ? W_NEGATED : B_NEGATED, i)) return -1;
    if (makes(w, t == 0 ? W_ZERO : B_ZERO, i)) return 0;
    if (t == 0 && makes(w, W_DOUBLED, i)) return 2;
    if (t == 0 && makes(w, W_HALVED, i)) return 0.5L;
    if (t == 0 && makes(w, W_BY_OUTPUTS, i)) return 1 / (real)w->model->outputs;
    return 1;
}

static real penalty(const walk *w, size_t i, size_t t, size_t e)
{
    const gck_layer *layer = &w->model->layer[i];
    const real value = w->net->parameters[layer->tensor[t].offset + e];
    real l1 = mistaken_option_of(layer, "l1") * (real)((value > 0) - (value < 0));
    real l2 = 2 * mistaken_option_of(layer, "l2") * value;
    if (t == 1) return makes(w, PENALTY_ON_BIAS, i) ? l1 + l2 : 0;
    if (makes(w, PENALTY_MISSING, i)) return 0;
    if (makes(w, PENALTY_DOUBLED, i)) return 2 * (l1 + l2);
    if (makes(w, PENALTY_HALVED, i)) return l1 + l2 / 2;
    if (makes(w, PENALTY_BY_M, i)) return (l1 + l2) / (real)w->net->data->samples;
    if (makes(w, PENALTY_NEGATED, i)) return -(l1 + l2);
    if (makes(w, PENALTY_L1_AS_L2, i)) return 2 * mistaken_option_of(layer, "l1") * value + l2;
    return l1 + l2;
}

static void layer_finish(const walk *w, size_t i, double *gradient)
{
    const gck_layer *layer = &w->model->layer[i];
    for (size_t t = 0; t < layer->tensor_count; t++) {
        real *from = w->gradient + layer->tensor[t].offset;
        double *to = gradient + layer->tensor[t].offset;
        const size_t count = layer->tensor[t].count, units = layer->outputs;
        if (t == 0 && (makes(w, W_DATA_TRANSPOSED, i) || makes(w, W_DATA_RESHAPED, i))) {
            for (size_t e = 0; e < count; e++)
                to[e] = (double)(from[e % layer->inputs * units + e / layer->inputs] +
                                 penalty(w, i, t, e));
            continue;
        }
        const bool whole =
            tensor_factor(w, i, t) != 1 && (makes(w, W_ZERO, i) || makes(w, W_NEGATED, i));
        for (size_t e = 0; e < count; e++)
            from[e] = whole ? tensor_factor(w, i, t) * (from[e] + penalty(w, i, t, e))
                            : tensor_factor(w, i, t) * from[e] + penalty(w, i, t, e);
        for (size_t e = 0; e < count; e++) {
            const bool other = t == 0 && (makes(w, W_TRANSPOSED, i) || makes(w, W_RESHAPED, i));
            to[e] = (double)from[other ? e % layer->inputs * units + e / layer->inputs : e];
            if (t == 0 && makes(w, W_ROUNDED, i)) to[e] = (double)(float)to[e];
            if (t == 0 && makes(w, W_WITHOUT_UNIT, i) && e % units == units - 1) to[e] = 0;
        }
        if (t == 0 && makes(w, ELEMENT_WRONG, i)) to[count / 2] = to[count / 2] * 1.5 + 1;
        if (t == 0 && makes(w, ELEMENT_NAN, i)) to[count / 2] = NAN;
    }
}

/* Tensor t of this layer is that of its twin below, and, where they are exchanged, the other way
 * round. */
static void exchange(const walk *w, size_t layer, size_t t, bool both, double *gradient)
{
    size_t twin;
    ck_assert(mistaken_twin_below(w->net, layer, t, &twin));
    double *a = gradient + w->model->layer[layer].tensor[t].offset;
    double *b = gradient + w->model->layer[twin].tensor[t].offset;
    for (size_t e = 0; e < w->model->layer[layer].tensor[t].count; e++) {
        const double kept = a[e];
        a[e] = b[e];
        if (both) b[e] = kept;
    }
}

static void layers_finish(const walk *w, double *gradient)
{
    for (size_t i = 0; i < w->model->layer_count; i++)
        layer_finish(w, i, gradient);
    for (size_t i = 0; i < w->made_count; i++) {
        const mistaken *made = &w->made[i];
        if (made->id == W_EXCHANGED || made->id == W_OF_ANOTHER_LAYER)
            exchange(w, made->layer, 0, made->id == W_EXCHANGED, gradient);
        if (made->id == B_EXCHANGED) exchange(w, made->layer, 1, true, gradient);
    }
}

static double round_decimal(double v)
{
    return nearbyint(v * 1e5) / 1e5;
}

static double round_half(double v)
{
    int exponent;
    const double mantissa = frexp(v, &exponent);
    const int bits = exponent - 1 < -14 ? 11 + exponent + 13 : 11;
    return ldexp(nearbyint(ldexp(mantissa, bits)), exponent - bits);
}

static void whole_finish(const mistaken *made, double *values, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        if (made->id == ROUNDED_32) values[e] = (double)(float)values[e];
        if (made->id == ROUNDED_16) values[e] = round_half(values[e]);
        if (made->id == ROUNDED_DECIMALS) values[e] = round_decimal(values[e]);
    }
}

/* ---- difference quotients, as a user's own loop takes them ---- */

static double cost_of(gck_pass *pass, const network *net, const double *parameters)
{
    gck_forward_losses(pass, parameters);
    return gck_cost_factor(&net->model->cost, net->data->samples, net->model->outputs) *
               gck_pass_loss_sum(pass) +
           gck_model_penalty(net->model, parameters);
}

static void quotient(const network *net, bool central, double *gradient)
{
    gck_error error;
    gck_pass *pass;
    const gck_rows all = {0, net->data->samples, NULL};
    const double h = central ? 1e-3 : 1e-6;
    double *theta = gck_vector_copy(net->parameters, net->model->parameter_count);
    ck_assert(gck_pass_new(net->model, all.count, true, &pass, &error) == GCK_OK);
    gck_pass_load(pass, net->data, all);
    gck_pass_draw_masks(pass, (gck_mask_key){net->model->seed, 0}, all);
    const double base = cost_of(pass, net, theta);
    for (size_t i = 0; i < net->model->parameter_count; i++) {
        const double kept = theta[i];
        theta[i] = kept + h;
        const double up = cost_of(pass, net, theta);
        theta[i] = kept - h;
        gradient[i] = central ? (up - cost_of(pass, net, theta)) / (2 * h) : (up - base) / h;
        theta[i] = kept;
    }
    gck_pass_free(pass);
    gck_vector_free(theta);
}

/* ---- all of it ---- */

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void walk_open(walk *w)
{
    w->widest = w->model->inputs;
    for (size_t i = 0; i < w->model->layer_count; i++)
        if (w->model->layer[i].outputs > w->widest) w->widest = w->model->layer[i].outputs;
    for (size_t i = 0; i < w->model->layer_count; i++) {
        w->z[i] = room(w->widest, sizeof(real));
        w->a[i] = room(w->widest, sizeof(real));
    }
    w->mask = room(w->widest, sizeof(double));
    w->x = room(w->widest, sizeof(real));
    w->da = room(w->widest, sizeof(real));
    w->dz = room(w->widest, sizeof(real));
    w->above = room(w->widest, sizeof(real));
    w->next = room(w->widest, sizeof(real));
    w->gradient = room(w->model->parameter_count, sizeof(real));
}

static void walk_close(walk *w)
{
    for (size_t i = 0; i < w->model->layer_count; i++) {
        free(w->z[i]);
        free(w->a[i]);
    }
    free(w->mask);
    free(w->x);
    free(w->da);
    free(w->dz);
    free(w->above);
    free(w->next);
    free(w->gradient);
}

void mistaken_gradient(const network *net, const mistaken *made, size_t count, double *gradient,
                       double *x)
{
    walk w = {.net = net, .model = net->model, .made = made, .made_count = count, .dx = x};
    walk_open(&w);
    for (w.k = 0; w.k < net->data->samples; w.k++) {
        forward(&w);
        backward(&w);
    }
    layers_finish(&w, gradient);
    for (size_t i = 0; i < count; i++) {
        whole_finish(&made[i], gradient, net->model->parameter_count);
        whole_finish(&made[i], x, net->data->samples * net->model->inputs);
        if (made[i].id == QUOTIENT_CENTRAL || made[i].id == QUOTIENT_FORWARD)
            quotient(net, made[i].id == QUOTIENT_CENTRAL, gradient);
    }
    walk_close(&w);
}
