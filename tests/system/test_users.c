/* Tokens beside a running daemon: who comes in, who does not, and how soon a change counts. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "tokens.h"
#include "values.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* Well-formed, with a right checksum, and nobody's. */
#define STRAY "gck_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3IvEu4"

static const char *path_of(const struct service *service, const char *name)
{
    return format("%s/data/%s", service->folder, name);
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static const char *file_read(const char *path)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return format("%.*s", (int)size, text);
}

static void expect_user(const struct service *service, const char *token, const char *name,
                        const char *role)
{
    struct answer *answer = token_await(service, token, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/name"), name);
    ck_assert_str_eq(text_at(answer->json, "/role"), role);
}

/* A daemon that starts with these users' tokens. */
static void start_with(struct service *service, const char *options, const char *const users[],
                       const char *tokens[])
{
    service_prepare(service, options);
    for (size_t i = 0; users[i] != NULL; i++)
        tokens[i] = token_add(service, users[i]);
    service_restart(service);
}

#define START_WITH(SERVICE, TOKENS, ...) \
    start_with(SERVICE, "", (const char *const[]){__VA_ARGS__, NULL}, TOKENS)

/* ---- without tokens, and the first one ---- */

START_TEST(without_tokens_everyone_is_local)
{
    struct service service;
    service_start(&service, "");
    expect_user(&service, NULL, "local", "user");
    expect_user(&service, STRAY, "local", "user");
    answer_expect(get_with(&service, "/v1/jobs", "Authorization: Basic eDp5\r\n"), 200);
    service_end(&service);
}

START_TEST(the_first_token_closes_the_door)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    const char *token = token_add(&service, "alice");
    problem_expect(token_await(&service, NULL, 401), 401, NULL);
    expect_user(&service, token, "alice", "user");
    /* What `local` had is not hers. */
    answer_expect(get_with(&service, format("/v1/jobs/%s", id), bearer(token)), 404);
    /* Whoever is given that name has it. */
    const char *local = token_add(&service, "local");
    expect_user(&service, local, "local", "user");
    answer_expect(get_with(&service, format("/v1/jobs/%s", id), bearer(local)), 200);
    service_end(&service);
}

