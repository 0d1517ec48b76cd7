/* The daemon as a process: its line, options and exit statuses; ending it while it works. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* From SIGTERM to the end. */
static const double STOP_SECONDS = 5;

START_TEST(one_line_on_standard_output)
{
    struct service service;
    service_start(&service, "");
    job_wait(&service, job_post(&service, CHECKS, check_small()));
    answer_expect(get(&service, "/v1/nothing"), 404);
    struct ending ending = service_stop(&service);
    ck_assert_int_eq(ending.status, 0);
    ck_assert(ending.silent);
}

START_TEST(version)
{
    struct output output;
    char expected[64] = "";
    FILE *file = fopen("VERSION", "r");
    ck_assert_msg(file != NULL && fscanf(file, "%63s", expected) == 1, "no VERSION here");
    fclose(file);
    program_run("--version", &output);
    ck_assert_int_eq(output.status, 0);
    ck_assert_msg(strstr(output.out, expected) != NULL, "%s", output.out);
    ck_assert_str_eq(output.err, "");
}

START_TEST(help)
{
    static const char *const options[] = {
        "--listen",    "--data-dir",     "--workers",       "--store",
        "--host-name", "--body-bytes",   "--json-bytes",    "--version",
        "--help",      "127.0.0.1:8080", "gradcheckd-data", "GRADCHECKD_WORKERS"};
    struct output output;
    program_run("--help", &output);
    ck_assert_int_eq(output.status, 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_assert_msg(strstr(output.out, options[i]) != NULL, "no %s in:\n%s", options[i],
                      output.out);
}

START_TEST(wrong_options)
{
    static const struct {
        const char *options, *named;
    } cases[] = {{"--wrkers 2", "--wrkers"},
                 {"-x", "x"},
                 {"--workers", "--workers"},
                 {"--workers two", "--workers"},
                 {"--workers 0", "--workers"},
                 {"--workers -1", "--workers"},
                 {"--workers 99999999999999999999", "--workers"},
                 {"--body-bytes 1.5", "--body-bytes"},
                 {"--store nothing:", "--store"},
                 {"--listen nowhere", "--listen"},
                 {"--listen --workers 2", "--listen needs a value"},
                 {"--tls-cert none.pem --tls-key none.pem", "--tls-cert"},
                 {"--listen 127.0.0.1:65536", "--listen"},
                 {"surplus", "surplus"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct output output;
        program_run(cases[i].options, &output);
        ck_assert_msg(output.status == 2, "%s: exit status %d", cases[i].options, output.status);
        ck_assert_msg(strstr(output.err, cases[i].named) != NULL, "%s: %s", cases[i].options,
                      output.err);
        ck_assert_str_eq(output.out, "");
    }
}

/* Without tokens nobody but this machine may come in. */
START_TEST(other_addresses_need_tokens)
{
    static const char *const addresses[] = {"0.0.0.0:0", "[::]:0"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct output output;
        program_run(format("--store memory: --listen %s", addresses[i]), &output);
        ck_assert_msg(output.status != 0 && output.status < 128, "%d", output.status);
        ck_assert_str_ne(output.err, "");
        ck_assert_str_eq(output.out, "");
    }
}

START_TEST(port_in_use)
{
    struct service service;
    struct output output;
    service_start(&service, "");
    const char *address = format("127.0.0.1:%d", service.port);
    program_run(format("--store memory: --data-dir %s/other --listen %s", service.folder, address),
                &output);
    ck_assert_msg(output.status != 0 && output.status < 128, "%d", output.status);
    ck_assert_msg(strstr(output.err, format("%d", service.port)) != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
    answer_expect(get(&service, "/healthz"), 200);
    service_end(&service);
}

/* Flag over environment over default. */
START_TEST(environment)
{
    struct service service;
    ck_assert_int_eq(setenv("GRADCHECKD_BODY_BYTES", "20", 1), 0);
    service_start(&service, "");
    answer_expect(post(&service, CHECKS, check_small()), 413);
    service_end(&service);
    service_start(&service, "--body-bytes 1000000");
    answer_expect(post(&service, CHECKS, check_small()), 202);
    service_end(&service);
    struct output output;
    ck_assert_int_eq(setenv("GRADCHECKD_BODY_BYTES", "many", 1), 0);
    program_run("--store memory: --listen 127.0.0.1:0", &output);
    ck_assert_int_eq(output.status, 2);
    ck_assert_msg(strstr(output.err, "GRADCHECKD_BODY_BYTES") != NULL, "%s", output.err);
}

/* What is wrong in the folder is not wrong in the options. */
START_TEST(folders_that_cannot_be_used)
{
    static const char *const names[] = {"jobs.db", "tokens"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct service service;
        struct output output;
        service_prepare(&service, "");
        const char *folder = format("%s/data", service.folder);
        ck_assert_int_eq(mkdir(folder, 0700), 0);
        FILE *file = fopen(format("%s/%s", folder, names[i]), "w");
        ck_assert_int_eq(fprintf(file, "%2000d", 0), 2000);
        fclose(file);
        program_run(format("--listen 127.0.0.1:0 --data-dir %s", folder), &output);
        ck_assert_msg(output.status == 1, "%s: %d", names[i], output.status);
        ck_assert_msg(strstr(output.err, names[i]) != NULL, "%s", output.err);
        ck_assert_str_eq(output.out, "");
    }
}

static void stop_expect(struct service *service)
{
    struct ending ending = service_stop(service);
    ck_assert_msg(ending.status == 0, "exit status %d", ending.status);
    ck_assert_msg(ending.seconds < patience(STOP_SECONDS), "took %g s", ending.seconds);
    ck_assert(ending.silent);
}

START_TEST(stops_during_a_check)
{
    struct service service;
    service_start(&service, "");
    job_running(&service, job_post(&service, CHECKS, check_long()));
    stop_expect(&service);
}

START_TEST(stops_during_a_training)
{
    struct service service;
    service_start(&service, "--workers 1");
    job_running(&service, job_post(&service, TRAININGS, training_long()));
    /* One that waits for its turn holds nothing up. */
    job_post(&service, CHECKS, check_long());
    stop_expect(&service);
}

/* A pipe that nobody reads in place of its standard error, full from the start. Through /proc, so
 * that it is gone when the test is. */
static void stderr_stall(const struct service *service)
{
    int pipes[2];
    char nothing[4096] = "";
    ck_assert_int_eq(pipe(pipes), 0);
    for (int i = 0; i < 2; i++)
        fcntl(pipes[i], F_SETFD, FD_CLOEXEC);
    fcntl(pipes[1], F_SETFL, O_NONBLOCK);
    while (write(pipes[1], nothing, sizeof nothing) > 0)
        continue;
    ck_assert_int_eq(
        symlink(format("/proc/%d/fd/%d", getpid(), pipes[1]), format("%s/stderr", service->folder)),
        0);
}

START_TEST(who_does_not_read_the_log_holds_nothing_up)
{
    struct service service;
    service_prepare(&service, "");
    stderr_stall(&service);
    service_restart(&service);
    for (int i = 0; i < 100; i++)
        answer_expect(get(&service, "/v1/nothing"), 404);
    job_result(&service, CHECKS, check_small());
    stop_expect(&service);
}

/* Beyond a limit on the size of files, writing fails, and the rest goes on. */
START_TEST(a_limit_of_file_sizes_ends_nothing)
{
    struct service service;
    struct rlimit limit, before;
    service_prepare(&service, "");
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){256 << 10, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    service_restart(&service);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    json_t *request = check_new(model_new(100, "2 tanh", "mse"), data_new(500, 100, 2));
    ck_assert_int_ge(post(&service, CHECKS, request)->status, 500);
    answer_expect(get(&service, "/healthz"), 200);
    stop_expect(&service);
}

/* The clients that wait are answered before the end: with the job as it is. */
START_TEST(stop_answers_who_waits)
{
    enum { WAITING = 3 };
    struct service service;
    struct client clients[WAITING], quick;
    service_start(&service, "");
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    for (int i = 0; i < WAITING; i++) {
        ck_assert(client_open(&clients[i], &service));
        client_send_text(&clients[i], format("GET /v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\n"
                                             "Prefer: wait=60\r\n\r\n",
                                             id));
    }
    /* A later connection that is answered: those before it have been read. */
    ck_assert(client_open(&quick, &service));
    client_send_text(&quick, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answer_expect(client_receive(&quick, false), 200);
    kill(service.pid, SIGTERM);
    for (int i = 0; i < WAITING; i++) {
        struct answer *answer = client_receive(&clients[i], false);
        ck_assert_msg(answer->status == 200 || answer->status == 503, "%d", answer->status);
        if (answer->status == 200) ck_assert_str_eq(text_at(answer_json(answer), "/id"), id);
        client_close(&clients[i]);
    }
    client_close(&quick);
    struct ending ending = service_wait(&service);
    ck_assert_int_eq(ending.status, 0);
    ck_assert(ending.seconds < patience(STOP_SECONDS));
}

/* Between the signal and the end new jobs are refused, or nobody listens any more. */
START_TEST(no_new_jobs_while_stopping)
{
    struct service service;
    struct client client;
    service_start(&service, "");
    job_running(&service, job_post(&service, TRAININGS, training_long()));
    kill(service.pid, SIGTERM);
    double deadline = seconds_now() + patience(STOP_SECONDS);
    struct answer *answer = NULL;
    do {
        ck_assert_msg(seconds_now() < deadline, "still takes jobs");
        if (!client_open(&client, &service)) break;
        client_send_text(&client, "POST " CHECKS
                                  " HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        answer = client_receive(&client, false);
        client_close(&client);
    } while (answer->status == 422);
    if (answer != NULL && answer->status != 422 && answer->status != 0) {
        problem_expect(answer, 503, NULL);
        ck_assert_ptr_nonnull(answer_header(answer, "Retry-After"));
    }
    ck_assert_int_eq(service_wait(&service).status, 0);
}

static void cancel_expect(const struct service *service, const char *id)
{
    const char *path = format("/v1/jobs/%s", id);
    job_running(service, id);
    answer_expect(request(service, "DELETE", path, NULL, NULL), 202);
    struct answer *answer = get_with(service, path, "Prefer: wait=5\r\n");
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "cancelled");
}

START_TEST(cancel_stops_the_work)
{
    struct service service;
    service_start(&service, "--workers 1");
    cancel_expect(&service, job_post(&service, CHECKS, check_long()));
    cancel_expect(&service, job_post(&service, TRAININGS, training_long()));
    /* The worker is free again. */
    job_result(&service, CHECKS, check_small());
    service_end(&service);
}

/* With several workers some grain is always out: the limit must not wait for a moment without. */
START_TEST(time_limit_ends_the_work)
{
    struct service service;
    service_start(&service, "--workers 4");
    json_t *request = check_long();
    value_set(request, "/check/time_limit_seconds", json_real(0.5));
    json_t *job = job_wait(&service, job_post(&service, CHECKS, request));
    ck_assert_str_eq(text_at(job, "/state"), "failed");
    ck_assert_str_eq(text_at(job, "/error/type"), "urn:gradcheckd:problem:time-limit");
    service_end(&service);
}

static void progress_expect(const struct service *service, const char *id)
{
    json_int_t last = 0;
    double deadline = seconds_now() + patience(30);
    for (int grown = 0; grown < 3;) {
        ck_assert_msg(seconds_now() < deadline, "progress stays at %d", (int)last);
        struct answer *answer = get_with(service, format("/v1/jobs/%s", id), "Prefer: wait=1\r\n");
        json_int_t done = integer_at(answer_json(answer), "/progress/done");
        ck_assert_int_ge(done, last);
        ck_assert_int_lt(done, integer_at(answer->json, "/progress/total"));
        if (done > last) grown++;
        last = done;
    }
    job_cancel(service, id);
}

START_TEST(progress_grows)
{
    struct service service;
    service_start(&service, "");
    progress_expect(&service, job_post(&service, CHECKS, check_long()));
    progress_expect(&service, job_post(&service, TRAININGS, training_long()));
    service_end(&service);
}

/* Two jobs on one worker: the short one does not wait for the end of the long one. */
START_TEST(short_jobs_pass_long_ones)
{
    struct service service;
    service_start(&service, "--workers 1");
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    job_result(&service, CHECKS, check_small());
    ck_assert_str_eq(text_at(job_get(&service, id), "/state"), "running");
    job_cancel(&service, id);
    service_end(&service);
}

/* Those who wait and go away leave the job and the daemon alone. */
START_TEST(waiting_clients_vanish)
{
    enum { WAITING = 20 };
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, TRAININGS, training_long());
    for (int i = 0; i < WAITING; i++) {
        struct client client;
        ck_assert(client_open(&client, &service));
        client_send_text(&client, format("GET /v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\n"
                                         "Prefer: wait=60\r\n\r\n",
                                         id));
        client_close(&client);
    }
    answer_expect(get(&service, "/healthz"), 200);
    job_running(&service, id);
    job_cancel(&service, id);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {one_line_on_standard_output,
                                  version,
                                  help,
                                  wrong_options,
                                  other_addresses_need_tokens,
                                  port_in_use,
                                  environment,
                                  folders_that_cannot_be_used,
                                  stops_during_a_check,
                                  stops_during_a_training,
                                  who_does_not_read_the_log_holds_nothing_up,
                                  a_limit_of_file_sizes_ends_nothing,
                                  stop_answers_who_waits,
                                  no_new_jobs_while_stopping,
                                  cancel_stops_the_work,
                                  time_limit_ends_the_work,
                                  progress_grows,
                                  short_jobs_pass_long_ones,
                                  waiting_clients_vanish,
                                  NULL};
    return suite_main("lifecycle", tests);
}
