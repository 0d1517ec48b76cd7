#include "server/events.h"
#include "server/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct events {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a nearer deadline, or the end */
    pthread_t timer;
    struct waiter *first;
    uint64_t tickets;    /* given so far */
    int64_t sleeps_till; /* the timer, unless it is told otherwise */
    unsigned waking;     /* threads with waiters in hand */
    bool draining, closing;
};

/* Takes out of the list those that end with the job (id) or by now; returns them as a list. */
static struct waiter *extract(struct events *events, const char *id, int64_t now_ns)
{
    struct waiter *taken = NULL, **place = &events->first;
    while (*place != NULL) {
        struct waiter *waiter = *place;
        const bool due = id == NULL ? waiter->deadline_ns <= now_ns : strcmp(waiter->id, id) == 0;
        if (!due) {
            place = &waiter->next;
            continue;
        }
        *place = waiter->next;
        waiter->next = taken;
        taken = waiter;
    }
    return taken;
}

/* Wakes a list of waiters; the lock is held on entry and on return. */
static void wake_all(struct events *events, struct waiter *waiter)
{
    if (waiter == NULL) return;
    events->waking++;
    pthread_mutex_unlock(&events->lock);
    while (waiter != NULL) {
        struct waiter *next = waiter->next; /* the waiter may be gone once woken */
        waiter->wake(waiter);
        waiter = next;
    }
    pthread_mutex_lock(&events->lock);
    events->waking--;
    if (events->draining) pthread_cond_broadcast(&events->changed);
}

static int64_t nearest(const struct events *events)
{
    int64_t deadline = INT64_MAX;
    for (const struct waiter *w = events->first; w != NULL; w = w->next)
        if (w->deadline_ns < deadline) deadline = w->deadline_ns;
    return deadline;
}

static void *run_timer(void *argument)
{
    struct events *events = argument;
    pthread_mutex_lock(&events->lock);
    while (!events->closing) {
        events->sleeps_till = nearest(events);
        if (events->sleeps_till == INT64_MAX) {
            pthread_cond_wait(&events->changed, &events->lock);
        } else {
            const struct timespec until = clock_timespec(events->sleeps_till);
            pthread_cond_timedwait(&events->changed, &events->lock, &until);
        }
        wake_all(events, extract(events, NULL, clock_monotonic_ns()));
    }
    pthread_mutex_unlock(&events->lock);
    return NULL;
}

struct events *events_open(void)
{
    struct events *events = calloc(1, sizeof *events);
    if (events == NULL) return NULL;
    pthread_mutex_init(&events->lock, NULL);
    clock_condition_init(&events->changed);
    if (pthread_create(&events->timer, NULL, run_timer, events) != 0) {
        free(events);
        return NULL;
    }
    return events;
}

void events_drain(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    events->draining = true;
    wake_all(events, extract(events, NULL, INT64_MAX));
    while (events->waking > 0)
        pthread_cond_wait(&events->changed, &events->lock);
    pthread_mutex_unlock(&events->lock);
}

void events_close(struct events *events)
{
    if (events == NULL) return;
    events_drain(events);
    pthread_mutex_lock(&events->lock);
    events->closing = true;
    pthread_cond_signal(&events->changed);
    pthread_mutex_unlock(&events->lock);
    pthread_join(events->timer, NULL);
    pthread_mutex_destroy(&events->lock);
    pthread_cond_destroy(&events->changed);
    free(events);
}

uint64_t events_add(struct events *events, struct waiter *waiter)
{
    pthread_mutex_lock(&events->lock);
    uint64_t ticket = 0;
    bool sooner = false;
    if (!events->draining) {
        waiter->ticket = ticket = ++events->tickets;
        waiter->next = events->first;
        events->first = waiter;
        sooner = waiter->deadline_ns < events->sleeps_till;
    }
    pthread_mutex_unlock(&events->lock);
    if (sooner) pthread_cond_signal(&events->changed);
    return ticket;
}

bool events_remove(struct events *events, uint64_t ticket)
{
    pthread_mutex_lock(&events->lock);
    struct waiter **place = &events->first;
    while (*place != NULL && (*place)->ticket != ticket)
        place = &(*place)->next;
    const bool there = *place != NULL;
    if (there) *place = (*place)->next;
    pthread_mutex_unlock(&events->lock);
    return there;
}

void events_fire(struct events *events, const char *id)
{
    pthread_mutex_lock(&events->lock);
    wake_all(events, extract(events, id, 0));
    pthread_mutex_unlock(&events->lock);
}
