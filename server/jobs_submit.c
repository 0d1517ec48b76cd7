/* How a job comes in: room, work, acceptance; and what a key says of an earlier one. */
#include "server/clock.h"
#include "server/jobs_table.h"

#include <stdio.h>
#include <string.h>

/* For how long the acceptance of a job that somebody waits for may wait for its result; a long
 * request is rather written while the work is done. */
enum { AWAIT_MS = 20, AWAIT_BYTES = 256 << 10 };

/* ---- room ---- */

/* Room for one more job, before anything is made for it. */
static bool reserve(struct jobs *jobs, double bytes, struct problem *problem)
{
    const struct limits *limits = &jobs->limits;
    pthread_mutex_lock(&jobs->lock);
    bool reserved = true;
    if (jobs->draining)
        reserved = problem_set(problem, PROBLEM_DRAINING, "the server takes no new jobs any more");
    else if (jobs->count >= limits->active_jobs)
        reserved = problem_set(problem, PROBLEM_OVERLOADED,
                               "%zu jobs are queued or running, which is the limit; try again",
                               jobs->count);
    else if (jobs->count > 0 && jobs->bytes + bytes > (double)limits->active_bytes)
        reserved = problem_set(problem, PROBLEM_OVERLOADED,
                               "the jobs queued or running hold the memory there is; try again");
    if (reserved) {
        jobs->count++;
        jobs->bytes += bytes;
    }
    pthread_mutex_unlock(&jobs->lock);
    return reserved;
}

/* Grows, and follows the clock, so that a job is newer than all that an earlier process had. */
static uint64_t next_position(struct jobs *jobs)
{
    const uint64_t now = (uint64_t)clock_wall_ms() << 16;
    pthread_mutex_lock(&jobs->lock);
    jobs->position = jobs->position < now ? now : jobs->position + 1;
    const uint64_t position = jobs->position;
    pthread_mutex_unlock(&jobs->lock);
    return position;
}

/* ---- acceptance ---- */

/* One that was refused need not be worked on. */
static void accept_done(struct store_write *write, enum store_status status)
{
    struct job *job = write->context;
    job_record_done(&write->record);
    job_settle(job, status);
    if (status != STORE_OK && job_cancel(job)) jobs_finish(job->jobs, job);
    job_unref(job);
}

/* False when memory is out. */
static bool hand_to_store(struct jobs *jobs, struct job *job, bool is_awaited)
{
    const bool is_short = blob_size(job->record.request) <= AWAIT_BYTES;
    job->accept = (struct store_write){.change = STORE_ADD,
                                       .delay_ms = is_awaited && is_short ? AWAIT_MS : 0,
                                       .done = accept_done,
                                       .context = job};
    if (!job_snapshot(job, &job->accept.record)) return false;
    job_ref(job);
    jobs->store->operations->submit(jobs->store, &job->accept);
    return true;
}

static bool same_request(const struct job_record *record, enum job_kind kind,
                         const struct blob *body)
{
    return record->kind == kind && record->request->size == body->size &&
           memcmp(record->request->data, body->data, body->size) == 0;
}

/* Another job has the key since a moment ago. */
static bool start_as(const struct job *job, struct job *other, struct job **ret_job,
                     struct problem *problem)
{
    if (same_request(&other->record, job->record.kind, job->record.request)) {
        *ret_job = other;
        return true;
    }
    job_unref(other);
    return store_problem(STORE_KEY_TAKEN, problem);
}

/* The job is worked on while the store takes it. */
static bool start(struct jobs *jobs, struct job *job, bool is_awaited, struct job **ret_job,
                  struct problem *problem)
{
    struct job *other;
    if (!table_enter(jobs, job, &other)) {
        table_release(jobs, job->spec->memory_bytes);
        return start_as(job, other, ret_job, problem);
    }
    if (!hand_to_store(jobs, job, is_awaited)) {
        job_settle(job, STORE_MEMORY);
        table_leave(jobs, job);
        return store_problem(STORE_MEMORY, problem);
    }
    if (job->probe == NULL) queue_push(jobs->queue, job);
    *ret_job = job_ref(job);
    return true;
}

