#include "server/token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { BASE = 62, CHECKED = TOKEN_PREFIX_LENGTH + TOKEN_SECRET_LENGTH };

/* CRC-32 finds every change of up to 32 bits in a row. */
static uint32_t checksum(const char *text, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

/* Divides the number, most significant byte first, and gives the remainder. */
static unsigned divide(unsigned char number[TOKEN_BYTES])
{
    unsigned rest = 0;
    for (size_t i = 0; i < TOKEN_BYTES; i++) {
        rest = rest << 8 | number[i];
        number[i] = (unsigned char)(rest / BASE);
        rest %= BASE;
    }
    return rest;
}

static void write_check(char token[TOKEN_SIZE])
{
    uint32_t check = checksum(token, CHECKED);
    for (size_t i = TOKEN_LENGTH; i-- > CHECKED; check /= BASE)
        token[i] = digits[check % BASE];
    token[TOKEN_LENGTH] = '\0';
}

void token_format(const unsigned char secret[TOKEN_BYTES], char token[TOKEN_SIZE])
{
    unsigned char number[TOKEN_BYTES];
    memcpy(number, secret, sizeof number);
    memcpy(token, TOKEN_PREFIX, TOKEN_PREFIX_LENGTH);
    for (size_t i = CHECKED; i-- > TOKEN_PREFIX_LENGTH;)
        token[i] = digits[divide(number)];
    write_check(token);
    explicit_bzero(number, sizeof number);
}

void token_new(char token[TOKEN_SIZE])
{
    unsigned char secret[TOKEN_BYTES];
    if (getrandom(secret, sizeof secret, 0) != (long)sizeof secret) abort();
    token_format(secret, token);
    explicit_bzero(secret, sizeof secret);
}

bool token_is_sound(const char *text)
{
    char again[TOKEN_SIZE];
    if (strlen(text) != TOKEN_LENGTH || strncmp(text, TOKEN_PREFIX, TOKEN_PREFIX_LENGTH) != 0 ||
        strspn(text + TOKEN_PREFIX_LENGTH, digits) != TOKEN_LENGTH - TOKEN_PREFIX_LENGTH)
        return false;
    memcpy(again, text, CHECKED);
    write_check(again);
    return strcmp(again + CHECKED, text + CHECKED) == 0;
}
