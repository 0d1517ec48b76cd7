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
static bool copy_partial(const struct store_grain *grain, gck_partial *ret_partial)
{
    if (grain->size == 0 || grain->size % sizeof(double) != 0) return false;
    ret_partial->count = grain->size / sizeof(double);
    ret_partial->values = gck_vector_new(ret_partial->count);
    if (ret_partial->values == NULL) return false;
    memcpy(ret_partial->values, grain->bytes, grain->size);
    return true;
}

static bool restore_grain(struct job *job, const struct store_grain *kept)
{
    if (kept->index >= gck_check_cut_of(job->check)->grain_count) return false;
    struct grain *grain = &job->grain[kept->index];
    if (job->top <= kept->index) job->top = (size_t)kept->index + 1;
    grain->attempts = (uint8_t)(kept->attempts < UINT8_MAX ? kept->attempts : UINT8_MAX);
    if (kept->bytes == NULL) {
        if (grain->attempts >= ATTEMPTS_SUSPECT) job->suspects++;
        return true;
    }
    grain->taken = true;
    grain->attempts = 0;
    return copy_partial(kept, &grain->partial);
}

/* All grains but the last can be folded at once; it is computed again, so that the job ends in the
 * usual way. */
static bool fold_restored(struct job *job)
{
    const size_t count = gck_check_cut_of(job->check)->grain_count;
    for (size_t i = gck_check_folded(job->check); i < count; i++) {
        struct grain *grain = &job->grain[i];
        if (grain->partial.values == NULL) break;
        if (i + 1 == count) {
            gck_partial_done(&grain->partial);
            grain->taken = false;
            break;
        }
        gck_error error;
        const gck_status status = gck_check_fold(job->check, i, &grain->partial, &error);
        gck_partial_done(&grain->partial);
        if (status != GCK_OK) return false;
    }
    job->record.done = gck_check_done(job->check);
    return true;
}

bool job_restore(struct job *job, const struct store_grain *grain, size_t count)
{
    bool fits = true;
    if (job->train != NULL) return count == 0 || restore_training(job, &grain[0]);
    for (size_t i = 0; fits && i < count; i++)
        fits = restore_grain(job, &grain[i]);
    return fits && fold_restored(job);
}

bool job_is_suspect(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool suspect = job->suspects > 0 || job->attempts >= ATTEMPTS_SUSPECT;
    pthread_mutex_unlock(&job->lock);
    return suspect;
}

void job_clear(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    job->attempts = 0;
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