bool jobs_submit(struct jobs *jobs, struct spec *spec, struct blob *body, const struct user *user,
                 const char *idempotency_key, bool is_awaited, struct job **ret_job,
                 struct problem *problem)
{
    struct job_record record = {.kind = spec->kind,
                                .state = JOB_QUEUED,
                                .priority = spec->priority,
                                .created_ms = clock_wall_ms(),
                                .version = 1,
                                .labels = spec->labels,
                                .request = body};
    id_new(record.id);
    snprintf(record.owner, sizeof record.owner, "%s", user->name);
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "%s", idempotency_key);
    const double bytes = spec->memory_bytes += progress_bytes(jobs->progress, spec);
    if (!reserve(jobs, bytes, problem)) {
        spec_free(spec);
        return false;
    }
    record.position = next_position(jobs);
    struct job *job = job_new(spec, &record, jobs->limits.job_seconds, problem);
    if (job == NULL) {
        table_release(jobs, bytes);
        return false;
    }
    job->jobs = jobs;
    progress_watch(jobs->progress, job);
    const bool started = start(jobs, job, is_awaited, ret_job, problem);
    job_unref(job);
    return started;
}

/* ---- keys ---- */

/* The store has the key already: the same request gets that job, as it is now. */
static bool replay_stored(struct jobs *jobs, enum job_kind kind, const struct blob *body,
                          const struct user *user, const char *key, bool *ret_found,
                          struct job_record *ret_record, struct problem *problem)
{
    struct job_record other;
    const enum store_status status =
        jobs->store->operations->find_key(jobs->store, user->name, key, &other);
    *ret_found = status != STORE_NOT_FOUND;
    if (status == STORE_NOT_FOUND) return true;
    if (status != STORE_OK) return store_problem(status, problem);
    const bool same = same_request(&other, kind, body);
    char id[ID_SIZE];
    memcpy(id, other.id, sizeof id);
    job_record_done(&other);
    return same ? jobs_get(jobs, user, id, PART_RESULT, ret_record, problem)
                : store_problem(STORE_KEY_TAKEN, problem);
}

bool jobs_accepted(struct jobs *jobs, struct job *job, const struct user *user,
                   struct job_record *ret_record, struct problem *problem)
{
    const struct job_record *asked = &job->record; /* what is read of it never changes */
    enum store_status refusal;
    bool found;
    jobs->store->operations->hurry(jobs->store, asked->id);
    if (job_await_acceptance(job, &refusal) == ACCEPT_STORED)
        return jobs_get(jobs, user, asked->id, PART_RESULT, ret_record, problem);
    if (refusal != STORE_KEY_TAKEN) return store_problem(refusal, problem);
    return replay_stored(jobs, asked->kind, asked->request, user, asked->idempotency_key, &found,
                         ret_record, problem) &&
           (found || store_problem(STORE_NOT_FOUND, problem));
}

bool jobs_replay(struct jobs *jobs, enum job_kind kind, struct blob *body, const struct user *user,
                 const char *idempotency_key, bool *ret_found, struct job_record *ret_record,
                 struct problem *problem)
{
    *ret_found = false;
    if (idempotency_key[0] == '\0') return true;
    struct job *job = table_find_key(jobs, user->name, idempotency_key);
    if (job == NULL)
        return replay_stored(jobs, kind, body, user, idempotency_key, ret_found, ret_record,
                             problem);
    *ret_found = true;
    const bool replayed = same_request(&job->record, kind, body)
                              ? jobs_accepted(jobs, job, user, ret_record, problem)
                              : store_problem(STORE_KEY_TAKEN, problem);
    job_unref(job);
    return replayed;
}
