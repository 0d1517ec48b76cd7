/* The life of a job: accepted, waited for, read in its parts, cancelled, removed. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define JOB_NAMES                                                                        \
    "id kind state owner shared labels priority cancel_requested created_at started_at " \
    "finished_at progress usage result error"

/* A worker that has one job to do leaves the others queued. */
static const char ONE_WORKER[] = "--workers 1";

static void time_expect(const json_t *job, const char *pointer)
{
    int year, month, day, hour, minute, length = 0;
    double second;
    const char *text = text_at(job, pointer);
    int found = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &year, &month, &day, &hour, &minute,
                       &second, &length);
    ck_assert_msg(found == 6 && (size_t)length == strlen(text), "%s: %s", pointer, text);
}

static void job_expect(const json_t *job, const char *kind, const char *state)
{
    names_expect(job, JOB_NAMES, NULL);
    ck_assert_str_eq(text_at(job, "/kind"), kind);
    ck_assert_str_eq(text_at(job, "/state"), state);
    ck_assert_str_eq(text_at(job, "/owner"), "local");
    ck_assert(!bool_at(job, "/shared"));
    time_expect(job, "/created_at");
    names_expect(value_at(job, "/progress"), "done total", NULL);
}

START_TEST(accepted_job_has_a_place)
{
    struct service service;
    service_start(&service, "");
    struct answer *answer = post(&service, CHECKS, check_small());
    answer_expect(answer, 202);
    json_t *job = answer_json(answer);
    const char *place = answer_header(answer, "Location");
    ck_assert_ptr_nonnull(place);
    ck_assert_str_eq(place, format("/v1/jobs/%s", text_at(job, "/id")));
    names_expect(job, JOB_NAMES, NULL);
    answer_expect(get(&service, place), 200);
    service_end(&service);
}

START_TEST(check_succeeds)
{
    struct service service;
    service_start(&service, "");
    json_t *job = job_wait(&service, job_post(&service, CHECKS, check_small()));
    job_expect(job, "gradient-check", "succeeded");
    time_expect(job, "/started_at");
    time_expect(job, "/finished_at");
    ck_assert(!bool_at(job, "/cancel_requested"));
    ck_assert_str_eq(text_at(job, "/priority"), "normal");
    ck_assert_int_eq(integer_at(job, "/progress/done"), 218);
    ck_assert_int_eq(integer_at(job, "/progress/total"), 218);
    ck_assert(number_at(job, "/usage/seconds") >= 0);
    ck_assert(json_is_null(value_at(job, "/error")));
    ck_assert_int_eq(integer_at(job, "/result/parameters_checked"), 218);
    service_end(&service);
}

START_TEST(training_counts_epochs)
{
    struct service service;
    service_start(&service, "");
    json_t *job = job_wait(&service, job_post(&service, TRAININGS, training_small(7)));
    job_expect(job, "training", "succeeded");
    ck_assert_int_eq(integer_at(job, "/progress/done"), 7);
    ck_assert_int_eq(integer_at(job, "/progress/total"), 7);
    service_end(&service);
}

START_TEST(labels_and_priority_are_kept)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_small();
    value_set(request, "/labels", value_parse("{\"project\": \"β\", \"9.x_y-z\": \"a/b c\"}"));
    value_set(request, "/priority", json_string("high"));
    json_t *job = job_get(&service, job_post(&service, CHECKS, request));
    ck_assert_str_eq(text_at(job, "/labels/project"), "β");
    ck_assert_str_eq(text_at(job, "/labels/9.x_y-z"), "a/b c");
    ck_assert_str_eq(text_at(job, "/priority"), "high");
    service_end(&service);
}

START_TEST(post_waits_when_asked)
{
    struct service service;
    service_start(&service, "");
    struct answer *answer = post_with(&service, CHECKS, "Prefer: wait=15\r\n", check_small());
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "succeeded");
    const char *applied = answer_header(answer, "Preference-Applied");
    ck_assert_msg(applied != NULL && strcmp(applied, "wait=15") == 0, "%s", answer->head);
    /* Other preferences are passed over; more than the cap is the cap. */
    answer = post_with(&service, CHECKS, "Prefer: respond-async, wait=3600\r\n", check_small());
    answer_expect(answer, 200);
    applied = answer_header(answer, "Preference-Applied");
    ck_assert_msg(applied != NULL && strstr(applied, "wait=60") != NULL, "%s", answer->head);
    service_end(&service);
}

