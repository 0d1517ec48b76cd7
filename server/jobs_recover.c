/* What a process before left unfinished is taken up again: from the grains and the states that were
 * kept, as far as they were computed by the same numerics. */
#include "server/clock.h"
#include "server/codec_spec.h"
#include "server/jobs_table.h"
#include "server/log.h"

#include <string.h>

struct recovery {
    struct jobs *jobs;
    size_t resumed, failed;
    bool out_of_memory;
};

/* What a client has seen of the job must not come again with other contents. */
static uint64_t next_version(const struct job_record *record)
{
    const uint64_t version = (uint64_t)clock_wall_ms() << 16;
    return version > record->version ? version : record->version + 1;
}

/* A new life begins, in which nothing has run yet. */
static struct job *make_job(struct jobs *jobs, const struct job_record *record,
                            struct problem *problem)
{
    struct spec *spec = codec_spec_decode(record->kind, record->request, &jobs->limits, problem);
    if (spec == NULL) return NULL;
    spec->memory_bytes += progress_bytes(jobs->progress, spec);
    struct job_record fresh = *record;
    fresh.version = next_version(record);
    fresh.done = 0;
    struct job *job = job_new(spec, &fresh, jobs->limits.job_seconds, problem);
    if (job != NULL) job->jobs = jobs;
    return job;
}

static bool is_same_work(const struct job_record *kept, const struct job_record *now)
{
    return strcmp(kept->signature, now->signature) == 0 &&
           memcmp(&kept->cut, &now->cut, sizeof kept->cut) == 0;
}

/* What was kept cannot be used: it goes, and the record tells how the work is cut now. */
static void reset_work(struct jobs *jobs, struct job *job)
{
    struct store_write write = {.change = STORE_PUT, .resets = true};
    log_info("recover", "job=%s work=\"begun anew\"", job->record.id);
    if (!job_snapshot(job, &write.record)) return;
    store_do(jobs->store, &write);
    job_record_done(&write.record);
}

/* The job with what was kept of its work. */
static struct job *restore(struct jobs *jobs, const struct job_record *record,
                           const struct store_grain *grain, size_t count, struct problem *problem)
{
    struct job *job = make_job(jobs, record, problem);
    if (job == NULL) return NULL;
    if (is_same_work(record, &job->record)) {
        if (job_restore(job, grain, count)) return job;
        job_unref(job);
        job = make_job(jobs, record, problem);
        if (job == NULL) return NULL;
    }
    if (count > 0 || !is_same_work(record, &job->record)) reset_work(jobs, job);
    return job;
}

/* One that cannot be worked on any more. */
static void fail_record(struct recovery *recovery, const struct job_record *record,
                        const struct problem *problem)
{
    struct store_write write = {.change = STORE_PUT, .patient = true, .record = *record};
    record_fail(&write.record, problem);
    write.record.version = next_version(record);
    write.record.finished_ms = clock_wall_ms();
    const enum store_status status = store_do(recovery->jobs->store, &write);
    log_info("recover", "job=%s problem=%s status=%d", record->id, problem_name(problem->type),
             status);
    blob_unref(write.record.error);
    recovery->failed++;
}

static bool is_crashed(struct job *job, struct problem *problem)
{
    const uint32_t attempts = job_attempts_most(job);
    job->record.attempts = attempts;
    if (attempts < ATTEMPTS_MAX) return false;
    problem_set(problem, PROBLEM_CRASHED,
                "the server ended %u times while it worked on the same part of this job", attempts);
    return true;
}

static void take_up(struct recovery *recovery, struct job *job)
{
    struct jobs *jobs = recovery->jobs;
    struct job *other;
    pthread_mutex_lock(&jobs->lock);
    jobs->count++;
    jobs->bytes += job->spec->memory_bytes;
    pthread_mutex_unlock(&jobs->lock);
    job_settle(job, STORE_OK);
    progress_watch(jobs->progress, job);
    if (!table_enter(jobs, job, &other)) job_unref(other); /* keys are unique in a store */
    if (job->record.cancel_requested) {
        job->record.cancel_requested = false;
        if (job_cancel(job)) jobs_finish(jobs, job);
    } else if (job->probe == NULL) {
        queue_push(jobs->queue, job);
    } else if (gck_session_asked(job->probe->session) == 0 && job_begin_round(job) &&
               job_end_round(job, GCK_OK, true, NULL)) {
        jobs_finish(jobs, job);
    }
    recovery->resumed++;
}

static bool recover(void *context, const struct job_record *record, const struct store_grain *grain,
                    size_t count)
{
    struct recovery *recovery = context;
    struct problem problem = {0};
    struct job *job = restore(recovery->jobs, record, grain, count, &problem);
    if (problem.type == PROBLEM_OUT_OF_MEMORY) {
        log_error("recover", "job=%s reason=\"memory is out\"", record->id);
        recovery->out_of_memory = true;
        return false;
    }
    if (job == NULL || is_crashed(job, &problem))
        fail_record(recovery, record, &problem);
    else
        take_up(recovery, job);
    job_unref(job);
    return true;
}

bool jobs_recover(struct jobs *jobs)
{
    struct recovery recovery = {.jobs = jobs};
    const enum store_status status =
        jobs->store->operations->recover(jobs->store, recover, &recovery);
    if (status != STORE_OK)
        log_error("recover", "status=%d", status);
    else if (recovery.resumed + recovery.failed > 0)
        log_info("recover", "jobs=%zu failed=%zu", recovery.resumed, recovery.failed);
    return status == STORE_OK && !recovery.out_of_memory;
}
