/*
 * Where the users of the crash test find the daemon of the moment: each has a port and a number of
 * its own. Any thread.
 */
#ifndef TESTS_SYSTEM_CRASH_GATE_H
#define TESTS_SYSTEM_CRASH_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct crash_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int port;
    unsigned life; /* of the daemon; counted from 1 */
    bool over;     /* no more ends: this is the last one */
};

struct crash_life {
    int port;
    unsigned number;
    bool last;
};

void gate_init(struct crash_gate *gate);
/* The next daemon serves on this port. */
void gate_open(struct crash_gate *gate, int port);
/* The one that serves stays. */
void gate_end(struct crash_gate *gate);
/* Waits for a daemon later than that of this number. */
struct crash_life gate_pass(struct crash_gate *gate, unsigned dead);

#endif
