/* The format of a token and its checksum; SHA-256. */
#include "server/digest.h"
#include "server/token.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Worked out by another program: int.from_bytes and zlib.crc32 of Python. */
START_TEST(tokens_of_known_bytes)
{
    unsigned char secret[TOKEN_BYTES] = {0};
    char token[TOKEN_SIZE];
    token_format(secret, token);
    ck_assert_str_eq(token, "gck_00000000000000000000000000000000000000000002oDnng");
    secret[31] = 61;
    token_format(secret, token);
    ck_assert_str_eq(token, "gck_000000000000000000000000000000000000000000z0HZ2S2");
    secret[31] = 62;
    token_format(secret, token);
    ck_assert_str_eq(token, "gck_00000000000000000000000000000000000000000102Lo2Z3");
    for (int i = 0; i < TOKEN_BYTES; i++)
        secret[i] = (unsigned char)i;
    token_format(secret, token);
    ck_assert_str_eq(token, "gck_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3IvEu4");
    memset(secret, 0xff, sizeof secret);
    token_format(secret, token);
    ck_assert_str_eq(token, "gck_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10vtpbQ");
    ck_assert(token_is_sound(token));
}
END_TEST

START_TEST(new_tokens_are_sound_and_differ)
{
    char first[TOKEN_SIZE], second[TOKEN_SIZE];
    token_new(first);
    for (int i = 0; i < 1000; i++) {
        token_new(second);
        ck_assert_uint_eq(strlen(second), TOKEN_LENGTH);
        ck_assert_msg(token_is_sound(second), "%s", second);
        ck_assert_str_ne(first, second);
        memcpy(first, second, sizeof first);
    }
}
END_TEST

START_TEST(every_digit_comes_up)
{
    bool seen[sizeof digits - 1] = {false};
    char token[TOKEN_SIZE];
    for (int i = 0; i < 200; i++) {
        token_new(token);
        for (size_t j = TOKEN_PREFIX_LENGTH; j < TOKEN_LENGTH; j++)
            seen[strchr(digits, token[j]) - digits] = true;
    }
    for (size_t i = 0; i < COUNT(seen); i++)
        ck_assert_msg(seen[i], "no %c in 200 tokens", digits[i]);
}
END_TEST

START_TEST(every_wrong_character_shows)
{
    char token[TOKEN_SIZE], wrong[TOKEN_SIZE];
    token_new(token);
    for (size_t place = 0; place < TOKEN_LENGTH; place++)
        for (int c = 1; c < 256; c++) {
            memcpy(wrong, token, sizeof wrong);
            wrong[place] = (char)c;
            if (wrong[place] == token[place]) continue;
            ck_assert_msg(!token_is_sound(wrong), "%s", wrong);
        }
}
END_TEST

/* Within the random digits, which the checksum covers. */
START_TEST(swapped_neighbours_show)
{
    char token[TOKEN_SIZE], wrong[TOKEN_SIZE];
    token_new(token);
    for (size_t i = TOKEN_PREFIX_LENGTH; i + 1 < TOKEN_PREFIX_LENGTH + TOKEN_SECRET_LENGTH; i++) {
        memcpy(wrong, token, sizeof wrong);
        wrong[i] = token[i + 1];
        wrong[i + 1] = token[i];
        ck_assert_int_eq(token_is_sound(wrong), token[i] == token[i + 1]);
    }
}
END_TEST

START_TEST(other_lengths_are_no_tokens)
{
    char token[TOKEN_SIZE], text[TOKEN_SIZE + 1];
    token_new(token);
    for (size_t length = 0; length < TOKEN_LENGTH; length++) {
        memcpy(text, token, length);
        text[length] = '\0';
        ck_assert(!token_is_sound(text));
        ck_assert(!token_is_sound(token + TOKEN_LENGTH - length));
    }
    memcpy(text, token, TOKEN_LENGTH);
    text[TOKEN_LENGTH] = '0';
    text[TOKEN_SIZE] = '\0';
    ck_assert(!token_is_sound(text));
}
END_TEST

/* FIPS 180-2, and sha256sum. */
START_TEST(known_digests)
{
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"gck_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3IvEu4",
         "9703c21ef74e421fd716761952bd308f1f31f89e3ca0d597798cfaff78125d6c"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct digest digest, again;
        char text[DIGEST_TEXT_SIZE];
        ck_assert(digest_of(cases[i].text, strlen(cases[i].text), &digest));
        digest_format(&digest, text);
        ck_assert_str_eq(text, cases[i].digest);
        ck_assert(digest_parse(text, &again));
        ck_assert(digest_is(&digest, &again));
    }
}
END_TEST

START_TEST(digests_differ_by_one_bit)
{
    struct digest digest, other;
    ck_assert(digest_of("abc", 3, &digest));
    for (size_t bit = 0; bit < 8 * (size_t)DIGEST_BYTES; bit++) {
        other = digest;
        other.byte[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert(!digest_is(&digest, &other));
        ck_assert(!digest_is(&other, &digest));
    }
}
END_TEST

START_TEST(texts_that_are_no_digests)
{
    char text[DIGEST_TEXT_SIZE + 1];
    struct digest digest;
    memset(text, '0', sizeof text);
    text[64] = '\0';
    ck_assert(digest_parse(text, &digest));
    text[63] = '\0';
    ck_assert(!digest_parse(text, &digest));
    text[63] = text[64] = '0';
    text[65] = '\0';
    ck_assert(!digest_parse(text, &digest));
    text[64] = '\0';
    for (int c = 1; c < 256; c++) {
        text[7] = (char)c;
        ck_assert_int_eq(digest_parse(text, &digest), strchr("0123456789abcdef", c) != NULL);
    }
}
END_TEST

SUITE_MAIN("token", {tokens_of_known_bytes, 0}, {new_tokens_are_sound_and_differ, 0},
           {every_digit_comes_up, 0}, {every_wrong_character_shows, 0},
           {swapped_neighbours_show, 0}, {other_lengths_are_no_tokens, 0}, {known_digests, 0},
           {digests_differ_by_one_bit, 0}, {texts_that_are_no_digests, 0})
