#include "server/clock.h"
#include "server/http_exchange.h"
#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A body that is too large is read and dropped up to here, so that its sender sees the answer. */
#define DROP_BYTES (UINT64_C(64) << 20)
#define DROP_NS INT64_C(10000000000)

static struct exchange *exchange_of_waiter(struct waiter *waiter)
{
    return (struct exchange *)((char *)waiter - offsetof(struct exchange, waiter));
}

/* ---- answering ---- */

static void free_body(void *blob)
{
    blob_unref(blob);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value[0] != '\0') MHD_add_response_header(response, name, value);
}

static void add_headers(struct exchange *exchange, struct MHD_Response *response)
{
    const struct reply *reply = &exchange->reply;
    if (reply->body != NULL)
        add_header(response, "Content-Type",
                   reply->type == REPLY_JSON ? "application/json" : "application/problem+json");
    add_header(response, "X-Request-Id", exchange->request.id);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "Location", reply->location);
    add_header(response, "ETag", reply->etag);
    add_header(response, "Preference-Applied", reply->preference_applied);
    if (reply->status == 401) add_header(response, "WWW-Authenticate", exchange->challenge);
    if (reply->status == 405) add_header(response, "Allow", exchange->allow);
    if (reply->status == 415) add_header(response, "Accept", "application/json");
    char seconds[16] = "";
    if (reply->retry_after > 0) snprintf(seconds, sizeof seconds, "%d", reply->retry_after);
    add_header(response, "Retry-After", seconds);
}

/* The response keeps a reference to the body, which it lets go of when the last byte is out. */
static enum MHD_Result send_reply(struct exchange *exchange, bool close_connection)
{
    struct blob *body = blob_ref(exchange->reply.body);
    struct MHD_Response *response =
        body == NULL ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
                     : MHD_create_response_from_buffer_with_free_callback_cls(
                           body->size, body->data, free_body, body);
    if (response == NULL) {
        blob_unref(body);
        return MHD_NO;
    }
    add_headers(exchange, response);
    if (close_connection) MHD_add_response_header(response, "Connection", "close");
    const enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)exchange->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_problem(struct exchange *exchange, bool close_connection)
{
    reply_problem(&exchange->reply, &exchange->problem, exchange->request.id);
    exchange->answered = true;
    return send_reply(exchange, close_connection);
}

/* ---- on the request pool ---- */

static void resume(struct exchange *exchange)
{
    struct http *http = exchange->http;
    exchange->answered = true;
    MHD_resume_connection(exchange->connection);
    /* The exchange may be gone. Counted afterwards: whoever sees 0 may stop the daemon. */
    pthread_mutex_lock(&http->lock);
    http->suspended--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

static void wake(struct waiter *waiter)
{
    struct exchange *exchange = exchange_of_waiter(waiter);
    exchange->request.woken = true;
    pool_push(exchange->http->pool, &exchange->task);
}

/* True when the exchange now belongs to the waiters. */
static bool wait(struct exchange *exchange)
{
    struct waiter *waiter = &exchange->waiter;
    memcpy(waiter->id, exchange->reply.wait_job, sizeof waiter->id);
    waiter->deadline_ns =
        clock_monotonic_ns() + (int64_t)exchange->reply.wait_seconds * INT64_C(1000000000);
    waiter->wake = wake;
    return jobs_wait(exchange->http->service->jobs, waiter);
}

static void run_exchange(struct task *task)
{
    struct exchange *exchange = (struct exchange *)task;
    struct service *service = exchange->http->service;
    while (exchange->route->handle(service, &exchange->request, &exchange->reply) == ROUTE_WAIT) {
        if (wait(exchange)) return;
        exchange->request.woken = true;
    }
    resume(exchange);
}

/* ---- on the connection's thread ---- */

static struct exchange *exchange_new(struct http *http, struct MHD_Connection *connection,
                                     const char *method, const char *path)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) return NULL;
    exchange->http = http;
    pthread_mutex_lock(&http->lock);
    http->exchanges++;
    pthread_mutex_unlock(&http->lock);
    exchange->connection = connection;
    exchange->client = http_read_client(exchange);
    exchange->started_ns = clock_monotonic_ns();
    exchange->body.limit = http->service->config->limits.body_bytes;
    snprintf(exchange->method, sizeof exchange->method, "%s", method);
    snprintf(exchange->path, sizeof exchange->path, "%s", path);
    return exchange;
}

