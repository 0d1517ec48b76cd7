#include "tests/server/bodies.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct limits limits_default(void)
{
    struct config config;
    char *arguments[] = {(char[]){"gradcheckd"}};
    ck_assert_int_eq(config_read(&config, 1, arguments), CONFIG_RUN);
    return config.limits;
}

struct blob *body_of(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ck_assert_int_ge(length, 0);
    char *text = malloc((size_t)length + 1);
    ck_assert_ptr_nonnull(text);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    struct blob *body = blob_take(text, (size_t)length);
    ck_assert_ptr_nonnull(body);
    return body;
}

struct spec *spec_try(enum job_kind kind, struct blob *body, struct problem *problem)
{
    const struct limits limits = limits_default();
    *problem = (struct problem){0};
    struct spec *spec = codec_spec_decode(kind, body, &limits, problem);
    ck_assert_int_eq(spec == NULL, problem->type != PROBLEM_NONE);
    blob_unref(body);
    return spec;
}

struct spec *spec_of(enum job_kind kind, struct blob *body)
{
    struct problem problem;
    struct spec *spec = spec_try(kind, body, &problem);
    ck_assert_msg(spec != NULL, "%s: %s", problem.pointer, problem.detail);
    return spec;
}

bool problem_is(const struct problem *problem, enum problem_type type, const char *pointer)
{
    const char *got = problem->pointed ? problem->pointer : "none";
    const char *want = pointer != NULL ? pointer : "none";
    if (problem->type == type && strcmp(got, want) == 0) return true;
    fprintf(stderr, "%s at %s (%s) where there must be %s at %s\n", problem_name(problem->type),
            got, problem->detail, problem_name(type), want);
    return false;
}

const char *text_of(struct blob *blob)
{
    static char *text;
    ck_assert_ptr_nonnull(blob);
    free(text);
    text = strndup(blob->data == NULL ? "" : blob->data, blob->size);
    ck_assert_ptr_nonnull(text);
    blob_unref(blob);
    return text;
}

int bounds_failed(enum job_kind kind, const char *format, const struct bound *bounds, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        struct problem problem;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        struct spec *spec = spec_try(kind, body_of(format, bounds[i].text), &problem);
#pragma GCC diagnostic pop
        const bool right = bounds[i].pointer == NULL
                               ? problem_is(&problem, PROBLEM_NONE, NULL)
                               : problem_is(&problem, PROBLEM_INVALID, bounds[i].pointer);
        if (!right) fprintf(stderr, "... for %s\n", bounds[i].text);
        failed += !right;
        spec_free(spec);
    }
    return failed;
}
