#include "client/meter.h"
#include "client/say.h"
#include "server/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Work that is shorter shows no bar. */
#define PATIENCE_NS INT64_C(300000000)

enum { BAR_WIDTH = 30 };

void meter_start(struct meter *meter, bool lines)
{
    *meter = (struct meter){.live = isatty(STDERR_FILENO) != 0, .started_ns = clock_monotonic_ns()};
    meter->lines = lines && !meter->live;
}

static void draw(struct meter *meter, const char *state, size_t done, size_t total, double seconds)
{
    char bar[BAR_WIDTH + 1];
    const double part = total == 0 ? 0 : (double)done / (double)total;
    const size_t full = part >= 1 ? BAR_WIDTH : (size_t)(part * BAR_WIDTH);
    memset(bar, '#', full);
    memset(bar + full, '.', BAR_WIDTH - full);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r%-9s [%s] %3.0f%%  %zu of %zu  %.0f s\033[K", state, bar, 100 * part, done,
            total, seconds);
    fflush(stderr);
    meter->drawn = true;
}

void meter_show(struct meter *meter, const char *state, size_t done, size_t total)
{
    char line[sizeof meter->last], word[32];
    const int64_t passed_ns = clock_monotonic_ns() - meter->started_ns;
    snprintf(word, sizeof word, "%s", state);
    make_harmless(word);
    if (meter->live && passed_ns >= PATIENCE_NS)
        draw(meter, word, done, total, (double)passed_ns * 1e-9);
    if (!meter->lines) return;
    snprintf(line, sizeof line, "%s %zu of %zu", word, done, total);
    if (strcmp(line, meter->last) == 0) return;
    memcpy(meter->last, line, sizeof line);
    fprintf(stderr, "%s\n", line);
}

void meter_end(struct meter *meter)
{
    if (meter->drawn) fprintf(stderr, "\r\033[K");
    meter->drawn = false;
}
