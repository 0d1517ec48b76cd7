/* Workers before a store that keeps grains: nothing is begun before its charge is stored, and what
 * a stop gives back is no longer charged. One worker, so that a charge tells what was done before.
 */
#include "server/clock.h"
#include "server/worker.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <stdatomic.h>

enum { GRAINS_MAX = 8, EPOCHS = 4 };

#define HOUR_NS INT64_C(3600000000000)
#define MOMENT_NS INT64_C(100000000) /* for what must not be, so that no time can be too short */

static const struct user ada = {"ada", ROLE_USER};

/* A memory store that is asked to keep grains. Something is done at one of the charges, by the
 * worker, before it is stored. */
static struct ledger {
    struct store_operations operations, real;
    uint64_t grain; /* at whose charge */
    void (*act)(struct store_write *charge);
    bool acted;
    _Atomic(struct store_write *) held;
    uint32_t attempts[GRAINS_MAX]; /* as kept last */
} ledger;

static struct store *store;
static struct queue *queue;
static struct events *events;
static struct jobs *jobs;
static struct job *job;

static void submit(struct store *self, struct store_write *write)
{
    const bool acts = write->change == STORE_GRAIN && write->grain.attempts > 0 &&
                      write->grain.index == ledger.grain && !ledger.acted;
    if (write->change == STORE_GRAIN && write->grain.index < GRAINS_MAX)
        ledger.attempts[write->grain.index] = write->grain.attempts;
    if (!acts) {
        ledger.real.submit(self, write);
        return;
    }
    ledger.acted = true;
    ledger.act(write);
}

static void open_jobs(enum job_kind kind, struct blob *body)
{
    const struct limits limits = limits_default();
    struct problem problem = {0};
    ledger = (struct ledger){.grain = UINT64_MAX};
    store = store_memory_open(&limits);
    ledger.operations = ledger.real = *store->operations;
    ledger.operations.durable = true;
    ledger.operations.submit = submit;
    store->operations = &ledger.operations;
    queue = queue_open();
    events = events_open();
    jobs = jobs_open(store, queue, events, &limits);
    ck_assert_msg(
        jobs_submit(jobs, spec_of(kind, blob_ref(body)), body, &ada, "", false, &job, &problem),
        "%s", problem.detail);
    blob_unref(body);
}

/* The last grain, which is one of units, or a training. */
static void open_kind(bool training, void (*act)(struct store_write *charge))
{
    if (training)
        open_jobs(JOB_TRAINING, body_of(TRAINING_BODY("'epochs': %d, 'batch_size': 1"), EPOCHS));
    else
        open_jobs(JOB_CHECK, body_of(CHECK_BODY("")));
    ledger.act = act;
    ledger.grain = training ? 0 : gck_check_cut_of(job->check)->grain_count - 1;
    ck_assert(training || (ledger.grain > 0 && ledger.grain < GRAINS_MAX));
}

static void close_jobs(void)
{
    job_unref(job);
    store->operations->close(store);
    jobs_close(jobs);
    queue_close(queue);
    events_close(events);
}

static enum job_state stored_state(void)
{
    struct job_record record;
    const struct scope scope = user_reads(&ada);
    ck_assert_int_eq(store->operations->get(store, &scope, job->record.id, 0, &record), STORE_OK);
    const enum job_state state = record.state;
    job_record_done(&record);
    return state;
}

static void cancel_and_store(struct store_write *charge)
{
    ck_assert(!job_cancel(job));
    ledger.real.submit(store, charge);
}

/* What was computed before its charge could not be stopped any more. _i: of a training. */
START_TEST(nothing_is_begun_before_its_charge)
{
    open_kind(_i == 1, cancel_and_store);
    struct workers *workers = workers_start(1, queue, jobs);
    ck_assert(jobs_await_idle(jobs, clock_monotonic_ns() + HOUR_NS));
    ck_assert(ledger.acted);
    ck_assert_int_eq(stored_state(), JOB_CANCELLED);
    queue_stop(queue);
    workers_join(workers);
    close_jobs();
}
END_TEST

static void hold(struct store_write *charge)
{
    atomic_store(&ledger.held, charge);
}

static void let_through(void)
{
    struct store_write *charge = NULL;
    while (charge == NULL)
        charge = atomic_exchange(&ledger.held, NULL);
    ledger.real.submit(store, charge);
}

START_TEST(a_charge_is_waited_for)
{
    open_kind(_i == 1, hold);
    struct workers *workers = workers_start(1, queue, jobs);
    ck_assert(!jobs_await_idle(jobs, clock_monotonic_ns() + MOMENT_NS));
    let_through();
    ck_assert(jobs_await_idle(jobs, clock_monotonic_ns() + HOUR_NS));
    ck_assert_int_eq(stored_state(), JOB_SUCCEEDED);
    queue_stop(queue);
    workers_join(workers);
    close_jobs();
}
END_TEST

static void nothing_is_charged(void)
{
    for (size_t i = 0; i < GRAINS_MAX; i++)
        ck_assert_uint_eq(ledger.attempts[i], 0);
}

static void abandon_and_store(struct store_write *charge)
{
    jobs_abandon(jobs);
    queue_stop(queue);
    ledger.real.submit(store, charge);
}

/* It did not end the process. */
START_TEST(what_a_stop_gives_back_is_not_charged)
{
    open_kind(_i == 1, abandon_and_store);
    struct workers *workers = workers_start(1, queue, jobs);
    workers_join(workers);
    ck_assert(ledger.acted);
    ck_assert(!job->ended);
    nothing_is_charged();
    close_jobs();
}
END_TEST

/* While it is looked through. The gradient, which cannot be stopped, comes last, since the grain of
 * units is under suspicion. */
START_TEST(what_a_stop_breaks_off_is_not_charged)
{
    const struct store_grain units = {.index = 1, .attempts = ATTEMPTS_SUSPECT};
    open_jobs(JOB_CHECK, body_of(CHECK_BODY(", 'check': {'sensitivity': true}")));
    ck_assert_uint_eq(gck_check_cut_of(job->check)->grain_count, 2);
    ck_assert(job_restore(job, &units, 1));
    ledger.grain = 0;
    ledger.act = abandon_and_store;
    struct workers *workers = workers_start(1, queue, jobs);
    workers_join(workers);
    ck_assert(job->ended);
    ck_assert_int_eq(stored_state(), JOB_QUEUED);
    nothing_is_charged();
    close_jobs();
}
END_TEST

SUITE_MAIN("worker", {nothing_is_begun_before_its_charge, 2}, {a_charge_is_waited_for, 2},
           {what_a_stop_gives_back_is_not_charged, 2}, {what_a_stop_breaks_off_is_not_charged, 0})
