#include "client/crew.h"
#include "server/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* The BLAS library works on the stack, too. */
enum { STACK_BYTES = 8 << 20 };

struct crew {
    struct crew_work work;
    size_t grain_count;

    pthread_mutex_t lock; /* for all below; not held during numeric work */
    pthread_cond_t over;  /* no thread is at work any more */
    size_t next;          /* grain */
    gck_partial *partial; /* handed in, not folded yet; one a grain */
    bool folding;
    size_t done, at_work;
    gck_status status; /* the first fault */
    gck_error error;

    size_t count;
    pthread_t thread[];
};

/* ---- checks; the lock is held ---- */

static void fail(struct crew *crew, gck_status status, const gck_error *error)
{
    if (status == GCK_OK || crew->status != GCK_OK) return;
    crew->status = status;
    crew->error = *error;
}

/* One thread at a time folds what is there, in grain order, and lets go of the lock while it does.
 */
static void fold(struct crew *crew)
{
    if (crew->folding) return;
    crew->folding = true;
    size_t grain = gck_check_folded(crew->work.check);
    while (grain < crew->grain_count && crew->partial[grain].values != NULL &&
           crew->status == GCK_OK) {
        pthread_mutex_unlock(&crew->lock);
        gck_error error;
        const gck_status status =
            gck_check_fold(crew->work.check, grain, &crew->partial[grain], &error);
        gck_partial_done(&crew->partial[grain]);
        const size_t done = gck_check_done(crew->work.check);
        pthread_mutex_lock(&crew->lock);
        fail(crew, status, &error);
        crew->done = done;
        grain++;
    }
    crew->folding = false;
}

static bool take(struct crew *crew, size_t *ret_grain)
{
    pthread_mutex_lock(&crew->lock);
    const bool there = crew->status == GCK_OK && crew->next < crew->grain_count;
    if (there) *ret_grain = crew->next++;
    pthread_mutex_unlock(&crew->lock);
    return there;
}

static void hand_in(struct crew *crew, size_t grain, gck_status status, gck_partial partial,
                    const gck_error *error)
{
    pthread_mutex_lock(&crew->lock);
    fail(crew, status, error);
    if (status == GCK_OK) {
        crew->partial[grain] = partial;
        fold(crew);
    }
    pthread_mutex_unlock(&crew->lock);
}

static void work_on_check(struct crew *crew)
{
    gck_check_room *room = NULL;
    size_t grain;
    while (take(crew, &grain)) {
        gck_partial partial = {0};
        gck_error error;
        gck_status status =
            room != NULL ? GCK_OK : gck_check_room_new(crew->work.check, &room, &error);
        if (status == GCK_OK)
            status =
                gck_check_grain(crew->work.check, grain, room, crew->work.stop, &partial, &error);
        hand_in(crew, grain, status, partial, &error);
    }
    gck_check_room_free(room);
}

/* ---- trainings ---- */

static void work_on_training(struct crew *crew)
{
    const gck_stop stop = crew->work.stop;
    gck_status status = GCK_OK;
    bool finished = false;
    while (status == GCK_OK && !finished) {
        gck_error error = {.code = GCK_STOPPED};
        status = stop.asked(stop.context) ? GCK_STOPPED
                                          : gck_train_step(crew->work.train, 1, &finished, &error);
        pthread_mutex_lock(&crew->lock);
        fail(crew, status, &error);
        crew->done = gck_train_epochs_done(crew->work.train);
        pthread_mutex_unlock(&crew->lock);
    }
}

/* ---- threads ---- */

static void *run(void *argument)
{
    struct crew *crew = argument;
    if (crew->work.check != NULL)
        work_on_check(crew);
    else
        work_on_training(crew);
    pthread_mutex_lock(&crew->lock);
    if (--crew->at_work == 0) pthread_cond_signal(&crew->over);
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* A thread counts as at work before it is: it may end before the next one is begun. */
static bool add_thread(struct crew *crew, const pthread_attr_t *attributes)
{
    pthread_mutex_lock(&crew->lock);
    crew->at_work++;
    const bool made = pthread_create(&crew->thread[crew->count], attributes, run, crew) == 0;
    if (made)
        crew->count++;
    else
        crew->at_work--;
    pthread_mutex_unlock(&crew->lock);
    return made;
}

static void start_threads(struct crew *crew, size_t threads)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (crew->count < threads && add_thread(crew, &attributes))
        continue;
    pthread_attr_destroy(&attributes);
}

struct crew *crew_start(const struct crew_work *work, size_t threads)
{
    const size_t grains = work->check == NULL ? 1 : gck_check_cut_of(work->check)->grain_count;
    if (threads > grains) threads = grains;
    struct crew *crew = calloc(1, sizeof *crew + threads * sizeof crew->thread[0]);
    if (crew == NULL) return NULL;
    crew->work = *work;
    crew->grain_count = grains;
    pthread_mutex_init(&crew->lock, NULL);
    clock_condition_init(&crew->over);
    crew->partial = calloc(grains, sizeof *crew->partial);
    if (crew->partial != NULL) start_threads(crew, threads);
    if (crew->count > 0) return crew;
    gck_error error;
    crew_end(crew, &error);
    return NULL;
}

bool crew_await(struct crew *crew, int ms, size_t *ret_done)
{
    const struct timespec until = clock_timespec(clock_monotonic_ns() + ms * INT64_C(1000000));
    int waited = 0;
    pthread_mutex_lock(&crew->lock);
    while (crew->at_work > 0 && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&crew->over, &crew->lock, &until);
    const bool over = crew->at_work == 0;
    *ret_done = crew->done;
    pthread_mutex_unlock(&crew->lock);
    return over;
}

gck_status crew_end(struct crew *crew, gck_error *error)
{
    for (size_t i = 0; i < crew->count; i++)
        pthread_join(crew->thread[i], NULL);
    const gck_status status = crew->status;
    *error = crew->error;
    for (size_t i = 0; crew->partial != NULL && i < crew->grain_count; i++)
        gck_partial_done(&crew->partial[i]);
    free(crew->partial);
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->over);
    free(crew);
    return status;
}
