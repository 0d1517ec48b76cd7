/* One line through theta, and what it says. */
#include "core/session.h"

#include <math.h>

/* Of slopes: what a kink must make them differ by to be one. */
#define KINK 1e-3

/* f does not change while nothing but rounding can make it. */
static bool is_change(const gck_session *session, double value)
{
    return !(fabs(value - session->value) <= session_noise_of(session, value));
}

/* The kink at theta, if that is what the error estimate consists of. */
static void kink_find(session_line *line)
{
    const gck_line_best *best = &line->line.best;
    const double gap = best->entry.gap, rest = line->error - fabs(gap) / 2;
    if (!isfinite(line->error) || !(rest < fabs(gap) / 4)) return;
    if (!(fabs(gap) > KINK * best->size) || !(fabs(gap) > 8 * best->entry.noise)) return;
    line->gap = gap;
    line->error = fmax(rest, 0);
}

/* Cut short, a line has the best it came to. */
void session_line_end(session_line *line)
{
    const gck_line *of = &line->line;
    const bool short_cut = of->asked > 0;
    line->done = true;
    line->numeric = short_cut ? of->best.entry.quotient : of->derivative;
    line->error = short_cut ? of->best.error : of->error;
    if (!isfinite(line->numeric) || !isfinite(line->error)) {
        line->numeric = NAN;
        line->error = INFINITY;
    }
    line->line.asked = 0;
    kink_find(line);
    line->numeric /= line->length;
    line->error /= line->length;
    line->gap /= line->length;
}

void session_line_begin(gck_session *session, session_line *line)
{
    const gck_session_tensor *tensor = &session->spec.tensor[line->tensor];
    /* gck_line begins at 2^-7 times the scale. */
    const gck_line_spec spec = {.method = GCK_RIDDERS,
                                .scale = ldexp(1, session->steps->first + 7)};
    gck_line_begin(&line->line, &spec);
    session_direction(session, line);
    const double norm = gck_vector_norm(session->v, line->count);
    line->still = true;
    line->claimed =
        gck_direction_dot(tensor->claimed + line->first, session->v, line->count) / line->length;
    line->bar = session->part[line->tensor].bar * norm / line->length;
    if (norm == 0) session_line_end(line);
}

void session_line_take(gck_session *session, session_line *line, const double *value)
{
    gck_change change[GCK_LINE_STEPS];
    for (size_t i = 0; i < line->line.asked; i++) {
        if (is_change(session, value[i])) line->still = false;
        change[i] = (gck_change){.step = line->line.step[i],
                                 .change = value[i] - session->value,
                                 .noise = session_noise_of(session, value[i])};
    }
    line->evaluations += line->line.asked;
    gck_line_take(&line->line, change);
    const double shortest = ldexp(1, session->steps->last + line->octaves);
    if (line->line.asked == 0 || line->line.step[0] < shortest) session_line_end(line);
}

/* How far the claim is from the nearest slope that f has there. */
static double difference(const session_line *line)
{
    const double away = fabs(line->claimed - line->numeric);
    return fmax(away - fabs(line->gap) / 2, 0);
}

bool session_line_wrong(const gck_session *session, const session_line *line)
{
    if (!line->done || line->skipped || !isfinite(line->error)) return false;
    const double limit = session->spec.tolerance * (fabs(line->numeric) + fabs(line->claimed)) +
                         SESSION_SURE * line->error + line->bar;
    return !(difference(line) <= limit);
}

gck_direction session_line_direction(const session_line *line)
{
    /* Between the two slopes at a kink every claim is right. */
    const double between = line->gap == 0
                               ? line->numeric
                               : line->numeric + copysign(fmin(fabs(line->claimed - line->numeric),
                                                               fabs(line->gap) / 2),
                                                          line->claimed - line->numeric);
    return (gck_direction){between, line->claimed, SESSION_SURE * line->error + line->bar};
}
