/* Inside a tensor that is wrong: parts of parts, down to elements. */
#include "core/session.h"

static gck_status parts_add(gck_session *session, const session_line *whole, gck_error *error)
{
    const size_t cuts = whole->count < SESSION_PARTS ? whole->count : SESSION_PARTS;
    gck_status status = GCK_OK;
    for (size_t i = 0; status == GCK_OK && i < cuts; i++) {
        const size_t first = whole->count * i / cuts, end = whole->count * (i + 1) / cuts;
        status = session_line_add(
            session,
            (session_line){.tensor = whole->tensor,
                           .first = whole->first + first,
                           .count = end - first,
                           .direction = session_direction_next(session, whole->tensor),
                           .twin = SESSION_NONE,
                           .depth = whole->depth + 1},
            error);
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

gck_status session_seek(gck_session *session, size_t tensor, gck_error *error)
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
