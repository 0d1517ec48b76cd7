/* One step of one parameter by the formulas of core/optimizer.c in long double, and how far off the
 * kernels may be: what test_update.c compares with. */
#ifndef TESTS_CORE_UPDATE_H
#define TESTS_CORE_UPDATE_H

#include <stdbool.h>

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
