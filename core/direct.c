/* What cannot be fitted: pairs of unit and sample beside kinks, and single elements, stencil by
 * stencil. */
#include "core/segments.h"
#include "core/stencils.h"

#include <math.h>

/* ---- flagged pairs of unit and sample ---- */

/* Upper points, then, where they are not θ itself, lower ones. */
static size_t points_fill(gck_numeric *numeric, size_t sample)
{
    const size_t inputs = numeric->inputs, lanes = numeric->samples->lanes;
    for (size_t i = 0; i < inputs; i++) {
        numeric->point_step[i] = numeric->spec.epsilon * numeric->x[i * lanes + sample];
        numeric->point_step[inputs + i] = -numeric->point_step[i];
    }
    return numeric->spec.method == GCK_FORWARD ? inputs : 2 * inputs;
}

static void flagged_add(const gck_numeric *numeric, size_t sample, size_t u, size_t points,
                        const numeric_units *units)
{
    const size_t inputs = numeric->inputs;
    const bool both = points > inputs;
    const double *change = numeric->point_change;
    const unsigned char *crossed = numeric->point_crossed;
    const double factor = numeric->spec.factor * numeric->samples->weights[sample] /
                          ((both ? 2 : 1) * numeric->spec.epsilon);
    gck_numeric_result *result = units->result;
    for (size_t i = 0; i < inputs; i++) {
        const size_t at = i * units->count + u;
        result->numeric[at] += factor * (change[i] - (both ? change[inputs + i] : 0));
        if (result->crossed == NULL || !(crossed[i] || (both && crossed[inputs + i]))) continue;
        result->crossed[at]++;
        result->crossings.sample[sample]++;
    }
}

static void flagged_pair(gck_numeric *numeric, size_t sample, size_t u, const numeric_units *units)
{
    const segments_points points = {points_fill(numeric, sample), numeric->point_step,
                                    numeric->point_change, numeric->point_crossed,
                                    numeric->point_order};
    segments_evaluate(numeric, sample, units->first + u, &points, &units->result->crossings);
    flagged_add(numeric, sample, u, points.count, units);
}

gck_status numeric_flagged(gck_numeric *numeric, const numeric_units *units, gck_error *error)
{
    const size_t lanes = numeric->samples->lanes;
    for (size_t k = 0; k < numeric->rows; k++)
        for (size_t u = 0; u < units->count; u++) {
            if (!numeric->flagged[u * lanes + k]) continue;
            flagged_pair(numeric, k, u, units);
            if (numeric_stops(units->stop)) return gck_error_set(error, GCK_STOPPED, "", "stopped");
        }
    return GCK_OK;
}

/* ---- elements: all samples, several stencils side by side ---- */

typedef struct element {
    size_t input;
    double up, down;     /* from θ to the stencil's points */
    double upper, lower; /* sum_k factor w_k (L_k there - L_k at θ) */
    double crossed;      /* samples */
} element;

enum { ELEMENTS_MAX = 64 };

static void elements_fill(const stencils *s, const element *elements, size_t first, double *row)
{
    for (size_t c = 0; c < s->pairs; c++) {
        const element *e = &elements[c];
        const double *x = s->numeric->x + e->input * s->numeric->samples->lanes + first;
        for (size_t k = 0; k < s->tile; k++) {
            row[2 * c * s->tile + k] = e->up * x[k];
            row[(2 * c + 1) * s->tile + k] = e->down * x[k];
        }
    }
}

static void elements_add(const stencils *s, element *elements, size_t first)
{
    const gck_numeric *numeric = s->numeric;
    for (size_t c = 0; c < s->pairs; c++)
        for (size_t k = 0; k < s->tile; k++) {
            const size_t upper = 2 * c * s->tile + k;
            const double weight = numeric->copies->weights[upper];
            if (weight == 0) continue;
            elements[c].upper += numeric->spec.factor * weight * numeric->tail.loss[upper];
            elements[c].lower +=
                numeric->spec.factor * weight * numeric->tail.loss[upper + s->tile];
            if (numeric->mark[upper] == 0) continue;
            elements[c].crossed++;
            s->crossings->sample[first + k]++;
        }
}

/* Samples side by side, and how many elements then fit. */
static size_t elements_tile(const gck_numeric *numeric)
{
    return numeric_tile(numeric, 2);
}

static size_t elements_batch(const gck_numeric *numeric)
{
    const size_t pairs = numeric->copies->capacity / (2 * elements_tile(numeric));
    return pairs < ELEMENTS_MAX ? pairs : ELEMENTS_MAX;
}

/* elements_batch of them; those that stay where they are cost as much as the others. */
static void elements_run(gck_numeric *numeric, size_t unit, element *elements,
                         gck_crossings *crossings)
{
    const size_t tile = elements_tile(numeric), lanes = numeric->samples->lanes;
    stencils s = {numeric, elements_batch(numeric), tile, crossings};
    for (size_t c = 0; c < s.pairs; c++)
        elements[c].upper = elements[c].lower = elements[c].crossed = 0;
    for (size_t first = 0; first < lanes; first += tile) {
        s.tile = lanes - first < tile ? lanes - first : tile;
        numeric_copies(numeric, numeric->layer, first, s.tile, 2 * s.pairs);
        elements_fill(&s, elements, first, gck_tail_begin(&numeric->tail, numeric->copies, unit));
        stencils_run(&s, numeric->layer);
        elements_add(&s, elements, first);
    }
}

/* Beyond, θ ± ε differs by more than a millionth of ε from what a fit takes it for. */
static bool is_coarse(const gck_numeric *numeric, double theta)
{
    return !(fabs(theta) <= numeric->spec.epsilon * 0x1p33);
}