static struct answer *get_from(const struct service *service, const char *path, const char *host,
                               const char *token)
{
    struct client client;
    ck_assert(client_open(&client, service));
    client_send_text(&client,
                     format("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, host, bearer(token)));
    struct answer *answer = client_receive(&client, false);
    client_close(&client);
    return answer;
}

/* A page of another site cannot send a token. */
START_TEST(tokens_take_the_place_of_the_host_rule)
{
    struct service service;
    const char *token;
    service_start(&service, "");
    problem_expect(get_from(&service, "/v1/whoami", "evil.example", STRAY), 421, NULL);
    problem_expect(get_from(&service, "/healthz", "evil.example", NULL), 421, NULL);
    token = token_add(&service, "alice");
    token_await(&service, NULL, 401);
    answer_expect(get_from(&service, "/v1/whoami", "lab.example", token), 200);
    answer_expect(get_from(&service, "/healthz", "lab.example", NULL), 200);
    problem_expect(get_from(&service, "/v1/whoami", "localhost", NULL), 401, NULL);
    service_end(&service);
}

/* ---- 401 and 403 ---- */

/* Before anything else that could be told of the request but its framing. */
START_TEST(nobody_is_told_what_is_there)
{
    static const struct {
        const char *method, *path, *headers, *body;
    } cases[] = {
        {"GET", "/v1/whoami", "", NULL},
        {"HEAD", "/v1/whoami", "", NULL},
        {"GET", "/v1/jobs", "", NULL},
        {"GET", "/v1/jobs?limit=none", "", NULL},
        {"GET", "/v1/jobs/nosuchjob", "", NULL},
        {"GET", "/v1/nothing", "", NULL},
        {"HEAD", "/v1/nothing", "", NULL},
        {"GET", "/", "", NULL},
        {"PUT", "/v1/jobs", "", NULL},
        {"POST", "/healthz", "", NULL},
        {"DELETE", "/v1/catalog", "", NULL},
        {"OPTIONS", "/v1/jobs", "", NULL},
        {"FROB", "/v1/jobs", "", NULL},
        {"POST", CHECKS, "", NULL},
        {"POST", CHECKS, "Content-Type: text/plain\r\n", "{}"},
        {"POST", CHECKS, "Content-Type: application/json\r\n", "{"},
        {"POST", "/v1/models/summary", "Content-Type: application/json\r\n", "{}"},
        {"DELETE", "/v1/jobs/nosuchjob?purge=perhaps", "", NULL},
    };
    static const struct {
        const char *header, *challenge;
    } senders[] = {
        {"", "Bearer"},
        {"Authorization: Basic YWxpY2U6c2VjcmV0\r\n", "Bearer"},
        {"Authorization: Bearer\r\n", "Bearer"},
        {"Authorization: Bearer " STRAY "\r\n", "Bearer error=\"invalid_token\""},
        {"Authorization: Bearer gck_short\r\n", "Bearer error=\"invalid_token\""},
        {"Authorization: Bearer two words\r\n", "Bearer error=\"invalid_token\""},
    };
    struct service service;
    const char *token;
    int failed = 0;
    START_WITH(&service, &token, "alice");
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        for (size_t j = 0; j < LENGTH_OF(senders); j++) {
            struct answer *answer =
                request(&service, cases[i].method, cases[i].path,
                        format("%s%s", cases[i].headers, senders[j].header), cases[i].body);
            const char *challenge = answer_header(answer, "WWW-Authenticate"), *fault = NULL;
            if (strcmp(cases[i].method, "HEAD") != 0)
                fault = problem_fault(answer, 401);
            else if (answer->status != 401 || answer->body_bytes > 0)
                fault = format("HEAD: %d", answer->status);
            if (fault == NULL &&
                (challenge == NULL || strcmp(challenge, senders[j].challenge) != 0))
                fault = format("WWW-Authenticate: %s", challenge != NULL ? challenge : "missing");
            if (fault == NULL && answer_header(answer, "Allow") != NULL) fault = "Allow is told";
            if (fault != NULL)
                failed += case_failed(
                    format("%s %s %s", cases[i].method, cases[i].path, senders[j].header), fault);
        }
    ck_assert_int_eq(failed, 0);
    answer_expect(get_with(&service, "/v1/nothing", bearer(token)), 404);
    answer_expect(request(&service, "PUT", "/v1/jobs", bearer(token), NULL), 405);
    ck_assert_ptr_null(
        answer_header(get_with(&service, "/v1/nothing", bearer(token)), "WWW-Authenticate"));
    service_end(&service);
}

/* All refusals are one: none tells whether there was such a token. */
START_TEST(refusals_are_the_same)
{
    struct service service;
    const char *tokens[3];
    START_WITH(&service, tokens, "alice", "bob --expires 1s", "carol");
    token_revoke(&service, "carol");
    token_await(&service, tokens[2], 401);
    const double deadline = seconds_now() + patience(20);
    while (get_with(&service, "/v1/whoami", bearer(tokens[1]))->status != 401)
        ck_assert_msg(seconds_now() < deadline, "does not expire");
    const char *const bad[] = {tokens[1], tokens[2], STRAY, "gck_none"};
    const char *first = NULL;
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct answer *answer =
            get_with(&service, "/v1/whoami", format("%sX-Request-Id: same\r\n", bearer(bad[i])));
        ck_assert_str_eq(text_at(answer_json(answer), "/type"),
                         "urn:gradcheckd:problem:unauthorized");
        if (first == NULL) first = answer->body;
        ck_assert_str_eq(answer->body, first);
    }
    service_end(&service);
}

START_TEST(open_routes_stay_open)
{
    struct service service;
    const char *token;
    START_WITH(&service, &token, "alice");
    answer_expect(get(&service, "/healthz"), 200);
    answer_expect(request(&service, "HEAD", "/healthz", NULL, NULL), 200);
    answer_expect(get(&service, "/v1/catalog"), 200);
    answer_expect(get_with(&service, "/healthz", bearer(STRAY)), 200);
    answer_expect(get_with(&service, "/healthz", bearer(token)), 200);
    service_end(&service);
}

/* Which one would count is nothing to guess. */
START_TEST(two_authorizations_are_a_bad_request)
{
    struct service service;
    const char *token;
    START_WITH(&service, &token, "alice");
    const char *twice = format("%s%s", bearer(token), bearer(token));
    problem_expect(get_with(&service, "/v1/whoami", twice), 400, NULL);
    service_end(&service);
}

START_TEST(roles)
{
    struct service service;
    const char *tokens[3];
    START_WITH(&service, tokens, "alice", "root --admin", "viewer --read-only");
    expect_user(&service, tokens[0], "alice", "user");
    expect_user(&service, tokens[1], "root", "admin");
    expect_user(&service, tokens[2], "viewer", "read-only");
    struct answer *answer = post_with(&service, CHECKS, bearer(tokens[2]), check_small());
    problem_expect(answer, 403, NULL);
    ck_assert_str_eq(text_at(answer->json, "/type"), "urn:gradcheckd:problem:forbidden");
    ck_assert_ptr_null(answer_header(answer, "WWW-Authenticate"));
    service_end(&service);
}

/* What a user may do is told before what is wrong with the request; where there is nothing, that is
 * told first. */
START_TEST(read_only_is_told_first)
{
    struct service service;
    const char *token;
    START_WITH(&service, &token, "viewer --read-only");
    const char *json = format("%sContent-Type: application/json\r\n", bearer(token));
    problem_expect(request(&service, "POST", CHECKS, bearer(token), "x"), 403, NULL);
    problem_expect(request(&service, "POST", CHECKS, json, "{"), 403, NULL);
    problem_expect(request(&service, "DELETE", "/v1/jobs/nosuchjob", json, NULL), 403, NULL);
    problem_expect(request(&service, "PATCH", "/v1/jobs/nosuchjob", json, "{}"), 403, NULL);
    problem_expect(request(&service, "DELETE", "/v1/nothing", json, NULL), 404, NULL);
    problem_expect(request(&service, "PUT", CHECKS, json, NULL), 405, NULL);
    service_end(&service);
}

/* `use` counts one's own jobs. */
START_TEST(whoami_counts_ones_own)
{
    struct service service;
    const char *tokens[2];
    start_with(&service, "--workers 1", (const char *const[]){"alice", "bob", NULL}, tokens);
    for (int i = 0; i < 3; i++)
        answer_expect(post_with(&service, TRAININGS, bearer(tokens[0]), training_long()), 202);
    json_t *alice = answer_json(get_with(&service, "/v1/whoami", bearer(tokens[0])));
    json_t *bob = answer_json(get_with(&service, "/v1/whoami", bearer(tokens[1])));
    ck_assert_int_eq(integer_at(alice, "/use/queued_jobs") + integer_at(alice, "/use/running_jobs"),
                     3);
    ck_assert_int_eq(integer_at(bob, "/use/queued_jobs") + integer_at(bob, "/use/running_jobs"), 0);
    ck_assert_ptr_nonnull(value_find(bob, "/quotas/active_jobs"));
    ck_assert_ptr_nonnull(value_find(bob, "/version"));
    service_end(&service);
}

/* ---- changes while it runs ---- */

START_TEST(revoked_tokens_end)
{
    struct service service;
    struct client client;
    const char *tokens[2];
    START_WITH(&service, tokens, "alice", "bob");
    /* A connection that stays open is asked each time. */
    const char *again =
        format("GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n%s\r\n", bearer(tokens[0]));
    ck_assert(client_open(&client, &service));
    client_send_text(&client, again);
    answer_expect(client_receive(&client, false), 200);
    token_revoke(&service, "alice");
    token_await(&service, tokens[0], 401);
    client_send_text(&client, again);
    answer_expect(client_receive(&client, false), 401);
    client_close(&client);
    expect_user(&service, tokens[1], "bob", "user");
    /* The name is free again; the old token is not. */
    const char *token = token_add(&service, "alice --read-only");
    expect_user(&service, token, "alice", "read-only");
    answer_expect(get_with(&service, "/v1/whoami", bearer(tokens[0])), 401);
    service_end(&service);
}

START_TEST(without_a_valid_token_nobody_comes_in)
{
    struct service service;
    const char *token;
    START_WITH(&service, &token, "alice");
    token_revoke(&service, "alice");
    token_await(&service, token, 401);
    problem_expect(get(&service, "/v1/whoami"), 401, NULL);
    service_end(&service);
    /* Nor after a restart. */
    service_restart(&service);
    problem_expect(get(&service, "/v1/whoami"), 401, NULL);
    problem_expect(get_with(&service, "/v1/whoami", bearer(token)), 401, NULL);
    answer_expect(get(&service, "/healthz"), 200);
    service_end(&service);
}

START_TEST(expired_tokens_end)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    service_restart(&service);
    const char *token = token_add(&service, "alice --expires 1s");
    const double deadline = seconds_now() + patience(20);
    token_await(&service, NULL, 401);
    while (get_with(&service, "/v1/whoami", bearer(token))->status != 401)
        ck_assert_msg(seconds_now() < deadline, "does not expire");
    do {
        ck_assert_msg(seconds_now() < deadline, "is not listed as expired: %s", output.out);
        token_run(&service, "list", &output);
        ck_assert_int_eq(output.status, 0);
    } while (strstr(output.out, " expired ") == NULL);
    /* The name is free again. */
    expect_user(&service, token_add(&service, "alice --expires 1y"), "alice", "user");
    service_end(&service);
}

