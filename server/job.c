#include "server/job.h"
#include "server/clock.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The form of struct job_cut. */
#define CUT_FORMAT 2

static bool prepare_check(struct job *job, gck_error *error)
{
    if (gck_check_new(&job->spec->check, &job->check, error) != GCK_OK) return false;
    const gck_check_cut *cut = gck_check_cut_of(job->check);
    job->record.cut = (struct job_cut){CUT_FORMAT, cut->block_rows, cut->block_count,
                                       cut->grain_operations, cut->grain_count};
    job->record.total = gck_check_total(job->check);
    job->grain = calloc(cut->grain_count, sizeof *job->grain);
    return job->grain != NULL || gck_error_memory(error) == GCK_OK;
}

static bool prepare_training(struct job *job, gck_error *error)
{
    if (gck_train_new(&job->spec->train, &job->train, error) != GCK_OK) return false;
    job->record.total = job->spec->train.epochs;
    return true;
}

static bool prepare_probe(struct job *job, gck_error *error)
{
    if (probe_work_new(job->spec->probe, &job->probe, error) != GCK_OK) return false;
    const size_t budget = job->spec->probe->core.budget;
    job->record.total = budget > 0 ? budget : GCK_SESSION_BUDGET;
    return true;
}

/* A limit beyond the clock is none. */
static void set_deadline(struct job *job)
{
    const int64_t now_ns = clock_monotonic_ns();
    const double limit_ns = job->spec->time_limit_seconds * 1e9;
    if (limit_ns < 9e18 - (double)now_ns)
        atomic_store(&job->deadline_ns, now_ns + (int64_t)limit_ns);
}

static void begin(struct job *job)
{
    job->started_ns = clock_monotonic_ns();
    set_deadline(job);
    job->record.state = JOB_RUNNING;
    job->record.started_ms = clock_wall_ms();
    job->record.attempts++;
    job->record.version++;
}

/* What each kind of job is made of, and where in a body its faults are. */
static const struct {
    bool (*prepare)(struct job *job, gck_error *error);
    const char *base;
} kinds[] = {
    [JOB_CHECK] = {prepare_check, "/check"},
    [JOB_TRAINING] = {prepare_training, "/training"},
    [JOB_PROBE] = {prepare_probe, ""},
};

struct job *job_new(struct spec *spec, struct job_record *record, int64_t job_seconds,
                    struct problem *problem)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        problem_memory(problem);
        spec_free(spec);
        return NULL;
    }
    atomic_init(&job->references, 1);
    atomic_init(&job->deadline_ns, INT64_MAX);
    pthread_mutex_init(&job->lock, NULL);
    clock_condition_init(&job->settled);
    job->spec = spec;
    if (spec->time_limit_seconds > (double)job_seconds)
        spec->time_limit_seconds = (double)job_seconds;
    gck_error error;
    bool made = kinds[spec->kind].prepare(job, &error);
    if (!made) problem_from_error(problem, kinds[spec->kind].base, &error);
    const struct job_record prepared = job->record;
    if (made &&
        !(job_record_copy(record, &job->record) && labels_copy(&record->labels, &job->end_labels)))
        made = problem_memory(problem);
    if (!made) {
        job_unref(job);
        return NULL;
    }
    job->record.cut = prepared.cut;
    job->record.total = prepared.total;
    gck_signature(job->record.signature);
    if (job->probe != NULL) begin(job);
    return job;
}

struct job *job_ref(struct job *job)
{
    atomic_fetch_add(&job->references, 1);
    return job;
}

void job_unref(struct job *job)
{
    if (job == NULL || atomic_fetch_sub(&job->references, 1) > 1) return;
    /* The table may be long, and its pages untouched: none is beyond `top`. */
    for (size_t i = 0; job->grain != NULL && i < job->top; i++)
        gck_partial_done(&job->grain[i].partial);
    free(job->grain);
    gck_check_free(job->check);
    gck_train_free(job->train);
    probe_work_free(job->probe);
    spec_free((struct spec *)job->spec);
    job_record_done(&job->record);
    free(job->end_labels.label);
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->settled);
    free(job);
}

bool job_is_divisible(const struct job *job)
{
    return job->check != NULL;
}

static bool is_late(const struct job *job)
{
    return clock_monotonic_ns() > atomic_load(&job->deadline_ns);
}

