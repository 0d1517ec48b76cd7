/* Probing units, not weights.
 *
 * W[i][j] acts on sample k through z_jk alone, by s = h x_ik. So the loss of a sample as a function
 * of one pre-activation, φ(s) = L_k(z_jk + s), serves all weights into the unit: a few values of it
 * over the range of all stencils give its odd and even part as polynomials, and the differences of
 * the whole tensor are a matrix product of powers of x and their coefficients. Where a stencil
 * might cross a kink, or where the fit's own slope is not the exact one, the pair of unit and
 * sample is flagged, and evaluated between its kinks (core/segments.c). */
#include "core/gemm.h"
#include "core/kernels.h"
#include "core/numeric.h"

#include <math.h>
#include <string.h>

/* A fit is believed where its slope at 0 agrees with the exact one to this share of it and of a 64th
 * of the largest one among the grain's units and samples. The error of a fit between its nodes is smaller still. */
#define FIT_AGREEMENT 1e-11

/* How far beyond the range a kink must lie: the outermost node stops short of it. */
#define KINK_MARGIN 1.02

static size_t lanes_of(const gck_numeric *numeric)
{
    return numeric->samples->lanes;
}

/* Of the fits: odd powers, and for `forward` even ones. */
static size_t terms_of(const gck_numeric *numeric)
{
    return numeric->spec.method == GCK_FORWARD ? 2 * numeric->fit.nodes : numeric->fit.nodes;
}

static void fill(double *values, size_t count, double value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

/* ---- exact slopes ---- */

static void tangents_fill(gck_numeric *numeric, size_t first, size_t count)
{
    const size_t lanes = lanes_of(numeric);
    for (size_t u = 0; u < count; u++) {
        fill(gck_tail_begin(&numeric->tail, numeric->samples, first + u), lanes, 1);
        gck_tail_tangent(&numeric->tail, numeric->layer);
        memcpy(numeric->tangents + u * lanes, numeric->tail.loss, lanes * sizeof(double));
    }
}

static double largest_tangent(const gck_numeric *numeric, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count * lanes_of(numeric); i++)
        if (fabs(numeric->tangents[i]) > largest) largest = fabs(numeric->tangents[i]);
    return largest;
}

/* ---- probes ---- */

typedef struct probe {
    gck_numeric *numeric;
    size_t first, tile; /* samples */
    double floor;       /* of the agreement asked for */
} probe;

/* The outermost copies see all kinks that the ones between them do. */
static void flag_crossings(void *context, size_t layer, size_t unit, double place, const double *z,
                           const double *change)
{
    (void)layer, (void)unit;
    const probe *p = context;
    gck_kernels_active()->cross(2 * p->tile, place, KINK_MARGIN / p->numeric->fit.node[0], z,
                                change, p->numeric->mark);
}

/* Copy 2i is at +node[i], copy 2i + 1 at -node[i]. */
static void steps_fill(const probe *p, double *row)
{
    const gck_numeric *numeric = p->numeric;
    for (size_t node = 0; node < numeric->fit.nodes; node++)
        for (size_t k = 0; k < p->tile; k++) {
            const double s = numeric->fit.node[node] * numeric->range[p->first + k];
            row[2 * node * p->tile + k] = s;
            row[(2 * node + 1) * p->tile + k] = -s;
        }
}

/* The fits of one unit in one sample. */
typedef struct fits {
    double odd[GCK_NODES_MAX], even[GCK_NODES_MAX];
} fits;

static fits fits_of(const probe *p, size_t k)
{
    const gck_fit *fit = &p->numeric->fit;
    const double *loss = p->numeric->tail.loss + k;
    fits f = {0};
    for (size_t node = 0; node < fit->nodes; node++) {
        const double upper = loss[2 * node * p->tile], lower = loss[(2 * node + 1) * p->tile];
        for (size_t term = 0; term < fit->nodes; term++) {
            f.odd[term] += fit->odd[term][node] * ((upper - lower) / 2);
            f.even[term] += fit->even[term][node] * ((upper + lower) / 2);
        }
    }
    return f;
}

/* The first term that the even fit leaves out, if terms go on as the last two do. */
static double even_rest(const fits *f, size_t nodes)
{
    const double last = fabs(f->even[nodes - 1]), before = fabs(f->even[nodes - 2]);
    return before > last ? last * (last / before) : last;
}

static bool fits_agree(const probe *p, const fits *f, size_t u, size_t k)
{
    const gck_numeric *numeric = p->numeric;
    const double exact = numeric->tangents[u * lanes_of(numeric) + p->first + k];
    const double range = numeric->range[p->first + k];
    const double allowed = FIT_AGREEMENT * (fabs(exact) + p->floor);
    if (!(fabs(f->odd[0] / range - exact) <= allowed)) return false;
    if (numeric->spec.method != GCK_FORWARD) return true;
    return even_rest(f, numeric->fit.nodes) <= allowed * range;
}

static bool crosses(const probe *p, size_t k)
{
    return p->numeric->mark[k] != 0 || p->numeric->mark[p->tile + k] != 0;
}

