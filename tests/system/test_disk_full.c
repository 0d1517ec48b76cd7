/*
 * A full disk: new jobs are refused, what is there can be read, what runs waits, and once there is
 * room all goes on by itself. The daemon's writes fail on command (faults.h).
 */
#include "faults.h"
#include "integrity.h"
#include "jobs.h"
#include "problems.h"
#include "recovery.h"
#include "requests.h"
#include "values.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* From SIGTERM to the end. */
static const double STOP_SECONDS = 6;
/* For answers that wait for nothing. */
static const double ANSWER_SECONDS = 5;

enum { CANCELLED = 24, ROUNDS = 25, FILLED_MAX = 450 };

static const char WAIT[] = "Prefer: wait=15\r\n";

static const struct fault no_room = {
    .calls = SHIM_WRITE | SHIM_RESIZE, .number = 1, .count = FAULTS_ALL, .error = ENOSPC};

/* Half a second of work, in many grains. */
static json_t *check_grains(void)
{
    json_t *check = check_seconds();
    value_set(check, "/data", labelled_new(40, 60, 10));
    return check;
}

static void have_room(struct shim *shim)
{
    ck_assert_msg(faults_end(shim) > 0, "nothing was written");
}

static struct answer *key_post(const struct service *service, const char *key, json_t *request)
{
    return post_with(service, CHECKS, format("%sIdempotency-Key: %s\r\n", WAIT, key), request);
}

static size_t jobs_count(const struct service *service)
{
    return length_at(answer_json(get(service, "/v1/jobs?limit=500")), "/jobs");
}

static void full_expect(struct answer *answer)
{
    problem_expect(answer, 507, NULL);
    ck_assert_str_eq(text_at(answer_json(answer), "/type"), "urn:gradcheckd:problem:storage-full");
}

static void success_expect(const struct service *service, const char *id, const char *result)
{
    ck_assert_str_eq(text_at(job_wait(service, id), "/state"), "succeeded");
    const struct answer *answer = get(service, format("/v1/jobs/%s", id));
    ck_assert_str_eq(answer_member(answer, "result"), result);
}

START_TEST(new_jobs_are_refused)
{
    struct service service;
    struct shim *shim = faults_open();
    service_start(&service, "");
    const char *id = text_at(answer_json(key_post(&service, "old", check_small())), "/id");
    faults_order(shim, no_room);
    full_expect(post(&service, CHECKS, check_small()));
    full_expect(post_with(&service, CHECKS, WAIT, check_small()));
    full_expect(post(&service, TRAININGS, training_small(3)));
    full_expect(post_with(&service, TRAININGS, WAIT, training_small(3)));
    full_expect(key_post(&service, "new", check_small()));
    ck_assert_uint_eq(jobs_count(&service), 1);
    /* A job from before is found by its key. */
    struct answer *again = key_post(&service, "old", check_small());
    answer_expect(again, 200);
    ck_assert_str_eq(text_at(answer_json(again), "/id"), id);
    have_room(shim);
    answer_expect(key_post(&service, "new", check_small()), 200);
    ck_assert_uint_eq(jobs_count(&service), 2);
    service_end(&service);
    store_is_sound(&service);
}

START_TEST(reading_goes_on)
{
    struct service service;
    struct shim *shim = faults_open();
    service_start(&service, "");
    const char *id = job_post(&service, TRAININGS, training_small(5));
    job_wait(&service, id);
    const char *path = format("/v1/jobs/%s", id);
    const char *body = get(&service, path)->body;
    faults_order(shim, no_room);
    ck_assert_str_eq(get(&service, path)->body, body);
    answer_expect(job_part(&service, id, "request"), 200);
    answer_expect(job_part(&service, id, "parameters"), 200);
    answer_expect(get(&service, "/v1/jobs?state=succeeded&kind=training"), 200);
    answer_expect(get(&service, "/v1/whoami"), 200);
    answer_expect(get(&service, "/healthz"), 200);
    json_t *data = json_pack("{s:o}", "x", matrix_new(3, 4, 1));
    answer_expect(post(&service, format("%s/predictions", path), data), 200);
    /* Even what would make room takes some: the log grows first. */
    full_expect(request(&service, "DELETE", format("%s?purge=true", path), NULL, NULL));
    full_expect(request(&service, "PATCH", path, "Content-Type: application/json\r\n",
                        "{\"shared\": true}"));
    have_room(shim);
    ck_assert_str_eq(get(&service, path)->body, body);
    answer_expect(request(&service, "DELETE", format("%s?purge=true", path), NULL, NULL), 204);
    service_end(&service);
    store_is_sound(&service);
}

