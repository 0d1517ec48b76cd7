/* A backward pass of the tests' own, with one known mistake put in: loops over one sample after the
 * other, by the formulas of a textbook, in long doubles. It shares nothing with the library's, so
 * that what is found there is found in somebody else's gradients. */
#ifndef TESTS_CORE_MISTAKEN_H
#define TESTS_CORE_MISTAKEN_H

#include "tests/core/fixtures.h"

#include <gradcheck/finding.h>

/* id, code, name as docs/findings.md has them */
#define MISTAKEN_LIST(X)                                                       \
    X(DELTA_TIMES_M, SCALED, "mean_missing")                                   \
    X(DELTA_BY_M, SCALED, "mean_twice")                                        \
    X(DELTA_NEGATED, SIGN_FLIPPED, "negated")                                  \
    X(DELTA_DOUBLED, SCALED, "doubled")                                        \
    X(DELTA_HALVED, SCALED, "halved")                                          \
    X(DELTA_ZERO, ZERO, "delta")                                               \
    X(W_TIMES_M, SCALED, "mean_missing")                                       \
    X(W_BY_M, SCALED, "mean_twice")                                            \
    X(W_NEGATED, SIGN_FLIPPED, "negated")                                      \
    X(W_DOUBLED, SCALED, "doubled")                                            \
    X(W_HALVED, SCALED, "halved")                                              \
    X(W_BY_OUTPUTS, SCALED, "outputs_twice")                                   \
    X(W_ZERO, ZERO, "tensor")                                                  \
    X(W_TRANSPOSED, TRANSPOSED, "transposed")                                  \
    X(W_RESHAPED, TRANSPOSED, "reshaped")                                      \
    X(W_DATA_TRANSPOSED, TRANSPOSED, "data_transposed")                        \
    X(W_DATA_RESHAPED, TRANSPOSED, "data_reshaped")                            \
    X(W_EXCHANGED, TRANSPOSED, "exchanged")                                    \
    X(W_OF_ANOTHER_LAYER, TRANSPOSED, "of_another_layer")                      \
    X(W_OF_Z, WRONG_INPUT, "pre_activation")                                   \
    X(W_OF_OWN_OUTPUT, WRONG_INPUT, "own_output")                              \
    X(W_OF_INPUT_BELOW, WRONG_INPUT, "input_of_layer_below")                   \
    X(W_OF_RAW_X, WRONG_INPUT, "raw_x")                                        \
    X(W_UNMASKED, DROPOUT_MASK, "input_unmasked")                              \
    X(W_WITHOUT_DERIVATIVE, ACTIVATION_DERIVATIVE, "missing")                  \
    X(W_WITHOUT_SAMPLE, MISSING_SAMPLE, "missing")                             \
    X(W_UNWEIGHTED, MISSING_SAMPLE, "weights_ignored")                         \
    X(W_ROUNDED, ROUNDED, "float32")                                           \
    X(W_WITHOUT_UNIT, MISSING_UNIT, "unit")                                    \
    X(PENALTY_MISSING, REGULARISATION, "missing")                              \
    X(PENALTY_DOUBLED, REGULARISATION, "doubled")                              \
    X(PENALTY_HALVED, REGULARISATION, "halved")                                \
    X(PENALTY_BY_M, REGULARISATION, "divided_by_samples")                      \
    X(PENALTY_NEGATED, REGULARISATION, "negated")                              \
    X(PENALTY_L1_AS_L2, REGULARISATION, "l1_as_l2")                            \
    X(PENALTY_ON_BIAS, REGULARISATION, "on_bias")                              \
    X(B_TIMES_M, BIAS_REDUCTION, "summed")                                     \
    X(B_BY_M, BIAS_REDUCTION, "averaged")                                      \
    X(B_ONLY_LAST, BIAS_REDUCTION, "only_one")                                 \
    X(B_ONLY_FIRST, BIAS_REDUCTION, "only_one")                                \
    X(B_OVER_UNITS, BIAS_REDUCTION, "over_units")                              \
    X(B_NEGATED, SIGN_FLIPPED, "negated")                                      \
    X(B_ZERO, ZERO, "tensor")                                                  \
    X(B_EXCHANGED, TRANSPOSED, "exchanged")                                    \
    X(B_UNWEIGHTED, MISSING_SAMPLE, "weights_ignored")                         \
    X(B_WITHOUT_SAMPLE, MISSING_SAMPLE, "missing")                             \
    X(SLOPE_MISSING, ACTIVATION_DERIVATIVE, "missing")                         \
    X(SLOPE_OF_OUTPUT, ACTIVATION_DERIVATIVE, "of_output")                     \
    X(SLOPE_TWICE, ACTIVATION_DERIVATIVE, "twice")                             \
    X(SLOPE_OF_SIGMOID, ACTIVATION_DERIVATIVE, "of_another:sigmoid")           \
    X(SLOPE_OF_TANH, ACTIVATION_DERIVATIVE, "of_another:tanh")                 \
    X(SLOPE_OF_RELU, ACTIVATION_DERIVATIVE, "of_another:relu")                 \
    X(SLOPE_OF_LEAKY, ACTIVATION_DERIVATIVE, "of_another:leaky_relu")          \
    X(SLOPE_BY_SIGMOID, ACTIVATION_DERIVATIVE, "by_output_of_another:sigmoid") \
    X(SLOPE_BY_TANH, ACTIVATION_DERIVATIVE, "by_output_of_another:tanh")       \
    X(SLOPE_OF_DROPPED, ACTIVATION_DERIVATIVE, "of_dropped_output")            \
    X(SLOPE_OF_DELTA, ACTIVATION_DERIVATIVE, "of_delta")                       \
    X(SLOPE_BY_DEFAULTS, ACTIVATION_DERIVATIVE, "default_options")             \
    X(SLOPE_IS_VALUE, ACTIVATION_DERIVATIVE, "value")                          \
    X(SOFTMAX_DIAGONAL, ACTIVATION_DERIVATIVE, "diagonal")                     \
    X(SOFTMAX_TWICE, DOUBLE_SOFTMAX, "jacobian_on_top")                        \
    X(DIAGONAL_ON_TOP, DOUBLE_SOFTMAX, "diagonal_on_top")                      \
    X(SLOPE_ON_TOP, ACTIVATION_DERIVATIVE, "on_top")                           \
    X(COST_DIFFERENCE, WRONG_DELTA, "difference")                              \
    X(COST_OF_MSE, WRONG_DELTA, "cost_of_another:mse")                         \
    X(COST_OF_MAE, WRONG_DELTA, "cost_of_another:mae")                         \
    X(WEIGHTS_IGNORED, MISSING_SAMPLE, "weights_ignored")                      \
    X(LAST_SAMPLE_MISSING, MISSING_SAMPLE, "missing")                          \
    X(FIRST_SAMPLE_MISSING, MISSING_SAMPLE, "missing")                         \
    X(SAMPLE_TWICE, MISSING_SAMPLE, "counted_twice")                           \
    X(LAST_UNIT_MISSING, MISSING_UNIT, "delta")                                \
    X(UNIT_NOT_PASSED, MISSING_UNIT, "not_passed")                             \
    X(NOT_TRANSPOSED, WRONG_DELTA, "weights_not_transposed")                   \
    X(OTHER_WEIGHTS, WRONG_DELTA, "weights_of_another")                        \
    X(WEIGHTS_MISSING, WRONG_DELTA, "weights_missing")                         \
    X(PASSED_BEFORE_ACTIVATION, WRONG_DELTA, "before_activation")              \
    X(DELTA_OF_LAYER_ABOVE, WRONG_DELTA, "of_layer_above")                     \
    X(MASK_NOT_APPLIED, DROPOUT_MASK, "not_applied")                           \
    X(MASK_NOT_SCALED, DROPOUT_MASK, "not_scaled")                             \
    X(MASK_ONLY_SCALED, DROPOUT_MASK, "only_scaled")                           \
    X(X_TIMES_M, SCALED, "mean_missing")                                       \
    X(ELEMENT_WRONG, ELEMENTS, "elements")                                     \
    X(ELEMENT_NAN, NON_FINITE, "non_finite")                                   \
    X(ROUNDED_32, ROUNDED, "float32")                                          \
    X(ROUNDED_16, ROUNDED, "float16")                                          \
    X(ROUNDED_DECIMALS, ROUNDED, "decimals")                                   \
    X(QUOTIENT_CENTRAL, FINITE_DIFFERENCE, "central")                          \
    X(QUOTIENT_FORWARD, FINITE_DIFFERENCE, "forward")

typedef enum mistaken_id {
#define X(ID, CODE, NAME) ID,
    MISTAKEN_LIST(X)
#undef X
        MISTAKES,
    NO_MISTAKE = MISTAKES
} mistaken_id;

typedef struct mistaken_kind {
    const char *id;
    gck_finding_code code;
    const char *name;
} mistaken_kind;

extern const mistaken_kind mistaken_kinds[];

/* One mistake, made at a layer of the model. */
typedef struct mistaken {
    mistaken_id id;
    size_t layer;
    long double factor; /* of the delta, on top of it; 0 and 1: none */
} mistaken;

/* Whether it can be made there, and is one by the shapes of things. */
bool mistaken_applies(const network *net, const mistaken *made);

/* The layer whose gradients are the first that it makes wrong; GCK_FINDING_NO_LAYER: x, or the
 * whole. */
size_t mistaken_culprit(const network *net, const mistaken *made);

/* The gradient with up to two mistakes in it, as doubles: gradient (parameter_count), x (samples,
 * inputs). */
void mistaken_gradient(const network *net, const mistaken *made, size_t count, double *gradient,
                       double *x);

#endif
