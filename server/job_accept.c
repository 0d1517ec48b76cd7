/* What others wait for of a job: that it is accepted, and that it has left the table of jobs. */
#include "server/clock.h"
#include "server/job.h"

bool job_is_stored(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool stored = job->acceptance == ACCEPT_STORED;
    pthread_mutex_unlock(&job->lock);
    return stored;
}

void job_settle(struct job *job, enum store_status status)
{
    pthread_mutex_lock(&job->lock);
    job->acceptance = status == STORE_OK ? ACCEPT_STORED : ACCEPT_REFUSED;
    job->refusal = status;
    pthread_cond_broadcast(&job->settled);
    pthread_mutex_unlock(&job->lock);
}

enum acceptance job_await_acceptance(struct job *job, enum store_status *ret_refusal)
{
    pthread_mutex_lock(&job->lock);
    while (job->acceptance == ACCEPT_PENDING)
        pthread_cond_wait(&job->settled, &job->lock);
    const enum acceptance acceptance = job->acceptance;
    *ret_refusal = job->refusal;
    pthread_mutex_unlock(&job->lock);
    return acceptance;
}

void job_leave(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    job->left = true;
    pthread_cond_broadcast(&job->settled);
    pthread_mutex_unlock(&job->lock);
}

bool job_await_leave(struct job *job, int64_t until_ns)
{
    const struct timespec until = clock_timespec(until_ns);
    int status = 0;
    pthread_mutex_lock(&job->lock);
    while (!job->left && status == 0)
        status = pthread_cond_timedwait(&job->settled, &job->lock, &until);
    const bool left = job->left;
    pthread_mutex_unlock(&job->lock);
    return left;
}
