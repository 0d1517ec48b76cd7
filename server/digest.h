/* SHA-256, and comparing in a time that tells nothing. Any thread. */
#ifndef GRADCHECKD_DIGEST_H
#define GRADCHECKD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_BYTES = 32, DIGEST_TEXT_SIZE = 2 * DIGEST_BYTES + 1 };

struct digest {
    unsigned char byte[DIGEST_BYTES];
};

/* False when the library fails, as it may when memory is out. */
bool digest_of(const void *bytes, size_t size, struct digest *ret_digest);
/* Takes equally long wherever the two differ. */
bool digest_is(const struct digest *digest, const struct digest *other);

/* Lower-case hexadecimal digits, and back; other forms are refused. */
void digest_format(const struct digest *digest, char text[DIGEST_TEXT_SIZE]);
bool digest_parse(const char *text, struct digest *ret_digest);

#endif
