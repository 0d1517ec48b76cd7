/*
 * One client of the crash test: posts, waits, cancels and removes jobs at random until the daemon's
 * last life, and then looks after all it was told of. A thread of its own; what it found stands in
 * its ledger once it has ended.
 */
#ifndef TESTS_SYSTEM_CRASH_USER_H
#define TESTS_SYSTEM_CRASH_USER_H

#include "crash_gate.h"
#include "crash_ledger.h"

/* A POST with a key since the daemon's last start, to be sent again after its next one. */
struct crash_key {
    unsigned number;
    const struct crash_request *request;
    size_t job; /* its place in the ledger; SIZE_MAX: no answer came */
};

enum { USER_KEYS = 64, USER_OPEN = 12 };

struct crash_user {
    struct crash_gate *gate;
    const char *token; /* NULL: none is needed */
    unsigned number;   /* of all clients */
    bool posts_slow;   /* slow jobs, too, one at a time */
    uint64_t random;   /* the generator's state */
    struct crash_ledger ledger;

    struct crash_life life;
    unsigned dead; /* the life that was found to have ended */
    struct client client;
    bool connected;
    size_t open[USER_OPEN], open_count; /* places of jobs that had not ended */
    struct crash_key key[USER_KEYS];
    size_t key_count;
    unsigned keys_made;
    size_t repeated, removed, unanswered; /* keyed POSTs; jobs; POSTs without a key */
};

/* 64 random bits. */
uint64_t crash_random(uint64_t *state);

/* The thread; its argument is a struct crash_user. */
void *crash_user_run(void *user);

#endif