/* The file may come from elsewhere, renamed into place or written over. */
START_TEST(a_replaced_file_counts)
{
    struct service service, other;
    const char *token, *theirs;
    START_WITH(&service, &token, "alice");
    START_WITH(&other, &theirs, "bob");
    service_end(&other);
    const char *mine = file_read(path_of(&service, "tokens"));
    file_write(path_of(&service, "copy"), file_read(path_of(&other, "tokens")));
    ck_assert_int_eq(rename(path_of(&service, "copy"), path_of(&service, "tokens")), 0);
    token_await(&service, token, 401);
    expect_user(&service, theirs, "bob", "user");
    file_write(path_of(&service, "tokens"), mine);
    token_await(&service, theirs, 401);
    expect_user(&service, token, "alice", "user");
    service_end(&service);
}

START_TEST(a_damaged_file_changes_nothing)
{
    struct service service;
    struct output output;
    const char *token;
    START_WITH(&service, &token, "alice");
    const char *good = file_read(path_of(&service, "tokens"));
    file_write(path_of(&service, "tokens"), format("%sbob user\n", good));
    service_log_await(&service, "level=error event=tokens", 1);
    expect_user(&service, token, "alice", "user");
    answer_expect(get(&service, "/v1/whoami"), 401);
    ck_assert_int_eq(service_log_count(&service, "line 3"), 1);
    /* The commands see the same, and do not write over it. */
    token_run(&service, "add carol", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "tokens: line 3: ") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
    file_write(path_of(&service, "tokens"), good);
    expect_user(&service, token_add(&service, "carol"), "carol", "user");
    ck_assert_int_eq(service_log_count(&service, "level=error event=tokens"), 1);
    service_end(&service);
}

