/* Networks and data, read from case files.
 *
 * A case file is a line of text and raw doubles in this machine's byte order, written by
 * bench/cases.py:
 *
 *   gradcheck-case NAME 784-128-64-10 relu 100 7
 *   x (samples, inputs), row-major; one class label a sample
 *
 * The last two numbers are samples and seed. Every layer but the last has the activation named; the
 * last is softmax with categorical cross-entropy. Whatever goes wrong ends the program. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "bench/basics.h"

#include <gradcheck/data.h>
#include <gradcheck/model.h>

enum { CASE_NAME = 64 };

typedef struct bench_case {
    char name[CASE_NAME];
    gck_model *model;
    double *parameters; /* glorot_uniform, drawn from the seed */
    gck_data *data;     /* y is one-hot */
} bench_case;

bench_case case_read(const char *path);
void case_done(bench_case *which);

/* Ends the program with the text, unless status is GCK_OK. */
void require(gck_status status, const gck_error *error);

#endif
