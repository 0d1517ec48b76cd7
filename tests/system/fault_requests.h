/*
 * Every kind of request once, for tests that make calls of the daemon fail under it: how it is
 * prepared, and what tells a right answer.
 */
#ifndef TESTS_SYSTEM_FAULT_REQUESTS_H
#define TESTS_SYSTEM_FAULT_REQUESTS_H

#include "client.h"

/* What requests of a kind work on. */
struct scene {
    const struct service *service;
    unsigned round;     /* counts what must differ, such as keys */
    const char *job;    /* made by `prepare` */
    const char *right;  /* the body of every right answer; NULL: it differs */
    const char *result; /* that of every job the requests make; NULL: they never end so */
};

struct fault_request {
    const char *name;
    struct answer *(*ask)(struct scene *scene);
    int status;                           /* of a right answer */
    void (*prepare)(struct scene *scene); /* without faults; NULL: nothing */
    enum { ONCE, EACH } prepares;         /* for all requests of the kind, or before each */
    bool jobs;                            /* makes some, or changes them */
    bool same;                            /* every right answer has the same body */
    int also;                             /* another status of right answers */
};

/* All of them; a NULL name behind the last. */
extern const struct fault_request fault_requests[];

/* NULL: the answer is the right one. */
const char *fault_request_wrong(const struct fault_request *kind, const struct scene *scene,
                                struct answer *answer);

/*
 * Ends what is not ended yet (jobs that end by themselves are waited for), and removes all jobs.
 * Returns what is wrong with one: it may have succeeded, with the right result, or, `faulted`, have
 * failed with one of these problems (names separated by spaces).
 */
const char *jobs_settle(const struct scene *scene, const char *faulted);

/* Whether the document is a problem of one of these names. */
bool problem_is_one_of(const json_t *problem, const char *names);

#endif
