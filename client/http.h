/* HTTP requests to one server; the one file with the HTTP library. One thread.
 *
 * A request ends early at the deadline and, unless told otherwise, at the first signal. Redirects
 * are not followed, so that the token goes to nobody else. */
#ifndef GRADCHECK_HTTP_H
#define GRADCHECK_HTTP_H

#include "server/blob.h"

#include <stdint.h>

struct http;

enum { HTTP_ERROR_SIZE = 256 };

enum http_outcome {
    HTTP_ANSWERED,
    HTTP_REFUSED, /* nobody listens there, or the connection broke before an answer: try again */
    HTTP_FAILED,  /* trying again would not help */
    HTTP_LATE,
    HTTP_INTERRUPTED
};

struct http_request {
    const char *method, *path;
    const struct blob *body; /* JSON; NULL: none */
    int wait_seconds;        /* Prefer: wait; 0: none */
    const char *key;         /* Idempotency-Key; NULL: none */
    bool after_interrupt;    /* goes on although a signal came */
};

struct http_reply {
    int status;
    int retry_seconds; /* Retry-After; -1: none */
    struct blob *body; /* owned */
};

/* http://HOST…, https://HOST… or unix:PATH. Strings are borrowed, NULL for none. NULL after a
 * message; *ret_status is the exit status then. */
struct http *http_open(const char *server, const char *token, const char *ca_file, int *ret_status);
void http_close(struct http *http);

/* Unless answered, `error` says why; the reply is set only if answered. */
enum http_outcome http_ask(struct http *http, const struct http_request *request,
                           int64_t deadline_ns, struct http_reply *ret,
                           char error[HTTP_ERROR_SIZE]);

/* Appends a text percent-encoded. False when memory is out. */
bool http_escape(struct buf *buf, const char *text);

#endif