static bool stop_is_asked(const struct job *job)
{
    return atomic_load(&job->cancelled) || atomic_load(&job->abandoned) || is_late(job);
}

static bool stop_callback(void *context)
{
    return stop_is_asked(context);
}

gck_stop job_stop(struct job *job)
{
    return (gck_stop){stop_callback, job};
}

static size_t grain_count(const struct job *job)
{
    return job->check != NULL ? gck_check_cut_of(job->check)->grain_count : 1;
}

static bool is_suspect(const struct grain *grain)
{
    return grain->attempts >= ATTEMPTS_SUSPECT;
}

/* The first grain to be had; those under suspicion come before others. */
static size_t first_free(const struct job *job)
{
    const size_t count = grain_count(job);
    size_t index = job->next;
    if (job->check == NULL) return index;
    for (size_t i = 0; job->suspects > 0 && i < job->top; i++)
        if (is_suspect(&job->grain[i]) && !job->grain[i].taken) return i;
    while (index < count && job->grain[index].taken)
        index++;
    return index;
}

static void take(struct job *job, size_t index)
{
    job->outstanding++;
    if (job->check == NULL) {
        job->next = 1;
        return;
    }
    job->grain[index].taken = true;
    while (job->next < grain_count(job) && job->grain[job->next].taken)
        job->next++;
    if (job->top < job->next) job->top = job->next;
}

bool job_take(struct job *job, size_t *ret_grain)
{
    pthread_mutex_lock(&job->lock);
    /* Of a job that is late one grain is taken at a time: whoever hands it in ends the job. */
    bool there = job->probe == NULL && !job->ended && job->problem.type == PROBLEM_NONE &&
                 (job->outstanding == 0 || !is_late(job)) && !atomic_load(&job->cancelled) &&
                 !atomic_load(&job->abandoned);
    const size_t index = there ? first_free(job) : 0;
    there = there && index < grain_count(job);
    if (there) {
        if (job->record.state == JOB_QUEUED) begin(job);
        *ret_grain = index;
        take(job, index);
    }
    pthread_mutex_unlock(&job->lock);
    return there;
}

/* ---- handing in; the lock is held on entry and on return ---- */

static void fail(struct job *job, gck_status status, const gck_error *error)
{
    if (status != GCK_OK && status != GCK_STOPPED) problem_from_error(&job->problem, "", error);
}

/* The seconds used are told as of the last visible change. */
static void see_seconds(struct job *job)
{
    job->record.seconds = (double)(clock_monotonic_ns() - job->started_ns) * 1e-9;
    job->record.version++;
}

static void progress(struct job *job, size_t done)
{
    if (job->record.done == done) return;
    job->record.done = done;
    see_seconds(job);
}

/* Whether there is more to find out once all work is done, which takes its time. */
static bool concludes(const struct job *job)
{
    return job->check != NULL && (job->spec->claim != NULL || job->spec->sensitivity);
}

/* Whether all work is over, one way or the other; true for one caller alone. */
static bool conclude(struct job *job, bool complete)
{
    const bool broken = job->problem.type != PROBLEM_NONE || atomic_load(&job->cancelled) ||
                        (!atomic_load(&job->abandoned) && is_late(job));
    if (job->ended || job->folding || !(complete || (broken && job->outstanding == 0)))
        return false;
    job->ended = true;
    job->complete = complete;
    job->concluding = complete && concludes(job);
    see_seconds(job); /* which show while the end is being stored */
    return true;
}

/* One thread at a time folds what is there, in grain order, and lets go of the lock while it does.
 */
static void fold(struct job *job)
{
    if (job->folding) return;
    job->folding = true;
    const size_t count = grain_count(job);
    size_t grain = gck_check_folded(job->check);
    while (grain < count && job->grain[grain].partial.values != NULL &&
           job->problem.type == PROBLEM_NONE) {
        gck_partial partial = job->grain[grain].partial;
        job->grain[grain].partial = (gck_partial){0};
        pthread_mutex_unlock(&job->lock);
        gck_error error;
        const gck_status status = gck_check_fold(job->check, grain, &partial, &error);
        gck_partial_done(&partial);
        grain++;
        if (job->folded != NULL && status == GCK_OK && grain < count)
            job->folded(job->folded_context, job);
        const size_t done = gck_check_done(job->check);
        pthread_mutex_lock(&job->lock);
        fail(job, status, &error);
        progress(job, done);
    }
    job->folding = false;
}