static double theta_of(const gck_numeric *numeric, size_t input, size_t unit)
{
    return numeric->spec.parameters[numeric_element(numeric, input, unit)];
}

/* ---- difference quotients ---- */

static void quotients(gck_numeric *numeric, const numeric_units *units, size_t u, element *elements,
                      size_t count)
{
    gck_numeric_result *result = units->result;
    /* Beside probes, crossings are counted with the flagged pairs. */
    gck_crossings none = {0};
    const bool alone = numeric->spec.direct;
    elements_run(numeric, units->first + u, elements, alone ? &result->crossings : &none);
    for (size_t c = 0; c < count; c++) {
        const element *e = &elements[c];
        const double theta = theta_of(numeric, e->input, units->first + u);
        const size_t at = e->input * units->count + u;
        result->numeric[at] = (e->upper - e->lower) / numeric_step_at(numeric, theta).length;
        if (result->crossed != NULL && alone) result->crossed[at] = e->crossed;
    }
}

/* ---- extrapolation: each element drives a line of its own ---- */

static double penalty_change(const gck_numeric *numeric, size_t place, double step)
{
    const gck_model *model = numeric->spec.model;
    const double theta = numeric->spec.parameters[place];
    return gck_model_penalty_at(model, place, theta + step) -
           gck_model_penalty_at(model, place, theta);
}

static void line_take(const gck_numeric *numeric, const numeric_units *units, size_t u,
                      const element *e, gck_line *line)
{
    const size_t place = numeric_element(numeric, e->input, units->first + u);
    const double theta = numeric->spec.parameters[place];
    gck_change change[2] = {{e->up, e->upper, 0}, {e->down, e->lower, 0}};
    for (size_t i = 0; i < 2 && units->penalties; i++) {
        change[i].change += penalty_change(numeric, place, change[i].step);
        change[i].noise = 0x4p-52 * fabs(gck_model_penalty_at(numeric->spec.model, place, theta));
    }
    gck_line_take(line, change);
}

/* One round of every line that is not done; false when all are. */
static bool lines_step(gck_numeric *numeric, const numeric_units *units, size_t u,
                       element *elements, gck_line *line, size_t count)
{
    bool any = false;
    for (size_t c = 0; c < count; c++) {
        elements[c].up = line[c].asked > 0 ? line[c].step[0] : 0;
        elements[c].down = line[c].asked > 0 ? line[c].step[1] : 0;
        any = any || line[c].asked > 0;
    }
    if (!any) return false;
    gck_crossings none = {0};
    elements_run(numeric, units->first + u, elements, &none);
    for (size_t c = 0; c < count; c++)
        if (line[c].asked > 0) line_take(numeric, units, u, &elements[c], &line[c]);
    return true;
}

/* False when stopped. */
static bool extrapolate(gck_numeric *numeric, const numeric_units *units, size_t u,
                        element *elements, size_t count)
{
    gck_line line[ELEMENTS_MAX];
    for (size_t c = 0; c < count; c++) {
        const double theta = theta_of(numeric, elements[c].input, units->first + u);
        gck_line_begin(&line[c], &(gck_line_spec){.method = GCK_RIDDERS, .scale = fabs(theta)});
    }
    while (lines_step(numeric, units, u, elements, line, count))
        if (numeric_stops(units->stop)) return false;
    for (size_t c = 0; c < count; c++)
        units->result->numeric[elements[c].input * units->count + u] = line[c].derivative;
    return true;
}

/* ---- batches ---- */

/* False when stopped. */
static bool batch_run(gck_numeric *numeric, const numeric_units *units, size_t u, element *elements,
                      size_t count)
{
    if (count == 0) return true;
    for (size_t c = count; c < elements_batch(numeric); c++)
        elements[c] = (element){0};
    if (!numeric_is_quotient(numeric)) return extrapolate(numeric, units, u, elements, count);
    quotients(numeric, units, u, elements, count);
    return !numeric_stops(units->stop);
}

/* Whether any element of the layer's is. */
static bool any_coarse(const gck_numeric *numeric)
{
    const gck_layer *layer = &numeric->spec.model->layer[numeric->layer];
    for (size_t t = 0; t < layer->tensor_count; t++)
        for (size_t e = 0; e < layer->tensor[t].count; e++)
            if (is_coarse(numeric, numeric->spec.parameters[layer->tensor[t].offset + e]))
                return true;
    return false;
}

static bool unit_run(gck_numeric *numeric, const numeric_units *units, size_t u, bool coarse_alone)
{
    element elements[ELEMENTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < numeric->inputs; i++) {
        const double theta = theta_of(numeric, i, units->first + u);
        if (coarse_alone && !is_coarse(numeric, theta)) continue;
        const numeric_step step = numeric_step_at(numeric, theta);
        elements[count++] =
            (element){.input = i, .up = step.upper - theta, .down = step.lower - theta};
        if (count < elements_batch(numeric)) continue;
        if (!batch_run(numeric, units, u, elements, count)) return false;
        count = 0;
    }
    return batch_run(numeric, units, u, elements, count);
}

gck_status numeric_direct(gck_numeric *numeric, const numeric_units *units, bool coarse_alone,
                          gck_error *error)
{
    if (coarse_alone && !any_coarse(numeric)) return GCK_OK;
    for (size_t u = 0; u < units->count; u++)
        if (!unit_run(numeric, units, u, coarse_alone))
            return gck_error_set(error, GCK_STOPPED, "", "stopped");
    return GCK_OK;
}
