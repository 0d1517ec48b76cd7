/* Between kinks φ is smooth: a few values make a polynomial that serves all points of a segment.
 *
 * A segment is evaluated at eight Chebyshev points. If the same units have crossed their kinks at
 * all of them, and the last coefficients vanish, it is done. Otherwise it is split beside the kink,
 * whose place a crossing unit's own values tell, or in the middle; a kink's close surroundings, and
 * segments of few points, are evaluated point by point. So a pair of unit and sample with one kink
 * costs some fifty lanes, not two for each weight. */
#include "core/segments.h"
#include "core/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    NODES = 8,
    SLOTS = 2, /* segments of a run */
    LANES = NODES * SLOTS,
    FEW = 2 * NODES, /* points that are not worth a segment */
    HITS_MAX = 64,
    SEGMENTS_MAX = 64
};

/* Share of the range beside a kink that is evaluated point by point: the kink's place is estimated
 * along a chord. */
#define SURROUNDINGS 1e-3

/* What the last two coefficients may amount to, of all. */
#define CONVERGED 1e-12

typedef struct segment {
    size_t first, count; /* of points->order */
    double low, high;
} segment;

/* A unit whose kink some lane has crossed. */
typedef struct hit {
    size_t unit;
    uint32_t lanes;
    double beyond[LANES]; /* how far each lane is beyond the kink */
} hit;

typedef struct work {
    gck_numeric *numeric;
    size_t sample, unit;
    const segments_points *points;
    gck_crossings *crossings;
    size_t alone;     /* lanes that are points of their own, to be counted at once; 0: nodes */
    uint32_t crossed; /* lanes that have crossed any kink */
    size_t hit_count;
    hit hits[HITS_MAX];
    bool crowded;     /* more hits than room */
    bool bent[SLOTS]; /* some unit may cross its kink and return between two nodes */
    size_t depth;
    segment stack[SEGMENTS_MAX];
    size_t runs, runs_max;
} work;

static void count_unit(const work *w, size_t unit, size_t points)
{
    if (w->crossings->unit != NULL) w->crossings->unit[unit] += (double)points;
}

/* ---- nodes ---- */

/* cos(pi index / (NODES - 1)) */
static double cosine(size_t index)
{
    static const double half[] = {1,
                                  0.90096886790241912624,
                                  0.62348980185873353053,
                                  0.22252093395631440429,
                                  -0.22252093395631440429,
                                  -0.62348980185873353053,
                                  -0.90096886790241912624,
                                  -1};
    index %= 2 * (NODES - 1);
    return half[index < NODES ? index : 2 * (NODES - 1) - index];
}

/* From the left end to the right one. */
static double node_at(size_t node)
{
    return -cosine(node);
}

/* ---- what a run sees ---- */

/* Of lanes of one sample z is the same. */
static bool is_far(double z, double place, const double *change)
{
    double largest = 0;
    for (size_t i = 0; i < LANES; i++)
        largest = fabs(change[i]) > largest ? fabs(change[i]) : largest;
    return fabs(z - place) > 2 * largest;
}

/* The second derivative in t of what has these values at the nodes, near a node. */
static double curvature_at(const double value[NODES], size_t node)
{
    const size_t at = node < 1 ? 1 : node > NODES - 2 ? NODES - 2 : node;
    const double left = node_at(at) - node_at(at - 1), right = node_at(at + 1) - node_at(at);
    return 2 * ((value[at + 1] - value[at]) / right - (value[at] - value[at - 1]) / left) /
           (left + right);
}

/* Whether an extremum between two nodes could reach the kink: a parabola's lies up to bend / 8
 * beyond the nearer of them, and only where their difference is less than bend / 2; twice that, as
 * the curvature is an estimate. */
static bool may_return(const double beyond[NODES])
{
    for (size_t node = 0; node + 1 < NODES; node++) {
        const double width = node_at(node + 1) - node_at(node);
        const double bend =
            width * width *
            fmax(fabs(curvature_at(beyond, node)), fabs(curvature_at(beyond, node + 1)));
        const double nearer = fmin(fabs(beyond[node]), fabs(beyond[node + 1]));
        if (nearer <= bend / 4 && fabs(beyond[node + 1] - beyond[node]) <= bend) return true;
    }
    return false;
}

static void hit_store(work *w, size_t unit, uint32_t lanes, const double beyond[LANES])
{
    if (w->hit_count == HITS_MAX) {
        w->crowded = true;
        return;
    }
    hit *h = &w->hits[w->hit_count++];
    h->unit = unit;
    h->lanes = lanes;
    memcpy(h->beyond, beyond, sizeof h->beyond);
}

