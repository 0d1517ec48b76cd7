#include "recovery.h"
#include "jobs.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

/* States are kept each second. */
static const double KEEP_SECONDS = 1.1;

/* Sanitizers make numeric work several times as slow. */
#if defined(__SANITIZE_THREAD__)
enum { SLOWER = 10 };
#elif defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 3 };
#else
enum { SLOWER = 1 };
#endif

json_t *check_seconds(void)
{
    json_t *check =
        check_new(model_new(60, "60 tanh; 60 tanh; 10 softmax", "categorical_crossentropy"),
                  labelled_new(350 / SLOWER, 60, 10));
    value_set(check, "/check", value_parse("{\"method\": \"ridders\"}"));
    return check;
}

json_t *training_seconds(int thousands)
{
    json_t *training = value_parse(
        "{\"optimizer\": \"adam\", \"batch_size\": 25,"
        " \"validation_split\": 0.2}");
    value_set(training, "/epochs", json_integer(1000 * thousands / SLOWER));
    return training_new(
        model_new(20, "48 tanh; dropout 0.1; 5 softmax", "categorical_crossentropy"),
        labelled_new(100, 20, 5), training);
}

json_t *check_heavy(void)
{
    json_t *check = check_new(
        model_new(200, "4 tanh; 200 tanh; 200 tanh; 2 softmax", "categorical_crossentropy"),
        labelled_new(100 / SLOWER, 200, 2));
    value_set(check, "/check", value_parse("{\"method\": \"ridders\", \"layers\": [0]}"));
    return check;
}

void service_options(struct service *service, const char *options)
{
    snprintf(service->options, sizeof service->options, "%s", options);
}

json_int_t job_done(const struct service *service, const char *id)
{
    return integer_at(job_get(service, id), "/progress/done");
}

void store_settle(const struct service *service)
{
    job_post(service, CHECKS, check_small());
}

/* Whoever makes progress keeps the state first, if it is time: so it has been kept once there is
 * progress after progress after that time. */
bool job_kept(const struct service *service, const char *id)
{
    const double deadline = seconds_now() + patience(60);
    for (json_int_t first = -1, done = -1; done == first;) {
        ck_assert_msg(seconds_now() < deadline, "job %s makes no progress", id);
        const json_t *job = job_get(service, id);
        if (!json_is_null(value_at(job, "/finished_at"))) return false;
        if (number_at(job, "/usage/seconds") < KEEP_SECONDS) continue;
        done = integer_at(job, "/progress/done");
        if (first < 0) first = done;
    }
    store_settle(service);
    return true;
}

void reference_start(struct reference *reference, const char *options, const char *path,
                     json_t *request)
{
    service_start(&reference->service, format("--store memory: --workers 1 %s", options));
    reference->id = job_post(&reference->service, path, request);
}

static struct answer *success(const struct service *service, const char *id)
{
    const json_t *job = job_wait(service, id);
    ck_assert_msg(strcmp(text_at(job, "/state"), "succeeded") == 0, "%s: %s",
                  text_at(job, "/state"), json_dumps(value_at(job, "/error"), 0));
    return get(service, format("/v1/jobs/%s", id));
}

void reference_expect(struct reference *reference, const struct service *service, const char *id)
{
    const struct service *other = &reference->service;
    ck_assert_str_eq(answer_member(success(service, id), "result"),
                     answer_member(success(other, reference->id), "result"));
    ck_assert_str_eq(job_part(service, id, "parameters")->body,
                     job_part(other, reference->id, "parameters")->body);
    service_end(&reference->service);
}
