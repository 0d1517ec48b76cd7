/* How exact f is: what repeats differ by, and what its values scatter by where it cannot bend. */
#include "core/session.h"

#include <math.h>

/* A bound in place of a standard deviation. */
#define SURE 4.0
/* Roundoffs of its dtype that a value is granted, whatever the scatter. */
#define VALUE 2.0

enum { ORDERS = 4 };

/* The standard deviation from differences of order 2, 3, 4 of f at theta + k w: of independent
 * errors of variance s^2 those of order j have variance s^2 (2j)! / (j!)^2. The largest of the
 * three; NaN where f is not finite. */
static double scatter(double value, const double *ladder)
{
    double difference[SESSION_LADDER + 1] = {value}, most = 0, variance = 1;
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
        if (order > 1) most = fmax(most, sqrt(sum / (double)count / variance));
    }
    return most;
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

void session_noise_take(gck_session *session, const double *value)
{
    double sum = 0;
    for (size_t i = 0; i < SESSION_REPEATS; i++)
        sum += value[i] / SESSION_REPEATS;
    const double apart = spread(value, SESSION_REPEATS);
    const double around = scatter(value[0], value + SESSION_REPEATS);
    session->repeats = apart == 0;
    session->value = session->repeats ? value[0] : sum;
    session->noise = 2 * apart + (isnan(around) ? 0 : SURE * around);
    session->measured = true;
}

double session_noise_of(const gck_session *session, double value)
{
    const double unit = VALUE * gck_dtype_roundoff(session->spec.dtype);
    return 2 * session->noise + unit * (fabs(session->value) + fabs(value));
}
