/*
 * A server that answers what the test says: one request after the other, each on a connection of
 * its own.
 */
#ifndef TESTS_SYSTEM_STUB_H
#define TESTS_SYSTEM_STUB_H

#include "client.h"

struct stub {
    int listener, fd;
    int port;
    char url[64];
    char request[65536]; /* the last one, NUL-terminated */
};

/* Takes a port; who connects is refused until stub_listen. */
void stub_bind(struct stub *stub);
void stub_listen(struct stub *stub);
/* Both. */
void stub_start(struct stub *stub);

/* Waits for the next request, and asserts that it begins so: "POST /v1/gradient-checks". */
void stub_expect(struct stub *stub, const char *start);
/* A header of the last request. NULL: none. */
const char *stub_header(const struct stub *stub, const char *name);
/* Answers it: "503 Service Unavailable", header lines with CRLF, a body of JSON. */
void stub_reply(struct stub *stub, const char *status, const char *headers, const char *body);
/* Breaks the connection instead. */
void stub_break(struct stub *stub);

#endif
