/* The library alone, timed: engine info, or engine CASE WAY LIMIT [BATCH]
 *
 * WAY is one of
 *   units, direct   a whole check by that engine, one thread: made, computed, folded, reported
 *   plain           two forward passes over the whole batch for each parameter, nothing else
 *   pass            one forward and one backward pass over the whole batch
 *   train           one epoch of Adam in batches of BATCH rows, in order; seconds of one batch
 *
 * and the answer is a line `CASE WAY SECONDS MARK REPETITIONS VERDICT`. It is the best of as many
 * repetitions as LIMIT seconds allow, at least one. A check by the direct engine or the plain loop
 * that would take longer is computed in part: MARK is then ~, not =, and SECONDS is extrapolated
 * from grains or parameters spread evenly over all. */
#include "bench/cases.h"

#include <gradcheck/blas.h>
#include <gradcheck/check.h>
#include <gradcheck/kernels.h>
#include <gradcheck/optimizer.h>
#include <gradcheck/train.h>

#include "core/backward.h"
#include "core/forward.h"
#include "core/kernels.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPSILON 1e-4

static const gck_stop never = {0};

typedef struct timing {
    double seconds;
    bool estimated;
    size_t repetitions;
    const char *verdict;
} timing;

/* Calls once(context) for limit seconds, at least `least` times; the best. */
static timing best_of(double limit, size_t least, double (*once)(void *), void *context)
{
    timing best = {.seconds = INFINITY, .verdict = "-"};
    const double start = now();
    do {
        best.seconds = fmin(best.seconds, once(context));
        best.repetitions++;
    } while (best.repetitions < least || now() - start + best.seconds < limit);
    return best;
}

/* ---- one forward and one backward pass ---- */

typedef struct pass_work {
    const bench_case *which;
    gck_pass *pass;
    gck_backward_room room;
    double *gradient;
} pass_work;

static double pass_once(void *context)
{
    pass_work *work = context;
    const gck_model *model = work->which->model;
    memset(work->gradient, 0, model->parameter_count * sizeof *work->gradient);
    const double start = now();
    gck_forward_losses(work->pass, work->which->parameters);
    gck_backward(work->pass, &work->room, 1 / (double)work->which->data->samples, work->gradient,
                 false);
    return now() - start;
}

static timing time_pass(const bench_case *which, double limit)
{
    gck_error error = {0};
    const size_t rows = which->data->samples;
    pass_work work = {.which = which, .gradient = gck_vector_new(which->model->parameter_count)};
    if (work.gradient == NULL) fail("out of memory");
    require(gck_pass_new(which->model, rows, false, &work.pass, &error), &error);
    require(gck_backward_room_init(&work.room, which->model, rows, &error), &error);
    gck_pass_load(work.pass, which->data, (gck_rows){0, rows, NULL});
    const timing best = best_of(limit, 5, pass_once, &work);
    gck_pass_free(work.pass);
    gck_backward_room_done(&work.room);
    gck_vector_free(work.gradient);
    return best;
}

/* ---- a check ---- */

typedef struct check_work {
    gck_check_spec spec;
    gck_check *check;
    gck_check_room *room;
    gck_verdict verdict;
} check_work;

static void check_open(check_work *work)
{
    gck_error error = {0};
    require(gck_check_new(&work->spec, &work->check, &error), &error);
    require(gck_check_room_new(work->check, &work->room, &error), &error);
}

static void check_close(check_work *work)
{
    gck_check_room_free(work->room);
    gck_check_free(work->check);
}

static void grain_compute(const check_work *work, size_t index, gck_partial *partial)
{
    gck_error error = {0};
    require(gck_check_grain(work->check, index, work->room, never, partial, &error), &error);
}

static double check_once(void *context)
{
    check_work *work = context;
    gck_error error = {0};
    gck_report *report;
    const double start = now();
    check_open(work);
    const size_t grains = gck_check_cut_of(work->check)->grain_count;
    for (size_t i = 0; i < grains; i++) {
        gck_partial partial;
        grain_compute(work, i, &partial);
        require(gck_check_fold(work->check, i, &partial, &error), &error);
        gck_partial_done(&partial);
    }
    require(gck_check_report(work->check, &report, &error), &error);
    work->verdict = report->verdict;
    gck_report_free(report);
    check_close(work);
    return now() - start;
}

/* Place i of 0, 1, 2, … in an order whose every beginning is spread evenly over count places
 * (multiples of the golden section, so some places come twice and some never). */
static size_t spread(size_t i, size_t count)
{
    const double turn = (double)i * 0.61803398874989485;
    return (size_t)((turn - floor(turn)) * (double)count);
}

/* Grains spread over all, for limit seconds; the whole check at their pace. The one before each is
 * computed first, untimed: a room keeps what consecutive grains share. */
static double check_estimate(check_work *work, double limit)
{
    check_open(work);
    const size_t grains = gck_check_cut_of(work->check)->grain_count;
    const double end = now() + limit;
    double spent = 0;
    size_t done = 0;
    for (; done == 0 || now() < end; done++) {
        const size_t index = spread(done, grains);
        gck_partial before = {0}, partial;
        if (index > 0) grain_compute(work, index - 1, &before);
        const double start = now();
        grain_compute(work, index, &partial);
        spent += now() - start;
        gck_partial_done(&before);
        gck_partial_done(&partial);
    }
    check_close(work);
    return spent / (double)done * (double)grains;
}

static check_work check_of(const bench_case *which, gck_engine engine)
{
    return (check_work){.spec = {.model = which->model,
                                 .parameters = which->parameters,
                                 .data = which->data,
                                 .engine = engine,
                                 .method = GCK_CENTRAL,
                                 .epsilon = EPSILON,
                                 .tolerance = NAN,
                                 .worst = 5}};
}