START_TEST(no_start_with_a_damaged_file)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    token_add(&service, "alice");
    file_write(path_of(&service, "tokens"), "gradcheckd tokens 1\nalice\n");
    program_run(format("--listen 127.0.0.1:0 --data-dir %s/data", service.folder), &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "tokens: line 2: ") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
}

/* It is no missing file: there were to be tokens. */
START_TEST(no_start_with_a_link_that_leads_nowhere)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    token_add(&service, "alice");
    ck_assert_int_eq(remove(path_of(&service, "tokens")), 0);
    ck_assert_int_eq(symlink("elsewhere", path_of(&service, "tokens")), 0);
    program_run(format("--listen 127.0.0.1:0 --data-dir %s/data", service.folder), &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "tokens: a symbolic link") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
}

/* The commands would put a file in its place, and leave the list as it was. */
START_TEST(a_link_is_read_and_not_replaced)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    const char *token = token_add(&service, "alice");
    ck_assert_int_eq(rename(path_of(&service, "tokens"), path_of(&service, "list")), 0);
    ck_assert_int_eq(symlink("list", path_of(&service, "tokens")), 0);
    service_restart(&service);
    expect_user(&service, token, "alice", "user");
    token_run(&service, "revoke alice", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "tokens: a symbolic link") != NULL, "%s", output.err);
    token_run(&service, "add bob", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_str_eq(output.out, "");
    service_end(&service);
}

