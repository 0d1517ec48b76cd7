#include "server/jobs.h"
#include "server/clock.h"
#include "server/codec_report.h"
#include "server/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jobs {
    struct store *store;
    struct queue *queue;
    struct events *events;
    struct limits limits;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    struct job *newest; /* the table of jobs at work: a list, at most limits.active_jobs long */
    size_t count;       /* those in it, and those about to be */
    double bytes;       /* estimated, of all of them */
    bool draining;
};

struct jobs *jobs_open(struct store *store, struct queue *queue, struct events *events,
                       const struct limits *limits)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) return NULL;
    jobs->store = store;
    jobs->queue = queue;
    jobs->events = events;
    jobs->limits = *limits;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    return jobs;
}

/* ---- the table ---- */

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

static void release_locked(struct jobs *jobs, double bytes)
{
    jobs->count--;
    jobs->bytes = jobs->count > 0 ? jobs->bytes - bytes : 0;
    if (jobs->count == 0) pthread_cond_broadcast(&jobs->idle);
}

static void release(struct jobs *jobs, double bytes)
{
    pthread_mutex_lock(&jobs->lock);
    release_locked(jobs, bytes);
    pthread_mutex_unlock(&jobs->lock);
}

static void enter(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&jobs->lock);
    job->older = jobs->newest;
    if (job->older != NULL) job->older->newer = job;
    jobs->newest = job_ref(job);
    pthread_mutex_unlock(&jobs->lock);
}

static void leave(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&jobs->lock);
    *(job->newer != NULL ? &job->newer->older : &jobs->newest) = job->older;
    if (job->older != NULL) job->older->newer = job->newer;
    release_locked(jobs, job->spec->memory_bytes);
    pthread_mutex_unlock(&jobs->lock);
    job_unref(job);
}