/* Powers of `forward` alternate between both fits; those of `central` are odd. */
static void coefficients_store(const probe *p, size_t u, size_t k)
{
    const gck_numeric *numeric = p->numeric;
    const size_t lanes = lanes_of(numeric), sample = p->first + k, terms = terms_of(numeric);
    const double weight = numeric->samples->weights[sample];
    const fits f = fits_of(p, k);
    const bool trusted = weight != 0 && !crosses(p, k) && fits_agree(p, &f, u, k);
    const double factor = numeric->spec.factor * weight / numeric->spec.epsilon;
    double *coefficient = numeric->coefficients + u * terms * lanes + sample;
    numeric->flagged[u * lanes + sample] = !trusted && weight != 0;
    const size_t step = terms / numeric->fit.nodes;
    for (size_t term = 0; term < terms; term++) {
        const double value = term % step == 0 ? f.odd[term / step] : f.even[term / step];
        coefficient[term * lanes] = trusted ? factor * value : 0;
    }
}

static void probe_unit(const probe *p, size_t unit, size_t u)
{
    gck_numeric *numeric = p->numeric;
    steps_fill(p, gck_tail_begin(&numeric->tail, numeric->copies, unit));
    memset(numeric->mark, 0, 2 * p->tile * sizeof *numeric->mark);
    const gck_watch watch = {flag_crossings, (void *)p};
    gck_tail_change(&numeric->tail, numeric->layer, watch);
    for (size_t k = 0; k < p->tile; k++)
        coefficients_store(p, u, k);
}

static gck_status probe_units(gck_numeric *numeric, size_t first, size_t count, gck_stop stop,
                              gck_error *error)
{
    const size_t copies = 2 * numeric->fit.nodes, tile = numeric_tile(numeric, copies);
    const double floor = largest_tangent(numeric, count) / 64;
    for (size_t at = 0; at < lanes_of(numeric); at += tile) {
        const size_t left = lanes_of(numeric) - at;
        const probe p = {numeric, at, left < tile ? left : tile, floor};
        numeric_copies(numeric, numeric->layer, at, p.tile, copies);
        for (size_t u = 0; u < count; u++) {
            probe_unit(&p, first + u, u);
            if (numeric_stops(stop)) return gck_error_set(error, GCK_STOPPED, "", "stopped");
        }
    }
    return GCK_OK;
}

/* ---- products ---- */

static void numeric_product(const gck_numeric *numeric, size_t count, double *ret)
{
    gck_gemm(numeric->inputs, count, terms_of(numeric) * lanes_of(numeric),
             (gck_gemm_operand){numeric->powers, false},
             (gck_gemm_operand){numeric->coefficients, true}, 0, ret);
}

/* Uses up the tangents. */
static void exact_product(gck_numeric *numeric, size_t count, double *ret)
{
    const size_t lanes = lanes_of(numeric);
    for (size_t u = 0; u < count; u++)
        for (size_t k = 0; k < lanes; k++) {
            const double weight = numeric->samples->weights[k];
            double *tangent = &numeric->tangents[u * lanes + k];
            *tangent = weight == 0 ? 0 : *tangent * (numeric->spec.factor * weight);
        }
    gck_gemm(numeric->inputs, count, lanes, (gck_gemm_operand){numeric->x, false},
             (gck_gemm_operand){numeric->tangents, true}, 0, ret);
}

/* ---- all together ---- */

static void add_penalties(const gck_numeric *numeric, const numeric_units *units)
{
    const gck_model *model = numeric->spec.model;
    for (size_t i = 0; i < numeric->inputs; i++)
        for (size_t u = 0; u < units->count; u++) {
            const size_t element = numeric_element(numeric, i, units->first + u);
            const double theta = numeric->spec.parameters[element];
            const numeric_step s = numeric_step_at(numeric, theta);
            const size_t at = i * units->count + u;
            units->result->exact[at] += gck_model_penalty_exact(model, element, theta);
            if (!numeric_is_quotient(numeric)) continue;
            units->result->numeric[at] += (gck_model_penalty_at(model, element, s.upper) -
                                           gck_model_penalty_at(model, element, s.lower)) /
                                          s.length;
        }
}

static gck_status by_probes(gck_numeric *numeric, const numeric_units *units, gck_error *error)
{
    gck_status status = probe_units(numeric, units->first, units->count, units->stop, error);
    if (status != GCK_OK) return status;
    numeric_product(numeric, units->count, units->result->numeric);
    status = numeric_flagged(numeric, units, error);
    return status == GCK_OK ? numeric_direct(numeric, units, true, error) : status;
}

gck_status gck_numeric_units(gck_numeric *numeric, size_t layer, size_t first, size_t count,
                             bool penalties, gck_stop stop, gck_numeric_result *result,
                             gck_error *error)
{
    const numeric_units units = {first, count, penalties, stop, result};
    gck_status status = GCK_OK;
    numeric_layer(numeric, layer);
    tangents_fill(numeric, first, count);
    if (numeric_is_quotient(numeric) && !numeric->spec.direct)
        status = by_probes(numeric, &units, error);
    else if (numeric->spec.method != GCK_COMPLEX_STEP)
        status = numeric_direct(numeric, &units, false, error);
    if (status != GCK_OK) return status;
    exact_product(numeric, count, result->exact);
    if (penalties && gck_layer_is_penalised(&numeric->spec.model->layer[layer]))
        add_penalties(numeric, &units);
    if (numeric->spec.method == GCK_COMPLEX_STEP)
        memcpy(result->numeric, result->exact, numeric->inputs * count * sizeof(double));
    return GCK_OK;
}