START_TEST(wait_ends_before_the_job)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    double start = seconds_now();
    struct answer *answer = post_with(&service, TRAININGS, "Prefer: wait=1\r\n", training_long());
    answer_expect(answer, 202);
    ck_assert_msg(seconds_now() - start >= 0.9, "did not wait");
    const char *id = text_at(answer_json(answer), "/id");
    answer = get_with(&service, format("/v1/jobs/%s", id), "Prefer: wait=1\r\n");
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "running");
    ck_assert(json_is_null(value_at(answer->json, "/finished_at")));
    ck_assert(json_is_null(value_at(answer->json, "/result")));
    job_cancel(&service, id);
    service_end(&service);
}

START_TEST(senseless_preferences_are_passed_over)
{
    static const char *const prefer[] = {"wait=",
                                         "wait=-1",
                                         "wait=soon",
                                         "wait",
                                         ";;,=,",
                                         "wait=\"",
                                         "wait=99999999999999999999",
                                         "handling=strict",
                                         ""};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof prefer / sizeof *prefer; i++) {
        struct answer *answer =
            post_with(&service, CHECKS, format("Prefer: %s\r\n", prefer[i]), check_small());
        ck_assert_msg(answer->status == 202 || answer->status == 200, "Prefer: %s: %d", prefer[i],
                      answer->status);
    }
    service_end(&service);
}

START_TEST(request_comes_back_to_the_byte)
{
    static const char body[] =
        "\r\n{ \"labels\" : {\"a\":\"\\u00e9\"},\t\"data\":{\"y\":[[1]],\"x\":[[ 1.50e0 ]]},\n"
        " \"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1}],"
        "\"cost\":\"mse\"} }\n ";
    struct service service;
    service_start(&service, "");
    struct answer *posted = request(&service, "POST", CHECKS,
                                    "Content-Type: application/json; charset=utf-8\r\n", body);
    answer_expect(posted, 202);
    struct answer *answer = job_part(&service, text_at(answer_json(posted), "/id"), "request");
    answer_expect(answer, 200);
    ck_assert_uint_eq(answer->body_bytes, sizeof body - 1);
    ck_assert_mem_eq(answer->body, body, sizeof body - 1);
    const char *type = answer_header(answer, "Content-Type");
    ck_assert_msg(type != NULL && strncmp(type, "application/json", 16) == 0, "%s", answer->head);
    service_end(&service);
}

static json_t *parameters_of(const struct service *service, const char *id)
{
    struct answer *answer = job_part(service, id, "parameters");
    answer_expect(answer, 200);
    return answer_json(answer);
}

START_TEST(parameters_as_drawn)
{
    struct service service;
    service_start(&service, "");
    json_t *request =
        check_new(model_new(3, "16 tanh; dropout 0.5; 2 softmax", "mse"), data_new(30, 3, 2));
    value_set(request, "/model/seed", json_integer(7));
    json_t *same = json_deep_copy(request);
    json_t *other = json_deep_copy(request);
    value_set(other, "/model/seed", json_integer(8));
    json_t *answer = parameters_of(&service, job_post(&service, CHECKS, request));
    names_expect(answer, "parameters masks", NULL);
    ck_assert_uint_eq(length_at(answer, "/parameters"), 3);
    ck_assert_uint_eq(length_at(answer, "/masks"), 3);
    matrix_expect(value_at(answer, "/parameters/0/W"), 3, 16);
    matrix_expect(value_at(answer, "/parameters/2/W"), 16, 2);
    /* The default is glorot_uniform: within sqrt(6 / (inputs + units)); biases start at 0. */
    double most = largest(numbers_at(answer, "/parameters/0/W"));
    ck_assert_msg(most > 0 && most <= sqrt(6.0 / 19), "%g", most);
    ck_assert(!(largest(numbers_at(answer, "/parameters/0/b")) > 0));
    ck_assert(json_equal(answer, parameters_of(&service, job_post(&service, CHECKS, same))));
    ck_assert(!json_equal(answer, parameters_of(&service, job_post(&service, CHECKS, other))));
    service_end(&service);
}

