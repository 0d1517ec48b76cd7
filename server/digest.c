#include "server/digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <string.h>

static const char digits[] = "0123456789abcdef";

bool digest_of(const void *bytes, size_t size, struct digest *ret_digest)
{
    struct digest digest;
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, size, digest.byte) < 0) return false;
    *ret_digest = digest;
    return true;
}

bool digest_is(const struct digest *digest, const struct digest *other)
{
    return gnutls_memcmp(digest->byte, other->byte, DIGEST_BYTES) == 0;
}

void digest_format(const struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest->byte[i] >> 4];
        text[2 * i + 1] = digits[digest->byte[i] & 15];
    }
    text[2 * DIGEST_BYTES] = '\0';
}

static unsigned value(char digit)
{
    return (unsigned)(strchr(digits, digit) - digits);
}

bool digest_parse(const char *text, struct digest *ret_digest)
{
    if (strlen(text) != 2 * DIGEST_BYTES || strspn(text, digits) != 2 * DIGEST_BYTES) return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        ret_digest->byte[i] = (unsigned char)(value(text[2 * i]) << 4 | value(text[2 * i + 1]));
    return true;
}
