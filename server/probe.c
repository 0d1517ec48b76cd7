#include "server/probe.h"

#include <stdlib.h>
#include <string.h>

void probe_free(struct probe *probe)
{
    if (probe == NULL) return;
    for (size_t i = 0; probe->name != NULL && i < probe->core.tensor_count; i++)
        free(probe->name[i]);
    free(probe->name);
    free(probe->tensor);
    gck_vector_free(probe->slab);
    free(probe);
}

/* The numbers themselves, the session's room, and values and lines: a line has eight values. */
double probe_bytes(const struct probe *probe)
{
    double numbers = 0, largest = 0;
    for (size_t i = 0; i < probe->core.tensor_count; i++) {
        size_t count = 0;
        gck_shape_count(&probe->tensor[i].shape, &count);
        numbers += 2 * (double)count;
        if ((double)count > largest) largest = (double)count;
    }
    const double budget =
        (double)(probe->core.budget > 0 ? probe->core.budget : GCK_SESSION_BUDGET);
    return 8 * (numbers + 4 * largest) + 160 * budget;
}

/* ---- work ---- */

gck_status probe_work_new(const struct probe *probe, struct probe_work **ret_work, gck_error *error)
{
    struct probe_work *work = calloc(1, sizeof *work);
    if (work == NULL) return gck_error_memory(error);
    work->probe = probe;
    pthread_mutex_init(&work->lock, NULL);
    const gck_status status = gck_session_new(&probe->core, &work->session, error);
    if (status == GCK_OK)
        *ret_work = work;
    else
        probe_work_free(work);
    return status;
}

void probe_work_free(struct probe_work *work)
{
    if (work == NULL) return;
    for (size_t i = 0; i < work->count; i++)
        free(work->round[i].value);
    free(work->round);
    gck_session_free(work->session);
    pthread_mutex_destroy(&work->lock);
    free(work);
}

static bool remember(struct probe_work *work, const double *value, size_t count)
{
    if (work->count == work->capacity) {
        const size_t capacity = 2 * work->capacity + 16;
        void *grown = realloc(work->round, capacity * sizeof *work->round);
        if (grown == NULL) return false;
        work->round = grown;
        work->capacity = capacity;
    }
    struct probe_round *round = &work->round[work->count];
    round->count = count;
    round->value = malloc(count * sizeof *round->value);
    if (round->value == NULL) return false;
    memcpy(round->value, value, count * sizeof *round->value);
    work->count++;
    return true;
}

gck_status probe_work_take(struct probe_work *work, const double *value, size_t count,
                           gck_error *error)
{
    if (count == gck_session_asked(work->session) && !remember(work, value, count))
        return gck_error_memory(error);
    return gck_session_take(work->session, value, count, error);
}

/* By their bits, so that a NaN is itself. */
bool probe_work_had(const struct probe_work *work, size_t number, const double *value, size_t count)
{
    if (number == 0 || number > work->count) return false;
    const struct probe_round *round = &work->round[number - 1];
    return round->count == count && memcmp(round->value, value, count * sizeof *value) == 0;
}

static gck_status replay(gck_session *session, const struct probe_round *round, size_t rounds,
                         gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < rounds; i++)
        status = gck_session_take(session, round[i].value, round[i].count, error);
    return status;
}

gck_status probe_work_replay(const struct probe_work *work, size_t rounds,
                             gck_session **ret_session, gck_error *error)
{
    gck_session *session;
    gck_status status = gck_session_new(&work->probe->core, &session, error);
    if (status != GCK_OK) return status;
    status = replay(session, work->round, rounds, error);
    if (status == GCK_OK)
        *ret_session = session;
    else
        gck_session_free(session);
    return status;
}

/* ---- history ---- */

double *probe_work_history(const struct probe_work *work, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < work->count; i++)
        count += 1 + work->round[i].count;
    double *history = malloc((count + 1) * sizeof *history), *next = history;
    *ret_count = count;
    for (size_t i = 0; history != NULL && i < work->count; i++) {
        *next++ = (double)work->round[i].count;
        memcpy(next, work->round[i].value, work->round[i].count * sizeof *next);
        next += work->round[i].count;
    }
    return history;
}

gck_status probe_work_again(const struct probe *probe, const double *history, size_t count,
                            struct probe_work **ret_work, gck_error *error)
{
    struct probe_work *work;
    gck_status status = probe_work_new(probe, &work, error);
    if (status != GCK_OK) return status;
    for (size_t at = 0; status == GCK_OK && at < count;) {
        const size_t values = gck_session_asked(work->session);
        if (values == 0 || history[at] != (double)values || values > count - at - 1)
            status = gck_error_set(error, GCK_CORRUPT, "", "these are no values of this probe");
        else
            status = probe_work_take(work, history + at + 1, values, error);
        at += 1 + values;
    }
    if (status == GCK_OK)
        *ret_work = work;
    else
        probe_work_free(work);
    return status;
}
