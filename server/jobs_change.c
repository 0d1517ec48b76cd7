/* What an owner does to a job: cancels it, shares it, removes it. */
#include "server/jobs_table.h"

#include <string.h>

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

/* That it is to be cancelled outlives the process. Should the disk be full, it is cancelled all the
 * same. */
static void store_cancelling(struct jobs *jobs, struct job *job)
{
    struct store_write write = {.change = STORE_PUT};
    if (!job_snapshot(job, &write.record)) return;
    write.record.state = JOB_QUEUED;
    store_do(jobs->store, &write);
    job_record_done(&write.record);
}

bool jobs_cancel(struct jobs *jobs, const struct user *user, const char *id,
                 struct job_record *ret_record, bool *ret_pending, struct problem *problem)
{
    struct job_record record;
    if (!find_mine(jobs, user, id, &record, problem)) return false;
    job_record_done(&record);
    struct job *job = table_find(jobs, id);
    if (job != NULL && job_cancel(job)) {
        jobs_finish(jobs, job);
        job_await_leave(job);
    } else if (job != NULL) {
        store_cancelling(jobs, job);
    }
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

/* Sets it in a job at work; false when that has ended, or is none. */
static bool share_active(struct jobs *jobs, const char *id, bool shared, struct job_record *record)
{
    struct job *job = table_find(jobs, id);
    if (job == NULL) return false;
    pthread_mutex_lock(&job->lock);
    const bool active = !job->ended;
    if (active) {
        job->record.version += job->record.shared != shared;
        job->record.shared = shared;
        record->shared = shared;
        record->version = job->record.version;
    }
    pthread_mutex_unlock(&job->lock);
    if (!active) job_await_leave(job);
    job_unref(job);
    record->state = JOB_QUEUED;
    return active;
}

static bool share_locked(struct jobs *jobs, const struct user *user, const char *id, bool shared,
                         struct problem *problem)
{
    struct store_write write = {.change = STORE_PUT};
    if (!find_mine(jobs, user, id, &write.record, problem)) return false;
    if (!share_active(jobs, id, shared, &write.record)) {
        job_record_done(&write.record);
        if (!find_mine(jobs, user, id, &write.record, problem)) return false;
        write.record.version += write.record.shared != shared;
        write.record.shared = shared;
    }
    enum store_status status = store_do(jobs->store, &write);
    /* It ended just now, and that has been stored, with what was set here. */
    if (status == STORE_NOT_FOUND && write.record.state == JOB_QUEUED) status = STORE_OK;
    job_record_done(&write.record);
    return store_problem(status, problem);
}

bool jobs_share(struct jobs *jobs, const struct user *user, const char *id, bool shared,
                struct job_record *ret_record, struct problem *problem)
{
    pthread_mutex_lock(&jobs->sharing);
    const bool done = share_locked(jobs, user, id, shared, problem);
    pthread_mutex_unlock(&jobs->sharing);
    return done && jobs_get(jobs, user, id, PART_RESULT, ret_record, problem);
}
