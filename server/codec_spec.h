/* Bodies of requests that make jobs, or answer at once, into plain structs. */
#ifndef GRADCHECKD_CODEC_SPEC_H
#define GRADCHECKD_CODEC_SPEC_H

#include "server/config.h"
#include "server/problem.h"
#include "server/spec.h"

/* The body of a POST that makes a job of that kind; NULL after a problem. */
struct spec *codec_spec_decode(enum job_kind kind, const struct blob *body,
                               const struct limits *limits, struct problem *problem);

/* The model alone out of such a body, and how its arrays are written. */
bool codec_spec_model(const struct blob *body, const struct limits *limits,
                      struct written_model *ret_written, struct problem *problem);

/* POST /v1/models/summary: the model and for how many samples. */
bool codec_summary_decode(const struct blob *body, const struct limits *limits,
                          gck_model **ret_model, size_t *ret_samples, struct problem *problem);

/* POST /v1/jobs/{id}/predictions: x, and y where it came too (else data->y stays 0). */
bool codec_prediction_decode(const struct blob *body, const struct limits *limits,
                             const struct written_model *written, gck_data **ret_data,
                             bool *ret_with_y, struct problem *problem);

#endif
