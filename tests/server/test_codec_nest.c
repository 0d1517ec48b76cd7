/* Nests of numbers, which the JSON library never sees: which arrays are such, and that nobody can
 * tell from what a document says. */
#define LLVMFuzzerTestOneInput fuzz_json
#include "tests/fuzz/fuzz_json.c"
#undef LLVMFuzzerTestOneInput

#include "server/codec_nest.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

static struct document *decode(const char *text, const struct limits *limits,
                               struct problem *problem)
{
    *problem = (struct problem){0};
    return document_decode(text, strlen(text), limits, problem);
}

static struct document *decoded(const char *text)
{
    const struct limits limits = limits_default();
    struct problem problem;
    codec_json_start();
    struct document *document = decode(text, &limits, &problem);
    ck_assert_msg(document != NULL, "%s: %s", text, problem.detail);
    return document;
}

/* The numbers of an array, if it is a nest, by the dimensions that its first items have. */
static const double *numbers_of(const struct value *array)
{
    size_t rank = 0, dim[NEST_RANK_MAX + 1];
    for (const struct value *value = array;
         value != NULL && value_is_array(value) && rank < COUNT(dim); value = value_item(value, 0))
        dim[rank++] = value_count(value);
    return value_numbers(array, rank, dim, false);
}

/* ---- which arrays are nests ---- */

START_TEST(rectangular_arrays_of_numbers_are_nests)
{
    static const struct {
        const char *text;
        bool nest;
    } cases[] = {
        {"{\"x\":[1,2,3,4]}", true},
        {"{\"x\":[[1,2],[3,4]]}", true},
        {"{\"x\":[[[1]],[[2]],[[3]],[[-4e-1]]]}", true},
        {"{\"x\": [ [ 1 ,\t2 ] ,\r\n [ 3 , 4 ] ] } \n", true},
        {"{\"x\":[[[[[[1,2,3,4]]]]]]}", true},
        {"{\"x\":[[[[[[[1,2,3,4]]]]]]]}", false}, /* too many axes */
        {"{\"x\":[1,2,3]}", false},               /* not worth a mark */
        {"{\"x\":[]}", false},
        {"{\"x\":[[],[]]}", false},
        {"{\"x\":[[1,2,3,4],[5,6,7]]}", false},
        {"{\"x\":[[1,2,3,4],[]]}", false},
        {"{\"x\":[[1,2,3,4],5]}", false},
        {"{\"x\":[1,[2,3,4,5]]}", false},
        {"{\"x\":[1,2,3,null]}", false},
        {"{\"x\":[1,2,3,\"4\"]}", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = decoded(cases[i].text);
        const struct value *x = value_member(document_root(document), "x");
        ck_assert(value_is_array(x));
        ck_assert_msg((numbers_of(x) != NULL) == cases[i].nest, "%s", cases[i].text);
        document_free(document);
    }
}
END_TEST

START_TEST(the_items_of_a_nest)
{
    struct document *document =
        decoded("{\"a\":[9,9,9,9],\"x\":[[[1,2,3],[4,5,6]],[[7,8,9],[10,11,12]]],\"b\":[8,8,8,8]}");
    const struct value *x = value_member(document_root(document), "x");
    const size_t dim[] = {2, 2, 3};
    const double *numbers = value_numbers(x, 3, dim, false);
    for (size_t i = 0; i < 12; i++)
        ck_assert_double_eq(numbers[i], (double)i + 1);
    ck_assert_ptr_null(value_numbers(x, 2, dim, false));
    const struct value *row = value_item(value_item(x, 1), 0);
    ck_assert_str_eq(value_kind(row), "an array");
    ck_assert_uint_eq(value_count(row), 3);
    ck_assert_ptr_eq(numbers_of(row), numbers + 6);
    ck_assert_ptr_null(value_numbers(row, 2, dim, false));
    ck_assert_ptr_null(value_item(row, 3));
    const struct value *item = value_item(row, 2);
    ck_assert_str_eq(value_kind(item), "a number");
    ck_assert_double_eq(value_number(item), 9);
    ck_assert(!value_is_null(item) && !value_is_text(item) && !value_is_object(item));
    ck_assert_ptr_null(value_member(row, "x"));
    ck_assert_double_eq(value_number(value_item(value_member(document_root(document), "b"), 3)), 8);
    document_free(document);
}
END_TEST

/* ---- faults beside nests are told as without ---- */

START_TEST(places_of_faults_are_those_of_the_whole_text)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"{\"x\":[[1,2,3,4],[5,6,7,8]],\n\"y\": }", " line 2, column 6"},
        {"{\"x\":[1,2,3,4],\"x\":[1,2,3,4]}", " line 1, column 18"},
        {"{\"x\":[1,2,3,4],\n\"y\":[1,2,3,1e999]}", " line 2, column 16"},
        {"{\"x\":[1,2,3,4]}\n\n{}", " line 3, column 1"},
    };
    const struct limits limits = limits_default();
    codec_json_start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct problem problem;
        ck_assert_ptr_null(decode(cases[i].text, &limits, &problem));
        ck_assert_int_eq(problem.type, PROBLEM_BAD_JSON);
        ck_assert_msg(strstr(problem.detail, cases[i].place) != NULL, "%s", problem.detail);
    }
}
END_TEST

