/* The table of jobs at work before a store that holds writes up, or refuses them; and its lists,
 * merged with those of the store. No workers: what is to run is taken by the test. */
#include "server/clock.h"
#include "server/jobs.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/stores.h"
#include "tests/server/work.h"

enum gate { PASS, HOLD, REFUSE };
enum { HELD = 4 };

/* What a store had before a clock that went back. */
#define LATE_POSITION (UINT64_C(1) << 62)

#define HOUR_NS INT64_C(3600000000000)

static const struct user ada = {"ada", ROLE_USER}, bob = {"bob", ROLE_USER};

/* A memory store whose changes of one kind go through a gate. */
static struct doorway {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct store_operations operations, real;
    enum store_change change;
    enum gate gate;
    struct store_write *held[HELD];
    size_t count;
    uint32_t attempts;     /* of the grain kept last */
    struct job *ending;    /* with the next list */
    bool ends_before_list; /* or after it */
} doorway = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct store *store;
static struct queue *queue;
static struct events *events;
static struct jobs *jobs;

static void submit_gated(struct store *self, struct store_write *write)
{
    pthread_mutex_lock(&doorway.lock);
    const enum gate gate = write->change == doorway.change ? doorway.gate : PASS;
    if (gate == HOLD) doorway.held[doorway.count++] = write;
    if (write->change == STORE_GRAIN) doorway.attempts = write->grain.attempts;
    pthread_cond_broadcast(&doorway.changed);
    pthread_mutex_unlock(&doorway.lock);
    if (gate == PASS) doorway.real.submit(self, write);
    if (gate == REFUSE) write->done(write, STORE_FULL);
}

static bool withdraw_held(struct store *self, struct store_write *write)
{
    (void)self;
    pthread_mutex_lock(&doorway.lock);
    const bool held = doorway.count > 0 && doorway.held[doorway.count - 1] == write;
    if (held) doorway.count--;
    pthread_mutex_unlock(&doorway.lock);
    return held;
}

static uint64_t late_position(struct store *self)
{
    (void)self;
    return LATE_POSITION;
}

static void set_gate(enum store_change change, enum gate gate)
{
    pthread_mutex_lock(&doorway.lock);
    doorway.change = change;
    doorway.gate = gate;
    pthread_mutex_unlock(&doorway.lock);
}

/* Waits for so many writes to be held; false after so long. */
static bool await_held(size_t count, int64_t ns)
{
    const struct timespec until = clock_timespec(clock_monotonic_ns() + ns);
    int status = 0;
    pthread_mutex_lock(&doorway.lock);
    while (doorway.count < count && status == 0)
        status = pthread_cond_timedwait(&doorway.changed, &doorway.lock, &until);
    const bool held = doorway.count >= count;
    pthread_mutex_unlock(&doorway.lock);
    return held;
}

/* Lets all through, the last one first. */
static void open_gate(void)
{
    set_gate(STORE_PUT, PASS);
    while (doorway.count > 0)
        doorway.real.submit(store, doorway.held[--doorway.count]);
}

static struct job *submitted_by(const struct user *user, const char *key, struct blob *body,
                                bool is_awaited)
{
    struct job *job;
    struct problem problem = {0};
    const bool done = jobs_submit(jobs, spec_of(JOB_CHECK, blob_ref(body)), body, user, key,
                                  is_awaited, &job, &problem);
    blob_unref(body);
    ck_assert_msg(done, "%s", problem.detail);
    return job;
}

/* A job of ada's that is accepted, or will be. */
static struct job *submitted(void)
{
    return submitted_by(&ada, "", body_of(CHECK_BODY("")), false);
}

/* Does all the work of a job. */
static void end(struct job *job)
{
    ck_assert_int_eq(work_off(job), 1);
    ck_assert(jobs_finish(jobs, job));
}

