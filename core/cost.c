/* One cost is a row: its losses, their derivative, and the options that all costs share. */
#include "core/cost.h"
#include "core/activation.h"
#include "core/change.h"
#include "core/derivatives.h"
#include "core/exact.h"
#include "core/rounding.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Loops for a loss that is a sum over outputs of value(y, a), and its slope in a. */
#define ELEMENTWISE(NAME)                                                                       \
    static void NAME##_losses(const gck_outputs *outputs, const double *y, double *loss)        \
    {                                                                                           \
        const size_t samples = outputs->samples;                                                \
        memset(loss, 0, samples * sizeof *loss);                                                \
        for (size_t unit = 0; unit < outputs->units; unit++)                                    \
            for (size_t k = 0; k < samples; k++)                                                \
                loss[k] += NAME##_value(y[unit * samples + k], outputs->a[unit * samples + k]); \
    }                                                                                           \
    static void NAME##_delta(const gck_outputs *outputs, const double *y, double *delta)        \
    {                                                                                           \
        for (size_t i = 0; i < outputs->units * outputs->samples; i++)                          \
            delta[i] = NAME##_slope(y[i], outputs->a[i]);                                       \
    }                                                                                           \
    static const struct gck_cost_derivatives NAME##_derivatives = {NAME##_delta};

static double mse_value(double y, double a)
{
    return (a - y) * (a - y);
}
static double mse_slope(double y, double a)
{
    return 2 * (a - y);
}
ELEMENTWISE(mse)

static double mae_value(double y, double a)
{
    return fabs(a - y);
}
static double mae_slope(double y, double a)
{
    return (double)((a > y) - (a < y));
}
ELEMENTWISE(mae)

static double dot_value(double y, double a)
{
    return y * a;
}
static double dot_slope(double y, double a)
{
    (void)a;
    return y;
}
ELEMENTWISE(dot)

static const gck_entropy *last_entropy(const gck_outputs *outputs)
{
    assert(outputs->activation != NULL);
    return gck_activation_row_of(outputs->activation)->entropy;
}

static void binary_losses(const gck_outputs *outputs, const double *y, double *loss)
{
    last_entropy(outputs)->binary(outputs->activation->option, outputs, y, loss);
}

static void categorical_losses(const gck_outputs *outputs, const double *y, double *loss)
{
    last_entropy(outputs)->categorical(outputs->activation->option, outputs, y, loss);
}

static void binary_delta(const gck_outputs *outputs, const double *y, double *delta)
{
    last_entropy(outputs)->derivatives->binary(outputs->activation->option, outputs, y, delta);
}

static void categorical_delta(const gck_outputs *outputs, const double *y, double *delta)
{
    last_entropy(outputs)->derivatives->categorical(outputs->activation->option, outputs, y, delta);
}

static const struct gck_cost_derivatives binary_derivatives = {binary_delta};
static const struct gck_cost_derivatives categorical_derivatives = {categorical_delta};

enum { OPTION_REDUCTION, OPTION_SCALE };
enum { BATCH_MEAN, MEAN, SUM };
static const char *const reductions[] = {
    [BATCH_MEAN] = "batch_mean", [MEAN] = "mean", [SUM] = "sum", NULL};

#define COST_OPTIONS                                          \
    .option = {[OPTION_REDUCTION] = {.name = "reduction",     \
                                     .kind = GCK_OPTION_WORD, \
                                     .words = reductions,     \
                                     .fallback = BATCH_MEAN}, \
               [OPTION_SCALE] = {.name = "scale", .fallback = 1, .minimum = -1e6, .maximum = 1e6}}

static const gck_cost_row binary_row = {
    .item = {.name = "binary_crossentropy",
             .formula = "-sum(y * ln(a) + (1 - y) * ln(1 - a)) / m",
             COST_OPTIONS},
    .losses = binary_losses,
    .derivatives = &binary_derivatives,
    .entropy = true,
};
static const gck_cost_row categorical_row = {
    .item = {.name = "categorical_crossentropy", .formula = "-sum(y * ln(a)) / m", COST_OPTIONS},
    .losses = categorical_losses,
    .derivatives = &categorical_derivatives,
    .entropy = true,
    .labels = true,
};
static const gck_cost_row mse_row = {
    .item = {.name = "mse", .formula = "sum((y - a)^2) / m", COST_OPTIONS},
    .losses = mse_losses,
    .derivatives = &mse_derivatives,
    .change = &gck_cost_change_mse,
    .exact = &gck_cost_exact_mse,
    .rounding = &gck_cost_rounding_mse,
};
static const gck_cost_row mae_row = {
    .item = {.name = "mae", .formula = "sum(|y - a|) / m", COST_OPTIONS},
    .losses = mae_losses,
    .derivatives = &mae_derivatives,
    .change = &gck_cost_change_mae,
    .exact = &gck_cost_exact_mae,
    .rounding = &gck_cost_rounding_mae,
};
static const gck_cost_row dot_row = {
    .item = {.name = "dot", .formula = "sum(y * a) / m", COST_OPTIONS},
    .losses = dot_losses,
    .derivatives = &dot_derivatives,
    .change = &gck_cost_change_dot,
    .exact = &gck_cost_exact_dot,
    .rounding = &gck_cost_rounding_dot,
};

static const gck_item *const rows[] = {&binary_row.item, &categorical_row.item, &mse_row.item,
                                       &mae_row.item, &dot_row.item};

const gck_table gck_costs = {"cost", rows, sizeof rows / sizeof rows[0]};

const gck_cost_row *gck_cost_row_of(const gck_choice *cost)
{
    return (const gck_cost_row *)cost->item;
}

void gck_cost_losses(const gck_choice *cost, const gck_outputs *outputs, const double *y,
                     double *loss)
{
    gck_cost_row_of(cost)->losses(outputs, y, loss);
}

double gck_cost_factor(const gck_choice *cost, size_t samples, size_t outputs)
{
    const double scale = cost->option[OPTION_SCALE], m = (double)samples;
    switch ((int)cost->option[OPTION_REDUCTION]) {
    case MEAN:
        return scale / (m * (double)outputs);
    case SUM:
        return scale;
    default:
        return scale / m;
    }
}

bool gck_cost_is_entropy(const gck_choice *cost)
{
    return gck_cost_row_of(cost)->entropy;
}

bool gck_cost_takes_labels(const gck_choice *cost)
{
    return gck_cost_row_of(cost)->labels;
}

const struct gck_cost_change *gck_cost_change_of(const gck_choice *cost,
                                                 const gck_choice *activation)
{
    const gck_cost_row *row = gck_cost_row_of(cost);
    if (!row->entropy) return row->change;
    const struct gck_entropy_change *change = gck_activation_row_of(activation)->entropy->change;
    return row->labels ? &change->categorical : &change->binary;
}

const struct gck_cost_exact *gck_cost_exact_of(const gck_choice *cost, const gck_choice *activation)
{
    const gck_cost_row *row = gck_cost_row_of(cost);
    if (!row->entropy) return row->exact;
    const struct gck_entropy_exact *exact = gck_activation_row_of(activation)->entropy->exact;
    return row->labels ? &exact->categorical : &exact->binary;
}

const struct gck_cost_rounding *gck_cost_rounding_of(const gck_choice *cost,
                                                     const gck_choice *activation)
{
    const gck_cost_row *row = gck_cost_row_of(cost);
    if (!row->entropy) return row->rounding;
    const struct gck_entropy_rounding *rounding =
        gck_activation_row_of(activation)->entropy->rounding;
    return row->labels ? &rounding->categorical : &rounding->binary;
}
