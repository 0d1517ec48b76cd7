/* Certificates: those that the daemon shows, changing them while it serves, and those that it
 * refuses. */
#include "certificate.h"
#include "client.h"
#include "tls.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define OPTIONS "--store memory: --tls-cert x.cert --tls-key x.key"
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LOADED "event=tls certificate="

static void service_start_tls(struct service *service)
{
    service_prepare(service, OPTIONS);
    certificate_write(service->folder, "x", (struct certificate){.name = "first"});
    service_restart(service);
}

/* Of whom the certificate of a new connection speaks. */
static const char *peer_of(const struct service *service, unsigned *ret_chain)
{
    struct client client;
    ck_assert(client_open(&client, service));
    const char *name = tls_peer(client.tls);
    if (ret_chain != NULL) *ret_chain = tls_chain(client.tls);
    client_close(&client);
    return name;
}

START_TEST(the_whole_chain_is_shown)
{
    struct service service;
    unsigned chain;
    service_prepare(&service, OPTIONS);
    certificate_write(service.folder, "root", (struct certificate){.name = "root"});
    certificate_write(service.folder, "middle",
                      (struct certificate){.name = "middle", .issuer = "root", .rsa = true});
    certificate_write(service.folder, "x",
                      (struct certificate){.name = "leaf", .issuer = "middle"});
    service_restart(&service);
    ck_assert_str_eq(peer_of(&service, &chain), "leaf");
    ck_assert_uint_eq(chain, 3);
    service_log_await(&service, "event=start", 1);
    ck_assert_int_eq(service_log_count(&service, "level=warning"), 0);
    service_end(&service);
}

START_TEST(a_new_certificate_without_a_restart)
{
    struct service service;
    struct client before;
    service_start_tls(&service);
    ck_assert(client_open(&before, &service));
    ck_assert_str_eq(tls_peer(before.tls), "first");
    certificate_write(service.folder, "x", (struct certificate){.name = "second", .rsa = true});
    ck_assert_str_eq(peer_of(&service, NULL), "first");
    kill(service.pid, SIGHUP);
    service_log_await(&service, LOADED, 2);
    ck_assert_str_eq(peer_of(&service, NULL), "second");
    client_send_text(&before, HEALTH);
    answer_expect(client_receive(&before, false), 200);
    client_close(&before);
    service_end(&service);
}

/* A connection that began before the reload, and shakes hands after it. */
START_TEST(a_handshake_across_a_reload)
{
    struct service service;
    struct client early;
    service_start_tls(&service);
    ck_assert(client_connect(&early, &service));
    ck_assert(service_alive(&service)); /* the one before it has been accepted, too */
    certificate_write(service.folder, "x", (struct certificate){.name = "second"});
    for (int i = 2; i < 5; i++) {
        kill(service.pid, SIGHUP);
        service_log_await(&service, LOADED, i);
    }
    early.tls = tls_open(early.fd, NULL, seconds_now() + patience(20));
    ck_assert_ptr_nonnull(early.tls);
    client_send_text(&early, HEALTH);
    answer_expect(client_receive(&early, false), 200);
    client_close(&early);
    service_end(&service);
}

/* In a process of its own: connects again and again. */
static pid_t connect_many(const struct service *service, int times)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0) return pid;
    for (int i = 0; i < times; i++)
        if (!service_alive(service)) _exit(1);
    _exit(0);
}

START_TEST(reloads_under_load)
{
    enum { CLIENTS = 3, TIMES = 60 };
    struct service service;
    pid_t clients[CLIENTS];
    int status, left = CLIENTS, reloads = 1;
    service_start_tls(&service);
    certificate_write(service.folder, "other", (struct certificate){.name = "other", .rsa = true});
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_many(&service, TIMES);
    while (left > 0) {
        kill(service.pid, SIGHUP);
        service_log_await(&service, LOADED, ++reloads);
        while (left > 0 && waitpid(clients[left - 1], &status, WNOHANG) > 0) {
            ck_assert_int_eq(status, 0);
            left--;
        }
    }
    service_end(&service);
}

static void wait_refused(struct service *service, int count, const char *said)
{
    kill(service->pid, SIGHUP);
    service_log_await(service, "kept=\"the pair before\"", count);
    ck_assert_msg(service_log_count(service, said) > 0, "no %s in the log", said);
    ck_assert_str_eq(peer_of(service, NULL), "first");
}

