/* The text of answers: as the JSON library writes the same values, and whole however long its parts
 * are. */
#include "server/codec_json.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values made twice, at random ---- */

enum { ROUNDS = 3000, DEPTH_MAX = 5, NAME_TEXT = 32 };

static uint64_t state = UINT64_C(88172645463325252);

static size_t below(size_t count)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * UINT64_C(2685821657736338717)) >> 33) % count;
}

/* A value of ours, and the library's. */
struct twins {
    struct value *value;
    json_t *node;
};

static struct twins random_number(struct writer *w)
{
    const double number = ((double)below(1 << 20) - 500000) / (double)(1 + below(1000));
    return (struct twins){write_number(w, number), json_real(number)};
}

static struct twins random_text(struct writer *w)
{
    static const char *const texts[] = {"",
                                        "plain",
                                        "\"",
                                        "\\",
                                        "\x7f",
                                        "\"quoted\" \\ and / not",
                                        "\b\f\n\r\t\x01\x1f\x7f",
                                        "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
                                        "~ }]{[,:"};
    const char *text = texts[below(COUNT(texts))];
    return (struct twins){write_text(w, text), json_string(text)};
}

static json_t *node_of_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *node_of_numbers(const double **next, size_t rank, const size_t *dim)
{
    json_t *array = json_array();
    for (size_t i = 0; i < dim[0]; i++)
        json_array_append_new(array, rank > 1 ? node_of_numbers(next, rank - 1, dim + 1)
                                              : node_of_number(*(*next)++));
    return array;
}

/* Some of them are long enough to change hands. */
static struct twins random_numbers(struct writer *w)
{
    const size_t dim[] = {below(20), below(5), 1 + below(10)}, rank = 1 + below(3);
    double numbers[20 * 5 * 10];
    for (size_t i = 0; i < COUNT(numbers); i++)
        numbers[i] = below(50) == 0 ? NAN : (double)below(1 << 30) / 3e7;
    const double *next = numbers;
    return (struct twins){write_numbers(w, numbers, rank, dim), node_of_numbers(&next, rank, dim)};
}

static struct twins random_value(struct writer *w, size_t depth);

static struct twins random_object(struct writer *w, size_t depth)
{
    const struct twins object = {write_object(w), json_object()};
    const size_t count = below(6);
    for (size_t i = 0; i < count; i++) {
        const struct twins member = random_value(w, depth + 1);
        char name[NAME_TEXT];
        snprintf(name, sizeof name, "%zu%s", i, below(9) > 0 ? "" : "\" \xc3\xa9");
        write_member(w, object.value, name, member.value);
        json_object_set_new(object.node, name, member.node);
    }
    return object;
}

static struct twins random_array(struct writer *w, size_t depth)
{
    const struct twins array = {write_array(w), json_array()};
    const size_t count = below(6);
    for (size_t i = 0; i < count; i++) {
        const struct twins item = random_value(w, depth + 1);
        write_item(w, array.value, item.value);
        json_array_append_new(array.node, item.node);
    }
    return array;
}

static struct twins random_value(struct writer *w, size_t depth)
{
    const size_t count = below(1000);
    switch (below(depth < DEPTH_MAX ? 10 : 6)) {
    case 0:
        return (struct twins){write_null(), json_null()};
    case 1:
        return (struct twins){write_boolean(w, count < 500), json_boolean(count < 500)};
    case 2:
        return (struct twins){write_count(w, count), json_integer((json_int_t)count)};
    case 3:
        return random_number(w);
    case 4:
        return random_text(w);
    case 5:
        return random_numbers(w);
    case 6:
    case 7:
        return random_array(w, depth);
    default:
        return random_object(w, depth);
    }
}

START_TEST(values_are_written_as_the_library_writes_them)
{
    size_t longest = 0;
    codec_json_start();
    for (int i = 0; i < ROUNDS; i++) {
        struct writer w = {0};
        const struct twins twins = random_value(&w, 0);
        char *right = json_dumps(twins.node, JSON_COMPACT | JSON_ENCODE_ANY);
        const char *text = text_of(write_blob(&w, twins.value));
        ck_assert_str_eq(text, right);
        if (strlen(text) > longest) longest = strlen(text);
        free(right);
        json_decref(twins.node);
    }
    ck_assert_uint_gt(longest, 15000);
}
END_TEST

