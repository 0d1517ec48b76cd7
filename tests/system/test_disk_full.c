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
#include <stdio.h>
#include <string.h>

/* From SIGTERM to the end. */
static const double STOP_SECONDS = 6;
/* For an answer that waits for nothing. */
static const double ANSWER_SECONDS = 5;

enum { MORE_THAN_THREADS = 24, ROUNDS = 25 };

static const char WAIT[] = "Prefer: wait=15\r\n";

static const struct fault no_room = {
    .calls = SHIM_WRITE | SHIM_RESIZE, .number = 1, .count = FAULTS_ALL, .error = ENOSPC};

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

/* The training comes to its end with the disk full: that is kept until it can be stored. */
START_TEST(running_jobs_wait_for_room)
{
    struct service service;
    struct reference check, training;
    struct shim *shim = faults_open();
    reference_start(&check, "", CHECKS, check_seconds());
    reference_start(&training, "", TRAININGS, training_seconds(10));
    service_start(&service, "--workers 2");
    const char *id = job_post(&service, CHECKS, check_seconds());
    const char *other = job_post(&service, TRAININGS, training_seconds(10));
    job_running(&service, id);
    job_running(&service, other);
    faults_order(shim, no_room);
    full_expect(post(&service, CHECKS, check_small()));
    const double deadline = seconds_now() + patience(60);
    const json_t *job;
    do {
        job = job_get(&service, other);
        ck_assert_str_eq(text_at(job, "/state"), "running");
        ck_assert_msg(seconds_now() < deadline, "the training stands still");
    } while (integer_at(job, "/progress/done") < integer_at(job, "/progress/total"));
    job = answer_json(get_with(&service, format("/v1/jobs/%s", other), "Prefer: wait=1\r\n"));
    ck_assert_str_eq(text_at(job, "/state"), "running");
    ck_assert_str_eq(text_at(job_get(&service, id), "/state"), "running");
    have_room(shim);
    reference_expect(&check, &service, id);
    reference_expect(&training, &service, other);
    service_end(&service);
    store_is_sound(&service);
}

/* Nobody who asks for something that has to wait keeps others from their answers. */
START_TEST(cancelling_waits_for_nothing)
{
    struct service service;
    struct shim *shim = faults_open();
    const char *id[MORE_THAN_THREADS];
    service_start(&service, "--workers 1");
    const char *first = job_post(&service, TRAININGS, training_seconds(100));
    job_running(&service, first);
    for (int i = 0; i < MORE_THAN_THREADS; i++)
        id[i] = job_post(&service, CHECKS, check_small());
    faults_order(shim, no_room);
    for (int i = 0; i < MORE_THAN_THREADS; i++) {
        const double start = seconds_now();
        struct answer *answer =
            request(&service, "DELETE", format("/v1/jobs/%s", id[i]), NULL, NULL);
        ck_assert_msg(seconds_now() - start < patience(ANSWER_SECONDS), "took too long");
        answer_expect(answer, 202);
        ck_assert(bool_at(answer_json(answer), "/cancel_requested"));
    }
    answer_expect(request(&service, "DELETE", format("/v1/jobs/%s", first), NULL, NULL), 202);
    answer_expect(get(&service, "/v1/jobs"), 200);
    have_room(shim);
    ck_assert_str_eq(text_at(job_wait(&service, first), "/state"), "cancelled");
    for (int i = 0; i < MORE_THAN_THREADS; i++)
        ck_assert_str_eq(text_at(job_wait(&service, id[i]), "/state"), "cancelled");
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
    work->running = job_post(service, CHECKS, check_seconds());
    work->queued = job_post(service, TRAININGS, training_small(20));
    job_running(service, work->running);
}

static void work_expect(const struct work *work, const struct service *service)
{
    struct reference check, training;
    reference_start(&check, "", CHECKS, check_seconds());
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

/* One that starts with the disk full serves what can be read, and goes on once there is room. */
START_TEST(starts_without_room)
{
    struct service service;
    struct work work;
    struct shim *shim = faults_open();
    service_start(&service, "--workers 1");
    work_start(&work, &service);
    service_kill(&service);
    faults_order(shim, no_room);
    service_restart(&service);
    ck_assert_str_eq(get(&service, format("/v1/jobs/%s", work.ended))->body, work.body);
    full_expect(post(&service, CHECKS, check_small()));
    have_room(shim);
    work_expect(&work, &service);
    service_end(&service);
    store_is_sound(&service);
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

/* A request of some 400 kB, in numbers that need not be decoded to be stored. */
static json_t *check_wide(void)
{
    return check_new(model_new(100, "2 tanh", "mse"), data_new(500, 100, 2));
}

/* The log is full of room for new writes once it was copied into the file, which has none. */
START_TEST(files_cannot_grow)
{
    struct service service;
    struct shim *shim = faults_open();
    struct fault fault = no_room;
    size_t accepted = 0;
    service_start(&service, "--workers 1");
    const char *result = job_result_bytes(&service, CHECKS, check_wide());
    for (int i = 0; i < 60; i++)
        answer_expect(post_with(&service, CHECKS, WAIT, check_wide()), 200);
    fault.growth = true;
    faults_order(shim, fault);
    struct answer *answer;
    while ((answer = post_with(&service, CHECKS, WAIT, check_wide()))->status == 200) {
        ck_assert_str_eq(answer_member(answer, "result"), result);
        accepted++;
    }
    full_expect(answer);
    printf("%zu jobs went into the room of the files\n", accepted);
    have_room(shim);
    answer_expect(post_with(&service, CHECKS, WAIT, check_wide()), 200);
    ck_assert_uint_eq(jobs_count(&service), 1 + 60 + accepted + 1);
    service_end(&service);
    store_is_sound(&service);
    service_restart(&service);
    ck_assert_uint_eq(jobs_count(&service), 1 + 60 + accepted + 1);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {new_jobs_are_refused,
                                  reading_goes_on,
                                  running_jobs_wait_for_room,
                                  cancelling_waits_for_nothing,
                                  stops_without_room,
                                  killed_without_room,
                                  starts_without_room,
                                  room_comes_and_goes,
                                  room_comes_and_goes_within_a_write,
                                  files_cannot_grow,
                                  NULL};
    return suite_main("disk-full", tests);
}
