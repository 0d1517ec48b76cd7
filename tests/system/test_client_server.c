/*
 * The command line with a server: jobs, tokens, servers that are not there or have no room, and
 * jobs that are cancelled with the command.
 */
#include "certificate.h"
#include "commands.h"
#include "jobs.h"
#include "requests.h"
#include "stub.h"
#include "tokens.h"
#include "values.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB(STATE, RESULT)                                                                     \
    "{\"id\": \"job1\", \"kind\": \"gradient-check\", \"state\": \"" STATE                     \
    "\", \"owner\": \"local\", \"progress\": {\"done\": 0, \"total\": 2}, \"result\": " RESULT \
    ", \"error\": null}"
#define RESULT(VERDICT) "{\"verdict\": \"" VERDICT "\", \"layers\": []}"

/* ---- jobs ---- */

START_TEST(jobs_of_a_server)
{
    struct service service;
    struct output output;
    service_start(&service, "");
    json_t *check = check_small();
    value_set(check, "/labels", json_pack("{s:s, s:s}", "project", "a b&c", "branch", "main"));
    const char *server = server_of(&service);
    command_expect(format("jobs %s", server), 0, &output);
    text_expect(output.out, "no such jobs");
    command_expect(format("check %s %s", json_file(&service, "spec", check), server), 0, &output);
    const char *training = job_post(&service, "/v1/trainings", training_small(2));
    job_wait(&service, training);

    command_expect(format("jobs %s", server), 0, &output);
    text_expect(output.out, training);
    text_expect(output.out, "branch=main");
    ck_assert_int_eq(strncmp(output.out, "ID ", 3), 0);
    command_expect(format("jobs %s --kind training --state succeeded", server), 0, &output);
    text_refuse(output.out, "gradient-check");
    ck_assert_int_eq(setenv("GRADCHECK_SERVER", strchr(server, ' ') + 1, 1), 0);
    command_expect("jobs --label branch=main --limit 1", 0, &output);
    text_refuse(output.out, "training");
    text_expect(output.out, "pass");
    command_expect("jobs --label branch=other", 0, &output);
    text_expect(output.out, "no such jobs");
    command_expect("jobs --state sleeping", 2, &output);
    command_expect("jobs --json --kind training", 0, &output);
    ck_assert_str_eq(text_at(value_parse(output.out), "/jobs/0/id"), training);
    service_end(&service);
}

START_TEST(one_job)
{
    struct service service;
    struct output output;
    service_start(&service, "");
    const char *server = server_of(&service);
    const char *id = job_post(&service, "/v1/gradient-checks", check_small());
    job_wait(&service, id);
    command_expect(format("show %s %s", server, id), 0, &output);
    ck_assert_int_eq(strncmp(output.out, "succeeded  gradient-check ", 26), 0);
    text_expect(output.out, "\npass  distance ");
    command_expect(format("show %s nosuchjob", server), 2, &output);
    text_expect(output.err, "nosuchjob: ");
    command_expect(format("show %s ../../v1/catalog", server), 2, &output);
    command_expect(format("watch %s %s --json", server, id), 0, &output);
    ck_assert_str_eq(text_at(value_parse(output.out), "/id"), id);

    id = job_post(&service, "/v1/gradient-checks", check_long());
    job_running(&service, id);
    command_expect(format("show %s %s", server, id), 0, &output);
    ck_assert_int_eq(strncmp(output.out, "running ", 8), 0);
    command_expect(format("cancel %s %s", server, id), 0, &output);
    job_wait(&service, id);
    command_expect(format("watch %s %s", server, id), 1, &output);
    ck_assert_int_eq(strncmp(output.out, "cancelled ", 10), 0);
    service_end(&service);
}

