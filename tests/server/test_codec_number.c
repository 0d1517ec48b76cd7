/* Numbers from text and to text: bit for bit as strtod and printf have them. */
#include "server/codec_number.h"
#include "tests/core/suite.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { TEXT_SIZE = 400, ROUNDS = 300000 };

/* xorshift64*, from a fixed seed: each run has the same cases. */
static uint64_t state = UINT64_C(88172645463325252);

static uint64_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t count)
{
    return next() % count;
}

static double from_bits(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* ---- reading ---- */

/* As strtod reads it, and to the same place. */
static bool reads_well(const char *text)
{
    char *end;
    double number = 0;
    const double right = strtod(text, &end);
    const char *read = number_read(text, &number);
    const bool well =
        isinf(right) ? read == NULL : read == end && memcmp(&number, &right, sizeof number) == 0;
    if (!well) fprintf(stderr, "%s: %a where strtod has %a\n", text, number, right);
    return well;
}

static const char *const good[] = {
    "0",
    "-0",
    "0.0",
    "-0.000",
    "0e999",
    "-0e-999",
    "7",
    "-7",
    "0.1",
    "0.1000000000000000055511151231257827", /* its 34 digits, more than fit into 64 bits */
    "0.100000000000000000000000000000",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993", /* 2^53 + 1: halfway, to even, down */
    "9007199254740995", /* halfway, to even, up */
    "9007199254740993.00000000000000000001",
    "9007199254740992.99999999999999999999",
    "1.00000000000000011102230246251565404236316680908203125", /* 1 + 2^-53: halfway */
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126",
    "0.5",
    "4503599627370496.5",
    "4503599627370497.5",
    "18446744073709551615",
    "18446744073709551616",
    "9999999999999999999",
    "99999999999999999999",
    "10000000000000000000000000000000000000000",
    "1e22",
    "1e23", /* not a double, and near a half */
    "8.5e22",
    "1E+5",
    "1e005",
    "1e-0000000000000000000000000000005",
    "1e60",
    "1e61", /* where the table ends */
    "1e-80",
    "1e-81",
    "1.7976931348623157e308",
    "1.7976931348623158e308", /* rounded to the largest double */
    "1797693134862315708145274237317043567980e269",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308", /* below the least normal number */
    "2."
    "225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523908"
    "1350879141491589130396211068700864386945946455276572074078206217433799881410632673292535522868"
    "8137214901298112245145188984905722230728525513315575501591439747639798341180199932396254"
    "8201e-308",
    "5e-324",
    "4.9406564584124654e-324",
    "2.4703282292062328e-324", /* just over half of the least double */
    "2.4703282292062327e-324",
    "1e-400",
    "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000012345",
    "123456789012345678901234567890e-290",
};

START_TEST(each_is_read_as_strtod_does)
{
    int failed = 0;
    for (size_t i = 0; i < COUNT(good); i++)
        failed += !reads_well(good[i]);
    ck_assert_int_eq(failed, 0);
}
END_TEST

START_TEST(what_is_no_number_of_json)
{
    static const char *const bad[] = {
        "",         "-",
        "+1",       ".5",
        "-.5",      "5.",
        "5.e1",     "1e",
        "1e+",      "1e-",
        "00",       "01",
        "-01",      "1.e",
        "e5",       "x",
        "--1",      "NaN",
        "Infinity", "- 1",
        "]",        "\"1",
        "1e.5",     "1e999",
        "2e308",    "-1.7976931348623159e308",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        double number;
        ck_assert_msg(number_read(bad[i], &number) == NULL, "%s", bad[i]);
    }
}
END_TEST

START_TEST(it_ends_where_the_number_does)
{
    static const char *const texts[] = {"1,2", "1]", "1 ", "0x10", "1.5.5", "1e5e5", "-0-", "2p3"};
    static const size_t ends[] = {1, 1, 1, 1, 3, 3, 2, 1};
    for (size_t i = 0; i < COUNT(texts); i++) {
        double number;
        ck_assert_uint_eq((size_t)(number_read(texts[i], &number) - texts[i]), ends[i]);
    }
}
END_TEST

/* Digits as many as may be, a point anywhere, and exponents about where the table ends. */
static void random_text(char text[TEXT_SIZE])
{
    const size_t before = 1 + below(20), after = below(24);
    size_t used = 0;
    if (below(2) > 0) text[used++] = '-';
    for (size_t i = 0; i < before; i++)
        text[used++] = (char)(i == 0 && before > 1 ? '1' + below(9) : '0' + below(10));
    if (after > 0) text[used++] = '.';
    for (size_t i = 0; i < after; i++)
        text[used++] = (char)('0' + (below(4) == 0 ? 0 : below(10)));
    text[used] = '\0';
    if (below(2) > 0) snprintf(text + used, TEXT_SIZE - used, "e%d", (int)below(220) - 120);
}

START_TEST(random_texts_are_read_as_strtod_does)
{
    int failed = 0;
    char text[TEXT_SIZE];
    for (int i = 0; i < ROUNDS; i++) {
        random_text(text);
        failed += !reads_well(text);
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

/* Halfway between neighbours, exactly and all but: what is hardest to round. */
START_TEST(halves_are_read_as_strtod_does)
{
    int failed = 0;
    for (int i = 0; i < ROUNDS / 10; i++) {
        const uint64_t bits = ((uint64_t)(1023 + below(120) - 60) << 52) | next() >> 12;
        const long double half =
            ((long double)from_bits(bits) + (long double)from_bits(bits + 1)) / 2;
        char text[TEXT_SIZE];
        snprintf(text, sizeof text, "%.*Lg", (int)(15 + below(60)), half);
        failed += !reads_well(text);
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

/* ---- writing ---- */

/* "%.17g", with a point if there is neither point nor exponent, and a short exponent. */
static void right_text(double number, char text[TEXT_SIZE])
{
    const int length = snprintf(text, TEXT_SIZE, "%.17g", number);
    char *exponent = strchr(text, 'e');
    if (exponent != NULL)
        snprintf(exponent + 1, 8, "%ld", strtol(exponent + 1, NULL, 10));
    else if (strchr(text, '.') == NULL)
        snprintf(text + length, 3, ".0");
}

static bool writes_well(double number)
{
    char text[NUMBER_SIZE + 1], right[TEXT_SIZE];
    const size_t length = number_write(number, text);
    ck_assert_uint_le(length, 24);
    text[length] = '\0';
    right_text(number, right);
    const bool well = strcmp(text, right) == 0;
    if (!well) fprintf(stderr, "%a: %s where it must be %s\n", number, text, right);
    return well;
}

START_TEST(each_is_written_as_printf_does)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {0.5, "0.5"},
        {-3, "-3.0"},
        {0.1, "0.10000000000000001"},
        {1e16, "10000000000000000.0"},
        {1e17, "1e17"},
        {12345678901234568, "12345678901234568.0"},
        {1e-4, "0.0001"},
        {1e-5, "1.0000000000000001e-5"},
        {9.9999999999999995e-5, "9.9999999999999991e-5"},
        {1e22, "1e22"},
        {1e100, "1e100"},
        {1e23, "9.9999999999999992e22"},
        {1e300, "1.0000000000000001e300"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {5e-324, "4.9406564584124654e-324"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[NUMBER_SIZE + 1];
        text[number_write(cases[i].number, text)] = '\0';
        ck_assert_str_eq(text, cases[i].text);
        ck_assert(writes_well(cases[i].number));
    }
}
END_TEST

static double random_number(void)
{
    switch (below(6)) {
    case 0:
        return from_bits(next());
    case 1:
        return (double)(next() >> 11) * 0x1p-53;
    case 2:
        return (double)(int64_t)(next() >> below(64));
    case 3: /* decimals of few digits, and ties at the 17th */
        return ldexp((double)below(1 << 20), (int)below(100) - 60);
    case 4:
        return (double)below(100000) / 1000;
    default:
        return ((double)(next() >> 11) * 0x1p-53 - 0.5) * pow(10, (double)below(170) - 85);
    }
}

START_TEST(random_numbers_are_written_as_printf_does_and_read_again)
{
    int failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[NUMBER_SIZE + 1];
        double again;
        const double number = random_number();
        if (!isfinite(number)) continue;
        failed += !writes_well(number);
        text[number_write(number, text)] = '\0';
        ck_assert_ptr_nonnull(number_read(text, &again));
        failed += memcmp(&number, &again, sizeof number) != 0;
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

/* Each power of ten and of two, with its neighbours. */
START_TEST(powers_are_written_as_printf_does)
{
    int failed = 0;
    for (int power = -1100; power < 1024; power++) {
        const double two = ldexp(1, power), ten = pow(10, power / 3);
        const double numbers[] = {two, nextafter(two, 0), nextafter(two, INFINITY),
                                  ten, nextafter(ten, 0), nextafter(ten, INFINITY)};
        for (size_t i = 0; i < COUNT(numbers); i++)
            failed += isfinite(numbers[i]) && !writes_well(numbers[i]);
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

START_TEST(counts)
{
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {
        {0, "0"}, {7, "7"}, {10, "10"}, {109859, "109859"}, {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[NUMBER_SIZE + 1];
        text[number_write_count(cases[i].count, text)] = '\0';
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

SUITE_MAIN("codec_number", {each_is_read_as_strtod_does, 0}, {what_is_no_number_of_json, 0},
           {it_ends_where_the_number_does, 0}, {random_texts_are_read_as_strtod_does, 0},
           {halves_are_read_as_strtod_does, 0}, {each_is_written_as_printf_does, 0},
           {random_numbers_are_written_as_printf_does_and_read_again, 0},
           {powers_are_written_as_printf_does, 0}, {counts, 0})
