/* What lines of the same place and direction come to, and what those of a tensor show. */
#include "core/session.h"

#include <math.h>

/* Twins whose errors are so many times that of the best have no say about it. */
#define COMPARABLE 4
/* A claim is nothing if it is within the tolerance of 0, as far as what others move f by goes, and
 * within this, where the tolerance is a large one. */
#define NOTHING 0.01

static bool is_known(const session_line *line)
{
    return line->done && !line->skipped && isfinite(line->error);
}

/* ---- places ---- */

static size_t judged_from(const gck_session *session, size_t index)
{
    while (index != SESSION_NONE &&
           (session->line[index].replaced || session->line[index].depth > 0))
        index = session->line[index].next;
    return index;
}

size_t session_place_first(const gck_session *session, size_t tensor)
{
    return judged_from(session, session->part[tensor].head);
}

size_t session_place_next(const gck_session *session, size_t index)
{
    return judged_from(session, session->line[index].next);
}

/* Of the twins at a place how many have an answer, and find the claim wrong. */
typedef struct votes {
    size_t known, wrong;
} votes;

static votes votes_of(const gck_session *session, size_t index)
{
    votes v = {0};
    for (; index != SESSION_NONE; index = session->line[index].twin) {
        v.known += is_known(&session->line[index]);
        v.wrong += session_line_wrong(session, &session->line[index]);
    }
    return v;
}

static bool has_say(const gck_session *session, const session_line *line, bool overruled)
{
    return is_known(line) && !(overruled && session_line_wrong(session, line));
}

static const session_line *best_of(const gck_session *session, size_t index, bool overruled)
{
    const session_line *best = NULL;
    for (; index != SESSION_NONE; index = session->line[index].twin) {
        const session_line *line = &session->line[index];
        if (has_say(session, line, overruled) && (best == NULL || line->error < best->error))
            best = line;
    }
    return best;
}

/* A line that alone finds the claim wrong, against two others, is left out: its estimate is false,
 * or what it saw is less than the others can see, which then say so. */
session_place session_place_of(const gck_session *session, size_t index)
{
    const votes v = votes_of(session, index);
    const bool overruled = v.wrong == 1 && v.known > 2;
    const session_line *best = best_of(session, index, overruled);
    if (best == NULL) return (session_place){.best = NULL};
    const double sure = session_line_error(session, best), away = session_line_away(best);
    session_place place = {.best = best, .error = sure};
    for (; index != SESSION_NONE; index = session->line[index].twin) {
        const session_line *line = &session->line[index];
        if (has_say(session, line, overruled) &&
            session_line_error(session, line) <= COMPARABLE * sure)
            place.error = fmax(place.error, fabs(session_line_away(line) - away));
    }
    const double limit = session->spec.tolerance * (fabs(best->numeric) + fabs(best->claimed));
    place.wrong = !(fabs(away) <= limit + place.error + best->bar);
    place.confirmed = place.wrong && v.wrong > 1;
    return place;
}

gck_direction session_place_direction(const session_place *place)
{
    const session_line *best = place->best;
    /* Between the two slopes at a kink every claim is right. */
    return (gck_direction){best->claimed - session_line_away(best), best->claimed,
                           place->error + best->bar};
}

/* ---- what they show ---- */

size_t session_directions(const gck_session *session, size_t tensor, gck_direction *to)
{
    size_t count = 0;
    for (size_t i = session_place_first(session, tensor);
         i != SESSION_NONE && count < GCK_DIRECTIONS_MAX; i = session_place_next(session, i)) {
        const session_place place = session_place_of(session, i);
        if (place.best == NULL) continue;
        to[count] = session_place_direction(&place);
        /* From one slope to the other no error is seen. */
        to[count++].bar += fabs(place.best->gap);
    }
    return count;
}

double session_resolution(const gck_session *session)
{
    /* An error that each line is granted cannot be asked for. */
    const double rounding = SESSION_BAR * gck_dtype_roundoff(session->spec.dtype);
    return fmax(GCK_SESSION_RESOLUTION, 2 * session->spec.tolerance + rounding);
}

double session_reach(const gck_session *session)
{
    double most = 0;
    for (size_t i = 0; i < session->line_count; i++) {
        const session_line *line = &session->line[i];
        if (is_known(line) && line->depth == 0)
            most = fmax(most, line->length / line->stretch * line->moved);
    }
    return most;
}

double session_size(const gck_session *session, size_t tensor)
{
    return fmax(session->part[tensor].scale, 1);
}

bool session_is_nothing(const gck_session *session, size_t tensor)
{
    const size_t count = session_count(session, tensor);
    const double norm = session->part[tensor].claimed * sqrt((double)count);
    const double limit = fmin(session->spec.tolerance, NOTHING) * session_reach(session);
    return norm * session_size(session, tensor) <= limit;
}