static void see(void *context, size_t layer, size_t unit, double place, const double *z,
                const double *change)
{
    work *w = context;
    if (is_far(z[0], place, change)) return;
    const size_t index = gck_kink_offset(w->numeric->spec.model, layer) + unit;
    double beyond[LANES];
    uint32_t lanes = 0;
    for (size_t i = 0; i < LANES; i++) {
        beyond[i] = z[i] + change[i] - place;
        lanes |= (uint32_t)((z[i] > place) != (z[i] + change[i] > place)) << i;
    }
    w->crossed |= lanes;
    if (w->alone > 0) {
        count_unit(w, index, (size_t)__builtin_popcount(lanes & ((UINT32_C(1) << w->alone) - 1)));
        return;
    }
    for (size_t slot = 0; slot < SLOTS; slot++)
        w->bent[slot] = w->bent[slot] || may_return(beyond + slot * NODES);
    if (lanes != 0) hit_store(w, index, lanes, beyond);
}

/* The losses of LANES steps are in numeric->tail.loss afterwards. */
static void run(work *w, const double step[LANES], size_t alone)
{
    gck_numeric *numeric = w->numeric;
    numeric_copies(numeric, numeric->layer, w->sample, 1, LANES);
    memcpy(gck_tail_begin(&numeric->tail, numeric->copies, w->unit), step, LANES * sizeof *step);
    w->alone = alone;
    w->crossed = 0;
    w->hit_count = 0;
    w->crowded = false;
    memset(w->bent, 0, sizeof w->bent);
    w->runs++;
    const gck_watch watch = {see, w};
    gck_tail_change(&numeric->tail, numeric->layer,
                    gck_kink_ahead(numeric->spec.model, numeric->layer) ? watch : (gck_watch){0});
}

/* ---- point by point ---- */

static void points_run(work *w, const size_t *order, size_t count)
{
    double step[LANES] = {0};
    for (size_t i = 0; i < count; i++)
        step[i] = w->points->step[order[i]];
    run(w, step, count);
    for (size_t i = 0; i < count; i++) {
        w->points->change[order[i]] = w->numeric->tail.loss[i];
        w->points->crossed[order[i]] = w->crossed >> i & 1;
    }
}

static void one_by_one(work *w, size_t first, size_t count)
{
    for (size_t at = 0; at < count; at += LANES)
        points_run(w, w->points->order + first + at, count - at < LANES ? count - at : LANES);
}

/* ---- segments ---- */

static double step_at(const segment *s, double t)
{
    return (s->low + s->high) / 2 + t * (s->high - s->low) / 2;
}

static bool hit_in(const hit *h, size_t slot, size_t node)
{
    return h->lanes >> (slot * NODES + node) & 1;
}

/* The first node whose neighbour to the right has crossed other kinks, and one of them; NODES for
 * none. */
static size_t break_after(const work *w, size_t slot, const hit **ret_hit)
{
    size_t first = NODES;
    for (size_t h = 0; h < w->hit_count; h++)
        for (size_t node = 0; node + 1 < NODES && node < first; node++)
            if (hit_in(&w->hits[h], slot, node) != hit_in(&w->hits[h], slot, node + 1)) {
                first = node;
                *ret_hit = &w->hits[h];
            }
    return first;
}

/* c_j of sum_j c_j T_j through the values at the nodes, the ends of which count half. */
static void coefficients_of(const double value[NODES], double ret[NODES])
{
    const size_t last = NODES - 1;
    for (size_t j = 0; j < NODES; j++) {
        double sum = (value[0] * cosine(j * last) + value[last]) / 2;
        for (size_t node = 1; node < last; node++)
            sum += value[node] * cosine(j * (last - node));
        ret[j] = sum * (j == 0 || j == last ? 1.0 : 2.0) / (double)last;
    }
}

static bool has_converged(const double coefficient[NODES])
{
    double all = 0;
    for (size_t j = 0; j < NODES; j++)
        all += fabs(coefficient[j]);
    return fabs(coefficient[NODES - 2]) + fabs(coefficient[NODES - 1]) <= CONVERGED * all;
}

/* Clenshaw's recurrence. */
static double polynomial(const double coefficient[NODES], double t)
{
    double next = 0, after = 0;
    for (size_t j = NODES - 1; j > 0; j--) {
        const double now = coefficient[j] + 2 * t * next - after;
        after = next;
        next = now;
    }
    return coefficient[0] + t * next - after;
}

static void finish(work *w, const segment *s, size_t slot, const double coefficient[NODES])
{
    const double middle = step_at(s, 0), half = (s->high - s->low) / 2;
    bool crossed = false;
    for (size_t h = 0; h < w->hit_count; h++) {
        if (!hit_in(&w->hits[h], slot, 0)) continue;
        crossed = true;
        count_unit(w, w->hits[h].unit, s->count);
    }
    for (size_t i = 0; i < s->count; i++) {
        const size_t point = w->points->order[s->first + i];
        const double t = half > 0 ? (w->points->step[point] - middle) / half : 0;
        w->points->change[point] = polynomial(coefficient, t);
        w->points->crossed[point] = crossed;
    }
}

