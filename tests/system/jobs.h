/* The life of a job as a client sees it: post, wait, cancel, list. */
#ifndef TESTS_SYSTEM_JOBS_H
#define TESTS_SYSTEM_JOBS_H

#include "client.h"

/* Takes the request; asserts 202 and returns the new job's id. */
const char *job_post(const struct service *service, const char *path, json_t *request);
/* The job as it is now. */
json_t *job_get(const struct service *service, const char *id);
/* Waits until it has ended. */
json_t *job_wait(const struct service *service, const char *id);
/* Waits until a worker has it; asserts that it has not ended. */
json_t *job_running(const struct service *service, const char *id);
/* Cancels it and waits until it has ended. */
void job_cancel(const struct service *service, const char *id);
/* Posts, waits, asserts success: the result. Takes the request. */
json_t *job_result(const struct service *service, const char *path, json_t *request);
/* The same, as the bytes that the daemon sent. */
const char *job_result_bytes(const struct service *service, const char *path, json_t *request);
/* GET of /v1/jobs/{id}/{what}. */
struct answer *job_part(const struct service *service, const char *id, const char *what);

#endif
