/* A claim's own forward pass beside ours: what cost and outputs tell, whatever the gradients do.
 *
 * Both are judged as gradients are: wrong unless |ours - claimed| <= tolerance (|ours| + |claimed|)
 * + bar, the bar being what rounding can do to them in the claim's dtype (core/bar_claim.h). Where
 * that is no finite number nothing is said. Pure; any thread; a pass over the outputs. */
#ifndef GRADCHECK_CORE_CHECK_FORWARD_H
#define GRADCHECK_CORE_CHECK_FORWARD_H

#include <gradcheck/check.h>

typedef struct gck_forward_difference {
    size_t judged;    /* outputs that are claimed, of samples that count */
    size_t strange;   /* claimed outputs that are no finite numbers */
    size_t different; /* others that are not ours */
    size_t at;        /* flat: the first strange one, or that of the largest error for its bar */
    bool cost;        /* whether the claimed cost is not ours */
    bool lost;        /* whether it is no finite number where rounding may leave none */
} gck_forward_difference;

gck_forward_difference gck_forward_compare(const gck_check_spec *spec, const gck_report *report);

/* False where two costs, or outputs, are known to differ. */
bool gck_forward_same(const gck_report *report, double ours, double claimed, double bar);

/* A number in words, "NaN", "Infinity" and "-Infinity" among them. Returns text. */
enum { GCK_NUMBER_TEXT = 32 };
const char *gck_number_format(double number, char text[GCK_NUMBER_TEXT]);

/* Why a cost is lost. */
#define GCK_LOST "outputs that are rounded to 0 or 1 have a logarithm of 0"

/* Warns of a difference where no gradient fails. */
gck_status gck_forward_warn(const gck_check_spec *spec, gck_report *report, gck_error *error);

#endif
