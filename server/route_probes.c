/* Routes about probes: functions that their owners evaluate, round by round. */
#include "server/codec_probe.h"
#include "server/route_submit.h"

#include <stdio.h>
#include <stdlib.h>

static enum route_outcome answer(struct request *request, struct reply *reply, int status,
                                 struct blob *body)
{
    reply_json(reply, status, body, request->id);
    return ROUTE_REPLY;
}

enum route_outcome route_probe_create(struct service *service, struct request *request,
                                      struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    struct blob *body;
    bool found = false;
    if (!route_submit(service, request, JOB_PROBE, false, &found, &record, &problem) ||
        (!found &&
         !jobs_accepted(service->jobs, request->submitted, &request->user, &record, &problem)))
        return route_fail(request, reply, &problem);
    const bool asked = jobs_probe_ask(service->jobs, &request->user, record.id, &body, &problem);
    snprintf(reply->location, sizeof reply->location, "/v1/probes/%s", record.id);
    job_record_done(&record);
    return asked ? answer(request, reply, found ? 200 : 201, body)
                 : route_fail(request, reply, &problem);
}

enum route_outcome route_probe_get(struct service *service, struct request *request,
                                   struct reply *reply)
{
    struct problem problem = {0};
    struct blob *body;
    if (!jobs_probe_ask(service->jobs, &request->user, request->job, &body, &problem))
        return route_fail(request, reply, &problem);
    return answer(request, reply, 200, body);
}

enum route_outcome route_probe_values(struct service *service, struct request *request,
                                      struct reply *reply)
{
    struct problem problem = {0};
    struct probe_values values;
    struct blob *body;
    if (!codec_probe_values(request->body, &service->config->limits, &values, &problem))
        return route_fail(request, reply, &problem);
    const bool taken = jobs_probe_take(service->jobs, &request->user, request->job, values.round,
                                       values.value, values.count, &body, &problem);
    free(values.value);
    return taken ? answer(request, reply, 200, body) : route_fail(request, reply, &problem);
}
