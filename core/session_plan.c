/* Which lines a tensor is judged by, and what follows from them. */
#include "core/session.h"

#include <math.h>
#include <stdlib.h>

enum { RETRIES = 2 };

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

static gck_status line_add(gck_session *session, session_line line, gck_error *error)
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
    session->line[index] = line;
    *(part->tail == SESSION_NONE ? &part->head : &session->line[part->tail].next) = index;
    part->tail = index;
    part->waiting++;
    return GCK_OK;
}

/* Directions of a tensor are numbered, so that no two of its lines have the same; the last number
 * is the ladder's. */
static size_t next_direction(session_part *part)
{
    return part->directions++ % (GCK_DIRECTIONS_MAX - 1);
}

static gck_status directions_add(gck_session *session, size_t tensor, size_t count, int octaves,
                                 session_purpose purpose, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < count; i++)
        status = line_add(session,
                          (session_line){.tensor = tensor,
                                         .count = session_count(session, tensor),
                                         .direction = next_direction(&session->part[tensor]),
                                         .octaves = octaves,
                                         .purpose = purpose},
                          error);
    return status;
}

static gck_status elements_add(gck_session *session, size_t tensor, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t e = 0; status == GCK_OK && e < session_count(session, tensor); e++)
        status = line_add(session, (session_line){.tensor = tensor, .first = e, .count = 1}, error);
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
    return directions_add(session, tensor, SESSION_DIRECTIONS, 0, SESSION_JUDGE, error);
}

gck_status session_plan_begin(gck_session *session, gck_error *error)
{
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < session->spec.tensor_count; i++)
        status = tensor_begin(session, i, error);
    return status;
}

/* ---- which lines count ---- */

/* Of lines along one element, the one of least error. */
static const session_line *best_at(const gck_session *session, const session_line *line)
{
    const session_line *best = line;
    for (size_t i = session->part[line->tensor].head; i != SESSION_NONE;
         i = session->line[i].next) {
        const session_line *other = &session->line[i];
        const bool same = other->count == 1 && other->first == line->first;
        if (same && other->done && other->error < best->error) best = other;
    }
    return best;
}

bool session_line_counts(const gck_session *session, size_t index)
{
    const session_line *line = &session->line[index];
    if (!line->done || line->skipped) return false;
    if (session_is_whole(session, line->tensor)) return best_at(session, line) == line;
    return line->depth == 0;
}

/* ---- what follows ---- */

typedef bool line_test(const gck_session *session, const session_line *line);

static size_t lines_where(const gck_session *session, size_t tensor, line_test *test)
{
    size_t count = 0;
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next)
        count += session_line_counts(session, i) && test(session, &session->line[i]);
    return count;
}

/* An error of so large a part of the slope, or of what slopes of the tensor are like, is no answer.
 */
static bool is_vague(const gck_session *session, const session_line *line)
{
    const double like = session->part[line->tensor].claimed * sqrt((double)line->count);
    const double size = fabs(line->numeric) + fabs(line->claimed) + like;
    return !line->replaced && !line->still &&
           !(SESSION_SURE * line->error <= GCK_SESSION_RESOLUTION * size);
}

static bool is_noisy(const session_line *line)
{
    const gck_line_best *best = &line->line.best;
    return isfinite(best->error) && best->entry.noise > best->error / 4;
}

/* The line once more with longer steps where noise is the matter, with shorter ones where f bends.
 */
static session_line another(gck_session *session, const session_line *line)
{
    return (session_line){.tensor = line->tensor,
                          .first = line->first,
                          .count = line->count,
                          .direction = next_direction(&session->part[line->tensor]),
                          .octaves = line->octaves + (is_noisy(line) ? 4 : -6)};
}

static gck_status again_add(gck_session *session, size_t tensor, gck_error *error)
{
    gck_status status = GCK_OK;
    const size_t last = session->part[tensor].tail;
    for (size_t i = session->part[tensor].head; status == GCK_OK; i = session->line[i].next) {
        session_line *line = &session->line[i];
        if (session_line_counts(session, i) && is_vague(session, line)) {
            line->replaced = true;
            status = line_add(session, another(session, line), error);
        }
        if (i == last) break;
    }
    return status;
}

