#include "server/http.h"
#include "server/clock.h"
#include "server/forwarded.h"
#include "server/header.h"
#include "server/log.h"
#include "server/pool.h"

#include <microhttpd.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HTTP_THREADS = 2,
    POOL_THREADS = 16,           /* they wait for commits, which are made for many at once */
    CONNECTION_BYTES = 64 << 10, /* headers, and one chunk of a body */
    PATH_LOGGED = 200
};

/* A body that is too large is read and dropped up to here, so that its sender sees the answer. */
#define DROP_BYTES (UINT64_C(64) << 20)
#define DROP_NS INT64_C(10000000000)

/* For how long answers may still be on their way after a signal. */
#define STOP_NS INT64_C(1000000000)

struct http {
    struct MHD_Daemon *daemon;
    struct pool *pool;
    struct service *service;
    const struct listener *listener;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    size_t exchanges; /* requests under way */
    size_t suspended; /* those of them that the library may not be stopped with */
    bool stopping;
};

/* A request under way. Made on the first call for it, freed by completed() alone. While the
 * connection is suspended it belongs to the request pool, or to the table of waiters; otherwise to
 * the connection's thread. */
struct exchange {
    struct task task;     /* first: the pool hands it back */
    struct waiter waiter; /* second, see exchange_of_waiter */
    struct http *http;
    struct MHD_Connection *connection;
    const struct route *route;
    struct ip client; /* who asks, as far as the proxies in front can be believed */
    char method[16], path[PATH_LOGGED];
    struct problem problem; /* found before the handler runs */
    char allow[ALLOW_SIZE];
    const char *challenge; /* of a 401 */
    struct request request;
    struct reply reply;
    struct buf body;
    uint64_t dropped;    /* bytes of the body */
    int64_t dropping_ns; /* since when; 0: not at all */
    int64_t started_ns;
    bool answered; /* the reply is complete */
};

static struct exchange *exchange_of_waiter(struct waiter *waiter)
{
    return (struct exchange *)((char *)waiter - offsetof(struct exchange, waiter));
}

/* ---- the first call: everything that headers tell ---- */

static const char *header(struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct header_count {
    const char *name;
    unsigned count;
};

static enum MHD_Result count_header(void *closure, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind, (void)value;
    struct header_count *wanted = closure;
    if (strcasecmp(name, wanted->name) == 0) wanted->count++;
    return MHD_YES;
}

static unsigned header_count(struct exchange *exchange, const char *name)
{
    struct header_count wanted = {name, 0};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &wanted);
    return wanted.count;
}

/* What could make two parsers see two different requests. The connection cannot be used any
 * further. */
static bool framing_is_sound(struct exchange *exchange)
{
    static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Host",
                                         "Content-Type", "Authorization"};
    struct problem *problem = &exchange->problem;
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (header_count(exchange, single[i]) > 1)
            return problem_set(problem, PROBLEM_BAD_REQUEST, "the header %s stands there twice",
                               single[i]);
    const char *encoding = header(exchange, "Transfer-Encoding");
    if (encoding == NULL) return true;
    if (header(exchange, "Content-Length") != NULL)
        return problem_set(problem, PROBLEM_BAD_REQUEST,
                           "Content-Length and Transfer-Encoding exclude each other");
    return strcasecmp(encoding, "chunked") == 0 ||
           problem_set(problem, PROBLEM_BAD_REQUEST, "Transfer-Encoding must be chunked");
}

static bool media_type_is_json(struct exchange *exchange)
{
    const char *type = header(exchange, "Content-Type");
    const char *encoding = header(exchange, "Content-Encoding");
    if (type == NULL || !header_is_json(type))
        return problem_set(&exchange->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           "the body must be application/json");
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return problem_set(&exchange->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           "the body must come without Content-Encoding");
    return true;
}

struct header_text {
    const char *name;
    char *text;
    size_t used;
    bool whole;
};

static enum MHD_Result join_header(void *closure, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct header_text *joined = closure;
    if (strcasecmp(name, joined->name) != 0) return MHD_YES;
    const size_t left = HEADER_SIZE - joined->used;
    const int length = snprintf(joined->text + joined->used, left, "%s%s",
                                joined->used > 0 ? ", " : "", value == NULL ? "" : value);
    joined->whole = length > 0 && (size_t)length < left;
    joined->used += joined->whole ? (size_t)length : 0;
    return joined->whole ? MHD_YES : MHD_NO;
}

/* Several lines of one name are one list (RFC 9110, 5.3). What is too long, or empty, must not
 * become right by being cut, or pass as absent. */
static void copy_header(struct exchange *exchange, const char *name, char text[HEADER_SIZE])
{
    struct header_text joined = {name, text, 0, true};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, join_header, &joined);
    if (!joined.whole) snprintf(text, HEADER_SIZE, "\x7f");
}

