/* JSON in and out: what the parser refuses, the memory budget, and how answers are written. */
#include "server/codec_job.h"
#include "server/codec_json.h"
#include "server/codec_report.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Call first: what follows is counted. */
static struct limits limits_started(void)
{
    codec_json_start();
    return limits_default();
}

static struct document *decode(const char *text, const struct limits *limits,
                               struct problem *problem)
{
    *problem = (struct problem){0};
    return document_decode(text, strlen(text), limits, problem);
}

static enum problem_type fault_of(const char *text, const struct limits *limits)
{
    struct problem problem;
    struct document *document = decode(text, limits, &problem);
    ck_assert_int_eq(document == NULL, problem.type != PROBLEM_NONE);
    document_free(document);
    return problem.type;
}

START_TEST(bad_json_names_line_and_column)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "{\"a\": }",
        "{\"a\": 1,}",
        "{\"a\": 1} x",
        "{\"a\": 1}{}",
        "{\"a\": 1, \"a\": 2}",
        "[NaN]",
        "[Infinity]",
        "[1e999]",
        "[01]",
        "[+1]",
        "['a']",
        "[\"\\ud800\"]",
        "[\"\xff\"]",
        "[\"\xc3\"]",
        "[\"\\u0000\"]",
        "[\"a\nb\"]",
        "[1] // comment",
        "\xef\xbb\xbf[]",
        "1",
        "\"text\"",
        "null",
    };
    const struct limits limits = limits_started();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct problem problem;
        ck_assert_msg(decode(bad[i], &limits, &problem) == NULL, "%s", bad[i]);
        ck_assert_msg(problem.type == PROBLEM_BAD_JSON, "%s: %s", bad[i], problem.detail);
        ck_assert_msg(strstr(problem.detail, " line ") != NULL, "%s", problem.detail);
        ck_assert(!problem.pointed);
    }
}
END_TEST

/* Zero bytes in the body end nothing. */
START_TEST(a_zero_byte_is_bad_json)
{
    const struct limits limits = limits_started();
    struct problem problem = {0};
    ck_assert_ptr_null(document_decode("[1]\0", 4, &limits, &problem));
    ck_assert_int_eq(problem.type, PROBLEM_BAD_JSON);
}
END_TEST

static char *nested(size_t depth, const char *inside)
{
    char *text = malloc(2 * depth + strlen(inside) + 1);
    memset(text, '[', depth);
    memcpy(text + depth, inside, strlen(inside));
    memset(text + depth + strlen(inside), ']', depth);
    text[2 * depth + strlen(inside)] = '\0';
    return text;
}

START_TEST(depth_is_bounded)
{
    const struct limits limits = limits_started();
    const size_t depth = limits.json_depth;
    char *fits = nested(depth, "1"), *deeper = nested(depth + 1, "1");
    char *quoted = nested(depth, "\"[[{{\\\"[[\"");
    ck_assert_int_eq(fault_of(fits, &limits), PROBLEM_NONE);
    ck_assert_int_eq(fault_of(quoted, &limits), PROBLEM_NONE);
    ck_assert_int_eq(fault_of(deeper, &limits), PROBLEM_BAD_JSON);
    free(fits);
    free(deeper);
    free(quoted);
}
END_TEST

START_TEST(depth_is_told_with_its_place)
{
    struct limits limits = limits_started();
    struct problem problem;
    limits.json_depth = 8;
    ck_assert_ptr_null(decode("[[[[\n  [[[[[1]]]]]]]]]", &limits, &problem));
    ck_assert_str_eq(problem.detail, "nested deeper than 8 levels at line 2, column 7");
}
END_TEST

/* ---- the budget ---- */

static char *many_numbers(size_t count)
{
    char *text = malloc(2 * count + 2);
    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        text[1 + 2 * i] = '7';
        text[2 + 2 * i] = ',';
    }
    text[2 * count] = ']';
    text[2 * count + 1] = '\0';
    return text;
}

START_TEST(a_body_beyond_the_budget_is_too_large)
{
    struct limits limits = limits_started();
    limits.json_bytes = 65536;
    char *large = many_numbers(20000), *small = many_numbers(100);
    ck_assert_int_eq(fault_of(large, &limits), PROBLEM_TOO_LARGE);
    /* and nothing of it is held afterwards */
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(fault_of(small, &limits), PROBLEM_NONE);
    ck_assert_int_eq(fault_of(large, &limits), PROBLEM_TOO_LARGE);
    free(large);
    free(small);
}
END_TEST

/* Two halves of the budget and a bit, each held by a thread of its own. */
struct holder {
    struct limits limits;
    char *text;
    struct problem problem;
    bool decoded;
};

