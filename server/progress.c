#include "server/progress.h"
#include "server/clock.h"
#include "server/log.h"

#include <gradcheck/optimizer.h>

#include <stdlib.h>
#include <string.h>

/* Releases go with the next commit; if there is none, they need not wait for long. */
enum { RELEASE_MS = 1000 };

/* Between states of a check. */
#define CHECK_SAVE_NS INT64_C(1000000000)

/* A disk takes some 5 ns a byte: so it is busy with states for a twentieth of the time. */
#define SAVE_NS_A_BYTE 100

/* Beyond what stores take as one value. */
#define STATE_BYTES_MAX ((size_t)900000000)

struct progress {
    struct store *store;
    bool durable;
    int64_t save_ns; /* between states of a training */
    pthread_mutex_t lock;
    pthread_cond_t written;
};

/* One write of a job's work, until it is made. */
struct kept {
    struct store_write write;
    struct progress *progress;
    struct job *job;      /* a reference */
    unsigned char *state; /* owned; NULL: attempts alone */
    struct kept *next;    /* of the job */
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
    free(kept->state);
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
    if (kept->state != NULL) kept->job->saving = false;
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

static struct kept *kept_new(struct progress *progress, struct job *job, uint64_t grain,
                             uint32_t attempts)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL) return NULL; /* the work is done again, should the process end */
    kept->progress = progress;
    kept->job = job_ref(job);
    kept->write = (struct store_write){.change = STORE_GRAIN,
                                       .patient = true,
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
    pthread_mutex_unlock(&progress->lock);
    progress->store->operations->submit(progress->store, &kept->write);
}

/* ---- grains ---- */

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
    kept->write.delay_ms = RELEASE_MS;
    kept->write.rides = true;
    hand_over(kept);
}

/* ---- states ---- */

static double state_bytes(const struct job *job)
{
    const size_t parameters = job->spec->model->parameter_count;
    if (job->check != NULL) return (double)gck_check_state_count(job->check) * sizeof(double);
    const size_t slots = gck_optimizer_slots(&job->spec->train.optimizer);
    return (double)(parameters * (slots + 2)) * sizeof(double);
}

double progress_bytes(const struct progress *progress, const struct spec *spec)
{
    if (spec->kind == JOB_PROBE) return 0; /* a round is written where it is taken */
    double numbers = 4 * (double)spec->model->parameter_count;
    if (spec->kind == JOB_CHECK && spec->check.inputs)
        numbers += 4 * (double)spec->data->samples * (double)spec->model->inputs;
    return progress->durable ? numbers * sizeof(double) : 0;
}

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

/* The state as bytes; NULL when memory is out. */
static unsigned char *state_new(const struct job *job, size_t *ret_size)
{
    unsigned char *bytes = NULL;
    gck_error error;
    if (job->train != NULL)
        return gck_train_export(job->train, &bytes, ret_size, &error) == GCK_OK ? bytes : NULL;
    double *values = malloc(gck_check_state_count(job->check) * sizeof *values);
    if (values == NULL) return NULL;
    gck_check_state_save(job->check, values);
    *ret_size = gck_check_state_count(job->check) * sizeof *values;
    return (unsigned char *)values;
}

static bool save_state(struct progress *progress, struct job *job, uint32_t attempts)
{
    struct kept *kept = kept_new(progress, job, job_state_index(job), attempts);
    if (kept == NULL) return false;
    kept->state = state_new(job, &kept->write.grain.size);
    if (kept->state == NULL || kept->write.grain.size > STATE_BYTES_MAX) {
        kept_free(kept);
        return false;
    }
    kept->write.grain.bytes = kept->state;
    hand_over(kept);
    return true;
}

static bool is_due(const struct progress *progress, const struct job *job, int64_t now_ns)
{
    const int64_t least = job->check != NULL ? CHECK_SAVE_NS : progress->save_ns;
    const int64_t by_size = (int64_t)(state_bytes(job) * SAVE_NS_A_BYTE);
    return now_ns - job->saved_ns >= (by_size > least ? by_size : least);
}

/* A training is begun once for all its steps: what was counted belongs to those since its last
 * state. Under suspicion it is saved step by step, so that the step to blame is found: what was
 * counted beyond suspicion belongs to the step that went well just now. Once an interval went well,
 * all is forgotten. */
static uint32_t attempts_saved(struct job *job, bool due, bool now)
{
    if (job->check != NULL) return 0;
    if (due || !now) job_clear(job, due ? 0 : ATTEMPTS_SUSPECT);
    return job_attempts(job, 0) + (now ? 0 : 1);
}

void progress_save(struct progress *progress, struct job *job, bool now)
{
    if (!progress->durable || !job_is_stored(job)) return;
    const int64_t time_ns = clock_monotonic_ns();
    if (job->saved_ns == 0) job->saved_ns = job->started_ns;
    const bool due = is_due(progress, job, time_ns);
    const bool steps = job->train != NULL && job_is_suspect(job);
    if (!now && !steps && !due) return;
    if (!begin_saving(progress, job, now)) return;
    if (due) job->saved_ns = time_ns;
    if (!save_state(progress, job, attempts_saved(job, due, now))) end_saving(progress, job);
}

static void folded(void *context, struct job *job)
{
    progress_save(context, job, false);
}

void progress_watch(struct progress *progress, struct job *job)
{
    if (!progress->durable || job->check == NULL) return;
    job->folded = folded;
    job->folded_context = progress;
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
        if (kept->state != NULL) job->saving = false;
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
