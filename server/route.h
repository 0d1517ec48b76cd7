/* The table of routes. Handlers run on the request pool, where they may block. */
#ifndef GRADCHECKD_ROUTE_H
#define GRADCHECKD_ROUTE_H

#include "server/auth.h"
#include "server/config.h"
#include "server/jobs.h"
#include "server/request.h"

/* What handlers work on. */
struct service {
    struct jobs *jobs;
    struct auth *auth;
    const struct config *config;
};

enum route_outcome {
    ROUTE_REPLY, /* the reply is complete */
    ROUTE_WAIT /* call again, with request->woken, once reply->wait_job has ended or its time is up
                */
};

typedef enum route_outcome route_handler(struct service *service, struct request *request,
                                         struct reply *reply);

enum route_flags {
    ROUTE_BODY = 1,    /* takes a JSON body */
    ROUTE_INSTANT = 2, /* never blocks: answered without the request pool, however busy that is */
    ROUTE_OPEN = 4,    /* to everybody, without a token */
    ROUTE_CHANGES = 8  /* something that lasts: not for read-only tokens */
};

struct route {
    const char *method;  /* GET serves HEAD, too */
    const char *pattern; /* "/v1/jobs/{id}" */
    route_handler *handle;
    unsigned flags;
};

/* All of them, in order; NULL behind the last. */
const struct route *route_at(size_t index);

enum { ALLOW_SIZE = 64 };

/* The route, with {id} copied to job; NULL after a problem, where a 405 fills allow. */
const struct route *route_find(const char *method, const char *path, char job[ID_SIZE],
                               char allow[ALLOW_SIZE], struct problem *problem);

/* route_jobs.c */
route_handler route_check_create, route_training_create, route_job_get, route_job_patch,
    route_job_delete, route_job_request, route_job_parameters, route_job_predictions;
/* route_probes.c */
route_handler route_probe_create, route_probe_get, route_probe_values;
/* route_list.c */
route_handler route_job_list;
/* route_info.c */
route_handler route_health, route_whoami, route_catalog, route_summary, route_comparison;

#endif
