/* A job that ends the daemon again and again: it is given up, and alone. */
#include "jobs.h"
#include "recovery.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

/* Grains are long, so that a kill meets one; nothing is kept before it is due. */
static const char OPTIONS[] = "--workers 2 --kernels generic --save-seconds 3600";

/* How often one piece of work may end the daemon. */
enum { ATTEMPTS = 5 };

static const char *state_of(const struct service *service, const char *id)
{
    return text_at(job_get(service, id), "/state");
}

/* Kills the daemon while it works on the job, as the job itself would. */
static void end_by(struct service *service, const char *id)
{
    job_running(service, id);
    store_settle(service); /* what was begun is noted */
    service_kill(service);
    service_restart(service);
}

static void crashed_expect(const struct service *service, const char *id)
{
    const json_t *job = job_get(service, id);
    ck_assert_str_eq(text_at(job, "/state"), "failed");
    ck_assert_str_eq(text_at(job, "/error/type"), "urn:gradcheckd:problem:crashed");
    ck_assert(json_is_null(value_at(job, "/result")));
    ck_assert(json_is_string(value_at(job, "/finished_at")));
}

/* Others come through, those that were at work before it, too. It goes before them, so that each
 * end meets a part of it. */
static void given_up_expect(const char *path, json_t *request)
{
    struct service service;
    int ends = 0;
    service_start(&service, OPTIONS);
    const char *beside = job_post(&service, TRAININGS, training_seconds(2));
    job_running(&service, beside);
    value_set(request, "/priority", json_string("high"));
    const char *id = job_post(&service, path, request);
    const char *behind = job_post(&service, CHECKS, check_small());
    /* A kill between two parts is nobody's fault, and happens. */
    for (; strcmp(state_of(&service, id), "failed") != 0; ends++) {
        ck_assert_int_lt(ends, 4 * ATTEMPTS);
        end_by(&service, id);
    }
    ck_assert_int_ge(ends, ATTEMPTS);
    crashed_expect(&service, id);
    ck_assert_str_eq(text_at(job_wait(&service, beside), "/state"), "succeeded");
    ck_assert_str_eq(text_at(job_wait(&service, behind), "/state"), "succeeded");
    job_result(&service, CHECKS, check_small());
    const char *told = get(&service, format("/v1/jobs/%s", id))->body;
    service_kill(&service);
    service_restart(&service);
    ck_assert_str_eq(get(&service, format("/v1/jobs/%s", id))->body, told);
    service_end(&service);
}

START_TEST(a_poisonous_check_is_given_up)
{
    given_up_expect(CHECKS, check_heavy());
}

START_TEST(a_poisonous_training_is_given_up)
{
    given_up_expect(TRAININGS, training_long());
}

static bool has_ended(const struct service *service, const char *id)
{
    return !json_is_null(value_at(job_get(service, id), "/finished_at"));
}

/* One end fewer than it takes, and a clean stop amid them, which counts for nothing. (A fast
 * machine may come to the job's end while it stops.) */
static void spared_expect(const char *path, json_t *request)
{
    struct service service;
    struct reference reference;
    service_start(&service, OPTIONS);
    reference_start(&reference, "--kernels generic", path, json_deep_copy(request));
    const char *id = job_post(&service, path, request);
    for (int i = 0; i < ATTEMPTS - 1 && !has_ended(&service, id); i++) {
        end_by(&service, id);
        if (i != ATTEMPTS / 2) continue;
        job_running(&service, id);
        service_end(&service);
        service_restart(&service);
    }
    reference_expect(&reference, &service, id);
    service_end(&service);
}

START_TEST(a_check_is_spared)
{
    spared_expect(CHECKS, check_heavy());
}

START_TEST(a_training_is_spared)
{
    spared_expect(TRAININGS, training_seconds(35));
}

/* A training that gets further each time is not to blame, however often the daemon ends. */
START_TEST(who_goes_on_is_spared)
{
    struct service service;
    struct reference reference;
    int ends = 0;
    service_start(&service, OPTIONS);
    reference_start(&reference, "--kernels generic", TRAININGS, training_seconds(35));
    const char *id = job_post(&service, TRAININGS, training_seconds(35));
    for (; ends < 2 * ATTEMPTS && !has_ended(&service, id); ends++) {
        const json_int_t resumed = job_done(&service, id);
        while (job_done(&service, id) == resumed)
            job_running(&service, id);
        end_by(&service, id);
    }
    ck_assert_int_gt(ends, ATTEMPTS);
    reference_expect(&reference, &service, id);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {a_poisonous_check_is_given_up,
                                  a_poisonous_training_is_given_up,
                                  a_check_is_spared,
                                  a_training_is_spared,
                                  who_goes_on_is_spared,
                                  NULL};
    return suite_main("poison", tests);
}
