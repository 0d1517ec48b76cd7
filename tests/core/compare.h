/* Comparisons against a bound, which the caller derives, or bit by bit. */
#ifndef TESTS_CORE_COMPARE_H
#define TESTS_CORE_COMPARE_H

#include <gradcheck/status.h>

#include <stddef.h>

/* u: one rounding of a double errs by at most u relative to the result. */
#define ROUNDOFF 0x1p-53L
/* The distance of neighbours among the smallest doubles: what a result that underflows errs by. */
#define SMALLEST 0x1p-1074L

/* |got - want| <= bound; NaN fails. The text says what was compared. */
void assert_within(double got, long double want, long double bound, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same bits, so that NaN equals itself and 0 differs from -0. */
void assert_same_bits(const double *got, const double *want, size_t count, const char *what);

/* status is GCK_INVALID and the error names `where`. */
void assert_invalid(gck_status status, const gck_error *error, const char *where);
/* status is GCK_OK, or the error's text is shown. */
void assert_ok(gck_status status, const gck_error *error);

#endif
