/* Request bodies for tests, written with ' for ", and what comes of them.
 *
 * What must succeed and does not fails the test at once, so callers handle no errors. */
#ifndef TESTS_SERVER_BODIES_H
#define TESTS_SERVER_BODIES_H

#include "server/codec_spec.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

/* 3 inputs and 2 outputs, 8 parameters; two samples for it. */
#define DENSE "{'type': 'dense', 'units': 2}"
#define MODEL "{'input_shape': [3], 'layers': [" DENSE "], 'cost': 'mse'}"
#define DATA "{'x': [[1, 2, 3], [4, 5, 6]], 'y': [[0, 1], [1, 0]]}"
#define CHECK_BODY(MORE) "{'model': " MODEL ", 'data': " DATA MORE "}"
#define TRAINING_BODY(OPTIONS) "{'model': " MODEL ", 'data': " DATA ", 'training': {" OPTIONS "}}"

/* As the daemon has them without options. */
struct limits limits_default(void);

/* The text with each ' made a ". */
struct blob *body_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the body. NULL after a problem. */
struct spec *spec_try(enum job_kind kind, struct blob *body, struct problem *problem);
/* The same for what must be accepted. */
struct spec *spec_of(enum job_kind kind, struct blob *body);

/* Whether the problem is one of this type at this pointer (NULL: at none); says so if not. */
bool problem_is(const struct problem *problem, enum problem_type type, const char *pointer);

/* A value that stands for %s in a body, and the pointer when it is refused (NULL: it is taken). */
struct bound {
    const char *text, *pointer;
};
/* How many of them are not judged so; says which. */
int bounds_failed(enum job_kind kind, const char *format, const struct bound *bounds, size_t count);

/* Takes a blob: its text, which stays until the next call. */
const char *text_of(struct blob *blob);

#endif