static void job_progresses(const struct service *service, const char *id)
{
    job_running(service, id);
    while (job_done(service, id) == 0)
        poll(NULL, 0, 5);
}

START_TEST(running_jobs_wait_for_room)
{
    struct service service;
    struct reference check, training;
    struct shim *shim = faults_open();
    reference_start(&check, "", CHECKS, check_grains());
    reference_start(&training, "", TRAININGS, training_seconds(3));
    service_start(&service, "--workers 2");
    const char *id = job_post(&service, CHECKS, check_grains());
    const char *other = job_post(&service, TRAININGS, training_seconds(3));
    job_progresses(&service, id);
    job_progresses(&service, other);
    faults_order(shim, no_room);
    full_expect(post(&service, CHECKS, check_small()));
    struct answer *answer = get_with(&service, format("/v1/jobs/%s", id), "Prefer: wait=2\r\n");
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "running");
    ck_assert_str_eq(text_at(job_get(&service, other), "/state"), "running");
    have_room(shim);
    reference_expect(&check, &service, id);
    reference_expect(&training, &service, other);
    service_end(&service);
    store_is_sound(&service);
}

/* The result is kept until it can be stored; nobody is told of it before. */
START_TEST(results_wait_for_room)
{
    struct service service;
    struct reference training;
    struct shim *shim = faults_open();
    reference_start(&training, "", TRAININGS, training_seconds(1));
    service_start(&service, "--workers 1");
    const char *id = job_post(&service, TRAININGS, training_seconds(1));
    job_progresses(&service, id);
    faults_order(shim, no_room);
    const double deadline = seconds_now() + patience(60);
    const json_t *job;
    do {
        poll(NULL, 0, 5);
        job = job_get(&service, id);
        ck_assert_str_eq(text_at(job, "/state"), "running");
        ck_assert_msg(seconds_now() < deadline, "the training stands still");
    } while (integer_at(job, "/progress/done") < integer_at(job, "/progress/total"));
    job = answer_json(get_with(&service, format("/v1/jobs/%s", id), "Prefer: wait=1\r\n"));
    ck_assert_str_eq(text_at(job, "/state"), "running");
    have_room(shim);
    reference_expect(&training, &service, id);
    service_end(&service);
    store_is_sound(&service);
}

/* Of jobs whose end cannot be stored: more at once than threads that answer. */
struct cancelling {
    const char *id;
    struct client client;
};

static void cancel_send(struct cancelling *cancelling, const struct service *service)
{
    ck_assert(client_open(&cancelling->client, service));
    client_send_text(&cancelling->client,
                     format("DELETE /v1/jobs/%s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n",
                            cancelling->id, service->port));
}

static void cancel_receive(struct cancelling *cancelling)
{
    struct answer *answer = client_receive(&cancelling->client, false);
    answer_expect(answer, 202);
    ck_assert(bool_at(answer_json(answer), "/cancel_requested"));
    client_close(&cancelling->client);
}