START_TEST(masks_drop_and_scale)
{
    struct service service;
    service_start(&service, "");
    json_t *request =
        check_new(model_new(3, "16 tanh; dropout 0.5; 2 softmax", "mse"), data_new(30, 3, 2));
    json_t *answer = parameters_of(&service, job_post(&service, CHECKS, request));
    ck_assert(json_is_null(value_at(answer, "/masks/0")));
    ck_assert(json_is_null(value_at(answer, "/masks/2")));
    matrix_expect(value_at(answer, "/masks/1"), 30, 16);
    struct numbers mask = numbers_at(answer, "/masks/1");
    double kept = largest(mask);
    size_t dropped = 0;
    for (size_t i = 0; i < mask.count; i++) {
        double value = mask.values[i];
        ck_assert_msg(fabs(value) < 1e-12 || fabs(value - kept) < 1e-12, "%g", value);
        if (value < kept / 2) dropped++;
    }
    /* 480 fair coins: 5 standard deviations are 55. */
    ck_assert_msg(dropped > 185 && dropped < 295, "%zu of %zu dropped", dropped, mask.count);
    service_end(&service);
}

START_TEST(parameters_of_a_training_wait_for_its_end)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *id = job_post(&service, TRAININGS, training_long());
    problem_expect(job_part(&service, id, "parameters"), 409, NULL);
    job_cancel(&service, id);
    id = job_post(&service, TRAININGS, training_small(3));
    job_wait(&service, id);
    json_t *answer = parameters_of(&service, id);
    matrix_expect(value_at(answer, "/parameters/0/W"), 4, 6);
    matrix_expect(value_at(answer, "/parameters/1/W"), 6, 3);
    service_end(&service);
}

static struct answer *job_delete(const struct service *service, const char *id, const char *query)
{
    return request(service, "DELETE", format("/v1/jobs/%s%s", id, query), NULL, NULL);
}

START_TEST(queued_job_is_cancelled_at_once)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    json_t *first = training_long();
    json_t *second = training_long();
    value_set(first, "/priority", json_string("high"));
    value_set(second, "/priority", json_string("low"));
    const char *busy = job_post(&service, TRAININGS, first);
    job_running(&service, busy);
    const char *id = job_post(&service, TRAININGS, second);
    json_t *job = job_get(&service, id);
    job_expect(job, "training", "queued");
    ck_assert(json_is_null(value_at(job, "/started_at")));
    struct answer *answer = job_delete(&service, id, "");
    answer_expect(answer, 200);
    job = answer_json(answer);
    job_expect(job, "training", "cancelled");
    ck_assert(json_is_null(value_at(job, "/result")));
    ck_assert_str_eq(text_at(job_get(&service, busy), "/state"), "running");
    job_cancel(&service, busy);
    service_end(&service);
}

START_TEST(running_job_is_cancelled_soon)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *id = job_post(&service, CHECKS, check_long());
    job_running(&service, id);
    double start = seconds_now();
    struct answer *answer = job_delete(&service, id, "");
    answer_expect(answer, 202);
    ck_assert(bool_at(answer_json(answer), "/cancel_requested"));
    json_t *job = job_wait(&service, id);
    ck_assert_msg(seconds_now() - start < patience(2), "took %g s", seconds_now() - start);
    job_expect(job, "gradient-check", "cancelled");
    time_expect(job, "/finished_at");
    ck_assert(bool_at(job, "/cancel_requested"));
    ck_assert(json_is_null(value_at(job, "/result")));
    service_end(&service);
}

START_TEST(finished_job_stays_as_it_is)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, CHECKS, check_small());
    json_t *before = job_wait(&service, id);
    struct answer *answer = job_delete(&service, id, "");
    answer_expect(answer, 200);
    ck_assert(json_equal(before, answer_json(answer)));
    ck_assert(json_equal(before, job_get(&service, id)));
    service_end(&service);
}

