/* Which lines a tensor is judged by, and what follows from them. */
#include "core/session.h"

#include <math.h>
#include <stdlib.h>

/* Lines of one place that showed too little, and that are to confirm an error, at most. */
enum { RETRIES = 2, CONFIRMATIONS = 2 };

enum { MORE = 6 /* directions at once */ };

size_t session_count(const gck_session *session, size_t tensor)
{
    size_t count = 0;
    gck_shape_count(&session->spec.tensor[tensor].shape, &count);
    return count;
}

bool session_is_whole(const gck_session *session, size_t tensor)
{
    return session_count(session, tensor) <= SESSION_WHOLE;
}

/* ---- lines ---- */

gck_status session_line_add(gck_session *session, session_line line, gck_error *error)
{
    if (session->line_count == session->line_capacity) {
        const size_t capacity = 2 * session->line_capacity + 32;
        void *grown = realloc(session->line, capacity * sizeof *session->line);
        if (grown == NULL) return gck_error_memory(error);
        session->line = grown;
        session->line_capacity = capacity;
    }
    const size_t index = session->line_count++;
    session_part *part = &session->part[line.tensor];
    line.next = SESSION_NONE;
    if (line.stretch == 0) line.stretch = 1;
    session->line[index] = line;
    *(part->tail == SESSION_NONE ? &part->head : &session->line[part->tail].next) = index;
    part->tail = index;
    part->waiting++;
    return GCK_OK;
}

size_t session_direction_next(gck_session *session, size_t tensor)
{
    return session->part[tensor].directions++ % (GCK_DIRECTIONS_MAX - 1);
}

static gck_status directions_add(gck_session *session, size_t tensor, size_t count,
                                 gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < count; i++)
        status =
            session_line_add(session,
                             (session_line){.tensor = tensor,
                                            .count = session_count(session, tensor),
                                            .direction = session_direction_next(session, tensor),
                                            .twin = SESSION_NONE},
                             error);
    return status;
}

static gck_status elements_add(gck_session *session, size_t tensor, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t e = 0; status == GCK_OK && e < session_count(session, tensor); e++)
        status = session_line_add(
            session, (session_line){.tensor = tensor, .first = e, .count = 1, .twin = SESSION_NONE},
            error);
    return status;
}

static bool claim_is_finite(const double *claimed, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(claimed[i])) return false;
    return true;
}

static gck_status tensor_begin(gck_session *session, size_t tensor, gck_error *error)
{
    const gck_session_tensor *of = &session->spec.tensor[tensor];
    session_part *part = &session->part[tensor];
    const size_t count = session_count(session, tensor);
    part->head = part->tail = SESSION_NONE;
    part->scale = session_scale(of);
    part->stage = STAGE_DONE;
    if (of->claimed == NULL) return GCK_OK;
    part->finite = claim_is_finite(of->claimed, count);
    if (!part->finite) return GCK_OK;
    part->stage = STAGE_LINES;
    part->claimed = gck_vector_norm(of->claimed, count) / sqrt((double)count);
    part->bar = SESSION_BAR * gck_dtype_roundoff(session->spec.dtype) * part->claimed;
    if (session_is_whole(session, tensor)) return elements_add(session, tensor, error);
    return directions_add(session, tensor, SESSION_DIRECTIONS, error);
}

gck_status session_plan_begin(gck_session *session, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < session->spec.tensor_count; i++)
        status = tensor_begin(session, i, error);
    return status;
}

/* ---- what follows ---- */

static bool is_noisy(const session_line *line)
{
    return line != NULL && line->noise > line->error / 4;
}

/* An error of so large a part of the slope, or of what slopes of the tensor are like, is no answer.
 * Less than that would do with many directions, but longer steps are cheaper, where noise is all.
 */
static bool is_vague(const gck_session *session, const session_line *line,
                     const session_place *place)
{
    if (place->best == NULL) return !line->skipped;
    const double like = session->part[line->tensor].claimed * sqrt((double)line->count);
    const double size = fabs(place->best->numeric) + fabs(place->best->claimed) + like;
    const double part = is_noisy(place->best) ? 0.25 : 1;
    return !(place->error <= part * session_resolution(session) * size);
}

/* The place of a line once more, along the same direction. */
static session_line twin_of(const gck_session *session, size_t index)
{
    const session_line *line = &session->line[index];
    return (session_line){.tensor = line->tensor,
                          .first = line->first,
                          .count = line->count,
                          .direction = line->direction,
                          .stretch = line->stretch,
                          .twin = index,
                          .retries = line->retries,
                          .again = line->again};
}

static gck_status twin_add(gck_session *session, session_line twin, gck_error *error)
{
    session->line[twin.twin].replaced = true;
    return session_line_add(session, twin, error);
}

/* What one place of a tensor asks for. */
typedef gck_status place_step(gck_session *session, size_t index, gck_error *error);

/* The usual stretch of a place, before anything was tried again. */
static double usual_stretch(const gck_session *session, size_t index)
{
    while (session->line[index].twin != SESSION_NONE)
        index = session->line[index].twin;
    return session->line[index].stretch;
}

/* Where f has many kinks the nearest may be too near for all steps of a line, and of others like
 * it, which are then wrong alike: far shorter ones show it, unless noise hides all there. */
static double confirming_stretch(const gck_session *session, size_t index, const session_line *best)
{
    const double shorter = ldexp(usual_stretch(session, index), session->steps->shorter);
    const double noise = best->noise * best->stretch / shorter;
    const bool rough = session->part[best->tensor].rough;
    return rough && noise <= fabs(session_line_away(best)) ? shorter : best->stretch;
}

