#include "core/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double gck_session_tolerance(gck_dtype dtype)
{
    static const double tolerance[] = {
        [GCK_FLOAT64] = 1e-6, [GCK_FLOAT32] = 1e-3, [GCK_FLOAT16] = 3e-2, [GCK_BFLOAT16] = 1e-1};
    return tolerance[dtype];
}

/* ---- life ---- */

static gck_status theta_check(const gck_session_tensor *tensor, gck_dtype dtype, gck_error *error)
{
    size_t count;
    if (!gck_shape_count(&tensor->shape, &count))
        return gck_error_set(error, GCK_INVALID, "shape", "has no elements, or too many");
    for (size_t i = 0; i < count; i++)
        if (!gck_session_has(dtype, tensor->theta[i]))
            return gck_error_set(error, GCK_INVALID, "theta",
                                 "element %zu, %.17g, is no number of %s: send the numbers that "
                                 "the function computes with",
                                 i, tensor->theta[i], gck_dtype_name(dtype));
    return GCK_OK;
}

static gck_status tensors_check(const gck_session_spec *spec, gck_error *error)
{
    bool claimed = false;
    for (size_t i = 0; i < spec->tensor_count; i++) {
        const gck_session_tensor *tensor = &spec->tensor[i];
        const gck_status status = theta_check(tensor, spec->dtype, error);
        if (status != GCK_OK) {
            gck_error_below(error, "tensor[%zu]", i);
            return status;
        }
        claimed |= tensor->claimed != NULL;
        for (size_t j = 0; j < i; j++)
            if (strcmp(spec->tensor[j].name, tensor->name) == 0)
                return gck_error_set(error, GCK_INVALID, "tensor", "two have the name %s",
                                     tensor->name);
    }
    if (claimed) return GCK_OK;
    return gck_error_set(error, GCK_INVALID, "tensor", "no gradient is claimed");
}

static gck_status spec_check(const gck_session_spec *spec, gck_error *error)
{
    const double tolerance = spec->tolerance;
    if (spec->tensor_count > GCK_SESSION_TENSORS_MAX)
        return gck_error_set(error, GCK_INVALID, "tensor", "there are more than %d",
                             GCK_SESSION_TENSORS_MAX);
    if (!isnan(tolerance) && !(tolerance > 0 && tolerance < 1))
        return gck_error_set(error, GCK_INVALID, "tolerance", "must be between 0 and 1");
    if (spec->budget != 0 &&
        (spec->budget < SESSION_NOISE || spec->budget > GCK_SESSION_BUDGET_MAX))
        return gck_error_set(error, GCK_INVALID, "budget", "must be from %d to %d", SESSION_NOISE,
                             GCK_SESSION_BUDGET_MAX);
    return tensors_check(spec, error);
}

static size_t largest(const gck_session_spec *spec)
{
    size_t most = 1, count = 1;
    for (size_t i = 0; i < spec->tensor_count; i++)
        if (gck_shape_count(&spec->tensor[i].shape, &count) && count > most) most = count;
    return most;
}

/* As many tensors as a round has room for, at least one. */
static size_t ladder_tensors(const gck_session *session)
{
    size_t tensors = 0, numbers = 0;
    while (tensors < session->spec.tensor_count) {
        numbers += SESSION_LADDER * session_count(session, tensors);
        if (tensors > 0 && numbers > GCK_SESSION_NUMBERS) break;
        tensors++;
    }
    return tensors;
}

gck_status gck_session_new(const gck_session_spec *spec, gck_session **ret, gck_error *error)
{
    gck_status status = spec_check(spec, error);
    if (status != GCK_OK) return status;
    gck_session *session =
        calloc(1, sizeof *session + spec->tensor_count * sizeof session->part[0]);
    if (session == NULL) return gck_error_memory(error);
    const size_t most = largest(spec);
    session->spec = *spec;
    if (isnan(spec->tolerance)) session->spec.tolerance = gck_session_tolerance(spec->dtype);
    if (spec->budget == 0) session->spec.budget = GCK_SESSION_BUDGET;
    session->steps = session_steps_of(spec->dtype);
    session->round = 1;
    session->ladder_tensors = ladder_tensors(session);
    session->slab = gck_vector_room(2 * most);
    session->v = session->slab;
    session->room = session->slab + most;
    status = session->slab == NULL ? gck_error_memory(error) : session_plan_begin(session, error);
    if (status != GCK_OK) {
        gck_session_free(session);
        return status;
    }
    session_noise_ask(session);
    *ret = session;
    return GCK_OK;
}

void gck_session_free(gck_session *session)
{
    if (session == NULL) return;
    gck_vector_free(session->slab);
    free(session->line);
    free(session);
}

/* ---- what is asked ---- */

size_t gck_session_asked(const gck_session *session)
{
    return session->asked;
}

