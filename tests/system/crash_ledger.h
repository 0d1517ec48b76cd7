/*
 * What a user was told of jobs, each new sight held against those before. One thread's.
 */
#ifndef TESTS_SYSTEM_CRASH_LEDGER_H
#define TESTS_SYSTEM_CRASH_LEDGER_H

#include "client.h"
#include "crash_requests.h"

#include <stdint.h>

/* A job that was accepted: a 200 or 202 named it. */
struct crash_job {
    char id[32];
    const struct crash_request *request;
    bool keyed, ended, crashed;
    bool cancelling;        /* its end was asked for, whatever became of that */
    bool removing, removed; /* asked for, perhaps in vain; told that it is gone */
    uint64_t tag, body;     /* hashes of the last sight */
    char state[16];         /* likewise */
};

enum { LEDGER_FAULTS = 8 };

struct crash_ledger {
    const char *owner;
    const struct crash_request *requests;
    struct crash_job *job;
    size_t count, capacity;
    size_t lost, changed; /* jobs, results */
    size_t faults;        /* anything that must not be, with the first few of them */
    char fault[LEDGER_FAULTS][400];
};

void ledger_fault(struct crash_ledger *ledger, const char *pattern, ...)
    __attribute__((format(printf, 2, 3)));

/* Enters the job of a 200 or 202; its place. */
size_t ledger_add(struct crash_ledger *ledger, const struct crash_request *request,
                  const struct answer *answer);
/* The job of a later answer, whose body shows it. */
void ledger_see(struct crash_ledger *ledger, struct crash_job *job, const struct answer *answer);
/* A 404 where the job should be. */
void ledger_miss(struct crash_ledger *ledger, struct crash_job *job);

/* Whether the body shows this job. */
bool shows_job(const struct answer *answer, const char *id);

#endif
