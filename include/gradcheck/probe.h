/* Numeric derivatives of any f(x), each with an estimate of its error.
 *
 * Two ways in:
 *   - gck_probe_gradient and gck_probe_directions take f as a callback and do it all;
 *   - gck_line says at which steps it wants f along one line through x, and makes the derivative
 *     from the changes. Who evaluates many lines at once in a way of their own drive one each.
 *
 * Nothing here knows what f is. Same arguments, same bits. Any thread; only the two calls that take
 * a callback allocate, once, before they call it. u is 2^-53 throughout.
 *
 * Not finite: where f is NaN or infinite at a point that a derivative cannot do without, the
 * derivative is NaN. An error of infinity means that nothing is known of it. */
#ifndef GRADCHECK_PROBE_H
#define GRADCHECK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradcheck/status.h>

/* CENTRAL       (f(x + h) - f(x - h)) / 2h with h = epsilon. Errs by h^2 f'''/6.
 * FORWARD       (f(x + h) - f(x)) / h with h = epsilon. Errs by h f''/2.
 * COMPLEX_STEP  Im f(x + ih) / h. Exact to rounding: nothing is subtracted, so h can be so small
 *               that h^2 vanishes. Needs f on complex numbers. Squire, Trapp, "Using complex
 *               variables to estimate derivatives of real functions", SIAM Review 40(1), 1998.
 * RIDDERS       Central differences with steps that halve, extrapolated to h = 0. C. J. F. Ridders,
 *               "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software
 *               4(2), 1982. See gck_line.
 * DIRECTIONAL   Not every element, but derivatives along random directions. */
typedef enum gck_method {
    GCK_CENTRAL,
    GCK_FORWARD,
    GCK_COMPLEX_STEP,
    GCK_RIDDERS,
    GCK_DIRECTIONAL
} gck_method;

/* ---- one line ---- */

enum { GCK_LINE_STEPS = 4, GCK_RIDDERS_LEVELS = 10 };

typedef struct gck_line_spec {
    gck_method method; /* any but GCK_DIRECTIONAL */
    double epsilon;    /* central and forward: the step h > 0 */
    double scale;      /* ridders and complex step: |x|, or what stands for it (see below) */
    bool estimate;     /* central and forward: ask for the steps that an error estimate takes */
} gck_line_spec;

/* What f does at one of the steps asked for. */
typedef struct gck_change {
    double step;   /* t as really taken, (x + t) - x; or as asked for, if that is what was taken */
    double change; /* g(t) = f(x + tv) - f(x); for complex step Im f(x + itv) */
    double noise;  /* bound of what g(t) is wrong by, beyond its own last digits (2u |g|) */
} gck_change;

/* An entry of Ridders' tableau. */
typedef struct gck_line_entry {
    double quotient; /* derivative */
    double gap;      /* right slope minus left slope, extrapolated alike; 0 where f is smooth */
    double noise;    /* bound of what noise did to the quotient */
} gck_line_entry;

typedef struct gck_line_best {
    gck_line_entry entry;
    double error; /* estimate; infinity when there is no entry */
    double size;  /* (|g(h)| + |g(-h)|) / 2h at its smallest step */
} gck_line_best;

