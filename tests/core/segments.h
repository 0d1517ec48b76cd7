/* The loss of one sample as a function of one pre-activation, φ: point by point in long double, and
 * as core/segments.c evaluates it. */
#ifndef TESTS_CORE_SEGMENTS_H
#define TESTS_CORE_SEGMENTS_H

#include "core/numeric.h"
#include "tests/core/fixtures.h"

/* A network of dense layers at its data, and the unit that is disturbed. */
typedef struct phi {
    network net;
    size_t layer, unit, sample;
    gck_pass *pass;
    gck_numeric *numeric;
} phi;

/* Prepares a unit; takes the network over, whose parameters and data are as they should be. */
phi phi_new(network net, size_t layer, size_t unit, size_t sample);
void phi_done(phi *p);

enum { PHI_KINKS_MAX = 512 };

typedef struct phi_value {
    long double loss;
    size_t kinks; /* of all units and terms, in the order of gck_kink_offset */
    size_t unit[PHI_KINKS_MAX];
    bool above[PHI_KINKS_MAX];
    long double nearest; /* the smallest distance of a pre-activation to a kink of its own */
} phi_value;

void phi_at(const phi *p, long double step, phi_value *ret_value);

/* What segments_evaluate gives for the steps. */
typedef struct phi_points {
    size_t count, units;
    double *step, *change;
    unsigned char *crossed;
    double *unit; /* crossings */
} phi_points;

phi_points phi_evaluate(const phi *p, const double *step, size_t count);
void phi_points_done(phi_points *points);

/* Evaluates the steps and compares every change, flag and count with φ point by point. */
void assert_phi(const phi *p, const double *step, size_t count, const char *what);

#endif
