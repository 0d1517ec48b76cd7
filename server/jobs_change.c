/* What an owner does to a job: cancels it, shares it, removes it. */
#include "server/clock.h"
#include "server/jobs_table.h"

#include <string.h>

/* For how long an answer waits for an end to be stored, which takes until there is room on the
 * disk. */
#define LEAVE_NS INT64_C(1000000000)

/* The job, for a user who may change it: NOT_FOUND, or FORBIDDEN to one who may only read it. */
static bool find_mine(struct jobs *jobs, const struct user *user, const char *id,
                      struct job_record *ret_record, struct problem *problem)
{
    const struct scope scope = user_changes(user);
    if (!jobs_get(jobs, user, id, 0, ret_record, problem)) return false;
    if (scope_has(&scope, ret_record->owner, ret_record->shared)) return true;
    job_record_done(ret_record);
    return problem_set(problem, PROBLEM_FORBIDDEN, "only the job's owner may do this");
}

static bool await_leave(struct job *job)
{
    return job_await_leave(job, clock_monotonic_ns() + LEAVE_NS);
}

static bool is_over(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool over = job_is_over(job);
    pthread_mutex_unlock(&job->lock);
    return over;
}

/* That it is to be cancelled outlives the process. Should the disk be full, it is cancelled all the
 * same. */
static enum store_status store_cancelling(struct jobs *jobs, struct job *job,
                                          struct job_record *ret_record)
{
    struct store_write write = {.change = STORE_PUT};
    pthread_mutex_lock(&jobs->changing);
    const bool copied = job_snapshot(job, ret_record);
    if (copied) {
        write.record = *ret_record; /* lent */
        write.record.state = JOB_QUEUED;
        store_do(jobs->store, &write);
    }
    pthread_mutex_unlock(&jobs->changing);
    return copied ? STORE_OK : STORE_MEMORY;
}

/* Of one that runs the answer is that it does, even if it should have ended once that is stored. */
bool jobs_cancel(struct jobs *jobs, const struct user *user, const char *id,
                 struct job_record *ret_record, bool *ret_pending, struct problem *problem)
{
    struct job_record record;
    if (!find_mine(jobs, user, id, &record, problem)) return false;
    job_record_done(&record);
    struct job *job = table_find(jobs, id);
    if (job != NULL && job_cancel(job)) jobs_finish(jobs, job);
    *ret_pending = job != NULL && !is_over(job);
    if (*ret_pending) {
        const enum store_status status = store_cancelling(jobs, job, ret_record);
        job_unref(job);
        return store_problem(status, problem);
    }
    if (job != NULL) await_leave(job);
    job_unref(job);
    if (!jobs_get(jobs, user, id, PART_RESULT, ret_record, problem)) return false;
    *ret_pending = !job_state_is_final(ret_record->state);
    return true;
}

bool jobs_purge(struct jobs *jobs, const struct user *user, const char *id, struct problem *problem)
{
    struct job_record record;
    if (!find_mine(jobs, user, id, &record, problem)) return false;
    const bool final = job_state_is_final(record.state);
    struct store_write write = {.change = STORE_REMOVE, .scope = user_changes(user)};
    memcpy(write.record.id, record.id, sizeof record.id);
    job_record_done(&record);
    if (!final) return problem_set(problem, PROBLEM_CONFLICT, "only a finished job can be removed");
    return store_problem(store_do(jobs->store, &write), problem);
}

static void set_shared(struct job_record *record, bool shared)
{
    record->version += record->shared != shared;
    record->shared = shared;
}

/* Sets it in a job at work; false when that has ended. */
static bool set_active(struct job *job, bool shared, struct job_record *ret_record)
{
    pthread_mutex_lock(&job->lock);
    const bool active = !job_is_over(job);
    if (active) {
        set_shared(&job->record, shared);
        ret_record->shared = shared;
        ret_record->version = job->record.version;
        ret_record->state = JOB_QUEUED;
    }
    pthread_mutex_unlock(&job->lock);
    return active;
}

/* A refused change is taken back; one of a job that ended just now was stored with its end. */
static bool store_shared(struct jobs *jobs, struct job *job, struct store_write *write, bool before,
                         struct problem *problem)
{
    const enum store_status status = store_do(jobs->store, write);
    if (status == STORE_OK || status == STORE_NOT_FOUND) return true;
    set_active(job, before, &write->record);
    return store_problem(status, problem);
}

/* False, without a problem, when the job has ended. */
static bool share_active(struct jobs *jobs, struct job *job, const struct user *user, bool shared,
                         bool *ret_done, struct problem *problem)
{
    struct store_write write = {.change = STORE_PUT};
    bool active = true;
    *ret_done = false;
    pthread_mutex_lock(&jobs->changing);
    if (find_mine(jobs, user, job->record.id, &write.record, problem)) {
        const bool before = write.record.shared;
        active = set_active(job, shared, &write.record);
        *ret_done = active && store_shared(jobs, job, &write, before, problem);
        job_record_done(&write.record);
    }
    pthread_mutex_unlock(&jobs->changing);
    return active;
}

static bool share_ended(struct jobs *jobs, const struct user *user, const char *id, bool shared,
                        struct problem *problem)
{
    struct store_write write = {.change = STORE_PUT};
    bool done = false;
    pthread_mutex_lock(&jobs->changing);
    if (find_mine(jobs, user, id, &write.record, problem)) {
        set_shared(&write.record, shared);
        done = store_problem(store_do(jobs->store, &write), problem);
        job_record_done(&write.record);
    }
    pthread_mutex_unlock(&jobs->changing);
    return done;
}

bool jobs_share(struct jobs *jobs, const struct user *user, const char *id, bool shared,
                struct job_record *ret_record, struct problem *problem)
{
    bool done;
    struct job *job = table_find(jobs, id);
    if (job == NULL)
        done = share_ended(jobs, user, id, shared, problem);
    else if (!share_active(jobs, job, user, shared, &done, problem))
        done = await_leave(job) ? share_ended(jobs, user, id, shared, problem)
                                : store_problem(STORE_FULL, problem);
    job_unref(job);
    return done && jobs_get(jobs, user, id, PART_RESULT, ret_record, problem);
}
