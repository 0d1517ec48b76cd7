/* A session whose function can be called. */
#include "core/session.h"

#include <stdlib.h>
#include <string.h>

/* A copy of theta for f, of which points move some. */
typedef struct copy {
    double *slab;
    const double **theta; /* (tensors) into the slab */
    double **own;
} copy;

static void copy_done(copy *c)
{
    gck_vector_free(c->slab);
    free(c->theta);
    free(c->own);
}

static void copy_fill(const gck_session *session, copy *c)
{
    double *next = c->slab;
    for (size_t i = 0; i < session->spec.tensor_count; i++) {
        const size_t count = session_count(session, i);
        memcpy(next, session->spec.tensor[i].theta, count * sizeof *next);
        c->theta[i] = c->own[i] = next;
        next += count;
    }
}

static gck_status copy_new(const gck_session *session, copy *ret, gck_error *error)
{
    const size_t tensors = session->spec.tensor_count;
    size_t total = 0;
    for (size_t i = 0; i < tensors; i++)
        total += session_count(session, i);
    *ret = (copy){gck_vector_room(total), calloc(tensors, sizeof *ret->theta),
                  calloc(tensors, sizeof *ret->own)};
    if (ret->slab != NULL && ret->theta != NULL && ret->own != NULL) {
        copy_fill(session, ret);
        return GCK_OK;
    }
    copy_done(ret);
    return gck_error_memory(error);
}

static double value_at(gck_session *session, size_t point, const copy *c, gck_function *f,
                       void *context)
{
    const size_t moves = gck_session_moves(session, point);
    for (size_t i = 0; i < moves; i++) {
        const gck_move move = gck_session_move(session, point, i, NULL);
        gck_session_move(session, point, i, c->own[move.tensor] + move.first);
    }
    const double value = f(context, c->theta);
    for (size_t i = 0; i < moves; i++) {
        const gck_move move = gck_session_move(session, point, i, NULL);
        memcpy(c->own[move.tensor] + move.first,
               session->spec.tensor[move.tensor].theta + move.first, move.count * sizeof(double));
    }
    return value;
}

static gck_status rounds(gck_session *session, const copy *c, gck_function *f, void *context,
                         gck_error *error)
{
    double value[GCK_SESSION_ROUND];
    gck_status status = GCK_OK;
    while (status == GCK_OK && session->asked > 0) {
        for (size_t i = 0; i < session->asked; i++)
            value[i] = value_at(session, i, c, f, context);
        status = gck_session_take(session, value, session->asked, error);
    }
    return status;
}

gck_status gck_probe_check(const gck_session_spec *spec, gck_function *f, void *context,
                           gck_session_result **ret_result, gck_error *error)
{
    gck_session *session;
    copy c;
    gck_status status = gck_session_new(spec, &session, error);
    if (status != GCK_OK) return status;
    status = copy_new(session, &c, error);
    if (status == GCK_OK) {
        status = rounds(session, &c, f, context, error);
        copy_done(&c);
    }
    if (status == GCK_OK) status = gck_session_result_new(session, ret_result, error);
    gck_session_free(session);
    return status;
}
