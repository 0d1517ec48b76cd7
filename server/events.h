/* Who waits for the end of which job, and until when. Any thread; no lock is held while a waiter is
 * woken. */
#ifndef GRADCHECKD_EVENTS_H
#define GRADCHECKD_EVENTS_H

#include "server/id.h"

#include <stdbool.h>
#include <stdint.h>

/* Owned by whoever waits, and untouched between events_add and its wake-up. */
struct waiter {
    char id[ID_SIZE];                    /* of the job */
    int64_t deadline_ns;                 /* of the monotonic clock */
    void (*wake)(struct waiter *waiter); /* called once, from any thread */
    struct waiter *next;
};

struct events;

struct events *events_open(void);
/* Wakes everybody; from then on nobody can wait. */
void events_drain(struct events *events);
void events_close(struct events *events);

/* False once draining: the waiter is not kept. */
bool events_add(struct events *events, struct waiter *waiter);
/* True when the waiter was still there; it will not be woken any more. */
bool events_remove(struct events *events, struct waiter *waiter);
void events_fire(struct events *events, const char *id);

#endif
