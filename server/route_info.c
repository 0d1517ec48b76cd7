/* Routes that tell what the server is and has, and those that answer at once. */
#include "server/codec_comparison.h"
#include "server/codec_info.h"
#include "server/codec_report.h"
#include "server/codec_spec.h"
#include "server/route.h"

enum route_outcome route_health(struct service *service, struct request *request,
                                struct reply *reply)
{
    (void)service;
    reply_json(reply, 200, codec_health(), request->id);
    return ROUTE_REPLY;
}

enum route_outcome route_whoami(struct service *service, struct request *request,
                                struct reply *reply)
{
    const struct jobs_use use = jobs_use(service->jobs, request->user.name);
    reply_json(reply, 200,
               codec_whoami(&request->user, &service->config->limits, use.queued, use.running),
               request->id);
    return ROUTE_REPLY;
}

enum route_outcome route_catalog(struct service *service, struct request *request,
                                 struct reply *reply)
{
    (void)service;
    reply_json(reply, 200, codec_catalog(), request->id);
    return ROUTE_REPLY;
}

enum route_outcome route_summary(struct service *service, struct request *request,
                                 struct reply *reply)
{
    struct problem problem = {0};
    gck_model *model = NULL;
    size_t samples;
    if (codec_summary_decode(request->body, &service->config->limits, &model, &samples, &problem))
        reply_json(reply, 200, codec_summary(model, samples), request->id);
    else
        reply_problem(reply, &problem, request->id);
    gck_model_free(model);
    return ROUTE_REPLY;
}

enum route_outcome route_comparison(struct service *service, struct request *request,
                                    struct reply *reply)
{
    struct problem problem = {0};
    struct blob *answer = codec_comparison(request->body, &service->config->limits, &problem);
    if (problem.type == PROBLEM_NONE)
        reply_json(reply, 200, answer, request->id);
    else
        reply_problem(reply, &problem, request->id);
    return ROUTE_REPLY;
}
