/* What routes that make jobs share. On the request pool. */
#ifndef GRADCHECKD_ROUTE_SUBMIT_H
#define GRADCHECKD_ROUTE_SUBMIT_H

#include "server/route.h"

/* The problem is the answer. */
enum route_outcome route_fail(struct request *request, struct reply *reply,
                              const struct problem *problem);

/* Submits the body as a job of that kind: true with a job that an earlier request has made, or with
 * request->submitted. */
bool route_submit(struct service *service, struct request *request, enum job_kind kind,
                  bool is_awaited, bool *ret_found, struct job_record *ret_record,
                  struct problem *problem);

#endif
