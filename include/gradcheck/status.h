/* What a call of the library answers, and where and why it failed.
 *
 * A status has a number that never changes. An error names the place as a path such as
 * `layers[2].units`, relative to what the failing call was given; callers put their own part in
 * front, never another text. Any thread; costs nothing worth naming. */
#ifndef GRADCHECK_STATUS_H
#define GRADCHECK_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* name, number, text */
#define GCK_STATUS_LIST(X)                      \
    X(OK, 0, "ok")                              \
    X(INVALID, 1, "a value is invalid")         \
    X(MEMORY, 2, "out of memory")               \
    X(NON_FINITE, 3, "the cost is not finite")  \
    X(STOPPED, 4, "stopped on request")         \
    X(CORRUPT, 5, "saved bytes cannot be read") \
    X(UNSUPPORTED, 6, "this machine's numeric library computes wrong results")

typedef enum gck_status {
#define X(name, number, text) GCK_##name = number,
    GCK_STATUS_LIST(X)
#undef X
} gck_status;

enum { GCK_WHERE_SIZE = 128, GCK_TEXT_SIZE = 320 };

typedef struct gck_error {
    gck_status code;
    char where[GCK_WHERE_SIZE]; /* "" for the whole */
    char text[GCK_TEXT_SIZE];
} gck_error;

/* The fixed text of a status. */
const char *gck_status_text(gck_status status);

/* Fills *error (which may be NULL) and returns code, so that a caller can `return
 * gck_error_set(…)`. */
gck_status gck_error_set(gck_error *error, gck_status code, const char *where, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

/* Puts a formatted path in front of error->where: "units" below "layers[2]" is "layers[2].units".
 */
void gck_error_below(gck_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* GCK_MEMORY, said. */
gck_status gck_error_memory(gck_error *error);

#endif