static timing time_whole(check_work *work, double limit)
{
    timing best = best_of(limit, 1, check_once, work);
    best.verdict = gck_verdict_name(work->verdict);
    return best;
}

static timing time_units(const bench_case *which, double limit)
{
    check_work work = check_of(which, GCK_ENGINE_UNITS);
    return time_whole(&work, limit);
}

static timing time_direct(const bench_case *which, double limit)
{
    check_work work = check_of(which, GCK_ENGINE_DIRECT);
    if (check_estimate(&work, limit / 4) < limit) return time_whole(&work, limit);
    return (timing){check_estimate(&work, limit), true, 1, "-"};
}

/* ---- the plain loop ---- */

typedef struct plain_work {
    const bench_case *which;
    gck_pass *pass;     /* the whole batch, loaded */
    double *parameters; /* a copy, to be disturbed */
    double *numeric;
    size_t count; /* parameters, spread over all */
} plain_work;

/* J, by a forward pass. */
static double plain_cost(const plain_work *work)
{
    const gck_model *model = work->which->model;
    gck_forward_losses(work->pass, work->parameters);
    return gck_cost_factor(&model->cost, work->pass->samples, model->outputs) *
           gck_pass_loss_sum(work->pass);
}

static double plain_once(void *context)
{
    const plain_work *work = context;
    const size_t parameters = work->which->model->parameter_count;
    const double start = now();
    for (size_t i = 0; i < work->count; i++) {
        double *place = &work->parameters[(2 * i + 1) * parameters / (2 * work->count)];
        const double kept = *place;
        *place = kept + EPSILON;
        const double upper = plain_cost(work);
        *place = kept - EPSILON;
        work->numeric[i] = (upper - plain_cost(work)) / (2 * EPSILON);
        *place = kept;
    }
    return now() - start;
}

static void plain_open(plain_work *work, const bench_case *which)
{
    gck_error error = {0};
    const size_t parameters = which->model->parameter_count, rows = which->data->samples;
    *work = (plain_work){.which = which,
                         .parameters = gck_vector_copy(which->parameters, parameters),
                         .numeric = gck_vector_new(parameters)};
    if (work->parameters == NULL || work->numeric == NULL) fail("out of memory");
    require(gck_pass_new(which->model, rows, false, &work->pass, &error), &error);
    gck_pass_load(work->pass, which->data, (gck_rows){0, rows, NULL});
}

static timing time_plain(const bench_case *which, double limit)
{
    plain_work work;
    plain_open(&work, which);
    const size_t parameters = which->model->parameter_count;
    work.count = 4;
    const double affordable = limit / (best_of(0, 2, plain_once, &work).seconds / 4);
    work.count = (size_t)fmin((double)parameters, fmax(10, affordable / 4));
    if (affordable > (double)parameters) work.count = parameters;
    timing best = best_of(limit, 1, plain_once, &work);
    best.estimated = work.count < parameters;
    best.seconds *= (double)parameters / (double)work.count;
    gck_pass_free(work.pass);
    gck_vector_free(work.parameters);
    gck_vector_free(work.numeric);
    return best;
}

/* ---- a training ---- */

/* Seconds of one epoch, without the evaluation that a training ends with. */
static double train_once(void *context)
{
    gck_error error = {0};
    gck_train *train;
    bool finished = false;
    require(gck_train_new(context, &train, &error), &error);
    const double start = now();
    while (gck_train_epochs_done(train) == 0 && !finished)
        require(gck_train_step(train, 1, &finished, &error), &error);
    const double spent = now() - start;
    if (gck_train_result_of(train).diverged_at != 0) fail("the training diverged");
    gck_train_free(train);
    return spent;
}

static timing time_train(const bench_case *which, double limit, size_t batch)
{
    gck_train_spec spec = {.model = which->model,
                           .parameters = which->parameters,
                           .data = which->data,
                           .epochs = 1,
                           .batch_size = batch,
                           .optimizer = gck_choice_named(&gck_optimizers, "adam")};
    timing best = best_of(limit, 1, train_once, &spec);
    best.seconds /= ceil((double)which->data->samples / (double)batch);
    return best;
}

/* ---- the program ---- */

/* As the daemon does, so that memory taken again need not be cleared by the kernel again. */
static void memory_start(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

static timing time_way(const bench_case *which, const char *way, double limit, const char *batch)
{
    if (strcmp(way, "units") == 0) return time_units(which, limit);
    if (strcmp(way, "direct") == 0) return time_direct(which, limit);
    if (strcmp(way, "plain") == 0) return time_plain(which, limit);
    if (strcmp(way, "pass") == 0) return time_pass(which, limit);
    if (strcmp(way, "train") == 0 && batch != NULL)
        return time_train(which, limit, strtoul(batch, NULL, 10));
    fail("no way %s", way);
}

int main(int count, char **arguments)
{
    gck_error error = {0};
    char signature[GCK_SIGNATURE_SIZE];
    memory_start();
    require(gck_kernels_start(NULL, &error), &error);
    require(gck_blas_start(&error), &error);
    if (count == 2 && strcmp(arguments[1], "info") == 0) {
        printf("kernels %s\nsignature %s\n", gck_kernels_active()->name, gck_signature(signature));
        return 0;
    }
    if (count < 4) fail("usage: engine info | engine CASE WAY LIMIT [BATCH]");
    bench_case which = case_read(arguments[1]);
    const timing result = time_way(&which, arguments[2], strtod(arguments[3], NULL), arguments[4]);
    printf("%s %s %.9g %s %zu %s\n", which.name, arguments[2], result.seconds,
           result.estimated ? "~" : "=", result.repetitions, result.verdict);
    case_done(&which);
    return 0;
}