/* Plain lines, since it is no terminal; and the job outlives who watches. */
START_TEST(a_job_is_watched)
{
    struct service service;
    struct program program;
    struct output output;
    service_start(&service, "");
    const char *id = job_post(&service, "/v1/gradient-checks", check_long());
    job_running(&service, id);
    command_begin(format("watch %s %s", server_of(&service), id), &program);
    service_log_await(&service, format("path=\"/v1/jobs/%s\"", id), 2);
    ck_assert_int_eq(kill(program.pid, SIGINT), 0);
    program_finish(&program, &output);
    ck_assert_msg(output.status == 130, "exit status %d: %s", output.status, output.err);
    text_expect(output.err, "running ");
    text_expect(output.err, " of 82410\n");
    text_refuse(output.err, "\r");
    job_running(&service, id);
    job_cancel(&service, id);
    service_end(&service);
}

/* ---- verdicts that no small spec has ---- */

static void verdict_expect(const char *verdict, const char *option, int status)
{
    struct service service;
    struct program program;
    struct output output;
    struct stub stub;
    stub_start(&stub);
    service_prepare(&service, "");
    command_begin(format("check %s --server %s %s", json_file(&service, "spec", check_small()),
                         stub.url, option),
                  &program);
    stub_expect(&stub, "POST /v1/gradient-checks ");
    stub_reply(&stub, "200 OK", "", verdict);
    program_finish(&program, &output);
    ck_assert_msg(output.status == status, "%s: exit status %d: %s", verdict, output.status,
                  output.err);
}

START_TEST(verdicts)
{
    verdict_expect(JOB("succeeded", RESULT("pass")), "", 0);
    verdict_expect(JOB("succeeded", RESULT("fail")), "", 1);
    verdict_expect(JOB("succeeded", RESULT("fail")), "--allow-inconclusive", 1);
    verdict_expect(JOB("succeeded", RESULT("inconclusive")), "", 1);
    verdict_expect(JOB("succeeded", RESULT("inconclusive")), "--json", 1);
    verdict_expect(JOB("succeeded", RESULT("inconclusive")), "--allow-inconclusive", 0);
    verdict_expect(JOB("cancelled", "null"), "", 1);
}

/* ---- who asks ---- */

START_TEST(tokens)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    const char *alice = token_add(&service, "alice"), *eye = token_add(&service, "eye --read-only");
    service_restart(&service);
    const char *server = server_of(&service);
    const char *check = format("check %s %s", json_file(&service, "spec", check_small()), server);
    command_expect(check, 3, &output);
    text_expect(output.err, "token");
    command_expect(format("%s --token-file %s", check, text_file(&service, "alice", alice)), 0,
                   &output);
    text_file(&service, "alice", format("%s\n", alice));
    command_expect(format("jobs %s --token-file %s/alice", server, service.folder), 0, &output);
    command_expect(format("jobs %s --token-file %s/nobody", server, service.folder), 2, &output);
    text_file(&service, "nobody", "\n");
    command_expect(format("jobs %s --token-file %s/nobody", server, service.folder), 2, &output);
    ck_assert_int_eq(setenv("GRADCHECK_TOKEN", alice, 1), 0);
    command_expect(check, 0, &output);
    ck_assert_int_eq(setenv("GRADCHECK_TOKEN", eye, 1), 0);
    command_expect(format("jobs %s", server), 0, &output);
    command_expect(check, 3, &output);
    /* The file counts more than the environment. */
    command_expect(format("%s --token-file %s/alice", check, service.folder), 0, &output);
    ck_assert_int_eq(setenv("GRADCHECK_TOKEN", "stray\r\nHost: x", 1), 0);
    command_expect(check, 2, &output);
    service_end(&service);
}

START_TEST(a_socket_file)
{
    struct service service;
    struct output output;
    service_prepare(&service, "--listen unix:here");
    service_restart(&service);
    const char *spec = json_file(&service, "spec", check_small());
    command_expect(format("check %s --server unix:%s/here", spec, service.folder), 0, &output);
    command_expect(format("check %s --server unix:%s/nowhere", spec, service.folder), 3, &output);
    service_end(&service);
}

