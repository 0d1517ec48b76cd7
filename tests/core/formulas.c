#include "tests/core/formulas.h"

#include <check.h>
#include <math.h>
#include <string.h>

typedef long double number;

enum { UNITS_MAX = 64 };

static number linear(const double *o, number z)
{
    return o[0] * z;
}
static number linear_slope(const double *o, number z)
{
    return o[0] + 0 * z;
}
static number sigmoid(const double *o, number z)
{
    return 1 / (1 + expl(-o[0] * z));
}
static number sigmoid_slope(const double *o, number z)
{
    return o[0] / (1 + expl(-o[0] * z)) / (1 + expl(o[0] * z));
}
static number relu(const double *o, number z)
{
    return z > 0 ? z : 0 * o[0];
}
static number relu_slope(const double *o, number z)
{
    return z > 0 ? 1 : 0 * o[0];
}
static number leaky_relu(const double *o, number z)
{
    return z > 0 ? z : o[0] * z;
}
static number leaky_relu_slope(const double *o, number z)
{
    return z > 0 ? 1 : o[0];
}
static number hyperbolic(const double *o, number z)
{
    return tanhl(z) + 0 * o[0];
}
static number hyperbolic_slope(const double *o, number z)
{
    return 1 / (coshl(z) * coshl(z)) + 0 * o[0];
}
static number elu(const double *o, number z)
{
    return z >= 0 ? z : o[0] * expm1l(z);
}
static number elu_slope(const double *o, number z)
{
    return z >= 0 ? 1 : o[0] * expl(z);
}
static number selu(const double *o, number z)
{
    return o[1] * elu(o, z);
}
static number selu_slope(const double *o, number z)
{
    return o[1] * elu_slope(o, z);
}
static number slu(const double *o, number z)
{
    return z / (1 + expl(-z)) + 0 * o[0];
}
static number slu_slope(const double *o, number z)
{
    return (1 + z / (1 + expl(z))) / (1 + expl(-z)) + 0 * o[0];
}
static number softplus(const double *o, number z)
{
    return log1pl(expl(z)) + 0 * o[0];
}
static number softplus_slope(const double *o, number z)
{
    return 1 / (1 + expl(-z)) + 0 * o[0];
}
static number softsign(const double *o, number z)
{
    return z / (1 + fabsl(z)) + 0 * o[0];
}
static number softsign_slope(const double *o, number z)
{
    return 1 / ((1 + fabsl(z)) * (1 + fabsl(z))) + 0 * o[0];
}
/* (sqrt(z^2 + 1) - 1) / 2 + z, with the difference written as a quotient: below |z| = 2^-32 even a
 * long double loses it */
static number bent_identity(const double *o, number z)
{
    return z * z / (sqrtl(z * z + 1) + 1) / 2 + z + 0 * o[0];
}
static number bent_identity_slope(const double *o, number z)
{
    return z / (2 * sqrtl(z * z + 1)) + 1 + 0 * o[0];
}
static number gaussian(const double *o, number z)
{
    return expl(-z * z) + 0 * o[0];
}
static number gaussian_slope(const double *o, number z)
{
    return -2 * z * expl(-z * z) + 0 * o[0];
}
static number arctan(const double *o, number z)
{
    return atanl(z) + 0 * o[0];
}
static number arctan_slope(const double *o, number z)
{
    return 1 / (1 + z * z) + 0 * o[0];
}
static number piecewise_linear(const double *o, number z)
{
    return z >= o[0] ? 1 : z <= -o[0] ? -1 : z / o[0];
}
static number piecewise_linear_slope(const double *o, number z)
{
    return fabsl(z) < o[0] ? 1 / (number)o[0] : 0;
}

typedef struct formula {
    const char *name;
    number (*value)(const double *option, number z);
    number (*slope)(const double *option, number z);
} formula;

