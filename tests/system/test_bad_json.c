/*
 * Bodies that are no JSON, that say a thing twice, that are too deep, too long, or too large once
 * read. After each case the same daemon still answers.
 */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))
#define JSON_TYPE "Content-Type: application/json\r\n"

/* A good request is MODEL_PART and DATA_PART in an object. */
#define MODEL_PART                                                                  \
    "\"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1}]," \
    "\"cost\":\"mse\"}"
#define DATA_PART "\"data\":{\"x\":[[1]],\"y\":[[1]]}"
#define GOOD "{" MODEL_PART "," DATA_PART "}"
#define WITH_X(x) "{" MODEL_PART ",\"data\":{\"x\":[[" x "]],\"y\":[[1]]}}"
#define WITH_LABEL(value) "{" MODEL_PART "," DATA_PART ",\"labels\":{\"a\":" value "}}"

static const struct {
    const char *name, *body;
} refused[] = {
    {"nothing", ""},
    {"only space", " \r\n"},
    {"a word", "model"},
    {"a number", "3"},
    {"truncated", "{" MODEL_PART "," DATA_PART},
    {"truncated in a name", "{" MODEL_PART ",\"da"},
    {"truncated in a number", "{" MODEL_PART ",\"data\":{\"x\":[[1"},
    {"something behind", GOOD "}"},
    {"two bodies", GOOD GOOD},
    {"comma at the end", "{" MODEL_PART "," DATA_PART ",}"},
    {"comment", "{/* model */" MODEL_PART "," DATA_PART "}"},
    {"single quotes", "{'model': {}}"},
    {"byte order mark", "\xef\xbb\xbf" GOOD},
    {"NaN", WITH_X("NaN")},
    {"Infinity", WITH_X("Infinity")},
    {"minus Infinity", WITH_X("-Infinity")},
    {"1e999", WITH_X("1e999")},
    {"-1e999", WITH_X("-1e999")},
    {"leading zero", WITH_X("01")},
    {"hexadecimal", WITH_X("0x1")},
    {"plus sign", WITH_X("+1")},
    {"bare point", WITH_X("1.")},
    {"duplicate key", "{" MODEL_PART "," DATA_PART "," MODEL_PART "}"},
    {"duplicate key inside", WITH_LABEL("\"x\",\"a\":\"y\"")},
    {"duplicate key, escaped", WITH_LABEL("\"x\",\"\\u0061\":\"y\"")},
    {"invalid UTF-8", WITH_LABEL("\"\xff\"")},
    {"truncated UTF-8", WITH_LABEL("\"\xc3\"")},
    {"overlong UTF-8", WITH_LABEL("\"\xc0\xaf\"")},
    {"surrogate in UTF-8", WITH_LABEL("\"\xed\xa0\x80\"")},
    {"lone surrogate", WITH_LABEL("\"\\ud800\"")},
    {"NUL, escaped", WITH_LABEL("\"a\\u0000b\"")},
    {"NUL in a name", "{" MODEL_PART "," DATA_PART ",\"labels\":{\"a\\u0000\":\"b\"}}"},
    {"control character", WITH_LABEL("\"a\nb\"")},
    {"unknown escape", WITH_LABEL("\"\\x41\"")},
};

/* Each 400 says where: whoever wrote the file has to find the place. */
static const char *place_fault(struct answer *answer)
{
    const char *fault = problem_fault(answer, 400);
    if (fault != NULL) return fault;
    const char *detail = text_at(answer->json, "/detail");
    bool placed = strstr(detail, "line") != NULL && strstr(detail, "column") != NULL;
    return placed ? NULL : format("no line and column: %s", detail);
}

START_TEST(what_the_parser_refuses)
{
    struct service service;
    int failed = 0;
    service_start(&service, "");
    answer_expect(request(&service, "POST", CHECKS, JSON_TYPE, GOOD), 202);
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, refused[i].body);
        const char *fault = place_fault(answer);
        if (fault != NULL) failed += case_failed(refused[i].name, fault);
        failed += case_survived(&service, refused[i].name);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

START_TEST(place_of_a_fault)
{
    struct service service;
    service_start(&service, "");
    struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, "{\n\"model\":\n  nil}");
    problem_expect(answer, 400, NULL);
    const char *detail = text_at(answer_json(answer), "/detail");
    ck_assert_msg(strstr(detail, "line 3") != NULL, "%s", detail);
    service_end(&service);
}

START_TEST(raw_nul)
{
    static const char body[] = WITH_LABEL("\"a\0b\"");
    struct service service;
    service_start(&service, "");
    problem_expect(request_bytes(&service, "POST", CHECKS, JSON_TYPE, body, sizeof body - 1), 400,
                   NULL);
    static const char behind[] = GOOD "\0";
    problem_expect(request_bytes(&service, "POST", CHECKS, JSON_TYPE, behind, sizeof behind - 1),
                   400, NULL);
    service_end(&service);
}

/* `count` times `piece`, between a beginning and an end. */
static const char *repeated(const char *begin, const char *piece, size_t count, const char *end)
{
    size_t length = strlen(piece), used = strlen(begin);
    char *text = keep(malloc(used + count * length + strlen(end) + 1));
    memcpy(text, begin, used);
    for (size_t i = 0; i < count; i++, used += length)
        memcpy(text + used, piece, length);
    memcpy(text + used, end, strlen(end) + 1);
    return text;
}

