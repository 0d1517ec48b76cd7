/* What came out of jobs and questions, as JSON text. Each returns NULL when memory is out. */
#ifndef GRADCHECKD_CODEC_REPORT_H
#define GRADCHECKD_CODEC_REPORT_H

#include "server/problem.h"
#include "server/spec.h"

#include <gradcheck/finding.h>

/* What a number takes while an answer is made of it: its digits, twice while they are gathered. */
#define REPORT_BYTES_A_NUMBER 50.0

/* What else was found out about a check. */
struct check_findings {
    gck_findings findings;
    size_t sensitivity_count; /* where it was asked for */
    gck_sensitivity_row *sensitivity;
};
void check_findings_done(struct check_findings *findings);

/* The result of a check, and its summary for lists; findings NULL: none. */
struct blob *codec_check_result(const struct spec *spec, const gck_report *report,
                                const struct check_findings *findings);
struct blob *codec_check_summary(const gck_report *report);

struct blob *codec_training_result(const gck_train_result *result);
struct blob *codec_training_summary(const gck_train_result *result);

/* {"parameters": […]}; with masks, for a check of samples rows, as drawn from the model's seed. */
struct blob *codec_parameters(const gck_model *model, const struct convention *convention,
                              const double *parameters, size_t mask_samples);

/* evaluation NULL: no cost and accuracy. */
struct blob *codec_predictions(const struct written_model *written, const gck_data *data,
                               const double *y, const gck_evaluation *evaluation);

struct blob *codec_summary(const gck_model *model, size_t samples);
struct blob *codec_catalog(void);

/* An RFC 9457 document; instance is the request's id, or NULL. Without memory for it: the next. */
struct blob *codec_problem(const struct problem *problem, const char *instance);
/* The document of PROBLEM_OUT_OF_MEMORY without an instance, which is always there; borrowed. */
struct blob *codec_no_memory(void);

#endif