/* What is wrong is measured again, with steps between those before. */
static gck_status confirm(gck_session *session, size_t index, gck_error *error)
{
    const session_place place = session_place_of(session, index);
    session_line twin = twin_of(session, index);
    if (!place.wrong || place.confirmed || twin.again == CONFIRMATIONS) return GCK_OK;
    twin.stretch =
        confirming_stretch(session, index, place.best) * (twin.again == 0 ? 0.75 : 1.375);
    twin.again++;
    return twin_add(session, twin, error);
}

/* From a tensor that is very small to steps that it would take at 1: it may only have begun near 0.
 */
static double to_unit(const gck_session *session, const session_line *line)
{
    const double scale = session->part[line->tensor].scale;
    return line->still && line->stretch == 1 && scale < 1 ? 1 / scale : 1;
}

/* Where the last try made it worse the next goes the other way from the best. */
static double stretch_of(const gck_session *session, const session_line *last,
                         const session_line *best)
{
    const session_steps *steps = session->steps;
    const session_line *from = best != NULL ? best : last;
    const double longer = fmax(ldexp(1, steps->longer), to_unit(session, from));
    const bool further = from != last ? last->stretch < from->stretch : is_noisy(best);
    return from->stretch * (further ? longer : ldexp(1, steps->shorter));
}

/* The same steps again would be the same line again. */
static bool was_tried(const gck_session *session, size_t index, double stretch)
{
    for (; index != SESSION_NONE; index = session->line[index].twin)
        if (session->line[index].stretch == stretch) return true;
    return false;
}

/* What shows too little is, with longer steps where noise is the matter, with shorter ones where f
 * bends. */
static gck_status retry(gck_session *session, size_t index, gck_error *error)
{
    const session_place place = session_place_of(session, index);
    session_line twin = twin_of(session, index);
    if (twin.retries == RETRIES || !is_vague(session, &session->line[index], &place)) return GCK_OK;
    if (session_is_nothing(session, twin.tensor) && place.best != NULL) return GCK_OK;
    twin.stretch = stretch_of(session, &session->line[index], place.best);
    if (was_tried(session, index, twin.stretch)) return GCK_OK;
    twin.retries++;
    return twin_add(session, twin, error);
}

static gck_status each_place(gck_session *session, size_t tensor, place_step *step,
                             gck_error *error)
{
    gck_status status = GCK_OK;
    const size_t last = session->part[tensor].tail;
    for (size_t i = session_place_first(session, tensor); i != SESSION_NONE && status == GCK_OK;
         i = session_place_next(session, i)) {
        status = step(session, i, error);
        if (i >= last) break;
    }
    return status;
}

typedef struct counts {
    size_t places, wrong, confirmed;
} counts;

static counts count_of(const gck_session *session, size_t tensor)
{
    counts c = {0};
    for (size_t i = session_place_first(session, tensor); i != SESSION_NONE;
         i = session_place_next(session, i)) {
        const session_place place = session_place_of(session, i);
        c.places++;
        c.wrong += place.wrong;
        c.confirmed += place.confirmed;
    }
    return c;
}

/* As many directions again, or MORE of them, where nothing is wrong but an error that matters could
 * have been missed. */
static gck_status more_add(gck_session *session, size_t tensor, gck_error *error)
{
    gck_direction direction[GCK_DIRECTIONS_MAX];
    const counts c = count_of(session, tensor);
    if (session_is_whole(session, tensor) || c.wrong > 0) return GCK_OK;
    if (c.places >= SESSION_DIRECTIONS_MOST || session_is_nothing(session, tensor)) return GCK_OK;
    const size_t count = session_directions(session, tensor, direction);
    if (count > 0 && gck_directions_judge(direction, count, session->spec.tolerance).detection <=
                         session_resolution(session))
        return GCK_OK;
    return directions_add(session, tensor, c.places < MORE ? c.places : MORE, error);
}

/* Whether to look for the elements that are wrong: where all are, by one factor, that says more. */
static bool is_to_be_sought(gck_session *session, size_t tensor)
{
    return !session_is_whole(session, tensor) && count_of(session, tensor).confirmed > 0 &&
           !session_is_alike(session, tensor);
}

static gck_status next_add(gck_session *session, size_t tensor, gck_error *error)
{
    session_part *part = &session->part[tensor];
    gck_status status = GCK_OK;
    if (session->exhausted) return GCK_OK;
    if (part->stage == STAGE_SEEK) return session_seek(session, tensor, error);
    status = each_place(session, tensor, confirm, error);
    if (status == GCK_OK && part->waiting == 0) status = each_place(session, tensor, retry, error);
    if (status == GCK_OK && part->waiting == 0) status = more_add(session, tensor, error);
    if (status != GCK_OK || part->waiting > 0 || !is_to_be_sought(session, tensor)) return status;
    part->stage = STAGE_SEEK;
    return session_seek(session, tensor, error);
}

gck_status session_plan_go(gck_session *session, size_t tensor, gck_error *error)
{
    session_part *part = &session->part[tensor];
    if (part->waiting > 0 || part->stage == STAGE_DONE) return GCK_OK;
    const gck_status status = next_add(session, tensor, error);
    if (status == GCK_OK && part->waiting == 0) part->stage = STAGE_DONE;
    return status;
}
