/* The inside of a comparison: compare.c judges, compare_explain.c says what it looks like. */
#ifndef GRADCHECK_CORE_COMPARE_H
#define GRADCHECK_CORE_COMPARE_H

#include <gradcheck/compare.h>

/* What is granted to rounding, in units of the dtype's roundoff. */
#define COMPARE_BAR 8.0

/* By what two numbers are the same. */
typedef struct compare_rule {
    double tolerance, roundoff;
} compare_rule;

/* The bar between two numbers. */
double compare_bar(double a, double b, double roundoff);

/* What kind of mistake a tensor that fails looks like. */
void compare_explain(const gck_compared *tensor, const gck_tensor_report *report,
                     const compare_rule *rule, gck_dtype dtype, gck_finding *ret_finding);

#endif