START_TEST(cancelling_does_not_wait_for_room)
{
    struct service service;
    struct shim *shim = faults_open();
    struct cancelling one[CANCELLED];
    service_start(&service, "--workers 1");
    const char *first = job_post(&service, TRAININGS, training_seconds(100));
    job_running(&service, first);
    for (int i = 0; i < CANCELLED; i++)
        one[i].id = job_post(&service, CHECKS, check_small());
    faults_order(shim, no_room);
    const double start = seconds_now();
    for (int i = 0; i < CANCELLED; i++)
        cancel_send(&one[i], &service);
    answer_expect(request(&service, "DELETE", format("/v1/jobs/%s", first), NULL, NULL), 202);
    answer_expect(get(&service, "/v1/jobs"), 200);
    for (int i = 0; i < CANCELLED; i++)
        cancel_receive(&one[i]);
    ck_assert_msg(seconds_now() - start < patience(ANSWER_SECONDS), "took too long");
    have_room(shim);
    ck_assert_str_eq(text_at(job_wait(&service, first), "/state"), "cancelled");
    for (int i = 0; i < CANCELLED; i++)
        ck_assert_str_eq(text_at(job_wait(&service, one[i].id), "/state"), "cancelled");
    service_end(&service);
    store_is_sound(&service);
}

/* Jobs of all kinds of states: ended, running, queued. */
struct work {
    const char *ended, *running, *queued;
    const char *body; /* of the one that has ended */
};

static void work_start(struct work *work, const struct service *service)
{
    work->ended = job_post(service, CHECKS, check_small());
    job_wait(service, work->ended);
    work->body = get(service, format("/v1/jobs/%s", work->ended))->body;
    work->running = job_post(service, CHECKS, check_grains());
    work->queued = job_post(service, TRAININGS, training_small(20));
    job_running(service, work->running);
}

static void work_expect(const struct work *work, const struct service *service)
{
    struct reference check, training;
    reference_start(&check, "", CHECKS, check_grains());
    reference_start(&training, "", TRAININGS, training_small(20));
    ck_assert_uint_eq(jobs_count(service), 3);
    ck_assert_str_eq(get(service, format("/v1/jobs/%s", work->ended))->body, work->body);
    reference_expect(&check, service, work->running);
    reference_expect(&training, service, work->queued);
}

START_TEST(stops_without_room)
{
    struct service service;
    struct work work;
    struct shim *shim = faults_open();
    service_start(&service, "--workers 1");
    work_start(&work, &service);
    faults_order(shim, no_room);
    struct ending ending = service_stop(&service);
    ck_assert_msg(ending.status == 0, "exit status %d", ending.status);
    ck_assert_msg(ending.seconds < patience(STOP_SECONDS), "took %g s", ending.seconds);
    have_room(shim);
    store_is_sound(&service);
    service_restart(&service);
    work_expect(&work, &service);
    service_end(&service);
}

START_TEST(killed_without_room)
{
    struct service service;
    struct work work;
    struct shim *shim = faults_open();
    service_start(&service, "--workers 1");
    work_start(&work, &service);
    faults_order(shim, no_room);
    full_expect(post(&service, CHECKS, check_small()));
    service_kill(&service);
    faults_end(shim);
    store_is_sound(&service);
    service_restart(&service);
    work_expect(&work, &service);
    service_end(&service);
}