START_TEST(a_bad_new_pair_changes_nothing)
{
    struct service service;
    service_start_tls(&service);
    const char *key = file_read(service.folder, "x.key");
    const char *certificate = file_read(service.folder, "x.cert");
    certificate_write(service.folder, "y", (struct certificate){.name = "second"});
    file_write(service.folder, "x.key", file_read(service.folder, "y.key"));
    wait_refused(&service, 1, "is not the key of the first certificate");
    file_write(service.folder, "x.cert", "nothing");
    wait_refused(&service, 2, "--tls-cert");
    ck_assert_int_eq(unlink(format("%s/x.cert", service.folder)), 0);
    wait_refused(&service, 3, "No such file");
    file_write(service.folder, "x.cert", certificate);
    file_write(service.folder, "x.key", key);
    kill(service.pid, SIGHUP);
    service_log_await(&service, LOADED, 2);
    ck_assert_str_eq(peer_of(&service, NULL), "first");
    service_end(&service);
}

static void refusal_expect(const char *folder, const char *certificate, const char *key,
                           const char *said)
{
    struct output output;
    program_run(format("--store memory: --listen 127.0.0.1:0 --tls-cert %s/%s --tls-key %s/%s",
                       folder, certificate, folder, key),
                &output);
    ck_assert_msg(output.status == 2, "%s %s: exit status %d", certificate, key, output.status);
    ck_assert_msg(strstr(output.err, said) != NULL, "%s %s: %s", certificate, key, output.err);
    ck_assert_str_eq(output.out, "");
}

START_TEST(bad_files_are_told)
{
    static const char *const cases[][3] = {
        {"none", "a.key", "/none': No such file"},
        {"a.cert", "none", "/none': No such file"},
        {".", "a.key", "Is a directory"},
        {"a.key", "a.key", "--tls-cert"},
        {"a.cert", "a.cert", "holds no private key"},
        {"empty", "a.key", "--tls-cert"},
        {"a.cert", "empty", "--tls-key"},
        {"a.cert", "b.key", "is not the key of the first certificate"},
        {"a.cert", "locked.key", "is encrypted"},
        {"large", "a.key", "File too large"},
        {"chain", "a.key", "more than 16"}};
    struct service service;
    service_prepare(&service, "");
    const char *folder = service.folder;
    certificate_write(folder, "a", (struct certificate){.name = "a"});
    certificate_write(folder, "b", (struct certificate){.name = "b"});
    certificate_write(folder, "locked", (struct certificate){.name = "c", .password = "secret"});
    file_write(folder, "empty", "");
    char *large = keep(malloc((2 << 20) + 1));
    memset(large, 'x', 2 << 20);
    large[2 << 20] = '\0';
    file_write(folder, "large", large);
    const char *one = file_read(folder, "a.cert"), *chain = one;
    for (int i = 0; i < 16; i++)
        chain = format("%s%s", chain, one);
    file_write(folder, "chain", chain);
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        refusal_expect(folder, cases[i][0], cases[i][1], cases[i][2]);
}

/* They serve, since nothing would be better for it if they did not; the log says so. */
START_TEST(doubtful_files_are_told_in_the_log)
{
    struct service service;
    service_prepare(&service, OPTIONS);
    certificate_write(service.folder, "x",
                      (struct certificate){.name = "old", .from_days = -9, .until_days = -2});
    ck_assert_int_eq(chmod(format("%s/x.key", service.folder), 0644), 0);
    service_restart(&service);
    ck_assert_str_eq(peer_of(&service, NULL), "old");
    service_log_await(&service, "event=start", 1);
    ck_assert_int_eq(service_log_count(&service, "the certificate has expired"), 1);
    ck_assert_int_eq(service_log_count(&service, "may read or write the key"), 1);
    certificate_write(service.folder, "x",
                      (struct certificate){.name = "new", .from_days = 2, .until_days = 9});
    ck_assert_int_eq(chmod(format("%s/x.key", service.folder), 0600), 0);
    kill(service.pid, SIGHUP);
    service_log_await(&service, "the certificate is not valid yet", 1);
    ck_assert_int_eq(service_log_count(&service, "may read or write the key"), 1);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {
        the_whole_chain_is_shown,           a_new_certificate_without_a_restart,
        a_handshake_across_a_reload,        reloads_under_load,
        a_bad_new_pair_changes_nothing,     bad_files_are_told,
        doubtful_files_are_told_in_the_log, NULL};
    return suite_main("certificate", tests);
}