static enum MHD_Result hand_to_pool(struct exchange *exchange)
{
    struct http *http = exchange->http;
    exchange->request.body = blob_from_buf(&exchange->body);
    if (exchange->request.body == NULL) {
        problem_memory(&exchange->problem);
        return send_problem(exchange, false);
    }
    pthread_mutex_lock(&http->lock);
    const bool stopping = http->stopping;
    if (!stopping) http->suspended++;
    pthread_mutex_unlock(&http->lock);
    if (stopping) {
        problem_set(&exchange->problem, PROBLEM_DRAINING, "the server is stopping");
        return send_problem(exchange, true);
    }
    MHD_suspend_connection(exchange->connection);
    exchange->task.run = run_exchange;
    pool_push(http->pool, &exchange->task);
    return MHD_YES;
}

/* Without memory for the request's state there is that of the stack, and the connection ends. */
static enum MHD_Result refuse(struct http *http, struct MHD_Connection *connection)
{
    struct exchange exchange = {.http = http, .connection = connection};
    http_read_id(&exchange);
    problem_memory(&exchange.problem);
    const enum MHD_Result result = send_problem(&exchange, true);
    reply_done(&exchange.reply);
    return result;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection,
                             const char *method, const char *path, void **state)
{
    struct exchange *exchange = exchange_new(http, connection, method, path);
    if (exchange == NULL) return refuse(http, connection);
    *state = exchange;
    http_read_id(exchange);
    if (!http_read_framing(exchange)) return send_problem(exchange, true);
    http_read_head(exchange, path);
    const unsigned long long bytes = http_read_length(exchange);
    if (bytes > exchange->body.limit)
        problem_set(&exchange->problem, PROBLEM_TOO_LARGE,
                    "the body has %llu bytes; the limit is %zu", bytes, exchange->body.limit);
    else if (bytes > 0)
        exchange->body.limit = (size_t)bytes; /* so that the buffer ends up with just that room */
    /* Too much even to be dropped: the answer comes at once, and the connection ends with it. */
    if (bytes > exchange->body.limit + DROP_BYTES) return send_problem(exchange, true);
    return MHD_YES;
}

/* False when the sender has gone on for too long with what is dropped. */
static bool take_body(struct exchange *exchange, const char *data, size_t size)
{
    const bool wanted =
        exchange->problem.type == PROBLEM_NONE && (exchange->route->flags & ROUTE_BODY) != 0;
    const bool fits = size <= exchange->body.limit - exchange->body.size;
    if (wanted && buf_append(&exchange->body, data, size)) return true;
    if (wanted && !fits)
        problem_set(&exchange->problem, PROBLEM_TOO_LARGE,
                    "the body is larger than the limit of %zu bytes", exchange->body.limit);
    else if (wanted)
        problem_memory(&exchange->problem);
    buf_done(&exchange->body);
    exchange->dropped += size;
    if (exchange->dropping_ns == 0) exchange->dropping_ns = clock_monotonic_ns();
    return exchange->dropped <= exchange->body.limit + DROP_BYTES &&
           clock_monotonic_ns() - exchange->dropping_ns <= DROP_NS;
}

enum MHD_Result http_exchange_handle(void *closure, struct MHD_Connection *connection,
                                     const char *path, const char *method, const char *version,
                                     const char *data, size_t *size, void **state)
{
    (void)version;
    if (*state == NULL) return begin(closure, connection, method, path, state);
    struct exchange *exchange = *state;
    if (*size > 0) {
        const bool kept = take_body(exchange, data, *size);
        *size = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    if (exchange->answered) return send_reply(exchange, false);
    if (exchange->problem.type != PROBLEM_NONE) return send_problem(exchange, false);
    if ((exchange->route->flags & ROUTE_INSTANT) == 0) return hand_to_pool(exchange);
    exchange->route->handle(exchange->http->service, &exchange->request, &exchange->reply);
    exchange->answered = true;
    return send_reply(exchange, false);
}

void http_exchange_completed(void *closure, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    struct http *http = closure;
    struct exchange *exchange = *state;
    if (exchange == NULL) return;
    char quoted[LOG_QUOTED_SIZE], method[LOG_QUOTED_SIZE], client[IP_TEXT_SIZE];
    const char *user = exchange->request.user.name;
    log_info("request", "id=%s client=\"%s\" user=%s method=%s path=%s status=%d ms=%.3f",
             exchange->request.id, ip_format(&exchange->client, client), *user == '\0' ? "-" : user,
             log_quote(exchange->method, method), log_quote(exchange->path, quoted),
             exchange->reply.status, (double)(clock_monotonic_ns() - exchange->started_ns) * 1e-6);
    request_done(&exchange->request);
    reply_done(&exchange->reply);
    buf_done(&exchange->body);
    free(exchange);
    *state = NULL;
    pthread_mutex_lock(&http->lock);
    http->exchanges--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}