/* ---- numbers ---- */

START_TEST(numbers_in_their_shape)
{
    static const double numbers[] = {1, -0.0, NAN, 0.1, INFINITY, 1e-7};
    static const struct {
        size_t rank, dim[3];
        const char *text;
    } cases[] = {
        {1, {0}, "[]"},
        {1, {2}, "[1.0,-0.0]"},
        {1, {6}, "[1.0,-0.0,null,0.10000000000000001,null,9.9999999999999995e-8]"},
        {2, {2, 0}, "[[],[]]"},
        {2, {0, 2}, "[]"},
        {2, {3, 2}, "[[1.0,-0.0],[null,0.10000000000000001],[null,9.9999999999999995e-8]]"},
        {3, {1, 2, 1}, "[[[1.0],[-0.0]]]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = {0};
        codec_json_start();
        ck_assert_str_eq(
            text_of(write_blob(&w, write_numbers(&w, numbers, cases[i].rank, cases[i].dim))),
            cases[i].text);
    }
}
END_TEST

/* ---- parts that change hands ---- */

START_TEST(long_parts_are_spliced_in_and_go_on)
{
    enum { NUMBERS = 5000 };
    const size_t dim[] = {NUMBERS};
    double *numbers = calloc(NUMBERS, sizeof *numbers);
    struct writer w = {0};
    codec_json_start();
    struct value *object = write_object(&w), *array = write_array(&w), *inner = write_array(&w);
    write_member(&w, object, "a", write_numbers(&w, numbers, 1, dim));
    write_item(&w, inner, write_numbers(&w, numbers, 1, dim));
    write_item(&w, inner, write_count(&w, 1));
    write_item(&w, array, write_text(&w, "x"));
    write_item(&w, array, inner);
    write_item(&w, array, write_null());
    write_member(&w, object, "b", array);
    const struct member_text members[] = {{"c", NULL}};
    struct blob *blob = write_spliced(&w, object, members, 1);
    ck_assert_ptr_nonnull(blob);
    const size_t of_numbers = 4 * NUMBERS + 1; /* "[0.0,0.0]" */
    ck_assert_uint_eq(blob->size,
                      strlen("{\"a\":,\"b\":[\"x\",[,1],null],\"c\":null}") + 2 * of_numbers);
    const char *text = text_of(blob);
    ck_assert_int_eq(strncmp(text, "{\"a\":[0.0,0.0,", 14), 0);
    ck_assert_int_eq(strncmp(text + 5 + of_numbers, ",\"b\":[\"x\",[[0.0,0.0,", 20), 0);
    ck_assert_str_eq(text + strlen(text) - strlen("0.0],1],null],\"c\":null}"),
                     "0.0],1],null],\"c\":null}");
    free(numbers);
}
END_TEST

/* ---- failures: everything is freed, and nothing comes out ---- */

START_TEST(nothing_comes_of_a_failure)
{
    struct writer w = {.failed = true};
    codec_json_start();
    struct value *object = write_object(&w);
    write_member(&w, object, "a", write_count(&w, 1));
    ck_assert_ptr_null(write_spliced(&w, object, NULL, 0));
    ck_assert_ptr_null(write_blob(&w, NULL));
    write_member(&w, NULL, "a", write_text(&w, "b"));
    write_item(&w, NULL, write_object(&w));
    struct value *array = write_array(&w);
    write_item(&w, array, NULL);
    ck_assert_ptr_null(write_blob(&w, array));
}
END_TEST

SUITE_MAIN("codec_write", {values_are_written_as_the_library_writes_them, 0},
           {numbers_in_their_shape, 0}, {long_parts_are_spliced_in_and_go_on, 0},
           {nothing_comes_of_a_failure, 0})
