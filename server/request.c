#include "server/request.h"
#include "server/codec_report.h"

#include <stdlib.h>
#include <string.h>

/* For how long a client should leave a full or stopping server alone. */
enum { RETRY_SECONDS = 2 };

void reply_problem(struct reply *reply, const struct problem *problem, const char *request_id)
{
    blob_unref(reply->body);
    reply->status = problem_status(problem->type);
    reply->type = REPLY_PROBLEM;
    reply->body = codec_problem(problem, request_id);
    if (reply->body == codec_no_memory()) reply->status = problem_status(PROBLEM_OUT_OF_MEMORY);
    reply->retry_after = reply->status == 503 ? RETRY_SECONDS : 0;
}

void reply_json(struct reply *reply, int status, struct blob *body, const char *request_id)
{
    if (body == NULL) {
        struct problem problem = {0};
        problem_memory(&problem);
        reply_problem(reply, &problem, request_id);
        return;
    }
    reply->status = status;
    reply->type = REPLY_JSON;
    reply->body = body;
}

void reply_done(struct reply *reply)
{
    blob_unref(reply->body);
    *reply = (struct reply){0};
}

void request_done(struct request *request)
{
    blob_unref(request->body);
    request->body = NULL;
    job_unref(request->submitted);
    request->submitted = NULL;
    free(request->argument);
    request->argument = NULL;
    request->argument_count = 0;
}

const char *request_argument(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->argument_count; i++)
        if (strcmp(request->argument[i].name, name) == 0) return request->argument[i].value;
    return NULL;
}