START_TEST(purge_removes_a_finished_job)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    struct answer *answer = job_delete(&service, id, "?purge=true");
    answer_expect(answer, 204);
    ck_assert_uint_eq(answer->body_bytes, 0);
    problem_expect(get(&service, format("/v1/jobs/%s", id)), 404, NULL);
    problem_expect(job_part(&service, id, "request"), 404, NULL);
    problem_expect(job_delete(&service, id, "?purge=true"), 404, NULL);
    answer = get(&service, "/v1/jobs");
    ck_assert_uint_eq(length_at(answer_json(answer), "/jobs"), 0);
    service_end(&service);
}

START_TEST(unknown_jobs)
{
    static const char *const ids[] = {"nothing", "0", "..%2f..", "a%20b", "-1"};
    static const char *const parts[] = {"", "/request", "/parameters"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            problem_expect(get(&service, format("/v1/jobs/%s%s", ids[i], parts[j])), 404, NULL);
        problem_expect(job_delete(&service, ids[i], ""), 404, NULL);
        json_t *x = json_pack("{s:[[i]]}", "x", 1);
        problem_expect(post(&service, format("/v1/jobs/%s/predictions", ids[i]), x), 404, NULL);
    }
    service_end(&service);
}

START_TEST(jobs_have_entity_tags)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    const char *path = format("/v1/jobs/%s", id);
    const char *old = answer_header(get(&service, path), "ETag");
    ck_assert_msg(old != NULL && old[0] == '"', "no strong tag");
    job_cancel(&service, id);
    const char *tag = answer_header(get(&service, path), "ETag");
    ck_assert_ptr_nonnull(tag);
    ck_assert_str_ne(tag, old);
    answer_expect(get_with(&service, path, format("If-None-Match: %s\r\n", old)), 200);
    struct answer *answer = get_with(&service, path, format("If-None-Match: %s\r\n", tag));
    answer_expect(answer, 304);
    ck_assert_str_eq(answer_header(answer, "ETag"), tag);
    answer_expect(get_with(&service, path, format("If-None-Match: \"x\", %s\r\n", tag)), 304);
    answer_expect(get_with(&service, path, "If-None-Match: *\r\n"), 304);
    service_end(&service);
}

/* The tag after such a change. */
static const char *shared_tag(const struct service *service, const char *path, const char *body)
{
    answer_expect(request(service, "PATCH", path, "Content-Type: application/json\r\n", body), 200);
    return answer_header(get(service, path), "ETag");
}

/* Of a job that has ended, and of one that waits for the worker. */
START_TEST(sharing_changes_the_tag)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *ended = job_post(&service, CHECKS, check_small());
    job_wait(&service, ended);
    const char *running = job_post(&service, TRAININGS, training_long());
    job_running(&service, running);
    const char *const ids[2] = {ended, job_post(&service, CHECKS, check_small())};
    for (int i = 0; i < 2; i++) {
        const char *path = format("/v1/jobs/%s", ids[i]);
        const char *before = answer_header(get(&service, path), "ETag");
        const char *shared = shared_tag(&service, path, "{\"shared\":true}");
        ck_assert_str_ne(shared, before);
        ck_assert_str_eq(shared_tag(&service, path, "{\"shared\":true}"), shared);
        const char *after = shared_tag(&service, path, "{\"shared\":false}");
        ck_assert_str_ne(after, shared);
        ck_assert_str_ne(after, before);
    }
    job_cancel(&service, running);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {accepted_job_has_a_place,
                                  check_succeeds,
                                  training_counts_epochs,
                                  labels_and_priority_are_kept,
                                  post_waits_when_asked,
                                  wait_ends_before_the_job,
                                  senseless_preferences_are_passed_over,
                                  request_comes_back_to_the_byte,
                                  parameters_as_drawn,
                                  masks_drop_and_scale,
                                  parameters_of_a_training_wait_for_its_end,
                                  queued_job_is_cancelled_at_once,
                                  running_job_is_cancelled_soon,
                                  finished_job_stays_as_it_is,
                                  purge_removes_a_finished_job,
                                  unknown_jobs,
                                  jobs_have_entity_tags,
                                  sharing_changes_the_tag,
                                  NULL};
    return suite_main("jobs", tests);
}
