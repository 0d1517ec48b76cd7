/*
 * What the users of the crash test post, and what must come of it: the bytes that a daemon gave
 * which was left alone.
 */
#ifndef TESTS_SYSTEM_CRASH_REQUESTS_H
#define TESTS_SYSTEM_CRASH_REQUESTS_H

#include "harness.h"

struct crash_request {
    const char *path, *body;
    const char *result, *parameters; /* the bytes of the answers */
    bool slow;                       /* takes a second of work or more: the others end at once */
};

enum { CRASH_SMALL = 8, CRASH_SLOW = 3, CRASH_REQUESTS = CRASH_SMALL + CRASH_SLOW };

/* All of them: small ones first. Runs a daemon of its own for a while. */
const struct crash_request *crash_requests(void);

#endif
