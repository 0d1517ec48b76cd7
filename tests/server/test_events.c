/* Who waits for a job's end: woken by it, by the deadline or by the end of everything, once. */
#include "server/clock.h"
#include "server/events.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A waiter whose wake-ups are counted, and can be waited for. */
struct sleeper {
    struct waiter waiter; /* first */
    int woken;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woke = PTHREAD_COND_INITIALIZER;

static void wake(struct waiter *waiter)
{
    struct sleeper *sleeper = (struct sleeper *)waiter;
    pthread_mutex_lock(&lock);
    sleeper->woken++;
    pthread_cond_broadcast(&woke);
    pthread_mutex_unlock(&lock);
}

static struct sleeper sleeper_of(const char *id, int64_t deadline_ns)
{
    struct sleeper sleeper = {.waiter = {.deadline_ns = deadline_ns, .wake = wake}};
    snprintf(sleeper.waiter.id, sizeof sleeper.waiter.id, "%s", id);
    return sleeper;
}

static int times_woken(struct sleeper *sleeper)
{
    pthread_mutex_lock(&lock);
    const int woken = sleeper->woken;
    pthread_mutex_unlock(&lock);
    return woken;
}

static void await(struct sleeper *sleeper)
{
    pthread_mutex_lock(&lock);
    while (sleeper->woken == 0)
        pthread_cond_wait(&woke, &lock);
    pthread_mutex_unlock(&lock);
}

static struct events *open_events(void)
{
    struct events *events = events_open();
    ck_assert_ptr_nonnull(events);
    return events;
}

START_TEST(the_end_of_a_job_wakes_those_who_wait_for_it)
{
    struct events *events = open_events();
    struct sleeper a = sleeper_of("x", INT64_MAX), b = sleeper_of("x", INT64_MAX);
    struct sleeper other = sleeper_of("y", INT64_MAX), longer = sleeper_of("xx", INT64_MAX);
    ck_assert(events_add(events, &a.waiter));
    ck_assert(events_add(events, &other.waiter));
    ck_assert(events_add(events, &b.waiter));
    ck_assert(events_add(events, &longer.waiter));
    events_fire(events, "x");
    ck_assert_int_eq(times_woken(&a), 1);
    ck_assert_int_eq(times_woken(&b), 1);
    ck_assert_int_eq(times_woken(&other), 0);
    ck_assert_int_eq(times_woken(&longer), 0);
    events_fire(events, "x");
    events_fire(events, "nobody's");
    ck_assert_int_eq(times_woken(&a), 1);
    events_close(events);
    ck_assert_int_eq(times_woken(&a) + times_woken(&b), 2);
}
END_TEST

START_TEST(a_deadline_that_has_passed_wakes_at_once)
{
    static const int64_t deadlines[] = {INT64_MIN, -1, 0, 1};
    struct events *events = open_events();
    for (size_t i = 0; i < COUNT(deadlines); i++) {
        struct sleeper late = sleeper_of("x", deadlines[i]);
        ck_assert(events_add(events, &late.waiter));
        await(&late);
        ck_assert(!events_remove(events, late.waiter.ticket));
    }
    events_close(events);
}
END_TEST

START_TEST(a_deadline_wakes_not_before_it_comes)
{
    struct events *events = open_events();
    const int64_t now = clock_monotonic_ns();
    struct sleeper far = sleeper_of("x", INT64_MAX), late = sleeper_of("x", now + 30000000);
    struct sleeper soon = sleeper_of("x", now + 10000000);
    ck_assert(events_add(events, &far.waiter));
    ck_assert(events_add(events, &late.waiter));
    ck_assert(events_add(events, &soon.waiter)); /* nearer than the one the timer waits for */
    await(&soon);
    ck_assert_int_ge(clock_monotonic_ns(), soon.waiter.deadline_ns);
    await(&late);
    ck_assert_int_ge(clock_monotonic_ns(), late.waiter.deadline_ns);
    ck_assert_int_eq(times_woken(&far), 0);
    events_close(events);
    ck_assert_int_eq(times_woken(&far), 1);
}
END_TEST

START_TEST(who_leaves_is_not_woken)
{
    struct events *events = open_events();
    struct sleeper a = sleeper_of("x", INT64_MAX), b = sleeper_of("x", INT64_MAX);
    struct sleeper c = sleeper_of("x", INT64_MAX);
    ck_assert(events_add(events, &a.waiter));
    ck_assert(events_add(events, &b.waiter));
    ck_assert(events_add(events, &c.waiter));
    ck_assert(events_remove(events, b.waiter.ticket));
    ck_assert(!events_remove(events, b.waiter.ticket));
    events_fire(events, "x");
    ck_assert(!events_remove(events, a.waiter.ticket));
    events_close(events);
    ck_assert_int_eq(times_woken(&a), 1);
    ck_assert_int_eq(times_woken(&b), 0);
    ck_assert_int_eq(times_woken(&c), 1);
}
END_TEST

/* A woken waiter may be gone, and another stand at its address. */
START_TEST(a_ticket_is_good_for_one_wait)
{
    struct events *events = open_events();
    struct sleeper a = sleeper_of("x", INT64_MAX);
    const uint64_t first = events_add(events, &a.waiter);
    events_fire(events, "x");
    const uint64_t second = events_add(events, &a.waiter);
    ck_assert(first != 0 && second != 0 && first != second);
    ck_assert(!events_remove(events, first));
    ck_assert(!events_remove(events, 0));
    ck_assert(events_remove(events, second));
    events_close(events);
    ck_assert_int_eq(times_woken(&a), 1);
}
END_TEST

START_TEST(draining_wakes_everybody_and_keeps_nobody)
{
    struct events *events = open_events();
    struct sleeper a = sleeper_of("x", INT64_MAX), b = sleeper_of("y", INT64_MAX);
    struct sleeper c = sleeper_of("z", 0);
    ck_assert(events_add(events, &a.waiter));
    ck_assert(events_add(events, &b.waiter));
    events_drain(events);
    ck_assert_int_eq(times_woken(&a), 1);
    ck_assert_int_eq(times_woken(&b), 1);
    ck_assert(!events_add(events, &c.waiter));
    ck_assert(!events_remove(events, c.waiter.ticket));
    events_drain(events);
    events_close(events);
    ck_assert_int_eq(times_woken(&a), 1);
    ck_assert_int_eq(times_woken(&c), 0);
}
END_TEST

static struct events *the_events;

/* Returns only once nobody can wait any more, which is when others are being drained. */
static void wake_slowly(struct waiter *waiter)
{
    struct sleeper probe = sleeper_of("probe", INT64_MAX);
    wake(waiter);
    for (uint64_t ticket; (ticket = events_add(the_events, &probe.waiter)) != 0;)
        if (!events_remove(the_events, ticket)) await(&probe);
    wake(waiter);
}

static void *fire(void *id)
{
    events_fire(the_events, id);
    return NULL;
}

/* What a wake-up uses may be taken apart afterwards. */
START_TEST(draining_waits_for_wake_ups_under_way)
{
    pthread_t thread;
    the_events = open_events();
    struct sleeper slow = sleeper_of("x", INT64_MAX);
    slow.waiter.wake = wake_slowly;
    ck_assert(events_add(the_events, &slow.waiter));
    ck_assert_int_eq(pthread_create(&thread, NULL, fire, slow.waiter.id), 0);
    await(&slow);
    events_drain(the_events);
    ck_assert_int_eq(times_woken(&slow), 2);
    pthread_join(thread, NULL);
    events_close(the_events);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    events_close(NULL);
    events_close(open_events());
}
END_TEST

/* ---- a waiter may be freed, or wait again, as soon as it is woken ---- */

static atomic_int rounds;

static void wait_again(struct waiter *waiter)
{
    if (atomic_fetch_sub(&rounds, 1) > 1 && events_add(the_events, waiter)) return;
    free(waiter);
}

START_TEST(a_wake_up_may_wait_again_or_free)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    ck_assert_ptr_nonnull(waiter);
    the_events = open_events();
    waiter->deadline_ns = 0;
    waiter->wake = wait_again;
    atomic_store(&rounds, 100);
    ck_assert(events_add(the_events, waiter));
    events_close(the_events);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, EACH = 500 };

