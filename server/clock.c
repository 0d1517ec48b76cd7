#include "server/clock.h"

#include <stdio.h>

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    const size_t used = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, CLOCK_TEXT_SIZE - used, ".%03dZ", (int)(wall_ms % 1000));
    return text;
}

struct timespec clock_timespec(int64_t monotonic_ns)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic_ns / 1000000000),
                             .tv_nsec = (long)(monotonic_ns % 1000000000)};
}
