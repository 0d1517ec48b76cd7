/* The format of a token: `gck_`, 43 digits of 256 random bits, and 6 of a checksum, both base 62
 * (0-9A-Za-z, most significant digit first).
 *
 * The checksum is the CRC-32 of all before it (that of zlib: polynomial 0xedb88320, reflected, all
 * ones before and after), so that a scanner for lost secrets knows a token when it sees one, and a
 * mistyped one needs no search: any one wrong character shows. Any thread. */
#ifndef GRADCHECKD_TOKEN_H
#define GRADCHECKD_TOKEN_H

#include <stdbool.h>

#define TOKEN_PREFIX "gck_"

enum {
    TOKEN_BYTES = 32,
    TOKEN_PREFIX_LENGTH = 4,
    TOKEN_SECRET_LENGTH = 43, /* 62^43 > 2^256 */
    TOKEN_CHECK_LENGTH = 6,   /* 62^6 > 2^32 */
    TOKEN_LENGTH = TOKEN_PREFIX_LENGTH + TOKEN_SECRET_LENGTH + TOKEN_CHECK_LENGTH,
    TOKEN_SIZE = TOKEN_LENGTH + 1
};

/* A new one, from the kernel's random numbers. */
void token_new(char token[TOKEN_SIZE]);
void token_format(const unsigned char secret[TOKEN_BYTES], char token[TOKEN_SIZE]);
/* Whether it has the form of a token; not whether anybody has it. */
bool token_is_sound(const char *text);

#endif
