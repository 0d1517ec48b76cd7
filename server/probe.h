/* A probe: a function that its owner evaluates, as asked for, and the session that checks it.
 *
 * The spec is constant. The work has a lock of its own, held while the session plans and judges,
 * but for the time that the store takes to keep a round: one round at a time. Any thread that may
 * block.
 */
#ifndef GRADCHECKD_PROBE_H
#define GRADCHECKD_PROBE_H

#include <gradcheck/session.h>

#include <pthread.h>

/* As asked for, and the memory that it points into. */
struct probe {
    gck_session_spec core;
    gck_session_tensor *tensor;
    char **name;
    double *slab; /* theta and what is claimed, of all tensors */
};

void probe_free(struct probe *probe);
/* An estimate of what its session takes. */
double probe_bytes(const struct probe *probe);

/* A round's values, as they were taken. */
struct probe_round {
    size_t count;
    double *value;
};

struct probe_work {
    const struct probe *probe;
    pthread_mutex_t lock; /* for all below */
    gck_session *session;
    size_t count, capacity; /* rounds taken */
    struct probe_round *round;
};

gck_status probe_work_new(const struct probe *probe, struct probe_work **ret_work,
                          gck_error *error);
void probe_work_free(struct probe_work *work);

/* The values of the round that is asked for; the lock is held. GCK_NON_FINITE as
 * gck_session_take. */
gck_status probe_work_take(struct probe_work *work, const double *value, size_t count,
                           gck_error *error);
/* Whether these are the values that round `number` (from 1) was given; the lock is held. */
bool probe_work_had(const struct probe_work *work, size_t number, const double *value,
                    size_t count);
/* A session as it was after so many rounds, to be freed; the lock is held. */
gck_status probe_work_replay(const struct probe_work *work, size_t rounds,
                             gck_session **ret_session, gck_error *error);

/* All rounds in one piece of memory: for each its count, and its values. NULL when memory is out.
 */
double *probe_work_history(const struct probe_work *work, size_t *ret_count);
/* The work that such a history is of. */
gck_status probe_work_again(const struct probe *probe, const double *history, size_t count,
                            struct probe_work **ret_work, gck_error *error);

#endif
