/* Changes to a job, from JSON. */
#ifndef GRADCHECKD_CODEC_PATCH_H
#define GRADCHECKD_CODEC_PATCH_H

#include "server/blob.h"
#include "server/config.h"
#include "server/problem.h"

/* PATCH /v1/jobs/{id}: {"shared": true}. */
bool codec_patch_decode(const struct blob *body, const struct limits *limits, bool *ret_shared,
                        struct problem *problem);

#endif
