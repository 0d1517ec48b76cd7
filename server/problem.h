/* What went wrong with a request, as RFC 9457 has it; the one place that maps a fault to an HTTP
 * status. */
#ifndef GRADCHECKD_PROBLEM_H
#define GRADCHECKD_PROBLEM_H

#include <gradcheck/status.h>

#include <stdbool.h>

/* constant, name (urn:gradcheckd:problem:NAME), status, title */
#define PROBLEM_LIST(X)                                                                            \
    X(BAD_REQUEST, "bad-request", 400, "The request cannot be understood")                         \
    X(BAD_JSON, "bad-json", 400, "The body is not acceptable JSON")                                \
    X(UNAUTHORIZED, "unauthorized", 401, "A valid token is needed")                                \
    X(FORBIDDEN, "forbidden", 403, "The token does not allow this")                                \
    X(NOT_FOUND, "not-found", 404, "There is nothing here")                                        \
    X(METHOD_NOT_ALLOWED, "method-not-allowed", 405, "The method does not apply here")             \
    X(CONFLICT, "conflict", 409, "The job's state does not allow this")                            \
    X(TOO_LARGE, "too-large", 413, "The request is too large")                                     \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, "The media type is not supported")    \
    X(MISDIRECTED, "misdirected", 421, "The host name is not this server's")                       \
    X(INVALID, "invalid", 422, "A value is invalid")                                               \
    X(KEY_REUSED, "idempotency-key-reused", 422, "The idempotency key belongs to another request") \
    X(INTERNAL, "internal", 500, "The server failed")                                              \
    X(OVERLOADED, "overloaded", 503, "The server is full")                                         \
    X(DRAINING, "draining", 503, "The server is stopping")                                         \
    X(STORAGE_FULL, "storage-full", 507, "The store is full")                                      \
    X(NON_FINITE_COST, "non-finite-cost", 422, "The cost is not finite")                           \
    X(TIME_LIMIT, "time-limit", 422, "The job took longer than it may")                            \
    X(CRASHED, "crashed", 500, "The job ended the server too often")                               \
    X(OUT_OF_MEMORY, "out-of-memory", 503, "Memory is out")

enum problem_type {
    PROBLEM_NONE,
#define X(constant, name, status, title) PROBLEM_##constant,
    PROBLEM_LIST(X)
#undef X
};

enum { PROBLEM_TEXT_SIZE = 400, PROBLEM_POINTER_SIZE = 200 };

struct problem {
    enum problem_type type;
    char detail[PROBLEM_TEXT_SIZE];
    bool pointed; /* a value of the body is at fault: pointer is its JSON pointer, "" for the whole
                   */
    char pointer[PROBLEM_POINTER_SIZE];
};

const char *problem_name(enum problem_type type);
const char *problem_title(enum problem_type type);
int problem_status(enum problem_type type);

/* Sets it unless one is set already: the first fault is the one to tell. Returns false, so that a
 * reader can return it. */
bool problem_set(struct problem *problem, enum problem_type type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* That memory is out, likewise. */
bool problem_memory(struct problem *problem);

/* A fault of the core; where it names a place below `base` ("/model"), that becomes the pointer. */
bool problem_from_error(struct problem *problem, const char *base, const gck_error *error);

#endif
