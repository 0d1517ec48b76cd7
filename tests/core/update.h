/* One step of one parameter by the formulas of core/optimizer.c in long double, and how far off the
 * kernels may be: what test_update.c compares with. */
#ifndef TESTS_CORE_UPDATE_H
#define TESTS_CORE_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct stepped_value {
    long double is;
    long double error; /* what a double may be off, in units of one rounding */
} stepped_value;

typedef struct stepped {
    stepped_value v, s, w;
} stepped;

/* A gradient; the slots: the mean of gradients, the mean or sum of squares; a parameter. */
typedef struct place {
    double g, v, s, w;
} place;

/* Of a step's elements, and one more, which must stay. */
enum { STEPPED_MAX = 33 };
typedef struct vectors {
    double g[STEPPED_MAX + 1], v[STEPPED_MAX + 1], s[STEPPED_MAX + 1], w[STEPPED_MAX + 1];
} vectors;

place vectors_place(const vectors *x, size_t i);
/* Numbers of all sizes between 2^-10 and 2^10. */
vectors vectors_mixture(void);

typedef struct settings {
    double rate, decay[2], epsilon, correction[2];
} settings;

typedef struct stepper {
    const char *name;
    stepped (*step)(const settings *o, const place *p);
    bool means, squares; /* slots in use: v, s */
} stepper;

enum { STEPPERS = 5 };
/* sgd, momentum, rmsprop, adam, adagrad */
extern const stepper steppers[STEPPERS];

#endif
