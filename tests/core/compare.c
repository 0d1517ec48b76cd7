#include "tests/core/compare.h"

#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void assert_within(double got, long double want, long double bound, const char *format, ...)
{
    if (fabsl((long double)got - want) <= bound) return;
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    ck_abort_msg("%s: got %.17g, want %.20Lg within %.3Lg, off by %.3Lg", what, got, want, bound,
                 fabsl((long double)got - want));
}

void assert_same_bits(const double *got, const double *want, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t g, w;
        memcpy(&g, &got[i], sizeof g);
        memcpy(&w, &want[i], sizeof w);
        ck_assert_msg(g == w, "%s: element %zu is %a, want %a", what, i, got[i], want[i]);
    }
}

void assert_invalid(gck_status status, const gck_error *error, const char *where)
{
    ck_assert_msg(status == GCK_INVALID, "status %d where %s should be invalid", (int)status,
                  where);
    ck_assert_int_eq(error->code, GCK_INVALID);
    ck_assert_str_eq(error->where, where);
    ck_assert_msg(error->text[0] != '\0', "no text for %s", where);
}

void assert_ok(gck_status status, const gck_error *error)
{
    ck_assert_msg(status == GCK_OK, "status %d at \"%s\": %s", (int)status, error->where,
                  error->text);
}
