/* IP addresses, networks that hold them, and what proxies say of their clients. */
#include "server/forwarded.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct ip ip_of(const char *text)
{
    struct ip ip;
    ck_assert_msg(ip_parse(text, strlen(text), &ip), "%s", text);
    return ip;
}

static struct networks networks_of(const char *text)
{
    struct networks networks;
    char fault[NETWORK_FAULT_SIZE] = "";
    ck_assert_msg(networks_parse(text, &networks, fault), "%s: %s", text, fault);
    return networks;
}

static bool holds(const char *networks, const char *ip)
{
    const struct networks list = networks_of(networks);
    const struct ip one = ip_of(ip);
    return networks_hold(&list, &one);
}

START_TEST(addresses_are_written_in_one_way)
{
    static const char *const cases[][2] = {{"192.0.2.1", "192.0.2.1"},
                                           {"2001:DB8:0:0::1", "2001:db8::1"},
                                           {"::", "::"},
                                           {"::ffff:192.0.2.1", "192.0.2.1"},
                                           {"::ffff:c000:201", "192.0.2.1"}};
    char text[IP_TEXT_SIZE];
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct ip ip = ip_of(cases[i][0]);
        ck_assert_str_eq(ip_format(&ip, text), cases[i][1]);
    }
    ck_assert_str_eq(ip_format(&(struct ip){.family = AF_UNSPEC}, text), "unix");
}
END_TEST

START_TEST(what_is_no_address)
{
    static const char *const bad[] = {"",         "1",         "1.2.3",   "1.2.3.4.5", "1.2.3.256",
                                      "01.2.3.4", "[::1]",     "::1%lo",  "1.2.3.4 ",  " 1.2.3.4",
                                      "1:2",      "localhost", "fe80:::1"};
    struct ip ip;
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!ip_parse(bad[i], strlen(bad[i]), &ip), "'%s'", bad[i]);
    ck_assert(!ip_parse("1.2.3.4\0", 8, &ip));
    ck_assert(ip_parse("1.2.3.45", 7, &ip) && ip.byte[3] == 4);
}
END_TEST

START_TEST(peers_of_sockets)
{
    char text[IP_TEXT_SIZE];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct ip ip = ip_of_socket((struct sockaddr *)&v4);
    ck_assert_str_eq(ip_format(&ip, text), "10.0.0.1");
    /* As a socket that takes both sees one that came by IPv4. */
    inet_pton(AF_INET6, "::ffff:127.0.0.9", &v6.sin6_addr);
    ip = ip_of_socket((struct sockaddr *)&v6);
    ck_assert_str_eq(ip_format(&ip, text), "127.0.0.9");
    ck_assert(ip_is_loopback(&ip));
    /* A peer at a socket file has no address, of which there are only these two bytes. */
    const sa_family_t file = AF_UNIX;
    ip = ip_of_socket((const struct sockaddr *)(const void *)&file);
    ck_assert_str_eq(ip_format(&ip, text), "unix");
    ck_assert(!ip_is_loopback(&ip));
}
END_TEST

