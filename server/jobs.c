#include "server/clock.h"
#include "server/jobs_table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct jobs *jobs_open(struct store *store, struct queue *queue, struct events *events,
                       const struct limits *limits)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) return NULL;
    jobs->progress = progress_open(store, limits);
    if (jobs->progress == NULL) {
        free(jobs);
        return NULL;
    }
    jobs->store = store;
    jobs->queue = queue;
    jobs->events = events;
    jobs->limits = *limits;
    jobs->position = store->operations->last_position(store);
    pthread_mutex_init(&jobs->changing, NULL);
    pthread_mutex_init(&jobs->lock, NULL);
    clock_condition_init(&jobs->idle);
    return jobs;
}

/* Takes the job out of the list; the reference is the caller's. */
static void unlink_job(struct jobs *jobs, struct job *job)
{
    *(job->newer != NULL ? &job->newer->older : &jobs->newest) = job->older;
    if (job->older != NULL) job->older->newer = job->newer;
}

void jobs_close(struct jobs *jobs)
{
    if (jobs == NULL) return;
    struct job *job;
    while ((job = jobs->newest) != NULL) {
        unlink_job(jobs, job);
        job_unref(job);
    }
    progress_close(jobs->progress);
    pthread_mutex_destroy(&jobs->changing);
    pthread_mutex_destroy(&jobs->lock);
    pthread_cond_destroy(&jobs->idle);
    free(jobs);
}

/* ---- the table; a reference of its own to each job ---- */

static struct job *find_key(const struct jobs *jobs, const char *owner, const char *key)
{
    struct job *job = jobs->newest;
    while (job != NULL &&
           (strcmp(job->record.idempotency_key, key) != 0 || strcmp(job->record.owner, owner) != 0))
        job = job->older;
    return job;
}

bool table_enter(struct jobs *jobs, struct job *job, struct job **ret_other)
{
    const char *key = job->record.idempotency_key;
    pthread_mutex_lock(&jobs->lock);
    struct job *other = key[0] == '\0' ? NULL : find_key(jobs, job->record.owner, key);
    if (other != NULL) {
        *ret_other = job_ref(other);
    } else {
        job->older = jobs->newest;
        if (job->older != NULL) job->older->newer = job;
        jobs->newest = job_ref(job);
        jobs->probes += job->probe != NULL;
    }
    pthread_mutex_unlock(&jobs->lock);
    return other == NULL;
}

/* Whether workers have nothing to do; the lock is held. */
static bool is_idle(const struct jobs *jobs)
{
    return jobs->count == jobs->probes;
}

void table_release(struct jobs *jobs, double bytes)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->count--;
    jobs->bytes = jobs->count > 0 ? jobs->bytes - bytes : 0;
    if (is_idle(jobs)) pthread_cond_broadcast(&jobs->idle);
    pthread_mutex_unlock(&jobs->lock);
}

void table_leave(struct jobs *jobs, struct job *job)
{
    char id[ID_SIZE];
    memcpy(id, job->record.id, sizeof id);
    queue_remove(jobs->queue, job);
    pthread_mutex_lock(&jobs->lock);
    unlink_job(jobs, job);
    jobs->probes -= job->probe != NULL;
    pthread_mutex_unlock(&jobs->lock);
    table_release(jobs, job->spec->memory_bytes);
    job_leave(job);
    job_unref(job);
    events_fire(jobs->events, id);
}

