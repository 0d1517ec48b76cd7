/* Questions that a server answers: asked again when it is not there yet or has no room, and jobs
 * followed to their end. One thread.
 *
 * All that return int return an exit status, after a message unless it is STATUS_PASS; an answer,
 * which may be a problem, comes with STATUS_PASS alone. */
#ifndef GRADCHECK_REMOTE_H
#define GRADCHECK_REMOTE_H

#include "client/answer.h"
#include "server/record.h"

struct remote;

int remote_open(const struct settings *settings, struct remote **ret);
void remote_close(struct remote *remote);

int remote_ask(struct remote *remote, const char *method, const char *path, const struct blob *body,
               struct answer *ret);

/* The same about one job. */
int remote_ask_job(struct remote *remote, const char *method, const char *id, struct answer *ret);

/* Posts a job and waits for its end: the answer is its result. Interrupted, or out of time, it
 * cancels the job. */
int remote_run(struct remote *remote, enum job_kind kind, const struct blob *body,
               struct answer *ret);

/* Waits for the end of a job: the answer is the job. */
int remote_watch(struct remote *remote, const char *id, struct answer *ret);

#endif
