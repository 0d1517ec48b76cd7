/* HTTP itself: framing, hosts, methods, media types, request ids, connections. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <string.h>
#include <strings.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* The smallest check there is, as text. */
#define BODY                                                                         \
    "{\"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1}]," \
    "\"cost\":\"mse\"},\"data\":{\"x\":[[1]],\"y\":[[1]]}}"
#define BODY_BYTES (sizeof BODY - 1)
#define JSON_TYPE "Content-Type: application/json\r\n"

START_TEST(unknown_paths)
{
    static const char *const paths[] = {"/",
                                        "/v1",
                                        "/v1/",
                                        "/v2/jobs",
                                        "/v1/job",
                                        "/v1/jobs/",
                                        "/v1/jobs/x/",
                                        "//v1/jobs",
                                        "/v1/jobs//",
                                        "/healthz/",
                                        "/v1/catalog/",
                                        "/V1/jobs",
                                        "/v1/datasets",
                                        "/v1/probes/",
                                        "/%00",
                                        "/healthz%00",
                                        "/v1/../healthz"};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        struct answer *answer = get(&service, paths[i]);
        /* A path with a NUL may be no path at all. */
        int status = answer->status == 400 && strstr(paths[i], "%00") != NULL ? 400 : 404;
        const char *fault = problem_fault(answer, status);
        if (fault != NULL) failed += case_failed(paths[i], fault);
    }
    ck_assert_int_eq(failed, 0);
    ck_assert(service_alive(&service));
    service_end(&service);
}

/* Whether a list such as "GET, HEAD" holds a method. */
static bool allows(const char *list, const char *method)
{
    size_t length = strlen(method);
    for (; *list != '\0'; list += strspn(list, ", ")) {
        size_t size = strcspn(list, ", ");
        if (size == length && strncmp(list, method, size) == 0) return true;
        list += size;
    }
    return false;
}

START_TEST(wrong_methods)
{
    static const struct {
        const char *method, *path, *allowed;
    } cases[] = {{"GET", CHECKS, "POST"},       {"PUT", CHECKS, "POST"},
                 {"DELETE", TRAININGS, "POST"}, {"PATCH", "/v1/models/summary", "POST"},
                 {"POST", "/v1/jobs", "GET"},   {"POST", "/v1/catalog", "GET"},
                 {"POST", "/healthz", "GET"},   {"DELETE", "/v1/whoami", "GET"},
                 {"BREW", "/v1/jobs", "GET"}};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *name = format("%s %s", cases[i].method, cases[i].path);
        bool with_body = cases[i].method[0] == 'P';
        struct answer *answer = request(&service, cases[i].method, cases[i].path,
                                        with_body ? JSON_TYPE : NULL, with_body ? "{}" : NULL);
        const char *fault = problem_fault(answer, 405);
        const char *allow = answer_header(answer, "Allow");
        if (fault == NULL && (allow == NULL || !allows(allow, cases[i].allowed)))
            fault = format("Allow is %s", allow != NULL ? allow : "missing");
        if (fault != NULL) failed += case_failed(name, fault);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

START_TEST(methods_of_a_job)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, CHECKS, check_small());
    struct answer *answer = request(&service, "PUT", format("/v1/jobs/%s", id), JSON_TYPE, "{}");
    problem_expect(answer, 405, NULL);
    const char *allow = answer_header(answer, "Allow");
    ck_assert_msg(allow != NULL && allows(allow, "GET") && allows(allow, "DELETE"), "%s", allow);
    problem_expect(job_part(&service, id, "predictions"), 405, NULL);
    service_end(&service);
}

START_TEST(head_is_get_without_body)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    const char *const paths[] = {"/healthz",
                                 "/v1/catalog",
                                 "/v1/whoami",
                                 "/v1/jobs",
                                 "/v1/nothing",
                                 format("/v1/jobs/%s", id),
                                 format("/v1/jobs/%s/request", id)};
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        struct client client;
        struct answer *full = get(&service, paths[i]);
        ck_assert(client_open(&client, &service));
        client_send_text(&client, format("HEAD %s HTTP/1.1\r\nHost: localhost\r\n"
                                         "Connection: close\r\nX-Request-Id: h\r\n\r\n",
                                         paths[i]));
        struct answer *answer = client_receive(&client, true);
        answer_expect(answer, full->status);
        ck_assert_str_eq(answer_header(answer, "Content-Type"),
                         answer_header(full, "Content-Type"));
        ck_assert_msg(client_closed(&client) && client.used == 0, "HEAD %s has a body", paths[i]);
        client_close(&client);
    }
    service_end(&service);
}