START_TEST(a_nest_counts_to_the_depth)
{
    struct limits limits = limits_default();
    struct problem problem;
    codec_json_start();
    limits.json_depth = 8;
    struct document *fits = decode("{\"x\":[[[[[[[1,2,3,4]]]]]]]}", &limits, &problem);
    ck_assert_ptr_nonnull(fits);
    document_free(fits);
    ck_assert_ptr_null(decode("{\"x\":\n[[[[[[[[1,2,3,4]]]]]]]]}", &limits, &problem));
    ck_assert_str_eq(problem.detail, "nested deeper than 8 levels at line 2, column 8");
    ck_assert_ptr_null(decode("{\"x\":\n[[[[{\"y\":[[[1,2,3,4]]]}]]]]}", &limits, &problem));
    ck_assert_str_eq(problem.detail, "nested deeper than 8 levels at line 2, column 12");
    ck_assert_ptr_null(
        decode("{\"x\":[1,2,3,4],\n\"y\":[[[[[[[[\"a\"]]]]]]]]}", &limits, &problem));
    ck_assert_str_eq(problem.detail, "nested deeper than 8 levels at line 2, column 12");
}
END_TEST

/* ---- memory ---- */

static char *many_numbers(size_t count)
{
    char *text = malloc(2 * count + 16);
    size_t used = (size_t)snprintf(text, 16, "{\"x\":[7");
    for (size_t i = 1; i < count; i++) {
        text[used++] = ',';
        text[used++] = '7';
    }
    memcpy(text + used, "]}", 3);
    return text;
}

START_TEST(a_nest_takes_its_numbers_and_little_more)
{
    enum { NUMBERS = 20000 };
    struct limits limits = limits_default();
    struct problem problem;
    codec_json_start();
    char *text = many_numbers(NUMBERS);
    limits.json_bytes = NUMBERS * 2 * sizeof(double) + 8192; /* a tree takes 40 bytes a number */
    for (int i = 0; i < 100; i++) { /* and nothing of it is held afterwards */
        struct document *document = decode(text, &limits, &problem);
        ck_assert_msg(document != NULL, "%s", problem.detail);
        document_free(document);
    }
    limits.json_bytes = NUMBERS * sizeof(double);
    ck_assert_ptr_null(decode(text, &limits, &problem));
    ck_assert_int_eq(problem.type, PROBLEM_TOO_LARGE);
    free(text);
}
END_TEST

START_TEST(a_fault_before_what_is_too_large_is_told_first)
{
    struct limits limits = limits_default();
    struct problem problem;
    codec_json_start();
    char *text = many_numbers(20000);
    memcpy(text, "{xxx:", 5);
    limits.json_bytes = 65536;
    ck_assert_ptr_null(decode(text, &limits, &problem));
    ck_assert_int_eq(problem.type, PROBLEM_BAD_JSON);
    free(text);
}
END_TEST

/* ---- any text: as the library reads it ---- */

enum { DOCUMENT_SIZE = 2000, DOCUMENTS = 4000, CHANGES = 8 };

struct text {
    char bytes[DOCUMENT_SIZE];
    size_t size;
};

static uint64_t state = UINT64_C(88172645463325252);

static size_t below(size_t count)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * UINT64_C(2685821657736338717)) >> 33) % count;
}

static void add(struct text *text, const char *more)
{
    const size_t size = strlen(more);
    if (text->size + size > sizeof text->bytes) return;
    memcpy(text->bytes + text->size, more, size);
    text->size += size;
}

#define ADD_ONE_OF(text, ...)                               \
    do {                                                    \
        static const char *const choices[] = {__VA_ARGS__}; \
        add(text, choices[below(COUNT(choices))]);          \
    } while (0)

