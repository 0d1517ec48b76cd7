#include "server/progress.h"
#include "server/clock.h"
#include "server/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* For how long results are gathered before they are written. */
enum { GATHER_MS = 1000 };

/* Results on their way to the store: beyond the first they are written at once, beyond the second
 * whoever has more waits. */
#define BYTES_HURRIED ((size_t)64 << 20)
#define BYTES_MAX ((size_t)256 << 20)

struct progress {
    struct store *store;
    bool durable;
    int64_t save_ns;
    pthread_mutex_t lock;
    pthread_cond_t written;
    size_t bytes; /* of all that is on its way */
};

/* One write of a job's work, until it is made. */
struct kept {
    struct store_write write;
    struct progress *progress;
    struct job *job; /* a reference */
    void *bytes;     /* owned: a gck_vector, or a training's state */
    bool is_state;
    struct kept *next; /* of the job */
};

struct progress *progress_open(struct store *store, const struct limits *limits)
{
    struct progress *progress = calloc(1, sizeof *progress);
    if (progress == NULL) return NULL;
    progress->store = store;
    progress->durable = store->operations->durable;
    progress->save_ns = limits->save_seconds * INT64_C(1000000000);
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->written, NULL);
    return progress;
}

void progress_close(struct progress *progress)
{
    if (progress == NULL) return;
    pthread_mutex_destroy(&progress->lock);
    pthread_cond_destroy(&progress->written);
    free(progress);
}

/* ---- writes on their way ---- */

static void kept_free(struct kept *kept)
{
    if (kept->is_state)
        free(kept->bytes);
    else
        gck_vector_free(kept->bytes);
    job_unref(kept->job);
    free(kept);
}

/* Takes it out of its job's list. */
static void forget(struct kept *kept)
{
    struct progress *progress = kept->progress;
    pthread_mutex_lock(&progress->lock);
    struct kept **place = &kept->job->kept;
    while (*place != kept)
        place = &(*place)->next;
    *place = kept->next;
    progress->bytes -= kept->write.grain.size;
    if (kept->is_state) kept->job->saving = false;
    pthread_cond_broadcast(&progress->written);
    pthread_mutex_unlock(&progress->lock);
}

static void written(struct store_write *write, enum store_status status)
{
    struct kept *kept = write->context;
    if (status != STORE_OK && status != STORE_NOT_FOUND)
        log_error("store", "job=%s grain=%llu status=%d", write->record.id,
                  (unsigned long long)write->grain.index, status);
    forget(kept);
    kept_free(kept);
}

static struct kept *kept_new(struct progress *progress, struct job *job, size_t grain,
                             uint32_t attempts)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL) return NULL; /* the work is done again, should the process end */
    kept->progress = progress;
    kept->job = job_ref(job);
    kept->write = (struct store_write){.change = STORE_GRAIN,
                                       .patient = true,
                                       .delay_ms = GATHER_MS,
                                       .grain = {.index = grain, .attempts = attempts},
                                       .done = written,
                                       .context = kept};
    memcpy(kept->write.record.id, job->record.id, sizeof job->record.id);
    return kept;
}

static void hand_over(struct kept *kept)
{
    struct progress *progress = kept->progress;
    pthread_mutex_lock(&progress->lock);
    kept->next = kept->job->kept;
    kept->job->kept = kept;
    progress->bytes += kept->write.grain.size;
    if (progress->bytes > BYTES_HURRIED) kept->write.delay_ms = 0;
    pthread_mutex_unlock(&progress->lock);
    progress->store->operations->submit(progress->store, &kept->write);
}

/* The store is slower than the work: as it is with a full disk. */
static void await_room(struct progress *progress, const struct job *job)
{
    pthread_mutex_lock(&progress->lock);
    while (progress->bytes > BYTES_MAX && !atomic_load(&job->abandoned))
        pthread_cond_wait(&progress->written, &progress->lock);
    pthread_mutex_unlock(&progress->lock);
}

void progress_abandon(struct progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    pthread_cond_broadcast(&progress->written);
    pthread_mutex_unlock(&progress->lock);
}

/* ---- grains ---- */