START_TEST(deep_nesting)
{
    static const struct {
        const char *begin, *piece;
        size_t count;
    } cases[] = {{"", "[", 33},
                 {"", "[", 100000},
                 {"", "{\"a\":", 100000},
                 {"{" MODEL_PART ",\"data\":{\"x\":", "[", 100000},
                 {"", "[", 8000000}};
    struct service service;
    int failed = 0;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *body = repeated(cases[i].begin, cases[i].piece, cases[i].count, "");
        const char *name = format("%zu x %s", cases[i].count, cases[i].piece);
        struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, body);
        const char *fault = problem_fault(answer, 400);
        if (fault != NULL) failed += case_failed(name, fault);
        failed += case_survived(&service, name);
    }
    /* Brackets in a string nest nothing. */
    const char *body =
        repeated("{" MODEL_PART "," DATA_PART ",\"labels\":{\"a\":\"", "[{", 100, "\"}}");
    answer_expect(request(&service, "POST", CHECKS, JSON_TYPE, body), 202);
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

START_TEST(body_over_the_limit)
{
    enum { LIMIT = 1000000 };
    struct service service;
    service_start(&service, "--body-bytes 1000000");
    const char *body = repeated(GOOD, " ", LIMIT + 1 - strlen(GOOD), "");
    struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, body);
    problem_expect(answer, 413, NULL);
    const char *detail = text_at(answer_json(answer), "/detail");
    ck_assert_msg(strstr(detail, "1000000") != NULL, "the limit is not in: %s", detail);
    /* One byte less is within it. */
    body = repeated(GOOD, " ", LIMIT - strlen(GOOD), "");
    answer_expect(request(&service, "POST", CHECKS, JSON_TYPE, body), 202);
    ck_assert_int_eq(case_survived(&service, "the limit"), 0);
    service_end(&service);
}

START_TEST(chunked_body_over_the_limit)
{
    struct service service;
    struct client client;
    service_start(&service, "--body-bytes 1000000");
    const char *chunk = repeated("186a0\r\n", " ", 100000, "\r\n");
    ck_assert(client_open(&client, &service));
    client_send_text(&client, "POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                              "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 11; i++)
        client_send_text(&client, chunk);
    client_send_text(&client, "0\r\n\r\n");
    problem_expect(client_receive(&client, false), 413, NULL);
    client_close(&client);
    ck_assert_int_eq(case_survived(&service, "chunks"), 0);
    service_end(&service);
}

/* 78 bytes of memory for each of text, unless there is a budget. */
static const char *empty_objects(size_t count)
{
    return repeated("{" MODEL_PART ",\"data\":{\"y\":[[1]],\"x\":[", "{},", count, "{}]}}");
}

/* The most memory that the daemon ever held, in MiB. */
static long peak_mib(const struct service *service)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen(format("/proc/%d/status", (int)service->pid), "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1) break;
    fclose(file);
    return kib / 1024;
}

START_TEST(json_too_large_once_read)
{
    struct service service;
    service_start(&service, "");
    /* 24 MB, within the limit on the body. More than once: the budget must come back. */
    const char *body = empty_objects(8000000);
    for (int i = 0; i < 2; i++) {
        problem_expect(request(&service, "POST", CHECKS, JSON_TYPE, body), 413, NULL);
        ck_assert_int_eq(case_survived(&service, "24 MB of objects"), 0);
        answer_expect(request(&service, "POST", CHECKS, JSON_TYPE, GOOD), 202);
    }
    long peak = peak_mib(&service);
    if (!sanitizer_build()) ck_assert_msg(peak < 1200, "%ld MiB", peak);
    service_end(&service);
}

START_TEST(json_budget_is_an_option)
{
    struct service service;
    service_start(&service, "--json-bytes 1000000");
    for (int i = 0; i < 4; i++) {
        struct answer *answer = request(&service, "POST", CHECKS, JSON_TYPE, empty_objects(100000));
        problem_expect(answer, 413, NULL);
        answer_expect(request(&service, "POST", CHECKS, JSON_TYPE, GOOD), 202);
    }
    service_end(&service);
}

/* Goes away in the middle of a body, and while it is waited for. */
START_TEST(clients_that_vanish)
{
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < 20; i++) {
        struct client client;
        ck_assert(client_open(&client, &service));
        client_send_text(&client, "POST " CHECKS " HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                                  "Content-Length: 100000\r\n\r\n" GOOD);
        client_close(&client);
    }
    ck_assert_int_eq(case_survived(&service, "half a body"), 0);
    struct answer *list = get(&service, "/v1/jobs");
    ck_assert_uint_eq(length_at(answer_json(list), "/jobs"), 0);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {what_the_parser_refuses,
                                  place_of_a_fault,
                                  raw_nul,
                                  deep_nesting,
                                  body_over_the_limit,
                                  chunked_body_over_the_limit,
                                  json_too_large_once_read,
                                  json_budget_is_an_option,
                                  clients_that_vanish,
                                  NULL};
    return suite_main("bad_json", tests);
}