static void add_number(struct text *text)
{
    const size_t kind = below(100);
    char digits[40];
    if (kind == 0) {
        ADD_ONE_OF(text, "1e999", "01", "+1", "1.", ".5", "NaN", "null", "\"1\"");
    } else if (kind < 30) {
        ADD_ONE_OF(text, "0", "-0", "1", "-12", "3.0", "1e5", "1E-5", "2.5e+3", "0.1", "5e-324",
                   "9007199254740993", "123456789012345678901234567890", "0.00000000000000000001");
    } else {
        snprintf(digits, sizeof digits, "%.*g", (int)below(20), (double)below(1u << 30) / 7e5);
        add(text, digits);
    }
}

static void add_space(struct text *text)
{
    if (below(3) == 0) ADD_ONE_OF(text, " ", "\n", "\t ", "\r\n", "  ");
}

/* Arrays within arrays, most of them of equal length. */
static void add_nest(struct text *text, size_t rank, const size_t *dim)
{
    const size_t count = below(60) == 0 ? below(4) : dim[0];
    add_space(text);
    add(text, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) add(text, ",");
        if (rank > 1)
            add_nest(text, rank - 1, dim + 1);
        else
            add_number(text);
    }
    add(text, "]");
    add_space(text);
}

static void add_value(struct text *text, size_t depth);

static void add_members(struct text *text, size_t depth)
{
    const size_t count = below(4);
    add(text, "{");
    for (size_t i = 0; i < count; i++) {
        char name[16];
        if (i > 0) add(text, ",");
        snprintf(name, sizeof name, "\"%c\":", (int)('a' + (below(20) == 0 ? 0 : i)));
        add(text, name);
        add_space(text);
        add_value(text, depth + 1);
    }
    add(text, "}");
}

static void add_value(struct text *text, size_t depth)
{
    const size_t dim[] = {
        1 + below(4), 1 + below(4), 1 + below(3), 1 + below(2), 1, 1 + below(2), 1};
    switch (below(depth < 4 ? 8 : 5)) {
    case 0:
        ADD_ONE_OF(text, "\"a\"", "\"\"", "\"[1,2,3,4]\"", "\"\\\"[1,2,3,4]\"", "\"\\u0000\"",
                   "\"\\u00000\"", "\"\\\\u00000\"", "\"\xc3\xa9\"", "true", "false", "null");
        break;
    case 1:
    case 2:
    case 3:
        add_nest(text, 1 + below(below(8) == 0 ? 7 : 3), dim);
        break;
    case 4:
        add_number(text);
        break;
    case 5:
        add(text, "[");
        add_value(text, depth + 1);
        add(text, ",");
        add_value(text, depth + 1);
        add(text, "]");
        break;
    default:
        add_members(text, depth);
    }
}

/* A byte changed, taken out or put in. */
static void change(struct text *text)
{
    static const char bytes[] = "[]{},:\"0123456789.-+eE \n\\u\xc3tn\x00";
    const size_t at = below(text->size);
    const char byte = bytes[below(sizeof bytes - 1)];
    switch (below(3)) {
    case 0:
        text->bytes[at] = byte;
        break;
    case 1:
        memmove(text->bytes + at, text->bytes + at + 1, --text->size - at);
        break;
    default:
        if (text->size == sizeof text->bytes) break;
        memmove(text->bytes + at + 1, text->bytes + at, text->size++ - at);
        text->bytes[at] = byte;
    }
}

START_TEST(random_texts_are_read_as_the_library_reads_them)
{
    for (int i = 0; i < DOCUMENTS; i++) {
        struct text text = {.size = 0};
        add_members(&text, 0);
        fuzz_json((const uint8_t *)text.bytes, text.size);
        for (int k = 0; k < CHANGES && text.size > 0; k++) {
            change(&text);
            fuzz_json((const uint8_t *)text.bytes, text.size);
        }
    }
}
END_TEST

SUITE_MAIN("codec_nest", {rectangular_arrays_of_numbers_are_nests, 0}, {the_items_of_a_nest, 0},
           {places_of_faults_are_those_of_the_whole_text, 0}, {a_nest_counts_to_the_depth, 0},
           {a_nest_takes_its_numbers_and_little_more, 0},
           {a_fault_before_what_is_too_large_is_told_first, 0},
           {random_texts_are_read_as_the_library_reads_them, 0})