/* A server that nobody vouches for gets neither spec nor token. */
START_TEST(a_server_over_tls)
{
    struct service service;
    struct output output;
    service_prepare(&service, "--tls-cert x.cert --tls-key x.key");
    certificate_write(service.folder, "x", (struct certificate){.name = "x"});
    certificate_write(service.folder, "other", (struct certificate){.name = "other"});
    service_restart(&service);
    const char *check = format("check %s --server https://localhost:%d",
                               json_file(&service, "spec", check_small()), service.port);
    command_expect(check, 3, &output);
    text_expect(output.err, "ertificate");
    command_expect(format("%s --ca-file %s/other.cert", check, service.folder), 3, &output);
    command_expect(format("%s --ca-file %s/x.cert", check, service.folder), 0, &output);
    service_end(&service);
}

/* ---- servers that are not there, or have no room ---- */

START_TEST(a_server_that_is_not_there)
{
    struct service service;
    struct output output;
    struct stub stub;
    stub_bind(&stub);
    service_prepare(&service, "");
    const char *spec = json_file(&service, "spec", check_small());
    const double start = seconds_now();
    command_expect(format("check %s --server %s", spec, stub.url), 3, &output);
    ck_assert(seconds_now() - start < patience(10));
    text_expect(output.err, stub.url);
    command_expect(format("check %s --server %s --timeout 1", spec, stub.url), 4, &output);
    command_expect(format("check %s --server http://gradcheck.invalid", spec), 3, &output);
}

/* It comes up meanwhile: asked again, until it does. */
START_TEST(a_server_that_is_late)
{
    struct service service;
    struct program program;
    struct output output;
    struct stub stub;
    stub_bind(&stub);
    service_prepare(&service, "");
    const char *spec = json_file(&service, "spec", check_small());
    command_begin(format("check %s --server %s", spec, stub.url), &program);
    stub_listen(&stub);
    stub_expect(&stub, "POST /v1/gradient-checks ");
    const char *key = stub_header(&stub, "Idempotency-Key");
    ck_assert_ptr_nonnull(key);
    stub_break(&stub); /* and is started anew */
    stub_expect(&stub, "POST /v1/gradient-checks ");
    ck_assert_str_eq(stub_header(&stub, "Idempotency-Key"), key);
    stub_reply(&stub, "202 Accepted", "", JOB("queued", "null"));
    stub_expect(&stub, "GET /v1/jobs/job1 ");
    ck_assert_ptr_nonnull(stub_header(&stub, "Prefer"));
    stub_break(&stub);
    stub_expect(&stub, "GET /v1/jobs/job1 ");
    stub_reply(&stub, "200 OK", "", JOB("succeeded", RESULT("pass")));
    program_finish(&program, &output);
    ck_assert_msg(output.status == 0, "exit status %d: %s", output.status, output.err);
}

START_TEST(a_server_without_room)
{
    struct service service;
    struct program program;
    struct output output;
    struct stub stub;
    stub_start(&stub);
    service_prepare(&service, "");
    const char *spec = json_file(&service, "spec", check_small());
    const double start = seconds_now();
    command_begin(format("check %s --server %s", spec, stub.url), &program);
    stub_expect(&stub, "POST /v1/gradient-checks ");
    const char *key = stub_header(&stub, "Idempotency-Key");
    stub_reply(&stub, "503 Service Unavailable", "Retry-After: 1\r\n", "{}");
    stub_expect(&stub, "POST /v1/gradient-checks ");
    ck_assert_str_eq(stub_header(&stub, "Idempotency-Key"), key);
    stub_reply(&stub, "429 Too Many Requests", "Retry-After: 1\r\n", "{}");
    stub_expect(&stub, "POST /v1/gradient-checks ");
    ck_assert(seconds_now() - start >= 2);
    stub_reply(&stub, "200 OK", "", JOB("succeeded", RESULT("pass")));
    program_finish(&program, &output);
    ck_assert_msg(output.status == 0, "exit status %d: %s", output.status, output.err);
    /* Later than the command has time for. */
    command_begin(format("check %s --server %s --timeout 2", spec, stub.url), &program);
    stub_expect(&stub, "POST /v1/gradient-checks ");
    ck_assert_str_ne(stub_header(&stub, "Idempotency-Key"), key);
    stub_reply(&stub, "503 Service Unavailable", "Retry-After: 30\r\n", "{}");
    stub_expect(&stub, "POST /v1/gradient-checks "); /* whether there is a job to be cancelled */
    stub_reply(&stub, "503 Service Unavailable", "Retry-After: 30\r\n", "{}");
    program_finish(&program, &output);
    ck_assert_msg(output.status == 4, "exit status %d: %s", output.status, output.err);
}

