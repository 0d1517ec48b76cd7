/* The loss of one sample as a function of one pre-activation, φ: point by point in long double, and
 * as core/segments.c evaluates it. */
#ifndef TESTS_CORE_SEGMENTS_H
#define TESTS_CORE_SEGMENTS_H

#include "core/numeric.h"
#include "tests/core/fixtures.h"

/* ---- networks; x is 0.5, 1.5 and 2.5 for three samples, y is 0 ---- */

/* Of dense layers with a bias; all parameters are 0. */
network phi_network(const gck_layer_spec *layers, size_t count, const char *cost);
double *phi_weights(network *net, size_t layer);
double *phi_biases(network *net, size_t layer);

/* One unit of an activation at z = x + bias, then 1.5 a - 0.25. */
network phi_of_one(const char *activation, double bias, const char *cost);
/* t = tanh(x - 0.5 + s), 0 for the first sample; relu units of t - 0.3, 0.2 - t and t + 0.1; their
 * sum. */
network phi_of_three(const char *cost);
/* s itself, and relu units with kinks evenly from low to high. */
network phi_of_many(size_t units, double low, double high);

/* ---- φ ---- */

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

/* ---- steps ---- */

enum { STEPS_MAX = 600 };

/* Unevenly within (low, high), as the golden ratio throws them. */
void steps_spread(double low, double high, double *step, size_t count);
/* As a central difference has them: each with its opposite. */
void steps_mirrored(double reach, double *step, size_t count);

void assert_phi_spread(const phi *p, double low, double high, size_t count, const char *what);
void assert_phi_mirrored(const phi *p, double reach, const char *what); /* STEPS_MAX of them */

#endif
