/* HTTPS: the same service over TLS, and what is no TLS. */
#include "certificate.h"
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "tls.h"
#include "values.h"

#include <signal.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define OPTIONS "--store memory: --tls-cert x.cert --tls-key x.key"
#define JSON_TYPE "Content-Type: application/json\r\n"
#define SIZED \
    "POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE "Content-Length: %zu\r\n\r\n%s"
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* The smallest check there is, as text. */
#define BODY                                                                         \
    "{\"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1}]," \
    "\"cost\":\"mse\"},\"data\":{\"x\":[[1]],\"y\":[[1]]}}"

static void service_start_tls(struct service *service, const char *options)
{
    service_prepare(service, format(OPTIONS " %s", options));
    certificate_write(service->folder, "x", (struct certificate){.name = "first"});
    service_restart(service);
    ck_assert(service->tls);
}

/* ---- the same service ---- */

START_TEST(a_job_over_tls)
{
    struct service service;
    service_start_tls(&service, "");
    job_result(&service, CHECKS, check_small());
    struct answer *answer = post_with(&service, CHECKS, "Prefer: wait=20\r\n", check_small());
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "succeeded");
    service_end(&service);
}

START_TEST(requests_in_one_piece)
{
    struct service service;
    struct client client;
    service_start_tls(&service, "");
    ck_assert(client_open(&client, &service));
    for (int i = 0; i < 3; i++) {
        client_send_text(&client, format(HEALTH HEALTH SIZED HEALTH, strlen(BODY), BODY));
        answer_expect(client_receive(&client, false), 200);
        answer_expect(client_receive(&client, false), 200);
        answer_expect(client_receive(&client, false), 202);
        answer_expect(client_receive(&client, false), 200);
    }
    client_close(&client);
    service_end(&service);
}

/* Each byte is a record of its own. */
START_TEST(a_request_in_small_pieces)
{
    struct service service;
    struct client client;
    service_start_tls(&service, "");
    ck_assert(client_open(&client, &service));
    for (const char *text = format(SIZED, strlen(BODY), BODY); *text != '\0'; text++)
        ck_assert(client_send(&client, text, 1));
    answer_expect(client_receive(&client, false), 202);
    client_close(&client);
    service_end(&service);
}

START_TEST(head_has_no_body)
{
    struct service service;
    struct client client;
    service_start_tls(&service, "");
    ck_assert(client_open(&client, &service));
    client_send_text(&client, "HEAD /v1/catalog HTTP/1.1\r\nHost: localhost\r\n\r\n" HEALTH);
    struct answer *answer = client_receive(&client, true);
    answer_expect(answer, 200);
    ck_assert_str_ne(answer_header(answer, "Content-Length"), "0");
    answer_expect(client_receive(&client, false), 200);
    client_close(&client);
    service_end(&service);
}

/* As large as a body may be, there and back. */
START_TEST(a_large_body)
{
    enum { LIMIT = 64 << 20 };
    struct service service;
    char *body = keep(malloc(LIMIT + 2));
    memset(body, ' ', LIMIT + 1);
    memcpy(body + LIMIT - strlen(BODY), BODY, strlen(BODY));
    body[LIMIT + 1] = '\0';
    service_start_tls(&service, "");
    struct answer *answer = request_bytes(&service, "POST", CHECKS, JSON_TYPE, body, LIMIT);
    answer_expect(answer, 202);
    const char *id = text_at(answer_json(answer), "/id");
    answer = job_part(&service, id, "request");
    answer_expect(answer, 200);
    ck_assert_uint_eq(answer->body_bytes, LIMIT);
    ck_assert_int_eq(memcmp(answer->body, body, LIMIT), 0);
    problem_expect(request_bytes(&service, "POST", CHECKS, JSON_TYPE, body, LIMIT + 1), 413, NULL);
    service_end(&service);
}