START_TEST(a_network_holds_what_shares_its_bits)
{
    static const struct {
        const char *networks, *in, *out;
    } cases[] = {{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
                 {"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
                 {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
                 {"192.0.2.4/30", "192.0.2.7", "192.0.2.8"},
                 {"192.0.2.7/32", "192.0.2.7", "192.0.2.6"},
                 {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
                 {"0.0.0.0/0", "203.0.113.1", "2001:db8::1"},
                 {"::/0", "2001:db8::1", "203.0.113.1"},
                 {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
                 {"fd00::/8", "fdff::", "fe00::"},
                 {"::1", "::1", "::2"},
                 {"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"},
                 {"::ffff:10.0.0.7", "10.0.0.7", "10.0.0.6"},
                 {"10.0.0.0/8,192.0.2.0/24,fd00::/8", "192.0.2.9", "192.0.3.0"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(holds(cases[i].networks, cases[i].in), "%s %s", cases[i].networks,
                      cases[i].in);
        ck_assert_msg(!holds(cases[i].networks, cases[i].out), "%s %s", cases[i].networks,
                      cases[i].out);
    }
    ck_assert(holds("10.0.0.0/8", "::ffff:10.0.0.1"));
    const struct networks all = networks_of("0.0.0.0/0,::/0");
    ck_assert(!networks_hold(&all, &(struct ip){.family = AF_UNSPEC}));
}
END_TEST

START_TEST(bad_networks_are_told)
{
    static const char *const cases[][2] = {
        {"", "''"},
        {"10.0.0.0/8,", "''"},
        {",10.0.0.0/8", "''"},
        {"10.0.0.0/8 ,10.1.0.0/16", "bits"},
        {" 10.0.0.0/8", "is no network"},
        {"proxy.example", "'proxy.example'"},
        {"10.0.0/8", "'10.0.0/8'"},
        {"10.0.0.0/", "bits"},
        {"10.0.0.0/x", "bits"},
        {"10.0.0.0/8x", "bits"},
        {"10.0.0.0/-1", "bits"},
        {"10.0.0.0/33", "bits"},
        {"10.0.0.0/0008", "bits"},
        {"fd00::/129", "bits"},
        {"::ffff:10.0.0.0/90", "bits"},
        {"10.0.0.1/8", "10.0.0.0/8"},
        {"192.0.2.1/31", "192.0.2.0/31"},
        {"2001:db8::1/32", "2001:db8::/32"},
        {"::ffff:10.0.0.1/104", "10.0.0.0/8"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct networks networks = {.count = 7};
        char fault[NETWORK_FAULT_SIZE] = "";
        ck_assert_msg(!networks_parse(cases[i][0], &networks, fault), "'%s'", cases[i][0]);
        ck_assert_msg(strstr(fault, cases[i][1]) != NULL, "'%s': %s", cases[i][0], fault);
        ck_assert_uint_eq(networks.count, 7);
    }
}
END_TEST

START_TEST(there_is_room_for_so_many_networks)
{
    char text[16 * (NETWORKS_MAX + 1)] = "10.0.0.0";
    char fault[NETWORK_FAULT_SIZE];
    struct networks networks;
    for (int i = 1; i < NETWORKS_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",10.0.0.%d", i);
    ck_assert(networks_parse(text, &networks, fault));
    ck_assert_uint_eq(networks.count, NETWORKS_MAX);
    snprintf(text + strlen(text), sizeof text - strlen(text), ",::1");
    ck_assert(!networks_parse(text, &networks, fault));
    ck_assert_msg(strstr(fault, "too many") != NULL, "%s", fault);
}
END_TEST

/* The client of a request that came from this peer with these lines, behind proxies in
 * 10.0.0.0/8 and fd00::/8. */
static const char *client_of(const char *peer, const char *line, const char *second)
{
    static char text[IP_TEXT_SIZE];
    const struct networks proxies = networks_of("10.0.0.0/8,fd00::/8");
    const struct ip ip = ip_of(peer);
    struct forwarded forwarded = forwarded_start(&proxies, &ip);
    if (line != NULL) forwarded_add(&forwarded, line);
    if (second != NULL) forwarded_add(&forwarded, second);
    const struct ip client = forwarded_client(&forwarded);
    return ip_format(&client, text);
}

START_TEST(the_client_is_the_last_address_that_is_no_proxy)
{
    static const struct {
        const char *line, *second, *client;
    } cases[] = {
        {NULL, NULL, "10.0.0.1"},
        {"203.0.113.9", NULL, "203.0.113.9"},
        {"198.51.100.1, 203.0.113.9", NULL, "203.0.113.9"},
        {"198.51.100.1,203.0.113.9 , 10.7.7.7", NULL, "203.0.113.9"},
        {"198.51.100.1", "203.0.113.9", "203.0.113.9"},
        {"203.0.113.9", "10.7.7.7,fd00::5", "203.0.113.9"},
        {"2001:db8::9", NULL, "2001:db8::9"},
        {"::ffff:203.0.113.9", NULL, "203.0.113.9"},
        {"::ffff:10.7.7.7", NULL, "10.7.7.7"},
        /* some proxies add ports and brackets */
        {"203.0.113.9:4711", NULL, "203.0.113.9"},
        {"[2001:db8::9]:4711", NULL, "2001:db8::9"},
        {"[2001:db8::9]", NULL, "2001:db8::9"},
        /* a client inside of the proxies' network */
        {"10.5.5.5, 10.7.7.7", NULL, "10.5.5.5"},
        /* what a client invented stands in front, and does no harm */
        {"nonsense, 127.0.0.1, 203.0.113.9", NULL, "203.0.113.9"},
        {"unknown", "203.0.113.9", "203.0.113.9"},
        {",, 203.0.113.9,,", NULL, "203.0.113.9"},
        {"\t203.0.113.9\t", NULL, "203.0.113.9"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_str_eq(client_of("10.0.0.1", cases[i].line, cases[i].second), cases[i].client);
}
END_TEST

static const char *const malformed[] = {
    "",
    " ",
    ",",
    "unknown",
    "203.0.113.9, unknown",
    "203.0.113.9, 10.7.7.7, nonsense, 10.7.7.8",
    "nonsense, 10.7.7.7",
    "203.0.113.9:",
    "203.0.113.9:123456",
    "203.0.113.9:8x",
    "203.0.113.9 198.51.100.1",
    "[203.0.113.9]",
    "[2001:db8::9",
    "[2001:db8::9]4711",
    "[2001:db8::9]:",
    "[]",
    "[",
    "2001:db8::9%eth0",
    "\"203.0.113.9\"",
    "203.0.113.9\r",
};

START_TEST(a_malformed_list_means_the_peer)
{
    ck_assert_str_eq(client_of("10.0.0.1", malformed[_i], NULL), "10.0.0.1");
}
END_TEST

START_TEST(nobody_else_is_believed)
{
    ck_assert_str_eq(client_of("203.0.113.1", "198.51.100.1", NULL), "203.0.113.1");
    ck_assert_str_eq(client_of("2001:db8::1", "10.0.0.1", NULL), "2001:db8::1");
    ck_assert_str_eq(client_of("127.0.0.1", "198.51.100.1", NULL), "127.0.0.1");
    ck_assert_str_eq(client_of("::ffff:10.0.0.1", "198.51.100.1", NULL), "198.51.100.1");
}
END_TEST

SUITE_MAIN("network", {addresses_are_written_in_one_way, 0}, {what_is_no_address, 0},
           {peers_of_sockets, 0}, {a_network_holds_what_shares_its_bits, 0},
           {bad_networks_are_told, 0}, {there_is_room_for_so_many_networks, 0},
           {the_client_is_the_last_address_that_is_no_proxy, 0},
           {a_malformed_list_means_the_peer, COUNT(malformed)}, {nobody_else_is_believed, 0})