static const formula formulas[] = {
    {"linear", linear, linear_slope},
    {"sigmoid", sigmoid, sigmoid_slope},
    {"relu", relu, relu_slope},
    {"leaky_relu", leaky_relu, leaky_relu_slope},
    {"tanh", hyperbolic, hyperbolic_slope},
    {"elu", elu, elu_slope},
    {"selu", selu, selu_slope},
    {"slu", slu, slu_slope},
    {"softplus", softplus, softplus_slope},
    {"softsign", softsign, softsign_slope},
    {"bent_identity", bent_identity, bent_identity_slope},
    {"gaussian", gaussian, gaussian_slope},
    {"arctan", arctan, arctan_slope},
    {"piecewise_linear", piecewise_linear, piecewise_linear_slope},
};

static const formula *formula_of(const gck_choice *activation)
{
    for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
        if (strcmp(formulas[i].name, activation->item->name) == 0) return &formulas[i];
    ck_abort_msg("no formula for %s", activation->item->name);
}

long double formula_value(const gck_choice *activation, long double z)
{
    return formula_of(activation)->value(activation->option, z);
}

long double formula_slope(const gck_choice *activation, long double z)
{
    return formula_of(activation)->slope(activation->option, z);
}

static bool is_named(const gck_choice *choice, const char *name)
{
    return strcmp(choice->item->name, name) == 0;
}

void formula_activate(const gck_choice *activation, size_t units, const long double *z,
                      long double *a)
{
    if (!is_named(activation, "softmax")) {
        for (size_t j = 0; j < units; j++)
            a[j] = formula_value(activation, z[j]);
        return;
    }
    number sum = 0;
    for (size_t j = 0; j < units; j++)
        sum += expl(z[j]);
    for (size_t j = 0; j < units; j++)
        a[j] = expl(z[j]) / sum;
}

/* -ln(1 - e^-x); each form where the other one cancels */
static number log_complement(number x)
{
    return x < 0.7L ? -logl(-expm1l(-x)) : -log1pl(-expl(-x));
}

/* -ln a_j, or -ln(1 - a_j) when `other` */
static number surprise(const gck_choice *activation, size_t units, const number *z, size_t j,
                       bool other)
{
    if (is_named(activation, "sigmoid"))
        return log1pl(expl(activation->option[0] * (other ? z[j] : -z[j])));
    if (is_named(activation, "gaussian")) return other ? log_complement(z[j] * z[j]) : z[j] * z[j];
    if (!is_named(activation, "softmax")) ck_abort_msg("%s has no entropy", activation->item->name);
    number sum = 0, part = 0;
    for (size_t i = 0; i < units; i++) {
        sum += expl(z[i]);
        if ((i == j) != other) part += expl(z[i]);
    }
    return logl(sum) - logl(part);
}

static number entropy(const gck_choice *cost, const gck_choice *activation, size_t units,
                      const number *z, const double *y)
{
    number loss = 0;
    for (size_t j = 0; j < units; j++) {
        const number rest = is_named(cost, "binary_crossentropy") ? 1 - (number)y[j] : 0;
        if (y[j] > 0) loss += y[j] * surprise(activation, units, z, j, false);
        if (rest > 0) loss += rest * surprise(activation, units, z, j, true);
    }
    return loss;
}

long double formula_loss(const gck_choice *cost, const gck_choice *activation, size_t units,
                         const long double *z, const double *y)
{
    if (is_named(cost, "binary_crossentropy") || is_named(cost, "categorical_crossentropy"))
        return entropy(cost, activation, units, z, y);
    number a[UNITS_MAX], loss = 0;
    if (units > UNITS_MAX) ck_abort_msg("%zu outputs", units);
    formula_activate(activation, units, z, a);
    for (size_t j = 0; j < units; j++) {
        const number difference = a[j] - y[j];
        if (is_named(cost, "mse")) loss += difference * difference;
        if (is_named(cost, "mae")) loss += fabsl(difference);
        if (is_named(cost, "dot")) loss += y[j] * a[j];
    }
    return loss;
}