START_TEST(request_ids)
{
    /* 64 characters, then 65. */
    static const char longest[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const char *const kept[] = {"a", "build-7.x_Y", longest};
    const char *const replaced[] = {"a b", "a/b", "\xc3\xa9", "<script>", format("%sx", longest)};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(kept); i++) {
        const char *header = format("X-Request-Id: %s\r\n", kept[i]);
        ck_assert_str_eq(answer_header(get_with(&service, "/healthz", header), "X-Request-Id"),
                         kept[i]);
        struct answer *answer = get_with(&service, "/v1/nothing", header);
        problem_expect(answer, 404, NULL);
        ck_assert_str_eq(text_at(answer_json(answer), "/instance"), kept[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(replaced); i++) {
        const char *header = format("X-Request-Id: %s\r\n", replaced[i]);
        const char *id = answer_header(get_with(&service, "/healthz", header), "X-Request-Id");
        ck_assert_msg(id != NULL && *id != '\0' && strcmp(id, replaced[i]) != 0, "%s", replaced[i]);
    }
    ck_assert_str_ne(answer_header(get(&service, "/healthz"), "X-Request-Id"),
                     answer_header(get(&service, "/healthz"), "X-Request-Id"));
    service_end(&service);
}

START_TEST(media_types)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {{"Content-Type: application/json\r\n", 202},
                 {"Content-Type: application/json; charset=utf-8\r\n", 202},
                 {"Content-Type: Application/JSON;charset=\"UTF-8\"\r\n", 202},
                 {"", 415},
                 {"Content-Type: text/plain\r\n", 415},
                 {"Content-Type: application/jsonx\r\n", 415},
                 {"Content-Type: application/x-www-form-urlencoded\r\n", 415},
                 {"Content-Type: json\r\n", 415},
                 {JSON_TYPE "Content-Encoding: gzip\r\n", 415}};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct answer *answer = request(&service, "POST", CHECKS, cases[i].headers, BODY);
        const char *fault = answer->status == 202 ? NULL : problem_fault(answer, 415);
        if (answer->status != cases[i].status) fault = format("got %d", answer->status);
        if (fault != NULL) failed += case_failed(cases[i].headers, fault);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

/* Sends these bytes alone and returns what comes back. */
static struct answer *exchange(const struct service *service, const char *bytes)
{
    struct client client;
    ck_assert(client_open(&client, service));
    client_send_text(&client, bytes);
    struct answer *answer = client_receive(&client, false);
    client_close(&client);
    return answer;
}

START_TEST(hosts)
{
    static const struct {
        const char *host;
        int status;
    } cases[] = {{"localhost", 200},
                 {"localhost:80", 200},
                 {"LOCALHOST", 200},
                 {"127.0.0.1", 200},
                 {"127.0.0.1:8080", 200},
                 {"[::1]:8080", 200},
                 {"evil.example", 421},
                 {"localhost.evil.example", 421},
                 {"127.0.0.1.evil", 421},
                 {"localhost@evil.example", 421},
                 {"gradcheck.lab:80", 200},
                 {"xgradcheck.lab", 421},
                 {"[::2]", 421}};
    struct service service;
    int failed = 0;
    service_start(&service, "--host-name gradcheck.lab");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *head = format("GET /v1/whoami HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        struct answer *answer = exchange(&service, head);
        const char *fault = answer->status == 421 ? problem_fault(answer, 421) : NULL;
        if (answer->status != cases[i].status) fault = format("got %d", answer->status);
        if (fault != NULL) failed += case_failed(cases[i].host, fault);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

/* HTTP/1.0 asks for none: that is no way around the rule. */
START_TEST(no_host)
{
    struct service service;
    service_start(&service, "");
    problem_expect(exchange(&service, "GET /v1/whoami HTTP/1.0\r\n\r\n"), 421, NULL);
    problem_expect(exchange(&service, "GET /v1/whoami HTTP/1.0\r\nHost:\r\n\r\n"), 421, NULL);
    service_end(&service);
}

/* Requests that two parsers could read in two ways. Each is refused, and its connection is not used
 * again. */
START_TEST(ambiguous_framing)
{
    static const struct {
        const char *name, *headers, *body;
    } cases[] = {
        {"length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
        {"chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"},
        {"two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", "{} "},
        {"one length twice", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"},
        {"list of lengths", "Content-Length: 2, 2\r\n", "{}"},
        {"negative length", "Content-Length: -2\r\n", "{}"},
        {"signed length", "Content-Length: +2\r\n", "{}"},
        {"length in words", "Content-Length: two\r\n", "{}"},
        {"huge length", "Content-Length: 99999999999999999999999\r\n", "{}"},
        {"two codings", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"},
        {"unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"},
        {"bad chunk", "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"},
        {"two hosts", "Host: localhost\r\nContent-Length: 2\r\n", "{}"},
        {"two types", JSON_TYPE "Content-Length: 2\r\n", "{}"}};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct client client;
        ck_assert(client_open(&client, &service));
        client_send_text(&client, format("POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                                         "%s\r\n%s",
                                         cases[i].headers, cases[i].body));
        int status = client_receive(&client, false)->status;
        /* 413: a length beyond every limit; 501: a coding that nobody implements; 0: closed without
         * a word. */
        bool refused = status == 400 || status == 413 || status == 501 || status == 0;
        if (!refused) failed += case_failed(cases[i].name, format("got %d", status));
        if (!client_closed(&client)) failed += case_failed(cases[i].name, "not closed");
        client_close(&client);
        ck_assert_msg(service_alive(&service), "after %s", cases[i].name);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

START_TEST(no_http_at_all)
{
    static const char *const bytes[] = {"hello\r\n\r\n",
                                        "GET\r\n\r\n",
                                        "\x16\x03\x01\x02\r\n\r\n",
                                        "GET / HTTP/9.9\r\n\r\n",
                                        "GET /healthz HTTP/1.1\r\n\r\n", /* no Host */
                                        "GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(bytes); i++) {
        int status = exchange(&service, bytes[i])->status;
        ck_assert_msg(status == 0 || status >= 400, "\"%s\": %d", bytes[i], status);
        ck_assert_msg(service_alive(&service), "after %s", bytes[i]);
    }
    service_end(&service);
}

START_TEST(connection_is_kept)
{
    static const char twice[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /v1/catalog HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct service service;
    struct client client;
    service_start(&service, "");
    ck_assert(client_open(&client, &service));
    for (int i = 0; i < 3; i++) {
        /* Two requests in one piece, then one with a body right behind them. */
        client_send_text(&client, twice);
        answer_expect(client_receive(&client, false), 200);
        answer_expect(client_receive(&client, false), 200);
        client_send_text(&client, format("POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                                         "Content-Length: %zu\r\n\r\n" BODY "%s",
                                         BODY_BYTES, twice));
        answer_expect(client_receive(&client, false), 202);
        answer_expect(client_receive(&client, false), 200);
        answer_expect(client_receive(&client, false), 200);
    }
    client_close(&client);
    service_end(&service);
}

START_TEST(refused_post_keeps_the_connection_in_step)
{
    struct service service;
    struct client client;
    service_start(&service, "");
    ck_assert(client_open(&client, &service));
    client_send_text(&client, "POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                              "Content-Length: 2\r\n\r\n{}");
    struct answer *answer = client_receive(&client, false);
    problem_expect(answer, 422, NULL);
    const char *connection = answer_header(answer, "Connection");
    if (connection == NULL || strcasecmp(connection, "close") != 0) {
        client_send_text(&client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        answer_expect(client_receive(&client, false), 200);
    }
    client_close(&client);
    service_end(&service);
}

START_TEST(body_in_small_pieces)
{
    static const char head[] = "POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE;
    struct service service;
    struct client client;
    service_start(&service, "");
    ck_assert(client_open(&client, &service));
    const char *text = format("%sContent-Length: %zu\r\n\r\n" BODY, head, BODY_BYTES);
    for (; *text != '\0'; text++)
        ck_assert(client_send(&client, text, 1));
    answer_expect(client_receive(&client, false), 202);
    client_send_text(&client, format("%sTransfer-Encoding: chunked\r\n\r\n", head));
    for (text = BODY; *text != '\0'; text++)
        client_send_text(&client, format("1;x=y\r\n%c\r\n", *text));
    client_send_text(&client, "0\r\n\r\n");
    answer_expect(client_receive(&client, false), 202);
    client_close(&client);
    service_end(&service);
}

/* curl asks this for every body over 1 MiB. */
START_TEST(client_that_expects_to_continue)
{
    struct service service;
    struct client client;
    service_start(&service, "");
    ck_assert(client_open(&client, &service));
    client_send_text(&client, format("POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                                     "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n" BODY,
                                     BODY_BYTES));
    answer_expect(client_receive(&client, false), 202);
    client_close(&client);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {unknown_paths,
                                  wrong_methods,
                                  methods_of_a_job,
                                  head_is_get_without_body,
                                  request_ids,
                                  media_types,
                                  hosts,
                                  no_host,
                                  ambiguous_framing,
                                  no_http_at_all,
                                  connection_is_kept,
                                  refused_post_keeps_the_connection_in_step,
                                  body_in_small_pieces,
                                  client_that_expects_to_continue,
                                  NULL};
    return suite_main("http", tests);
}
