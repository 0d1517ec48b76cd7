/* Jobs as clients see them. NULL when memory is out. */
#ifndef GRADCHECKD_CODEC_JOB_H
#define GRADCHECKD_CODEC_JOB_H

#include "server/record.h"

/* A job with its result spliced in as it was stored. */
struct blob *codec_job(const struct job_record *record);

/* {"jobs": […], "next": …}: summaries in place of results; next is the cursor's text, or NULL. */
struct blob *codec_job_list(const struct job_page *page, const char *next);

#endif
