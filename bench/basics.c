#include "bench/basics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void timings_add(timings *t, double value)
{
    if (t->count == t->capacity) {
        t->capacity = 2 * t->capacity + 1024;
        t->value = realloc(t->value, t->capacity * sizeof *t->value);
        if (t->value == NULL) fail("out of memory");
    }
    t->value[t->count++] = value;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void timings_sort(timings *t)
{
    if (t->count > 0) qsort(t->value, t->count, sizeof *t->value, ascending);
}

double timings_at(const timings *t, double percent)
{
    if (t->count == 0) fail("nothing was measured");
    const double place = (double)t->count * percent / 100;
    size_t index = (size_t)place;
    if ((double)index == place && index > 0) index--;
    return t->value[index < t->count ? index : t->count - 1];
}

void timings_done(timings *t)
{
    free(t->value);
    *t = (timings){0};
}
