/* What all benchmark programs in C share: a clock, an end, and what many measurements come to. */
#ifndef BENCH_BASICS_H
#define BENCH_BASICS_H

#include <stddef.h>

/* Seconds, monotonic. */
double now(void);

/* Ends the program with the text. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Begins as {0}. */
typedef struct timings {
    double *value;
    size_t count, capacity;
} timings;

void timings_add(timings *t, double value);
/* To be called before timings_at. */
void timings_sort(timings *t);
/* The least value that `percent` of all do not exceed; 100: the worst. */
double timings_at(const timings *t, double percent);
void timings_done(timings *t);

#endif