/* The table of jobs is not asked at the same moment as the store. */
static enum store_status list_while_one_ends(struct store *self, const struct store_filter *filter,
                                             struct job_page *ret_page)
{
    struct job *job = doorway.ending;
    doorway.ending = NULL;
    if (job != NULL && doorway.ends_before_list) end(job);
    const enum store_status status = doorway.real.list(self, filter, ret_page);
    if (job != NULL && !doorway.ends_before_list) end(job);
    return status;
}

static void open_jobs(void)
{
    const struct limits limits = limits_default();
    clock_condition_init(&doorway.changed);
    store = store_memory_open(&limits);
    doorway.operations = doorway.real = *store->operations;
    doorway.operations.durable = true;
    doorway.operations.submit = submit_gated;
    doorway.operations.withdraw = withdraw_held;
    doorway.operations.last_position = late_position;
    doorway.operations.list = list_while_one_ends;
    store->operations = &doorway.operations;
    queue = queue_open();
    events = events_open();
    jobs = jobs_open(store, queue, events, &limits);
    ck_assert(store != NULL && queue != NULL && events != NULL && jobs != NULL);
}

static void close_jobs(void)
{
    store->operations->close(store);
    jobs_close(jobs);
    queue_close(queue);
    events_close(events);
}

static bool is_seen(const struct user *user, const struct job *job)
{
    struct job_record record;
    struct problem problem = {0};
    if (jobs_get(jobs, user, job->record.id, 0, &record, &problem)) {
        job_record_done(&record);
        return true;
    }
    ck_assert(problem_is(&problem, PROBLEM_NOT_FOUND, NULL));
    return false;
}

static size_t listed(void)
{
    struct problem problem = {0};
    struct job_page page;
    const struct store_filter filter = {.scope = user_changes(&ada), .limit = 10};
    ck_assert(jobs_list(jobs, &filter, &page, &problem));
    const size_t count = page.count;
    job_page_done(&page);
    return count;
}

START_TEST(nobody_sees_a_job_before_it_is_accepted)
{
    open_jobs();
    set_gate(STORE_ADD, HOLD);
    struct job *job = submitted();
    ck_assert(!is_seen(&ada, job));
    ck_assert_uint_eq(listed(), 0);
    open_gate();
    ck_assert(is_seen(&ada, job));
    ck_assert_uint_eq(listed(), 1);
    job_unref(job);
    close_jobs();
}
END_TEST

/* It is held back for a short while alone, and only where an end may come with it. */
START_TEST(an_acceptance_waits_for_a_quick_end_alone)
{
    enum { MOST_MS = 20, LONG = 300000 };
    open_jobs();
    set_gate(STORE_ADD, HOLD);
    struct job *job[] = {submitted_by(&ada, "", body_of(CHECK_BODY("")), true), submitted(),
                         submitted_by(&ada, "", body_of(CHECK_BODY("%*s"), LONG, ""), true)};
    for (size_t i = 0; i < COUNT(job); i++) {
        const int64_t delay_ms = doorway.held[i]->delay_ms;
        ck_assert(i == 0 ? delay_ms > 0 && delay_ms <= MOST_MS : delay_ms == 0);
        job_unref(job[i]);
    }
    open_gate();
    close_jobs();
}
END_TEST

/* What is held back goes with the end; without one it stays, and the next process has the job. */
START_TEST(who_stops_leaves_the_acceptance)
{
    open_jobs();
    set_gate(STORE_ADD, HOLD);
    struct job *job =
        submitted_by(&ada, "", body_of(CHECK_BODY(", 'check': {'sensitivity': true}")), true);
    ck_assert_int_eq(work_off(job), 1);
    jobs_abandon(jobs);
    ck_assert(!jobs_finish(jobs, job));
    ck_assert(await_held(1, 0));
    open_gate();
    ck_assert(is_seen(&ada, job));
    job_unref(job);
    close_jobs();
}
END_TEST

START_TEST(a_job_that_is_refused_was_never_there)
{
    struct job_record record;
    struct problem problem = {0};
    open_jobs();
    set_gate(STORE_ADD, REFUSE);
    struct job *job = submitted();
    ck_assert(!jobs_accepted(jobs, job, &ada, &record, &problem));
    ck_assert(problem_is(&problem, PROBLEM_STORAGE_FULL, NULL));
    ck_assert(!can_take(job));
    ck_assert(jobs_await_idle(jobs, clock_monotonic_ns() + HOUR_NS));
    job_unref(job);
    close_jobs();
}
END_TEST

