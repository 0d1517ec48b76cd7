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
    uint64_t ticket;
    struct waiter *next;
};

struct events;

struct events *events_open(void);
/* Wakes everybody; from then on nobody can wait, and once it returns no wake-up is under way. */
void events_drain(struct events *events);
void events_close(struct events *events);

/* The waiter's ticket; 0 once draining, when it is not kept. */
uint64_t events_add(struct events *events, struct waiter *waiter);
/* True when the waiter of that ticket was still there; it will not be woken any more. By ticket,
 * since a waiter that was woken may be gone, and another stand at its address. */
bool events_remove(struct events *events, uint64_t ticket);
void events_fire(struct events *events, const char *id);

#endif