static bool all_is_folded(const struct job *job)
{
    return !job->folding && gck_check_folded(job->check) == grain_count(job);
}

bool job_hand_in(struct job *job, size_t grain, gck_status status, gck_partial *partial,
                 const gck_error *error)
{
    pthread_mutex_lock(&job->lock);
    job->outstanding--;
    fail(job, status, error);
    if (status == GCK_OK) {
        job->grain[grain].partial = *partial;
        if (is_suspect(&job->grain[grain])) job->suspects--;
        fold(job);
    }
    const bool ended = conclude(job, all_is_folded(job));
    pthread_mutex_unlock(&job->lock);
    return ended;
}

bool job_hand_back(struct job *job, gck_status status, bool finished, const gck_error *error)
{
    const size_t done = gck_train_epochs_done(job->train);
    pthread_mutex_lock(&job->lock);
    job->outstanding--;
    job->next = 0;
    fail(job, status, error);
    progress(job, done);
    const bool ended = conclude(job, status == GCK_OK && finished);
    pthread_mutex_unlock(&job->lock);
    return ended;
}

bool job_begin_round(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool begun = !job->ended && !atomic_load(&job->cancelled);
    job->outstanding += begun;
    pthread_mutex_unlock(&job->lock);
    return begun;
}

bool job_end_round(struct job *job, gck_status status, bool over, const gck_error *error)
{
    const size_t done = gck_session_evaluations(job->probe->session);
    pthread_mutex_lock(&job->lock);
    job->outstanding--;
    fail(job, status, error);
    progress(job, done);
    set_deadline(job);
    const bool ended = conclude(job, status == GCK_OK && over);
    pthread_mutex_unlock(&job->lock);
    return ended;
}

bool job_expire(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool ended = is_late(job) && conclude(job, false);
    pthread_mutex_unlock(&job->lock);
    return ended;
}

bool job_is_over(const struct job *job)
{
    return job->ended && !job->concluding;
}

bool job_cancel(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    if (!job_is_over(job) && !job->record.cancel_requested) {
        atomic_store(&job->cancelled, true);
        job->record.cancel_requested = true;
        job->record.version++;
    }
    const bool started = job->started_ns > 0;
    const bool ended = conclude(job, false);
    if (ended && !started) job->record.seconds = 0;
    pthread_mutex_unlock(&job->lock);
    return ended;
}

bool job_is_complete(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool complete = job->complete && job->problem.type == PROBLEM_NONE;
    pthread_mutex_unlock(&job->lock);
    return complete;
}

bool job_break_off(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    job->complete = false;
    const bool left = atomic_load(&job->abandoned) && !atomic_load(&job->cancelled);
    pthread_mutex_unlock(&job->lock);
    return !left || is_late(job);
}

enum job_state job_outcome(struct job *job, struct problem *ret_problem)
{
    pthread_mutex_lock(&job->lock);
    if (job->concluding) see_seconds(job);
    job->concluding = false;
    enum job_state state = JOB_SUCCEEDED;
    *ret_problem = job->problem;
    if (job->problem.type != PROBLEM_NONE) {
        state = JOB_FAILED;
    } else if (!job->complete && atomic_load(&job->cancelled)) {
        state = JOB_CANCELLED;
    } else if (!job->complete) {
        problem_set(ret_problem, PROBLEM_TIME_LIMIT,
                    job->probe != NULL ? "no values came for %.3g seconds"
                                       : "stopped after %.3g seconds",
                    job->spec->time_limit_seconds);
        state = JOB_FAILED;
    }
    pthread_mutex_unlock(&job->lock);
    return state;
}

bool job_snapshot(struct job *job, struct job_record *ret_record)
{
    pthread_mutex_lock(&job->lock);
    const bool copied = job_record_copy(&job->record, ret_record);
    pthread_mutex_unlock(&job->lock);
    return copied;
}

void job_last_snapshot(struct job *job, struct job_record *ret_record)
{
    pthread_mutex_lock(&job->lock);
    *ret_record = job->record;
    ret_record->labels = job->end_labels;
    job->end_labels = (struct labels){0};
    blob_ref(ret_record->request);
    pthread_mutex_unlock(&job->lock);
}
