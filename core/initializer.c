#include <gradcheck/initializer.h>
#include <gradcheck/rng.h>

#include <math.h>

typedef enum distribution { CONSTANT, NORMAL, UNIFORM } distribution;

/* Weights are `spread` times a standard normal, times a uniform in [-1, 1), or 1. */
typedef struct gck_initializer_row {
    gck_item item;
    distribution distribution;
    double (*spread)(double fan_in, double fan_out);
    double bias;
} gck_initializer_row;

static double spread_zero(double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return 0;
}

static double spread_one(double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    return 1;
}

/* Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
 * 2010. */
static double spread_glorot_normal(double fan_in, double fan_out)
{
    return sqrt(2 / (fan_in + fan_out));
}

static double spread_glorot_uniform(double fan_in, double fan_out)
{
    return sqrt(6 / (fan_in + fan_out));
}

/* He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015. */
static double spread_he_normal(double fan_in, double fan_out)
{
    (void)fan_out;
    return sqrt(2 / fan_in);
}

static double spread_he_uniform(double fan_in, double fan_out)
{
    (void)fan_out;
    return sqrt(6 / fan_in);
}

#define ROW(NAME, FORMULA, ...) \
    static const gck_initializer_row NAME##_row = {{.name = #NAME, .formula = FORMULA}, __VA_ARGS__}

ROW(zeros, "0", CONSTANT, spread_zero, 0);
ROW(ones, "1, biases too", CONSTANT, spread_one, 1);
ROW(normal, "N(0, 1)", NORMAL, spread_one, 0);
ROW(uniform, "U(-1, 1)", UNIFORM, spread_one, 0);
ROW(glorot_normal, "N(0, 2 / (inputs + units))", NORMAL, spread_glorot_normal, 0);
ROW(glorot_uniform, "U(-r, r), r = sqrt(6 / (inputs + units))", UNIFORM, spread_glorot_uniform, 0);
ROW(he_normal, "N(0, 2 / inputs)", NORMAL, spread_he_normal, 0);
ROW(he_uniform, "U(-r, r), r = sqrt(6 / inputs)", UNIFORM, spread_he_uniform, 0);

static const gck_item *const rows[] = {
    &zeros_row.item,         &ones_row.item,           &normal_row.item,    &uniform_row.item,
    &glorot_normal_row.item, &glorot_uniform_row.item, &he_normal_row.item, &he_uniform_row.item};

const gck_table gck_initializers = {"initializer", rows, sizeof rows / sizeof rows[0]};

static const gck_initializer_row *row_of(const gck_choice *initializer)
{
    return (const gck_initializer_row *)initializer->item;
}

void gck_initializer_draw(const gck_choice *initializer, uint64_t seed, uint32_t stream,
                          size_t fan_in, size_t fan_out, double *weights, size_t count)
{
    const gck_initializer_row *row = row_of(initializer);
    const double spread = row->spread((double)fan_in, (double)fan_out);
    for (size_t i = 0; i < count; i++) {
        double unit = 1;
        if (row->distribution == NORMAL)
            unit = gck_rng_normal(seed, GCK_RNG_PARAMETERS, stream, i);
        else if (row->distribution == UNIFORM)
            unit = 2 * gck_rng_uniform(seed, GCK_RNG_PARAMETERS, stream, i) - 1;
        weights[i] = spread * unit;
    }
}

double gck_initializer_bias(const gck_choice *initializer)
{
    return row_of(initializer)->bias;
}
