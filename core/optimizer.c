#include <gradcheck/optimizer.h>

#include <math.h>

/* One step on count parameters; slot[0] and slot[1] are the vectors kept between steps. */
typedef struct step_arguments {
    const double *option;
    double step; /* the first is 1 */
    size_t count;
    const double *gradient;
    double *slot[2];
    double *parameters;
} step_arguments;

typedef struct gck_optimizer_row {
    gck_item item;
    size_t slots;
    void (*step)(const step_arguments *s);
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

static void sgd_step(const step_arguments *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->parameters[i] -= s->option[LEARNING_RATE] * s->gradient[i];
}

static void momentum_step(const step_arguments *s)
{
    const double beta = s->option[1];
    for (size_t i = 0; i < s->count; i++) {
        s->slot[0][i] = beta * s->slot[0][i] + (1 - beta) * s->gradient[i];
        s->parameters[i] -= s->option[LEARNING_RATE] * s->slot[0][i];
    }
}

static void rmsprop_step(const step_arguments *s)
{
    const double beta = s->option[1], epsilon = s->option[2];
    for (size_t i = 0; i < s->count; i++) {
        const double g = s->gradient[i];
        s->slot[0][i] = beta * s->slot[0][i] + (1 - beta) * g * g;
        s->parameters[i] -= s->option[LEARNING_RATE] * g / (sqrt(s->slot[0][i]) + epsilon);
    }
}

/* Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. */
static void adam_step(const step_arguments *s)
{
    const double beta1 = s->option[1], beta2 = s->option[2], epsilon = s->option[3];
    const double correction1 = 1 - pow(beta1, s->step), correction2 = 1 - pow(beta2, s->step);
    for (size_t i = 0; i < s->count; i++) {
        const double g = s->gradient[i];
        s->slot[0][i] = beta1 * s->slot[0][i] + (1 - beta1) * g;
        s->slot[1][i] = beta2 * s->slot[1][i] + (1 - beta2) * g * g;
        const double mean = s->slot[0][i] / correction1, square = s->slot[1][i] / correction2;
        s->parameters[i] -= s->option[LEARNING_RATE] * mean / (sqrt(square) + epsilon);
    }
}

static void adagrad_step(const step_arguments *s)
{
    const double epsilon = s->option[1];
    for (size_t i = 0; i < s->count; i++) {
        const double g = s->gradient[i];
        s->slot[0][i] += g * g;
        s->parameters[i] -= s->option[LEARNING_RATE] * g / (sqrt(s->slot[0][i]) + epsilon);
    }
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
    .step = momentum_step,
};
static const gck_optimizer_row rmsprop_row = {
    .item = {.name = "rmsprop",
             .formula = "s <- beta * s + (1 - beta) * g^2; "
                        "W <- W - learning_rate * g / (sqrt(s) + epsilon)",
             .option = {LEARNING_RATE_OPTION, DECAY_OPTION("beta", 0.9), EPSILON_OPTION}},
    .slots = 1,
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
    .step = adam_step,
};
static const gck_optimizer_row adagrad_row = {
    .item = {.name = "adagrad",
             .formula = "s <- s + g^2; W <- W - learning_rate * g / (sqrt(s) + epsilon)",
             .option = {LEARNING_RATE_OPTION, EPSILON_OPTION}},
    .slots = 1,
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
    const size_t slots = row_of(optimizer)->slots;
    const step_arguments arguments = {
        .option = optimizer->option,
        .step = (double)step,
        .count = count,
        .gradient = gradient,
        .slot = {slots > 0 ? state : NULL, slots > 1 ? state + count : NULL},
        .parameters = parameters,
    };
    row_of(optimizer)->step(&arguments);
}