/* A reference, or NULL when it is not at work or not the owner's (owner NULL: anybody's). */
static struct job *find(struct jobs *jobs, const char *owner, const char *id)
{
    pthread_mutex_lock(&jobs->lock);
    struct job *job = jobs->newest;
    while (job != NULL && strcmp(job->record.id, id) != 0)
        job = job->older;
    if (job != NULL && owner != NULL && strcmp(job->record.owner, owner) != 0) job = NULL;
    if (job != NULL) job_ref(job);
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

void jobs_close(struct jobs *jobs)
{
    if (jobs == NULL) return;
    while (jobs->newest != NULL)
        leave(jobs, jobs->newest);
    pthread_mutex_destroy(&jobs->lock);
    pthread_cond_destroy(&jobs->idle);
    free(jobs);
}

/* ---- life of a job ---- */

static bool store_problem(enum store_status status, struct problem *problem)
{
    switch (status) {
    case STORE_OK:
        return true;
    case STORE_NOT_FOUND:
        return problem_set(problem, PROBLEM_NOT_FOUND, "there is no such job");
    case STORE_FULL:
        return problem_set(problem, PROBLEM_STORAGE_FULL, "the store has no room for this job");
    case STORE_KEY_TAKEN:
        return problem_set(problem, PROBLEM_KEY_REUSED,
                           "the idempotency key belongs to a job with another body");
    default:
        return problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
    }
}

static bool same_request(const struct job_record *a, const struct job_record *b)
{
    return a->kind == b->kind && a->request->size == b->request->size &&
           memcmp(a->request->data, b->request->data, a->request->size) == 0;
}

/* The store has the key already: the same request gets that job, as it is now. */
static bool replay(struct jobs *jobs, const struct job_record *record, struct job_record *other,
                   struct job_record *ret_record, struct problem *problem)
{
    const bool same = same_request(record, other);
    char id[ID_SIZE];
    memcpy(id, other->id, sizeof id);
    job_record_done(other);
    return same ? jobs_get(jobs, record->owner, id, ret_record, problem)
                : store_problem(STORE_KEY_TAKEN, problem);
}

bool jobs_replay(struct jobs *jobs, enum job_kind kind, struct blob *body, const char *owner,
                 const char *idempotency_key, bool *ret_found, struct job_record *ret_record,
                 struct problem *problem)
{
    *ret_found = false;
    if (idempotency_key[0] == '\0') return true;
    struct job_record other;
    const enum store_status status =
        jobs->store->operations->find_key(jobs->store, owner, idempotency_key, &other);
    if (status == STORE_NOT_FOUND) return true;
    if (status != STORE_OK) return store_problem(status, problem);
    struct job_record asked = {.kind = kind, .request = body};
    snprintf(asked.owner, sizeof asked.owner, "%s", owner);
    *ret_found = true;
    return replay(jobs, &asked, &other, ret_record, problem);
}

static bool accept_job(struct jobs *jobs, struct job *job, struct job_record *ret_record,
                       struct problem *problem)
{
    enter(jobs, job);
    if (!job_snapshot(job, ret_record)) {
        leave(jobs, job);
        return store_problem(STORE_MEMORY, problem);
    }
    struct job_record other;
    const enum store_status status = jobs->store->operations->add(jobs->store, ret_record, &other);
    if (status == STORE_OK) {
        queue_push(jobs->queue, job);
        return true;
    }
    leave(jobs, job);
    if (status != STORE_KEY_TAKEN) return store_problem(status, problem);
    struct job_record record = *ret_record;
    const bool replayed = replay(jobs, &record, &other, ret_record, problem);
    job_record_done(replayed ? &record : ret_record);
    return replayed;
}

bool jobs_submit(struct jobs *jobs, struct spec *spec, struct blob *body, const char *owner,
                 const char *idempotency_key, struct job_record *ret_record,
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
    snprintf(record.owner, sizeof record.owner, "%s", owner);
    snprintf(record.idempotency_key, sizeof record.idempotency_key, "%s", idempotency_key);
    const double bytes = spec->memory_bytes;
    if (!reserve(jobs, bytes, problem)) {
        spec_free(spec);
        return false;
    }
    struct job *job = job_new(spec, &record, jobs->limits.job_seconds, problem);
    if (job == NULL) {
        release(jobs, bytes);
        return false;
    }
    const bool accepted = accept_job(jobs, job, ret_record, problem);
    if (!accepted) job_record_done(ret_record);
    job_unref(job);
    return accepted;
}

/* What a check or training that went through came to; a fault becomes the problem. */
static void encode_check(const struct job *job, struct job_record *record, struct problem *problem)
{
    gck_report *report;
    gck_error error;
    if (gck_check_report(job->check, &report, &error) != GCK_OK) {
        problem_from_error(problem, "", &error);
        return;
    }
    record->result = codec_check_result(job->spec, report);
    record->summary = codec_check_summary(report);
    gck_report_free(report);
}

static void encode_training(const struct job *job, struct job_record *record)
{
    const gck_train_result result = gck_train_result_of(job->train);
    record->result = codec_training_result(&result);
    record->summary = codec_training_summary(&result);
}

static void encode(const struct job *job, struct job_record *record, struct problem *problem)
{
    if (job->check != NULL)
        encode_check(job, record, problem);
    else
        encode_training(job, record);
    if (record->result == NULL || record->summary == NULL)
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
}

/* A training's parameters are there however it ended. */
static void keep_parameters(const struct job *job, struct job_record *record,
                            struct problem *problem)
{
    if (job->train == NULL) return;
    const gck_train_result result = gck_train_result_of(job->train);
    record->parameters =
        blob_copy(result.parameters, job->spec->model->parameter_count * sizeof *result.parameters);
    if (record->parameters == NULL) problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
}

static void record_fail(struct job_record *record, const struct problem *problem)
{
    blob_unref(record->result);
    blob_unref(record->summary);
    record->result = record->summary = NULL;
    record->state = JOB_FAILED;
    record->error = codec_problem(problem, NULL);
}

void jobs_begin(struct jobs *jobs, struct job *job)
{
    struct job_record record;
    if (!job_snapshot(job, &record)) return; /* lists then show it as queued */
    jobs->store->operations->put(jobs->store, &record);
    job_record_done(&record);
}

void jobs_finish(struct jobs *jobs, struct job *job)
{
    struct problem problem;
    struct job_record record;
    const enum job_state state = job_outcome(job, &problem);
    if (!job_snapshot(job, &record)) abort(); /* a few hundred bytes */
    record.state = state;
    keep_parameters(job, &record, &problem);
    if (state == JOB_SUCCEEDED) encode(job, &record, &problem);
    if (problem.type != PROBLEM_NONE) record_fail(&record, &problem);
    record.finished_ms = clock_wall_ms();
    record.version++;
    /* Stored first: whoever sees the end can rely on it. */
    const enum store_status status = jobs->store->operations->put(jobs->store, &record);
    if (status != STORE_OK) log_error("store", "job=%s status=%d", record.id, status);
    log_info("job", "id=%s kind=%s state=%s seconds=%.6f", record.id, job_kind_name(record.kind),
             job_state_name(record.state), record.seconds);
    char id[ID_SIZE];
    memcpy(id, record.id, sizeof id);
    job_record_done(&record);
    queue_remove(jobs->queue, job);
    leave(jobs, job);
    events_fire(jobs->events, id);
}

/* ---- questions ---- */

bool jobs_get(struct jobs *jobs, const char *owner, const char *id, struct job_record *ret_record,
              struct problem *problem)
{
    struct job *job = find(jobs, owner, id);
    if (job == NULL)
        return store_problem(jobs->store->operations->get(jobs->store, owner, id, ret_record),
                             problem);
    const bool copied = job_snapshot(job, ret_record);
    job_unref(job);
    return copied || store_problem(STORE_MEMORY, problem);
}

bool jobs_cancel(struct jobs *jobs, const char *owner, const char *id,
                 struct job_record *ret_record, bool *ret_pending, struct problem *problem)
{
    struct job *job = find(jobs, owner, id);
    if (job != NULL) {
        if (job_cancel(job)) jobs_finish(jobs, job);
        job_unref(job);
    }
    if (!jobs_get(jobs, owner, id, ret_record, problem)) return false;
    *ret_pending = !job_state_is_final(ret_record->state);
    return true;
}

bool jobs_purge(struct jobs *jobs, const char *owner, const char *id, struct problem *problem)
{
    struct job_record record;
    if (!jobs_get(jobs, owner, id, &record, problem)) return false;
    const bool final = job_state_is_final(record.state);
    job_record_done(&record);
    if (!final) return problem_set(problem, PROBLEM_CONFLICT, "only a finished job can be removed");
    return store_problem(jobs->store->operations->remove(jobs->store, owner, id), problem);
}

/* What the store keeps of a job at work is as old as its acceptance. */
static void refresh(struct jobs *jobs, struct job_record *record)
{
    struct problem problem = {0};
    struct job_record now;
    if (!jobs_get(jobs, record->owner, record->id, &now, &problem)) return;
    job_record_done(record);
    *record = now;
}

bool jobs_list(struct jobs *jobs, const struct store_filter *filter, struct job_page *ret_page,
               struct problem *problem)
{
    const enum store_status status = jobs->store->operations->list(jobs->store, filter, ret_page);
    for (size_t i = 0; status == STORE_OK && i < ret_page->count; i++)
        if (!job_state_is_final(ret_page->record[i].state)) refresh(jobs, &ret_page->record[i]);
    return store_problem(status, problem);
}

bool jobs_wait(struct jobs *jobs, struct waiter *waiter)
{
    char id[ID_SIZE]; /* the waiter may be gone after events_add */
    memcpy(id, waiter->id, sizeof id);
    const uint64_t ticket = events_add(jobs->events, waiter);
    if (ticket == 0) return false;
    struct job *job = find(jobs, NULL, id);
    if (job != NULL) {
        job_unref(job);
        return true;
    }
    /* It ended, perhaps before the waiter was there to be woken. */
    return !events_remove(jobs->events, ticket);
}

struct jobs_use jobs_use(struct jobs *jobs)
{
    struct jobs_use use = {0};
    pthread_mutex_lock(&jobs->lock);
    for (struct job *job = jobs->newest; job != NULL; job = job->older) {
        pthread_mutex_lock(&job->lock);
        *(job->record.state == JOB_QUEUED ? &use.queued : &use.running) += 1;
        pthread_mutex_unlock(&job->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return use;
}

/* ---- the end ---- */

void jobs_drain(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->draining = true;
    pthread_mutex_unlock(&jobs->lock);
}

bool jobs_await_idle(struct jobs *jobs, int64_t deadline_ns)
{
    const struct timespec until = clock_timespec(deadline_ns);
    int status = 0;
    pthread_mutex_lock(&jobs->lock);
    while (jobs->count > 0 && status == 0)
        status = pthread_cond_timedwait(&jobs->idle, &jobs->lock, &until);
    const bool idle = jobs->count == 0;
    pthread_mutex_unlock(&jobs->lock);
    return idle;
}

void jobs_abandon(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    for (struct job *job = jobs->newest; job != NULL; job = job->older)
        atomic_store(&job->abandoned, true);
    pthread_mutex_unlock(&jobs->lock);
}
