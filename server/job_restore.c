/* Jobs that a process before has begun: what was kept of their work is put back, and what may have
 * ended that process is marked. */
#include "server/job.h"

#include <stdlib.h>
#include <string.h>

static bool restore_training(struct job *job, const struct store_grain *grain)
{
    gck_error error;
    job->attempts = grain->attempts;
    if (grain->bytes == NULL) return true;
    if (gck_train_import(job->train, grain->bytes, grain->size, &error) != GCK_OK) return false;
    job->record.done = gck_train_epochs_done(job->train);
    return true;
}

/* Bytes from a store are aligned for nothing. */
static bool restore_check(struct job *job, const struct store_grain *state)
{
    const size_t count = gck_check_state_count(job->check);
    gck_error error;
    if (state->size != count * sizeof(double)) return false;
    double *values = gck_vector_new(count);
    if (values == NULL) return false;
    memcpy(values, state->bytes, state->size);
    const bool loaded = gck_check_state_load(job->check, values, &error) == GCK_OK;
    gck_vector_free(values);
    job->record.done = gck_check_done(job->check);
    job->next = gck_check_folded(job->check);
    return loaded && job->next < gck_check_cut_of(job->check)->grain_count;
}

static bool restore_attempts(struct job *job, const struct store_grain *begun)
{
    if (begun->index >= gck_check_cut_of(job->check)->grain_count) return false;
    if (job->top <= begun->index) job->top = (size_t)begun->index + 1;
    job->grain[begun->index].attempts =
        (uint8_t)(begun->attempts < UINT8_MAX ? begun->attempts : UINT8_MAX);
    return true;
}

/* What was folded when the state was kept is done. */
static void mark_done(struct job *job)
{
    if (job->top < job->next) job->top = job->next;
    for (size_t i = 0; i < job->top; i++) {
        if (i < job->next)
            job->grain[i] = (struct grain){.taken = true};
        else if (job->grain[i].attempts >= ATTEMPTS_SUSPECT)
            job->suspects++;
    }
}

static int by_index(const void *a, const void *b)
{
    const struct store_grain *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* A grain a round: its values. */
static bool restore_probe(struct job *job, const struct store_grain *grain, size_t count)
{
    struct store_grain *round = malloc((count + 1) * sizeof *round);
    bool fits = round != NULL;
    if (fits && count > 0) memcpy(round, grain, count * sizeof *round);
    if (fits) qsort(round, count, sizeof *round, by_index);
    for (size_t i = 0; fits && i < count; i++) {
        const size_t values = round[i].size / sizeof(double);
        double *value = malloc(round[i].size + 1);
        gck_error error;
        fits = value != NULL && round[i].index == i + 1 &&
               values == gck_session_asked(job->probe->session);
        if (fits) memcpy(value, round[i].bytes, values * sizeof *value);
        fits = fits && probe_work_take(job->probe, value, values, &error) == GCK_OK;
        free(value);
    }
    free(round);
    job->record.done = gck_session_evaluations(job->probe->session);
    return fits;
}

bool job_restore(struct job *job, const struct store_grain *grain, size_t count)
{
    if (job->probe != NULL) return restore_probe(job, grain, count);
    if (job->train != NULL) return count == 0 || restore_training(job, &grain[0]);
    bool fits = true;
    for (size_t i = 0; fits && i < count; i++)
        fits = grain[i].index == job_state_index(job) ? restore_check(job, &grain[i])
                                                      : restore_attempts(job, &grain[i]);
    if (fits) mark_done(job);
    return fits;
}

uint64_t job_state_index(const struct job *job)
{
    return job->train != NULL ? 0 : gck_check_cut_of(job->check)->grain_count;
}

bool job_is_suspect(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool suspect = job->suspects > 0 || job->attempts >= ATTEMPTS_SUSPECT;
    pthread_mutex_unlock(&job->lock);
    return suspect;
}

void job_clear(struct job *job, uint32_t most)
{
    pthread_mutex_lock(&job->lock);
    if (job->attempts > most) job->attempts = most;
    pthread_mutex_unlock(&job->lock);
}

uint32_t job_attempts(struct job *job, size_t grain)
{
    pthread_mutex_lock(&job->lock);
    const uint32_t attempts = job->train != NULL ? job->attempts : job->grain[grain].attempts;
    pthread_mutex_unlock(&job->lock);
    return attempts;
}

uint32_t job_attempts_most(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    uint32_t most = job->attempts;
    for (size_t i = 0; job->grain != NULL && i < job->top; i++)
        if (job->grain[i].attempts > most) most = job->grain[i].attempts;
    pthread_mutex_unlock(&job->lock);
    return most;
}
