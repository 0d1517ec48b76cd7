/* Where the daemon listens, and to whom: socket files, proxies, other machines; and SIGHUP. */
#include "certificate.h"
#include "jobs.h"
#include "lan.h"
#include "problems.h"
#include "requests.h"
#include "tokens.h"
#include "values.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define FILE_OPTIONS "--store memory: --listen unix:socket"

/* ---- socket files ---- */

static const char *socket_path(const struct service *service)
{
    return format("%s/socket", service->folder);
}

/* The type and mode of what is there; 0 when nothing is. */
static mode_t mode_of(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0 ? about.st_mode : 0;
}

START_TEST(a_socket_file_serves)
{
    struct service service;
    service_start(&service, FILE_OPTIONS);
    ck_assert_str_eq(service.socket, "socket");
    ck_assert_uint_eq(mode_of(socket_path(&service)), S_IFSOCK | 0600);
    job_result(&service, CHECKS, check_small());
    answer_expect(get(&service, "/v1/whoami"), 200);
    service_log_await(&service, "client=\"unix\"", 3);
    service_end(&service);
    ck_assert_uint_eq(mode_of(socket_path(&service)), 0);
}

START_TEST(an_absolute_path_serves)
{
    struct service service;
    service_prepare(&service, "");
    snprintf(service.options, sizeof service.options, "--store memory: --listen unix:%s/s",
             service.folder);
    service_restart(&service);
    ck_assert_str_eq(service.socket, format("%s/s", service.folder));
    ck_assert_uint_eq(mode_of(service.socket), S_IFSOCK | 0600);
    service_end(&service);
}

START_TEST(what_a_killed_daemon_left_is_replaced)
{
    struct service service;
    service_start(&service, FILE_OPTIONS);
    service_kill(&service);
    ck_assert_uint_eq(mode_of(socket_path(&service)), S_IFSOCK | 0600);
    service_restart(&service);
    answer_expect(get(&service, "/healthz"), 200);
    service_end(&service);
    ck_assert_uint_eq(mode_of(socket_path(&service)), 0);
}

static void refusal_expect(const char *options, int status, const char *said)
{
    struct output output;
    program_run(options, &output);
    ck_assert_msg(output.status == status, "%s: exit status %d\n%s", options, output.status,
                  output.err);
    ck_assert_msg(strstr(output.err, said) != NULL, "%s: %s", options, output.err);
    ck_assert_str_eq(output.out, "");
}

START_TEST(a_socket_in_use_stays)
{
    struct service service;
    service_start(&service, FILE_OPTIONS);
    refusal_expect(format("--store memory: --listen unix:%s", socket_path(&service)), 1,
                   "another process listens there");
    answer_expect(get(&service, "/healthz"), 200);
    service_end(&service);
}

START_TEST(what_is_no_socket_stays)
{
    struct service service;
    service_prepare(&service, "");
    file_write(service.folder, "notes", "mine");
    const char *const there[] = {"notes", "link", ".", "missing/socket"};
    ck_assert_int_eq(symlink("notes", format("%s/link", service.folder)), 0);
    for (size_t i = 0; i < LENGTH_OF(there); i++)
        refusal_expect(format("--store memory: --listen unix:%s/%s", service.folder, there[i]), 1,
                       there[i]);
    ck_assert_str_eq(file_read(service.folder, "notes"), "mine");
}

START_TEST(what_others_put_in_its_place_stays)
{
    struct service service;
    service_start(&service, FILE_OPTIONS);
    unlink(socket_path(&service));
    file_write(service.folder, "socket", "mine");
    service_end(&service);
    ck_assert_str_eq(file_read(service.folder, "socket"), "mine");
}

/* ---- options ---- */