/* Elements that are wrong, or wrong directions: each once more, with other steps. */
static gck_status confirm_add(gck_session *session, size_t tensor, gck_error *error)
{
    gck_status status = GCK_OK;
    const size_t last = session->part[tensor].tail;
    if (!session_is_whole(session, tensor))
        return directions_add(session, tensor, 1, -1, SESSION_CONFIRM, error);
    for (size_t i = session->part[tensor].head; status == GCK_OK; i = session->line[i].next) {
        const session_line line = session->line[i];
        if (session_line_counts(session, i) && session_line_wrong(session, &line))
            status = line_add(session,
                              (session_line){.tensor = tensor,
                                             .first = line.first,
                                             .count = 1,
                                             .octaves = line.octaves - 1,
                                             .purpose = SESSION_CONFIRM},
                              error);
        if (i == last) break;
    }
    return status;
}

static gck_status parts_add(gck_session *session, const session_line *whole, gck_error *error)
{
    const size_t cuts = whole->count < SESSION_PARTS ? whole->count : SESSION_PARTS;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < cuts; i++) {
        const size_t first = whole->count * i / cuts, end = whole->count * (i + 1) / cuts;
        session_line part = {.tensor = whole->tensor,
                             .first = whole->first + first,
                             .count = end - first,
                             .purpose = SESSION_SEEK,
                             .depth = whole->depth + 1};
        part.direction = next_direction(&session->part[whole->tensor]);
        status = line_add(session, part, error);
    }
    return status;
}

/* Wrong parts of the last cut that can be cut again; SESSION_SPREAD + 1 where there are more. */
static size_t wrong_parts(const gck_session *session, size_t tensor,
                          session_line wrong[SESSION_SPREAD])
{
    size_t count = 0;
    for (size_t i = session->part[tensor].head; i != SESSION_NONE; i = session->line[i].next) {
        const session_line *line = &session->line[i];
        if (line->depth < session->part[tensor].depth || line->count == 1) continue;
        if (!session_line_wrong(session, line)) continue;
        if (count == SESSION_SPREAD) return count + 1;
        wrong[count++] = *line;
    }
    return count;
}

static gck_status seek_on(gck_session *session, size_t tensor, gck_error *error)
{
    session_part *part = &session->part[tensor];
    session_line wrong[SESSION_SPREAD] = {
        {.tensor = tensor, .count = session_count(session, tensor)}};
    const size_t count = part->depth == 0 ? 1 : wrong_parts(session, tensor, wrong);
    gck_status status = GCK_OK;
    part->spread = count > SESSION_SPREAD;
    part->depth++;
    for (size_t i = 0; status == GCK_OK && !part->spread && i < count; i++)
        status = parts_add(session, &wrong[i], error);
    return status;
}

/* Whether to look for the elements that are wrong: where all are, by one factor, that says more. */
static bool is_to_be_sought(gck_session *session, size_t tensor)
{
    return !session_is_whole(session, tensor) && !session->exhausted &&
           lines_where(session, tensor, session_line_wrong) > 1 &&
           !session_is_alike(session, tensor);
}

static gck_status next_add(gck_session *session, size_t tensor, gck_error *error)
{
    session_part *part = &session->part[tensor];
    if (part->stage == STAGE_LINES && part->retries < RETRIES &&
        lines_where(session, tensor, is_vague) > 0) {
        part->retries++;
        return again_add(session, tensor, error);
    }
    if (part->stage == STAGE_LINES && lines_where(session, tensor, session_line_wrong) > 0) {
        part->stage = STAGE_CONFIRMED;
        return confirm_add(session, tensor, error);
    }
    return is_to_be_sought(session, tensor) ? seek_on(session, tensor, error) : GCK_OK;
}

gck_status session_plan_go(gck_session *session, size_t tensor, gck_error *error)
{
    session_part *part = &session->part[tensor];
    if (part->waiting > 0 || part->stage == STAGE_DONE) return GCK_OK;
    const gck_status status = next_add(session, tensor, error);
    if (status == GCK_OK && part->waiting == 0) part->stage = STAGE_DONE;
    return status;
}
