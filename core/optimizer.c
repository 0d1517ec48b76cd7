#include <gradcheck/optimizer.h>

#include "core/kernels.h"

#include <math.h>

typedef struct gck_optimizer_row {
    gck_item item;
    size_t slots;
    int decay[2], epsilon; /* places of these options; 0 for none */
    void (*step)(const gck_kernels *kernels, const gck_update *update);
} gck_optimizer_row;

/* Every optimizer's first option. */
enum { LEARNING_RATE };
#define LEARNING_RATE_OPTION \
    [LEARNING_RATE] = {.name = "learning_rate", .fallback = 0.001, .minimum = 0, .maximum = 1e6}
/* [0, 1): the largest double below 1 */
#define DECAY_OPTION(NAME, FALLBACK)                                                      \
    {                                                                                     \
        .name = NAME, .fallback = FALLBACK, .minimum = 0, .maximum = 0x1.fffffffffffffp-1 \
    }
#define EPSILON_OPTION                                                       \
    {                                                                        \
        .name = "epsilon", .fallback = 1e-8, .minimum = 1e-300, .maximum = 1 \
    }

static void sgd_step(const gck_kernels *kernels, const gck_update *update)
{
    kernels->update_sgd(update);
}
static void momentum_step(const gck_kernels *kernels, const gck_update *update)
{
    kernels->update_momentum(update);
}
static void rmsprop_step(const gck_kernels *kernels, const gck_update *update)
{
    kernels->update_rmsprop(update);
}
/* Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. */
static void adam_step(const gck_kernels *kernels, const gck_update *update)
{
    kernels->update_adam(update);
}
static void adagrad_step(const gck_kernels *kernels, const gck_update *update)
{
    kernels->update_adagrad(update);
}

static const gck_optimizer_row sgd_row = {
    .item = {.name = "sgd",
             .formula = "W <- W - learning_rate * g",
             .option = {LEARNING_RATE_OPTION}},
    .step = sgd_step,
};
static const gck_optimizer_row momentum_row = {
    .item = {.name = "momentum",
             .formula = "v <- beta * v + (1 - beta) * g; W <- W - learning_rate * v",
             .option = {LEARNING_RATE_OPTION, DECAY_OPTION("beta", 0.9)}},
    .slots = 1,
    .decay = {1},
    .step = momentum_step,
};
static const gck_optimizer_row rmsprop_row = {
    .item = {.name = "rmsprop",
             .formula = "s <- beta * s + (1 - beta) * g^2; "
                        "W <- W - learning_rate * g / (sqrt(s) + epsilon)",
             .option = {LEARNING_RATE_OPTION, DECAY_OPTION("beta", 0.9), EPSILON_OPTION}},
    .slots = 1,
    .decay = {1},
    .epsilon = 2,
    .step = rmsprop_step,
};
static const gck_optimizer_row adam_row = {
    .item = {.name = "adam",
             .formula = "v <- beta1 * v + (1 - beta1) * g; s <- beta2 * s + (1 - beta2) * g^2; "
                        "W <- W - learning_rate * v / (1 - beta1^t) / "
                        "(sqrt(s / (1 - beta2^t)) + epsilon)",
             .option = {LEARNING_RATE_OPTION, DECAY_OPTION("beta1", 0.9),
                        DECAY_OPTION("beta2", 0.999), EPSILON_OPTION}},
    .slots = 2,
    .decay = {1, 2},
    .epsilon = 3,
    .step = adam_step,
};
static const gck_optimizer_row adagrad_row = {
    .item = {.name = "adagrad",
             .formula = "s <- s + g^2; W <- W - learning_rate * g / (sqrt(s) + epsilon)",
             .option = {LEARNING_RATE_OPTION, EPSILON_OPTION}},
    .slots = 1,
    .epsilon = 1,
    .step = adagrad_step,
};

static const gck_item *const rows[] = {&sgd_row.item, &momentum_row.item, &rmsprop_row.item,
                                       &adam_row.item, &adagrad_row.item};

const gck_table gck_optimizers = {"optimizer", rows, sizeof rows / sizeof rows[0]};

static const gck_optimizer_row *row_of(const gck_choice *optimizer)
{
    return (const gck_optimizer_row *)optimizer->item;
}

size_t gck_optimizer_slots(const gck_choice *optimizer)
{
    return row_of(optimizer)->slots;
}

void gck_optimizer_step(const gck_choice *optimizer, uint64_t step, size_t count,
                        const double *gradient, double *state, double *parameters)
{
    const gck_optimizer_row *row = row_of(optimizer);
    gck_update update = {.rate = optimizer->option[LEARNING_RATE],
                         .epsilon = row->epsilon > 0 ? optimizer->option[row->epsilon] : 0,
                         .count = count,
                         .gradient = gradient,
                         .parameters = parameters};
    for (size_t i = 0; i < 2; i++) {
        if (row->decay[i] > 0) update.decay[i] = optimizer->option[row->decay[i]];
        update.correction[i] = 1 - pow(update.decay[i], (double)step);
        if (i < row->slots) update.slot[i] = state + i * count;
    }
    row->step(gck_kernels_active(), &update);
}