size_t gck_session_round(const gck_session *session)
{
    return session->round;
}

size_t gck_session_evaluations(const gck_session *session)
{
    return session->evaluations;
}

size_t gck_session_moves(const gck_session *session, size_t point)
{
    if (session->measured) return 1;
    return session->point[point].step == 0 ? 0 : session->ladder_tensors;
}

static void values_put(const gck_session *session, gck_move move, double step, double *to)
{
    const double *theta = session->spec.tensor[move.tensor].theta + move.first;
    for (size_t i = 0; i < move.count; i++)
        to[i] = session_round(session, theta[i] + step * session->v[i]);
}

gck_move gck_session_move(gck_session *session, size_t point, size_t move, double *to)
{
    const session_point *at = &session->point[point];
    if (!session->measured) {
        const gck_move all = {move, 0, session_count(session, move)};
        if (to == NULL) return all;
        session_ladder(session, move);
        values_put(session, all, at->step, to);
        return all;
    }
    session_line *line = &session->line[at->line];
    const gck_move moved = {line->tensor, line->first, line->count};
    if (to == NULL) return moved;
    session_direction(session, line);
    values_put(session, moved, at->step, to);
    return moved;
}

/* ---- rounds ---- */

static bool has_room(const gck_session *session, const session_line *line)
{
    const size_t wanted = line->evaluations > 0 ? line->line.asked : SESSION_LINE;
    return session->evaluations + session->asked + wanted <= session->spec.budget;
}

static void skip(gck_session *session, session_line *line)
{
    session->exhausted = true;
    if (line->evaluations > 0) {
        session_line_end(line);
        return;
    }
    line->done = line->skipped = true;
    line->error = INFINITY;
}

/* Whether the points of one more line fit into the round beside those that are asked for. */
static bool fits(const gck_session *session, const session_line *line, size_t numbers)
{
    if (session->asked == 0) return true;
    const size_t more = GCK_LINE_STEPS * session_count(session, line->tensor);
    return session->asked + GCK_LINE_STEPS <= GCK_SESSION_ROUND &&
           numbers + more <= GCK_SESSION_NUMBERS;
}

/* The steps of as many lines as there is room for; those that the budget has no room for end. */
static void ask_lines(gck_session *session)
{
    size_t numbers = 0;
    session->asked = 0;
    for (size_t i = session->first_open; i < session->line_count; i++) {
        session_line *line = &session->line[i];
        if (line->done) continue;
        if (!fits(session, line, numbers)) return;
        if (!has_room(session, line))
            skip(session, line);
        else if (line->evaluations == 0)
            session_line_begin(session, line);
        for (size_t s = 0; !line->done && s < line->line.asked; s++) {
            session->point[session->asked++] = (session_point){i, line->line.step[s]};
            numbers += session_count(session, line->tensor);
        }
    }
}

/* Every line that is done lets its tensor's plan go on. */
static gck_status settle(gck_session *session, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; i < session->spec.tensor_count; i++)
        session->part[i].waiting = 0;
    for (size_t i = session->first_open; i < session->line_count; i++)
        session->part[session->line[i].tensor].waiting += !session->line[i].done;
    for (size_t i = 0; status == GCK_OK && i < session->spec.tensor_count; i++)
        status = session_plan_go(session, i, error);
    while (session->first_open < session->line_count && session->line[session->first_open].done)
        session->first_open++;
    return status;
}

/* Until there is something to ask, or nothing is open. */
static gck_status ask(gck_session *session, gck_error *error)
{
    gck_status status = GCK_OK;
    session->asked = 0;
    while (status == GCK_OK && session->asked == 0) {
        ask_lines(session);
        if (session->asked > 0) break;
        const size_t lines = session->line_count, first = session->first_open;
        status = settle(session, error);
        if (session->line_count == lines && session->first_open == first) break;
    }
    if (session->asked > 0) session->round++;
    return status;
}

static void lines_take(gck_session *session, const double *value, size_t count)
{
    for (size_t i = 0; i < count;) {
        session_line *line = &session->line[session->point[i].line];
        const size_t steps = line->line.asked;
        session_line_take(session, line, value + i);
        i += steps;
    }
}

gck_status gck_session_take(gck_session *session, const double *value, size_t count,
                            gck_error *error)
{
    if (count != session->asked || count == 0)
        return gck_error_set(error, GCK_INVALID, "values", "there are %zu, not %zu", count,
                             session->asked);
    session->evaluations += count;
    if (session->measured) {
        lines_take(session, value, count);
    } else if (!session_noise_take(session, value, count)) {
        if (isfinite(session->value)) {
            session->round++;
            return GCK_OK;
        }
        session->asked = 0;
        return gck_error_set(error, GCK_NON_FINITE, "values",
                             "the function is not finite at theta");
    }
    const gck_status status = settle(session, error);
    return status == GCK_OK ? ask(session, error) : status;
}
