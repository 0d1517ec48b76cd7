/* The table of jobs at work before a store that holds writes up, or refuses them. No workers: what
 * is to run is taken by the test. */
#include "server/clock.h"
#include "server/jobs.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/work.h"

enum gate { PASS, HOLD, REFUSE };
enum { HELD = 4 };

#define HOUR_NS INT64_C(3600000000000)

static const struct user ada = {"ada", ROLE_USER}, bob = {"bob", ROLE_USER};

/* A memory store whose changes of one kind go through a gate. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct store_operations operations, real;
    enum store_change change;
    enum gate gate;
    struct store_write *held[HELD];
    size_t count;
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
    pthread_cond_broadcast(&doorway.changed);
    pthread_mutex_unlock(&doorway.lock);
    if (gate == PASS) doorway.real.submit(self, write);
    if (gate == REFUSE) write->done(write, STORE_FULL);
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

static void open_jobs(void)
{
    const struct limits limits = limits_default();
    clock_condition_init(&doorway.changed);
    store = store_memory_open(&limits);
    doorway.operations = doorway.real = *store->operations;
    doorway.operations.submit = submit_gated;
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

/* A job of ada's that is accepted, or will be. */
static struct job *submitted(void)
{
    struct job *job;
    struct problem problem = {0};
    struct blob *body = body_of(CHECK_BODY(""));
    const bool done = jobs_submit(jobs, spec_of(JOB_CHECK, blob_ref(body)), body, &ada, "", false,
                                  &job, &problem);
    blob_unref(body);
    ck_assert_msg(done, "%s", problem.detail);
    return job;
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

SUITE_MAIN("jobs", {nobody_sees_a_job_before_it_is_accepted, 0},
           {a_job_that_is_refused_was_never_there, 0},
           {who_cancels_does_not_wait_for_a_full_disk, 0},
           {sharing_and_cancelling_at_once_are_both_kept, 2}, {who_cancels_what_runs_is_told_so, 0},
           {a_job_that_could_not_be_shared_is_not, 0})
