/* A request and its answer, in plain types: what routes see of HTTP. */
#ifndef GRADCHECKD_REQUEST_H
#define GRADCHECKD_REQUEST_H

#include "server/blob.h"
#include "server/job.h"

enum { REQUEST_ID_SIZE = 65, ARGUMENTS_MAX = 32, ARGUMENT_SIZE = 400, HEADER_SIZE = 256 };

struct argument {
    char name[ARGUMENT_SIZE], value[ARGUMENT_SIZE];
};

struct request {
    char id[REQUEST_ID_SIZE];
    char job[ID_SIZE]; /* the {id} of the path; "" without one */
    struct user user;
    struct job *submitted; /* what this request has posted; owned */
    struct blob *body;     /* NULL without one */
    size_t argument_count;
    struct argument *argument; /* of the query, decoded; owned */
    char prefer[HEADER_SIZE];
    char idempotency_key[HEADER_SIZE];
    char if_none_match[HEADER_SIZE];
    bool woken; /* called again, after a wait */
};

enum reply_type { REPLY_JSON, REPLY_PROBLEM };

struct reply {
    int status;
    enum reply_type type;
    struct blob *body; /* NULL for none */
    char location[64];
    char etag[64];
    char preference_applied[32];
    int retry_after; /* seconds; 0: none */
    /* For ROUTE_WAIT: until which job's end, and for how long. */
    char wait_job[ID_SIZE];
    int wait_seconds;
};

/* Turns a problem into the answer. */
void reply_problem(struct reply *reply, const struct problem *problem, const char *request_id);
/* Takes the body; NULL becomes a problem, memory being out. */
void reply_json(struct reply *reply, int status, struct blob *body, const char *request_id);
void reply_done(struct reply *reply);

void request_done(struct request *request);
/* The value of an argument, or NULL. */
const char *request_argument(const struct request *request, const char *name);

#endif
