/* Values of headers and cursors: what is taken, what is ignored, what is refused. */
#include "server/header.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <stdio.h>
#include <string.h>

START_TEST(prefer_wait)
{
    static const struct {
        const char *header;
        int seconds;
    } cases[] = {
        {"", -1},
        {"wait=0", 0},
        {"wait=10", 10},
        {"wait=60", 60},
        {"wait=61", 60},
        {"wait=9999", 60},
        {"wait=99999999999999999999999999", 60},
        {"WAIT=5", 5},
        {"wait = 5", 5},
        {"wait=\"5\"", 5},
        {"\twait=5 ", 5},
        {"wait=5; note=x", 5},
        {"respond-async, wait=7", 7},
        {"respond-async,wait=7,handling=lenient", 7},
        {",,wait=7", 7},
        {"wait=3, wait=9", 3}, /* the first one counts */
        {"wait", -1},
        {"wait=", -1},
        {"wait=-1", -1},
        {"wait=+1", -1},
        {"wait=1.5", -1},
        {"wait=1s", -1},
        {"wait=\"\"", -1},
        {"wait=0x10", -1},
        {"waiting=5", -1},
        {"await=5", -1},
        {"respond-async; wait=5", -1}, /* a parameter of another preference */
        {"handling=lenient", -1},
        {" , ,", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(header_prefer_wait(cases[i].header) == cases[i].seconds, "'%s': %d",
                      cases[i].header, header_prefer_wait(cases[i].header));
}
END_TEST

/* RFC 7240 numbers are plain digits, however many zeros stand in front. */
START_TEST(prefer_wait_with_leading_zeros)
{
    ck_assert_int_eq(header_prefer_wait("wait=0005"), 5);
    ck_assert_int_eq(header_prefer_wait("wait=000005"), 5);
}
END_TEST

/* RFC 7240, 2: a preference's value may be a quoted string, commas included. */
START_TEST(prefer_wait_is_not_looked_for_in_strings)
{
    ck_assert_int_eq(header_prefer_wait("note=\"later, wait=5\""), -1);
    ck_assert_int_eq(header_prefer_wait("note=\"a \\\", wait=5\", wait=6"), 6);
}
END_TEST

START_TEST(idempotency_keys)
{
    static const struct {
        const char *header, *key; /* NULL: refused */
    } cases[] = {
        {"a", "a"},
        {"\"a\"", "a"},
        {"8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"},
        {"", NULL},
        {"\"\"", NULL},
        {" a", NULL},
        {"a b", NULL},
        {"a\tb", NULL},
        {"a\x7f", NULL},
        {"caf\xc3\xa9", NULL},
        {"\x01", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char key[KEY_SIZE] = "untouched";
        const bool taken = header_idempotency_key(cases[i].header, key);
        ck_assert_msg(taken == (cases[i].key != NULL), "'%s'", cases[i].header);
        ck_assert_str_eq(key, taken ? cases[i].key : "untouched");
    }
}
END_TEST

START_TEST(idempotency_keys_have_up_to_128_characters)
{
    char text[132], quoted[136], key[KEY_SIZE];
    for (size_t length = 126; length <= 130; length++) {
        memset(text, 'k', length);
        text[length] = '\0';
        snprintf(quoted, sizeof quoted, "\"%s\"", text);
        ck_assert_int_eq(header_idempotency_key(text, key), length <= 128);
        ck_assert_int_eq(header_idempotency_key(quoted, key), length <= 128);
        if (length <= 128) ck_assert_str_eq(key, text);
    }
}
END_TEST

START_TEST(bearer_tokens)
{
    static const struct {
        const char *header, *token; /* NULL: none was sent */
    } cases[] = {
        {"Bearer gck_abc", "gck_abc"},
        {"bearer gck_abc", "gck_abc"}, /* RFC 9110, 11.1: schemes have no case */
        {"BEARER gck_abc", "gck_abc"},
        {"Bearer   gck_abc", "gck_abc"},
        {"Bearer gck_abc \t", "gck_abc"},
        {"Bearer a=b,c", "a=b,c"},
        {"Bearer a b", ""}, /* sent, but none that can be one */
        {"Bearer gck_abc, Basic YQ==", ""},
        {"", NULL},
        {"Bearer", NULL},
        {"Bearer ", NULL},
        {"Bearer  \t ", NULL},
        {"Bearergck_abc", NULL},
        {"Bearer\tgck_abc", NULL},
        {" Bearer gck_abc", NULL},
        {"Basic YWxpY2U6c2VjcmV0", NULL},
        {"gck_abc", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char token[BEARER_SIZE] = "untouched";
        const bool sent = header_bearer(cases[i].header, token);
        ck_assert_msg(sent == (cases[i].token != NULL), "'%s'", cases[i].header);
        ck_assert_str_eq(token, sent ? cases[i].token : "untouched");
    }
}
END_TEST

START_TEST(a_long_bearer_token_is_not_cut)
{
    char header[BEARER_SIZE + 16] = "Bearer ", token[BEARER_SIZE];
    memset(header + 7, 'x', BEARER_SIZE);
    header[7 + BEARER_SIZE - 1] = '\0';
    ck_assert(header_bearer(header, token));
    ck_assert_uint_eq(strlen(token), BEARER_SIZE - 1);
    header[7 + BEARER_SIZE - 1] = 'x';
    header[7 + BEARER_SIZE] = '\0';
    ck_assert(header_bearer(header, token));
    ck_assert_str_eq(token, "");
}
END_TEST

START_TEST(entity_tags)
{
    static const struct {
        const char *header;
        bool matches;
    } cases[] = {
        {"\"3\"", true},
        {"W/\"3\"", true}, /* If-None-Match compares weakly */
        {"*", true},
        {" \"3\" ", true},
        {"\"1\", \"3\"", true},
        {"\"1\",W/\"3\"", true},
        {"\"3\",\"1\"", true},
        {"\"1\", \"2\",, \"3\"", true},
        {"", false},
        {"\"1\"", false},
        {"3", false},
        {"\"3", false},
        {"\"33\"", false},
        {"w/\"3\"", false}, /* case-sensitive */
        {"\"1\" \"3\"", false},
        {",", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(header_matches_etag(cases[i].header, "\"3\"") == cases[i].matches, "%s",
                      cases[i].header);
}
END_TEST

START_TEST(hosts)
{
    static const struct {
        const char *host;
        bool local;
    } cases[] = {
        {"localhost", true},
        {"localhost:8080", true},
        {"LocalHost:1", true},
        {"127.0.0.1", true},
        {"127.0.0.1:65535", true},
        {"[::1]", true},
        {"[::1]:8080", true},
        {"gradcheck.example", true},
        {"GRADCHECK.example:80", true},
        {"", false},
        {":8080", false},
        {"localhost.evil.example", false},
        {"evil.example", false},
        {"evil.example:8080", false},
        {"127.0.0.1.nip.io", false},
        {"127.0.0.1@evil.example", false},
        {"localhost:80:80", false},
        {"localhost:http", false},
        {"localhost ", false},
        {" localhost", false},
        {"::1", false},
        {"[::1", false},
        {"[::1]x", false},
        {"[::2]", false},
        {"127.0.0.2", false},
        {"gradcheck.example.", false},
        {"gradcheck", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(header_host_is_local(cases[i].host, "gradcheck.example") == cases[i].local,
                      "'%s'", cases[i].host);
    ck_assert(!header_host_is_local("gradcheck.example", NULL));
}
END_TEST

/* A page of another site must not get in by a host name that someone left empty. */
START_TEST(an_empty_name_admits_nobody)
{
    ck_assert(!header_host_is_local("", ""));
    ck_assert(!header_host_is_local(":80", ""));
}
END_TEST

START_TEST(content_types)
{
    static const struct {
        const char *type;
        bool json;
    } cases[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json; charset=utf-8", true},
        {"application/json;charset=\"utf-8\"", true},
        {"application/json \t;", true},
        {"application/json ", true},
        {"", false},
        {"application/jso", false},
        {"application/jsonp", false},
        {"application/json-patch+json", false},
        {"application/problem+json", false},
        {"application/json, text/plain", false},
        {"application/json charset=utf-8", false},
        {"text/json", false},
        {"text/plain; application/json", false},
        {"*/*", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(header_is_json(cases[i].type) == cases[i].json, "'%s'", cases[i].type);
}
END_TEST

START_TEST(request_ids)
{
    static const char *const good[] = {"a", "0", ".", "A-z_0.9", "-", "_"};
    static const char *const bad[] = {"", " ", "a b", "a/b", "a\"", "a\n", "\xc3\xa9", "a;b", "~"};
    char long_id[66];
    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_msg(header_request_id_is_valid(good[i]), "'%s'", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!header_request_id_is_valid(bad[i]), "'%s'", bad[i]);
    memset(long_id, 'x', 65);
    long_id[65] = '\0';
    ck_assert(!header_request_id_is_valid(long_id));
    ck_assert(header_request_id_is_valid(long_id + 1));
}
END_TEST

START_TEST(cursors_come_back)
{
    static const uint64_t positions[] = {1, 2, 255, 1 << 20, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < COUNT(positions); i++) {
        char text[CURSOR_SIZE];
        uint64_t position = 0;
        cursor_format(positions[i], text);
        ck_assert(cursor_parse(text, &position));
        ck_assert(position == positions[i]);
    }
}
END_TEST

START_TEST(cursors_of_others_are_refused)
{
    static const char *const bad[] = {
        "",
        "p",
        "1",
        "p0000000000000000", /* no job stands at 0 */
        "p000000000000001",
        "p00000000000000001",
        "q0000000000000001",
        "P0000000000000001",
        "p000000000000000A",
        "p000000000000000g",
        "p-000000000000001",
        "p+000000000000001",
        "p 000000000000001",
        "p0x00000000000001",
        "p0000000000000001 ",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t position;
        ck_assert_msg(!cursor_parse(bad[i], &position), "'%s'", bad[i]);
    }
}
END_TEST

SUITE_MAIN("header", {prefer_wait, 0}, {prefer_wait_with_leading_zeros, 0},
           {prefer_wait_is_not_looked_for_in_strings, 0}, {idempotency_keys, 0},
           {idempotency_keys_have_up_to_128_characters, 0}, {bearer_tokens, 0},
           {a_long_bearer_token_is_not_cut, 0}, {entity_tags, 0}, {hosts, 0},
           {an_empty_name_admits_nobody, 0}, {content_types, 0}, {request_ids, 0},
           {cursors_come_back, 0}, {cursors_of_others_are_refused, 0})
