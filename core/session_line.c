/* One line through theta, and what it says. */
#include "core/session.h"

#include <math.h>

/* Of slopes: what a kink must make them differ by to be one. */
#define KINK 1e-3
/* Of slopes: what is left beside a kink and does not matter. */
#define SETTLED 0x1p-20
/* Times the bound of the noise: what noise alone does not make slopes differ by. */
#define ROUGH 5

/* f does not change while nothing but rounding can make it: of two values. */
static bool is_change(const gck_session *session, double value)
{
    return !(fabs(value - session->value) <= 2 * session_noise_of(session, value));
}

/* Whether the error estimate of the best entry consists of a kink at theta. */
static bool is_kink(const session_line *line)
{
    const gck_line_best *best = &line->line.best;
    const session_caution caution = session_trend_caution(&line->trend, best->entry.quotient);
    const double gap = fabs(best->entry.gap);
    return fmax(best->error - gap / 2, caution.error) < gap / 4 && caution.steady &&
           gap > KINK * best->size && gap > 8 * best->entry.noise;
}

/* A kink at theta keeps its line from ever being settled: it ends when nothing but the kink is left
 * that matters. */
static bool is_settled_kink(const session_line *line)
{
    const gck_line_best *best = &line->line.best;
    const double rest = best->error - fabs(best->entry.gap) / 2;
    return line->line.columns > 2 && is_kink(line) &&
           rest <= fmax(SETTLED * best->size, 3 * best->entry.noise);
}

/* Cut short, a line has the best it came to. */
void session_line_end(session_line *line)
{
    const gck_line *of = &line->line;
    const bool short_cut = of->asked > 0;
    if (short_cut && of->before.error < of->best.error) line->line.best = of->before;
    line->done = true;
    line->numeric = short_cut ? of->best.entry.quotient : of->derivative;
    line->error = short_cut ? of->best.error : of->error;
    if (!isfinite(line->numeric) || !isfinite(line->error)) {
        line->numeric = NAN;
        line->error = INFINITY;
    } else {
        if (is_kink(line)) line->gap = of->best.entry.gap;
        const double caution = session_trend_caution(&line->trend, line->numeric).error;
        line->error = fmax(line->error - fabs(line->gap) / 2, caution);
        line->rough = line->error == caution && caution > ROUGH * of->best.entry.noise;
    }
    line->line.asked = 0;
    line->numeric /= line->length;
    line->error /= line->length;
    line->noise = fmin(of->best.entry.noise / line->length, line->error);
    line->gap /= line->length;
    line->moved /= line->length;
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

/* Points are not quite on the line, but at numbers of the dtype: what that does to f is taken out,
 * by the claim. A claim that is wrong is wrong about this little, too, and along the way that the
 * points really go. f at theta cancels, since there are points on both sides, and so does its
 * noise.
 */
void session_line_take(gck_session *session, session_line *line, const double *value)
{
    gck_change change[GCK_LINE_STEPS];
    session_direction(session, line);
    for (size_t i = 0; i < line->line.asked; i++) {
        const double step = line->line.step[i], apart = value[i] - session->value;
        if (is_change(session, value[i])) {
            line->still = false;
            if (line->moved == 0 && isfinite(apart)) line->moved = fabs(apart / step);
        }
        change[i] = (gck_change){.step = step,
                                 .change = apart - session_rounding(session, line, step),
                                 .noise = session_noise_of(session, value[i])};
    }
    line->evaluations += line->line.asked;
    session_trend_take(&line->trend, change);
    gck_line_take(&line->line, change);
    session_trend_note(&line->trend, &line->line);
    const bool goes_on = line->line.asked > 0 && line->line.step[0] >= ldexp(1, line->last);
    if (!goes_on || is_settled_kink(line)) session_line_end(line);
    session->part[line->tensor].rough |= line->rough;
}

double session_line_error(const gck_session *session, const session_line *line)
{
    const bool rough = session->part[line->tensor].rough;
    const double sure = rough ? SESSION_SURE_ROUGH : SESSION_SURE;
    return sure * (line->error - line->noise) + line->noise;
}

double session_line_away(const session_line *line)
{
    const double away = line->claimed - line->numeric;
    return copysign(fmax(fabs(away) - fabs(line->gap) / 2, 0), away);
}

bool session_line_wrong(const gck_session *session, const session_line *line)
{
    if (!line->done || line->skipped || !isfinite(line->error)) return false;
    const double limit = session->spec.tolerance * (fabs(line->numeric) + fabs(line->claimed)) +
                         session_line_error(session, line) + line->bar;
    return !(fabs(session_line_away(line)) <= limit);
}
