/* Whether the slopes of a line go where those of a smooth function go.
 *
 * Extrapolation takes for granted that central differences T(h) err by c h^2, and that the right
 * slope minus the left one is G(h) = J + c h, with a jump J at theta. Where f has many kinks, as a
 * network of relus has, neither holds, and the entry of least error in a tableau is often one in
 * which two wrong numbers agree by accident. The cure is that of cautious Romberg integration (de
 * Boor, "CADRE: an algorithm for numerical quadrature", Mathematical Software, 1971): differences
 * of successive T(h) must fall by 4, those of G(h) by 2, or be noise. Where they do not, what is
 * extrapolated counts for nothing, and the entry errs by as much as slopes still change. */
#include "core/session.h"

#include <math.h>

/* Steps halve: differences fall by that rate in the end, by more where the first terms vanish; each
 * is known but for its noise. */
static bool falls(double before, double now, double rate, double noise)
{
    const double size = fabs(now), was = now < 0 ? -before : before;
    return size <= noise || (was >= 0.75 * rate * (size - noise) - noise &&
                             was <= 5 * rate * (size + noise) + noise);
}

static bool is_smooth(const session_trend *t)
{
    const double *slope = t->slope, *gap = t->gap;
    const double noise = t->noise[0] + t->noise[1];
    /* A gap has four times the noise: twice the values, over half the step. */
    return t->steps >= 3 && falls(slope[1] - slope[2], slope[0] - slope[1], 4, noise) &&
           falls(gap[1] - gap[2], gap[0] - gap[1], 2, 4 * noise);
}

static double caution(const session_trend *t)
{
    if (t->steps < 2) return INFINITY;
    return is_smooth(t) ? 0 : fabs(t->slope[0] - t->slope[1]) + fabs(t->gap[0]) / 2;
}

void session_trend_take(session_trend *t, const gck_change change[2])
{
    const double right = change[0].change / change[0].step;
    const double left = change[1].change / change[1].step;
    const double span = change[0].step - change[1].step;
    for (size_t i = 2; i > 0; i--) {
        t->slope[i] = t->slope[i - 1];
        t->gap[i] = t->gap[i - 1];
        t->noise[i] = t->noise[i - 1];
    }
    t->slope[0] = (right + left) / 2;
    t->gap[0] = right - left;
    t->noise[0] = (change[0].noise + change[1].noise) / span;
    t->steps = isfinite(t->slope[0]) && isfinite(t->gap[0]) ? t->steps + 1 : 0;
}

/* Whether the slopes on both sides stay as far apart as that. */
static bool is_steady(const session_trend *t, double gap)
{
    return t->steps >= 2 && fabs(t->gap[0] - gap) <= fabs(gap) / 4 &&
           fabs(t->gap[1] - gap) <= fabs(gap) / 4;
}

/* How far an entry is from what later steps tend to, which are smooth. */
static double apart(const session_trend *t, const gck_line_entry *entry)
{
    const double gap = 2 * t->gap[0] - t->gap[1] - entry->gap;
    return fabs(t->slope[0] - entry->quotient) + fabs(gap) / 2 + t->noise[0];
}

/* Shorter steps whose slopes go away from an entry, by more than noise, say how wrong it is. */
static double contradiction(const session_trend *t, const gck_line_entry *entry)
{
    const double now = fabs(t->slope[0] - entry->quotient);
    const double before = fabs(t->slope[1] - entry->quotient);
    return t->steps >= 2 && now > before + t->noise[0] + t->noise[1] ? now : 0;
}

static void keep(session_trend *t, session_caution *kept, const gck_line_entry *entry)
{
    const double now = caution(t);
    if (!kept->known || kept->slope != entry->quotient)
        *kept = (session_caution){.known = true, .slope = entry->quotient, .error = now};
    else if (now == 0)
        kept->error = fmin(kept->error, apart(t, entry));
    kept->error = fmax(kept->error, contradiction(t, entry));
    kept->steady |= is_steady(t, entry->gap);
}

/* The best entries of both tableaus, as soon as they are. */
void session_trend_note(session_trend *t, const gck_line *line)
{
    const bool next = line->pass > t->pass;
    if (isfinite(line->before.error) && next) {
        keep(t, &t->kept[0], &line->before.entry);
        t->kept[1] = t->kept[0];
    }
    if (next) {
        t->pass = line->pass;
        t->steps = 0;
    }
    if (isfinite(line->best.error)) keep(t, &t->kept[0], &line->best.entry);
}

session_caution session_trend_caution(const session_trend *t, double slope)
{
    for (size_t i = 0; i < 2; i++)
        if (t->kept[i].known && t->kept[i].slope == slope) return t->kept[i];
    return (session_caution){.slope = slope};
}