START_TEST(others_who_may_write_are_told_in_the_log)
{
    static const char *const names[] = {"tokens", "."};
    struct service service;
    service_prepare(&service, "");
    token_add(&service, "alice");
    service_restart(&service);
    service_end(&service);
    ck_assert_int_eq(service_log_count(&service, "level=warning"), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(chmod(path_of(&service, names[i]), 0720), 0);
        service_restart(&service);
        service_end(&service);
        ck_assert_int_eq(service_log_count(&service, "level=warning event=tokens"), i + 1);
        ck_assert_int_eq(chmod(path_of(&service, names[i]), 0700), 0);
    }
}

START_TEST(without_its_file_nobody_comes_in)
{
    struct service service;
    const char *token;
    START_WITH(&service, &token, "alice");
    const char *path = path_of(&service, "tokens"), *away = path_of(&service, "away");
    ck_assert_int_eq(rename(path, away), 0);
    token_await(&service, token, 401);
    problem_expect(get(&service, "/v1/whoami"), 401, NULL);
    answer_expect(get(&service, "/healthz"), 200);
    service_log_await(&service, "level=error event=tokens", 1);
    ck_assert_int_eq(rename(away, path), 0);
    expect_user(&service, token, "alice", "user");
    service_end(&service);
}

START_TEST(several_at_once)
{
    enum { PROCESSES = 8 };
    struct service service;
    struct program programs[PROCESSES];
    struct output output;
    service_start(&service, "");
    for (int i = 0; i < PROCESSES; i++)
        program_begin(format("token add user-%d --data-dir %s/data", i, service.folder),
                      &programs[i]);
    token_await(&service, NULL, 401);
    for (int i = 0; i < PROCESSES; i++) {
        program_finish(&programs[i], &output);
        ck_assert_msg(output.status == 0, "%s", output.err);
        const char *token = format("%.*s", (int)strcspn(output.out, "\n"), output.out);
        expect_user(&service, token, format("user-%d", i), "user");
    }
    token_run(&service, "list", &output);
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_ptr_nonnull(strstr(output.out, format("user-%d ", i)));
    service_end(&service);
}

/* A store in memory has its tokens in the folder all the same. */
START_TEST(tokens_with_a_store_in_memory)
{
    struct service service;
    struct output output;
    const char *tokens[1];
    start_with(&service, "--store memory:", (const char *const[]){"alice", NULL}, tokens);
    expect_user(&service, tokens[0], "alice", "user");
    answer_expect(get(&service, "/v1/jobs"), 401);
    token_run(&service, "add bob --store memory:", &output);
    ck_assert_msg(output.status == 0, "%s", output.err);
    expect_user(&service, format("%.*s", (int)strcspn(output.out, "\n"), output.out), "bob",
                "user");
    service_end(&service);
}

