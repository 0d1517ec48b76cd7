/* What may be served, and to whom. */
#include "server/listener.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct config config_of(const char *listen, const char *behind_proxy, bool insecure)
{
    return (struct config){.listen = listen,
                           .data_dir = "./gradcheckd-data",
                           .behind_proxy = behind_proxy,
                           .insecure = insecure};
}

static struct listener listener_of(const struct config *config)
{
    struct listener listener;
    ck_assert_msg(listener_init(&listener, config), "%s", config->listen);
    return listener;
}

/* Standard error of listener_may_serve, and its answer. */
static bool may_serve(struct config config, bool tokens, const char **ret_said)
{
    static char said[1024];
    struct config plain = config;
    plain.tls_cert = plain.tls_key = NULL; /* there is no such file */
    struct listener listener = listener_of(&plain);
    FILE *file = tmpfile();
    const int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    const bool may = listener_may_serve(&listener, &config, tokens);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    listener_done(&listener);
    *ret_said = said;
    return may;
}

START_TEST(this_machine_needs_nothing)
{
    static const char *const local[] = {"127.0.0.1:0", "[::1]:0", "localhost:0", "unix:x"};
    const char *said;
    for (size_t i = 0; i < COUNT(local); i++)
        for (int tokens = 0; tokens < 2; tokens++) {
            ck_assert(may_serve(config_of(local[i], NULL, false), tokens, &said));
            ck_assert_str_eq(said, "");
        }
}
END_TEST

static const char *const others[] = {"0.0.0.0:0", "[::]:0", "192.168.1.1:0", "[2001:db8::1]:0"};

START_TEST(other_machines_need_tokens_and_protection)
{
    const char *said, *listen = others[_i];
    struct config tls = config_of(listen, NULL, false);
    tls.tls_cert = tls.tls_key = "x";
    ck_assert(!may_serve(config_of(listen, NULL, false), false, &said));
    ck_assert_msg(strstr(said, "gradcheckd token add NAME") && strstr(said, "--tls-cert"), "%s",
                  said);
    ck_assert(!may_serve(config_of(listen, NULL, false), true, &said));
    ck_assert_msg(!strstr(said, "token add") && strstr(said, "--behind-proxy"), "%s", said);
    const struct config enough[] = {tls, config_of(listen, "10.0.0.0/8", false),
                                    config_of(listen, NULL, true)};
    for (size_t i = 0; i < COUNT(enough); i++) {
        ck_assert(may_serve(enough[i], true, &said));
        ck_assert_str_eq(said, "");
        ck_assert(!may_serve(enough[i], false, &said));
        ck_assert_msg(strstr(said, "gradcheckd token add NAME") && !strstr(said, "--tls-cert"),
                      "%s", said);
        ck_assert_msg(strchr(said, '\n') == said + strlen(said) - 1, "one line: %s", said);
    }
}
END_TEST

START_TEST(the_command_names_the_folder)
{
    struct config config = config_of("0.0.0.0:0", NULL, true);
    const char *said;
    config.data_dir = "/srv/gradcheck";
    ck_assert(!may_serve(config, false, &said));
    ck_assert_msg(strstr(said, "gradcheckd token add NAME --data-dir '/srv/gradcheck'\n"), "%s",
                  said);
}
END_TEST

/* It is up to the proxy then, whom it lets in. */
START_TEST(a_proxy_without_tokens_is_told_in_the_log)
{
    const char *said;
    ck_assert(may_serve(config_of("127.0.0.1:0", "127.0.0.1", false), false, &said));
    ck_assert_msg(strstr(said, "level=warning event=open"), "%s", said);
    ck_assert(may_serve(config_of("127.0.0.1:0", "127.0.0.1", false), true, &said));
    ck_assert_str_eq(said, "");
}
END_TEST

static bool accepts(const struct config *config, const char *peer)
{
    struct listener listener = listener_of(config);
    struct ip ip;
    ck_assert(ip_parse(peer, strlen(peer), &ip));
    const bool accepted = listener_accepts(&listener, &ip);
    listener_done(&listener);
    return accepted;
}

START_TEST(plain_http_is_for_proxies_and_this_machine)
{
    const struct config proxy = config_of("0.0.0.0:0", "10.0.0.0/8,fd00::/8", false);
    const struct config insecure = config_of("0.0.0.0:0", "10.0.0.0/8", true);
    const struct config local = config_of("127.0.0.1:0", "10.0.0.0/8", false);
    static const char *const in[] = {"10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "127.0.0.1", "::1"};
    static const char *const out[] = {"192.0.2.1", "11.0.0.0", "2001:db8::1", "::ffff:192.0.2.1"};
    for (size_t i = 0; i < COUNT(in); i++)
        ck_assert_msg(accepts(&proxy, in[i]) && accepts(&insecure, in[i]), "%s", in[i]);
    for (size_t i = 0; i < COUNT(out); i++)
        ck_assert_msg(!accepts(&proxy, out[i]) && accepts(&insecure, out[i]), "%s", out[i]);
    ck_assert(accepts(&local, "127.0.0.2"));
}
END_TEST

START_TEST(options_that_contradict_each_other)
{
    struct config only_certificate = config_of("127.0.0.1:0", NULL, false);
    only_certificate.tls_cert = "x";
    struct config only_key = config_of("127.0.0.1:0", NULL, false);
    only_key.tls_key = "x";
    struct config both = config_of("127.0.0.1:0", NULL, true);
    both.tls_cert = both.tls_key = "x";
    struct config file = config_of("unix:x", NULL, false);
    file.tls_cert = file.tls_key = "x";
    const struct config bad[] = {only_certificate,
                                 only_key,
                                 both,
                                 file,
                                 config_of("nowhere", NULL, false),
                                 config_of("127.0.0.1:0", "10.0.0.1/8", false),
                                 config_of("127.0.0.1:0", "", false)};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct listener listener;
        ck_assert_msg(!listener_init(&listener, &bad[i]), "%zu", i);
        listener_done(&listener);
    }
}
END_TEST

START_TEST(what_is_bound_has_a_name)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char text[64];
        struct sockaddr_in bound;
        snprintf(text, sizeof text, "%s:0", hosts[i]);
        const struct config config = config_of(text, NULL, false);
        struct listener listener = listener_of(&config);
        ck_assert(listener_bind(&listener, text));
        ck_assert_int_eq(
            getsockname(listener.fd, (struct sockaddr *)&bound, &(socklen_t){sizeof bound}), 0);
        ck_assert_uint_ne(bound.sin_port, 0);
        snprintf(text, sizeof text, "http://%s:%u", hosts[i], ntohs(bound.sin_port));
        ck_assert_str_eq(listener.url, text);
        listener_done(&listener);
    }
}
END_TEST

SUITE_MAIN("listener", {this_machine_needs_nothing, 0},
           {other_machines_need_tokens_and_protection, COUNT(others)},
           {the_command_names_the_folder, 0}, {a_proxy_without_tokens_is_told_in_the_log, 0},
           {plain_http_is_for_proxies_and_this_machine, 0}, {options_that_contradict_each_other, 0},
           {what_is_bound_has_a_name, 0})
