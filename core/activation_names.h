/* All activations, once: X(name) for each. */
#ifndef GRADCHECK_CORE_ACTIVATION_NAMES_H
#define GRADCHECK_CORE_ACTIVATION_NAMES_H

#define GCK_ACTIVATION_NAMES(X) \
    X(linear)                   \
    X(sigmoid)                  \
    X(softmax)                  \
    X(relu)                     \
    X(leaky_relu)               \
    X(tanh)                     \
    X(elu)                      \
    X(selu)                     \
    X(slu)                      \
    X(softplus)                 \
    X(softsign)                 \
    X(bent_identity)            \
    X(gaussian)                 \
    X(arctan)                   \
    X(piecewise_linear)

#endif
