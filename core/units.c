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

/* A fit is believed where its slope at 0 agrees with the exact one to this share of it and of a
 * 64th of the largest one among the grain's units and samples. The error of a fit between its nodes
 * is smaller still. */
#define FIT_AGREEMENT 1e-11

/* How far beyond the range a kink must lie: the outermost node stops short of it. */
#define KINK_MARGIN 1.02

static size_t lanes_of(const gck_numeric *numeric)
{
    return numeric->samples->lanes;
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

/* ---- probes ---- */

typedef struct probe {
    gck_numeric *numeric;
    size_t first, tile; /* samples */
} probe;

/* The outermost copies see all kinks that the ones between them do, where units do not turn back.
 */
static void flag_crossings(void *context, size_t layer, size_t unit, double place, const double *z,
                           const double *change)
{
    (void)layer, (void)unit;
    const probe *p = context;
    gck_kernels_active()->cross(2 * p->tile, place, KINK_MARGIN / p->numeric->fit.node[0], z,
                                change, p->numeric->mark);
    gck_kernels_active()->swing(p->tile, place, z, change, change + p->tile, p->numeric->mark);
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

static double *coefficients_at(const gck_numeric *numeric, size_t u, size_t sample)
{
    return numeric->coefficients + u * numeric_terms(numeric) * lanes_of(numeric) + sample;
}

/* The fits of one unit in one sample, in units of the loss; those of `forward` alternate between
 * odd and even powers. */
static void fits_store(const probe *p, size_t u, size_t k)
{
    const gck_numeric *numeric = p->numeric;
    const gck_fit *fit = &numeric->fit;
    const size_t lanes = lanes_of(numeric), sample = p->first + k;
    const size_t parities = numeric_terms(numeric) / fit->nodes;
    const double *loss = numeric->tail.loss + k;
    double *coefficient = coefficients_at(numeric, u, sample);
    for (size_t term = 0; term < fit->nodes; term++) {
        double odd = 0, even = 0;
        for (size_t node = 0; node < fit->nodes; node++) {
            const double upper = loss[2 * node * p->tile], lower = loss[(2 * node + 1) * p->tile];
            odd += fit->odd[term][node] * ((upper - lower) / 2);
            even += fit->even[term][node] * ((upper + lower) / 2);
        }
        coefficient[parities * term * lanes] = odd;
        if (parities > 1) coefficient[(parities * term + 1) * lanes] = even;
    }
    numeric->flagged[u * lanes + sample] = numeric->mark[k] != 0 || numeric->mark[p->tile + k] != 0;
}

static void probe_unit(const probe *p, size_t unit, size_t u)
{
    gck_numeric *numeric = p->numeric;
    steps_fill(p, gck_tail_begin(&numeric->tail, numeric->copies, unit));
    memset(numeric->mark, 0, 2 * p->tile * sizeof *numeric->mark);
    const gck_watch watch = {flag_crossings, (void *)p};
    gck_tail_change(&numeric->tail, numeric->layer, watch);
    for (size_t k = 0; k < p->tile; k++)
        fits_store(p, u, k);
}

static gck_status probe_units(gck_numeric *numeric, const numeric_units *units, gck_error *error)
{
    const size_t copies = 2 * numeric->fit.nodes, tile = numeric_tile(numeric, copies);
    for (size_t at = 0; at < lanes_of(numeric); at += tile) {
        const size_t left = lanes_of(numeric) - at;
        const probe p = {numeric, at, left < tile ? left : tile};
        numeric_copies(numeric, numeric->layer, at, p.tile, copies);
        for (size_t u = 0; u < units->count; u++) {
            probe_unit(&p, units->first + u, u);
            if (numeric_stops(units->stop)) return gck_error_set(error, GCK_STOPPED, "", "stopped");
        }
    }
    return GCK_OK;
}

/* ---- which fits are believed ---- */

static double fitted_slope(const gck_numeric *numeric, size_t u, size_t sample)
{
    return *coefficients_at(numeric, u, sample) / numeric->range[sample];
}

static double exact_slope(const gck_numeric *numeric, size_t u, size_t sample)
{
    return numeric->tangents[u * lanes_of(numeric) + sample];
}

/* The largest w_k |dL_k/dz| that both ways of taking it show: beside a pole the exact one alone can
 * be huge, and what it is beside must not be judged by it. */
static double largest_slope(const gck_numeric *numeric, size_t count)
{
    double largest = 0;
    for (size_t u = 0; u < count; u++)
        for (size_t k = 0; k < lanes_of(numeric); k++) {
            const double exact = fabs(exact_slope(numeric, u, k));
            const double fitted = fabs(fitted_slope(numeric, u, k));
            const double weight = numeric->samples->weights[k];
            const double size = weight == 0 ? 0 : weight * (exact < fitted ? exact : fitted);
            if (size > largest && isfinite(size)) largest = size;
        }
    return largest;
}

/* The first even term that is left out, if terms go on as the last two do. */
static double even_rest(const gck_numeric *numeric, const double *coefficient)
{
    const size_t lanes = lanes_of(numeric), terms = numeric_terms(numeric);
    const double last = fabs(coefficient[(terms - 1) * lanes]);
    const double before = fabs(coefficient[(terms - 3) * lanes]);
    return before > last ? last * (last / before) : last;
}

static bool fits_agree(const gck_numeric *numeric, size_t u, size_t sample, double floor)
{
    const double exact = exact_slope(numeric, u, sample);
    const double allowed =
        FIT_AGREEMENT * (fabs(exact) + floor / numeric->samples->weights[sample]);
    if (!(fabs(fitted_slope(numeric, u, sample) - exact) <= allowed)) return false;
    if (numeric->spec.method != GCK_FORWARD) return true;
    return even_rest(numeric, coefficients_at(numeric, u, sample)) <=
           allowed * numeric->range[sample];
}

/* Turns believed fits into what the product takes, and others into 0, flagged. */
static void fits_judge(gck_numeric *numeric, size_t count)
{
    const size_t lanes = lanes_of(numeric), terms = numeric_terms(numeric);
    const double floor = largest_slope(numeric, count) / 64;
    for (size_t u = 0; u < count; u++)
        for (size_t k = 0; k < lanes; k++) {
            const double weight = numeric->samples->weights[k];
            unsigned char *flagged = &numeric->flagged[u * lanes + k];
            const bool trusted = weight != 0 && !*flagged && fits_agree(numeric, u, k, floor);
            const double factor = numeric->spec.factor * weight / numeric->spec.epsilon;
            double *coefficient = coefficients_at(numeric, u, k);
            *flagged = !trusted && weight != 0;
            for (size_t term = 0; term < terms; term++)
                coefficient[term * lanes] = trusted ? factor * coefficient[term * lanes] : 0;
        }
}

/* ---- products ---- */

static void numeric_product(const gck_numeric *numeric, size_t count, double *ret)
{
    gck_gemm(numeric->inputs, count, numeric_terms(numeric) * lanes_of(numeric),
             (gck_gemm_operand){numeric->powers, false},
             (gck_gemm_operand){numeric->coefficients, true}, false, ret);
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
             (gck_gemm_operand){numeric->tangents, true}, false, ret);
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
    gck_status status = probe_units(numeric, units, error);
    if (status != GCK_OK) return status;
    fits_judge(numeric, units->count);
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