/* A full disk holds an end up for as long as it is full. */
START_TEST(who_cancels_does_not_wait_for_a_full_disk)
{
    struct problem problem = {0};
    struct job_record record;
    bool pending = false;
    open_jobs();
    struct job *job = submitted();
    set_gate(STORE_PUT, HOLD);
    ck_assert(jobs_cancel(jobs, &ada, job->record.id, &record, &pending, &problem));
    ck_assert(pending && record.cancel_requested && record.state == JOB_QUEUED);
    job_record_done(&record);
    ck_assert(!jobs_share(jobs, &ada, job->record.id, true, &record, &problem));
    ck_assert(problem_is(&problem, PROBLEM_STORAGE_FULL, NULL));
    open_gate();
    ck_assert(jobs_get(jobs, &ada, job->record.id, 0, &record, &(struct problem){0}));
    ck_assert_int_eq(record.state, JOB_CANCELLED);
    job_record_done(&record);
    job_unref(job);
    close_jobs();
}
END_TEST

static void *share(void *job)
{
    struct job_record record;
    struct problem problem = {0};
    const char *id = ((struct job *)job)->record.id;
    ck_assert(jobs_share(jobs, &ada, id, true, &record, &problem));
    job_record_done(&record);
    return NULL;
}

static void *cancel(void *job)
{
    struct job_record record;
    struct problem problem = {0};
    bool pending;
    const char *id = ((struct job *)job)->record.id;
    ck_assert(jobs_cancel(jobs, &ada, id, &record, &pending, &problem) && pending);
    job_record_done(&record);
    return NULL;
}

/* Each of them writes the whole record: neither may write what the other had not changed yet. */
START_TEST(sharing_and_cancelling_at_once_are_both_kept)
{
    const struct scope scope = user_changes(&ada);
    struct job_record record;
    pthread_t first, second;
    open_jobs();
    struct job *job = submitted();
    const size_t grain = must_take(job);
    set_gate(STORE_PUT, HOLD);
    ck_assert_int_eq(pthread_create(&first, NULL, _i == 0 ? share : cancel, job), 0);
    ck_assert(await_held(1, HOUR_NS));
    ck_assert_int_eq(pthread_create(&second, NULL, _i == 0 ? cancel : share, job), 0);
    await_held(2, 100000000); /* which must not be, so that no order can be wrong */
    open_gate();
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    ck_assert_int_eq(store->operations->get(store, &scope, job->record.id, 0, &record), STORE_OK);
    ck_assert(record.shared);
    ck_assert(record.cancel_requested);
    job_record_done(&record);
    ck_assert(hand_in_stopped(job, grain));
    jobs_finish(jobs, job);
    job_unref(job);
    close_jobs();
}
END_TEST

/* It was running when it was asked for; that it has ended meanwhile makes no other answer. */
START_TEST(who_cancels_what_runs_is_told_so)
{
    pthread_t thread;
    open_jobs();
    struct job *job = submitted();
    const size_t grain = must_take(job);
    set_gate(STORE_PUT, HOLD);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel, job), 0);
    ck_assert(await_held(1, HOUR_NS));
    ck_assert(hand_in_stopped(job, grain));
    jobs_finish(jobs, job);
    ck_assert(await_held(2, HOUR_NS));
    open_gate();
    pthread_join(thread, NULL);
    ck_assert(jobs_await_idle(jobs, clock_monotonic_ns() + HOUR_NS));
    job_unref(job);
    close_jobs();
}
END_TEST

static void record_expect(const struct job *job, enum job_state state, bool cancel, bool shared)
{
    struct job_record record;
    ck_assert(jobs_get(jobs, &ada, job->record.id, 0, &record, &(struct problem){0}));
    ck_assert_int_eq(record.state, state);
    ck_assert_int_eq(record.cancel_requested, cancel);
    ck_assert_int_eq(record.shared, shared);
    job_record_done(&record);
}