START_TEST(options_that_cannot_be)
{
    static const char *const cases[][2] = {
        {"--listen unix:", "unix:PATH"},
        {"--listen unix:socket --tls-cert a --tls-key b", "socket file"},
        {"--tls-cert a", "--tls-key"},
        {"--tls-key a", "--tls-cert"},
        {"--tls-cert a --tls-key b --insecure", "--insecure"},
        {"--behind-proxy proxy.example", "proxy.example"},
        {"--behind-proxy 10.0.0.1/8", "10.0.0.0/8"},
        {"--behind-proxy 10.0.0.0/8,", "--behind-proxy"},
        {"--insecure=perhaps", "--insecure"},
        {"--listen 192.0.2.1:0", "gradcheckd token add NAME"},
        {"--listen 192.0.2.1:0", "--behind-proxy"},
        {"--listen 192.0.2.1:0 --insecure", "gradcheckd token add NAME"},
        {"--listen 0.0.0.0:0 --behind-proxy 10.0.0.0/8", "gradcheckd token add NAME"}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        refusal_expect(format("--store memory: %s", cases[i][0]), 2, cases[i][1]);
}

/* ---- proxies ---- */

/* Asks with a header X-Forwarded-For, and awaits that the log names this client. */
static void client_expect(const struct service *service, const char *id, const char *forwarded,
                          const char *client)
{
    const char *headers = format("%sX-Request-Id: %s\r\n", forwarded, id);
    answer_expect(get_with(service, "/healthz", headers), 200);
    service_log_await(service, format("id=%s client=\"%s\" ", id, client), 1);
}

START_TEST(a_proxy_tells_who_asks)
{
    struct service service;
    service_start(&service, "--store memory: --behind-proxy 127.0.0.2,127.0.1.0/24");
    service.from = "127.0.0.2";
    client_expect(&service, "a", "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n", "203.0.113.9");
    client_expect(&service, "b", "x-forwarded-for: 203.0.113.9, 127.0.1.8\r\n", "203.0.113.9");
    client_expect(&service, "c",
                  "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 2001:db8::9\r\n",
                  "2001:db8::9");
    client_expect(&service, "d", "X-Forwarded-For: 203.0.113.9, \" status=200\r\n", "127.0.0.2");
    client_expect(&service, "e", "", "127.0.0.2");
    /* However much a client has sent before, the last entry is the proxy's. */
    char *many = keep(malloc(40000));
    memset(many, '1', 39999);
    many[39999] = '\0';
    client_expect(&service, "f", format("X-Forwarded-For: %s, 203.0.113.9\r\n", many),
                  "203.0.113.9");
    service_end(&service);
}

START_TEST(others_do_not_tell_who_asks)
{
    struct service service;
    service_start(&service, "--store memory: --behind-proxy 127.0.0.2");
    client_expect(&service, "a", "X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.1");
    service_end(&service);
    service_start(&service, "--store memory:");
    service.from = "127.0.0.2";
    client_expect(&service, "b", "X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.2");
    service_end(&service);
}

/* ---- other machines ---- */

/* Starts a daemon with a token; the token's header line. */
static const char *service_start_shared(struct service *service, const char *options)
{
    service_prepare(service, options);
    const char *header = bearer(token_add(service, "ada"));
    service_restart(service);
    service->to = LAN_SERVER;
    return header;
}

static int status_from(struct service *service, const char *from, const char *headers)
{
    service->from = from;
    return get_with(service, "/v1/whoami", headers)->status;
}

START_TEST(other_machines_need_a_token)
{
    static const char *const listen[] = {"0.0.0.0:0", "[::]:0", LAN_SERVER ":0"};
    if (!lan_enter()) return;
    for (size_t i = 0; i < LENGTH_OF(listen); i++) {
        struct service service;
        const char *token = service_start_shared(
            &service, format("--store memory: --insecure --listen %s", listen[i]));
        ck_assert_int_eq(status_from(&service, LAN_CLIENT, token), 200);
        ck_assert_int_eq(status_from(&service, LAN_CLIENT, ""), 401);
        service_log_await(&service, "client=\"" LAN_CLIENT "\"", 2);
        service_end(&service);
    }
}

/* Plain HTTP is for the proxies then; whoever goes around them is not listened to. */
START_TEST(nobody_gets_around_the_proxy)
{
    struct service service;
    if (!lan_enter()) return;
    const char *token = service_start_shared(
        &service, "--store memory: --listen 0.0.0.0:0 --behind-proxy " LAN_PROXY);
    ck_assert_int_eq(status_from(&service, LAN_PROXY, token), 200);
    ck_assert_int_eq(status_from(&service, LAN_PROXY, ""), 401);
    ck_assert_int_eq(status_from(&service, LAN_CLIENT, token), 0);
    service_log_await(&service, "event=refused client=\"" LAN_CLIENT "\"", 1);
    service.to = NULL;
    ck_assert_int_eq(status_from(&service, NULL, token), 200);
    service_end(&service);
}

START_TEST(tls_is_for_everybody)
{
    struct service service;
    if (!lan_enter()) return;
    service_prepare(&service,
                    "--store memory: --listen 0.0.0.0:0 --tls-cert a.cert "
                    "--tls-key a.key --behind-proxy " LAN_PROXY);
    certificate_write(service.folder, "a", (struct certificate){.name = "a"});
    const char *token = bearer(token_add(&service, "ada"));
    service_restart(&service);
    service.to = LAN_SERVER;
    const char *headers = format("%sX-Forwarded-For: 203.0.113.9\r\n", token);
    ck_assert_int_eq(status_from(&service, LAN_CLIENT, headers), 200);
    ck_assert_int_eq(status_from(&service, LAN_PROXY, headers), 200);
    service_log_await(&service, "client=\"" LAN_CLIENT "\"", 1);
    service_log_await(&service, "client=\"203.0.113.9\"", 1);
    service_end(&service);
}

/* ---- signals ---- */

START_TEST(hangup_ends_nothing)
{
    struct service service;
    service_start(&service, "--store memory:");
    const char *id = job_post(&service, TRAININGS, training_long());
    job_running(&service, id);
    for (int i = 0; i < 200; i++)
        kill(service.pid, SIGHUP);
    service_log_await(&service, "event=reload", 1);
    ck_assert_str_eq(text_at(job_get(&service, id), "/state"), "running");
    /* Nor while it stops. */
    kill(service.pid, SIGTERM);
    service_log_await(&service, "event=stop signal=15", 1);
    kill(service.pid, SIGHUP);
    struct ending ending = service_wait(&service);
    ck_assert_int_eq(ending.status, 0);
}

START_TEST(a_second_signal_ends_at_once)
{
    struct service service;
    service_start(&service, "--store memory:");
    job_running(&service, job_post(&service, TRAININGS, training_long()));
    kill(service.pid, SIGTERM);
    service_log_await(&service, "event=stop signal=15", 1);
    kill(service.pid, SIGINT);
    ck_assert_int_eq(service_wait(&service).status, 128 + SIGINT);
}

/* A list of tokens that was changed counts from now on, not from the next look at it. */
START_TEST(hangup_rereads_the_tokens)
{
    struct service service;
    service_start(&service, "--store memory:");
    token_add(&service, "ada");
    kill(service.pid, SIGHUP);
    service_log_await(&service, "event=tokens count=1", 1);
    answer_expect(get(&service, "/v1/jobs"), 401);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {a_socket_file_serves,
                                  an_absolute_path_serves,
                                  what_a_killed_daemon_left_is_replaced,
                                  a_socket_in_use_stays,
                                  what_is_no_socket_stays,
                                  what_others_put_in_its_place_stays,
                                  options_that_cannot_be,
                                  a_proxy_tells_who_asks,
                                  others_do_not_tell_who_asks,
                                  other_machines_need_a_token,
                                  nobody_gets_around_the_proxy,
                                  tls_is_for_everybody,
                                  hangup_ends_nothing,
                                  a_second_signal_ends_at_once,
                                  hangup_rereads_the_tokens,
                                  NULL};
    return suite_main("listen", tests);
}