static void *hold_half(void *argument)
{
    struct holder *holder = argument;
    struct document *document = decode(holder->text, &holder->limits, &holder->problem);
    holder->decoded = document != NULL;
    document_free(document);
    return NULL;
}

static void hold_in_a_thread(struct holder *holder)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, hold_half, holder), 0);
    pthread_join(thread, NULL);
}

START_TEST(a_body_that_others_leave_no_room_for_is_503)
{
    struct holder other = {.limits = limits_started()};
    struct problem problem;
    other.text = many_numbers(20000);
    other.limits.json_bytes = 1000000; /* a number takes some 40 bytes, the array 8 */
    struct document *held = decode(other.text, &other.limits, &problem);
    ck_assert_ptr_nonnull(held);
    hold_in_a_thread(&other);
    ck_assert(!other.decoded);
    ck_assert_int_eq(other.problem.type, PROBLEM_OVERLOADED);
    document_free(held);
    hold_in_a_thread(&other);
    ck_assert(other.decoded);
    free(other.text);
}
END_TEST

/* ---- writing ---- */

START_TEST(numbers_that_are_not_finite_are_null)
{
    static const double numbers[] = {NAN, INFINITY, -INFINITY, 0.1, -0.0, 1e300, 5e-324};
    struct writer w = {0};
    codec_json_start();
    struct value *array = write_array(&w);
    for (size_t i = 0; i < COUNT(numbers); i++)
        write_item(&w, array, write_number(&w, numbers[i]));
    ck_assert_str_eq(text_of(write_blob(&w, array)),
                     "[null,null,null,0.10000000000000001,-0.0,1.0000000000000001e300,"
                     "4.9406564584124654e-324]");
}
END_TEST

START_TEST(text_is_escaped)
{
    struct writer w = {0};
    codec_json_start();
    ck_assert_str_eq(text_of(write_blob(&w, write_text(&w, "a\"b\\c\n\x01/\xc3\xa9\x7f"))),
                     "\"a\\\"b\\\\c\\n\\u0001/\xc3\xa9\x7f\"");
}
END_TEST

START_TEST(what_is_no_utf_8_becomes_a_question_mark)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"\xff", "\"?\""},
        {"cut \xe2\x82", "\"cut ??\""},
        {"cut \xf0\x9f\x98", "\"cut ???\""},
        {"\x80 \xc3\xa9", "\"? \xc3\xa9\""},
        {"\xc0\xaf", "\"??\""},           /* a longer form than need be */
        {"\xed\xa0\x80", "\"???\""},      /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", "\"????\""}, /* beyond U+10FFFF */
        {"\xe2\x82\"", "\"??\\\"\""},
    };
    codec_json_start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = {0};
        ck_assert_str_eq(text_of(write_blob(&w, write_text(&w, cases[i].text))), cases[i].json);
    }
}
END_TEST

START_TEST(a_failure_is_remembered)
{
    struct writer w = {0};
    codec_json_start();
    struct value *object = write_object(&w);
    write_member(&w, object, "\xff", write_count(&w, 0)); /* no UTF-8 */
    write_member(&w, object, "good", write_count(&w, 1));
    ck_assert(w.failed);
    ck_assert_ptr_null(write_blob(&w, object));
}
END_TEST

START_TEST(texts_are_spliced_in)
{
    struct blob *text = blob_copy("[1]", 3);
    const struct member_text members[] = {{"a", text}, {"b", NULL}};
    struct writer w = {0};
    codec_json_start();
    ck_assert_str_eq(text_of(write_spliced(&w, write_object(&w), members, 2)),
                     "{\"a\":[1],\"b\":null}");
    struct value *object = write_object(&w);
    write_member(&w, object, "x", write_boolean(&w, true));
    ck_assert_str_eq(text_of(write_spliced(&w, object, members, 2)),
                     "{\"x\":true,\"a\":[1],\"b\":null}");
    ck_assert_str_eq(text_of(write_spliced(&w, write_object(&w), members, 0)), "{}");
    blob_unref(text);
}
END_TEST

START_TEST(a_job_as_clients_see_it)
{
    struct label label = {"project", "\"digits\""};
    struct job_record record = {.id = "x1",
                                .owner = "ada",
                                .kind = JOB_TRAINING,
                                .state = JOB_SUCCEEDED,
                                .priority = PRIORITY_LOW,
                                .created_ms = 1000,
                                .started_ms = 86400000,
                                .done = 3,
                                .total = 4,
                                .seconds = 0.5,
                                .labels = {1, &label}};
    record.result = blob_copy("{\"r\":1}", 7);
    codec_json_start();
    ck_assert_str_eq(
        text_of(codec_job(&record)),
        "{\"id\":\"x1\",\"kind\":\"training\",\"state\":\"succeeded\",\"owner\":\"ada\","
        "\"shared\":false,\"labels\":{\"project\":\"\\\"digits\\\"\"},\"priority\":\"low\","
        "\"cancel_requested\":false,\"created_at\":\"1970-01-01T00:00:01.000Z\","
        "\"started_at\":\"1970-01-02T00:00:00.000Z\",\"finished_at\":null,"
        "\"progress\":{\"done\":3,\"total\":4},\"usage\":{\"seconds\":0.5},"
        "\"result\":{\"r\":1},\"error\":null}");
    blob_unref(record.result);
}
END_TEST