struct job *table_find(struct jobs *jobs, const char *id)
{
    pthread_mutex_lock(&jobs->lock);
    struct job *job = jobs->newest;
    while (job != NULL && strcmp(job->record.id, id) != 0)
        job = job->older;
    if (job != NULL) job_ref(job);
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

struct job *table_find_key(struct jobs *jobs, const char *owner, const char *key)
{
    pthread_mutex_lock(&jobs->lock);
    struct job *job = find_key(jobs, owner, key);
    if (job != NULL) job_ref(job);
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

struct job **table_copy(struct jobs *jobs, size_t *ret_count)
{
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    struct job **copy = calloc(jobs->count + 1, sizeof(struct job *));
    for (struct job *job = jobs->newest; copy != NULL && job != NULL; job = job->older)
        copy[count++] = job_ref(job);
    pthread_mutex_unlock(&jobs->lock);
    *ret_count = count;
    return copy;
}

/* ---- questions ---- */

bool store_problem(enum store_status status, struct problem *problem)
{
    switch (status) {
    case STORE_OK:
        return true;
    case STORE_NOT_FOUND:
        return problem_set(problem, PROBLEM_NOT_FOUND, "there is no such job");
    case STORE_FULL:
        return problem_set(problem, PROBLEM_STORAGE_FULL, "the store has no room for this");
    case STORE_KEY_TAKEN:
        return problem_set(problem, PROBLEM_KEY_REUSED,
                           "the idempotency key belongs to a job with another body");
    case STORE_BROKEN:
        return problem_set(problem, PROBLEM_INTERNAL, "the store cannot be read or written");
    default:
        return problem_memory(problem);
    }
}

bool jobs_get(struct jobs *jobs, const struct user *user, const char *id, unsigned parts,
              struct job_record *ret_record, struct problem *problem)
{
    const struct scope scope = user_reads(user);
    struct job *job = table_find(jobs, id);
    if (job == NULL || !job_is_stored(job)) {
        job_unref(job);
        return store_problem(
            jobs->store->operations->get(jobs->store, &scope, id, parts, ret_record), problem);
    }
    enum store_status status = job_snapshot(job, ret_record) ? STORE_OK : STORE_MEMORY;
    job_unref(job);
    if (status == STORE_OK && !scope_has(&scope, ret_record->owner, ret_record->shared)) {
        job_record_done(ret_record);
        status = STORE_NOT_FOUND;
    }
    return store_problem(status, problem);
}

bool jobs_wait(struct jobs *jobs, struct waiter *waiter)
{
    char id[ID_SIZE]; /* the waiter may be gone after events_add */
    memcpy(id, waiter->id, sizeof id);
    const uint64_t ticket = events_add(jobs->events, waiter);
    if (ticket == 0) return false;
    struct job *job = table_find(jobs, id);
    if (job != NULL) {
        job_unref(job);
        return true;
    }
    /* It ended, perhaps before the waiter was there to be woken. */
    return !events_remove(jobs->events, ticket);
}

struct jobs_use jobs_use(struct jobs *jobs, const char *owner)
{
    struct jobs_use use = {0};
    pthread_mutex_lock(&jobs->lock);
    for (struct job *job = jobs->newest; job != NULL; job = job->older) {
        if (strcmp(job->record.owner, owner) != 0) continue;
        pthread_mutex_lock(&job->lock);
        *(job->record.state == JOB_QUEUED ? &use.queued : &use.running) += 1;
        pthread_mutex_unlock(&job->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return use;
}

/* ---- work ---- */

bool jobs_charge(struct jobs *jobs, const struct lease *lease)
{
    return progress_charge(jobs->progress, lease->job, lease->grain);
}

void jobs_release(struct jobs *jobs, const struct lease *lease, bool done)
{
    progress_release(jobs->progress, lease->job, lease->grain, done);
}

void jobs_save(struct jobs *jobs, struct job *job)
{
    progress_save(jobs->progress, job, false);
}

bool jobs_prune(struct jobs *jobs)
{
    struct store_write write = {.change = STORE_PRUNE, .now_ms = clock_wall_ms()};
    return store_do(jobs->store, &write) == STORE_OK && write.removed > 0;
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
    while (!is_idle(jobs) && status == 0)
        status = pthread_cond_timedwait(&jobs->idle, &jobs->lock, &until);
    const bool idle = is_idle(jobs);
    pthread_mutex_unlock(&jobs->lock);
    return idle;
}

void jobs_abandon(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    for (struct job *job = jobs->newest; job != NULL; job = job->older)
        atomic_store(&job->abandoned, true);
    pthread_mutex_unlock(&jobs->lock);
    jobs->store->operations->give_up(jobs->store);
}

static bool is_begun(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool begun = job->started_ns > 0 && !job->ended && job->probe == NULL;
    pthread_mutex_unlock(&job->lock);
    return begun;
}

void jobs_hand_over(struct jobs *jobs)
{
    size_t count;
    struct job **job = table_copy(jobs, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_begun(job[i])) progress_save(jobs->progress, job[i], true);
        job_unref(job[i]);
    }
    free(job);
    jobs->store->operations->hurry(jobs->store, NULL);
    jobs_prune(jobs); /* comes after all that was handed over before it */
}