static enum MHD_Result add_argument(void *closure, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    struct exchange *exchange = closure;
    struct request *request = &exchange->request;
    if (value == NULL) value = "";
    if (request->argument_count == ARGUMENTS_MAX || strlen(name) >= ARGUMENT_SIZE ||
        strlen(value) >= ARGUMENT_SIZE) {
        problem_set(&exchange->problem, PROBLEM_BAD_REQUEST, "the query is too long");
        return MHD_NO;
    }
    struct argument *argument = &request->argument[request->argument_count++];
    snprintf(argument->name, sizeof argument->name, "%s", name);
    snprintf(argument->value, sizeof argument->value, "%s", value);
    return MHD_YES;
}

static void read_query(struct exchange *exchange)
{
    const int count =
        MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    if (count <= 0) return;
    exchange->request.argument = calloc(ARGUMENTS_MAX, sizeof *exchange->request.argument);
    if (exchange->request.argument == NULL)
        problem_set(&exchange->problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
    else
        MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_argument,
                                  exchange);
}

static void name_request(struct exchange *exchange)
{
    const char *own = header(exchange, "X-Request-Id");
    if (own != NULL && header_request_id_is_valid(own))
        snprintf(exchange->request.id, sizeof exchange->request.id, "%s", own);
    else
        id_new(exchange->request.id);
}

/* A socket file is not reached by way of a name. */
static bool host_is_ours(struct exchange *exchange)
{
    const char *host = header(exchange, "Host");
    if (address_is_file(&exchange->http->listener->address)) return true;
    if (host != NULL && header_host_is_local(host, exchange->http->service->config->host_name))
        return true;
    return problem_set(&exchange->problem, PROBLEM_MISDIRECTED,
                       "Host must be localhost, 127.0.0.1, [::1] or the server's --host-name");
}

static enum auth_outcome authenticate(struct exchange *exchange)
{
    const char *authorization = header(exchange, "Authorization");
    char token[BEARER_SIZE] = "";
    const bool sent = authorization != NULL && header_bearer(authorization, token);
    exchange->challenge = sent ? "Bearer error=\"invalid_token\"" : "Bearer";
    return auth_check(exchange->http->service->auth, sent ? token : NULL, &exchange->request.user);
}

/* Finds the route of somebody who may use it. Who is not known is told of nothing that is not open,
 * be it there or not. */
static bool find_route(struct exchange *exchange, const char *path)
{
    const enum auth_outcome outcome = authenticate(exchange);
    struct problem *problem = &exchange->problem, missing = {0};
    if (outcome == AUTH_OPEN && !host_is_ours(exchange)) return false;
    const struct route *route =
        route_find(exchange->method, path, exchange->request.job, exchange->allow, &missing);
    if (outcome == AUTH_REFUSED && (route == NULL || (route->flags & ROUTE_OPEN) == 0))
        return problem_set(problem, PROBLEM_UNAUTHORIZED,
                           "a valid token is needed: Authorization: Bearer gck_...");
    if (route == NULL) {
        *problem = missing;
        return false;
    }
    if ((route->flags & ROUTE_CHANGES) != 0 && exchange->request.user.role == ROLE_READER)
        return problem_set(problem, PROBLEM_FORBIDDEN,
                           "this token is read-only, and %s changes something", route->method);
    exchange->route = route;
    return true;
}

/* Finds the first fault, if any, in the order in which answers are promised. */
static void examine(struct exchange *exchange, const char *path)
{
    struct request *request = &exchange->request;
    if (!find_route(exchange, path)) return;
    if ((exchange->route->flags & ROUTE_BODY) != 0 && !media_type_is_json(exchange)) return;
    copy_header(exchange, "Prefer", request->prefer);
    copy_header(exchange, "Idempotency-Key", request->idempotency_key);
    copy_header(exchange, "If-None-Match", request->if_none_match);
    read_query(exchange);
}

static enum MHD_Result add_forwarded(void *closure, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    (void)kind;
    if (value != NULL && strcasecmp(name, "X-Forwarded-For") == 0) forwarded_add(closure, value);
    return MHD_YES;
}

static struct ip find_client(struct exchange *exchange)
{
    const struct listener *listener = exchange->http->listener;
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct ip ip = ip_of_socket(peer->client_addr);
    if (listener->proxies.count == 0) return ip;
    struct forwarded forwarded = forwarded_start(&listener->proxies, &ip);
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, add_forwarded, &forwarded);
    return forwarded_client(&forwarded);
}

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
    exchange->client = find_client(exchange);
    exchange->started_ns = clock_monotonic_ns();
    exchange->body.limit = http->service->config->limits.body_bytes;
    snprintf(exchange->method, sizeof exchange->method, "%s", method);
    snprintf(exchange->path, sizeof exchange->path, "%s", path);
    return exchange;
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