START_TEST(lists_of_jobs)
{
    struct job_record records[] = {{.id = "b", .owner = "ada"}, {.id = "a", .owner = "ada"}};
    const struct job_page two = {.count = 2, .record = records}, none = {0};
    codec_json_start();
    ck_assert_str_eq(text_of(codec_job_list(&none, NULL)), "{\"jobs\":[],\"next\":null}");
    const char *text = text_of(codec_job_list(&two, "p\""));
    ck_assert_ptr_nonnull(strstr(text, "{\"jobs\":[{\"id\":\"b\""));
    ck_assert_ptr_nonnull(strstr(text, "},{\"id\":\"a\""));
    ck_assert_ptr_nonnull(strstr(text, "\"summary\":null"));
    ck_assert_ptr_nonnull(strstr(text, "],\"next\":\"p\\\"\"}"));
}
END_TEST

/* ---- problem documents ---- */

START_TEST(a_problem_document)
{
    struct problem problem = {0};
    codec_json_start();
    problem_set(&problem, PROBLEM_NOT_FOUND, "there is no %s", "\"job\"");
    ck_assert_str_eq(text_of(codec_problem(&problem, "r-1")),
                     "{\"type\":\"urn:gradcheckd:problem:not-found\",\"title\":\"There is nothing "
                     "here\",\"status\":404,\"detail\":\"there is no \\\"job\\\"\","
                     "\"instance\":\"r-1\"}");
    problem_set(&problem, PROBLEM_INTERNAL, "a later fault is not the one to tell");
    ck_assert_int_eq(problem.type, PROBLEM_NOT_FOUND);
}
END_TEST

START_TEST(a_problem_with_a_pointer)
{
    struct problem problem;
    ck_assert_ptr_null(spec_try(JOB_CHECK, body_of("{'model': 1}"), &problem));
    const char *text = text_of(codec_problem(&problem, NULL));
    ck_assert_ptr_nonnull(strstr(text, "\"status\":422"));
    ck_assert_ptr_nonnull(strstr(text, "\"errors\":[{\"pointer\":\"/model\",\"detail\":\""));
    ck_assert_ptr_null(strstr(text, "instance"));
}
END_TEST

/* Names are cut to fit a message, and characters of several bytes with them. */
static const char *const long_names[] = {
    ", 'priority': '%s'",   ", 'check': {'method': '%s'}", ", 'check': {'include': ['%s']}",
    ", 'check': {'%s': 1}", ", 'labels': {'%s': 'x'}",     ", '%s': 1",
};

START_TEST(a_problem_about_a_long_name_can_be_told)
{
    for (size_t shift = 0; shift < 4; shift++) {
        char name[1024], more[1100];
        struct problem problem;
        size_t used = shift;
        memset(name, 'a', used);
        for (; used < 900; used += 3)
            memcpy(name + used, "\xe2\x82\xac", 4);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(more, sizeof more, long_names[_i], name);
#pragma GCC diagnostic pop
        codec_json_start();
        struct blob *body = body_of("{'model': " MODEL ", 'data': " DATA "%s}", more);
        ck_assert_ptr_null(spec_try(JOB_CHECK, body, &problem));
        text_of(codec_problem(&problem, NULL));
    }
}
END_TEST

SUITE_MAIN("codec_json", {bad_json_names_line_and_column, 0}, {a_zero_byte_is_bad_json, 0},
           {depth_is_bounded, 0}, {depth_is_told_with_its_place, 0},
           {a_body_beyond_the_budget_is_too_large, 0},
           {a_body_that_others_leave_no_room_for_is_503, 0},
           {numbers_that_are_not_finite_are_null, 0}, {text_is_escaped, 0},
           {what_is_no_utf_8_becomes_a_question_mark, 0}, {a_failure_is_remembered, 0},
           {texts_are_spliced_in, 0}, {a_job_as_clients_see_it, 0}, {lists_of_jobs, 0},
           {a_problem_document, 0}, {a_problem_with_a_pointer, 0},
           {a_problem_about_a_long_name_can_be_told, COUNT(long_names)})