/* One line at work. begin asks for the first round; while `asked` is not 0, evaluate g at step[0],
 * …, step[asked - 1] and take the changes, in the same order; then derivative and error stand.
 *
 *   central   one round: h, -h; with an estimate h/2, -h/2 as well.
 *             error = 2 (|T(h) - T(h/2)| + noise) + |2 G(h/2) - G(h)|, T and G as below.
 *   forward   one round: h; with an estimate -h and h/2 as well.
 *             error = |D(h) - D(-h)| + 2 (|D(h) - D(h/2)| + noise), D(t) = g(t)/t.
 *   complex   one round: h = 2^-300 max(1, scale), but at most 2^-60 scale for a scale other than
 *             0, so that h^2 vanishes beside x^2 too; rounded to a power of two. error = 8u
 *             |derivative| + noise: what a formula errs by that does not cancel.
 *   ridders   rounds of h, -h for h = s, s/2, s/4, …, s = 2^-7 max(1, scale), rounded down to a
 *             power of two, which is added to x without an error more often than another number.
 *
 * Without an estimate, the error of central and forward is infinity.
 *
 * Ridders. With T_k0 = (g(h) - g(-h)) / 2h at the k-th step, T_ki = T_k,i-1 + (T_k,i-1 - T_k-1,i-1)
 * / (4^i - 1) has no h^2, …, h^2i in its error any more. Ridders estimates it by max(|T_ki -
 * T_k,i-1|, |T_ki - T_k-1,i-1|), of which the second is always the larger. The difference of two
 * central differences cannot see a kink at x, whose central differences are all alike; the gap of
 * the two slopes G_k0 = g(h)/h - g(-h)/-h can: it is h f'' + h^3 f''''/12 + … where f is smooth and
 * tends to the jump of f' where it is not. Extrapolated alike, G_ki = G_k,i-1 + (G_k,i-1 -
 * G_k-1,i-1) / (2^(2i-1) - 1), |G_ki| / 2 is the distance to either slope at x. So
 *
 *   error = |T_ki - T_k-1,i-1| + |G_ki| / 2 + what noise can have done (bounds, combined like T),
 *
 * and the entry of least error is the result. A line ends
 *   - when its error is at most 3 times that noise, not before the third step, or at the second if
 *     f did not change at all;
 *   - when it is settled, its error at most 2^-20 of the slopes it is made from (`size`) or 5 times
 *     that noise, and a step's least error is twice the least so far;
 *   - when the noise of its last quotient alone is more than its error;
 *   - after GCK_RIDDERS_LEVELS steps. Then f has a kink, a jump or a pole within 2^-16 of that
 *     scale or so, or varies faster: a second tableau is begun, with 2^-27 for 2^-7, and the better
 *     of both results counts. So a line takes at most 2 * GCK_RIDDERS_LEVELS rounds, and a smooth
 *     one 3 to 5.
 *
 * A step whose quotient or gap is far from where a settled line had come (f has a period that
 * divides all steps before) makes it forget those. A step at which f is not finite is left out, and
 * the tableau begins after it. Where nothing settles and slopes grow more than 8 times over the
 * first tableau (a jump at x, a vertical tangent), the error is infinity.
 *
 * A line takes about half a KiB and owns nothing. */
typedef struct gck_line {
    size_t asked; /* steps wanted now; 0 when done */
    double step[GCK_LINE_STEPS];
    double derivative, error; /* when done */

    /* The line's own from here on. */
    gck_line_spec spec;
    size_t level, pass;                     /* steps taken in this tableau; tableaus before */
    size_t columns;                         /* entries of the last row */
    gck_line_entry row[GCK_RIDDERS_LEVELS]; /* the tableau's last row */
    gck_line_best best, before;             /* of this tableau, of the one before */
    double size_first, size_last;           /* gck_line_best.size at both ends of the first */
} gck_line;

void gck_line_begin(gck_line *line, const gck_line_spec *spec);
/* change: line->asked of them */
void gck_line_take(gck_line *line, const gck_change *change);

/* ---- a function ---- */

/* f is handed a copy of x with one element (or one segment) moved, which holds exactly x again
 * before the next is. */
typedef struct gck_probe_spec {
    double (*value)(void *context, const double *x);
    double _Complex (*complex_value)(void *context, const double _Complex *x); /* may be NULL */
    void *context;
    size_t count;
    const double *x; /* count elements */
    gck_method method;
    double epsilon;              /* central and forward; others ignore it */
    double noise;                /* absolute error of a value of f, beyond its last digits */
    bool (*stop)(void *context); /* asked between elements; NULL: never */
    void *stop_context;
} gck_probe_spec;

/* ret_derivative[j] = df/dx_j with |error| about ret_error[j] (which may be NULL) at most, for j <
 * count, by any method but directional. Evaluations: central 2, forward 1, complex step 1, ridders
 * 4 to 40 (mostly 6 to 10) an element, and one of f(x) but for complex step; with errors central 4
 * and forward 3.
 *
 * A change f(x + t) - f(x) is taken to be uncertain by 2u (|f(x + t)| + |f(x)|) + 2u |x_j| |its
 * slope| + 2 noise: the last digits of f, and of what it computes from x. A function that loses
 * more digits inside, as ln(1 + e) does for a small e, has to say so in `noise`, or its errors are
 * estimated too small.
 *
 * Steps are as taken: x + h is rounded, and the difference to x is what is divided by. An h that
 * vanishes beside x altogether gives 0 with an error of infinity.
 *
 * GCK_INVALID names `method`, `epsilon`, `noise`, `count`, `value`, or `complex_value` when complex
 * step has none; then the vectors are untouched. GCK_STOPPED, GCK_MEMORY: what they hold is
 * undefined. */
