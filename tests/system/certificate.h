/*
 * Certificates for the daemon, made anew by each test.
 */
#ifndef TESTS_SYSTEM_CERTIFICATE_H
#define TESTS_SYSTEM_CERTIFICATE_H

#include <stdbool.h>

struct certificate {
    const char *name;     /* of whom it speaks; it is for the host localhost */
    int from_days;        /* from now; 0 means an hour ago */
    int until_days;       /* from now; 0 means ten */
    const char *issuer;   /* the file of whoever signs it, without ending; NULL: itself */
    const char *password; /* that encrypts the key; NULL: none */
    bool rsa;             /* or an elliptic curve */
};

/* Writes FILE.cert, with the issuer's chain behind it, and FILE.key (mode 0600) to the folder. */
void certificate_write(const char *folder, const char *file, struct certificate certificate);

/* A file of a folder, written whole, and read whole. */
void file_write(const char *folder, const char *file, const char *text);
const char *file_read(const char *folder, const char *file);

#endif
