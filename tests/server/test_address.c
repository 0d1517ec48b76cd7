/* Where to listen: IP addresses with a port, and socket files. */
#include "server/address.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

START_TEST(addresses)
{
    static const struct {
        const char *text, *host;
        int family;
        in_port_t port;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", AF_INET, 8080},
        {"127.0.0.1:0", "127.0.0.1", AF_INET, 0},
        {"127.0.0.1:65535", "127.0.0.1", AF_INET, 65535},
        {"127.0.0.1:00080", "127.0.0.1", AF_INET, 80},
        {"127.255.0.9:1", "127.255.0.9", AF_INET, 1},
        {"localhost:0", "localhost", AF_INET, 0},
        {"[::1]:8080", "[::1]", AF_INET6, 8080},
        {"[0:0:0:0:0:0:0:1]:1", "[0:0:0:0:0:0:0:1]", AF_INET6, 1},
        {"0.0.0.0:80", "0.0.0.0", AF_INET, 80},
        {"192.168.1.1:80", "192.168.1.1", AF_INET, 80},
        {"[::]:80", "[::]", AF_INET6, 80},
        {"[2001:db8::1]:80", "[2001:db8::1]", AF_INET6, 80},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address;
        ck_assert_msg(address_parse(cases[i].text, &address), "%s", cases[i].text);
        ck_assert_str_eq(address.host, cases[i].host);
        ck_assert_int_eq(address.socket.any.sa_family, cases[i].family);
        const in_port_t port = address.socket.any.sa_family == AF_INET
                                   ? address.socket.v4.sin_port
                                   : address.socket.v6.sin6_port;
        ck_assert_int_eq(ntohs(port), cases[i].port);
        ck_assert(!address_is_file(&address));
    }
}
END_TEST

START_TEST(local_ones_are_of_the_loopback_or_files)
{
    static const char *const local[] = {"127.0.0.1:0", "127.255.255.255:0",    "localhost:0",
                                        "[::1]:0",     "[::ffff:127.0.0.1]:0", "unix:x"};
    static const char *const others[] = {
        "0.0.0.0:0", "128.0.0.1:0", "126.255.255.255:0",  "[::]:0",
        "[::2]:0",   "[fe80::1]:0", "[::ffff:1.2.3.4]:0", "10.0.0.1:0"};
    struct address address;
    for (size_t i = 0; i < COUNT(local); i++)
        ck_assert_msg(address_parse(local[i], &address) && address_is_local(&address), "%s",
                      local[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(address_parse(others[i], &address) && !address_is_local(&address), "%s",
                      others[i]);
}
END_TEST

START_TEST(a_socket_file_is_a_path)
{
    struct address address;
    char text[200] = "unix:";
    ck_assert(address_parse("unix:/run/a b/x:80", &address) && address_is_file(&address));
    ck_assert_str_eq(address.socket.file.sun_path, "/run/a b/x:80");
    ck_assert_str_eq(address.host, "");
    /* As long as the system takes it, and not longer. */
    memset(text + 5, 'x', 107);
    ck_assert(address_parse(text, &address));
    ck_assert_uint_eq(strlen(address.socket.file.sun_path), 107);
    text[5 + 107] = 'x';
    ck_assert(!address_parse(text, &address));
}
END_TEST

START_TEST(localhost_is_127_0_0_1)
{
    struct address address;
    ck_assert(address_parse("localhost:80", &address));
    ck_assert_uint_eq(ntohl(address.socket.v4.sin_addr.s_addr), INADDR_LOOPBACK);
}
END_TEST

static const char *const refused[] = {
    "",
    ":",
    "8080",
    ":8080",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:100000",
    "127.0.0.1:-1",
    "127.0.0.1:+1",
    "127.0.0.1: 1",
    "127.0.0.1:1 ",
    "127.0.0.1:http",
    "127.1:80",
    "0x7f.0.0.1:80",
    "::1:80",
    "[::1]",
    "[::1]80",
    "[]:80",
    "[:80",
    "[127.0.0.1]:80",
    "[localhost]:80",
    "example.org:80",
    "localhost.:80",
    "unix:",
    "unix:a\nb",
    "unix:\x7f",
    "UNIX:/tmp/x",
    "fe80::1%lo:80",
    "http://127.0.0.1:80",
};

START_TEST(anything_else_is_refused)
{
    struct address address = {.host = "untouched"};
    ck_assert_msg(!address_parse(refused[_i], &address), "%s", refused[_i]);
    ck_assert_str_eq(address.host, "untouched");
}
END_TEST

START_TEST(a_host_of_any_length_does_no_harm)
{
    char text[600];
    struct address address;
    for (size_t length = 59; length < 590; length += length < 70 ? 1 : 259) {
        memset(text, '1', length);
        snprintf(text + length, sizeof text - length, ":80");
        ck_assert(!address_parse(text, &address));
        text[0] = '[';
        text[length - 1] = ']';
        ck_assert(!address_parse(text, &address));
    }
}
END_TEST

SUITE_MAIN("address", {addresses, 0}, {localhost_is_127_0_0_1, 0},
           {local_ones_are_of_the_loopback_or_files, 0}, {a_socket_file_is_a_path, 0},
           {anything_else_is_refused, COUNT(refused)}, {a_host_of_any_length_does_no_harm, 0})
