/* POST /v1/comparisons: two sets of gradients by name are read, compared and answered at once. */
#ifndef GRADCHECKD_CODEC_COMPARISON_H
#define GRADCHECKD_CODEC_COMPARISON_H

#include "server/blob.h"
#include "server/config.h"
#include "server/problem.h"

/* The answer; NULL after a problem, or, without one, when memory is out. Costs some passes over the
 * numbers beyond decoding, about 0.1 us each. */
struct blob *codec_comparison(const struct blob *body, const struct limits *limits,
                              struct problem *problem);

#endif