static enum MHD_Result hand_to_pool(struct exchange *exchange)
{
    struct http *http = exchange->http;
    exchange->request.body = blob_from_buf(&exchange->body);
    if (exchange->request.body == NULL) {
        problem_set(&exchange->problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
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
    name_request(&exchange);
    problem_set(&exchange.problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
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
    name_request(exchange);
    if (!framing_is_sound(exchange)) return send_problem(exchange, true);
    examine(exchange, path);
    const char *length = header(exchange, "Content-Length");
    const unsigned long long bytes = length == NULL ? 0 : strtoull(length, NULL, 10);
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
        problem_set(&exchange->problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
    buf_done(&exchange->body);
    exchange->dropped += size;
    if (exchange->dropping_ns == 0) exchange->dropping_ns = clock_monotonic_ns();
    return exchange->dropped <= exchange->body.limit + DROP_BYTES &&
           clock_monotonic_ns() - exchange->dropping_ns <= DROP_NS;
}

static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
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

static void completed(void *closure, struct MHD_Connection *connection, void **state,
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

/* ---- connections ---- */

static enum MHD_Result accept_peer(void *closure, const struct sockaddr *address, socklen_t size)
{
    (void)size;
    const struct http *http = closure;
    const struct ip peer = ip_of_socket(address);
    if (listener_accepts(http->listener, &peer)) return MHD_YES;
    char text[IP_TEXT_SIZE];
    log_info("refused", "client=\"%s\" reason=\"neither a proxy nor this machine\"",
             ip_format(&peer, text));
    return MHD_NO;
}

/* Under TLS a connection holds its certificate from before the handshake until after its end. */
static void connection_changed(void *closure, struct MHD_Connection *connection, void **state,
                               enum MHD_ConnectionNotificationCode code)
{
    const struct http *http = closure;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        tls_end(*state);
        return;
    }
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    *state = session == NULL ? NULL : tls_begin(http->listener->tls, session->tls_session);
}

/* ---- life ---- */

static void log_library(void *closure, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void log_library(void *closure, const char *format, va_list arguments)
{
    (void)closure;
    char text[200], quoted[LOG_QUOTED_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    log_error("http", "message=%s", log_quote(text, quoted));
}

static void panic(void *closure, const char *file, unsigned line, const char *reason)
{
    (void)closure;
    log_error("panic", "file=%s line=%u reason=\"%s\"", file, line, reason == NULL ? "" : reason);
    abort();
}

/* A NUL would end the path or the value early; what holds one stays as it was sent, and matches
 * nothing. */
static size_t unescape(void *closure, struct MHD_Connection *connection, char *text)
{
    (void)closure, (void)connection;
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

/* epoll alone: suspending is unsound with select and poll in the library's version of Debian 12.
 * The library closes the socket, whatever comes. */
static struct MHD_Daemon *daemon_start(struct http *http, int fd)
{
    const struct config *config = http->service->config;
    const bool v6 = http->listener->address.socket.any.sa_family == AF_INET6;
    const bool tls = http->listener->tls != NULL;
    struct MHD_OptionItem https[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities()},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_chooser()},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, http},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (v6 ? MHD_USE_IPv6 : 0) | (tls ? MHD_USE_TLS : 0),
        0, accept_peer, http, handle, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)config->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->idle_seconds, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_ARRAY,
        tls ? https : https + sizeof https / sizeof https[0] - 1, MHD_OPTION_END);
}

struct http *http_start(struct listener *listener, struct service *service)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) return NULL;
    http->service = service;
    http->listener = listener;
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    MHD_set_panic_func(panic, NULL);
    http->pool = pool_start(POOL_THREADS);
    const bool bound = http->pool != NULL && listener_bind(listener, service->config->listen);
    if (bound) http->daemon = daemon_start(http, listener_hand_over(listener));
    if (http->daemon != NULL) return http;
    if (bound) fprintf(stderr, "gradcheckd: the HTTP library does not start\n");
    pool_stop(http->pool);
    free(http);
    return NULL;
}

/* Waits for what is under way, but no longer than a client may be slow; true when nothing is
 * suspended any more. */
static bool await_answers(struct http *http)
{
    const struct timespec until = clock_timespec(clock_monotonic_ns() + STOP_NS);
    int status = 0;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    while ((http->exchanges > 0 || http->suspended > 0) && status == 0)
        status = pthread_cond_timedwait(&http->changed, &http->lock, &until);
    const bool resumed = http->suspended == 0;
    pthread_mutex_unlock(&http->lock);
    return resumed;
}

/* The library aborts the process when it is stopped with a connection suspended: an answer that
 * takes too long is given up together with the process. It is not quiesced before: in the version
 * of Debian 12 that call and a thread that accepts can both take the socket out of epoll, and the
 * second one aborts. Until the end whoever connects is told that the server stops. */
bool http_stop(struct http *http)
{
    if (http == NULL) return true;
    if (!await_answers(http)) return false;
    MHD_stop_daemon(http->daemon);
    pool_stop(http->pool);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->changed);
    free(http);
    return true;
}