static void push(work *w, size_t first, size_t count)
{
    if (count == 0) return;
    if (count <= FEW || w->depth == SEGMENTS_MAX || w->runs >= w->runs_max) {
        one_by_one(w, first, count);
        return;
    }
    segment s = {first, count, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        const double step = w->points->step[w->points->order[first + i]];
        s.low = step < s.low ? step : s.low;
        s.high = step > s.high ? step : s.high;
    }
    w->stack[w->depth++] = s;
}

/* Moves points below `place` to the front; returns how many there are. */
static size_t partition(const segments_points *points, size_t first, size_t count, double place)
{
    size_t below = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t point = points->order[first + i];
        if (!(points->step[point] < place)) continue;
        points->order[first + i] = points->order[first + below];
        points->order[first + below++] = point;
    }
    return below;
}

/* What to do with a segment that is not done. */
typedef struct plan {
    bool apart; /* split at `place`, or evaluate point by point */
    double place, surroundings;
} plan;

static void carry_out(work *w, const segment *s, const plan *p)
{
    if (!p->apart) {
        one_by_one(w, s->first, s->count);
        return;
    }
    const size_t below = partition(w->points, s->first, s->count, p->place - p->surroundings);
    const size_t within =
        partition(w->points, s->first + below, s->count - below, p->place + p->surroundings);
    push(w, s->first, below);
    one_by_one(w, s->first + below, within);
    push(w, s->first + below + within, s->count - below - within);
}

/* Where the unit that breaks the segment passes its kink: along a chord. */
static double kink_place(const segment *s, const hit *h, size_t slot, size_t node)
{
    const double left = h->beyond[slot * NODES + node], right = h->beyond[slot * NODES + node + 1];
    const double share = left / (left - right);
    return step_at(s, node_at(node) + share * (node_at(node + 1) - node_at(node)));
}

/* Finishes the segment (true), or plans on. */
static bool judge(work *w, const segment *s, size_t slot, plan *ret_plan)
{
    double coefficient[NODES];
    const hit *h = NULL;
    const size_t node = break_after(w, slot, &h);
    *ret_plan = (plan){.apart = !w->crowded, .place = step_at(s, 0)};
    if (w->crowded) return false;
    if (node < NODES) {
        ret_plan->place = kink_place(s, h, slot, node);
        ret_plan->surroundings = SURROUNDINGS * (s->high - s->low);
        return false;
    }
    coefficients_of(w->numeric->tail.loss + slot * NODES, coefficient);
    if (w->bent[slot] || !has_converged(coefficient)) return false;
    finish(w, s, slot, coefficient);
    return true;
}

static void segments_run(work *w, const segment *segments, size_t count)
{
    double step[LANES] = {0};
    plan plans[SLOTS];
    bool done[SLOTS];
    for (size_t slot = 0; slot < count; slot++)
        for (size_t node = 0; node < NODES; node++)
            step[slot * NODES + node] = step_at(&segments[slot], node_at(node));
    run(w, step, 0);
    for (size_t slot = 0; slot < count; slot++)
        done[slot] = judge(w, &segments[slot], slot, &plans[slot]);
    for (size_t slot = 0; slot < count; slot++)
        if (!done[slot]) carry_out(w, &segments[slot], &plans[slot]);
}

/* Points at 0 are left out, the others parted by their sign. */
static void begin(work *w)
{
    const segments_points *points = w->points;
    size_t negative = 0, used = 0;
    for (size_t i = 0; i < points->count; i++) {
        points->change[i] = 0;
        points->crossed[i] = 0;
        if (points->step[i] == 0) continue;
        points->order[used] = i;
        if (points->step[i] < 0) {
            points->order[used] = points->order[negative];
            points->order[negative++] = i;
        }
        used++;
    }
    push(w, 0, negative);
    push(w, negative, used - negative);
}

void segments_evaluate(gck_numeric *numeric, size_t sample, size_t unit,
                       const segments_points *points, gck_crossings *crossings)
{
    work w = {.numeric = numeric,
              .sample = sample,
              .unit = unit,
              .points = points,
              .crossings = crossings,
              .runs_max = points->count / (2 * LANES)};
    begin(&w);
    while (w.depth > 0) {
        const size_t count = w.depth < SLOTS ? w.depth : SLOTS;
        segment segments[SLOTS];
        w.depth -= count;
        memcpy(segments, w.stack + w.depth, count * sizeof segments[0]);
        segments_run(&w, segments, count);
    }
}