/* Each waits for jobs of its own that others end, or leaves, or is late. */
static void *wait_much(void *argument)
{
    struct sleeper *sleepers = argument;
    for (int i = 0; i < EACH; i++) {
        struct sleeper *sleeper = &sleepers[i];
        char id[2] = {(char)('a' + i % 8), '\0'};
        *sleeper = sleeper_of(id, i % 3 == 0 ? 0 : INT64_MAX);
        const uint64_t ticket = events_add(the_events, &sleeper->waiter);
        ck_assert_uint_ne(ticket, 0);
        if (i % 3 == 1 && events_remove(the_events, ticket)) sleeper->woken++;
        if (i % 3 == 2) events_fire(the_events, id);
    }
    return NULL;
}

START_TEST(everybody_is_woken_exactly_once)
{
    static struct sleeper sleepers[THREADS][EACH];
    pthread_t thread[THREADS];
    the_events = open_events();
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, wait_much, sleepers[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    events_close(the_events);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < EACH; k++)
            ck_assert_int_eq(sleepers[i][k].woken, 1);
}
END_TEST

SUITE_MAIN("events", {the_end_of_a_job_wakes_those_who_wait_for_it, 0},
           {a_deadline_that_has_passed_wakes_at_once, 0}, {a_deadline_wakes_not_before_it_comes, 0},
           {who_leaves_is_not_woken, 0}, {a_ticket_is_good_for_one_wait, 0},
           {draining_wakes_everybody_and_keeps_nobody, 0},
           {draining_waits_for_wake_ups_under_way, 0}, {closing_nothing_is_fine, 0},
           {a_wake_up_may_wait_again_or_free, 0}, {everybody_is_woken_exactly_once, 0})
