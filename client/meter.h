/* How far work has come, on standard error: a bar where that is a terminal; elsewhere lines, if
 * they are wanted. One thread. */
#ifndef GRADCHECK_METER_H
#define GRADCHECK_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter {
    bool live, lines;
    bool drawn;         /* the bar is on the screen */
    int64_t started_ns; /* of the monotonic clock */
    char last[96];      /* line */
};

void meter_start(struct meter *meter, bool lines);
/* Draws it, unless the work has only just begun. `state` is such as "running". */
void meter_show(struct meter *meter, const char *state, size_t done, size_t total);
/* Removes the bar. */
void meter_end(struct meter *meter);

#endif
