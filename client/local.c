#include "client/local.h"
#include "client/crew.h"
#include "client/interrupt.h"
#include "client/meter.h"
#include "client/numerics.h"
#include "client/say.h"
#include "server/clock.h"
#include "server/codec_comparison.h"
#include "server/codec_outcome.h"
#include "server/codec_report.h"
#include "server/codec_spec.h"

enum { REFRESH_MS = 100 };

/* ---- answers ---- */

static int answered(struct blob *body, struct answer *ret)
{
    if (body == NULL) return say_memory();
    *ret = (struct answer){200, body};
    return STATUS_PASS;
}

static int refused(const struct problem *problem, struct answer *ret)
{
    struct blob *body = codec_problem(problem, NULL);
    if (body == NULL) body = codec_no_memory();
    *ret = (struct answer){problem_status(problem->type), body};
    return STATUS_PASS;
}

/* ---- jobs ---- */

struct limit {
    int64_t deadline_ns;
};

static bool stop_asked(void *context)
{
    const struct limit *limit = context;
    return interrupt_asked() || clock_monotonic_ns() >= limit->deadline_ns;
}

/* Why it was stopped. */
static int stopped(const struct settings *settings, const struct spec *spec, struct answer *ret)
{
    struct problem problem = {0};
    if (interrupt_asked()) return interrupt_status("");
    if (clock_monotonic_ns() >= settings->deadline_ns)
        return say(STATUS_TIMEOUT, "stopped after %lld seconds",
                   (long long)settings->timeout_seconds);
    problem_set(&problem, PROBLEM_TIME_LIMIT, "stopped after %.3g seconds",
                spec->time_limit_seconds);
    return refused(&problem, ret);
}

static void watch(struct crew *crew, size_t total)
{
    struct meter meter;
    size_t done;
    meter_start(&meter, false);
    while (!crew_await(crew, REFRESH_MS, &done))
        meter_show(&meter, "running", done, total);
    meter_end(&meter);
}

/* Does the work; what came of it is in the check or training. */
static gck_status work_off(const struct settings *settings, const struct crew_work *work,
                           size_t total, gck_error *error)
{
    struct crew *crew = crew_start(work, settings->limits.workers);
    if (crew == NULL) return gck_error_memory(error);
    watch(crew, total);
    return crew_end(crew, error);
}

static gck_status run_check(const struct settings *settings, const struct spec *spec, gck_stop stop,
                            struct outcome *ret, struct problem *problem)
{
    struct crew_work work = {.stop = stop};
    gck_error error;
    gck_status status = gck_check_new(&spec->check, &work.check, &error);
    if (status == GCK_OK) status = work_off(settings, &work, gck_check_total(work.check), &error);
    if (status == GCK_OK)
        status = codec_check_outcome(spec, work.check, stop, ret, problem);
    else if (status != GCK_STOPPED)
        problem_from_error(problem, "/check", &error);
    gck_check_free(work.check);
    return status;
}

static gck_status run_training(const struct settings *settings, const struct spec *spec,
                               gck_stop stop, struct outcome *ret, struct problem *problem)
{
    struct crew_work work = {.stop = stop};
    gck_error error;
    gck_status status = gck_train_new(&spec->train, &work.train, &error);
    if (status == GCK_OK) status = work_off(settings, &work, spec->train.epochs, &error);
    if (status == GCK_OK)
        *ret = codec_training_outcome(work.train);
    else if (status != GCK_STOPPED)
        problem_from_error(problem, "/training", &error);
    gck_train_free(work.train);
    return status;
}

static int run_spec(const struct settings *settings, const struct spec *spec, struct answer *ret)
{
    struct problem problem = {0};
    struct outcome outcome = {0};
    struct limit limit = {settings->deadline_ns};
    const int64_t now_ns = clock_monotonic_ns();
    /* A limit beyond the clock is none. */
    const double own_ns = (double)now_ns + spec->time_limit_seconds * 1e9;
    if (own_ns < (double)limit.deadline_ns) limit.deadline_ns = (int64_t)own_ns;
    const gck_stop stop = {stop_asked, &limit};
    const gck_status status = spec->kind == JOB_CHECK
                                  ? run_check(settings, spec, stop, &outcome, &problem)
                                  : run_training(settings, spec, stop, &outcome, &problem);
    blob_unref(outcome.summary);
    if (status == GCK_STOPPED) return stopped(settings, spec, ret);
    return problem.type != PROBLEM_NONE ? refused(&problem, ret) : answered(outcome.result, ret);
}

int local_run(const struct settings *settings, enum job_kind kind, struct blob *body,
              struct answer *ret)
{
    struct problem problem = {0};
    if (!numerics_begin()) return STATUS_SERVER;
    struct spec *spec = codec_spec_decode(kind, body, &settings->limits, &problem);
    const bool started = numerics_finish();
    if (spec == NULL) return refused(&problem, ret);
    const int status = started ? run_spec(settings, spec, ret) : STATUS_SERVER;
    spec_free(spec);
    return status;
}

/* ---- what is answered at once ---- */

int local_summary(const struct settings *settings, const struct blob *body, struct answer *ret)
{
    struct problem problem = {0};
    gck_model *model = NULL;
    size_t samples;
    const int status = codec_summary_decode(body, &settings->limits, &model, &samples, &problem)
                           ? answered(codec_summary(model, samples), ret)
                           : refused(&problem, ret);
    gck_model_free(model);
    return status;
}

int local_comparison(const struct settings *settings, const struct blob *body, struct answer *ret)
{
    struct problem problem = {0};
    if (!numerics_begin()) return STATUS_SERVER;
    struct blob *result = codec_comparison(body, &settings->limits, &problem);
    if (!numerics_finish()) {
        blob_unref(result);
        return STATUS_SERVER;
    }
    return problem.type != PROBLEM_NONE ? refused(&problem, ret) : answered(result, ret);
}

int local_catalog(struct answer *ret)
{
    return answered(codec_catalog(), ret);
}
