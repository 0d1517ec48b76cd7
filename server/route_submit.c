#include "server/route_submit.h"
#include "server/codec_spec.h"
#include "server/header.h"

enum route_outcome route_fail(struct request *request, struct reply *reply,
                              const struct problem *problem)
{
    reply_problem(reply, problem, request->id);
    return ROUTE_REPLY;
}

bool route_submit(struct service *service, struct request *request, enum job_kind kind,
                  bool is_awaited, bool *ret_found, struct job_record *ret_record,
                  struct problem *problem)
{
    char key[KEY_SIZE] = "";
    if (request->idempotency_key[0] != '\0' &&
        !header_idempotency_key(request->idempotency_key, key))
        return problem_set(problem, PROBLEM_BAD_REQUEST,
                           "Idempotency-Key must have 1 to 128 visible characters");
    if (!jobs_replay(service->jobs, kind, request->body, &request->user, key, ret_found, ret_record,
                     problem))
        return false;
    if (*ret_found) return true;
    struct spec *spec = codec_spec_decode(kind, request->body, &service->config->limits, problem);
    return spec != NULL && jobs_submit(service->jobs, spec, request->body, &request->user, key,
                                       is_awaited, &request->submitted, problem);
}
