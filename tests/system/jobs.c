#include "jobs.h"
#include "values.h"

#include <string.h>

static const double JOB_SECONDS = 60;

const char *job_post(const struct service *service, const char *path, json_t *request)
{
    struct answer *answer = post(service, path, request);
    answer_expect(answer, 202);
    return text_at(answer_json(answer), "/id");
}

static struct answer *job_answer(const struct service *service, const char *id, const char *prefer)
{
    struct answer *answer = get_with(service, format("/v1/jobs/%s", id), prefer);
    answer_expect(answer, 200);
    return answer;
}

json_t *job_get(const struct service *service, const char *id)
{
    return answer_json(job_answer(service, id, NULL));
}

static bool job_ended(const json_t *job)
{
    const char *state = text_at(job, "/state");
    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

static struct answer *job_wait_answer(const struct service *service, const char *id)
{
    double deadline = seconds_now() + patience(JOB_SECONDS);
    struct answer *answer = NULL;
    do {
        ck_assert_msg(seconds_now() < deadline, "job %s does not end: %.500s", id,
                      answer != NULL ? answer->body : "");
        answer = job_answer(service, id, "Prefer: wait=10\r\n");
    } while (!job_ended(answer_json(answer)));
    return answer;
}

json_t *job_wait(const struct service *service, const char *id)
{
    return answer_json(job_wait_answer(service, id));
}

json_t *job_running(const struct service *service, const char *id)
{
    double deadline = seconds_now() + patience(JOB_SECONDS);
    json_t *job = NULL;
    do {
        ck_assert_msg(seconds_now() < deadline, "no worker takes job %s", id);
        job = job_get(service, id);
        ck_assert_msg(!job_ended(job), "job %s is %s", id, text_at(job, "/state"));
    } while (strcmp(text_at(job, "/state"), "running") != 0);
    return job;
}

void job_cancel(const struct service *service, const char *id)
{
    struct answer *answer = request(service, "DELETE", format("/v1/jobs/%s", id), NULL, NULL);
    ck_assert_msg(answer->status == 200 || answer->status == 202, "%d", answer->status);
    ck_assert_str_eq(text_at(job_wait(service, id), "/state"), "cancelled");
}

static struct answer *job_success(const struct service *service, const char *path, json_t *request)
{
    struct answer *answer = job_wait_answer(service, job_post(service, path, request));
    ck_assert_msg(strcmp(text_at(answer_json(answer), "/state"), "succeeded") == 0, "%.2000s",
                  answer->body);
    return answer;
}

json_t *job_result(const struct service *service, const char *path, json_t *request)
{
    return value_at(answer_json(job_success(service, path, request)), "/result");
}

const char *job_result_bytes(const struct service *service, const char *path, json_t *request)
{
    return answer_member(job_success(service, path, request), "result");
}

struct answer *job_part(const struct service *service, const char *id, const char *what)
{
    return get(service, format("/v1/jobs/%s/%s", id, what));
}
