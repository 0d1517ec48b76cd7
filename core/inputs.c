/* Derivatives with respect to x: each element moves its own sample alone, so that every lane is a
 * stencil of its own. */
#include "core/stencils.h"

#include <math.h>
#include <string.h>

static void input_steps(const gck_numeric *numeric, size_t input, size_t first, size_t tile,
                        double *row)
{
    const double *x = numeric->samples->x + input * numeric->samples->lanes + first;
    for (size_t k = 0; k < tile; k++) {
        const numeric_step step = numeric_step_at(numeric, x[k]);
        row[k] = step.upper - x[k];
        row[tile + k] = step.lower - x[k];
    }
}

static void input_add(const stencils *s, size_t input, size_t first, size_t at,
                      gck_numeric_result *result)
{
    const gck_numeric *numeric = s->numeric;
    const double *x = numeric->samples->x + input * numeric->samples->lanes + first;
    for (size_t k = 0; k < s->tile && first + k < numeric->rows; k++) {
        const double weight = numeric->copies->weights[k];
        const size_t element = at * numeric->rows + first + k;
        const double change = numeric->tail.loss[k] - numeric->tail.loss[s->tile + k];
        result->numeric[element] = weight == 0 ? 0
                                               : numeric->spec.factor * weight * change /
                                                     numeric_step_at(numeric, x[k]).length;
        if (numeric->mark[k] == 0 || result->crossed == NULL) continue;
        result->crossed[element] = 1;
        result->crossings.sample[first + k]++;
    }
}

static void input_numeric(gck_numeric *numeric, size_t input, size_t at, gck_numeric_result *result)
{
    const size_t tile = numeric_tile(numeric, 2), lanes = numeric->samples->lanes;
    stencils s = {numeric, 1, tile, &result->crossings};
    for (size_t first = 0; first < lanes; first += tile) {
        s.tile = lanes - first < tile ? lanes - first : tile;
        numeric_copies(numeric, GCK_FROM_INPUT, first, s.tile, 2);
        input_steps(numeric, input, first, s.tile,
                    gck_tail_begin(&numeric->tail, numeric->copies, input));
        stencils_run(&s, GCK_FROM_INPUT);
        input_add(&s, input, first, at, result);
    }
}

/* ---- extrapolation: each sample drives a line of its own ---- */

enum { LINES_MAX = 256 };

/* One round of every line that is not done; false when all are. */
static bool lines_step(gck_numeric *numeric, size_t input, size_t first, size_t tile,
                       gck_line *line)
{
    bool any = false;
    numeric_copies(numeric, GCK_FROM_INPUT, first, tile, 2);
    double *row = gck_tail_begin(&numeric->tail, numeric->copies, input);
    for (size_t k = 0; k < tile; k++) {
        row[k] = line[k].asked > 0 ? line[k].step[0] : 0;
        row[tile + k] = line[k].asked > 0 ? line[k].step[1] : 0;
        any = any || line[k].asked > 0;
    }
    if (!any) return false;
    gck_crossings none = {0};
    stencils_run(&(stencils){numeric, 1, tile, &none}, GCK_FROM_INPUT);
    for (size_t k = 0; k < tile; k++) {
        if (line[k].asked == 0) continue;
        const double factor = numeric->spec.factor * numeric->copies->weights[k];
        const double *loss = numeric->tail.loss + k;
        gck_line_take(&line[k], (gck_change[2]){{line[k].step[0], factor * loss[0], 0},
                                                {line[k].step[1], factor * loss[tile], 0}});
    }
    return true;
}

static void input_extrapolate(gck_numeric *numeric, size_t input, size_t at,
                              gck_numeric_result *result)
{
    const size_t lanes = numeric->samples->lanes;
    const double *x = numeric->samples->x + input * lanes;
    size_t tile = numeric_tile(numeric, 2);
    if (tile > LINES_MAX) tile = LINES_MAX;
    for (size_t first = 0; first < lanes; first += tile) {
        gck_line line[LINES_MAX];
        const size_t count = lanes - first < tile ? lanes - first : tile;
        for (size_t k = 0; k < count; k++) {
            gck_line_begin(&line[k],
                           &(gck_line_spec){.method = GCK_RIDDERS, .scale = fabs(x[first + k])});
            if (numeric->samples->weights[first + k] == 0)
                line[k].asked = 0, line[k].derivative = 0;
        }
        while (lines_step(numeric, input, first, count, line)) {
        }
        for (size_t k = 0; k < count && first + k < numeric->rows; k++)
            result->numeric[at * numeric->rows + first + k] = line[k].derivative;
    }
}

static void input_exact(gck_numeric *numeric, size_t input, size_t at, gck_numeric_result *result)
{
    const gck_base *samples = numeric->samples;
    double *row = gck_tail_begin(&numeric->tail, samples, input);
    for (size_t k = 0; k < samples->lanes; k++)
        row[k] = 1;
    gck_tail_tangent(&numeric->tail, GCK_FROM_INPUT);
    for (size_t k = 0; k < numeric->rows; k++) {
        const double weight = samples->weights[k];
        result->exact[at * numeric->rows + k] =
            weight == 0 ? 0 : numeric->tail.loss[k] * (numeric->spec.factor * weight);
    }
}

gck_status gck_numeric_inputs(gck_numeric *numeric, size_t first, size_t count, gck_stop stop,
                              gck_numeric_result *result, gck_error *error)
{
    const size_t rows = numeric->rows;
    for (size_t i = 0; i < count; i++) {
        input_exact(numeric, first + i, i, result);
        if (numeric_is_quotient(numeric))
            input_numeric(numeric, first + i, i, result);
        else if (numeric->spec.method == GCK_RIDDERS)
            input_extrapolate(numeric, first + i, i, result);
        else
            memcpy(result->numeric + i * rows, result->exact + i * rows, rows * sizeof(double));
        if (numeric_stops(stop)) return gck_error_set(error, GCK_STOPPED, "", "stopped");
    }
    return GCK_OK;
}
