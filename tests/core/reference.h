/* Reads tests/data/reference/NAME.json: a request as a client posts it, with the cost and gradients
 * that another program computed. Only what these files use is understood. */
#ifndef TESTS_CORE_REFERENCE_H
#define TESTS_CORE_REFERENCE_H

#include "tests/core/fixtures.h"

typedef struct reference {
    char name[64];
    network net;
    double cost;
    double *gradient; /* as the model's parameters */
} reference;

/* How many files there are; their names are sorted. The folder is $TEST_DATA/reference, or
 * tests/data/reference. */
size_t reference_count(void);
void reference_open(size_t index, reference *ret_reference);
void reference_close(reference *closed);

#endif