/* All grains are done, and what is wrong with a claim is looked for: it can be stopped, and
 * shared. */
START_TEST(what_is_looked_through_still_runs)
{
    struct job_record record;
    struct problem problem = {0};
    bool pending = false;
    open_jobs();
    struct job *job =
        submitted_by(&ada, "", body_of(CHECK_BODY(", 'check': {'sensitivity': true}")), false);
    ck_assert_int_eq(work_off(job), 1);
    record_expect(job, JOB_RUNNING, false, false);
    ck_assert(jobs_share(jobs, &ada, job->record.id, true, &record, &problem));
    job_record_done(&record);
    record_expect(job, JOB_RUNNING, false, true);
    ck_assert(jobs_cancel(jobs, &ada, job->record.id, &record, &pending, &problem));
    ck_assert(pending && record.cancel_requested && record.state == JOB_RUNNING);
    job_record_done(&record);
    record_expect(job, JOB_RUNNING, true, true);
    ck_assert(jobs_finish(jobs, job));
    record_expect(job, JOB_CANCELLED, true, true);
    ck_assert(jobs_cancel(jobs, &ada, job->record.id, &record, &pending, &problem));
    ck_assert(!pending && record.state == JOB_CANCELLED);
    job_record_done(&record);
    job_unref(job);
    close_jobs();
}
END_TEST

START_TEST(a_job_that_could_not_be_shared_is_not)
{
    struct job_record record;
    struct problem problem = {0};
    open_jobs();
    struct job *job = submitted();
    set_gate(STORE_PUT, REFUSE);
    ck_assert(!jobs_share(jobs, &ada, job->record.id, true, &record, &problem));
    ck_assert(problem_is(&problem, PROBLEM_STORAGE_FULL, NULL));
    ck_assert(!is_seen(&bob, job));
    set_gate(STORE_PUT, PASS);
    problem = (struct problem){0};
    ck_assert(jobs_share(jobs, &ada, job->record.id, true, &record, &problem));
    job_record_done(&record);
    ck_assert(is_seen(&bob, job));
    job_unref(job);
    close_jobs();
}
END_TEST

/* ---- keys and places ---- */

START_TEST(a_key_of_a_job_at_work_is_its_owners)
{
    struct job_record record;
    struct problem problem = {0};
    bool found = true;
    open_jobs();
    struct blob *body = body_of(CHECK_BODY(""));
    struct job *job = submitted_by(&ada, "key", blob_ref(body), false);
    ck_assert(jobs_replay(jobs, JOB_CHECK, body, &bob, "key", &found, &record, &problem));
    ck_assert(!found);
    struct job *other = submitted_by(&bob, "key", blob_ref(body), false);
    ck_assert_ptr_ne(other, job);
    ck_assert(jobs_replay(jobs, JOB_CHECK, body, &ada, "key", &found, &record, &problem));
    ck_assert(found);
    ck_assert_str_eq(record.id, job->record.id);
    job_record_done(&record);
    blob_unref(body);
    job_unref(job);
    job_unref(other);
    close_jobs();
}
END_TEST

/* Whatever the clock says. */
START_TEST(a_new_job_is_newer_than_all_before)
{
    open_jobs();
    struct job *job = submitted();
    ck_assert_uint_gt(job->record.position, LATE_POSITION);
    job_unref(job);
    close_jobs();
}
END_TEST

/* ---- charges ---- */

/* It is begun once that is stored, and what did not end the process does not count. _i: how often
 * it was begun before. */
START_TEST(a_grain_is_charged_until_it_is_released)
{
    const uint32_t before = (uint32_t)_i;
    open_jobs();
    struct job *job = submitted();
    const struct store_grain grain = {.index = 0, .attempts = before};
    ck_assert(job_restore(job, &grain, 1));
    const struct lease lease = {.job = job};
    for (int done = 0; done < 2; done++) {
        ck_assert(jobs_charge(jobs, &lease));
        ck_assert_uint_eq(doorway.attempts, before + 1);
        jobs_release(jobs, &lease, done);
        ck_assert_uint_eq(doorway.attempts, done ? 0 : before);
    }
    set_gate(STORE_GRAIN, REFUSE);
    ck_assert(!jobs_charge(jobs, &lease));
    job_unref(job);
    close_jobs();
}
END_TEST

