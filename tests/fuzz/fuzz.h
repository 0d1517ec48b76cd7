/* What the fuzz targets share. A target is one function that may be called any number of times and
 * aborts where something is wrong; libFuzzer calls it, and so does the replay of the corpus. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "server/codec_json.h"
#include "server/codec_report.h"
#include "server/codec_spec.h"

#include <gradcheck/blas.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Kept in every build, unlike assert. */
#define MUST(CONDITION)                                                         \
    do {                                                                        \
        if (CONDITION) break;                                                   \
        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #CONDITION); \
        abort();                                                                \
    } while (0)

/* Work beyond this is not started: an input must be done within a moment. */
#define FUZZ_OPERATIONS 3e6

/* A body of the input's bytes. */
static inline struct blob *fuzz_body(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        gck_error error;
        MUST(gck_blas_start(&error) == GCK_OK);
        codec_json_start();
        started = true;
    }
    struct blob *body = blob_copy(size > 0 ? (const void *)data : "", size);
    MUST(body != NULL);
    return body;
}

static inline struct limits fuzz_limits(void)
{
    return (struct limits){.body_bytes = 1 << 20,
                           .json_bytes = 4 << 20,
                           .json_depth = 32,
                           .job_seconds = 3600,
                           .job_bytes = 64 << 20};
}

/* What was made must be there, and is not needed any more. */
static inline void fuzz_drop(struct blob *blob)
{
    MUST(blob != NULL && blob->size > 0);
    blob_unref(blob);
}

/* A refusal has a type that is the client's to mend, and can be told. */
static inline void fuzz_problem(const struct problem *problem)
{
    const int status = problem_status(problem->type);
    MUST(problem->type != PROBLEM_NONE);
    MUST(status == 400 || status == 413 || status == 422);
    MUST(!problem->pointed || problem->pointer[0] == '\0' || problem->pointer[0] == '/');
    fuzz_drop(codec_problem(problem, "fuzz"));
}

#endif
