#include "core/stencils.h"
#include "core/kernels.h"

#include <string.h>

static bool is_clear(const double *marks, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += marks[i];
    return sum == 0;
}

/* Counts the pairs that cross this unit's kink, and marks them. */
static void count_crossings(void *context, size_t layer, size_t unit, double place, const double *z,
                            const double *change)
{
    const stencils *s = context;
    double *row = s->numeric->row, *mark = s->numeric->mark;
    const size_t lanes = 2 * s->pairs * s->tile;
    gck_kernels_active()->cross(lanes, place, 1, z, change, row);
    if (is_clear(row, lanes)) return;
    double count = 0;
    for (size_t c = 0; c < s->pairs; c++)
        for (size_t k = 0; k < s->tile; k++) {
            const size_t upper = 2 * c * s->tile + k, lower = upper + s->tile;
            if (row[upper] == 0 && row[lower] == 0) continue;
            if (s->numeric->copies->weights[upper] == 0) continue;
            mark[upper] = 1;
            count++;
        }
    s->crossings->unit[gck_kink_offset(s->numeric->spec.model, layer) + unit] += count;
    memset(row, 0, lanes * sizeof *row);
}

static gck_watch watch_of(const stencils *s, size_t layer)
{
    const size_t first = layer == GCK_FROM_INPUT ? 0 : layer;
    if (s->crossings->unit == NULL || !gck_kink_ahead(s->numeric->spec.model, first))
        return (gck_watch){0};
    return (gck_watch){count_crossings, (void *)s};
}

void stencils_run(const stencils *s, size_t layer)
{
    memset(s->numeric->mark, 0, 2 * s->pairs * s->tile * sizeof *s->numeric->mark);
    gck_tail_change(&s->numeric->tail, layer, watch_of(s, layer));
}