gck_status gck_probe_gradient(const gck_probe_spec *spec, double *ret_derivative, double *ret_error,
                              gck_error *error);

/* ---- random directions ---- */

/* Part of x: one tensor, say. */
typedef struct gck_segment {
    size_t first, count;
} gck_segment;

enum { GCK_DIRECTIONS_MAX = 256 };

typedef struct gck_direction_spec {
    uint64_t seed;
    size_t count; /* directions of each segment, 1 … GCK_DIRECTIONS_MAX */
    const gck_segment *segment;
    size_t segment_count; /* 0: all of x is the only one */
} gck_direction_spec;

/* v, the direction-th of a tensor: count independent standard normal numbers, of which two come
 * from one block of bits (GCK_RNG_DIRECTION) by the method of Box and Muller; an element's value
 * depends on its place alone. Any two sets of kernels give values within 14u of one another,
 * relative to the value. An element takes about 1.2 ns with AVX-512, 2.6 with AVX2 and 10 without
 * (one core of an AMD EPYC 9005). Segment i of a gck_direction_spec is tensor i. */
void gck_direction_draw(uint64_t seed, uint32_t tensor, size_t direction, size_t count, double *v);

/* <a, v>, computed as with twice the digits and then rounded (Ogita, Rump, Oishi, "Accurate sum and
 * dot product", SIAM J. Sci. Comput. 26(6), 2005), so that it is as good as a is: beyond u |<a, v>|
 * it errs by at most ((count + 1) u)^2 times the sum of |a[i] v[i]|, as long as nothing underflows.
 * From the caches 0.2, 0.3 and 1.2 ns an element. */
double gck_direction_dot(const double *a, const double *v, size_t count);
/* Sum of bar[i] |v[i]|. */
double gck_direction_bar(const double *bar, const double *v, size_t count);

/* ret_derivative[i * directions->count + k] = the derivative of f along direction k of segment i,
 * the rest of x standing still; ret_error alike, or NULL. By complex step if there is a
 * complex_value, otherwise by ridders along the line with scale = the segment's root mean square.
 * There the points x + tv are rounded, which moves f by up to u * sum |x_j df/dx_j|: the estimate
 * sees it as scatter.
 *
 * spec->method is GCK_DIRECTIONAL. GCK_INVALID names, beside the above, `directions.count` and
 * `directions.segment[i]` (empty, or not within x). */
gck_status gck_probe_directions(const gck_probe_spec *spec, const gck_direction_spec *directions,
                                double *ret_derivative, double *ret_error, gck_error *error);

/* What is known along one direction v. */
typedef struct gck_direction {
    double exact;   /* n: numeric derivative along v */
    double claimed; /* a = <claim, v> */
    double bar;     /* what rounding may do to n - a: sum of bar_j |v_j|, and the error of n */
} gck_direction;

/* Norms are estimates: v has independent standard normal elements, so <e, v> is normal with
 * variance |e|^2, and the mean of <e, v_i>^2 estimates |e|^2 without bias.
 *
 * detection: an error with this norm, relative to exact + claimed, would have been found wrong with
 * probability GCK_DETECTION. For z normal with variance e^2, P(|z| <= T) is at most 2T times the
 * density at 0, T sqrt(2/pi)/e, and at most 1; directions are independent, so
 *   P(missed) <= prod_i min(1, sqrt(2/pi) T_i / e),
 * and where no factor is cut to 1, e = sqrt(2/pi) (prod T_i)^(1/k) / (1 - GCK_DETECTION)^(1/k)
 * makes that 1 - GCK_DETECTION. Thresholds are taken as given; they hold n and a, and so are larger
 * where an error in proportion to the gradient is, which is then seen or not in all directions
 * alike. */
typedef struct gck_directional {
    size_t wrong;                      /* directions with !(|n - a| <= T) */
    double difference, exact, claimed; /* |n - a|, |n|, |a| */
    double detection; /* 0 when every threshold is, infinity when nothing would be seen */
} gck_directional;

#define GCK_DETECTION 0.999

/* With thresholds T_i = tolerance (|n_i| + |a_i|) + bar_i; count > 0. Pure. */
gck_directional gck_directions_judge(const gck_direction *direction, size_t count,
                                     double tolerance);

#endif
