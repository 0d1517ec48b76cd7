#include "server/id.h"

#include <stdlib.h>
#include <sys/random.h>

void id_new(char id[ID_SIZE])
{
    /* No i, l, o, u: nothing to misread. */
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char bytes[ID_SIZE - 1];
    if (getrandom(bytes, sizeof bytes, 0) != (long)sizeof bytes) abort();
    for (int i = 0; i < ID_SIZE - 1; i++)
        id[i] = digits[bytes[i] % 32];
    id[ID_SIZE - 1] = '\0';
}
