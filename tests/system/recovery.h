/*
 * Jobs that outlast their daemon, and the same work done by one that is left alone.
 */
#ifndef TESTS_SYSTEM_RECOVERY_H
#define TESTS_SYSTEM_RECOVERY_H

#include "client.h"

/* Three seconds of work, in 85 grains. */
json_t *check_seconds(void);
/* A tenth of a second of work and more for each thousand epochs. */
json_t *training_seconds(int thousands);
/* Four grains of half a second and more with --kernels generic, and a quick one before them. */
json_t *check_heavy(void);

/* The options of the daemon's next start. */
void service_options(struct service *service, const char *options);

/* Waits until what a job has done since the daemon's start has been kept, as it is after a second
 * (with --save-seconds 1, a training's, too). False when the job ends before. */
bool job_kept(const struct service *service, const char *id);
/* The job's progress. */
json_int_t job_done(const struct service *service, const char *id);
/* Returns once all that the store was given before is durable. */
void store_settle(const struct service *service);

/* A daemon of its own, with memory alone, that does the same work at the same time. */
struct reference {
    struct service service;
    const char *id;
};

/* Takes the request, and adds options to the daemon's. */
void reference_start(struct reference *reference, const char *options, const char *path,
                     json_t *request);
/* Both jobs succeed, with the same bytes: result and parameters. Ends the reference's daemon. */
void reference_expect(struct reference *reference, const struct service *service, const char *id);

#endif
