/* Threads that compute. They see jobs and the core, never requests or JSON. */
#ifndef GRADCHECKD_WORKER_H
#define GRADCHECKD_WORKER_H

#include "server/jobs.h"

struct workers;

struct workers *workers_start(size_t count, struct queue *queue, struct jobs *jobs);
/* After queue_stop: waits for all of them. */
void workers_join(struct workers *workers);

#endif