/* One that is started on a full disk says so, and harms nothing. */
START_TEST(starts_without_room)
{
    struct service service;
    struct work work;
    struct output output;
    struct shim *shim = faults_open();
    service_start(&service, "--workers 1");
    work_start(&work, &service);
    service_kill(&service);
    faults_order(shim, no_room);
    program_run(format("--listen 127.0.0.1:0 --data-dir %s/data", service.folder), &output);
    ck_assert_msg(output.status != 0 && output.status < 128, "%d", output.status);
    ck_assert_msg(strstr(output.err, "jobs.db") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
    have_room(shim);
    store_is_sound(&service);
    service_restart(&service);
    work_expect(&work, &service);
    service_end(&service);
}

/* Room comes and goes, also in the middle of a transaction; what lies within the files can be
 * written again all the while. What was accepted is there, and nothing else. */
static void comes_and_goes(bool growth, bool half)
{
    struct service service;
    struct shim *shim = faults_open();
    const char *id[ROUNDS];
    size_t accepted = 0;
    struct fault fault = no_room;
    service_start(&service, "--workers 1");
    const char *result = job_result_bytes(&service, CHECKS, check_small());
    fault.growth = growth;
    fault.half = half;
    for (int i = 0; i < ROUNDS; i++) {
        fault.number = 1 + i % 6;
        faults_order(shim, fault);
        struct answer *answer = post(&service, CHECKS, check_small());
        if (answer->status == 202)
            id[accepted++] = text_at(answer_json(answer), "/id");
        else
            full_expect(answer);
        faults_end(shim);
        answer_expect(post_with(&service, CHECKS, WAIT, check_small()), 200);
    }
    ck_assert_uint_eq(jobs_count(&service), 1 + accepted + ROUNDS);
    for (size_t i = 0; i < accepted; i++)
        success_expect(&service, id[i], result);
    service_end(&service);
    store_is_sound(&service);
}

START_TEST(room_comes_and_goes)
{
    comes_and_goes(false, false);
}

START_TEST(room_comes_and_goes_within_a_write)
{
    comes_and_goes(false, true);
}

/* Half a megabyte in the store, and little work. */
static const char *wide_body(void)
{
    json_t *check = check_new(model_new(100, "2 tanh", "mse"), data_new(500, 100, 2));
    const char *body = keep(json_dumps(check, JSON_COMPACT));
    json_decref(check);
    return body;
}

static struct answer *wide_post(const struct service *service, const char *body, const char *prefer)
{
    return request(service, "POST", CHECKS, format("Content-Type: application/json\r\n%s", prefer),
                   body);
}

/* Of the store's log. */
static off_t log_size(const struct service *service)
{
    struct stat status;
    ck_assert_int_eq(stat(format("%s/data/jobs.db-wal", service->folder), &status), 0);
    return status.st_size;
}

/* Until the log was copied into the file, so that new writes go to its beginning. */
static size_t fill_log(const struct service *service, const char *body)
{
    size_t accepted = 0;
    off_t before, size = -1;
    do {
        ck_assert_msg(accepted < FILLED_MAX, "the log is never copied");
        answer_expect(wide_post(service, body, WAIT), 200);
        accepted++;
        before = size;
        size = log_size(service);
    } while (size != before);
    return accepted;
}

/* Then there is room for some jobs in the log, but none for it in the file. */
START_TEST(files_cannot_grow)
{
    struct service service;
    struct shim *shim = faults_open();
    struct fault fault = no_room;
    const char *body = wide_body(), *last = NULL;
    service_start(&service, "--workers 1");
    size_t accepted = fill_log(&service, body);
    fault.growth = true;
    faults_order(shim, fault);
    struct answer *answer;
    while ((answer = wide_post(&service, body, ""))->status == 202) {
        last = text_at(answer_json(answer), "/id");
        accepted++;
    }
    full_expect(answer);
    ck_assert_ptr_nonnull(last);
    have_room(shim);
    ck_assert_str_eq(text_at(job_wait(&service, last), "/state"), "succeeded");
    answer_expect(wide_post(&service, body, WAIT), 200);
    ck_assert_uint_eq(jobs_count(&service), accepted + 1);
    service_end(&service);
    store_is_sound(&service);
    service_restart(&service);
    ck_assert_uint_eq(jobs_count(&service), accepted + 1);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {new_jobs_are_refused,
                                  reading_goes_on,
                                  running_jobs_wait_for_room,
                                  results_wait_for_room,
                                  cancelling_does_not_wait_for_room,
                                  stops_without_room,
                                  killed_without_room,
                                  starts_without_room,
                                  room_comes_and_goes,
                                  room_comes_and_goes_within_a_write,
                                  files_cannot_grow,
                                  NULL};
    return suite_main("disk-full", tests);
}
