/* A check of gradients that a test made up. */
#ifndef TESTS_CORE_CLAIMS_H
#define TESTS_CORE_CLAIMS_H

#include "tests/core/fixtures.h"

#include <gradcheck/finding.h>

/* The check is computed once, for any number of claims. */
typedef struct claims {
    const network *net;
    gck_check_spec spec;
    gck_claim claim;
    gck_check *check;
    gck_report *report;
    bool claimed[GCK_LAYERS_MAX * GCK_TENSORS_MAX];
    double *gradient, *x; /* to be filled: (parameters), (samples, inputs) */
} claims;

/* False when the cost is not finite. spec's method, tolerance and inputs are kept. */
bool claims_open(claims *c, const network *net, const gck_check_spec *spec, gck_dtype dtype);
/* Only tensors that are marked, (layers, GCK_TENSORS_MAX), are claimed. */
bool claims_open_some(claims *c, const network *net, const gck_check_spec *spec, gck_dtype dtype,
                      const bool *claimed);
void claims_close(claims *c);

/* Verdicts of c->report anew, from c->gradient and c->x. */
void claims_judge(claims *c);

/* What is found; the caller is done with it by gck_findings_done. */
gck_findings claims_find(claims *c);

#endif