/* ---- lists ---- */

enum { JOBS = 5 };

/* Page by page each job stands once, the newest first; none follows the page that ends with the
 * oldest. */
static void pages_expect(struct job *const job[JOBS], size_t limit)
{
    struct store_filter filter = {.scope = user_changes(&ada), .limit = limit};
    size_t seen = 0;
    do {
        struct job_page page;
        struct problem problem = {0};
        ck_assert(jobs_list(jobs, &filter, &page, &problem));
        ck_assert_uint_le(page.count, limit);
        ck_assert_uint_le(seen + page.count, JOBS);
        for (size_t i = 0; i < page.count; i++)
            ck_assert_str_eq(page.record[i].id, job[JOBS - ++seen]->record.id);
        ck_assert_int_eq(page.next != 0, seen < JOBS);
        filter.before = page.next;
        job_page_done(&page);
    } while (filter.before != 0);
}

static void jobs_done(struct job *job[JOBS])
{
    for (int i = 0; i < JOBS; i++)
        job_unref(job[i]);
    close_jobs();
}

/* _i: which of them have ended, as a mask. */
START_TEST(pages_merge_jobs_at_work_with_those_that_have_ended)
{
    struct job *job[JOBS];
    open_jobs();
    for (int i = 0; i < JOBS; i++) {
        job[i] = submitted();
        if ((_i & 1 << i) != 0) end(job[i]);
    }
    for (size_t limit = 1; limit <= JOBS + 1; limit++)
        pages_expect(job, limit);
    jobs_done(job);
}
END_TEST

/* _i: which, and whether the store knows it by then. */
START_TEST(a_job_that_ends_meanwhile_stands_once)
{
    for (size_t limit = 1; limit <= JOBS + 1; limit++) {
        struct job *job[JOBS];
        open_jobs();
        for (int i = 0; i < JOBS; i++)
            job[i] = submitted();
        end(job[1]);
        doorway.ending = job[_i / 2 * 2];
        doorway.ends_before_list = _i % 2 == 0;
        pages_expect(job, limit);
        jobs_done(job);
    }
}
END_TEST

/* ---- old jobs ---- */

START_TEST(a_job_goes_after_some_days)
{
    open_jobs();
    struct job_record old = job_in("old", JOB_SUCCEEDED);
    old.finished_ms = 1;
    ck_assert_int_eq(store_add(store, old), STORE_OK);
    struct job *job = submitted();
    end(job);
    ck_assert(jobs_prune(jobs));
    ck_assert(!jobs_prune(jobs));
    ck_assert(is_seen(&ada, job));
    ck_assert_uint_eq(listed(), 1);
    job_unref(job);
    close_jobs();
}
END_TEST

SUITE_MAIN("jobs", {nobody_sees_a_job_before_it_is_accepted, 0},
           {an_acceptance_waits_for_a_quick_end_alone, 0}, {who_stops_leaves_the_acceptance, 0},
           {a_job_that_is_refused_was_never_there, 0},
           {who_cancels_does_not_wait_for_a_full_disk, 0},
           {sharing_and_cancelling_at_once_are_both_kept, 2}, {who_cancels_what_runs_is_told_so, 0},
           {what_is_looked_through_still_runs, 0}, {a_job_that_could_not_be_shared_is_not, 0},
           {a_key_of_a_job_at_work_is_its_owners, 0}, {a_new_job_is_newer_than_all_before, 0},
           {a_grain_is_charged_until_it_is_released, 4},
           {pages_merge_jobs_at_work_with_those_that_have_ended, 1 << JOBS},
           {a_job_that_ends_meanwhile_stands_once, 6}, {a_job_goes_after_some_days, 0})
