/* Jobs go on where they were after the daemon's end, and come to the end they would have had. */
#include "jobs.h"
#include "problems.h"
#include "recovery.h"
#include "requests.h"
#include "values.h"

#include <signal.h>
#include <stdio.h>

static const char OPTIONS[] = "--workers 1 --save-seconds 1";

/* From SIGTERM to the end. */
static const double STOP_SECONDS = 5;

static void kill_and_restart(struct service *service)
{
    service_kill(service);
    service_restart(service);
}

static void stop_and_restart(struct service *service)
{
    const struct ending ending = service_stop(service);
    ck_assert_msg(ending.status == 0, "exit status %d", ending.status);
    ck_assert_msg(ending.seconds < patience(STOP_SECONDS), "took %g s", ending.seconds);
    service_restart(service);
}

static const char *state_of(const struct service *service, const char *id)
{
    return text_at(job_get(service, id), "/state");
}

START_TEST(a_queued_job_is_kept)
{
    struct service service;
    service_start(&service, OPTIONS);
    json_t *first = training_long();
    value_set(first, "/priority", json_string("high"));
    const char *id = job_post(&service, TRAININGS, first);
    job_running(&service, id);
    const char *queued = job_post(&service, CHECKS, check_small());
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(state_of(&service, queued), "queued");
        kill_and_restart(&service);
    }
    job_cancel(&service, id);
    ck_assert_str_eq(text_at(job_wait(&service, queued), "/state"), "succeeded");
    service_end(&service);
}

START_TEST(a_killed_check_goes_on)
{
    struct service service;
    struct reference reference;
    service_start(&service, OPTIONS);
    reference_start(&reference, "", CHECKS, check_seconds());
    const char *id = job_post(&service, CHECKS, check_seconds());
    ck_assert(job_kept(&service, id));
    kill_and_restart(&service);
    ck_assert_int_gt(job_done(&service, id), 0);
    /* Another end, before anything new is kept, takes nothing away. */
    kill_and_restart(&service);
    ck_assert_int_gt(job_done(&service, id), 0);
    reference_expect(&reference, &service, id);
    service_end(&service);
}

/* With a state kept in between, each further than the one before. False when the training ends too
 * soon for that. */
static bool kill_five_times(struct service *service, const char *id)
{
    json_int_t before = 0;
    for (int i = 0; i < 5; i++) {
        if (!job_kept(service, id)) return false;
        kill_and_restart(service);
        const json_int_t resumed = job_done(service, id);
        ck_assert_msg(resumed > before, "kill %d: goes on from %d after %d", i + 1, (int)resumed,
                      (int)before);
        before = resumed;
    }
    return true;
}

/* It ends with the bits of one that was left alone. How long it has to be for that depends on the
 * machine. */
START_TEST(a_training_killed_five_times)
{
    struct service service;
    struct reference reference;
    const char *id;
    int thousands = 50;
    service_start(&service, OPTIONS);
    while (id = job_post(&service, TRAININGS, training_seconds(thousands)),
           reference_start(&reference, "", TRAININGS, training_seconds(thousands)),
           !kill_five_times(&service, id)) {
        service_end(&reference.service);
        thousands *= 2;
    }
    reference_expect(&reference, &service, id);
    service_end(&service);
}

/* A clean stop keeps all that was done: here of a job that others keep from going on meanwhile. */
static void stopped_expect(const char *path, json_t *request)
{
    struct service service;
    struct reference reference;
    service_start(&service, OPTIONS);
    reference_start(&reference, "", path, json_deep_copy(request));
    const char *id = job_post(&service, path, request);
    while (job_done(&service, id) == 0)
        job_running(&service, id);
    json_t *other = training_long();
    value_set(other, "/priority", json_string("high"));
    const char *other_id = job_post(&service, TRAININGS, other);
    job_running(&service, other_id);
    const json_int_t done = job_done(&service, id);
    stop_and_restart(&service);
    ck_assert_int_eq(job_done(&service, id), done);
    job_cancel(&service, other_id);
    reference_expect(&reference, &service, id);
    service_end(&service);
}

START_TEST(a_stopped_check_goes_on)
{
    stopped_expect(CHECKS, check_seconds());
}

START_TEST(a_stopped_training_goes_on)
{
    stopped_expect(TRAININGS, training_seconds(10));
}

static void stays_cancelled(struct service *service, const char *id)
{
    kill_and_restart(service);
    ck_assert_str_eq(text_at(job_wait(service, id), "/state"), "cancelled");
    ck_assert(bool_at(job_get(service, id), "/cancel_requested"));
    kill_and_restart(service);
    ck_assert_str_eq(state_of(service, id), "cancelled");
}

static void cancel_expect(const struct service *service, const char *id, int status)
{
    answer_expect(request(service, "DELETE", format("/v1/jobs/%s", id), NULL, NULL), status);
}

START_TEST(a_cancelled_job_stays_so)
{
    struct service service;
    service_start(&service, OPTIONS);
    json_t *first = check_long();
    value_set(first, "/priority", json_string("high"));
    const char *running = job_post(&service, CHECKS, first);
    job_running(&service, running);
    const char *queued = job_post(&service, TRAININGS, training_long());
    cancel_expect(&service, queued, 200);
    cancel_expect(&service, running, 202);
    stays_cancelled(&service, running);
    ck_assert_str_eq(state_of(&service, queued), "cancelled");
    const char *training = job_post(&service, TRAININGS, training_long());
    job_running(&service, training);
    cancel_expect(&service, training, 202);
    stays_cancelled(&service, training);
    service_end(&service);
}

static bool has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

/* What other kernels computed is not mixed with what these compute. */
static void other_kernels_expect(const char *path, json_t *request)
{
    struct service service;
    struct reference reference;
    service_start(&service, format("%s --kernels generic", OPTIONS));
    const char *id = job_post(&service, path, json_deep_copy(request));
    ck_assert(job_kept(&service, id));
    service_kill(&service);
    service_options(&service, format("%s --kernels avx2", OPTIONS));
    service_restart(&service);
    service_log_await(&service, format("job=%s work=\"begun anew\"", id), 1);
    reference_start(&reference, "--kernels avx2", path, request);
    reference_expect(&reference, &service, id);
    service_end(&service);
}

START_TEST(a_check_by_other_kernels_begins_anew)
{
    if (has_avx2()) other_kernels_expect(CHECKS, check_seconds());
}

START_TEST(a_training_by_other_kernels_begins_anew)
{
    if (has_avx2()) other_kernels_expect(TRAININGS, training_seconds(15));
}

int main(void)
{
    const TTest *const tests[] = {a_queued_job_is_kept,
                                  a_killed_check_goes_on,
                                  a_training_killed_five_times,
                                  a_stopped_check_goes_on,
                                  a_stopped_training_goes_on,
                                  a_cancelled_job_stays_so,
                                  a_check_by_other_kernels_begins_anew,
                                  a_training_by_other_kernels_begins_anew,
                                  NULL};
    return suite_main("recovery", tests);
}