START_TEST(what_is_no_gradcheckd)
{
    static const struct {
        const char *status, *body;
    } cases[] = {
        {"200 OK", "<html>"},        {"200 OK", "[]"},  {"200 OK", ""},
        {"404 Not Found", "<html>"}, {"302 Found", ""}, {"500 Internal Server Error", ""},
    };
    struct service service;
    service_prepare(&service, "");
    const char *spec = json_file(&service, "spec", check_small());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct program program;
        struct output output;
        struct stub stub;
        stub_start(&stub);
        command_begin(format("check %s --server %s", spec, stub.url), &program);
        stub_expect(&stub, "POST /v1/gradient-checks ");
        stub_reply(&stub, cases[i].status, "Location: http://127.0.0.1:1/\r\n", cases[i].body);
        program_finish(&program, &output);
        ck_assert_msg(output.status == 3, "%s %s: exit status %d: %s", cases[i].status,
                      cases[i].body, output.status, output.err);
    }
}

/* ---- the job ends with the command ---- */

static const char *only_job(const struct service *service)
{
    struct answer *answer = get(service, "/v1/jobs");
    ck_assert_uint_eq(length_at(answer_json(answer), "/jobs"), 1);
    return text_at(answer->json, "/jobs/0/id");
}

static void cancelled_expect(const struct service *service, const struct output *output, int status)
{
    const char *id = only_job(service);
    ck_assert_msg(output->status == status, "exit status %d: %s", output->status, output->err);
    text_expect(output->err, format("job %s is cancelled", id));
    ck_assert_str_eq(output->out, "");
    ck_assert_str_eq(text_at(job_wait(service, id), "/state"), "cancelled");
}

START_TEST(interrupted)
{
    struct service service;
    struct program program;
    struct output output;
    service_start(&service, "");
    const char *spec = json_file(&service, "spec", check_long());
    command_begin(format("check %s %s", spec, server_of(&service)), &program);
    /* It waits for its first answer, and does not know the job's id yet. */
    while (nothing_at(answer_json(get(&service, "/v1/jobs")), "/jobs"))
        continue;
    ck_assert_int_eq(kill(program.pid, SIGINT), 0);
    program_finish(&program, &output);
    cancelled_expect(&service, &output, 130);
    service_end(&service);
}

START_TEST(time_is_up)
{
    struct service service;
    struct output output;
    service_start(&service, "");
    const char *spec = json_file(&service, "spec", check_long());
    command_run(format("check --timeout 1 %s %s", spec, server_of(&service)), &output);
    cancelled_expect(&service, &output, 4);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {jobs_of_a_server,
                                  one_job,
                                  a_job_is_watched,
                                  verdicts,
                                  tokens,
                                  a_socket_file,
                                  a_server_over_tls,
                                  a_server_that_is_not_there,
                                  a_server_that_is_late,
                                  a_server_without_room,
                                  what_is_no_gradcheckd,
                                  interrupted,
                                  time_is_up,
                                  NULL};
    commands_clean();
    return suite_main("client-server", tests);
}
