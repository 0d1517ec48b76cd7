#include "server/clock.h"

#include <stdio.h>
#include <string.h>

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

static int number(const char *digits, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++)
        value = 10 * value + (digits[i] - '0');
    return value;
}

bool clock_parse(const char *text, int64_t *ret_wall_ms)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    char again[CLOCK_TEXT_SIZE];
    if (strlen(text) != sizeof form - 1) return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return false;
    struct tm utc = {.tm_year = number(text, 4) - 1900,
                     .tm_mon = number(text + 5, 2) - 1,
                     .tm_mday = number(text + 8, 2),
                     .tm_hour = number(text + 11, 2),
                     .tm_min = number(text + 14, 2),
                     .tm_sec = number(text + 17, 2)};
    const int64_t wall_ms = (int64_t)timegm(&utc) * 1000 + number(text + 20, 3);
    /* What is out of its range, such as February 30, has moved on. */
    if (wall_ms <= 0 || strcmp(clock_format(wall_ms, again), text) != 0) return false;
    *ret_wall_ms = wall_ms;
    return true;
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec clock_timespec(int64_t monotonic_ns)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic_ns / 1000000000),
                             .tv_nsec = (long)(monotonic_ns % 1000000000)};
}
