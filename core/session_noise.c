/* How exact f is: what repeats differ by, and what its values scatter by where it cannot bend. */
#include "core/session.h"

#include <math.h>

/* A bound in place of a standard deviation: no line alone condemns anything. */
#define SURE 3.0

enum { ORDERS = 4, LONGER = 5 /* binary digits, where a ladder was too short */ };

/* What f's noise is measured at: theta, and a ladder of steps beside it. */
void session_noise_ask(gck_session *session)
{
    for (size_t i = 0; i < SESSION_REPEATS; i++)
        session->point[i] = (session_point){.line = SESSION_NONE};
    session->rung = session->steps->last;
    session->asked = SESSION_REPEATS;
    for (size_t i = 0; i < SESSION_LADDER; i++)
        session->point[session->asked++] =
            (session_point){SESSION_NONE, ldexp((double)(i + 1), session->rung)};
}

/* Where f is the same on the whole ladder, its values may be rounded so that longer steps are
 * needed to see it. */
static bool ask_longer(gck_session *session)
{
    session->rung += LONGER;
    if (ldexp(SESSION_LADDER, session->rung) > ldexp(1, session->steps->first) ||
        session->evaluations + SESSION_LADDER > session->spec.budget)
        return false;
    session->asked = 0;
    for (size_t i = 0; i < SESSION_LADDER; i++)
        session->point[session->asked++] =
            (session_point){SESSION_NONE, ldexp((double)(i + 1), session->rung)};
    return true;
}

static double middle(const double x[3])
{
    return fmax(fmin(x[0], x[1]), fmin(fmax(x[0], x[1]), x[2]));
}

/* The standard deviation from differences of order 2, 3, 4 of f at theta + k w: of independent
 * errors of variance s^2 those of order j have variance s^2 (2j)! / (j!)^2. The middle one of the
 * three, since where f bends it is the lowest order that shows it; NaN where f is not finite. */
static double scatter(double value, const double *ladder)
{
    double difference[SESSION_LADDER + 1] = {value}, deviation[ORDERS - 1] = {0}, variance = 1;
    for (size_t i = 0; i < SESSION_LADDER; i++)
        difference[i + 1] = ladder[i];
    for (size_t order = 1; order <= ORDERS; order++) {
        const size_t count = SESSION_LADDER + 1 - order;
        double sum = 0;
        for (size_t i = 0; i < count; i++) {
            difference[i] = difference[i + 1] - difference[i];
            sum += difference[i] * difference[i];
        }
        variance *= (double)(2 * (2 * order - 1)) / (double)order;
        if (order > 1) deviation[order - 2] = sqrt(sum / (double)count / variance);
    }
    return isfinite(deviation[ORDERS - 2]) ? middle(deviation) : NAN;
}

static double spread(const double *value, size_t count)
{
    double least = value[0], most = value[0];
    for (size_t i = 1; i < count; i++) {
        least = fmin(least, value[i]);
        most = fmax(most, value[i]);
    }
    return most - least;
}

static void repeats_take(gck_session *session, const double *value)
{
    double sum = 0;
    for (size_t i = 0; i < SESSION_REPEATS; i++)
        sum += value[i] / SESSION_REPEATS;
    const double apart = spread(value, SESSION_REPEATS);
    session->repeats = apart == 0;
    session->value = session->repeats ? value[0] : sum;
    session->noise = 2 * apart;
}

/* Values may be kept with more digits than f computes with elsewhere. */
static double unit_of(const gck_session *session, const double *value, size_t count)
{
    gck_dtype dtype = session->spec.dtype;
    for (size_t i = 0; i < count; i++)
        if (!gck_session_has(dtype, value[i])) dtype = GCK_FLOAT64;
    return gck_dtype_roundoff(dtype);
}

bool session_noise_take(gck_session *session, const double *value, size_t count)
{
    const double *ladder = value + count - SESSION_LADDER;
    if (count > SESSION_LADDER) {
        repeats_take(session, value);
        session->unit = unit_of(session, value, count);
    }
    if (!isfinite(session->value)) return false;
    const double around = scatter(session->value, ladder);
    const bool flat =
        session->repeats && spread(ladder, SESSION_LADDER) == 0 && ladder[0] == session->value;
    if (flat && ask_longer(session)) return false;
    session->noise += isnan(around) ? 0 : SURE * around;
    /* Steps that never show in f show nothing of its errors, either: a last digit more. */
    if (flat) session->noise += session->unit * fabs(session->value);
    session->measured = true;
    return true;
}

double session_noise_of(const gck_session *session, double value)
{
    return session->noise + session->unit * fabs(value);
}
