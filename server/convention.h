/* What frameworks write down differently: which axis of a weight comes first, whether samples are
 * rows or columns, what the cost divides by, whether gradients have the regulariser in them. Bodies
 * and answers follow it; inside, all is in one form: W (inputs, units), samples as rows, the
 * gradient of the model's own cost, penalties included. docs/conventions.md */
#ifndef GRADCHECKD_CONVENTION_H
#define GRADCHECKD_CONVENTION_H

#include <stdbool.h>

/* Whole sets by name; none is the form inside. */
enum convention_set {
    CONVENTION_NONE,
    CONVENTION_PYTORCH,
    CONVENTION_KERAS,
    CONVENTION_COLUMNS,
    CONVENTION_SETS
};

struct convention {
    enum convention_set set;
    bool out_in;             /* W is (units, inputs) */
    bool columns;            /* the samples' axis is the last one, and b is (units, 1) */
    bool excludes_penalties; /* gradients and cost are without l1 and l2 */
    int reduction;           /* one that is named, an index of the cost's words; else -1 */
    double scale;            /* one that is named; else NaN */
};

#endif