static void keep(void *context, struct job *job, size_t grain, gck_partial *partial)
{
    struct progress *progress = context;
    struct kept *kept = job_is_stored(job) ? kept_new(progress, job, grain, 0) : NULL;
    if (kept == NULL) return;
    kept->bytes = partial->values;
    kept->write.grain.bytes = partial->values;
    kept->write.grain.size = partial->count * sizeof *partial->values;
    *partial = (gck_partial){0};
    hand_over(kept);
    await_room(progress, job);
}

void progress_watch(struct progress *progress, struct job *job)
{
    if (!progress->durable || job->check == NULL) return;
    job->keep = keep;
    job->keep_context = progress;
}

bool progress_charge(struct progress *progress, struct job *job, size_t grain)
{
    if (!progress->durable || !job_is_stored(job)) return false;
    struct store_write write = {
        .change = STORE_GRAIN,
        .patient = true,
        .grain = {.index = grain, .attempts = job_attempts(job, grain) + 1}};
    memcpy(write.record.id, job->record.id, sizeof job->record.id);
    return store_do(progress->store, &write) == STORE_OK;
}

void progress_release(struct progress *progress, struct job *job, size_t grain, bool done)
{
    struct kept *kept = kept_new(progress, job, grain, done ? 0 : job_attempts(job, grain));
    if (kept == NULL) return;
    kept->write.rides = true;
    hand_over(kept);
}

/* ---- trainings ---- */

/* One at a time; `now` waits for its turn. */
static bool begin_saving(struct progress *progress, struct job *job, bool now)
{
    pthread_mutex_lock(&progress->lock);
    while (now && job->saving)
        pthread_cond_wait(&progress->written, &progress->lock);
    const bool begins = !job->saving;
    job->saving = true;
    pthread_mutex_unlock(&progress->lock);
    return begins;
}

static void end_saving(struct progress *progress, struct job *job)
{
    pthread_mutex_lock(&progress->lock);
    job->saving = false;
    pthread_mutex_unlock(&progress->lock);
}

static bool save_state(struct progress *progress, struct job *job, uint32_t attempts)
{
    struct kept *kept = kept_new(progress, job, 0, attempts);
    unsigned char *bytes;
    size_t size;
    gck_error error;
    if (kept == NULL) return false;
    kept->is_state = true;
    if (gck_train_export(job->train, &bytes, &size, &error) != GCK_OK) {
        kept_free(kept);
        return false;
    }
    kept->bytes = bytes;
    kept->write.grain.bytes = bytes;
    kept->write.grain.size = size;
    kept->write.delay_ms = 0;
    hand_over(kept);
    return true;
}

void progress_save(struct progress *progress, struct job *job, bool now)
{
    if (!progress->durable || !job_is_stored(job)) return;
    const int64_t time_ns = clock_monotonic_ns();
    if (job->saved_ns == 0) job->saved_ns = job->started_ns;
    const bool due = time_ns - job->saved_ns >= progress->save_ns;
    const bool suspect = job_is_suspect(job);
    if (!now && !suspect && !due) return;
    if (!begin_saving(progress, job, now)) return;
    /* Step by step where processes ended before, so that the step to blame is found; once an
     * interval went well, the past is forgotten. */
    if (due) {
        job_clear(job);
        job->saved_ns = time_ns;
    }
    const uint32_t attempts = job_attempts(job, 0) + (now ? 0 : 1);
    if (!save_state(progress, job, attempts)) end_saving(progress, job);
}

/* ---- the end ---- */

/* Takes what the store has not begun with out of the job's list. */
static struct kept *take_back(struct progress *progress, struct job *job)
{
    struct kept *taken = NULL;
    pthread_mutex_lock(&progress->lock);
    for (struct kept **place = &job->kept; *place != NULL;) {
        struct kept *kept = *place;
        if (!progress->store->operations->withdraw(progress->store, &kept->write)) {
            place = &kept->next;
            continue;
        }
        *place = kept->next;
        progress->bytes -= kept->write.grain.size;
        kept->next = taken;
        taken = kept;
    }
    pthread_cond_broadcast(&progress->written);
    pthread_mutex_unlock(&progress->lock);
    return taken;
}

void progress_drop(struct progress *progress, struct job *job)
{
    struct kept *kept = take_back(progress, job);
    while (kept != NULL) {
        struct kept *next = kept->next;
        kept_free(kept);
        kept = next;
    }
}
