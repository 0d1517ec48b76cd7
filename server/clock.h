/* The two clocks: wall time for people, monotonic time for durations. Any thread. */
#ifndef GRADCHECKD_CLOCK_H
#define GRADCHECKD_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { CLOCK_TEXT_SIZE = 32 };

#define CLOCK_DAY_MS INT64_C(86400000)

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ns(void);

/* "2026-02-03T04:05:06.789Z" (RFC 3339, UTC). Returns text. */
const char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);
/* The same back; only what clock_format writes, from 1970 on. */
bool clock_parse(const char *text, int64_t *ret_wall_ms);

/* A condition that uses the monotonic clock, and a point of that as pthread_cond_timedwait takes
 * it.
 */
void clock_condition_init(pthread_cond_t *condition);
struct timespec clock_timespec(int64_t monotonic_ns);

#endif
