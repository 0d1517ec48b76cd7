/*
 * Which jobs came to an end by what a daemon logged, in all its lives: a line is written once an
 * end is committed.
 */
#ifndef TESTS_SYSTEM_CRASH_LOG_H
#define TESTS_SYSTEM_CRASH_LOG_H

#include "harness.h"

struct crash_end {
    char id[32], state[16];
};

struct crash_log {
    struct crash_end *end; /* by id */
    size_t count;
    size_t twice;    /* jobs that ended more than once */
    size_t errors;   /* lines that tell of a fault */
    char error[400]; /* the first of them */
};

/* Reads the log of the service; kept until the test ends. */
struct crash_log crash_log_read(const struct service *service);

/* NULL when the log tells of none, as when the daemon ended between commit and line. */
const struct crash_end *crash_log_find(const struct crash_log *log, const char *id);

#endif
