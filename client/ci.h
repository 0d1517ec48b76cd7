/* What `gradcheck ci` found: a suite a file, a case a tensor. For its own files: ci.c (the
 * command), ci_suite.c (files, and what came of them), ci_junit.c, ci_github.c, ci_baseline.c. */
#ifndef GRADCHECK_CI_H
#define GRADCHECK_CI_H

#include "client/answer.h"
#include "client/batch.h"

enum { CI_NAME_SIZE = 128, CI_TEXT_SIZE = 480 };

enum ci_outcome { CI_PASS, CI_FAIL, CI_INCONCLUSIVE, CI_ERROR };

/* A tensor; or, of a file that came to no result, all of it. */
struct ci_case {
    char name[CI_NAME_SIZE]; /* "layer 0 W", "case 3: w" */
    enum ci_outcome outcome;
    double distance; /* NaN: none */
    double before;   /* in the baseline; NaN: it is not there */
    bool regressed;
    char text[CI_TEXT_SIZE]; /* what is wrong; "" for nothing */
};

enum ci_kind { CI_CHECK, CI_COMPARISON, CI_PROBE, CI_UNKNOWN };

struct ci_suite {
    const char *file; /* borrowed */
    enum ci_kind kind;
    struct blob *body;
    struct blob *words; /* of the run's arguments, each with its NUL */
    struct run run;
    size_t count, capacity;
    struct ci_case *item; /* owned */
};

/* ---- ci_suite.c ---- */

/* Reads the file, and says what is to be run for it; a file that makes no sense has its case at
 * once. False when memory is out. */
bool suite_open(const struct settings *settings, const char *file, struct ci_suite *ret);
/* Takes the run's output as cases. */
bool suite_read(const struct settings *settings, struct ci_suite *suite);
void suite_done(struct ci_suite *suite);
/* The worst of its cases. */
enum ci_outcome suite_outcome(const struct ci_suite *suite);
const char *ci_outcome_name(enum ci_outcome outcome);

/* ---- the others: false after a message ---- */

bool junit_write(const char *path, const struct ci_suite *suite, size_t count);

/* Annotations on standard output and the step's summary, where GitHub's runner asks for them. */
bool github_write(const struct ci_suite *suite, size_t count);

/* Distances of the file, for each case; those that grew are marked. */
bool baseline_read(const struct settings *settings, const char *path, struct ci_suite *suite,
                   size_t count);
bool baseline_write(const char *path, const struct ci_suite *suite, size_t count);

#endif