/* ---- what is written down ---- */

static const char *line_of(const char *text, const char *name)
{
    const char *line = strstr(text, format("\n%s ", name));
    ck_assert_msg(line != NULL, "no %s in:\n%s", name, text);
    return format("%.*s", (int)strcspn(line + 1, "\n"), line + 1);
}

START_TEST(last_uses_are_listed)
{
    struct service service;
    struct output output;
    const char *tokens[2];
    START_WITH(&service, tokens, "alice", "bob");
    expect_user(&service, tokens[0], "alice", "user");
    service_end(&service);
    token_run(&service, "list", &output);
    const char *alice = line_of(output.out, "alice"), *bob = line_of(output.out, "bob");
    ck_assert_msg(alice[strlen(alice) - 1] == 'Z', "%s", alice);
    ck_assert_msg(bob[strlen(bob) - 1] == '-', "%s", bob);
    /* A new token of that name was not used yet. */
    token_revoke(&service, "alice");
    token_add(&service, "alice");
    token_run(&service, "list", &output);
    alice = line_of(output.out, "alice");
    ck_assert_msg(alice[strlen(alice) - 1] == '-', "%s", alice);
}

START_TEST(a_token_is_written_nowhere)
{
    struct service service;
    struct output output;
    const char *token;
    START_WITH(&service, &token, "alice");
    expect_user(&service, token, "alice", "user");
    answer_expect(get_with(&service, format("/v1/nothing/%s", "x"), bearer(STRAY)), 401);
    const char *created = format("Bearer %s", token);
    answer_expect(post_with(&service, CHECKS, bearer(token), check_small()), 202);
    service_end(&service);
    token_run(&service, "list", &output);
    ck_assert_ptr_null(strstr(output.out, token + 4));
    ck_assert_ptr_null(strstr(file_read(path_of(&service, "tokens")), token + 4));
    ck_assert_ptr_null(strstr(file_read(path_of(&service, "tokens.used")), token + 4));
    ck_assert_int_eq(service_log_count(&service, token + 4), 0);
    ck_assert_int_eq(service_log_count(&service, created), 0);
    ck_assert_int_eq(service_log_count(&service, STRAY), 0);
    ck_assert_int_gt(service_log_count(&service, "user=alice"), 0);
}

START_TEST(the_files_are_their_owners_alone)
{
    struct service service;
    struct stat status;
    const char *token;
    static const char *const names[] = {"tokens", "tokens.lock", "tokens.used"};
    START_WITH(&service, &token, "alice");
    expect_user(&service, token, "alice", "user");
    service_end(&service);
    ck_assert_int_eq(stat(path_of(&service, "."), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        ck_assert_msg(stat(path_of(&service, names[i]), &status) == 0, "%s", names[i]);
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
    }
}

int main(void)
{
    const TTest *const tests[] = {without_tokens_everyone_is_local,
                                  the_first_token_closes_the_door,
                                  tokens_take_the_place_of_the_host_rule,
                                  nobody_is_told_what_is_there,
                                  refusals_are_the_same,
                                  open_routes_stay_open,
                                  two_authorizations_are_a_bad_request,
                                  roles,
                                  read_only_is_told_first,
                                  whoami_counts_ones_own,
                                  revoked_tokens_end,
                                  without_a_valid_token_nobody_comes_in,
                                  expired_tokens_end,
                                  a_replaced_file_counts,
                                  a_damaged_file_changes_nothing,
                                  no_start_with_a_damaged_file,
                                  no_start_with_a_link_that_leads_nowhere,
                                  a_link_is_read_and_not_replaced,
                                  others_who_may_write_are_told_in_the_log,
                                  without_its_file_nobody_comes_in,
                                  several_at_once,
                                  tokens_with_a_store_in_memory,
                                  last_uses_are_listed,
                                  a_token_is_written_nowhere,
                                  the_files_are_their_owners_alone,
                                  NULL};
    return suite_main("users", tests);
}