/* Connections that are suspended, and go on: by the job's end, by their own, by the daemon's. */
START_TEST(waits)
{
    enum { WAITING = 12 };
    struct service service;
    struct client clients[WAITING];
    service_start_tls(&service, "--workers 1");
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    for (int i = 0; i < WAITING; i++) {
        ck_assert(client_open(&clients[i], &service));
        client_send_text(&clients[i], format("GET /v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\n"
                                             "Prefer: wait=%d\r\n\r\n" HEALTH,
                                             id, i % 2 == 0 ? 1 : 60));
    }
    for (int i = 0; i < WAITING; i += 2) {
        struct answer *answer = client_receive(&clients[i], false);
        answer_expect(answer, 200);
        ck_assert_str_eq(text_at(answer_json(answer), "/state"), "running");
        answer_expect(client_receive(&clients[i], false), 200);
        client_close(&clients[i]);
    }
    /* One goes away while it waits, the others see the end. */
    client_close(&clients[1]);
    job_cancel(&service, id);
    for (int i = 3; i < WAITING; i += 2) {
        struct answer *answer = client_receive(&clients[i], false);
        answer_expect(answer, 200);
        ck_assert_str_eq(text_at(answer_json(answer), "/state"), "cancelled");
        answer_expect(client_receive(&clients[i], false), 200);
        client_close(&clients[i]);
    }
    service_end(&service);
}

START_TEST(stop_answers_who_waits)
{
    struct service service;
    struct client client;
    service_start_tls(&service, "");
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    ck_assert(client_open(&client, &service));
    client_send_text(&client, format("GET /v1/jobs/%s HTTP/1.1\r\nHost: localhost\r\n"
                                     "Prefer: wait=60\r\n\r\n",
                                     id));
    ck_assert(service_alive(&service));
    kill(service.pid, SIGTERM);
    int status = client_receive(&client, false)->status;
    ck_assert_msg(status == 200 || status == 503, "%d", status);
    ck_assert_int_eq(service_wait(&service).status, 0);
    client_close(&client);
}

/* ---- what is no TLS ---- */

START_TEST(bytes_that_are_no_tls)
{
    static const char *const bytes[] = {HEALTH, "POST / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff",
                                        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello",
                                        "\x80"};
    struct service service;
    service_start_tls(&service, "--idle-seconds 1");
    for (size_t i = 0; i < LENGTH_OF(bytes); i++) {
        struct client client;
        ck_assert(client_connect(&client, &service));
        client_send_text(&client, bytes[i]);
        ck_assert_msg(client_closed(&client), "after %zu", i);
        client_close(&client);
        ck_assert_msg(service_alive(&service), "after %zu", i);
    }
    service_end(&service);
}

/* Those who never shake hands hold nobody up, and do not stay. */
START_TEST(silent_clients)
{
    enum { SILENT = 8 };
    struct service service;
    struct client clients[SILENT];
    service_start_tls(&service, "--idle-seconds 1");
    for (int i = 0; i < SILENT; i++)
        ck_assert(client_connect(&clients[i], &service));
    ck_assert(service_alive(&service));
    for (int i = 0; i < SILENT; i++) {
        ck_assert(client_closed(&clients[i]));
        client_close(&clients[i]);
    }
    service_end(&service);
}

static struct gnutls_session_int *session_with(struct client *client, const struct service *service,
                                               const char *priorities)
{
    ck_assert(client_connect(client, service));
    client->tls = tls_open(client->fd, priorities, seconds_now() + patience(20));
    return client->tls;
}

START_TEST(protocol_versions)
{
    static const char *const versions[][2] = {{"TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3"},
                                              {"TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2"}};
    static const char *const refused[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%VERIFY_ALLOW_BROKEN",
                                          "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"};
    static const bool rsa[] = {false, true};
    for (size_t i = 0; i < LENGTH_OF(rsa); i++) {
        struct service service;
        struct client client;
        service_prepare(&service, OPTIONS);
        certificate_write(service.folder, "x", (struct certificate){.name = "a", .rsa = rsa[i]});
        service_restart(&service);
        for (size_t v = 0; v < LENGTH_OF(versions); v++) {
            ck_assert(session_with(&client, &service, versions[v][1]) != NULL);
            ck_assert_str_eq(tls_version(client.tls), versions[v][0]);
            client_send_text(&client, HEALTH);
            answer_expect(client_receive(&client, false), 200);
            client_close(&client);
        }
        for (size_t v = 0; v < LENGTH_OF(refused); v++) {
            ck_assert_msg(session_with(&client, &service, refused[v]) == NULL, "%s", refused[v]);
            client_close(&client);
        }
        ck_assert(service_alive(&service));
        service_end(&service);
    }
}

int main(void)
{
    const TTest *const tests[] = {a_job_over_tls,
                                  requests_in_one_piece,
                                  a_request_in_small_pieces,
                                  head_has_no_body,
                                  a_large_body,
                                  waits,
                                  stop_answers_who_waits,
                                  bytes_that_are_no_tls,
                                  silent_clients,
                                  protocol_versions,
                                  NULL};
    return suite_main("tls", tests);
}
